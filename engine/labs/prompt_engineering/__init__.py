"""What examples in a prompt do: how many, in which order, in which form, right or wrong."""

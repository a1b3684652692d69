"""Trees against nets: who predicts a small table best, by number of rows, tuned by the same budget and untuned."""

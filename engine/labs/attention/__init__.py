"""Attention: one's own sentence through a model trained here, every number of a head by hand."""

"""Backpropagation, one node of a graph at a time, checked by two other ways to the same gradients."""

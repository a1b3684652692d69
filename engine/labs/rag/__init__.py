"""Retrieval-augmented generation: which search finds the passages, and what passages are worth to an answer."""

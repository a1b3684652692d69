"""Pre-training: the same task learned from scratch and from a trained model, by number of labeled examples."""

"""What one can do with a trained model, in a process of its own that reads checkpoints only."""

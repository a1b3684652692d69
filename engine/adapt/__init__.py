"""Adapting a trained model: what may move and what stands still, and LoRA."""

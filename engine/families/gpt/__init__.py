"""The GPT: a decoder-only transformer language model."""

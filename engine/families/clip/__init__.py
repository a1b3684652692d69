"""CLIP: pictures and captions in one space."""

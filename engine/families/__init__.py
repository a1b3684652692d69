"""One folder a family: spec.py without torch, model.py written out in full."""

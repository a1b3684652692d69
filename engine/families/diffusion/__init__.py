"""Diffusion and flow matching: data out of noise, by a network that learns to take a little noise away."""

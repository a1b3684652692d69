"""The autoencoder: plain, and variational."""

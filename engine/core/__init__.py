"""The torch-free core: what a run is, on disk and in memory."""

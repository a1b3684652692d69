"""The terminal app and the command line. Never torch."""

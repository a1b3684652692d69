"""Pure drawing: numbers and a size in, lines out."""

"""Thin widgets; the drawing is in tui.render."""

"""What a person asks a model for, as the model knows it."""

from __future__ import annotations

from engine.core.errors import UsageError, suggest


def class_number(text: str, classes: tuple[str, ...]) -> int:
    """Return the number of the class of that name, in whatever case, or of that number, counted from 0.

    Raises:
        UsageError: there is none; the remedy names the nearest.
    """
    word, known = text.strip().lower(), [name.lower() for name in classes]
    if word in known:
        return known.index(word)
    if word.isdecimal() and int(word) < len(known):
        return int(word)
    raise UsageError(f"There is no class '{text}'.", suggest(text, list(classes)))

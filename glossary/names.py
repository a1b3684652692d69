"""Names: slugs made from titles, and text from outside made fit for one line of a terminal."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 200
"""Characters of a slug or title."""


def slugify(name: str) -> str:
    """Return `name` as a slug: small letters and digits, hyphens between.

    >>> slugify("Moore's law / FLOPs")
    'moores-law-flops'
    """
    name = unicodedata.normalize("NFKC", name).lower().replace("'", "").replace("’", "")
    return re.sub(r"[\W_]+", "-", name).strip("-")[:LONGEST].strip("-") or "untitled"


def printable(text: str) -> str:
    """Return `text` on one line, with U+FFFD for every character that could drive a terminal."""
    text = " ".join(text.split())
    if text.isprintable():
        return text
    return "".join("\ufffd" if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Co") else each for each in text)

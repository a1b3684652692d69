"""Any text in the characters of a typewriter, so that a vocabulary of characters stays small."""

from __future__ import annotations

import re
import unicodedata

_TYPED = """\
‘ ' ’ ' “ " ” " – - \N{EM DASH} - − - … ... · * ⋅ * ⊙ * ∘ * × x ÷ / ≤ <= ≥ >= ≈ ~ ≠ != → -> ← <- ↔ <-> ‖ || ⊤ T ℓ l
½ 1/2 ¼ 1/4 ∞ infinity √ sqrt ∑ sum ∏ product ∂ d ∇ grad ∈ in ° deg € EUR £ GBP § section ß ss æ ae ø o
"""
TYPED = dict(zip(_TYPED.split()[::2], _TYPED.split()[1::2], strict=True))
"""Signs that Unicode itself does not reduce to ASCII, as one would type them."""


def plain(text: str) -> str:
    """Return the text in ASCII: signs as typed, Greek letters by name, accents dropped, the rest left out."""
    return "".join(_plain_character(character) for character in text)


def _plain_character(character: str) -> str:
    if character.isascii():
        return character
    if character in TYPED:
        return TYPED[character]
    greek = re.fullmatch(r"GREEK (?:SMALL|CAPITAL) LETTER (?:FINAL )?(\w+)", unicodedata.name(character, ""))
    if greek:
        return greek[1].lower()
    return unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()

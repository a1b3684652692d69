"""A formula on one line of text: ``xₜ₋₁``, ``(a + b)/c``, ``√(1 − ᾱₜ)``."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from tui.render.maths_parse import Accent, Fence, Fraction, Grid, Node, Root, Row, Scripts, Space, Symbol
from tui.render.maths_spacing import role_of, spaced
from tui.render.maths_symbols import lowered, raised

WIDE = 3
"""Columns of a space that ends one formula and begins the next."""
FACTORS_AFTER = frozenset({"ordinary", "name", "fence", "large", "open"})
"""What, beside a fraction with a slash, would be read as part of its lower half."""


def linear(node: Node, *, tight: bool = False) -> str:
    """Return a tree as one line; a `tight` one has no blanks around operators, as scripts want it."""
    match node:
        case Symbol(text):
            return text
        case Space(width):
            return "" if tight else " " * width
        case Row(items):
            return _row(items, tight)
        case Fraction(top, bottom, False):
            return f"{linear(top, tight=tight)} over {linear(bottom, tight=tight)}"
        case Fraction(top, bottom):
            return f"{_grouped(top, tight)}/{_grouped(bottom, tight, below=True)}"
        case Root():
            return _root(node, tight)
        case Scripts():
            return _scripts(node, tight)
        case Accent():
            return accented(node, linear(node.body, tight=tight))
        case Fence(left, right, body):
            return f"{left}{linear(body, tight=tight)}{right}"
        case Grid():
            rows = "; ".join(", ".join(linear(cell, tight=tight) for cell in row) for row in node.rows)
            return f"{node.left or '['}{rows}{node.right or ('' if node.left else ']')}"


def _row(items: tuple[Node, ...], tight: bool) -> str:
    parts: list[str] = []
    row = list(spaced(items))
    last = ""
    for at, (item, role, blanks) in enumerate(row):
        # Names and words keep their blank in a script too: ``arg min``, ``broad data``.
        keeps = (not tight or "name" in (last, role) or blanks > 1) and last != "sign"
        text = linear(item, tight=tight)
        after = row[at + 1] if at + 1 < len(row) else None
        if role == "fraction" and after is not None and after[1] in FACTORS_AFTER and after[2] < WIDE:
            text = f"({text})"
        parts.append(" " * (blanks if keeps else 0) + text)
        last = role
    return "".join(parts)


def _root(node: Root, tight: bool) -> str:
    index = "" if node.index is None else linear(node.index, tight=True)
    sign = {"": "√", "2": "√", "3": "∛", "4": "∜"}.get(index) or f"{raised(index) or index + ' '}√"
    body = linear(node.body, tight=tight)
    return sign + (body if is_single(node.body) else f"({body})")


def _scripts(node: Scripts, tight: bool) -> str:
    base = linear(node.base, tight=tight)
    if not isinstance(node.base, Symbol | Fence | Accent | Grid) and not is_single(node.base) and base:
        base = f"({base})"
    below = "" if node.below is None else linear(node.below, tight=True)
    above = "" if node.above is None else linear(node.above, tight=True)
    return base + _script(node.below, below, lowered, "_") + _script(node.above, above, raised, "^")


def _script(node: Node | None, text: str, small: Callable[[str], str | None], sign: str) -> str:
    if node is None or not text:
        return ""
    return (None if has_words(node) else small(text)) or sign + _bracketed(text)


def _bracketed(script: str) -> str:
    plain = all(each.isascii() or unicodedata.category(each) == "Ll" for each in script)
    if len(script) == 1 or (plain and script.replace(".", "").isalnum()) or _in_brackets(script):
        return script
    return f"({script})"


def _in_brackets(text: str) -> bool:
    return text.startswith("(") and text.find(")") == len(text) - 1


def accented(node: Accent, body: str) -> str:
    """Return `body` under a mark: combined where it is one character, in words where it is longer."""
    letters = unicodedata.normalize("NFC", body)
    if len(letters) == 1 or (letters and all(unicodedata.combining(each) for each in letters[1:])):
        return unicodedata.normalize("NFC", letters[0] + node.mark + letters[1:])
    return f"{node.name.removeprefix('wide')}({body})" if body else ""


def is_single(node: Node) -> bool:
    """Return whether a thing needs no brackets under a root or beside a slash: a number, a symbol with its scripts."""
    match node:
        case Symbol(text):
            return " " not in text
        case Fence() | Grid() | Accent() | Root():
            return True
        case Scripts(base):
            return is_single(base)
        case Row(items):
            number = all(isinstance(item, Symbol) and item.text in "0123456789." for item in items)
            return number or (len(items) == 1 and is_single(items[0]))
        case _:
            return False


def has_words(node: Node) -> bool:
    """Return whether a script is made of words, which stay legible only in letters of full size."""
    match node:
        case Symbol(text):
            return len(text) > 1 and text.isalpha()
        case Row(items):
            return any(has_words(item) for item in items)
        case Scripts(base):
            return has_words(base)
        case _:
            return False


def _grouped(node: Node, tight: bool, *, below: bool = False) -> str:
    """Return a part of a fraction, in brackets where the slash would otherwise take less than it."""
    text = linear(node, tight=tight)
    if is_single(node):
        return text
    items = node.items if isinstance(node, Row) else (node,)
    sums, factors = _sums_and_factors(items)
    return f"({text})" if sums or (below and factors > 1) or "fraction" in map(role_of, items) else text


def _sums_and_factors(items: tuple[Node, ...]) -> tuple[bool, int]:
    """Return whether a row has an operator, relation, comma or words outside brackets, and how many factors.

    A function with its argument and a differential (``∂L``) are one factor.
    """
    sums, factors, depth = False, 0, 0
    last = ""
    for item, role, _ in spaced(items):
        words = isinstance(item, Symbol) and " " in item.text
        if depth == 0:
            sums = sums or words or role in ("binary", "relation", "comma")
            joined = (role == "open" and last in ("ordinary", "name")) or last == "∂"
            factors += role not in ("close", "sign") and not joined
        depth += (role == "open") - (role == "close")
        last = "∂" if _is_differential(item) else role
    return sums, factors


def _is_differential(node: Node) -> bool:
    return (node.base if isinstance(node, Scripts) else node) == Symbol("∂")

"""The blanks between the things of a row, the same in a line of text and in a displayed formula."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from tui.render.maths_parse import Accent, Fence, Fraction, Node, Row, Scripts, Space, Symbol
from tui.render.maths_symbols import Kind

Role = Kind | Literal["sign", "fence", "fraction"]
"""A ``sign`` is an operator with nothing before it (``-x``); it stays with what follows."""

_BEFORE_SIGN = frozenset({"", "open", "binary", "relation", "comma", "name", "large", "sign"})
_FACTORS = frozenset({"ordinary", "close", "fence", "fraction"})


def spaced(items: tuple[Node, ...], *, continuing: bool = False) -> Iterator[tuple[Node, Role, int]]:
    """Yield the things of a row without its spaces, each with its role and the blanks that stand before it.

    Where the row continues an earlier one (`continuing`), an operator at its beginning is no sign.
    """
    last: Role | Literal[""] = "ordinary" if continuing else ""
    first, ended_blank = True, False
    wide, blank = 0, False
    for item in items:
        if isinstance(item, Space):
            wide += item.width
            blank = blank or not item.width
            continue
        if isinstance(item, Row) and not item.items:
            continue
        role = role_of(item)
        if role == "binary" and last in _BEFORE_SIGN:
            role = "sign"
        own = ended_blank or (isinstance(item, Symbol) and item.text.startswith(" "))
        yield item, role, 0 if first else max(wide, 0 if own else _blanks(last, role, blank))
        last, first, wide, blank = "large" if _has_limits(item) else role, False, 0, False
        ended_blank = isinstance(item, Symbol) and item.text.endswith(" ")


def role_of(node: Node) -> Role:
    """Return how a thing behaves beside others."""
    match node:
        case Symbol():
            return node.kind
        case Scripts() | Accent():
            inner = role_of(node.base if isinstance(node, Scripts) else node.body)
            return "ordinary" if inner == "fraction" else inner
        case Fraction():
            return "fraction"
        case Fence():
            return "fence"
        case _:
            return "ordinary"


def _has_limits(node: Node) -> bool:
    """Return whether a thing is an operator that carries limits; it keeps clear of brackets too."""
    return isinstance(node, Scripts) and isinstance(node.base, Symbol) and node.base.limits


def _blanks(left: Role | Literal[""], right: Role, blank: bool) -> int:
    if "relation" in (left, right) or "binary" in (left, right) or left == "comma":
        return 0 if right == "comma" else 1
    if "fraction" in (left, right):
        return 0 if left == "open" or right in ("close", "comma") else 1
    if left == "name":
        return 0 if right in ("open", "fence", "close", "comma") else 1
    if left == "large":
        return 0 if right in ("close", "comma") else 1
    if right in ("name", "large"):
        return 1 if left in _FACTORS else 0
    factors = left in _FACTORS and (right in _FACTORS - {"close"} or right == "open")
    return 1 if blank and factors else 0

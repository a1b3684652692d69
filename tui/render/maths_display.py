"""A formula over several lines: fractions stacked, limits above and below, delimiters that grow."""

from __future__ import annotations

from collections.abc import Sequence

from tui.render.maths_box import Box, beside, centered, column, fenced, rooted, ruled, stacked, text_box
from tui.render.maths_linear import WIDE, accented, has_words, is_single, linear
from tui.render.maths_parse import Accent, Fence, Fraction, Grid, Node, Root, Row, Scripts, Space, Symbol
from tui.render.maths_spacing import spaced
from tui.render.maths_symbols import SIDE_LIMITS, lowered, raised

DEEPEST_STACK = 2
"""Fractions within fractions that are stacked; those further in are written with a slash."""


def box_of(node: Node, depth: int = 0) -> Box:
    """Return a tree as a box; `depth` counts the fractions around it."""
    match node:
        case Row(items):
            return row_box(items, depth)
        case Fraction(top, bottom, rule) if depth < DEEPEST_STACK:
            over, under = box_of(top, depth + 1), box_of(bottom, depth + 1)
            return ruled(over, under) if rule else stacked([over, under], 0)
        case Root(body, None) if is_single(body) and box_of(body, depth).height == 1:
            return text_box(linear(node))
        case Root(body, index):
            return rooted(box_of(body, depth), "" if index is None else linear(index, tight=True))
        case Scripts():
            return _scripts(node, depth)
        case Accent(_, name, body):
            return _accent(node, box_of(body, depth), name)
        case Fence(left, right, body):
            return fenced(left, box_of(body, depth), right)
        case Grid():
            return _grid(node, depth)
        case Space(width):
            return text_box(" " * width)
        case _:
            return text_box(linear(node))


def row_box(items: tuple[Node, ...], depth: int = 0, *, continuing: bool = False) -> Box:
    """Return things beside one another as a box."""
    boxes: list[Box] = []
    for item, _, blanks in spaced(items, continuing=continuing):
        if blanks:
            boxes.append(text_box(" " * blanks))
        boxes.append(box_of(item, depth))
    return beside(boxes) if boxes else text_box("")


def _scripts(node: Scripts, depth: int) -> Box:
    base = box_of(node.base, depth)
    below = "" if node.below is None else linear(node.below, tight=True)
    above = "" if node.above is None else linear(node.above, tight=True)
    if isinstance(node.base, Symbol) and node.base.limits and node.base.text not in SIDE_LIMITS:
        parts = [text_box(above)] * bool(above) + [base] + [text_box(below)] * bool(below)
        return stacked(parts, bool(above))
    low = None if node.below is not None and has_words(node.below) else lowered(below)
    high = None if node.above is not None and has_words(node.above) else raised(above)
    if base.height == 1 and low is not None and high is not None:
        return beside([base, text_box(low + high)])
    rows: dict[int, str] = {}
    if above:
        rows[-1 if high is None else 0] = high or above
    if below:
        at = base.height if low is None else base.height - 1
        rows[at] = (low or below) + rows.get(at, "")
    return beside([base, _corner(base, rows)])


def _corner(base: Box, rows: dict[int, str]) -> Box:
    """Return what stands at the right of a base, by line of the base: -1 is the line above its first."""
    first, last = min(base.base, *rows), max(base.base, *rows)
    return column([rows.get(at, "") for at in range(first, last + 1)], base.base - first)


def _accent(node: Accent, body: Box, name: str) -> Box:
    if body.height == 1:
        combined = accented(node, body.lines[0].strip())
        if "(" not in combined or "(" in body.lines[0]:
            return text_box(combined)
    mark = {"hat": "^", "widehat": "^", "tilde": "~", "widetilde": "~", "vec": "→"}.get(name)
    line = text_box(mark if mark else "_" * body.width)
    return stacked([body, text_box("‾" * body.width)], 0) if name == "underline" else stacked([line, body], 1)


def _grid(node: Grid, depth: int) -> Box:
    rows = [[box_of(cell, depth) for cell in row] for row in node.rows]
    columns = max(map(len, rows))
    widths = [max((row[at].width for row in rows if at < len(row)), default=0) for at in range(columns)]
    lines: list[Box] = []
    for row in rows:
        cells = [_cell(box, width, node.centered) for box, width in zip(row, widths, strict=False)]
        gaps = [part for cell in cells for part in (text_box("  "), cell)][1:]
        lines.append(beside(gaps) if gaps else text_box(""))
    body = Box(tuple(line for box in lines for line in _filled(box, sum(widths) + 2 * (columns - 1))), 0, 0)
    whole = Box(body.lines, body.height // 2 if body.height > 2 else 0, sum(widths) + 2 * (columns - 1))
    return fenced(node.left, whole, node.right)


def _cell(box: Box, width: int, center: bool) -> Box:
    lines = centered(box, width) if center else _filled(box, width)
    return Box(lines, box.base, width)


def _filled(box: Box, width: int) -> tuple[str, ...]:
    return tuple(line + " " * (width - box.width) for line in box.lines)


def fitted(row: Row, width: int) -> list[Box] | None:
    """Return a formula as boxes of at most `width` columns, one under another; None where it cannot be done.

    What does not fit is broken at its wide spaces first, then before relations and operators.
    """
    whole = box_of(row)
    if whole.width <= width:
        return [whole]
    lines: list[Box] = []
    for part in _apart(row.items):
        box = row_box(part)
        if lines and lines[-1].width + WIDE + box.width <= width:
            lines[-1] = beside([lines[-1], text_box(" " * WIDE), box])
        elif box.width <= width:
            lines.append(box)
        else:
            broken = _broken(part, width)
            if broken is None:
                return None
            lines.extend(broken)
    return lines


def _apart(items: Sequence[Node]) -> list[tuple[Node, ...]]:
    """Split a row at its wide spaces."""
    parts: list[list[Node]] = [[]]
    for item in items:
        if isinstance(item, Space) and item.width >= WIDE:
            parts.append([])
        else:
            parts[-1].append(item)
    return [tuple(part) for part in parts if part]


def _broken(items: tuple[Node, ...], width: int) -> list[Box] | None:
    """Break one formula before relations and operators that stand outside brackets, as late as possible."""
    pieces: list[list[Node]] = [[]]
    depth = 0
    for item, role, blanks in spaced(items):
        depth += (role == "open") - (role == "close")
        if role in ("relation", "binary") and depth == 0 and pieces[-1]:
            pieces.append([])
        elif blanks and pieces[-1]:
            pieces[-1].append(Space(blanks))
        pieces[-1].append(item)
    lines: list[tuple[Node, ...]] = []
    indent = 2 if width > 24 else 0
    for piece in pieces:
        together = (*lines[-1], *piece) if lines else tuple(piece)
        room = width - (indent if len(lines) > 1 else 0)
        if lines and row_box(together, continuing=len(lines) > 1).width > room:
            lines.append(tuple(piece))
        else:
            lines[-1:] = [together]
    boxes = [row_box(line, continuing=at > 0) for at, line in enumerate(lines)]
    shifted = [beside([text_box(" " * indent), box]) if at and indent else box for at, box in enumerate(boxes)]
    return shifted if all(box.width <= width for box in shifted) else None

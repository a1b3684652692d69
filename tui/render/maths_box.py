"""Blocks of characters with a baseline, put beside and over one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len


@dataclass(frozen=True, slots=True)
class Box:
    """Lines of one width; `base` is the index of the line that neighbors align with."""

    lines: tuple[str, ...]
    base: int
    width: int

    @property
    def height(self) -> int:
        """How many lines there are."""
        return len(self.lines)


def text_box(text: str) -> Box:
    """Return one line of text as a box."""
    return Box((text,), 0, cell_len(text))


def column(lines: Sequence[str], base: int) -> Box:
    """Return lines of any widths as a box, each filled up at the right."""
    width = max(map(cell_len, lines), default=0)
    return Box(tuple(line + " " * (width - cell_len(line)) for line in lines), base, width)


def beside(boxes: Sequence[Box]) -> Box:
    """Return boxes in a row, their baselines on one line."""
    above = max((box.base for box in boxes), default=0)
    below = max((box.height - box.base - 1 for box in boxes), default=0)
    lines = ["" for _ in range(above + below + 1)]
    for box in boxes:
        first = above - box.base
        blank = " " * box.width
        for at in range(len(lines)):
            lines[at] += box.lines[at - first] if first <= at < first + box.height else blank
    return Box(tuple(lines), above, sum(box.width for box in boxes))


def centered(box: Box, width: int) -> tuple[str, ...]:
    """Return the lines of a box in the middle of `width` columns."""
    left = (width - box.width) // 2
    return tuple(" " * left + line + " " * (width - box.width - left) for line in box.lines)


def stacked(boxes: Sequence[Box], base: int) -> Box:
    """Return boxes one under another, centered; the baseline is that of the box number `base`."""
    width = max(box.width for box in boxes)
    lines = [line for box in boxes for line in centered(box, width)]
    return Box(tuple(lines), sum(box.height for box in boxes[:base]) + boxes[base].base, width)


_GROWING = {
    "(": "⎛⎜⎜⎝",
    ")": "⎞⎟⎟⎠",
    "[": "⎡⎢⎢⎣",
    "]": "⎤⎥⎥⎦",
    "{": "⎧⎪⎨⎩",
    "}": "⎫⎪⎬⎭",
    "⌊": "⎢⎢⎢⎣",
    "⌋": "⎥⎥⎥⎦",
    "⌈": "⎡⎢⎢⎢",
    "⌉": "⎤⎥⎥⎥",
    "|": "││││",
    "‖": "‖‖‖‖",
}
"""Of each delimiter: the top, what continues it, the middle, the bottom."""


def delimiter(sign: str, like: Box) -> Box:
    """Return a delimiter as tall as `like`; one that does not grow stands on the baseline."""
    if not sign or like.height == 1 or sign not in _GROWING:
        return text_box(sign)
    top, more, middle, bottom = tuple(_GROWING[sign])
    if like.height == 2 and sign in "{}":
        return Box(("⎰", "⎱") if sign == "{" else ("⎱", "⎰"), like.base, 1)
    lines = [top, *[more] * (like.height - 2), bottom]
    if like.height > 2:
        lines[like.height // 2] = middle
    return Box(tuple(lines), like.base, 1)


def fenced(left: str, box: Box, right: str) -> Box:
    """Return a box between delimiters as tall as it is."""
    air = [text_box(" ")] if box.height > 1 else []
    parts = [delimiter(left, box), *air, box, *air, delimiter(right, box)]
    return beside([part for part in parts if part.width])


def ruled(top: Box, bottom: Box) -> Box:
    """Return one box over another with a rule between them."""
    rule = text_box("─" * max(top.width, bottom.width))
    return stacked([top, rule, bottom], 1)


def rooted(box: Box, index: str) -> Box:
    """Return a box under a root sign."""
    lines = [" " + "_" * box.width, *("│" + line for line in box.lines[:-1]), "√" + box.lines[-1]]
    body = Box(tuple(lines), box.base + 1, box.width + 1)
    if not index:
        return body
    mark = column([index, *[""] * (box.height - box.base - 1)], 0)
    return beside([mark, body])

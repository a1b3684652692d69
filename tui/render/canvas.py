"""A grid of characters with an ink each: what charts, maps and scatters are drawn on."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len

from engine.core.series import Integers
from tui.render.ink import PLAIN, Ink, Line
from tui.render.safe import safe

_BLANK = ord(" ")
_BLANKS = {ord("\n"): " ", ord("\t"): " "}
_COVERED = 0
"""Stands in the second cell of a character that is two cells wide."""


class Canvas:
    """`height` rows of `width` cells; what is drawn outside is cut off.

    Attributes:
        width: cells a row, 0 or more.
        height: rows, 0 or more.
        glyphs_HW: code points.
        inks_HW: indices into the palette.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width = max(0, width)
        self.height = max(0, height)
        self.glyphs_HW: NDArray[np.uint32] = np.full((self.height, self.width), _BLANK, np.uint32)
        self.inks_HW: NDArray[np.int32] = np.zeros((self.height, self.width), np.int32)
        self._palette: list[Ink] = [PLAIN]
        self._numbers: dict[Ink, int] = {PLAIN: 0}
        self._has_wide = False

    def number(self, ink: Ink) -> int:
        """Return the index of `ink` in the palette, adding it where it is new."""
        found = self._numbers.get(ink)
        if found is None:
            found = self._numbers[ink] = len(self._palette)
            self._palette.append(ink)
        return found

    def put(self, x: int, y: int, glyph: str, ink: Ink) -> None:
        """Draw one character of one cell."""
        if 0 <= x < self.width and 0 <= y < self.height:
            self.glyphs_HW[y, x] = ord(glyph)
            self.inks_HW[y, x] = self.number(ink)

    def write(self, x: int, y: int, text: str, ink: Ink) -> int:
        """Write safe text from cell `x` on and return the cell after it.

        A character that does not fit whole is left out, and so are marks that combine with the one before.
        """
        number = self.number(ink)
        if text.isascii() and text.isprintable() and 0 <= y < self.height and 0 <= x < self.width:
            end = min(x + len(text), self.width)
            self.glyphs_HW[y, x:end] = list(text[: end - x].encode())
            self.inks_HW[y, x:end] = number
            return end
        for each in safe(text, max(0, self.width - x) + 1).translate(_BLANKS) if 0 <= y < self.height else "":
            size = 1 if each.isascii() else cell_len(each)
            if size == 0:
                continue
            if x + size > self.width:
                break
            if x >= 0:
                self._has_wide |= size == 2
                self.glyphs_HW[y, x : x + size] = (ord(each), _COVERED)[:size]
                self.inks_HW[y, x : x + size] = number
            x += size
        return x

    def rule(self, x: int, y: int, width: int, glyph: str, ink: Ink) -> None:
        """Draw one narrow character `width` times from cell (x, y) on."""
        if 0 <= y < self.height:
            span = slice(max(0, x), max(0, min(x + width, self.width)))
            self.glyphs_HW[y, span] = ord(glyph)
            self.inks_HW[y, span] = self.number(ink)

    def column(self, x: int, y: int, height: int, glyph: str, ink: Ink) -> None:
        """Draw one narrow character `height` times from cell (x, y) down."""
        if 0 <= x < self.width:
            span = slice(max(0, y), max(0, min(y + height, self.height)))
            self.glyphs_HW[span, x] = ord(glyph)
            self.inks_HW[span, x] = self.number(ink)

    def scatter(self, x_N: Integers, y_N: Integers, glyphs_N: Integers, inks_N: Integers) -> None:
        """Draw N characters in cells that lie inside, in inks as `number` gave them; of those in one the last stays."""
        self.glyphs_HW[y_N, x_N] = glyphs_N
        self.inks_HW[y_N, x_N] = inks_N

    def stamp(self, x: int, y: int, glyphs_HW: NDArray[Any], ink: Ink) -> None:
        """Replace the cells where `glyphs_HW` is not 0, from the corner (x, y) on; it must fit."""
        height, width = glyphs_HW.shape
        area = (slice(y, y + height), slice(x, x + width))
        np.copyto(self.glyphs_HW[area], glyphs_HW, where=glyphs_HW != 0, casting="unsafe")
        np.copyto(self.inks_HW[area], self.number(ink), where=glyphs_HW != 0)

    def is_free(self, x: int, y: int, width: int) -> bool:
        """Whether `width` cells from (x, y) lie inside and are blank."""
        inside = x >= 0 and 0 <= y < self.height and x + width <= self.width
        return inside and bool((self.glyphs_HW[y, x : x + width] == _BLANK).all())

    def lines(self) -> list[Line]:
        """Return the rows as runs of equal ink."""
        if self._has_wide:
            self._mend()
        changes_HW = self.inks_HW[:, 1:] != self.inks_HW[:, :-1]
        lines: list[Line] = []
        for row in range(self.height):
            inks = self.inks_HW[row]
            cuts = [0, *(np.flatnonzero(changes_HW[row]) + 1).tolist(), self.width]
            codes = self.glyphs_HW[row]
            whole = codes.tobytes().decode("utf-32")
            line = [
                (whole[start:end].replace("\0", ""), self._palette[inks[start]])
                for start, end in pairwise(cuts)
                if end > start
            ]
            lines.append([run for run in line if run[0]])
        return lines

    def _mend(self) -> None:
        """Blank the half that is left of a wide character after something was drawn over the other half."""
        for y in range(self.height):
            row = self.glyphs_HW[y]
            for x in range(self.width):
                if row[x] == _COVERED:
                    whole = x > 0 and cell_len(chr(row[x - 1])) == 2
                else:
                    whole = cell_len(chr(row[x])) == 1 or (x + 1 < self.width and row[x + 1] == _COVERED)
                if not whole:
                    row[x] = _BLANK

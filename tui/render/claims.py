"""What a page claims, each sentence with what was found about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tui.render.flow import Flow, Line
from tui.render.page import Page, heading_rows, page_of, plain_rows
from tui.render.safe import one_line

CLAIMS = "Claims, measured"


class ClaimRow(NamedTuple):
    """One line under a claim: a sign, what was found, and who found it when."""

    sign: str
    style: str
    text: str
    about: str


class ClaimLines(NamedTuple):
    """A claim, and what stands under it."""

    says: str
    rows: Sequence[ClaimRow]
    waiting: str
    """What stands there where nothing was found yet."""


def claims_page(claims: Iterable[ClaimLines], width: int) -> Page:
    """Return the claims of a page, set in a width; no rows where there are none."""
    rows: list[Line] = []
    indent = 2 if width >= 20 else 0
    for claim in claims:
        lines = plain_rows(one_line(claim.says, 400), "$foreground", width - indent)
        rows += [line.after(("  " if at else "• ")[:indent], "$text-muted") for at, line in enumerate(lines)]
        for row in claim.rows:
            rows += _row(row, width, indent)
        if not claim.rows and claim.waiting:
            lines = plain_rows(claim.waiting, "$text-muted", width - 2 * indent)
            rows += [line.after("    "[: 2 * indent], "") for line in lines]
    return page_of([*heading_rows(CLAIMS, width), *rows, Line()] if rows else [])


def _row(row: ClaimRow, width: int, indent: int) -> list[Line]:
    flow = Flow()
    flow.add(f"{row.sign} ", [row.style, "bold"])
    flow.add(one_line(row.text, 400), [row.style])
    flow.add(f"  {one_line(row.about, 200)}", ["$text-muted"])
    return [line.after("    "[: 2 * indent], "") for line in flow.lines(width - 2 * indent)]

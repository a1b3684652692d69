"""Tables: columns as wide as their words need, cells broken to fit, one thin rule under the head."""

from __future__ import annotations

from collections.abc import Sequence

from tui.render.flow import Flow, Line, joined, styled

NARROWEST_COLUMN = 4
GAP = " │ "
_RULE = "$surface-lighten-3"


def set_table(rows: Sequence[Sequence[Flow]], aligns: Sequence[str], width: int, heads: int = 1) -> list[Line]:
    """Return a table in rows of at most `width` columns; as ``head: cell`` lines where its columns do not fit."""
    columns = max(map(len, rows), default=0)
    if not columns:
        return []
    room = width - len(GAP) * (columns - 1)
    if room < NARROWEST_COLUMN * columns:
        return _listed(rows, width, heads)
    widths = _widths(rows, columns, room)
    sides = [*aligns, *["left"] * columns]
    rule = styled("─┼─".join("─" * each for each in widths), _RULE)
    thin = styled("┄┼┄".join("┄" * each for each in widths), _RULE)
    set_rows = [_row(row, widths, sides) for row in rows]
    ruled = any(len(lines) > 1 for lines in set_rows[heads:])
    table: list[Line] = []
    for number, lines in enumerate(set_rows):
        if number == heads and heads:
            table.append(rule)
        elif number > heads and ruled:
            table.append(thin)
        table += lines
    return table


def _row(row: Sequence[Flow], widths: Sequence[int], aligns: Sequence[str]) -> list[Line]:
    cells = [flow.lines(width) for flow, width in zip(row, widths, strict=False)]
    cells += [[] for _ in range(len(widths) - len(cells))]
    height = max(1, *map(len, cells))
    lines = []
    for at in range(height):
        parts = [
            (cell[at] if at < len(cell) else Line()).filled(width, align if align in ("right", "center") else "left")
            for cell, width, align in zip(cells, widths, aligns, strict=False)
        ]
        lines.append(joined(parts, GAP, _RULE))
    return lines


def _widths(rows: Sequence[Sequence[Flow]], columns: int, room: int) -> list[int]:
    """Share `room` among the columns: narrow ones get what they want, wide ones the rest in equal parts, or more."""
    wanted = [1] * columns
    for row in rows:
        for at, flow in enumerate(row):
            wanted[at] = max(wanted[at], styled(flow.text).width)
    if sum(wanted) <= room:
        return wanted
    widths = [0] * columns
    left = sorted(range(columns), key=lambda at: wanted[at])
    while left:
        share = room // len(left)
        at = left[0]
        if wanted[at] > share:
            break
        widths[at] = wanted[at]
        room -= wanted[at]
        left.pop(0)
    total = sum(wanted[at] for at in left)
    spare = room - NARROWEST_COLUMN * len(left)
    for at in left:
        widths[at] = NARROWEST_COLUMN + spare * wanted[at] // total
    return widths


def _listed(rows: Sequence[Sequence[Flow]], width: int, heads: int) -> list[Line]:
    """Return each row as a paragraph of its cells, each after the head of its column."""
    names = [flow.text for flow in rows[0]] if heads else []
    table: list[Line] = []
    for row in rows[heads:]:
        if table:
            table.append(Line())
        for at, flow in enumerate(row):
            named = Flow()
            if at < len(names) and names[at]:
                named.add(f"{names[at]}: ", ["bold"])
            table += _chained(named, flow).lines(width)
    return table


def _chained(first: Flow, second: Flow) -> Flow:
    """Return two flows as one."""
    at = len(first.text)
    both = Flow()
    both.add(first.text + second.text)
    both.spans = [*first.spans, *(span._replace(start=span.start + at, end=span.end + at) for span in second.spans)]
    both.marks = [mark._replace(start=mark.start + at, end=mark.end + at) for mark in second.marks]
    return both

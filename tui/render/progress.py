"""How far something is: a bar with figures and the time left, and the timeline that one scrubs."""

from __future__ import annotations

import math

from rich.cells import cell_len

from tui.render.axis import duration, whole
from tui.render.ink import AXIS, LABEL, PLAIN, Ink, Line, Mode, fill

_SHORTEST = 6


def draw_progress(
    done: float,
    total: float,
    width: int,
    *,
    unit: str = "steps",
    remaining: float | None = None,
    mode: Mode = "braille",
) -> Line:
    """Return one line of `width` cells: a bar, the share, how much of how much, and the time left where it is known.

    Where the total is not known (0) only the count is shown. Figures are left out from the right where room is short.
    """
    count = f"{whole(done)} {unit}" if total <= 0 else f"{whole(done)} of {whole(total)} {unit}"
    left = f"{duration(remaining)} left" if remaining is not None and math.isfinite(remaining) else ""
    if total <= 0:
        return fill([(count, LABEL)], width)
    share = min(1.0, max(0.0, done / total))
    texts = [f"{math.floor(share * 100)} %", count, left]
    texts = [each for each in texts if each]
    while texts and sum(cell_len(each) + 2 for each in texts) + _SHORTEST > width:
        texts.pop(-2 if len(texts) > 2 else -1)
    room = width - sum(cell_len(each) + 2 for each in texts)
    line: Line = _bar(share, room, mode)
    for each in texts:
        line += [("  ", PLAIN), (each, LABEL)]
    return fill(line, width)


def draw_timeline(index: int, steps: list[int], width: int, *, mode: Mode = "braille") -> Line:
    """Return one line of `width` cells that shows which of the `steps` one looks at, first and last at its ends."""
    if not steps or width <= 0:
        return fill([], width)
    index = min(max(index, 0), len(steps) - 1)
    back, knob, rail, forth = ("<", "o", "-", ">") if mode == "ascii" else ("◂", "●", "─", "▸")
    first, last = f"{back} {whole(steps[0])} ", f" {whole(steps[-1])} {forth}"
    room = width - cell_len(first) - cell_len(last)
    if room < _SHORTEST:
        return fill([(f"step {whole(steps[index])}", LABEL)], width)
    place = round(index / max(1, len(steps) - 1) * (room - 1)) if len(steps) > 1 else room - 1
    rails: Line = [(rail * place, AXIS), (knob, Ink("strong")), (rail * (room - place - 1), AXIS)]
    return fill([(first, LABEL), *rails, (last, LABEL)], width)


def _bar(share: float, width: int, mode: Mode) -> Line:
    full, half, empty = ("=", ">", "-") if mode == "ascii" else ("━", "╸", "─")
    halves = round(share * width * 2)
    done = halves // 2
    edge = half if halves % 2 else ""
    return [(full * done + edge, Ink("series-1")), (empty * (width - done - len(edge)), AXIS)]

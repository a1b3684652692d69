"""Figures in words: durations, dates, progress, headline numbers. One way to write each, everywhere."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from engine.catalog import known
from engine.core.spec import Metric
from tui.render.safe import safe

if TYPE_CHECKING:
    from engine.core.recipe import Recipe
    from engine.core.store import Run
    from engine.core.view import RunView


def duration(seconds: float | None) -> str:
    """Return ``0.4 s``, ``41 s``, ``3 min 20 s``, ``2 h 05 min``; nothing for None."""
    if seconds is None or not math.isfinite(seconds):
        return ""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


COUNTED = ("of ", "units")
"""How the unit of a number of things begins; a whole one has no digits after the point."""


def figure(value: float, unit: str = "") -> str:
    """Return a measured number with as many digits as are worth reading, and its unit."""
    if not math.isfinite(value):
        return str(value)
    if unit == "%":
        return f"{value:.1%}".replace("%", " %")
    if unit.startswith(COUNTED) and value == round(value):
        text = f"{value:,.0f}"
    elif value == 0 or 0.01 <= abs(value) < 1000:
        text = f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
    elif abs(value) >= 1000:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.2e}"
    return f"{text} {unit}".strip()


def count(number: float) -> str:
    """Return ``812``, ``13.4 k``, ``1.2 M``: a count that fits a column."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(number) >= size:
            return f"{number / size:.1f} {letter}"
    return f"{number:,.0f}"


def memory(size: float) -> str:
    """Return bytes as ``640 MB`` or ``1.4 GB``."""
    return (
        f"{size / 1e9:.1f} GB"
        if size >= 1e9
        else f"{max(size / 1e6, 0.1):.0f} MB"
        if size >= 1e6
        else f"{size / 1e3:.0f} kB"
    )


def ago(run: Run, now: float | None = None) -> str:
    """Return how long ago the run was made: ``just now``, ``5 min ago``, ``3 days ago``."""
    seconds = (time.time() if now is None else now) - run.created
    if seconds < 90:
        return "just now"
    for size, word in ((86400, "day"), (3600, "hour"), (60, "min")):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {word}{'s' if number != 1 and word != 'min' else ''} ago"
    return "just now"


def metrics_of(of: str | Recipe) -> tuple[Metric, ...]:
    """Return the headline metrics of a recipe, or of a family by name; none where this version does not know it."""
    found = known(of)
    return found.headline if found else ()


def headline_words(run: Run) -> str:
    """Return the headline figures that a run reached: ``accuracy 98.6 %``."""
    reached = run.headline()
    words = [
        f"{metric.title} {figure(reached[metric.name], metric.unit)}"
        for metric in metrics_of(run.recipe)
        if metric.name in reached
    ]
    return safe(" · ".join(words))


def target_words(family_name: str, preset: str, changes: dict[str, object]) -> str:
    """Return ``mlp / quick · depth 4``: what a run is, for a title."""
    words = [f"{family_name} / {preset}", *(f"{name.replace('_', ' ')} {value}" for name, value in changes.items())]
    return safe(" · ".join(words))


def progress_words(view: RunView) -> str:
    """Return ``step 1,204 of 5,000 · 41 s left`` or the phase before the first step."""
    if not view.step:
        return safe(view.phase) if view.phase != view.state else ""
    words = [f"step {view.step:,}" + (f" of {view.total_steps:,}" if view.total_steps else "")]
    for metric in metrics_of(view.recipe)[:1]:
        series = view.series.get(metric.name)
        if series is not None and len(series):
            words.append(f"{metric.title} {figure(series.last, metric.unit)}")
    if view.state == "running" and view.remaining is not None:
        words.append(f"{duration(view.remaining)} left")
    return safe(" · ".join(words))

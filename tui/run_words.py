"""A run in words: its name on top, its progress, and what has to be said about its state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tui.figures import duration, figure, metrics_of
from tui.render.safe import safe

if TYPE_CHECKING:
    from engine.core.view import RunView
    from tui.services import Services

STATES = {
    "queued": ("◌", "$text-muted"),
    "starting": ("◔", "$secondary"),
    "running": ("●", "$success"),
    "paused": ("‖", "$warning"),
    "stalled": ("●", "$warning"),
    "stopping": ("◑", "$warning"),
    "finished": ("✓", "$success"),
    "stopped": ("■", "$warning"),
    "failed": ("✗", "$error"),
    "lost": ("?", "$error"),
}
"""A sign and a color for each state, so that neither is needed alone."""


def state_content(state: str) -> Content:
    """Return the state as sign and word."""
    sign, color = STATES.get(state, ("?", ""))
    return Content.styled(f"{sign} {'live' if state == 'running' else state}", color)


def crumbs_of(view: RunView, at: int, of: int) -> Content:
    """Return what the run is: family and preset, data, seed, device, and its place in a group."""
    recipe = view.recipe
    parts = [str(recipe.knobs.get("data", "")), f"seed {recipe.seed}", view.started.device if view.started else ""]
    group = f"   run {at + 1} of {of}  [ ]" if of > 1 else ""
    return Content.assemble(
        (" ‹ Runs   ", "$text-muted"),
        (safe(f"{recipe.family} / {recipe.preset}"), "bold"),
        (safe(" · " + " · ".join(part for part in parts if part)), "$text-muted"),
        (group, "$accent"),
    )


def progress_line(view: RunView, width: int) -> Content:
    """Return a bar, the state, the step, the time that is left and the headline figures, as far as they fit."""
    share = view.step / view.total_steps if view.total_steps else 0.0
    cells = max(8, min(36, width // 5))
    full = int(share * cells)
    bar = Content.assemble(("━" * full, "$primary"), ("━" * (cells - full), "$surface-lighten-2"))
    words = [f"step {view.step:,} of {view.total_steps:,}" if view.total_steps else (view.phase or "starting")]
    if view.state == "running" and view.remaining is not None and view.step:
        words.append(f"{duration(view.remaining)} left")
    elif view.elapsed:
        words.append(f"trained {duration(view.elapsed)}")
    for metric in metrics_of(view.recipe.family)[:2]:
        series = view.series.get(metric.name)
        if series is not None and len(series):
            words.append(f"{metric.title} {figure(series.last, metric.unit)}")
    if view.phase and view.phase != "training" and view.state in {"starting", "running"} and view.step:
        words.append(view.phase)
    return Content.assemble(bar, "  ", state_content(view.state), "   ", safe("   ".join(words)))


def banner(view: RunView, services: Services) -> tuple[Content, str] | None:
    """Return what has to be said about the run's state and at which level; None while all is well."""
    if view.state == "finished":
        return _finished(view, services), "success"
    if view.state == "failed":
        what, remedy = (view.failed.what, view.failed.remedy) if view.failed else (view.cause, "")
        return Content.assemble(
            ("This run failed. ", "bold"), safe(f"{what} {remedy} Press r to go on from its last checkpoint.")
        ), "error"
    if view.state == "lost":
        return Content.assemble(
            ("The process that watched over this run is gone. ", "bold"), "Press r to go on from its last checkpoint."
        ), "error"
    if view.state == "stopped":
        return Content.assemble(("Stopped. ", "bold"), safe(view.cause), " Press r to go on where it was."), "info"
    if view.state == "stalled":
        return Content.assemble(
            ("No step for a while. ", "bold"), "It may be waiting for data or memory; the log may say. s stops it."
        ), "warning"
    warnings = [note for note in view.notes if note.level != "info"]
    if warnings:
        return Content(safe(warnings[-1].text)), warnings[-1].level
    return None


def _finished(view: RunView, services: Services) -> Content:
    figures = [
        f"{metric.title} {figure(float(view.finished.headline[metric.name]), '%' if metric.unit == '%' else '')}"
        for metric in metrics_of(view.recipe.family)
        if view.finished and metric.name in view.finished.headline
    ]
    words = Content.assemble(
        ("Finished", "bold"), f" in {duration(view.elapsed)}.  ", (safe("   ".join(figures)), "bold $accent")
    )
    if view.recipe.entry:
        title = safe(services.library.term(view.recipe.entry))
        words = words + Content.assemble("   On the page ", (title, "bold"), " now: enter.")
    return words

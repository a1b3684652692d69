"""A run in words: its name on top, its progress, and what has to be said about its state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.content import Content

from engine.catalog import known
from engine.core.errors import LexigradError
from engine.core.events import real
from tui.figures import ago, count, duration, figure, headline_words, memory, metrics_of, progress_words
from tui.recipes import differences
from tui.render.safe import safe

if TYPE_CHECKING:
    from engine.core.estimate import Estimate
    from engine.core.recipe import Recipe
    from engine.core.store import Run
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
RESUMABLE = frozenset({"stopped", "failed", "lost"})
"""States from which a run can go on."""
WAITING = {"starting": "PyTorch is being loaded", "queued": "waits for the run before it"}
"""What happens before the first step, where the trainer has said nothing yet."""
FIGURES_SHOWN = 2
"""Of a finished run, on the line that says so; the panels have the rest."""


def state_content(state: str) -> Content:
    """Return the state as sign and word."""
    sign, color = STATES.get(state, ("?", ""))
    return Content.styled(f"{sign} {'live' if state == 'running' else state}", color)


def crumbs_of(view: RunView, at: int, of: int) -> Content:
    """Return what the run is: family and preset, data, seed, device, and its place in a group."""
    recipe = view.recipe
    changed = differences(recipe)
    data = "" if "data" in changed else str(recipe.knobs.get("data", ""))
    parts = [data, changed, "" if recipe.seed else "seed 0", view.started.device if view.started else ""]
    group = f"   run {at + 1} of {of}  [ ]" if of > 1 else ""
    return Content.assemble(
        (" ‹ Runs   ", "$text-muted"),
        (safe(f"{recipe.family} / {recipe.preset}"), "bold"),
        (safe(" · " + " · ".join(part for part in parts if part)), "$text-muted"),
        (group, "$accent"),
    )


def progress_line(view: RunView, width: int) -> Content:
    """Return a bar, the state, the step, the time that is left and the headline figures, as far as they fit."""
    share = max(0.0, min(1.0, view.step / view.total_steps)) if view.total_steps else 0.0
    cells = max(8, min(36, width // 5))
    full = int(share * cells)
    bar = Content.assemble(("━" * full, "$primary"), ("━" * (cells - full), "$surface-lighten-2"))
    line = Content.assemble(bar, "  ", state_content(view.state))
    for words in _progress(view):
        longer = Content.assemble(line, "   ", safe(words))
        if longer.cell_length > width:
            break
        line = longer
    return line


def _progress(view: RunView) -> Iterator[str]:
    """Yield what is to be said of a run's progress, what matters most first."""
    if not view.step and view.state in {"starting", "queued"}:
        yield view.phase if view.phase and view.phase != view.state else WAITING.get(view.state, "")
        return
    yield f"step {view.step:,} of {view.total_steps:,}" if view.total_steps else f"step {view.step:,}"
    if view.state == "running" and view.remaining is not None and view.step:
        yield f"{duration(view.remaining)} left"
    elif view.elapsed and view.state != "finished":
        yield f"trained {duration(view.elapsed)}"
    if view.phase and view.phase != "training" and view.state in {"starting", "running"}:
        yield view.phase
    if view.damaged:
        yield f"{view.damaged:,} damaged line{'s' if view.damaged != 1 else ''} skipped"
    for metric in metrics_of(view.recipe)[:2] if view.state != "finished" else ():
        series = view.series.get(metric.name)
        if series is not None and len(series):
            yield f"{metric.title} {figure(series.last, metric.unit)}"


def banner(view: RunView, services: Services) -> tuple[Content, str] | None:
    """Return what has to be said about the run's state and at which level; None while all is well."""
    if view.state == "finished":
        return _finished(view, services), "success"
    if view.state == "failed":
        what, remedy = (view.failed.what, view.failed.remedy) if view.failed else (view.cause, "")
        way_on = "r goes on from its last checkpoint, a" if view.saved else "a"
        return Content.assemble(
            ("This run failed. ", "bold"), safe(f"{what} {remedy} "), (f"{way_on} sets it up again.", "bold")
        ), "error"
    if view.state == "lost":
        way_on = " r goes on from its last checkpoint." if view.saved else ""
        return Content.assemble(("This run is lost. ", "bold"), safe(view.cause), way_on), "error"
    if view.state == "stopped":
        return Content.assemble(("Stopped. ", "bold"), safe(view.cause), " r goes on where it was."), "info"
    if view.state == "stalled":
        return Content.assemble(
            ("No step for a while. ", "bold"), "It may be waiting for data or memory; the log may say. s stops it."
        ), "warning"
    warnings = [note for note in view.notes if note.level != "info"]
    if warnings:
        return Content(safe(warnings[-1].text)), "error" if warnings[-1].level == "error" else "warning"
    return None


def _finished(view: RunView, services: Services) -> Content:
    reached = view.finished.headline if view.finished else {}
    figures = [
        f"{metric.title} {figure(real(reached[metric.name]), metric.unit)}"
        for metric in metrics_of(view.recipe)
        if metric.name in reached
    ][:FIGURES_SHOWN]
    words = Content.assemble(
        ("Finished", "bold"), f" in {duration(view.elapsed)}:  ", (safe("   ".join(figures)), "bold $accent")
    )
    page = page_of(view.recipe)
    if services.is_written(page):
        title = safe(services.library.term(page))
        words = words + Content.assemble(("   enter", "bold"), f": on the page {title}")
    return words


def page_of(recipe: Recipe) -> str:
    """Return the slug of the entry on which the run's figures stand: where it was started, or its family's."""
    found = known(recipe)
    return recipe.entry or (found.entry if found else "")


def about(run: Run, services: Services) -> Content:
    """Return a run in a few lines: what it is and what differs, what it reached, how it ended, its id."""
    try:
        view = services.watch.follow(run.id)
    except LexigradError as error:
        return Content.styled(safe(str(error)), "$error")
    recipe = view.recipe
    title = Content.assemble(
        (safe(run.label.name or f"{recipe.family} / {recipe.preset}"), "bold"),
        (safe(f"   {differences(recipe) or 'as the preset is'}"), ""),
    )
    where = [view.started.device if view.started else "", f"seed {recipe.seed}", run.id]
    lines = [title, Content.styled(safe(headline_words(run) or "nothing measured yet"), "$accent")]
    said = banner(view, services)
    if said is not None and view.state != "finished":
        lines.append(said[0])
    elif view.state == "finished":
        lines.append(Content.styled(f"finished in {duration(view.elapsed)}, begun {ago(run)}", "$text-muted"))
    else:
        lines.append(Content.assemble(state_content(view.state), "  ", (safe(progress_words(view)), "$text-muted")))
    lines.append(Content.styled(safe(" · ".join(part for part in where if part)), "$text-muted"))
    return Content("\n").join(lines)


def cost_lines(cost: Estimate) -> list[Content]:
    """Return what a run will cost: parameters, memory, steps, and the time with where that figure comes from."""
    time_words = f"about {duration(cost.seconds)}, {cost.basis}" if cost.seconds else f"time unknown: {cost.basis}"
    return [
        Content(f"{count(cost.parameters)} parameters"),
        Content(f"{cost.steps:,} steps"),
        Content(f"about {memory(cost.memory)} of memory"),
        Content.styled(time_words, "" if cost.seconds else "$text-muted"),
    ]

"""The join: from an entry to its runs, and from the runs back to the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine.catalog import RunTarget, families, parse_run
from engine.core.errors import LexigradError
from engine.core.launcher import PREVIOUS
from engine.core.recipe import Recipe
from tui.figures import duration, figure, metrics_of
from tui.recipes import latest_finished, recipe_of
from tui.render.safe import safe

if TYPE_CHECKING:
    from glossary.model import Entry
    from tui.app import Lexigrad
    from tui.services import Services


def plan(targets: list[RunTarget], services: Services, *, entry: str = "") -> list[Recipe]:
    """Return the recipes to train one after another.

    A target that starts from another (fine-tuning) uses the newest finished run of that one; where there is none, it
    starts from the run that comes before it in the list. A run that is only there to be started from is left out when
    it exists.
    """
    group = entry if len(targets) > 1 else ""
    starts = {target.start for target in targets if target.start}
    recipes: list[Recipe] = []
    for target in targets:
        if target.name in starts and not target.changes and latest_finished(target.name, services.watch.runs()):
            continue
        start = (latest_finished(target.start, services.watch.runs()) or PREVIOUS) if target.start else ""
        recipes.append(recipe_of(target, start=start, entry=entry, group=group))
    return recipes


def launch(app: Lexigrad, recipes: list[Recipe]) -> bool:
    """Start the runs and open the run screen over what is seen; say what hinders, where something does."""
    services = app.services
    try:
        runs = services.launcher.start_group(recipes) if len(recipes) > 1 else [services.launcher.start(recipes[0])]
    except LexigradError as error:
        app.notify(safe(str(error)), title="The run did not start", severity="error", markup=False)
        return False
    services.watch.rescan()
    app.open_place("run/" + ",".join(run.id for run in runs))
    return True


def launch_entry(app: Lexigrad, entry: Entry) -> None:
    """Start the entry's run, or its group of runs one after another."""
    try:
        recipes = plan([parse_run(text) for text in entry.run], app.services, entry=entry.slug)
    except LexigradError as error:
        app.notify(safe(str(error)), title="This run is still to come", severity="warning", markup=False)
        return
    if launch(app, recipes):
        app.services.keep_setting("continue", f"read/{entry.slug}")


def run_words(entry: Entry) -> str:
    """Return what pressing ``r`` starts: ``Run mlp/quick · 12 s``, or how many runs one after another."""
    try:
        targets = [parse_run(text) for text in entry.run]
    except LexigradError:
        return f"{entry.run[0].split()[0]} is still to come"
    seconds = sum(target.preset.seconds for target in targets)
    what = f"Run {targets[0].name}" if len(targets) == 1 else f"Run {len(targets)} x {targets[-1].name}"
    return f"{what} · {duration(seconds)}" if seconds else what


def own_targets(slug: str) -> list[str]:
    """Return the presets whose runs belong on a page wherever they were started: those of the family it explains."""
    return [
        f"{family.name}/{preset.name}" for family in families() if family.entry == slug for preset in family.presets
    ]


def measured_lines(entry: Entry, services: Services) -> Content:
    """Return the learner's own figures for this page: value, spread, n, date, device; or how to get them."""
    from engine.core.headlines import headlines

    rows = headlines(services.store, entry.slug, own_targets(entry.slug))
    if not rows:
        return Content.styled("Nothing yet. Press r: your own numbers will stand here.", "$text-muted")
    lines: list[Content] = []
    for row in rows[:5]:
        lines.append(Content.styled(safe(row.title), "bold"))
        for metric in metrics_of(row.family):
            if metric.name not in row.figures:
                continue
            mean, spread = row.figures[metric.name]
            text = f"{metric.title} {figure(mean, metric.unit)}"
            if row.n > 1:
                text += f" ± {figure(spread, metric.unit)}"
            lines.append(Content.styled(safe(f"  {text}"), "$accent"))
        lines.append(
            Content.styled(safe(f"  {row.date} · {row.device} · seed {row.seeds} · n = {row.n}"), "$text-muted")
        )
    return Content("\n").join(lines)

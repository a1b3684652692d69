"""The join: from an entry to its runs, and from the runs back to the page."""

from __future__ import annotations

import textwrap
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
    from engine.core.headlines import Headline
    from engine.core.spec import Metric
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


def launch(app: Lexigrad, recipes: list[Recipe], *, instead: bool = False) -> bool:
    """Start the runs and open the run screen over what is seen, or instead of it; say what hinders."""
    services = app.services
    try:
        runs = services.launcher.start_group(recipes) if len(recipes) > 1 else [services.launcher.start(recipes[0])]
    except LexigradError as error:
        app.notify(safe(str(error)), title="The run did not start", severity="error", markup=False)
        return False
    services.watch.rescan()
    if instead:
        app.pop_screen()
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
        return f"{' '.join(entry.run[0].split()[:1]) or 'A run'} is still to come"
    seconds = sum(target.preset.seconds for target in targets)
    what = f"Run {targets[0].name}" if len(targets) == 1 else f"Run {len(targets)} x {targets[-1].name}"
    return f"{what} · {duration(seconds)}" if seconds else what


def own_targets(slug: str) -> list[str]:
    """Return the presets whose runs belong on a page wherever they were started: those of the family it explains."""
    return [
        f"{family.name}/{preset.name}" for family in families() if family.entry == slug for preset in family.presets
    ]


def measured_lines(entry: Entry, services: Services, *, width: int = 0) -> Content:
    """Return the learner's own figures for this page: value, spread, n, date, device; or how to get them.

    Args:
        entry: the page.
        services: the doors to the runs.
        width: columns to break lines at, with what continues set in; 0 puts a recipe into one line.
    """
    from engine.core.headlines import headlines

    rows = headlines(services.store, entry.slug, own_targets(entry.slug))
    if not rows:
        return Content.styled("Nothing yet. Press r: your own numbers will stand here.", "$text-muted")
    if not width:
        return Content("\n").join([_measured_line(row) for row in rows[:3]])
    lines: list[Content] = []
    for row in rows[:5]:
        lines.append(Content.styled(safe(row.title), "bold"))
        for metric in metrics_of(row.family):
            if metric.name not in row.figures:
                continue
            lines.append(Content.styled(_broken(_measured(metric, row), width), "$accent"))
        about = f"{row.date} · {row.device} · seed {row.seeds} · n = {row.n}"
        lines.append(Content.styled(_broken(about, width), "$text-muted"))
    return Content("\n").join(lines)


def _measured(metric: Metric, row: Headline) -> str:
    """Return ``Accuracy 98.6 % ± 0.4 %``; the spread where there are several seeds."""
    mean, spread = row.figures[metric.name]
    if row.n == 1:
        return f"{metric.title} {figure(mean, metric.unit)}"
    unit = metric.unit if metric.unit == "%" else ""
    text = f"{metric.title} {figure(mean, unit)} ± {figure(spread, unit)}"
    return text if unit else f"{text} {metric.unit}".rstrip()


def _measured_line(row: Headline) -> Content:
    """Return a recipe's figures in one line."""
    figures = " · ".join(_measured(metric, row) for metric in metrics_of(row.family)[:1] if metric.name in row.figures)
    return Content.assemble(
        (safe(row.title), "bold"), ("   " + safe(figures), "$accent"), (f"   n = {row.n} · {row.date}", "$text-muted")
    )


def _broken(text: str, width: int) -> str:
    return "\n".join(textwrap.wrap(safe(text), width, initial_indent="  ", subsequent_indent="    "))

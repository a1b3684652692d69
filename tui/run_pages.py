"""Runs as plain text: one page a run, several side by side, their scalars as a table."""

from __future__ import annotations

import csv
import io
import time

from engine.core.events import number
from engine.core.follow import Follower
from engine.core.store import Run
from engine.core.view import RunView
from tui.columns import columns
from tui.figures import duration, figure, memory, metrics_of
from tui.recipes import changes, differences, target_of
from tui.render.safe import one_line, safe
from tui.voices import reached, reached_lines


def page(run: Run) -> list[str]:
    """Return the lines that say all there is to say about one run."""
    view = Follower(run).catch_up()
    return [
        *columns([(name, words) for name, words in _facts(run, view) if words]),
        *_titled("reached", [safe(line) for line in reached_lines(view)]),
        *_titled("knobs (* differs from the preset)", _knob_lines(view)),
        *_titled("notes", [f"  {one_line(note.text)}" for note in view.notes]),
        "",
        f"lexigrad --open run/{run.id}",
    ]


def _facts(run: Run, view: RunView) -> list[tuple[str, str]]:
    recipe, resolved = view.recipe, view.recipe.resolved
    steps = f"{view.step:,} of {view.total_steps:,} steps in {duration(view.elapsed)}" if view.step else ""
    versions = resolved.versions.items() if resolved else ()
    return [
        ("run", run.id),
        ("name", run.label.name),
        ("what", f"{target_of(recipe)}  seed {recipe.seed}  {differences(recipe)}"),
        ("state", view.state + (f": {view.cause}" if view.cause else "")),
        ("what to do", view.failed.remedy if view.failed else ""),
        ("made", time.strftime("%Y-%m-%d %H:%M", time.localtime(run.created))),
        ("trained", steps),
        ("device", view.started.device if view.started else ""),
        ("parameters", f"{view.started.parameters:,}" if view.started else ""),
        ("starts from", ", ".join(each.run for each in recipe.inputs.values())),
        ("page", recipe.entry),
        ("checkpoint", f"step {view.saved.s:,}, {view.saved.path}" if view.saved else ""),
        ("versions", ", ".join(f"{name} {version}" for name, version in versions)),
        ("damaged", f"{view.damaged} lines of its log were skipped" if view.damaged else ""),
        ("folder", f"{run.folder}  ({memory(run.bytes())})"),
    ]


def _knob_lines(view: RunView) -> list[str]:
    """Return every knob with its value, those that differ from the preset marked."""
    changed = changes(view.recipe)
    rows = [("*" if name in changed else " ", name, str(value)) for name, value in view.recipe.knobs.items()]
    return [f" {line}" for line in columns(rows)]


def _titled(title: str, lines: list[str]) -> list[str]:
    return ["", title, *lines] if lines else []


def comparison(runs: list[Run]) -> list[str]:
    """Return the lines of a table: one column a run; the knobs that differ, then what each reached."""
    views = [Follower(run).catch_up() for run in runs]
    rows = [("run", *(_short(run.id) for run in runs)), ("what", *(target_of(view.recipe) for view in views))]
    knobs = [{**view.recipe.knobs, "seed": view.recipe.seed} for view in views]
    for name in dict.fromkeys(name for each in knobs for name in each):
        values = [str(each.get(name, "-")) for each in knobs]
        if len(set(values)) > 1:
            rows.append((name.replace("_", " "), *values))
    rows.append(("state", *(view.state for view in views)))
    rows.append(("steps", *(f"{view.step:,}" for view in views)))
    rows.append(("training time", *(duration(view.elapsed) or "-" for view in views)))
    rows.append(("device", *(view.started.device if view.started else "-" for view in views)))
    metrics = {metric.name: metric for view in views for metric in metrics_of(view.recipe)}
    for metric in metrics.values():
        figures = [reached(view, metric) for view in views]
        if all(value is None for value in figures):
            continue
        rows.append((metric.title, *("-" if value is None else figure(value, metric.unit) for value in figures)))
    return columns(rows)


def _short(run_id: str) -> str:
    """Return the end of an id, by which a run can be named."""
    return run_id.rpartition("-")[2]


def scalars_csv(run: Run) -> str:
    """Return every scalar of a run as CSV: a row a step, a column a metric; NaN and the infinities as words."""
    view = Follower(run).catch_up()
    names = sorted(name for name, series in view.series.items() if len(series))
    rows: dict[int, dict[str, object]] = {}
    for name in names:
        series = view.series[name]
        points = (series.steps, series.times, series.samples, series.values)
        for step, seconds, samples, value in zip(*(each.tolist() for each in points), strict=True):
            row = rows.setdefault(step, {"step": step, "seconds": seconds, "samples": samples})
            row[name] = number(value)
    out = io.StringIO()
    writer = csv.DictWriter(out, ["step", "seconds", "samples", *names], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows[step] for step in sorted(rows))
    return out.getvalue()

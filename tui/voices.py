"""The two ways to tell a run without the app: in plain words, and as its events."""

from __future__ import annotations

import shutil
import sys
import time
from typing import BinaryIO, TextIO

from engine.catalog import known
from engine.core.ending import LOG
from engine.core.events import real
from engine.core.follow import Follower
from engine.core.spec import Metric
from engine.core.store import Run
from engine.core.tail import Tail
from engine.core.view import RunView
from tui.figures import duration, figure, metrics_of, progress_words
from tui.recipes import changes, differences, target_of
from tui.render.safe import one_line, safe

SECONDS_A_LINE = 5.0
"""How often a line is written where a bar cannot be drawn; an evaluation may come earlier, `LEAST_SECONDS` apart."""
LEAST_SECONDS = 1.0
BAR = 24
WIDEST = 160
CHUNK = 1024 * 1024


class PlainVoice:
    """A bar that is drawn over itself on a terminal; lines where the output is a file or a pipe."""

    def __init__(self, run: Run, out: TextIO) -> None:
        self._out = out
        self._follower = Follower(run)
        self._redraws = out.isatty()
        self._drawn = 0
        self._bar = ""
        self._told = 0.0
        self._points = 0
        self._last = ""
        view = self._follower.catch_up()
        self._notes = len(view.notes)
        self._print(heading(view))

    def look(self) -> None:
        """Draw the bar, or write a line when it is time."""
        view = self._follower.catch_up()
        for note in view.notes[self._notes :]:
            self._print(f"{'Note' if note.level == 'info' else note.level.capitalize()}: {one_line(note.text)}")
        self._notes = len(view.notes)
        words = progress_words(view)
        if self._redraws:
            self._draw(f"{bar(view)} {words}")
        elif words != self._last and self._is_time(view):
            self._told, self._last = time.monotonic(), words
            self._print(words)

    def _is_time(self, view: RunView) -> bool:
        """Whether a line is due: after some seconds, or at an evaluation."""
        points = sum(len(view.series.get(metric.name, ())) for metric in metrics_of(view.recipe))
        evaluated, self._points = points > self._points, points
        return time.monotonic() - self._told >= (LEAST_SECONDS if evaluated else SECONDS_A_LINE)

    def stopping(self) -> None:
        """Say what Ctrl+C does."""
        self._print("Stopping at the end of this step, with a checkpoint. Ctrl+C again does not wait for it.")

    def end(self) -> None:
        """Tell what was reached, beside its reference lines, and what to do next."""
        view = self._follower.catch_up()
        for line in summary(view):
            self._print(line)

    def _draw(self, text: str) -> None:
        width = max(20, min(shutil.get_terminal_size().columns, WIDEST)) - 1
        text = text[:width]
        if text == self._bar:
            return
        self._bar = text
        self._out.write("\r" + text + " " * (self._drawn - len(text)))
        self._out.flush()
        self._drawn = len(text)

    def _print(self, text: str) -> None:
        if self._drawn:
            self._out.write("\r" + " " * self._drawn + "\r")
            self._drawn, self._bar = 0, ""
        self._out.write(text + "\n")
        self._out.flush()


class EventVoice:
    """The lines of ``events.jsonl`` as they are, whole ones only, from now on."""

    def __init__(self, run: Run, out: BinaryIO, *, shown: bool = False, begin: int = 0) -> None:
        """Take the run; `shown` where the output is a terminal, `begin` the bytes of the log that are left out."""
        self._out = out
        self._shown = shown
        self._tail = Tail(run.folder, LOG)
        self._skip = begin

    def look(self) -> None:
        """Write what was appended."""
        while self._tail.look()[0]:
            for line in self._tail.read(CHUNK):
                self._skip -= len(line) + 1
                if self._skip < 0:
                    self._write(line)
        self._out.flush()

    def _write(self, line: bytes) -> None:
        if self._shown:
            line = safe(line.decode("utf-8", "replace")).encode()
        self._out.write(line + b"\n")

    def stopping(self) -> None:
        """Say nothing: the events will."""

    def end(self) -> None:
        """Say nothing: the last event has."""


def voice_of(run: Run, *, json: bool, begin: int = 0) -> PlainVoice | EventVoice:
    """Return the voice for standard output; `begin` bytes of the log, those before a resume, are left out of JSON."""
    if json:
        return EventVoice(run, sys.stdout.buffer, shown=sys.stdout.isatty(), begin=begin)
    return PlainVoice(run, sys.stdout)


def log_bytes(run: Run) -> int:
    """Return how long the log of a run is by now."""
    try:
        return (run.folder / LOG).stat().st_size
    except OSError:
        return 0


def heading(view: RunView) -> str:
    """Return what is trained: family, preset, data, what differs, seed and the run's id."""
    recipe = view.recipe
    data = "" if "data" in changes(recipe) else str(recipe.knobs.get("data", ""))
    words = [target_of(recipe), data, differences(recipe), view.id]
    return safe("  ".join(filter(None, words)))


def bar(view: RunView) -> str:
    """Return ``[######......]  50 %``, in characters that every terminal has."""
    share = min(1.0, view.step / view.total_steps) if view.total_steps else 0.0
    full = int(share * BAR)
    return f"[{'#' * full}{'.' * (BAR - full)}] {share:4.0%}"


def summary(view: RunView) -> list[str]:
    """Return the lines that end a run: what it reached, against what, and where it can be seen."""
    if view.state == "finished":
        lines = [f"Finished in {duration(view.elapsed)} of training, {view.step:,} steps."]
    else:
        kept = f"the checkpoint of step {view.saved.s:,} is kept" if view.saved else "no checkpoint was saved"
        lines = [f"Stopped at step {view.step:,} of {view.total_steps:,}; {kept}."]
    lines += [safe(line) for line in reached_lines(view)]
    if view.state != "finished":
        lines.append(f"Go on with it:  lexigrad runs resume {view.id}")
    lines.append(f"In the app:     lexigrad --open run/{view.id}")
    return lines


def reached_lines(view: RunView) -> list[str]:
    """Return one line a headline metric: the figure, and the reference lines beside it."""
    lines = []
    for metric in metrics_of(view.recipe):
        value = reached(view, metric)
        if value is None:
            continue
        beside = [f"{name} {figure(line, metric.unit)}" for name, line in references(view, metric.name)]
        told = f"  ({'; '.join(beside)})" if beside else ""
        lines.append(f"  {metric.title:<24} {figure(value, metric.unit)}{told}")
    return lines


def reached(view: RunView, metric: Metric) -> float | None:
    """Return the figure that a run ended with; None where it has none of that name."""
    if view.finished is not None and metric.name in view.finished.headline:
        return real(view.finished.headline[metric.name])
    series = view.series.get(metric.name)
    return series.last if series is not None and len(series) else None


def references(view: RunView, name: str) -> list[tuple[str, float]]:
    """Return name and value of every line that a metric is measured against: computed on the data, or published."""
    found = {each.name: real(each.value) for each in view.baselines if each.metric == name}
    of = known(view.recipe)
    for panel in of.panels if of else ():
        shown = panel.when is None or str(view.recipe.knobs.get(panel.when[0])) == panel.when[1]
        if name in panel.events and shown:
            found.update({each.name: each.value for each in panel.references})
    return list(found.items())

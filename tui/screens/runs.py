"""Everything trained so far: look again, compare, go on, stop, throw away and take back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.coordinate import Coordinate
from textual.events import Resize
from textual.widget import Widget
from textual.widgets import DataTable, Static

from engine.core.errors import LexigradError
from engine.core.liveness import LIVE
from engine.core.store import Run
from tui.figures import ago, figure, metrics_of
from tui.recipes import again_words, differences, target_from
from tui.render.safe import safe
from tui.run_words import RESUMABLE, STATES, about
from tui.screens.page import Page

COLUMNS = ("", "state", "run", "reached", "what differs", "made")
LONGEST, NARROW_LONGEST = 34, 18
"""Characters of a cell at wide and at narrow screens; what is longer stands whole below the table."""
NO_RUNS = """Nothing has been trained yet.

Press t for the list of families, or open an entry and press r.
A run goes on when the app is closed, and can be opened here any time."""


class RunTable(DataTable[Text]):
    """The table, its keys in the line at the bottom."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Open", id="table.open", tooltip="Open the run, or all that are marked"),
    ]


class RunsScreen(Page):
    """One row a run, the newest first."""

    CSS_PATH = "runs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "x",
            "mark",
            "Mark",
            id="runs.mark",
            tooltip="Mark for a look at several at once; enter opens the marked ones together",
        ),
        Binding("a", "again", "Again", id="runs.again", tooltip="Open the form with this run's knobs, to change some"),
        Binding("r", "resume", "Resume", id="runs.resume", tooltip="Go on from the last checkpoint"),
        Binding("s", "stop", "Stop", id="runs.stop", tooltip="End after this step, with a checkpoint"),
        Binding("t", "train", "Train", id="runs.train", tooltip="Start a run of any family"),
        Binding("d", "delete", "Delete", id="runs.delete", tooltip="Throw the run away; u takes it back"),
        Binding("u", "undo", "Undo", id="runs.undo", tooltip="Take back what was thrown away last"),
        Binding("y", "copy", "Copy id", id="runs.copy", tooltip="Copy the run's id", show=False),
        Binding("j", "cursor(1)", "Down", id="runs.down", show=False),
        Binding("k", "cursor(-1)", "Up", id="runs.up", show=False),
        Binding("g", "edge(0)", "First", id="runs.first", show=False),
        Binding("G", "edge(1)", "Last", id="runs.last", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._marked: list[str] = []
        self._deleted: list[str] = []
        self._shown: list[str] = []

    def crumbs(self) -> str:
        """Return the door."""
        return " ‹ Runs"

    def body(self) -> Iterator[Widget]:
        """The table, or what to do where there is nothing to list."""
        yield RunTable(id="table", cursor_type="row", zebra_stripes=False)
        yield Static("", id="about", markup=False)
        yield Static(NO_RUNS, id="empty", markup=False)

    def on_mount(self) -> None:
        """Make the columns."""
        self.query_one(DataTable).add_columns(*(Text(column) for column in COLUMNS))
        if self.services.ready:
            self.services.watch.rescan()
            self._fill()

    def on_resize(self, event: Resize) -> None:
        """Cut the cells to the width that there is now."""
        if self.services.ready and self._shown:
            self.call_after_refresh(self._fill)

    def refresh_content(self) -> None:
        """List the runs anew."""
        self._fill()

    def runs_changed(self, changed: frozenset[str]) -> None:
        """Update the rows of these runs; list all anew where there are other runs now."""
        runs = {run.id: run for run in self.services.watch.runs()}
        if list(runs) != self._shown:
            self._fill()
            return
        table = self.query_one(DataTable)
        for id in changed & set(runs):
            row = self._shown.index(id)
            for column, cell in enumerate(self._row(runs[id])):
                table.update_cell_at(Coordinate(row, column), cell, update_width=True)

    def _fill(self) -> None:
        table = self.query_one(DataTable)
        kept = table.cursor_row
        runs = self.services.watch.runs()
        self._shown = [run.id for run in runs]
        self._marked = [id for id in self._marked if id in self._shown]
        table.clear()
        for run in runs:
            table.add_row(*self._row(run), key=run.id)
        table.move_cursor(row=min(kept, len(runs) - 1))
        table.display = bool(runs)
        self.query_one("#about").display = bool(runs)
        self.query_one("#empty").display = not runs
        if runs and self.focused is None:
            table.focus()
        self._describe()

    def _row(self, run: Run) -> list[Text]:
        """Return the cells of a run; one that cannot be told, wherever it came from, hides no other."""
        try:
            return self._cells(run)
        except Exception as error:
            return [
                Text(" "),
                Text("✗ unreadable", style=self.app.theme_variables.get("error", "")),
                Text(safe(run.id)),
                Text(""),
                Text(shortened(untold(error))),
                Text(ago(run), style=self.app.theme_variables.get("foreground-muted", "dim")),
            ]

    def _cells(self, run: Run) -> list[Text]:
        recipe, state = run.recipe, run.state()
        sign, color = STATES.get(state, ("?", ""))
        style = self.app.theme_variables.get(color.lstrip("$"), "")
        muted = self.app.theme_variables.get("foreground-muted", "dim")
        longest = NARROW_LONGEST if self.has_class("-narrow") else LONGEST
        return [
            Text("◆" if run.id in self._marked else " ", style=self.app.theme_variables.get("accent", "")),
            Text(f"{sign} {'live' if state == 'running' else state}", style=style),
            Text(safe(run.label.name or f"{recipe.family} / {recipe.preset}"), style="bold"),
            Text(first_figure(run, longest) if state not in LIVE or state == "running" else ""),
            Text(shortened(differences(recipe), longest)),
            Text(ago(run), style=muted),
        ]

    @on(DataTable.RowHighlighted)
    def _describe(self) -> None:
        """Say below the table what does not fit into a row."""
        run = self._current()
        if run is not None:
            try:
                words = about(run, self.services)
            except Exception as error:
                words = Content(untold(error))
            self.query_one("#about", Static).update(words)
        self.refresh_bindings()

    # Keys

    def applies(self, action: str) -> bool:
        """What can be done depends on the run with the cursor."""
        run = self._current()
        if action == "undo":
            return bool(self._deleted)
        if action == "train":
            return not self._shown
        if action in {"select_cursor", "mark", "again", "resume", "stop", "delete"} and run is None:
            return False
        if action == "stop":
            return run is not None and run.state() in LIVE
        if action == "resume":
            return run is not None and run.state() in RESUMABLE
        return super().applies(action)

    def action_train(self) -> None:
        """Open the list of families."""
        self.lexigrad.open_place("train")

    def _current(self) -> Run | None:
        row = self.query_one(DataTable).cursor_row
        if not 0 <= row < len(self._shown):
            return None
        try:
            return self.services.store.open(self._shown[row])
        except LexigradError:
            return None

    def _try(self, act: Callable[[Run], object]) -> None:
        """Do something with the run under the cursor; say what hinders."""
        run = self._current()
        if run is None:
            return
        try:
            act(run)
        except LexigradError as error:
            self.notify(safe(str(error)), severity="warning", markup=False)
        self.services.watch.rescan()
        self._fill()

    @on(DataTable.RowSelected)
    def _open(self) -> None:
        run = self._current()
        ids = self._marked or ([run.id] if run else [])
        if ids:
            self.lexigrad.open_place("run/" + ",".join(ids))

    def action_mark(self) -> None:
        """Mark the run, or take the mark away."""
        run = self._current()
        if run is not None:
            self._marked = (
                [id for id in self._marked if id != run.id] if run.id in self._marked else [*self._marked, run.id]
            )
            self._fill()
            self.action_cursor(1)

    def action_resume(self) -> None:
        """Go on with the run."""
        self._try(self.services.launcher.resume)

    def action_again(self) -> None:
        """Open the form with the run's knobs."""
        from tui.screens.launch import LaunchScreen

        run = self._current()
        if run is None:
            return
        try:
            target = target_from(run.recipe)
        except LexigradError as error:
            self.notify(safe(str(error)), severity="warning", markup=False)
            return
        if target is not None:
            self.app.push_screen(LaunchScreen(target))
        else:
            self.notify(safe(again_words(run)), markup=False)

    def action_stop(self) -> None:
        """End the run."""
        self._try(self.services.launcher.stop)

    def action_delete(self) -> None:
        """Throw the run away."""

        def delete(run: Run) -> None:
            self.services.store.delete(run.id)
            self._deleted.append(run.id)
            self.notify("Thrown away; u takes it back.", markup=False)

        self._try(delete)

    def action_undo(self) -> None:
        """Take back the run that was thrown away last."""
        if not self._deleted:
            self.notify("Nothing was thrown away since this list was opened.", markup=False)
            return
        try:
            self.services.store.restore(self._deleted.pop())
        except LexigradError as error:
            self.notify(safe(str(error)), severity="error", markup=False)
        self.services.watch.rescan()
        self._fill()

    def action_copy(self) -> None:
        """Copy the id."""
        run = self._current()
        if run is not None:
            self.app.copy_to_clipboard(run.id)
            self.notify("The id is on the clipboard.", markup=False)

    def action_cursor(self, by: int) -> None:
        """Move the cursor."""
        table = self.query_one(DataTable)
        table.move_cursor(row=table.cursor_row + by)

    def action_edge(self, last: int) -> None:
        """Go to the first or the last run."""
        self.query_one(DataTable).move_cursor(row=len(self._shown) - 1 if last else 0)


def first_figure(run: Run, longest: int) -> str:
    """Return a run's first headline figure with as much of its name as a cell takes; the figure stays whole."""
    reached = run.headline()
    for metric in metrics_of(run.recipe):
        if metric.name in reached:
            told = figure(reached[metric.name], "%" if metric.unit == "%" else "")
            return safe(f"{shortened(metric.title, max(4, longest - len(told) - 1))} {told}")
    return ""


def untold(error: Exception) -> str:
    """Return why a run cannot be told of."""
    return safe(error.what if isinstance(error, LexigradError) else f"{type(error).__name__}: {error}")


def shortened(words: str, longest: int = LONGEST) -> str:
    """Return what of a text fits a cell."""
    return words if len(words) <= longest else words[: longest - 1] + "…"

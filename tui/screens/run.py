"""A run, live or long finished: its panels, how far it is, and what one can do with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.content import Content
from textual.events import Resize
from textual.widget import Widget
from textual.widgets import Static

from engine.catalog import known
from engine.core.control import Checkpoint, Command, Pause, Resume, SetKnob, StepOnce
from engine.core.errors import LexigradError
from engine.core.liveness import LIVE
from engine.core.spec import Family, Panel
from engine.core.stepping import SENTENCE
from engine.core.store import Run
from tui.recipes import again_words, target_from
from tui.render.safe import safe
from tui.run_words import RESUMABLE, banner, crumbs_of, page_of, progress_line
from tui.screens.page import Page
from tui.widgets.panel import PanelWidget
from tui.widgets.panels import make_panel
from tui.widgets.topbar import TopBar

if TYPE_CHECKING:
    from engine.core.view import RunView

COMMON = (
    Panel(events=(), kind="hardware", title="Hardware", entry="gpu-and-vram"),
    Panel(events=(), kind="log", title="Log"),
)
"""What every run shows beside the panels of its family."""
LEAST_ROWS = 9
"""Rows below which a panel in a grid of several columns is not made; the grid scrolls instead."""
LEAD_SPAN = 2
"""Rows and columns that the first panel takes, the one that matters most."""
LEAD_COLUMNS = 3
"""Columns from which on it does."""
AWAITED = 4
"""How many panels are shown before the run has anything for them."""
ONE_COLUMN_ROWS = 14
"""Rows of a panel where they stand below one another."""


class RunScreen(Page):
    """One run, or a group of which one is looked at and the others are drawn beside it."""

    CSS_PATH = "run.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "Pause", id="run.pause", tooltip="Pause at the end of this step, or go on"),
        Binding("s", "stop", "Stop", id="run.stop", tooltip="Stop at the end of this step, with a checkpoint"),
        Binding("r", "resume", "Resume", id="run.resume", tooltip="Go on from the last checkpoint"),
        Binding("full_stop", "step", "Step", id="run.step", tooltip="One step, then pause"),
        Binding("e", "knobs", "Knobs", id="run.knobs", tooltip="Turn a knob while it trains"),
        Binding("a", "again", "Again", id="run.again", tooltip="Open the form with this run's knobs, to change some"),
        Binding("z", "zoom", "Zoom", id="run.zoom", tooltip="The panel with the cursor, alone"),
        Binding("t", "through", "Step through", id="run.through", tooltip="What it did, one step at a time, by hand"),
        Binding("c", "code", "Code", id="run.code", tooltip="The files that train this very run"),
        Binding("ctrl+s", "checkpoint", "Save", id="run.checkpoint", tooltip="Write a checkpoint now", show=False),
        Binding("enter", "page", "Its page", id="run.page", tooltip="The entry that this run belongs to"),
        Binding(
            "left_square_bracket",
            "turn(-1)",
            "Previous run",
            id="run.previous",
            tooltip="The run before, of this group",
            show=False,
        ),
        Binding(
            "right_square_bracket",
            "turn(1)",
            "Next run",
            id="run.next",
            tooltip="The next run of this group",
            show=False,
        ),
    ]

    def __init__(self, ids: list[str]) -> None:
        """Show the run `ids[0]`; further ids are the group that it belongs to."""
        super().__init__()
        self._ids = ids
        self._at = 0
        self._by_hand = False
        self._built_for = ""
        self._panels: list[PanelWidget] = []
        self._arrangement: tuple[object, ...] = ()
        self._said: tuple[str, str] = ("", "")
        self._state = ""
        self.says: dict[str, str] = {}
        """What a key is called while it does something other than usual."""

    @property
    def id_shown(self) -> str:
        """The run that is looked at."""
        return self._ids[self._at]

    def crumbs(self) -> str:
        """Return the door; the run's name follows."""
        return " ‹ Runs"

    def body(self) -> Iterator[Widget]:
        """Progress, a banner for what has to be said, the panels."""
        yield Horizontal(Static("", id="progress", markup=False), id="top")
        yield Static("", id="banner", markup=False)
        yield Container(id="panels")

    def on_resize(self, event: Resize) -> None:
        """Lay the panels out anew."""
        view = self._view() if self.services.ready and self._built_for else None
        if view is not None:
            self.call_after_refresh(self._arrange, view)

    def on_mount(self) -> None:
        """Follow the run from now on."""
        if self.services.ready and self.whole:
            self.refresh_content()

    def refresh_content(self) -> None:
        """Show the run as it is."""
        self._show()

    def runs_changed(self, changed: frozenset[str]) -> None:
        """Redraw where this run, or one of its group, changed."""
        if changed & set(self._ids):
            self._follow_group()
            self._show()

    def _view(self) -> RunView | None:
        try:
            return self.services.watch.follow(self.id_shown)
        except LexigradError as error:
            self._say(Content(safe(str(error))), "error")
            return None

    def _follow_group(self) -> None:
        """Look at the run of the group that trains now, until a person chose one."""
        if self._by_hand or len(self._ids) == 1:
            return
        live = set(self.services.watch.live())
        for view in self.services.watch.views(id for id in self._ids if id in live):
            if view.state != "queued":
                self._at = self._ids.index(view.id)
                return

    def _show(self) -> None:
        view = self._view()
        if view is None:
            return
        self.query_one(TopBar).set_crumbs(crumbs_of(view, self._at, len(self._ids)))
        self.query_one(TopBar).refresh_status(self.services)
        self.query_one("#progress", Static).update(progress_line(view, self.size.width - 2), layout=False)
        if view.state != self._state:
            self._state = view.state
            self.says = {"pause": "Go on"} if view.state == "paused" else {}
            self.refresh_bindings()
        said = banner(view, self.services)
        if said is None:
            self.query_one("#banner").display = False
        else:
            self._say(*said)
        if self._built_for != view.recipe.family:
            self._built_for = view.recipe.family
            self.run_worker(self._build(view), exclusive=True)
        else:
            self._draw(view)

    def _say(self, words: Content, level: str) -> None:
        shown = self.query_one("#banner", Static)
        if shown.display and self._said == (words.markup, level):
            return
        self._said = (words.markup, level)
        shown.display = True
        shown.set_classes(level)
        shown.update(words)

    async def _build(self, view: RunView) -> None:
        """Make the panels that the run's family declares."""
        of = known(view.recipe)
        declared = of.panels if of else ()
        kinds = {panel.kind for panel in declared}
        common = [panel for panel in COMMON if panel.kind not in kinds]
        grid = self.query_one("#panels", Container)
        await grid.remove_children()
        self._panels = [make_panel(panel) for panel in (*declared, *common) if wanted(panel, view)]
        await grid.mount_all(self._panels)
        if self._panels:
            self._panels[0].focus()
        self._draw(view)

    def _arrange(self, view: RunView) -> None:
        """Show the panels that have something to show, in a grid without holes, the first panel the widest."""
        for index, widget in enumerate(self._panels):
            widget.set_class(not (has_news(widget.panel, view) or awaited(index, view)), "silent")
        shown = [widget for widget in self._panels if not widget.has_class("silent")]
        # Setting a span lays the whole screen out, so it is done only when something about the grid is different.
        arrangement = (self._built_for, self.query_one("#panels").size, tuple(map(id, shown)))
        if not shown or self.query_one("#panels").has_class("zoomed") or arrangement == self._arrangement:
            return
        self._arrangement = arrangement
        columns = columns_for(self.size.width, len(shown))
        lead = LEAD_SPAN if columns >= LEAD_COLUMNS else 1
        cells = len(shown) - 1 + lead * lead
        rows = -(-cells // columns)
        grid = self.query_one("#panels")
        fits = columns > 1 and rows * LEAST_ROWS <= grid.size.height
        grid.styles.grid_size_columns = columns
        grid.styles.grid_rows = "1fr" if fits else str(LEAST_ROWS if columns > 1 else ONE_COLUMN_ROWS)
        for widget in shown:
            widget.styles.column_span = widget.styles.row_span = 1
        shown[-1].styles.column_span = 1 + rows * columns - cells
        shown[0].styles.column_span = shown[0].styles.row_span = lead

    def _draw(self, view: RunView) -> None:
        self._arrange(view)
        others = self.services.watch.views(id for index, id in enumerate(self._ids) if index != self._at)
        with self.app.batch_update():
            for widget in self._panels:
                widget.show(view, others)

    # Keys

    def applies(self, action: str) -> bool:
        """A run that has ended cannot be paused, one that goes on not be resumed."""
        if action in {"pause", "stop", "step", "knobs"}:
            return self._state in LIVE
        if action == "resume":
            view = self._view()
            return self._state in RESUMABLE and view is not None and view.saved is not None
        if action == "through":
            view = self._view()
            return view is not None and SENTENCE in view.latest
        if action == "page":
            view = self._view()
            written = view is not None and self.services.is_written(page_of(view.recipe))
            return self._state == "finished" and written
        return super().applies(action)

    def _send(self, command: Command) -> None:
        try:
            self.services.launcher.send(self.services.store.open(self.id_shown), command)
        except LexigradError as error:
            self.notify(safe(str(error)), severity="error", markup=False)

    def action_pause(self) -> None:
        """Pause, or go on."""
        view = self._view()
        if view is None or view.state not in LIVE:
            self.notify("This run has ended; r goes on from its last checkpoint.", markup=False)
            return
        self._send(Resume() if view.state == "paused" else Pause())

    def action_step(self) -> None:
        """Make one step and pause again."""
        if self._state in LIVE:
            self._send(StepOnce())

    def action_checkpoint(self) -> None:
        """Write a checkpoint at the end of this step."""
        if self._state in LIVE:
            self._send(Checkpoint())

    def action_stop(self) -> None:
        """Ask the trainer to end after this step."""
        if self._state not in LIVE:
            self.notify("This run has ended already.", markup=False)
            return
        try:
            self.services.launcher.stop(self.services.store.open(self.id_shown))
        except LexigradError as error:
            self.notify(safe(str(error)), severity="error", markup=False)

    def action_resume(self) -> None:
        """Start the run again where its last checkpoint stands."""
        try:
            self.services.launcher.resume(self.services.store.open(self.id_shown))
        except LexigradError as error:
            self.notify(safe(str(error)), severity="warning", markup=False)
        self.services.watch.rescan()
        self._show()

    def action_knobs(self) -> None:
        """Turn a knob that may be turned while the run is live."""
        from tui.screens.knobs import KnobScreen

        view = self._view()
        if view is None or not isinstance(known(view.recipe), Family):
            return
        if view.state not in LIVE:
            self.notify("This run has ended: its knobs are fixed.", markup=False)
            return
        self.app.push_screen(
            KnobScreen(view), lambda turn: self._send(SetKnob(name=turn[0], value=turn[1])) if turn else None
        )

    def action_again(self) -> None:
        """Open the form with this run's knobs."""
        from tui.screens.launch import LaunchScreen

        view = self._view()
        if view is None:
            return
        target = target_from(view.recipe)
        if target is not None:
            self.app.push_screen(LaunchScreen(target))
        else:
            self.notify(safe(again_words(Run(view.folder))), markup=False)

    def action_zoom(self) -> None:
        """Show the focused panel alone, or all of them again."""
        grid = self.query_one("#panels")
        focused = self.focused
        panel = focused if isinstance(focused, PanelWidget) else None
        if grid.has_class("zoomed") or panel is None:
            grid.remove_class("zoomed")
            self.query(PanelWidget).remove_class("alone")
            return
        grid.add_class("zoomed")
        panel.add_class("alone")
        title = panel.panel.title
        self.services.remember(lambda record: record.note_opened(f"panel:{title}"))

    def action_through(self) -> None:
        """Go through what the run drew, one step at a time."""
        self.lexigrad.open_place(f"steps/{self.id_shown}")

    def action_code(self) -> None:
        """Show the files as they were when the run began."""
        from tui.screens.code import CodeScreen, code_of

        view = self._view()
        if view is None:
            return
        root, addresses = code_of(view)
        if addresses:
            self.app.push_screen(CodeScreen([root / address for address in addresses], folder=root))
        else:
            self.notify("This run kept no code.", markup=False)

    def action_page(self) -> None:
        """Open the entry from whose page the run was started, or its family's."""
        view = self._view()
        slug = page_of(view.recipe) if view is not None else ""
        if slug:
            self.lexigrad.open_place(f"read/{slug}")

    def action_turn(self, by: int) -> None:
        """Look at another run of the group."""
        if len(self._ids) > 1:
            self._by_hand = True
            self._at = (self._at + by) % len(self._ids)
            self._show()

    def action_back(self) -> None:
        """Leave the zoom first, then the run; it goes on."""
        if self.query_one("#panels").has_class("zoomed"):
            self.action_zoom()
        else:
            super().action_back()


def wanted(panel: Panel, view: RunView) -> bool:
    """Whether the run's knobs call for the panel."""
    if panel.when is None:
        return True
    name, value = panel.when
    return str(view.recipe.knobs.get(name)) == value


def has_news(panel: Panel, view: RunView) -> bool:
    """Whether the panel has something to show; a log that stayed empty has not."""
    if panel.kind == "log" and view.state == "finished":
        log = view.folder / "log.txt"
        return bool(view.notes) or (log.is_file() and log.stat().st_size > 0)
    return not panel.events or any(name in view.series or name in view.latest for name in panel.events)


def awaited(index: int, view: RunView) -> bool:
    """Whether an empty panel is shown: the first few are, until the run has drawn; it draws all it can at its start."""
    return index < AWAITED and not (view.latest and view.series)


def columns_for(width: int, panels: int) -> int:
    """Return in how many columns panels stand at a width in cells."""
    if width < 100:
        return 1
    return min(panels, 4 if width >= 170 else 3)

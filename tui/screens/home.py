"""The home screen: what to go on with, the four doors, what runs now and what was measured lately."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList

from engine.core.errors import RunError
from engine.core.store import Run
from tui.figures import ago, headline_words, progress_words
from tui.recipes import differences
from tui.render.safe import one_line, safe
from tui.run_words import state_content
from tui.screens.page import Page
from tui.widgets.menu import Menu

if TYPE_CHECKING:
    from engine.core.view import RunView
    from glossary.model import Entry

DOORS = {
    "continue": "⏎",
    "read": "r",
    "learn": "l",
    "train": "t",
    "labs": "m",
    "runs": "u",
}
FIRST_WALK = "your-first-neural-network"
SHOWN = 6
"""How many live runs, finished runs and pages to read next the home screen names."""
FIRST_RUN = "mlp/quick"
"""What the home screen proposes to train while nothing was trained."""
MOST_SENTENCES = 4
LONGEST_SENTENCE = 300
"""How many troubles are told at once, and how many characters of each."""


class HomeScreen(Page):
    """Where the app opens."""

    CSS_PATH = "home.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "door('read')", "Read", id="home.read", tooltip="The glossary"),
        Binding("l", "door('learn')", "Learn", id="home.learn", tooltip="Guided walkthroughs"),
        Binding("t", "door('train')", "Train", id="home.train", tooltip="Start a run of any family"),
        Binding("m", "door('labs')", "Measure", id="home.labs", tooltip="Labs: ask, predict, measure"),
        Binding("u", "door('runs')", "Runs", id="home.runs", tooltip="Everything trained so far"),
        Binding("q", "app.quit", "Quit", id="home.quit", tooltip="Leave; runs go on"),
    ]

    _wanted = ""
    """The door that was opened before there was anything behind it; it opens as soon as there is."""

    def crumbs(self) -> str:
        """Return the name and the claim."""
        return " Lexigrad  the glossary that runs"

    def body(self) -> Iterator[Widget]:
        """Doors at the left; live and measured at the right."""
        yield Horizontal(
            Vertical(Menu(id="doors"), Menu(id="next", classes="card", opens="Read", spaced=True), id="ways"),
            Vertical(
                Menu(id="live", classes="card", opens="Watch"),
                Menu(id="measured", classes="card", opens="Look"),
                id="news",
            ),
            id="home",
        )

    def on_mount(self) -> None:
        """Paint the doors at once; their counts come with the library."""
        self.query_one("#live").border_title = "Live"
        self.query_one("#measured").border_title = "You measured lately"
        self.query_one("#next").border_title = "Read next"
        self.query_one("#doors", Menu).fill(self._doors())
        self.query_one("#doors").focus()

    def refresh_content(self) -> None:
        """Fill in counts, what to read next, live runs and latest figures."""
        self.query_one("#doors", Menu).fill(self._doors())
        self.query_one("#next", Menu).fill(self._next_lines())
        self._show_runs()
        self._tell_troubles()
        if self._wanted:
            self.call_after_refresh(self.action_door, self._wanted)

    def runs_changed(self, changed: frozenset[str]) -> None:
        """Show the news of the runs."""
        self._show_runs()
        self.query_one("#doors", Menu).fill(self._doors())

    def _tell_troubles(self) -> None:
        """Show the sentences that wait, the first few of many."""
        troubles = [one_line(trouble, LONGEST_SENTENCE) for trouble in self.services.troubles]
        self.services.troubles.clear()
        if len(troubles) > MOST_SENTENCES:
            more = f"{len(troubles) - MOST_SENTENCES + 1} more such sentences; `lexigrad check` lists bad files."
            troubles[MOST_SENTENCES - 1 :] = [more]
        for trouble in troubles:
            self.notify(trouble, severity="warning", markup=False, timeout=12)

    # What it says

    def _doors(self) -> list[tuple[str, Content]]:
        counts = self._counts()
        lines: list[tuple[str, Content]] = []
        for door, key in DOORS.items():
            text = Content.assemble(
                (f" {key}  ", "$accent"), (f"{self._called(door):<10}", "bold"), (counts.get(door, ""), "$text-muted")
            )
            lines.append((door, text))
        return lines

    def _called(self, door: str) -> str:
        """Return a door's name; who has done nothing yet does not go on, but begins."""
        new = door == "continue" and not self.services.setting("continue", "")
        return "Begin" if new else door.capitalize()

    def _counts(self) -> dict[str, str]:
        services = self.services
        if not services.ready:
            return {"continue": "opening the glossary ..."}
        library = services.library
        read = services.record.read()
        runs = services.watch.runs()
        live = len(services.watch.live())
        from engine.catalog import families

        walks = services.walkthroughs
        finished = sum(
            1 for name, walk in walks.items() if len(services.record.finished_steps(name)) >= len(walk.steps)
        )
        return {
            "continue": self._continue_words(),
            "read": f"{len(library.entries)} entries, {len(read)} read",
            "learn": f"{len(walks)} walkthrough{'s' if len(walks) != 1 else ''}, {finished} finished",
            "train": f"{len(families())} families, {sum(len(family.presets) for family in families())} presets",
            "labs": self._lab_words(),
            "runs": f"{len(runs)} so far" + (f", {live} live" if live else "") if runs else "none yet",
        }

    def _lab_words(self) -> str:
        from engine.catalog import LABS

        measured = sum(1 for name in LABS if self.services.experiments.latest(name) is not None)
        return f"{len(LABS)} question{'s' if len(LABS) != 1 else ''}, {measured} measured by you"

    def _continue_place(self) -> str:
        return self.services.setting("continue", f"walk/{FIRST_WALK}")

    def _continue_words(self) -> str:
        place = self._continue_place()
        door, _, rest = place.partition("/")
        walks = self.services.walkthroughs
        if door == "walk" and rest in walks:
            walk = walks[rest]
            done = len(self.services.record.finished_steps(rest))
            return safe(f"{walk.title} · step {min(done + 1, len(walk.steps))} of {len(walk.steps)}")
        entry = self.services.library.entries.get(rest)
        return safe(entry.title) if entry else "Your first neural network"

    def _next_lines(self) -> list[tuple[str, Content]]:
        """What is not read yet: first what one is ready for, then what waits for the fewest others."""
        library, read = self.services.library, self.services.record.read()
        entries = library.entries
        open_entries = [entry for slug, entry in entries.items() if slug not in read]
        waits = {
            entry.slug: [need for need in entry.needs if need not in read and need in entries] for entry in open_entries
        }
        order = sorted(
            open_entries, key=lambda each: (len(waits[each.slug]), len(library.path_to(each.slug)), each.level)
        )
        return [self._next_line(entry, waits[entry.slug]) for entry in order[:SHOWN]]

    def _next_line(self, entry: Entry, waits: list[str]) -> tuple[str, Content]:
        after = "   after " + " and ".join(self.services.library.term(need) for need in waits) if waits else ""
        return entry.slug, Content.assemble(
            (safe(entry.title), "" if waits else "bold"),
            (safe(after), "$text-disabled"),
            "\n",
            (safe(entry.one_line), "$text-muted"),
        )

    def _show_runs(self) -> None:
        watch = self.services.watch
        live = [self._live_line(view) for view in watch.views(watch.live()[:SHOWN])]
        empty = Content.styled("Nothing trains right now.", "$text-muted")
        self.query_one("#live", Menu).fill(live or [("none", empty, True)])
        finished = [run for run in watch.runs() if run.state() == "finished"]
        shown = []
        for run in finished[: SHOWN * 2]:
            # The folder may have gone since the list was made.
            with suppress(RunError):
                shown.append(self._measured_line(run))
        self.query_one("#measured", Menu).fill(shown or list(nothing_measured()))

    def _live_line(self, view: RunView) -> tuple[str, Content]:
        name = safe(f"{view.recipe.family} / {view.recipe.preset}")
        return view.id, Content.assemble(
            (name, "bold"),
            (f"   {safe(differences(view.recipe))}", "$text-muted"),
            "\n  ",
            state_content(view.state),
            (f"  {progress_words(view)}", "$text-muted"),
        )

    def _measured_line(self, run: Run) -> tuple[str, Content]:
        name = safe(run.label.name or f"{run.recipe.family} / {run.recipe.preset}")
        figures = headline_words(run).partition(" · ")[0]
        return run.id, Content.assemble(
            (name, "bold"),
            (f"   {safe(differences(run.recipe))}", "$text-muted"),
            "\n  ",
            (figures, "$accent"),
            (f"   {ago(run)}", "$text-muted"),
        )

    # What one does

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        id = event.option.id or ""
        if event.option_list.id == "doors":
            self.action_door(id)
        elif event.option_list.id == "next":
            self.lexigrad.open_place(f"read/{id}")
        elif id.startswith("train/"):
            self.lexigrad.open_place(id)
        else:
            self.lexigrad.open_place(f"run/{id}")

    def action_door(self, door: str) -> None:
        """Go through one of the doors."""
        if not self.services.ready:
            self._wanted = door
            return
        self._wanted = ""
        self.lexigrad.open_place(self._continue_place() if door == "continue" else door)

    def applies(self, action: str) -> bool:
        """There is no way out of home but to quit, and nothing here has an entry of its own."""
        return action not in {"back", "explain"}

    def action_back(self) -> None:
        """Home is where every way out ends."""


def nothing_measured() -> Iterator[tuple[str, Content] | tuple[str, Content, bool]]:
    """Yield what stands where the figures will: what they will be, and a first run to get one."""
    yield (
        "none",
        Content.styled(
            "What your runs reach will stand here,\nand on the pages that it belongs to.\n",
            "$text-muted",
        ),
        True,
    )
    yield (
        f"train/{FIRST_RUN}",
        Content.assemble(("▸ ", "$accent"), ("Train a first network", "bold"), (f"   {FIRST_RUN}", "$text-muted")),
    )

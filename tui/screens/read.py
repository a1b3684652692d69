"""The reader: the library at the left, the page in the middle, at the right what one can do with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Resize
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static

from engine.catalog import LABS
from engine.core.errors import UsageError
from tui.findings import claim_lines
from tui.join import launch_entry, measured_lines, own_targets, run_words
from tui.reading import library_lines, reader_crumbs, related_lines
from tui.render.safe import one_line, safe
from tui.screens.page import Page
from tui.widgets.entry_view import EntryView
from tui.widgets.menu import Menu
from tui.widgets.topbar import TopBar

if TYPE_CHECKING:
    from glossary.model import Entry


AROUND = 3
"""Columns beside the measured figures that are not theirs."""


class ReadScreen(Page):
    """One entry and its surroundings. Back and forward go through what was read."""

    CSS_PATH = "read.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "run", "Run", id="read.run", tooltip="Start this concept's training run now"),
        Binding("R", "form", "Set up", id="read.form", tooltip="Look at the knobs before the run starts", show=False),
        Binding("m", "measure", "Measure", id="read.measure", tooltip="The lab that measures what this page claims"),
        Binding("c", "code", "Code", id="read.code", tooltip="The code behind this page"),
        Binding("o", "outline", "Outline", id="read.outline", tooltip="Jump to a heading of this page"),
        Binding(
            "b",
            "bookmark",
            "Bookmark",
            id="read.bookmark",
            tooltip="Keep this page in the list of bookmarks",
            show=False,
        ),
        Binding("f", "filter", "Filter", id="read.filter", tooltip="Filter the list of entries"),
        Binding(
            "backspace,left_square_bracket",
            "previous",
            "Previous",
            id="read.previous",
            tooltip="The page before this one",
            show=False,
        ),
        Binding("right_square_bracket", "next", "Next", id="read.next", tooltip="Forward again", show=False),
        Binding("y", "copy", "Copy", id="read.copy", tooltip="Copy this page as Markdown", show=False),
    ]

    def __init__(self, slug: str = "", heading: str = "") -> None:
        """Open on the entry `slug` (where one left, or the first of the course, where it is empty)."""
        super().__init__()
        self._slug = slug
        self._heading = heading
        self._past: list[str] = []
        self._future: list[str] = []

    def crumbs(self) -> str:
        """Return the door."""
        return " ‹ Read"

    def body(self) -> Iterator[Widget]:
        """Library, page, what one can do."""
        yield Horizontal(
            Vertical(Input(placeholder="filter", id="filter"), Menu(id="entries"), id="library"),
            EntryView(id="page"),
            Vertical(
                Menu(id="actions", opens="Do"),
                Static("", id="facts", markup=False),
                Menu(id="related", spaced=True),
                id="side",
            ),
            id="reader",
        )

    def on_mount(self) -> None:
        """Fill everything, where the library is there already."""
        self.query_one("#related").border_title = "Related"
        self.query_one("#actions").border_title = "Do"
        self.query_one(EntryView).focus()
        if self.services.ready:
            self._open(self._slug, self._heading)

    def on_resize(self, event: Resize) -> None:
        """Write the figures for the width that there is now."""
        if self.services.ready and self.whole:
            self.call_after_refresh(self._fill_side)

    def refresh_content(self) -> None:
        """Show what changed elsewhere: figures, what was read."""
        if not self.query_one(EntryView).slug:
            self._open(self._slug, self._heading)
        self._fill_list()
        self._fill_side()

    def runs_changed(self, changed: frozenset[str]) -> None:
        """A run may have ended: its figures belong on this page."""
        if any(self.services.watch.state(id) == "finished" for id in changed):
            self._fill_side()

    # The entry

    @property
    def entry(self) -> Entry | None:
        """The entry that is open."""
        return self.services.library.entries.get(self._slug)

    def _open(self, slug: str, heading: str = "") -> None:
        library = self.services.library
        if slug not in library.entries:
            slug = "deep-learning" if "deep-learning" in library.entries else next(iter(library.entries), "")
        entry = library.entries.get(slug)
        if entry is None:
            return
        self._slug = slug
        self.services.keep_setting("last entry", slug)
        self.services.remember(lambda record: record.note_opened(f"entry:{slug}"))
        self.query_one(EntryView).show(entry, library)
        if heading:
            self.query_one(EntryView).go_to(heading)
        self.query_one(TopBar).set_crumbs(reader_crumbs(entry, library, self.services.record.read()))
        self._fill_list()
        self._fill_side()

    def go(self, slug: str, heading: str = "") -> None:
        """Open another entry; the way back leads here."""
        if slug != self._slug:
            self._past.append(self._slug)
            self._future.clear()
        self._open(slug, heading)

    @on(EntryView.Followed)
    def _followed(self, event: EntryView.Followed) -> None:
        slug, _, heading = event.target.partition("#")
        found = self.services.library.find(slug)
        if found is not None:
            self.go(found.slug, heading)
        else:
            self.notify(f"{one_line(slug, 80)} is still to be written.", markup=False)

    @on(EntryView.Peeked)
    def _peek(self, event: EntryView.Peeked) -> None:
        from tui.screens.peek import PeekScreen

        found = self.services.library.find(event.target.partition("#")[0])
        if found is not None:
            self.app.push_screen(PeekScreen(found.slug), lambda slug: self.go(slug) if slug else None)

    @on(EntryView.ReadToEnd)
    def _finished(self) -> None:
        slug = self._slug
        if slug not in self.services.record.read():
            self.services.remember(lambda record: record.mark_read(slug))
            self._fill_list()

    @on(EntryView.Answered)
    def _answered(self, event: EntryView.Answered) -> None:
        slug = self._slug
        self.services.remember(lambda record: record.answer(slug, event.question, event.choice, event.right))

    # The library at the left

    def _fill_list(self) -> None:
        record, wanted = self.services.record, self.query_one("#filter", Input).value
        menu = self.query_one("#entries", Menu)
        menu.fill(library_lines(self.services.library, record.read(), record.bookmarks(), wanted, self._slug))
        menu.choose(self._slug)

    @on(Input.Changed, "#filter")
    def _filtered(self) -> None:
        if self.services.ready:
            self._fill_list()

    @on(Input.Submitted, "#filter")
    def _filter_done(self) -> None:
        self.query_one("#entries").focus()

    # What one can do, at the right

    def _fill_side(self) -> None:
        entry = self.entry
        if entry is None:
            return
        self.query_one(EntryView).show_claims(claim_lines(entry, self.services))
        lines: list[tuple[str, Content]] = []
        if entry.run:
            lines.append(("run", Content.assemble((" r  ", "$accent"), (safe(run_words(entry)), ""))))
        if entry.lab in LABS:
            lines.append(("measure", Content.assemble((" m  ", "$accent"), "Measure what it claims")))
        if entry.code:
            lines.append(("code", Content.assemble((" c  ", "$accent"), "The code behind it")))
        lines.append(("outline", Content.assemble((" o  ", "$accent"), "Jump to a heading")))
        self.query_one("#actions", Menu).fill(lines)
        facts = self.query_one("#facts", Static)
        beside = 0 if self.has_class("-narrow") else max(20, self.query_one("#side").size.width - AROUND)
        measured = measured_lines(entry, self.services, width=beside)
        facts.display = bool(entry.run or own_targets(entry.slug))
        facts.border_title = "You measured"
        facts.update(measured)
        self.query_one("#related", Menu).fill(related_lines(entry, self.services.library))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        id = event.option.id or ""
        if event.option_list.id == "actions":
            getattr(self, f"action_{id}")()
        else:
            self.go(id)
            library = self.query_one("#library")
            if event.option_list.id == "related" or library.has_class("shown"):
                library.remove_class("shown")
                self.query_one(EntryView).focus()

    # Keys

    def action_run(self) -> None:
        """Start the page's run, or its group of runs, and watch."""
        entry = self.entry
        if entry is None or not entry.run:
            self.notify("This page has nothing to run.", markup=False)
            return
        launch_entry(self.lexigrad, entry)

    def action_measure(self) -> None:
        """Open the lab that measures what the page claims."""
        entry = self.entry
        if entry is not None and entry.lab in LABS:
            self.lexigrad.open_place(f"lab/{entry.lab}")
        else:
            self.notify("No lab measures this page's claims yet.", markup=False)

    def action_form(self) -> None:
        """Open the form of the page's run."""
        entry = self.entry
        if entry is not None and entry.run:
            self.lexigrad.open_place("train/" + entry.run[-1])

    def action_code(self) -> None:
        """Show the file behind the page."""
        from tui.screens.code import CodeScreen

        entry = self.entry
        if entry is None or not entry.code:
            self.notify("There is no code behind this page.", markup=False)
            return
        try:
            self.app.push_screen(CodeScreen.of_target(entry.code))
        except UsageError as error:
            self.notify(safe(str(error)), severity="warning", markup=False)

    def action_outline(self) -> None:
        """Jump to a heading."""
        from tui.screens.outline import OutlineScreen

        view = self.query_one(EntryView)
        self.app.push_screen(OutlineScreen(view.headings), lambda heading: view.go_to(heading) if heading else None)

    def action_bookmark(self) -> None:
        """Keep the page, or let it go."""
        slug = self._slug
        self.services.remember(lambda record: record.toggle_bookmark(slug))
        self._fill_list()

    def action_filter(self) -> None:
        """Go to the filter of the list; at small sizes the list shows itself for that."""
        self.query_one("#library").toggle_class("shown")
        self.query_one("#filter").focus()

    def action_previous(self) -> None:
        """Go back one page."""
        if self._past:
            self._future.append(self._slug)
            self._open(self._past.pop())

    def action_next(self) -> None:
        """Go forward one page."""
        if self._future:
            self._past.append(self._slug)
            self._open(self._future.pop())

    def action_copy(self) -> None:
        """Copy the page's text."""
        entry = self.entry
        if entry is not None:
            self.app.copy_to_clipboard("\n\n".join(safe(f"## {each.heading}\n{each.text}") for each in entry.sections))
            self.notify("The page is on the clipboard.", markup=False)

    def action_back(self) -> None:
        """Leave the filter first, then the reader."""
        library = self.query_one("#library")
        if library.has_class("shown"):
            library.remove_class("shown")
            self.query_one(EntryView).focus()
        else:
            super().action_back()

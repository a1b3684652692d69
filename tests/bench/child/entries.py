"""Open entries in one of two widgets at a terminal: ``entries.py ours|textual OUT SLUG ...``; milliseconds each."""

from __future__ import annotations

import sys

from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Markdown

from engine.core import paths
from glossary.library import Library
from glossary.model import Entry
from tests.bench.child.painting import Painting, write
from tests.source import ROOT
from tui.theme import DARK, variable_defaults


class Opening(Painting, App[None]):
    def __init__(self, library: Library, slugs: list[str], out: str) -> None:
        super().__init__()
        self.library, self.slugs, self.out = library, slugs, out

    def on_mount(self) -> None:
        self.run_worker(self.open_all())

    async def open_all(self) -> None:
        found = []
        for slug in self.slugs:
            entry = self.library.entries[slug]
            found.append(await self.timed(lambda entry=entry: self.open(entry)))  # type: ignore[misc]
        write(self.out, found)
        self.exit()

    def open(self, entry: Entry) -> object:
        raise NotImplementedError


class Ours(Opening):
    def get_theme_variable_defaults(self) -> dict[str, str]:
        return variable_defaults()

    def compose(self) -> ComposeResult:
        from tui.widgets.entry_view import EntryView

        self.register_theme(DARK)
        self.theme = DARK.name
        yield EntryView()

    def open(self, entry: Entry) -> None:
        from tui.widgets.entry_view import EntryView

        self.query_one(EntryView).show(entry, self.library)


class Textuals(Opening):
    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Markdown()

    def open(self, entry: Entry) -> object:
        text = (ROOT / "glossary" / "entries" / entry.path).read_text(encoding="utf-8").split("\n---\n", 1)[-1]
        return self.query_one(Markdown).update(text)


if __name__ == "__main__":
    which, out, *slugs = sys.argv[1:]
    library = Library.load(cache=paths.cache_folder())
    (Ours if which == "ours" else Textuals)(library, slugs, out).run()

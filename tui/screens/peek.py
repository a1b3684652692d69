"""A look at an entry without leaving where one is: its one line, its first paragraph."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.render.markdown import plain
from tui.render.safe import safe
from tui.widgets.keys import Keys

if TYPE_CHECKING:
    from glossary.library import Library
    from tui.app import Lexigrad


NEAR = 5
"""How many pages of the same topic are named in place of one that is not there."""


class PeekScreen(ModalScreen[str | None]):
    """Dismissed with the slug where the person wants the whole page, else with None."""

    CSS_PATH = "overlay.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open the page", id="peek.open", tooltip="Read the whole entry"),
        Binding("escape,space,question_mark", "close", "Close", id="peek.close", tooltip="Back to where you were"),
    ]

    def __init__(self, slug: str) -> None:
        super().__init__()
        self._slug, _, self._heading = slug.partition("#")

    def compose(self) -> ComposeResult:
        """A card in the middle."""
        library = cast("Lexigrad", self.app).services.library
        entry = library.entries.get(self._slug)
        with VerticalScroll(id="card"):
            if entry is None:
                yield Static(coming(self._slug, library))
            else:
                section = entry.section(self._heading) or entry.section("In one sentence")
                yield Static(Content.styled(safe(entry.title), "bold $accent"))
                yield Static(Content.styled(safe(entry.one_line), "italic"), classes="line")
                if section is not None:
                    yield Static(plain(section.text))
        yield Keys(show_command_palette=False)

    def applies(self, action: str) -> bool:
        """A page that is still to be written cannot be opened."""
        return action != "open" or self._slug in cast("Lexigrad", self.app).services.library.entries

    def on_mount(self) -> None:
        """Take the keys."""
        self.query_one("#card").focus()

    def action_open(self) -> None:
        """Ask for the whole page."""
        known = self._slug in cast("Lexigrad", self.app).services.library.entries
        self.dismiss(self._slug if known else None)

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)


def coming(slug: str, library: Library) -> Content:
    """Return that an entry is still to be written, and what of its topic is there already."""
    topic = next((each for each in library.topics() if slug in each.slugs), None)
    near = [library.entries[each].title for each in topic.slugs if each in library.entries][:NEAR] if topic else []
    words = Content.assemble((safe(library.term(slug)), "bold $accent"), "\nThis page is still to be written.")
    if topic is None or not near:
        return words
    return Content.assemble(words, "\n\n", (f"Of {safe(topic.title)} there is: ", "$text-muted"), safe(", ".join(near)))

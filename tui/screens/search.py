"""Search as one types: names, other names, the text, and the nearest spelling."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList

from glossary.search import MARK, UNMARK
from tui.render.safe import safe
from tui.widgets.menu import Menu

if TYPE_CHECKING:
    from glossary.model import Hit
    from tui.app import Lexigrad

SHOWN = 12


class SearchScreen(ModalScreen[str | None]):
    """Dismissed with the slug of the hit, or None."""

    CSS_PATH = "overlay.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", id="search.close"),
        Binding("down,ctrl+n", "move(1)", "Next hit", id="search.next", show=False, priority=True),
        Binding("up", "move(-1)", "Previous hit", id="search.previous", show=False, priority=True),
    ]

    def compose(self) -> ComposeResult:
        """A line to type in, the hits below."""
        with Vertical(id="card"):
            yield Input(placeholder="search every entry", id="query")
            yield Menu(id="hits")

    def on_mount(self) -> None:
        """Type at once."""
        self.query_one(Input).focus()
        self._show("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._show(event.value)

    def _show(self, words: str) -> None:
        services = cast("Lexigrad", self.app).services
        menu = self.query_one(Menu)
        if not services.ready:
            menu.fill([("none", Content("The glossary is being opened ..."), True)])
            return
        if not words.strip():
            menu.fill(
                [
                    (
                        "none",
                        Content.styled(
                            "A word, a symptom, a question: learning rate, loss is nan, what is a token", "$text-muted"
                        ),
                        True,
                    )
                ]
            )
            return
        hits = services.index.search(words, limit=SHOWN)
        lines = [(hit.slug, hit_content(hit), False) for hit in hits]
        menu.fill(lines or [("none", nothing_found(words), True)])
        menu.action_first()

    @on(Input.Submitted)
    def _enter(self) -> None:
        chosen = self.query_one(Menu).chosen
        self.dismiss(chosen if chosen != "none" else None)

    @on(OptionList.OptionSelected)
    def _picked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)

    def action_move(self, by: int) -> None:
        """Go through the hits while the cursor stays in the line."""
        menu = self.query_one(Menu)
        menu.action_cursor_down() if by > 0 else menu.action_cursor_up()

    def action_close(self) -> None:
        """Leave without a hit."""
        self.dismiss(None)


def nothing_found(words: str) -> Content:
    """Say that nothing was found, and what else to try."""
    return Content.assemble(
        (f"No page has “{safe(words.strip())}”, and no word of them is spelled like it.", ""),
        (
            "\nTry one plain word of it, the symptom (loss is nan), or escape and r for the list of all pages.",
            "$text-muted",
        ),
    )


def hit_content(hit: Hit) -> Content:
    """Return a hit in two lines: title and one line; why it was found."""
    first = Content.assemble((safe(hit.title), "bold"), ("  " + safe(hit.one_line), "$text-muted"))
    if not hit.snippet:
        return Content.assemble(first, "\n", (f"  {safe(hit.why)}", "$text-disabled"))
    parts: list[tuple[str, str]] = []
    for index, piece in enumerate(safe(hit.snippet).replace("\n", " ").split(MARK)):
        marked, _, rest = piece.partition(UNMARK) if index else ("", "", piece)
        parts += [(marked, "$accent"), (rest, "$text-muted")]
    return Content.assemble(first, "\n  ", *parts)

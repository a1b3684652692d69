"""The course: every walkthrough, how far one is, and what its steps are."""

from __future__ import annotations

from collections.abc import Iterator

from textual import on
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static

from glossary.model import Walkthrough
from tui.render.markdown import plain
from tui.render.safe import safe
from tui.screens.page import Page
from tui.widgets.menu import Menu

BAR = 16
"""Cells of the bar that says how far one is."""


class LearnScreen(Page):
    """Walkthroughs at the left; at the right what the one with the cursor is about."""

    CSS_PATH = "learn.tcss"

    def crumbs(self) -> str:
        """Return the door."""
        return " ‹ Learn"

    def body(self) -> Iterator[Widget]:
        """A list and a card."""
        yield Horizontal(
            Menu(id="walks", opens="Begin", spaced=True),
            VerticalScroll(Static("", id="card", markup=False), can_focus=False),
            id="learn",
        )

    def on_mount(self) -> None:
        """List what there is."""
        self.query_one(Menu).focus()
        if self.services.ready:
            self.refresh_content()

    def refresh_content(self) -> None:
        """Show how far one is in each."""
        lines: list[tuple[str, Content, bool]] = []
        for name, walk in self.services.walkthroughs.items():
            done, steps = len(self._done(walk)), len(walk.steps)
            full = round(BAR * done / steps)
            state = "finished" if done >= steps else f"{done} of {steps} done" if done else f"{steps} steps"
            text = Content.assemble(
                (safe(walk.title), "bold"),
                "\n",
                ("━" * full, "$success"),
                ("━" * (BAR - full), "$text-disabled"),
                (f"  {state} · about {walk.minutes} min", "$text-muted"),
            )
            lines.append((name, text, False))
        none = Content.styled("There is no walkthrough here.", "$text-muted")
        self.query_one(Menu).fill(lines or [("none", none, True)])
        self._describe()

    @on(OptionList.OptionHighlighted)
    def _describe(self) -> None:
        walk = self.services.walkthroughs.get(self.query_one(Menu).chosen or "") if self.services.ready else None
        if walk is not None:
            needs = ", ".join(self.services.library.term(slug) for slug in walk.needs)
            self.query_one("#card", Static).update(card(walk, self._done(walk), needs))

    def _done(self, walk: Walkthrough) -> frozenset[str]:
        return self.services.record.finished_steps(walk.slug)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.lexigrad.open_place(f"walk/{event.option.id}")


def card(walk: Walkthrough, done: frozenset[str], needs: str) -> Content:
    """Return what a walkthrough is: its sentence, its text, what it needs, and its steps."""
    lines = [
        Content.styled(safe(walk.title), "bold $accent"),
        Content.styled(safe(walk.one_line), "italic"),
        Content.styled(
            f"level {walk.level} · about {walk.minutes} min" + (f" · on the pages {safe(needs)}" if needs else ""),
            "$text-muted",
        ),
        Content(""),
        *([plain(walk.text), Content("")] if walk.text else []),
        Content.styled("A step is done when it really happened: a run, a prediction, an answer.", "$text-muted"),
        Content(""),
    ]
    for number, step in enumerate(walk.steps, 1):
        sign = Content.styled("✓", "$success") if step.id in done else Content.styled("·", "$text-muted")
        lines.append(Content.assemble(sign, (f" {number:>2}  ", "$text-muted"), safe(step.title)))
    return Content("\n").join(lines)

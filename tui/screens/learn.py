"""The course: every walkthrough, how far one is, and what it needs."""

from __future__ import annotations

from collections.abc import Iterator

from textual import on
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static

from tui.render.safe import safe
from tui.screens.page import Page
from tui.widgets.menu import Menu


class LearnScreen(Page):
    """One line a walkthrough."""

    CSS_PATH = "learn.tcss"

    def crumbs(self) -> str:
        """Return the door."""
        return " ‹ Learn"

    def body(self) -> Iterator[Widget]:
        """A sentence and a list."""
        yield Static(
            "Walkthroughs notice what you did: a step is done when it really happened.", id="lead", markup=False
        )
        yield Menu(id="walks")

    def on_mount(self) -> None:
        """List what there is."""
        self.query_one(Menu).focus()
        if self.services.ready:
            self.refresh_content()

    def refresh_content(self) -> None:
        """Show how far one is in each."""
        lines: list[tuple[str, Content, bool]] = []
        for name, walk in self.services.walkthroughs.items():
            done, steps = len(self.services.record.finished_steps(name)), len(walk.steps)
            full = round(12 * done / steps)
            bar = Content.assemble(("━" * full, "$success"), ("━" * (12 - full), "$surface-lighten-2"))
            state = "finished" if done >= steps else f"step {done + 1} of {steps}" if done else f"{steps} steps"
            title = Content.assemble(
                (safe(walk.title), "bold"), (f"   level {walk.level} · about {walk.minutes} min", "$text-muted")
            )
            lines.append(
                (
                    name,
                    Content.assemble(title, "\n", (safe(walk.one_line), "$text-muted"), "\n", bar, f"  {state}\n"),
                    False,
                )
            )
        self.query_one(Menu).fill(
            lines or [("none", Content.styled("There is no walkthrough here.", "$text-muted"), True)]
        )

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.lexigrad.open_place(f"walk/{event.option.id}")

"""A run step by step: a sentence that says what the step does, and the numbers that it changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.events import Resize
from textual.widget import Widget
from textual.widgets import Static

from engine.core.errors import LexigradError
from engine.core.stepping import Step, steps_of
from tui.render.safe import one_line, safe
from tui.run_words import crumbs_of
from tui.screens.page import Page
from tui.widgets.step_panel import StepPanel
from tui.widgets.topbar import TopBar

if TYPE_CHECKING:
    from engine.core.view import RunView

MOST = 3
"""Things that a step shows side by side."""
LEAST_COLUMNS = 52
"""Cells that one of them needs."""
PAGE = 8
"""Lines by which a page key scrolls."""
LONGEST = 600
"""Characters of a sentence."""


class StepsScreen(Page):
    """Goes through a run forward and backward, as often as one likes; nothing is computed here."""

    CSS_PATH = "steps.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l,j,space", "go(1)", "Next step", id="steps.next", tooltip="One step on"),
        Binding("left,h,k", "go(-1)", "Step before", id="steps.before", tooltip="One step back"),
        Binding("home,g", "end(0)", "First", id="steps.first", tooltip="The first step"),
        Binding("end,G", "end(1)", "Last", id="steps.last", tooltip="The last step"),
        Binding("p", "part(1)", "Next part", id="steps.part", tooltip="Where the next part of the whole begins"),
        Binding("P", "part(-1)", "Part before", id="steps.part-before", tooltip="Where this part begins", show=False),
        Binding("n,tab", "turn", "Next view", id="steps.view", tooltip="What else this step shows"),
        Binding("up", "scroll(-1)", "Up", id="steps.up", tooltip="Scroll up", show=False),
        Binding("down", "scroll(1)", "Down", id="steps.down", tooltip="Scroll down", show=False),
        Binding("pageup", f"scroll(-{PAGE})", "Page up", id="steps.page-up", tooltip="Scroll up", show=False),
        Binding("pagedown", f"scroll({PAGE})", "Page down", id="steps.page-down", tooltip="Scroll down", show=False),
    ]

    def __init__(self, id_: str) -> None:
        """Show the run `id_` from its first step on."""
        super().__init__()
        self._run = id_
        self._view: RunView | None = None
        self._steps: tuple[Step, ...] = ()
        self._at = 0
        self._turned = 0

    def crumbs(self) -> str:
        """Return the door; the run's name follows."""
        return " ‹ Runs"

    def body(self) -> Iterator[Widget]:
        """Where one is, what the step does, what it shows."""
        yield Static("", id="place", markup=False)
        yield Static("", id="says", markup=False)
        yield Horizontal(*(StepPanel() for _ in range(MOST)), id="shown")

    def on_mount(self) -> None:
        """Read the run."""
        if self.services.ready and self.whole:
            self.refresh_content()

    def on_resize(self, event: Resize) -> None:
        """Show as many things side by side as fit now."""
        if self._steps:
            self.call_after_refresh(self._show)

    def refresh_content(self) -> None:
        """Read the run again; one stays at the step that one looks at."""
        try:
            self._view = self.services.watch.follow(self._run)
        except LexigradError as error:
            self.query_one("#says", Static).update(safe(str(error)))
            return
        self._steps = steps_of(self._view)
        self.query_one(TopBar).set_crumbs(Content.assemble(crumbs_of(self._view, 0, 1), " ‹ Steps"))
        self._show()

    def runs_changed(self, changed: frozenset[str]) -> None:
        """A run that is still at work brings more steps."""
        if self._run in changed:
            self.refresh_content()

    def _show(self) -> None:
        view = self._view
        if view is None:
            return
        if not self._steps:
            self.query_one("#says", Static).update("This run has drawn nothing that could be stepped through.")
            return
        self._at = max(0, min(self._at, len(self._steps) - 1))
        step = self._steps[self._at]
        self.query_one("#place", Static).update(self._place(step, view))
        self.query_one("#says", Static).update(safe(step.says, LONGEST))
        chosen = self._chosen(step)
        for place, panel in enumerate(self.query(StepPanel)):
            panel.display = place < len(chosen)
            if panel.display:
                self._put(panel, view, step, chosen[place])
        self.refresh_bindings()

    def _put(self, panel: StepPanel, view: RunView, step: Step, place: int) -> None:
        event = step.shows[place]
        before = step.before.get(event.name)
        try:
            panel.put(view, view.whole(event), view.whole(before) if before is not None else None)
        except LexigradError as error:
            self.query_one("#says", Static).update(safe(str(error)))

    def _chosen(self, step: Step) -> list[int]:
        """Return which of the step's things are shown: as many as fit, another one first after each turn."""
        count = len(step.shows)
        fit = max(1, min(MOST, self.size.width // LEAST_COLUMNS))
        return [(self._turned + place) % count for place in range(min(count, fit))]

    def _place(self, step: Step, view: RunView) -> Content:
        """Return the line that says where one is: step 7 of 34, backward."""
        so_far = " so far" if view.live else ""
        words = [(f"step {self._at + 1} of {len(self._steps)}{so_far}", "bold $accent")]
        if step.part:
            words.append((f" · {one_line(step.part, 40)}", "$accent"))
        hidden = len(step.shows) - len(self._chosen(step))
        if hidden > 0:
            words.append((f" · tab: {hidden} more {'view' if hidden == 1 else 'views'}", "$text-muted"))
        room = self.size.width - sum(len(text) for text, _ in words) - 4
        if room >= 12:
            done = round((self._at + 1) / len(self._steps) * room)
            words += [("  ", ""), ("━" * done, "$primary"), ("─" * (room - done), "$surface-lighten-3")]
        return Content.assemble(*words)

    # Keys

    def applies(self, action: str) -> bool:
        """There is another view only where a step shows more than what is seen."""
        if action == "turn":
            step = self._steps[self._at] if self._steps else None
            return step is not None and len(self._chosen(step)) < len(step.shows)
        return super().applies(action)

    def action_go(self, by: int) -> None:
        """Go steps on or back."""
        self._at += by
        self._show()

    def action_end(self, last: int) -> None:
        """Go to the first step, or to the last."""
        self._at = last * (len(self._steps) - 1)
        self._show()

    def action_part(self, by: int) -> None:
        """Go to where the next part begins, or back to where this one, or the one before, does."""
        begins = [at for at, step in enumerate(self._steps) if not at or step.part != self._steps[at - 1].part]
        if by > 0:
            self._at = next((at for at in begins if at > self._at), len(self._steps) - 1)
        else:
            self._at = next((at for at in reversed(begins) if at < self._at), 0)
        self._show()

    def action_turn(self) -> None:
        """Show another of the step's things first."""
        self._turned += 1
        self._show()

    def action_scroll(self, lines: int) -> None:
        """Scroll all that is shown."""
        for panel in self.query(StepPanel):
            if panel.display:
                panel.scroll(lines)

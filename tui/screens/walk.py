"""A walkthrough: its steps at the left, the one that is looked at in the middle, and the key that does what it asks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static

from glossary.model import Step, Walkthrough
from glossary.parse import find_links
from glossary.progress import afterwards, missing
from glossary.prose import prose
from tui.facts import advance, facts_of
from tui.render.markdown import plain
from tui.render.safe import safe
from tui.screens.page import Page
from tui.widgets.menu import Menu
from tui.widgets.topbar import TopBar

if TYPE_CHECKING:
    from glossary.facts import Facts

LOOK = 1.0
"""Seconds between two looks at whether the step's check is met."""


class Steps(Menu, can_focus=False):
    """The list of steps is there to be seen and clicked; the keys are those of the step that is looked at."""


class WalkScreen(Page):
    """Free movement: any step can be read and done at any time; the first that is not done is marked."""

    CSS_PATH = "walk.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go", "Do it", id="walk.go", tooltip="Open the place where this step happens"),
        Binding("n,right", "turn(1)", "Next", id="walk.next", tooltip="The next step"),
        Binding("p,left", "turn(-1)", "Previous", id="walk.previous", tooltip="The step before"),
        Binding("h", "hint", "Hint", id="walk.hint", tooltip="One more hint"),
        Binding("j,down", "scroll(1)", "Down", id="walk.down", show=False),
        Binding("k,up", "scroll(-1)", "Up", id="walk.up", show=False),
        *(
            Binding(str(number), f"predict({number})", f"Predict {number}", id=f"walk.predict{number}", show=False)
            for number in range(1, 10)
        ),
    ]

    def __init__(self, walk: Walkthrough) -> None:
        super().__init__()
        self._walk = walk
        self._at = 0
        self._hints: dict[str, int] = {}

    def crumbs(self) -> str:
        """Return the walkthrough's title."""
        return f" ‹ Learn   {self._walk.title}"

    def body(self) -> Iterator[Widget]:
        """Steps and text."""
        yield Horizontal(
            Steps(id="steps"),
            VerticalScroll(
                Static("", id="step"),
                Static("", id="predict"),
                Static("", id="check"),
                Static("", id="after"),
                id="text",
                can_focus=False,
            ),
            id="walk",
        )

    def on_mount(self) -> None:
        """Go on where one left."""
        if self.services.ready:
            self._begin()
        self.set_interval(LOOK, self._look)

    def refresh_content(self) -> None:
        """Look at what was done meanwhile."""
        if not self._look():
            self._show()

    def _begin(self) -> None:
        slug = self._walk.slug
        record = self.services.record
        if not record.place(f"walk:{slug}:begun"):
            self.services.remember(lambda kept: kept.keep_place(f"walk:{slug}:begun", str(time.time())))
        self.services.keep_setting("continue", f"walk/{slug}")
        self._at = self._first_open()
        self._show()

    def _first_open(self) -> int:
        done = self.services.record.finished_steps(self._walk.slug)
        return next(
            (index for index, step in enumerate(self._walk.steps) if step.id not in done), len(self._walk.steps) - 1
        )

    def _look(self) -> bool:
        """Mark what is done by now; return whether anything was."""
        if not self.services.ready or not self.is_current:
            return False
        if not advance(self._walk, self.services, self.step.id):
            return False
        self._show()
        return True

    # What it says

    @property
    def step(self) -> Step:
        """The step that is looked at."""
        return self._walk.steps[self._at]

    def _show(self) -> None:
        done = self.services.record.finished_steps(self._walk.slug)
        self._fill_steps(done)
        step = self.step
        facts = facts_of(self._walk, self.services)
        finished = step.id in done
        number = f"Step {self._at + 1} of {len(self._walk.steps)}"
        head = Content.assemble(
            (number, "$text-muted"), "\n", (safe(step.title), "bold $accent"), "\n\n", (safe(step.do), "bold")
        )
        before = [plain(self._walk.text), Content("")] if self._at == 0 and self._walk.text else []
        parts = [*before, head, *([Content(""), plain(step.text)] if step.text else [])]
        self.query_one("#step", Static).update(Content("\n").join(parts))
        self._show_prediction(step, facts, finished)
        self.query_one("#check", Static).update(self._check_words(step, facts, finished))
        after = self.query_one("#after", Static)
        after.display = finished and bool(step.afterwards)
        if after.display:
            after.update(plain(afterwards(step, facts)))
        self.query_one(TopBar).refresh_status(self.services)

    def _fill_steps(self, done: frozenset[str]) -> None:
        menu = self.query_one("#steps", Menu)
        lines: list[tuple[str, Content]] = []
        for index, step in enumerate(self._walk.steps):
            sign, color = (
                ("✓", "$success")
                if step.id in done
                else ("›", "$accent")
                if index == self._first_open()
                else ("·", "$text-muted")
            )
            lines.append(
                (step.id, Content.assemble((f"{sign} ", color), (f"{index + 1:>2} ", "$text-muted"), safe(step.title)))
            )
        menu.fill(lines)
        menu.border_title = f"{len(done)} of {len(self._walk.steps)} done"
        menu.choose(self.step.id)

    def _show_prediction(self, step: Step, facts: Facts, finished: bool) -> None:
        shown = self.query_one("#predict", Static)
        shown.display = step.predict is not None
        if step.predict is None:
            return
        made = facts.predictions.get(step.id)
        lines = [Content.assemble(("Before you look: ", "$warning bold"), (safe(step.predict.question), "bold"))]
        for number, choice in enumerate(step.predict.choices, 1):
            right = finished and choice == step.predict.right
            mark = "●" if choice == made else "○"
            color = "$success" if right else "$accent" if choice == made else ""
            lines.append(
                Content.styled(
                    f"  {number} {mark} {safe(choice)}" + ("   this is what happens" if right else ""), color
                )
            )
        if made is None:
            lines.append(Content.styled("  Press the number of your guess.", "$text-muted"))
        shown.update(Content("\n").join(lines))

    def _check_words(self, step: Step, facts: Facts, finished: bool) -> Content:
        if finished:
            return Content.styled(
                "✓ Done. n goes on." if self._at + 1 < len(self._walk.steps) else "✓ Done. That was the last step.",
                "$success bold",
            )
        lines: list[Content] = []
        if step.check is None:
            lines.append(Content.styled("Nothing to do here but read; n goes on.", "$text-muted"))
        else:
            lines.append(
                Content.assemble(("◌ ", "$warning"), (safe(missing(step.check, facts, step.id)), "$text-muted"))
            )
        if step.go:
            lines.append(Content.assemble(("enter ", "$accent bold"), "takes you there; escape brings you back here."))
        shown = self._hints.get(step.id, 0)
        lines += [Content.assemble(("Hint: ", "$warning"), safe(hint)) for hint in step.hints[:shown]]
        if shown < len(step.hints):
            lines.append(Content.styled(f"h shows a hint ({len(step.hints) - shown} left).", "$text-muted"))
        return Content("\n").join(lines)

    # Keys

    def action_turn(self, by: int) -> None:
        """Look at another step; leaving one that has nothing to check finishes it."""
        step = self.step
        if by > 0 and step.check is None:
            self.services.remember(lambda record: record.finish_step(self._walk.slug, step.id))
        self._at = max(0, min(len(self._walk.steps) - 1, self._at + by))
        if not self._look():
            self._show()
        self.query_one("#text").scroll_home(animate=False)

    @on(OptionList.OptionSelected)
    def _picked(self, event: OptionList.OptionSelected) -> None:
        if event.option.id == self.step.id:
            self.action_go()
            return
        ids = [step.id for step in self._walk.steps]
        self._at = ids.index(event.option.id or ids[0])
        self._show()

    def action_predict(self, number: int) -> None:
        """Make a prediction; it may be changed until the step is done."""
        step = self.step
        done = self.services.record.finished_steps(self._walk.slug)
        if step.predict is None or number > len(step.predict.choices) or step.id in done:
            return
        choice = step.predict.choices[number - 1]
        self.services.remember(lambda record: record.predict(self._walk.slug, step.id, choice))
        if not self._look():
            self._show()

    def action_hint(self) -> None:
        """Show one more hint."""
        self._hints[self.step.id] = min(len(self.step.hints), self._hints.get(self.step.id, 0) + 1)
        self._show()

    def action_go(self) -> None:
        """Open the place where the step happens."""
        kind, _, rest = self.step.go.partition(" ")
        if kind == "read":
            self.lexigrad.open_place(f"read/{rest}")
        elif kind == "run":
            self.lexigrad.open_place(f"train/{rest}")
        elif kind == "open":
            self.lexigrad.open_place(rest)
        elif self.step.check is None:
            self.action_turn(1)

    def explained(self) -> str:
        """Return the first page that the step names and that is written: in what it explains afterwards, or before."""
        step = self.step
        done = step.id in self.services.record.finished_steps(self._walk.slug) if self.services.ready else False
        for text in (step.afterwards if done else "", step.text, step.do):
            for link in find_links(text, prose(text)):
                if self.services.is_written(link.target):
                    return link.target
        return ""

    def action_scroll(self, by: int) -> None:
        """Scroll the text."""
        self.query_one("#text").scroll_relative(y=by, animate=False)

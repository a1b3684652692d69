"""All labs, and all findings: what was asked, what was found, by whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static

from engine.catalog import labs
from engine.core.lab import Lab
from tui import lab_words
from tui.figures import duration
from tui.findings import OWN, found_about, sign_of
from tui.render.safe import safe
from tui.screens.page import Page
from tui.widgets.menu import Menu


class LabsScreen(Page):
    """Labs at the left; at the right the question of the one with the cursor, and what is known about it."""

    CSS_PATH = "labs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f", "findings", "Findings", id="labs.findings", tooltip="Every sentence, with what was found about it"
        ),
    ]

    def crumbs(self) -> str:
        """Return the door."""
        return " ‹ Labs"

    def body(self) -> Iterator[Widget]:
        """A list and a card."""
        yield Horizontal(
            Menu(id="labs", opens="Open", spaced=True),
            VerticalScroll(Static("", id="card", markup=False), can_focus=False),
            id="labs-body",
        )

    def on_mount(self) -> None:
        """List what there is."""
        self.query_one(Menu).focus()
        if self.services.ready:
            self.refresh_content()

    def refresh_content(self) -> None:
        """Show what was found by now."""
        self.query_one(Menu).fill([(lab.name, self._line(lab)) for lab in labs()])
        self._describe()

    def _line(self, lab: Lab) -> Content:
        signs: list[tuple[str, str]] = []
        own = False
        for each in lab.statements:
            found = found_about(lab.name, each.id, each.says, self.services)
            own = own or any(one.who == OWN for one in found)
            signs.append(sign_of(found[0].finding) if found else ("·", "$text-disabled"))
        seconds = lab.presets[0].seconds
        about = "yours" if own else "not measured by you yet"
        pace = f" · {duration(seconds)} a seed" if seconds else ""
        return Content.assemble(
            (safe(lab.title), "bold"),
            "\n",
            *((f"{sign} ", color) for sign, color in signs),
            (f" {about}{pace}", "$text-muted"),
        )

    @on(OptionList.OptionHighlighted)
    def _describe(self) -> None:
        chosen = self.query_one(Menu).chosen
        lab = next((each for each in labs() if each.name == chosen), None) if self.services.ready else None
        if lab is not None:
            self.query_one("#card", Static).update(self._card(lab))

    def _card(self, lab: Lab) -> Content:
        parts = [lab_words.question(lab), Content("")]
        if self.services.experiments.latest(lab.name) is None and lab.forecasts:
            hidden = "Predict first: what was found by others is shown when you have measured it yourself."
            parts += [Content.styled(safe(each.says), "bold") for each in lab.statements]
            parts += [Content(""), Content.styled(hidden, "$text-muted")]
            return Content("\n").join(parts)
        for each in lab.statements:
            found = found_about(lab.name, each.id, each.says, self.services)
            parts += [lab_words.finding(each.says, found), Content("")]
        return Content("\n").join(parts)

    def action_findings(self) -> None:
        """Open the list of all findings."""
        self.lexigrad.open_place("findings")

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.lexigrad.open_place(f"lab/{event.option.id}")

"""Every sentence that a lab can judge, with what you and the project found about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static

from engine.catalog import lab, labs
from tui import lab_words
from tui.findings import OWN, PROJECT, found_about, sign_of
from tui.render.safe import safe
from tui.screens.page import Page
from tui.widgets.menu import Menu

if TYPE_CHECKING:
    from engine.core.lab import Lab, Statement


class FindingsScreen(Page):
    """Sentences at the left, by lab; at the right the findings about the one with the cursor."""

    CSS_PATH = "findings.tcss"

    def crumbs(self) -> str:
        """Return the door and what this is."""
        return " ‹ Labs   Findings"

    def body(self) -> Iterator[Widget]:
        """A list and a card."""
        yield Horizontal(
            Menu(id="sentences", opens="Its lab"),
            VerticalScroll(Static("", id="card", markup=False), can_focus=False),
            id="findings-body",
        )

    def on_mount(self) -> None:
        """List what there is."""
        self.query_one(Menu).focus()
        if self.services.ready:
            self.refresh_content()

    def refresh_content(self) -> None:
        """Show what was found by now."""
        lines: list[tuple[str, Content, bool]] = [
            ("legend", Content.styled("you  project   ✓ holds  ✗ does not  ? not decided", "$text-muted"), True)
        ]
        for each in labs():
            lines.append((f"lab:{each.name}", Content.styled(safe(each.title), "$primary bold"), True))
            lines += [(f"{each.name}/{one.id}", self._line(each, one), False) for one in each.statements]
        self.query_one(Menu).fill(lines)
        self._describe()

    def _line(self, of: Lab, statement: Statement) -> Content:
        found = {each.who: each for each in found_about(of.name, statement.id, statement.says, self.services)}
        signs = [sign_of(found[who].finding) if who in found else ("·", "$text-disabled") for who in (OWN, PROJECT)]
        (own, own_color), (project, project_color) = signs
        return Content.assemble((f" {own}  ", own_color), (f"{project}  ", project_color), safe(statement.says))

    @on(OptionList.OptionHighlighted)
    def _describe(self) -> None:
        name, _, id_ = (self.query_one(Menu).chosen or "").partition("/")
        statement = lab(name).statement(id_) if id_ and self.services.ready else None
        if statement is not None:
            found = found_about(name, id_, statement.says, self.services)
            parts = [lab_words.finding(statement.says, found), Content("")]
            self.query_one("#card", Static).update(Content("\n").join([*parts, lab_words.question(lab(name))]))

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.lexigrad.open_place(f"lab/{(event.option.id or '').partition('/')[0]}")

"""The catalog: every family with its presets, each one key from a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static

from engine.catalog import families, parse_target
from engine.core.errors import LexigradError
from engine.core.spec import Family, Preset
from tui.figures import duration
from tui.join import launch, plan
from tui.render.safe import safe
from tui.screens.page import Page
from tui.widgets.menu import Menu


class TrainScreen(Page):
    """Families and presets at the left, what one of them is at the right."""

    CSS_PATH = "train.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "start", "Run", id="train.start", tooltip="Start this preset as it is"),
        Binding("enter", "form", "Set up", id="train.form", tooltip="Look at its knobs first"),
        Binding("c", "code", "Code", id="train.code", tooltip="The family's files"),
        Binding("e", "entry", "Entry", id="train.entry", tooltip="Read what this family is"),
    ]

    def crumbs(self) -> str:
        """Return the door."""
        return " ‹ Train"

    def body(self) -> Iterator[Widget]:
        """A list and a card."""
        yield Horizontal(Menu(id="presets"), VerticalScroll(Static("", id="card", markup=False)), id="train")

    def on_mount(self) -> None:
        """List everything there is to train."""
        menu = self.query_one("#presets", Menu)
        lines: list[tuple[str, Content, bool]] = []
        for family in families():
            lines.append((f"family:{family.name}", Content.styled(family.title, "$text-muted bold"), True))
            lines += [(f"{family.name}/{preset.name}", preset_line(preset), False) for preset in family.presets]
        menu.fill(lines)
        menu.action_first()
        menu.focus()
        if self.services.ready:
            self.run_worker(self.services.launcher.warm, thread=True, exit_on_error=False)

    def _chosen(self) -> str:
        return self.query_one("#presets", Menu).chosen or ""

    @on(OptionList.OptionHighlighted)
    def _shown(self) -> None:
        family, preset = parse_target(self._chosen())
        self.query_one("#card", Static).update(card(family, preset))

    @on(OptionList.OptionSelected)
    def action_form(self) -> None:
        """Open the form of the preset."""
        self.lexigrad.open_place(f"train/{self._chosen()}")

    def action_start(self) -> None:
        """Start the preset as it is."""
        from engine.catalog import parse_run

        try:
            recipes = plan([parse_run(self._chosen())], self.services)
        except LexigradError as error:
            self.notify(safe(str(error)), severity="error", markup=False)
            return
        launch(self.lexigrad, recipes)

    def action_code(self) -> None:
        """Show the family's files."""
        from pathlib import Path

        import engine
        from tui.screens.code import CodeScreen

        family, _ = parse_target(self._chosen())
        root = Path(engine.__path__[0])
        self.app.push_screen(CodeScreen([root / path for path in family.code]))

    def action_entry(self) -> None:
        """Open the family's entry."""
        family, _ = parse_target(self._chosen())
        self.lexigrad.open_place(f"read/{family.entry}")


def preset_line(preset: Preset) -> Content:
    """Return a preset's name and its time."""
    return Content.assemble(f"  {preset.name:<12}", (duration(preset.seconds or None), "$text-muted"))


def card(family: Family, preset: Preset) -> Content:
    """Return what a family and one of its presets are."""
    knobs = "   ".join(f"{name.replace('_', ' ')} {value}" for name, value in preset.knobs.items())
    metrics = ", ".join(metric.title for metric in family.headline)
    return Content.assemble(
        (family.title, "bold $accent"),
        "\n",
        family.summary,
        "\n\n",
        (preset.name, "bold"),
        "\n",
        preset.help,
        "\n\n",
        ("knobs    ", "$text-muted"),
        knobs,
        "\n",
        ("data     ", "$text-muted"),
        ", ".join(family.data),
        "\n",
        ("measures ", "$text-muted"),
        metrics,
        "\n",
        ("panels   ", "$text-muted"),
        ", ".join(panel.title for panel in family.panels),
    )

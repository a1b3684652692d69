"""The catalog: every family with its presets, each one key from a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static

from engine.catalog import FAMILIES, families, parse_target
from engine.core.errors import LexigradError
from engine.core.estimate import estimate
from engine.core.spec import Family, Preset
from tui.figures import ago, duration, headline_words
from tui.join import launch, plan
from tui.recipes import latest_finished
from tui.render.safe import safe
from tui.run_words import cost_lines
from tui.screens.page import Page
from tui.widgets.knob_row import words
from tui.widgets.menu import Menu

if TYPE_CHECKING:
    from tui.services import Services

FACTS = ("takes", "reached", "knobs", "data", "measures", "panels", "then")
"""What is told of a preset, in this order."""


class TrainScreen(Page):
    """Families and presets at the left, what one of them is at the right."""

    CSS_PATH = "train.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "start", "Run", id="train.start", tooltip="Start this preset as it is"),
        Binding("c", "code", "Code", id="train.code", tooltip="The family's files"),
        Binding("e", "entry", "Entry", id="train.entry", tooltip="Read what this family is"),
    ]

    def crumbs(self) -> str:
        """Return the door."""
        return " ‹ Train"

    def body(self) -> Iterator[Widget]:
        """A list and a card."""
        yield Horizontal(
            Menu(id="presets", opens="Set up"),
            VerticalScroll(
                Static("", id="heading", markup=False), Container(*self._facts(), id="facts"), can_focus=False
            ),
            id="train",
        )

    def _facts(self) -> Iterator[Widget]:
        for name in FACTS:
            yield Static(name, classes="name", markup=False)
            yield Static("", id=f"fact-{name}", markup=False)

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
        """Return the preset that the cursor is on; before the list is filled, the first family's usual one."""
        return self.query_one("#presets", Menu).chosen or FAMILIES[0]

    def refresh_content(self) -> None:
        """Tell what was measured meanwhile."""
        self._shown()

    @on(OptionList.OptionHighlighted)
    def _shown(self) -> None:
        family, preset = parse_target(self._chosen())
        self.query_one("#heading", Static).update(heading(family, preset))
        for name, text in facts(family, preset, self.services).items():
            self.query_one(f"#fact-{name}", Static).update(text)

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

    def explained(self) -> str:
        """Return the entry of the family that is shown."""
        return parse_target(self._chosen())[0].entry

    def applies(self, action: str) -> bool:
        """A family whose entry is still to be written has no page to open."""
        if action == "entry":
            family, _ = parse_target(self._chosen())
            return self.services.is_written(family.entry)
        return super().applies(action)

    def action_entry(self) -> None:
        """Open the family's entry."""
        family, _ = parse_target(self._chosen())
        self.lexigrad.open_place(f"read/{family.entry}")


def preset_line(preset: Preset) -> Content:
    """Return a preset's name and its time."""
    return Content.assemble(f"  {preset.name:<12}", (f"{duration(preset.seconds or None):>8}", "$text-muted"))


def heading(family: Family, preset: Preset) -> Content:
    """Return what a family and one of its presets are, in sentences."""
    return Content.assemble(
        (safe(family.title), "bold $accent"),
        "\n",
        safe(family.summary),
        "\n\n",
        (safe(preset.name), "bold"),
        "\n",
        safe(preset.help),
    )


def facts(family: Family, preset: Preset, services: Services) -> dict[str, Content]:
    """Return what a preset costs, what it reached here, and what is in it, each under its name."""
    knobs = [
        Content.assemble((name.replace("_", " ") + " ", "$text-muted"), words(value))
        for name, value in preset.knobs.items()
    ]
    return {
        "takes": _cost(family, preset, services),
        "reached": _reached(family, preset, services),
        "knobs": Content("   ").join(knobs),
        "data": Content(", ".join(family.data)),
        "measures": Content(", ".join(metric.title for metric in family.headline)),
        "panels": Content(", ".join(panel.title for panel in family.panels)),
        "then": _plays(family),
    }


def _cost(family: Family, preset: Preset, services: Services) -> Content:
    try:
        cost = estimate(family, preset, family.configure(preset.name), services.store if services.ready else None)
    except LexigradError as error:
        return Content.styled(safe(str(error)), "$warning")
    return Content(" · ").join(cost_lines(cost))


def _plays(family: Family) -> Content:
    """Return what one can do with a trained model, and the command that does it."""
    if not family.plays:
        return Content.styled("nothing to play with yet", "$text-muted")
    named = ", ".join(play.name for play in family.plays)
    return Content.assemble(named, (f"   lexigrad play {family.name}", "$text-muted"))


def _reached(family: Family, preset: Preset, services: Services) -> Content:
    runs = services.watch.runs() if services.ready else []
    newest = latest_finished(f"{family.name}/{preset.name}", runs)
    run = next((run for run in runs if run.id == newest), None)
    if run is None:
        return Content.styled("nothing here yet; r trains it", "$text-muted")
    return Content.assemble((headline_words(run), "$accent"), (f"   {ago(run)}", "$text-muted"))

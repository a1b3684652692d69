"""The launch form: every knob of a family, what it will cost, and the key that starts it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.events import DescendantFocus
from textual.widget import Widget
from textual.widgets import Button, Static

from engine.catalog import RunTarget
from engine.core.errors import LexigradError
from engine.core.estimate import estimate
from engine.core.recipe import Asked
from engine.core.spec import Knob, Spec, Value
from tui.join import launch, plan
from tui.render.safe import safe
from tui.run_words import cost_lines
from tui.screens.page import Page
from tui.widgets.knob_row import OWN_FILE, KnobRow
from tui.widgets.topbar import TopBar

MACHINE = (
    Knob(
        name="seed",
        default=0,
        help="The number that all chance in the run follows from.",
        low=0,
        high=2**31 - 1,
        entry="seed-and-reproducibility",
    ),
    Knob(
        name="device",
        default="auto",
        help="Where it trains: auto takes a GPU where there is one.",
        choices=("auto", "cpu", "cuda", "mps"),
        entry="gpu-and-vram",
    ),
    Knob(
        name="precision",
        default="auto",
        help="How many bits a number has in the products: auto takes what was fastest on this machine.",
        choices=("auto", "float32", "bfloat16"),
        entry="mixed-precision",
    ),
    Knob(
        name="threads",
        default=0,
        help="Processor threads; 0 takes what was fastest on this machine.",
        low=0,
        high=256,
        unit="threads",
    ),
)
"""What is not a family's to say."""


class LaunchScreen(Page):
    """A form made from the family's spec."""

    CSS_PATH = "launch.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "start", "Run", id="launch.start", tooltip="Start the run", priority=True),
        Binding(
            "ctrl+t",
            "preset",
            "Next preset",
            id="launch.preset",
            tooltip="The next preset of this family",
            priority=True,
        ),
        # First in line, so that what is typed right after an arrow lands in the row that it went to.
        Binding("down", "app.focus_next", "Next", id="launch.next", show=False, priority=True),
        Binding("up", "app.focus_previous", "Previous", id="launch.previous", show=False, priority=True),
        Binding("c", "code", "Code", id="launch.code", tooltip="The model's file"),
    ]

    def __init__(self, target: RunTarget) -> None:
        """Show the knobs of `target`, its changes filled in."""
        super().__init__()
        self._target = target

    def crumbs(self) -> str:
        """Return family and preset."""
        return f" ‹ Train   {self._target.family.title} / {self._target.preset.name}"

    def body(self) -> Iterator[Widget]:
        """Knobs at the left, their explanation and the cost at the right."""
        yield Horizontal(
            VerticalScroll(*self._rows(), id="knobs", can_focus=False),
            Vertical(
                Static("", id="about", markup=False),
                Static("", id="help", markup=False),
                Static("", id="cost", markup=False),
                Button("Run  ^r", id="start", variant="primary"),
                id="side",
            ),
            id="form",
        )

    def on_mount(self) -> None:
        """Warm a worker, so that the run starts at once; say what the preset is."""
        self.query_one("#cost").border_title = "It will take"
        self.query_one("#help").border_title = "This knob"
        self._describe()
        if self.services.ready:
            self.run_worker(self.services.launcher.warm, thread=True, exit_on_error=False)
        self._to_first()

    def refresh_content(self) -> None:
        """Estimate anew: a run may have ended that tells the machine's speed."""
        self._describe()

    def _rows(self) -> list[Widget]:
        preset = self._target.family.configure(self._target.preset.name).values()
        values = {**preset, **self._target.changes}
        rows: list[Widget] = []
        for title, knobs in self._groups():
            rows.append(Static(title, classes="group", markup=False))
            rows += [
                KnobRow(each, values.get(each.name, each.default), preset.get(each.name, each.default))
                for each in knobs
            ]
        return rows

    def _groups(self) -> list[tuple[str, list[Knob]]]:
        """Return the data and the family's own knobs first, those of every family then, the machine's last."""
        common = {each.name for each in Spec.knobs()}
        knobs = list(self._target.family.spec.knobs())
        data = [each for each in knobs if each.name == "data"]
        if self._listed():
            choices = (*self._target.family.data, *([OWN_FILE] * bool(self._target.family.own_data)))
            data = [replace(each, choices=choices) for each in data]
        own = [each for each in knobs if each.name not in common]
        training = [each for each in knobs if each.name in common and each.name != "data"]
        machine = [replace(each, default=self._target.seed) if each.name == "seed" else each for each in MACHINE]
        return [("data and model", data + own), ("training", training), ("this run", machine)]

    def _listed(self) -> bool:
        """Whether the data that the target names is one of the family's list (else it is a file, to be typed)."""
        preset = self._target.family.configure(self._target.preset.name, self._target.changes)
        return preset.data in self._target.family.data

    # What it says

    def _describe(self) -> None:
        preset = self._target.preset
        self.query_one("#about", Static).update(
            Content.assemble((safe(preset.name), "bold $accent"), "  ", safe(preset.help))
        )
        self._show_cost()

    def _show_cost(self) -> None:
        cost = self.query_one("#cost", Static)
        troubled = [row for row in self.query(KnobRow) if row.value is None]
        if troubled:
            cost.update(Content.styled(f"{troubled[0].knob.name.replace('_', ' ')} {troubled[0].trouble}.", "$error"))
            return
        try:
            spec = self._wanted().spec
            store = self.services.store if self.services.ready else None
            cost.update(Content("\n").join(cost_lines(estimate(self._target.family, self._target.preset, spec, store))))
        except LexigradError as error:
            cost.update(Content.styled(safe(str(error)), "$error"))

    def _wanted(self) -> RunTarget:
        machine = {each.name for each in MACHINE}
        changes: dict[str, Value] = {
            row.knob.name: row.value
            for row in self.query(KnobRow)
            if row.value is not None and row.knob.name not in machine
        }
        return replace(self._target, changes=changes, seed=int(self._machine_value("seed") or 0))

    def _machine_value(self, name: str) -> Value | None:
        return self.query_one(f"#knob-{name}", KnobRow).value

    @on(DescendantFocus)
    def _at_knob(self, event: DescendantFocus) -> None:
        node = event.widget.parent
        if isinstance(node, KnobRow):
            self.query_one("#help", Static).update(self._about(node.knob))

    def _about(self, knob: Knob) -> Content:
        """Return what a knob is, whether it may be turned later, and the page that explains it."""
        parts = [Content.styled(knob.name.replace("_", " "), "bold"), Content(safe(knob.help))]
        if knob.live:
            parts.append(Content.styled("May be turned while it trains.", "$success"))
        if self.services.is_written(knob.entry):
            title = safe(self.services.library.term(knob.entry.partition("#")[0]))
            parts.append(Content.assemble(("? ", "$accent"), (title, "$text-muted")))
        return Content("\n").join(parts)

    @on(KnobRow.Changed)
    def _changed(self) -> None:
        self._show_cost()

    # Keys

    @on(Button.Pressed, "#start")
    def _pressed(self) -> None:
        self.action_start()

    def action_start(self) -> None:
        """Start what the form says."""
        troubled = [row for row in self.query(KnobRow) if row.value is None]
        if troubled:
            troubled[0].query_one("#field").focus()
            self.notify(f"{troubled[0].knob.name} {troubled[0].trouble}.", severity="error", markup=False)
            return
        try:
            recipes = plan([self._wanted()], self.services)
        except LexigradError as error:
            self.notify(safe(str(error)), severity="error", markup=False)
            return
        asked = Asked(
            device=str(self._machine_value("device")),
            precision=str(self._machine_value("precision")),
            threads=int(self._machine_value("threads") or 0),
        )
        import msgspec

        launch(self.lexigrad, [msgspec.structs.replace(recipe, asked=asked) for recipe in recipes], instead=True)

    async def action_preset(self) -> None:
        """Fill the form with the next preset."""
        presets = self._target.family.presets
        at = [each.name for each in presets].index(self._target.preset.name)
        following = presets[(at + 1) % len(presets)]
        self._target = replace(self._target, preset=following, changes={}, start=following.start)
        knobs = self.query_one("#knobs", VerticalScroll)
        await knobs.remove_children()
        await knobs.mount_all(self._rows())
        self.query_one(TopBar).set_crumbs(self.crumbs())
        self._describe()
        self._to_first()

    def _to_first(self) -> None:
        """Put the cursor on the first knob, and say what that is."""
        first = self.query(KnobRow).first()
        first.query_one("#field").focus()
        self.query_one("#help", Static).update(self._about(first.knob))

    def action_code(self) -> None:
        """Show the model's file."""
        from pathlib import Path

        import engine
        from tui.screens.code import CodeScreen

        root = Path(engine.__path__[0])
        self.app.push_screen(CodeScreen([root / path for path in self._target.family.code]))

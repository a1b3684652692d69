"""A lab: the question, what one predicts, its runs side by side, and the findings against the prediction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static

from engine.core.errors import LexigradError
from engine.core.inquiry import Inquiry, begin, conclude, go_on, live, stop, unfinished
from engine.core.spec import Settings, Value
from engine.core.stepping import SENTENCE
from tui import lab_words
from tui.findings import found_about
from tui.render.safe import safe
from tui.screens.page import Page
from tui.widgets.menu import Menu
from tui.widgets.panel import PanelWidget
from tui.widgets.panels import make_panel
from tui.widgets.topbar import TopBar

if TYPE_CHECKING:
    from engine.core.experiments import Experiment
    from engine.core.lab import Lab

SEEDS = (1, 3, 5, 10)
"""Over how many seeds a lab can be asked for with one key."""


class Arms(Menu, can_focus=False):
    """The list of runs is there to be seen and clicked; the keys are those of the lab."""


class LabScreen(Page):
    """Asks first, then shows; what was found about the same sentences before stays hidden until it was predicted."""

    CSS_PATH = "lab.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "begin", "Begin", id="lab.begin", tooltip="Start the runs, or go on with them"),
        Binding("w", "watch", "Watch", id="lab.watch", tooltip="All panels of these runs"),
        Binding("t", "through", "Step through", id="lab.through", tooltip="What was computed, one step at a time"),
        Binding("s", "stop", "Stop", id="lab.stop", tooltip="Stop; what is finished is kept"),
        Binding("plus", "seeds", "Seeds", id="lab.seeds", tooltip="Over how many seeds: 1, 3, 5 or 10"),
        Binding("f", "form", "Form", id="lab.form", tooltip="Quick, or the long form"),
        Binding("e", "knobs", "Knobs", id="lab.knobs", tooltip="What the lab lets you change"),
        Binding("a", "again", "Again", id="lab.again", tooltip="Ask anew: predict, and measure once more"),
        Binding("p", "page", "Its page", id="lab.page", tooltip="The entry that this lab belongs to"),
        Binding("j,down", "scroll(1)", "Down", id="lab.down", show=False),
        Binding("k,up", "scroll(-1)", "Up", id="lab.up", show=False),
        *(
            Binding(str(number), f"predict({number})", f"Predict {number}", id=f"lab.predict{number}", show=False)
            for number in range(1, 10)
        ),
    ]

    def __init__(self, lab: Lab, form: str = "", seeds: int = 1) -> None:
        """Show `lab`, to be asked in a form over some seeds."""
        super().__init__()
        self._lab = lab
        self._form = form or lab.presets[0].name
        self._seeds = seeds
        self._changes: dict[str, Value] = {}
        self._predictions: dict[str, str] = {}
        self._experiment: Experiment | None = None
        self._shown: Experiment | None = None
        self._at_work = False
        self._concluding = False
        self._nudged = False

    def crumbs(self) -> str:
        """Return the door and the lab's title."""
        return f" ‹ Labs   {self._lab.title}"

    def body(self) -> Iterator[Widget]:
        """Words at the left, the runs at the right."""
        forecasts = [Static("", classes="forecast", id=f"forecast-{each.id}") for each in self._lab.forecasts]
        yield Horizontal(
            VerticalScroll(
                Static(lab_words.question(self._lab), id="question"),
                *forecasts,
                Static("", id="terms"),
                Static("", id="standing"),
                Static("", id="findings"),
                Static("", id="why"),
                id="words",
                can_focus=False,
            ),
            Vertical(Arms(id="arms"), Container(id="panel"), id="sight"),
            id="lab",
        )

    async def on_mount(self) -> None:
        """Take up the newest experiment that has not come to its end, or else the newest."""
        await self.query_one("#panel").mount(make_panel(self._lab.watch))
        if self.services.ready:
            self.refresh_content()
            self.run_worker(self.services.launcher.warm, thread=True, exit_on_error=False)

    def refresh_content(self) -> None:
        """Show what there is by now."""
        if self._experiment is None and not self._predictions:
            self._experiment = self.services.experiments.latest(self._lab.name, ended=False)
        self._show()

    def runs_changed(self, changed: frozenset[str]) -> None:
        """A run of it moved, or came to its end."""
        if self._experiment is not None and changed & set(self._experiment.ids):
            self._show()

    # What it says

    def _show(self) -> None:
        experiment, before = self._experiment, (self._shown, self._at_work)
        left = self._look()
        over = experiment is not None and not (experiment.ended or self._at_work or left)
        if experiment is not None and over and not self._concluding:
            self._concluding = True
            self.run_worker(lambda: self._judge(experiment), thread=True, exit_on_error=False)
        self._show_forecasts()
        terms = self.query_one("#terms", Static)
        terms.display = experiment is None
        terms.update(lab_words.terms(self._lab, self._form, self._seeds, self._changes))
        self.query_one("#standing", Static).update(lab_words.standing(experiment, left, self._at_work))
        self._show_findings()
        self._show_runs()
        self.query_one(TopBar).refresh_status(self.services)
        self._shown = experiment
        if before != (experiment, self._at_work):
            self.refresh_bindings()

    def _look(self) -> int:
        """Note whether a run is at work; return how many have not come to their end."""
        experiment, store = self._experiment, self.services.store
        if experiment is None or experiment.ended:
            self._at_work = False
            return 0
        self._at_work = live(experiment, store)
        return len(unfinished(experiment, store))

    def _show_forecasts(self) -> None:
        experiment = self._experiment
        made = experiment.predictions if experiment is not None else self._predictions
        outcomes = experiment.outcomes if experiment is not None else {}
        open_one = self._open_forecast()
        for each in self._lab.forecasts:
            words = lab_words.forecast(
                each, made.get(each.id, ""), outcomes.get(each.id, ""), here=experiment is None and each.id == open_one
            )
            self.query_one(f"#forecast-{each.id}", Static).update(words)

    def _open_forecast(self) -> str:
        """Return the forecast that the number keys answer: the first without an answer, else the last."""
        ids = [each.id for each in self._lab.forecasts]
        return next((id_ for id_ in ids if id_ not in self._predictions), ids[-1] if ids else "")

    def _show_findings(self) -> None:
        known = self._experiment is not None and bool(self._experiment.ended)
        findings, why = self.query_one("#findings", Static), self.query_one("#why", Static)
        findings.display = why.display = known
        if not known:
            return
        parts: list[Content] = []
        for each in self._lab.statements:
            found = found_about(self._lab.name, each.id, each.says, self.services)
            parts += [lab_words.finding(each.says, found), Content("")]
        findings.update(Content("\n").join(parts[:-1]))
        why.update(lab_words.reasons(self._lab))

    def _show_runs(self) -> None:
        arms, panel = self.query_one("#arms", Menu), self.query_one("#panel")
        experiment = self._experiment
        if experiment is None:
            planned = [
                (arm.name, Content.styled(safe(arm.title), "$text-muted"), True)
                for arm in self._lab.arms(self._settings())
            ]
            arms.fill([("planned", Content.styled("It will run, for each seed:", "$text-muted"), True), *planned])
            panel.display = False
            return
        views = {view.id: view for view in self.services.watch.views(experiment.ids)}
        arms.fill(lab_words.arm_lines(self._lab, experiment, views))
        shown = [views[id_] for id_ in experiment.ids if id_ in views]
        drawn = [view for view in shown if any(name in view.series for name in self._lab.watch.events)]
        panel.display = bool(drawn)
        if drawn:
            panel.query_one(PanelWidget).show(drawn[-1], tuple(drawn[:-1]))

    def _settings(self) -> Settings:
        return self._lab.configure(self._form, self._changes)

    # Keys

    def applies(self, action: str) -> bool:
        """What is asked can be changed before the runs begin; what runs can be stopped."""
        asking = self._experiment is None
        if action in {"seeds", "form", "knobs"}:
            return asking
        if action == "stop":
            return not asking and self._at_work
        if action == "through":
            return bool(self._steppable())
        if action in {"watch", "again"}:
            return not asking
        if action == "begin":
            return asking or not (self._at_work or (self._experiment is not None and self._experiment.ended))
        return super().applies(action)

    def action_predict(self, number: int) -> None:
        """Make a prediction; it may be changed until the runs begin."""
        id_ = self._open_forecast()
        each = next((each for each in self._lab.forecasts if each.id == id_), None)
        if self._experiment is None and each is not None and number <= len(each.choices):
            self._predictions[each.id] = each.choices[number - 1]
            self._show()

    def action_begin(self) -> None:
        """Start the runs, or train what is left of them."""
        if not self.applies("begin"):
            return
        missing = len(self._lab.forecasts) - len(self._predictions)
        if self._experiment is None and missing and not self._nudged:
            self._nudged = True
            self.notify("Predict first: press the number of your guess. Enter again begins without.", markup=False)
            return
        services = self.services
        try:
            if self._experiment is None:
                inquiry = Inquiry(
                    lab=self._lab,
                    form=self._form,
                    settings=self._settings(),
                    seeds=tuple(range(self._seeds)),
                    predictions=self._predictions,
                )
                self._experiment = begin(inquiry, services.experiments, services.launcher)
            else:
                go_on(self._experiment, services.launcher)
        except LexigradError as error:
            self.notify(safe(str(error)), title="The lab did not start", severity="error", markup=False)
            return
        services.watch.rescan()
        self._show()

    def _judge(self, experiment: Experiment) -> None:
        """Judge what was measured, beside the screen, and show it."""
        services = self.services
        try:
            done = conclude(self._lab, experiment, services.store, services.experiments)
        except Exception as error:
            sentence = safe(f"What was measured could not be judged: {error}")
            self.app.call_from_thread(self.notify, sentence, severity="error", markup=False)
            return
        self.app.call_from_thread(self._judged, done)

    def _judged(self, experiment: Experiment) -> None:
        self._concluding = not experiment.ended
        self._experiment = experiment
        self._show()

    def action_stop(self) -> None:
        """Stop all that is left to do; finished runs stand."""
        self._look()
        if self._experiment is not None and self._at_work:
            stop(self._experiment, self.services.launcher)
            self.services.watch.rescan()

    def action_again(self) -> None:
        """Ask the question anew."""
        if self._experiment is None:
            return
        if self._at_work:
            self.notify("It is at work; s stops it.", markup=False)
            return
        self._experiment, self._predictions, self._nudged, self._concluding = None, {}, False, False
        self._show()
        self.query_one("#words").scroll_home(animate=False)

    def action_seeds(self) -> None:
        """Ask over more seeds, or over one again."""
        if self._experiment is None:
            at = SEEDS.index(self._seeds) if self._seeds in SEEDS else 0
            self._seeds = SEEDS[(at + 1) % len(SEEDS)]
            self._show()

    def action_form(self) -> None:
        """Ask in the next form."""
        if self._experiment is None:
            names = [preset.name for preset in self._lab.presets]
            self._form = names[(names.index(self._form) + 1) % len(names)]
            self._changes = {}
            self._show()

    def action_knobs(self) -> None:
        """Turn the lab's knobs."""
        from tui.screens.knobs import LabKnobs

        if self._experiment is None:
            self.app.push_screen(LabKnobs(self._lab, self._form, self._changes), self._turned)

    def _turned(self, changes: dict[str, Value] | None) -> None:
        if changes is not None:
            self._changes = changes
            self._show()

    @on(OptionList.OptionSelected, "#arms")
    def _picked(self, event: OptionList.OptionSelected) -> None:
        if self._experiment is not None:
            self.lexigrad.open_place(f"run/{event.option.id}")

    def action_watch(self) -> None:
        """Open the run screen on all of them."""
        if self._experiment is not None:
            ids = [id_ for id_ in self._experiment.ids if self.services.watch.views([id_])]
            if ids:
                self.lexigrad.open_place("run/" + ",".join(ids))

    def _steppable(self) -> str:
        """Return the first run that says what each of its steps did; empty where none does."""
        ids = self._experiment.ids if self._experiment is not None else []
        return next((view.id for view in self.services.watch.views(ids) if SENTENCE in view.latest), "")

    def action_through(self) -> None:
        """Go through what was computed, one step at a time."""
        if self._steppable():
            self.lexigrad.open_place(f"steps/{self._steppable()}")

    def action_page(self) -> None:
        """Open the lab's entry."""
        self.lexigrad.open_place(f"read/{self._lab.entry}")

    def action_scroll(self, by: int) -> None:
        """Scroll the words."""
        self.query_one("#words").scroll_relative(y=by, animate=False)

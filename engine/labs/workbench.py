"""Where a lab computes: a run's folder, its knobs, the runs that it reads, and a pen for what is found.

A computation is a function of a `Workbench`. It is a run like any other: its events are drawn as they come, it can be
paused and stopped between two steps, and what it ends with is its headline.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import msgspec

from engine import catalog
from engine.core import control
from engine.core.errors import LexigradError, RunError, UsageError
from engine.core.events import Answer, Event, Finished, Note, Phase, Scalars, Started, number
from engine.core.follow import Follower
from engine.core.kept_code import keep_code
from engine.core.recipe import Asked, Recipe, Resolved, read_recipe, write_recipe
from engine.core.spec import Computation, Settings
from engine.core.store import Run
from engine.core.view import RunView
from engine.train.orders import Ending, Orders
from engine.train.writer import RunWriter


class Ended(Exception):
    """A person or a signal ended the computation; it is no error."""


@dataclass(kw_only=True)
class Workbench:
    """One computation at work.

    Attributes:
        folder: of the run; the computation may keep files of its own in it.
        settings: the knobs, complete.
        seed: of all chance.
        asked: device, threads and precision, as far as the person cares.
        step: how many steps were made.
    """

    folder: Path
    settings: Settings
    seed: int
    asked: Asked
    inputs: Mapping[str, str]
    """Arm -> id of its run, for the arms that this one reads."""
    writer: RunWriter
    orders: Orders
    total_steps: int = 0
    step: int = 0
    figures: dict[str, float] = field(default_factory=dict)
    """What stands in the headline when it ends; lower-case names with units in the lab's declaration."""

    def __post_init__(self) -> None:
        self._began = time.perf_counter()
        self._phase = "computing"

    def start(self, total_steps: int, *, parameters: int = 0) -> None:
        """Say how many steps there will be; the first thing that a computation does, once."""
        self.total_steps = total_steps
        device = f"cpu, {self.asked.threads or 'all'} threads"
        self.emit(Started(total_steps=total_steps, device=device, parameters=parameters, exactness="bitwise"))
        self.emit(Phase(name=self._phase))

    def emit(self, *events: Event) -> None:
        """Write events, each stamped with the present step and time."""
        now = round(self.seconds, 3)
        self.writer.emit_all([msgspec.structs.replace(event, s=self.step, t=now) for event in events])

    def say(self, text: str, level: str = "info") -> None:
        """Tell whoever watches."""
        self.emit(Note(text=text, level=level))

    def enter(self, phase: str) -> None:
        """Begin another phase, and say so."""
        self._phase = phase
        self.emit(Phase(name=phase))
        self._beat(at_once=True)

    @property
    def seconds(self) -> float:
        """Seconds of work, pauses left out."""
        return time.perf_counter() - self._began - self.orders.idle

    def advance(self, **scalars: float) -> None:
        """Finish a step: note its scalars, obey who asks for a pause or the end. To be called at least every 30 s.

        A ``/`` in a scalar's name is written as ``__``: ``valid__loss`` is ``valid/loss``.

        Raises:
            Ended: a person or a signal wants it to end.
        """
        self.step += 1
        if scalars:
            values = {name.replace("__", "/"): number(value) for name, value in scalars.items()}
            self.emit(Scalars(n=self.step, v=values))
        self._beat()
        self._obey()
        if self.orders.paused and not self.orders.ending:
            self._beat(at_once=True, phase="paused")
            while self.orders.holding():
                self.orders.hold()
                self._beat(phase="paused")
                self._obey()
        self.orders.stepped()
        if self.orders.ending:
            raise Ended

    def _obey(self) -> None:
        for name, command in self.orders.look():
            try:
                text, ok = self.orders.obey(command, _no_knob), True
            except LexigradError as error:
                text, ok = str(error), False
            control.done(self.folder, name)
            self.emit(Answer(command=control.name_of(command), ok=ok, text=text))

    def _beat(self, *, at_once: bool = False, phase: str = "") -> None:
        pace = self.seconds / max(self.step, 1)
        self.writer.status(phase or self._phase, self.step, self.total_steps, pace, at_once=at_once)

    def read(self, arm: str) -> RunView:
        """Return the run of an arm that this computation reads.

        Raises:
            RunError: it is not there, or has not come to its end.
        """
        run = Run(self.run_folder(arm))
        if run.state() != "finished":
            raise RunError(f"{run.id} has not come to its end ({run.state()}).", "Go on with the lab.")
        return Follower(run).catch_up()

    def run_folder(self, arm: str) -> Path:
        """Return the folder of an arm's run."""
        return self.folder.parent / Path(self.inputs[arm]).name

    def finish(self, *, stopped: bool = False) -> None:
        """Write the headline: the end of the log."""
        self.emit(Finished(headline={name: number(value) for name, value in self.figures.items()}, stopped=stopped))
        self._beat(at_once=True, phase="finished")


def _no_knob(order: control.SetKnob) -> str:
    raise UsageError(f"'{order.name}' cannot change while the lab computes.", "Start it again with the new value.")


def compute(folder: Path, writer: RunWriter, orders: Orders) -> Ending:
    """Carry out the computation whose recipe lies in `folder`; return how it ended (empty: by itself).

    Raises:
        LexigradError: recipe or inputs cannot be used; with what to do.
    """
    writer.status("starting", 0, 0, at_once=True)
    recipe = read_recipe(folder)
    known = catalog.runnable(recipe.family)
    if not isinstance(known, Computation):
        raise RunError(f"{recipe.family} is no computation of a lab.", "Train it instead.")
    bench = Workbench(
        folder=folder,
        settings=known.spec.of(recipe.knobs),
        seed=recipe.seed,
        asked=recipe.asked,
        inputs={role: given.run for role, given in recipe.inputs.items()},
        writer=writer,
        orders=orders,
    )
    keep_code(folder, known.code)
    module, _, name = known.compute.partition(":")
    _resolve(folder, recipe)
    try:
        getattr(import_module(module), name)(bench)
    except Ended:
        if orders.ending == "stopped":
            bench.finish(stopped=True)
        return orders.ending
    bench.finish()
    return ""


def _resolve(folder: Path, recipe: Recipe) -> None:
    """Write into the recipe that it ran on the CPU, once."""
    if recipe.resolved is None:
        resolved = Resolved(device="cpu", threads=recipe.asked.threads, precision="float32")
        write_recipe(msgspec.structs.replace(recipe, resolved=resolved), folder)

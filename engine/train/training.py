"""A run while it is trained: its state by name, and the rare work of the loop (reports, evaluation, drawings,
checkpoints).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import msgspec

from engine.core.errors import RunError
from engine.core.events import Event, Finished, Note, Number, Phase, Saved, Scalars, Started, number
from engine.core.recipe import Recipe
from engine.core.spec import Family, Value
from engine.train.advance import Advance
from engine.train.checkpoint import State, save_checkpoint
from engine.train.device import Place
from engine.train.evaluate import evaluate, looking_at
from engine.train.governor import Governor
from engine.train.learner import Learner
from engine.train.meter import LOSS, Meter, Readings
from engine.train.orders import Orders
from engine.train.randomness import random_states
from engine.train.stopwatch import Lap, Stopwatch
from engine.train.writer import RunWriter

SAVE_AGAIN_SECONDS = 60.0
"""After a checkpoint that could not be written."""


@dataclass(kw_only=True)
class Training:
    """One run as it is being trained."""

    folder: Path
    recipe: Recipe
    family: Family
    learner: Learner
    place: Place
    writer: RunWriter
    orders: Orders
    governor: Governor
    meter: Meter
    total_steps: int
    exactness: str
    """What a resume promises here: ``bitwise`` or ``same order``."""
    remarks: list[str] = field(default_factory=list)
    """What a person has to know about how this start came about, such as a checkpoint that was damaged."""
    state: State = field(default_factory=State)
    """What an earlier process of this run had come to."""

    def __post_init__(self) -> None:
        self.step = self.state.step
        """How many updates have been made."""
        self.phase = "training"
        self.latest: dict[str, float] = dict(self.state.metrics)
        """The last value of every scalar."""
        self.turned: dict[str, Value] = dict(self.state.knobs)
        """Live knobs that a person has changed."""
        self.watch = Stopwatch(self.state.seconds, self.step, lambda: self.orders.idle)
        self.advance = Advance(self.learner, capture=self.place.capture and self.learner.capturable, say=self.say)
        self.samples_per_step: int = self.learner.spec.batch_size
        self._evaluated_at = self._saved_at = -1
        self._best = -math.inf
        self._baselines: Iterator[Event] | None = None
        self._baselines_done = self.state.baselines

    def emit(self, *events: Event) -> None:
        """Write events, each stamped with the present step and time."""
        now = round(self.watch.seconds, 3)
        self.writer.emit_all([msgspec.structs.replace(event, s=self.step, t=now) for event in events])

    def say(self, text: str, level: str = "info") -> None:
        """Tell whoever watches."""
        self.emit(Note(text=text, level=level))

    def enter(self, phase: str) -> None:
        """Begin another phase, and say so."""
        if phase != self.phase:
            self.phase = phase
            self.emit(Phase(name=phase))
        self.beat(at_once=True)

    def beat(self, *, at_once: bool = False) -> None:
        """Renew the heart-beat."""
        pace = self.latest.get("ms_per_step", 0.0) / 1000
        self.writer.status(self.phase, self.step, self.total_steps, pace, at_once=at_once)

    def start(self) -> None:
        """Say what is trained where, and what there is to know about it."""
        started = Started(
            total_steps=self.total_steps,
            samples_per_step=self.samples_per_step,
            device=self.place.describe(),
            parameters=sum(each.numel() for each in self.learner.optimizers.parameters),
            exactness=self.exactness,
        )
        self.emit(started, Phase(name=self.phase), *(Note(text=remark, level="warning") for remark in self.remarks))
        self.beat(at_once=True)
        self.learner.mode(training=True)

    def report(self, *, everything: bool = False) -> None:
        """Fetch the scalars of the steps since the last report, the one crossing from device to host, and write them.

        Raises:
            RunError: one of them is not finite.
        """
        self.beat()
        readings = self.meter.cross(everything=everything)
        if not readings.steps:
            return
        lap = self.watch.lap(self.step)
        last = readings.values[-1]
        if lap.steps:
            last |= self._pace(lap)
        self.latest |= {name: value for name, value in last.items() if math.isfinite(value)}
        self._write_scalars(readings, lap.times_of(readings.steps, self.step))
        if not readings.finite and (broken := readings.broken()) is not None:
            raise self._diverged(readings.steps[broken], readings.values[broken])

    def _write_scalars(self, readings: Readings, times: list[float]) -> None:
        """Write a line for each reading."""
        values = cast("list[dict[str, Number]]", readings.values)
        if not readings.finite:
            values = [{name: number(value) for name, value in each.items()} for each in readings.values]
        samples = self.samples_per_step
        self.writer.emit_all(
            [
                Scalars(s=step, t=seconds, n=step * samples, v=each)
                for step, seconds, each in zip(readings.steps, times, values, strict=True)
            ]
        )

    def _pace(self, lap: Lap) -> dict[str, float]:
        """Return learning rate, overhead and speed."""
        pace = {"learning_rate": self.learner.optimizers.current, "overhead": self.governor.overhead}
        if self.step > self.state.step + 1:  # the first step of a process also loads kernels
            pace["ms_per_step"] = 1000 * lap.seconds_a_step
            pace["samples_per_second"] = self.samples_per_step / lap.seconds_a_step
            if self.learner.tokens_per_sample:
                pace["tokens_per_second"] = pace["samples_per_second"] * self.learner.tokens_per_sample
        return pace

    def _diverged(self, step: int, values: dict[str, float]) -> RunError:
        """Say that training broke down, and what helps."""
        where = "loss" if not math.isfinite(values[LOSS]) else "gradient"
        kept = (
            f"the checkpoint of step {self._saved_at:,} stands" if self._saved_at >= 0 else "that update was not made"
        )
        return RunError(
            f"The {where} was no finite number at step {step:,}; {kept}.",
            f"Use a smaller learning_rate than {self.learner.spec.learning_rate:g}, or clip the gradient (clip=1).",
        )

    @contextmanager
    def chore(self, name: str) -> Iterator[None]:
        """Time what is done inside as a chore of that name; all steps so far are reported first."""
        self.report(everything=True)
        with self.governor.measured(name):
            yield
        self.watch.skip()

    def evaluate(self) -> None:
        """Measure the model on the validation split, once a step."""
        if self._evaluated_at == self.step:
            return
        self.learner.step = self.step
        with self.chore("evaluate"):
            measured = evaluate(self.learner)
        self._evaluated_at = self.step
        self.latest |= measured
        if self._score() > self._best:
            self._best = self._score()
            self.governor.hasten("save")
        if measured:
            finite = all(map(math.isfinite, measured.values()))
            self._write_scalars(Readings([self.step], [measured], finite), [round(self.watch.seconds, 4)])

    def draw(self) -> None:
        """Write what the family's panels show now."""
        with self.chore("draw"), looking_at(self.learner):
            self.emit(*self.learner.draw(self.step))

    def baseline(self) -> bool:
        """Compute the next reference line; return whether there was one."""
        with self.chore("baseline"), looking_at(self.learner):
            if self._baselines is None:
                self._baselines = self.learner.baselines()
                for _ in range(self._baselines_done):
                    next(self._baselines, None)
            event = next(self._baselines, None)
        if event is None:
            self.governor.postpone("baseline", math.inf)
            return False
        self._baselines_done += 1
        self.emit(event)
        return True

    def save(self) -> None:
        """Write a checkpoint; a full disk is told, and tried again later."""
        self.orders.wants_save = False
        if self._saved_at == self.step:
            return
        with self.chore("save"):
            random = {f"random.{name}": state for name, state in random_states(self.place.device).items()}
            with looking_at(self.learner):
                model = {name: tensor.cpu().clone() for name, tensor in self.learner.weights().items()}
            path = digest = ""
            try:
                path, digest = save_checkpoint(self.folder, self._state(), model, {**self.learner.state(), **random})
            except OSError as error:
                self.say(f"The checkpoint of step {self.step:,} could not be written ({error.strerror}).", "warning")
        if not path:
            self.governor.postpone("save", SAVE_AGAIN_SECONDS)
            return
        self._saved_at = self.step
        self.emit(Saved(path=path, digest=digest))

    def _score(self) -> float:
        """Return the first headline metric of this step as something that is better when larger; NaN without one."""
        first = self.family.headline[0]
        value = self.latest.get(first.name, math.nan) if self._evaluated_at == self.step else math.nan
        return value if first.higher else -value

    def _state(self) -> State:
        """Return what a resume restores that is no tensor."""
        score = self._score()
        return State(
            step=self.step,
            samples=self.step * self.samples_per_step,
            seconds=self.watch.seconds,
            knobs=self.turned,
            metrics={name: value for name, value in self.latest.items() if math.isfinite(value)},
            headline=score if math.isfinite(score) else None,
            micro_batches=self.learner.micro_batches,
            baselines=self._baselines_done,
        )

    def finish(self) -> None:
        """Bring everything up to the last step: figures, drawings, reference lines, a checkpoint, the headline."""
        if self.orders.ending == "terminated":
            self.enter("stopping")
            self.save()
            return
        self.enter("finishing")
        self.evaluate()
        self.draw()
        while not self.orders.ending and self.baseline():
            pass
        self.save()
        headline = {
            each.name: number(self.latest[each.name]) for each in self.family.headline if each.name in self.latest
        }
        self.emit(Finished(headline=headline, stopped=self.orders.ending == "stopped"))
        self.phase = "finished"
        self.beat(at_once=True)

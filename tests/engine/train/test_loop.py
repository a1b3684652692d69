"""The loop as a person meets it: a run from its folder to its last event, commands, faults."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.core import control
from engine.core.errors import RunError
from engine.core.events import (
    Answer,
    Baseline,
    Failed,
    Finished,
    HeatMap,
    KnobChanged,
    Note,
    Phase,
    Saved,
    Scalars,
    Started,
)
from engine.core.recipe import read_recipe
from engine.families.mlp.learner import MLPLearner
from engine.train import meter
from engine.train.__main__ import train_run
from engine.train.assemble import assemble
from engine.train.attend import attend
from engine.train.checkpoint import checkpoints, load_checkpoint
from engine.train.loop import train
from engine.train.orders import Orders
from engine.train.training import Training
from engine.train.writer import RunWriter
from tests.engine.train.conftest import MakeRun, events_of


@pytest.fixture(autouse=True)
def no_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the handlers of the test's own process alone."""
    monkeypatch.setattr(Orders, "listen", lambda self: None)


@pytest.fixture(autouse=True)
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Report each step, however fast they follow one another."""
    monkeypatch.setattr(meter, "MOST_READINGS", 10**6)


def opened(folder: Path) -> Training:
    return assemble(folder, RunWriter(folder), Orders(folder))


def series(folder: Path, name: str) -> dict[int, float]:
    return {
        event.s: float(event.v[name]) for event in events_of(folder) if isinstance(event, Scalars) and name in event.v
    }


def test_a_run_says_what_it_is_how_it_goes_and_how_it_ended(make_run: MakeRun) -> None:
    folder = make_run(epochs=8.0)
    assert train_run(folder) == 0
    events = events_of(folder)
    first, last = events[0], events[-1]
    assert isinstance(first, Started)
    assert (first.total_steps, first.samples_per_step, first.parameters) == (200, 32, 114)
    assert first.device == "cpu, 1 thread, fp32" and first.exactness == "bitwise"
    assert isinstance(last, Finished) and last.s == 200
    assert last.headline["valid/accuracy"] == list(series(folder, "valid/accuracy").values())[-1]
    assert {type(event) for event in events} >= {Phase, Scalars, HeatMap, Baseline, Saved}
    losses = series(folder, "train/loss")
    assert losses[1] == pytest.approx(math.log(2), abs=0.02)
    assert losses[200] < losses[1]
    assert sorted(losses) == list(range(1, 201))


def test_every_line_carries_step_and_time_and_time_never_runs_back(make_run: MakeRun) -> None:
    folder = make_run()
    train_run(folder)
    times = [event.t for event in events_of(folder) if isinstance(event, Scalars)]
    assert times == sorted(times)


def test_the_recipe_learns_what_it_resolved_to_and_keeps_the_rest(make_run: MakeRun) -> None:
    folder = make_run()
    before = read_recipe(folder)
    train_run(folder)
    after = read_recipe(folder)
    assert after.resolved is not None
    assert (after.resolved.device, after.resolved.threads, after.resolved.precision) == ("cpu", 1, "float32")
    assert after.resolved.steps == 100 and after.resolved.data_digest and after.resolved.versions["torch"]
    assert after.knobs == before.knobs and after.seed == before.seed


def test_the_same_seed_gives_the_same_losses_and_another_gives_others(make_run: MakeRun) -> None:
    folders = [make_run("a", seed=1), make_run("b", seed=1), make_run("c", seed=2)]
    for folder in folders:
        train_run(folder)
    first, again, other = (series(folder, "train/loss") for folder in folders)
    assert first == again
    assert first != other


def test_the_final_checkpoint_holds_the_weights_that_were_evaluated(make_run: MakeRun) -> None:
    folder = make_run(ema=0.9)
    run = opened(folder)
    train(run)
    kept = load_checkpoint(checkpoints(folder)[-1])
    assert run.learner.average is not None
    averages = dict(zip(run.learner.average.names, run.learner.average.averages, strict=True))
    weights = run.learner.weights()
    assert all(torch.equal(kept.model[name], averages[name]) for name in averages)
    assert not torch.equal(weights["model.head.weight"], kept.model["model.head.weight"])
    assert torch.equal(kept.training["raw.model.head.weight"], weights["model.head.weight"])


def poisoned(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Let the loss of one step be NaN."""
    plain = MLPLearner.loss
    calls = iter(range(1, 10**6))

    def loss(self: MLPLearner, batch: Any) -> dict[str, Tensor]:
        scalars = plain(self, batch)
        return {**scalars, "loss": scalars["loss"] * float("nan")} if next(calls) == at else scalars

    monkeypatch.setattr(MLPLearner, "loss", loss)


def test_a_nan_changes_no_weight_and_stops_the_run_with_a_remedy(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make_run("whole")
    opened_whole = opened(whole)
    folder = make_run("poisoned")
    run = opened(folder)
    poisoned(monkeypatch, at=40)
    with pytest.raises(RunError, match="no finite number at step 40") as raised:
        train(run)
    assert "smaller learning_rate" in raised.value.remedy
    assert all(torch.isfinite(tensor).all() for tensor in run.learner.weights().values())
    assert "NaN" in [
        event.v["train/loss"] for event in events_of(folder) if isinstance(event, Scalars) and event.s == 40
    ]
    assert run.step - 40 <= 200 and opened_whole.step == 0


def test_a_failed_run_ends_in_the_event_that_says_why(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_run()
    poisoned(monkeypatch, at=30)
    assert train_run(folder) == 1
    last = events_of(folder)[-1]
    assert isinstance(last, Failed) and "step 30" in last.what and last.remedy


def test_missing_data_is_a_failed_run_that_names_the_remedy(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEXIGRAD_DATA", raising=False)
    folder = make_run(data="fashion-mnist")
    assert train_run(folder) == 1
    first, last = events_of(folder)[0], events_of(folder)[-1]
    assert isinstance(first, Started) and first.format == 1
    assert isinstance(last, Failed) and "lexigrad data get fashion-mnist" in last.remedy


def short_of_memory(monkeypatch: pytest.MonkeyPatch, largest: int) -> None:
    """Let every forward pass of more than `largest` examples run out of memory."""
    plain = MLPLearner.loss

    def loss(self: MLPLearner, batch: Any) -> dict[str, Tensor]:
        if len(batch[0]) > largest:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
        return plain(self, batch)

    monkeypatch.setattr(MLPLearner, "loss", loss)


def test_out_of_memory_cuts_the_batch_into_pieces_and_leaves_the_update_as_it_was(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make_run("whole")
    train_run(whole)
    short_of_memory(monkeypatch, largest=8)
    pieces = make_run("pieces")
    assert train_run(pieces) == 0
    notes = [event.text for event in events_of(pieces) if isinstance(event, Note)]
    assert [note for note in notes if "4 pieces" in note]
    expected, found = series(whole, "train/loss"), series(pieces, "train/loss")
    assert found.keys() == expected.keys()
    assert all(found[step] == pytest.approx(expected[step], abs=1e-4) for step in expected)


def test_a_single_example_that_does_not_fit_is_said_with_a_remedy(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_of_memory(monkeypatch, largest=0)
    with pytest.raises(RunError, match="single example") as raised:
        train(opened(make_run()))
    assert "batch_size" in raised.value.remedy


def test_a_loss_that_couples_examples_is_never_cut(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    short_of_memory(monkeypatch, largest=8)
    monkeypatch.setattr(MLPLearner, "batch_stats", True)
    with pytest.raises(RunError, match="couples the examples"):
        train(opened(make_run()))


def test_other_errors_of_a_step_are_not_taken_for_a_lack_of_memory(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def loss(self: MLPLearner, batch: Any) -> dict[str, Tensor]:
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(MLPLearner, "loss", loss)
    folder = make_run()
    assert train_run(folder) == 1
    last = events_of(folder)[-1]
    assert isinstance(last, Failed) and "shapes differ" in last.what and "log.txt" in last.remedy


def test_clipping_bounds_the_step_not_the_reported_norm(make_run: MakeRun) -> None:
    free, clipped = opened(make_run("free", optimizer="sgd")), opened(make_run("clipped", optimizer="sgd", clip=1e-3))
    start = {name: tensor.clone() for name, tensor in free.learner.weights().items()}
    for run in (free, clipped):
        run.learner.optimizers.schedule(1.0)
        scalars = run.learner.train_step(run.learner.batches().at(0))
        assert scalars["gradient_norm"] > 1e-2
    rate = free.learner.spec.learning_rate
    moved = (
        sum(float((tensor - start[name]).square().sum()) for name, tensor in clipped.learner.weights().items()) ** 0.5
    )
    assert moved == pytest.approx(1e-3 * rate, rel=1e-2)


# Commands


class Person:
    """Somebody who sends commands while the run trains in a thread, and waits for what they see."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ended = 0
        self.thread = threading.Thread(target=self._train)

    def _train(self) -> None:
        self.ended = train_run(self.folder)

    def __enter__(self) -> Person:
        self.thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self.thread.join(60)
        assert not self.thread.is_alive()

    def send(self, command: control.Command) -> Answer:
        """Send a command and return the answer to it."""
        answers = len(self.seen(Answer))
        control.send(self.folder, command)
        self.until(lambda: len(self.seen(Answer)) > answers)
        found: Answer = self.seen(Answer)[-1]
        return found

    def seen(self, kind: type) -> list[Any]:
        path = self.folder / "events.jsonl"
        return [event for event in events_of(self.folder) if isinstance(event, kind)] if path.exists() else []

    def until(self, condition: Callable[[], object]) -> None:
        until = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < until, "it never happened"
            time.sleep(0.01)

    def step(self) -> int:
        return max((event.s for event in self.seen(Scalars)), default=0)


@pytest.fixture
def person(make_run: MakeRun) -> Iterator[Person]:
    """A person before a long run that has begun."""
    folder = make_run(epochs=100_000.0)
    with Person(folder) as person:
        person.until(lambda: person.step() > 5)
        yield person
        if person.thread.is_alive():
            control.send(folder, control.Stop())


def test_pause_holds_still_steps_once_and_goes_on(person: Person) -> None:
    assert person.send(control.Pause()).ok
    person.until(lambda: person.seen(Phase)[-1].name == "paused")
    step = person.step()
    assert person.send(control.StepOnce()).ok
    person.until(lambda: person.step() == step + 1)
    person.until(lambda: person.seen(Phase)[-1].name == "paused")
    assert person.send(control.Resume()).ok
    person.until(lambda: person.step() > step + 5)
    assert person.seen(Phase)[-1].name == "training"


def test_going_on_during_the_single_step_of_a_pause_is_told(make_run: MakeRun) -> None:
    run = opened(make_run())
    run.enter("paused")
    run.orders.obey(control.StepOnce(), lambda order: "")
    attend(run)
    assert run.phase == "paused"
    run.orders.stepped()
    run.orders.obey(control.Resume(), lambda order: "")
    attend(run)
    assert run.phase == "training"
    assert [event.name for event in events_of(run.folder) if isinstance(event, Phase)] == ["paused", "training"]


def test_stop_saves_and_counts_as_stopped(person: Person) -> None:
    control.send(person.folder, control.Stop())
    person.thread.join(60)
    last = events_of(person.folder)[-1]
    assert isinstance(last, Finished) and last.stopped and person.ended == 0
    assert checkpoints(person.folder)[-1].name == f"step-{last.s:08d}"
    assert control.pending(person.folder) == []


def test_a_live_knob_turns_and_marks_the_curve(person: Person) -> None:
    assert person.send(control.SetKnob(name="learning_rate", value=0.0)).ok
    (change,) = person.seen(KnobChanged)
    assert (change.name, change.before, change.after) == ("learning_rate", 0.005, 0.0)
    person.until(lambda: series(person.folder, "learning_rate").get(person.step()) == 0.0)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (control.SetKnob(name="width", value=9), "cannot change while"),
        (control.SetKnob(name="nonsense", value=9), "cannot change while"),
        (control.SetKnob(name="learning_rate", value=-1.0), "a number from"),
        (control.SetKnob(name="learning_rate", value="high"), "a number from"),
        (control.StepOnce(side="generator"), "Nothing here is called 'generator'"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(person: Person, command: control.Command, words: str) -> None:
    answer = person.send(command)
    assert not answer.ok and words in answer.text
    assert person.seen(KnobChanged) == []


def test_slow_motion_spaces_the_steps_and_resume_ends_it(person: Person) -> None:
    person.send(control.Slow(seconds=0.2))
    step = person.step()
    person.until(lambda: person.step() > step)
    step, began = person.step(), time.monotonic()
    person.until(lambda: person.step() >= step + 3)
    assert time.monotonic() - began >= 0.35
    person.send(control.Resume())
    step = person.step()
    person.until(lambda: person.step() > step + 20)


def test_a_checkpoint_is_saved_when_asked_for(person: Person) -> None:
    before = len(person.seen(Saved))
    assert person.send(control.Checkpoint()).ok
    person.until(lambda: len(person.seen(Saved)) > before)


def test_a_file_that_is_no_command_is_answered_and_removed(person: Person) -> None:
    box = person.folder / control.FOLDER
    box.mkdir(exist_ok=True)
    (box / "00000000000000000001-1-0.json").write_text("{")
    person.until(lambda: person.seen(Answer))
    assert not person.seen(Answer)[-1].ok
    person.until(lambda: control.pending(person.folder) == [])

"""How a GPT learns: from chance, all of it, the same every time, and on from another run."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.core.errors import RunError
from engine.core.events import HeatMap, Histogram, Table, Text
from engine.data.examples import Corpus
from engine.data.text import UNKNOWN, cold_windows
from engine.families.gpt.learner import GPTLearner
from engine.families.gpt.spec import FAMILY, GPT_2, HEADS_DRAWN, GPTSpec
from engine.train.evaluate import evaluate, looking_at
from engine.train.learner import Setting

LETTERS = "abcdefgh ,.\n"
SMALL = {"layers": 2, "heads": 2, "width": 16, "context": 16, "batch_size": 4, "prompt": "a"}


def corpus(**parts: str) -> Corpus:
    text = "".join(np.random.default_rng(0).choice(list(LETTERS), 3000))
    return Corpus(name="toy", **{"train": text, "valid": text[:500], **parts})


def learner(data: Corpus | None = None, start: GPTLearner | None = None, **knobs: object) -> GPTLearner:
    torch.manual_seed(0)
    spec = GPTSpec.of({**SMALL, **knobs})  # type: ignore[arg-type]
    inputs = {} if start is None else {"model": start.weights()}
    return GPTLearner(Setting(spec, data or corpus(), 0, torch.device("cpu"), inputs=inputs))


def train(ours: GPTLearner, steps: int) -> list[float]:
    ours.mode(training=True)
    ours.optimizers.schedule(1.0)
    batches = ours.batches()
    return [float(ours.train_step(batches.at(step))["loss"]) for step in range(steps)]


def test_the_loss_starts_at_the_logarithm_of_the_vocabulary() -> None:
    ours = learner()
    assert evaluate(ours)["valid/loss"] == pytest.approx(math.log(len(LETTERS)), abs=1e-6)
    assert train(ours, 1)[0] == pytest.approx(math.log(len(LETTERS)), abs=1e-6)


def test_the_same_seed_gives_the_same_losses_with_dropout_too() -> None:
    assert train(learner(dropout=0.1), 6) == train(learner(dropout=0.1), 6)


@pytest.mark.parametrize(
    "knobs", [{}, GPT_2, {"activation": "swiglu", "bias": True}], ids=["modern", "gpt-2", "swiglu"]
)
def test_gradients_reach_every_parameter_and_are_finite(knobs: dict[str, object]) -> None:
    ours = learner(**knobs)
    train(ours, 4)  # away from the zeros, through which nothing flows
    ours.optimizers.clear()
    ours.loss(ours.batches().at(9))["loss"].backward()
    for name, parameter in ours.modules["model"].named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.count_nonzero() > 0, name


@pytest.mark.parametrize("knobs", [{}, {**GPT_2, "learning_rate": 0.01, "weight_decay": 0.0}], ids=["modern", "gpt-2"])
def test_learns_eight_examples_by_heart(knobs: dict[str, object]) -> None:
    ours = learner(width=32, batch_size=8, **knobs)
    batch = ours.batches().at(0)
    ours.optimizers.schedule(1.0)
    for _ in range(150):
        ours.train_step(batch)
    first = ours.loss((batch[0], batch[1]))["loss"]
    # What comes after one character alone cannot be known; all else can.
    by_heart = ours._losses(batch)[:, 4:]
    assert by_heart.mean() < 0.02
    assert first < 0.6


def test_validation_reads_every_character_but_the_first_once() -> None:
    ours = learner()
    train(ours, 3)
    with looking_at(ours):
        sums = [ours.valid_step(batch)["loss"] for batch in ours.valid_batches()]
        singly = [ours._losses(batch).sum() for batch in cold_windows(ours.valid_tokens, 16, 1)]
    assert sum(count for _, count in sums) == 499
    assert float(sum(total for total, _ in sums)) == pytest.approx(float(sum(singly)), rel=1e-5)


def test_draws_a_sample_attention_and_the_loss_by_position() -> None:
    ours = learner()
    train(ours, 3)
    measured = evaluate(ours)
    with looking_at(ours):
        sample, attention, *heads, positions = ours.draw(3)
        again = next(iter(ours.draw(3)))
    assert isinstance(sample, Text)
    assert sample == again
    assert sample.prompt == "a"
    assert set(sample.text) <= set(LETTERS)
    assert isinstance(attention, HeatMap)
    assert [sum(row) for row in attention.values] == pytest.approx([1.0] * 16, abs=0.02)
    assert len(heads) == 2 <= HEADS_DRAWN
    assert isinstance(positions, Histogram)
    widths = np.diff(positions.edges)
    assert len(widths) == len(positions.counts) == 16
    assert positions.edges[0] == 1  # a prediction has seen one token at least
    assert np.mean(positions.counts) == pytest.approx(measured["valid/loss"], abs=0.02)


def test_goes_on_from_another_run_with_its_vocabulary() -> None:
    base = learner()
    train(base, 5)
    questions = corpus(train="abcZ" * 300, valid="aabb" * 100)
    tuned = learner(questions, start=base)
    assert tuned.vocabulary.words == base.vocabulary.words
    assert len(tuned.train_tokens) == 900  # Z is unknown, and there is no sign for the unknown
    for ours, theirs in zip(tuned.weights().values(), base.weights().values(), strict=True):
        assert torch.equal(ours, theirs)
    before = evaluate(tuned)["valid/loss"]
    train(tuned, 30)
    assert evaluate(tuned)["valid/loss"] < before


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("adapt", ["lora", "head"])
def test_adapted_it_learns_by_what_may_move_alone(adapt: str, optimizer: str) -> None:
    base = learner()
    train(base, 5)
    tuned = learner(start=base, adapt=adapt, rank=2, optimizer=optimizer)
    table, *_ = tuned.draw(0)
    assert isinstance(table, Table)
    assert table.rows[-1][2] == f"{tuned.spec.parameters(0, len(LETTERS)):,}"
    assert not any(isinstance(each, Table) for each in tuned.draw(1))
    before = evaluate(tuned)["valid/loss"]
    assert before == pytest.approx(evaluate(base)["valid/loss"], abs=1e-6)
    train(tuned, 30)
    assert evaluate(tuned)["valid/loss"] != before
    assert sum(each.numel() for each in tuned.optimizers.parameters) == tuned.spec.parameters(0, len(LETTERS))
    for name, tensor in base.weights().items():
        assert torch.equal(tuned.weights()[name], tensor) == (name != "model.head.weight" or adapt == "lora"), name


def test_goes_on_from_an_adapted_run_as_if_it_had_been_merged() -> None:
    base = learner()
    train(base, 5)
    tuned = learner(start=base, adapt="lora", rank=2)
    train(tuned, 20)
    on = learner(start=tuned)
    assert evaluate(on)["valid/loss"] == pytest.approx(evaluate(tuned)["valid/loss"], abs=1e-5)
    assert on.weights().keys() == base.weights().keys()
    assert not torch.equal(on.weights()["model.head.weight"], base.weights()["model.head.weight"])
    again = learner(start=tuned, adapt="lora", rank=3)
    assert evaluate(again)["valid/loss"] == pytest.approx(evaluate(tuned)["valid/loss"], abs=1e-5)


def test_an_adapted_run_is_resumed_exactly() -> None:
    base = learner()
    train(base, 5)
    through, stopped = (learner(start=base, adapt="lora", rank=2) for _ in range(2))
    train(through, 12)
    train(stopped, 6)
    resumed = learner(start=base, adapt="lora", rank=2)
    resumed.load_weights(stopped.weights())
    resumed.load_state(stopped.state())
    resumed.mode(training=True)
    resumed.optimizers.schedule(1.0)
    batches = resumed.batches()
    for step in range(6, 12):
        resumed.train_step(batches.at(step))
    for name, tensor in through.weights().items():
        assert torch.equal(resumed.weights()[name], tensor), name


def test_a_character_beyond_the_training_text_becomes_the_unknown_one() -> None:
    ours = learner(corpus(valid="abc" * 50 + "ß"))
    assert UNKNOWN in ours.vocabulary.words
    assert ours.vocabulary.decode(ours.valid_tokens[-1:]) == UNKNOWN


def test_a_model_of_another_shape_is_refused() -> None:
    with pytest.raises(RunError, match=r"'embedding.weight'.*\(12, 16\).*Set layers"):
        learner(start=learner(width=32))
    with pytest.raises(RunError, match="no vocabulary"):
        GPTLearner(Setting(GPTSpec.of(SMALL), corpus(), 0, torch.device("cpu"), inputs={"model": {"x": torch.ones(1)}}))  # type: ignore[arg-type]


def test_baselines_are_counted_on_the_same_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXIGRAD_HOME", str(tmp_path))
    found = list(learner().baselines())
    assert [(each.metric, each.name) for each in found] == [  # type: ignore[attr-defined]
        ("valid/loss", "unigram"),
        ("valid/loss", "Kneser-Ney-3"),
        ("valid/loss", "Kneser-Ney-5"),
    ]


def test_every_preset_is_complete_and_in_range() -> None:
    for preset in FAMILY.presets:
        spec = FAMILY.configure(preset.name)
        assert spec.data in FAMILY.data
        assert spec.total_samples(0) > 0
    quick, tuned = FAMILY.configure("quick"), FAMILY.configure("fine-tune")
    shape = ("layers", "heads", "width", "context", "positions", "norm", "activation", "qk_norm", "tie", "bias")
    assert [getattr(quick, name) for name in shape] == [getattr(tuned, name) for name in shape]

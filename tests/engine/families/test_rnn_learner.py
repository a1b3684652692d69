"""How a recurrent network learns: from chance, all of it, the same every time, with a state that it carries along."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engine.core.errors import DataError, RunError
from engine.core.events import Baseline, HeatMap, Histogram, Note, Points, Table, Text
from engine.data.batches import Batch
from engine.data.examples import Corpus
from engine.data.load import load
from engine.families.rnn.inside import POWERS, blank, cold_losses, gates, pieces
from engine.families.rnn.learner import RNNLearner
from engine.families.rnn.model import CELLS
from engine.families.rnn.spec import FAMILY, GATES_OF, RNNSpec
from engine.train.evaluate import evaluate, looking_at
from engine.train.learner import Setting
from tests.engine.play.playing import played, trained

LETTERS = "abcdefgh ,.\n"
SMALL = {"width": 16, "embedding": 8, "context": 16, "batch_size": 4, "prompt": "a"}
CPU = torch.device("cpu")
cells = pytest.mark.parametrize("cell", CELLS)


def corpus(**parts: str) -> Corpus:
    text = "".join(np.random.default_rng(0).choice(list(LETTERS), 3000))
    return Corpus(name="toy", **{"train": text, "valid": text[:700], **parts})


def learner(data: object = None, start: RNNLearner | None = None, **knobs: object) -> RNNLearner:
    torch.manual_seed(0)
    spec = RNNSpec.of({**SMALL, **knobs})  # type: ignore[arg-type]
    inputs = {} if start is None else {"model": start.weights()}
    made = RNNLearner(Setting(spec, data or corpus(), 0, CPU, inputs=inputs))
    made.mode(training=True)
    made.optimizers.schedule(1.0)
    return made


def train(ours: RNNLearner, steps: int, first: int = 0) -> list[float]:
    batches = ours.batches()
    return [float(ours.train_step(batches.at(step))["loss"]) for step in range(first, first + steps)]


@cells
def test_the_loss_starts_at_the_logarithm_of_the_vocabulary(cell: str) -> None:
    ours = learner(cell=cell)
    assert evaluate(ours)["valid/loss"] == pytest.approx(math.log(len(LETTERS)), abs=1e-6)
    assert evaluate(ours)["valid/bits"] == pytest.approx(math.log2(len(LETTERS)), abs=1e-6)
    assert train(ours, 1)[0] == pytest.approx(math.log(len(LETTERS)), abs=1e-6)


@pytest.mark.parametrize("kernel", ["fused", "written"])
def test_the_same_seed_gives_the_same_losses_with_dropout_too(kernel: str) -> None:
    knobs = {"dropout": 0.1, "kernel": kernel}
    assert train(learner(**knobs), 6) == train(learner(**knobs), 6)


@pytest.mark.parametrize("kernel", ["fused", "written"])
@cells
def test_gradients_reach_every_parameter_and_are_finite(cell: str, kernel: str) -> None:
    ours = learner(cell=cell, kernel=kernel, layers=2)
    train(ours, 3)  # away from the head of zeros, through which nothing flows
    ours.optimizers.clear()
    ours.loss(ours.batches().at(3))["loss"].backward()
    for name, parameter in ours.modules["model"].named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.count_nonzero() > 0, name


@cells
def test_learns_eight_stretches_by_heart(cell: str) -> None:
    ours = learner(cell=cell, width=64, batch_size=8)
    batch = ours.batches().at(0)
    for _ in range(200):
        ours.train_step(batch)
    model = ours._model
    scores_BTV, _ = model(batch[0], model.blank(8))
    losses_BT = F.cross_entropy(scores_BTV.transpose(1, 2), batch[1], reduction="none")
    # What comes after one character alone cannot be known; all else can.
    assert losses_BT[:, 4:].mean() < 0.02


def test_each_step_begins_in_the_state_in_which_the_last_one_ended_and_a_pass_in_a_blank_one() -> None:
    ours = learner(learning_rate=0.0)
    batches, state_LSBH = ours.batches(), ours._model.blank(4)
    for step in range(int(batches.epoch_steps) + 2):
        batch = batches.at(step)
        if step % int(batches.epoch_steps) == 0:
            state_LSBH.zero_()
        scores_BTV, state_LSBH = ours._model(batch[0], state_LSBH)
        loss = F.cross_entropy(scores_BTV.flatten(0, 1), batch[1].flatten())
        assert float(ours.train_step(batch)["loss"]) == pytest.approx(loss.item(), abs=1e-6)
        torch.testing.assert_close(ours._carried_LSBH, state_LSBH)


def test_the_carried_state_keeps_its_place_in_memory_and_no_history() -> None:
    ours = learner()
    place = ours._carried_LSBH.data_ptr()
    train(ours, 3)
    assert ours._carried_LSBH.data_ptr() == place and ours._carried_LSBH.any()
    assert not ours._carried_LSBH.requires_grad


def test_without_carrying_every_stretch_is_read_cold() -> None:
    ours = learner(carry=False)
    train(ours, 5)
    batch: Batch = ours.batches().at(5)
    scores_BTV, _ = ours._model(batch[0], ours._model.blank(4))
    cold = F.cross_entropy(scores_BTV.flatten(0, 1), batch[1].flatten())
    assert ours.loss(batch)["loss"].item() == pytest.approx(cold.item(), abs=1e-6)


def test_a_batch_that_is_cut_in_pieces_makes_the_same_update_and_carries_the_same_state() -> None:
    whole, cut = learner(), learner()
    cut.micro_batches = 2
    assert train(whole, 4) == pytest.approx(train(cut, 4), abs=1e-5)
    torch.testing.assert_close(whole._carried_LSBH, cut._carried_LSBH, rtol=1e-4, atol=1e-5)


@cells
def test_a_resume_repeats_to_the_bit(cell: str) -> None:
    through, stopped, resumed = (learner(cell=cell, layers=2, ema=0.9) for _ in range(3))
    train(through, 12)
    train(stopped, 6)
    with looking_at(stopped):
        weights = {name: tensor.clone() for name, tensor in stopped.weights().items()}
    resumed.load_weights(weights)
    with torch.no_grad():
        resumed.load_state({name: tensor.clone() for name, tensor in stopped.state().items()})
    train(resumed, 6, first=6)
    assert torch.equal(resumed._carried_LSBH, through._carried_LSBH)
    for name, tensor in through.weights().items():
        assert torch.equal(resumed.weights()[name], tensor), name


def test_a_state_of_other_streams_is_refused() -> None:
    ours = learner(batch_size=8)
    with pytest.raises(RunError, match="Keep batch_size"), torch.no_grad():
        ours.load_state(learner().state())


@cells
def test_validation_is_one_reading_of_the_whole_split(cell: str) -> None:
    ours = learner(cell=cell)
    train(ours, 20)
    carried = ours._carried_LSBH.clone()
    measured = evaluate(ours)["valid/loss"]
    tokens, model = ours.valid_tokens, ours._model
    scores_BTV, _ = model(tokens[None, :-1], model.blank(1))
    assert measured == pytest.approx(F.cross_entropy(scores_BTV[0], tokens[1:]).item(), abs=2e-3)
    assert evaluate(ours)["valid/loss"] == measured
    assert torch.equal(ours._carried_LSBH, carried)


def stirred(cell: str, **knobs: object) -> RNNLearner:
    """A learner away from zeros, whose every answer depends on all that it has read."""
    ours = learner(cell=cell, **knobs)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in ours._model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator))
    ours.mode(training=False)
    return ours


@cells
def test_a_stream_is_read_with_the_state_of_what_stood_before_it(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.families.rnn.learner.VALID_STREAMS", 1)
    ours = stirred(cell)
    tokens, model = ours.valid_tokens, ours._model
    h_TBH, _ = model.features(tokens[None, :-1], model.blank(1))
    expected = F.cross_entropy(model.head(h_TBH[:, 0]), tokens[1:])
    measured = evaluate(ours)
    assert measured["valid/loss"] == pytest.approx(expected.item(), rel=1e-5)
    assert measured["valid/saturated"] == pytest.approx((h_TBH.abs() > 0.95).float().mean().item(), abs=1e-3)


@cells
def test_gates_are_shown_as_they_stood_when_each_symbol_was_read(cell: str) -> None:
    ours = stirred(cell)
    model, x_BT = ours._model, pieces(ours.valid_tokens, 16)
    (layer,) = model.recurrent
    state, opened = blank(model, len(x_BT)), []
    with torch.no_grad():
        for x_BI in model.embedding(x_BT.T):
            u_BG, v_BG = layer.input(x_BI), layer.memory(state[0])
            opened.append(layer.opened(u_BG, v_BG))
            state = layer.cell(u_BG, v_BG, state)
        shown = gates(model, ours.valid_tokens, 16)
    for number, histogram in enumerate(shown):
        values_TBH = torch.stack([each[number] for each in opened])
        expected = torch.histc(values_TBH, len(histogram.counts), histogram.edges[0], 1.0)
        assert sum(abs(expected - torch.tensor(histogram.counts))) <= 4, "but for those on an edge"


def test_losses_after_a_cold_start_are_those_of_their_positions() -> None:
    ours = stirred("lstm")
    pieces_BT = pieces(ours.valid_tokens, 65, 256)
    with torch.no_grad():
        scores_BTV, _ = ours._model(pieces_BT[:, :-1], ours._model.blank(256))
        shown = cold_losses(ours._model, ours.valid_tokens)
    for bar, mean in enumerate(shown.counts):
        first, after = (int(edge) - 1 for edge in shown.edges[bar : bar + 2])
        expected = F.cross_entropy(
            scores_BTV[:, first:after].flatten(0, 1), pieces_BT[:, first + 1 : after + 1].flatten()
        )
        assert mean == pytest.approx(expected.item(), abs=1e-3)


@cells
def test_draws_what_it_writes_and_what_goes_on_inside(cell: str) -> None:
    ours = learner(cell=cell, layers=2)
    train(ours, 3)
    with looking_at(ours):
        drawn = {event.name: event for event in ours.draw(3)}  # type: ignore[attr-defined]
        again = next(iter(ours.draw(3)))
    sample, state = drawn["generated text"], drawn["hidden state"]
    assert isinstance(sample, Text) and sample == again and set(sample.text) <= set(LETTERS)
    assert isinstance(state, HeatMap) and len(state.values) == len(state.rows) == 16
    assert all(abs(value) <= 1 for row in state.values for value in row)
    for name in GATES_OF[cell]:
        gate = drawn[name]
        assert isinstance(gate, Histogram) and sum(gate.counts) == 16 * 16 * 16
    way = drawn["gradient through time"]
    assert isinstance(way, Histogram) and len(way.counts) == 16 and way.edges[-1] == 0
    assert way.counts[-1] == POWERS and max(way.counts[:3]) < POWERS
    cold = drawn["loss by position"]
    assert isinstance(cold, Histogram) and len(cold.edges) == len(cold.counts) + 1
    assert (cold.edges[0], cold.edges[-1]) == (1, 65), "the first loss is that after one symbol"
    assert set(drawn) <= {name for panel in FAMILY.panels for name in panel.events}


def test_goes_on_from_another_run_with_its_vocabulary() -> None:
    base = learner()
    train(base, 5)
    tuned = learner(corpus(train="abcZ" * 300, valid="aabb" * 100), start=base)
    assert tuned.symbols.words == base.symbols.words
    for name, tensor in base.weights().items():
        assert torch.equal(tuned.weights()[name], tensor)
    with pytest.raises(RunError, match="start from has"):
        learner(start=base, cell="gru")
    with pytest.raises(RunError, match="no vocabulary"):
        RNNLearner(Setting(RNNSpec.of(SMALL), corpus(), 0, CPU, inputs={"model": {"x": torch.ones(1)}}))  # type: ignore[arg-type]


def test_characters_that_the_run_before_does_not_know_are_left_out_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEXIGRAD_HOME", str(tmp_path))
    base = learner()
    ours = learner(corpus(valid="aZZbZZZZ"), start=base)
    assert evaluate(ours)["valid/loss"] == pytest.approx(math.log(len(LETTERS)), abs=1e-6)
    with looking_at(ours):
        assert list(ours.draw(0))
    note, *_ = ours.baselines()
    assert isinstance(note, Note) and note.text.startswith("75.0% of the validation text")
    assert not any(isinstance(event, Note) for event in base.baselines())
    with pytest.raises(DataError, match=r"toy has 1 symbols to validate on that the model knows.*Start from a run"):
        learner(corpus(valid="aZZZ"), start=base)


def test_data_that_are_no_sequence_or_too_short_are_refused_before_training() -> None:
    pictures = load("digits", FAMILY.configure("quick"), 0, CPU)
    with pytest.raises(DataError, match=r"digits is no text.*Choose glossary"):
        learner(pictures)
    with pytest.raises(DataError, match="too few for 512 streams"):
        learner(batch_size=512)


def test_baselines_are_counted_on_the_same_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXIGRAD_HOME", str(tmp_path))
    names = ["unigram", "Kneser-Ney-3", "Kneser-Ney-5"]
    assert [each.name for each in learner().baselines() if isinstance(each, Baseline)] == names


def test_a_series_is_foreseen_better_than_by_counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXIGRAD_HOME", str(tmp_path))
    spec = FAMILY.configure("series", {"steps": 150, "width": 32})
    knobs = {**spec.values()}
    del knobs["data"]
    ours = learner(load("sine", spec, 0, CPU), **knobs)
    train(ours, 150)
    lines = {each.name: float(each.value) for each in ours.baselines() if isinstance(each, Baseline)}
    measured = evaluate(ours)["valid/loss"]
    assert lines["noise alone"] < measured < lines["Kneser-Ney-3"]
    with looking_at(ours):
        curves = next(event for event in ours.draw(150) if isinstance(event, Points))
    assert curves.groups == ["true", "expected", "left alone"]
    true = [y for y, group in zip(curves.y, curves.group, strict=True) if group == 0]
    expected = [y for y, group in zip(curves.y, curves.group, strict=True) if group == 1]
    assert len(expected) == len(true) - 1
    assert np.corrcoef(true[21:], expected[20:])[0, 1] > 0.9


def test_one_can_let_it_go_on_with_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXIGRAD_HOME", str(tmp_path))
    small = {"width": 16, "embedding": 8, "batch_size": 4, "steps": 4}
    folder = trained(tmp_path / "rnn", "rnn", **small)
    table, text = played(folder, "complete", prompt="The ", length=12)
    assert isinstance(table, Table) and len(table.rows) == 10
    assert isinstance(text, Text) and len(text.text) == 12
    unknown = played(folder, prompt="\N{SNOWMAN}", length=3)[-1]
    assert isinstance(unknown, Text) and len(unknown.text) == 3


def test_every_preset_is_complete_and_in_range() -> None:
    for preset in FAMILY.presets:
        spec = FAMILY.configure(preset.name)
        assert spec.data in FAMILY.data
        assert spec.total_samples(0) > 0

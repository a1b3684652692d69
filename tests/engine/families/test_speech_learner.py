"""How a recognizer of speech learns: from chance, all of it, the same every time; and what it writes down."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import pytest
import torch

from engine.core.errors import DataError, UsageError
from engine.core.events import Baseline, HeatMap, Table, Text, decode, encode
from engine.data.load import load
from engine.data.speech import Speech
from engine.data.tones import DIGITS, TELEPHONES, dial
from engine.families.speech.ctc import paths
from engine.families.speech.learner import SpeechLearner
from engine.families.speech.shown import tenths
from engine.families.speech.spec import FAMILY, SpeechSpec
from engine.families.speech.varied import Varied, warp
from engine.play.transcribe import transcribe
from engine.train.evaluate import evaluate, looking_at
from engine.train.learner import Setting

CPU = torch.device("cpu")
OBJECTIVES = ("ctc", "encoder-decoder")
TRANSCRIBE = FAMILY.play("transcribe").settings


@cache
def tones() -> Speech:
    """A few dialed recordings; of the first ones each stands for validation."""
    everything = dial(60, 0)
    return Speech(
        name="few-tones",
        train=everything.pick(torch.arange(20, 60)),
        valid=everything.pick(torch.arange(20)),
        words=DIGITS,
        speakers=tuple(each.name for each in TELEPHONES),
    )


def learner(data: object = None, seed: int = 0, **knobs: object) -> SpeechLearner:
    torch.manual_seed(seed)
    spec = SpeechSpec.of({"width": 32, "batch_size": 8, "heads": 2, **knobs})  # type: ignore[arg-type]
    made = SpeechLearner(Setting(spec, tones() if data is None else data, seed, CPU))
    made.mode(training=True)
    made.optimizers.schedule(1.0)
    return made


def train(ours: SpeechLearner, steps: int, batch_of: int | None = None) -> list[float]:
    batches = ours.batches()
    return [float(ours.train_step(batches.at(step if batch_of is None else batch_of))["loss"]) for step in range(steps)]


def test_at_first_ctc_costs_what_uniform_frames_do() -> None:
    """All paths are equally likely, so the loss is T ln V less the logarithm of how many there are."""
    made = learner(reduction=2)
    _, frames, words, counts = batch = made.batches().at(0)
    expected = []
    for length, transcript, count in zip(frames.tolist(), words.tolist(), counts.tolist(), strict=True):
        kept = (length - 1) // 2 + 1
        expected.append((kept * math.log(11) - math.log(paths(kept, transcript[:count]))) / count)
    assert made.loss(batch)["loss"].item() == pytest.approx(sum(expected) / len(expected), rel=1e-5)


def test_at_first_a_writer_finds_every_word_equally_likely() -> None:
    made = learner(objective="encoder-decoder")
    assert made.loss(made.batches().at(0))["loss"].item() == pytest.approx(math.log(11), rel=1e-5)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_eight_recordings_are_learned_by_heart(objective: str) -> None:
    made = learner(objective=objective, encoder="convolution")
    assert train(made, 250, batch_of=0)[-1] < 0.1


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("encoder", ["convolution", "attention"])
def test_gradients_reach_every_parameter(objective: str, encoder: str) -> None:
    made = learner(objective=objective, encoder=encoder)
    train(made, 3)  # at the start blocks are the identity, and hold back what lies behind them
    made.loss(made.batches().at(3))["loss"].backward()
    for parameter, name in made.optimizers.names.items():
        assert parameter.grad is not None and parameter.grad.isfinite().all() and parameter.grad.any(), name


def test_the_parameters_of_quick_are_counted() -> None:
    assert FAMILY.configure("quick").parameters(98, 11) == 70_411


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_same_seed_gives_the_same_losses(objective: str) -> None:
    knobs = {"objective": objective, "masked": 0.3, "warped": 0.2, "dropout": 0.1}
    one, again, other = (train(learner(seed=seed, **knobs), 4) for seed in (1, 1, 2))
    assert one == again != other


def test_both_kernels_train_alike() -> None:
    fused, written = (train(learner(kernel=kernel), 3) for kernel in ("fused", "written"))
    assert fused == pytest.approx(written, rel=1e-3)


def test_stripes_are_hidden_by_seed_and_step_within_their_share() -> None:
    features, frames = torch.ones(40, 50, 20), torch.full((40,), 30)
    varied = Varied((features, frames), 40, 0, masked=0.2)
    one, again, other = varied.at(0)[0], varied.at(0)[0], varied.at(1)[0]
    assert torch.equal(one, again) and not torch.equal(one, other)
    bands, times = (one == 0).all(1).sum(1), (one == 0).all(2).sum(1)
    assert 0 < int(bands.max()) <= 4 and 0 < int(times.max()) <= 6
    assert torch.equal(Varied((features, frames), 40, 0).at(0)[0], features)


def test_a_warped_recording_is_read_faster_or_slower_and_stays_within_its_frames() -> None:
    ramp = torch.arange(50.0)[None, :, None].expand(40, -1, 20).clone()
    frames = torch.tensor([30, 50]).repeat(20)
    warped, now = warp(ramp, frames, 0.2, torch.Generator().manual_seed(0))
    assert 24 <= int(now[::2].min()) < 30 < int(now[::2].max()) <= 38 and int(now[1::2].max()) == 50
    for row, count, before in zip(warped, now.tolist(), frames.tolist(), strict=True):
        assert not row[count:].any() and before - 2.5 <= float(row[count - 1].max()) <= before
        assert torch.allclose(row[1:count].diff(dim=0), row[1].expand(count - 2, -1), atol=0.3)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_it_measures_and_draws(objective: str) -> None:
    made = learner(objective=objective)
    train(made, 2)
    measured = evaluate(made)
    assert {"valid/loss", "valid/word_error", "valid/accuracy"} <= set(measured)
    assert ("valid/blank_rate" in measured) == (objective == "ctc")
    with looking_at(made):
        events = [decode(encode(event)) for event in (*made.draw(2), *made.baselines())]
    shown = {event.name for event in events if isinstance(event, HeatMap | Table)}
    drawn = {name for panel in FAMILY.panels if panel.kind in {"heatmap", "table"} for name in panel.events}
    assert shown == drawn - ({"cross-attention"} if objective == "ctc" else {"alignment"})
    assert [event.name for event in events if isinstance(event, Baseline)] == ["one word"]


def test_frames_are_named_where_a_tenth_of_a_second_begins() -> None:
    assert tenths(8, 0.4) == ["", "", ".1", "", ".2", "", ".3", ""]
    assert tenths(3, 1.5) == ["", ".5", "1"]


def test_the_errors_of_the_speakers_add_up_to_all() -> None:
    made = learner()
    train(made, 5)
    measured = evaluate(made)
    with looking_at(made):
        (table,) = [each for each in made.draw(5) if isinstance(each, Table) and each.name == "errors by speaker"]
    words, wrong = (sum(int(row[column].replace(",", "")) for row in table.rows) for column in (1, 2))
    assert measured["valid/word_error"] == pytest.approx(wrong / words)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_it_writes_down_a_recording_and_a_file(objective: str, tmp_path: Path) -> None:
    made = learner(objective=objective)
    train(made, 80, batch_of=0)
    path = tmp_path / "mine.wav"
    import wave

    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8_000, 0, "NONE", ""))
        file.writeframes(tones().train.waves[0].numpy().tobytes())
    with looking_at(made):
        events = list(transcribe(made, TRANSCRIBE.of({"example": 3})))
        from_file = list(transcribe(made, TRANSCRIBE.of({"file": str(path)})))
    assert [event.name for event in events if isinstance(event, Text)] == ["it heard", "what was said"]
    assert [event.name for event in from_file if isinstance(event, Text)] == ["it heard"]
    assert sum(isinstance(event, HeatMap) for event in from_file) == 2
    with pytest.raises(UsageError, match="20 recordings"):
        list(transcribe(made, TRANSCRIBE.of({"example": 20})))


def test_what_is_learned_by_heart_is_transcribed_without_an_error() -> None:
    made = learner()
    batch = made.batches().at(0)
    train(made, 250, batch_of=0)
    with looking_at(made):
        heard, _ = made._recognize(batch[0], batch[1])
    assert heard == [[word for word in words if word] for words in batch[2].tolist()]


def test_a_speaker_can_be_held_out() -> None:
    made = learner(held_out="street")
    street = made.speech.speakers.index("street")
    assert street not in made.speech.train.speakers and set(made.speech.valid.speakers.tolist()) == {street}
    with pytest.raises(DataError, match="speakers are"):
        learner(held_out="nobody")


def test_other_data_and_too_few_frames_are_refused_with_the_remedy() -> None:
    spec = SpeechSpec()
    with pytest.raises(DataError, match="data=tones"):
        learner(load("moons", spec, 0, CPU))
    with pytest.raises(DataError, match="smaller reduction"):
        learner(hop=100.0, window=100.0, reduction=4)


def test_a_resumed_run_goes_on_as_if_it_had_never_stopped() -> None:
    straight = learner(masked=0.2, warped=0.1)
    losses = train(straight, 6)
    first = learner(masked=0.2, warped=0.1)
    train(first, 3)
    second = learner(masked=0.2, warped=0.1)
    second.load_weights({name: tensor.clone() for name, tensor in first.weights().items()})
    second.load_state({name: tensor.clone() for name, tensor in first.state().items()})
    batches = second.batches()
    assert [float(second.train_step(batches.at(step))["loss"]) for step in range(3, 6)] == losses[3:]

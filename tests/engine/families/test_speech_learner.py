"""How a recognizer of speech learns: from chance, all of it, the same every time; and what it writes down."""

from __future__ import annotations

import math
import wave
from functools import cache
from itertools import groupby
from pathlib import Path

import pytest
import torch

from engine.core.errors import DataError, UsageError
from engine.core.events import Baseline, HeatMap, Table, Text, decode, encode
from engine.data.load import load
from engine.data.speech import LONGEST_SECONDS, Speech, padded
from engine.data.tones import DIGITS, TELEPHONES, dial, spelled
from engine.families.speech.ctc import paths
from engine.families.speech.learner import SpeechLearner
from engine.families.speech.shown import by_speaker, log_mel, tenths
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
def test_eight_recordings_are_learned_by_heart_and_written_down_and_each_word_is_found(objective: str) -> None:
    made = learner(objective=objective, encoder="convolution")
    assert train(made, 250, batch_of=0)[-1] < 0.1
    some = made.speech.train.pick(made.batches().picked(0)[0])
    with looking_at(made):
        heard = made.transcribe(some.waves, some.lengths)
        assert heard == [[word for word in words if word] for words in some.words.tolist()]
        first = int(some.lengths[0])
        _, found = made.hears(some.waves[:1, :first], some.lengths[:1], heard[0])
    assert isinstance(found, HeatMap)
    words = made.speech.spell(heard[0]).split()
    values = torch.tensor(found.values)
    shares = values.sum(0 if objective == "ctc" else 1)
    assert float(values.min()) >= 0 and torch.allclose(shares, torch.ones_like(shares), atol=0.02)
    if objective == "ctc":
        likeliest = [found.rows[row] for row in values.argmax(0).tolist()]
        assert found.rows == ["nothing", *DIGITS]
        assert [word for word, _ in groupby(likeliest) if word != "nothing"] == words
    else:
        assert found.rows == [*words, "end"]


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


def test_the_kernel_that_apples_gpu_may_lack_is_not_asked_there(monkeypatch: pytest.MonkeyPatch) -> None:
    made = learner(kernel="fused")
    batch = made.batches().at(0)
    expected = made.loss(batch)["loss"].item()
    monkeypatch.setattr("engine.families.speech.learner.fused_ctc_losses", None)
    made.setting.device = torch.device("mps")
    assert made.loss(batch)["loss"].item() == pytest.approx(expected, rel=1e-5)


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


def test_a_warped_recording_is_higher_or_lower_by_a_quarter_of_what_it_is_faster() -> None:
    """Each band holds its own number, so that it says from which band it was read."""
    ramp = torch.arange(20.0).expand(40, 50, -1)
    warped, _ = warp(ramp, torch.full((40,), 50), 0.2, torch.Generator().manual_seed(0))
    stretched = warped[:, 0, 10] / 10
    assert 0.95 <= float(stretched.min()) < 0.96 and 1.04 < float(stretched.max()) <= 1.05


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


def test_high_bands_are_drawn_on_top() -> None:
    heat = log_mel(torch.tensor([[0.0, 0.5, 1.0], [0.1, 0.6, 1.1]]), 0.2)
    assert heat.values == [[1.0, 1.1], [0.5, 0.6], [0.0, 0.1]] and heat.columns == ["", ".1"]


def test_what_is_heard_is_held_against_what_was_said_in_that_very_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recognizer that is always right, judged in several batches of which the last is a short one."""
    monkeypatch.setattr("engine.families.speech.learner.AT_ONCE", 6)
    made = learner()
    truth = iter(made._said)
    monkeypatch.setattr(made, "_recognize", lambda features, frames: ([next(truth) for _ in features], None))
    measured = evaluate(made)
    assert measured["valid/word_error"] == 0 and measured["valid/accuracy"] == 1


def test_the_worst_speaker_stands_first() -> None:
    speech = tones()
    said = [[word for word in words if word] for words in speech.valid.words.tolist()]
    misheard = {"street": 0, "kitchen": 1}
    names = [speech.speakers[number] for number in speech.valid.speakers.tolist()]
    heard = [words[: misheard.get(name)] for name, words in zip(names, said, strict=True)]
    assert [row[0] for row in by_speaker(speech, said, heard).rows] == ["street", "kitchen", "hall", "office"]


def test_the_nearest_spectrum_is_wrong_where_a_recording_is_labeled_as_what_it_is_not() -> None:
    draw = torch.Generator().manual_seed(0)
    waves = [spelled([digit], TELEPHONES[0], draw) for digit in "1234" for _ in range(4)]
    words = [[number] for number in (1, 2, 3, 4) for _ in range(4)]
    everything = padded(waves, words, [0] * 16)
    last = torch.arange(16) % 4 == 3
    valid = everything.pick(last)
    valid.words[0] = 3
    data = Speech(name="one", train=everything.pick(~last), valid=valid, words=tuple("1234"), speakers=("hall",))
    one, nearest = learner(data).baselines()
    assert isinstance(one, Baseline) and (one.value, one.source) == (1.0, "always 1")
    assert isinstance(nearest, Baseline) and (nearest.name, nearest.value) == ("nearest spectrum", 0.25)


def test_the_errors_of_the_speakers_add_up_to_all() -> None:
    made = learner()
    train(made, 5)
    measured = evaluate(made)
    with looking_at(made):
        (table,) = [each for each in made.draw(5) if isinstance(each, Table) and each.name == "errors by speaker"]
    words, wrong = (sum(int(row[column].replace(",", "")) for row in table.rows) for column in (1, 2))
    assert measured["valid/word_error"] == pytest.approx(wrong / words)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_it_writes_down_a_recording_and_a_file(objective: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    made = learner(objective=objective)
    for name, times in (("mine", 1), ("long", 10)):
        with wave.open(str(tmp_path / f"{name}.wav"), "wb") as file:
            file.setparams((1, 2, 8_000, 0, "NONE", ""))
            file.writeframes(tones().train.waves[0].numpy().tobytes() * times)
    with looking_at(made):
        heard, said, *drawn = transcribe(made, TRANSCRIBE.of({"example": 3}))
        (mine, *_), (long, *_) = (
            transcribe(made, TRANSCRIBE.of({"file": f"~/{name}.wav"})) for name in ("mine", "long")
        )
    assert all(isinstance(each, Text) for each in (heard, said, mine, long))
    assert all(isinstance(each, HeatMap) for each in drawn) and len(drawn) == 2
    who = made.speech.speakers[int(made.speech.valid.speakers[3])]
    words = made.speech.spell(made.speech.valid.words[3].tolist())
    assert heard.prompt + heard.text == f"recording 3, {who}\nheard: (no words)"
    assert (said.prompt + said.text).startswith(f"said:  {words}   ")
    assert mine.prompt == "mine.wav\nheard: "
    assert long.prompt == f"long.wav, its loudest {LONGEST_SECONDS:g} seconds\nheard: "
    assert f"loudest {LONGEST_SECONDS:g} seconds" in next(TRANSCRIBE.knobs()).help
    with pytest.raises(UsageError, match="20 recordings"):
        list(transcribe(made, TRANSCRIBE.of({"example": 20})))


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


def in_frames(train: int, valid: int) -> Speech:
    """Recordings of three words each, in so many frames of 25 ms each 10 ms."""
    draw = torch.Generator().manual_seed(0)
    splits = []
    for frames in (train, valid):
        waves = [(torch.randn(200 + 80 * (each - 1), generator=draw) * 3_000).short() for each in (frames, 40)]
        splits.append(padded(waves, [[1, 2, 1]] * 2, [0, 0]))
    return Speech(name="short", train=splits[0], valid=splits[1], words=("a", "b"), speakers=("all",))


def test_training_warps_no_recording_until_its_words_do_not_fit() -> None:
    """Three words need five frames, of which each second one is kept; six that are a fifth faster are still five."""
    made = learner(in_frames(6, 5), warped=0.2, batch_size=2)
    batches = made.batches()
    fewest = min(int(batches.at(step)[1].min()) for step in range(60))
    assert fewest == 5 and all(made.loss(batches.at(step))["loss"].isfinite() for step in range(60))
    learner(in_frames(5, 5))
    with pytest.raises(DataError, match="smaller warped"):
        learner(in_frames(5, 5), warped=0.2)
    with pytest.raises(DataError, match=r"reduction or hop\.$"):
        learner(in_frames(6, 4), warped=0.2)


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

"""What a diffusion model learns from, how it is judged, what it shows, and how one plays with it."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.core.errors import DataError, UsageError
from engine.core.events import Histogram, Pictures, Points
from engine.data.batches import seeded
from engine.families.diffusion import judging
from engine.families.diffusion import learner as own
from engine.families.diffusion.drawing import STATIONS, ways
from engine.families.diffusion.learner import DiffusionLearner
from engine.families.diffusion.seen import Seen, evenly
from engine.families.diffusion.spec import DiffusionSpec
from engine.train.assemble import assemble
from engine.train.evaluate import evaluate, looking_at
from engine.train.orders import Orders
from engine.train.writer import RunWriter
from tests.engine.families.proofs import learner, losses
from tests.engine.play.playing import played, trained

CPU = torch.device("cpu")
INPUTS = ("train_inputs", "valid_inputs")
POINTS = {"width": 16, "blocks": 1, "batch_size": 64, "sampling_steps": 4}
PICTURES = {"width": 8, "blocks": 1, "batch_size": 16, "sampling_steps": 2}


def diffusion(preset: str = "quick", **knobs: bool | float | str) -> DiffusionLearner:
    small = PICTURES if preset == "digits" else POINTS
    made = learner("diffusion", preset, **{**small, **knobs})
    assert isinstance(made, DiffusionLearner)
    return made


def test_noise_and_times_are_a_function_of_seed_and_step() -> None:
    one, other = diffusion().batches(), diffusion().batches()
    other.at(3)
    for first, second in zip(one.at(7), other.at(7), strict=True):
        assert torch.equal(first, second)
    assert not torch.equal(one.at(7)[2], one.at(8)[2])
    assert not torch.equal(one.at(7)[3].sort().values, one.at(8)[3].sort().values)


def test_times_lie_evenly_and_never_at_the_data() -> None:
    times = diffusion(batch_size=100).batches().at(0)[3].sort().values
    assert float(times[0]) > 0 and float(times[-1]) <= 1
    torch.testing.assert_close(times.diff(), torch.full((99,), 0.01), atol=1e-5, rtol=0)


def test_some_classes_are_kept_secret() -> None:
    labels = diffusion(batch_size=2000, label_dropout=0.25).batches().at(0)[1]
    assert int(labels.max()) == 8, "the number after the last class"
    assert float((labels == 8).float().mean()) == pytest.approx(0.25, abs=0.04)
    assert int(diffusion(label_dropout=0.0).batches().at(0)[1].max()) == 7
    assert int(diffusion(conditional=False).batches().at(0)[1].max()) == 0


def test_points_and_pictures_come_back_in_their_own_units() -> None:
    plane, pictures = diffusion(), diffusion("digits")
    points = plane.setting.data.valid_inputs[:9]
    torch.testing.assert_close(plane.seen.restored(plane.seen.prepare(points)), points)
    kept = pictures.setting.data.valid_inputs[:9]
    seen = pictures.seen.prepare(kept)
    assert float(seen.min()) == -1.0 and float(seen.max()) == 1.0
    torch.testing.assert_close(pictures.seen.restored(seen) * 16, kept.float())


def test_pictures_are_pooled_before_anything_sees_them() -> None:
    made = diffusion("digits", pool=2)
    kept = made.setting.data.valid_inputs[:3]
    by_hand = kept.float().view(3, 1, 4, 2, 4, 2).mean((3, 5)) / 8 - 1
    torch.testing.assert_close(made.seen.prepare(kept), by_hand)
    assert made.yardstick is None, "no judge knows digits of 4 by 4 pixels"


def test_validation_is_the_same_each_time_and_its_loss_by_time_adds_up() -> None:
    made = diffusion()
    losses(made, 3)
    first, again = evaluate(made), evaluate(made)
    assert first == again and first["valid/wasserstein"] > 0
    with looking_at(made):
        drawn = {event.name: event for event in made.draw(3)}
    by_time = drawn["loss by time"]
    assert isinstance(by_time, Histogram) and len(by_time.counts) == own.BUCKETS
    shares = made._counts_B / made._counts_B.sum()
    assert float((shares * torch.tensor(by_time.counts)).sum()) == pytest.approx(first["valid/loss"], rel=1e-3)


def test_the_last_figure_is_of_more_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "WHILE_TRAINING", 20)
    monkeypatch.setattr(judging, "SAMPLES", 50)
    made = diffusion("digits")
    made.setting.total_steps = 2
    asked = counted(made, monkeypatch)
    for made.step in range(3):
        evaluate(made)
    assert asked == [20, 20, 50]


def counted(made: DiffusionLearner, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that takes down of how many samples each figure is."""
    asked: list[int] = []
    assert made.yardstick is not None
    monkeypatch.setattr(made.yardstick, "distance", lambda samples: asked.append(len(samples)) or 1.0)
    return asked


def test_the_last_figure_is_of_more_samples_after_a_resume_too(digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "WHILE_TRAINING", 20)
    monkeypatch.setattr(judging, "SAMPLES", 50)
    run = assemble(digits, RunWriter(digits), Orders(digits))
    assert run.step == run.total_steps and isinstance(run.learner, DiffusionLearner)
    asked = counted(run.learner, monkeypatch)
    run.evaluate()
    assert asked == [50]


def test_real_pictures_that_are_judged_lie_at_no_distance_from_themselves() -> None:
    made = diffusion("digits")
    assert made.yardstick is not None
    assert made.yardstick.distance(made.seen.shown(made.setting.data.valid_inputs)) == pytest.approx(0.0, abs=1e-6)


def test_larger_pictures_are_averaged_before_they_are_judged() -> None:
    small = diffusion("digits")
    data, spec = small.setting.data, small.spec
    large = replace(
        data, **{name: getattr(data, name).repeat_interleave(2, 2).repeat_interleave(2, 3) for name in INPUTS}
    )
    seen = Seen(large, spec)
    found = judging.yardstick(seen, spec, 0)
    assert found is not None and small.yardstick is not None
    pictures = seen.shown(large.train_inputs)
    assert pictures.shape[-1] == 16
    assert found.distance(pictures) == pytest.approx(small.yardstick.distance(small.seen.shown(data.train_inputs)))


def test_a_folder_that_is_called_digits_is_not_taken_for_them(tmp_path: Path) -> None:
    from PIL import Image

    for name in ("bright", "dark"):
        (tmp_path / "digits" / name).mkdir(parents=True)
        for number in range(10):
            shade = 255 if name == "bright" else number
            Image.new("L", (8, 8), shade).save(tmp_path / "digits" / name / f"{number}.png")
    made = diffusion("digits", data=str(tmp_path / "digits"))
    assert made.setting.data.name == "digits" and made.yardstick is None
    assert float(made.seen.prepare(made.setting.data.train_inputs).max()) == 1.0


def test_validation_examples_come_with_their_own_classes() -> None:
    made = diffusion()
    with looking_at(made):
        labels = torch.cat([batch[1] for batch in made.valid_batches()])
    assert torch.equal(labels, made.setting.data.valid_labels[: len(labels)]) and labels.unique().tolist() == [
        *range(8)
    ]
    untold = diffusion(conditional=False)
    with looking_at(untold):
        assert not any(batch[1].any() for batch in untold.valid_batches())


def test_points_are_judged_against_real_ones() -> None:
    made = diffusion()
    yardstick = made.yardstick
    assert yardstick is not None
    lines = {line.name: float(line.value) for line in yardstick.baselines()}
    assert 0.01 < lines["real points"] < 0.03 < 0.3 < lines["one Gaussian"]
    assert yardstick.distance(made.setting.data.valid_inputs) == 0.0


def test_a_guidance_of_one_asks_once_and_gives_the_conditional_sample() -> None:
    made = diffusion("flow")
    losses(made, 20)
    asked: list[Tensor] = []

    def ask(mixtures: Tensor, times_N: Tensor, labels_N: Tensor) -> Tensor:
        asked.append(labels_N)
        return made.ask(mixtures, times_N, labels_N)

    made.maker.ask = ask
    labels = evenly(8, 8, CPU)

    def samples(labels_N: Tensor, guidance: float) -> Tensor:
        asked.clear()
        with looking_at(made):
            return made.maker.made(labels_N, seeded(0, 0, CPU), replace(made.spec, guidance=guidance))

    conditional = samples(labels, 1.0)
    assert len(asked) == 4 and all(torch.equal(each, labels) for each in asked)
    none = samples(labels, 0.0)
    assert len(asked) == 8
    torch.testing.assert_close(none, samples(torch.full_like(labels, 8), 1.0))
    assert not torch.allclose(conditional, none)


def test_even_a_network_that_knows_nothing_stays_where_data_can_be() -> None:
    made = diffusion()
    with looking_at(made):
        points = made.maker.made(evenly(50, 8, CPU), seeded(0, 0, CPU), made.spec)
    real = made.setting.data.train_inputs
    assert (points >= real.amin(0) - 1e-4).all() and (points <= real.amax(0) + 1e-4).all()


def test_it_draws_what_its_panels_show() -> None:
    for preset, names in (
        ("quick", {"real and made", "ways"}),
        ("digits", {"samples", "out of noise", "data guessed"}),
    ):
        made = diffusion(preset)
        with looking_at(made):
            drawn = {event.name: event for event in made.draw(0)}
        assert drawn.keys() == names
        declared = {name for panel in own_panels() for name in panel}
        assert names <= declared


def test_of_a_long_way_only_what_is_shown_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    made = diffusion("digits")
    alive: weakref.WeakSet[Tensor] = weakref.WeakSet()
    most = 0

    def making(labels_N: Tensor, generator: torch.Generator, spec: DiffusionSpec) -> Iterator[tuple[Tensor, Tensor]]:
        nonlocal most
        for _ in range(spec.sampling_steps):
            pair = torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)
            alive.update(pair)
            most = max(most, len(alive))
            yield pair

    monkeypatch.setattr(made.maker, "making", making)
    spec = replace(made.spec, sampling_steps=100)
    mixtures, _ = ways(made.maker, torch.zeros(1, dtype=torch.long), torch.Generator(), spec)
    assert isinstance(mixtures, Pictures)
    assert mixtures.captions == [f"step {number}" for number in (12, 25, 38, 50, 62, 75, 88, 100)]
    assert most <= 2 * STATIONS + 4


def own_panels() -> list[tuple[str, ...]]:
    from engine.catalog import family

    return [panel.events for panel in family("diffusion").panels]


@pytest.mark.parametrize(
    ("knobs", "says"),
    [({"data": "wine"}, "neither points"), ({"data": "glossary"}, "neither"), ({"stages": 5}, "halved 4 times")],
)
def test_data_that_it_cannot_make_more_of_are_refused(knobs: dict[str, str | int], says: str) -> None:
    with pytest.raises(DataError, match=says):
        diffusion("digits", **knobs)


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("runs") / "ring", "diffusion", **POINTS, steps=40)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judging, "WHILE_TRAINING", 20)
        patch.setattr(judging, "SAMPLES", 100)
        return trained(tmp_path_factory.mktemp("runs") / "digits", "diffusion", "digits", **PICTURES, steps=4)


def test_points_are_sampled_beside_real_ones(ring: Path) -> None:
    (points,) = played(ring, "sample", count=30, steps=5)
    assert isinstance(points, Points) and points.groups == ["real", "made"]
    assert points.group.count(1) == 30


def test_guidance_and_sampler_are_those_that_one_asks_for(ring: Path) -> None:
    plain = played(ring, count=20, steps=5, label="3")
    assert played(ring, count=20, steps=5, label="3") == plain
    for other in ({"guidance": 5.0}, {"sampler": "ddim"}, {"sampler": "ddpm"}):
        assert played(ring, count=20, steps=5, label="3", **other) != plain


def test_a_run_on_fewer_pictures_than_its_classes_need_ends_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "SAMPLES", 100)
    trained(tmp_path / "few", "diffusion", "digits", **PICTURES, steps=2, examples=12)


def test_pictures_are_sampled_on_demand(digits: Path) -> None:
    (pictures,) = played(digits, "sample", count=12, steps=2, label="3", guidance=3.0)
    assert isinstance(pictures, Pictures)
    assert (pictures.count, pictures.height, pictures.captions) == (12, 8, ["3"] * 12)
    assert played(digits, count=4, steps=2, seed=1) == played(digits, count=4, steps=2, seed=1)
    assert played(digits, count=4, steps=2, seed=1) != played(digits, count=4, steps=2, seed=2)


def test_one_can_watch_a_picture_come_out_of_noise(digits: Path) -> None:
    mixtures, guesses = played(digits, "denoise", count=2, steps=5, sampler="ddpm")
    assert isinstance(mixtures, Pictures) and isinstance(guesses, Pictures)
    assert mixtures.count == guesses.count == 10
    assert mixtures.captions == [f"step {number}" for number in range(1, 6)] * 2


def test_the_ways_of_points_are_shown_station_by_station(ring: Path) -> None:
    (ways,) = played(ring, "denoise", count=7, steps=4)
    assert isinstance(ways, Points)
    assert len(ways.x) == 28 and ways.groups == ["step 1", "step 2", "step 3", "step 4"]


def test_a_class_that_there_is_not_is_refused(digits: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no class '11'"):
        played(digits, label="11")
    untold = trained(tmp_path / "untold", "diffusion", **POINTS, steps=2, conditional=False)
    with pytest.raises(UsageError, match="told no class"):
        played(untold, label="1")
    with pytest.raises(UsageError, match="never taught both"):
        played(untold, guidance=2.0)

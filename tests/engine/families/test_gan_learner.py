"""Two players learn from one another: whose turn touches what, what is measured, what is drawn."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.core.errors import DataError, UsageError
from engine.core.events import Baseline, HeatMap, Histogram, Pictures, Points
from engine.data.planes import ring_centers
from engine.families.gan.learner import GANLearner
from engine.families.gan.measures import Ring, measure_of
from engine.train.evaluate import evaluate, looking_at
from engine.train.learner import Learner
from tests.engine.families.proofs import learner, losses, untouched
from tests.engine.play.playing import played, trained

SMALL = {"width": 16, "depth": 2, "batch_size": 32}
DIGITS = {"width": 32, "latent": 8, "batch_size": 16}


def gan(preset: str = "quick", seed: int = 0, **knobs: bool | float | str) -> GANLearner:
    made = learner("gan", preset, seed, **{**(SMALL if preset == "quick" else DIGITS), **knobs})
    assert isinstance(made, GANLearner)
    return made


def weights(made: Learner, role: str) -> torch.Tensor:
    return torch.cat([each.detach().flatten().clone() for each in made.modules[role].parameters()])


def test_it_starts_undecided() -> None:
    scalars = gan("digits", learning_rate=0.0).train_step(gan("digits").batches().at(0))
    assert float(scalars["discriminator_loss"]) == pytest.approx(2 * math.log(2), abs=0.02)
    assert float(scalars["generator_loss"]) == pytest.approx(math.log(2), abs=0.02)
    assert float(scalars["loss"]) == pytest.approx(3 * math.log(2), abs=0.03)


def test_the_step_of_one_player_leaves_no_gradient_in_the_other() -> None:
    made = gan()
    made.optimizers.clear()
    batch = made.batches().at(0)
    made.train_step(batch, "discriminator")
    assert all(each.grad is None for each in made.modules["model"].parameters())
    assert all(each.grad is not None for each in made.modules["discriminator"].parameters())
    made.train_step(batch, "generator")
    assert all(each.grad is None for each in made.modules["discriminator"].parameters())
    assert all(each.grad is not None for each in made.modules["model"].parameters())


def test_each_side_steps_alone() -> None:
    made = gan()
    assert made.sides == ("generator", "discriminator")
    batch, roles = made.batches().at(0), {"generator": "model", "discriminator": "discriminator"}
    for side in made.sides:
        before = {role: weights(made, role) for role in roles.values()}
        scalars = made.train_step(batch, side)
        for name, role in roles.items():
            assert torch.equal(before[role], weights(made, role)) == (name != side)
            assert (float(scalars[f"{name}_gradient"]) == 0.0) == (name != side)
    assert made.train_step(batch).keys() == scalars.keys()


def test_scalars_are_detached_and_the_generator_sees_the_moved_discriminator() -> None:
    made = gan(learning_rate=0.01)
    scalars = made.train_step(made.batches().at(0))
    assert not any(value.requires_grad for value in scalars.values())
    assert float(scalars["made_after"]) != float(scalars["made"])
    still = made.train_step(made.batches().at(1), "generator")
    assert float(still["made_after"]) == pytest.approx(float(still["made"]), abs=1e-6)


def test_each_player_has_its_own_learning_rate() -> None:
    made = gan(discriminator_rate=4.0, learning_rate=0.001)
    made.optimizers.schedule(0.5)
    rates = {
        made.optimizers.names[parameter].partition(".")[0]: float(group.rate)
        for group in made.optimizers.groups
        for parameter in group.parameters
    }
    assert rates == pytest.approx({"model": 0.0005, "discriminator": 0.002})


@pytest.mark.parametrize("preset", ["quick", "digits"])
def test_gradients_reach_every_parameter(preset: str) -> None:
    assert untouched(gan(preset)) == []


def test_the_same_seed_gives_the_same_losses() -> None:
    first, again, other = (losses(gan(seed=seed), 5) for seed in (1, 1, 2))
    assert first == again != other


def test_eight_examples_are_told_from_fakes_at_once() -> None:
    made = gan("digits", learning_rate=0.002, penalty=0.0)
    batch = tuple(each[:8] for each in made.batches().at(0))
    for _ in range(60):
        scalars = made.train_step(batch, "discriminator")
    assert float(scalars["discriminator_loss"]) < 1e-2


def test_a_batch_cut_into_pieces_makes_the_same_step() -> None:
    whole, pieces = gan("digits"), gan("digits")
    pieces.micro_batches = 4
    for step in range(2):
        for made in (whole, pieces):
            made.train_step(made.batches().at(step))
    for role in whole.modules:
        assert torch.allclose(weights(whole, role), weights(pieces, role), atol=1e-5)


def test_only_the_generator_is_averaged_and_judged_so() -> None:
    made = gan(ema=0.9)
    losses(made, 3)
    raw = {role: weights(made, role) for role in made.modules}
    with looking_at(made):
        assert not torch.equal(weights(made, "model"), raw["model"])
        assert torch.equal(weights(made, "discriminator"), raw["discriminator"])


def test_it_goes_on_from_a_checkpoint_to_the_bit() -> None:
    made, other = gan(), gan(seed=5)
    losses(made, 3)
    with torch.no_grad():
        with looking_at(made):
            judged = {name: tensor.clone() for name, tensor in made.weights().items()}
        other.load_weights(judged)
        other.load_state(made.state())
    batch = made.batches().at(3)
    for _ in range(2):
        assert [float(each) for each in made.train_step(batch).values()] == [
            float(each) for each in other.train_step(batch).values()
        ]


def test_the_penalty_can_be_turned_while_a_run_is_live() -> None:
    made = gan()
    batch = made.batches().at(0)
    assert "penalty" in made.train_step(batch)
    made.turn("penalty", 0.0)
    assert "penalty" not in made.train_step(batch)


def test_modes_are_found_where_points_lie() -> None:
    made = gan()
    ring = made.measure
    assert isinstance(ring, Ring)
    real = made.data.prepare(ring_centers().repeat(10, 1))
    assert float(ring.look(real, torch.zeros(80))["on_modes"][0]) == 80 and ring.figures()["modes"] == 8
    ring.forget()
    three = made.data.prepare(ring_centers()[:3].repeat(10, 1))
    ring.look(torch.cat([three, torch.zeros(50, 2)]), torch.zeros(80))
    assert ring.figures()["modes"] == 3
    far = ring.figures()["wasserstein"]
    near, floor = made.baselines()
    assert isinstance(near, Baseline) and float(near.value) == pytest.approx(0.989, abs=0.01)
    assert isinstance(floor, Baseline) and 0 < float(floor.value) < far / 10


def test_a_plane_is_drawn_with_what_the_discriminator_thinks_of_it() -> None:
    made = gan()
    assert set(evaluate(made)) == {"valid/modes", "valid/on_modes", "valid/wasserstein"}
    with looking_at(made):
        surface, points, spread = made.draw(0)
    assert isinstance(surface, HeatMap) and all(0 <= value <= 1 for row in surface.values for value in row)
    assert isinstance(points, Points) and points.groups == ["generated", "real"]
    assert isinstance(spread, Histogram) and len(spread.counts) == 8


def test_pictures_are_measured_and_drawn_by_class(monkeypatch: pytest.MonkeyPatch) -> None:
    made = gan("digits")
    monkeypatch.setattr(made.measure, "samples", 200)
    measured = evaluate(made)
    assert set(measured) == {"valid/fid", "valid/recognized"} and measured["valid/fid"] > 5
    with looking_at(made):
        samples, spread, asked = made.draw(0)
    assert isinstance(samples, Pictures) and (samples.count, samples.height) == (50, 8)
    assert isinstance(spread, Histogram) and sum(spread.counts) == 200
    assert isinstance(asked, HeatMap) and sum(map(sum, asked.values)) == 200


def test_data_that_nobody_can_judge_are_refused() -> None:
    with pytest.raises(DataError, match="breast-cancer"):
        gan(data="breast-cancer")
    ring = gan().data
    with pytest.raises(DataError, match="Choose ring"):
        measure_of(replace(ring, name="moons"), 1, 0)
    with pytest.raises(DataError, match="smaller shrink"):
        gan("digits", shrink=2)


@pytest.fixture(scope="module")
def forger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(
        tmp_path_factory.mktemp("runs") / "gan", "gan", "digits", **{**DIGITS, "examples": 64, "epochs": 1.0}
    )


def test_samples_are_drawn_of_a_class_or_of_all(forger: Path) -> None:
    (every,) = played(forger, count=12)
    assert isinstance(every, Pictures) and every.count == 12 and every.captions[:3] == ["0", "1", "2"]
    (sevens,) = played(forger, "sample", label="7", count=3)
    assert isinstance(sevens, Pictures) and sevens.captions == ["7"] * 3
    assert played(forger, count=3, seed=1) != played(forger, count=3, seed=2)
    with pytest.raises(UsageError, match="eleven"):
        played(forger, label="eleven")


def test_one_walks_from_one_noise_to_another(forger: Path) -> None:
    (way,) = played(forger, "interpolate", count=5, seed=1, to_seed=2, label="3")
    (start,) = played(forger, "interpolate", count=2, seed=1, to_seed=9, label="3")
    assert isinstance(way, Pictures) and isinstance(start, Pictures) and way.count == 5
    assert way.pixels[:64] == start.pixels[:64] and way.pixels[-64:] != start.pixels[-64:]


def test_a_generator_that_was_told_no_classes_cannot_be_asked_for_one() -> None:
    made = gan()
    from engine.families.gan.spec import SampleSettings

    with pytest.raises(UsageError, match="not told"):
        list(made.sample(SampleSettings(label="3")))
    (points,) = made.sample(SampleSettings(count=5))
    assert isinstance(points, Points) and len(points.x) == 5

"""Two players learn from one another: whose turn touches what, what is measured, what is drawn."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from engine.core.errors import DataError, UsageError
from engine.core.events import Baseline, HeatMap, Histogram, Pictures, Points
from engine.data.planes import ring_centers
from engine.families.gan.learner import GANLearner, surface
from engine.families.gan.measures import Ring, measure_of
from engine.families.gan.spec import GANSpec
from engine.look.fid import unit_pictures
from engine.train.advance import Advance
from engine.train.evaluate import evaluate, looking_at
from engine.train.learner import Batch, Learner
from engine.train.rules import ADAM_BETAS, AdamW
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


def test_noise_is_new_at_every_step_and_the_same_when_a_step_is_made_again() -> None:
    batches, again = gan().batches(), gan().batches()
    assert not torch.equal(batches.at(0)[2], batches.at(1)[2])
    assert torch.equal(batches.at(1)[2], again.at(1)[2])


def test_the_penalty_adds_half_its_weight_times_the_squared_slope() -> None:
    made = gan(penalty=4.0)
    told = {name: float(value.detach()) for name, value in made.loss_of_discriminator(made.batches().at(0)).items()}
    assert told["penalty"] > 0
    assert told["loss"] == pytest.approx(told["discriminator_loss"] + 2 * told["penalty"])


def test_the_memory_of_the_gradient_is_the_knobs() -> None:
    rule = gan(momentum=0.3).optimizers.rules[0]
    assert isinstance(rule, AdamW) and rule.betas == (0.3, ADAM_BETAS[1])


def test_memory_that_runs_out_in_the_generators_turn_leaves_the_discriminator_with_one_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, short = gan(ema=0.9), gan(ema=0.9)
    plain = GANLearner.loss_of_generator

    def hungry(self: GANLearner, batch: Batch) -> dict[str, torch.Tensor]:
        if self is short and len(batch[0]) > 16:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
        return plain(self, batch)

    monkeypatch.setattr(GANLearner, "loss_of_generator", hungry)
    said: list[str] = []
    for step in range(2):
        scalars = [Advance(made, capture=False, say=said.append)(made.batches().at(step)) for made in (whole, short)]
        for name, value in scalars[0].items():
            assert float(scalars[1][name]) == pytest.approx(float(value), rel=1e-4, abs=1e-6), name
    assert len(said) == 1 and short.micro_batches == 2
    for role in whole.modules:
        assert torch.allclose(weights(whole, role), weights(short, role), atol=1e-5)


def test_convolutions_are_said_to_be_some() -> None:
    assert gan("digits", architecture="convolutional", width=8).convolutional
    assert not gan("digits").convolutional


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


def test_the_average_moves_when_the_generator_does() -> None:
    made = gan(ema=0.9)
    assert made.average is not None
    batch = made.batches().at(0)
    moved = []
    for side in ("discriminator", "generator", ""):
        made.train_step(batch, side)
        moved.append(float(made.average.updates))
    assert moved == [0, 1, 2]


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
    near, floor, _ = made.baselines()
    assert isinstance(near, Baseline) and float(near.value) == pytest.approx(0.989, abs=0.01)
    assert isinstance(floor, Baseline) and 0 < float(floor.value) < far / 5


def test_a_mode_counts_once_a_fifth_of_its_share_lies_on_it() -> None:
    ring = gan().measure
    assert isinstance(ring, Ring)
    centers = ring.data.prepare(ring_centers())
    counts = torch.tensor([1600, 60, 40, 0, 0, 0, 0, 0])  # an eighth of all is 212
    ring.look(centers.repeat_interleave(counts, 0), torch.zeros(1700))
    assert ring.figures()["modes"] == 2


@pytest.mark.parametrize("conditional", [False, True])
def test_real_points_mean_the_same_floor_as_in_a_diffusion_model(conditional: bool) -> None:
    other = learner("diffusion", "quick", conditional=conditional)
    floors = [
        next(float(line.value) for line in made.baselines() if line.metric == "valid/wasserstein")  # type: ignore[attr-defined]
        for made in (gan(conditional=conditional), other)
    ]
    assert floors[0] == floors[1]


def test_a_plane_is_drawn_with_what_the_discriminator_thinks_of_it() -> None:
    made = gan()
    assert set(evaluate(made)) == {"valid/modes", "valid/on_modes", "valid/wasserstein"}
    with looking_at(made):
        surface, points, spread = made.draw(0)
    assert isinstance(surface, HeatMap) and all(0 <= value <= 1 for row in surface.values for value in row)
    assert isinstance(points, Points) and points.groups == ["generated", "real"]
    assert isinstance(spread, Histogram) and len(spread.counts) == 8


def test_the_surface_has_x_along_its_columns_and_y_along_its_rows() -> None:
    class Rightward(torch.nn.Module):
        def forward(self, places_N2: torch.Tensor, label_N: torch.Tensor) -> torch.Tensor:
            return places_N2[:, 0] + 0.01 * places_N2[:, 1]

    drawn = surface(gan().data, Rightward(), asked=False)
    assert drawn.values[0][0] < 0.3 < 0.7 < drawn.values[0][-1]
    assert abs(drawn.values[-1][0] - drawn.values[0][0]) < 0.05


def test_real_pictures_that_are_judged_lie_at_no_distance_from_themselves() -> None:
    made = gan("digits")
    valid = 2 * unit_pictures(made.data.valid_inputs, 8, made.data.peak) - 1
    counted = made.measure.look(valid, made.data.valid_labels)
    assert made.measure.figures()["fid"] == pytest.approx(0.0, abs=1e-6)
    right, count = counted["recognized"]
    assert count == len(valid) and float(right) > 0.95 * count


def test_whatever_is_judged_is_judged_under_the_class_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made = gan("digits")
    heard: list[torch.Tensor] = []
    for player in made.modules.values():
        player.register_forward_hook(lambda _, given, __: heard.append(given[1]))
    batch = made.batches().at(0)
    made.train_step(batch)
    assert len(heard) == 5 and all(torch.equal(labels, batch[1]) for labels in heard)
    heard.clear()
    looked: list[torch.Tensor] = []
    monkeypatch.setattr(made.measure, "samples", 30)
    monkeypatch.setattr(made.measure, "look", lambda _, labels: looked.append(labels) or {})
    for asked in made.valid_batches():
        made.valid_step(asked)
    assert torch.equal(torch.cat(heard), torch.cat(looked)) and torch.cat(looked).unique().tolist() == list(range(10))


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
        measure_of(ring, GANSpec(data="moons"), 0)
    with pytest.raises(DataError, match="smaller shrink"):
        gan("digits", shrink=2)


@pytest.fixture(scope="module")
def forger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(
        tmp_path_factory.mktemp("runs") / "gan", "gan", "digits", **{**DIGITS, "examples": 64, "epochs": 1.0}
    )


def test_a_run_on_fewer_pictures_than_its_classes_need_ends_well(tmp_path: Path) -> None:
    trained(tmp_path / "few", "gan", "digits", **{**DIGITS, "examples": 20, "epochs": 2.0})


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

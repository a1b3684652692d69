"""The autoencoder proves itself."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Bernoulli, Normal, kl_divergence

from engine.core.errors import DataError, UsageError
from engine.core.events import Baseline, Histogram, Pictures, Points
from engine.families.autoencoder.learner import AutoencoderLearner, pca_error
from engine.families.autoencoder.model import Autoencoder, draw, kl_to_normal
from engine.families.autoencoder.spec import FAMILY, AutoencoderSpec, SampleSettings, WalkSettings
from engine.train.evaluate import evaluate, looking_at
from tests.engine.families.proofs import learner, losses, overfit, untouched

KINDS = ("variational", "plain")
SMALL = {"width": 32, "latent": 4, "batch_size": 16}


def made(**knobs: object) -> AutoencoderLearner:
    found = learner("autoencoder", **{**SMALL, **knobs})  # type: ignore[arg-type]
    assert isinstance(found, AutoencoderLearner)
    return found


def lively(**knobs: object) -> AutoencoderLearner:
    """Return one whose codes and pictures are far from where they start."""
    found = made(**knobs)
    with torch.no_grad():
        for half in (found._model.encoder, found._model.decoder):
            half.head.weight.mul_(100)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_it_starts_with_one_bit_a_pixel(kind: str) -> None:
    assert losses(made(kind=kind), 1)[0] == pytest.approx(64 * math.log(2), rel=0.01)


def test_it_learns_eight_pictures_by_heart() -> None:
    """A pixel that is neither ink nor paper costs its entropy even then."""
    found = made(kind="plain", width=128, latent=16, learning_rate=0.005)
    (x_ND,) = (tensor[:8] for tensor in found.batches().at(0))
    least = F.binary_cross_entropy(x_ND, x_ND, reduction="sum") / 8
    assert overfit(found, steps=600) - float(least) < 0.05 * float(least)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_reach_every_parameter(kind: str) -> None:
    assert untouched(made(kind=kind)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_losses(kind: str) -> None:
    first, again = (losses(made(kind=kind), 4) for _ in range(2))
    assert first == again


@pytest.mark.parametrize(
    ("knobs", "count"),
    [
        ({"latent": 20, "width": 400}, 652_824),  # pytorch/examples' VAE of MNIST
        ({"latent": 20, "width": 400, "kind": "plain"}, 644_804),
        ({"latent": 8, "width": 64, "depth": 0}, 19_616),
    ],
)
def test_its_parameters_are_counted(knobs: dict[str, int], count: int) -> None:
    spec = AutoencoderSpec(**knobs)  # type: ignore[arg-type]
    assert sum(parameter.numel() for parameter in Autoencoder(spec, 784).parameters()) == count
    assert spec.parameters(784, 0) == count


def test_the_divergence_is_that_of_torch_and_of_chance() -> None:
    mean, log_variance = torch.randn(5, 3), torch.randn(5, 3)
    cloud, normal = Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0)
    ours = kl_to_normal(mean, log_variance)
    torch.testing.assert_close(ours, kl_divergence(cloud, normal), atol=1e-5, rtol=1e-5)
    points = draw(mean, log_variance, torch.randn(200_000, 5, 3))
    by_chance = (cloud.log_prob(points) - normal.log_prob(points)).mean(0)
    torch.testing.assert_close(ours, by_chance, atol=0.05, rtol=0.05)


def reference(spec: AutoencoderSpec, pixels: int) -> tuple[nn.Sequential, nn.Sequential]:
    """The same halves out of torch's parts."""
    return (
        nn.Sequential(nn.Linear(pixels, spec.width), nn.ReLU(), nn.Linear(spec.width, 2 * spec.latent)),
        nn.Sequential(nn.Linear(spec.latent, spec.width), nn.ReLU(), nn.Linear(spec.width, pixels)),
    )


def test_bound_and_gradients_agree_with_torch_distributions() -> None:
    spec = AutoencoderSpec(width=16, latent=3)
    ours = Autoencoder(spec, 20)
    encoder, decoder = reference(spec, 20)
    for theirs, half in ((encoder, ours.encoder), (decoder, ours.decoder)):
        with torch.no_grad():
            half.head.weight.mul_(100)  # away from the start, where all is nearly zero
        theirs[0].load_state_dict(half.hidden[0].state_dict())
        theirs[2].load_state_dict(half.head.state_dict())
    x, noise = torch.rand(6, 20).round(), torch.randn(6, 3)
    reconstruction, kl = ours(x, noise)
    mean, log_variance = encoder(x).chunk(2, 1)
    cloud = Normal(mean, (0.5 * log_variance).exp())
    scores = decoder(cloud.mean + cloud.stddev * noise)
    bound = Bernoulli(logits=scores).log_prob(x).sum(1) - kl_divergence(cloud, Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(reconstruction + kl, -bound, atol=1e-5, rtol=1e-5)
    (reconstruction + kl).mean().backward()
    (-bound).mean().backward()
    for half, theirs in ((ours.encoder, encoder), (ours.decoder, decoder)):
        torch.testing.assert_close(half.hidden[0].weight.grad, theirs[0].weight.grad, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(half.head.bias.grad, theirs[2].bias.grad, atol=1e-5, rtol=1e-4)


def test_a_plain_code_is_a_point_and_costs_nothing_to_tell() -> None:
    model = Autoencoder(AutoencoderSpec(kind="plain", width=8, latent=2), 16)
    x = torch.rand(3, 16)
    cost, kl = model(x, torch.randn(3, 2))
    other, _ = model(x, torch.randn(3, 2))
    assert torch.equal(cost, other) and not kl.any()


def test_more_draws_bring_the_bound_nearer_to_the_likelihood() -> None:
    """The importance-weighted bound grows with the number of draws (Burda et al., 2016, theorem 1)."""
    torch.manual_seed(0)
    spec = AutoencoderSpec(width=16, latent=2)
    model = Autoencoder(spec, 12)
    with torch.no_grad():
        for half in (model.encoder, model.decoder):
            half.head.weight.mul_(200)
        x = torch.rand(64, 12).round()
        mean, log_variance = model.encode(x)
        cloud = Normal(mean, (0.5 * log_variance).exp())

        def bound(draws: int) -> float:
            z = draw(mean, log_variance, torch.randn(draws, *mean.shape))
            weight = Bernoulli(logits=model.decode(z)).log_prob(x).sum(-1)
            weight = weight + (Normal(0.0, 1.0).log_prob(z) - cloud.log_prob(z)).sum(-1)
            return float((weight.logsumexp(0) - math.log(draws)).mean())

        few, some, many = (bound(draws) for draws in (1, 10, 200))
    assert few < some < many


def test_principal_components_span_what_a_straight_code_can_at_best() -> None:
    """A linear autoencoder can at best span what the components span (Baldi and Hornik, 1989)."""
    torch.manual_seed(0)
    x = torch.randn(400, 3) @ torch.randn(3, 10) + 0.1 * torch.randn(400, 10)
    error = pca_error(x, x, 3)
    assert error < 0.02 and pca_error(x, x, 10) == pytest.approx(0, abs=1e-9)
    assert pca_error(x, x, 2) > error > pca_error(x, x, 4)


def test_validation_is_the_same_twice_and_leaves_no_trace_in_chance() -> None:
    found = made()
    losses(found, 3)
    state = torch.get_rng_state()
    first, again = evaluate(found), evaluate(found)
    assert first == again and torch.equal(state, torch.get_rng_state())
    assert first["valid/loss"] == pytest.approx(first["valid/reconstruction"] + first["valid/kl"], rel=1e-6)
    assert 0 <= first["valid/active"] <= 4


def test_beta_makes_the_code_dearer() -> None:
    found = made(beta=3.0)
    torch.manual_seed(5)
    scalars = {name: float(value.detach()) for name, value in found.loss(found.batches().at(0)).items()}
    assert scalars["loss"] == pytest.approx(scalars["reconstruction"] + 3 * scalars["kl"], rel=1e-6)
    assert scalars["bound"] == pytest.approx(scalars["reconstruction"] + scalars["kl"], rel=1e-6)


def test_the_panel_sets_side_by_side_what_is_measured_alike() -> None:
    """Whatever beta is: 64 pixels that nothing is known of cost a bit each, in training as in validation."""
    found = made(beta=100.0, learning_rate=0.0)
    figures = {f"train/{name}": float(each) for name, each in found.train_step(found.batches().at(0)).items()}
    figures |= evaluate(found)
    ours, theirs = (figures[name] for name in FAMILY.panels[0].events)
    assert ours == pytest.approx(theirs, rel=0.01) == pytest.approx(64 * math.log(2), rel=0.01)


def test_a_held_out_picture_that_is_brighter_than_all_others_is_shown_as_it_is() -> None:
    found = made()
    data = found.setting.data
    data.train_inputs.clamp_(max=8)
    assert float(data.valid_inputs.max()) == 16 and float(found.ink(data.valid_inputs).max()) == 1
    with looking_at(found):
        first = next(found.draw(0))
    assert isinstance(first, Pictures)
    shown = torch.frombuffer(bytearray(first.pixels), dtype=torch.uint8).view(12, 16, 8)[:, :8]
    assert torch.equal(shown, (data.valid_inputs[:12, 0].float() * 255 / 16).round().to(torch.uint8))


def test_the_squared_error_is_that_of_the_ink_which_the_middle_of_a_code_gives() -> None:
    found = lively()
    x_ND = found.ink(found.setting.data.valid_inputs)
    model = found.modules["model"]
    assert isinstance(model, Autoencoder)
    with looking_at(found):
        drawn = torch.sigmoid(model.decode(model.encode(x_ND)[0]))
    assert evaluate(found)["valid/mse"] == pytest.approx(float((drawn - x_ND).square().mean()), rel=1e-5)


def test_it_draws_copies_samples_a_walk_and_the_codes() -> None:
    found = made()
    losses(found, 3)
    evaluate(found)
    with looking_at(found):
        drawn = {event.name: event for event in found.draw(3)}  # type: ignore[attr-defined]
    copies, walk, told, places = (drawn[n] for n in ("reconstructions", "walk", "KL by latent unit", "code map"))
    assert isinstance(copies, Pictures) and (copies.count, copies.height, copies.width) == (12, 16, 8)
    assert isinstance(walk, Pictures) and walk.count == 10
    assert isinstance(told, Histogram) and len(told.counts) == 4 and told.counts == sorted(told.counts, reverse=True)
    assert isinstance(places, Points) and len(places.x) == len(places.group) and "samples" in drawn


def test_its_reference_lines_are_computed_on_its_own_data() -> None:
    found = made()
    with looking_at(found):
        lines = {each.name: each for each in found.baselines() if isinstance(each, Baseline)}
    train_ND, valid_ND = (
        found.ink(each) for each in (found.setting.data.train_inputs, found.setting.data.valid_inputs)
    )
    assert lines["PCA"].value == pca_error(train_ND, valid_ND, 4) != pytest.approx(pca_error(valid_ND, valid_ND, 4))
    assert float(lines["mean picture"].value) < 64 * math.log(2)


def test_one_can_draw_and_walk_with_it() -> None:
    found = made()
    with looking_at(found):
        (sampled,) = found.sample(SampleSettings(count=3, seed=4))
        (again,) = found.sample(SampleSettings(count=3, seed=4))
        (walk,) = found.interpolate(WalkSettings(first=2, last=5, steps=4))
    assert isinstance(sampled, Pictures) and isinstance(walk, Pictures)
    assert sampled == again and (sampled.count, walk.count) == (3, 4)
    with pytest.raises(UsageError, match="counted from 0"):
        list(found.interpolate(WalkSettings(last=10**6)))


def test_codes_without_spread_are_all_one_and_with_it_none_is_like_another() -> None:
    found = lively()
    with looking_at(found):
        (alike,), (apart,) = (found.sample(SampleSettings(count=3, spread=spread)) for spread in (0.0, 1.0))
    assert isinstance(alike, Pictures) and isinstance(apart, Pictures)
    size = len(alike.pixels) // 3
    assert len({alike.pixels[size * each : size * (each + 1)] for each in range(3)}) == 1
    assert len({apart.pixels[size * each : size * (each + 1)] for each in range(3)}) == 3


def test_a_walk_goes_from_what_comes_back_of_one_picture_to_what_comes_back_of_the_other() -> None:
    found = lively()
    model, ends = found.modules["model"], found.ink(found.setting.data.valid_inputs[[2, 5]])
    assert isinstance(model, Autoencoder)
    with looking_at(found):
        (walk,) = found.interpolate(WalkSettings(first=2, last=5, steps=4))
        back = (255 * torch.sigmoid(model.decode(model.encode(ends)[0]))).round()
    assert isinstance(walk, Pictures)
    shown = torch.frombuffer(bytearray(walk.pixels), dtype=torch.uint8).view(4, 64).float()
    torch.testing.assert_close(shown[[0, -1]], back, atol=1, rtol=0)
    assert float((back[0] - back[1]).abs().max()) > 10


def test_a_table_is_no_picture() -> None:
    with pytest.raises(DataError, match="no pictures"):
        made(data="wine")

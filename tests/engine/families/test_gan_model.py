"""The players of a GAN prove themselves, and so do their losses."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.core.errors import UsageError
from engine.families.gan.learner import walk
from engine.families.gan.model import (
    SLOPE,
    Discriminator,
    Generator,
    PictureDiscriminator,
    PictureGenerator,
    Verdict,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    halvings,
    length_one,
)
from engine.families.gan.spec import GANSpec

LABELS = torch.arange(6)


def noise(count: int = 6, latent: int = 5) -> Tensor:
    return torch.randn(count, latent, generator=torch.Generator().manual_seed(0))


def test_a_discriminator_stuck_at_one_half_costs_two_ln_two_and_the_generator_ln_two() -> None:
    undecided = torch.zeros(10)
    assert float(discriminator_loss(undecided, undecided)) == pytest.approx(2 * math.log(2))
    assert float(generator_loss(undecided)) == pytest.approx(math.log(2))


def test_the_losses_are_those_of_the_paper() -> None:
    real, made = torch.randn(2, 20, generator=torch.Generator().manual_seed(0))
    d_real, d_made = real.sigmoid(), made.sigmoid()
    assert torch.allclose(discriminator_loss(real, made), -(d_real.log() + (1 - d_made).log()).mean(), atol=1e-6)
    assert torch.allclose(generator_loss(made), F.binary_cross_entropy_with_logits(made, torch.ones(20)), atol=1e-6)


def test_a_sure_discriminator_leaves_the_generator_a_slope() -> None:
    made = torch.tensor([-20.0], requires_grad=True)
    generator_loss(made).backward()
    saturating = torch.tensor([-20.0], requires_grad=True)
    (-F.softplus(saturating)).mean().backward()
    assert made.grad is not None and saturating.grad is not None
    assert float(made.grad) == pytest.approx(-1.0)
    assert abs(float(saturating.grad)) < 1e-6


def test_the_penalty_of_a_linear_discriminator_is_its_squared_length() -> None:
    weight_2 = torch.tensor([0.6, -1.7], requires_grad=True)
    real_N2 = torch.randn(12, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()
    penalty = gradient_penalty(real_N2 @ weight_2 + 3.0, real_N2)
    assert float(penalty.detach()) == pytest.approx(0.6**2 + 1.7**2, rel=1e-6)
    penalty.backward()
    assert weight_2.grad is not None
    assert torch.allclose(weight_2.grad, 2 * weight_2.detach())


@pytest.mark.parametrize("classes", [0, 10])
def test_full_players_are_torchs_own_layers_in_a_row(classes: int) -> None:
    torch.manual_seed(0)
    generator = Generator(5, (2,), classes, width=7, depth=2)
    layers = [*generator.hidden, generator.head]
    reference = nn.Sequential(layers[0], nn.LeakyReLU(SLOPE), layers[1], nn.LeakyReLU(SLOPE), layers[2])
    table = generator.wish.classes
    start = noise() if table is None else torch.cat([noise(), table.weight[LABELS]], 1)
    assert torch.allclose(generator(noise(), LABELS), reference(start), atol=1e-6)
    discriminator = Discriminator((2,), classes, width=7, depth=1)
    hidden_N7 = F.leaky_relu(F.linear(points(), discriminator.hidden[0].weight, discriminator.hidden[0].bias), SLOPE)  # type: ignore[arg-type]
    logit = hidden_N7 @ discriminator.verdict.head.weight[0] + discriminator.verdict.head.bias
    if discriminator.verdict.classes is not None:
        logit = logit + torch.einsum("nf,nf->n", discriminator.verdict.classes.weight[LABELS], hidden_N7)
    assert torch.allclose(discriminator(points(), LABELS), logit, atol=1e-6)


def points() -> Tensor:
    return torch.randn(6, 2, generator=torch.Generator().manual_seed(1))


def test_a_picture_generator_gives_what_a_naive_transposed_convolution_gives() -> None:
    torch.manual_seed(0)
    made = PictureGenerator(5, 1, 8, 10, width=3).double()
    x_NCHW = made.base(made.wish(noise().double(), LABELS)).view(6, 6, 4, 4)
    x_NCHW = F.leaky_relu(length_one(x_NCHW), SLOPE)
    layer = made.doubling[0]
    grown = torch.zeros(6, 3, 10, 10, dtype=torch.double)
    for row in range(4):
        for column in range(4):  # every pixel paints its kernel, two pixels on from the last
            painted = torch.einsum("nc,cdhw->ndhw", x_NCHW[:, :, row, column], layer.weight)  # type: ignore[arg-type]
            grown[:, :, 2 * row : 2 * row + 4, 2 * column : 2 * column + 4] += painted
    grown = grown[:, :, 1:9, 1:9] + layer.bias[:, None, None]  # type: ignore[index]
    x_NCHW = F.leaky_relu(length_one(grown), SLOPE)
    assert torch.allclose(made(noise().double(), LABELS), made.head(x_NCHW).tanh(), atol=1e-9)


def test_a_picture_discriminator_is_torchs_own_layers_in_a_row() -> None:
    torch.manual_seed(0)
    made = PictureDiscriminator(1, 14, 0, width=4)
    reference = nn.Sequential(
        made.halving[0], nn.LeakyReLU(SLOPE), made.last, nn.LeakyReLU(SLOPE), nn.Flatten(),
        made.hidden, nn.LeakyReLU(SLOPE), made.verdict.head,
    )  # fmt: skip
    pictures = torch.randn(6, 1, 14, 14)
    assert torch.allclose(made(pictures, LABELS), reference(pictures)[:, 0], atol=1e-6)


@pytest.mark.parametrize("side", [8, 14, 16, 28, 32])
def test_pictures_of_every_size_are_made_and_judged(side: int) -> None:
    generator = PictureGenerator(5, 1, side, 10, width=2)
    pictures = generator(noise(), LABELS)
    assert pictures.shape == (6, 1, side, side) and float(pictures.detach().abs().max()) <= 1
    assert PictureDiscriminator(1, side, 10, width=2)(pictures, LABELS).shape == (6,)


def test_pictures_are_halved_until_they_are_small() -> None:
    assert halvings(28) == [28, 14, 7] and halvings(8) == [8, 4] and halvings(14) == [14, 7]


def test_the_class_that_is_asked_for_matters() -> None:
    generator = Generator(5, (2,), 3, width=7, depth=1)
    alike = noise(1).expand(3, -1)
    assert len(generator(alike, torch.arange(3)).unique(dim=0)) == 3
    verdict = Verdict(4, 3)
    assert len(verdict(torch.ones(3, 4), torch.arange(3)).unique()) == 3


@pytest.mark.parametrize(("architecture", "inputs"), [("full", 2), ("full", 784), ("convolutional", 784)])
@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("shrink", [1, 2])
def test_parameters_are_counted(architecture: str, inputs: int, conditional: bool, shrink: int) -> None:
    spec = GANSpec(
        data="fashion-mnist", architecture=architecture, conditional=conditional, shrink=shrink,
        latent=5, width=6, depth=2,
    )  # fmt: skip
    classes, side = 10 if conditional else 0, 28 // shrink
    players: tuple[nn.Module, nn.Module]
    if architecture == "full":
        shape = (2,) if inputs == 2 else (1, side, side)
        players = (Generator(5, shape, classes, width=6, depth=2), Discriminator(shape, classes, width=6, depth=2))
    else:
        players = (
            PictureGenerator(5, 1, side, classes, width=6),
            PictureDiscriminator(1, side, classes, width=6),
        )
    counted = sum(each.numel() for player in players for each in player.parameters())
    assert spec.parameters(inputs, 10) == counted


@pytest.mark.parametrize("architecture", ["full", "convolutional"])
def test_the_work_of_both_players_is_counted(architecture: str) -> None:
    from torch.utils.flop_counter import FlopCounterMode

    spec = GANSpec(data="fashion-mnist", architecture=architecture, latent=5, width=8, shrink=2)
    players = (
        (Generator(5, (1, 14, 14), 0, width=8, depth=3), Discriminator((1, 14, 14), 0, width=8, depth=3))
        if architecture == "full"
        else (PictureGenerator(5, 1, 14, 0, width=8), PictureDiscriminator(1, 14, 0, width=8))
    )
    works = [sum(2 * layer.products for layer in player) for player in spec.players(784, 10)]
    for player, given, work in zip(players, (noise(1), torch.randn(1, 1, 14, 14)), works, strict=True):
        with FlopCounterMode(display=False) as counter:
            player(given, LABELS[:1])
        assert work == pytest.approx(counter.get_total_flops(), rel=0.1)
    assert spec.flops_per_sample(784, 10) == 4 * works[0] + 8 * works[1]


def test_convolutions_are_not_for_points() -> None:
    with pytest.raises(UsageError, match="pictures"):
        GANSpec(data="ring", architecture="convolutional")


def test_a_walk_keeps_to_its_ends_and_to_the_sphere() -> None:
    start, end = noise(1, 100), torch.randn(1, 100, generator=torch.Generator().manual_seed(7))
    way_NZ = walk(start, end, 9)
    assert torch.allclose(way_NZ[0], start[0], atol=1e-5) and torch.allclose(way_NZ[-1], end[0], atol=1e-5)
    assert float(way_NZ.norm(dim=1).min()) > 0.9 * min(float(start.norm()), float(end.norm()))
    assert torch.allclose(walk(start, start, 3), start.expand(3, -1))


def test_a_walk_to_the_opposite_leads_straight_through_the_middle() -> None:
    start = noise(1, 100)
    torch.testing.assert_close(walk(start, -start, 3), torch.cat([start, 0 * start, -start]))

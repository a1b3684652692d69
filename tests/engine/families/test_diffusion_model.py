"""The networks of the diffusion family prove themselves."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.core.errors import UsageError
from engine.families.diffusion.model import Attention, Denoiser, PictureBlock, PointBlock, PointNet, UNet, waves
from engine.families.diffusion.spec import GROUPS, DiffusionSpec
from tests.engine.families.proofs import learner, losses, overfit, untouched

POINTS = {"width": 32, "blocks": 2, "batch_size": 64}
PICTURES = {"width": 8, "blocks": 1, "batch_size": 16}
SMALL = {"quick": POINTS, "flow": POINTS, "digits": PICTURES}


@pytest.mark.parametrize("preset", SMALL)
def test_it_starts_by_answering_zero(preset: str) -> None:
    made = learner("diffusion", preset, **{**SMALL[preset], "batch_size": 512})
    data, _, noise, _ = made.batches().at(0)
    first = losses(made, 1)[0]
    if preset == "quick":
        assert first == pytest.approx(float(noise.square().mean())), "all of the noise"
        assert first == pytest.approx(1.0, abs=0.1)
    else:
        assert first == pytest.approx(float((noise - data).square().mean()))
        assert first == pytest.approx(1 + float(data.square().mean()), abs=0.2)


def test_whoever_answers_zero_to_the_data_pays_their_size() -> None:
    made = learner("diffusion", "quick", objective="data", **POINTS)
    data = made.batches().at(0)[0]
    assert losses(made, 1)[0] == pytest.approx(float(data.square().mean()))


@pytest.mark.parametrize("preset", SMALL)
def test_it_learns_eight_examples_with_their_noise_by_heart(preset: str) -> None:
    assert overfit(learner("diffusion", preset, **SMALL[preset]), steps=200) < 0.05


@pytest.mark.parametrize("preset", SMALL)
def test_gradients_reach_every_parameter(preset: str) -> None:
    made = learner("diffusion", preset, **SMALL[preset])
    losses(made, 4)  # until then what starts at zero keeps gradients from what lies before it
    made.optimizers.clear()
    assert untouched(made) == []


@pytest.mark.parametrize("preset", SMALL)
def test_the_same_seed_gives_the_same_losses(preset: str) -> None:
    first, again, other = (losses(learner("diffusion", preset, seed=s, **SMALL[preset]), 4) for s in (1, 1, 2))
    assert first == again
    assert first != other


PINNED = {
    ("quick", 2, 8): 164_834,
    ("digits", 64, 10): 445_441,
    ("real", 784, 10): 445_441,
    ("standard", 784, 10): 5_638_241,
}


@pytest.mark.parametrize(("preset", "inputs", "classes"), PINNED)
def test_its_parameters_are_counted(preset: str, inputs: int, classes: int) -> None:
    from engine.catalog import family

    spec = family("diffusion").configure(preset)
    assert isinstance(spec, DiffusionSpec)
    shape = (2,) if inputs == 2 else (1, *2 * (spec.side(inputs)[1],))
    with torch.device("meta"):
        model = Denoiser(spec, shape, classes)
    counted = sum(parameter.numel() for parameter in model.parameters())
    assert spec.parameters(inputs, classes) == counted == PINNED[preset, inputs, classes]


@pytest.mark.parametrize(
    "knobs", [{"stages": 1}, {"stages": 3, "blocks": 2}, {"attention": False}, {"conditional": False}]
)
def test_every_shape_of_the_u_net_is_counted(knobs: dict[str, int | bool]) -> None:
    spec = DiffusionSpec.of({**PICTURES, "data": "digits", **knobs})
    model = Denoiser(spec, (3, 8, 8), 10 if spec.conditional else 0)
    assert spec.parameters(3 * 64, 10) == sum(parameter.numel() for parameter in model.parameters())
    assert model(torch.randn(2, 3, 8, 8), torch.rand(2), torch.tensor([0, 0])).shape == (2, 3, 8, 8)


@pytest.mark.parametrize("preset", ["quick", "real"])
def test_the_work_of_a_step_is_counted(preset: str) -> None:
    from torch.utils.flop_counter import FlopCounterMode

    from engine.catalog import family

    spec = family("diffusion").configure(preset)
    assert isinstance(spec, DiffusionSpec)
    shape, inputs = ((2,), 2) if preset == "quick" else ((1, 14, 14), 784)
    with FlopCounterMode(display=False) as counter:
        Denoiser(spec, shape, 10)(torch.randn(1, *shape), torch.rand(1), torch.tensor([3]))
    assert spec.flops_per_sample(inputs, 10) == pytest.approx(3 * counter.get_total_flops(), rel=0.05)


def test_near_times_look_alike_and_far_ones_do_not() -> None:
    seen = F.normalize(waves(torch.tensor([0.5, 0.501, 0.9]), 64), dim=1)
    alike, unlike = seen[0] @ seen[1], seen[0] @ seen[2]
    assert alike > 0.9 > 0.7 > unlike
    assert torch.equal(waves(torch.zeros(1), 4), torch.tensor([[0.0, 0.0, 1.0, 1.0]]))


def stirred(model: Denoiser) -> Denoiser:
    """Give every weight a value, also those that start at zero."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator))
    return model


def by_hand(model: Denoiser, x: Tensor, times: Tensor, labels: Tensor) -> Tensor:
    """Return what the network answers, from formulas and torch's functions alone."""
    own = model.condition
    rates = torch.tensor([10_000 ** (-each / 64) for each in range(64)])
    phase = 1000 * times[:, None] * rates
    hidden = F.linear(torch.cat([phase.sin(), phase.cos()], 1), own.hidden.weight, own.hidden.bias)
    condition = F.linear(swish(hidden), own.out.weight, own.out.bias) + own.classes.weight[labels]
    body, steer = model.body, swish(condition)
    return points_by_hand(body, x, steer) if isinstance(body, PointNet) else pictures_by_hand(body, x, steer)


def swish(x: Tensor) -> Tensor:
    return x / (1 + (-x).exp())


def points_by_hand(net: PointNet, x: Tensor, condition: Tensor) -> Tensor:
    x = x @ net.stem.weight.T + net.stem.bias
    for block in net.blocks:
        assert isinstance(block, PointBlock)
        gain, shift = (condition @ block.steer.weight.T + block.steer.bias).tensor_split(2, dim=1)
        y = (x @ block.up.weight.T + block.up.bias) * (1 + gain) + shift
        x = x + swish(y) @ block.down.weight.T + block.down.bias
    return swish(x) @ net.head.weight.T + net.head.bias


def normed(norm: nn.Module, x: Tensor) -> Tensor:
    assert isinstance(norm, nn.GroupNorm)
    grouped = x.reshape(len(x), GROUPS, -1)
    mean, variance = grouped.mean(2, keepdim=True), grouped.var(2, keepdim=True, unbiased=False)
    return ((grouped - mean) / (variance + 1e-5).sqrt()).view_as(x) * norm.weight[:, None, None] + norm.bias[
        :, None, None
    ]


def convolved(layer: nn.Module, x: Tensor, stride: int = 1) -> Tensor:
    """Return every place's patch times every filter."""
    assert isinstance(layer, nn.Conv2d) and layer.bias is not None
    kernel = layer.kernel_size[0]
    patches = F.unfold(x, kernel, padding=kernel // 2, stride=stride)
    side = (x.shape[-1] - 1) // stride + 1
    return (layer.weight.flatten(1) @ patches + layer.bias[:, None]).view(len(x), -1, side, side)


def block_by_hand(block: nn.Module, x: Tensor, condition: Tensor) -> Tensor:
    assert isinstance(block, PictureBlock)
    gain, shift = (condition @ block.steer.weight.T + block.steer.bias).tensor_split(2, dim=1)
    y = normed(block.norm2, convolved(block.conv1, swish(normed(block.norm1, x))))
    y = convolved(block.conv2, swish(y * (1 + gain[..., None, None]) + shift[..., None, None]))
    return y + (convolved(block.shortcut, x) if isinstance(block.shortcut, nn.Conv2d) else x)


def attended(own: nn.Module, x: Tensor) -> Tensor:
    assert isinstance(own, Attention)
    tokens = normed(own.norm, x).flatten(2).permute(2, 0, 1)
    found, _ = F.multi_head_attention_forward(
        tokens, tokens, tokens, x.shape[1], own.heads, own.qkv.weight, own.qkv.bias, None, None, False, 0.0,
        own.projection.weight, own.projection.bias,
    )  # fmt: skip
    return x + found.permute(1, 2, 0).view_as(x)


def pictures_by_hand(net: UNet, x: Tensor, condition: Tensor) -> Tensor:
    """A U-Net of two sizes with one block at each."""
    (down1,), (down2,) = net.down  # type: ignore[misc]
    (up2,), (up1,) = net.up  # type: ignore[misc]
    large = block_by_hand(down1, convolved(net.stem, x), condition)
    small = block_by_hand(down2, convolved(net.shrink[0], large, stride=2), condition)
    x = block_by_hand(net.middle, attended(net.attention, small), condition)
    x = convolved(net.grow[0], block_by_hand(up2, torch.cat([x, small], 1), condition))
    x = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    x = block_by_hand(up1, torch.cat([x, large], 1), condition)
    return convolved(net.head, swish(normed(net.norm, x)))


@pytest.mark.parametrize("shape", [(2,), (1, 8, 8)])
def test_it_agrees_with_the_formulas_in_answers_and_gradients(shape: tuple[int, ...]) -> None:
    model = stirred(Denoiser(DiffusionSpec(width=16, blocks=2 if len(shape) == 1 else 1), shape, 3))
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(4, *shape, generator=generator)
    times, labels = torch.rand(4, generator=generator), torch.tensor([0, 1, 3, 2])
    ours, theirs = model(x, times, labels), by_hand(model, x, times, labels)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
    own, other = (torch.autograd.grad(each.square().mean(), list(model.parameters())) for each in (ours, theirs))
    for mine, reference in zip(own, other, strict=True):
        torch.testing.assert_close(mine, reference, atol=1e-5 * max(1.0, float(reference.abs().max())), rtol=1e-4)


def test_a_class_changes_the_answer_and_so_does_the_time() -> None:
    model = stirred(Denoiser(DiffusionSpec(width=16), (2,), 3))
    x, time, label = torch.ones(1, 2), torch.tensor([0.5]), torch.tensor([0])
    first = model(x, time, label)
    assert not torch.allclose(first, model(x, time, label + 1))
    assert not torch.allclose(first, model(x, time + 0.3, label))


@pytest.mark.parametrize(
    ("knobs", "says"),
    [
        ({"objective": "noise", "schedule": "straight"}, "flow matching"),
        ({"width": 30}, "multiple of 8"),
        ({"sampler": "magic"}, "one of ddpm"),
        ({"label_dropout": 1.5}, "from 0 to 1"),
        ({"guidance": 2.0, "label_dropout": 0.0}, "guidance=1"),
        ({"guidance": 0.0, "conditional": False}, "guidance=1"),
    ],
)
def test_what_does_not_go_together_is_refused(knobs: dict[str, str | int | float], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        try:
            DiffusionSpec.of(knobs)
        except UsageError as error:
            raise UsageError(f"{error} {error.remedy}") from None

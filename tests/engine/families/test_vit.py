"""The vision transformer proves itself."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.core.errors import DataError, UsageError
from engine.core.events import HeatMap, Pictures
from engine.families.vit.learner import ViTLearner
from engine.families.vit.model import Block, ViT, patches
from engine.families.vit.spec import ViTSpec
from engine.train.evaluate import evaluate, looking_at
from tests.engine.families.proofs import learner, losses, overfit, untouched

SMALL = {"layers": 2, "width": 16, "heads": 2, "batch_size": 16}
VARIANTS = ({}, {"pool": "mean"}, {"positions": "none"}, {"attention": "fused"})
variants = pytest.mark.parametrize("knobs", VARIANTS, ids=["token", "mean", "no positions", "fused"])


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def lively(network: nn.Module) -> nn.Module:
    """Move every weight away from where it starts, so that nothing is zero."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))
    return network.eval()


@variants
def test_it_starts_knowing_nothing(knobs: dict[str, str]) -> None:
    assert losses(learner("vit", **SMALL, **knobs), 1)[0] == pytest.approx(math.log(10), abs=0.02)


@variants
def test_it_learns_eight_examples_by_heart(knobs: dict[str, str]) -> None:
    assert overfit(learner("vit", optimizer="adamw", learning_rate=0.01, **SMALL, **knobs), steps=160) < 1e-2


@variants
def test_gradients_reach_every_parameter(knobs: dict[str, str]) -> None:
    assert untouched(learner("vit", **SMALL, zero_start=False, **knobs)) == []


def test_what_starts_at_zero_moves_with_the_first_steps() -> None:
    made = learner("vit", **SMALL)
    losses(made, 3)
    assert untouched(made) == []


def test_the_same_seed_gives_the_same_losses() -> None:
    first, again, other = (losses(learner("vit", seed=s, **SMALL), 4) for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_its_parameters_are_counted() -> None:
    assert ViTSpec().parameters(784, 10) == count(ViT(ViTSpec(), 1, 28, 10)) == 205_066
    base = ViTSpec(patch=16, layers=12, heads=12, width=768)
    with torch.device("meta"):
        assert count(ViT(base, 3, 224, 1000)) == base.parameters(3 * 224 * 224, 1000) == 86_567_656, "ViT-B/16"


@variants
def test_every_variant_is_counted(knobs: dict[str, str]) -> None:
    spec = ViTSpec(width=16, patch=2, **knobs)  # type: ignore[arg-type]
    network = ViT(spec, 3, 8, 5)
    assert network(torch.randn(2, 3, 8, 8)).shape == (2, 5)
    assert spec.parameters(192, 5) == count(network)


def test_the_work_of_a_step_is_counted_matrix_by_matrix() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        ViT(ViTSpec(), 1, 28, 10)(torch.randn(1, 1, 28, 28))
    assert ViTSpec().flops_per_sample(784, 10) == pytest.approx(3 * counter.get_total_flops(), rel=0.02)


def test_embedding_patches_is_a_convolution_with_a_stride_of_one_patch() -> None:
    network = ViT(ViTSpec(patch=4, width=16), 3, 12, 10)
    x = torch.randn(2, 3, 12, 12)
    filters = network.embedding.weight.view(16, 3, 4, 4)
    by_convolution = F.conv2d(x, filters, network.embedding.bias, stride=4).flatten(2).mT
    torch.testing.assert_close(network.embedding(patches(x, 4)), by_convolution, atol=1e-5, rtol=1e-5)


def shuffled(x_NCHW: Tensor, side: int) -> Tensor:
    """Return pictures whose patches have changed places."""
    height, width = x_NCHW.shape[2:]
    pieces = F.unfold(x_NCHW, side, stride=side)
    order = torch.randperm(pieces.size(2), generator=torch.Generator().manual_seed(1))
    return F.fold(pieces[:, :, order], (height, width), side, stride=side)


@pytest.mark.parametrize("pool", ["mean", "token"])
def test_without_positions_it_does_not_see_in_which_order_the_patches_lie(pool: str) -> None:
    x = torch.randn(2, 1, 8, 8)
    blind = lively(ViT(ViTSpec(patch=2, positions="none", pool=pool), 1, 8, 10))
    seeing = lively(ViT(ViTSpec(patch=2, pool=pool), 1, 8, 10))
    with torch.no_grad():
        torch.testing.assert_close(blind(shuffled(x, 2)), blind(x), atol=1e-5, rtol=1e-4)
        assert not torch.allclose(seeing(shuffled(x, 2)), seeing(x), atol=1e-2)


def test_every_patch_reaches_the_class_token() -> None:
    network = lively(ViT(ViTSpec(patch=2, layers=1), 1, 8, 10))
    x = torch.randn(1, 1, 8, 8, requires_grad=True)
    network(x).sum().backward()
    assert x.grad is not None and x.grad.abs().min() > 0


def test_a_block_that_starts_at_zero_passes_its_input_on() -> None:
    block = ViT(ViTSpec(), 1, 8, 10).blocks[0]
    x = torch.randn(2, 5, 64)
    assert torch.equal(block(x), x)


def test_attention_in_one_kernel_gives_the_same_scores_and_gradients() -> None:
    written, fused = (ViT(ViTSpec(attention=how, patch=2, layers=2), 1, 8, 10) for how in ("written", "fused"))
    lively(written)
    fused.load_state_dict(written.state_dict())
    x, labels = torch.randn(4, 1, 8, 8), torch.arange(4)
    for network in (written, fused):
        F.cross_entropy(network(x), labels).backward()
    torch.testing.assert_close(written(x), fused(x), atol=1e-5, rtol=1e-4)
    for (name, a), b in zip(written.named_parameters(), fused.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad, atol=1e-5, rtol=1e-3, msg=name)


# torchvision


def torchvision_names(ours: ViT) -> dict[str, Tensor]:
    """Return our weights under the names of torchvision's VisionTransformer."""
    own, patch = ours.state_dict(), ours.spec.patch
    found = {
        "class_token": own["class_token"][None, None],
        "conv_proj.weight": own["embedding.weight"].view(ours.spec.width, -1, patch, patch),
        "conv_proj.bias": own["embedding.bias"],
        "encoder.pos_embedding": own["positions.weight"][None],
        "encoder.ln.weight": own["norm.weight"],
        "encoder.ln.bias": own["norm.bias"],
        "heads.head.weight": own["head.weight"],
        "heads.head.bias": own["head.bias"],
    }
    parts = {
        "attention_norm.weight": "ln_1.weight", "attention_norm.bias": "ln_1.bias",
        "attention.qkv.weight": "self_attention.in_proj_weight", "attention.qkv.bias": "self_attention.in_proj_bias",
        "attention.projection.weight": "self_attention.out_proj.weight",
        "attention.projection.bias": "self_attention.out_proj.bias",
        "mlp_norm.weight": "ln_2.weight", "mlp_norm.bias": "ln_2.bias",
        "up.weight": "mlp.0.weight", "up.bias": "mlp.0.bias", "down.weight": "mlp.3.weight", "down.bias": "mlp.3.bias",
    }  # fmt: skip
    for layer in range(ours.spec.layers):
        for name, theirs in parts.items():
            found[f"encoder.layers.encoder_layer_{layer}.{theirs}"] = own[f"blocks.{layer}.{name}"]
    return found


def test_it_agrees_with_torchvision_in_scores_and_gradients() -> None:
    from torchvision.models import VisionTransformer

    ours = ViT(ViTSpec(patch=8, layers=2, heads=4, width=32), 3, 32, 10)
    theirs = VisionTransformer(
        image_size=32, patch_size=8, num_layers=2, num_heads=4, hidden_dim=32, mlp_dim=128, num_classes=10
    )
    lively(ours)
    for module in (*ours.modules(), *theirs.modules()):
        if isinstance(module, nn.LayerNorm):
            module.eps = 1e-5  # torchvision has 1e-6
    theirs.load_state_dict(torchvision_names(ours))
    theirs.eval()
    x, labels = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0)), torch.arange(3)
    torch.testing.assert_close(ours(x), theirs(x), atol=1e-5, rtol=1e-5)
    F.cross_entropy(ours(x), labels).backward()
    F.cross_entropy(theirs(x), labels).backward()
    block, other = ours.blocks[0], theirs.encoder.layers[0]
    assert isinstance(block, Block)
    pairs = [
        (ours.class_token.grad, theirs.class_token.grad[0, 0]),  # type: ignore[union-attr]
        (ours.positions.weight.grad, theirs.encoder.pos_embedding.grad[0]),  # type: ignore[union-attr]
        (ours.embedding.weight.grad, theirs.conv_proj.weight.grad.flatten(1)),
        (block.attention.qkv.weight.grad, other.self_attention.in_proj_weight.grad),
        (block.up.weight.grad, other.mlp[0].weight.grad),
        (ours.head.weight.grad, theirs.heads.head.weight.grad),
    ]
    for own, their in pairs:
        torch.testing.assert_close(own, their, atol=1e-5, rtol=1e-4)


# What it shows and refuses


@pytest.mark.parametrize("pool", ["token", "mean"])
def test_it_draws_what_it_looks_at_and_how_alike_places_are(pool: str) -> None:
    made = learner("vit", **SMALL, pool=pool)
    losses(made, 2)
    evaluate(made)
    with looking_at(made):
        shown = {event.name: event for event in made.draw(2)}  # type: ignore[attr-defined]
    attention, places, entropy = (shown[name] for name in ("attention", "position similarity", "attention entropy"))
    assert isinstance(attention, Pictures) and (attention.count, attention.height, attention.width) == (16, 8, 8)
    assert max(attention.pixels[64:128]) == 255, "the patch that is looked at most is white"
    assert isinstance(places, Pictures) and places.height == places.width == 4 * 4 + 3
    assert isinstance(entropy, HeatMap) and len(entropy.values) == 2 and len(entropy.values[0]) == 2
    assert all(0 < value <= math.log(17) + 1e-3 for row in entropy.values for value in row)
    assert {"first-layer filters", "confusion matrix", "by class"} <= shown.keys()


@pytest.mark.parametrize("pool", ["token", "mean"])
def test_the_maps_are_what_the_last_layer_takes_from_each_patch_beside_pictures_as_bright_as_they_are(
    pool: str,
) -> None:
    made = learner("vit", **SMALL, pool=pool)
    assert isinstance(made, ViTLearner)
    lively(made.model)
    made.data.valid_inputs.clamp_(max=8)
    with looking_at(made):
        kept_NCHW = made.data.valid_inputs[:8]
        weights_NTT = made.model.attention(made.data.prepare(kept_NCHW))[-1].mean(1)
        shown = next(made.draw(0))
    looks_NP = weights_NTT[:, 0, 1:] if pool == "token" else weights_NTT.mean(1)
    bright_NP = 255 * looks_NP / looks_NP.amax(1, keepdim=True)
    assert isinstance(shown, Pictures)
    rows_N2HW = torch.frombuffer(bytearray(shown.pixels), dtype=torch.uint8).view(8, 2, 8, 8).float()
    torch.testing.assert_close(rows_N2HW[:, 1, ::2, ::2].flatten(1), bright_NP, atol=1, rtol=0)
    torch.testing.assert_close(rows_N2HW[:, 0], kept_NCHW[:, 0].float() * 255 / 16, atol=1, rtol=0)


def test_without_positions_there_is_no_likeness_to_show() -> None:
    made = learner("vit", **SMALL, positions="none")
    with looking_at(made):
        assert "position similarity" not in {event.name for event in made.draw(0)}  # type: ignore[attr-defined]


def test_dropout_can_be_turned_while_it_trains() -> None:
    made = learner("vit", **SMALL)
    made.turn("dropout", 0.5)
    assert {each.p for each in made.modules["model"].modules() if isinstance(each, nn.Dropout)} == {0.5}


def test_pictures_that_cannot_be_cut_are_refused_with_the_patches_that_fit() -> None:
    with pytest.raises(DataError, match="patches of 3 by 3") as raised:
        learner("vit", patch=3)
    assert raised.value.remedy == "Set patch to one of 1, 2, 4, 8."


def test_a_width_that_the_heads_cannot_share_is_refused() -> None:
    with pytest.raises(UsageError, match="shared out"):
        ViTSpec(width=10, heads=4)


def test_a_table_is_no_picture() -> None:
    with pytest.raises(DataError, match="no pictures"):
        learner("vit", data="wine")

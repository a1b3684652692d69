"""The residual network and its plain twin prove themselves."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from engine import catalog
from engine.core.errors import DataError, UsageError
from engine.core.events import HeatMap, Histogram
from engine.core.recipe import Recipe
from engine.data import files
from engine.data.table import TABLE, data_set
from engine.families.resnet import published
from engine.families.resnet.model import Block, PaddingShortcut, ResNet
from engine.families.resnet.published import from_torchvision
from engine.families.resnet.spec import RESNET_18, STEMS, ResNetSpec
from engine.train.assemble import build_learner
from engine.train.checkpoint import Checkpoint, State
from engine.train.evaluate import evaluate, looking_at
from engine.train.learner import Learner
from tests.engine.families.proofs import learner, losses, overfit, untouched

SMALL = {"blocks": 1, "width": 8, "batch_size": 16}
TWINS = ({}, {"residual": False, "zero_start": False}, {"batch_norm": False}, {"shortcut": "projection"})
twins = pytest.mark.parametrize("knobs", TWINS, ids=["residual", "plain", "no norm", "projection"])


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@twins
def test_it_starts_knowing_nothing(knobs: dict[str, bool]) -> None:
    assert losses(learner("resnet", **SMALL, **knobs), 1)[0] == pytest.approx(math.log(10), abs=0.02)


@twins
def test_it_learns_eight_examples_by_heart(knobs: dict[str, bool]) -> None:
    assert overfit(learner("resnet", learning_rate=0.05, **SMALL, **knobs), steps=100) < 1e-2


@twins
def test_gradients_reach_every_parameter(knobs: dict[str, bool]) -> None:
    assert untouched(learner("resnet", **SMALL, **{"zero_start": False, **knobs})) == []


def test_what_starts_at_zero_moves_with_the_first_steps() -> None:
    made = learner("resnet", **SMALL)
    losses(made, 3)
    assert untouched(made) == []


def test_the_same_seed_gives_the_same_losses() -> None:
    first, again, other = (losses(learner("resnet", seed=s, **SMALL), 4) for s in (1, 1, 2))
    assert first == again
    assert first != other


PINNED = {(16, 3, 3): 269_722, (16, 9, 3): 853_018, (16, 18, 3): 1_727_962}
"""ResNet-20, 56 and 110 of the paper, on CIFAR-10: its table 6 has 0.27, 0.85 and 1.7 million."""


@pytest.mark.parametrize(("width", "blocks", "stages"), PINNED)
def test_its_parameters_are_counted(width: int, blocks: int, stages: int) -> None:
    spec = ResNetSpec(width=width, blocks=blocks, stages=stages)
    assert spec.parameters(3072, 10) == PINNED[width, blocks, stages] == count(ResNet(spec, 3, 10))
    assert spec.depth == {3: 20, 9: 56, 18: 110}[blocks]


@twins
@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize("side", [8, 28, 33])
def test_every_size_of_picture_fits(side: int, stem: str, knobs: dict[str, bool]) -> None:
    spec = ResNetSpec(blocks=2, width=4, stages=4, stem=stem, **knobs)
    network = ResNet(spec, 1, 10)
    assert network(torch.randn(2, 1, side, side)).shape == (2, 10)
    assert spec.parameters(side * side, 10) == count(network)


@pytest.mark.parametrize("stem", STEMS)
def test_the_work_of_a_step_is_counted_filter_by_filter(stem: str) -> None:
    from torch.utils.flop_counter import FlopCounterMode

    spec = ResNetSpec(stem=stem, shortcut="projection")
    with FlopCounterMode(display=False) as counter:
        ResNet(spec, 1, 10)(torch.randn(1, 1, 28, 28))
    assert spec.flops_per_sample(784, 10) == pytest.approx(3 * counter.get_total_flops(), rel=0.02)


def test_a_block_that_starts_at_zero_passes_its_input_on() -> None:
    block = next(ResNet(ResNetSpec(), 1, 10).blocks())
    x = torch.rand(2, 16, 8, 8)
    assert torch.equal(block(x), x)


def test_the_twin_differs_in_nothing_but_the_sum() -> None:
    torch.manual_seed(0)
    residual = Block(8, 8, 1, ResNetSpec(zero_start=False))
    plain = Block(8, 8, 1, ResNetSpec(residual=False, zero_start=False))
    plain.load_state_dict(residual.state_dict())
    x = torch.rand(2, 8, 8, 8)
    branch = residual.norm2(residual.conv2(torch.relu(residual.norm1(residual.conv1(x)))))
    torch.testing.assert_close(plain(x), torch.relu(branch))
    torch.testing.assert_close(residual(x), torch.relu(branch + x))


def test_the_padding_shortcut_keeps_every_second_pixel_and_adds_silent_channels() -> None:
    x = torch.randn(1, 3, 7, 7)
    y = PaddingShortcut(3, 6, 2)(x)
    assert y.shape == (1, 6, 4, 4)
    assert torch.equal(y[:, :3], x[:, :, ::2, ::2]) and not y[:, 3:].any()


def first_gradient(*, residual: bool) -> float:
    """Return the size of the gradient in the first of 38 layers without batch norm, at the start."""
    torch.manual_seed(0)
    spec = ResNetSpec(blocks=6, width=8, batch_norm=False, zero_start=False, residual=residual)
    network = ResNet(spec, 1, 10)
    pictures, labels = torch.randn(16, 1, 8, 8), torch.arange(16) % 10
    nn.functional.cross_entropy(network(pictures), labels).backward()
    assert network.conv.weight.grad is not None
    return float(network.conv.weight.grad.norm())


def test_without_the_sums_the_gradient_of_a_deep_network_dies_on_its_way_back() -> None:
    assert first_gradient(residual=False) < 1e-3 * first_gradient(residual=True)


def test_evaluation_normalizes_by_what_it_has_seen_and_not_by_its_batch() -> None:
    made = learner("resnet", **SMALL)
    losses(made, 3)
    model = made.modules["model"].eval()
    assert isinstance(model, ResNet)
    one, many = (made.batches().at(0)[0][:size] for size in (1, 16))
    with torch.no_grad():
        torch.testing.assert_close(model.features(one), model.features(many)[:1], atol=1e-5, rtol=1e-4)
        model.train()
        assert not torch.allclose(model.features(one), model.features(many)[:1], atol=1e-2)


def test_what_batch_norm_has_measured_travels_with_the_weights() -> None:
    made, other = learner("resnet", **SMALL), learner("resnet", seed=1, **SMALL)
    losses(made, 2)
    with torch.no_grad():
        other.load_weights(made.weights())
    pictures = made.batches().at(0)[0]
    for each in (made, other):
        each.mode(training=False)
    assert torch.equal(made.modules["model"](pictures), other.modules["model"](pictures))


# torchvision


def randomized(network: nn.Module) -> nn.Module:
    """Give every weight, and what batch norm has measured, a value that no start would give it."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.endswith("running_var"):
                tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
            elif tensor.dtype.is_floating_point:
                scale = 1.4 / max(1.0, tensor[0].numel() ** 0.5) if tensor.ndim > 1 else 0.5
                tensor.copy_(scale * torch.randn(tensor.shape, generator=generator) + (tensor.ndim == 1))
    return network


def small_torchvision(classes: int = 10) -> nn.Module:
    """Return torchvision's ResNet of two stages."""
    from torchvision.models.resnet import BasicBlock
    from torchvision.models.resnet import ResNet as Theirs

    network = Theirs(BasicBlock, [2, 2, 2, 2], num_classes=classes)
    return randomized(network)


def ours(classes: int = 10, colors: int = 3) -> ResNet:
    return ResNet(ResNetSpec(**RESNET_18, zero_start=False), colors, classes)  # type: ignore[arg-type]


def test_resnet_18_agrees_with_torchvision_in_scores_and_gradients() -> None:
    theirs, own = small_torchvision(), ours()
    own.load_state_dict(from_torchvision(theirs.state_dict(), 3))
    theirs.eval()
    own.eval()
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    scores, expected = own(x), theirs(x)
    scale = float(expected.detach().abs().max())
    torch.testing.assert_close(scores / scale, expected / scale, atol=1e-5, rtol=0)
    labels = torch.tensor([1, 2])
    nn.functional.cross_entropy(scores / scale, labels).backward()
    nn.functional.cross_entropy(expected / scale, labels).backward()
    gradients = {name: each.grad for name, each in theirs.named_parameters()}
    mapped = from_torchvision({name: each for name, each in gradients.items() if each is not None}, 3)
    for name, parameter in own.named_parameters():
        assert parameter.grad is not None
        size = float(mapped[name].abs().max())
        torch.testing.assert_close(parameter.grad / size, mapped[name] / size, atol=1e-5, rtol=0)


def test_resnet_18_has_the_published_number_of_parameters() -> None:
    with torch.device("meta"):
        network = ours(1000)
    spec = ResNetSpec(**RESNET_18)  # type: ignore[arg-type]
    assert count(network) == spec.parameters(3 * 224 * 224, 1000) == 11_689_512


def test_a_gray_picture_is_a_colored_one_whose_channels_agree() -> None:
    tensors = small_torchvision().state_dict()
    colored, gray = ours(), ours(colors=1)
    colored.load_state_dict(from_torchvision(tensors, 3))
    gray.load_state_dict(from_torchvision(tensors, 1))
    x = torch.randn(1, 1, 32, 32)
    with torch.no_grad():
        a, b = (network.eval()(picture) for network, picture in ((gray, x), (colored, x.expand(1, 3, 32, 32))))
    torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4 * float(b.abs().max()))


@pytest.fixture
def imagenet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    """A file of the published names and shapes in the place of the published one."""
    tensors = {name: tensor.clone() for name, tensor in small_torchvision(1000).state_dict().items()}
    path = tmp_path / "model.safetensors"
    save_file(tensors, path, metadata={"format": "pt"})
    monkeypatch.setattr(published, "verified", lambda row, file: path)
    return tensors


def test_the_published_weights_begin_a_run_and_its_head_is_its_own(imagenet: dict[str, Tensor]) -> None:
    made = learner("resnet", "imagenet", data="digits")
    state = made.modules["model"].state_dict()
    assert torch.equal(state["stages.3.1.conv2.weight"], imagenet["layer4.1.conv2.weight"])
    assert torch.equal(state["stages.1.0.shortcut.norm.running_var"], imagenet["layer2.0.downsample.1.running_var"])
    assert torch.equal(state["conv.weight"], imagenet["conv1.weight"].sum(1, keepdim=True))
    assert state["head.weight"].shape == (10, 512)
    assert losses(made, 1)[0] == pytest.approx(math.log(10), abs=0.1)


def test_a_file_of_those_names_and_shapes_has_the_published_size(imagenet: dict[str, Tensor], tmp_path: Path) -> None:
    file = data_set(published.WEIGHTS).files[0]
    assert (tmp_path / "model.safetensors").stat().st_size == pytest.approx(file.bytes, abs=64)  # the head varies


def test_weights_that_are_not_here_are_said_with_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEXIGRAD_DATA", str(tmp_path))
    with pytest.raises(DataError, match="not on this machine") as raised:
        learner("resnet", "imagenet", data="digits")
    assert f"lexigrad data get {published.WEIGHTS}" in raised.value.remedy
    assert files.missing(TABLE[published.WEIGHTS])


def test_a_run_that_goes_on_needs_the_published_weights_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEXIGRAD_DATA", str(tmp_path))
    knobs = catalog.family("resnet").configure("imagenet", {"data": "digits"}).values()
    recipe = Recipe(family="resnet", preset="imagenet", knobs=knobs)
    with pytest.raises(DataError, match="not on this machine"):
        build_learner(tmp_path, recipe, torch.device("cpu"))
    kept = {f"model.{name}": tensor for name, tensor in ours(colors=1).state_dict().items()}
    made = build_learner(tmp_path, recipe, torch.device("cpu"), Checkpoint(tmp_path, "", State(), kept, {}))
    assert all(torch.equal(tensor, kept[name]) for name, tensor in made.weights().items())


# What it shows and refuses


def drawn(made: Learner) -> dict[str, object]:
    losses(made, 2)
    evaluate(made)
    with looking_at(made):
        return {event.name: event for event in made.draw(2)}  # type: ignore[attr-defined]


def test_it_draws_the_gradient_of_every_layer_and_what_batch_norm_has_measured() -> None:
    shown = drawn(learner("resnet", **SMALL))
    gradient, statistics = shown["gradient by depth"], shown["running statistics"]
    assert isinstance(gradient, Histogram) and len(gradient.counts) == 7 and gradient.edges[:2] == [1.0, 2.0]
    assert isinstance(statistics, HeatMap) and [len(row) for row in statistics.values] == [7, 7]
    assert {"first-layer filters", "confusion matrix", "by class", "mistakes"} <= shown.keys()


def test_the_statistics_are_the_size_of_the_means_and_the_mean_deviation() -> None:
    made = learner("resnet", **SMALL)
    for number, each in enumerate(each for each in made.modules["model"].modules() if isinstance(each, nn.BatchNorm2d)):
        assert each.running_mean is not None and each.running_var is not None
        each.running_mean.fill_(-3.0 - number)
        each.running_var.fill_(4.0)
    with looking_at(made):
        shown = {event.name: event for event in made.draw(0)}  # type: ignore[attr-defined]
    statistics = shown["running statistics"]
    assert isinstance(statistics, HeatMap)
    assert statistics.values == [[3, 4, 5, 6, 7, 8, 9], [2] * 7]


def test_a_batch_can_be_cut_where_nothing_couples_its_pictures() -> None:
    assert learner("resnet", **SMALL).batch_stats and not learner("resnet", **SMALL, batch_norm=False).batch_stats


def test_without_batch_norm_there_are_no_statistics_to_show() -> None:
    assert "running statistics" not in drawn(learner("resnet", **SMALL, batch_norm=False))


def test_before_the_first_step_there_is_no_gradient_to_show() -> None:
    made = learner("resnet", **SMALL)
    with looking_at(made):
        assert "gradient by depth" not in {event.name for event in made.draw(0)}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("knobs", "says"),
    [
        ({"residual": False}, "zero_start"),
        ({"weights": "imagenet"}, "stem=large"),
        ({"blocks": 0}, "blocks"),
        ({"batch_size": 1}, "batch_norm=no"),
    ],
)
def test_knobs_that_do_not_go_together_are_refused(knobs: dict[str, bool], says: str) -> None:
    with pytest.raises(UsageError) as raised:
        ResNetSpec(**knobs)  # type: ignore[arg-type]
    assert says in str(raised.value) + raised.value.remedy


def test_a_batch_of_one_is_enough_without_batch_norm() -> None:
    assert math.isfinite(losses(learner("resnet", **{**SMALL, "batch_size": 1}, batch_norm=False), 1)[0])


def test_a_table_is_no_picture() -> None:
    with pytest.raises(DataError, match="no pictures"):
        learner("resnet", data="wine")
    with pytest.raises(DataError, match="no pictures"):
        learner("resnet", data="glossary")

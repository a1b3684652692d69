"""The convolutional networks prove themselves."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.core.errors import DataError
from engine.core.events import Pictures
from engine.families.cnn.model import AlexNetStyle, LeNet5, VGGStyle
from engine.families.cnn.spec import ARCHITECTURES, CNNSpec
from engine.train.evaluate import evaluate, looking_at
from tests.engine.families.proofs import learner, losses, overfit, untouched

NETWORKS = {"lenet5": LeNet5, "alexnet": AlexNetStyle, "vgg": VGGStyle}
SMALL = {"channels": 0.5, "batch_size": 16}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_it_starts_knowing_nothing(architecture: str) -> None:
    made = learner("cnn", architecture=architecture, **SMALL)
    assert losses(made, 1)[0] == pytest.approx(math.log(10), abs=0.05)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_it_learns_eight_examples_by_heart(architecture: str) -> None:
    assert overfit(learner("cnn", architecture=architecture, learning_rate=0.002, **SMALL), steps=200) < 2e-3


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_gradients_reach_every_parameter(architecture: str) -> None:
    assert untouched(learner("cnn", architecture=architecture)) == []


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_same_seed_gives_the_same_losses(architecture: str) -> None:
    first, again, other = (losses(learner("cnn", seed=s, architecture=architecture, **SMALL), 4) for s in (1, 1, 2))
    assert first == again
    assert first != other


PINNED = {
    ("lenet5", 1, 28): 61_706,
    ("lenet5", 1, 8): 21_386,
    ("alexnet", 1, 28): 4_813_514,
    ("vgg", 1, 28): 389_130,
    ("vgg", 3, 32): 504_394,
}


@pytest.mark.parametrize(("architecture", "colors", "side"), PINNED)
def test_its_parameters_are_counted(architecture: str, colors: int, side: int) -> None:
    network = NETWORKS[architecture](colors, side, 10)
    counted = sum(parameter.numel() for parameter in network.parameters())
    assert counted == PINNED[architecture, colors, side]
    assert CNNSpec(architecture=architecture).parameters(colors * side * side, 10) == counted


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("side", [8, 14, 28, 32])
def test_every_size_of_picture_fits(architecture: str, side: int) -> None:
    network = NETWORKS[architecture](1, side, 10, channels=0.25)
    assert network(torch.randn(2, 1, side, side)).shape == (2, 10)
    spec = CNNSpec(architecture=architecture, channels=0.25)
    assert spec.parameters(side * side, 10) == sum(parameter.numel() for parameter in network.parameters())


def test_the_work_of_a_step_is_counted_filter_by_filter() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    network = LeNet5(1, 28, 10)
    with FlopCounterMode(display=False) as counter:
        network(torch.randn(1, 1, 28, 28))
    assert CNNSpec().flops_per_sample(784, 10) == pytest.approx(3 * counter.get_total_flops(), rel=0.05)


def test_lenet_has_the_papers_sizes() -> None:
    network = LeNet5(1, 28, 10)
    layers = (network.conv1, network.conv2, network.full3, network.full4, network.head)
    shapes = [tuple(layer.weight.shape) for layer in layers]
    assert shapes == [(6, 1, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (10, 84)]


def test_a_convolution_is_a_product_with_every_patch() -> None:
    convolution = VGGStyle(3, 8, 10).blocks[0][0]  # type: ignore[index]
    pictures = torch.randn(2, 3, 8, 8)
    patches_NFL = F.unfold(pictures, kernel_size=3, padding=1)
    filters = convolution.weight.flatten(1)
    by_hand = (filters @ patches_NFL + convolution.bias[:, None]).view(2, -1, 8, 8)
    torch.testing.assert_close(convolution(pictures), by_hand, atol=1e-5, rtol=1e-5)


def test_a_shifted_picture_shifts_what_a_convolution_finds() -> None:
    convolution = LeNet5(1, 28, 10).conv1
    pictures = torch.randn(2, 1, 28, 28)

    def around(values: Tensor) -> Tensor:
        """Convolve as on a ring, so that nothing falls off the edge."""
        return F.conv2d(F.pad(values, (2, 2, 2, 2), mode="circular"), convolution.weight, convolution.bias)

    torch.testing.assert_close(around(pictures.roll((3, 5), (2, 3))), around(pictures).roll((3, 5), (2, 3)))


def test_a_unit_sees_its_own_surroundings_and_nothing_else() -> None:
    network = VGGStyle(1, 28, 10)
    picture = torch.randn(1, 1, 28, 28, requires_grad=True)
    x: Tensor = picture
    for block in network.blocks[:1]:
        for convolution in block:  # type: ignore[union-attr]
            x = F.relu(convolution(x))
    x[0, :, 14, 14].sum().backward()
    assert picture.grad is not None
    seen = picture.grad[0, 0].nonzero()
    assert seen.min(0).values.tolist() == [13, 13] and seen.max(0).values.tolist() == [15, 15]


def copied(ours: nn.Module, theirs: nn.Module) -> None:
    """Give `theirs` the weights of `ours`, layer by layer in their order."""
    kinds = (nn.Conv2d, nn.Linear)
    own, other = ([each for each in network.modules() if isinstance(each, kinds)] for network in (ours, theirs))
    assert len(own) == len(other)
    for source, target in zip(own, other, strict=True):
        target.load_state_dict(source.state_dict())


def agree(ours: nn.Module, theirs: nn.Module, pictures: Tensor) -> None:
    copied(ours, theirs)
    ours.eval()
    theirs.eval()
    with torch.no_grad():
        torch.testing.assert_close(ours(pictures), theirs(pictures), atol=1e-5, rtol=1e-4)


def test_lenet_agrees_with_the_same_layers_of_torch() -> None:
    theirs = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    agree(LeNet5(1, 28, 10), theirs, torch.randn(3, 1, 28, 28))


def test_alexnet_agrees_with_torchvision() -> None:
    from torchvision.models import AlexNet

    ours = AlexNetStyle(3, 224, 10, first=(11, 4, 2), hidden=64)
    theirs = AlexNet(num_classes=10)
    theirs.classifier[1] = nn.Linear(256 * 6 * 6, 64)
    theirs.classifier[4] = nn.Linear(64, 64)
    theirs.classifier[6] = nn.Linear(64, 10)
    agree(ours, theirs, torch.randn(1, 3, 224, 224))


def test_vgg_agrees_with_torchvision() -> None:
    from torchvision.models.vgg import VGG, make_layers

    ours = VGGStyle(3, 224, 10, plan=((8,), (16,), (16, 16), (32, 32), (32, 32)), hidden=(64, 64))
    plan: list[str | int] = [8, "M", 16, "M", 16, 16, "M", 32, 32, "M", 32, 32, "M"]
    theirs = VGG(make_layers(plan), num_classes=10, init_weights=False)
    theirs.classifier = nn.Sequential(
        nn.Linear(32 * 7 * 7, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)
    )
    agree(ours, theirs, torch.randn(1, 3, 224, 224))


@pytest.mark.slow
def test_the_large_plans_have_the_published_number_of_parameters() -> None:
    with torch.device("meta"):
        alexnet = AlexNetStyle(3, 224, 1000, first=(11, 4, 2), hidden=4096)
        vgg = VGGStyle(
            3, 224, 1000, plan=((64,), (128,), (256, 256), (512, 512), (512, 512)), hidden=(4096, 4096)
        )  # fmt: skip
    assert sum(parameter.numel() for parameter in alexnet.parameters()) == 61_100_840
    assert sum(parameter.numel() for parameter in vgg.parameters()) == 132_863_336


def test_it_draws_filters_maps_and_mistakes() -> None:
    made = learner("cnn")
    losses(made, 5)
    evaluate(made)
    with looking_at(made):
        drawn = {event.name: event for event in made.draw(5)}
    filters, maps = drawn["first-layer filters"], drawn["feature maps"]
    assert isinstance(filters, Pictures) and (filters.count, filters.height, filters.width) == (12, 5, 5)
    assert isinstance(maps, Pictures) and (maps.count, maps.height, maps.width) == (12, 8, 8)
    assert {"mistakes", "confusion matrix", "by class"} <= drawn.keys()


def test_a_table_is_no_picture() -> None:
    with pytest.raises(DataError, match="no pictures"):
        learner("cnn", data="wine")


def test_smoothed_labels_are_the_mixture_they_stand_for() -> None:
    made = learner("cnn", label_smoothing=0.2)
    inputs, labels = made.batches().at(0)
    scores = made.modules["model"](inputs.contiguous(memory_format=torch.channels_last)).float()
    target = F.one_hot(labels, 10) * 0.8 + 0.02
    expected = -(target * scores.log_softmax(1)).sum(1).mean()
    assert float(made.loss((inputs, labels))["loss"].detach()) == pytest.approx(float(expected.detach()), rel=1e-5)

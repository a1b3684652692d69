"""What can be said about residual networks without torch: knobs, presets and panels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.core.errors import UsageError
from engine.core.picture_spec import PictureSpec
from engine.core.spec import Family, Metric, Panel, Preset, Value, knob
from engine.play.kinds import CLASSIFY

STEMS = {"small": (3, 1), "pooled": (3, 1), "large": (7, 2)}
"""Kernel and stride of the first layer."""


@dataclass(frozen=True, kw_only=True)
class ResNetSpec(PictureSpec):
    """Knobs of a residual network.

    Raises:
        UsageError: blocks of a plain network are to start at zero, which would silence it; batch normalization has no
            batch; or the weights of ImageNet are wanted for another network than theirs.
    """

    residual: bool = knob(
        True,
        "Whether each block adds to its input; without it, the plain twin of the same depth.",
        entry="residual-connection",
    )
    batch_norm: bool = knob(
        True, "Whether each convolution is followed by batch normalization.", entry="batch-normalization"
    )
    stages: int = knob(
        3,
        "How many times the blocks come, each time on half the side and twice the channels.",
        low=1,
        high=5,
        unit="stages",
        entry="resnet",
    )
    blocks: int = knob(
        3,
        "How many blocks, of two convolutions each, a stage has.",
        low=1,
        high=36,
        unit="blocks",
        entry="residual-connection",
    )
    width: int = knob(16, "Channels of the first stage.", low=1, high=1024, unit="channels", entry="feature-map")
    stem: str = knob(
        "small",
        "The first layer: 3 by 3 on every pixel, the same and pooling, or 7 by 7 on every second and pooling.",
        choices=tuple(STEMS),
        entry="stride-and-padding",
    )
    shortcut: str = knob(
        "padding",
        "How the input is added where the shape changes: with channels of zeros, or through a learned mixture.",
        choices=("padding", "projection"),
        entry="residual-connection",
    )
    zero_start: bool = knob(
        True, "Start every block as the identity: what it adds begins at zero.", entry="weight-initialization"
    )
    weights: str = knob(
        "random",
        "What to start from: chance, or torchvision's ResNet-18, trained on ImageNet.",
        choices=("random", "imagenet"),
        entry="transfer-learning",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.zero_start and not self.residual:
            raise UsageError(
                "Blocks that start at zero pass nothing on in a plain network.", "Set zero_start=no with residual=no."
            )
        if self.batch_norm and self.batch_size < 2:
            raise UsageError(
                "Batch normalization has nothing to compare a batch of one with.", "Use 2 or more, or batch_norm=no."
            )
        if self.weights == "imagenet" and self.shape() != RESNET_18:
            raise UsageError(
                "The weights of ImageNet fit torchvision's ResNet-18 alone.",
                "Use the preset imagenet, or set " + " ".join(f"{name}={value}" for name, value in RESNET_18.items()),
            )

    def shape(self) -> dict[str, Value]:
        """Return the knobs that decide which weights there are."""
        return {name: getattr(self, name) for name in RESNET_18}

    def channels(self) -> list[int]:
        """Return the channels of each stage."""
        return [self.width * 2**stage for stage in range(self.stages)]

    @property
    def depth(self) -> int:
        """How many layers with weights follow one another, as the paper counts: without projections."""
        return 2 * self.blocks * self.stages + 2

    def parameters(self, inputs: int, outputs: int) -> int:
        """Return the number of weights, biases and gains."""
        last = self.channels()[-1]
        extra = 2 if self.batch_norm else 1  # gain and bias, or the bias of the convolution
        inner = sum((each.inputs + extra) * each.outputs for each in self.layers(inputs))
        return inner + (last + 1) * outputs

    def flops_per_sample(self, inputs: int, outputs: int) -> int:
        """Count multiplications and additions of forward and backward: a filter works once at every place."""
        inner = sum(each.inputs * each.outputs * each.places for each in self.layers(inputs))
        return 6 * (inner + self.channels()[-1] * outputs)

    def layers(self, inputs: int) -> Iterator[Layer]:
        """Yield the convolutions of the network for square pictures of that many numbers."""
        colors, side = self.picture(inputs)
        kernel, stride = STEMS[self.stem]
        side = -(-side // stride)
        yield Layer(colors * kernel**2, self.width, side * side)
        side = side if self.stem == "small" else (side + 1) // 2
        before = self.width
        for stage, after in enumerate(self.channels()):
            if stage:
                side = (side + 1) // 2
            for _ in range(self.blocks):
                yield Layer(before * 9, after, side * side)
                yield Layer(after * 9, after, side * side)
                if before != after and self.residual and self.shortcut == "projection":
                    yield Layer(before, after, side * side)
                before = after


@dataclass(frozen=True, slots=True)
class Layer:
    """One convolution: how many numbers an output is made from, how many outputs, at how many places."""

    inputs: int
    outputs: int
    places: int


RESNET_18: dict[str, Value] = {
    "residual": True,
    "batch_norm": True,
    "stages": 4,
    "blocks": 2,
    "width": 64,
    "stem": "large",
    "shortcut": "projection",
}
"""torchvision's ResNet-18, which is the paper's with learned shortcuts."""

DIGITS: dict[str, Value] = {
    "data": "digits",
    "batch_size": 64,
    "optimizer": "muon",
    "learning_rate": 0.02,
    "weight_decay": 0.05,
    "shift": 1,
    "epochs": 15.0,
}

PLAIN: dict[str, Value] = {"residual": False, "zero_start": False}

PRESETS = (
    Preset(name="quick", help="ResNet-20 on handwritten digits of 8 by 8 pixels.", knobs=DIGITS),
    Preset(
        name="plain",
        help="The plain twin of resnet/quick: the same layers without the sums; compare the gradient by depth.",
        knobs={**DIGITS, **PLAIN},
    ),
    Preset(
        name="no-norm",
        help="ResNet-20 without batch normalization: the sums alone carry it.",
        knobs={**DIGITS, "batch_norm": False},
    ),
    Preset(
        name="real",
        help="A short, wide residual network on pictures of clothes in ten classes (Fashion-MNIST).",
        knobs={
            "data": "fashion-mnist",
            "stem": "pooled",
            "blocks": 1,
            "width": 48,
            "batch_size": 128,
            "optimizer": "muon",
            "learning_rate": 0.02,
            "weight_decay": 0.05,
            "mirror": True,
            "shift": 1,
            "epochs": 6.0,
        },
    ),
    Preset(
        name="resnet-20",
        help="The ResNet-20 of the paper on CIFAR-10: its optimizer and its passes, but our schedule, edges and "
        "mirroring; for a GPU.",
        knobs={
            "data": "cifar-10",
            "zero_start": False,
            "batch_size": 128,
            "optimizer": "momentum",
            "learning_rate": 0.1,
            "weight_decay": 0.0001,
            "mirror": True,
            "shift": 4,
            "epochs": 164.0,
        },
    ),
    Preset(
        name="standard",
        help="ResNet-18 with a small stem on CIFAR-10, for a GPU.",
        knobs={
            "data": "cifar-10",
            "stages": 4,
            "blocks": 2,
            "width": 64,
            "shortcut": "projection",
            "batch_size": 512,
            "optimizer": "muon",
            "learning_rate": 0.02,
            "weight_decay": 0.05,
            "label_smoothing": 0.1,
            "mirror": True,
            "shift": 4,
            "ema": 0.99,
            "epochs": 30.0,
        },
    ),
    Preset(
        name="imagenet",
        help="torchvision's ResNet-18, trained on ImageNet, goes on with CIFAR-10 or pictures of your own; for a GPU.",
        knobs={
            **RESNET_18,
            "data": "cifar-10",
            "weights": "imagenet",
            "zero_start": False,
            "batch_size": 128,
            "learning_rate": 0.0005,
            "weight_decay": 0.05,
            "label_smoothing": 0.1,
            "mirror": True,
            "shift": 2,
            "epochs": 10.0,
        },
    ),
)

PANELS = (
    Panel(
        events=("train/loss", "valid/loss"), kind="line", title="Loss", unit="nats per example", entry="cross-entropy"
    ),
    Panel(events=("train/accuracy", "valid/accuracy"), kind="line", title="Accuracy", unit="%", entry="accuracy"),
    Panel(
        events=("gradient by depth",),
        kind="histogram",
        title="Gradient norm by depth",
        unit="norm",
        x="layer, from the picture to the classes",
        entry="vanishing-gradient",
    ),
    Panel(
        events=("confusion matrix",),
        kind="heatmap",
        title="Confusion matrix",
        unit="examples",
        entry="confusion-matrix",
    ),
    Panel(
        events=("running statistics",),
        kind="heatmap",
        title="Batch norm's running statistics",
        entry="batch-normalization",
        when=("batch_norm", "True"),
    ),
    Panel(events=("first-layer filters",), kind="pictures", title="First-layer filters", entry="convolution"),
    Panel(events=("mistakes",), kind="pictures", title="Surest mistakes", entry="confusion-matrix"),
    Panel(events=("by class",), kind="table", title="By class", entry="precision-and-recall"),
    Panel(events=("learning_rate",), kind="line", title="Learning rate", entry="learning-rate-schedule-and-warmup"),
    Panel(events=("gradient_norm",), kind="line", title="Gradient norm", entry="exploding-gradient-and-clipping"),
    Panel(events=("samples_per_second",), kind="line", title="Speed", unit="examples/s", entry="throughput-and-mfu"),
    Panel(events=(), kind="hardware", title="Hardware"),
    Panel(events=(), kind="log", title="Log"),
)

FAMILY = Family(
    name="resnet",
    title="Residual network",
    summary="A convolutional network whose blocks add to what they are given, so that a hundred of them still train.",
    entry="resnet",
    spec=ResNetSpec,
    presets=PRESETS,
    panels=PANELS,
    headline=(
        Metric(name="valid/accuracy", title="Accuracy", unit="%", higher=True),
        Metric(name="valid/loss", title="Loss", unit="nats per example"),
    ),
    learner="engine.families.resnet.learner:ResNetLearner",
    data=("digits", "mnist", "fashion-mnist", "cifar-10"),
    own_data="a folder of pictures by class",
    plays=(CLASSIFY,),
    code=(
        "families/resnet/model.py",
        "families/resnet/learner.py",
        "families/resnet/published.py",
        "train/picture_classifier.py",
        "train/classifier.py",
        "data/augment.py",
        "families/resnet/spec.py",
    ),
)

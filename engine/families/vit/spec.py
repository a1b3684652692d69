"""What can be said about vision transformers without torch: knobs, presets and panels."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core import shared_knobs
from engine.core.picture_spec import PictureSpec
from engine.core.spec import Family, Metric, Panel, Preset, Value, knob
from engine.play.kinds import CLASSIFY


@dataclass(frozen=True, kw_only=True)
class ViTSpec(PictureSpec):
    """Knobs of a vision transformer.

    Raises:
        UsageError: the width cannot be shared out among the heads.
    """

    patch: int = knob(
        4,
        "Side of the square pieces that a picture is cut into; each is one token.",
        low=1,
        high=64,
        unit="pixels",
        entry="vision-transformer",
    )
    layers: int = knob(4, "How many transformer blocks follow one another.", low=1, high=96, entry="transformer-block")
    heads: int = shared_knobs.heads(4)
    width: int = knob(
        64,
        "Channels of the stream that runs through all blocks.",
        low=1,
        high=16384,
        unit="channels",
        entry="embedding",
    )
    pool: str = knob(
        "token",
        "What the classes are read from: a token of its own that collects what it needs, or the mean of all patches.",
        choices=("token", "mean"),
        entry="vision-transformer",
    )
    positions: str = knob(
        "learned",
        "How a patch knows its place: a learned vector, or not at all.",
        choices=("learned", "none"),
        entry="positional-encoding",
    )
    attention: str = shared_knobs.attention()
    zero_start: bool = knob(
        True, "Start every block as the identity: what it adds begins at zero.", entry="weight-initialization"
    )
    dropout: float = shared_knobs.dropout(live="recapture")
    optimizer: str = shared_knobs.muon()
    learning_rate: float = shared_knobs.learning_rate(0.01)

    def __post_init__(self) -> None:
        super().__post_init__()
        shared_knobs.share_out(self.width, self.heads)

    @property
    def inner(self) -> int:
        """Width inside of a block's MLP."""
        return 4 * self.width

    def tokens(self, inputs: int) -> int:
        """Return how many tokens a square picture of that many numbers becomes."""
        _, side = self.picture(inputs)
        return (side // self.patch) ** 2 + (self.pool == "token")

    def parameters(self, inputs: int, outputs: int) -> int:
        """Return the number of weights, biases and gains."""
        colors, _ = self.picture(inputs)
        E = self.width
        tables = self.tokens(inputs) * E if self.positions == "learned" else 0
        token = E if self.pool == "token" else 0
        embedding = (colors * self.patch**2 + 1) * E
        block = 4 * E * (E + 1) + 2 * self.inner * E + self.inner + E + 4 * E
        return embedding + token + tables + self.layers * block + 2 * E + (E + 1) * outputs

    def flops_per_sample(self, inputs: int, outputs: int) -> int:
        """Count multiplications and additions of forward and backward: of every matrix, and of attention's two."""
        colors, _ = self.picture(inputs)
        E, T = self.width, self.tokens(inputs)
        blocks = self.layers * (4 * E * E + 2 * self.inner * E + 2 * E * T)
        return 6 * (T * (blocks + colors * self.patch**2 * E) + E * outputs)


SMALL: dict[str, Value] = {"weight_decay": 0.05, "warmup": 0.05}

DIGITS: dict[str, Value] = {
    **SMALL,
    "data": "digits",
    "patch": 2,
    "layers": 3,
    "batch_size": 64,
    "shift": 1,
    "epochs": 60.0,
}

PRESETS = (
    Preset(name="quick", help="Handwritten digits of 8 by 8 pixels, cut into 16 patches of 2 by 2.", knobs=DIGITS),
    Preset(
        name="no-positions",
        help="The same without positions: a bag of patches in any order, and what that costs.",
        knobs={**DIGITS, "positions": "none", "pool": "mean"},
    ),
    Preset(
        name="real",
        help="Pictures of clothes in ten classes (Fashion-MNIST), cut into 16 patches of 7 by 7.",
        knobs={
            **SMALL,
            "data": "fashion-mnist",
            "patch": 7,
            "batch_size": 128,
            "mirror": True,
            "shift": 1,
            "epochs": 10.0,
        },
    ),
    Preset(
        name="standard",
        help="A larger vision transformer on CIFAR-10, for a GPU.",
        knobs={
            **SMALL,
            "data": "cifar-10",
            "layers": 7,
            "heads": 6,
            "width": 384,
            "attention": "fused",
            "pool": "mean",
            "batch_size": 512,
            "label_smoothing": 0.1,
            "dropout": 0.1,
            "mirror": True,
            "shift": 4,
            "ema": 0.99,
            "epochs": 100.0,
        },
    ),
)

PANELS = (
    Panel(
        events=("train/loss", "valid/loss"), kind="line", title="Loss", unit="nats per example", entry="cross-entropy"
    ),
    Panel(events=("train/accuracy", "valid/accuracy"), kind="line", title="Accuracy", unit="%", entry="accuracy"),
    Panel(
        events=("attention",),
        kind="pictures",
        title="Looked at by the class token",
        entry="attention-map-reading",
        when=("pool", "token"),
    ),
    Panel(
        events=("attention",),
        kind="pictures",
        title="Looked at by all patches",
        entry="attention-map-reading",
        when=("pool", "mean"),
    ),
    Panel(
        events=("confusion matrix",),
        kind="heatmap",
        title="Confusion matrix",
        unit="examples",
        entry="confusion-matrix",
    ),
    Panel(
        events=("position similarity",),
        kind="pictures",
        title="Likeness of positions",
        entry="positional-encoding",
        when=("positions", "learned"),
    ),
    Panel(
        events=("attention entropy",),
        kind="heatmap",
        title="Entropy of attention",
        unit="nats",
        entry="multi-head-attention",
    ),
    Panel(events=("first-layer filters",), kind="pictures", title="What a patch is made into", entry="embedding"),
    Panel(events=("mistakes",), kind="pictures", title="Surest mistakes", entry="confusion-matrix"),
    Panel(events=("by class",), kind="table", title="By class", entry="precision-and-recall"),
    Panel(events=("learning_rate",), kind="line", title="Learning rate", entry="learning-rate-schedule-and-warmup"),
    Panel(events=("gradient_norm",), kind="line", title="Gradient norm", entry="exploding-gradient-and-clipping"),
    Panel(events=("samples_per_second",), kind="line", title="Speed", unit="examples/s", entry="throughput-and-mfu"),
    Panel(events=(), kind="hardware", title="Hardware"),
    Panel(events=(), kind="log", title="Log"),
)

FAMILY = Family(
    name="vit",
    title="Vision transformer",
    summary="A transformer that reads a picture as a text of patches.",
    entry="vision-transformer",
    spec=ViTSpec,
    presets=PRESETS,
    panels=PANELS,
    headline=(
        Metric(name="valid/accuracy", title="Accuracy", unit="%", higher=True),
        Metric(name="valid/loss", title="Loss", unit="nats per example"),
    ),
    learner="engine.families.vit.learner:ViTLearner",
    data=("digits", "mnist", "fashion-mnist", "cifar-10"),
    own_data="a folder of pictures by class",
    plays=(CLASSIFY,),
    code=(
        "families/vit/model.py",
        "families/vit/learner.py",
        "train/picture_classifier.py",
        "train/classifier.py",
        "data/augment.py",
        "families/vit/spec.py",
    ),
)

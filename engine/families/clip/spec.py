"""CLIP: knobs, presets, panels and plays. Torch-free."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.core import shared_knobs
from engine.core.errors import UsageError
from engine.core.picture_spec import PictureSpec
from engine.core.spec import Family, Metric, Panel, Play, Preset, Settings, Spec, Value, knob

CNN_PLAN = (1, 2, 4)
"""Channels of the three convolutions, relative to the knob."""


@dataclass(frozen=True, kw_only=True)
class CLIPSpec(Spec):
    """Knobs of a CLIP.

    Raises:
        UsageError: a width cannot be shared out among the heads.
    """

    data: str = knob("shapes", "The pictures and captions to train on.", entry="data-split")
    picture_tower: str = knob(
        "cnn",
        "What reads pictures: convolutions, or a transformer of patches.",
        choices=("cnn", "vit"),
        entry="convolutional-neural-network",
    )
    picture_width: int = knob(
        16,
        "Channels of the picture tower: of its first convolution, which the next ones double, or of its stream.",
        low=1,
        high=1024,
        unit="channels",
        entry="feature-map",
    )
    picture_layers: int = knob(
        4, "Blocks of a picture tower that is a transformer.", low=1, high=48, entry="transformer"
    )
    patch: int = knob(
        4,
        "Side of the squares that such a tower cuts pictures into.",
        low=1,
        high=64,
        unit="pixels",
        entry="vision-transformer",
    )
    text_width: int = knob(64, "Channels of the text tower.", low=1, high=4096, unit="channels", entry="embedding")
    text_layers: int = knob(
        1, "Blocks of the text tower; 0 makes it a bag of words.", low=0, high=48, entry="transformer"
    )
    heads: int = knob(4, "Attention heads of a block.", low=1, high=64, entry="multi-head-attention")
    context: int = knob(
        12, "Words of the longest caption it can read.", low=1, high=256, unit="words", entry="context-window"
    )
    dimensions: int = knob(
        32, "Numbers of a vector in the space where both meet.", low=1, high=2048, entry="latent-space"
    )
    temperature: float = knob(
        0.07, "What cosines are divided by, at the start.", low=0.01, high=10.0, entry="temperature"
    )
    learned: bool = knob(True, "Whether the temperature is learned with the weights.", entry="temperature")
    same: str = knob(
        "caption",
        "What is no mistake for a picture: its own caption alone, or every one in the batch with the same words.",
        choices=("caption", "pair"),
        entry="contrastive-learning",
    )
    epochs: float = knob(
        20.0,
        "How often the run sees every training pair.",
        low=0.001,
        high=1e6,
        unit="passes",
        entry="epoch-and-step",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        widths = [self.text_width] * (self.text_layers > 0) + [self.picture_width] * (self.picture_tower == "vit")
        for width in widths:
            shared_knobs.share_out(width, self.heads)
        if self.batch_size < 2:
            raise UsageError("A batch of one has no wrong caption to tell apart.", "Use 2 or more.")

    def total_samples(self, examples: int) -> int:
        """Return the samples of the run: passes times pairs."""
        return math.ceil(self.epochs * examples)

    def parameters(self, inputs: int, outputs: int) -> int:
        """Return the number of trained numbers for pictures of `inputs` numbers and `outputs` different words."""
        colors, side = PictureSpec.picture(inputs)
        width, text = self.picture_width, self.text_width
        if self.picture_tower == "cnn":
            picture = sum((9 * before + 1) * after for before, after, _ in self._convolutions(colors, side))
            ends = CNN_PLAN[-1] * width
        else:
            places = (side // self.patch) ** 2
            picture = (colors * self.patch**2 + 1 + places) * width + self.picture_layers * _block(width)
            ends = width
        words = (outputs + self.context) * text + self.text_layers * _block(text)
        return picture + ends * (2 + self.dimensions) + words + text * (2 + self.dimensions) + self.learned

    def flops_per_sample(self, inputs: int, outputs: int) -> int:
        """Count multiplications and additions of forward and backward on one pair, and its share of the scores."""
        colors, side = PictureSpec.picture(inputs)
        width = self.picture_width
        if self.picture_tower == "cnn":
            convolutions = self._convolutions(colors, side)
            picture = sum(9 * before * after * places for before, after, places in convolutions)
            ends = CNN_PLAN[-1] * width
        else:
            tokens, ends = (side // self.patch) ** 2, width
            picture = tokens * colors * self.patch**2 * width + self.picture_layers * _work(tokens, width)
        text = self.text_layers * _work(self.context, self.text_width)
        heads = (ends + self.text_width) * self.dimensions
        return 6 * (picture + text + heads + self.batch_size * self.dimensions)

    def _convolutions(self, colors: int, side: int) -> list[tuple[int, int, int]]:
        """Return for each convolution the channels before and after, and at how many places it works."""
        channels = [colors, *(times * self.picture_width for times in CNN_PLAN)]
        places = [(side // shrunk) ** 2 for shrunk in (1, 2, 4)]
        return list(zip(channels[:-1], channels[1:], places, strict=True))


def _block(width: int) -> int:
    """Return the numbers in a transformer block: four matrices, their biases, two normalizations."""
    return 12 * width * width + 13 * width


def _work(tokens: int, width: int) -> int:
    """Return the multiplications of a block on that many tokens."""
    return tokens * (12 * width * width + 2 * tokens * width)


@dataclass(frozen=True, kw_only=True)
class MatchSettings(Settings):
    """Which picture, and which captions it may have."""

    captions: str = knob("", "Captions separated by /; empty takes one of each class.", entry="zero-shot-and-few-shot")
    example: int = knob(0, "Which held-out picture.", low=0, high=10**9, entry="data-split")
    unseen: bool = knob(False, "Take it from the classes that training never showed.", entry="zero-shot-and-few-shot")
    file: str = knob("", "A picture of your own instead.")
    invert: bool = knob(False, "Swap light and dark of your picture: clothes are light on black.")


@dataclass(frozen=True, kw_only=True)
class FindSettings(Settings):
    """What is looked for."""

    caption: str = knob("", "What the pictures should show.", entry="cosine-similarity")
    count: int = knob(12, "How many pictures.", low=1, high=256, unit="pictures")


MATCH = Play(
    name="match", help="See which of several captions fits a picture, and how surely.", settings=MatchSettings,
    act="engine.play.match:match", words="captions",
)  # fmt: skip
FIND = Play(
    name="find", help="Find the held-out pictures that fit a caption best.", settings=FindSettings,
    act="engine.play.match:find", words="caption",
)  # fmt: skip

PANELS = (
    Panel(
        events=("train/loss", "valid/loss"), kind="line", title="Contrastive loss", unit="nats per pair",
        entry="contrastive-learning",
    ),
    Panel(
        events=("valid/zero_shot_accuracy", "valid/unseen_accuracy"), kind="line",
        title="Right caption: seen, unseen", unit="%", entry="zero-shot-and-few-shot",
    ),
    Panel(events=("similarity",), kind="heatmap", title="Cosines, in hundredths", entry="cosine-similarity"),
    Panel(events=("pictures",), kind="pictures", title="Held-out pictures, captioned", entry="clip"),
    Panel(events=("best captions",), kind="table", title="Best captions", entry="zero-shot-and-few-shot"),
    Panel(
        events=("valid/text_recall", "valid/picture_recall"), kind="line",
        title="Found at once: caption, picture", unit="%", entry="precision-and-recall",
    ),
    Panel(events=("train/temperature",), kind="line", title="Temperature", entry="temperature"),
    Panel(events=("space",), kind="points", title="Pictures and captions in one space", entry="embedding"),
    Panel(events=("valid/gap",), kind="line", title="Modality gap", entry="embedding"),
    Panel(events=("learning_rate",), kind="line", title="Learning rate", entry="learning-rate-schedule-and-warmup"),
    Panel(events=("gradient_norm",), kind="line", title="Gradient norm", entry="exploding-gradient-and-clipping"),
    Panel(events=("samples_per_second",), kind="line", title="Speed", unit="pairs/s", entry="throughput-and-mfu"),
    Panel(events=(), kind="hardware", title="Hardware"),
    Panel(events=(), kind="log", title="Log"),
)  # fmt: skip

QUICK: dict[str, Value] = {
    "data": "shapes",
    "text_layers": 0,
    "batch_size": 64,
    "optimizer": "muon",
    "learning_rate": 0.01,
    "weight_decay": 4.0,
    "epochs": 11.0,
}

FAMILY = Family(
    name="clip",
    title="CLIP",
    summary="Two towers learn which caption goes with which picture; then any words can sort pictures.",
    entry="clip",
    spec=CLIPSpec,
    presets=(
        Preset(
            name="quick",
            seconds=7.0,
            help="Drawn shapes with captions; four pairs of color and shape are never shown.",
            knobs=QUICK,
        ),
        Preset(
            name="unregularized",
            help="The same without weight decay: as good on pairs that it was shown, far worse on others.",
            knobs={**QUICK, "weight_decay": 0.0},
        ),
        Preset(
            name="real",
            help="Pictures of clothes with captions that describe them (Fashion-MNIST); two classes are held out.",
            knobs={
                "data": "fashion-captions",
                "text_layers": 0,
                "batch_size": 256,
                "optimizer": "muon",
                "learning_rate": 0.01,
                "weight_decay": 4.0,
                "epochs": 2.0,
            },
        ),
        Preset(
            name="standard",
            help="Wider and deeper on Fashion-MNIST, for a GPU.",
            knobs={
                "data": "fashion-captions",
                "picture_width": 64,
                "text_width": 256,
                "text_layers": 4,
                "dimensions": 128,
                "batch_size": 1024,
                "learning_rate": 0.002,
                "weight_decay": 0.1,
                "ema": 0.995,
                "epochs": 30.0,
            },
        ),
    ),
    panels=PANELS,
    headline=(
        Metric(name="valid/zero_shot_accuracy", title="Zero-shot accuracy", unit="%", higher=True),
        Metric(name="valid/unseen_accuracy", title="Of classes never shown", unit="%", higher=True),
        Metric(name="valid/loss", title="Loss", unit="nats per pair"),
    ),
    learner="engine.families.clip.learner:CLIPLearner",
    data=("shapes", "fashion-captions"),
    plays=(MATCH, FIND),
    code=(
        "families/clip/model.py",
        "families/clip/learner.py",
        "data/captions.py",
        "data/shapes.py",
        "families/clip/spec.py",
    ),
)

"""What can be said about the transformer without torch: its knobs, presets, panels and plays."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core import shared_knobs
from engine.core.spec import Family, Metric, Panel, Play, Preset, Reference, Settings, Spec, Value, knob

USUAL_VOCABULARY = 32
"""Letters and special tokens, for estimates before the data were read."""
USUAL_LENGTH = 16
"""Tokens of a source, likewise."""

HEADS_DRAWN = 8
"""Of the last layer; more would fill the disk with pictures that nobody looks at."""


@dataclass(frozen=True, kw_only=True)
class TransformerSpec(Spec):
    """The knobs of an encoder-decoder: its shape, in what it differs from that of 2017, and how long it trains.

    Raises:
        UsageError: the width cannot be shared out among the heads, or the vocabulary has no room for its characters.
    """

    data: str = knob("reverse", "The pairs of source and target to learn from.", entry="sequence-to-sequence")
    pieces: int = knob(
        0,
        "Tokens of the vocabulary, learned by byte-pair encoding; 0 reads and writes single characters.",
        low=0,
        high=100_000,
        unit="tokens",
        entry="byte-pair-encoding",
    )
    layers: int = knob(
        2, "How many blocks the encoder has, and as many the decoder.", low=1, high=64, entry="encoder-decoder"
    )
    heads: int = knob(4, "How many attention heads work side by side.", low=1, high=128, entry="multi-head-attention")
    width: int = knob(
        64,
        "Channels of the stream that runs through all blocks.",
        low=2,
        high=8192,
        unit="channels",
        entry="embedding",
    )
    expansion: int = knob(4, "How many times wider a block's MLP is inside.", low=1, high=16, entry="transformer-block")
    longest: int = knob(
        64,
        "Room for that many tokens of a source or a target, its end included.",
        low=4,
        high=8192,
        unit="tokens",
        entry="context-window",
    )
    positions: str = knob(
        "rotary",
        "How order gets in: fixed waves or learned vectors are added, or queries and keys are turned.",
        choices=("sinusoidal", "learned", "rotary"),
        entry="positional-encoding",
    )
    norm: str = shared_knobs.norm()
    norm_place: str = knob(
        "before",
        "Whether what goes into attention and MLP is normalized, or the sum after them, as in 2017.",
        choices=("before", "after"),
        entry="transformer-block",
    )
    activation: str = knob(
        "relu2",
        "The bend between the two matrices of a block's MLP.",
        choices=("relu2", "relu"),
        entry="activation-function",
    )
    qk_norm: bool = shared_knobs.qk_norm()
    tie: bool = knob(
        False, "One table of tokens for the source, the target and the last layer, in place of three.",
        entry="weight-tying",
    )  # fmt: skip
    bias: bool = shared_knobs.bias()
    zero_start: bool = knob(
        True,
        "Start every block as the identity and, unless its table is tied, every next token as equally likely.",
        entry="weight-initialization",
    )
    attention: str = shared_knobs.attention()
    dropout: float = shared_knobs.dropout()
    smoothing: float = knob(
        0.0,
        "Share of the target that is spread over all tokens, so that no answer has to be certain.",
        low=0.0,
        high=0.9,
        entry="label-smoothing",
    )
    buckets: int = knob(
        1,
        "Into how many groups of like length the pairs go, each padded to its longest; more of them waste less.",
        low=1,
        high=64,
        unit="lengths",
        entry="mini-batch-and-batch-size",
    )
    steps: int = shared_knobs.steps(1000)
    batch_size: int = knob(
        64,
        "How many pairs one step averages its gradient over.",
        low=1,
        high=65536,
        unit="pairs",
        entry="mini-batch-and-batch-size",
    )
    optimizer: str = shared_knobs.muon()
    learning_rate: float = shared_knobs.learning_rate(0.02)

    def __post_init__(self) -> None:
        super().__post_init__()
        rotary = self.positions == "rotary"
        shared_knobs.share_out(self.width, self.heads, rotary=rotary, instead="positions=sinusoidal")

    @property
    def inner(self) -> int:
        """Width inside of a block's MLP."""
        return self.expansion * self.width

    def total_samples(self, examples: int) -> int:
        """Return how many pairs the whole run trains on."""
        return self.steps * self.batch_size

    def parameters(self, inputs: int, outputs: int) -> int:
        """Return the number of trained numbers; `outputs` is the number of characters, where these are the tokens."""
        C, V = self.width, self.pieces or outputs or USUAL_VOCABULARY
        tables = (1 if self.tie else 3) * V * C
        positions = 2 * self.longest * C if self.positions == "learned" else 0
        encoder, decoder = self._weights()
        biases = (4 * C + self.inner + C) + (8 * C + self.inner + C) if self.bias else 0
        norms = 5 * self.layers + (2 if self.norm_place == "before" else 0)
        norm = C * (2 if self.norm == "layernorm" and self.bias else 1)
        return tables + positions + self.layers * (encoder + decoder + biases) + norms * norm

    def flops_per_sample(self, inputs: int, outputs: int) -> int:
        """Estimate the operations on one pair; `inputs` is the usual number of a source's tokens, the target's being
        about as many, and padding is left out.
        """
        length = inputs or USUAL_LENGTH
        return self.flops(length, length, self.pieces or outputs or USUAL_VOCABULARY)

    def flops(self, source: float, target: float, vocabulary: int) -> int:
        """Estimate the operations of forward and backward on one pair of so many tokens: six a token and matrix weight
        that it meets, and those of attention's two products; looking up a table is free.
        """
        C = self.width
        encoder, decoder = self._weights()
        asked = 2 * C * C  # cross-attention's keys and values are of the source's tokens
        matrices = source * (encoder + asked) + target * (decoder - asked)
        scores = 2 * C * (source**2 + target**2 + source * target)
        return round(6 * (self.layers * (matrices + scores) + target * vocabulary * C))

    def _weights(self) -> tuple[int, int]:
        """Return the number of weights in the matrices of one block of the encoder, and of the decoder."""
        attention, mlp = 4 * self.width**2, 2 * self.width * self.inner
        return attention + mlp, 2 * attention + mlp


@dataclass(frozen=True, kw_only=True)
class TranslateSettings(Settings):
    """What is translated, and how."""

    text: str = knob("", "A source of your own; without one an example of the validation split.")
    example: int = knob(0, "Which example of the validation split.", low=0, high=10**9, entry="data-split")
    beams: int = knob(
        4, "How many texts are kept in the race; 1 takes the likeliest token each time.", low=1, high=64,
        entry="beam-search",
    )  # fmt: skip
    length_penalty: float = knob(
        0.6, "How far long texts are excused for being less likely: 0 not at all.", low=0.0, high=10.0,
        entry="beam-search",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ScoreSettings(Settings):
    """How the test is taken."""

    examples: int = knob(1000, "How many pairs of the test split, the first ones.", low=1, high=10**9, unit="pairs")
    beams: int = knob(
        4, "How many texts are kept in the race, beside taking the likeliest token each time.", low=1, high=64,
        entry="beam-search",
    )  # fmt: skip
    length_penalty: float = knob(
        0.6, "How far long texts are excused for being less likely: 0 not at all.", low=0.0, high=10.0,
        entry="beam-search",
    )  # fmt: skip


OF_2017: dict[str, Value] = {
    "positions": "sinusoidal",
    "norm": "layernorm",
    "norm_place": "after",
    "activation": "relu",
    "qk_norm": False,
    "tie": True,
    "bias": True,
    "zero_start": False,
    "dropout": 0.1,
    "smoothing": 0.1,
    "optimizer": "adamw",
}
"""The choices of Vaswani et al., Attention Is All You Need, 2017."""

MULTI30K: dict[str, Value] = {
    "data": "multi30k-de-en",
    "pieces": 4000,
    "longest": 96,
    "positions": "sinusoidal",
    "tie": True,
    "smoothing": 0.1,
}

PRESETS = (
    Preset(
        name="quick",
        seconds=79.0,
        help="Reverses words, letter by letter; watch cross-attention run backwards.",
        knobs={"data": "reverse", "steps": 1000},
    ),
    Preset(
        name="sort",
        help="Puts the letters of words in order.",
        knobs={"data": "sort", "steps": 1000},
    ),
    Preset(
        name="dates",
        help="Turns eighteen written forms of a date into that of ISO 8601.",
        knobs={"data": "dates", "buckets": 4, "steps": 1000},
    ),
    Preset(
        name="post-norm",
        help="The size of transformer/dates with the choices of 2017: normalized sums, ReLU, tied tables, AdamW.",
        knobs={**OF_2017, "data": "dates", "buckets": 4, "steps": 1000, "learning_rate": 0.001, "warmup": 0.2},
    ),
    Preset(
        name="real",
        help="German to English on a CPU: captions of pictures, in pieces of words.",
        knobs={**MULTI30K, "layers": 3, "width": 128, "buckets": 16, "steps": 1500, "dropout": 0.1},
    ),
    Preset(
        name="standard",
        help="German to English on one GPU.",
        knobs={
            **MULTI30K,
            "pieces": 8000,
            "layers": 4,
            "heads": 8,
            "width": 256,
            "batch_size": 256,
            "steps": 3000,
            "dropout": 0.2,
            "weight_decay": 0.05,
            "attention": "fused",
            "ema": 0.998,
        },
    ),
)

FAMILY = Family(
    name="transformer",
    title="Transformer",
    summary="An encoder reads one sequence, a decoder writes another and looks back at the first: how it all began.",
    entry="transformer",
    spec=TransformerSpec,
    presets=PRESETS,
    panels=(
        Panel(
            events=("train/loss", "valid/loss"),
            kind="line",
            title="Loss",
            unit="nats per token",
            entry="cross-entropy",
        ),
        Panel(
            events=("valid/accuracy", "valid/token_accuracy"),
            kind="line",
            title="Right: whole answers, tokens",
            unit="%",
            entry="teacher-forcing",
        ),
        Panel(
            events=("valid/bleu",),
            kind="line",
            title="BLEU, validation, greedy",
            unit="BLEU",
            entry="bleu-and-rouge",
            when=("data", "multi30k-de-en"),
        ),
        Panel(
            events=("cross-attention", *(f"cross-attention, head {head}" for head in range(1, HEADS_DRAWN + 1))),
            kind="heatmap",
            title="Cross-attention, last layer",
            entry="cross-attention",
        ),
        Panel(events=("answers",), kind="table", title="What it says", entry="autoregressive-generation"),
        Panel(
            events=("valid/length_ratio",),
            kind="line",
            title="Length of answers / targets",
            entry="beam-search",
            references=(Reference("as long", 1.0),),
        ),
        Panel(
            events=("tokens_per_second",),
            kind="line",
            title="Speed",
            unit="target tokens per second",
            entry="mini-batch-and-batch-size",
        ),
        Panel(events=("learning_rate",), kind="line", title="Learning rate", entry="learning-rate"),
        Panel(events=("gradient_norm",), kind="line", title="Gradient norm", entry="exploding-gradient-and-clipping"),
    ),
    headline=(
        Metric(name="valid/accuracy", title="Exact match, greedy", unit="%", higher=True),
        Metric(name="valid/bleu", title="BLEU (13a, cased), greedy", unit="BLEU", higher=True),
        Metric(name="valid/loss", title="Loss", unit="nats per token"),
    ),
    learner="engine.families.transformer.learner:TransformerLearner",
    data=("reverse", "sort", "dates", "multi30k-de-en"),
    plays=(
        Play(
            name="translate",
            help="Let it turn a source into a target, and see where it looked.",
            settings=TranslateSettings,
            act="engine.play.translate:translate",
            words="text",
        ),
        Play(
            name="score",
            help="Let it take the test: pairs that training never looked at, greedy beside beam search.",
            settings=ScoreSettings,
            act="engine.play.translate:score",
        ),
    ),
    code=(
        "families/transformer/model.py",
        "families/transformer/decoding.py",
        "families/transformer/learner.py",
        "data/bpe.py",
        "data/bleu.py",
        "layers/rotary.py",
        "layers/norm.py",
        "families/transformer/spec.py",
    ),
)

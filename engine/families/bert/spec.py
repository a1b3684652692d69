"""What can be said about BERT without torch: its knobs, presets and panels."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core import shared_knobs
from engine.core.errors import UsageError
from engine.core.spec import Family, Metric, Play, Preset, Settings, Spec, Value, knob
from engine.families.bert.panels import PANELS

USUAL_VOCABULARY = {"characters": 101, "words": 9000}
"""Tokens of an English text, special ones included, for estimates before the text was read."""

USUAL_CLASSES = 2

JUDGED_RATE = 0.15
"""Share of the places that are hidden where a model is judged, whatever it was trained with; 80 % of them [MASK], 10 %
another token, 10 % unchanged, as in the paper.
"""


@dataclass(frozen=True, kw_only=True)
class BERTSpec(Spec):
    """The knobs of a BERT: what it learns, its shape, the choices in which encoders differ, and how long it trains.

    Raises:
        UsageError: knobs that do not go together.
    """

    data: str = knob("glossary", "The text, or the labeled sentences, to learn from.", entry="data-split")
    objective: str = knob(
        "masked",
        "What it learns: which token stands at a hidden place, or which class a sentence belongs to.",
        choices=("masked", "classify"),
        entry="pre-training",
    )
    tokens: str = knob(
        "characters", "What a token is; words that occur once are unknown.", choices=("characters", "words"),
        entry="tokenizer",
    )  # fmt: skip
    mask_rate: float = knob(
        0.15,
        "Share of the places that are hidden in training; a model is always judged with 15 %.",
        low=0.001,
        high=0.9,
        entry="masked-language-modeling",
    )
    mask_share: float = knob(
        0.8, "Share of the hidden places where [MASK] stands.", low=0.0, high=1.0, entry="masked-language-modeling"
    )
    random_share: float = knob(
        0.1,
        "Share of the hidden places where a random token stands; at the rest the token itself stays.",
        low=0.0,
        high=1.0,
        entry="masked-language-modeling",
    )
    layers: int = knob(4, "How many transformer blocks follow one another.", low=1, high=96, entry="transformer-block")
    heads: int = shared_knobs.heads(4)
    width: int = shared_knobs.width(128)
    context: int = knob(
        128, "How many tokens the model sees at once.", low=4, high=8192, unit="tokens", entry="context-window"
    )
    positions: str = knob(
        "rotary",
        "How the order of the tokens gets in: learned vectors, or turned queries and keys.",
        choices=("rotary", "learned"),
        entry="positional-encoding",
    )
    norm: str = shared_knobs.norm()
    norm_place: str = knob(
        "before",
        "Where a block normalizes: what goes into each part, or the sum after it.",
        choices=("before", "after"),
        entry="layer-normalization",
    )
    activation: str = knob(
        "relu2", "The bend between the two matrices of a block's MLP.", choices=("relu2", "gelu"),
        entry="activation-function",
    )  # fmt: skip
    qk_norm: bool = shared_knobs.qk_norm()
    transform: bool = knob(False, "One more layer before the scores of the tokens.", entry="bert")
    tie: bool = knob(False, "Use the table of tokens a second time, as the last layer.", entry="weight-tying")
    bias: bool = shared_knobs.bias()
    zero_start: bool = knob(
        True,
        "Start every block as the identity and, unless a tied table scores it, every answer as equally likely.",
        entry="weight-initialization",
    )
    attention: str = shared_knobs.attention()
    pool: str = knob(
        "first",
        "What a sentence's class is read from: its first token, [CLS], or the mean of all.",
        choices=("first", "mean"),
        entry="pooling",
    )
    dropout: float = shared_knobs.dropout()
    steps: int = shared_knobs.steps(1000)
    batch_size: int = knob(
        16,
        "How many stretches of text, or sentences, one step averages its gradient over.",
        low=1,
        high=65536,
        unit="stretches",
        entry="mini-batch-and-batch-size",
    )
    optimizer: str = shared_knobs.muon()
    learning_rate: float = shared_knobs.learning_rate(0.02)

    def __post_init__(self) -> None:
        super().__post_init__()
        rotary = self.positions == "rotary"
        shared_knobs.share_out(self.width, self.heads, rotary=rotary, instead="positions=learned")
        if self.mask_share + self.random_share > 1 + 1e-9:
            raise UsageError(
                f"mask_share = {self.mask_share:g} and random_share = {self.random_share:g} are more than all places.",
                "Lower one of them; the paper has 0.8 and 0.1.",
            )

    def total_samples(self, examples: int) -> int:
        """Return how many stretches of text, or sentences, the whole run trains on."""
        return self.steps * self.batch_size

    def parameters(self, inputs: int, outputs: int) -> int:
        """Return the number of trained numbers.

        Args:
            inputs: the size of the vocabulary, 0 where unknown.
            outputs: the number of classes where sentences are classified, 0 where unknown.
        """
        C, vocabulary, bias = self.width, self._vocabulary(inputs), int(self.bias)
        norm = C * (2 if self.norm == "layernorm" and self.bias else 1)
        block = 12 * C * C + bias * 9 * C + 2 * norm
        positions = self.context * C if self.positions == "learned" else 0
        encoder = vocabulary * C + positions + norm + self.layers * block
        layer = C * C + bias * C
        if self.objective == "classify":
            return encoder + layer + (outputs or USUAL_CLASSES) * (C + bias)
        transform = layer + norm if self.transform else 0
        return encoder + transform + vocabulary * ((0 if self.tie else C) + bias)

    def flops_per_sample(self, inputs: int, outputs: int) -> int:
        """Estimate the operations on one stretch: six a token and matrix weight, those of attention's two products, and
        the last layer's at the hidden places alone.
        """
        C = self.width
        encoder = self.context * self.layers * (6 * 12 * C * C + 12 * C * self.context)
        if self.objective == "classify":
            return encoder + 6 * C * (C + (outputs or USUAL_CLASSES))
        hidden = max(1, round(self.mask_rate * self.context))
        return encoder + 6 * hidden * C * (self._vocabulary(inputs) + (C if self.transform else 0))

    def _vocabulary(self, known: int) -> int:
        return known or USUAL_VOCABULARY[self.tokens]


@dataclass(frozen=True, kw_only=True)
class FillSettings(Settings):
    """Which gaps are filled."""

    text: str = knob(
        "", "A text with gaps, each written as _ or [MASK]; a _ is always a gap.", entry="masked-language-modeling"
    )
    count: int = knob(5, "How many fillings are told for each gap.", low=1, high=100)


@dataclass(frozen=True, kw_only=True)
class JudgeSettings(Settings):
    """Which sentence is judged."""

    text: str = knob("", "A sentence of your own; without one an example of the validation split.", entry="text-tasks")
    example: int = knob(0, "Which example of the validation split.", low=0, high=10**9, entry="data-split")


FILL = Play(
    name="fill",
    help="Let it fill the gaps of a text, and see what it holds likely in each.",
    settings=FillSettings,
    act="engine.play.fill:fill",
    words="text",
)
JUDGE = Play(
    name="judge",
    help="See which class it gives a sentence, and what each word does to its answer.",
    settings=JudgeSettings,
    act="engine.play.judge:judge",
    words="text",
)

BERT_2018: dict[str, Value] = {
    "mask_rate": 0.15,
    "mask_share": 0.8,
    "random_share": 0.1,
    "positions": "learned",
    "norm": "layernorm",
    "norm_place": "after",
    "activation": "gelu",
    "qk_norm": False,
    "transform": True,
    "tie": True,
    "bias": True,
    "zero_start": False,
    "dropout": 0.1,
    "optimizer": "adamw",
    "learning_rate": 0.001,
    "weight_decay": 0.01,
    "warmup": 0.01,
    "cooldown": 0.99,
    "clip": 1.0,
}
"""The choices of Devlin et al.; the learning rate is for a model of this size."""

SMALL: dict[str, Value] = {
    "layers": 4,
    "heads": 4,
    "width": 128,
    "context": 64,
    "batch_size": 16,
    "steps": 800,
    "mask_rate": 0.3,
}
"""A size for two CPU cores; hiding twice as much as the paper gives a small model twice as many answers a step."""

SENTENCES: dict[str, Value] = {
    "data": "sentence-polarity",
    "tokens": "words",
    "layers": 2,
    "heads": 4,
    "width": 128,
    "context": 40,
    "mask_rate": 0.3,
}
"""Nine of ten sentences fit into the context whole."""

JUDGED: dict[str, Value] = {
    **SENTENCES,
    "objective": "classify",
    "pool": "mean",
    "dropout": 0.3,
    "batch_size": 64,
    "steps": 250,
    "learning_rate": 0.005,
    "weight_decay": 0.05,
}

PRESETS = (
    Preset(
        name="quick",
        help="A small BERT learns to fill gaps in this glossary, character by character.",
        knobs=SMALL,
        seconds=72.0,
    ),
    Preset(
        name="original",
        help="Size and steps of bert/quick with the choices of 2018, which in so short a time hardly learn more than"
        " to count: learned positions, LayerNorm after each sum, 15 % hidden, AdamW.",
        knobs={**SMALL, **BERT_2018},
    ),
    Preset(
        name="real",
        help="Tiny Shakespeare on a CPU.",
        knobs={**SMALL, "data": "tiny-shakespeare", "steps": 1600},
    ),
    Preset(
        name="sentences",
        help="Fills gaps in sentences of movie reviews, word by word, without their labels.",
        knobs={**SENTENCES, "batch_size": 32, "steps": 800, "weight_decay": 0.05},
    ),
    Preset(
        name="classify",
        help="The model of bert/sentences learns to tell praise from blame.",
        knobs=JUDGED,
        start="bert/sentences",
    ),
    Preset(
        name="scratch",
        help="The classifier of bert/classify, without having read anything before.",
        knobs=JUDGED,
    ),
    Preset(
        name="standard",
        help="Tiny Shakespeare on one GPU, at the size of nanoGPT's recipe.",
        knobs={
            "data": "tiny-shakespeare",
            "layers": 6,
            "heads": 6,
            "width": 384,
            "context": 256,
            "batch_size": 64,
            "steps": 5000,
            "mask_rate": 0.3,
            "dropout": 0.1,
            "weight_decay": 0.05,
            "attention": "fused",
        },
    ),
)

FAMILY = Family(
    name="bert",
    title="BERT",
    summary="A transformer that reads in both directions: it learns to fill gaps, and then to judge sentences.",
    entry="bert",
    spec=BERTSpec,
    presets=PRESETS,
    panels=PANELS,
    headline=(
        Metric(name="valid/accuracy", title="Accuracy", unit="%", higher=True),
        Metric(name="valid/loss", title="Loss", unit="nats"),
    ),
    learner="engine.families.bert.learner:learner",
    data=("glossary", "tiny-shakespeare", "sentence-polarity"),
    own_data="a text file",
    plays=(FILL, JUDGE),
    code=(
        "families/bert/model.py",
        "families/bert/masking.py",
        "families/bert/filling.py",
        "families/bert/judging.py",
        "families/bert/vocabulary.py",
        "layers/rotary.py",
        "layers/norm.py",
        "families/bert/spec.py",
    ),
)

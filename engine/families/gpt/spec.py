"""What can be said about the GPT without torch: its knobs, presets and panels."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core import shared_knobs
from engine.core.errors import UsageError
from engine.core.spec import Family, Metric, Panel, Spec, Value, knob
from engine.families.gpt.presets import GPT_2, GPT_2_124M, PRESETS
from engine.play.kinds import COMPLETE

__all__ = ["FAMILY", "GPT_2", "HEADS_DRAWN", "TARGETS", "GPTSpec"]

USUAL_VOCABULARY = {"characters": 96, "gpt-2": 50_257}
"""Tokens of an English text, for estimates before the text was read."""

GPT_2_CONTEXT = 1024
"""Positions that the published GPT-2 has learned."""

TARGETS = ("all", "blocks", "attention", "mlp")
"""Which matrices LoRA may adapt."""

HEADS_DRAWN = 8
"""Of the last layer; more would fill the disk with pictures that nobody looks at."""


@dataclass(frozen=True, kw_only=True)
class GPTSpec(Spec):
    """The knobs of a GPT: its shape, the choices in which generations of GPTs differ, and how long it trains.

    Raises:
        UsageError: the width cannot be shared out among the heads.
    """

    data: str = knob("glossary", "The text to learn to write.", entry="data-split")
    tokens: str = knob(
        "characters",
        "What the text is cut into: characters, or GPT-2's pieces of words.",
        choices=tuple(USUAL_VOCABULARY),
        entry="tokenizer",
    )
    weights: str = knob(
        "random",
        "What to start from: chance, or the published GPT-2 of 124 million parameters.",
        choices=("random", "gpt-2"),
        entry="pre-training",
    )
    layers: int = knob(4, "How many transformer blocks follow one another.", low=1, high=96, entry="transformer-block")
    heads: int = shared_knobs.heads(4)
    width: int = shared_knobs.width(128)
    context: int = knob(
        128, "How many tokens back the model can look.", low=2, high=8192, unit="tokens", entry="context-window"
    )
    positions: str = knob(
        "rotary",
        "How the order of the characters gets in: learned vectors, or turned queries and keys.",
        choices=("rotary", "learned"),
        entry="rotary-embedding",
    )
    norm: str = shared_knobs.norm()
    activation: str = knob(
        "relu2",
        "The bend between the two matrices of a block's MLP; gelu-tanh is GPT-2's own approximation of gelu.",
        choices=("relu2", "gelu", "gelu-tanh", "swiglu"),
        entry="activation-function",
    )
    qk_norm: bool = shared_knobs.qk_norm()
    tie: bool = knob(False, "Use the table of characters a second time, as the last layer.", entry="weight-tying")
    bias: bool = shared_knobs.bias()
    zero_start: bool = knob(
        True,
        "Start every block as the identity and every next character as equally likely.",
        entry="weight-initialization",
    )
    attention: str = shared_knobs.attention()
    dropout: float = shared_knobs.dropout()
    adapt: str = knob(
        "full",
        "What may move: everything, the last layer alone, or thin matrices beside the large ones, which stand still.",
        choices=("full", "head", "lora"),
        entry="parameter-efficient-fine-tuning",
    )
    rank: int = knob(8, "Width of LoRA's thin matrices.", low=1, high=1024, entry="lora")
    alpha: float = knob(16.0, "LoRA's correction is scaled by alpha / rank.", low=0.0, high=1e4, entry="lora")
    targets: str = knob(
        "all",
        "Which matrices LoRA adapts: those of the blocks, or all, with the last layer where that is no table of "
        "characters too.",
        choices=TARGETS,
        entry="lora",
    )
    steps: int = shared_knobs.steps(2000)
    prompt: str = knob("The ", "What the samples begin with.", entry="prompt-and-system-prompt")
    batch_size: int = knob(
        16,
        "How many stretches of text one step averages its gradient over.",
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
        if self.weights == "gpt-2":
            self._check_published()

    def _check_published(self) -> None:
        """Refuse a shape that the published weights do not have."""
        wanted: dict[str, Value] = {**GPT_2_124M, "tokens": "gpt-2"}
        wrong = {name: value for name, value in wanted.items() if getattr(self, name) != value}
        if wrong:
            raise UsageError(
                "The weights of GPT-2 fit GPT-2 alone.",
                "Use the preset gpt-2-124m, or set " + " ".join(f"{name}={value}" for name, value in wrong.items()),
            )
        if self.context > GPT_2_CONTEXT:
            raise UsageError(
                f"GPT-2 knows {GPT_2_CONTEXT:,} positions, no {self.context:,}.",
                f"Set context={GPT_2_CONTEXT} or less.",
            )

    @property
    def inner(self) -> int:
        """Width inside of a block's MLP; two thirds of it where a third matrix (SwiGLU) takes the parameters."""
        return round(8 * self.width / 3) if self.activation == "swiglu" else 4 * self.width

    def total_samples(self, examples: int) -> int:
        """Return how many stretches of text the whole run trains on."""
        return self.steps * self.batch_size

    def parameters(self, inputs: int, outputs: int) -> int:
        """Return the number of trained numbers; `outputs` is the size of the vocabulary, 0 where unknown."""
        vocabulary, C = outputs or USUAL_VOCABULARY[self.tokens], self.width
        if self.adapt == "head":
            return vocabulary * C
        if self.adapt == "lora":
            head = [(C, vocabulary)] if self.adapts_head else []
            return self.rank * sum(inputs + outputs for inputs, outputs in [*self.layers * self._adapted(), *head])
        norm = C * (2 if self.norm == "layernorm" and self.bias else 1)
        norms = (2 * self.layers + 1) * norm
        biases = self.layers * sum(outputs for _, outputs in self._matrices().values()) if self.bias else 0
        tables = vocabulary * C * (1 if self.tie else 2) + (self.context * C if self.positions == "learned" else 0)
        return tables + self.layers * self._weights() + norms + biases

    def flops_per_sample(self, inputs: int, outputs: int) -> int:
        """Estimate the operations on one stretch: six a token and matrix weight, and those of attention's two products.

        Counted as in nanoGPT's `estimate_mfu`, except that looking up a table is free. Of the six, two are the forward
        pass, two hand the gradient on, and two make the weight's own; a frozen matrix needs no more than the first four
        (the first two where nothing before it learns).
        """
        head = (outputs or USUAL_VOCABULARY[self.tokens]) * self.width
        blocks, scores = self.layers * self._weights(), 12 * self.layers * self.width * self.context
        match self.adapt:
            case "full":
                a_token = 6 * (blocks + head) + scores
            case "head":
                a_token = 2 * blocks + 6 * head + scores // 3
            case _:
                a_token = 4 * (blocks + head) + 6 * self.parameters(inputs, outputs) + scores
        return self.context * a_token

    @property
    def adapts_head(self) -> bool:
        """Whether LoRA adapts the last layer; merged, a tied one would no longer be the table of characters."""
        return self.targets == "all" and not self.tie

    def _matrices(self) -> dict[str, tuple[int, int]]:
        """Return the matrices of one block, each with the width of what goes in and of what comes out."""
        C, inner = self.width, self.inner
        gate = {"mlp.gate": (C, inner)} if self.activation == "swiglu" else {}
        attention = {"attention.qkv": (C, 3 * C), "attention.projection": (C, C)}
        return {**attention, "mlp.up": (C, inner), **gate, "mlp.down": (inner, C)}

    def _weights(self) -> int:
        """Return the number of weights in the matrices of one block."""
        return sum(inputs * outputs for inputs, outputs in self._matrices().values())

    def _adapted(self) -> list[tuple[int, int]]:
        """Return the sizes of the matrices of one block that LoRA adapts."""
        part = "" if self.targets in ("all", "blocks") else self.targets
        return [sizes for name, sizes in self._matrices().items() if name.startswith(part)]


FAMILY = Family(
    name="gpt",
    title="GPT",
    summary="A transformer that reads the text so far and predicts the next character; asked again, it writes.",
    entry="gpt",
    spec=GPTSpec,
    presets=PRESETS,
    panels=(
        Panel(
            events=("train/loss", "valid/loss"),
            kind="line",
            title="Loss",
            unit="nats per character",
            entry="cross-entropy",
        ),
        Panel(
            events=("generated text",),
            kind="text",
            title="What it writes, temperature 0.8",
            entry="autoregressive-generation",
        ),
        Panel(
            events=("attention", *(f"attention, head {head}" for head in range(1, HEADS_DRAWN + 1))),
            kind="heatmap",
            title="Attention of the last layer",
            entry="attention",
        ),
        Panel(
            events=("loss by position",),
            kind="histogram",
            title="Loss by position in a cold window",
            unit="nats per character",
            x="tokens seen before",
            entry="context-window",
        ),
        Panel(
            events=("tokens_per_second",),
            kind="line",
            title="Speed",
            unit="tokens per second",
            entry="mini-batch-and-batch-size",
        ),
        *(
            Panel(events=("what is trained",), kind="table", title="What is trained", entry="lora", when=("adapt", how))
            for how in ("lora", "head")
        ),
        Panel(events=("learning_rate",), kind="line", title="Learning rate", entry="learning-rate"),
        Panel(events=("gradient_norm",), kind="line", title="Gradient norm", entry="exploding-gradient-and-clipping"),
    ),
    headline=(Metric(name="valid/loss", title="Loss, cold windows", unit="nats per character"),),
    learner="engine.families.gpt.learner:GPTLearner",
    data=("glossary", "glossary-questions", "tiny-shakespeare"),
    own_data="a text file",
    plays=(COMPLETE,),
    code=(
        "families/gpt/model.py",
        "layers/rotary.py",
        "layers/norm.py",
        "families/gpt/learner.py",
        "data/gpt2_tokens.py",
        "adapt/lora.py",
        "families/gpt/published.py",
        "families/gpt/presets.py",
        "families/gpt/spec.py",
    ),
)

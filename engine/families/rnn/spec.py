"""What can be said about recurrent networks without torch: their knobs, presets and panels."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core import shared_knobs
from engine.core.spec import Family, Metric, Panel, Preset, Spec, Value, knob
from engine.play.kinds import COMPLETE

USUAL_VOCABULARY = 96
"""Characters of an English text, for estimates before the text was read."""

GATES = {"rnn": 1, "lstm": 4, "gru": 3}
"""Mixtures of item and memory that a cell computes, each as wide as the memory."""


@dataclass(frozen=True, kw_only=True)
class RNNSpec(Spec):
    """The knobs of a recurrent network: its cell, its size, how far the gradient goes back and how long it trains."""

    data: str = knob("glossary", "The text to learn to write, or the series to go on with.", entry="data-split")
    cell: str = knob(
        "lstm",
        "How a memory is updated: lstm and gru by gates, rnn by writing all of it anew.",
        choices=("lstm", "gru", "rnn"),
        entry="recurrent-neural-network",
    )
    layers: int = knob(
        1, "How many recurrent layers, each reading what the one below shows.", low=1, high=16, entry="layer"
    )
    width: int = knob(256, "Numbers in the memory of a layer.", low=1, high=16384, unit="units", entry="hidden-state")
    embedding: int = knob(
        64, "Numbers that stand for a character.", low=1, high=16384, unit="channels", entry="embedding"
    )
    context: int = knob(
        64,
        "Characters that are read between two updates; the gradient reaches back no further, the state does.",
        low=2,
        high=8192,
        unit="characters",
        entry="backpropagation-through-time",
    )
    carry: bool = knob(True, "Begin each stretch in the state in which the one before it ended.", entry="hidden-state")
    forget_bias: float = knob(
        1.0,
        "How open the gate that keeps the memory starts, before its sigmoid: forget gate of lstm, update gate of gru.",
        low=-10.0,
        high=10.0,
        entry="lstm",
    )
    kernel: str = knob(
        "fused",
        "The cells as they are written, or torch's kernel for all steps of a layer; both give the same.",
        choices=("fused", "written"),
        entry="compilation",
    )
    dropout: float = knob(
        0.0, "Share of what a layer shows that is zeroed at random in training.", low=0.0, high=0.95, entry="dropout"
    )
    steps: int = shared_knobs.steps(1000)
    prompt: str = knob("The ", "What the samples begin with.", entry="prompt-and-system-prompt")
    batch_size: int = knob(
        64,
        "How many streams of text are read side by side.",
        low=1,
        high=65536,
        unit="streams",
        entry="mini-batch-and-batch-size",
    )
    optimizer: str = shared_knobs.muon()
    learning_rate: float = shared_knobs.learning_rate(0.03)
    clip: float = knob(
        1.0,
        "Largest allowed norm of the whole gradient; 0 clips nothing.",
        low=0.0,
        high=1e6,
        entry="exploding-gradient-and-clipping",
    )

    def total_samples(self, examples: int) -> int:
        """Return how many stretches of text the whole run trains on."""
        return self.steps * self.batch_size

    def parameters(self, inputs: int, outputs: int) -> int:
        """Return the number of trained numbers; `outputs` is the size of the vocabulary, 0 where unknown."""
        vocabulary = outputs or USUAL_VOCABULARY
        biases = self.layers * GATES[self.cell] * self.width * (2 if self.cell == "gru" else 1)
        return vocabulary * self.embedding + self._matrices() + biases + (self.width + 1) * vocabulary

    def flops_per_sample(self, inputs: int, outputs: int) -> int:
        """Estimate the operations on one stretch: six a character and matrix weight; looking up a table is free."""
        head = (outputs or USUAL_VOCABULARY) * self.width
        return self.context * 6 * (self._matrices() + head)

    def _matrices(self) -> int:
        """Return the number of weights in the matrices of all layers."""
        inputs = self.embedding + (self.layers - 1) * self.width
        return GATES[self.cell] * self.width * (inputs + self.layers * self.width)


SHAKESPEARE: dict[str, Value] = {"data": "tiny-shakespeare", "prompt": "ROMEO:\n", "steps": 800}
"""A little over three times through the text."""

PRESETS = (
    Preset(
        name="quick",
        help="An LSTM learns to write this glossary, one character at a time.",
        knobs={"cell": "lstm", "batch_size": 32, "steps": 800, "dropout": 0.1},
    ),
    Preset(name="real", help="An LSTM on Tiny Shakespeare.", knobs={**SHAKESPEARE, "cell": "lstm", "dropout": 0.1}),
    Preset(
        name="real-gru",
        help="A GRU of the same width on Tiny Shakespeare.",
        knobs={
            **SHAKESPEARE,
            "cell": "gru",
            "dropout": 0.1,
            "learning_rate": 0.02,
            "kernel": "written",
            "steps": 980,
        },
    ),
    Preset(
        name="real-rnn",
        help="A plain recurrent network of the same width on Tiny Shakespeare: what gates are for.",
        knobs={**SHAKESPEARE, "cell": "rnn", "learning_rate": 0.02, "kernel": "written"},
    ),
    Preset(
        name="series",
        help="A small LSTM learns to foresee the next value of two waves with noise.",
        knobs={
            "data": "sine",
            "prompt": "0.0",
            "width": 64,
            "embedding": 32,
            "batch_size": 16,
            "steps": 400,
        },
    ),
    Preset(
        name="standard",
        help="Two wide LSTM layers on Tiny Shakespeare, for a GPU.",
        knobs={
            **SHAKESPEARE,
            "cell": "lstm",
            "layers": 2,
            "width": 512,
            "context": 128,
            "batch_size": 128,
            "dropout": 0.4,
            "steps": 1200,
        },
    ),
)

GATES_OF = {
    "lstm": ("forget gate", "input gate", "output gate", "candidate"),
    "gru": ("update gate", "reset gate", "candidate"),
    "rnn": ("state",),
}
"""What is shown of a cell, the most telling first."""

GATE_TITLES = {"lstm": "Gates, 0 shut and 1 open", "gru": "Gates, 0 shut and 1 open", "rnn": "The state's numbers"}

FAMILY = Family(
    name="rnn",
    title="Recurrent network",
    summary="A network that reads one character at a time and carries a small memory of all it has read.",
    entry="recurrent-neural-network",
    spec=RNNSpec,
    presets=PRESETS,
    panels=(
        Panel(
            events=("train/loss", "valid/loss"),
            kind="line",
            title="Loss",
            unit="nats per symbol",
            entry="cross-entropy",
        ),
        Panel(
            events=("generated text",),
            kind="text",
            title="What it writes, temperature 0.8",
            entry="autoregressive-generation",
        ),
        Panel(
            events=("prediction",),
            kind="points",
            title="Series: true, foreseen, alone",
            entry="time-series",
            when=("data", "sine"),
        ),
        Panel(
            events=("gradient through time",),
            kind="histogram",
            title="Gradient through time",
            unit="powers of ten",
            x="symbols before the loss",
            entry="vanishing-gradient",
        ),
        *(
            Panel(
                events=GATES_OF[cell],
                kind="histogram",
                title=GATE_TITLES[cell],
                entry="sigmoid-and-tanh" if cell == "rnn" else cell,
                when=("cell", cell),
            )
            for cell in GATES_OF
        ),
        Panel(events=("hidden state",), kind="heatmap", title="State, unit by unit", entry="hidden-state"),
        Panel(
            events=("loss by position",),
            kind="histogram",
            title="Loss after a cold start",
            unit="nats per symbol",
            x="symbols read before",
            entry="context-window",
        ),
        Panel(
            events=("valid/saturated",),
            kind="line",
            title="State at its limits",
            unit="share beyond 0.95",
            entry="sigmoid-and-tanh",
        ),
        Panel(events=("gradient_norm",), kind="line", title="Gradient norm", entry="exploding-gradient-and-clipping"),
        Panel(
            events=("tokens_per_second",),
            kind="line",
            title="Speed",
            unit="symbols per second",
            entry="mini-batch-and-batch-size",
        ),
        Panel(events=("learning_rate",), kind="line", title="Learning rate", entry="learning-rate"),
    ),
    headline=(
        Metric(name="valid/loss", title="Loss, carried state", unit="nats per symbol"),
        Metric(name="valid/bits", title="The same in bits", unit="bits per symbol"),
    ),
    learner="engine.families.rnn.learner:RNNLearner",
    data=("glossary", "tiny-shakespeare", "sine"),
    own_data="a text file",
    plays=(COMPLETE,),
    code=(
        "families/rnn/model.py",
        "families/rnn/learner.py",
        "families/rnn/inside.py",
        "data/streams.py",
        "data/series.py",
        "families/rnn/spec.py",
    ),
)

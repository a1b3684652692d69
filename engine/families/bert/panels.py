"""What the run screen shows of a BERT that fills gaps, and of one that judges sentences. Torch-free."""

from __future__ import annotations

from engine.core.spec import Panel

HEADS_DRAWN = 8
"""Of the last layer; more would fill the disk with pictures that nobody looks at."""

MASKED = ("objective", "masked")
CLASSIFY = ("objective", "classify")

PANELS = (
    Panel(
        events=("train/loss", "valid/loss"), kind="line", title="Loss at hidden places", unit="nats per token",
        entry="cross-entropy", when=MASKED,
    ),
    Panel(
        events=("train/accuracy", "valid/accuracy"), kind="line", title="Hidden tokens guessed", unit="%",
        entry="masked-language-modeling", when=MASKED,
    ),
    Panel(
        events=("valid/accuracy_mask", "valid/accuracy_random", "valid/accuracy_kept"), kind="line",
        title="Guessed, by what stood there", unit="%", entry="masked-language-modeling", when=MASKED,
    ),
    Panel(events=("gaps",), kind="table", title="How it fills gaps", entry="bert", when=MASKED),
    Panel(events=("by frequency",), kind="table", title="Guessed, by how frequent", entry="token", when=MASKED),
    Panel(
        events=("train/loss", "valid/loss"), kind="line", title="Loss", unit="nats per sentence",
        entry="cross-entropy", when=CLASSIFY,
    ),
    Panel(
        events=("train/accuracy", "valid/accuracy"), kind="line", title="Accuracy", unit="%", entry="accuracy",
        when=CLASSIFY,
    ),
    Panel(
        events=("confusion matrix",), kind="heatmap", title="Confusion matrix", unit="sentences",
        entry="confusion-matrix", when=CLASSIFY,
    ),
    Panel(events=("mistakes",), kind="table", title="Surest mistakes", entry="confusion-matrix", when=CLASSIFY),
    Panel(
        events=("attention", *(f"attention, head {head}" for head in range(1, HEADS_DRAWN + 1))), kind="heatmap",
        title="Attention of the last layer", entry="self-attention",
    ),
    Panel(events=("by class",), kind="table", title="By class", entry="precision-and-recall", when=CLASSIFY),
    Panel(
        events=("tokens_per_second",), kind="line", title="Speed", unit="tokens per second",
        entry="mini-batch-and-batch-size",
    ),
    Panel(events=("learning_rate",), kind="line", title="Learning rate", entry="learning-rate"),
    Panel(events=("gradient_norm",), kind="line", title="Gradient norm", entry="exploding-gradient-and-clipping"),
)  # fmt: skip

"""The lab on pre-training: what is a trained start worth, by the number of labeled examples?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.core.errors import UsageError
from engine.core.lab import Arm, Forecast, Lab, Results, Statement
from engine.core.spec import Computation, Metric, Panel, Preset, Settings, knob
from engine.core.verdict import Measured, Verdict, measured, more_than

NATS = "nats per character"
MOST_SIZES = 8


@dataclass(frozen=True, kw_only=True)
class Budget(Settings):
    """The task, the numbers of examples, and how both starts learn.

    The two learning rates were chosen in advance, by the same budget each:
    docs/decisions/2026-11-20-tuning-of-two-labs.md.

    Raises:
        UsageError: `sizes` is no list of whole numbers.
    """

    task: str = knob(
        "answers",
        "What is learned from labels: answers (to questions), spelling (a word, or its letters shuffled?), or the path "
        "of a CSV whose last column is the label.",
        entry="label",
    )
    sizes: str = knob("4, 25, 150", "The numbers of labeled examples.", entry="data-split")
    draws: int = knob(1, "How many different sets of examples of one size, where there are enough.", low=1, high=20)
    held: int = knob(60, "Examples that are held out, at most.", low=10, high=10**5, entry="data-split")
    steps: int = knob(
        200, "Updates, at most: the best of ten looks counts.", low=10, high=10**6, unit="steps", entry="epoch-and-step"
    )
    pretrained_rate: float = knob(
        0.0001, "Learning rate from the trained start.", low=0.0, high=1.0, entry="learning-rate"
    )
    scratch_rate: float = knob(0.001, "Learning rate from scratch.", low=0.0, high=1.0, entry="learning-rate")
    base_steps: int = knob(800, "Updates of the pre-training.", low=1, high=10**6, unit="steps", entry="pre-training")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.listed_sizes()

    def listed_sizes(self) -> list[int]:
        """Return the numbers of examples, each once, rising.

        Raises:
            UsageError: they are not two or more whole numbers of at least 2, or too many.
        """
        words = self.sizes.replace(",", " ").split()
        if not all(word.isascii() and word.isdigit() and int(word) > 1 for word in words) or len(set(words)) < 2:
            raise UsageError(f"sizes = '{self.sizes}' is not two or more whole numbers.", "Example: sizes=4,16,64")
        if len(set(words)) > MOST_SIZES:
            raise UsageError(f"{len(set(words))} sizes are too many for one lab.", f"Use at most {MOST_SIZES}.")
        return sorted({int(word) for word in words})

    def rates(self) -> dict[str, float]:
        """Return the learning rate of each start."""
        return {"pretrained": self.pretrained_rate, "scratch": self.scratch_rate}


def arms(settings: Settings) -> Sequence[Arm]:
    """Return the base model, which is kept, and the computation that learns from labels."""
    assert isinstance(settings, Budget)
    base = Arm(
        name="base",
        title="Pre-training",
        target="gpt/quick",
        knobs={"steps": settings.base_steps},
        kept=True,
    )
    labels = Arm(
        name="labels",
        title="Both starts, by examples",
        target="pre-training/quick",
        knobs=settings.values(),
        reads=("base",),
    )
    return [base, labels]


def sizes_of(results: Results) -> list[int]:
    """Return the numbers of examples that were measured in every seed."""
    assert isinstance(results.settings, Budget)
    return [size for size in results.settings.listed_sizes() if results.has("labels", f"scratch/loss/{size}")]


def lead(results: Results, size: int) -> tuple[float, ...]:
    """Return the lead of the pre-trained start at one number of examples, one value a seed: percent of right answers
    where there are classes, else the difference of the losses.
    """
    if results.has("labels", f"scratch/accuracy/{size}"):
        return tuple(100 * gap for gap in _gap(results, f"pretrained/accuracy/{size}", f"scratch/accuracy/{size}"))
    return _gap(results, f"scratch/loss/{size}", f"pretrained/loss/{size}")


def _gap(results: Results, more: str, less: str) -> tuple[float, ...]:
    return tuple(a - b for a, b in zip(results.of("labels", more), results.of("labels", less), strict=True))


def _unit(results: Results, size: int) -> str:
    return "points" if results.has("labels", f"scratch/accuracy/{size}") else NATS


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _leads(results: Results) -> tuple[Measured, ...]:
    return tuple(
        measured(f"lead with {size:,} examples", lead(results, size), _unit(results, size))
        for size in sizes_of(results)
    )


def few(results: Results) -> Verdict:
    """Judge whether the trained start is ahead with the fewest examples."""
    size = sizes_of(results)[0]
    ahead, unit = lead(results, size), _unit(results, size)
    return Verdict(
        holds=more_than(0, ahead),
        text=f"With {size:,} labeled examples the pre-trained model was {_mean(ahead):.2f} {unit} ahead on examples "
        "that neither had seen.",
        measured=_leads(results),
    )


def shrinks(results: Results) -> Verdict:
    """Judge whether the lead is smaller with the most examples than with the fewest."""
    first, *_, last = sizes_of(results)
    before, after, unit = lead(results, first), lead(results, last), _unit(results, first)
    return Verdict(
        holds=more_than(0, tuple(a - b for a, b in zip(before, after, strict=True))),
        text=f"The lead was {_mean(before):.2f} {unit} with {first:,} labeled examples and {_mean(after):.2f} with "
        f"{last:,}.",
        measured=_leads(results),
    )


LEADS = ("It is gone", "Less than half of it is left", "Half of it or more is left", "It has grown")


def lead_class(results: Results) -> str:
    """Return which guess about the lead with the most examples came true."""
    first, *_, last = sizes_of(results)
    left = _mean(lead(results, last)) / max(_mean(lead(results, first)), 1e-9)
    return LEADS[0] if left < 0.05 else LEADS[1] if left < 0.5 else LEADS[2] if left <= 1 else LEADS[3]


LAB = Lab(
    name="pre-training",
    title="What a trained start is worth",
    question="The same model learns the same task twice, from scratch and from pre-trained weights. How many labeled "
    "examples make up for the pre-training?",
    summary="Trains both starts on more and more labeled examples and tests them on held-out ones.",
    entry="foundation-model",
    settings=Budget,
    presets=(
        Preset(name="quick", help="Answers to questions about deep learning, 4 to 150.", knobs={}, seconds=100.0),
        Preset(
            name="standard",
            help="Is it a word, or are its letters shuffled? 16 to 2,000 words; for patience.",
            knobs={
                "task": "spelling", "sizes": "16, 64, 256, 1000, 2000", "held": 400, "draws": 2, "steps": 3000,
            },
        ),
    ),
    arms=arms,
    forecasts=(
        Forecast(
            id="left",
            question="With very few labeled examples the pre-trained start is far ahead. What is left of that lead "
            "with the most examples?",
            choices=LEADS,
            outcome=lead_class,
            because="Labeled examples teach the task and the language at once. What pre-training had taught from a "
            "text without labels, the model from scratch has to get from the few labels alone.",
        ),
    ),
    statements=(
        Statement(
            id="few",
            says="With few labeled examples, a pre-trained model beats the same model trained from scratch.",
            judge=few,
        ),
        Statement(
            id="shrinks",
            says="The lead of the pre-trained model shrinks as the number of labeled examples grows.",
            judge=shrinks,
        ),
    ),
    why="Both models have the same shape and see the same labeled examples in the same order. The pre-trained one "
    "knows letters, words and what usually follows what, from a text in which nobody labeled anything. From scratch "
    "all of that has to come out of the labeled examples as well. A few hold hardly any of it; the more there are, "
    "the more of it they hold, and the less the trained start is worth.",
    limits="One small model, pre-trained on a text about the same subjects, and one task; the text that it read holds "
    "none of the questions. What is measured is the loss of an answer's first characters, not whether it is true. "
    "The intervals cover the draw of examples and the start from scratch, not another pre-training.",
    watch=Panel(
        events=("pretrained/loss", "scratch/loss"),
        kind="line",
        title="Loss on held-out answers",
        unit=NATS,
        x="labeled examples",
        entry="pre-training",
    ),
    figures=(
        Metric(name="last/pretrained/loss", title="Pre-trained, most examples", unit=NATS),
        Metric(name="last/scratch/loss", title="From scratch, most examples", unit=NATS),
        Metric(name="seconds", title="Time", unit="s"),
    ),
    computation=Computation(
        name="pre-training",
        title="Both starts, by examples",
        summary="The same examples learned from scratch and from a trained model.",
        entry="pre-training",
        spec=Budget,
        presets=(Preset(name="quick", help="As the lab asks.", knobs={}),),
        panels=(
            Panel(
                events=("pretrained/loss", "scratch/loss"),
                kind="line",
                title="Loss on held-out answers",
                unit=NATS,
                x="labeled examples",
                entry="cross-entropy",
            ),
            Panel(
                events=("pretrained/accuracy", "scratch/accuracy"),
                kind="line",
                title="Right answers",
                x="labeled examples",
                entry="accuracy",
            ),
            Panel(events=("by examples",), kind="table", title="By labeled examples", entry="foundation-model"),
            Panel(
                events=("every training",),
                kind="points",
                title="Every training: loss (up) by the examples' logarithm to base 2",
                entry="data-split",
            ),
        ),
        headline=(
            Metric(name="pretrained/loss/4", title="Pre-trained, 4 examples", unit=NATS),
            Metric(name="scratch/loss/4", title="From scratch, 4 examples", unit=NATS),
        ),
        code=("labs/pre_training/learn.py", "labs/pre_training/pairs.py", "labs/pre_training/compute.py"),
        compute="engine.labs.pre_training.compute:measure",
    ),
)  # fmt: skip

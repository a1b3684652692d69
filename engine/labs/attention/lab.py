"""The lab on attention: one's own sentence by hand, and what training makes of the heads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.core.errors import UsageError
from engine.core.lab import Arm, Forecast, Lab, Results, Statement
from engine.core.spec import Computation, Metric, Panel, Preset, Settings, knob
from engine.core.verdict import Verdict, exactly, measured, more_than

HEAD_WIDTH = 32
"""Channels of a head."""
CLOSE = 1e-4
"""Largest difference that float32 arithmetic in another order explains here."""


@dataclass(frozen=True, kw_only=True)
class Sentence(Settings):
    """What is read, whose row is followed, and on what the model was trained.

    Raises:
        UsageError: there is no sentence.
    """

    sentence: str = knob("The loss falls. The loss", "What the model reads, character by character.", entry="attention")
    place: int = knob(
        0, "Which character is followed, from 1; 0 takes the last.", low=0, high=8192, entry="query-key-value"
    )
    layer: int = knob(0, "Whose head is computed by hand, from 1; 0 takes the last layer.", low=0, high=96)
    head: int = knob(1, "Which of its heads, from 1.", low=1, high=128, entry="multi-head-attention")
    data: str = knob("glossary", "The text that the model learns: a name, or a file of your own.", entry="corpus")
    context: int = knob(
        64, "How many characters back the model can look.", low=2, high=8192, unit="characters", entry="context-window"
    )
    steps: int = knob(600, "How many updates the model is trained for.", low=1, high=10**7, entry="epoch-and-step")
    layers: int = knob(4, "Blocks of the model.", low=1, high=96, entry="transformer-block")
    width: int = knob(128, "Channels of the model, a multiple of 32.", low=HEAD_WIDTH, high=4096, entry="embedding")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width % HEAD_WIDTH:
            raise UsageError(f"A width of {self.width} is no multiple of {HEAD_WIDTH}.", "Use 64, 128, 192 ...")
        if not self.sentence.strip():
            raise UsageError("There is no sentence to read.", "Example: sentence='The loss falls.'")


def arms(settings: Settings) -> Sequence[Arm]:
    """Return the model, trained once a seed and kept, and the look into it."""
    assert isinstance(settings, Sentence)
    knobs = settings.values()
    training = {name: knobs[name] for name in ("data", "steps", "context", "layers", "width")}
    training["heads"] = settings.width // HEAD_WIDTH
    return [
        Arm(name="model", title="A small GPT", target="gpt/quick", knobs=training, kept=True, per_seed=True),
        Arm(name="look", title="Your sentence", target="attention/quick", knobs=knobs, reads=("model",)),
    ]


def less_even(results: Results) -> Verdict:
    """Judge whether training made the weights of the average head less even."""
    before, after = results.of("look", "spread/before"), results.of("look", "spread/after")
    drops = [a - b for a, b in zip(before, after, strict=True)]
    return Verdict(
        holds=more_than(0.0, drops),
        text=f"Of the entropy that even weights would have, the average head had {100 * mean(before):.0f} % at the "
        f"start and {100 * mean(after):.0f} % after training, on text that was not trained on.",
        measured=(measured("at the start", before), measured("after training", after), measured("fall", drops)),
    )


def looks_back(results: Results) -> Verdict:
    """Judge whether a head has come to look at the character just before."""
    before, after = results.of("look", "previous/before"), results.of("look", "previous/after")
    gains = [b - a for a, b in zip(before, after, strict=True)]
    return Verdict(
        holds=more_than(0.0, gains),
        text=f"The head that looks most at the character just before gives it {100 * mean(after):.0f} % of its weight; "
        f"at the start no head gave it more than {100 * mean(before):.0f} %.",
        measured=(measured("at the start", before), measured("after training", after)),
    )


def same(results: Results) -> Verdict:
    """Judge whether the numbers by hand are those of torch and of the model."""
    kernel, own = max(results.of("look", "torch/error")), max(results.of("look", "model/error"))
    return Verdict(
        holds=max(kernel, own) <= CLOSE,
        text=f"Score, softmax and mix by hand differ by at most {kernel:.0e} from torch's scaled_dot_product_attention "
        f"and by {own:.0e} from the layer's own output.",
        measured=(exactly("to torch", kernel), exactly("to the model", own)),
    )


def mean(values: Sequence[float]) -> float:
    """Return the mean."""
    return sum(values) / len(values)


def evenness(results: Results) -> str:
    """Return which guess about the spread came true."""
    change = mean(results.of("look", "spread/after")) - mean(results.of("look", "spread/before"))
    return CHOICES[0] if change > 0.03 else CHOICES[1] if change > -0.03 else CHOICES[2]


def repeats(results: Results) -> str:
    """Return whether a head finds what followed the same character earlier."""
    return REPEATS[0] if mean(results.of("look", "induction/after")) > FOUND else REPEATS[1]


FOUND = 0.25
"""Mean weight on the right one of 24 to 47 places from which a head is said to find it."""
CHOICES = ("More evenly", "About as evenly", "Less evenly")
REPEATS = ("Yes, some head does", "No, not in so small a model after so short a training")

LAB = Lab(
    name="attention",
    title="Attention by hand",
    question="Where do the heads of a small model look, and is there anything in attention that one cannot compute by "
    "hand?",
    summary="Follows one character of your sentence through a head, number by number, then judges all heads.",
    entry="attention",
    settings=Sentence,
    presets=(
        Preset(name="quick", help="A model of four layers, trained on this glossary.", knobs={}, seconds=100.0),
        Preset(
            name="standard",
            help="Six layers with eight heads each, trained on Tiny Shakespeare; for a GPU.",
            knobs={"data": "tiny-shakespeare", "steps": 2400, "context": 128, "layers": 6, "width": 256},
        ),
    ),
    arms=arms,
    forecasts=(
        Forecast(
            id="even",
            question="At the start a head's weights are spread over all it sees, as chance has it. How are those of "
            "the average head spread after training?",
            choices=CHOICES,
            outcome=evenness,
            because="To spell, a model has to know the last few characters exactly; a mean over all of them would "
            "blur them.",
        ),
        Forecast(
            id="repeats",
            question="Random characters are written down twice. Does a head look back to what followed the same "
            f"character the first time, with more than {100 * FOUND:.0f} % of its weight?",
            choices=REPEATS,
            outcome=repeats,
            because="That takes two heads in a row, and text in which copying pays. Larger models learn it, early "
            "and all at once.",
        ),
    ),
    statements=(
        Statement(
            id="focus",
            says="After training, the weights of the average attention head are less evenly spread than at the start.",
            judge=less_even,
        ),
        Statement(
            id="previous",
            says="After training, a head puts more of its weight on the character just before than any head did at "
            "the start.",
            judge=looks_back,
        ),
        Statement(
            id="same",
            says="Score, softmax and mix, computed by hand from queries, keys and values, give the output of the "
            "attention layer.",
            judge=same,
            exact=True,
        ),
    ),
    why="At the start queries and keys are random, so every score is about as good as any other and softmax gives "
    "each a share. Training turns them so that a query scores high with the keys of what helps to guess the next "
    "character. For spelling that is what stands just before; for a word that was used already it is where it stood. "
    "Nothing else is in it: a product of two lists, a division, softmax, a weighted sum.",
    limits="Weights show where a head looks, not what that does to the answer. A model of other size, or over words "
    "instead of characters, has other heads.",
    watch=Panel(events=("train/loss", "valid/loss"), kind="line", title="Loss", unit="nats per character"),
    figures=(
        Metric(name="valid/loss", title="Validation loss", unit="nats per character"),
        Metric(name="spread/before", title="Evenness at the start", unit="%"),
        Metric(name="spread/after", title="Evenness after", unit="%"),
        Metric(name="previous/after", title="Most on the character before", unit="%"),
        Metric(name="induction/after", title="Most on a repeat", unit="%"),
        Metric(name="torch/error", title="To torch's kernel"),
        Metric(name="model/error", title="To the layer"),
    ),
    computation=Computation(
        name="attention",
        title="Attention by hand",
        summary="One character of a sentence through one head, number by number, and all heads as maps.",
        entry="attention",
        spec=Sentence,
        presets=(Preset(name="quick", help="As the lab asks.", knobs={}),),
        panels=(
            Panel(events=("weights",), kind="heatmap", title="Weights, head by head", entry="attention"),
            Panel(events=("step",), kind="text", title="What happens", entry="attention#how-it-works"),
            Panel(events=("by hand",), kind="table", title="One row by hand", entry="softmax"),
            Panel(
                events=("queries", "keys", "values"), kind="heatmap", title="Queries, keys, values",
                entry="query-key-value",
            ),
            Panel(
                events=("query times key", "output"), kind="heatmap", title="Products and the mix", entry="dot-product"
            ),
            Panel(events=("heads",), kind="table", title="All heads on held-out text", entry="multi-head-attention"),
            Panel(
                events=("spread of each head", "previous of each head", "induction of each head"),
                kind="heatmap",
                title="Each head",
                entry="attention-map-reading",
            ),
            Panel(
                events=("next character",), kind="table", title="What it expects next",
                entry="next-token-prediction",
            ),
        ),
        headline=(
            Metric(name="torch/error", title="To torch's kernel"),
            Metric(name="model/error", title="To the layer"),
            Metric(name="spread/after", title="Evenness", unit="%"),
        ),
        code=(
            "labs/attention/byhand.py",
            "labs/attention/heads.py",
            "labs/attention/walk.py",
            "labs/attention/compute.py",
            "families/gpt/model.py",
        ),
        compute="engine.labs.attention.compute:measure",
    ),
)  # fmt: skip

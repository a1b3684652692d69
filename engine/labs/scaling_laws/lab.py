"""The lab on scaling laws: can a law that is fitted to small runs say what a larger one will reach?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.core.lab import Arm, Forecast, Lab, Results, Statement
from engine.core.spec import Computation, Metric, Panel, Preset, Settings, knob
from engine.core.verdict import Verdict, at_least, both, measured, more_than

NEAR = 2.0
"""Percent of the loss: as near as a prediction has to be."""
TELLING = 1.0
"""Percent of the loss by which the ends of a budget have to lie above its best."""
FLOOR_NEAR = 10.0
"""Percent of the true entropy."""


@dataclass(frozen=True, kw_only=True)
class Scaling(Settings):
    """How large the grid is, and what it is trained on."""

    text: str = knob(
        "made-language",
        "What the models read: made-language (its entropy is known and it never ends), a text of the table, or a file.",
        entry="cross-entropy",
    )
    budget: float = knob(
        3.2e10,
        "Operations of a run at the largest budget of the grid.",
        low=1e8,
        high=1e18,
        unit="FLOP",
        entry="flops-and-compute-budget",
    )
    budgets: int = knob(4, "How many budgets; each is twice the one before.", low=2, high=12)
    sizes: int = knob(5, "How many sizes share a budget.", low=3, high=9, unit="models")
    ratio: float = knob(
        50.0, "Characters per parameter in the middle of each budget.", low=0.1, high=1e4, entry="compute-optimal"
    )
    reach: float = knob(
        4.0, "How many times the largest budget the predicted run gets.", low=1.5, high=1000.0, unit="times"
    )
    layers: int = knob(2, "Blocks of every model; sizes differ in width.", low=1, high=96, entry="transformer-block")
    context: int = knob(
        32, "Characters that a model sees at once.", low=8, high=8192, unit="characters", entry="context-window"
    )
    batch_size: int = knob(
        16, "Windows in one update.", low=1, high=65536, unit="windows", entry="mini-batch-and-batch-size"
    )
    learning_rate: float = knob(
        0.03,
        "Of Muon, for every size: how far one update turns a matrix does not depend on its width.",
        low=0.0,
        high=10.0,
        entry="learning-rate",
    )
    draws: int = knob(100, "Bootstrap samples behind the intervals.", low=10, high=100_000, unit="samples")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Part(Scaling):
    """One of the lab's runs."""

    part: str = knob("grid", "What is computed.", choices=("grid", "fit", "larger"))


def arms(settings: Settings) -> Sequence[Arm]:
    """Return the grid, the fit that predicts, and the run that it predicts."""
    known = settings.values()

    def arm(name: str, title: str, *reads: str) -> Arm:
        return Arm(name=name, title=title, target="scaling-laws/quick", knobs={**known, "part": name}, reads=reads)

    return [
        arm("grid", "Many sizes, equal compute"),
        arm("fit", "The law and its prediction", "grid"),
        arm("larger", "The larger run", "fit"),
    ]


def predicts(results: Results) -> Verdict:
    """Judge whether the larger run ended where the law had said."""
    missed = results.of("larger", "missed by")
    loss, expected = results.of("larger", "loss"), results.of("fit", "predicted")
    known = [each for each in zip(expected, loss, results.of("grid", "floor"), strict=True) if each[2] == each[2]]
    share = [100 * abs(a - b) / (b - true) for a, b, true in known]
    above_floor = (measured("missed by, of what lies above the true floor", share, "%"),) if share else ()
    return Verdict(
        holds=at_least(-NEAR, [-each for each in missed]),
        text=f"Predicted {mean(expected):.4f} nats per character, measured {mean(loss):.4f}; "
        f"missed by {mean(missed):.2f} %, at most {max(missed):.2f} %.",
        measured=(
            measured("missed by", missed, "% of the loss"),
            *above_floor,
            measured("predicted", expected, "nats per character"),
            measured("measured", loss, "nats per character"),
        ),
    )


def balance(results: Results) -> Verdict:
    """Judge whether both ends of a budget lie above its best, on average over the budgets."""
    small, large = results.of("grid", "smallest/above"), results.of("grid", "largest/above")
    return Verdict(
        holds=both(more_than(TELLING, small), more_than(TELLING, large)),
        text=f"Over all budgets the smallest model ended {mean(small):.1f} % above the best of its budget on average, "
        f"the largest {mean(large):.1f} %.",
        measured=(measured("smallest above best", small, "%"), measured("largest above best", large, "%")),
    )


def describes(results: Results) -> Verdict:
    """Judge whether one law fits all runs."""
    typical, worst = results.of("fit", "typical miss"), results.of("fit", "worst miss")
    return Verdict(
        holds=at_least(-NEAR, [-each for each in typical]),
        text=f"The law misses the runs that it was fitted to by {mean(typical):.2f} % on average, the worst by "
        f"{max(worst):.2f} %.",
        measured=(measured("average miss", typical, "%"), measured("largest miss", worst, "%")),
    )


def floor(results: Results) -> Verdict:
    """Judge whether the floor that was fitted is the entropy that is known."""
    found, true = results.of("fit", "E"), results.of("grid", "floor")
    if any(each != each for each in true):
        return Verdict(holds=None, text="The entropy of this text is not known.", measured=(measured("E", found),))
    off = [100 * abs(a / b - 1) for a, b in zip(found, true, strict=True)]
    return Verdict(
        holds=at_least(-FLOOR_NEAR, [-each for each in off]),
        text=f"The fitted floor is {mean(found):.3f} nats per character, the true one {mean(true):.3f}.",
        measured=(
            measured("off by", off, "%"),
            measured("fitted floor", found, "nats per character"),
            measured("true floor", true, "nats per character"),
        ),
    )


def mean(values: Sequence[float]) -> float:
    """Return the mean."""
    return sum(values) / len(values)


def which_end(results: Results) -> str:
    """Return which of the two extreme models of the largest budget ended lower."""
    small, large = mean(results.of("grid", "smallest/loss")), mean(results.of("grid", "largest/loss"))
    if abs(small / large - 1) < TELLING / 100:
        return ENDS[2]
    return ENDS[0] if small < large else ENDS[1]


def how_near(results: Results) -> str:
    """Return how far off the prediction was."""
    missed = mean(results.of("larger", "missed by"))
    return MISSES[0] if missed <= NEAR else MISSES[1] if missed <= 5 * NEAR else MISSES[2]


ENDS = ("The small one, which reads more", "The large one, which reads less", "Neither: they end within 1 percent")
MISSES = ("Within 2 percent", "Between 2 and 10 percent off", "More than 10 percent off")
SAW = "nats per character"

LAB = Lab(
    name="scaling-laws",
    title="Your own scaling law",
    question="Can runs of seconds tell what a run with four times their compute will reach, before it is made?",
    summary="Trains many sizes at equal compute, fits a law, writes down a prediction, then trains the larger model.",
    entry="scaling-laws",
    settings=Scaling,
    presets=(
        Preset(name="quick", help="20 runs of up to 3.2e10 operations, then one of 1.28e11.", knobs={}, seconds=180.0),
        Preset(
            name="standard",
            help="42 runs of up to 5.12e11 operations, then one of 5.12e12.",
            knobs={"budget": 5.12e11, "budgets": 6, "sizes": 7, "reach": 10.0, "draws": 1000},
        ),
    ),
    arms=arms,
    forecasts=(
        Forecast(
            id="ends",
            question="Two models get equal compute. One has about a sixteenth of the other's parameters and reads "
            "about sixteen times as much text. Which ends with the lower loss?",
            choices=ENDS,
            outcome=which_end,
            because="Compute is the product of size and text. The best split lies between: at one end the model is "
            "too small for what it reads, at the other it has read too little for its size.",
        ),
        Forecast(
            id="miss",
            question="The law is fitted to the small runs alone. How far off is its prediction for the larger one?",
            choices=MISSES,
            outcome=how_near,
            because="Loss falls so regularly that a curve through small runs reaches a good way beyond them.",
        ),
    ),
    statements=(
        Statement(
            id="predicts",
            says="A law fitted on smaller runs predicts the validation loss of a run with four times their compute, "
            "before it is trained, to within 2 percent.",
            judge=predicts,
        ),
        Statement(
            id="describes",
            says="The validation losses of small GPTs fall with parameters and text along two power laws above a "
            "floor: five constants describe all runs of a grid to within 2 percent on average.",
            judge=describes,
        ),
        Statement(
            id="balance",
            says="With equal compute a middle size ends lowest: a much smaller model and a much larger one both end "
            "more than 1 percent above it.",
            judge=balance,
        ),
        Statement(
            id="floor",
            says="The floor that is fitted to small runs is the entropy of the text to within 10 percent.",
            judge=floor,
        ),
    ),
    why="Three things keep the loss up. **The text cannot be foreseen**: that part is the floor, E, and here it is "
    "known, because the language was made up and its entropy can be computed. **The model is too small** to keep what "
    "follows each combination of letters: that part falls as a power of N. **It has read too little** to have seen the "
    "rarer combinations often enough: that part falls as a power of D. Whatever was learned first was common and "
    "easy; each further step costs a constant factor more, which is what a power law says. Compute buys N times D, so "
    "at a fixed budget one of the two parts grows as the other shrinks, and the lowest place is where both fall "
    "equally fast.",
    limits="The runs are far from their floor, so the law is sure about what lies near them and much less so about E. "
    "One recipe serves all sizes; tuned for each, the large ones might gain. Compute is counted as 6 N D.",
    watch=Panel(events=("train/loss", "valid/loss"), kind="line", title="Loss", unit=SAW, entry="cross-entropy"),
    figures=(
        Metric(name="predicted", title="Predicted loss", unit=SAW),
        Metric(name="loss", title="Measured loss", unit=SAW),
        Metric(name="missed by", title="Missed by", unit="% of the loss"),
        Metric(name="E", title="Fitted floor", unit=SAW),
        Metric(name="floor", title="True floor", unit=SAW),
        Metric(name="alpha", title="Exponent of size"),
        Metric(name="beta", title="Exponent of text"),
    ),
    computation=Computation(
        name="scaling-laws",
        title="Your own scaling law",
        summary="Many sizes at equal compute, a law, a prediction, a larger run.",
        entry="scaling-laws",
        spec=Part,
        presets=(Preset(name="quick", help="As the lab asks.", knobs={}),),
        panels=(
            Panel(events=("train/loss", "valid/loss"), kind="line", title="Loss, one run after another", unit=SAW),
            Panel(
                events=("loss against compute",),
                kind="points",
                title="loss (up) against log10 of compute (right)",
                entry="flops-and-compute-budget",
                when=("part", "grid"),
            ),
            Panel(
                events=("iso-FLOP curves",),
                kind="points",
                title="loss (up) against log10 of parameters (right), by budget",
                entry="compute-optimal",
            ),
            Panel(events=("grid",), kind="table", title="all runs", when=("part", "grid")),
            Panel(events=("fit",), kind="table", title="the law", entry="scaling-laws#the-maths", when=("part", "fit")),
            Panel(
                events=("expected against measured",),
                kind="points",
                title="expected (up) against measured loss (right)",
                when=("part", "fit"),
            ),
            Panel(
                events=("best sizes",),
                kind="table",
                title="best size by budget",
                entry="compute-optimal",
                when=("part", "fit"),
            ),
            Panel(events=("prediction",), kind="table", title="predicted and measured", when=("part", "larger")),
        ),
        headline=(
            Metric(name="predicted", title="Predicted loss", unit=SAW),
            Metric(name="loss", title="Measured loss", unit=SAW),
            Metric(name="missed by", title="Missed by", unit="% of the loss"),
        ),
        code=(
            "labs/scaling_laws/fit.py",
            "labs/scaling_laws/grid.py",
            "labs/scaling_laws/train.py",
            "labs/scaling_laws/compute.py",
            "data/made_language.py",
        ),
        compute="engine.labs.scaling_laws.compute:measure",
    ),
)

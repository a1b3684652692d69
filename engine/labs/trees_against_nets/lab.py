"""The lab on tables: linear model, trees and a network on the same rows, with the same chance to be tuned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.core.errors import UsageError
from engine.core.lab import Arm, Forecast, Lab, Results, Statement
from engine.core.spec import Computation, Metric, Panel, Preset, Settings, knob
from engine.core.verdict import Measured, Verdict, at_least, finite, measured, more_than

NAMES = {
    "logistic": "Logistic regression",
    "forest": "Random forest",
    "boosting": "Gradient boosting",
    "network": "Neural network",
}
FEWEST = 20
"""Rows to learn from that a contest needs."""


@dataclass(frozen=True, kw_only=True)
class Tables(Settings):
    """Which tables, how many rows of them, and how long each contestant may search.

    Raises:
        UsageError: `rows` is no list of numbers.
    """

    data: str = knob(
        "",
        "A CSV file of your own to compete on; empty takes scikit-learn's tables and those in your data folder.",
        entry="tabular-data",
    )
    target: str = knob("", "Of your file, the column to predict; empty takes the last.", entry="label")
    leave_out: str = knob(
        "", "Of your file, columns not to predict from, with commas between them.", entry="data-leakage"
    )
    rows: str = knob("50, 200", "From how many rows to learn, with commas between the numbers.", entry="data-split")
    budget: int = knob(
        5,
        "How many settings each contestant tries when it is tuned; the first is what it comes with.",
        low=1,
        high=1000,
        unit="settings",
        entry="hyperparameter",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.counts()

    def counts(self) -> list[int]:
        """Return the numbers of rows, the smallest first.

        Raises:
            UsageError: there is none, or one is no number or too small.
        """
        words = self.rows.replace(",", " ").split()
        if not words or not all(word.isascii() and word.isdigit() and len(word) < 9 for word in words):
            raise UsageError(f"rows = {self.rows!r} is no list of whole numbers.", "Example: rows=50,200")
        counts = sorted({int(word) for word in words})
        if counts[0] < FEWEST:
            raise UsageError(f"{counts[0]} rows are too few to learn from.", f"Use {FEWEST} or more.")
        return counts


def arms(settings: Settings) -> Sequence[Arm]:
    """Return the one computation; it fits everybody itself."""
    return [
        Arm(name="contest", title="All contests", target="trees-against-nets/quick", knobs=settings.values()),
    ]


def versus_network(results: Results, name: str) -> Verdict:
    """Judge whether a contestant is at least as accurate as the network, both tuned."""
    gaps = [100 * gap for gap in results.of("contest", f"gap/{name}")]
    gap = measured("lead over the network", gaps, "points")
    low, high = (100 * sum(results.of("contest", f"gap/{name}/{end}")) / len(gaps) for end in ("low", "high"))
    means = [100 * sum(results.of("contest", f"accuracy/{who}")) / len(gaps) for who in (name, "network")]
    count = int(min(results.of("contest", "contests")))
    return Verdict(
        holds=at_least(0.0, gaps),
        text=f"Over {count} contest{'s' if count > 1 else ''} a seed {NAMES[name].lower()} had {means[0]:.1f} % of new "
        f"rows right and the network {means[1]:.1f} %, both tuned.",
        measured=(
            gap,
            Measured(
                name="the same, over tables", value=gap.value, low=finite(low), high=finite(high),
                unit="points", of="tables",
            ),
        ),
    )  # fmt: skip


def boosting(results: Results) -> Verdict:
    """Judge gradient boosting against the network."""
    return versus_network(results, "boosting")


def forest(results: Results) -> Verdict:
    """Judge the random forest against the network."""
    return versus_network(results, "forest")


def tuning(results: Results) -> Verdict:
    """Judge whether the search helped the network more than the forest."""
    network, trees = (
        [
            before - after
            for before, after in zip(
                results.of("contest", f"untuned/loss/{name}"), results.of("contest", f"loss/{name}"), strict=True
            )
        ]
        for name in ("network", "forest")
    )
    gaps = [a - b for a, b in zip(network, trees, strict=True)]
    tried = results.settings.values()["budget"]
    return Verdict(
        holds=more_than(0.0, gaps),
        text=f"Trying {tried} settings lowered the network's log loss by {sum(network) / len(network):.3f} nats and "
        f"the random forest's by {sum(trees) / len(trees):.3f}.",
        measured=(measured("network", network, "nats"), measured("random forest", trees, "nats")),
    )


def winner(results: Results) -> str:
    """Return who had the most rows right, over all seeds."""
    best = max(NAMES, key=lambda name: sum(results.of("contest", f"accuracy/{name}")))
    return NAMES[best]


def helped(results: Results) -> str:
    """Return whose log loss the search lowered most."""
    gains = {
        name: sum(results.of("contest", f"untuned/loss/{name}")) - sum(results.of("contest", f"loss/{name}"))
        for name in NAMES
    }
    return NAMES[max(gains, key=lambda name: gains[name])]


LAB = Lab(
    name="trees-against-nets",
    title="Trees against nets",
    question="On a small table, who predicts new rows best: a linear model, trees, or a neural network?",
    summary="Fits four methods to the same rows of several tables, as they come and tuned by the same budget.",
    entry="machine-learning",
    settings=Tables,
    presets=(
        Preset(name="quick", help="50 and 200 rows of each table, 5 settings tried.", knobs={}, seconds=150.0),
        Preset(
            name="standard",
            help="Up to 3,000 rows, 25 settings tried.",
            knobs={"rows": "50, 200, 800, 3000", "budget": 25},
            seconds=5400.0,
        ),
    ),
    arms=arms,
    forecasts=(
        Forecast(
            id="winner",
            question="All four are tuned by the same budget. Which one has the most new rows right, over all tables?",
            choices=tuple(NAMES.values()),
            outcome=winner,
            because="With few rows, what a method takes for granted counts for more than what it could express.",
        ),
        Forecast(
            id="helped",
            question="Which one gains the most, in log loss, from trying several settings?",
            choices=tuple(NAMES.values()),
            outcome=helped,
            because="A method whose first settings fit badly, or that grows too sure of itself, has the most to gain.",
        ),
    ),
    statements=(
        Statement(
            id="boosting",
            says="Averaged over several small tables, gradient boosting is at least as accurate on new rows as a "
            "neural network tuned by the same budget.",
            judge=boosting,
        ),
        Statement(
            id="forest",
            says="Averaged over several small tables, a random forest is at least as accurate on new rows as a "
            "neural network tuned by the same budget.",
            judge=forest,
        ),
        Statement(
            id="tuning",
            says="On small tables, trying a few settings lowers the log loss of a neural network more than that of a "
            "random forest.",
            judge=tuning,
        ),
    ),
    why="A tree asks one column at a time a question with a threshold: *is the fare above 50?* It does not care about "
    "scales, ignores columns that say nothing, and can jump where the answer jumps. A network draws smooth surfaces "
    "over all columns at once, which suits pixels better than a mix of ages, fares and cabin letters. With few rows "
    "both can learn them by heart. A forest averages hundreds of trees that disagree, which keeps it modest without "
    "any tuning; a network goes on until it is sure, and has to be held back by its settings. Boosting needs rows to "
    "cut: with 50 of them its first settings hardly let it cut at all.",
    limits="A few tables are not all tables: another choice of them moves the figures more than another seed does. "
    "Several of these hold measurements of one kind, which suits a linear model and a network; census data with more "
    "rows can turn the order round (data=PATH). Networks made for tables are not in it.",
    watch=Panel(
        events=tuple(f"mean/{name}" for name in NAMES),
        kind="line",
        title="Share right so far, tuned",
        x="contest",
    ),
    figures=tuple(Metric(name=f"accuracy/{name}", title=title, unit="%", higher=True) for name, title in NAMES.items()),
    computation=Computation(
        name="trees-against-nets",
        title="Trees against nets",
        summary="Four methods on the same rows of several tables.",
        entry="machine-learning",
        spec=Tables,
        presets=(Preset(name="quick", help="As the lab asks.", knobs={}),),
        panels=(
            Panel(
                events=("share right", "share right, untuned", "log loss", "log loss, untuned"),
                kind="heatmap",
                title="Each table, each method",
                entry="accuracy",
            ),
            Panel(
                events=tuple(f"mean/{name}" for name in NAMES),
                kind="line",
                title="Share right so far, tuned",
                x="contest",
                entry="accuracy",
            ),
            Panel(events=("by rows",), kind="table", title="By number of rows, % right", entry="data-split"),
            Panel(events=("chosen",), kind="table", title="What the search chose last", entry="hyperparameter"),
        ),
        headline=tuple(
            Metric(name=f"accuracy/{name}", title=title, unit="%", higher=True) for name, title in NAMES.items()
        ),
        code=(
            "labs/trees_against_nets/contest.py",
            "labs/trees_against_nets/contestants.py",
            "labs/trees_against_nets/tables.py",
            "labs/trees_against_nets/compute.py",
            "families/mlp/model.py",
        ),
        compute="engine.labs.trees_against_nets.compute:measure",
    ),
)

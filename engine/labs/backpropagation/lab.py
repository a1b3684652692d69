"""The lab on backpropagation: are the gradients right, and what do they cost?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.core.lab import Arm, Forecast, Lab, Results, Statement
from engine.core.spec import Computation, Metric, Panel, Preset, Settings, knob
from engine.core.verdict import Verdict, both, exactly

EXACT = 1e-9
"""Largest difference that float64 arithmetic in another order explains, as a share of the largest gradient."""
NUDGED = 1e-6
"""Largest that a nudge of 1e-5 in float64 explains."""


@dataclass(frozen=True, kw_only=True)
class Questions(Settings):
    """How large the graphs are."""

    width: int = knob(2, "Neurons in the hidden layer of the graph that is stepped through.", low=1, high=4)
    depth: int = knob(
        3, "Hidden layers of the random networks that are compared.", low=1, high=8, entry="multilayer-perceptron"
    )
    graphs: int = knob(60, "How many random networks are compared.", low=1, high=100_000)


def arms(settings: Settings) -> Sequence[Arm]:
    """Return the one computation."""
    return [
        Arm(name="check", title="Three ways to a gradient", target="backpropagation/quick", knobs=settings.values())
    ]


def agree(results: Results) -> Verdict:
    """Judge whether the gradients are those of autograd and of nudged weights."""
    exact, nudge = results.of("check", "autograd/error"), results.of("check", "nudge/error")
    weights = int(sum(results.of("check", "weights")))
    return Verdict(
        holds=both(max(exact) <= EXACT, max(nudge) <= NUDGED),
        text=f"Over {weights:,} weights of random networks the largest difference, as a share of the network's largest "
        f"gradient, was {max(exact):.0e} to torch's autograd and {max(nudge):.0e} to nudging each weight.",
        measured=(exactly("to autograd", max(exact)), exactly("to nudged weights", max(nudge))),
    )


def cheaper(results: Results) -> Verdict:
    """Judge whether one backward pass is cheaper than nudging weight after weight."""
    price = results.of("check", "nudge/price")
    return Verdict(
        holds=min(price) > 10,
        text=f"With about 600 weights, nudging took {min(price):,.0f} times as long as a pass forward and backward.",
        measured=(exactly("nudging against backpropagation", min(price), "x"),),
    )


def cost(results: Results) -> str:
    """Return which guess about the price came true."""
    price = results.of("check", "nudge/price")[0]
    return CHOICES[0] if price < 3 else CHOICES[1] if price < 60 else CHOICES[2]


CHOICES = ("About as long", "Some ten times as long", "Hundreds of times as long")

LAB = Lab(
    name="backpropagation",
    title="Backpropagation by hand",
    question="Does one backward pass through the graph really give the slope of the loss for every weight?",
    summary="Steps a small graph forward and backward, then checks random networks against autograd and nudges.",
    entry="backpropagation",
    settings=Questions,
    presets=(
        Preset(name="quick", help="60 random networks.", knobs={}, seconds=5.0),
        Preset(name="standard", help="5,000 deeper ones.", knobs={"graphs": 5000, "depth": 5}, seconds=60.0),
    ),
    arms=arms,
    forecasts=(
        Forecast(
            id="price",
            question="A network has about 600 weights. Nudging each one up and down also measures every slope. "
            "How long does that take, against one pass forward and backward?",
            choices=CHOICES,
            outcome=cost,
            because="Each nudge costs two forward passes, for one weight. The backward pass visits every node once "
            "and serves all weights.",
        ),
    ),
    statements=(
        Statement(
            id="agree",
            says="The gradients that backpropagation computes agree with those measured by nudging each weight "
            "a little.",
            judge=agree,
            exact=True,
        ),
        Statement(
            id="cheaper",
            says="One backward pass gives the gradients of all weights for a small part of what nudging each "
            "one costs.",
            judge=cheaper,
            exact=True,
        ),
    ),
    why="Each node knows how its own value changes with its parents': that is its local derivative. Going backward, a "
    "node hands its gradient to each parent, times that derivative, and a parent that is used twice adds up both. "
    "No gradient is ever computed twice, which is why the whole costs about as much as two forward passes.",
    limits="The graphs are of single numbers; real ones hold tensors, and the same rule, one matrix at a time.",
    watch=Panel(events=("autograd/error", "nudge/error"), kind="line", title="largest difference so far"),
    figures=(
        Metric(name="autograd/error", title="To autograd"),
        Metric(name="nudge/error", title="To nudging"),
        Metric(name="nudge/price", title="Price of nudging", unit="x"),
    ),
    computation=Computation(
        name="backpropagation",
        title="Backpropagation by hand",
        summary="A small graph forward and backward, and gradients by three ways.",
        entry="backpropagation",
        spec=Questions,
        presets=(Preset(name="quick", help="As the lab asks.", knobs={}),),
        panels=(
            Panel(events=("graph",), kind="table", title="the graph, step by step", entry="computational-graph"),
            Panel(events=("step",), kind="text", title="what the step does", entry="backpropagation#how-it-works"),
            Panel(events=("this step",), kind="table", title="the step in numbers", entry="chain-rule"),
            Panel(
                events=("autograd/error", "nudge/error"),
                kind="line",
                title="largest difference so far",
                x="network",
                entry="backpropagation",
            ),
            Panel(events=("gradients",), kind="points", title="gradient (x) against nudged (y)"),
        ),
        headline=(Metric(name="autograd/error", title="To autograd"), Metric(name="nudge/error", title="To nudging")),
        code=(
            "labs/backpropagation/graph.py",
            "labs/backpropagation/steps.py",
            "labs/backpropagation/compute.py",
        ),
        compute="engine.labs.backpropagation.compute:measure",
    ),
)

"""A lab whose runs the stub trainer carries out: two arms from a base that is trained once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

from engine.core.lab import Arm, Forecast, Lab, Results, Statement
from engine.core.spec import Computation, Metric, Panel, Preset, Settings, knob
from engine.core.verdict import Verdict, measured, more_than

ACCURACY = Metric(name="valid/accuracy", title="Accuracy", unit="%", higher=True)


@dataclass(frozen=True, kw_only=True)
class Orders(Settings):
    """What the stub understands."""

    steps: int = knob(5, "Steps.", low=1, high=10**9, entry="gradient-descent")
    step_seconds: float = knob(0.001, "Seconds a step.", low=0.0, high=10.0)
    crash_at: int = knob(-1, "The step that breaks.", low=-1, high=10**9)


def arms(settings: Settings) -> Sequence[Arm]:
    own = settings.values()
    return [
        Arm(name="base", title="The base", target="tiny/quick", kept=True),
        Arm(name="one", title="The first", target="tiny/quick", start="base", knobs=own),
        Arm(name="two", title="The second", target="tiny/quick", reads=("base", "one"), knobs={**own, "steps": 3}),
    ]


def judge(results: Results) -> Verdict:
    values = results.of("one", "valid/accuracy")
    return Verdict(
        holds=more_than(0.5, values),
        text=f"It was {values[0]:.2f}.",
        measured=(measured("it", [100 * each for each in values], "%"),),
    )


LAB = Lab(
    name="tiny",
    title="A tiny lab",
    question="Does the stub tell what it reached?",
    summary="Runs the stub three times.",
    entry="softmax",
    settings=Orders,
    presets=(
        Preset(name="quick", help="Five steps.", knobs={}, seconds=1.0),
        Preset(name="standard", help="Nine.", knobs={"steps": 9}),
    ),
    arms=arms,
    forecasts=(
        Forecast(
            id="much",
            question="How much will it be?",
            choices=("Less than a half", "More"),
            outcome=lambda results: "More" if results.of("one", "valid/accuracy")[0] > 0.5 else "Less than a half",
            because="The stub always says so.",
        ),
    ),
    statements=(Statement(id="half", says="The stub reaches more than a half.", judge=judge),),
    why="It is written so.",
    limits="Nothing is learned.",
    watch=Panel(events=("valid/loss",), kind="line", title="loss"),
    figures=(ACCURACY,),
    computation=Computation(
        name="tiny", title="Tiny", summary="The stub.", entry="softmax", spec=Orders,
        presets=(Preset(name="quick", help="", knobs={}),),
        panels=(Panel(events=("valid/loss",), kind="line", title="loss"),),
        headline=(ACCURACY,), code=(), compute="nowhere:nothing",
    ),
)  # fmt: skip


def install(monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Make it one of the catalog's labs."""
    module: Any = ModuleType("engine.labs.tiny.lab")
    module.LAB = LAB
    monkeypatch.setitem(sys.modules, "engine.labs.tiny.lab", module)
    for user in ("engine.catalog", "tui.screens.read", "tui.verbs.lab"):
        if user in sys.modules:
            monkeypatch.setattr(sys.modules[user], "LABS", ("tiny",))
    return LAB

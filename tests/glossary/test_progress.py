"""A step is met by what really happened, says what is still missing, and explains with the learner's own figures."""

from __future__ import annotations

import math

import msgspec
import pytest

from glossary.facts import Facts, MetricFact, RunFact
from glossary.goal import (
    All,
    Answered,
    Bound,
    Change,
    Compared,
    Either,
    Found,
    Goal,
    Opened,
    Played,
    Predicted,
    Ran,
    Read,
    Turned,
)
from glossary.model import Prediction, Step
from glossary.progress import afterwards, evidence, figure, is_placeholder, met, missing

TARGET = "mlp/quick"
replace = msgspec.structs.replace


def run(id_: str, **knobs: object) -> RunFact:
    return RunFact(
        id=id_, target=TARGET, knobs={"learning_rate": 0.01, "width": 8, **knobs}, seed=1,
        state="finished", step=500, seconds=2.5,
        metrics={"train/loss": MetricFact(0.69, 0.05, 0.04, 0.7), "valid/accuracy": MetricFact(0.5, 0.97, 0.5, 0.98)},
    )  # fmt: skip


FIRST = run("a")
HUNDREDFOLD = Ran(TARGET, "first", (Change("learning_rate", "times", 100.0),), step=20)


@pytest.mark.parametrize(
    ("goal", "done"),
    [
        (Read("softmax"), Facts(read=frozenset(("softmax",)))),
        (Opened("gradient norm"), Facts(opened=frozenset(("Gradient norm",)))),
        (Predicted("this"), Facts(predictions={"here": "falls"})),
        (Predicted("other"), Facts(predictions={"other": "falls"})),
        (Answered("softmax", 2), Facts(answers={("softmax", 2): False})),
        (Answered("softmax", 2, True), Facts(answers={("softmax", 2): True})),
        (Played("gpt/complete"), Facts(played=frozenset(("gpt/complete",)))),
        (Compared(2), Facts(compared=3)),
        (Found("learning-rate"), Facts(found=frozenset(("learning-rate",)))),
        (Ran(TARGET), Facts(runs=(FIRST,))),
        (Turned("learning_rate"), Facts(runs=(replace(FIRST, turned=frozenset(("learning_rate",))),))),
        (All((Read("a"), Read("b"))), Facts(read=frozenset("ab"))),
        (Either((Read("a"), Read("b"))), Facts(read=frozenset("b"))),
    ],
)
def test_a_goal_is_met_by_the_deed_and_by_nothing_less(goal: Goal, done: Facts):
    assert met(goal, done, "here")
    assert missing(goal, done, "here") == ""
    assert not met(goal, Facts(), "here")
    assert missing(goal, Facts(), "here").endswith(".")


def test_a_wrong_answer_does_not_count_where_the_right_one_is_asked_for():
    assert not met(Answered("softmax", 2, True), Facts(answers={("softmax", 2): False}))


def test_nothing_to_check_is_always_met():
    assert met(None, Facts())
    assert missing(None, Facts()) == ""


class TestComparedWithTheFirstRun:
    """One knob differs as asked, and nothing else."""

    @pytest.mark.parametrize(
        ("second", "said"),
        [
            (run("b", learning_rate=1.0), ""),
            (run("b", learning_rate=1), ""),
            (run("b", learning_rate=0.1), "its learning rate is 0.1, the other run's 0.01"),
            (run("b", learning_rate=1.0, width=9), "it also differs in width (9, not 8)"),
            (replace(run("b", learning_rate=1.0), seed=2), "it also differs in seed (2, not 1)"),
            (replace(run("b", learning_rate=1.0), step=7), "it has reached step 7 of 20"),
        ],
    )
    def test_what_is_wrong_is_said(self, second: RunFact, said: str):
        facts = Facts(runs=(FIRST, second))
        assert met(HUNDREDFOLD, facts) == (not said)
        assert said in missing(HUNDREDFOLD, facts)

    def test_the_first_run_itself_does_not_count(self):
        assert (
            missing(HUNDREDFOLD, Facts(runs=(FIRST,))) == "No run of mlp/quick beside the first has been started yet."
        )

    def test_a_run_of_something_else_does_not_count(self):
        assert not met(HUNDREDFOLD, Facts(runs=(FIRST, replace(run("b", learning_rate=1.0), target="gpt/quick"))))

    def test_the_first_run_may_be_named(self):
        runs = (run("old", width=3), FIRST, run("b", learning_rate=1.0))
        assert not met(HUNDREDFOLD, Facts(runs=runs))
        assert met(HUNDREDFOLD, Facts(runs=runs, first="a"))

    def test_a_step_may_be_compared_with(self):
        goal = Ran(TARGET, "wide", (Change("width", "times", 0.5),))
        facts = Facts(runs=(FIRST, run("w", width=64), run("b", width=32)), step_runs={"wide": "w"})
        assert [each.id for each in evidence(goal, facts)] == ["b"]

    @pytest.mark.parametrize(
        ("change", "width", "fits"),
        [
            ("more", 9, True),
            ("more", 7, False),
            ("less", 7, True),
            ("any", 9, True),
            ("any", 8, False),
            ("equals", 64, True),
        ],
    )
    def test_a_knob_may_change_in_other_ways(self, change: str, width: int, fits: bool):
        goal = Ran(TARGET, "first", (Change("width", change, value="64"),))  # type: ignore[arg-type]
        assert met(goal, Facts(runs=(FIRST, run("b", width=width)))) == fits


@pytest.mark.parametrize(
    ("goal", "fits"),
    [
        (Ran(TARGET, reached=(Bound("valid/accuracy", ">=", 0.98),)), True),
        (Ran(TARGET, reached=(Bound("valid/accuracy", ">", 0.98),)), False),
        (Ran(TARGET, reached=(Bound("train/loss", "<=", 0.04),)), True),
        (Ran(TARGET, reached=(Bound("gradient_norm", ">", 1),)), False),
        (Ran(TARGET, state="ended"), True),
        (Ran(TARGET, state="running"), False),
        (Ran(TARGET, knobs={"width": "8"}), True),
        (Ran(TARGET, knobs={"width": "<= 8", "learning_rate": "1e-2"}), True),
        (Ran(TARGET, knobs={"width": "< 8"}), False),
        (Ran(TARGET, knobs={"depth": "2"}), False),
    ],
)
def test_a_run_has_to_have_and_to_reach_what_is_asked(goal: Ran, fits: bool):
    assert met(goal, Facts(runs=(FIRST,))) == fits


def test_a_bound_may_be_a_share_of_what_the_first_run_reached():
    better = replace(run("b"), metrics={"train/loss": MetricFact(0.7, 0.01, 0.01, 0.7)})
    goal = Ran(TARGET, reached=(Bound("train/loss", "<", 0.5, of_first=True),))
    assert [each.id for each in evidence(goal, Facts(runs=(FIRST, better)))] == ["b"]
    assert not met(goal, Facts(runs=(FIRST,)))


def test_several_runs_that_differ_in_a_knob_are_counted_once_a_value():
    goal = Ran(TARGET, count=3, different="width")
    runs = (run("a", width=1), run("b", width=2), run("c", width=2))
    assert missing(goal, Facts(runs=runs)) == "2 of 3 runs of mlp/quick that differ in width are there."
    assert met(goal, Facts(runs=(*runs, run("d", width=4))))


def step(text: str, check: Goal | None) -> Step:
    predict = Prediction("What?", ("falls", "jumps up"), "jumps up")
    return Step(id="break", title="", do="", line=1, afterwards=text, check=check, predict=predict)


def test_the_explanation_carries_the_learners_own_figures():
    wild = replace(
        run("b", learning_rate=1.0), metrics={"train/loss": MetricFact(0.69, math.nan, 0.69, 12345.6)}, step=1500
    )
    facts = Facts(runs=(FIRST, wild), predictions={"break": "falls"})
    text = (
        "{prediction}/{outcome}: {loss_before} to {loss_max}, then {loss_last}, {steps} steps, "
        "rate {knob_learning_rate} not {first_run_knob_learning_rate} ({first_run_loss_min}), {grad_max}, {count}"
    )
    assert afterwards(step(text, HUNDREDFOLD), facts) == (
        "falls/jumps up: 0.69 to 12,346, then NaN, 1,500 steps, rate 1.0 not 0.01 (0.04), (not measured), 1"
    )


def test_without_a_run_nothing_is_invented():
    assert afterwards(step("{loss_max} {run} {first_run_loss_max}", HUNDREDFOLD), Facts()) == " ".join(
        ["(not measured)"] * 3
    )


def test_only_figures_that_exist_are_placeholders():
    assert is_placeholder("valid_accuracy_last")
    assert is_placeholder("first_run_seconds")
    assert not is_placeholder("valid_accuracy")
    assert not is_placeholder("loss")


def test_figures_read_well():
    assert [figure(value) for value in (0.123456, 12345.6, math.inf, -math.inf, 0)] == [
        "0.123",
        "12,346",
        "infinity",
        "minus infinity",
        "0",
    ]


def test_a_run_that_was_never_stopped_does_not_count_as_resumed():
    goal = Ran(TARGET, state="finished", resumed=True)
    assert "it was not stopped and resumed" in missing(goal, Facts(runs=(FIRST,)))
    assert met(goal, Facts(runs=(replace(FIRST, resumed=True),)))


def test_what_is_missing_is_said_in_the_words_of_the_app():
    goal = Ran(TARGET, knobs={"width": "<= 8"}, reached=(Bound("valid/accuracy", ">=", 0.99),))
    assert "its best validation accuracy is 98.0 %, asked for is at least 99.0 %" in missing(goal, Facts(runs=(FIRST,)))
    assert "its width is 9, asked for is at most 8" in missing(goal, Facts(runs=(run("b", width=9),)))

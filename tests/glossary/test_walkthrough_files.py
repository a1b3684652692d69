"""A walkthrough file becomes steps with checks, or one problem with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glossary.check import check
from glossary.front import ParseProblem
from glossary.goal import All, Answered, Bound, Change, Compared, Either, Predicted, Ran, Read, Turned
from glossary.known import KnownNames
from glossary.library import Library
from glossary.model import Entry
from glossary.walk import parse_walkthrough, read_walkthroughs

HEADER = "---\ntitle: Break it\none_line: You break a run on purpose.\nneeds: [learning-rate]\n---\nWelcome.\n\n"
STEP = """---
step: first-run
title: First
do: Train it.
go: run mlp/quick
check: {run: {target: mlp/quick, state: ended}}
hints: [Press r., Press enter.]
afterwards: It took {steps} steps. [[learning-rate]]
---
Look at the *loss*.

"""
SECOND = """---
step: break-it
title: Break it
do: Now with 100 times the rate.
predict: What will the loss do?   (falls / jumps up / becomes NaN)
check:
  all:
    - predicted: this
    - run: {target: mlp/quick, same_as: first, changed: {learning_rate: x100}, step: 20}
hints: [One., Two.]
afterwards: >
  You predicted {prediction}; from {loss_first}
  to {loss_max}.
---
"""


def parsed(text: str):
    return parse_walkthrough(text.encode(), "break-it.md")


def with_check(check_: str) -> object:
    return parsed(HEADER + STEP + SECOND.partition("check:")[0] + f"check: {check_}\n---\n").steps[1].check


def test_a_file_becomes_steps_in_order():
    walkthrough = parsed(HEADER + STEP + SECOND)
    assert (walkthrough.slug, walkthrough.title, walkthrough.text) == ("break-it", "Break it", "Welcome.")
    first, second = walkthrough.steps
    assert (first.id, first.line, first.text, first.go) == ("first-run", 9, "Look at the *loss*.", "run mlp/quick")
    assert second.predict is not None
    assert second.predict.choices == ("falls", "jumps up", "becomes NaN")
    assert second.afterwards == "You predicted {prediction}; from {loss_first} to {loss_max}."
    assert walkthrough.step("break-it") is second


def test_a_rule_and_a_step_in_code_stay_text():
    text = "Above.\n\n---\n\nBelow.\n\n```text\n---\nstep: none\n---\n```"
    walkthrough = parsed(HEADER + STEP + text)
    assert len(walkthrough.steps) == 1
    assert walkthrough.steps[0].text.endswith(text)


@pytest.mark.parametrize(
    ("text", "goal"),
    [
        ("{read: softmax}", Read("softmax")),
        ("{predicted: this}", Predicted("this")),
        ("{answered: {slug: softmax, question: 2, right: true}}", Answered("softmax", 2, True)),
        ("{compared: 3}", Compared(3)),
        ("{turned: {knob: learning_rate, target: gpt/quick}}", Turned("learning_rate", "gpt/quick")),
        ("{run: mlp/quick}", Ran("mlp/quick")),
        ("{any: [{read: a}, {all: [{read: b}]}]}", Either((Read("a"), All((Read("b"),))))),
        (
            "{run: {target: a/b, same_as: first-run, changed: {width: /4, seed: any, depth: more, data: moons}}}",
            Ran("a/b", "first-run", (
                Change("width", "times", 0.25), Change("seed", "any"), Change("depth", "more"),
                Change("data", "equals", value="moons"),
            )),
        ),
        (
            '{run: {target: a/b, reached: {valid/loss: "< 0.5 first", valid/accuracy: ">= 0.95"}}}',
            Ran("a/b", reached=(Bound("valid/loss", "<", 0.5, True), Bound("valid/accuracy", ">=", 0.95))),
        ),
    ],
)  # fmt: skip
def test_checks_are_read(text: str, goal: object):
    assert with_check(text) == goal


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{eval: x}", "There is no check 'eval'"),
        ("{read: a, opened: b}", "A check is one of"),
        ("{read: {slug: a, page: 1}}", "Unknown key 'page'"),
        ("{compared: many}", "Expected 'int'"),
        ("{run: {target: mlp}}", "family/preset"),
        ("{run: {target: a/b, state: done}}", "'done' is none of"),
        ("{run: {target: a/b, changed: {x: x2}}}", "same_as: first"),
        ("{run: {target: a/b, same_as: first, changed: {x: x0}}}", "factor of 0"),
        ("{run: {target: a/b, reached: {loss: low}}}", "'low' is not of the form"),
        ("{run: {target: a/b, same_as: later}}", "no earlier step 'later'"),
        ("{predicted: first-run}", "asks for no prediction"),
        ("{all: []}", "takes a list"),
    ],
)
def test_a_check_that_is_wrong_is_named_with_its_line(text: str, reason: str):
    with pytest.raises(ParseProblem, match=reason) as caught:
        with_check(text)
    assert caught.value.line == (HEADER + STEP + SECOND.partition("check:")[0]).count("\n") + 1


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("Words.", "begins with its title", 1),
        (HEADER, "There is no step", 6),
        (HEADER + "---\nstep: a\ntitle: b\n", "never closed", 8),
        (HEADER + STEP + STEP, "stands here twice", 20),
        (HEADER + STEP.replace("{steps}", "{colour}"), "no figure {colour}", 15),
        (HEADER + STEP.replace("go: run", "go: fly"), "does not begin with", 12),
        (HEADER + STEP.replace("do: Train it.\n", ""), "Missing key 'do'", 9),
        (HEADER + SECOND.replace("(falls / jumps up / becomes NaN)", ""), "two choices or more", 12),
        (HEADER.replace("title", "tilte") + STEP, "Unknown key 'tilte'", 2),
    ],
)
def test_a_file_that_is_wrong_is_named_with_its_line(text: str, reason: str, line: int):
    with pytest.raises(ParseProblem, match=reason) as caught:
        parsed(text)
    assert caught.value.line == line


def test_the_right_choice_has_to_be_one_of_them():
    text = HEADER + SECOND.replace(
        "predict: What will the loss do?   (falls / jumps up / becomes NaN)",
        "predict: {question: Q?, choices: [a, b], right: c}",
    )
    with pytest.raises(ParseProblem, match="'c' is none of the choices"):
        parsed(text)


@settings(max_examples=150, deadline=2000)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(["---\n", "step: a\n", "check: ", "{run: {", "}", "x: y\n", HEADER, STEP]),
            st.text(max_size=6),
        )
    )
)
def test_any_text_is_a_walkthrough_or_a_parse_problem(pieces: list[str]):
    try:
        parse_walkthrough("".join(pieces).encode("utf-8", "surrogatepass"), "x.md")
    except ParseProblem as problem:
        assert problem.line >= 1


def test_own_walkthroughs_stand_behind_the_shipped_and_bad_ones_hide_nothing(tmp_path: Path):
    (tmp_path / "mine.md").write_text(HEADER + STEP)
    (tmp_path / "bad.md").write_text("---\ntitle: [\n---\n")
    found, problems = read_walkthroughs(tmp_path)
    assert found[-1].slug == "mine"
    assert [each.path for each in problems] == ["bad.md"]


def test_the_check_follows_every_target():
    library = Library([Entry(slug="learning-rate", title="Learning rate", path="learning-rate.md")])
    known = KnownNames(presets={"mlp": frozenset(("quick",))}, knobs={"mlp": frozenset(("learning_rate",))})

    def said(text: str) -> list[str]:
        problems = check(library, known, [parsed(text)], run_blocks=False).problems
        return [each.text for each in problems if each.path == "break-it.md"]

    three = HEADER + STEP + SECOND + STEP.replace("first-run", "third")
    assert said(three) == []
    assert "2 steps, at least 3." in said(HEADER + STEP + SECOND)
    assert "step first-run: 1 hints, at least 2." in said(three.replace("[Press r., Press enter.]", "[Press r.]", 1))
    assert "step first-run: there is no entry 'learning', and none is promised." in said(
        three.replace("[[learning-rate]]", "[[learning]]", 1)
    )
    assert "step break-it: there is no knob 'rate'." in said(three.replace("learning_rate: x100", "rate: x100"))
    assert "step first-run: there is no run 'mlp/slow', and none is promised." in said(
        three.replace("go: run mlp/quick", "go: run mlp/slow", 1)
    )

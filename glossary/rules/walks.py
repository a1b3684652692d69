"""Walkthroughs: every target exists or is promised, every step that checks something helps and explains."""

from __future__ import annotations

from collections.abc import Iterator

from glossary.goal import All, Answered, Either, Found, Goal, Played, Ran, Read, Turned
from glossary.known import Status
from glossary.model import Problem, Step, Walkthrough
from glossary.parse import find_links
from glossary.prose import prose
from glossary.rules.base import EM_DASH, Findings, Inquiry

FEWEST_STEPS = 3
HINTS = 2

SEED = "seed"
"""Every run has one, though no spec does."""


def check_walkthrough(walkthrough: Walkthrough, inquiry: Inquiry) -> Findings:
    """Yield what is wrong with a walkthrough and its steps."""

    def problem(line: int, text: str) -> Problem:
        return Problem(walkthrough.path, line, "error", text)

    if not walkthrough.one_line.endswith("."):
        yield problem(1, "one_line: a full sentence with a period says what one will have done.")
    if len(walkthrough.steps) < FEWEST_STEPS:
        yield problem(1, f"{len(walkthrough.steps)} steps, at least {FEWEST_STEPS}.")
    for slug in walkthrough.needs:
        for text in _target(inquiry, "entry", slug):
            yield problem(1, f"needs: {text}")
    for step in walkthrough.steps:
        for text in _step(step, inquiry):
            yield problem(step.line, f"step {step.id}: {text}")


def _step(step: Step, inquiry: Inquiry) -> Iterator[str]:
    if step.check is not None and len(step.hints) < HINTS:
        yield f"{len(step.hints)} hints, at least {HINTS}."
    if (step.check is not None or step.predict is not None) and not step.afterwards:
        yield "nothing is explained afterwards."
    if "{prediction}" in step.afterwards and step.predict is None:
        yield "{prediction} stands in a step that asks for none."
    if EM_DASH in step.text + step.afterwards + step.do + step.title:
        yield "an em-dash; write a comma, a colon or two sentences."
    for text in (step.text, step.afterwards, step.do):
        for link in find_links(text, prose(text)):
            yield from _target(inquiry, "entry", link.target)
    kind, _, target = step.go.partition(" ")
    if kind == "read":
        slug, _, heading = target.partition("#")
        found = inquiry.library.locate(target)
        yield from _target(inquiry, "entry", slug)
        if heading and found is not None and found[1] is None:
            yield f"{slug} has no section '{heading}'."
    elif kind in ("run", "lab", "play"):
        yield from _target(inquiry, kind, target.split()[0])
    if step.check is not None:
        yield from _goal(step.check, inquiry)


def _goal(goal: Goal, inquiry: Inquiry) -> Iterator[str]:
    match goal:
        case All() | Either():
            for each in goal.of:
                yield from _goal(each, inquiry)
        case Read():
            yield from _target(inquiry, "entry", goal.slug)
        case Answered():
            entry = inquiry.library.entries.get(goal.slug)
            if entry is not None and not 1 <= goal.question <= len(entry.questions):
                yield f"{goal.slug} has no question {goal.question}."
            yield from _target(inquiry, "entry", goal.slug)
        case Ran():
            yield from _target(inquiry, "run", goal.target)
            wanted = {*goal.knobs, goal.different, *(change.knob for change in goal.changed)} - {""}
            known = inquiry.known.knobs.get(goal.target.partition("/")[0])
            yield from (
                f"there is no knob '{knob}'."
                for knob in sorted(wanted)
                if known is not None and knob not in {*known, SEED}
            )
        case Turned():
            if goal.target:
                yield from _target(inquiry, "run", goal.target)
        case Found():
            yield from _target(inquiry, "lab", goal.lab)
        case Played():
            yield from _target(inquiry, "play", goal.target)
        case _:
            pass


def _target(inquiry: Inquiry, kind: str, name: str) -> Iterator[str]:
    """Count a target that is promised; yield a sentence about one that is not."""
    family, _, preset = name.partition("/")
    known = inquiry.known
    standing: Status
    if kind == "entry":
        standing = inquiry.library.standing(name)
    else:
        standing = {"run": known.preset(family, preset), "lab": known.lab(name), "play": known.play(name)}[kind]
    if standing == "coming":
        inquiry.coming[kind] += 1
    elif standing == "unknown":
        yield f"there is no {kind} '{name}', and none is promised."

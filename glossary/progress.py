"""What a learner has done, and what that means for a step: is its check met, what is still missing, with which figures.

Pure functions of plain facts. Whoever calls them collects the facts from the runs on disk and the learner's record.
"""

from __future__ import annotations

import math
import re

from glossary.facts import Facts, RunFact, Value
from glossary.goal import (
    ENDED,
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
)  # fmt: skip
from glossary.model import Step

METRICS = {
    "loss": "train/loss",
    "valid_loss": "valid/loss",
    "accuracy": "train/accuracy",
    "valid_accuracy": "valid/accuracy",
    "grad": "gradient_norm",
    "rate": "learning_rate",
    "samples": "samples_per_second",
    "tokens": "tokens_per_second",
}
"""The short names of metrics in placeholders."""
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
UNMEASURED = "(not measured)"
SIDES = {"<": "less than", "<=": "at most", ">": "more than", ">=": "at least"}
_SIDE = re.compile(r"\s*(<=|>=|<|>)\s*(\S+)\s*")
_PLAIN = ("prediction", "outcome", "run", "target", "steps", "seconds", "count")
_FIGURE = re.compile(
    rf"(?:first_run_)?(?:({'|'.join(METRICS)})_(first|last|min|max|before|after)|knob_(\w+)|steps|seconds)"
)


def met(goal: Goal | None, facts: Facts, step: str = "") -> bool:
    """Say whether a goal is met.

    Args:
        goal: what a step checks; None is always met.
        facts: what the learner has done.
        step: the id of the step that the goal stands in, for ``predicted: this``.
    """
    match goal:
        case None:
            return True
        case All():
            return all(met(each, facts, step) for each in goal.of)
        case Either():
            return any(met(each, facts, step) for each in goal.of)
        case Read():
            return goal.slug in facts.read
        case Opened():
            return goal.what.casefold() in {each.casefold() for each in facts.opened}
        case Predicted():
            return (step if goal.step == "this" else goal.step) in facts.predictions
        case Answered():
            right = facts.answers.get((goal.slug, goal.question))
            return right is not None and (right or not goal.right)
        case Ran():
            return len(evidence(goal, facts)) >= goal.count
        case Turned():
            return any(goal.knob in run.turned and goal.target in ("", run.target) for run in facts.runs)
        case Played():
            return goal.target in facts.played
        case Compared():
            return facts.compared >= goal.runs
        case Found():
            return goal.lab in facts.found


def evidence(goal: Goal | None, facts: Facts) -> tuple[RunFact, ...]:
    """Return the runs that meet a goal (or a part of it), the latest first; empty where it is about no run."""
    if isinstance(goal, All | Either):
        return tuple(run for each in goal.of for run in evidence(each, facts))
    if isinstance(goal, Turned):
        return tuple(run for run in reversed(facts.runs) if goal.knob in run.turned and goal.target in ("", run.target))
    if not isinstance(goal, Ran):
        return ()
    fitting = [run for run in reversed(facts.runs) if not _misses(goal, run, facts)]
    if goal.different:
        fitting = list({str(run.knobs.get(goal.different)): run for run in reversed(fitting)}.values())[::-1]
    return tuple(fitting)


def missing(goal: Goal | None, facts: Facts, step: str = "") -> str:
    """Say in one sentence what a goal still misses; empty where it is met."""
    if goal is None or met(goal, facts, step):
        return ""
    match goal:
        case All():
            return next(text for each in goal.of if (text := missing(each, facts, step)))
        case Either():
            return missing(goal.of[0], facts, step)
        case Read():
            return f"The page {_title(goal.slug)} has not been read to its end yet."
        case Opened():
            return f"The panel '{goal.what}' has not been looked at alone yet."
        case Predicted():
            return "The prediction has not been made yet."
        case Answered():
            rightly = " rightly" if goal.right else ""
            return f"Question {goal.question} of {_title(goal.slug)} has not been answered{rightly} yet."
        case Ran():
            return _missing_run(goal, facts)
        case Turned():
            return f"{_words(goal.knob)} has not been turned while a run was going on."
        case Played():
            return f"The playground {goal.target} has not been used yet."
        case Compared():
            return f"No {goal.runs} runs have been compared yet."
        case Found():
            return f"The lab {goal.lab} has no finding yet."


def _missing_run(goal: Ran, facts: Facts) -> str:
    runs = [run for run in facts.runs if run.target == goal.target]
    if goal.same_as:
        runs = [run for run in runs if run is not _compared_with(goal, facts)]
    if not runs:
        return f"No run of {goal.target} {'beside the first ' if goal.same_as else ''}has been started yet."
    fitting = evidence(goal, facts)
    if fitting:
        differ = f" that differ in {_words(goal.different)}" if goal.different else ""
        return f"{len(fitting)} of {goal.count} runs of {goal.target}{differ} are there."
    return f"Your latest run of {goal.target} does not count: {_misses(goal, runs[-1], facts)}."


def _compared_with(goal: Ran, facts: Facts) -> RunFact | None:
    """Return the run that a goal's run is compared with."""
    if goal.same_as not in ("", "first"):
        wanted = facts.step_runs.get(goal.same_as, "")
        return next((run for run in facts.runs if run.id == wanted), None)
    if facts.first:
        return next((run for run in facts.runs if run.id == facts.first), None)
    return next((run for run in facts.runs if run.target == goal.target), None)


def _misses(goal: Ran, run: RunFact, facts: Facts) -> str:
    """Say why a run does not meet a goal; empty where it does."""
    if run.target != goal.target:
        return f"it is one of {run.target}"
    other = _compared_with(goal, facts)
    for knob, value in goal.knobs.items():
        if not _has(run.seed if knob == "seed" else run.knobs.get(knob), value):
            return f"its {_words(knob)} is {run.knobs.get(knob)}, asked for is {_asked(value)}"
    if goal.same_as:
        if other is None or other is run:
            return "there is no earlier run to compare it with"
        reason = _differs(goal, run, other)
        if reason:
            return reason
    if (
        goal.state
        and run.state != goal.state
        and not (goal.state == ENDED and run.state in ("finished", "stopped", "failed"))
    ):
        return f"it is {run.state or 'not there yet'}, not {goal.state}"
    if goal.resumed and not run.resumed:
        return "it was not stopped and resumed"
    if run.step < goal.step:
        return f"it has reached step {run.step:,} of {goal.step:,}"
    return next((reason for bound in goal.reached if (reason := _short_of(bound, run, other))), "")


def _differs(goal: Ran, run: RunFact, other: RunFact) -> str:
    changed = {change.knob: change for change in goal.changed}
    before: dict[str, Value] = {"seed": other.seed, **other.knobs}
    after: dict[str, Value] = {"seed": run.seed, **run.knobs}
    for knob in sorted({*before, *after}):
        if knob not in changed and not _equal(before.get(knob), after.get(knob)):
            return f"it also differs in {_words(knob)} ({after.get(knob)}, not {before.get(knob)})"
    for knob, change in changed.items():
        if change.how == "any" and _equal(before.get(knob), after.get(knob)):
            return f"its {_words(knob)} is {after.get(knob)}, as in the run before"
        if not _as_asked(change, before.get(knob), after.get(knob)):
            return f"its {_words(knob)} is {after.get(knob)}, the other run's {before.get(knob)}"
    return ""


def _as_asked(change: Change, before: Value | None, after: Value | None) -> bool:
    if change.how == "equals":
        return _equal(after, change.value)
    if change.how == "any":
        return not _equal(before, after)
    old, new = _number(before), _number(after)
    if old is None or new is None:
        return False
    if change.how == "times":
        return math.isclose(new, old * change.factor, rel_tol=1e-6)
    return new > old if change.how == "more" else new < old


def _short_of(bound: Bound, run: RunFact, other: RunFact | None) -> str:
    """Say that a run's best value of a metric does not reach a bound; empty where it does."""
    upward = bound.comparison in (">", ">=")
    best = _best(run, bound.metric, upward)
    goal = bound.value
    if bound.of_first:
        reference = _best(other, bound.metric, upward) if other is not None and other is not run else None
        if reference is None:
            return "there is no earlier run to compare it with"
        goal *= reference
    if best is None:
        return f"it has no {_metric(bound.metric)} yet"
    write = percent if bound.metric.endswith("accuracy") else figure
    if _compare(best, bound.comparison, goal):
        return ""
    wanted = f"{SIDES[bound.comparison]} {write(goal)}"
    return f"its best {_metric(bound.metric)} is {write(best)}, asked for is {wanted}"


def _best(run: RunFact, metric: str, upward: bool) -> float | None:
    fact = run.metrics.get(metric)
    return None if fact is None else fact.highest if upward else fact.lowest


def _number(value: Value | None) -> float | None:
    try:
        return float(value) if value is not None else None
    except ValueError:
        return None


def _equal(one: Value | None, two: Value | None) -> bool:
    """Compare knobs as people write them: 0.1 and ``1e-1``, true and ``True``."""
    if one == two or str(one).casefold() == str(two).casefold():
        return True
    left, right = _number(one), _number(two)
    return left is not None and right is not None and math.isclose(left, right, rel_tol=1e-9)


def _has(value: Value | None, wanted: str) -> bool:
    """Say whether a knob has a value, or lies on the side of one that ``<= 8`` names."""
    side = _SIDE.fullmatch(wanted)
    if side is None:
        return _equal(value, wanted)
    here, there = _number(value), _number(side[2])
    return here is not None and there is not None and _compare(here, side[1], there)


def _compare(one: float, comparison: str, other: float) -> bool:
    return {"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}[comparison]


def _words(knob: str) -> str:
    return knob.replace("_", " ")


def _title(slug: str) -> str:
    return slug.replace("-", " ")


def _metric(name: str) -> str:
    """Return ``validation accuracy`` for ``valid/accuracy``."""
    side, _, what = name.rpartition("/")
    return " ".join(filter(None, ({"train": "training", "valid": "validation"}.get(side, side), _words(what))))


def _asked(value: str) -> str:
    """Return ``at most 4`` for ``<= 4``, and a plain value as it is."""
    side = _SIDE.fullmatch(value)
    return f"{SIDES[side[1]]} {side[2]}" if side else value


def is_placeholder(name: str) -> bool:
    """Say whether ``{name}`` stands for a figure that a step can be explained with."""
    return name in _PLAIN or _FIGURE.fullmatch(name) is not None


def afterwards(step: Step, facts: Facts) -> str:
    """Return the explanation of a step with the learner's own figures in place of its placeholders."""
    runs = evidence(step.check, facts)
    return PLACEHOLDER.sub(lambda found: _fill(found[1], step, facts, runs), step.afterwards)


def _fill(name: str, step: Step, facts: Facts, runs: tuple[RunFact, ...]) -> str:
    if name == "prediction":
        return facts.predictions.get(step.id, "nothing")
    if name == "outcome":
        return step.predict.right if step.predict and step.predict.right else UNMEASURED
    if name == "count":
        return str(len(runs))
    run = runs[0] if runs else None
    if name.startswith("first_run_"):
        name = name.removeprefix("first_run_")
        first = next((each for each in facts.runs if each.id == facts.first), None)
        run = first or next((each for each in facts.runs if run and each.target == run.target), None)
    if run is None:
        return UNMEASURED
    return _of_run(name, run)


def _of_run(name: str, run: RunFact) -> str:
    plain = {"run": run.id, "target": run.target, "steps": f"{run.step:,}", "seconds": figure(run.seconds)}
    if name in plain:
        return plain[name]
    found = _FIGURE.fullmatch(name)
    if found is None:
        return UNMEASURED
    if found[3]:
        return str(run.knobs.get(found[3], UNMEASURED))
    fact = run.metrics.get(METRICS[found[1]])
    if fact is None:
        return UNMEASURED
    which = {"first": fact.first, "before": fact.first, "last": fact.last, "after": fact.last, "min": fact.lowest}
    value = which.get(found[2], fact.highest)
    return percent(value) if METRICS[found[1]].endswith("accuracy") else figure(value)


def percent(value: float) -> str:
    """Return a share as people say it.

    >>> percent(0.9715)
    '97.2 %'
    """
    return f"{value:.1%}".replace("%", " %") if math.isfinite(value) else figure(value)


def figure(value: float) -> str:
    """Return a number with three significant digits, as people read it.

    >>> figure(0.123456), figure(12345.6), figure(float("nan"))
    ('0.123', '12,346', 'NaN')
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "infinity" if value > 0 else "minus infinity"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"

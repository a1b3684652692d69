"""What a step of a walkthrough checks: a small declarative form for things that really happened.

In a file, ``check:`` is a mapping with one key; nothing in it is ever evaluated as code::

    check: {read: learning-rate}
    check: {opened: gradient norm}
    check: {predicted: this}
    check: {answered: {slug: softmax, question: 2, right: true}}
    check: {run: {target: mlp/quick, step: 20}}
    check: {run: {target: mlp/quick, same_as: first, changed: {learning_rate: x100}, step: 20}}
    check: {run: {target: mlp/quick, state: finished, reached: {valid/accuracy: ">= 0.95"}}}
    check: {run: {target: mlp/quick, knobs: {width: "<= 8", optimizer: sgd}}}
    check: {run: {target: gpt/quick, same_as: first, reached: {valid/loss: "< first"}}}
    check: {run: {target: gpt/quick, count: 4, different: width, state: finished}}
    check: {run: {target: mlp/quick, state: finished, resumed: true}}
    check: {turned: {knob: learning_rate, target: gpt/quick}}
    check: {played: gpt/complete}
    check: {compared: 2}
    check: {found: learning-rate}
    check: {all: [{read: attention}, {opened: attention}]}
"""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec

from glossary.front import ParseProblem, Path, convert

Comparison = Literal["<", "<=", ">", ">="]
STATES = ("starting", "running", "paused", "stalled", "stopping", "finished", "stopped", "failed", "lost")
ENDED = "ended"
"""Stands for finished, stopped or failed."""


class Change(msgspec.Struct, frozen=True):
    """How one knob has to differ from that of the run that a run is compared with."""

    knob: str
    how: Literal["times", "equals", "more", "less", "any"]
    factor: float = 1.0
    value: str = ""


class Bound(msgspec.Struct, frozen=True):
    """A value that a metric has to reach: a number, or a multiple of what the first run reached."""

    metric: str
    comparison: Comparison
    value: float
    of_first: bool = False


class Read(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry was read."""

    slug: str


class Opened(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A panel (by its title) or a screen (by its name) was opened."""

    what: str


class Predicted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The prediction of a step was made; ``this`` is the step that the check stands in."""

    step: str = "this"


class Answered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A check-yourself question was answered."""

    slug: str
    question: int = 1
    """Counted from 1."""
    right: bool = False
    """Whether only the right answer counts."""


class Ran(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A run exists, or `count` of them, of which all that follows is true."""

    target: str
    """``family/preset``."""
    same_as: str = ""
    """``first`` (the first run) or the id of an earlier step: all knobs but `changed` equal that run's."""
    changed: tuple[Change, ...] = ()
    knobs: dict[str, str] = {}
    """Knobs that have to have these values (``8``) or lie on this side of one (``<= 8``), whatever another run had."""
    state: str = ""
    """One of `STATES`, or ``ended``."""
    step: int = 0
    """The step that was reached."""
    reached: tuple[Bound, ...] = ()
    count: int = 1
    different: str = ""
    """A knob in which the `count` runs all differ."""
    resumed: bool = False
    """Whether it has to have gone on from a checkpoint."""


class Turned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A live knob was turned while a run was going on."""

    knob: str
    target: str = ""


class Played(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A playground ``family/play`` was used."""

    target: str


class Compared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At least so many runs were laid over one another."""

    runs: int = 2


class Found(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A lab came to a finding."""

    lab: str


class All(msgspec.Struct, frozen=True):
    """Every one of the goals."""

    of: tuple[Goal, ...]


class Either(msgspec.Struct, frozen=True):
    """At least one of the goals."""

    of: tuple[Goal, ...]


Goal = Read | Opened | Predicted | Answered | Ran | Turned | Played | Compared | Found | All | Either

_KINDS: dict[str, type[msgspec.Struct]] = {
    "read": Read,
    "opened": Opened,
    "predicted": Predicted,
    "answered": Answered,
    "turned": Turned,
    "played": Played,
    "compared": Compared,
    "found": Found,
}


_KNOWN = ", ".join([*_KINDS, "run", "all", "any"])


class _Run(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A `Ran` as it is written."""

    target: str
    same_as: str = ""
    changed: dict[str, str] = {}
    knobs: dict[str, str] = {}
    state: str = ""
    step: int = 0
    reached: dict[str, str] = {}
    count: int = 1
    different: str = ""
    resumed: bool = False


def read_goal(data: Any, lines: dict[Path, int], path: Path) -> Goal:
    """Return the goal that stands at `path` of a front matter.

    Raises:
        ParseProblem: it is none, with its line.
    """
    line = lines.get(path, 1)
    if not isinstance(data, dict) or len(data) != 1:
        raise ParseProblem(line, f"A check is one of {_KNOWN}, and what it needs.")
    ((kind, value),) = data.items()
    inner = (*path, kind)
    if kind in ("all", "any"):
        if not isinstance(value, list) or not value:
            raise ParseProblem(lines.get(inner, line), f"'{kind}' takes a list of checks.")
        goals = tuple(read_goal(each, lines, (*inner, place)) for place, each in enumerate(value))
        return All(goals) if kind == "all" else Either(goals)
    if kind == "run":
        raw = {"target": value} if isinstance(value, str) else value
        return _ran(convert(raw, lines, _Run, inner), lines.get(inner, line))
    if kind not in _KINDS:
        raise ParseProblem(line, f"There is no check '{kind}'. Known: {_KNOWN}.")
    type_ = _KINDS[kind]
    raw = {type_.__struct_fields__[0]: value} if isinstance(value, str) else value
    goal: Goal = convert(raw, lines, type_, inner)  # type: ignore[assignment]
    return goal


def _ran(raw: _Run, line: int) -> Ran:
    if not re.fullmatch(r"[\w-]+/[\w-]+", raw.target):
        raise ParseProblem(line, f"target: '{raw.target}' is not of the form family/preset.")
    if raw.state and raw.state not in (*STATES, ENDED):
        raise ParseProblem(line, f"state: '{raw.state}' is none of {', '.join((*STATES, ENDED))}.")
    if raw.changed and not raw.same_as:
        raise ParseProblem(line, "changed: say what it is compared with, same_as: first.")
    if raw.count < 1 or raw.step < 0:
        raise ParseProblem(line, "count begins at 1, step at 0.")
    return Ran(
        target=raw.target,
        same_as=raw.same_as,
        changed=tuple(_change(knob, text, line) for knob, text in raw.changed.items()),
        knobs=raw.knobs,
        state=raw.state,
        step=raw.step,
        reached=tuple(_bound(metric, text, line) for metric, text in raw.reached.items()),
        count=raw.count,
        different=raw.different,
        resumed=raw.resumed,
    )


def _change(knob: str, text: str, line: int) -> Change:
    """Read ``x100``, ``/10``, ``more``, ``less``, ``any``, or a value."""
    text = text.strip()
    if text in ("more", "less", "any"):
        return Change(knob, text)  # type: ignore[arg-type]
    factor = re.fullmatch(r"([x×/])\s*(\d+(?:\.\d+)?)", text)
    if factor is None:
        return Change(knob, "equals", value=text.removeprefix("=").strip())
    number = float(factor[2])
    if number == 0:
        raise ParseProblem(line, f"changed: {knob}: a factor of 0.")
    return Change(knob, "times", factor=1 / number if factor[1] == "/" else number)


def _bound(metric: str, text: str, line: int) -> Bound:
    """Read ``>= 0.95``, ``< first`` or ``< 0.5 first``."""
    number = r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
    found = re.fullmatch(rf"\s*(<=|>=|<|>)\s*({number})?\s*(first)?\s*", text)
    if found is None or not (found[2] or found[3]):
        raise ParseProblem(line, f"reached: {metric}: '{text}' is not of the form '>= 0.95' or '< 0.5 first'.")
    return Bound(metric, found[1], float(found[2] or 1), bool(found[3]))  # type: ignore[arg-type]

"""Reading a walkthrough: a Markdown file with a header, and a block of keys between two lines of ``---`` for each step.

A step begins where a line of ``---`` is followed by ``step:``, so that a rule in its text stays a rule::

    ---
    title: Break it on purpose
    one_line: Find out what too large a learning rate does.
    level: 1
    minutes: 10
    needs: [learning-rate]
    ---
    Words before the first step.

    ---
    step: break-the-learning-rate
    title: Break it on purpose
    do: Start the same run again with 100 times the learning rate.
    go: run mlp/quick
    predict: What will the loss do? (falls faster / stays flat / jumps up / becomes NaN)
    check: {run: {target: mlp/quick, same_as: first, changed: {learning_rate: x100}, step: 20}}
    hints:
      - The launch form remembers your last run.
      - Press r on the run, move to "learning rate", type 10, press enter.
    afterwards: You predicted {prediction}; the loss went from {loss_first} to {loss_max}. [[learning-rate]]
    ---
    Words of the step.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

import msgspec

from glossary.folder import find_files
from glossary.front import ParseProblem, convert, read_yaml, split_front
from glossary.front import Path as Where
from glossary.goal import All, Either, Goal, Predicted, Ran, read_goal
from glossary.model import Prediction, Problem, Step, Walkthrough
from glossary.names import printable, slugify
from glossary.parse import decode
from glossary.progress import PLACEHOLDER, is_placeholder
from glossary.prose import line_at, without_code

MOST_STEPS = 100
_OPENING = re.compile(r"^---[ \t]*\n(?=step[ \t]*:)", re.MULTILINE)
_CLOSING = re.compile(r"^---[ \t]*$", re.MULTILINE)
_GO = re.compile(r"(read|run|lab|play|open) \S.*")


class _Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: str
    one_line: str = ""
    level: int = 1
    minutes: int = 0
    order: int = 0
    needs: list[str] = []


class _Prediction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    question: str
    choices: list[str]
    right: str = ""


class _Keys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    step: str
    title: str
    do: str
    go: str = ""
    predict: str | dict[str, Any] = ""
    check: dict[str, Any] = {}
    hints: list[str] = []
    afterwards: str = ""


def parse_walkthrough(data: bytes, path: str) -> Walkthrough:
    """Return the walkthrough that a file holds; the slug is the file's name.

    Raises:
        ParseProblem: with the line of what is wrong.
    """
    text = decode(data)
    front, body, first_line = split_front(text)
    if front is None:
        raise ParseProblem(1, "A walkthrough begins with its title and the like between two lines of ---.")
    raw, lines = read_yaml(front, 2)
    header = convert(raw, lines, _Header)
    blocks = list(_blocks(body, first_line))
    if not blocks:
        raise ParseProblem(
            first_line, "There is no step; one begins with a line of --- and a line of 'step: its-name'."
        )
    if len(blocks) > MOST_STEPS:
        raise ParseProblem(blocks[MOST_STEPS][0], f"More than {MOST_STEPS} steps.")
    steps: list[Step] = []
    for line, keys, words in blocks:
        steps.append(_step(keys, line, words, steps))
    stem = PurePath(path).stem
    return Walkthrough(
        slug=slugify(stem),
        title=printable(header.title),
        path=path,
        one_line=printable(header.one_line),
        level=header.level,
        minutes=header.minutes,
        order=header.order,
        needs=tuple(header.needs),
        text=body[: _first(body)].strip(),
        steps=tuple(steps),
    )


def read_walkthroughs(own: Path | None = None) -> tuple[tuple[Walkthrough, ...], tuple[Problem, ...]]:
    """Return the walkthroughs in the order of the course, those of the folder `own` last, and the bad files."""
    found: list[Walkthrough] = []
    problems: list[Problem] = []
    for path, data, origin in find_files("walkthroughs", own, problems.append):
        try:
            walkthrough = parse_walkthrough(data, path)
        except ParseProblem as problem:
            problems.append(Problem(path, problem.line, "error", problem.reason))
            continue
        if any(each.slug == walkthrough.slug for each in found):
            problems.append(
                Problem(path, 1, "error", f"The name '{walkthrough.slug}' is taken; rename the {origin} file.")
            )
        else:
            found.append(walkthrough)
    return tuple(sorted(found, key=lambda each: (each.order or 10_000, each.level))), tuple(problems)


def _first(body: str) -> int:
    opening = _OPENING.search(without_code(body))
    return opening.start() if opening else len(body)


def _blocks(body: str, first_line: int) -> Iterator[tuple[int, str, str]]:
    """Yield each step's first line of keys, its keys and its words."""
    bare = without_code(body)
    openings = list(_OPENING.finditer(bare))
    for place, opening in enumerate(openings):
        end = openings[place + 1].start() if place + 1 < len(openings) else len(body)
        line = line_at(body, opening.end(), first_line)
        closing = _CLOSING.search(bare, opening.end(), end)
        if closing is None:
            raise ParseProblem(line - 1, "The keys of the step are opened with --- and never closed.")
        yield line, body[opening.end() : closing.start()], body[closing.end() : end].strip()


def _step(text: str, line: int, words: str, before: list[Step]) -> Step:
    raw, lines = read_yaml(text, line)
    keys = convert(raw, lines, _Keys)
    at = {str(path[0]): each for path, each in lines.items() if len(path) == 1}
    id_ = slugify(keys.step)
    if any(each.id == id_ for each in before):
        raise ParseProblem(line, f"The step '{id_}' stands here twice.")
    predict = _predict(keys.predict, lines) if keys.predict else None
    goal = read_goal(keys.check, lines, ("check",)) if keys.check else None
    if goal is not None:
        _look_back(goal, id_, [*before, Step(id=id_, title="", do="", line=line, predict=predict)], at["check"])
    for name in PLACEHOLDER.findall(keys.afterwards):
        if not is_placeholder(name):
            raise ParseProblem(at["afterwards"], f"There is no figure {{{name}}}.")
    if keys.go and not _GO.fullmatch(keys.go):
        raise ParseProblem(at["go"], f"go: '{keys.go}' does not begin with read, run, lab, play or open.")
    return Step(
        id=id_,
        title=printable(keys.title),
        do=printable(keys.do),
        line=line,
        text=words,
        go=keys.go,
        predict=predict,
        check=goal,
        hints=tuple(keys.hints),
        afterwards=keys.afterwards.strip(),
    )


def _predict(data: str | dict[str, Any], lines: dict[Where, int]) -> Prediction:
    """Read ``question (a / b / c)``, or question, choices and the right one as keys."""
    line = lines["predict",]
    if isinstance(data, str):
        question, bracket, rest = data.strip().removesuffix(")").rpartition("(")
        raw = _Prediction(
            question=question.strip(), choices=[each.strip() for each in rest.split(" / ")] if bracket else []
        )
    else:
        raw = convert(data, lines, _Prediction, ("predict",))
    if len(raw.choices) < 2 or not all(raw.choices) or not raw.question:
        raise ParseProblem(line, "A prediction is a question and two choices or more: question? (one / two).")
    if raw.right and raw.right not in raw.choices:
        raise ParseProblem(line, f"predict: '{raw.right}' is none of the choices.")
    return Prediction(printable(raw.question), tuple(map(printable, raw.choices)), printable(raw.right))


def _look_back(goal: Goal, id_: str, steps: list[Step], line: int) -> None:
    """Raise where a goal names a step that is not there yet."""
    match goal:
        case All() | Either():
            for each in goal.of:
                _look_back(each, id_, steps, line)
        case Predicted():
            named = id_ if goal.step == "this" else goal.step
            if not any(each.id == named and each.predict for each in steps):
                raise ParseProblem(line, f"check: the step '{named}' asks for no prediction.")
        case Ran() if goal.same_as not in ("", "first"):
            if not any(each.id == goal.same_as for each in steps[:-1]):
                raise ParseProblem(line, f"check: there is no earlier step '{goal.same_as}'.")
        case _:
            pass

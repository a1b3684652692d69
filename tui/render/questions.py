"""A check-yourself question as rows: before it is answered, after a wrong answer, and after the right one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from glossary.model import Question
from tui.render.flow import Flow, Line, styled
from tui.render.markdown import flow_of
from tui.render.typeset import Destination, Typesetter

HINT = "1 2 3 or ↑ ↓ and enter"
AGAIN = "Not that one. Try another"
QUESTIONS_SHOWN, CHOICES_SHOWN = 40, 20
"""Of a page and of a question; a file of the reader's own may have thousands."""


class Answer(NamedTuple):
    """What a reader has done with a question."""

    highlighted: int = 0
    """The choice that enter takes."""
    chosen: int | None = None
    """The choice that was taken last."""
    tried: tuple[int, ...] = ()
    """Those taken before it."""

    def is_over(self, question: Question) -> bool:
        """Whether there is nothing left to answer: the right choice was taken, or the question has none."""
        if self.chosen is None or self.chosen >= len(question.choices):
            return False
        return question.choices[self.chosen].right or not any(choice.right for choice in question.choices)

    def was_taken(self, choice: int) -> bool:
        """Whether a choice was taken, now or before."""
        return choice == self.chosen or choice in self.tried


class SetQuestion(NamedTuple):
    """The rows of a question, and which choice each row belongs to (None: none)."""

    rows: tuple[Line, ...]
    choices: tuple[int | None, ...]


def _unlinked(target: str, heading: str) -> Destination:
    from tui.render.markdown import term_words

    return Destination(term_words(target), "", True)


@lru_cache(maxsize=256)
def _flow(text: str) -> Flow:
    return flow_of(text, Typesetter(_unlinked))


@lru_cache(maxsize=256)
def set_question(question: Question, answer: Answer, number: int, width: int, *, active: bool) -> SetQuestion:
    """Return question `number` (from 1) in rows of `width` columns; where it is `active`, with what keys do."""
    lead = f"{number}. " if width >= 16 else ""
    rows = _hung(lead, "$accent", _flow(question.text).lines(width - len(lead)), "bold")
    choices: list[int | None] = [None] * len(rows)
    over = answer.is_over(question)
    for at, choice in enumerate(question.choices[:CHOICES_SHOWN]):
        told = over or answer.was_taken(at)
        sign, style = _sign(at, choice.right, answer, active=active, over=over)
        lead = f"   {sign} {at + 1} " if width >= 20 else f"{sign} "
        lines = _flow(choice.text).lines(width - len(lead))
        ground = "on $surface-lighten-1" if active and not over and at == answer.highlighted else ""
        block = _hung(lead, style, lines, style if told else "")
        if told and choice.explanation:
            indent = " " * len(lead)
            block += [
                _over(row, "$text-muted").after(indent) for row in _flow(choice.explanation).lines(width - len(lead))
            ]
        rows += [row.filled(width, style=ground) if ground else row for row in block]
        choices += [at] * len(block)
    if active and not over and width >= 30:
        hint = HINT if answer.chosen is None else f"{AGAIN}: {HINT}" if width >= 60 else AGAIN
        rows.append(styled(f"     {hint}"[:width], "$text-muted"))
        choices.append(None)
    return SetQuestion(tuple(rows), tuple(choices))


def _sign(at: int, right: bool, answer: Answer, *, active: bool, over: bool) -> tuple[str, str]:
    """Return the sign of a choice and its style: right and wrong are told apart by the sign too."""
    if over and right:
        return "✓", "$text-success"
    if answer.was_taken(at):
        return "✗", "$text-error"
    if over:
        return "·", "$text-muted"
    return ("●", "$accent") if active and at == answer.highlighted else ("○", "$text-muted")


def _hung(lead: str, style: str, lines: Sequence[Line], text_style: str) -> list[Line]:
    """Return rows with a lead before the first and blanks before the others."""
    rows = []
    for at, line in enumerate(lines or [Line()]):
        rows.append(_over(line, text_style).after(" " * len(lead) if at else lead, style))
    return rows


def _over(line: Line, style: str) -> Line:
    """Return a row with `style` under the styles that it has."""
    return line._replace(spans=(*styled(line.text, style).spans, *line.spans))

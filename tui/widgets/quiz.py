"""The check-yourself questions of an entry, to be answered."""

from __future__ import annotations

from collections.abc import Sequence

from textual.events import Click
from textual.message import Message

from glossary.model import QUESTIONS, Question
from tui.render.flow import Line, styled
from tui.render.page import Page, margin, page_of
from tui.render.questions import CHOICES_SHOWN, QUESTIONS_SHOWN, Answer, SetQuestion, set_question
from tui.render.typeset import HEADING
from tui.widgets.sheet import Sheet


class Quiz(Sheet):
    """All questions one under another; each is a stop for the keys, and open until the right choice was taken."""

    class Chosen(Message):
        """A choice was taken: question and choice counted from 1, and whether it was right."""

        def __init__(self, question: int, choice: int, right: bool) -> None:
            super().__init__()
            self.question = question
            self.choice = choice
            self.right = right

    def __init__(self, *, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self._questions: Sequence[Question] = ()
        self._answers: list[Answer] = []

    def ask(self, questions: Sequence[Question]) -> None:
        """Show these questions, none of them answered."""
        self._questions = questions[:QUESTIONS_SHOWN]
        self._answers = [Answer() for _ in self._questions]
        self.put(self._page)

    def _set(self, number: int, width: int) -> SetQuestion:
        active = number == self._focused
        return set_question(self._questions[number], self._answers[number], number + 1, width, active=active)

    def _page(self, width: int) -> Page:
        rows: list[Line] = []
        if self._questions:
            rows = [Line(), styled(QUESTIONS[:width], HEADING, QUESTIONS)]
        for number in range(len(self._questions)):
            rows += [*self._set(number, width).rows, Line()]
        return page_of(rows[:-1])

    @property
    def stops(self) -> list[tuple[int, int]]:
        """First and last row of each question."""
        if not self.size.width:
            return []
        width = margin(self.size.width)[1]
        stops: list[tuple[int, int]] = []
        at = 2
        for number in range(len(self._questions)):
            rows = len(self._set(number, width).rows)
            stops.append((at, at + rows - 1))
            at += rows + 1
        return stops

    def target(self, number: int) -> str:
        """Return nothing: a question leads nowhere."""
        return ""

    def mark(self, number: int | None) -> None:
        """Show which question has the focus."""
        if number != self._focused:
            self._focused = number
            self.reset()

    def _count(self, number: int) -> int:
        return len(self._questions[number].choices[:CHOICES_SHOWN])

    def is_open(self, number: int) -> bool:
        """Return whether a question waits for its answer, or for a better one."""
        return not self._answers[number].is_over(self._questions[number])

    def move(self, number: int, by: int) -> None:
        """Go to another choice of a question that is open."""
        choices = self._count(number)
        answer = self._answers[number]
        if choices and self.is_open(number):
            self._answers[number] = answer._replace(highlighted=min(choices - 1, max(0, answer.highlighted + by)))
            self.reset()

    def can_move(self, number: int, by: int) -> bool:
        """Return whether there is a choice in that direction."""
        if not self.is_open(number):
            return False
        return 0 <= self._answers[number].highlighted + by < self._count(number)

    def choose(self, number: int, choice: int | None = None) -> None:
        """Answer a question that is open, by a choice counted from 0 (without one: by that which is highlighted)."""
        answer = self._answers[number]
        at = answer.highlighted if choice is None else choice
        if not self.is_open(number) or not 0 <= at < self._count(number) or at == answer.chosen:
            return
        tried = answer.tried if answer.chosen is None else (*answer.tried, answer.chosen)
        self._answers[number] = Answer(at, at, tried)
        self.reset()
        self.post_message(self.Chosen(number + 1, at + 1, self._questions[number].choices[at].right))

    def on_click(self, event: Click) -> None:
        """Answer with the choice that was clicked."""
        width = margin(self.size.width)[1]
        for number, (first, last) in enumerate(self.stops):
            if first <= event.y <= last:
                choice = self._set(number, width).choices[event.y - first]
                if choice is not None:
                    event.stop()
                    self.choose(number, choice)
                return

"""Check-yourself questions: enough of them, one right answer each, and a reason for every choice."""

from __future__ import annotations

from glossary.model import QUESTIONS, Entry, Question
from glossary.rules.base import Findings, Inquiry, problem

FEWEST = 2
CHOICES = 3
REASON_WORDS = 3


def check_questions(entry: Entry, inquiry: Inquiry) -> Findings:
    """Yield what is wrong with the questions of an entry."""
    section = entry.section(QUESTIONS)
    if section is None:
        return
    if len(entry.questions) < FEWEST:
        yield problem(
            entry, section.line, f"{len(entry.questions)} questions, at least {FEWEST} (a question is '1. ...')."
        )
    for question in entry.questions:
        yield from _question(entry, question)
    places = [
        [choice.right for choice in each.choices].index(True)
        for each in entry.questions
        if any(c.right for c in each.choices)
    ]
    if len(places) > CHOICES and len(set(places)) == 1:
        yield problem(entry, section.line, "The right answer always stands in the same place.", "warning")


def _question(entry: Entry, question: Question) -> Findings:
    right = sum(choice.right for choice in question.choices)
    if right != 1:
        yield problem(entry, question.line, f"{right} right answers; a question has exactly one [x].")
    if len(question.choices) != CHOICES:
        yield problem(entry, question.line, f"{len(question.choices)} choices; a question has {CHOICES}.")
    if not question.text:
        yield problem(entry, question.line, "The question has no words.")
    for choice in question.choices:
        if not choice.text:
            yield problem(entry, choice.line, "The choice has no words.")
        if not choice.explanation:
            yield problem(entry, choice.line, "The choice has no explanation; write *(why)* at its end.")
        elif len(choice.explanation.split()) < REASON_WORDS:
            yield problem(entry, choice.line, f"'{choice.explanation}' explains nothing.")
    texts = [choice.text for choice in question.choices]
    if len(set(texts)) < len(texts):
        yield problem(entry, question.line, "Two choices are the same.")

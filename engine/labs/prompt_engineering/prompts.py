"""Prompts made of examples: how many, in which order, in which form, with right or wrong answers. Torch-free."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from engine.data.many_tasks import FORMATS, RARE, RULES, USUAL, Format, best_guess, word

MOST = 8
"""Examples in a prompt, at most."""
ENDS = tuple(form.end[0] for form in FORMATS)
"""Any of these ends an answer, whichever form its prompt has."""
SHOTS = 4
"""Examples where something else than their number is changed."""


@dataclass(frozen=True, slots=True)
class Task:
    """A rule, examples of it, and a word that it is to be applied to."""

    rule: str
    examples: tuple[tuple[str, str], ...]
    query: str

    @property
    def answer(self) -> str:
        """The right one."""
        return RULES[self.rule](self.query)

    def first(self, count: int) -> Task:
        """Return the task with its first `count` examples."""
        return Task(self.rule, self.examples[:count], self.query)

    def best(self) -> bool:
        """Return whether whoever knows all rules guesses right from the examples."""
        return best_guess(self.examples, self.query) == self.answer


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model reads, and what it has to write next to be right."""

    text: str
    answer: str


def write(task: Task, form: Format = USUAL) -> Prompt:
    """Return the prompt of a task; it begins as every document of the training text does."""
    shown = "".join(form.example(*each) for each in task.examples)
    return Prompt(f"\n{shown}{task.query}{form.arrow}", task.answer)


def tasks(draw: random.Random, count: int, examples: int) -> list[Task]:
    """Return random tasks: each rule equally often, words drawn at random."""
    names = list(RULES)
    found = []
    for number in range(count):
        name = names[number % len(names)]
        words = [word(draw) for _ in range(examples)]
        found.append(Task(name, tuple((each, RULES[name](each)) for each in words), word(draw)))
    return found


def orders(draw: random.Random, task: Task, count: int) -> list[Task]:
    """Return the task with its examples in `count` random orders."""
    return [Task(task.rule, tuple(draw.sample(task.examples, len(task.examples))), task.query) for _ in range(count)]


def spoiled(draw: random.Random, task: Task, wrong: int) -> Task:
    """Return the task with wrong answers in the last `wrong` of its examples: each by another rule, and not the right
    answer by accident.
    """
    examples = list(task.examples)
    for place in range(len(examples) - wrong, len(examples)):
        shown, right = examples[place]
        others = sorted({rule(shown) for rule in RULES.values()} - {right})
        examples[place] = (shown, draw.choice(others))
    return Task(task.rule, tuple(examples), task.query)


FORMS: Sequence[tuple[str, Format]] = (
    (f"usual: {FORMATS[USUAL]:.0%} of training", USUAL),
    (f"rare: {FORMATS[RARE]:.0%} of training", RARE),
    ("arrow of the one, end of the other", Format(USUAL.arrow, RARE.end)),
    ("a space after the arrow", Format(USUAL.arrow + " ", USUAL.end)),
    ("a space before the arrow", Format(" " + USUAL.arrow, USUAL.end)),
)
"""Ways to write the very same examples, with what the model knows of each."""

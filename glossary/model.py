"""What the glossary is made of: entries, links, questions, claims, hits, walkthroughs and steps.

All of it is frozen data. The types are msgspec structs, so that a parsed entry can be kept in a cache and read back
without being parsed again.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from glossary.goal import Goal

Origin = Literal["shipped", "own"]
"""``shipped`` with the package, or the user's ``own``; the code of an own entry is never executed."""

Level = Literal["error", "warning"]

QUESTIONS = "Check yourself"
"""The heading of the section that holds the questions."""


class Problem(msgspec.Struct, frozen=True, order=True):
    """One thing that is wrong, with the file and line that it stands on."""

    path: str
    line: int
    """Counted from 1; 0 where the whole file is meant."""
    level: Level
    text: str

    def __str__(self) -> str:
        """Say it the way compilers do: ``path:line: level: text``."""
        return f"{self.path}:{self.line}: {self.level}: {self.text}"


class Link(msgspec.Struct, frozen=True):
    """One ``[[slug]]``, ``[[slug|words]]`` or ``[[slug#Heading]]`` in an entry."""

    target: str
    """The slug as it was written; in a user's own entry also a title or an alias."""
    heading: str
    words: str
    """The words to show; empty where the entry's own term is to be shown."""
    line: int


class Section(msgspec.Struct, frozen=True):
    """The text under one ``#`` or ``##`` heading; the text before the first heading has an empty one."""

    heading: str
    text: str
    """Markdown, without the heading itself."""
    line: int
    """The line of the heading; the text begins on the next (for an empty heading: on this one)."""

    @property
    def first_line(self) -> int:
        """The line on which the text begins."""
        return self.line + bool(self.heading)


class Choice(msgspec.Struct, frozen=True):
    """One answer to a question, with the reason why it is right or wrong."""

    text: str
    right: bool
    explanation: str
    line: int


class Question(msgspec.Struct, frozen=True):
    """One check-yourself question."""

    text: str
    choices: tuple[Choice, ...]
    line: int


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A falsifiable sentence, and the lab that measures it."""

    says: str
    lab: str
    id: str = ""
    """The lab's name for the sentence; the findings about it go by this name. Empty where the lab is to come."""


class Block(msgspec.Struct, frozen=True):
    """One fenced code block."""

    language: str
    text: str
    line: int
    """The first line of the code, after the fence."""
    closed: bool


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the glossary."""

    slug: str
    title: str
    path: str
    """Where the file is, for messages."""
    origin: Origin = "shipped"
    digest: str = ""
    """Of the file's bytes; a changed digest means that everything made from the entry is stale."""
    aliases: tuple[str, ...] = ()
    topic: str = ""
    kind: str = ""
    level: int = 0
    one_line: str = ""
    needs: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    contrast: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    """``family/preset knob=value ...``; several are a group, trained one after another."""
    lab: str = ""
    play: str = ""
    code: str = ""
    claims: tuple[Claim, ...] = ()
    sources: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    headings: tuple[str, ...] = ()
    """All headings of any depth, in order; what ``[[slug#Heading]]`` may name."""
    links: tuple[Link, ...] = ()
    questions: tuple[Question, ...] = ()
    blocks: tuple[Block, ...] = ()
    words: int = 0
    """Without code, formulas and questions."""
    lines: dict[str, int] = {}
    """The line of each key of the front matter."""

    @property
    def minutes(self) -> int:
        """Reading time at 200 words a minute, at least one."""
        return max(1, round(self.words / 200))

    def section(self, heading: str) -> Section | None:
        """Return the section under `heading`, if there is one."""
        return next((each for each in self.sections if each.heading == heading), None)


class Hit(msgspec.Struct, frozen=True):
    """One answer of the search."""

    slug: str
    title: str
    one_line: str
    snippet: str
    """A piece of the text; the words that matched stand between U+E000 and U+E001. Empty where the name matched."""
    why: str
    """``title``, ``also called ...``, ``in the text`` or ``spelled like ...``."""


class Prediction(msgspec.Struct, frozen=True):
    """What a learner is asked to guess before it happens."""

    question: str
    choices: tuple[str, ...]
    right: str = ""
    """The choice that comes true; empty where that depends on the run."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a walkthrough."""

    id: str
    title: str
    do: str
    """One sentence that says what to do."""
    line: int
    text: str = ""
    """Markdown to read with it."""
    go: str = ""
    """What enter opens: ``read SLUG``, ``run TARGET knob=value``, ``lab NAME``, ``play TARGET``, ``open NAME``."""
    predict: Prediction | None = None
    check: Goal | None = None
    """None where reading on is enough."""
    hints: tuple[str, ...] = ()
    afterwards: str = ""
    """The explanation, with ``{placeholders}`` for the learner's own figures (`glossary.progress`)."""


class Walkthrough(msgspec.Struct, frozen=True, kw_only=True):
    """A file of steps."""

    slug: str
    title: str
    path: str
    one_line: str = ""
    level: int = 1
    minutes: int = 0
    order: int = 0
    """Its place in the course; 0 where it has none."""
    needs: tuple[str, ...] = ()
    """Entries that it builds on."""
    text: str = ""
    """Markdown before the first step."""
    steps: tuple[Step, ...] = ()

    def step(self, id_: str) -> Step | None:
        """Return the step of that id, if there is one."""
        return next((each for each in self.steps if each.id == id_), None)

"""An entry, set as a page: headline, sections, sources, what is related; and where its links and headings stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from glossary.model import QUESTIONS, Entry, Section
from tui.render.flow import Flow, Line, broken, styled
from tui.render.markdown import Deadline, tokens_of
from tui.render.safe import one_line, safe
from tui.render.typeset import COMING, HEADING, LINK, MARKER, Destination, TooTangled, Typesetter

if TYPE_CHECKING:
    from markdown_it.token import Token

    from glossary.library import Library

MEASURE = 88
"""The widest column of text; longer rows are hard to find the way back from."""
NAMES_SHOWN = 6
"""Aliases in the headline."""
_LEVELS = {1: "for everyone", 2: "some practice needed", 3: "advanced"}
SOURCES, RELATED = "Sources", "Related"


class Place(NamedTuple):
    """A piece of a row, in columns."""

    row: int
    start: int
    end: int


class PageLink(NamedTuple):
    """Something on a page that can be opened, in the order of reading."""

    target: str
    """``slug``, ``slug#Heading`` or the address of a page on the web."""
    places: tuple[Place, ...]


class Page(NamedTuple):
    """Rows of one width, and what stands where on them."""

    rows: Sequence[Line]
    links: tuple[PageLink, ...]
    headings: tuple[tuple[str, int], ...]
    numbers: dict[int, int]
    """Of each link's key, its number among the links."""


def page_of(rows: Sequence[Line]) -> Page:
    """Return rows with their links and headings gathered."""
    places: dict[int, tuple[str, list[Place]]] = {}
    headings: list[tuple[str, int]] = []
    for number, row in enumerate(rows):
        if row.heading:
            headings.append((row.heading, number))
        for mark in row.marks:
            start, end = mark.start, mark.end
            if not row.text.isascii():
                start, end = cell_len(row.text[:start]), cell_len(row.text[:end])
            place = Place(number, start, end)
            places.setdefault(mark.key, (mark.target, []))[1].append(place)
    links = tuple(PageLink(target, tuple(found)) for target, found in places.values())
    return Page(rows, links, tuple(headings), {key: number for number, key in enumerate(places)})


def margin(width: int) -> tuple[int, int]:
    """Return the blank columns at the left of a column of text, and its width."""
    edge = 2 if width >= 48 else 1 if width >= 24 else 0
    measure = max(1, min(MEASURE, width - 2 * edge))
    return (width - measure) // 2, measure


class EntryPage:
    """The parts of an entry's page; parsed once, set for each width."""

    def __init__(self, entry: Entry, library: Library) -> None:
        """Take the entry, and the library that its links lead into."""
        self.entry = entry
        self._library = library

    def resolve(self, target: str, heading: str) -> Destination:
        """Return where a link leads; what is only planned has no target."""
        found = self._library.find(target)
        here = found is not None and found.slug == self.entry.slug
        if found is None or (here and not heading):
            return Destination(self._library.term(target), "", here)
        return Destination(self._library.term(target), found.slug + (f"#{heading}" if heading else ""), True)

    @property
    def has_questions(self) -> bool:
        """Whether the questions are shown as a quiz; else their section is text like any other."""
        return bool(self.entry.questions)

    @cached_property
    def _parsed(self) -> tuple[tuple[Section, list[Token]], ...] | None:
        """The tokens of each section; None where the text is too tangled to be set."""
        deadline = Deadline()
        try:
            return tuple((each, tokens_of(safe(each.text), deadline)) for each in self.entry.sections)
        except TooTangled:
            return None

    def body(self, width: int) -> Page:
        """Return the page up to the questions."""
        sections = takewhile(lambda each: not self._is_quiz(each[0]), self._parsed or ())
        return page_of([*self._headline(width), *self._sections(sections, width)])

    def tail(self, width: int) -> Page:
        """Return what follows the questions, and the sources."""
        parsed = self._parsed or ()
        before = sum(1 for _ in takewhile(lambda each: not self._is_quiz(each[0]), parsed))
        return page_of([*self._sections(parsed[before + 1 :], width), *self._sources(width), Line()])

    def related(self, width: int) -> Page:
        """Return the entries around this one, each with its one line; those to come last."""
        slugs = dict.fromkeys((*self.entry.contrast, *self.entry.related))
        setter = Typesetter(self.resolve)
        rows: list[Line] = []
        for slug in slugs:
            entry = self._library.find(slug)
            rows += self._neighbor(entry, setter, width) if entry is not None else []
        coming = ", ".join(safe(self._library.term(slug)) for slug in slugs if self._library.find(slug) is None)
        if coming:
            rows += plain_rows(f"To come: {coming}.", COMING, width)
        return page_of([*heading_rows(RELATED, width)[1:], *rows, Line()] if rows else [])

    def _is_quiz(self, section: Section) -> bool:
        return self.has_questions and section.heading == QUESTIONS

    def _sections(self, sections: Iterable[tuple[Section, list[Token]]], width: int) -> list[Line]:
        deadline = Deadline()
        setter = Typesetter(self.resolve, deadline.check)
        rows: list[Line] = []
        try:
            for section, tokens in sections:
                block = setter.blocks(tokens, width)
                if section.heading:
                    rows += heading_rows(section.heading, width)
                elif block:
                    rows.append(Line())
                rows += block
        except TooTangled:
            return self._as_written(width)
        return rows

    def _as_written(self, width: int) -> list[Line]:
        """Return the text of an entry that cannot be set in time."""
        rows = [
            Line(),
            *plain_rows("This page is too tangled to be set; here is its text as it was written.", "$warning", width),
        ]
        for section in self.entry.sections:
            rows += [*heading_rows(section.heading, width), *plain_rows(safe(section.text).expandtabs(4), "", width)]
        return rows

    def _headline(self, width: int) -> list[Line]:
        entry = self.entry
        rows = [Line(), *plain_rows(one_line(entry.title), "bold $accent", width)]
        if entry.one_line:
            rows += plain_rows(one_line(entry.one_line), "italic $foreground", width)
        facts = [f"level {entry.level}, {_LEVELS[entry.level]}"] if entry.level in _LEVELS else []
        facts += [one_line(entry.kind)] if entry.kind else []
        facts += [f"{entry.minutes} min"]
        facts += ["your own page"] if entry.origin == "own" else []
        rows += plain_rows(" · ".join(facts), "$text-muted", width)
        names = [one_line(each, 60) for each in _names(entry)]
        if names:
            more = len(names) - NAMES_SHOWN
            also = ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
            rows += plain_rows(f"also called {also}", "$text-muted", width)
        if self._parsed is None:
            rows += self._as_written(width)
        return rows

    def _sources(self, width: int) -> list[Line]:
        if not self.entry.sources:
            return []
        rows = heading_rows(SOURCES, width)
        indent = 2 if width >= 20 else 0
        for source in self.entry.sources:
            lines = plain_rows(one_line(source, 400), "$text-muted", width - indent)
            rows += [line.after(("  " if at else "• ")[:indent], MARKER) for at, line in enumerate(lines)]
        return rows

    def _neighbor(self, entry: Entry, setter: Typesetter, width: int) -> list[Line]:
        flow = Flow()
        if entry.slug in self.entry.contrast:
            flow.add("against ", ["$text-warning"])
        flow.add(one_line(entry.title), ["bold", LINK], setter.link_to(entry.slug))
        flow.add(f": {one_line(entry.one_line)}" if entry.one_line else "", ["$text-muted"])
        indent = 2 if width >= 20 else 0
        lines = flow.lines(width - indent)
        return [line.after(("  " if at else "• ")[:indent], MARKER) for at, line in enumerate(lines)]


def _names(entry: Entry) -> list[str]:
    """Return the aliases that say more than a plural of the title or of one before."""
    known = {entry.title.lower()}
    names: list[str] = []
    for name in entry.aliases:
        low = name.lower()
        if low not in known and low.removesuffix("s") not in known and low.removesuffix("es") not in known:
            names.append(name)
        known.add(low)
    return names


def heading_rows(words: str, width: int = MEASURE) -> list[Line]:
    """Return the rows of a section's heading, the first of them the one to jump to."""
    words = one_line(words)
    if not words:
        return [Line()]
    rows = plain_rows(words, HEADING, width)
    rows[0] = rows[0]._replace(heading=words)
    return [Line(), *rows]


def plain_rows(text: str, style: str, width: int) -> list[Line]:
    """Return text in one style, broken into rows."""
    return [styled(text[start:end], style) for start, end in broken(text, max(1, width))]

"""The planned glossary: every slug with its topic, term and level, whether its entry is written yet or not."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import msgspec

from glossary.names import slugify


class Term(msgspec.Struct, frozen=True):
    """One row of the taxonomy."""

    slug: str
    topic: str
    """The slug of the topic."""
    term: str
    """As it stands in a sentence: ``learning rate``, ``Adam / AdamW``, ``large language model (LLM)``."""
    level: int
    core: bool

    @property
    def name(self) -> str:
        """What a link shows: the part of the term that the slug was made from, or the slug in words."""
        parts = re.sub(r" \(.*\)", "", self.term).split(" / ")
        return next(
            (part for part in (" and ".join(parts), *parts) if slugify(part) == self.slug), self.slug.replace("-", " ")
        )

    @property
    def acronyms(self) -> tuple[str, ...]:
        """The short names in brackets after the term: ``LLM``."""
        return tuple(re.findall(r"[A-Za-z0-9-]+", "".join(re.findall(r"\(([A-Z][\w-]*)\)", self.term))))


class Topic(msgspec.Struct, frozen=True):
    """A topic and its slugs, in the order of the taxonomy."""

    slug: str
    title: str
    slugs: tuple[str, ...]


class Taxonomy(msgspec.Struct, frozen=True):
    """All terms by slug and all topics, in order."""

    terms: dict[str, Term]
    topics: tuple[Topic, ...]


@cache
def taxonomy() -> Taxonomy:
    """Return the taxonomy that is shipped with the package."""
    return read_taxonomy(files("glossary").joinpath("taxonomy.tsv").read_text("utf-8"))


def read_taxonomy(text: str) -> Taxonomy:
    """Return the taxonomy of a table: slug, topic, term, level, shows, core, origin, tab-separated under one header."""
    terms: dict[str, Term] = {}
    titles: dict[str, str] = {}
    for row in text.splitlines()[1:]:
        slug, topic, term, level, _, core, *_ = row.split("\t")
        title = re.sub(r"^\d+ ", "", topic)
        name = title.lower().replace(" ", "-")
        titles.setdefault(name, title)
        terms[slug] = Term(slug, name, term, int(level), core == "1")
    topics = tuple(
        Topic(name, title, tuple(slug for slug, term in terms.items() if term.topic == name))
        for name, title in titles.items()
    )
    return Taxonomy(terms, topics)

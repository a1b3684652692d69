"""All entries together: the shipped ones and the user's own, looked up by slug, title or alias."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import msgspec

from glossary.mentions import key_of
from glossary.model import Entry, Problem, Section
from glossary.names import slugify
from glossary.taxonomy import Taxonomy, Topic, taxonomy

Standing = Literal["here", "coming", "unknown"]
OWN_TOPIC = "your-own"


class Neighbors(msgspec.Struct, frozen=True):
    """The slugs around one entry, each list in its own order; an entry may stand in several."""

    needs: tuple[str, ...]
    needed_by: tuple[str, ...]
    related: tuple[str, ...]
    contrast: tuple[str, ...]
    linked_from: tuple[str, ...]


class Library:
    """The entries by slug, and what follows from them."""

    def __init__(
        self, entries: Iterable[Entry], problems: Iterable[Problem] = (), terms: Taxonomy | None = None
    ) -> None:
        """Take parsed entries; of two with one slug the first stays, the other is listed as a problem."""
        self.taxonomy = terms or taxonomy()
        found: dict[str, Entry] = {}
        wrong = list(problems)
        for entry in entries:
            if entry.slug in found:
                text = f"The slug '{entry.slug}' is taken by {found[entry.slug].path}; rename the file."
                wrong.append(Problem(entry.path, 1, "error", text))
            else:
                found[entry.slug] = entry
        self.entries: Mapping[str, Entry] = MappingProxyType(found)
        self.problems = tuple(wrong)
        """The files that could not be read, each with line and reason."""

    @classmethod
    def load(cls, own: Path | None = None, cache: Path | None = None) -> Library:
        """Return the shipped entries and those under the folder `own`; what does not parse is in `problems`.

        Args:
            own: the user's folder; it need not exist.
            cache: a folder for what was parsed, found again by content; it may be deleted at any time.
        """
        from glossary.folder import read_entries

        return cls(*read_entries(own, cache))

    def names(self) -> Iterator[tuple[str, str]]:
        """Yield every name with its slug: titles first, then aliases, then the planned terms."""
        for entry in self.entries.values():
            yield entry.title, entry.slug
            yield entry.slug, entry.slug
        for entry in self.entries.values():
            yield from ((alias, entry.slug) for alias in entry.aliases)
        for term in self.taxonomy.terms.values():
            yield term.name, term.slug
            yield from ((name, term.slug) for name in term.acronyms)

    @cached_property
    def _by_name(self) -> dict[tuple[str, ...], str]:
        found: dict[tuple[str, ...], str] = {}
        for name, slug in self.names():
            if slug in self.entries:
                found.setdefault(key_of(name), slug)
        return found

    def find(self, words: str) -> Entry | None:
        """Return the entry that a slug, title or alias means, in any number and in small or capital letters."""
        found = self.entries.get(words)
        return found or self.entries.get(self._by_name.get(key_of(words), ""))

    def locate(self, address: str) -> tuple[Entry, Section | None] | None:
        """Return entry and section of ``slug`` or ``slug#heading``, the heading in words or as a slug."""
        slug, _, heading = address.partition("#")
        entry = self.find(slug)
        if entry is None:
            return None
        wanted = slugify(heading)
        return entry, next((each for each in entry.sections if heading and slugify(each.heading) == wanted), None)

    def standing(self, target: str) -> Standing:
        """Say whether a link leads to an entry, to a planned one, or nowhere."""
        if self.find(target) is not None:
            return "here"
        return "coming" if target in self.taxonomy.terms else "unknown"

    def term(self, target: str) -> str:
        """Return the words to show for a link that brings none: ``learning rate``, ``Adam``, a title of one's own."""
        entry = self.find(target)
        slug = entry.slug if entry else target
        planned = self.taxonomy.terms.get(slug)
        return planned.name if planned else entry.title if entry else target

    def suggest(self, slug: str) -> str:
        """Return `` Did you mean 'x'?`` for the nearest slug that is written or planned; empty where none is near."""
        from difflib import get_close_matches

        near = get_close_matches(slug, [*self.entries, *self.taxonomy.terms], n=1, cutoff=0.7)
        return f" Did you mean '{near[0]}'?" if near else ""

    @cached_property
    def _incoming(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """Which entries link to a slug, and which need it."""
        linked: dict[str, list[str]] = {}
        needed: dict[str, list[str]] = {}
        for entry in self.entries.values():
            targets = (self.find(link.target) if entry.origin == "own" else None for link in entry.links)
            slugs = (found.slug if found else link.target for found, link in zip(targets, entry.links, strict=True))
            for slug in dict.fromkeys(slugs):
                if slug != entry.slug:
                    linked.setdefault(slug, []).append(entry.slug)
            for slug in entry.needs:
                needed.setdefault(slug, []).append(entry.slug)
        return linked, needed

    def backlinks(self, slug: str) -> tuple[str, ...]:
        """Return the entries whose text links to a slug, written or planned."""
        return tuple(self._incoming[0].get(slug, ()))

    def neighbors(self, slug: str) -> Neighbors:
        """Return what stands around a slug; for a planned one, who needs it and who links to it."""
        linked, needed = self._incoming
        entry = self.entries.get(slug)
        return Neighbors(
            needs=entry.needs if entry else (),
            needed_by=tuple(needed.get(slug, ())),
            related=entry.related if entry else (),
            contrast=entry.contrast if entry else (),
            linked_from=tuple(linked.get(slug, ())),
        )

    def path_to(self, slug: str) -> tuple[str, ...]:
        """Return what to read before an entry, and the entry itself last; nothing stands before what it needs.

        Planned entries are among them. Rings, which the check refuses, are cut where they close.
        """
        order: dict[str, None] = {}
        waiting: list[tuple[str, bool]] = [(slug, False)]
        open_: set[str] = set()
        while waiting:
            each, ready = waiting.pop()
            if ready:
                order[each] = None
            elif each not in order and each not in open_:
                open_.add(each)
                waiting.append((each, True))
                entry = self.entries.get(each)
                waiting += [(need, False) for need in reversed(entry.needs if entry else ())]
        return tuple(order)

    def topics(self) -> tuple[Topic, ...]:
        """Return the topics in the order of the taxonomy, planned slugs among the written; the user's own come last."""
        own = tuple(sorted(slug for slug, entry in self.entries.items() if entry.origin == "own"))
        mine = (Topic(OWN_TOPIC, "Your own", own),) if own else ()
        return self.taxonomy.topics + mine

    @cached_property
    def coming(self) -> tuple[str, ...]:
        """The slugs that are planned and have no entry yet, in the order of the taxonomy."""
        return tuple(slug for slug in self.taxonomy.terms if slug not in self.entries)

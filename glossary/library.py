"""All entries together: the shipped ones and the user's own, looked up by slug, title or alias."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType

from glossary.front import ParseProblem
from glossary.mentions import key_of
from glossary.model import Entry, Origin, Problem
from glossary.parse import ENTRY_BYTES, parse_entry
from glossary.taxonomy import Taxonomy, taxonomy


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
                taken = found[entry.slug].path
                wrong.append(
                    Problem(entry.path, 1, "error", f"The slug '{entry.slug}' is taken by {taken}; rename the file.")
                )
            else:
                found[entry.slug] = entry
        self.entries: Mapping[str, Entry] = MappingProxyType(found)
        self.problems = tuple(wrong)
        self._by_name: dict[tuple[str, ...], str] = {}
        for name, slug in self.names():
            if slug in found:
                self._by_name.setdefault(key_of(name), slug)

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

    def find(self, words: str) -> Entry | None:
        """Return the entry that a slug, title or alias means, in any number and in small or capital letters."""
        found = self.entries.get(words)
        return found or self.entries.get(self._by_name.get(key_of(words), ""))

    def suggest(self, slug: str) -> str:
        """Return `` Did you mean 'x'?`` for the nearest slug that is written or planned; empty where none is near."""
        near = get_close_matches(slug, [*self.entries, *self.taxonomy.terms], n=1, cutoff=0.7)
        return f" Did you mean '{near[0]}'?" if near else ""

    @classmethod
    def load(cls, own: Path | None = None, shipped: Traversable | None = None) -> Library:
        """Return the shipped entries and those under the folder `own`; what does not parse is in `problems`."""
        entries: list[Entry] = []
        problems: list[Problem] = []
        folders: list[tuple[Traversable, Origin]] = [(shipped or files("glossary").joinpath("entries"), "shipped")]
        if own is not None:
            folders.append((own, "own"))
        for folder, origin in folders:
            for path, file in _markdown(folder):
                try:
                    entries.append(parse_entry(_read(file), path, origin))
                except ParseProblem as problem:
                    problems.append(Problem(path, problem.line, "error", problem.reason))
                except OSError as error:
                    problems.append(Problem(path, 0, "error", f"Cannot be read: {error.strerror}."))
        return cls(entries, problems)


def _read(file: Traversable) -> bytes:
    with file.open("rb") as opened:
        return opened.read(ENTRY_BYTES + 1)


def _markdown(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    """Yield the Markdown files under a folder with their paths in it, in order of name; hidden ones are left out."""
    if not folder.is_dir():
        return
    for each in sorted(folder.iterdir(), key=lambda each: each.name):
        path = f"{prefix}{each.name}"
        if each.name.startswith("."):
            continue
        if each.is_dir():
            yield from _markdown(each, path + "/")
        elif each.name.endswith(".md"):
            yield path, each

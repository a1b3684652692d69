"""The lists around a page, in words: the library at its left, what is related at its right, what it needs on top."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from textual.content import Content

from tui.render.safe import safe

if TYPE_CHECKING:
    from glossary.library import Library
    from glossary.model import Entry

Row = tuple[str, Content, bool]
"""Id, text, and whether it cannot be chosen."""


def library_lines(
    library: Library, read: Collection[str], marked: Collection[str], wanted: str, here: str
) -> list[Row]:
    """Return the entries by topic, those with `wanted` in a name alone where it is not empty; `here` is pointed at."""
    wanted = wanted.strip().lower()
    rows: list[Row] = []
    for topic in library.topics():
        written = [library.entries[slug] for slug in topic.slugs if slug in library.entries]
        found = [each for each in written if any(wanted in name.lower() for name in (each.title, *each.aliases))]
        if not found:
            continue
        rows.append((f"topic:{topic.slug}", Content.styled(safe(topic.title), "$text-muted bold"), True))
        rows += [_entry_line(each, each.slug in read, each.slug in marked, each.slug == here) for each in found]
        coming = len(topic.slugs) - len(written)
        if coming and not wanted:
            rows.append((f"coming:{topic.slug}", Content.styled(f"  {coming} more to come", "$text-disabled"), True))
    return rows or [("none", Content.styled("No entry has that in its name.", "$text-muted"), True)]


def _entry_line(entry: Entry, read: bool, marked: bool, here: bool) -> Row:
    text = Content.assemble(
        ("› " if here else "  ", "$accent"),
        (safe(entry.title), "bold" if here else ""),
        (" ★" if marked else "", "$warning"),
        (" ✓" if read else "", "$success"),
    )
    return entry.slug, text, False


def related_lines(entry: Entry, library: Library) -> list[Row]:
    """Return what is related to an entry, each with its one line; what is still to be written comes last, dimmed."""
    slugs = dict.fromkeys((*entry.contrast, *entry.related))
    rows = [_related_line(library.entries[slug], slug in entry.contrast) for slug in slugs if slug in library.entries]
    coming = ", ".join(safe(library.term(slug)) for slug in slugs if slug not in library.entries)
    return [*rows, ("coming", Content.styled(f"to come: {coming}", "$text-disabled"), True)] if coming else rows


def _related_line(entry: Entry, against: bool) -> Row:
    words = Content.assemble(
        ("compare  " if against else "", "$warning"),
        (safe(entry.title), "bold"),
        "\n",
        (safe(entry.one_line), "$text-muted"),
    )
    return entry.slug, words, False


def reader_crumbs(entry: Entry, library: Library, read: Collection[str]) -> Content:
    """Return topic and title, and what the entry needs, with a sign at what was read."""
    topic = next((each.title for each in library.topics() if each.slug == entry.topic), entry.topic)
    needs = [
        (
            f"{', ' if at else ''}{safe(library.term(slug))}{' ✓' if slug in read else ''}",
            "$success" if slug in read else "$text-muted",
        )
        for at, slug in enumerate(entry.needs)
    ]
    return Content.assemble(
        (" ‹ Read   ", "$text-muted"),
        (f"{safe(topic)} / ", "$text-muted"),
        (safe(entry.title), "bold"),
        ("   needs " if needs else "", "$text-muted"),
        *needs,
    )

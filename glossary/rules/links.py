"""Links between entries: they lead somewhere, go both ways, and stand at the first use of a term in a section."""

from __future__ import annotations

import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from glossary.mentions import Mention, Mentions
from glossary.model import QUESTIONS, Entry, Section
from glossary.names import slugify
from glossary.prose import LINK, line_at, prose
from glossary.rules.base import Findings, Inquiry, at_key, problem

NOT_READ = (QUESTIONS, "Further reading")
"""Sections in which a term need not be a link."""
_LABEL = re.compile(r"\*\*[^*\n]+(?:\n[^*\n]+)?\*\*")
_RUN = re.compile(r"\*?\b\w+ ?/ ?(?:quick|real|standard|paper|fine-tune)\b\*?")
_LOWER_HEADING = re.compile(r"^#{1,6} .*$", re.MULTILINE)
_ADDRESS = re.compile(r"\]\([^)\s]*\)|https?://\S+")


def check_targets(entry: Entry, inquiry: Inquiry) -> Findings:
    """Yield links in the text and in the front matter that lead nowhere; those to planned entries are counted."""
    library = inquiry.library
    for link in entry.links:
        found = library.find(link.target) if entry.origin == "own" else library.entries.get(link.target)
        if found is None and link.target in library.taxonomy.terms:
            inquiry.coming["entry"] += 1
        elif found is None:
            yield problem(entry, link.line, f"[[{link.target}]] leads nowhere.{library.suggest(link.target)}")
        elif found.slug == entry.slug and not link.heading:
            yield problem(entry, link.line, f"[[{link.target}]] links the entry to itself.")
        elif link.heading and slugify(link.heading) not in map(slugify, found.headings):
            yield problem(entry, link.line, f"[[{link.target}#{link.heading}]]: {found.slug} has no such heading.")
    for key in ("needs", "related", "contrast"):
        slugs: tuple[str, ...] = getattr(entry, key)
        for slug in slugs:
            if slug == entry.slug:
                yield at_key(entry, key, "the entry names itself.")
            elif slugs.count(slug) > 1:
                yield at_key(entry, key, f"'{slug}' stands here twice.")
            elif slug not in library.entries and slug in library.taxonomy.terms:
                inquiry.coming["entry"] += 1
            elif slug not in library.entries:
                yield at_key(entry, key, f"'{slug}' is no entry.{library.suggest(slug)}")


def check_both_ways(entry: Entry, inquiry: Inquiry) -> Findings:
    """Yield relations that the other entry does not return."""
    for key in ("related", "contrast"):
        for slug in getattr(entry, key):
            other = inquiry.library.entries.get(slug)
            if other is not None and other.slug != entry.slug and entry.slug not in getattr(other, key):
                yield at_key(entry, key, f"'{slug}' does not name {entry.slug} as {key} in return.")


def check_cycles(inquiry: Inquiry) -> Findings:
    """Yield one problem where the needs of the entries form a ring."""
    entries = inquiry.library.entries
    graph = {
        slug: [need for need in entry.needs if need in entries and need != slug] for slug, entry in entries.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        ring: list[str] = error.args[1]
        yield at_key(entries[ring[0]], "needs", f"a ring: {' needs '.join(reversed(ring))}.")


def check_first_uses(entry: Entry, inquiry: Inquiry) -> Findings:
    """Yield terms with an entry that are used in a section before, or without, being a link there."""
    for section in entry.sections:
        if section.heading in NOT_READ:
            continue
        for mention in unlinked(entry, section, inquiry.mentions):
            if mention.slug in inquiry.library.entries:
                words = " ".join(section.text[mention.start : mention.end].split())
                line = line_at(section.text, mention.start, section.first_line)
                where = section.heading or "the beginning"
                yield problem(
                    entry, line, f"'{words}' is not a link to [[{mention.slug}]] at its first use in {where}."
                )


def unlinked(entry: Entry, section: Section, mentions: Mentions) -> Iterator[Mention]:
    """Yield the first mention of each term in a section where it is not a link; the entry's own term is left out."""
    text = prose(section.text)
    linked: dict[str, int] = {}
    for found in LINK.finditer(text):
        linked.setdefault(found["target"].strip(), found.start())
    seen = {entry.slug}
    for mention in mentions.find(linkable(text)):
        if mention.slug not in seen and linked.get(mention.slug, len(text)) > mention.start:
            yield mention
        seen.add(mention.slug)


def linkable(text: str) -> str:
    """Return a prose text with all blanked in which no link may be set.

    These are links, bold labels, lower headings, addresses, and names of runs (``*gpt / quick*``).
    """
    for pattern in (LINK, _LABEL, _RUN, _LOWER_HEADING, _ADDRESS):
        text = pattern.sub(lambda found: re.sub(r"[^\n]", "\x00", found[0]), text)
    return text

"""The form of an entry: keys of the front matter, headings and their order, what each kind requires, length."""

from __future__ import annotations

import re
from itertools import pairwise

from glossary.model import QUESTIONS, Entry, Section
from glossary.rules.base import Findings, Inquiry, at_key, problem

AGAINST = "<X> against <Y>"
HEADINGS = (
    "In one sentence", "Why it matters", "How it works", "Worked example", "The maths", "In practice", "Try it",
    "Common mistakes", AGAINST, "FAQ", "Career relevance", QUESTIONS, "Further reading",
)  # fmt: skip
ALWAYS = ("In one sentence", "Why it matters", "How it works", "Common mistakes", QUESTIONS, "Further reading")
_ABOUT_A_FIELD = ("In practice", "FAQ", "Career relevance")
_WORKED = ("Worked example", "In practice")
_BUILT = ("Worked example", AGAINST, "In practice")
BY_KIND = {
    "field": _ABOUT_A_FIELD, "practice": _ABOUT_A_FIELD,
    "idea": _WORKED, "technique": _WORKED, "measure": _WORKED, "loss": _WORKED,
    "architecture": _BUILT, "model": _BUILT,
    "data": ("In practice",), "hardware": ("In practice",),
}  # fmt: skip
FEWEST_WORDS, MOST_WORDS = 250, 1200
ONE_LINE = 110
MISTAKES = 3
RELATED = 8
GENERIC = frozenset((
    "model", "step", "data", "map", "network", "networks", "learning", "training", "example", "thing", "number",
    "value", "unit", "input", "output",
))  # fmt: skip


def check_keys(entry: Entry, inquiry: Inquiry) -> Findings:
    """Yield what is wrong with the front matter by itself."""
    for key in ("title", "topic", "kind", "level", "one_line", "sources"):
        if key not in entry.lines or not getattr(entry, key):
            yield at_key(entry, key, "this key is missing.")
    term = inquiry.library.taxonomy.terms.get(entry.slug)
    if term is None:
        yield problem(entry, 1, f"The slug '{entry.slug}' does not stand in the taxonomy.")
    else:
        if entry.topic and entry.topic != term.topic:
            yield at_key(entry, "topic", f"the taxonomy says '{term.topic}'.")
        if entry.level and entry.level != term.level:
            yield at_key(entry, "level", f"the taxonomy says {term.level}.")
    if entry.path != f"{entry.topic}/{entry.slug}.md":
        yield at_key(entry, "topic", f"the file should lie at {entry.topic}/{entry.slug}.md.")
    if entry.kind and entry.kind not in BY_KIND:
        yield at_key(entry, "kind", f"'{entry.kind}' is none of {', '.join(BY_KIND)}.")
    if entry.level and entry.level not in (1, 2, 3):
        yield at_key(entry, "level", "a level is 1, 2 or 3.")
    yield from _one_line(entry)
    yield from _aliases(entry, inquiry)
    yield from _sources(entry)


def _one_line(entry: Entry) -> Findings:
    if len(entry.one_line) > ONE_LINE:
        yield at_key(entry, "one_line", f"{len(entry.one_line)} characters, at most {ONE_LINE}.")
    if entry.one_line and not entry.one_line.endswith("."):
        yield at_key(entry, "one_line", "a full sentence ends with a period.")
    if "[[" in entry.one_line or "$" in entry.one_line:
        yield at_key(entry, "one_line", "plain words only, no links and no formulas.")


def _aliases(entry: Entry, inquiry: Inquiry) -> Findings:
    for alias in entry.aliases:
        if alias.lower() in GENERIC:
            yield at_key(entry, "aliases", f"'{alias}' is an everyday word.")
        other = inquiry.library.find(alias)
        if other is not None and other.slug != entry.slug:
            yield at_key(entry, "aliases", f"'{alias}' also means {other.slug} ({other.path}).")
    keys = [alias.lower() for alias in entry.aliases]
    for alias in sorted({alias for alias in keys if keys.count(alias) > 1}):
        yield at_key(entry, "aliases", f"'{alias}' stands here twice.", "warning")


def _sources(entry: Entry) -> Findings:
    for source in entry.sources:
        if not re.search(r"\b(1[6-9]|20)\d\d\b", source):
            yield at_key(entry, "sources", f"'{source}' has no year; a source is author, year, title.")


def check_headings(entry: Entry, inquiry: Inquiry) -> Findings:
    """Yield headings that are unknown, twice or out of order, required ones that are missing, and empty sections."""
    places: list[tuple[int, Section]] = []
    for section in entry.sections:
        name = AGAINST if re.fullmatch(r"\S.* against \S.*", section.heading) else section.heading
        if name not in HEADINGS:
            yield problem(
                entry, section.line, f"Unknown heading '{section.heading or '(text before the first heading)'}'."
            )
            continue
        places.append((HEADINGS.index(name), section))
        if not section.text.strip():
            yield problem(entry, section.line, f"The section '{section.heading}' is empty.")
    for (before, first), (after, second) in pairwise(places):
        if after == before:
            yield problem(entry, second.line, f"The heading '{second.heading}' stands here twice.")
        elif after < before:
            yield problem(entry, second.line, f"'{second.heading}' has to stand before '{first.heading}'.")
    present = {HEADINGS[place] for place, _ in places}
    for heading in required(entry):
        if heading not in present:
            yield problem(entry, 1, f"The section '{heading}' is missing (kind {entry.kind}, level {entry.level}).")


def required(entry: Entry) -> tuple[str, ...]:
    """Return the headings that an entry of this kind and level has to have, in order."""
    wanted = {*ALWAYS, *BY_KIND.get(entry.kind, ())}
    if entry.kind in ("architecture", "model") and entry.level >= 2:
        wanted.add("The maths")
    if entry.run or entry.lab or entry.play:
        wanted.add("Try it")
    return tuple(heading for heading in HEADINGS if heading in wanted)


def check_length(entry: Entry, inquiry: Inquiry) -> Findings:
    """Yield an entry that is too short or too long, and lists that are."""
    if not FEWEST_WORDS <= entry.words <= MOST_WORDS:
        yield problem(entry, 1, f"{entry.words} words; an entry has {FEWEST_WORDS} to {MOST_WORDS}.")
    if len(entry.related) > RELATED:
        yield at_key(entry, "related", f"{len(entry.related)} entries, at most {RELATED}.")
    if len(entry.related) < 2:
        yield at_key(entry, "related", "fewer than two.", "warning")
    mistakes = entry.section("Common mistakes")
    if mistakes is not None:
        items = re.findall(r"^[-*] +(.*)$", mistakes.text, re.MULTILINE)
        if len(items) < MISTAKES:
            yield problem(entry, mistakes.line, f"{len(items)} common mistakes, at least {MISTAKES}.")
        if not all(item.startswith("**") for item in items):
            yield problem(entry, mistakes.line, "A common mistake begins with its symptom in bold.", "warning")


def check_dates(entry: Entry, inquiry: Inquiry) -> Findings:
    """Yield dated figures that are missing where a kind of entry is made of them."""
    practice = entry.section("In practice")
    if entry.kind in ("data", "hardware") and practice is not None and not re.search(r"\b20\d\d\b", practice.text):
        yield problem(entry, practice.line, "Figures about data and hardware carry their year.")

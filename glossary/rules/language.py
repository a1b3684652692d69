"""The language of an entry: no em-dashes, American spelling, dated facts, no raw HTML, no invisible characters."""

from __future__ import annotations

import re
import unicodedata

from glossary.model import QUESTIONS, Entry, Problem, Section
from glossary.prose import line_at, prose
from glossary.rules.base import EM_DASH, Findings, Inquiry, at_key, problem

_STEMS = (
    "optimi normali generali initiali regulari tokeni summari organi recogni minimi maximi visuali speciali memori "
    "capitali emphasi parameteri quanti reali utili vectori categori penali discreti standardi synchroni randomi "
    "factori"
)
_BRITISH = re.compile(
    r"\b(?:\w*(?:"
    + "|".join(_STEMS.split())
    + r")s(?:e|ed|es|er|ers|ing|ation|ations)|analys(?:e|ed|es|ing)|behaviours?|"
    r"colou?rs?(?<=our)|colours?|favou?r(?<=our)\w*|neighbour\w*|cent(?:re|res)|label(?:led|ling)|model(?:led|ling)|artefacts?|grey|"
    r"travell(?:ed|ing)|cancell(?:ed|ing)|judgement|whilst|learnt|maths'|honour\w*|flavour\w*|licence|defence|catalogue)\b",
    re.IGNORECASE,
)
_AGING = re.compile(
    r"\b(?:today|nowadays|currently|at present|recently|state[- ]of[- ]the[- ]art|cutting[- ]edge|these days)\b",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_HOLLOW = re.compile(
    r"\b(?:delv(?:e|es|ing)|game[- ]chang\w+|revolutioni[sz]\w+|unlock(?:s|ing)? the|tapestry|in today's world|"
    r"seamless\w*|leverages|leveraging)\b",
    re.IGNORECASE,
)
_HTML = re.compile(r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>\n]*)?/?>")


def check_language(entry: Entry, inquiry: Inquiry) -> Findings:
    """Yield words and characters that an entry should do without."""
    for key in ("title", "one_line"):
        if EM_DASH in getattr(entry, key):
            yield at_key(entry, key, "an em-dash; write a comma, a colon or two sentences.")
    for section in entry.sections:
        yield from _characters(entry, section)
        text = prose(section.text)
        for found in _BRITISH.finditer(text):
            yield _at(entry, section, found.start(), f"'{found[0]}' is not American spelling.")
        for found in _HOLLOW.finditer(text):
            yield _at(entry, section, found.start(), f"'{found[0]}' says nothing; use plain words.")
        for found in _HTML.finditer(text):
            yield _at(entry, section, found.start(), f"{found[0]} would vanish as HTML; write it as `code`.")
        if section.heading != QUESTIONS:
            yield from _aging(entry, section, text)


def _characters(entry: Entry, section: Section) -> Findings:
    for offset, each in enumerate(section.text):
        if each == EM_DASH:
            yield problem(
                entry,
                line_at(section.text, offset, section.first_line),
                "An em-dash; write a comma, a colon or two sentences.",
            )
        elif each not in "\n" and unicodedata.category(each) in ("Cc", "Cf", "Cs", "Co"):
            yield problem(
                entry, line_at(section.text, offset, section.first_line), f"The invisible character U+{ord(each):04X}."
            )


def _aging(entry: Entry, section: Section, text: str) -> Findings:
    for found in _AGING.finditer(text):
        start = text.rfind("\n\n", 0, found.start()) + 1
        end = text.find("\n\n", found.end())
        if not _YEAR.search(text, start, end if end >= 0 else len(text)):
            yield _at(entry, section, found.start(), f"'{found[0]}' ages; give the year in the same paragraph.")


def _at(entry: Entry, section: Section, offset: int, text: str) -> Problem:
    return problem(entry, line_at(section.text, offset, section.first_line), text, "warning")

"""Reading one entry: front matter, sections, links, check-yourself questions and code blocks.

The grammar is that of ``entries/``; a user's own entry may do without front matter, and then takes its title from its
first heading or its file name.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from pathlib import PurePath

import msgspec

from glossary.front import ParseProblem, convert, read_yaml, split_front
from glossary.model import QUESTIONS, Block, Choice, Claim, Entry, Link, Origin, Question, Section
from glossary.names import LONGEST, printable, slugify
from glossary.prose import LINK, count_words, fences, without_code, without_formulas

ENTRY_BYTES = 256 * 1024
VAULT_KEYS = frozenset(
    ("tags", "tag", "date", "created", "updated", "modified", "author", "id", "publish", "cssclasses")
)
"""Keys that other programs write into a user's notes; they say nothing here."""

_HEADING = re.compile(r"^(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$", re.MULTILINE)
_QUESTION = re.compile(r"^ {0,3}\d{1,3}[.)]\s+(.*)$")
_CHOICE = re.compile(r"^\s*[-*]\s+\[([ xX])\]\s+(.*)$")
_EXPLANATION = re.compile(r"\*\((.*)\)\.?\*\.?$", re.DOTALL)


class Front(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of the front matter; `run` is one string or a list of them."""

    title: str = ""
    aliases: list[str] = []
    topic: str = ""
    kind: str = ""
    level: int = 0
    one_line: str = ""
    needs: list[str] = []
    related: list[str] = []
    contrast: list[str] = []
    run: str | list[str] = ""
    lab: str = ""
    play: str = ""
    code: str = ""
    claims: list[Claim] = []
    sources: list[str] = []


def parse_entry(data: bytes, path: str, origin: Origin = "shipped") -> Entry:
    """Return the entry that a file holds; the slug is the file's name.

    Raises:
        ParseProblem: it is too long, no UTF-8, or its front matter is missing (shipped entries) or wrong.
    """
    front_text, body, first_line = split_front(decode(data))
    if front_text is None and origin == "shipped":
        raise ParseProblem(1, "An entry begins with front matter between two lines of ---.")
    front, lines = read_front(front_text or "", origin)
    bare = without_code(body)
    reading = without_formulas(bare)
    sections, headings, words = split_sections(body, bare, reading, first_line)
    stem = PurePath(path).stem
    questions = (question for each in sections if each.heading == QUESTIONS for question in find_questions(each))
    return Entry(
        slug=slugify(stem),
        title=_title(front.title, sections, stem),
        path=path,
        origin=origin,
        digest=blake2b(data, digest_size=16).hexdigest(),
        aliases=tuple(front.aliases),
        topic=front.topic,
        kind=front.kind,
        level=front.level,
        one_line=printable(front.one_line),
        needs=tuple(front.needs),
        related=tuple(front.related),
        contrast=tuple(front.contrast),
        run=(front.run,) if isinstance(front.run, str) and front.run else tuple(front.run),
        lab=front.lab,
        play=front.play,
        code=front.code,
        claims=tuple(front.claims),
        sources=tuple(front.sources),
        sections=sections,
        headings=headings,
        links=find_links(body, reading, first_line),
        questions=tuple(questions),
        blocks=find_blocks(body, first_line),
        words=words,
        lines=lines,
    )


def read_front(text: str, origin: Origin) -> tuple[Front, dict[str, int]]:
    """Return the front matter and the line of each key, where it begins on the second line of the file.

    Raises:
        ParseProblem: no YAML, an unknown key or a wrong type.
    """
    if not text.strip():
        return Front(), {}
    data, where = read_yaml(text, 2)
    if origin == "own" and isinstance(data, dict):
        data = {key: value for key, value in data.items() if key not in VAULT_KEYS}
    return convert(data, where, Front), {str(path[0]): line for path, line in where.items() if len(path) == 1}


def decode(data: bytes) -> str:
    """Return the text of a file, its line ends as newlines.

    Raises:
        ParseProblem: more than `ENTRY_BYTES`, or no UTF-8.
    """
    if len(data) > ENTRY_BYTES:
        raise ParseProblem(1, f"The file has {len(data):,} bytes; an entry has at most {ENTRY_BYTES:,}.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParseProblem(data.count(b"\n", 0, error.start) + 1, "This is no UTF-8 text.") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _title(given: str, sections: tuple[Section, ...], stem: str) -> str:
    first = next((each.heading for each in sections if each.heading), "")
    words = stem.replace("-", " ").replace("_", " ").strip()
    return printable(given or first or words[:1].upper() + words[1:] or "Untitled")[:LONGEST]


def split_sections(
    body: str, bare: str, reading: str, first_line: int
) -> tuple[tuple[Section, ...], tuple[str, ...], int]:
    """Return the sections (headings of depth 1 and 2), all headings of any depth, and the number of words to read.

    Args:
        body: the text.
        bare: the same with its code blanked, so that a comment in it is no heading.
        reading: the same with its formulas blanked as well.
        first_line: the line of the file on which the text begins.
    """
    sections: list[Section] = []
    headings: list[str] = []
    words = at = 0
    heading, start, line = "", 0, first_line
    for found in [*_HEADING.finditer(bare), None]:
        if found is not None:
            headings.append(printable(body[found.start(2) : found.end(2)]))
            if len(found[1]) > 2:
                continue
        end = found.start() if found else len(body)
        text = body[start:end]
        if heading or text.strip():
            sections.append(Section(heading, text.rstrip() + "\n", line))
        words += count_words(reading[start:end]) if heading != QUESTIONS else 0
        if found is not None:
            heading, start = headings[-1], min(found.end() + 1, len(body))
            line, at = line + body.count("\n", at, end), end
    return tuple(sections), tuple(headings), words


def find_links(body: str, reading: str, first_line: int = 1) -> tuple[Link, ...]:
    """Return the links of a text that stand neither in code nor in a formula (both blanked in `reading`)."""
    links: list[Link] = []
    at, line = 0, first_line
    for found in LINK.finditer(reading):
        line += body.count("\n", at, found.start())
        at = found.start()
        target, heading, words = (" ".join(body[slice(*found.span(part))].split()) for part in (1, 2, 3))
        if target:
            links.append(Link(target, heading, words, line))
    return tuple(links)


def find_blocks(body: str, first_line: int = 1) -> tuple[Block, ...]:
    """Return the fenced code blocks of a text, with their lines in the file."""
    return tuple(msgspec.structs.replace(block, line=block.line + first_line - 1) for _, _, block in fences(body))


def find_questions(section: Section) -> tuple[Question, ...]:
    """Return the numbered questions of a section with the choices under each."""
    found: list[tuple[int, list[str], list[tuple[int, bool, list[str]]]]] = []
    target: list[str] | None = None
    for line, text in enumerate(section.text.split("\n"), section.first_line):
        question, choice = _QUESTION.match(text), _CHOICE.match(text)
        if question:
            target = [question[1]]
            found.append((line, target, []))
        elif choice and found:
            target = [choice[2]]
            found[-1][2].append((line, choice[1] != " ", target))
        elif target is not None and text.strip():
            target.append(text.strip())
    return tuple(
        Question("\n".join(words).strip(), tuple(_choice(*each) for each in choices), line)
        for line, words, choices in found
    )


def _choice(line: int, right: bool, words: list[str]) -> Choice:
    text = " ".join(words).strip()
    at = text.rfind("*(")
    explanation = _EXPLANATION.match(text, at) if at >= 0 else None
    if explanation is None:
        return Choice(text, right, "", line)
    return Choice(text[:at].strip(), right, explanation[1].strip(), line)

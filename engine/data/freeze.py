"""Freeze a folder of Markdown entries into gzipped texts: the corpora ``glossary`` and ``glossary-questions``.

``python -m engine.data.freeze glossary/entries engine/data/glossary-v1.txt.gz``
``python -m engine.data.freeze --questions glossary/entries engine/data/glossary-questions-v1.txt.gz``

The engine never imports the glossary: a corpus comes to it as such a file, and a new one gets a new name, so that
editing an entry moves no figure. Code, formulas, headings, sources and markup are left out; what stays are sentences,
in ASCII.
Questions with their answers make a text of their own, which the first one does not hold.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import sys
from collections.abc import Callable
from pathlib import Path

from engine.data.plain import plain

LEFT_OUT = {"Further reading", "Check yourself", "FAQ"}
"""Sections that hold references, quizzes and questions, no running prose."""

FAQ = re.compile(r"^\*\*(.+?\?)\*\*\s+(.+?)\s*(?=^\*\*[^*]+\?\*\*|\Z)", re.DOTALL | re.MULTILINE)
"""A question in bold type, and all up to the next one."""

RIGHT = re.compile(r"- \[x\]\s+(.+?)\s+\*\((?:Yes[:,.]\s*)?(.+?)\)\*\s*(?=- \[|\Z)", re.DOTALL)
"""The right choice of a quiz question, and why it is right."""

_MARKUP = (
    (re.compile(r"\[\[[^\]|]*\|([^\]]*)\]\]"), r"\1"),  # [[slug|words]]
    (re.compile(r"\[\[([^\]|#]*)(?:#[^\]]*)?\]\]"), lambda match: match[1].replace("-", " ")),  # [[slug]]
    (re.compile(r"!?\[([^\]]*)\]\([^)]*\)"), r"\1"),  # [words](address)
    (re.compile(r"\$[^$\n]*\$"), ""),  # a formula within a line
    (re.compile(r"`([^`]*)`"), r"\1"),
    (re.compile(r"(\*\*|\*|__)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (re.compile(r"^\s*(?:[-*+]|\d+\.)\s+"), ""),
    (re.compile(r"\s+"), " "),
)


def freeze(folder: Path, text_of: Callable[[str], str]) -> str:
    """Return what `text_of` finds in every entry below `folder`, in ASCII, a blank line between entries.

    They come in the order of a hash of their names, so that the end of the text, which validation takes, is a random
    sample.
    """
    paths = sorted(folder.rglob("*.md"), key=lambda path: hashlib.sha256(path.stem.encode()).digest())
    texts = (text_of(path.read_text(encoding="utf-8")) for path in paths)
    return plain("\n".join(text for text in texts if text))


def prose(markdown: str) -> str:
    """Return the sentences of one entry, one paragraph a line, its title first."""
    front, body = _front_matter(markdown)
    lines = [front[key] for key in ("title", "one_line") if key in front]
    for heading, text in _sections(body):
        if heading not in LEFT_OUT:
            lines += _paragraphs(text)
    return "\n".join(lines) + "\n"


def questions(markdown: str) -> str:
    """Return the questions of one entry, each with its answer: the FAQ, and the quiz with its right choices."""
    _, body = _front_matter(markdown)
    found: list[tuple[str, str]] = []
    for heading, text in _sections(body):
        if heading == "FAQ":
            found += [(_plain(asked), _plain(answer)) for asked, answer in FAQ.findall(text)]
        elif heading == "Check yourself":
            found += _quiz(text)
    return "\n".join(f"Question: {asked}\nAnswer: {answer}\n" for asked, answer in found)


def _quiz(text: str) -> list[tuple[str, str]]:
    """Return the questions of a quiz, each with its right choice and the reason."""
    found = []
    for question in re.split(r"^\d+\.\s+", text, flags=re.MULTILINE)[1:]:
        asked, _, choices = question.partition("- [")
        right = RIGHT.search(f"- [{choices.strip()}")
        if right and _plain(right[1]):
            why = _plain(right[2])
            found.append((_plain(asked), f"{_plain(right[1])} {why[0].upper()}{why[1:]}"))
    return found


def _sections(body: str) -> list[tuple[str, str]]:
    """Return heading and text of every section; what stands before the first has none."""
    parts = (section.partition("\n") for section in re.split(r"^## +", body, flags=re.MULTILINE))
    return [(heading.strip(), text) for heading, _, text in parts]


def _front_matter(markdown: str) -> tuple[dict[str, str], str]:
    """Return the simple fields between the first two ``---`` lines, and what follows."""
    match = re.match(r"---\n(.*?)\n---\n", markdown, flags=re.DOTALL)
    if not match:
        return {}, "\n" + markdown
    fields = (line.partition(": ") for line in match[1].splitlines())
    return {key: value.strip().strip('"') for key, _, value in fields if value}, markdown[match.end() :]


def _paragraphs(text: str) -> list[str]:
    """Return the paragraphs and list items of a section, each on one line, without code, tables and formulas."""
    text = re.sub(r"^(```|~~~).*?^\1[^\n]*$", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"\$\$.*?\$\$", "", text, flags=re.DOTALL)
    text = re.sub(r"^\s*\|.*$", "", text, flags=re.MULTILINE)
    pieces = re.split(r"\n\s*\n|\n(?=\s*(?:[-*+]|\d+\.)\s)", text)
    return [sentence for piece in pieces if (sentence := _plain(piece))]


def _plain(piece: str) -> str:
    """Return a paragraph without its markup."""
    piece = piece.replace("\n", " ").strip()
    for pattern, replacement in _MARKUP:
        piece = pattern.sub(replacement, piece)
    return piece.strip()


def main(arguments: list[str]) -> int:
    """Write one corpus; the arguments are the folder and the file, perhaps ``--questions`` before them."""
    text_of = prose
    if arguments[:1] == ["--questions"]:
        text_of, arguments = questions, arguments[1:]
    if len(arguments) != 2:
        print("usage: python -m engine.data.freeze [--questions] FOLDER FILE.txt.gz", file=sys.stderr)
        return 2
    text = freeze(Path(arguments[0]), text_of)
    Path(arguments[1]).write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    print(f"{len(text):,} characters, {len(set(text))} different, SHA-256 {hashlib.sha256(text.encode()).hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

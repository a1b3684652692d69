"""Freeze the prose of a folder of Markdown entries into one gzipped text, the corpus ``glossary``.

``python -m engine.data.freeze glossary/entries engine/data/glossary-v1.txt.gz``

The engine never imports the glossary: a corpus comes to it as this file, and a new one gets a new name, so that editing
an entry moves no figure. Code, formulas on lines of their own, headings, sources and markup are left out; what stays
are sentences.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import sys
from pathlib import Path

LEFT_OUT = {"Further reading", "Check yourself"}
"""Sections that hold references and quizzes, no running prose."""

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


def freeze(folder: Path) -> str:
    """Return the prose of every entry below `folder`, a blank line between entries.

    They come in the order of a hash of their names, so that the end of the text, which validation takes, is a random
    sample.
    """
    paths = sorted(folder.rglob("*.md"), key=lambda path: hashlib.sha256(path.stem.encode()).digest())
    return "\n".join(prose(path.read_text(encoding="utf-8")) for path in paths)


def prose(markdown: str) -> str:
    """Return the sentences of one entry, one paragraph a line, its title first."""
    front, body = _front_matter(markdown)
    lines = [front[key] for key in ("title", "one_line") if key in front]
    for section in re.split(r"^## +", body, flags=re.MULTILINE):
        heading, _, text = section.partition("\n")
        if heading.strip() not in LEFT_OUT:
            lines += _paragraphs(text)
    return "\n".join(lines) + "\n"


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
    return [plain for piece in pieces if (plain := _plain(piece))]


def _plain(piece: str) -> str:
    """Return a paragraph without its markup."""
    piece = piece.replace("\n", " ").strip()
    for pattern, replacement in _MARKUP:
        piece = pattern.sub(replacement, piece)
    return piece.strip()


def main(arguments: list[str]) -> int:
    """Write the corpus; the two arguments are the folder and the file."""
    if len(arguments) != 2:
        print("usage: python -m engine.data.freeze FOLDER FILE.txt.gz", file=sys.stderr)
        return 2
    text = freeze(Path(arguments[0]))
    Path(arguments[1]).write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    print(f"{len(text):,} characters, {len(set(text))} different")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

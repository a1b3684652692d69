"""Code in the colors of the theme."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.cells import chop_cells
from textual.content import Content, Span

from tui.render import python_code
from tui.render.flow import Line, dealt, to_content
from tui.render.safe import safe

if TYPE_CHECKING:
    from pygments.lexer import Lexer

LARGEST = 16 * 1024
"""Characters of a text in another language than Python that are colored: some grammars take time that grows faster."""
PYTHON = frozenset({"py", "python", "python3", "pyi"})
LEXERS = {
    "json": "json",
    "jsonl": "json",
    "toml": "toml",
    "yaml": "yaml",
    "yml": "yaml",
    "sh": "bash",
    "bash": "bash",
    "shell": "bash",
    "console": "console",
    "ini": "ini",
    "diff": "diff",
    "sql": "sql",
    "c": "c",
    "cpp": "cpp",
    "cuda": "cuda",
    "js": "javascript",
}
"""The languages beside Python that are colored, by the name that an author or a file's ending gives them."""
BACKGROUND = "on $panel"
NUMBERS = "$text-disabled"
CONTINUED = "↳ "

_STYLES: tuple[tuple[str, str], ...] = (
    ("Token.Comment", "italic $text-muted"),
    ("Token.Literal.String.Doc", "italic $text-muted"),
    ("Token.Literal.String", "$text-success"),
    ("Token.Literal.Number", "$text-warning"),
    ("Token.Keyword.Constant", "$text-warning"),
    ("Token.Keyword", "$text-primary"),
    ("Token.Operator.Word", "$text-primary"),
    ("Token.Name.Function", "bold $text-accent"),
    ("Token.Name.Class", "bold $text-accent"),
    ("Token.Name.Decorator", "$text-accent"),
    ("Token.Name.Tag", "$text-primary"),
    ("Token.Name.Builtin", "$text-secondary"),
    ("Token.Generic.Deleted", "$text-error"),
    ("Token.Generic.Inserted", "$text-success"),
)
"""Kinds of token and their styles; the first whose name begins the token's name counts."""


@lru_cache(maxsize=512)
def _style(token: str) -> str:
    return next((style for name, style in _STYLES if token.startswith(name)), "")


@lru_cache(maxsize=16)
def _lexer(language: str) -> Lexer | None:
    """Return the lexer of a language; None where it is not colored."""
    name = LEXERS.get(language.lower())
    if name is None:
        return None
    from pygments.lexers import get_lexer_by_name

    lexer: Lexer = get_lexer_by_name(name, stripnl=False, ensurenl=False)
    return lexer


@lru_cache(maxsize=64)
def code_lines(text: str, language: str) -> tuple[Line, ...]:
    """Return the lines of a program, colored; tabs become blanks, control characters become visible."""
    text = safe(text).expandtabs(4)
    lines: list[Line] = []
    words: list[str] = []
    spans: list[Span] = []
    at = 0
    for style, piece, ends in _pieces(text, language):
        if piece:
            if style:
                spans.append(Span(at, at + len(piece), style))
            words.append(piece)
            at += len(piece)
        if ends:
            lines.append(Line("".join(words), tuple(spans)))
            words, spans, at = [], [], 0
    return (*lines, Line("".join(words), tuple(spans)))


def _pieces(text: str, language: str) -> Iterator[tuple[str, str, bool]]:
    """Yield style and text of each word, cut at the ends of lines, and whether a line ends after it."""
    for kind, value in _tokens(text, language):
        style = _style(kind)
        *lines, last = value.split("\n")
        for line in lines:
            yield style, line, True
        yield style, last, False


def _tokens(text: str, language: str) -> Iterator[tuple[str, str]]:
    """Yield kind and text of each word; all of it as one where the language is not colored."""
    if language.lower() in PYTHON:
        yield from python_code.pieces(text)
        return
    lexer = _lexer(language) if len(text) <= LARGEST else None
    if lexer is None:
        yield "", text
        return
    for kind, value in lexer.get_tokens(text):
        yield str(kind), value


def highlight(text: str, language: str, numbers: bool = False) -> Content:
    """Return a program in the colors of the theme, with the numbers of its lines where they are wanted.

    Args:
        text: of any origin; control characters are made visible.
        language: a name or the ending of a file's name; an unknown one is shown plain.
        numbers: whether each line begins with its number.
    """
    lines = code_lines(text.rstrip("\n"), language)
    if numbers:
        room = len(str(len(lines)))
        lines = tuple(line.after(f"{number:>{room}}  ", NUMBERS) for number, line in enumerate(lines, 1))
    return to_content(lines)


def set_code(text: str, language: str, width: int) -> list[Line]:
    """Return a program on a ground of its own, `width` columns wide; longer lines go on, marked, on the next row."""
    lines = code_lines(text.rstrip("\n"), language)
    longest = max((line.width for line in lines), default=0)
    air = " " if width >= 20 else ""
    # A width without bound is that of a card: there the ground is as wide as the longest line.
    width = min(width, longest + 2 * len(air)) if width >= 1000 else width
    room = width - 2 * len(air)
    rows = [row for line in lines for row in _cut(line, room)]
    return [row.after(air).filled(width, style=BACKGROUND) for row in rows]


def _cut(line: Line, width: int) -> Iterator[Line]:
    """Yield a line in rows of at most `width` columns."""
    if line.width <= width:
        yield line
        return
    rows: list[tuple[int, int]] = []
    start = 0
    continued = CONTINUED if width > len(CONTINUED) + 4 else ""
    while start < len(line.text):
        end = _row_end(line.text, start, width - len(continued) * bool(start))
        rows.append((start, end))
        start = end
    for (start, end), spans in zip(rows, dealt(line.spans, rows), strict=True):
        cut = tuple(Span(max(s.start, start) - start, min(s.end, end) - start, s.style) for s in spans)
        yield Line(line.text[start:end], cut).after(continued if start else "", NUMBERS)


def _row_end(text: str, start: int, width: int) -> int:
    """Return where the row that begins at `start` ends: after a blank in its last third, else where it is full."""
    piece = text[start : start + width]
    if not piece.isascii():
        piece = chop_cells(piece, width)[0]
    if start + len(piece) < len(text):
        blank = piece.rfind(" ", len(piece) * 2 // 3)
        if blank >= 0:
            return start + blank + 1
    return start + max(1, len(piece))

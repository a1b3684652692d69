"""Code in the colors of the theme."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.cells import chop_cells
from textual.content import Content, Span

from tui.render.flow import Line, to_content
from tui.render.safe import safe

if TYPE_CHECKING:
    from pygments.lexer import Lexer

LARGEST = 256 * 1024
"""Characters that are colored; a longer text is shown plain."""
LEXERS = {
    "py": "python",
    "python": "python",
    "python3": "python",
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
    "csv": "text",
    "diff": "diff",
    "sql": "sql",
    "c": "c",
    "cpp": "cpp",
    "cuda": "cuda",
    "js": "javascript",
}
"""The languages that are colored, by the name that an author or a file's ending gives them."""
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
    if name is None or name == "text":
        return None
    if name == "python":
        from pygments.lexers.python import PythonLexer

        return PythonLexer(stripnl=False, ensurenl=False)
    from pygments.lexers import get_lexer_by_name

    lexer: Lexer = get_lexer_by_name(name, stripnl=False, ensurenl=False)
    return lexer


@lru_cache(maxsize=64)
def code_lines(text: str, language: str) -> tuple[Line, ...]:
    """Return the lines of a program, colored; tabs become blanks, control characters become visible."""
    text = safe(text).expandtabs(4)
    lexer = _lexer(language) if len(text) <= LARGEST else None
    if lexer is None:
        return tuple(Line(line) for line in text.split("\n"))
    lines: list[Line] = []
    words: list[str] = []
    spans: list[Span] = []
    at = 0
    for style, piece, ends in _pieces(text, lexer):
        if piece:
            if style:
                spans.append(Span(at, at + len(piece), style))
            words.append(piece)
            at += len(piece)
        if ends:
            lines.append(Line("".join(words), tuple(spans)))
            words, spans, at = [], [], 0
    return (*lines, Line("".join(words), tuple(spans)))


def _pieces(text: str, lexer: Lexer) -> Iterator[tuple[str, str, bool]]:
    """Yield style and text of each token, cut at the ends of lines, and whether a line ends after it."""
    for kind, value in lexer.get_tokens(text):
        style = _style(str(kind))
        *lines, last = value.split("\n")
        for line in lines:
            yield style, line, True
        yield style, last, False


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
    start = 0
    while start < len(line.text):
        prefix = CONTINUED if start and width > len(CONTINUED) + 4 else ""
        end = _row_end(line.text, start, width - len(prefix))
        spans = tuple(
            Span(max(span.start, start) - start, min(span.end, end) - start, span.style)
            for span in line.spans
            if span.start < end and span.end > start
        )
        yield Line(line.text[start:end], spans).after(prefix, NUMBERS)
        start = end


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

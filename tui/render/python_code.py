"""The words of Python, told apart for coloring.

One pass, linear in the length of any text, and nothing to import: entries and the code behind them are Python, and the
first page that is opened should not wait for a library of five hundred languages.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator

_CONSTANTS = frozenset({"True", "False", "None", "NotImplemented", "Ellipsis"})
_KEYWORDS = frozenset(keyword.kwlist) - _CONSTANTS
_BUILTINS = frozenset(name for name in dir(builtins) if not name.startswith("_"))
_OWN = frozenset({"self", "cls"})

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)
    |(?P<text>(?:[rbfu]|[rbf]{2})?(?:\"{3}[^"\\]*(?:(?:\\.|\"{1,2}(?!\"))[^"\\]*)*(?:\"{3}|\\?\Z)
             |'{3}[^'\\]*(?:(?:\\.|'{1,2}(?!'))[^'\\]*)*(?:'{3}|\\?\Z)
             |\"[^"\\\n]*(?:\\.[^"\\\n]*)*\"?|'[^'\\\n]*(?:\\.[^'\\\n]*)*'?))
    |(?P<number>\b(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|\d[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?\d+)?j?)\b
               |\.\d[\d_]*(?:[eE][+-]?\d+)?\b)
    |(?P<decorator>^[ \t]*@[\w.]+)
    |(?P<word>[^\W\d]\w*)
    |(?P<other>[^\w\#"'@.]+|.|\n)""",
    re.VERBOSE | re.MULTILINE | re.DOTALL | re.IGNORECASE,
)


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """Yield the text in pieces, each after its kind, named as Pygments names them; empty for what has no color."""
    before = ""
    for found in _TOKEN.finditer(text):
        piece = found[0]
        match found.lastgroup:
            case "comment":
                yield "Token.Comment", piece
            case "text":
                yield ("Token.Literal.String" if before or piece[-3:] not in ('"""', "'''") else _doc(piece)), piece
            case "number":
                yield "Token.Literal.Number", piece
            case "decorator":
                yield "Token.Name.Decorator", piece
            case "word":
                yield _word(piece, before), piece
            case _:
                yield "", piece
        # A text that stands by itself on its line is a docstring, so what was before it on the line matters.
        if found.lastgroup == "other":
            before = (before + piece)[-8:].strip() if "\n" not in piece else ""
        else:
            before = piece


def _doc(piece: str) -> str:
    return "Token.Literal.String.Doc" if len(piece) > 3 else "Token.Literal.String"


def _word(word: str, before: str) -> str:
    if before == "def":
        return "Token.Name.Function"
    if before == "class":
        return "Token.Name.Class"
    if word in _KEYWORDS:
        return "Token.Keyword"
    if word in _CONSTANTS:
        return "Token.Keyword.Constant"
    if word in _OWN:
        return "Token.Name.Builtin.Pseudo"
    return "Token.Name.Builtin" if word in _BUILTINS and not before.endswith(".") else ""

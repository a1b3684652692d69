"""The LaTeX of formulas, read into a tree.

The subset is what entries use: symbols, scripts, fractions, roots, accents, delimiters that grow, matrices, cases and
text. One pass over the tokens, with a limit on length and on nesting, so that no formula can take long or end the app.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui.render.maths_symbols import (
    ACCENTS,
    ALPHABETS,
    CHARACTERS,
    IGNORED,
    LIMITED,
    MATRICES,
    NAMES,
    SPACES,
    SYMBOLS,
    Kind,
    in_alphabet,
)

LONGEST = 2_000
"""Characters of a formula; the longest that is shipped has fewer than a tenth of them."""
DEEPEST = 24
"""Groups within groups."""

_TOKEN = re.compile(r"\\(?:[A-Za-z]+|.|$)|\s+|.", re.DOTALL)


class FormulaProblem(ValueError):
    """A formula that cannot be set: an unknown command, a brace that is missing, too much of it."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """One character or name."""

    text: str
    kind: Kind = "ordinary"
    limits: bool = False
    """Whether what is above and below it are limits, not scripts."""


@dataclass(frozen=True, slots=True)
class Space:
    """An explicit space; 0 columns mean that the author left a blank, which counts between factors only."""

    width: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """Things beside one another."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Fraction:
    """One thing over another."""

    top: Node
    bottom: Node
    ruled: bool = True
    """A binomial coefficient has no rule."""


@dataclass(frozen=True, slots=True)
class Root:
    """A root, square where `index` is None."""

    body: Node
    index: Node | None = None


@dataclass(frozen=True, slots=True)
class Scripts:
    """A base with something below, above or both."""

    base: Node
    below: Node | None = None
    above: Node | None = None


@dataclass(frozen=True, slots=True)
class Accent:
    """A mark over (or under) something."""

    mark: str
    name: str
    body: Node


@dataclass(frozen=True, slots=True)
class Fence:
    """Delimiters that grow with what they enclose; an empty one is not shown."""

    left: str
    right: str
    body: Node


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of cells between delimiters."""

    left: str
    right: str
    rows: tuple[tuple[Node, ...], ...]
    centered: bool


Node = Symbol | Space | Row | Fraction | Root | Scripts | Accent | Fence | Grid
EMPTY = Row(())


def parse(latex: str) -> Row:
    """Return the tree of a formula.

    Raises:
        FormulaProblem: it is too long, nested too deeply, not closed, or names a command that is not known.
    """
    if len(latex) > LONGEST:
        raise FormulaProblem(f"The formula has {len(latex):,} characters; at most {LONGEST:,} are set.")
    return _Parser(latex).whole()


class _Parser:
    """Recursive descent over the tokens of one formula."""

    def __init__(self, latex: str) -> None:
        self._tokens = _TOKEN.findall(latex)
        self._at = 0
        self._depth = 0

    def whole(self) -> Row:
        row = self._row()
        if self._peek():
            raise FormulaProblem(f"'{self._peek()}' has no beginning.")
        return row

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        if not token:
            raise FormulaProblem("The formula ends too early.")
        self._at += 1
        return token

    def _skip_blanks(self) -> None:
        while self._peek().isspace():
            self._at += 1

    def _row(self) -> Row:
        """Read up to what closes the group: a brace, the end of a cell or row, of a fence, of an environment."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise FormulaProblem(f"The formula is nested more than {DEEPEST} deep.")
        items: list[Node] = []
        while (token := self._peek()) and token not in ("}", "&", "\\\\", "\\right", "\\end"):
            if token.isspace():
                self._at += 1
                if items and not isinstance(items[-1], Space):
                    items.append(Space())
            else:
                items.extend(self._item())
        self._depth -= 1
        while items and items[-1] == Space():
            items.pop()
        return Row(tuple(items))

    def _item(self) -> list[Node]:
        """Read one thing with its scripts; commands without effect give nothing."""
        base = EMPTY if self._peek() in ("^", "_", "'") else self._atom()
        below: Node | None = None
        above: Node | None = None
        while True:
            at = self._at
            self._skip_blanks()
            token = self._peek()
            if token == "'":
                primes = 0
                while self._peek() == "'":
                    self._at, primes = self._at + 1, primes + 1
                above = _joined(above, Symbol("′" * primes))
            elif token == "_" and below is None:
                self._at += 1
                below = self._argument()
            elif token == "^" and (above is None or _is_prime(above)):
                self._at += 1
                above = _joined(above, self._argument())
            elif token in ("^", "_"):
                raise FormulaProblem(f"Two '{token}' at one symbol; set braces.")
            elif token in ("\\limits", "\\nolimits"):
                self._at += 1
            else:
                self._at = at
                break
        if below is None and above is None:
            return [] if base is EMPTY else [base]
        return [Scripts(base, below, above)]

    def _argument(self) -> Node:
        self._skip_blanks()
        return self._group() if self._peek() == "{" else self._atom()

    def _group(self) -> Node:
        self._skip_blanks()
        if self._next() != "{":
            raise FormulaProblem("A '{' is missing.")
        row = self._row()
        if self._peek() != "}":
            raise FormulaProblem("A '}' is missing.")
        self._at += 1
        return row.items[0] if len(row.items) == 1 else row

    def _atom(self) -> Node:
        token = self._peek()
        if token == "{":
            return self._group()
        self._next()
        if token.startswith("\\"):
            return self._command(token[1:])
        if token in ("}", "&", "^", "_"):
            raise FormulaProblem(f"'{token}' has nothing to stand on.")
        return Symbol(*CHARACTERS.get(token, (token, "ordinary")))

    def _command(self, name: str) -> Node:
        if name in SYMBOLS:
            text, kind = SYMBOLS[name]
            self._swallow_blank(name)
            return Symbol(text, kind, kind == "large")
        if name in NAMES:
            self._swallow_blank(name)
            return Symbol(name, "name", name in LIMITED)
        if name in SPACES or name == "":
            return Space(SPACES.get(name, 1))
        if name in IGNORED:
            self._swallow_blank(name)
            return EMPTY
        return self._construct(name)

    def _swallow_blank(self, name: str) -> None:
        if name.isalpha():
            self._skip_blanks()

    def _construct(self, name: str) -> Node:
        if name in ("frac", "dfrac", "tfrac", "binom"):
            fraction = Fraction(self._argument(), self._argument(), name != "binom")
            return fraction if fraction.ruled else Fence("(", ")", fraction)
        if name == "sqrt":
            return self._root()
        if name in ("text", "textrm", "textbf", "textit", "mbox"):
            return Symbol(self._raw())
        if name in ALPHABETS:
            self._swallow_star(name)
            return _in_alphabet(self._argument(), name)
        if name in ACCENTS:
            return Accent(ACCENTS[name], name, self._argument())
        if name == "left":
            return self._fence()
        if name == "begin":
            return self._grid()
        raise FormulaProblem(f"The command '\\{name}' is not known.")

    def _swallow_star(self, name: str) -> None:
        if name == "operatorname" and self._peek() == "*":
            self._at += 1

    def _root(self) -> Node:
        self._skip_blanks()
        index: Node | None = None
        if self._peek() == "[":
            self._at += 1
            inside: list[Node] = []
            while self._peek() != "]":
                self._skip_blanks()
                inside.extend(self._item())
            self._at += 1
            index = Row(tuple(inside))
        return Root(self._argument(), index)

    def _raw(self) -> str:
        """Return the text of a group as it stands."""
        self._skip_blanks()
        if self._next() != "{":
            raise FormulaProblem("A '{' is missing.")
        depth = 1
        words: list[str] = []
        while True:
            token = self._next()
            depth += (token == "{") - (token == "}")
            if not depth:
                return " ".join("".join(words).replace("\n", " ").split(" "))
            if token not in ("{", "}", "$"):
                words.append(token[1:] if token.startswith("\\") else " " if token.isspace() else token)

    def _delimiter(self) -> str:
        self._skip_blanks()
        token = self._next()
        if token == ".":
            return ""
        if token.startswith("\\"):
            if token[1:] not in SYMBOLS:
                raise FormulaProblem(f"'{token}' is no delimiter.")
            return SYMBOLS[token[1:]][0]
        return token

    def _fence(self) -> Node:
        left = self._delimiter()
        body = self._row()
        if self._peek() != "\\right":
            raise FormulaProblem("A '\\left' has no '\\right'.")
        self._at += 1
        return Fence(left, self._delimiter(), body)

    def _grid(self) -> Node:
        name = self._raw().rstrip("*")
        if name not in MATRICES:
            raise FormulaProblem(f"The environment '{name}' is not known.")
        if name == "array":
            self._raw()
        rows: list[list[Node]] = [[self._row()]]
        while (token := self._next()) != "\\end":
            if token == "&":
                rows[-1].append(self._row())
            elif token == "\\\\":
                rows.append([self._row()])
            else:
                raise FormulaProblem(f"'{token}' has no beginning.")
        if self._raw().rstrip("*") != name:
            raise FormulaProblem(f"The environment '{name}' is not closed.")
        if len(rows) > 1 and rows[-1] == [EMPTY]:
            rows.pop()
        left, right = MATRICES[name]
        return Grid(left, right, tuple(tuple(row) for row in rows), name not in ("cases", "aligned"))


def _joined(first: Node | None, second: Node) -> Node:
    return second if first is None else Row((first, second))


def _is_prime(node: Node) -> bool:
    return isinstance(node, Symbol) and node.text.startswith("′")


def _in_alphabet(node: Node, alphabet: str) -> Node:
    """Return letters in another alphabet, several of them as one name."""
    items = node.items if isinstance(node, Row) else (node,)
    letters = [item.text for item in items if isinstance(item, Symbol)]
    if len(letters) < sum(not isinstance(item, Space) for item in items):
        return node
    return Symbol(in_alphabet("".join(letters), alphabet))

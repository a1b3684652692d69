"""Tokens of Markdown, set into rows of a given width."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import count
from typing import NamedTuple

from markdown_it.token import Token

from tui.render import code, maths
from tui.render.flow import NO_BREAK, Flow, Line, styled
from tui.render.safe import safe
from tui.render.table import set_table

UNBOUNDED = 4_096
"""A width that stands for none: every paragraph is one row."""
NARROWEST = 10
"""Columns below which nothing is indented any more."""
LONGEST_TOGETHER = 14
"""Columns of a formula within the text that is not broken at the end of a row."""

CODE = "$foreground on $panel"
FORMULA = "$text-accent"
LINK = "$primary"
COMING = "$text-muted"
MARKER = "$accent"
RULE = "$surface-lighten-3"
HEADING = "bold $primary"
WIDEST_TABLE = 64
"""Columns of a table; more fit no screen."""
_SENTENCE_END = re.compile(r"[.?!]\s$|^\s$")
_BULLETS = "•◦▪"
_STYLES = {"strong_open": "bold", "em_open": "italic", "s_open": "strike"}


class TooTangled(Exception):
    """A text that takes too long to parse or set; it is shown as it was written."""


class Destination(NamedTuple):
    """Where a link leads, and what it shows where the author gave no words."""

    words: str
    target: str
    """Empty where there is nothing to open."""
    known: bool
    """Whether the entry is there already; one that is coming is dimmed."""


Resolve = Callable[[str, str], Destination]
"""From a link's target and heading to where it leads."""


class Typesetter:
    """Sets blocks one under another. Each link gets a key of its own, the same on all rows that it touches."""

    def __init__(self, resolve: Resolve, look: Callable[[], None] = lambda: None) -> None:
        """Ask `resolve` where links lead, and call `look` at each block (it may raise `TooTangled`)."""
        self._resolve = resolve
        self._look = look
        self._keys = count()

    def blocks(self, tokens: Sequence[Token], width: int, *, tight: bool = False, depth: int = 0) -> list[Line]:
        """Return the rows of blocks, a blank row between two (none in a tight list)."""
        rows: list[Line] = []
        at = 0
        while at < len(tokens):
            self._look()
            token = tokens[at]
            end = _end(tokens, at)
            block = self._block(token, tokens[at + 1 : end], width, depth)
            if rows and block and not (tight and token.type != "formula_block"):
                rows.append(Line())
            rows += block
            at = end + 1
        return rows

    def _block(self, token: Token, inside: Sequence[Token], width: int, depth: int) -> list[Line]:
        match token.type:
            case "paragraph_open":
                return self.flow(inside[0]).lines(width)
            case "heading_open":
                return self._heading(token, inside[0], width)
            case "bullet_list_open" | "ordered_list_open":
                return self._list(inside, width, depth, ordered=token.type.startswith("ordered"))
            case "blockquote_open":
                return self._quote(inside, width, depth)
            case "fence" | "code_block":
                return code.set_code(token.content, token.info.split()[0] if token.info.split() else "", width)
            case "formula_block":
                return formula_rows(token.content, width)
            case "table_open":
                return self._table(inside, width)
            case "hr":
                return [styled("─" * min(width, 40), RULE)]
            case _:
                return []

    def _heading(self, token: Token, inline: Token, width: int) -> list[Line]:
        flow = self.flow(inline, "bold $foreground" if token.tag not in ("h1", "h2") else HEADING)
        words = " ".join(flow.text.split())
        return [line._replace(heading=words if not at else "") for at, line in enumerate(flow.lines(width))]

    def _list(self, inside: Sequence[Token], width: int, depth: int, *, ordered: bool) -> list[Line]:
        items: list[tuple[str, Sequence[Token]]] = []
        at = 0
        while at < len(inside):
            end = _end(inside, at)
            marker = f"{inside[at].info}." if ordered else _BULLETS[min(depth, len(_BULLETS) - 1)]
            items.append((marker, inside[at + 1 : end]))
            at = end + 1
        tight = all(token.hidden for _, item in items for token in item[:1] if token.type == "paragraph_open")
        room = max((len(marker) for marker, _ in items), default=0) + 1
        indent = room if width - room >= NARROWEST else 0
        rows: list[Line] = []
        for marker, item in items:
            if rows and not tight:
                rows.append(Line())
            lines = self.blocks(item, width - indent, tight=tight, depth=depth + 1) or [Line()]
            first = f"{marker:>{room - 1}} " if indent else ""
            rows += [line.after(" " * indent if at else first, MARKER) for at, line in enumerate(lines)]
        return rows

    def _quote(self, inside: Sequence[Token], width: int, depth: int) -> list[Line]:
        bar = "▎ " if width - 2 >= NARROWEST else ""
        lines = self.blocks(inside, width - len(bar), depth=depth)
        return [line.after(bar, "$primary") for line in lines]

    def _table(self, inside: Sequence[Token], width: int) -> list[Line]:
        rows: list[list[Flow]] = []
        aligns: list[str] = []
        heads = 0
        for at, token in enumerate(inside):
            if token.type == "tr_open":
                rows.append([])
            elif token.type in ("th_open", "td_open"):
                style = str(token.attrs.get("style", "")).removeprefix("text-align:")
                if token.type == "th_open":
                    heads = 1
                    aligns.append(style or "left")
                self._look()
                rows[-1].append(self.flow(inside[at + 1], "bold" if token.type == "th_open" else ""))
        if len(aligns) > WIDEST_TABLE:
            raise TooTangled
        return set_table(rows, aligns, width, heads)

    def flow(self, inline: Token, style: str = "") -> Flow:
        """Return the flow of one inline token, all of it in `style`."""
        flow = Flow()
        styles = [style] if style else []
        link: tuple[int, str] | None = None
        for token in inline.children or ():
            kind = token.type
            if kind == "text":
                flow.add(_words(token.content), (*styles, LINK) if link else styles, link)
            elif kind in _STYLES:
                styles.append(_STYLES[kind])
            elif kind in ("strong_close", "em_close", "s_close"):
                styles.reverse()
                styles.remove(_STYLES[kind.replace("close", "open")])
                styles.reverse()
            elif kind == "link_open":
                link = self._outside(str(token.attrs.get("href", "")))
            elif kind == "link_close":
                flow.add(" ↗" if link else "", (LINK,), link)
                link = None
            elif kind == "wiki_link":
                self._inside(token, flow, styles)
            else:
                self._other(token, flow, styles)
        return flow

    def _other(self, token: Token, flow: Flow, styles: Sequence[str]) -> None:
        """Add what is no running text: code, formulas, breaks, the words of a picture."""
        match token.type:
            case "code_inline":
                flow.add(_words(token.content), (*styles, CODE))
            case "formula":
                self._look()
                text = maths.inline(token.content)
                flow.add(text.replace(" ", NO_BREAK) if len(text) <= LONGEST_TOGETHER else text, (*styles, FORMULA))
            case "softbreak":
                flow.add(" ")
            case "hardbreak":
                flow.add("\n")
            case "image":
                flow.add(_words(f"▢ {token.content}"), (*styles, COMING))

    def _outside(self, address: str) -> tuple[int, str] | None:
        """Return key and target of a link to the web; others lead nowhere."""
        address = safe(address)
        if not address.startswith(("https://", "http://")):
            return None
        return self.link_to(address)

    def link_to(self, target: str) -> tuple[int, str]:
        """Return the key of a new link, and its target."""
        return next(self._keys), target

    def _inside(self, token: Token, flow: Flow, styles: Sequence[str]) -> None:
        target, heading, words = (safe(str(token.meta[part])) for part in ("target", "heading", "words"))
        found = self._resolve(target, heading)
        if not words:
            words = safe(found.words)
            if not flow.ending or _SENTENCE_END.search(flow.ending):
                words = words[:1].upper() + words[1:]
        link = self.link_to(found.target) if found.target else None
        flow.add(_words(words), (*styles, LINK if found.known else COMING), link)


def _words(text: str) -> str:
    """Return text on one line: what an entity hid is made visible, breaks and tabs are blanks."""
    return safe(text).replace("\n", " ").replace("\t", " ")


def _end(tokens: Sequence[Token], start: int) -> int:
    """Return the index of the token that closes the one at `start` (itself, where it opens nothing)."""
    depth = 0
    for at in range(start, len(tokens)):
        depth += tokens[at].nesting
        if depth == 0:
            return at
    return len(tokens)


def formula_rows(latex: str, width: int) -> list[Line]:
    """Return a displayed formula in the middle of the column."""
    lines = [styled(line, FORMULA) for line in maths.display(latex, width)]
    widest = max((line.width for line in lines), default=0)
    left = 4 if width >= UNBOUNDED else max(0, (width - widest) // 2)
    return [line.after(" " * left) if line.text else line for line in lines]

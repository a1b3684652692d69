"""Markdown of entries: CommonMark with tables, ``[[wiki links]]`` and formulas; and a light form of it for cards.

Raw HTML is text here. Parsing and setting together have a budget, so that no text, however tangled, holds the app up.
"""

from __future__ import annotations

import time
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from textual.content import Content

from glossary.prose import FORMULA, LINK
from glossary.taxonomy import taxonomy
from tui.render.flow import Flow, to_content
from tui.render.safe import safe
from tui.render.typeset import UNBOUNDED, Destination, TooTangled, Typesetter

BUDGET = 0.5
"""Seconds of this thread's time for parsing one text, and again for setting it; a shipped entry takes a hundredth."""
MOST_CELLS = 10_000
"""Bars in a text: a table is parsed in one go, without a look at the clock."""
_LOOK_EVERY = 64
"""Rules tried between two looks at the clock."""


class Deadline:
    """Ends a parse that takes too long; counts the thread's own time, so that a busy machine changes nothing."""

    def __init__(self, seconds: float = BUDGET) -> None:
        """Start to count."""
        self._end = time.thread_time() + seconds
        self._calls = 0

    def look(self) -> None:
        """Count one step.

        Raises:
            TooTangled: the time is over.
        """
        self._calls += 1
        if self._calls % _LOOK_EVERY == 0:
            self.check()

    def check(self) -> None:
        """Look at the clock now.

        Raises:
            TooTangled: the time is over.
        """
        if time.thread_time() > self._end:
            raise TooTangled


def tokens_of(text: str, deadline: Deadline | None = None) -> list[Token]:
    """Return the tokens of a text that is already safe.

    Raises:
        TooTangled: it takes too long, or has too many cells of tables.
    """
    if text.count("|") > MOST_CELLS:
        raise TooTangled
    return _parser().parse(text, {"deadline": deadline or Deadline()})


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.disable(["html_block", "html_inline"])
    parser.block.ruler.before("table", "deadline", _look_at_block)
    parser.block.ruler.before("table", "formula_block", _formula_block, {"alt": ["paragraph", "list", "blockquote"]})
    parser.inline.ruler.after("text", "deadline", _look_at_inline)
    parser.inline.ruler.before("link", "wiki_link", _wiki_link)
    parser.inline.ruler.before("escape", "formula", _formula)
    return parser


def _look_at_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    state.env["deadline"].look()
    return False


def _look_at_inline(state: StateInline, silent: bool) -> bool:
    state.env["deadline"].look()
    return False


def _wiki_link(state: StateInline, silent: bool) -> bool:
    if not state.src.startswith("[[", state.pos):
        return False
    found = LINK.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        token = state.push("wiki_link", "", 0)
        token.meta = {part: " ".join((found[part] or "").split()) for part in ("target", "heading", "words")}
    state.pos = found.end()
    return True


def _formula(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "$":
        return False
    found = FORMULA.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        token = state.push("formula", "", 0)
        token.content = found["display"] or found["inline"] or ""
    state.pos = found.end()
    return True


def _formula_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read from a line that begins with ``$$`` to the one that ends with it."""
    if state.is_code_block(start) or not state.src.startswith("$$", state.bMarks[start] + state.tShift[start]):
        return False
    lines: list[str] = []
    for line in range(start, end):
        lines.append(state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].strip())
        if lines[-1].endswith("$$") and (line > start or len(lines[0]) > 4):
            break
        if not lines[-1] or state.sCount[line] < state.blkIndent:
            return False
    else:
        return False
    content = "\n".join(lines)[2:-2]
    if "$$" in content:
        return False
    if not silent:
        token = state.push("formula_block", "", 0)
        token.content = content
        token.map = [start, line + 1]
        state.line = line + 1
    return True


def term_words(target: str) -> str:
    """Return what a link without words shows: the term as it stands in a sentence."""
    term = taxonomy().terms.get(target)
    return term.name if term else target.replace("-", " ")


def _unlinked(target: str, heading: str) -> Destination:
    return Destination(term_words(target), "", True)


def plain(text: str) -> Content:
    """Return a text of Markdown for a card: styled, with nothing to follow; the widget breaks its lines."""
    text = safe(text.strip())
    try:
        deadline = Deadline()
        return to_content(Typesetter(_unlinked, look=deadline.check).blocks(tokens_of(text, deadline), UNBOUNDED))
    except TooTangled:
        return Content(text)


def prepare() -> None:
    """Import and build what the first page needs; the thread that reads the library calls it, so that no page waits."""
    plain("Words, `code`, [[token]], $x^2$.\n\n```python\npass\n```")


def flow_of(text: str, typesetter: Typesetter) -> Flow:
    """Return the inline Markdown of one paragraph, as a question or a choice has it; its text where it is tangled."""
    try:
        inline = next((token for token in tokens_of(safe(text)) if token.type == "inline"), None)
        if inline is not None:
            return typesetter.flow(inline)
    except TooTangled:
        pass
    flow = Flow()
    flow.add(" ".join(safe(text).split()))
    return flow

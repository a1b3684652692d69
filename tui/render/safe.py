"""Text from outside, made harmless before it reaches the screen.

Textual and Rich hand escape sequences on to the terminal, so a run's name or a line of its log could set the clipboard
or the title, or hide what it says. `safe` makes every such character visible; `install_guards` closes the same door a
second time, inside Textual and Rich, for the string that somebody forgot.
"""

from __future__ import annotations

import re
from typing import cast

LARGEST_STACK = 4
"""Combining marks that may stand on one character; no script needs more, and a taller stack writes over other lines."""

_REPLACEMENT = "\ufffd"
_DIRECTION = "⇋"
_LINE_ENDS = "␤"
_BIDI = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x2070))
_INVISIBLE = (0xFEFF, *range(0xFFF9, 0xFFFC), *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE0080))

_TABLE: dict[int, str] = {
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"},
    0x7F: "␡",
    **dict.fromkeys(range(0x80, 0xA0), _REPLACEMENT),
    **dict.fromkeys(_BIDI, _DIRECTION),
    **dict.fromkeys((0x2028, 0x2029), _LINE_ENDS),
    **dict.fromkeys(_INVISIBLE, _REPLACEMENT),
    **dict.fromkeys(range(0xD800, 0xE000), _REPLACEMENT),
}
"""What each character that drives a terminal is shown as: C0, DEL, C1, bidi, separators, tags, lone surrogates."""

_DRIVING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
_MARK = (
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u06d6-\u06ed\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200d\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\U000e0100-\U000e01ef]"
)
_STACK = re.compile(f"({_MARK}{{{LARGEST_STACK}}}){_MARK}+")


def safe(text: str, limit: int | None = None) -> str:
    """Return `text` with every character that could drive the terminal made visible.

    Newline and tab stay; a Windows line end becomes a newline. What an escape character started is then plain letters.

    Args:
        text: anything, also with lone surrogates (file names) and unassigned characters.
        limit: the most characters to return; a cut is marked by an ellipsis as the last of them.
    """
    if limit is not None and len(text) > limit:
        text = text[: max(0, limit - 1)] + "…" if limit > 0 else ""
    if text.isascii():
        if text.isprintable():
            return text
        return (text.replace("\r\n", "\n") if "\r" in text else text).translate(_TABLE)
    if _DRIVING.search(text):
        text = text.replace("\r\n", "\n").translate(_TABLE)
    return _STACK.sub(r"\1", text)


def one_line(text: str, limit: int | None = None) -> str:
    """Return `safe` text on a single line: runs of blanks, tabs and newlines become one space."""
    # Only the head can be shown, so only the head is looked at: a name may be megabytes of newlines.
    head = text if limit is None else text[: 4 * limit + 4]
    return safe(" ".join(head.split()), limit)


def install_guards() -> None:
    """Teach the control-strip tables of Textual and Rich the same characters, in place, as a second line of defense.

    Both tables are private, so a test fails when an update moves them. What they already remove stays removed. The
    escape character goes too: styles and links are written later, by the console, and do not pass here.
    """
    import rich.control
    import textual.content

    for table in (textual.content._CONTROL_STRIP_TRANSLATE, rich.control._CONTROL_STRIP_TRANSLATE):
        for code, shown in _TABLE.items():
            cast("dict[int, str | None]", table).setdefault(code, shown)

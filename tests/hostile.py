"""Strings that drive terminals, pretend to be markup, or break what counts characters; how to tell that they did."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from rich.segment import Segment

ESCAPES = [
    "\x1b[31mred\x1b[0m",
    "\x1b[2J\x1b[H",
    "\x1b[?1049l\x1b[?25l",
    "\x1b[6n",
    "\x1b[c",
    "\x1b[>c",
    "\x1b[21t",
    "\x1b[8;1;1t",
    "\x1b[?1003h",
    "\x1b[5i",
    "\x1b]0;stolen title\x07",
    "\x1b]2;stolen title\x1b\\",
    "\x1b]52;c;cm0gLXJmIC8K\x07",
    "\x1b]8;;file:///etc/passwd\x07link\x1b]8;;\x07",
    "\x1b]4;0;rgb:00/00/00\x1b\\",
    "\x1b]9;4;1;50\x07",
    "\x1b]1337;File=inline=1:AAAA\x07",
    "\x1bP+q544e\x1b\\",
    "\x1bPq#0;2;0;0;0~\x1b\\",
    "\x1b_Gf=24,s=1,v=1;AAAA\x1b\\",
    "\x1b^private\x1b\\",
    "\x1bXstart of string\x1b\\",
    "\x1bc",
    "\x1b#8",
    "\x1b(0qqqq\x1b(B",
    "\x1b",
    "ends in an escape\x1b",
    "\x1b\x1b\x1b[[[A",
]
CONTROLS = [
    "\x9b31mred",
    "\x9d0;title\x9c",
    "\x90q\x9c",
    "\x9e\x9f\x98\x84\x85\x8d",
    "\x00\x01\x02\x03",
    "\x07\x07\x07",
    "\x08\x08\x08erased",
    "over\rwritten",
    "form\x0cfeed\x0bvertical",
    "shift\x0eout\x0fin",
    "\x7f\x7fdelete",
    "stop\x13start\x11",
    "line\u2028separator\u2029paragraph",
    "next\x85line",
]
DIRECTIONS = [
    "\u202eevil\u202c",
    "\u2066isolated\u2069\u2067\u2068",
    "user\u202e\u2066// check\u2069 \u2066",
    "\u200e\u200fmarks\u061c",
    "\ufeffbom",
    "zero\u200bwidth\u200c\u200d\u2060",
    "tags \U000e0001\U000e0041\U000e0042\U000e007f",
    "variation \ufe0f\ufe0f\ufe0e\U000e0100",
    "\ufff9annotated\ufffaby\ufffb",
    "soft\u00adhyphen",
]
LENGTHS = [
    "e" + "\u0301" * 500,
    "Z" + "".join(map(chr, range(0x300, 0x340))) + "algo",
    "\u0301 begins with a mark",
    "x" * 5000,
    "漢" * 2000,
    "👩‍👩‍👧‍👦" * 200,
    "🇩🇪🇫🇷" * 100,
    "a b " * 1500,
    "\n" * 300,
    "\t" * 300,
    "(" * 400,
    "lone \ud800 surrogate \udfff",
    "\U0010ffff\ufffe\uffff private \ue000\ue001\uf8ff",
]
MARKUP = [
    "[/]",
    "[/b]",
    "[",
    "]",
    "[]",
    "[red",
    "[bold red]bold[/bold red]",
    "[@click=app.quit]x[/]",
    "[@click=app.open('runs')]runs",
    "[link=file:///etc/passwd]x[/link]",
    "tensor[1, 2] [/b]",
    "loss [/foo]",
    "C:[/dir/x]",
    "\\[escaped\\]",
    "$primary [$accent on $error]x",
    "{} %s %(x)s {0.__class__} ${HOME}",
    "<script>alert(1)</script> &lt;b&gt; &#27;[31m &#x9b;31m",
    "**bold** _it_ `code` [a](javascript:alert(1)) ![p](file:///dev/zero)",
    "'; DROP TABLE read; --",
    '" OR title:* NEAR(a b)',
    "../../../../etc/passwd",
    "[[softmax|x]] [[../x]] $\\frac{1}{",
]
CORPUS = ESCAPES + CONTROLS + DIRECTIONS + LENGTHS + MARKUP
"""Every one of them stands in every place that text from outside may come from."""

_HARMLESS = {"\u200b", "\u200c", "\u200d", "\u2060", "\u00ad"}
"""Characters of format that move nothing: they join, part and hyphenate."""


def drives(text: str) -> str:
    """Return the characters of `text` that a terminal would obey, as escapes; empty where there are none."""
    found = {
        each for each in text if unicodedata.category(each) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and each not in _HARMLESS
    }
    return " ".join(sorted(map(ascii, found)))


def complaints(segments: Iterator[Segment]) -> list[str]:
    """Return what is wrong with what is painted: characters that drive, and actions that came out of text."""
    found = []
    for segment in segments:
        driving = drives(segment.text)
        if driving:
            found.append(f"{driving} in {segment.text!r:.60}")
        if segment.style is not None:
            found += [f"{name} in {segment.text!r:.60}" for name in segment.style.meta if name.startswith("@click")]
            if segment.style.link:
                found.append(f"a link to {segment.style.link}")
    return found

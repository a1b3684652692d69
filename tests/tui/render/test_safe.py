import sys
import unicodedata

import pytest

from tui.render.safe import LARGEST_STACK, install_guards, one_line, safe

HOSTILE = [
    "\x1b]52;c;aGk=\x07clipboard",
    "\x1b]0;title\x1b\\",
    "\x9d0;title\x9c",
    "\u202eevil\u202c",
    "a\u2028b\u2029c",
    "\ufeffbom",
    "tag\U000e0041\U000e007f",
    "lone \ud800 surrogate",
    "\x00\x7f\x85\x9b31m",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_drives_a_terminal_is_left(text):
    shown = safe(text)
    shown.encode()
    assert shown
    assert all(unicodedata.category(each) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for each in shown)


def test_every_control_and_bidi_character_of_unicode_is_replaced():
    for code in range(sys.maxunicode + 1):
        each = chr(code)
        driving = unicodedata.category(each) in {"Cc", "Cs", "Zl", "Zp"} and each not in "\n\t"
        driving |= unicodedata.bidirectional(each) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
        if driving:
            assert safe(each) != each, hex(code)


def test_ordinary_text_of_any_script_is_left_alone():
    for text in ("plain", "two\nlines\tand a tab", "Mädchen", "漢字かな", "e\u0301", "∂L/∂w ≤ 1e-3", "👩‍👩‍👧", "שלום"):
        assert safe(text) == text


def test_windows_line_ends_become_newlines_and_a_lone_return_is_shown():
    assert safe("a\r\nb\rc") == "a\nb␍c"


def test_a_stack_of_combining_marks_is_cut():
    assert safe("e" + "\u0301" * 500) == "e" + "\u0301" * LARGEST_STACK


def test_a_limit_marks_the_cut():
    assert safe("abcdef", limit=4) == "abc…"
    assert safe("abcd", limit=4) == "abcd"
    assert safe("abcd", limit=0) == ""


def test_one_line_has_no_line_ends():
    assert one_line("a\r\n\t b\x1b\n" * 3) == "a b␛ a b␛ a b␛"
    assert len(one_line("x\n" * 100_000, limit=10)) == 10


def test_guards_reach_the_tables_that_textual_and_rich_really_use():
    from rich.text import Text
    from textual.content import Content

    install_guards()
    for text in HOSTILE:
        for shown in (Content(text).plain, Text(text).plain):
            assert not any(each in shown for each in "\x1b\x07\x9b\x9c\x9d\u202e\u2028\ud800"), text
    assert Content("a\nb\tc").plain == "a\nb\tc"

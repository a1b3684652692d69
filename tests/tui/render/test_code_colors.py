"""Code in colors: every character stays, control characters are seen, nothing takes long."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tui.render import python_code
from tui.render.code import highlight, set_code


def colors(text: str, language: str, word: str) -> set[str]:
    content = highlight(text, language)
    at = content.plain.index(word)
    return {str(span.style) for span in content.spans if span.start <= at < span.end}


def test_python_is_told_apart():
    text = '@wraps\ndef go(x):\n    """Doc."""\n    return f"a" + None  # why\n'
    assert colors(text, "python", "def") == {"$text-primary"}
    assert "bold" in next(iter(colors(text, "py", "go")))
    assert colors(text, "py", '"""Doc') == {"italic $text-muted"}
    assert colors(text, "py", 'f"a"') == {"$text-success"}
    assert colors(text, "py", "None") == {"$text-warning"}
    assert colors(text, "py", "# why") == {"italic $text-muted"}
    assert colors(text, "py", "@wraps") == {"$text-accent"}


def test_every_character_of_our_own_code_comes_back():
    for path in sorted(Path(python_code.__file__).parents[2].glob("tui/**/*.py")):
        text = path.read_text("utf-8")
        assert "".join(piece for _, piece in python_code.pieces(text)) == text


@pytest.mark.parametrize("language", ["json", "toml", "yaml", "bash", "text", "no-such-language", ""])
def test_other_languages_and_none_lose_nothing(language):
    text = 'a = "b" # c\n{"k": [1, true]}'
    assert highlight(text, language).plain == text


def test_lines_are_numbered_on_request():
    assert highlight("a\n" * 10, "py", numbers=True).plain.split("\n")[8:] == [" 9  a", "10  a"]


def test_control_characters_are_seen():
    shown = highlight("x = '\x1b[31m\u202e'\t# \x07", "python").plain
    assert shown.isprintable()
    assert "␛" in shown


def test_long_lines_are_cut_to_the_width():
    rows = set_code("x = [" + "1, " * 90 + "]\n" + "漢" * 80, "python", 33)
    assert {row.width for row in rows} == {33}
    assert "".join(row.text.replace("↳", "").replace(" ", "") for row in rows).count("1,") == 90


@pytest.mark.parametrize("bomb", ["'''\"\"\"(", "'", '"\\', "@", "1.e", "0x", "a.", "[", "\n#", "f'{"])
def test_no_text_takes_long(bomb):
    start = time.thread_time()
    assert highlight(bomb * (120_000 // len(bomb)), "python").plain
    assert time.thread_time() - start < 3

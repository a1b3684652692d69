import sys

import pytest

from tests.bench.terminal import Terminal, plain


def test_what_is_seen_is_told_apart_from_what_places_it() -> None:
    assert plain(b"\x1b[?2026h\x1b[1;1H\x1b[38;2;1;2;3mLe\x1b[0marn\x1b]0;title\x07 \x1b(Bnow\x1b[?25l") == "Learn now"


def test_a_program_gets_the_size_its_keys_and_an_answer_to_its_question() -> None:
    talk = (
        "import os, sys, tty; tty.setraw(0); print(os.get_terminal_size(), flush=True); "
        "os.write(1, b'\\x1b[c'); print('answer', os.read(0, 99), flush=True); print('key', os.read(0, 1), flush=True)"
    )
    with Terminal([sys.executable, "-c", talk]) as terminal:
        asked = terminal.wait_for(lambda text: "answer b'\\x1b[?62;22c'" in text, seconds=20)
        assert asked > terminal.began
        assert "columns=120, lines=40" in terminal.text()
        mark = terminal.mark()
        sent = terminal.send("x")
        assert terminal.wait_for(lambda text: "key b'x'" in text, since=mark, seconds=20) > sent


def test_waiting_ends_with_the_program_and_says_what_came_last() -> None:
    with (
        Terminal([sys.executable, "-c", "print('something else')"]) as terminal,
        pytest.raises(TimeoutError, match="something else"),
    ):
        terminal.wait_for(lambda text: "never" in text, seconds=30)


def test_a_program_that_does_not_end_by_itself_is_ended() -> None:
    with Terminal([sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]) as terminal:
        terminal.wait_for(lambda text: "up" in text, seconds=20)
    assert terminal.program.poll() is not None

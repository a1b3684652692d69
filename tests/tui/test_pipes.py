"""Without a terminal, and in one: plain text in pipes, a line where it cannot open, no byte of data's."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from engine.core import paths
from tests import source
from tests.hostile import CORPUS
from tests.tui import hostile_world as world
from tests.tui.terminal import Terminal, foreign

VERBS = (
    ["define", "softmax"],
    ["define", "softmax", "--full"],
    ["search", "loss"],
    ["runs"],
    ["runs", "list", "--json"],
    ["data"],
    ["walk"],
    ["walk", "your-first-neural-network"],
    ["check"],
    ["doctor"],
    ["completion", "bash"],
    ["--help"],
)


def command(*words: str, shell: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``lexigrad words`` with pipes, or a shell's line in which ``lexigrad`` stands for it."""
    python = f"{sys.executable} -m tui"
    return subprocess.run(
        shell.replace("lexigrad", python) if shell else [sys.executable, "-m", "tui", *words],
        shell=bool(shell),
        cwd=source.ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("ends", ["< /dev/null", "> /dev/null", "2>&1 | cat"])
def test_the_app_needs_a_terminal_at_both_ends(ends: str) -> None:
    with Terminal(shell=f"{sys.executable} -m tui {ends}") as terminal:
        code = terminal.end()
    assert b"needs a terminal" in terminal.output and b"\x1b" not in terminal.output
    assert code == (0 if "cat" in ends else 2)


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_place_text_is_refused(term: str) -> None:
    with Terminal(TERM=term) as terminal:
        assert terminal.end() == 2
    assert b"TERM says it cannot" in terminal.output and b"\x1b" not in terminal.output
    assert len(terminal.output.splitlines()) == 2


def test_it_is_refused_in_a_second_of_work() -> None:
    done = command()
    assert done.returncode == 2
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tui"], cwd=source.ROOT, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, timeout=60,
    ).stderr  # fmt: skip
    for heavy in ("textual", "numpy", "yaml", "sqlite3", "torch"):
        assert f" {heavy}\n" not in loaded, f"{heavy} is loaded only to refuse"


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_what_is_piped_is_plain_text(words: list[str]) -> None:
    done = command(*words, TERM="xterm-256color", FORCE_COLOR="1")
    assert done.returncode in (0, 1) and "Traceback" not in done.stderr
    assert done.stdout and "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize("words", ["define softmax --full", "search loss", "data", "check", "doctor", "--help"])
def test_a_reader_that_takes_one_line_is_no_error(words: str) -> None:
    done = command(shell=f"lexigrad {words} | head -1")
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


def test_hostile_runs_and_entries_are_plain_text_in_a_pipe() -> None:
    from tests.hostile import drives

    for index, evil in enumerate(CORPUS[::6]):
        world.run_folder(paths.runs_folder() / f"r{index}", evil, family="mlp" if index % 2 else "")
        world.write(paths.entries_folder() / f"own-{index}.md", world.entry_without_front(evil))
    for words in ("runs", "runs show r1", "runs compare r1 r2", "define own-1 --full", "check", "search own"):
        done = command(*words.split())
        assert done.returncode in (0, 1), done.stderr
        assert "Traceback" not in done.stderr and "went wrong" not in done.stderr, done.stderr
        assert drives((done.stdout + done.stderr).replace("\n", "").replace("\t", "")) == "", words


def test_no_byte_of_data_drives_the_terminal() -> None:
    """The app itself, in a terminal, on a home in which everything is hostile."""
    everything = "zzq " + " ".join(each for each in CORPUS if len(each) < 100 and "\ud800" not in each)
    world.write(paths.entries_folder() / "own.md", world.entry_without_front(everything))
    world.run_folder(paths.runs_folder() / "r0", everything, family="mlp")
    world.run_folder(paths.runs_folder() / "r1", "zzr " + CORPUS[0] + CORPUS[10] + CORPUS[12], family="mlp")
    world.write(paths.entries_folder() / "bad \x1b]0;stolen title\x07.md", "---\nnever closed")
    with Terminal("--open", "read/own") as terminal:
        terminal.until(b"zzq", "the entry")
        for _ in range(6):
            terminal.type(" ")
            terminal.read(0.3)
        way = (("\x1b", "Read next"), ("u", "zzr"), ("\r", "This run failed"), ("\x1b", "zzr"), ("\x1b", "Read next"))
        for keys, shown in way:
            terminal.output, kept = b"", terminal.output
            terminal.type(keys)
            terminal.until(shown.encode(), f"after {keys!r}")
            terminal.output = kept + terminal.output
        terminal.type("\x11")
        assert terminal.end() == 0
    assert foreign(terminal.output) == []
    assert b"stolen title" in terminal.output, "the name of the bad file was told"
    for order in (b"\x1b]0;stolen", b"\x1b]52;", b"\x1b]8;;file", b"\x1b]4;", b"\x1b[21t", b"\x1b[8;1;1t", b"\x1bc"):
        assert order not in terminal.output

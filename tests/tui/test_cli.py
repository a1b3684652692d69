"""The command line as a program: exit codes, no traceback, no control characters, help in good English."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import source
from tui import cli
from tui.cli import VERBS, main


def lexigrad(*words: str, stdout: int = subprocess.PIPE, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "tui", *words],
        cwd=source.ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_a_terminal_the_app_says_so_and_ends_with_2() -> None:
    done = lexigrad()
    assert done.returncode == 2 and done.stdout == ""
    assert "needs a terminal" in done.stderr and "\x1b" not in done.stderr
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_with_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        main([verb, "--help"])
    assert leaving.value.code == 0
    said = capsys.readouterr().out
    assert "examples:" in said and f"lexigrad {verb}" in said
    assert all(len(line) <= 120 for line in said.splitlines())


def test_the_help_names_every_verb_and_no_hidden_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(f"    {verb}" in said for verb in VERBS)
    assert "\n    complete " not in said


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["rnu"], "no verb 'rnu'"),
        (["run"], "required"),
        (["play"], "required: RUN."),
        (["runs", "shwo"], "shwo"),
        (["define", "nothing-like-that-at-all"], "no entry"),
        (["--nonsense"], "nonsense"),
        (["completion", "tcsh"], "tcsh"),
    ],
)
def test_wrong_words_get_a_sentence_and_a_remedy(
    words: list[str], what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(words)
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    said = capsys.readouterr()
    assert code in (1, 2) and said.out == ""
    assert said.err.startswith("lexigrad: ") and what in said.err
    assert "Traceback" not in said.err and "usage:" not in said.err


def test_what_should_never_happen_is_one_sentence_and_the_traceback_is_in_the_log(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def act(options: argparse.Namespace) -> int:
        raise RuntimeError("broken \x1b[31mon purpose")

    monkeypatch.setattr("tui.verbs.doctor.act", act)
    assert main(["doctor"]) == 1
    said = capsys.readouterr()
    assert "Traceback" not in said.err and "\x1b" not in said.err
    assert "broken" in said.err and str(home / "app.log") in said.err
    assert "Traceback" in (home / "app.log").read_text()


def test_ctrl_c_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def act(options: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("tui.verbs.doctor.act", act)
    assert main(["doctor"]) == 130


def test_a_reader_that_has_gone_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = lexigrad("search", "loss", stdout=writing)
    finally:
        os.close(writing)
    assert done.returncode == 141 and done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="no /dev/full here")
def test_a_full_disk_behind_the_output_is_named() -> None:
    with Path("/dev/full").open("wb") as full:
        done = lexigrad("search", "loss", stdout=full.fileno())
    assert done.returncode == 1
    assert "No space left" in done.stderr and "Traceback" not in done.stderr


def test_a_terminal_of_another_encoding_ends_nothing() -> None:
    done = lexigrad("define", "neuron", "--full", PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and done.stdout.isascii()


def test_a_home_that_cannot_be_made_leaves_the_glossary_readable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = lexigrad("define", "neuron", LEXIGRAD_HOME=str(tmp_path / "file" / "home"))
    assert done.returncode == 0 and "Neuron" in done.stdout


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
@pytest.mark.parametrize(("words", "code"), [("define neuron", 0), ("define nothing-like-that-at-all", 1)])
def test_a_closed_output_ends_nothing(closed: str, words: str, code: int) -> None:
    line = f'exec "$0" -m tui {words} {closed}'
    done = subprocess.run(
        ["sh", "-c", line, sys.executable], cwd=source.ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code and "Traceback" not in done.stderr
    assert ("Neuron" in done.stdout) == (code == 0 and closed == "2>&-")


def test_the_version_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("lexigrad ")


@pytest.mark.parametrize("words", [["doctor"], ["play", "speech"]])
def test_open_and_a_verb_are_not_said_together(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--open", "read/attention", *words]) == 2
    said = capsys.readouterr()
    assert said.out == "" and f"'{words[0]}' does without it" in said.err


def test_open_names_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(cli, "open_app", lambda place="": opened.append(place) or 0)
    assert main(["--open", "read/neuron"]) == 0
    assert main(["--open", "runs"]) == 0
    assert main([]) == 0
    assert opened == ["read/neuron", "runs", ""]

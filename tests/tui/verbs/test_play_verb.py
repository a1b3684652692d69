"""Playing with a trained model from the command line, each time in a process of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.core import paths
from engine.core.events import Pictures, Points, Text
from tests.engine.play.playing import trained
from tests.tui.verbs.conftest import Cli
from tui.printed import painted, print_event, told
from tui.render.ink import Ink

TINY = {"layers": 1, "heads": 2, "width": 16, "context": 16, "batch_size": 4, "steps": 4}


@pytest.fixture
def run(home: Path) -> str:
    return trained(paths.runs_folder() / "20261128-120000-abcd", "gpt", **TINY).name


def test_the_newest_model_of_a_family_goes_on_with_a_text(cli: Cli, run: str) -> None:
    said = cli("play", "gpt", "The", "model", "--set", "length=5", "--set", "seed=2")
    assert said.code == 0, said.err
    head, *rows, text = said.out.splitlines()
    assert head == "what may come next:" and len(rows) == 11
    assert text.startswith("The model")


def test_options_may_stand_among_the_words(cli: Cli, run: str) -> None:
    settled = ("--set", "length=3", "--set", "temperature=0")
    said = [
        cli("play", "gpt", "The", "net", *settled),
        cli("play", "gpt", *settled, "The", "net"),
        cli("play", *settled, "gpt", "The", "--do", "complete", "net"),
    ]
    assert [each.code for each in said] == [0, 0, 0] and len({each.out for each in said}) == 1


def test_events_are_for_programs(run: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    from tui.cli import main

    assert main(["play", "gpt/quick", "The", "--set", "length=3", "--json"]) == 0
    lines = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert [line["k"] for line in lines] == ["table", "text"]


def test_it_says_what_can_be_done_and_told(cli: Cli, run: str) -> None:
    said = cli("play", run, "--help-plays")
    assert said.code == 0 and said.out.startswith("complete: ")
    assert "temperature" in said.out and "(the words)" in said.out


def test_what_cannot_be_is_said_in_one_sentence(cli: Cli, run: str) -> None:
    for words, says, code in (
        (("play", "cnn"), "No run of cnn has a checkpoint yet.", 1),
        (("play", "gpt", "--do", "fly"), "One cannot fly a model of gpt.", 2),
        (("play", "gpt", "--set", "temperatur=1"), "temperature", 2),
        (("play", "gpt", "--set", "temperature=-1"), "temperature", 2),
        (("play", "nothing-here"), "There is no run", 1),
    ):
        said = cli(*words)
        assert (said.code, said.out) == (code, ""), words
        assert says in said.err and "Traceback" not in said.err


def test_what_a_model_writes_cannot_drive_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_event(Text(text="\x1b[2Jgone\x07"))
    shown = capsys.readouterr().out
    assert "\x1b" not in shown and "\x07" not in shown and "gone" in shown


def test_drawings_reach_a_pipe_without_color(capsys: pytest.CaptureFixture[str]) -> None:
    print_event(Pictures(name="digits", count=1, height=2, width=2, pixels=bytes([0, 255, 255, 0])))
    print_event(Points(name="map", x=[0.0, 1.0], y=[0.0, 1.0], group=[0, 0]))
    shown = capsys.readouterr().out
    assert "digits:" in shown and "map:" in shown and "\x1b" not in shown


def test_a_drawing_leaves_its_title_on_a_low_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINES", "12")
    monkeypatch.setenv("COLUMNS", "60")
    print_event(Points(name="map", x=[0.0, 1.0], y=[0.0, 1.0], group=[0, 0]))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "map:" and len(lines) <= 12 - 2 and all(len(line) < 60 for line in lines)


def test_a_terminal_gets_the_colors_of_a_picture() -> None:
    assert painted([("▀", Ink("#ff0080", "#000000")), ("x", Ink("label"))]) == (
        "\x1b[38;2;255;0;128;48;2;0;0;0m▀\x1b[0mx"
    )


def test_an_event_that_shows_nothing_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    import sys

    assert list(told(object(), sys.stdout)) == []

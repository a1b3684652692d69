"""Playing with a trained model from the command line, each time in a process of its own."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.catalog import family
from engine.core import paths
from engine.core.errors import RunError, UsageError
from engine.core.events import Event, Failed, Finished, HeatMap, Pictures, Points, Saved, Started, Text, encode
from engine.core.recipe import Recipe, write_recipe
from engine.core.store import Run, RunStore
from tests.engine.play.playing import trained
from tests.tui.verbs.conftest import Cli
from tui.playing import Playground
from tui.printed import painted, print_event, told
from tui.render.ink import Ink
from tui.verbs.play import run_to_play, settings_from

TINY = {"layers": 1, "heads": 2, "width": 16, "context": 16, "batch_size": 4, "steps": 4}


@pytest.fixture
def run(home: Path) -> str:
    return trained(paths.runs_folder() / "20261128-120000-abcd", "gpt", **TINY).name


def untrained(name: str, *events: Event) -> Run:
    """A run of which nothing is there but its recipe and some lines of its log."""
    folder = paths.runs_folder() / name
    folder.mkdir(parents=True)
    write_recipe(Recipe(family="gpt", preset="quick", knobs=family("gpt").configure("quick").values()), folder)
    (folder / "events.jsonl").write_bytes(b"".join(encode(each) for each in events))
    return RunStore(paths.runs_folder()).open(name)


@pytest.fixture
def bare(home: Path) -> Run:
    return untrained("20261128-120000-abcd")


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
        (("play", "gpt/nosuch"), "gpt has no preset 'nosuch'.", 2),
        (("play", "cnn/"), "lexigrad run cnn/quick", 1),
        (("play", "gpt", "net", "--set", "prompt=The"), "in one way", 2),
    ):
        said = cli(*words)
        assert (said.code, said.out) == (code, ""), words
        assert says in said.err and "Traceback" not in said.err


def test_the_newest_run_that_has_a_checkpoint_is_meant(home: Path) -> None:
    older, newer, newest = (f"20261128-1{hour}0000-abcd" for hour in range(3))
    for name in (older, newer):
        untrained(name, Started(), Saved(s=1, path="checkpoints/1"))
    untrained(newest, Started())
    store = RunStore(paths.runs_folder())
    assert [run_to_play(word, store).id for word in ("gpt", "gpt/quick", "gpt/", older)] == [newer, newer, newer, older]


@pytest.mark.parametrize(
    ("of", "play", "assignments", "words", "says"),
    [
        ("transformer", "score", [], "a b", "takes no words"),
        ("gpt", "complete", ["seed=-1"], "", "seed = -1"),
        ("cnn", "classify", ["seed=1"], "", "no knob 'seed'"),
        ("speech", "transcribe", ["from=abc"], "", "no knob 'from'"),
        ("speech", "transcribe", ["example=1", "example=2"], "", "example is set 2 times"),
        ("speech", "transcribe", ["file=a.wav"], "b.wav", "by the words 'b.wav'"),
        ("speech", "transcribe", ["example=0"], "b.wav", "A file of your own"),
        ("speech", "transcribe", ["example=3", "file=b.wav"], "", "A file of your own"),
        ("transformer", "translate", ["example=3"], "a b", "A text of your own"),
    ],
)
def test_nothing_that_is_told_is_left_out_in_silence(
    of: str, play: str, assignments: list[str], words: str, says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        settings_from(family(of).play(play), assignments, words)


def test_what_goes_together_is_told_together() -> None:
    assert settings_from(family("clip").play("match"), ["example=3"], "a / b") == {"example": 3, "captions": "a / b"}
    assert settings_from(family("gpt").play(), ["seed=1,000"], "") == {"seed": 1_000}


class Recorder:
    """Stands in for a playground: keeps how it was opened, and what had been written when each event was made."""

    opened: list[str]
    written: list[int]
    raw: io.BytesIO

    def __init__(self, run: Run, *, device: str) -> None:
        self.opened.append(device)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *error: object) -> None: ...

    def ask(self, play: str, settings: dict[str, object]) -> Iterator[Text]:
        for text in "abc":
            self.written.append(self.raw.getvalue().count(b"\n"))
            yield Text(text=text)


def test_a_program_reads_each_event_as_it_comes_from_a_model_on_the_cpu(
    bare: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    Recorder.opened, Recorder.written, Recorder.raw = [], [], io.BytesIO()
    monkeypatch.setattr("tui.verbs.play.Playground", Recorder)
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BufferedWriter(Recorder.raw)))
    from tui.cli import main

    assert main(["play", bare.id, "--json"]) == main(["play", bare.id, "--device", "mps"]) == 0
    assert Recorder.opened == ["cpu", "mps"] and Recorder.written[:3] == [0, 1, 2]


ANSWERS = """
import sys
print("said beside", file=sys.stderr, flush=True)
for line in sys.stdin:
    print({answer!r}, flush=True)
"""


def playground(run: Run, answer: Event) -> Playground:
    """A playground whose child answers everything by that event."""
    script = ANSWERS.format(answer=encode(answer).decode().strip())
    return Playground(run, command=(sys.executable, "-c", script))


def test_a_failed_play_says_what_to_do_or_where_the_details_are(bare: Run) -> None:
    log = bare.folder / "play.log"
    for known, remedy in (("Mend it.", "Mend it."), ("", f"See {log}.")):
        with playground(bare, Failed(what="It broke.", remedy=known)) as opened, pytest.raises(RunError) as failed:
            list(opened.ask("", {}))
        assert (failed.value.what, failed.value.remedy) == ("It broke.", remedy)
    assert log.read_text() == "said beside\n"


def test_one_can_play_where_no_log_can_be_written(bare: Run) -> None:
    (bare.folder / "play.log").mkdir()
    with playground(bare, Finished()) as opened:
        assert list(opened.ask("", {})) == []
    with playground(bare, Failed(what="It broke.")) as opened, pytest.raises(RunError) as failed:
        list(opened.ask("", {}))
    assert failed.value.remedy == ""


def test_what_a_model_writes_cannot_drive_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_event(Text(text="\x1b[2Jgone\x07"))
    shown = capsys.readouterr().out
    assert "\x1b" not in shown and "\x07" not in shown and "gone" in shown


def test_drawings_reach_a_pipe_without_color(capsys: pytest.CaptureFixture[str]) -> None:
    print_event(Pictures(name="digits", count=1, height=2, width=2, pixels=bytes([0, 255, 255, 0])))
    print_event(Points(name="map", x=[0.0, 1.0], y=[0.0, 1.0], group=[0, 0]))
    shown = capsys.readouterr().out
    assert "digits:" in shown and "map:" in shown and "\x1b" not in shown


def test_a_heat_map_has_no_empty_lines_above_its_legend(capsys: pytest.CaptureFixture[str]) -> None:
    print_event(HeatMap(name="map", values=[[0.0, 1.0], [1.0, 0.0]], rows=["a", "b"], columns=["x", "y"]))
    lines = capsys.readouterr().out.splitlines()
    assert "x" in lines[-2] and lines[-1].startswith("0") and all(lines)


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

"""Training from the command line: in words, as events, detached, stopped, and refused."""

from __future__ import annotations

import io
import json
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from engine.core import events
from engine.core.errors import DataError, UsageError
from engine.core.spec import Family
from engine.core.store import RunStore
from tests.tui.verbs.conftest import STUB_FAMILY, Cli, until
from tui.verbs.run import data_for
from tui.voices import PlainVoice


def test_without_a_terminal_it_says_what_was_reached_and_what_to_compare_it_with(cli: Cli, stub: RunStore) -> None:
    said = cli("run", "stub")
    (run,) = stub.runs()
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert run.id in lines[0] and "stub/quick" in lines[0]
    assert "Finished in" in said.out and "20 steps" in said.out
    assert next(line for line in lines if "accuracy" in line and "90.0 %" in line)
    assert "published 0.250" in said.out
    assert f"lexigrad --open run/{run.id}" in lines[-1]


def test_plain_output_that_is_no_terminal_holds_no_control_characters(cli: Cli, stub: RunStore) -> None:
    said = cli("run", "stub", "--plain")
    assert all(character == "\n" or character.isprintable() for character in said.out)


def test_json_is_the_log_as_it_is(cli: Cli, stub: RunStore) -> None:
    said = cli("run", "stub", "--json")
    (run,) = stub.runs()
    assert said.out.encode() == (run.folder / "events.jsonl").read_bytes()
    kinds = [json.loads(line)["k"] for line in said.out.splitlines()]
    assert kinds[0] == "started" and kinds[-1] == "finished"


def test_knobs_seed_and_device_reach_the_recipe(cli: Cli, stub: RunStore) -> None:
    words = ("run", "stub/quick", "--set", "steps=3", "--set", "shape=square", "--seed", "7", "--device", "cpu")
    assert cli(*words, "--threads", "1", "--precision", "float32").code == 0
    (run,) = stub.runs()
    recipe = run.recipe
    assert (recipe.knobs["steps"], recipe.knobs["shape"], recipe.seed) == (3, "square", 7)
    assert (recipe.asked.device, recipe.asked.threads, recipe.asked.precision) == ("cpu", 1, "float32")


def test_a_detached_run_is_only_named(cli: Cli, stub: RunStore) -> None:
    said = cli("run", "stub", "--detach")
    (run,) = stub.runs()
    assert said.out == f"{run.id}\n"
    until(lambda: run.state() == "finished")


def test_with_a_terminal_the_app_opens_on_the_run(cli: Cli, stub: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("tui.guard.refuse_reason", lambda: "")
    monkeypatch.setattr("tui.cli.open_app", lambda place: opened.append(place) or 0)
    assert cli("run", "stub").code == 0
    assert opened == [f"run/{stub.runs()[0].id}"]


def test_a_failed_run_says_why_what_to_do_and_where_the_log_is(cli: Cli, stub: RunStore) -> None:
    said = cli("run", "stub", "--set", "fail_at=5", "--plain")
    assert said.code == 1
    assert "The loss is not a number." in said.err and "Lower the learning rate." in said.err
    assert said.err.count("log.txt") == 1
    assert "Traceback" not in said.err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_it_with_a_checkpoint_and_says_how_to_go_on(
    cli: Cli, stub: RunStore, number: int, code: int
) -> None:
    def interrupt() -> None:
        until(lambda: stub.runs() and stub.runs()[0].ending().step > 3)
        os.kill(os.getpid(), number)

    waiting = threading.Thread(target=interrupt)
    waiting.start()
    said = cli("run", "stub/long", "--plain")
    waiting.join()
    (run,) = stub.runs()
    assert said.code == code, said.err
    assert run.state() == "stopped"
    assert "checkpoint of step" in said.out
    assert f"lexigrad runs resume {run.id}" in said.out


def test_a_preset_that_starts_from_another_run_takes_the_newest(cli: Cli, stub: RunStore) -> None:
    refused = cli("run", "stub/tune", "--plain")
    assert refused.code == 2 and "lexigrad run stub/quick" in refused.err
    cli("run", "stub/quick", "--json")
    base = stub.runs()[0]
    assert cli("run", "stub/tune", "--json").code == 0
    assert stub.runs()[0].recipe.inputs["model"].run == base.id


@pytest.mark.parametrize(
    ("words", "what", "remedy"),
    [
        (("stbu",), "no family 'stbu'", "stub"),
        (("stub/quik",), "no preset 'quik'", "quick"),
        (("stub", "--set", "stps=3"), "no knob 'stps'", "steps"),
        (("stub", "--set", "steps=0"), "at least 1", "20"),
        (("stub", "--set", "steps"), "'steps' is not knob=value", "Example"),
        (("stub", "--set", "steps=1", "--set", "steps=2"), "steps is set 2 times", "one value"),
        (("stub", "--set", "data=spiral", "--data", "spiral"), "data is set 2 times", "one value"),
        (("stub", "--set", "seed=2"), "'seed' is no knob", "--seed 2"),
        (("stub", "--data", "spirla"), "does not train on 'spirla'", "spiral"),
        (("stub", "--device", "tpu"), "'tpu' is no device", "cuda"),
        (("stub", "--data", "~nosuchperson/x.csv"), "no home of that name", "in full"),
        (("stub", "--seed", "-1"), "at least 0", ""),
        (("stub", "--seed", "9" * 23), "at least 0", "18 digits"),
        (("stub", "steps=3"), "Unrecognized arguments: steps=3", "--set steps=3"),
        (("stub", "--plain", "--json"), "not allowed", "--help"),
    ],
)
def test_wrong_words_are_named_with_the_remedy_and_start_nothing(
    cli: Cli, stub: RunStore, words: tuple[str, ...], what: str, remedy: str
) -> None:
    said = cli("run", *words)
    assert said.code == 2
    assert what in said.err and remedy in said.err
    assert said.out == "" and stub.runs() == []


def test_data_that_are_not_here_are_asked_for_before_anything_starts(cli: Cli, stub: RunStore) -> None:
    said = cli("run", "stub/real")
    assert said.code == 1 and "lexigrad data get cifar-10" in said.err
    missing = cli("run", "stub", "--data", "./mine.csv")
    assert missing.code == 1 and "no mine.csv" in missing.err and "a table (CSV)" in missing.err
    assert stub.runs() == []


def taking(*names: str) -> Family:
    """Return a family of a file whose spec names these data, and which takes no others."""
    return replace(STUB_FAMILY, name="file:mine", data=names, own_data="")


def test_a_path_that_a_file_names_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"There is no my\.csv"):
        data_for(taking("my.csv"), "my.csv")
    (tmp_path / "my.csv").write_text("a,b\n")
    assert data_for(taking("my.csv"), "my.csv") == str(tmp_path / "my.csv")


@pytest.mark.parametrize(("name", "says"), [("nosuch", "does not train on 'nosuch'"), ("", "give the knob data")])
def test_data_that_a_file_names_and_nobody_knows_are_refused(name: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        data_for(taking(name), name)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_the_bar_is_drawn_over_itself(stub: RunStore, cli: Cli) -> None:
    cli("run", "stub", "--json")
    out = Terminal()
    voice = PlainVoice(stub.runs()[0], out)
    voice.look()
    voice.end()
    drawn = out.getvalue()
    assert "\r[########################] 100%" in drawn
    assert "\x1b" not in drawn
    assert drawn.splitlines()[-1].startswith("In the app:")


def test_what_a_trainer_says_cannot_drive_the_terminal(stub: RunStore, cli: Cli) -> None:
    cli("run", "stub", "--json")
    run = stub.runs()[0]
    with (run.folder / "events.jsonl").open("ab") as log:
        log.write(events.encode(events.Baseline(metric="valid/loss", name="evil\x1b]52;c;x\x07", value=1.0)))
    out = Terminal()
    PlainVoice(run, out).end()
    assert "evil" in out.getvalue() and "\x1b" not in out.getvalue() and "\x07" not in out.getvalue()

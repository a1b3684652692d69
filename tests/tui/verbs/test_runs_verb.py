"""The list of runs on the command line, and what can be done with one."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from engine.core import events
from engine.core.own import Own, OwnKnob
from engine.core.recipe import Recipe
from engine.core.store import Run, RunStore
from tests.tui.verbs.conftest import Cli, until


@pytest.fixture
def trained(cli: Cli, stub: RunStore) -> Run:
    assert cli("run", "stub", "--set", "steps=5", "--json").code == 0
    return stub.runs()[0]


def test_an_empty_list_says_how_to_begin(cli: Cli) -> None:
    said = cli("runs")
    assert said.code == 0 and "lexigrad run mlp" in said.out
    assert json.loads(cli("runs", "--json").out) == []


def test_the_list_shows_state_difference_figures_and_id(cli: Cli, trained: Run) -> None:
    head, row = cli("runs").out.splitlines()
    assert head.split()[0] == "state"
    for word in ("finished", "stub/quick", "steps 5", "accuracy 90.0 %", trained.id):
        assert word in row
    (record,) = json.loads(cli("runs", "list", "--json").out)
    assert (record["id"], record["state"], record["headline"]["valid/loss"]) == (trained.id, "finished", 0.1)


def test_a_run_is_named_by_the_start_or_the_end_of_its_id(cli: Cli, trained: Run) -> None:
    for word in (trained.id, trained.id[:10], trained.id[-4:]):
        assert trained.id in cli("runs", "show", word).out
    unknown = cli("runs", "show", "zzzz")
    assert unknown.code == 1 and "no run 'zzzz'" in unknown.err
    assert cli("runs", "show", "../x").code == 1


def test_one_run_is_shown_with_its_knobs_checkpoint_and_folder(cli: Cli, trained: Run) -> None:
    out = cli("runs", "show", trained.id).out
    assert "* steps" in " ".join(out.split())
    for word in ("seed 0", "step 5", str(trained.folder), "accuracy", f"lexigrad --open run/{trained.id}"):
        assert word in out


def test_two_runs_are_compared_by_what_differs(cli: Cli, stub: RunStore, trained: Run) -> None:
    cli("run", "stub", "--set", "steps=8", "--seed", "4", "--json")
    other = next(run for run in stub.runs() if run.id != trained.id)
    said = cli("runs", "compare", trained.id, other.id)
    rows = {line.split("  ")[0]: line.split()[-2:] for line in said.out.splitlines()}
    assert rows["seed"] == ["0", "4"]
    assert rows["steps"] == ["5", "8"]
    assert "shape" not in rows and "batch size" not in rows
    assert "90.0 %" in said.out and "94.0 %" in said.out
    assert cli("runs", "compare", trained.id, trained.id).code == 1


def test_a_run_is_stopped_and_taken_up_again(cli: Cli, stub: RunStore) -> None:
    run_id = cli("run", "stub/long", "--detach").out.strip()
    run = stub.open(run_id)
    until(lambda: run.ending().step > 2)
    assert cli("runs", "stop", run_id).code == 0
    until(lambda: run.state() == "stopped")
    kept = (run.folder / "events.jsonl").stat().st_size
    assert cli("runs", "stop", run_id).code == 1

    def interrupt() -> None:
        until(lambda: run.state() == "running" and (run.folder / "events.jsonl").stat().st_size > kept + 500)
        os.kill(os.getpid(), signal.SIGINT)

    waiting = threading.Thread(target=interrupt)
    waiting.start()
    said = cli("runs", "resume", run_id, "--json")
    waiting.join()
    assert said.code == 130, said.err
    assert said.out.encode() == (run.folder / "events.jsonl").read_bytes()[kept:]
    assert json.loads(said.out.splitlines()[0])["s"] > 2


def test_a_finished_run_is_not_resumed(cli: Cli, trained: Run) -> None:
    said = cli("runs", "resume", trained.id, "--plain")
    assert said.code == 1 and "reached its end" in said.err


def test_removed_runs_go_to_the_trash_and_come_back(cli: Cli, stub: RunStore, trained: Run) -> None:
    assert cli("runs", "rm", trained.id[-4:]).code == 0
    assert stub.runs() == []
    assert cli("runs", "rm", "--restore", trained.id[-4:]).code == 0
    assert [run.id for run in stub.runs()] == [trained.id]


def test_one_that_cannot_be_removed_does_not_keep_the_others(cli: Cli, stub: RunStore, trained: Run) -> None:
    said = cli("runs", "rm", "zzzz", trained.id)
    assert said.code == 1 and "zzzz" in said.err
    assert stub.runs() == []


def test_scalars_are_exported_a_row_a_step(cli: Cli, trained: Run, tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    assert cli("runs", "export", trained.id, str(path)).code == 0
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert [row["step"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert float(rows[-1]["valid/accuracy"]) == pytest.approx(trained.ending().scalars["valid/accuracy"])
    assert cli("runs", "export", trained.id, "-").out == path.read_text()


def test_an_export_replaces_nothing_unasked(cli: Cli, trained: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("mine")
    assert cli("runs", "export", trained.id, str(path)).code == 1
    assert cli("runs", "export", trained.id, str(tmp_path), "--force").code == 1
    assert cli("runs", "export", trained.id, str(tmp_path / "no" / "such.csv")).code == 1
    assert path.read_text() == "mine"
    assert cli("runs", "export", trained.id, str(path), "--force").code == 0


def test_a_folder_that_is_no_run_is_named_and_hides_nothing(cli: Cli, stub: RunStore, trained: Run) -> None:
    (stub.folder / "261120-000000-broken").mkdir()
    said = cli("runs")
    assert trained.id in said.out and "261120-000000-broken" in said.err and said.code == 0


@pytest.mark.parametrize("name", ["of", "knobs", "values", "total_samples", "parameters", "flops_per_sample", "class"])
def test_a_recipe_from_elsewhere_hides_no_other_run(name: str, cli: Cli, stub: RunStore, trained: Run) -> None:
    own = Own(stem="mine", digest="", title="Mine", knobs=(OwnKnob(name=name, default=1),))
    other = stub.create(Recipe(family="file:mine", preset="quick", knobs={name: 2}, own=own))
    said = cli("runs")
    assert said.code == 0 and trained.id in said.out and other.id in said.out


@pytest.mark.parametrize("words", [("runs",), ("runs", "--json")])
def test_a_run_that_cannot_be_told_is_named_and_hides_nothing(
    words: tuple[str, ...], cli: Cli, stub: RunStore, trained: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = stub.create(Recipe(family="stub", preset="quick", knobs={}))
    state = Run.state

    def broken(run: Run) -> str:
        return state(run) if run.id != other.id else str(1 / 0)

    monkeypatch.setattr(Run, "state", broken)
    said = cli(*words)
    monkeypatch.undo()
    assert said.code == 0 and trained.id in said.out
    assert f"{other.id} cannot be listed: ZeroDivisionError" in said.err


def test_an_export_to_a_terminal_cannot_drive_it(cli: Cli, trained: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with (trained.folder / "events.jsonl").open("ab") as log:
        log.write(events.encode(events.Scalars(s=9, v={"evil\x1b]0;title\x07": 1.0})))
    assert "evil\x1b" in cli("runs", "export", trained.id, "-").out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    out = cli("runs", "export", trained.id, "-").out
    assert "evil" in out and "\x1b" not in out and "\x07" not in out

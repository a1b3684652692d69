"""Walkthroughs, the check, the doctor and completion, from the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.core.store import RunStore
from tests import source
from tests.tui.verbs.conftest import Cli
from tui.record import Record
from tui.verbs import doctor
from tui.verbs.complete import candidates

WALK = """---
title: Two steps
one_line: Do two things.
---
Words.

---
step: first
title: Begin
do: Read about neurons.
go: read neuron
check: {read: neuron}
hints: [Open it., Scroll to its end.]
afterwards: Done.
---
Text.

---
step: second
title: Go on
do: Train.
go: run stub/quick steps=3
check: {run: {target: stub/quick, state: finished}}
hints: [Press r., Wait.]
afterwards: Done.
---
Text.
"""


@pytest.fixture
def walk(home: Path) -> Path:
    path = home / "walkthroughs" / "two-steps.md"
    path.parent.mkdir()
    path.write_text(WALK)
    return path


def test_walkthroughs_are_listed_with_progress(cli: Cli, walk: Path) -> None:
    row = next(line for line in cli("walk").out.splitlines() if line.startswith("two-steps"))
    assert "0 of 2" in row and "Two steps" in row


def test_a_walkthrough_as_text_shows_the_next_step_and_its_hints(cli: Cli, walk: Path, home: Path) -> None:
    out = cli("walk", "two-steps").out
    assert "Next: Begin" in out and "Hint: Scroll to its end." in out and "has not been read" in out
    record = Record(home / "lexigrad.sqlite")
    record.mark_read("neuron")
    record.close()
    out = cli("walk", "two-steps").out
    assert "Next: Go on" in out and "lexigrad run stub/quick --set steps=3" in out
    steps = json.loads(cli("walk", "two-steps", "--json").out)["steps"]
    assert [step["done"] for step in steps] == [True, False]


def test_a_run_from_the_command_line_completes_a_step(cli: Cli, walk: Path, home: Path, stub: RunStore) -> None:
    record = Record(home / "lexigrad.sqlite")
    record.mark_read("neuron")
    record.close()
    cli("walk", "two-steps")
    assert cli("run", "stub", "--set", "steps=3", "--json").code == 0
    assert "All steps are done." in cli("walk", "two-steps").out


def test_what_is_wrong_in_a_file_is_named_by_line(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "mine.md"
    path.write_text(WALK.replace("check: {read: neuron}", "check: {dance: neuron}"))
    said = cli("walk", str(path))
    line = WALK.splitlines().index("check: {read: neuron}") + 1
    assert said.code == 1 and f"{path}:{line}: error:" in said.err
    assert cli("walk", str(tmp_path / "none.md")).code == 1
    assert "two-steps" not in cli("walk", "two-stps").err


def test_with_a_terminal_the_app_opens_on_the_walkthrough(
    cli: Cli, walk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("tui.verbs.walk.refuse_reason", lambda: "")
    monkeypatch.setattr("tui.cli.open_app", lambda place: opened.append(place) or 0)
    assert cli("walk", "two-steps").code == 0
    assert cli("walk", str(walk)).code == 0
    assert opened == ["walk/two-steps", f"walk/{walk}"]


def test_the_check_names_file_line_and_level(cli: Cli, home: Path, stub: RunStore) -> None:
    (home / "entries").mkdir()
    (home / "entries" / "mine.md").write_text("---\ntitle: [\n---\n")
    (home / "walkthroughs").mkdir()
    (home / "walkthroughs" / "bad.md").write_text("no header\n")
    said = cli("check", "--fast", "mine.md", "bad.md")
    assert said.code == 1
    lines = said.out.splitlines()
    assert any(line.startswith("mine.md:") and ": error: " in line for line in lines)
    assert any(line.startswith("bad.md:1: error: ") for line in lines)
    assert "still to come" in lines[-1]
    report = json.loads(cli("check", "--fast", "--json", "bad.md").out)
    assert report["problems"][0]["path"] == "bad.md" and report["entries"] > 10


def test_the_doctor_looks_at_everything_and_never_fails(cli: Cli, stub: RunStore) -> None:
    said = cli("doctor", "--json")
    found = {each["name"]: each for each in json.loads(said.out)}
    assert said.code == 0
    assert {"python", "torch", "processor", "memory", "home", "disk", "terminal", "data", "entries", "runs"} <= set(
        found
    )
    assert "could not be looked at" not in said.out
    assert "torch" not in sys.modules or found["torch"]["level"] == "ok"


def test_a_doctor_with_a_broken_instrument_says_so(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> object:
        raise OSError("no such thing")

    monkeypatch.setattr(doctor, "probe", broken)
    doctor._machine.cache_clear()
    said = cli("doctor")
    assert said.code == 0 and "could not be looked at" in said.out and "python" in said.out


def test_a_home_that_cannot_be_written_comes_with_the_remedy(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LEXIGRAD_HOME", str(tmp_path / "file" / "home"))
    said = cli("doctor")
    assert said.code == 0 and "cannot be written" in said.out and "Let LEXIGRAD_HOME name" in said.out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["ru"], {"run", "runs"}),
        (["run", "st"], {"stub/quick", "stub/long", "stub/tune", "stub/real"}),
        (["run", "stub/quick", "--set", "step"], {"steps=", "step_seconds="}),
        (["run", "stub/quick", "--set", "shape=s"], {"shape=square"}),
        (["run", "stub/quick", "--set", "shape", "=", "s"], {"square"}),
        (["run", "stub/quick", "--set", "shape", "="], {"round", "square"}),
        (["run", "stub/quick", "--data", ""], {"spiral", "cifar-10"}),
        (["run", "stub/quick", "--dev"], {"--device"}),
        (["runs", "com"], {"compare"}),
        (["data", "get", "fashion"], {"fashion-mnist", "fashion-captions"}),
        (["walk", "your-first"], {"your-first-neural-network"}),
        (["define", "neuro"], {"neuron"}),
        (["completion", "z"], {"zsh"}),
        (["nonsense", ""], set()),
        (["run", "stub/quick", "more"], set()),
    ],
)
def test_the_unfinished_word_is_completed(stub: RunStore, words: list[str], expected: set[str]) -> None:
    assert set(candidates(words)) == expected


def test_runs_are_completed_by_id(cli: Cli, stub: RunStore) -> None:
    cli("run", "stub", "--set", "steps=1", "--json")
    assert candidates(["runs", "show", ""]) == [stub.runs()[0].id]
    assert candidates(["run", "stub", "--from", "2"]) == [stub.runs()[0].id]


def test_bash_completes_with_the_script(tmp_path: Path) -> None:
    command = tmp_path / "lexigrad"
    command.write_text(f'#!/bin/sh\ncd "{source.ROOT}" && exec "{sys.executable}" -m tui "$@"\n')
    command.chmod(0o755)
    script = """
        source <(lexigrad completion bash)
        COMP_WORDS=(lexigrad completion "") COMP_CWORD=2
        _lexigrad lexigrad
        printf '%s\\n' "${COMPREPLY[@]}"
        complete -p lexigrad
    """
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.splitlines()[:3] == ["bash", "fish", "zsh"], done.stderr
    assert "-F _lexigrad lexigrad" in done.stdout

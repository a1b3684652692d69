"""Labs from the command line: listed, carried out, told as JSON, refused."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

import pytest

from engine.core import paths
from engine.core.launcher import Launcher
from engine.core.store import RunStore
from tests.tiny_lab import install
from tests.tui.verbs.conftest import STUB, Cli


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> RunStore:
    import tui.verbs.lab

    install(monkeypatch)
    made = partial(Launcher, trainer=[sys.executable, "-P", str(STUB)], sampler=[], grace=0.4)
    monkeypatch.setattr(tui.verbs.lab, "Launcher", made)
    return RunStore(paths.runs_folder())


def test_the_list_shows_what_was_found(cli: Cli, tiny: RunStore) -> None:
    assert "tiny  ·  Does the stub tell" in cli("lab").out
    assert cli("lab", "tiny", "--plain").code == 0
    assert "tiny  ✓  Does the stub tell" in cli("lab").out
    assert json.loads(cli("lab", "--json").out)["tiny"]["findings"][0]["holds"] is True


def test_without_a_terminal_each_run_and_the_findings_are_told(cli: Cli, tiny: RunStore) -> None:
    said = cli("lab", "tiny", "--seeds", "2", "--set", "steps=4")
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0] == "Does the stub tell what it reached?"
    assert sum("Accuracy" in line for line in lines) == 5 and "The second  seed 1  Accuracy 91.0 %" in said.out
    assert "✓ The stub reaches more than a half." in said.out and "held over 2 seeds: It was 0.90." in said.out
    assert "measured by you" in lines[-1]


def test_json_is_the_experiment(cli: Cli, tiny: RunStore) -> None:
    said = cli("lab", "tiny", "--json")
    kept = json.loads(said.out)
    assert kept["lab"] == "tiny" and kept["findings"][0]["statement"] == "half" and len(kept["runs"]) == 3
    assert (paths.findings_folder() / "tiny" / f"{kept['id']}.json").is_file()


def test_a_run_that_breaks_is_told_and_the_same_command_goes_on(cli: Cli, tiny: RunStore) -> None:
    words = ("lab", "tiny", "--plain", "--set", "crash_at=2")
    said = cli(*words)
    assert said.code == 1 and "failed" in said.err
    count = len(tiny.runs())
    said = cli(*words)
    assert "2 of 3 runs are left" in said.err and len(tiny.runs()) == count
    cli(*words, "--new")
    assert len(tiny.runs()) > count


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nope",), "There is no lab 'nope'"),
        (("tiny", "--seeds", "0"), "--seeds is a whole number from 1 to 100"),
        (("tiny", "--form", "long"), "has no form 'long'"),
        (("tiny", "--set", "stesp=3"), "Did you mean 'steps'?"),
        (("tiny", "--set", "steps=0"), "steps = 0 is not"),
        (("tiny", "--set", "seed=1"), "Say --seeds N"),
    ],
)
def test_wrong_words_are_named(cli: Cli, tiny: RunStore, words: tuple[str, ...], sentence: str) -> None:
    said = cli("lab", *words)
    assert said.code == 2 and sentence in said.err
    assert tiny.runs() == []


def test_a_path_that_is_there_holds_from_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tui.verbs.lab import _whole_path

    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes").mkdir()
    assert _whole_path("./notes") == str(tmp_path / "notes") and _whole_path("bm25") == "bm25"

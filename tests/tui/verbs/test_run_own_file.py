"""``lexigrad run ./mine.py``: asked once, described by a child, trained like any family."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.catalog import family
from engine.core import paths
from engine.core.errors import RunError, UsageError
from engine.core.own import Own, digest_of, is_trusted
from engine.core.processes import start_time
from engine.core.recipe import Recipe
from engine.core.store import Run, RunStore
from engine.eject.observe import observe
from engine.eject.one_file import learner_file
from tests import source
from tests.tui.verbs.conftest import Cli, until
from tui import own_files

HOSTILE = b"""
from dataclasses import dataclass
from engine.core.spec import Spec, knob
from engine.families.mlp.learner import MLPLearner
from engine.families.mlp.spec import MLPSpec

class Mine(MLPLearner):
    '''\\x1b[31mred\\x1b]0;title\\x07'''

@dataclass(frozen=True, kw_only=True)
class MineSpec(MLPSpec):
    fire: int = knob(1, '\\x1b[2Jgone')
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(learner_file(family("mlp")), encoding="utf-8")
    return path


def test_without_a_terminal_a_file_has_to_be_trusted_by_word(cli: Cli, mine: Path) -> None:
    said = cli("run", str(mine), "--plain")
    assert said.code == 2
    assert "nobody has trusted yet" in said.err and "--trust" in said.err
    assert not paths.runs_folder().exists()


def test_a_file_trains_to_the_losses_of_the_family_that_it_was_made_from(cli: Cli, mine: Path) -> None:
    before = {name for name in sys.modules if name.startswith("lexigrad_own")}
    words = ("--set", "epochs=1", "--set", "width=8", "--threads", "1", "--precision", "float32", "--device", "cpu")
    said = cli("run", f"{mine}/quick", "--json", "--trust", *words)
    assert said.code == 0, said.err
    events = [json.loads(line) for line in said.out.splitlines()]
    losses = {each["s"]: each["v"]["train/loss"] for each in events if "train/loss" in each.get("v", {})}
    known = family("mlp")
    expected = observe(known, known.configure("quick", {"epochs": 1.0, "width": 8}), 0).losses
    assert losses
    assert losses == {step: pytest.approx(expected[step - 1], rel=1e-5) for step in losses}
    run = RunStore(paths.runs_folder()).runs()[0]
    assert (run.folder / "code" / "mine.py").read_bytes() == mine.read_bytes()
    assert run.recipe.family == "file:mine"
    shown = cli("runs", "show", run.id)
    assert "file:mine" in shown.out and "Accuracy" in shown.out
    played = cli("play", run.id, "--help-plays")
    assert "classify" in played.out
    assert {name for name in sys.modules if name.startswith("lexigrad_own")} == before


def test_trust_is_asked_once_and_anew_for_a_changed_file(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(own_files, "ask", lambda path, digest: asked.append(digest))
    described = own_files.describe(mine.read_bytes(), mine)
    monkeypatch.setattr(
        own_files,
        "describe",
        lambda content, path: own_files.msgspec.structs.replace(described, digest=digest_of(content)),
    )
    for _ in range(2):
        own_files.open_file(mine, trusted=False)
    assert asked == [digest_of(mine.read_bytes())]
    mine.write_bytes(mine.read_bytes() + b"\n")
    own_files.open_file(mine, trusted=False)
    assert len(asked) == 2


def test_hostile_texts_do_not_reach_the_terminal(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_bytes(HOSTILE)
    own = own_files.describe(HOSTILE, path)
    told = own_files.family_of_own(own)
    assert "\x1b" not in told.summary + "".join(each.help for each in told.spec.knobs())


@pytest.mark.parametrize("content", [b"import os\nos._exit(0)\n", b"while True: pass\n"])
def test_a_file_that_does_not_only_define_leaves_nothing_behind(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_files, "SECONDS", 20.0 if b"exit" in content else 5.0)
    path = tmp_path / "mine.py"
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"mine\.py"):
        own_files.open_file(path, trusted=True)
    assert not is_trusted(digest_of(content))


@pytest.mark.parametrize("name", ["nothing.py", "my-file.py"])
def test_what_is_no_file_is_refused(name: str, cli: Cli, tmp_path: Path) -> None:
    assert cli("run", str(tmp_path / name), "--plain", "--trust").code == 2


class Terminal(io.StringIO):
    """Somebody who sits there."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("answer", ["y\n", "yes\n", "n\n", "\n", ""])
def test_only_a_yes_lets_a_file_run(answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = answer.startswith("y")
    seen = Terminal()
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    monkeypatch.setattr("sys.stderr", seen)
    described: list[bytes] = []

    def describe(content: bytes, path: Path) -> Own:
        described.append(content)
        return Own(stem="mine", digest=digest_of(content), title="Mine")

    monkeypatch.setattr(own_files, "describe", describe)
    path = tmp_path / "mine.py"
    path.write_bytes(HOSTILE)
    if runs:
        own_files.open_file(path, trusted=False)
    else:
        with pytest.raises(UsageError, match="was not run"):
            own_files.open_file(path, trusted=False)
    assert described == ([HOSTILE] if runs else [])
    assert is_trusted(digest_of(HOSTILE)) is runs
    assert str(path) in seen.getvalue() and digest_of(HOSTILE) in seen.getvalue()


def foreign(content: bytes, own: bytes) -> Run:
    """Make a run that came from elsewhere: its file, and the one that its recipe tells of."""
    told = Own(stem="mine", digest=digest_of(own), title="Mine")
    recipe = Recipe(family="file:mine", preset="quick", knobs={}, own=told)
    return RunStore(paths.runs_folder()).create(recipe, {"code/mine.py": content})


def test_the_file_of_a_foreign_run_is_trusted_by_a_word_of_its_own(cli: Cli) -> None:
    run = foreign(HOSTILE, HOSTILE)
    assert cli("runs", "trust", run.id).code == 2
    assert not is_trusted(digest_of(HOSTILE))
    assert cli("runs", "trust", run.id, "--yes").code == 0
    assert is_trusted(digest_of(HOSTILE))


def test_a_file_that_is_not_the_one_of_the_recipe_is_not_trusted(cli: Cli) -> None:
    run = foreign(HOSTILE, b"another")
    said = cli("runs", "trust", run.id, "--yes")
    assert said.code == 1 and "not the file" in said.err
    assert not is_trusted(digest_of(HOSTILE))


def test_what_a_file_writes_to_the_output_spoils_no_answer(tmp_path: Path) -> None:
    content = HOSTILE + b"\nimport os\nos.write(1, b'{}')\n"
    assert own_files.describe(content, tmp_path / "mine.py").title == "Mine"


def test_a_process_that_a_file_leaves_behind_is_not_waited_for_and_ends(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    left = f"\nimport subprocess\nopen({str(told)!r}, 'w').write(str(subprocess.Popen(['sleep', '300']).pid))\n"
    own_files.describe(HOSTILE + left.encode(), tmp_path / "mine.py")
    until(lambda: not start_time(int(told.read_text())))


def test_a_file_that_does_not_end_ends_with_who_asked(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    content = f"import os\nopen({str(told)!r}, 'w').write(str(os.getpid()) + '.')\nwhile True: pass\n"
    asked = f"from tui.own_files import describe; describe({content.encode()!r}, __import__('pathlib').Path('mine.py'))"
    parent = subprocess.Popen([sys.executable, "-c", asked], cwd=source.ROOT)
    until(lambda: told.exists() and told.read_text().endswith("."))
    parent.terminate()
    parent.wait()
    until(lambda: not start_time(int(told.read_text()[:-1])))


@pytest.mark.parametrize("target", ["~nosuchperson/mine.py", "~nosuchperson/mine.py/quick"])
def test_the_home_of_nobody_is_wrong_usage(target: str, cli: Cli) -> None:
    said = cli("run", target, "--plain", "--trust")
    assert said.code == 2 and "no home of that name" in said.err

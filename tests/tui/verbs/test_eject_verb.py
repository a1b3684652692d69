"""``lexigrad eject``: the folder, the file, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.core.processes import LINUX, descendants, start_time
from tests import source
from tests.tui.verbs.conftest import Cli, until


def test_it_writes_a_folder_and_says_how_to_train_it(cli: Cli, tmp_path: Path) -> None:
    said = cli("eject", "mlp", "--to", str(tmp_path / "mine"), "--set", "width=8", "--seed", "3")
    assert said.code == 0, said.err
    assert "python train.py" in said.out and "trains as mlp/quick width=8, seed 3 does" in said.out
    readme = (tmp_path / "mine" / "README.md").read_text()
    assert "mlp/quick width=8, seed 3" in readme
    assert "width: int = 8" in (tmp_path / "mine" / "spec.py").read_text()


def test_it_writes_one_file_with_a_learner(cli: Cli, tmp_path: Path) -> None:
    to = tmp_path / "mine.py"
    said = cli("eject", "cnn", "--learner", "--to", str(to))
    assert said.code == 0, said.err
    assert "class CNNLearner" in to.read_text()
    again = cli("eject", "cnn", "--learner", "--to", str(to))
    assert again.code == 2 and "exists already" in again.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("gpt/fine-tune",), "Eject gpt/quick"),
        (("nothing",), "There is no family"),
        (("mlp", "--set", "width=-1"), "width = "),
        (("mlp", "--set", "seed=1"), "--seed"),
        (("mlp", "--seed", "9" * 23), "18 digits"),
        (("mlp", "--to", "~nosuchperson/x"), "no home of that name"),
        (("mlp", "--learner", "--to", "~nosuchperson/x.py"), "no home of that name"),
        (("mlp", "--learner", "--to", "mine.txt"), "mine.py"),
        (("mlp", "--learner", "--seed", "1"), "lexigrad run"),
    ],
)
def test_what_it_cannot_do_it_refuses_with_the_remedy(words: tuple[str, ...], says: str, cli: Cli) -> None:
    said = cli("eject", *words)
    assert said.code == 2
    assert says in said.err


@pytest.mark.skipif(not LINUX, reason="asks /proc for the children")
def test_ejecting_ends_with_who_asked_and_leaves_nothing(tmp_path: Path) -> None:
    to = tmp_path / "mine"
    words = ["eject", "mlp", "--set", "width=8", "--to", str(to)]
    parent = subprocess.Popen([sys.executable, "-m", "tui", *words], cwd=source.ROOT)
    until(lambda: len(descendants(parent.pid)) > 1 and list(tmp_path.glob(".mine.*/train.py")), 60.0)
    children = descendants(parent.pid)
    parent.terminate()
    parent.wait()
    until(lambda: not any(map(start_time, children)), 60.0)
    assert list(tmp_path.glob("*mine*")) == list(tmp_path.glob(".mine*")) == []

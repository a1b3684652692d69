"""``lexigrad eject``: the folder, the file, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.verbs.conftest import Cli


def test_it_writes_a_folder_and_says_how_to_train_it(cli: Cli, tmp_path: Path) -> None:
    said = cli("eject", "mlp", "--to", str(tmp_path / "mine"), "--set", "width=8", "--seed", "3")
    assert said.code == 0, said.err
    assert "python train.py" in said.out
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
        (("mlp", "--learner", "--to", "mine.txt"), "mine.py"),
        (("mlp", "--learner", "--seed", "1"), "lexigrad run"),
    ],
)
def test_what_it_cannot_do_it_refuses_with_the_remedy(words: tuple[str, ...], says: str, cli: Cli) -> None:
    said = cli("eject", *words)
    assert said.code == 2
    assert says in said.err

"""An ejected folder trains with torch alone, to the losses of the run that it repeats."""

from __future__ import annotations

import ast
import math
import subprocess
import sys
from pathlib import Path

import pytest

from engine.catalog import FAMILIES, family
from engine.core.errors import RunError, UsageError
from engine.core.spec import Value
from engine.eject.folder import Order, eject, require_same, try_out
from engine.eject.observe import Observed
from engine.eject.shake import Seen
from tests import source

TINY: dict[str, dict[str, Value]] = {
    "mlp": {"width": 8},
    "cnn": {"channels": 0.3},
    "gpt": {"layers": 1, "heads": 2, "width": 16, "context": 16, "batch_size": 4},
    "word2vec": {"width": 8, "batch_size": 64},
    "resnet": {"width": 4, "blocks": 1, "batch_size": 16},
    "vit": {"width": 16, "layers": 1, "batch_size": 16},
    "rnn": {"width": 16, "embedding": 8, "context": 16, "batch_size": 8},
    "bert": {"layers": 1, "heads": 2, "width": 16, "context": 16, "batch_size": 4},
    "transformer": {"layers": 1, "heads": 2, "width": 16, "batch_size": 8},
    "autoencoder": {"width": 16, "batch_size": 16},
    "gan": {"width": 16, "batch_size": 16},
    "diffusion": {"width": 16, "blocks": 1, "batch_size": 16},
    "clip": {"picture_layers": 2, "text_width": 16, "batch_size": 8},
    "speech": {"width": 16, "layers": 1, "batch_size": 4},
}
"""One of each family, with the losses of its quick preset made small."""
ALONE = """
import runpy, sys
class Closed:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"engine", "tui", "glossary", "msgspec", "safetensors", "sklearn"}:
            raise ImportError(name + " is closed")
sys.meta_path.insert(0, Closed())
sys.path.insert(0, sys.argv[1])
sys.argv = ["train.py", "20"]
runpy.run_path(sys.path[0] + "/train.py", run_name="__main__")
"""


def order(name: str, preset: str = "quick", **knobs: Value) -> Order:
    return Order(family=family(name), preset=preset, changes=knobs, seed=1)


def losses_of(folder: Path) -> list[float]:
    done = subprocess.run(
        [sys.executable, "-I", "-c", ALONE, str(folder)], cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [float(line.split()[1]) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("name", TINY)
def test_a_folder_trains_alone_to_the_same_losses(name: str, tmp_path: Path) -> None:
    observed = eject(order(name, **TINY[name]), tmp_path / name)
    assert len(observed.losses) == 20
    assert losses_of(tmp_path / name) == pytest.approx(observed.losses, rel=1e-6)
    ruff = Path(sys.executable).with_name("ruff")
    for words in (["check", "-q"], ["format", "-q", "--check"]):
        done = subprocess.run([ruff, *words, "--no-cache", "."], cwd=tmp_path / name, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout.decode()
    assert "engine" not in (tmp_path / name / "model.py").read_text()


def test_a_folder_adapts_a_language_model_by_thin_matrices(tmp_path: Path) -> None:
    observed = eject(order("gpt", adapt="lora", rank=2, **TINY["gpt"]), tmp_path / "lora")
    assert losses_of(tmp_path / "lora") == pytest.approx(observed.losses, rel=1e-6)


CRAFTED = """q\"\"\"\nopen('ran', 'w')\n\"\"\"\\x.csv"""


def test_data_of_ones_own_go_along_and_their_name_is_only_told(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir()
    rows = "".join(f"{each},{each * 7 % 11},{'ab'[each % 3 == 0]}\n" for each in range(60))
    (private / CRAFTED).write_text(f"x,y,kind\n{rows}")
    to = tmp_path / "mine"
    observed = eject(order("mlp", data=str(private / CRAFTED), **TINY["mlp"]), to)
    assert losses_of(to) == pytest.approx(observed.losses, rel=1e-6)
    assert not (to / "ran").exists()
    texts = {path.name: path.read_text() for path in to.iterdir() if path.suffix in (".py", ".md")}
    assert [name for name, text in texts.items() if str(private) in text] == []
    name = " ".join(CRAFTED.split())
    assert f"data={name}" in texts["README.md"]
    for file in ("train.py", "data.py", "spec.py"):
        tree = ast.parse(texts[file])
        nodes = [each for each in ast.walk(tree) if isinstance(each, ast.Module | ast.ClassDef | ast.FunctionDef)]
        told = [ast.get_docstring(each) or "" for each in nodes]
        assert any(name in " ".join(text.split()) for text in told), file


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_training_that_comes_to_nothing_is_not_ejected(
    loss: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Observed(seen=Seen(frozenset(), frozenset()), losses=[1.0, loss], data=None, total_steps=2)
    monkeypatch.setattr("engine.eject.folder.observe", lambda *_: seen)
    with pytest.raises(RunError, match="at step 2"):
        eject(order("mlp"), tmp_path / "mine")
    assert list(tmp_path.glob("*mine*")) == list(tmp_path.glob(".mine*")) == []


@pytest.mark.parametrize("losses", [[1.0], [1.0, 2.0, 3.0], [1.0, 2.1], [1.0, math.nan], []])
def test_other_losses_are_not_the_same(losses: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Observed(seen=Seen(frozenset(), frozenset()), losses=[1.0, 2.0], data=None, total_steps=2)
    require_same(order("mlp"), seen, [1.0, 2.0 + 1e-7])
    with pytest.raises(RunError, match="other losses"):
        require_same(order("mlp"), seen, losses)


def test_a_folder_that_breaks_off_has_failed(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("raise SystemExit('no such thing')")
    with pytest.raises(RunError, match="breaks off: no such thing"):
        try_out(tmp_path, 1)


def test_a_folder_that_takes_too_long_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.eject.folder.LONGEST", 0.1)
    (tmp_path / "train.py").write_text("while True: pass")
    with pytest.raises(RunError, match="too long"):
        try_out(tmp_path, 1)


def test_two_folders_of_one_run_are_the_same_to_the_byte(tmp_path: Path) -> None:
    first, second = (tmp_path / name for name in ("first", "second"))
    for to in (first, second):
        eject(order("mlp", **TINY["mlp"]), to)
    files = sorted(path.relative_to(first) for path in first.rglob("*"))
    assert files == sorted(path.relative_to(second) for path in second.rglob("*"))
    assert [each for each in files if (first / each).read_bytes() != (second / each).read_bytes()] == []


def test_a_place_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        eject(order("mlp"), tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_the_quick_preset_of_every_family_can_be_ejected(name: str, tmp_path: Path) -> None:
    observed = eject(order(name), tmp_path / name)
    assert losses_of(tmp_path / name) == pytest.approx(observed.losses, rel=1e-6)


def test_the_source_is_handled_without_torch() -> None:
    asked = "import engine.eject.shake, engine.eject.page, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", asked], cwd=source.ROOT, check=True)

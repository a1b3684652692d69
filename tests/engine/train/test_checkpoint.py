"""Checkpoints: what was saved comes back, what is damaged is passed over, old ones go only after new ones stand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from engine.core.errors import RunError
from engine.train import checkpoint as module
from engine.train.checkpoint import (
    State,
    best_checkpoint,
    checkpoints,
    latest_checkpoint,
    load_checkpoint,
    save_checkpoint,
)

WEIGHTS = {"model.weight": torch.arange(6.0).view(2, 3), "model.bias": torch.ones(3)}
MEMORY = {"optimizer.model.weight.m": torch.full((2, 3), 0.5), "random.torch": torch.arange(9, dtype=torch.uint8)}


def save(run: Path, step: int, headline: float | None = None) -> str:
    weights = {name: tensor + step for name, tensor in WEIGHTS.items()}
    return save_checkpoint(run, State(step=step, samples=step * 32, headline=headline), weights, MEMORY)[0]


def steps(run: Path) -> list[int]:
    return [int(path.name.removeprefix("step-")) for path in checkpoints(run)]


def test_it_comes_back_to_the_bit(tmp_path: Path) -> None:
    address, digest = save_checkpoint(tmp_path, State(step=7, knobs={"learning_rate": 0.1}), WEIGHTS, MEMORY)
    loaded = load_checkpoint(tmp_path / address)
    assert loaded.digest == digest
    assert loaded.state.knobs == {"learning_rate": 0.1}
    assert loaded.model.keys() == WEIGHTS.keys() and loaded.training.keys() == MEMORY.keys()
    assert all(torch.equal(loaded.model[name], WEIGHTS[name]) for name in WEIGHTS)
    assert all(torch.equal(loaded.training[name], MEMORY[name]) for name in MEMORY)


def test_the_latest_two_and_the_best_are_kept(tmp_path: Path) -> None:
    for step, headline in ((1, 0.1), (2, 0.9), (3, 0.5), (4, None), (5, 0.4)):
        save(tmp_path, step, headline)
    assert steps(tmp_path) == [2, 4, 5]
    best = best_checkpoint(tmp_path)
    assert best is not None and best.name == "step-00000002"
    assert not [path for path in (tmp_path / "checkpoints").iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("name", ["model.safetensors", "training.safetensors", "state.json", "digests.json"])
def test_a_flipped_bit_anywhere_is_found_and_the_one_before_is_used(tmp_path: Path, name: str) -> None:
    save(tmp_path, 1)
    save(tmp_path, 2)
    path = tmp_path / "checkpoints" / "step-00000002" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    found, problems = latest_checkpoint(tmp_path)
    assert found is not None and found.state.step == 1
    assert len(problems) == 1 and "step-00000002" in problems[0]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    address = save(tmp_path, 1)
    (tmp_path / address / "state.json").unlink()
    with pytest.raises(RunError, match=r"incomplete: state\.json"):
        load_checkpoint(tmp_path / address)


def test_where_all_are_damaged_nothing_starts_over_silently(tmp_path: Path) -> None:
    for step in (1, 2):
        (tmp_path / save(tmp_path, step) / "model.safetensors").write_bytes(b"no")
    with pytest.raises(RunError, match="Every checkpoint") as raised:
        latest_checkpoint(tmp_path)
    assert "step-00000001" in raised.value.what and "step-00000002" in raised.value.what


def test_a_run_without_checkpoints_has_none(tmp_path: Path) -> None:
    assert latest_checkpoint(tmp_path) == (None, [])


def test_a_newer_format_is_refused_by_name(tmp_path: Path) -> None:
    import hashlib

    folder = tmp_path / save(tmp_path, 1)
    state = json.dumps({"format": 99, "step": 1}).encode()
    digests = json.loads((folder / "digests.json").read_bytes())
    digests["state.json"] = {"bytes": len(state), "sha256": hashlib.sha256(state).hexdigest()}
    (folder / "state.json").write_bytes(state)
    (folder / "digests.json").write_text(json.dumps(digests))
    with pytest.raises(RunError, match="format 99"):
        load_checkpoint(folder)


def test_a_header_too_large_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    huge = (module.LARGEST_HEADER + 1).to_bytes(8, "little") + b" " * 32
    with pytest.raises(RunError, match="header"):
        module._sound(huge, "step-1/model.safetensors")


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / save(tmp_path, 1)
    secret = tmp_path / "secret"
    secret.write_bytes((folder / "model.safetensors").read_bytes())
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to(secret)
    with pytest.raises(RunError, match="not a plain file"):
        load_checkpoint(folder)


def test_a_full_disk_leaves_the_old_checkpoint_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, 1)
    write = module.write_durable

    def full(path: Path, content: bytes) -> None:
        if path.name == "training.safetensors":
            path.write_bytes(content[:10])
            raise OSError(28, "No space left on device")
        write(path, content)

    monkeypatch.setattr(module, "write_durable", full)
    with pytest.raises(OSError, match="No space"):
        save(tmp_path, 2)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-00000001"]
    assert latest_checkpoint(tmp_path)[0] is not None


def test_what_a_killed_trainer_left_is_cleared_but_never_through_a_link(tmp_path: Path) -> None:
    save(tmp_path, 1)
    folder = tmp_path / "checkpoints"
    (folder / ".part-00000009").mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("stay")
    (folder / ".del-00000000").symlink_to(elsewhere)
    module.clear_leftovers(tmp_path)
    assert not (folder / ".part-00000009").exists()
    assert (elsewhere / "precious").read_text() == "stay"

"""Every state a power cut can leave a run's checkpoints in, enumerated: none loses a checkpoint that was acknowledged.

The writer's steps on the file system are recorded. A cut after any of them is played, with what was not yet synced left
out in many ways: file contents without fsync are empty, names without an fsync of their folder may each be there or
not. After Pillai et al., All File Systems Are Not Created Equal, 2014 (ALICE). Mutants of the protocol have to fail.
"""

from __future__ import annotations

import itertools
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch

from engine.core.errors import RunError
from engine.train import checkpoint as module
from engine.train.checkpoint import State, latest_checkpoint, save_checkpoint

TENSORS = {"w": torch.arange(4.0)}
SAVES = 3


@dataclass(eq=False)
class Node:
    """A file or a folder on the recorded disk."""

    content: bytes | None = None
    entries: dict[str, Node] = field(default_factory=dict)


@dataclass
class Change:
    """Names that appear (a node) or vanish (None) in folders, as one step; or content that a file gets."""

    names: list[tuple[Node, str, Node | None]] = field(default_factory=list)
    file: Node | None = None
    content: bytes = b""
    durable: bool = False
    """Whether nothing can undo it: set by the sync that follows."""
    synced_at: int = 10**9


class Disk:
    """Records what the checkpoint writer does below a folder."""

    def __init__(self, root: Path, mutant: str = "") -> None:
        self.root = root
        self.mutant = mutant
        self.top = Node()
        self.changes: list[Change] = []
        self.acknowledged: list[tuple[int, int]] = []

    def node(self, path: Path) -> Node:
        found = self.top
        for part in path.relative_to(self.root).parts:
            found = found.entries[part]
        return found

    def apply(self, change: Change) -> None:
        self.changes.append(change)
        for folder, name, node in change.names:
            if node is None:
                folder.entries.pop(name, None)
            else:
                folder.entries[name] = node

    def mkdir(self, path: Path) -> None:
        self.apply(Change(names=[(self.node(path.parent), path.name, Node())]))

    def write(self, path: Path, content: bytes) -> None:
        file = Node(content=content)
        self.apply(Change(names=[(self.node(path.parent), path.name, file)]))
        self.apply(
            Change(file=file, content=content, synced_at=10**9 if self.mutant == "no fsync" else len(self.changes) + 1)
        )

    def sync(self, path: Path) -> None:
        if self.mutant == "no folder fsync":
            return
        folder = self.node(path)
        for change in self.changes:
            if any(each is folder for each, _, _ in change.names):
                change.synced_at = min(change.synced_at, len(self.changes))

    def rename(self, old: Path, new: Path) -> None:
        node = self.node(old)
        self.apply(Change(names=[(self.node(old.parent), old.name, None), (self.node(new.parent), new.name, node)]))

    def remove(self, path: Path) -> None:
        folder = self.node(path)
        for name in list(folder.entries):
            self.apply(Change(names=[(folder, name, None)]))
        self.apply(Change(names=[(self.node(path.parent), path.name, None)]))


def recorded(root: Path, monkeypatch: pytest.MonkeyPatch, mutant: str = "") -> Disk:
    """Save some checkpoints below `root` and return everything that was done on the way."""
    disk = Disk(root, mutant)
    write, sync, rmtree = module.write_durable, module.sync_folder, shutil.rmtree
    mkdir, rename = Path.mkdir, Path.rename

    def removed(path: Path, ignore_errors: bool = False) -> None:
        if path.exists():
            disk.remove(path)
            rmtree(path)

    def made(path: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        mkdir(path, mode, parents, exist_ok)
        disk.mkdir(path)

    def moved(path: Path, target: Path) -> Path:
        disk.rename(path, target)
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_durable", lambda path, content: (write(path, content), disk.write(path, content)))
        patch.setattr(module, "sync_folder", lambda path: (sync(path), disk.sync(path)))
        patch.setattr(module.shutil, "rmtree", removed)
        patch.setattr(Path, "mkdir", made)
        patch.setattr(Path, "rename", moved)
        for step in range(1, SAVES + 1):
            if mutant == "delete first":
                for path in module.checkpoints(root):
                    removed(path)
            save_checkpoint(root, State(step=step), {"w": TENSORS["w"] + step}, TENSORS)
            disk.acknowledged.append((len(disk.changes), step))
    return disk


def crash_states(disk: Disk, cut: int, chance: random.Random) -> Iterator[Node]:
    """Yield the trees that may be found after a cut behind the first `cut` changes."""
    done = disk.changes[:cut]
    open_ones = [number for number, change in enumerate(done) if change.synced_at > cut]
    choices = [set(), set(open_ones), *({each} for each in open_ones)]
    choices += [{each for each in open_ones if chance.random() < 0.5} for _ in range(6)]
    for lost in choices:
        yield _replayed(disk, done, lost)


def _replayed(disk: Disk, done: list[Change], lost: set[int]) -> Node:
    copies: dict[int, Node] = {id(disk.top): Node()}

    def copy_of(node: Node) -> Node:
        if id(node) not in copies:
            copies[id(node)] = Node(content=b"" if node.content is not None else None)
        return copies[id(node)]

    for number, change in enumerate(done):
        if number in lost:
            continue
        for folder, name, node in change.names:
            if node is None:
                copy_of(folder).entries.pop(name, None)
            else:
                copy_of(folder).entries[name] = copy_of(node)
        if change.file is not None:
            copy_of(change.file).content = change.content
    return copies[id(disk.top)]


def put(node: Node, place: Path) -> None:
    if node.content is not None:
        place.write_bytes(node.content)
        return
    place.mkdir(exist_ok=True)
    for name, each in node.entries.items():
        put(each, place / name)


def losses(disk: Disk, scratch: Path) -> tuple[int, int]:
    """Return how many crash states there were, and in how many an acknowledged checkpoint was lost."""
    scratch.mkdir()
    chance = random.Random(5)
    seen = lost = 0
    for cut in range(len(disk.changes) + 1):
        due = max((step for after, step in disk.acknowledged if after <= cut), default=0)
        for tree in crash_states(disk, cut, chance):
            place = scratch / f"{seen}"
            put(tree, place)
            seen += 1
            try:
                found, _ = latest_checkpoint(place)
            except RunError:
                found = None
            good = found is not None and torch.equal(found.model["w"], TENSORS["w"] + found.state.step)
            lost += due > 0 and not (good and found is not None and found.state.step >= due)
            shutil.rmtree(place)
    return seen, lost


def test_no_crash_state_loses_an_acknowledged_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "run"
    root.mkdir()
    seen, lost = losses(recorded(root, monkeypatch), tmp_path / "scratch")
    assert seen > 300
    assert lost == 0


@pytest.mark.parametrize("mutant", ["no fsync", "no folder fsync", "delete first"])
def test_a_protocol_with_a_step_left_out_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mutant: str
) -> None:
    root = tmp_path / "run"
    root.mkdir()
    assert losses(recorded(root, monkeypatch, mutant), tmp_path / "scratch")[1] > 0


def test_each_file_and_folder_really_reaches_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = itertools.count()
    fsync = module.os.fsync
    monkeypatch.setattr(module.os, "fsync", lambda file: (next(synced), fsync(file)))
    save_checkpoint(tmp_path, State(step=1), TENSORS, TENSORS)
    assert next(synced) == 4 + 3  # four files; the checkpoint's folder, that of all checkpoints, the run's

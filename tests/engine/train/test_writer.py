"""The log: whole lines, nothing lost when the disk is full, long events beside it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from engine.core.events import HeatMap, Note, Scalars, decode, encode, encode_all
from engine.core.records import Status, read_record
from engine.train import writer as writer_module
from engine.train.writer import RunWriter


def texts(folder: Path) -> list[str]:
    found = [decode(line) for line in (folder / "events.jsonl").read_bytes().splitlines() if line]
    return [event.text for event in found if isinstance(event, Note)]


def test_what_was_emitted_stands_in_the_log_at_once(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path)
    writer.emit(Note(text="one"), Note(text="two"))
    assert texts(tmp_path) == ["one", "two"]
    assert (tmp_path / "events.jsonl").read_bytes().endswith(b"\n")


def test_a_torn_last_line_is_closed_off_before_the_next(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(b'{"k":"note","text":"cut o')
    RunWriter(tmp_path).emit(Note(text="after"))
    lines = (tmp_path / "events.jsonl").read_bytes().splitlines()
    assert lines[0] == b'{"k":"note","text":"cut o'
    assert len(lines) == 2


def test_an_event_longer_than_a_line_may_be_goes_to_media(tmp_path: Path) -> None:
    event = HeatMap(s=7, name="Attention, layer 1", values=[[0.123456789] * 200] * 60)
    RunWriter(tmp_path).emit(event)
    (line,) = (tmp_path / "events.jsonl").read_bytes().splitlines()
    kept = decode(line)
    assert kept == HeatMap(s=7, name="Attention, layer 1", media="media/00000007-attention-layer-1.json")
    import msgspec

    assert msgspec.json.decode((tmp_path / kept.media).read_bytes(), type=HeatMap) == event


class FullDisk:
    """A disk that takes a number of bytes and no more."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.write = os.write

    def __call__(self, file: int, data: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self.write(file, data[: self.room])
        self.room -= written
        return written


@pytest.mark.parametrize("room", [0, 1, 20, 43, 60])
def test_a_full_disk_loses_and_doubles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    monkeypatch.setattr(writer_module, "RETRY_SECONDS", 0.0)
    writer = RunWriter(tmp_path)
    disk = FullDisk(room)
    monkeypatch.setattr(writer_module.os, "write", disk)
    for number in range(5):
        writer.emit(Note(text=str(number)))
    assert "wait in memory" in writer.trouble
    disk.room = 10**6
    writer.emit(Note(text="5"))
    assert [text for text in texts(tmp_path) if text.isdigit()] == list("012345")
    assert any("room on the disk again" in text for text in texts(tmp_path))
    assert writer.trouble == ""


def test_the_backlog_is_thinned_but_its_first_piece_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(writer_module, "LARGEST_BACKLOG", 1000)
    writer = RunWriter(tmp_path)
    disk = FullDisk(10)
    monkeypatch.setattr(writer_module.os, "write", disk)
    for number in range(100):
        writer.emit(Note(text=str(number)))
    disk.room = 10**6
    writer.flush()
    numbers = [int(text) for text in texts(tmp_path) if text.isdigit()]
    assert numbers[0] == 0 and numbers[-1] == 99
    assert numbers == sorted(set(numbers))


def test_the_heart_beat_says_phase_and_step_and_is_not_written_too_often(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path)
    writer.status("training", 5, 10)
    writer.status("training", 6, 10)
    status = read_record(tmp_path, Status)
    assert status is not None and (status.phase, status.step, status.total_steps) == ("training", 5, 10)
    writer.status("paused", 7, 10, at_once=True)
    assert (read_record(tmp_path, Status) or status).phase == "paused"


def test_many_scalars_are_one_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = RunWriter(tmp_path)
    calls: list[int] = []
    write = os.write
    monkeypatch.setattr(writer_module.os, "write", lambda file, data: calls.append(len(data)) or write(file, data))
    writer.emit_all(Scalars(s=step, v={"train/loss": 1.0}) for step in range(50))
    assert len(calls) == 1


def test_lines_written_together_are_those_written_alone() -> None:
    events = [Note(s=1, text='a "}\n{" b'), Scalars(s=2, t=0.5, v={"train/loss": "NaN", "gradient_norm": 1e-9})]
    assert encode_all(events) == [encode(event) for event in events]
    assert encode_all([]) == []

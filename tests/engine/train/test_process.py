"""The trainer as the shim starts it: a process of its own, at once or warm."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.core.events import Finished, Scalars
from engine.core.records import Status, read_record
from tests.engine.train.conftest import MakeRun, events_of

ROOT = Path(__file__).parents[3]


def trainer(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", "-m", "engine.train", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_it_trains_the_run_it_is_given(make_run: MakeRun) -> None:
    folder = make_run()
    process = trainer(str(folder))
    said, complained = process.communicate(timeout=120)
    assert (process.returncode, said, complained) == (0, "", "")
    assert isinstance(events_of(folder)[-1], Finished)
    status = read_record(folder, Status)
    assert status is not None and (status.phase, status.step) == ("finished", 100)
    model = "families/mlp/model.py"
    assert (folder / "code" / model).read_bytes() == (ROOT / "engine" / model).read_bytes(), "the code as it was"


def test_a_warm_one_waits_for_its_folder_and_obeys_signals(make_run: MakeRun) -> None:
    folder = make_run(epochs=100_000.0)
    process = trainer("--warm")
    assert process.stdin is not None
    process.stdin.write(f"{folder}\n")
    process.stdin.flush()
    until = time.monotonic() + 120
    while not (folder / "events.jsonl").exists() or not any(isinstance(e, Scalars) for e in events_of(folder)):
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert (folder / "checkpoints").is_dir()


def test_a_warm_one_that_is_not_needed_goes(make_run: MakeRun) -> None:
    process = trainer("--warm")
    process.communicate("", timeout=120)
    assert process.returncode == 0


@pytest.mark.parametrize("arguments", [[], ["--nonsense"], ["one", "two"]])
def test_wrong_usage_is_told(arguments: list[str]) -> None:
    process = trainer(*arguments)
    _, complained = process.communicate(timeout=60)
    assert process.returncode == 2 and "usage" in complained


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    process = trainer(str(tmp_path / "nowhere"))
    _, complained = process.communicate(timeout=120)
    assert process.returncode == 1 and "no folder" in complained and "Traceback" not in complained

"""What every test starts from: a home of its own, no network, one thread, the data sets where they are."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

# Read when torch, numpy or the tokenizers are imported, so it has to stand before the first test is collected.
os.environ["OMP_NUM_THREADS"] = "1"

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
LOCAL = {"127.0.0.1", "::1", "localhost"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home for runs, data and the record; the data sets that were loaded before can be read, not written."""
    place = tmp_path / "home"
    place.mkdir(mode=0o700)
    monkeypatch.setenv("LEXIGRAD_HOME", str(place))
    if DATA.is_dir():
        monkeypatch.setenv("LEXIGRAD_DATA", str(DATA))
    else:
        monkeypatch.delenv("LEXIGRAD_DATA", raising=False)
    for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
    return place


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that leaves the machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and str(address[0]) not in LOCAL:  # type: ignore[index]
            raise OSError(f"A test wanted to reach {address}; tests stay on this machine.")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Keep torch to one thread, also where it was imported while the tests were collected."""
    import sys

    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)

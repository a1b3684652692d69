"""Homes for what the benchmarks start: a fresh folder each, gone afterwards."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.source import ROOT

DATA = ROOT.parent / "shared" / "data"
"""Data sets that were loaded before, beside the repository."""


@contextmanager
def fresh_home() -> Iterator[Path]:
    """Make a new home for runs and caches, and let this process and its children use it."""
    before = {name: os.environ.get(name) for name in ("LEXIGRAD_HOME", "LEXIGRAD_DATA")}
    home = Path(tempfile.mkdtemp(prefix="lexigrad-bench-"))
    os.environ["LEXIGRAD_HOME"] = str(home)
    if before["LEXIGRAD_DATA"] is None and DATA.is_dir():
        os.environ["LEXIGRAD_DATA"] = str(DATA)
    try:
        yield home
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        shutil.rmtree(home, ignore_errors=True)

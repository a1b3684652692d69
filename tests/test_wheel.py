"""What is installed elsewhere is whole: the wheel holds every module and everything that is read beside them."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from tests import source

READ_BESIDE = {".md", ".tcss", ".tsv", ".gz", ".npz", ".csv", ".json", ".safetensors", ".typed", ".txt"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Build the wheel once, without the network."""
    pytest.importorskip("hatchling", reason="hatchling builds the wheel; `make install` brings it")
    folder: Path = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=source.ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def test_it_holds_every_module(wheel: zipfile.ZipFile) -> None:
    there = {path.relative_to(source.ROOT).as_posix() for path in source.modules()}
    assert there - set(wheel.namelist()) == set()


def test_it_holds_all_that_is_read_beside_the_modules(wheel: zipfile.ZipFile) -> None:
    beside = {
        path.relative_to(source.ROOT).as_posix()
        for package in source.PACKAGES
        for path in (source.ROOT / package).rglob("*")
        if path.suffix in READ_BESIDE and path.is_file()
    }
    assert {Path(each).suffix for each in beside} >= {".md", ".tcss", ".typed"}
    assert beside - set(wheel.namelist()) == set()


@pytest.mark.parametrize(
    "kind", ["glossary/entries/", "glossary/walkthroughs/", "glossary/taxonomy.tsv", "engine/data/glossary-v1.txt.gz"]
)
def test_it_holds_what_the_app_cannot_do_without(wheel: zipfile.ZipFile, kind: str) -> None:
    assert [name for name in wheel.namelist() if name.lower().startswith(kind)]


def test_it_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(source.PACKAGES)
    assert not [name for name in wheel.namelist() if "__pycache__" in name]


def test_it_brings_the_command_and_its_license(wheel: zipfile.ZipFile) -> None:
    (info,) = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    assert "lexigrad = tui.cli:main" in wheel.read(f"{info}/entry_points.txt").decode()
    about = Parser().parsestr(wheel.read(f"{info}/METADATA").decode())
    assert about["Name"] == "lexigrad"
    assert about["License-Expression"] == "MIT"
    assert about["Requires-Python"]

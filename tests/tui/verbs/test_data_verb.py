"""Data sets on the command line: what is here, what is loaded under which license, what is damaged."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from engine.core.errors import DataError
from engine.data.table import TABLE, DataSet, File
from tests.tui.verbs.conftest import Cli

CONTENT = b"five words are in here\n"
ROW = DataSet(
    name="words",
    title="Some words",
    kind="text",
    summary="Words.",
    license="CC0",
    citation="Nobody, 2026.",
    folder="words",
    files=(File("words.txt", "http://127.0.0.1:9/words.txt", len(CONTENT), hashlib.sha256(CONTENT).hexdigest()),),
)


@pytest.fixture
def place(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the one file of the only data set belongs."""
    monkeypatch.delenv("LEXIGRAD_DATA", raising=False)
    monkeypatch.setattr("tui.verbs.data.TABLE", {"words": ROW, "spiral": TABLE["spiral"]})
    monkeypatch.setattr("engine.data.table.TABLE", {"words": ROW, "spiral": TABLE["spiral"]})
    return home / "data" / "words" / "words.txt"


def put(place: Path, content: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)


@pytest.mark.parametrize(("content", "state"), [(None, "missing"), (CONTENT, "here"), (CONTENT[:-1], "damaged")])
def test_the_list_says_what_is_here(cli: Cli, place: Path, content: bytes | None, state: str) -> None:
    if content is not None:
        put(place, content)
    row = next(line for line in cli("data").out.splitlines() if line.startswith("words"))
    assert row.split()[1] == state and "CC0" in row
    told = {each["name"]: each["state"] for each in json.loads(cli("data", "list", "--json").out)}
    assert told == {"words": state, "spiral": "built in"}


def test_the_license_is_shown_before_anything_is_loaded(
    cli: Cli, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before: list[str] = []

    def fetch(row: DataSet, progress: object) -> None:
        before.append(capsys.readouterr().out)
        put(place, CONTENT)

    monkeypatch.setattr("tui.verbs.data.fetch", fetch)
    said = cli("data", "get", "words")
    assert said.code == 0
    assert "License: CC0" in before[0] and "Nobody, 2026" in before[0]
    assert "right checksum" in said.out
    assert "Some words is here." in cli("data", "get", "words").out


def test_a_download_that_breaks_off_says_what_to_do(cli: Cli, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(row: DataSet, progress: object) -> None:
        raise DataError("The line is dead.", "Try again, it goes on where it stopped.")

    monkeypatch.setattr("tui.verbs.data.fetch", fetch)
    said = cli("data", "get", "words")
    assert said.code == 1 and "goes on where it stopped" in said.err


def test_a_damaged_file_is_found_by_its_checksum(cli: Cli, place: Path) -> None:
    put(place, CONTENT)
    assert cli("data", "verify").code == 0
    put(place, CONTENT.replace(b"five", b"nine"))
    said = cli("data", "verify", "words")
    assert said.code == 1 and "damaged" in said.out and "lexigrad data get words" in said.out


def test_what_is_not_here_is_an_error_only_where_it_was_asked_for(cli: Cli, place: Path) -> None:
    assert cli("data", "verify").code == 0
    assert cli("data", "verify", "words").code == 1
    assert cli("data", "verify", "spiral").code == 0


def test_an_unknown_name_is_named_with_the_nearest(cli: Cli, place: Path) -> None:
    said = cli("data", "get", "wrods")
    assert said.code == 1 and "'wrods'" in said.err and "'words'" in said.err

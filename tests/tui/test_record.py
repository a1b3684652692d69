"""The learner's record: what was noted is there again, and nothing is lost to a damaged file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tui.record import VERSION, Record, back_up


def test_what_was_noted_is_there_when_the_app_opens_again(tmp_path: Path) -> None:
    path = tmp_path / "lexigrad.sqlite"
    record = Record(path)
    record.mark_read("softmax")
    record.predict("first", "bend", "it jumps")
    record.predict("first", "bend", "it falls")
    record.answer("softmax", 1, 2, False)
    record.finish_step("first", "bend")
    record.keep_place("setting:theme", "lexigrad-light")
    record.close()

    again = Record(path)
    assert again.read() == {"softmax"}
    assert again.predictions("first") == {"bend": "it falls"}
    assert again.answers() == [("softmax", 1, False)]
    assert again.finished_steps("first") == {"bend"}
    assert again.place("setting:theme") == "lexigrad-light"


def test_a_bookmark_is_set_and_taken_away_by_the_same_key(tmp_path: Path) -> None:
    record = Record(tmp_path / "r.sqlite")
    assert record.toggle_bookmark("gpt") is True
    assert record.bookmarks() == ("gpt",)
    assert record.toggle_bookmark("gpt") is False
    assert record.bookmarks() == ()


def test_only_what_was_opened_since_counts(tmp_path: Path) -> None:
    record = Record(tmp_path / "r.sqlite")
    record.note_opened("panel:loss")
    assert record.opened() == {"panel:loss"}
    assert record.opened(since=4e9) == frozenset()


def test_a_damaged_file_is_set_aside_and_a_new_record_begins(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    path.write_bytes(b"this is no database" * 100)
    record = Record(path)
    record.mark_read("gpt")
    assert record.read() == {"gpt"}
    assert "set aside" in record.trouble
    (aside,) = tmp_path.glob("r.damaged-*")
    assert aside.read_bytes().startswith(b"this is no database")


def test_where_no_file_can_be_written_the_record_lasts_until_the_end(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    record = Record(tmp_path / "file" / "below" / "r.sqlite")
    record.mark_read("gpt")
    assert record.read() == {"gpt"}
    assert "until the app closes" in record.trouble


def test_an_older_record_is_backed_up_before_it_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    Record(path).close()
    with sqlite3.connect(path) as old:
        old.execute(f"PRAGMA user_version={VERSION}")
    back_up(path)
    assert not list(tmp_path.glob("*.backup"))
    import tui.record as module

    module.VERSION, before = VERSION + 1, module.VERSION
    try:
        Record(path).close()
    finally:
        module.VERSION = before
    assert len(list(tmp_path.glob(f"r.v{VERSION}.backup"))) == 1

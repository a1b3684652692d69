"""A folder becomes documents; what is passed over has a reason; what is nothing has a clear error."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.core.errors import DataError
from engine.retrieval.documents import read_file, read_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "texts"
    (place / "inner").mkdir(parents=True)
    (place / "b.md").write_text("---\ntitle: 'The second'\n---\n# Not this\nText.\n")
    (place / "a.md").write_text("# The first #\n\nText of the first.\n")
    (place / "inner" / "plain.txt").write_text("No heading here.")
    return place


def test_a_folder_is_read_in_the_order_of_its_paths_with_titles(folder: Path) -> None:
    documents = read_folder(folder).documents
    assert [(each.path, each.title) for each in documents] == [
        ("a.md", "The first"),
        ("b.md", "The second"),
        ("inner/plain.txt", "plain"),
    ]


def test_what_cannot_be_read_is_passed_over_with_its_reason(folder: Path) -> None:
    (folder / "nul.txt").write_bytes(b"text\0more")
    (folder / "latin.txt").write_bytes("naïve".encode("latin-1"))
    (folder / "long.txt").write_text("word " * 100)
    (folder / "empty.md").write_text(" \n")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    (folder / ".secret.md").write_text("hidden")
    (folder / "link.md").symlink_to(folder / "a.md")
    (folder / "out").symlink_to("/etc")
    os.mkfifo(folder / "pipe.txt")
    collection = read_folder(folder, largest=200)
    assert len(collection.documents) == 3
    assert {each.path: each.reason for each in collection.skipped} == {
        ".secret.md": "hidden",
        "empty.md": "empty",
        "latin.txt": "binary",
        "link.md": "a link",
        "long.txt": "too large",
        "nul.txt": "binary",
        "out": "a link",
        "picture.png": "neither Markdown nor text by its name",
        "pipe.txt": "not a plain file",
    }


def test_an_empty_folder_and_none_at_all_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no Markdown or text file\. It is empty"):
        read_folder(tmp_path / "home")
    with pytest.raises(DataError, match="There is no folder"):
        read_folder(tmp_path / "nowhere")


def test_a_folder_of_binaries_alone_says_so(tmp_path: Path) -> None:
    place = tmp_path / "binaries"
    place.mkdir()
    (place / "data.txt").write_bytes(b"\xff\xfe\0")
    with pytest.raises(DataError, match=r"1 passed over, the first is 'data.txt' \(binary\)"):
        read_folder(place)
    with pytest.raises(DataError, match="cannot be read as a document: binary"):
        read_file(place / "data.txt")


def test_a_sharp_keeps_its_sign(tmp_path: Path) -> None:
    (tmp_path / "c.md").write_text("# C#\ntext")
    assert read_file(tmp_path / "c.md").title == "C#"

"""Labeled sentences: read from their archive as it is published, and always split alike."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import torch

from engine.core.errors import DataError
from engine.data import sentences as read
from engine.data.files import missing
from engine.data.load import load
from engine.data.table import TABLE
from engine.families.bert.spec import BERTSpec

ROW = TABLE["sentence-polarity"]


def archive(folder: Path, **members: bytes) -> Path:
    path = folder / "some.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def test_every_line_is_a_sentence_in_ascii_and_comes_once(tmp_path: Path) -> None:
    path = archive(tmp_path, pos="a caf\N{LATIN SMALL LETTER E WITH ACUTE} \n\nfine \x91quoted\x92 \na cafe\n".encode())
    assert read.sentences(path, "pos") == ["a cafe", "fine quoted"]


def test_an_archive_that_is_none_is_told_with_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "broken.zip"
    path.write_bytes(b"PK\3\4 no archive")
    monkeypatch.setattr(read, "verified", lambda _row, _file: path)
    with pytest.raises(DataError, match=r"cannot be decoded.*data get sentence-polarity"):
        read.load_polarity(ROW, 0)
    path = archive(tmp_path, other=b"x")
    with pytest.raises(DataError, match=r"rt-polarity\.neg"):
        read.load_polarity(ROW, 0)


def test_a_member_that_is_too_long_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "LARGEST_MEMBER", 10)
    with pytest.raises(ValueError, match="longer than 10 bytes"):
        read.sentences(archive(tmp_path, pos=b"x" * 11), "pos")


def test_the_split_is_a_fifth_of_each_class_and_the_seed_mixes_what_is_trained_on() -> None:
    classes = {"bad": [f"bad {n}" for n in range(40)], "good": [f"good {n}" for n in range(60)]}
    first, again, other = (read.split_sentences("toy", classes, seed) for seed in (1, 1, 2))
    assert first.train_texts == again.train_texts != other.train_texts
    assert set(first.train_texts) == set(other.train_texts), "whoever goes on from a run of another seed, say"
    assert first.valid_texts == other.valid_texts and torch.equal(first.valid_labels, other.valid_labels)
    assert first.digest == other.digest
    assert torch.bincount(first.valid_labels).tolist() == [8, 12]
    changes = int((first.train_labels.diff() != 0).sum())
    assert changes > 20, "neighbors in the list are no kin"
    assert not set(first.train_texts) & set(first.valid_texts)
    for text, label in zip(first.train_texts, first.train_labels.tolist(), strict=True):
        assert text.startswith(first.classes[label])


def test_fewer_examples_are_chosen_with_their_labels() -> None:
    few = read.split_sentences("toy", {"bad": [f"bad {n}" for n in range(40)], "good": ["good"] * 9}, 0).cut(10, 3)
    assert few.size == len(few.train_labels) == 10
    for text, label in zip(few.train_texts, few.train_labels.tolist(), strict=True):
        assert text.startswith(few.classes[label])


@pytest.mark.skipif(bool(missing(ROW)), reason="sentence polarity is not on this machine")
def test_the_real_ones_are_there_in_full() -> None:
    data = load("sentence-polarity", BERTSpec(), 0, torch.device("cpu"))
    assert data.classes == ("negative", "positive")
    assert data.size == ROW.examples
    assert all(text.isascii() and text for text in data.train_texts)

"""Pairs of source and target: made-up ones are right and never in two splits, real ones are read as published."""

from __future__ import annotations

import datetime
import gzip
import hashlib
import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.core.errors import DataError
from engine.data.buckets import Buckets, grouped
from engine.data.pair_tasks import FORMS, TASKS, ordinal
from engine.data.pairs import JUDGED, TRAIN, Pairs, load_task, load_translations
from engine.data.table import TABLE, File

CPU = torch.device("cpu")


@pytest.fixture(scope="module", params=TASKS)
def made(request: pytest.FixtureRequest) -> Pairs:
    return load_task(TABLE[request.param], 0)


def test_the_splits_of_a_made_up_task_share_nothing(made: Pairs) -> None:
    key = TASKS[made.name].key
    splits = [made.train, made.valid, made.test]
    assert [len(split) for split in splits] == [TRAIN, JUDGED, JUDGED] == [TABLE[made.name].examples, JUDGED, JUDGED]
    keys = [{key(pair) for pair in split} for split in splits]
    assert not keys[0] & keys[1] and not keys[0] & keys[2] and not keys[1] & keys[2]
    assert len({pair.source for pair in made.train}) == TRAIN


def test_a_made_up_task_follows_its_seed(made: Pairs) -> None:
    again, other = load_task(TABLE[made.name], 0), load_task(TABLE[made.name], 1)
    assert again == made
    assert other.digest != made.digest


def test_words_are_reversed_and_sorted() -> None:
    draw = random.Random(0)
    for _ in range(100):
        source, target = TASKS["reverse"].draw(draw)
        assert target == source[::-1] and 4 <= len(source) <= 12
        source, target = TASKS["sort"].draw(draw)
        assert list(target) == sorted(source)


def test_every_form_of_a_date_names_one_day_alone() -> None:
    first = datetime.date(1950, 1, 1)
    days = [first + datetime.timedelta(days=number) for number in range(0, 36_525, 13)]
    named: dict[str, set[datetime.date]] = {}
    for day in days:
        for form in FORMS:
            named.setdefault(form(day), set()).add(day)
    assert all(len(days) == 1 for days in named.values())
    day = datetime.date(2021, 3, 4)
    assert {"4 March 2021", "3/4/2021", "4.3.2021", "04.03.21", "Thu, Mar 4, 2021", "4.III.2021", "20210304"} <= {
        form(day) for form in FORMS
    }


def test_days_are_counted_as_people_do() -> None:
    assert [ordinal(day) for day in (1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 31)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "23rd", "31st",
    ]  # fmt: skip


def test_some_of_the_pairs_are_chosen_by_seed(made: Pairs) -> None:
    few = made.cut(50, 3)
    assert few.size == 50 and set(few.train) < set(made.train)
    assert few == made.cut(50, 3) != made.cut(50, 4)
    assert few.valid == made.valid and few.to(CPU) is few


def published(folder: Path, monkeypatch: pytest.MonkeyPatch, lines: dict[str, list[str]]) -> Pairs:
    """Read files that are made here as the table's row would be."""
    (folder / "multi30k").mkdir(parents=True)
    monkeypatch.setenv("LEXIGRAD_DATA", str(folder))
    files = []
    for name, some in lines.items():
        content = gzip.compress("\n".join([*some, ""]).encode())
        (folder / "multi30k" / name).write_bytes(content)
        files.append(File(name, "https://example.org", len(content), hashlib.sha256(content).hexdigest()))
    return load_translations(replace(TABLE["multi30k-de-en"], files=tuple(files)), 0)


def test_translations_are_read_line_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = {
        "train.de.gz": ["Ein Hund.", " Zwei Männer "], "train.en.gz": ["A dog.", "Two men"],
        "val.de.gz": ["Eine Frau"], "val.en.gz": ["A woman"],
        "test_2016_flickr.de.gz": ["Kinder"], "test_2016_flickr.en.gz": ["Children"],
    }  # fmt: skip
    data = published(tmp_path / "right", monkeypatch, lines)
    assert data.languages == ("German", "English") and data.prose
    assert data.train == (("Ein Hund.", "A dog."), ("Zwei Männer", "Two men"))
    assert (data.valid, data.test) == ((("Eine Frau", "A woman"),), (("Kinder", "Children"),))
    with pytest.raises(DataError, match=r"val.de.gz and val.en.gz differ in their number of lines.*data get"):
        published(tmp_path / "wrong", monkeypatch, {**lines, "val.en.gz": ["A", "woman"]})


def test_groups_hold_every_pair_once_by_length_and_pad_to_the_longest() -> None:
    pairs = [([5] * length, [6] * (length + 1)) for length in (9, 2, 7, 2, 4)]
    groups = grouped(pairs, 2, 0, CPU)
    assert [numbers.tolist() for _, _, numbers in groups] == [[1, 3, 4], [2, 0]]
    assert [tuple(source.shape) for source, _, _ in groups] == [(3, 4), (2, 9)]
    assert groups[0][0].tolist() == [[5, 5, 0, 0], [5, 5, 0, 0], [5, 5, 5, 5]]
    assert len(grouped(pairs, 99, 0, CPU)) == 5


def test_batches_of_like_length_are_a_pure_function_of_seed_and_step() -> None:
    pairs = [([number + 1] * (1 + number % 7), [1, number + 1, 2]) for number in range(60)]
    groups = [(source, target) for source, target, _ in grouped(pairs, 3, 0, CPU)]
    batches, again, other = (Buckets(groups, 5, seed, 0) for seed in (1, 1, 2))
    assert batches.epoch_steps == 12
    seen: list[int] = []
    for step in reversed(range(12)):
        source, target, predicted = batches.at(step)
        assert torch.equal(source, again.at(step)[0]) and predicted.tolist() == [2.0] * 5
        seen += target[:, 1].tolist()
    assert sorted(seen) == list(range(1, 61)), "an epoch sees every pair once"
    assert any(
        mine.shape != yours.shape or not torch.equal(mine, yours)
        for mine, yours in ((batches.at(step)[0], other.at(step)[0]) for step in range(3))
    )

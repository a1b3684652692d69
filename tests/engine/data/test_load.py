"""Data by name: what they hold, how they are split, and what is said when they are missing or damaged."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from engine.core.errors import DataError
from engine.data import files, idx
from engine.data.corpora import load_text_file
from engine.data.csvfile import load_csv
from engine.data.examples import Corpus, Examples
from engine.data.freeze import freeze, prose
from engine.data.load import load
from engine.data.table import TABLE, DataSet, File, data_set

CPU = torch.device("cpu")


@dataclass
class Knobs:
    examples: int = 0
    target: str = ""


def examples(name: str, seed: int = 0, **knobs: object) -> Examples:
    found = load(name, Knobs(**knobs), seed, CPU)  # type: ignore[arg-type]
    assert isinstance(found, Examples)
    return found


@pytest.mark.parametrize("name", ["moons", "rings", "spiral", "ring", "digits", "breast-cancer", "wine"])
def test_what_is_embedded_is_as_the_table_says(name: str) -> None:
    row, data = TABLE[name], examples(name)
    assert row.embedded
    assert len(data.train_inputs) == row.examples and data.train_inputs[0].numel() == row.inputs
    assert data.outputs == row.outputs and int(data.train_labels.max()) == row.outputs - 1
    prepared = data.prepare(data.train_inputs)
    assert prepared.dtype == torch.float32
    assert abs(float(prepared.mean())) < 1e-3 and abs(float(prepared.std()) - 1) < 0.02


@pytest.mark.parametrize("name", ["digits", "wine", "spiral"])
def test_the_split_is_stratified_and_follows_the_seed(name: str) -> None:
    data, again, other = examples(name, 1), examples(name, 1), examples(name, 2)
    assert torch.equal(data.valid_inputs, again.valid_inputs)
    assert not torch.equal(data.valid_inputs, other.valid_inputs)
    whole = torch.cat([data.train_labels, data.valid_labels]).bincount()
    shares = data.valid_labels.bincount() / whole
    assert float((shares - 0.2).abs().max()) < 0.03


def test_training_and_validation_share_no_example() -> None:
    data = examples("digits")
    train = {bytes(each.flatten().tolist()) for each in data.train_inputs}
    valid = [bytes(each.flatten().tolist()) for each in data.valid_inputs]
    assert sum(each in train for each in valid) <= 1  # two people may write the same eight by eight pixels


def test_fewer_examples_leave_the_validation_split_as_it_is() -> None:
    data, few = examples("digits"), examples("digits", examples=100)
    assert few.size == 100
    assert torch.equal(data.valid_inputs, few.valid_inputs)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(DataError, match="fashion-mnist"):
        load("fashon-mnist", Knobs(), 0, CPU)
    with pytest.raises(DataError, match="spiral"):
        data_set("spirl")


# Pictures in files


def idx_bytes(numbers: torch.Tensor) -> bytes:
    axes = b"".join(length.to_bytes(4, "big") for length in numbers.shape)
    return bytes([0, 0, 8, numbers.ndim]) + axes + bytes(numbers.flatten().tolist())


@pytest.fixture
def small_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataSet:
    """A data set of the shape of MNIST, twenty pictures large, in a data folder of its own."""
    monkeypatch.setenv("LEXIGRAD_DATA", str(tmp_path / "data"))
    folder = tmp_path / "data" / "mnist"
    folder.mkdir(parents=True)
    made = []
    for file in TABLE["mnist"].files:
        count = 20 if file.name.startswith("train") else 10
        shape = (count, 28, 28) if "images" in file.name else (count,)
        numbers = torch.randint(0, 10, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(count))
        content = gzip.compress(idx_bytes(numbers))
        (folder / file.name).write_bytes(content)
        made.append(File(file.name, file.url, len(content), hashlib.sha256(content).hexdigest()))
    row = replace(TABLE["mnist"], files=tuple(made))
    monkeypatch.setitem(TABLE, "mnist", row)
    return row


def test_idx_pictures_are_decoded_once_and_kept(
    small_mnist: DataSet, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = examples("mnist")
    assert data.train_inputs.shape == (20, 1, 28, 28) and data.train_inputs.dtype == torch.uint8
    assert data.shape == (1, 28, 28) and len(data.valid_labels) == 10
    assert len(list((home / "cache").glob("mnist-*.idx"))) == 4
    monkeypatch.setattr(idx, "verified", lambda row, file: pytest.fail("it was decoded again"))
    again = examples("mnist")
    assert torch.equal(again.train_inputs, data.train_inputs) and again.digest == data.digest


def test_a_damaged_cache_is_made_anew(small_mnist: DataSet, home: Path) -> None:
    data = examples("mnist")
    for path in (home / "cache").glob("mnist-*.idx"):
        path.write_bytes(path.read_bytes()[:50])
    assert torch.equal(examples("mnist").train_inputs, data.train_inputs)


def test_a_missing_file_is_said_with_how_to_get_it(small_mnist: DataSet, tmp_path: Path) -> None:
    (tmp_path / "data" / "mnist" / small_mnist.files[1].name).unlink()
    with pytest.raises(DataError, match="train-labels") as raised:
        examples("mnist")
    assert "lexigrad data get mnist" in raised.value.remedy


def test_a_damaged_file_is_named(small_mnist: DataSet, tmp_path: Path) -> None:
    path = tmp_path / "data" / "mnist" / small_mnist.files[0].name
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged") as raised:
        examples("mnist")
    assert str(path) in raised.value.what


def test_a_file_cut_short_is_told_apart_by_its_size(small_mnist: DataSet, tmp_path: Path) -> None:
    path = tmp_path / "data" / "mnist" / small_mnist.files[0].name
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(DataError, match="incomplete or damaged"):
        files.find(small_mnist, small_mnist.files[0])


@pytest.mark.parametrize("content", [b"", b"\0\0\x08", b"\0\0\x0d\x01\0\0\0\0", b"\0\0\x08\x01\0\0\0\x05abc"])
def test_what_is_no_idx_file_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"idx|bytes"):
        idx.parse_idx(content)


def test_every_row_of_the_table_is_complete() -> None:
    for name, row in TABLE.items():
        assert row.name == name and row.license and row.citation and row.summary.endswith(".")
        for file in row.files:
            assert row.folder and len(file.sha256) == 64 and file.bytes > 0
            assert not file.url or (file.url.startswith("https://") and file.url.endswith(file.name))


# Texts


def test_a_text_is_split_by_place(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_bytes(b"\xef\xbb\xbf" + b"line one\r\nline two\n" * 100)
    corpus = load(str(path), Knobs(), 0, CPU)
    assert isinstance(corpus, Corpus)
    assert corpus.train.startswith("line one\nline two\n") and "\r" not in corpus.train
    assert len(corpus.train) == pytest.approx(9 * len(corpus.valid), rel=0.01)


@pytest.mark.parametrize(
    ("content", "words"), [(b"short", "too few"), (b"\xff\xfe" * 2000, "UTF-8"), (b"a\0" * 2000, "zero bytes")]
)
def test_what_is_no_text_is_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "mine.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=words):
        load_text_file(path)


def test_a_missing_text_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file"):
        load_text_file(tmp_path / "nowhere.txt")
    with pytest.raises(DataError, match="folder"):
        load_text_file(tmp_path)


def test_the_glossary_is_there_without_a_download() -> None:
    corpus = load("glossary", Knobs(), 0, CPU)
    assert isinstance(corpus, Corpus) and len(corpus.train) > 100_000


ENTRY = """---
title: Neuron
one_line: A weighted sum with a bend.
related: [layer]
---

## In one sentence
A **neuron** adds its *weighted* inputs, see [[layer|the layers]] and [[activation-function]].

## Worked example
```python
assert 1 + 1 == 2
```

Two inputs, `w` and [a link](https://example.org).

$$ y = f(w x) $$

- first point
  goes on
- second point

| a | b |
|---|---|

## Further reading
Somebody 1958.
"""


def test_freezing_keeps_sentences_and_nothing_else() -> None:
    assert prose(ENTRY).splitlines() == [
        "Neuron",
        "A weighted sum with a bend.",
        "A neuron adds its weighted inputs, see the layers and activation function.",
        "Two inputs, w and a link.",
        "first point goes on",
        "second point",
    ]


def test_freezing_a_folder_does_not_depend_on_its_order(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        (tmp_path / f"{name}.md").write_text(ENTRY.replace("Neuron", name.upper()))
    text = freeze(tmp_path, prose)
    assert sorted(line for line in text.splitlines() if len(line) == 1) == ["A", "B", "C"]
    assert text == freeze(tmp_path, prose)


# Tables


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(text)
    return path


HEADED = "size,color,label\n" + "".join(
    f"{n}.5,{'red' if n % 2 else 'blue'},{'yes' if n % 2 else 'no'}\n" for n in range(40)
)


def test_numbers_and_words_become_features(tmp_path: Path) -> None:
    data = load_csv(table(tmp_path, HEADED), "", 0)
    assert data.columns == ("size", "color = blue", "color = red")
    assert data.classes == ("no", "yes")
    assert data.train_inputs.shape == (32, 3) and len(data.valid_labels) == 8
    assert torch.equal(data.train_inputs[:, 2], data.train_labels.float())


def test_a_named_column_is_predicted(tmp_path: Path) -> None:
    assert load_csv(table(tmp_path, HEADED), "color", 0).classes == ("blue", "red")
    with pytest.raises(DataError, match="color"):
        load_csv(table(tmp_path, HEADED), "colour", 0)


def test_many_different_numbers_are_predicted_as_numbers(tmp_path: Path) -> None:
    data = load_csv(table(tmp_path, HEADED), "size", 0)
    assert data.classes == () and data.outputs == 1
    assert abs(float(data.train_labels.mean())) < 1e-5
    back = data.train_labels * data.label_deviation + data.label_mean
    assert float(back.min()) >= 0.49 and float(back.max()) <= 39.51


def test_gaps_are_filled_from_the_training_rows_and_marked(tmp_path: Path) -> None:
    rows = [f"{'?' if n % 5 == 0 else n},{'' if n % 7 == 0 else 'x'},{n % 2}" for n in range(60)]
    data = load_csv(table(tmp_path, "\n".join(rows)), "", 0)
    assert data.columns == ("column 1", "column 1 missing", "column 2 = x", "column 2 missing")
    assert not data.train_inputs.isnan().any()
    filled = data.train_inputs[data.train_inputs[:, 1] == 1][:, 0]
    present = data.train_inputs[data.train_inputs[:, 1] == 0][:, 0]
    assert filled.unique().tolist() == [float(present.median())]


def test_other_separators_and_headers_are_recognized(tmp_path: Path) -> None:
    data = load_csv(table(tmp_path, HEADED.replace(",", ";")), "", 0)
    assert data.columns[0] == "size"
    bare = load_csv(table(tmp_path, HEADED.split("\n", 1)[1]), "", 0)
    assert bare.columns[0] == "column 1" and len(bare.train_labels) == len(data.train_labels)


def test_a_column_of_names_is_left_out(tmp_path: Path) -> None:
    rows = [f"person{n},{n},{n % 3}" for n in range(90)]
    assert load_csv(table(tmp_path, "\n".join(rows)), "", 0).columns == ("column 2",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2,3\n", "Row 2"),
        ("just words\nand more\n", "no table"),
        ("1,a\n2,b\n", "too few"),
        ("".join(f"{n},same\n" for n in range(30)), "nothing to tell apart"),
        ("".join(f",{n % 2}\n" for n in range(30)), "no column to predict"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_in_words(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        load_csv(table(tmp_path, text), "", 0)

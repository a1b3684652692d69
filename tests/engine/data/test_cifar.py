"""CIFAR-10 in its binary format, from an archive made here: order of bytes, splits, and what is refused."""

from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.core.errors import DataError
from engine.data import cifar
from engine.data.examples import Examples, moments
from engine.data.load import load
from engine.data.table import TABLE, File


class Knobs:
    examples = 0


def record(label: int, red: int, green: int, blue: int) -> bytes:
    planes = [bytes([shade]) * (cifar.SIDE * cifar.SIDE) for shade in (red, green, blue)]
    return bytes([label]) + b"".join(planes)


def archive(contents: dict[str, bytes], link: str = "") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as made:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
        if link:
            member = tarfile.TarInfo(link)
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            made.addfile(member)
    return stream.getvalue()


def batches() -> dict[str, bytes]:
    """Each training batch holds two pictures, the test batch three; ``readme.html`` lies beside them."""
    made = {
        name: record(number, 10 * number, 20, 30) + record(9 - number, 1, 2, 3)
        for number, name in enumerate(cifar.TRAIN)
    }
    tested = b"".join(record(label, 100, 150, 200 + label) for label in range(3))
    return {f"{cifar.FOLDER}/readme.html": b"<html>", **made, cifar.VALID[0]: tested}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the archive of the data folder lies."""
    monkeypatch.setenv("LEXIGRAD_DATA", str(tmp_path / "data"))
    folder = tmp_path / "data" / TABLE["cifar-10"].folder
    folder.mkdir(parents=True)
    return folder / TABLE["cifar-10"].files[0].name


def keep(path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put an archive there, and let the table know its size and checksum."""
    path.write_bytes(content)
    file = File(path.name, "https://example.org/cifar", len(content), hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(TABLE, "cifar-10", replace(TABLE["cifar-10"], files=(file,)))


def loaded() -> Examples:
    found = load("cifar-10", Knobs(), 0, torch.device("cpu"))
    assert isinstance(found, Examples)
    return found


def test_pictures_come_color_by_color_in_the_published_split(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(place, archive(batches()), monkeypatch)
    data = loaded()
    assert data.shape == (3, 32, 32) and data.train_inputs.dtype == torch.uint8
    assert data.train_labels.tolist() == [0, 9, 1, 8, 2, 7, 3, 6, 4, 5] and data.valid_labels.tolist() == [0, 1, 2]
    assert data.train_inputs[6].flatten(1).unique(dim=1).flatten().tolist() == [30, 20, 30]
    assert data.valid_inputs[2].flatten(1)[:, 0].tolist() == [100, 150, 202]
    assert data.classes[9] == "truck"
    assert float(data.prepare(data.train_inputs).mean(dim=(0, 2, 3)).abs().max()) < 1e-5


def test_a_pixel_stands_at_its_row_and_column() -> None:
    content = bytearray(record(4, 0, 0, 0))
    content[1 + 1024 + 5 * 32 + 7] = 255
    pictures, labels = cifar.parse(bytes(content))
    assert pictures.nonzero().tolist() == [[0, 1, 5, 7]] and labels.tolist() == [4]


@pytest.mark.parametrize("content", [b"", record(0, 1, 2, 3)[:-1], record(10, 1, 2, 3)])
def test_what_are_no_records_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"records|no class"):
        cifar.parse(content)


def test_an_archive_without_a_batch_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = batches()
    del contents[cifar.TRAIN[3]]
    keep(place, archive(contents), monkeypatch)
    with pytest.raises(DataError, match="data_batch_4") as raised:
        loaded()
    assert "lexigrad data get cifar-10" in raised.value.remedy


def test_a_link_in_place_of_a_batch_is_not_followed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = batches()
    del contents[cifar.VALID[0]]
    keep(place, archive(contents, link=cifar.VALID[0]), monkeypatch)
    with pytest.raises(DataError, match="no plain file"):
        loaded()


def test_an_archive_with_another_checksum_is_not_opened(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(place, archive(batches()), monkeypatch)
    content = bytearray(place.read_bytes())
    content[-1] ^= 1
    place.write_bytes(content)
    monkeypatch.setattr(cifar, "members", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(DataError, match="checksum"):
        loaded()


def test_an_archive_that_is_none_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(place, b"not an archive at all", monkeypatch)
    with pytest.raises(DataError, match="cannot be decoded"):
        loaded()


def test_moments_of_bytes_are_those_of_the_numbers() -> None:
    pictures = torch.randint(0, 256, (40, 3, 5, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    pictures[:, 2] = 7
    mean, deviation = moments(pictures)
    expected = pictures.double()
    torch.testing.assert_close(mean.flatten(), expected.mean((0, 2, 3)).float())
    torch.testing.assert_close(deviation.flatten()[:2], expected.std((0, 2, 3), correction=0).float()[:2])
    assert float(deviation.flatten()[2]) == 1.0 and mean.shape == (3, 1, 1)

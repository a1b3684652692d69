"""A person's own folder of pictures by class."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
import torch
from PIL import Image, ImageOps

from engine.core.errors import DataError
from engine.core.events import Pictures
from engine.core.spec import Spec
from engine.data.examples import Examples
from engine.data.load import load
from engine.data.picture_folder import read_picture
from tests.engine.play.playing import played, trained

CPU = torch.device("cpu")


def paint(path: Path, color: object, mode: str = "RGB", size: tuple[int, int] = (40, 40)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path)  # type: ignore[arg-type]


def folder(path: Path, mode: str = "RGB", count: int = 10) -> Path:
    """Make two classes that differ in their color."""
    for name, shade in (("dark", 40), ("light", 200)):
        for number in range(count):
            color = shade + number if mode == "L" else (shade + number, shade, 0)
            paint(path / name / f"{number}.{'png' if number % 2 else 'JPG'}", color, mode)
    return path


def loaded(path: Path, seed: int = 0) -> Examples:
    found = load(str(path), Spec(), seed, CPU)
    assert isinstance(found, Examples)
    return found


def test_subfolders_are_classes_and_colored_pictures_are_those_of_cifar_in_size(tmp_path: Path) -> None:
    data = loaded(folder(tmp_path / "pictures"))
    assert data.name == "pictures" and data.layout == "pictures" and data.classes == ("dark", "light")
    assert data.shape == (3, 32, 32) and data.train_inputs.dtype == torch.uint8
    assert torch.equal(data.train_labels, (data.train_inputs[:, 0, 0, 0] > 128).long())


def test_gray_pictures_are_those_of_mnist_in_size(tmp_path: Path) -> None:
    assert loaded(folder(tmp_path / "pictures", "L")).shape == (1, 28, 28)


def test_the_split_is_stratified_and_follows_the_seed(tmp_path: Path) -> None:
    path = folder(tmp_path / "pictures")
    data, again, other = loaded(path), loaded(path), loaded(path, seed=1)
    assert data.valid_labels.bincount().tolist() == [2, 2] and data.train_labels.bincount().tolist() == [8, 8]
    assert torch.equal(data.valid_inputs, again.valid_inputs) and data.digest == again.digest == other.digest
    assert not torch.equal(data.valid_inputs, other.valid_inputs)


def test_other_data_have_another_digest(tmp_path: Path) -> None:
    path = folder(tmp_path / "pictures")
    before = loaded(path).digest
    paint(path / "dark" / "1.png", (0, 0, 255))
    assert loaded(path).digest != before


def test_files_of_other_kinds_and_hidden_ones_are_passed_over(tmp_path: Path) -> None:
    path = folder(tmp_path / "pictures")
    (path / "dark" / "notes.txt").write_text("mine")
    (path / "dark" / "._1.png").write_bytes(b"\0")
    (path / ".thumbnails").mkdir()
    assert loaded(path).size == 16


def test_the_middle_of_a_wide_picture_is_kept_as_it_is(tmp_path: Path) -> None:
    wide = Image.new("L", (300, 100), 0)
    wide.paste(255, (100, 0, 200, 100))
    wide.save(tmp_path / "wide.png")
    assert read_picture(tmp_path / "wide.png", (1, 28, 28)).min() == 255


def test_a_photograph_is_turned_as_the_camera_was_held(tmp_path: Path) -> None:
    lying = Image.new("RGB", (64, 64), "black")
    lying.paste("white", (0, 0, 64, 32))  # its upper half
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned right by a quarter
    lying.save(tmp_path / "turned.jpg", exif=exif)
    picture = read_picture(tmp_path / "turned.jpg", (1, 8, 8))[0]
    assert picture[:, 6:].min() > 200 and picture[:, :2].max() < 60


def test_what_is_transparent_shows_a_white_ground(tmp_path: Path) -> None:
    drawing = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    drawing.paste((0, 0, 0, 255), (0, 0, 16, 32))
    drawing.save(tmp_path / "drawing.png")
    picture = read_picture(tmp_path / "drawing.png", (1, 8, 8))[0]
    assert picture[:, :4].max() == 0 and picture[:, 4:].min() == 255


def test_sixteen_bits_of_gray_become_the_eight_upper_ones(tmp_path: Path) -> None:
    Image.new("I;16", (40, 40), 100 * 256 + 7).save(tmp_path / "deep.png")
    for shape in ((1, 28, 28), (3, 32, 32)):
        assert read_picture(tmp_path / "deep.png", shape).unique().tolist() == [100]


@pytest.mark.parametrize("note", [b"Exif\0\0MM\0*\0\0\0\x08\0\xff", b"Exif\0\0MM\0*\0\0\0\x08", b"Exif\0\0no TIFF"])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_picture_whose_camera_notes_are_damaged_is_taken_as_it_lies(tmp_path: Path, note: bytes, suffix: str) -> None:
    Image.new("L", (40, 40), 100).save(tmp_path / f"one.{suffix}", exif=note)
    assert read_picture(tmp_path / f"one.{suffix}", (1, 8, 8)).unique().tolist() == [100]


@pytest.mark.parametrize("error", [struct.error, TypeError, ValueError])
def test_whatever_is_wrong_with_the_notes_they_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def broken(image: Image.Image) -> Image.Image:
        raise error

    monkeypatch.setattr(ImageOps, "exif_transpose", broken)
    Image.new("L", (40, 40), 100).save(tmp_path / "one.png")
    assert read_picture(tmp_path / "one.png", (1, 8, 8)).unique().tolist() == [100]


def refused(path: Path) -> str:
    with pytest.raises(DataError) as raised:
        loaded(path)
    return f"{raised.value.what} {raised.value.remedy}"


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    path = folder(tmp_path / "pictures")
    (path / "light" / "3.png").write_text("no picture")
    assert str(path / "light" / "3.png") in refused(path)


def test_a_picture_cut_short_is_named(tmp_path: Path) -> None:
    path = folder(tmp_path / "pictures")
    broken = path / "light" / "4.JPG"
    broken.write_bytes(broken.read_bytes()[:200])
    assert str(broken) in refused(path)


def test_one_class_is_none_to_tell_apart(tmp_path: Path) -> None:
    path = folder(tmp_path / "pictures")
    for each in (path / "light").iterdir():
        each.unlink()
    assert "but dark" in refused(path) and "subfolder" in refused(path)


def test_a_class_of_few_cannot_be_split(tmp_path: Path) -> None:
    said = refused(folder(tmp_path / "pictures", count=3))
    assert "dark" in said and "3 pictures" in said


@pytest.mark.parametrize("kind", ["empty", "flat", "nothing of ours"])
def test_a_folder_without_examples_by_class_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "pictures"
    path.mkdir()
    if kind == "flat":
        paint(path / "1.png", "red")
    if kind == "nothing of ours":
        (path / "dark").mkdir()
        (path / "dark" / "notes.txt").write_text("mine")
    assert "no examples by class" in refused(path) and "subfolder" in refused(path)


def test_a_network_learns_from_a_folder_and_classifies_a_file_of_it(tmp_path: Path) -> None:
    pictures = folder(tmp_path / "pictures")
    run = trained(tmp_path / "run", "cnn", data=str(pictures), epochs=6.0, batch_size=8, shift=0)
    _, table = played(run, file=str(pictures / "light" / "1.png"))
    assert getattr(table, "name", "") == "taken for light"


def test_pictures_of_a_dim_folder_are_seen_and_shown_as_dim_as_they_are(tmp_path: Path) -> None:
    for number in range(10):
        paint(tmp_path / "dim" / "dark" / f"{number}.png", 10 + number, "L")
        paint(tmp_path / "dim" / "light" / f"{number}.png", 80 + number, "L")
    assert loaded(tmp_path / "dim").peak == 255
    run = trained(tmp_path / "run", "cnn", data=str(tmp_path / "dim"), epochs=1.0, batch_size=8, shift=0)
    shown, _ = played(run, file=str(tmp_path / "dim" / "light" / "0.png"))
    assert isinstance(shown, Pictures) and set(shown.pixels) == {80}
    shown, _ = played(run, example=0)
    assert isinstance(shown, Pictures) and max(shown.pixels) <= 89

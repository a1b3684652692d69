"""Recordings: read from wav files, dialed, spoken, split so that nobody hears the test beforehand."""

from __future__ import annotations

import hashlib
import io
import math
import os
import struct
import tarfile
import wave
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save as tensors_to_bytes

from engine.core.errors import DataError
from engine.core.paths import cache_folder
from engine.data.edits import edits, error_rate
from engine.data.fetch import fetch
from engine.data.files import missing
from engine.data.load import load
from engine.data.speech import NOTHING, Recordings, Speech
from engine.data.table import TABLE, DataSet, File
from engine.data.tones import CHORDS, DIGITS, MOST_DIGITS, TELEPHONES, Telephone, chord, dial
from engine.data.wav import RATE, decoded, loudest, parse_wav, read_wav, resample

CPU = torch.device("cpu")


class Knobs:
    examples = 0
    target = ""


def tone(hertz: float, seconds: float, rate: int = RATE) -> torch.Tensor:
    return (2 * math.pi * hertz * torch.arange(round(seconds * rate)) / rate).sin() * 0.5


def wav(samples: torch.Tensor, rate: int = RATE, width: int = 2, channels: int = 1) -> bytes:
    """A wav file of samples between -1 and 1, each channel the same."""
    whole = (samples.double() * (2 ** (8 * width - 1) - 1)).round().long() + (128 if width == 1 else 0)
    content = b"".join(int(each).to_bytes(width, "little", signed=width > 1) * channels for each in whole)
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(content)
    return written.getvalue()


def as_set(recordings: Recordings) -> set[bytes]:
    return {each.numpy().tobytes() for each in recordings.waves}


# Word errors


@pytest.mark.parametrize(
    ("said", "heard", "expected"),
    [
        ("", "", 0), ("abc", "abc", 0), ("abc", "", 3), ("", "ab", 2), ("abc", "abd", 1), ("abc", "ac", 1),
        ("abc", "abbc", 1), ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("12", "21", 2),
    ],
)  # fmt: skip
def test_edits_are_what_a_hand_counts(said: str, heard: str, expected: int) -> None:
    assert edits(said, heard) == edits(heard, said) == expected


def test_the_error_rate_is_over_all_words_and_may_exceed_one() -> None:
    assert error_rate(["abc", "d"], ["abc", "e"]) == 0.25
    assert error_rate(["a"], ["xyz"]) == 3.0


# Wav files


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 2])
def test_samples_of_every_width_are_read(width: int, channels: int) -> None:
    samples = tone(300, 0.05)
    read = parse_wav(wav(samples, width=width, channels=channels)).float() / 2**15
    assert torch.allclose(read, samples, atol=0.01)


def test_another_rate_keeps_the_pitch_and_loses_what_is_too_high() -> None:
    assert torch.allclose(resample(tone(500, 0.1, 44_100), 44_100, RATE), tone(500, 0.1), atol=0.03)
    assert float(resample(tone(9_000, 0.1, 44_100), 44_100, RATE).abs().max()) < 0.05


def test_the_loudest_stretch_is_kept() -> None:
    samples = torch.zeros(100)
    samples[60:70] = 1
    assert float(loudest(samples, 10).sum()) == 10 and len(loudest(samples, 200)) == 100


def chunk(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4, "little") + content


def riff(*chunks: bytes) -> bytes:
    return b"RIFF" + (4 + sum(map(len, chunks))).to_bytes(4, "little") + b"WAVE" + b"".join(chunks)


def header(kind: int = 1, channels: int = 1, rate: int = RATE, bits: int = 16, more: bytes = b"") -> bytes:
    frame = channels * bits // 8
    return chunk(
        b"fmt ", struct.pack("<HHIIHH", kind, channels, rate, rate * frame % 2**32, frame % 2**16, bits) + more
    )


def test_of_several_channels_the_mean_is_heard() -> None:
    both = struct.pack("<hhhh", 100, 300, -200, 0)
    assert parse_wav(riff(header(channels=2), chunk(b"data", both))).tolist() == [200, -100]


def test_an_extensible_header_says_further_on_what_it_is() -> None:
    content = chunk(b"data", struct.pack("<hh", 5, -7))
    more = struct.pack("<HHIH", 22, 16, 4, 1) + b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
    assert parse_wav(riff(header(0xFFFE, more=more), content)).tolist() == [5, -7]


def test_chunks_about_other_things_are_passed_over_and_a_stream_of_unknown_length_ends_with_the_file() -> None:
    endless = b"data" + b"\xff\xff\xff\xff" + struct.pack("<hh", 5, -7)
    content = riff(chunk(b"LIST", b"odd") + b"\0", header(), endless)
    assert parse_wav(content).tolist() == [5, -7]


SOUND = chunk(b"data", bytes(8))
BROKEN = {
    "begin": b"RIFF no more",
    "before its samples": riff(header()),
    "ends before": riff(b"junk\xff\xff\xff\x7f", header(), SOUND),
    "not say": riff(SOUND),
    "no samples": riff(header(channels=2), chunk(b"data", bytes(3))),
    "holds no": riff(header(channels=60_000), SOUND),
    "0 channels": riff(header(channels=0), SOUND),
    "at 0 hertz": riff(header(rate=0), SOUND),
    "have 5 bytes": riff(header(bits=40), SOUND),
    "format 3, not PCM": riff(header(3, bits=32), SOUND),
    "format 85": riff(header(0xFFFE, more=bytes(8) + b"\x55" + bytes(15)), SOUND),
    "lasts 130 seconds": riff(header(rate=1), chunk(b"data", bytes(260))),
}


@pytest.mark.parametrize("says", BROKEN)
def test_what_is_no_recording_is_refused_with_what_is_wrong(says: str, tmp_path: Path) -> None:
    (tmp_path / "broken.wav").write_bytes(BROKEN[says])
    with pytest.raises(DataError, match=says) as refused:
        read_wav(tmp_path / "broken.wav")
    assert "16-bit PCM" in refused.value.remedy


def test_what_is_no_file_is_not_even_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    for name in ("pipe.wav", "missing.wav", "."):
        with pytest.raises(DataError, match="no file"):
            read_wav(tmp_path / name)


def test_of_a_file_that_is_too_long_the_header_alone_is_read() -> None:
    class Watched(io.BytesIO):
        most = 0

        def read(self, size: int | None = -1) -> bytes:
            got = super().read(size)
            self.most += len(got)
            return got

    file = Watched(riff(header(rate=100), chunk(b"data", bytes(100_000))))
    with pytest.raises(ValueError, match="lasts 500 seconds"):
        decoded(file)
    assert file.most < 100


# Dialed digits


def test_the_chords_are_those_of_a_telephone() -> None:
    assert "".join(DIGITS) == "0123456789" and len(set(CHORDS.values())) == 10
    assert CHORDS["1"] == (697.0, 1209.0) and CHORDS["0"] == (941.0, 1336.0) and CHORDS["9"] == (852.0, 1477.0)


@pytest.mark.parametrize("digit", DIGITS)
def test_each_digit_sounds_as_its_key(digit: str) -> None:
    """A second of it has its two peaks at their frequencies; the upper tone is as loud as the telephone has it."""
    shy = Telephone("shy", 1.0, 0.5, 0.0)
    power = torch.fft.rfft(chord(digit, RATE, shy, torch.Generator().manual_seed(0))).abs()
    low, high = (int(each) for each in CHORDS[digit])
    assert set(power.topk(2).indices.tolist()) == {low, high}
    assert float(power[high] / power[low]) == pytest.approx(0.5, abs=0.01)


def test_dialed_digits_follow_the_seed() -> None:
    one, again, other = dial(20, 0), dial(20, 0), dial(20, 1)
    assert torch.equal(one.waves, again.waves) and not torch.equal(one.words[:, 0], other.words[:, 0])
    assert int(one.counts.min()) >= 1 and int(one.counts.max()) <= MOST_DIGITS
    assert all(not wave[length:].any() for wave, length in zip(one.waves, one.lengths.tolist(), strict=True))


def test_the_tones_are_as_the_table_says() -> None:
    row = TABLE["tones"]
    made = load("tones", Knobs(), 0, CPU)
    assert isinstance(made, Speech) and row.embedded
    assert made.size == row.examples and len(made.words) + 1 == row.outputs
    assert made.speakers == tuple(each.name for each in TELEPHONES)
    assert not as_set(made.train) & as_set(made.valid)
    assert made.spell([3, 1, NOTHING]) == "2 0"
    few = made.cut(50, 0)
    assert few.size == 50 and torch.equal(few.valid.waves, made.valid.waves)


def test_a_speaker_who_is_held_out_is_in_no_training_recording() -> None:
    made = load("tones", Knobs(), 0, CPU)
    apart = made.hold_out("office")
    number = made.speakers.index("office")
    assert set(apart.valid.speakers.tolist()) == {number} and number not in apart.train.speakers
    assert len(apart.train) + len(apart.valid) == len(made.train) + len(made.valid)
    with pytest.raises(DataError, match="hall, kitchen"):
        made.hold_out("nobody")


# Spoken digits


@pytest.fixture
def few_spoken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataSet:
    """An archive of 24 recordings in a data folder of its own."""
    monkeypatch.setenv("LEXIGRAD_DATA", str(tmp_path / "data"))
    row = TABLE["spoken-digits"]
    place = tmp_path / "data" / row.folder / row.files[0].name
    place.parent.mkdir(parents=True)
    with tarfile.open(place, "w:xz") as archive:
        strange = tarfile.TarInfo("../../outside.wav")
        archive.addfile(strange, io.BytesIO())
        for digit in (0, 7):
            for speaker in ("theo", "george"):
                for take in range(6):
                    content = wav(tone(300 + 100 * digit + take, 0.3 + 0.2 * take))
                    member = tarfile.TarInfo(f"recordings/{digit}_{speaker}_{take}.wav")
                    member.size = len(content)
                    archive.addfile(member, io.BytesIO(content))
    content = place.read_bytes()
    file = File(place.name, "", len(content), hashlib.sha256(content).hexdigest())
    small = replace(row, files=(file,))
    monkeypatch.setitem(TABLE, "spoken-digits", small)
    return small


def test_spoken_digits_are_split_as_published_and_decoded_once(
    few_spoken: DataSet, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = load("spoken-digits", Knobs(), 0, CPU)
    assert len(made.train) == 4 and len(made.valid) == 20  # takes 0 to 4 of each speaker and digit
    assert made.train.words[:, 0].tolist() == [1, 1, 8, 8] and made.train.lengths.tolist() == [RATE] * 4
    assert not as_set(made.train) & as_set(made.valid)
    assert not list(tmp_path.rglob("outside.wav"))

    def never(path: Path) -> None:
        raise AssertionError("it was decoded again")

    monkeypatch.setattr("engine.data.spoken_digits.decode", never)
    assert torch.equal(load("spoken-digits", Knobs(), 0, CPU).train.waves, made.train.waves)


def test_what_was_decoded_otherwise_is_decoded_anew(
    few_spoken: DataSet, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = load("spoken-digits", Knobs(), 0, CPU)
    (kept,) = cache_folder().glob("*.safetensors")
    kept.write_bytes(tensors_to_bytes({"others": torch.zeros(1)}))
    assert torch.equal(load("spoken-digits", Knobs(), 0, CPU).train.waves, made.train.waves)
    monkeypatch.setattr("engine.data.spoken_digits.LONGEST_SECONDS", 0.5)
    assert load("spoken-digits", Knobs(), 0, CPU).train.waves.size(1) == RATE // 2


def test_a_damaged_archive_is_told(few_spoken: DataSet, tmp_path: Path, home: Path) -> None:
    place = tmp_path / "data" / few_spoken.folder / few_spoken.files[0].name
    content = bytearray(place.read_bytes())
    content[100] ^= 1
    place.write_bytes(bytes(content))
    with pytest.raises(DataError, match="damaged"):
        load("spoken-digits", Knobs(), 0, CPU)


def test_a_set_without_a_known_address_says_where_its_file_goes(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEXIGRAD_DATA", str(tmp_path))
    row = TABLE["spoken-digits"]
    with pytest.raises(DataError, match=r"Put free-spoken-digit-dataset\.tar\.xz into"):
        load("spoken-digits", Knobs(), 0, CPU)
    with pytest.raises(DataError, match="No address"):
        fetch(row)


def test_the_real_spoken_digits_are_whole() -> None:
    row = TABLE["spoken-digits"]
    if missing(row):
        pytest.skip("the Free Spoken Digit Dataset is not on this machine")
    made = load("spoken-digits", Knobs(), 0, CPU)
    assert len(made.train) == row.examples == 2_700 and len(made.valid) == 300
    assert made.train.words[:, 0].bincount().tolist() == [0] + [270] * 10
    assert made.valid.speakers.bincount().tolist() == [50] * 6


# A person's own folder


@pytest.fixture
def own(tmp_path: Path) -> Callable[..., Path]:
    def make(**classes: int) -> Path:
        for number, (name, count) in enumerate(classes.items()):
            (tmp_path / "mine" / name).mkdir(parents=True)
            for take in range(count):
                content = wav(tone(300 + 200 * number, 0.2 + 0.01 * take, 16_000), 16_000)
                (tmp_path / "mine" / name / f"{take}.wav").write_bytes(content)
        return tmp_path / "mine"

    return make


def test_a_folder_of_wav_files_is_read_class_by_class(own: Callable[..., Path]) -> None:
    made = load(str(own(yes=10, no=10)), Knobs(), 0, CPU)
    assert isinstance(made, Speech)
    assert made.words == ("no", "yes") and made.speakers == ("all",)
    assert made.train.words[:, 0].bincount().tolist() == [0, 8, 8] and len(made.valid) == 4
    assert not as_set(made.train) & as_set(made.valid)
    with pytest.raises(DataError, match="who speaks"):
        made.hold_out("all")


@pytest.mark.parametrize("classes", [{"yes": 10}, {"yes": 10, "no": 2}])
def test_a_folder_that_cannot_be_split_is_refused(own: Callable[..., Path], classes: dict[str, int]) -> None:
    with pytest.raises(DataError, match="two words or more"):
        load(str(own(**classes)), Knobs(), 0, CPU)

"""Recordings with what is said in them and who says it: tones that spell digits, spoken digits, a person's own folder.

Shape legend: N recordings, T samples, L words of a transcript.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from engine.core.errors import DataError
from engine.data.examples import chosen, moved
from engine.data.split import valid_places
from engine.data.wav import RATE, loudest, read_wav

NOTHING = 0
"""The token that is no word: what follows the end of a transcript, and what stands between words."""
FEWEST = 5
"""Recordings of a class in a person's own folder, so that one is left for validation."""
LONGEST_SECONDS = 4.0
"""Of a recording in a person's own folder; of a longer one the loudest stretch is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recordings:
    """Some recordings, padded to one length."""

    waves: Tensor
    """16-bit samples ``NT``, zero after the end."""
    lengths: Tensor
    """How many samples are a recording's own, ``N``."""
    words: Tensor
    """Transcripts ``NL``: numbers of words from 1 on, `NOTHING` after the end."""
    speakers: Tensor
    """Who speaks, ``N``."""

    def __len__(self) -> int:
        return len(self.waves)

    @property
    def counts(self) -> Tensor:
        """How many words each transcript has, ``N``."""
        return (self.words != NOTHING).sum(1)

    def pick(self, which_N: Tensor) -> Recordings:
        """Return those recordings, by their numbers or by yes and no."""
        return Recordings(
            waves=self.waves[which_N],
            lengths=self.lengths[which_N],
            words=self.words[which_N],
            speakers=self.speakers[which_N],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """Recordings, split in two."""

    name: str
    train: Recordings
    valid: Recordings
    words: tuple[str, ...]
    """What can be said; a word's number is its place here, from 1 on."""
    speakers: tuple[str, ...]
    digest: str = ""

    @property
    def size(self) -> int:
        """How many recordings there are for training."""
        return len(self.train)

    def cut(self, count: int, seed: int) -> Self:
        """Return the data with `count` recordings for training."""
        return dataclasses.replace(self, train=self.train.pick(chosen(self.size, count, seed)))

    def to(self, device: torch.device) -> Self:
        """Return the data with every tensor on the device."""
        return dataclasses.replace(self, train=moved(self.train, device), valid=moved(self.valid, device))

    def hold_out(self, speaker: str) -> Self:
        """Return the data split by speaker: all recordings of one for validation, those of the others for training.

        Raises:
            DataError: there is no such speaker, or nobody else.
        """
        if speaker not in self.speakers or len(self.speakers) < 2:
            raise DataError(
                f"{self.name} has no speaker '{speaker}' to hold out.",
                f"Its speakers are {', '.join(self.speakers)}."
                if len(self.speakers) > 1
                else "It does not say who speaks.",
            )
        number = self.speakers.index(speaker)
        whole = joined(self.train, self.valid)
        theirs = whole.speakers == number
        return dataclasses.replace(self, train=whole.pick(~theirs), valid=whole.pick(theirs))

    def spell(self, words: Sequence[int]) -> str:
        """Return a transcript as people read it."""
        return " ".join(self.words[number - 1] for number in words if number != NOTHING)


def joined(first: Recordings, second: Recordings) -> Recordings:
    """Return the recordings of both, which are padded alike."""
    parts = {each.name: (getattr(first, each.name), getattr(second, each.name)) for each in dataclasses.fields(first)}
    return Recordings(**{name: torch.cat(pair) for name, pair in parts.items()})


def padded(waves: Sequence[Tensor], words: Sequence[Sequence[int]], speakers: Sequence[int]) -> Recordings:
    """Return recordings of several lengths as one."""
    return Recordings(
        waves=pad_sequence(list(waves), batch_first=True),
        lengths=torch.tensor([len(each) for each in waves]),
        words=pad_sequence([torch.tensor(each) for each in words], batch_first=True, padding_value=NOTHING),
        speakers=torch.tensor(speakers),
    )


def digest_of(recordings: Recordings) -> str:
    """Return the SHA-256 over samples and transcripts."""
    digest = hashlib.sha256(recordings.waves.numpy().tobytes())
    digest.update(recordings.words.numpy().tobytes())
    return digest.hexdigest()


def load_speech_folder(path: Path, seed: int) -> Speech:
    """Return the wav files of a folder, each one word, which the subfolder names; a stratified split by `seed`.

    Raises:
        DataError: there are no two classes, one has too few recordings, or a file is no wav file.
    """
    classes = speech_files(path)
    most = round(LONGEST_SECONDS * RATE)
    waves = [loudest(read_wav(file), most) for files in classes.values() for file in files]
    words = [[number] for number, files in enumerate(classes.values(), start=1) for _ in files]
    everything = padded(waves, words, [0] * len(waves))
    valid = valid_places(everything.words[:, 0], seed, stratified=True)
    return Speech(
        name=path.name,
        train=everything.pick(~valid),
        valid=everything.pick(valid),
        words=tuple(classes),
        speakers=("all",),
        digest=digest_of(everything),
    )


def speech_files(path: Path) -> dict[str, list[Path]]:
    """Return the wav files of each class by its name, both in alphabetical order; other files are passed over.

    Raises:
        DataError: the folder cannot be read, or has fewer than two classes, or one with too few recordings.
    """
    try:
        folders = sorted(each for each in path.iterdir() if each.is_dir() and not each.name.startswith("."))
        found = {folder.name: sorted(file for file in folder.iterdir() if is_wav(file)) for folder in folders}
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}).", "Check the folder.") from None
    classes = {name: files for name, files in found.items() if files}
    few = [name for name, files in classes.items() if len(files) < FEWEST]
    if len(classes) < 2 or few:
        wrong = f"the class {few[0]} has too few" if few else "there are no two classes to tell apart"
        raise DataError(
            f"{path.name} cannot be split: {wrong}.",
            f"Make a subfolder for each of two words or more, with {FEWEST} wav files of it or more.",
        )
    return classes


def is_wav(path: Path) -> bool:
    """Whether the name of a file says that it is a recording; hidden ones are not meant."""
    return path.suffix.lower() == ".wav" and not path.name.startswith(".")

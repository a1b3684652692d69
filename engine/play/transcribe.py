"""Letting a recognizer write down what is said in a recording."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from engine.core.errors import UsageError
from engine.core.events import Event, Text
from engine.data.edits import edits
from engine.data.speech import LONGEST_SECONDS, Speech
from engine.data.wav import RATE, loudest, read_wav


class Transcriber(Protocol):
    """What a learner has to be able to do so that its model can transcribe."""

    @property
    def speech(self) -> Speech:
        """The recordings that it learned from and is judged by."""

    def transcribe(self, waves_NT: Tensor, lengths_N: Tensor) -> list[list[int]]:
        """Return the likeliest words of some recordings."""

    def hears(self, waves_1T: Tensor, lengths_1: Tensor, heard: list[int]) -> Iterator[Event]:
        """Yield one recording as the model hears it, and where each word is that it heard."""


def transcribe(learner: Any, settings: Any) -> Iterator[Event]:
    """Yield what was heard, what was said where that is known, the recording as it is heard, and where its words are.

    Raises:
        UsageError: there is no such example.
        DataError: the file is no recording.
    """
    transcriber: Transcriber = learner
    speech, device = transcriber.speech, learner.setting.device
    said: list[int] | None = None
    if settings.file:
        whole_T = read_wav(Path(settings.file).expanduser())
        wave_T = loudest(whole_T, round(LONGEST_SECONDS * RATE))
        waves_1T, lengths_1 = wave_T[None].to(device), torch.tensor([len(wave_T)], device=device)
        cut = f", its loudest {LONGEST_SECONDS:g} seconds" if len(wave_T) < len(whole_T) else ""
        prompt = f"{Path(settings.file).name}{cut}"
    else:
        if settings.example >= len(speech.valid):
            raise UsageError(f"The validation split has {len(speech.valid):,} recordings, counted from 0.")
        one = speech.valid.pick(torch.tensor([settings.example], device=device))
        waves_1T, lengths_1 = one.waves[:, : int(one.lengths[0])], one.lengths
        said = one.words[0][: int(one.counts[0])].tolist()
        prompt = f"recording {settings.example}, {speech.speakers[int(one.speakers[0])]}"
    (heard,) = transcriber.transcribe(waves_1T, lengths_1)
    yield Text(name="it heard", prompt=f"{prompt}\nheard: ", text=speech.spell(heard) or "(no words)")
    if said is not None:
        wrong = edits(said, heard)
        verdict = f"   {wrong} error{'s' * (wrong > 1)}" if wrong else ""
        yield Text(name="what was said", prompt="said:  ", text=f"{speech.spell(said)}{verdict}")
    yield from transcriber.hears(waves_1T, lengths_1, heard)

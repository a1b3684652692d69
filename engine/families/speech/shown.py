"""What the panels of speech recognition show. Shape legend: F frames, M mel bands, T frames of the encoder, V words."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from engine.core.events import HeatMap, Table
from engine.data.edits import edits
from engine.data.speech import Speech

ROWS_SHOWN = 8


def log_mel(features_FM: Tensor, seconds: float) -> HeatMap:
    """Return the features of one recording, time to the right and pitch upwards: row 0, the top one, is the highest
    band.
    """
    return HeatMap(
        name="log-mel",
        values=rounded(features_FM.T.flip(0)),
        columns=tenths(len(features_FM), seconds),
        row_title="mel",
        column_title="seconds",
    )


def alignment(name: str, values: Tensor, rows: Sequence[str], seconds: float, row_title: str) -> HeatMap:
    """Return how much each word has to do with each frame; the rows are words, the columns frames."""
    return HeatMap(
        name=name,
        values=rounded(values),
        rows=list(rows),
        columns=tenths(values.size(1), seconds),
        row_title=row_title,
        column_title="seconds",
    )


def tenths(frames: int, seconds: float) -> list[str]:
    """Return the names of frames: ``.1``, ``.2`` where a tenth of a second begins, nothing between, which would not
    fit.
    """
    passed = [int(10 * seconds * frame / frames) for frame in range(frames)]
    return [
        f"{now / 10:g}".removeprefix("0") if now != before else ""
        for before, now in zip([0, *passed], passed, strict=False)
    ]


def rounded(values: Tensor) -> list[list[float]]:
    """Return a matrix as it is kept: three digits."""
    return [[round(value, 3) for value in row] for row in values.float().tolist()]


def transcripts(speech: Speech, said: Sequence[list[int]], heard: Sequence[list[int]]) -> Table:
    """Return what was said and heard in the first recordings for validation."""
    speakers = [speech.speakers[number] for number in speech.valid.speakers[:ROWS_SHOWN].tolist()]
    rows = [
        [speaker, speech.spell(one), speech.spell(other) if one != other else "\N{CHECK MARK}"]
        for speaker, one, other in zip(speakers, said, heard, strict=False)
    ]
    return Table(name="transcripts", columns=["speaker", "said", "heard"], rows=rows)


def by_speaker(speech: Speech, said: Sequence[list[int]], heard: Sequence[list[int]]) -> Table:
    """Return the word errors of each speaker of the validation split, the worst first."""
    changes: dict[str, list[int]] = {}
    for number, one, other in zip(speech.valid.speakers.tolist(), said, heard, strict=True):
        sums = changes.setdefault(speech.speakers[number], [0, 0])
        sums[0] += edits(one, other)
        sums[1] += len(one)
    ranked = sorted(changes.items(), key=lambda each: (-each[1][0] / each[1][1], each[0]))
    rows = [[name, f"{words:,}", f"{wrong:,}", f"{100 * wrong / words:.1f} %"] for name, (wrong, words) in ranked]
    return Table(name="errors by speaker", columns=["speaker", "words", "errors", "rate"], rows=rows)

"""Everything a trainer has to say, as a small set of typed events, and their form on disk.

One event is one line of ``events.jsonl``: a JSON object tagged ``k`` whose last key ``c`` is the CRC-32 of what
precedes it. NaN and the infinities are strings, because JSON has none. A line is the unit of commitment: whole, or
not there.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable
from typing import Any

import msgspec

FORMAT = 1
"""The version that the first line of a log carries; a newer one is refused by name."""

LARGEST_LINE = 64 * 1024
"""Bytes; what is longer goes to ``media/`` and the line keeps its address."""

Number = float | str
"""A finite number, or one of ``NaN``, ``Infinity``, ``-Infinity``."""


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="k", omit_defaults=True):
    """What all events share."""

    s: int = 0
    """Step: how many updates had been made."""
    t: float = 0.0
    """Seconds of training since the run began, pauses left out."""
    media: str = ""
    """Address, relative to the run, of the JSON file that holds the whole event, where it was too long for a line."""


class Started(Event, frozen=True, kw_only=True, tag="started"):
    """The first line of a log, and the first after each resume (``s`` is the step that it goes on from)."""

    format: int = FORMAT
    total_steps: int = 0
    samples_per_step: int = 0
    device: str = ""
    """In words: ``cpu, 2 threads, bf16``, ``NVIDIA H200, bf16, captured``."""
    parameters: int = 0
    exactness: str = ""
    """What a resume promises here: ``bitwise``, ``same order`` or ``none``."""


class Scalars(Event, frozen=True, kw_only=True, tag="scalars"):
    """Named numbers of one step: ``train/loss``, ``valid/accuracy``, ``learning_rate``, ``samples_per_second``."""

    n: int = 0
    """Samples trained on so far."""
    v: dict[str, Number] = {}


class Baseline(Event, frozen=True, kw_only=True, tag="baseline"):
    """A reference line that was computed on the data: an n-gram model, a linear model, the majority class."""

    metric: str = ""
    name: str = ""
    value: Number = 0.0
    source: str = ""


class Pictures(Event, frozen=True, kw_only=True, tag="pictures"):
    """A grid of pictures, each height x width x channels (1 or 3): bytes in row order, one picture after another."""

    name: str = ""
    count: int = 0
    height: int = 0
    width: int = 0
    channels: int = 1
    pixels: bytes = b""
    captions: list[str] = []


class Text(Event, frozen=True, kw_only=True, tag="text"):
    """A sample of text that the model wrote."""

    name: str = ""
    text: str = ""
    prompt: str = ""


class Histogram(Event, frozen=True, kw_only=True, tag="histogram"):
    """Counts between edges; one edge more than counts."""

    name: str = ""
    edges: list[float] = []
    counts: list[float] = []


class HeatMap(Event, frozen=True, kw_only=True, tag="heatmap"):
    """A matrix of values by row: attention, a confusion matrix, a decision surface."""

    name: str = ""
    values: list[list[float]] = []
    rows: list[str] = []
    columns: list[str] = []
    extent: list[float] = []
    """x from, x to, y from, y to where the cells are places in a plane; row 0 is the smallest y."""
    row_title: str = ""
    column_title: str = ""


class Points(Event, frozen=True, kw_only=True, tag="points"):
    """Points in a plane, each with the number of its group and, where there are few, a word."""

    name: str = ""
    x: list[float] = []
    y: list[float] = []
    group: list[int] = []
    words: list[str] = []
    groups: list[str] = []


class Table(Event, frozen=True, kw_only=True, tag="table"):
    """Rows of cells under named columns."""

    name: str = ""
    columns: list[str] = []
    rows: list[list[str]] = []


class Note(Event, frozen=True, kw_only=True, tag="note"):
    """A sentence to the person who watches."""

    text: str = ""
    level: str = "info"
    """``info``, ``warning`` or ``error``."""


class KnobChanged(Event, frozen=True, kw_only=True, tag="knob"):
    """A live knob was turned; marks the curve."""

    name: str = ""
    before: Number = 0.0
    after: Number = 0.0


class Answer(Event, frozen=True, kw_only=True, tag="answer"):
    """The trainer's reply to one command of ``control/``."""

    command: str = ""
    ok: bool = True
    text: str = ""


class Phase(Event, frozen=True, kw_only=True, tag="phase"):
    """What the trainer does now: ``loading data``, ``training``, ``evaluating``, ``paused``, ``saving``."""

    name: str = ""


class Saved(Event, frozen=True, kw_only=True, tag="saved"):
    """A checkpoint is whole on disk."""

    path: str = ""
    digest: str = ""


class Finished(Event, frozen=True, kw_only=True, tag="finished"):
    """The run reached its end, or was stopped by a person (``stopped``)."""

    headline: dict[str, Number] = {}
    stopped: bool = False


class Failed(Event, frozen=True, kw_only=True, tag="failed"):
    """The run ended in an error: what, and what to do."""

    what: str = ""
    remedy: str = ""


AnyEvent = (
    Started
    | Scalars
    | Baseline
    | Pictures
    | Text
    | Histogram
    | HeatMap
    | Points
    | Table
    | Note
    | KnobChanged
    | Answer
    | Phase
    | Saved
    | Finished
    | Failed
)
TAGS = frozenset(str(each.__struct_config__.tag) for each in AnyEvent.__args__)

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(AnyEvent)


def number(value: float) -> Number:
    """Return `value` as it can stand in JSON: NaN and the infinities as strings."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def real(value: Number) -> float:
    """Return the float that `number` wrote; NaN for a word that is none, which only a foreign log holds."""
    try:
        return float(value)
    except ValueError:
        return math.nan


def encode(event: Event) -> bytes:
    """Return the line of `event`, its checksum last and the newline included."""
    body = _encoder.encode(event)[:-1]
    return body + b',"c":%d}\n' % zlib.crc32(body)


def encode_all(events: Iterable[Event]) -> list[bytes]:
    """Return the line of each event, as `encode` does it, in half the time."""
    bodies = _encoder.encode_lines(events).split(b"}\n")[:-1]
    return [b'%b,"c":%d}\n' % (body, zlib.crc32(body)) for body in bodies]


class Damaged(ValueError):
    """A line whose checksum or form is wrong."""


class Unknown(ValueError):
    """A whole line of a kind that this version does not know."""


def decode(line: bytes) -> AnyEvent:
    """Return the event of one whole line (newline optional).

    Raises:
        Damaged: the checksum does not fit, or the JSON is none.
        Unknown: the line is sound, its kind is not one of ours.
    """
    line = line.rstrip(b"\n")
    cut = line.rfind(b',"c":')
    if cut < 0 or not line.endswith(b"}"):
        raise Damaged("no checksum")
    body = line[:cut]
    if line[cut + 5 : -1] != b"%d" % zlib.crc32(body):
        raise Damaged("wrong checksum")
    try:
        event: AnyEvent = _decoder.decode(body + b"}")
    except msgspec.ValidationError as error:
        raise Unknown(str(error)) from None
    except msgspec.DecodeError as error:
        raise Damaged(str(error)) from None
    return event

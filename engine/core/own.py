"""A person's own file with a learner: what it says of itself, kept in the recipe, and whether it is trusted here.

The file is a program, and it imports torch. The app never runs it; a child process describes it, and from that
description the app makes the family that it shows. Every text in it comes from outside.
"""

from __future__ import annotations

import hashlib
import keyword
import os
import unicodedata
from dataclasses import fields, make_dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import msgspec

from engine.core import paths
from engine.core.errors import RunError
from engine.core.spec import Family, Kind, Live, Metric, Panel, Play, Preset, Settings, Spec, Value, knob

Made = TypeVar("Made", bound=Settings)

PREFIX = "file:"
"""Before the name of a file, in the place of a family's name."""
LONGEST_TEXT = 400
LARGEST_FILE = 1024 * 1024
"""Bytes of a file with a learner."""


class OwnKnob(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As `engine.core.spec.Knob`."""

    name: str
    default: Value
    help: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""
    entry: str = ""
    live: Live = None


class OwnPreset(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As `engine.core.spec.Preset`; the knobs as pairs."""

    name: str
    help: str = ""
    knobs: tuple[tuple[str, Value], ...] = ()
    start: str = ""


class OwnPanel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As `engine.core.spec.Panel`, without references."""

    events: tuple[str, ...]
    kind: Kind
    title: str
    unit: str = ""
    x: str = "step"
    entry: str = ""
    when: tuple[str, str] | None = None


class OwnMetric(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As `engine.core.spec.Metric`."""

    name: str
    title: str
    unit: str = ""
    higher: bool = False


class OwnPlay(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As `engine.core.spec.Play`; its settings as knobs."""

    name: str
    help: str
    knobs: tuple[OwnKnob, ...]
    act: str
    words: str = ""


class Own(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a file says of itself, and the file's digest."""

    stem: str
    digest: str
    title: str
    summary: str = ""
    entry: str = ""
    knobs: tuple[OwnKnob, ...] = ()
    presets: tuple[OwnPreset, ...] = ()
    panels: tuple[OwnPanel, ...] = ()
    headline: tuple[OwnMetric, ...] = ()
    data: tuple[str, ...] = ()
    own_data: str = ""
    plays: tuple[OwnPlay, ...] = ()


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(content).hexdigest()


def kept_at(own: Own) -> str:
    """Return where the file lies in a run's folder.

    Raises:
        RunError: its name is none that we gave.
    """
    if not own.stem.isidentifier():
        raise RunError(f"'{own.stem[:40]}' is no name of a file with a learner.", "The recipe is damaged.")
    return f"code/{own.stem}.py"


@lru_cache(maxsize=64)
def family_of_own(own: Own) -> Family:
    """Return a file's family, as far as it can be told without running it; its texts without control characters.

    Raises:
        RunError: the description is none that we wrote.
    """
    try:
        return Family(
            name=f"{PREFIX}{clean(own.stem)}",
            title=clean(own.title),
            summary=clean(own.summary),
            entry=clean(own.entry),
            spec=_settings("OwnSpec", Spec, own.knobs),
            presets=tuple(
                Preset(name=clean(each.name), help=clean(each.help), knobs=dict(each.knobs), start=clean(each.start))
                for each in own.presets
            ),
            panels=tuple(
                Panel(
                    events=tuple(map(clean, each.events)), kind=each.kind, title=clean(each.title),
                    unit=clean(each.unit), x=clean(each.x), entry=clean(each.entry),
                    when=(clean(each.when[0]), clean(each.when[1])) if each.when else None,
                )
                for each in own.panels
            ),
            headline=tuple(
                Metric(name=clean(each.name), title=clean(each.title), unit=clean(each.unit), higher=each.higher)
                for each in own.headline
            ),
            code=(),
            learner="",
            data=tuple(map(clean, own.data)),
            own_data=clean(own.own_data),
            plays=tuple(
                Play(
                    name=clean(each.name), help=clean(each.help), act=clean(each.act), words=clean(each.words),
                    settings=_settings("OwnSettings", Settings, each.knobs),
                )
                for each in own.plays
            ),
        )  # fmt: skip
    except Exception as error:  # a recipe may come from anywhere, and no part of it may hide the other runs
        what = f"The description of {clean(own.stem)}.py is damaged: {clean(str(error))}."
        raise RunError(what, "Start a new run.") from None


def may_be_named(name: str, base: type[Settings]) -> bool:
    """Whether a knob may have a name: a plain identifier that hides no method of `base`."""
    hides = hasattr(base, name) and name not in {each.name for each in fields(base)}
    return name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("_") and not hides


def _settings(name: str, base: type[Made], knobs: tuple[OwnKnob, ...]) -> type[Made]:
    """Return a class with these knobs."""
    declared = []
    for each in knobs:
        if not may_be_named(each.name, base):
            raise ValueError(f"{each.name!r} is no name of a knob")
        field = knob(
            each.default, clean(each.help), low=each.low, high=each.high, choices=tuple(map(clean, each.choices)),
            unit=clean(each.unit), entry=clean(each.entry), live=each.live,
        )  # fmt: skip
        declared.append((each.name, type(each.default), field))
    return make_dataclass(name, declared, bases=(base,), frozen=True, kw_only=True)


def clean(text: str) -> str:
    """Return a text from outside on one line, without control characters and at most so long."""
    flat = " ".join(text.split())
    return "".join(each for each in flat if unicodedata.category(each)[0] != "C")[:LONGEST_TEXT]


# Trust: a file a digest, so that two answers at a time lose neither


def is_trusted(digest: str) -> bool:
    """Whether a person of this machine said that a file of that digest may run."""
    return (_trusted() / digest).is_file()


def trust(digest: str, path: Path) -> None:
    """Remember that a file may run.

    Raises:
        RunError: it cannot be remembered.
    """
    place = _trusted()
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        paths.write_whole(place / digest, os.fsencode(f"{path}\n"))
    except OSError as error:
        raise RunError(f"{place} cannot be written ({error.strerror}).", "Make room, or check the folder.") from None


def _trusted() -> Path:
    return paths.home() / "trusted"

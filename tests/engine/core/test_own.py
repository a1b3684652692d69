"""A person's own file as a recipe describes it: nothing in it hides a method, drives a terminal, or is trusted unasked.

Every recipe may come from anywhere.
"""

from __future__ import annotations

import dataclasses
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.catalog import known
from engine.core import paths
from engine.core.errors import RunError
from engine.core.own import (
    LONGEST_TEXT,
    Own,
    OwnKnob,
    OwnMetric,
    OwnPanel,
    OwnPlay,
    OwnPreset,
    family_of_own,
    is_trusted,
    trust,
)
from engine.core.recipe import Recipe
from engine.core.spec import Settings, Spec

METHODS = sorted(name for name in dir(Spec) if not name.startswith("_") and name not in Spec.__dataclass_fields__)
BAD = "\x1b]0;title\x07" + "x" * 2 * LONGEST_TEXT
KNOB = OwnKnob(name="depth", default="a", help=BAD, choices=("a", BAD), unit=BAD, entry=BAD)
HOSTILE = Own(
    stem=BAD,
    digest=BAD,
    title=BAD,
    summary=BAD,
    entry=BAD,
    knobs=(KNOB,),
    presets=(OwnPreset(name=BAD, help=BAD, start=BAD),),
    panels=(OwnPanel(events=(BAD,), kind="line", title=BAD, unit=BAD, x=BAD, entry=BAD, when=(BAD, BAD)),),
    headline=(OwnMetric(name=BAD, title=BAD, unit=BAD),),
    data=(BAD,),
    own_data=BAD,
    plays=(OwnPlay(name=BAD, help=BAD, knobs=(KNOB,), act=BAD, words=BAD),),
)


def test_the_methods_of_a_spec_are_known_here() -> None:
    assert {"of", "knobs", "values", "total_samples", "parameters"} <= set(METHODS)


@pytest.mark.parametrize("name", [*METHODS, "class", "_hidden", "two words", ""])
def test_a_knob_that_hides_a_method_is_refused(name: str) -> None:
    own = Own(stem="mine", digest="", title="", knobs=(OwnKnob(name=name, default=1),))
    with pytest.raises(RunError, match="damaged"):
        family_of_own(own)
    assert known(Recipe(family="file:mine", preset="quick", knobs={}, own=own)) is None


def test_a_knob_may_change_the_default_of_one_that_every_spec_has() -> None:
    own = Own(stem="mine", digest="", title="", knobs=(OwnKnob(name="batch_size", default=8),))
    assert family_of_own(own).spec().batch_size == 8


def texts(of: Any) -> Iterator[str]:
    """Yield every text of a family, those of its knobs too."""
    if isinstance(of, str):
        yield of
    elif isinstance(of, type) and issubclass(of, Settings):
        yield from texts(tuple(of.knobs()))
    elif dataclasses.is_dataclass(of):
        yield from texts(tuple(getattr(of, each.name) for each in dataclasses.fields(of)))
    elif isinstance(of, tuple):
        for each in of:
            yield from texts(each)
    elif isinstance(of, Mapping):
        yield from texts(tuple(of))


def test_no_text_of_a_description_drives_the_terminal_or_is_endless() -> None:
    told = list(texts(family_of_own(HOSTILE)))
    assert sum("title" in each for each in told) > 25
    assert [each for each in told if not each.isprintable() or len(each) > LONGEST_TEXT + len("file:")] == []


def test_trust_is_kept_for_each_file_and_for_the_owner_alone() -> None:
    trust("a" * 64, Path("a.py"))
    trust("b" * 64, Path("b.py"))
    assert is_trusted("a" * 64) and is_trusted("b" * 64) and not is_trusted("c" * 64)
    assert stat.S_IMODE((paths.home() / "trusted").stat().st_mode) == 0o700

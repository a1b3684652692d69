"""What there is to train: a static list of families, loaded by name and without torch."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from engine.core.errors import UsageError, suggest
from engine.core.spec import Family, Preset

FAMILIES = ("mlp", "cnn", "gpt", "word2vec")


@cache
def family(name: str) -> Family:
    """Return the family of that name.

    Raises:
        UsageError: there is none; the message names the nearest.
    """
    if name not in FAMILIES:
        raise UsageError(f"There is no family '{name}'.", suggest(name, list(FAMILIES)))
    found: Family = import_module(f"engine.families.{name}.spec").FAMILY
    return found


def families() -> list[Family]:
    """Return all families, in the order of the list."""
    return [family(name) for name in FAMILIES]


def parse_target(target: str) -> tuple[Family, Preset]:
    """Return family and preset of ``family/preset``; the preset is ``quick`` where it is left out.

    Raises:
        UsageError: there is no such family or preset.
    """
    name, _, preset = target.partition("/")
    found = family(name)
    return found, found.preset(preset or Family.COMMON)

"""What there is to train: a static list of families, loaded by name and without torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module

from engine.core.errors import UsageError, suggest
from engine.core.spec import Family, Preset, Spec, Value

FAMILIES = ("mlp", "cnn", "gpt", "word2vec")
LONGEST_SEED = 18
"""Digits; a seed has to fit the 64 bits that random generators take."""


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


@dataclass(frozen=True, slots=True)
class RunTarget:
    """What a page or a command line asks to run: ``family/preset knob=value ... from=family/preset``."""

    family: Family
    preset: Preset
    changes: dict[str, Value]
    start: str = ""
    """``family/preset`` whose newest finished run it starts from; empty where it starts from scratch."""
    seed: int = 0

    @property
    def spec(self) -> Spec:
        """The complete spec, checked.

        Raises:
            UsageError: a value is out of its knob's range, or two of them do not go together.
        """
        return self.family.configure(self.preset.name, self.changes)

    @property
    def name(self) -> str:
        """``family/preset``."""
        return f"{self.family.name}/{self.preset.name}"


def parse_run(text: str) -> RunTarget:
    """Return what ``family/preset knob=value ...`` asks for.

    Raises:
        UsageError: an unknown family, preset or knob, or a value that the knob does not take.
    """
    target, *assignments = text.split() or [""]
    family, preset = parse_target(target)
    changes, rest = parse_assignments(family, assignments)
    seed = rest.get("seed", "0")
    if not (seed.isascii() and seed.isdigit() and len(seed) <= LONGEST_SEED):
        raise UsageError(f"seed = {seed!r} is not a whole number of at least 0.")
    return RunTarget(family, preset, changes, rest.get("from", preset.start), int(seed))


def parse_assignments(family: Family, assignments: list[str]) -> tuple[dict[str, Value], dict[str, str]]:
    """Return the knob values of ``name=value`` words, and apart from them what is not a knob (``seed``, ``from``).

    Raises:
        UsageError: a word is no assignment, names no knob, or gives it a value that it does not take.
    """
    known = {each.name: each for each in family.spec.knobs()}
    changes: dict[str, Value] = {}
    rest: dict[str, str] = {}
    for word in assignments:
        name, equals, value = word.partition("=")
        if not equals:
            raise UsageError(
                f"'{word}' is not knob=value.", f"Example: {next(iter(known))}={next(iter(known.values())).default}"
            )
        if name in {"seed", "from"}:
            rest[name] = value
        elif name in known:
            changes[name] = known[name].read(value)
        else:
            raise UsageError(f"{family.name} has no knob '{name}'.", suggest(name, list(known)))
    return changes, rest

"""What there is to run: a static list of families and one of labs, loaded by name and without torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module

from engine.core.errors import LexigradError, UsageError, suggest
from engine.core.lab import Lab
from engine.core.own import family_of_own
from engine.core.recipe import Recipe
from engine.core.spec import Family, Preset, Runnable, Settings, Spec, Value

FAMILIES = (
    "mlp",
    "cnn",
    "resnet",
    "vit",
    "rnn",
    "word2vec",
    "gpt",
    "bert",
    "transformer",
    "autoencoder",
    "gan",
    "diffusion",
    "clip",
    "speech",
)
LABS: tuple[str, ...] = (
    "embeddings",
    "rag",
    "fine-tuning",
    "scaling-laws",
    "vector-database",
    "prompt-engineering",
    "pre-training",
    "trees-against-nets",
    "backpropagation",
    "attention",
)
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


def lab(name: str) -> Lab:
    """Return the lab of that name.

    Raises:
        UsageError: there is none; the message names the nearest.
    """
    if name not in LABS:
        raise UsageError(f"There is no lab '{name}'.", suggest(name, list(LABS)))
    found: Lab = import_module(f"engine.labs.{name.replace('-', '_')}.lab").LAB
    return found


def labs() -> list[Lab]:
    """Return all labs, in the order of the list."""
    return [lab(name) for name in LABS]


def known(of: str | Recipe) -> Runnable | None:
    """Return what a recipe, or one of that name, is of; None where this version knows no such family or lab."""
    if isinstance(of, Recipe) and of.own is not None:
        try:
            return family_of_own(of.own)
        except LexigradError:
            return None
    name = of.family if isinstance(of, Recipe) else of
    return runnable(name) if name in FAMILIES or name in LABS else None


def family_of(recipe: Recipe) -> Family:
    """Return the family of a recipe; of a person's own file, what can be told of it without running it.

    Raises:
        UsageError: this version knows no such family.
        RunError: the description of the file is damaged.
    """
    return family(recipe.family) if recipe.own is None else family_of_own(recipe.own)


def runnable(name: str) -> Runnable:
    """Return the family of that name, or what the lab of that name computes.

    Raises:
        UsageError: there is neither.
    """
    computation = lab(name).computation if name in LABS else None
    return computation or family(name)


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
    changes, rest = parse_assignments(family.name, family.spec, assignments)
    seed = check_seed(rest.get("seed", "0"))
    return RunTarget(family, preset, changes, rest.get("from", preset.start), seed)


def check_seed(text: str) -> int:
    """Return the seed that a person typed.

    Raises:
        UsageError: it is no whole number, below 0, or too long.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_SEED):
        raise UsageError(
            f"seed = {text!r} is not a whole number of at least 0.", f"It may have {LONGEST_SEED} digits at most."
        )
    return int(text)


def parse_assignments(
    name: str, spec: type[Settings], assignments: list[str]
) -> tuple[dict[str, Value], dict[str, str]]:
    """Return the knob values of ``name=value`` words, and apart from them what is not a knob (``seed``, ``from``).

    Raises:
        UsageError: a word is no assignment, names no knob, or gives it a value that it does not take.
    """
    known = {each.name: each for each in spec.knobs()}
    changes: dict[str, Value] = {}
    rest: dict[str, str] = {}
    for word in assignments:
        knob, equals, value = word.partition("=")
        if not equals:
            raise UsageError(
                f"'{word}' is not knob=value.", f"Example: {next(iter(known))}={next(iter(known.values())).default}"
            )
        if knob in {"seed", "from"}:
            rest[knob] = value
        elif knob in known:
            changes[knob] = known[knob].read(value)
        else:
            raise UsageError(f"{name} has no knob '{knob}'.", suggest(knob, list(known)))
    return changes, rest

"""A recipe: everything that repeats a run, written once beside it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.core.errors import RunError
from engine.core.files import read_inside
from engine.core.own import Own
from engine.core.paths import write_whole
from engine.core.spec import Value

FORMAT = 1


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint that the run starts from."""

    run: str
    checkpoint: str = ""
    digest: str = ""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the person left to the trainer, or did not."""

    device: str = "auto"
    """``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``."""
    threads: int = 0
    """0: as many as the probe of this machine found fastest."""
    precision: str = "auto"
    """``auto``, ``float32``, ``bfloat16``."""


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """What the trainer chose; a resume repeats it."""

    device: str
    threads: int
    precision: str
    capture: bool = False
    """Whether a step is a captured CUDA graph."""
    steps: int = 0
    versions: dict[str, str] = {}
    data_digest: str = ""


class Recipe(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that repeats a run. The trainer fills in `resolved` before step 0; then it never changes.

    `knobs` is complete: every knob of the family's spec with its value.
    """

    format: int = FORMAT
    family: str
    preset: str
    knobs: dict[str, Value]
    seed: int = 0
    inputs: dict[str, Input] = {}
    asked: Asked = Asked()
    resolved: Resolved | None = None
    group: str = ""
    """What binds runs that were launched together; empty for a run alone."""
    entry: str = ""
    """The glossary entry whose page launched it."""
    own: Own | None = None
    """What a person's own file says of itself, where the run is of one and of no family."""


def write_recipe(recipe: Recipe, folder: Path) -> None:
    """Write ``recipe.json`` into a run's folder, whole."""
    write_whole(folder / "recipe.json", msgspec.json.format(msgspec.json.encode(recipe), indent=2) + b"\n")


def read_recipe(folder: Path) -> Recipe:
    """Read ``recipe.json`` of a run's folder.

    Raises:
        RunError: it is missing, is no recipe, or is of a newer format.
    """
    try:
        recipe = msgspec.json.decode(read_inside(folder, "recipe.json"), type=Recipe)
    except OSError as error:
        raise RunError(f"{folder.name} has no readable recipe ({error.strerror}).", "Is it a run's folder?") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        remedy = "Copy the run again from where it came."
        raise RunError(f"The recipe of {folder.name} is damaged: {error}.", remedy) from None
    if recipe.format > FORMAT:
        newer = f"{folder.name} was written by a newer Lexigrad (recipe format {recipe.format})."
        raise RunError(newer, "Update Lexigrad.")
    return recipe

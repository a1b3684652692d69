"""From what was asked, on a page or a command line, to a recipe; and from a recipe to what is special about it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from engine.catalog import RunTarget, family, known
from engine.core.errors import RunError, UsageError
from engine.core.own import kept_at
from engine.core.recipe import Asked, Input, Recipe
from engine.core.spec import Value

if TYPE_CHECKING:
    from engine.core.store import Run


def recipe_of(
    target: RunTarget, *, start: str = "", entry: str = "", group: str = "", asked: Asked | None = None
) -> Recipe:
    """Return the complete recipe of a run target; `start` is the id of the run that it starts from.

    Raises:
        UsageError: a value is out of its knob's range.
    """
    return Recipe(
        family=target.family.name,
        preset=target.preset.name,
        knobs=target.spec.values(),
        seed=target.seed,
        inputs={"model": Input(run=start)} if start else {},
        asked=asked or Asked(),
        entry=entry,
        group=group,
    )


def target_from(recipe: Recipe) -> RunTarget | None:
    """Return the run target that repeats a recipe; None where this version knows no such family or preset."""
    try:
        known = family(recipe.family)
        preset = known.preset(recipe.preset)
    except UsageError:
        return None
    return RunTarget(known, preset, changes(recipe), start=preset.start, seed=recipe.seed)


def again_words(run: Run) -> str:
    """Say how a run is set up again where no form can do it."""
    recipe = run.recipe
    if recipe.own is None:
        return f"This Lexigrad knows no {target_of(recipe)}; its knobs stand in recipe.json."
    try:
        path = run.folder / kept_at(recipe.own)
    except RunError as error:
        return str(error)
    sets = [word for name, value in changes(recipe).items() for word in ("--set", f"{name}={value}")]
    seed = ["--seed", str(recipe.seed)] if recipe.seed else []
    return f"Type: {shlex.join(['lexigrad', 'run', f'{path}/{recipe.preset}', *sets, *seed])}"


def target_of(recipe: Recipe) -> str:
    """Return ``family/preset``."""
    return f"{recipe.family}/{recipe.preset}"


def latest_finished(target: str, runs: Iterable[Run]) -> str:
    """Return the id of the newest finished run of ``family/preset``; empty where there is none.

    Args:
        target: as an entry or a preset names it.
        runs: the newest first.
    """
    for run in runs:
        with suppress(RunError):
            if target_of(run.recipe) == target and run.state() == "finished":
                return run.id
    return ""


def changes(recipe: Recipe) -> dict[str, Value]:
    """Return the knobs in which a recipe differs from its preset."""
    found = known(recipe)
    try:
        usual = found.configure(recipe.preset).values() if found else recipe.knobs
    except UsageError:
        return {}
    return {name: value for name, value in recipe.knobs.items() if usual.get(name) != value}


def differences(recipe: Recipe) -> str:
    """Return the knobs in which a recipe differs from its preset, and its seed where it is not 0, in words."""
    words = [f"{name.replace('_', ' ')} {_typed(value)}" for name, value in changes(recipe).items()]
    if recipe.seed:
        words.append(f"seed {recipe.seed}")
    return ", ".join(words)


def _typed(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)

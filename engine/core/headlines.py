"""What stands on an entry's page after its runs: the person's own figures, over the seeds of one recipe."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.core.errors import LexigradError, RunError
from engine.core.recipe import Recipe
from engine.core.store import Run, RunStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The figures of one recipe, over the seeds it was run with."""

    title: str
    """``mlp / quick · depth 4``: family, preset and the knobs that differ from it. It comes from disk: clean it."""
    family: str
    preset: str
    runs: tuple[str, ...]
    """Ids, the newest first."""
    date: str
    """Of the newest run: ``2026-11-20``."""
    device: str
    seeds: str
    """``0`` or ``0, 1, 2``."""
    n: int
    """How many seeds."""
    figures: Mapping[str, tuple[float, float]]
    """Metric -> mean and sample standard deviation over the seeds, 0 for a single one."""


def headlines(store: RunStore, entry: str, targets: Sequence[str] = ()) -> list[Headline]:
    """Return the figures of an entry's finished runs, the newest recipe first.

    An entry's runs are those launched from its page, and those of `targets` (``family/preset``) from wherever they were
    launched. A seed that was run again counts once, by its newest run.
    """
    by_recipe: dict[tuple[object, ...], dict[int, Run]] = {}
    for run in store.runs():
        try:
            recipe = run.recipe
        except RunError:
            continue
        if recipe.entry != entry and f"{recipe.family}/{recipe.preset}" not in targets:
            continue
        if run.state() == "finished":
            by_recipe.setdefault(_sameness(recipe), {}).setdefault(recipe.seed, run)
    return [_headline(list(of_seed.values())) for of_seed in by_recipe.values()]


def _sameness(recipe: Recipe) -> tuple[object, ...]:
    """Return what two recipes have in common that differ in the seed alone."""
    starts = tuple(sorted(recipe.inputs))
    return recipe.family, recipe.preset, tuple(sorted(recipe.knobs.items())), starts, recipe.asked


def _headline(runs: list[Run]) -> Headline:
    recipe = runs[0].recipe
    reached = [run.headline() for run in runs]
    names = [name for name in reached[0] if all(name in each for each in reached)]
    columns = {name: [each[name] for each in reached] for name in names}
    return Headline(
        title=title_of(recipe),
        family=recipe.family,
        preset=recipe.preset,
        runs=tuple(run.id for run in runs),
        date=time.strftime("%Y-%m-%d", time.localtime(runs[0].created)),
        device=runs[0].device(),
        seeds=", ".join(str(seed) for seed in sorted(run.recipe.seed for run in runs)),
        n=len(runs),
        figures={name: _mean_and_spread(each) for name, each in columns.items()},
    )


def _mean_and_spread(values: list[float]) -> tuple[float, float]:
    """Return mean and sample standard deviation; NaN where a value is not finite."""
    if not all(map(math.isfinite, values)):
        return math.nan, math.nan
    mean = math.fsum(values) / len(values)
    squares = math.fsum((value - mean) ** 2 for value in values)
    return mean, math.sqrt(squares / (len(values) - 1)) if len(values) > 1 else 0.0


def title_of(recipe: Recipe) -> str:
    """Return family, preset and the knobs whose values are not the preset's."""
    words = [f"{recipe.family} / {recipe.preset}"]
    words += [f"{name.replace('_', ' ')} {value}" for name, value in changed_knobs(recipe).items()]
    return " · ".join(words)


def changed_knobs(recipe: Recipe) -> dict[str, object]:
    """Return the knobs whose values differ from the recipe's preset; none for an unknown family."""
    from engine.catalog import family_of, runnable

    try:
        of = runnable(recipe.family) if recipe.own is None else family_of(recipe)
        usual = of.configure(recipe.preset).values()
    except (LexigradError, ImportError):
        return {}
    return {name: value for name, value in recipe.knobs.items() if usual.get(name) != value}

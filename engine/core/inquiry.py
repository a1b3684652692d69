"""From a lab to its runs and from their ends to its findings; each part can be done again after a break."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from engine.core.errors import LexigradError, RunError, UsageError
from engine.core.experiments import Experiment, Experiments, Finding, Placed
from engine.core.follow import Follower
from engine.core.lab import Arm, Lab, Results
from engine.core.recipe import Asked, Input, Recipe
from engine.core.spec import Settings

if TYPE_CHECKING:
    from engine.core.launcher import Launcher
    from engine.core.store import Run, RunStore
    from engine.core.view import RunView

KEPT_SEED = 0
"""Of what is trained once and used by every seed."""
START = "model"
"""The role of the run whose weights an arm starts from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """What is asked of a lab: in which form, over which seeds, and what the learner expects."""

    lab: Lab
    form: str
    settings: Settings
    seeds: tuple[int, ...] = (0,)
    predictions: Mapping[str, str] = field(default_factory=dict)
    asked: Asked = field(default_factory=Asked)


def begin(inquiry: Inquiry, experiments: Experiments, launcher: Launcher) -> Experiment:
    """Make the runs of a lab, start them one after another, and keep the record; returns at once.

    Raises:
        UsageError: the lab's settings do not go together.
        RunError: the disk is nearly full, or the folders cannot be written.
    """
    lab = inquiry.lab
    arms = list(lab.arms(inquiry.settings))
    id_ = experiments.new_id(lab.name)
    there = launcher.store.runs()
    placed: list[Placed] = []
    made: list[Run] = []
    for seed in inquiry.seeds:
        ids: dict[str, str] = {}
        for arm in arms:
            recipe = recipe_of(arm, inquiry, seed, ids, group=f"{lab.name}-{id_}")
            run = _kept(recipe, [*made, *there]) if arm.kept else None
            if run is None:
                run = launcher.store.create(recipe)
                made.append(run)
            ids[arm.name] = run.id
            placed.append(Placed(arm=arm.name, seed=seed, run=run.id))
    experiment = Experiment(
        id=id_,
        lab=lab.name,
        form=inquiry.form,
        knobs=inquiry.settings.values(),
        seeds=inquiry.seeds,
        predictions=dict(inquiry.predictions),
        runs=tuple(placed),
        begun=time.time(),
    )
    experiments.save(experiment)
    launcher.train(made)
    return experiment


def recipe_of(arm: Arm, inquiry: Inquiry, seed: int, ids: Mapping[str, str], group: str = "") -> Recipe:
    """Return the recipe of one arm for one seed.

    Args:
        arm: the run that is meant.
        inquiry: the experiment that it belongs to.
        seed: what of chance it is given; a kept arm has always the same, unless it is kept for each seed.
        ids: the runs of the arms before it.
        group: binds the runs of the experiment.

    Raises:
        UsageError: an unknown target or knob, a value out of range, or an arm that does not come before.
    """
    from engine.catalog import runnable

    name, _, preset = arm.target.partition("/")
    spec = runnable(name).configure(preset or "quick", arm.knobs)
    wanted = {START: arm.start} if arm.start else {each: each for each in arm.reads}
    missing = [each for each in wanted.values() if each not in ids]
    if missing:
        raise UsageError(f"The arm {arm.name} needs {missing[0]}, which does not come before it.")
    return Recipe(
        family=name,
        preset=preset or "quick",
        knobs=spec.values(),
        seed=KEPT_SEED if arm.kept and not arm.per_seed else seed,
        inputs={role: Input(run=ids[each]) for role, each in wanted.items()},
        asked=inquiry.asked,
        group="" if arm.kept else group,
    )


def _kept(recipe: Recipe, runs: list[Run]) -> Run | None:
    """Return the run of an equal recipe that is finished, or was made just now for this very experiment."""
    for run in runs:
        try:
            same = msgspec.structs.replace(run.recipe, resolved=None, group="", entry="")
        except RunError:
            continue
        if same == msgspec.structs.replace(recipe, group="") and run.state() in {"finished", "queued", "starting"}:
            return run
    return None


def unfinished(experiment: Experiment, store: RunStore) -> list[str]:
    """Return the ids of its runs that have not come to their end."""
    return [each for each in experiment.ids if _state(store, each) != "finished"]


def live(experiment: Experiment, store: RunStore) -> bool:
    """Return whether one of its runs is at work or waits for its turn."""
    return any(_is_live(store, each) for each in experiment.ids)


def go_on(experiment: Experiment, launcher: Launcher) -> int:
    """Train what was stopped, failed or never begun; finished runs stand. Return how many runs that are.

    Raises:
        RunError: it is at work already, a run of it was deleted, or the disk is nearly full.
    """
    left = unfinished(experiment, launcher.store)
    launcher.train([launcher.store.open(each) for each in left])
    return len(left)


def stop(experiment: Experiment, launcher: Launcher) -> None:
    """Stop what is at work and what waits for its turn; finished runs stand."""
    for id_ in reversed(experiment.ids):
        with suppress(LexigradError):
            run = launcher.store.open(id_)
            if run.is_live():
                launcher.stop(run)


def _state(store: RunStore, id_: str) -> str:
    try:
        return store.open(id_).state()
    except LexigradError:
        return "gone"


def _is_live(store: RunStore, id_: str) -> bool:
    try:
        return store.open(id_).is_live()
    except LexigradError:
        return False


def results(lab: Lab, experiment: Experiment, store: RunStore) -> Results:
    """Return what the runs ended with; `seeds` holds those of which every run has come to its end."""
    figures: dict[tuple[str, int], Mapping[str, float]] = {}
    for each in experiment.runs:
        if _state(store, each.run) == "finished":
            figures[each.arm, each.seed] = figures_of(Follower(store.open(each.run)).catch_up())
    arms = {each.arm for each in experiment.runs}
    whole = tuple(seed for seed in experiment.seeds if all((arm, seed) in figures for arm in arms))
    return Results(figures, whole, lab.settings.of(experiment.knobs))


def figures_of(view: RunView) -> dict[str, float]:
    """Return what a run ended with, by the names that `Results` explains."""
    figures: dict[str, float] = {"seconds": view.elapsed}
    if view.started is not None:
        figures["parameters"] = float(view.started.parameters)
    memory = view.hardware.series.get("process_memory")
    if memory is not None and len(memory):
        figures["peak_memory"] = memory.best(higher=True)[1]
    for name, series in view.series.items():
        if len(series):
            figures |= {
                f"first/{name}": float(series.values[0]),
                f"last/{name}": series.last,
                f"lowest/{name}": series.best(higher=False)[1],
                f"highest/{name}": series.best(higher=True)[1],
            }
    headline = view.finished.headline if view.finished is not None else {}
    return figures | {name: float(value) for name, value in headline.items()}


def conclude(lab: Lab, experiment: Experiment, store: RunStore, experiments: Experiments) -> Experiment:
    """Judge every statement on the seeds that are complete, and keep the findings; without one nothing changes.

    Raises:
        RunError: the findings cannot be kept.
    """
    found = results(lab, experiment, store)
    if not found.seeds:
        return experiment
    from engine.core.hardware import probe

    machine = probe()
    findings: list[Finding] = []
    for statement in lab.statements:
        verdict = statement.judge(found)
        findings.append(
            Finding(
                statement=statement.id,
                says=statement.says,
                holds=verdict.holds,
                text=verdict.text,
                measured=verdict.measured,
                exact=statement.exact,
            )
        )
    done = msgspec.structs.replace(
        experiment,
        seeds=found.seeds,
        ended=time.time(),
        seconds=math.fsum(found.figures[each.arm, each.seed]["seconds"] for each in _once(experiment, found)),
        machine=f"{machine.processor}, {machine.cores} core{'s' if machine.cores != 1 else ''}",
        findings=tuple(findings),
        outcomes={each.id: each.outcome(found) for each in lab.forecasts},
    )
    experiments.save(done)
    return done


def _once(experiment: Experiment, found: Results) -> list[Placed]:
    """Return the runs that count for the time, one that serves several seeds once."""
    by_run = {each.run: each for each in experiment.runs if each.seed in found.seeds}
    return list(by_run.values())

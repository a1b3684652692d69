"""What a learner has done, from the runs on disk and the learner's record, for the checks of a walkthrough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glossary.facts import Facts, MetricFact, RunFact
from glossary.model import Walkthrough
from glossary.progress import evidence, met

if TYPE_CHECKING:
    from engine.core.view import RunView
    from tui.services import Services


def facts_of(walk: Walkthrough, services: Services) -> Facts:
    """Return the facts that count for a walkthrough: what happened since it was begun."""
    record = services.record
    begun = float(record.place(f"walk:{walk.slug}:begun", "0"))
    since = [run.id for run in reversed(services.watch.runs()) if run.created >= begun]
    runs = [run_fact(view) for view in services.watch.views(since)]
    return Facts(
        runs=tuple(runs),
        step_runs=dict(step_runs(walk, services)),
        read=record.read(),
        opened=frozenset(thing.partition(":")[2] for thing in record.opened(begun)),
        predictions=record.predictions(walk.slug),
        answers={(slug, question): right for slug, question, right in record.answers()},
        compared=int(record.place("compared", "0")),
    )


def step_runs(walk: Walkthrough, services: Services) -> list[tuple[str, str]]:
    """Return step and run id of every step that a run has met."""
    kept = ((step.id, services.record.place(f"walk:{walk.slug}:run:{step.id}")) for step in walk.steps)
    return [(step, run) for step, run in kept if run]


def run_fact(view: RunView) -> RunFact:
    """Return what a walkthrough may know of one run."""
    return RunFact(
        id=view.id,
        target=f"{view.recipe.family}/{view.recipe.preset}",
        knobs=view.recipe.knobs,
        seed=view.recipe.seed,
        state=view.state,
        step=view.step,
        seconds=view.elapsed,
        metrics=metric_facts(view),
        turned=frozenset(change.name for change in view.knob_changes),
        resumed=view.resumes > 0,
    )


def metric_facts(view: RunView) -> dict[str, MetricFact]:
    """Return first, last, lowest and highest value of every series that has one."""
    facts: dict[str, MetricFact] = {}
    for name, series in view.series.items():
        if len(series):
            _, lowest = series.best(higher=False)
            _, highest = series.best(higher=True)
            facts[name] = MetricFact(float(series.values[0]), series.last, lowest, highest)
    return facts


def advance(walk: Walkthrough, services: Services, here: str = "") -> bool:
    """Mark the steps whose check is met by now; return whether any was.

    Checked are the first open steps, one after another, and the step `here` that is looked at: who leaves a hard one
    out goes on, and what is done for one step does not tick off another that nobody has read yet.
    """
    moved = False
    done = services.record.finished_steps(walk.slug)
    facts: Facts | None = None
    in_line = True
    for step in walk.steps:
        if step.id in done or not (in_line or step.id == here):
            continue
        if step.check is None:
            in_line = False
            continue
        facts = facts or facts_of(walk, services)
        if not met(step.check, facts, step.id):
            in_line = False
            continue
        runs = evidence(step.check, facts)
        if runs:
            services.record.keep_place(f"walk:{walk.slug}:run:{step.id}", runs[0].id)
        services.record.finish_step(walk.slug, step.id)
        facts = None
        moved = True
    return moved

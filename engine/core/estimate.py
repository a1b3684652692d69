"""What a run will cost, before it starts: parameters, memory, steps, time, and where the time's figure comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine import catalog
from engine.core.errors import LexigradError
from engine.core.recipe import Recipe
from engine.core.spec import Family, Preset, Spec
from engine.core.store import Run, RunStore

BYTES_A_PARAMETER = 16
"""float32 weight, gradient and two optimizer moments."""
BYTES_SAVED_A_PARAMETER = 12
"""Weight and moments."""
FLOPS_AN_ACTIVATION = 192
"""Training operations for each byte of activations that is kept, in layers a few hundred wide."""
BASE_MEMORY = 600 * 1024**2
"""Bytes that a process has once torch is imported and has trained a step."""
SLOWEST_FLOPS = 5e9
"""Operations a second that any machine reaches: what a step took beyond them does not grow with the model."""
LEAST_STEP = 0.0008
"""Seconds that a step takes however small the model is: Python and the launches of its kernels."""
MOST_RUNS = 20
"""Finished runs of the family that are looked at, the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The cost of a run."""

    parameters: int
    memory: float
    """Bytes, of the GPU or of the machine: weights, optimizer, activations of one batch, torch itself."""
    steps: int
    seconds: float | None
    """Of training; None where nothing comparable was ever measured."""
    basis: str
    """Where `seconds` comes from, in words."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a spec asks of the machine."""

    parameters: int
    flops_per_sample: float
    samples: float
    steps: int

    @property
    def flops(self) -> float:
        """Floating-point operations of the whole run."""
        return self.flops_per_sample * self.samples

    def seconds_from(self, seconds: float, before: Work) -> float:
        """Return the time of this work where `before` took `seconds`: in proportion, but no step costs nothing."""
        pace, work = seconds / before.steps, before.flops / before.steps
        computing = min(pace, work / SLOWEST_FLOPS)
        share = (self.flops / self.steps) / work
        return self.steps * max(pace - computing + computing * share, min(pace, LEAST_STEP))


def estimate(family: Family, preset: Preset, spec: Spec, store: RunStore | None = None) -> Estimate:
    """Estimate a run of `spec`, which started from `preset`; runs in `store` tell this machine's pace.

    Raises:
        LexigradError: the spec's knobs do not go together.
    """
    work = work_of(family, spec)
    activations = spec.batch_size * work.flops_per_sample / FLOPS_AN_ACTIVATION
    seconds, basis = _from_own_runs(family, work, store) or _from_preset(family, preset, work)
    memory = BASE_MEMORY + BYTES_A_PARAMETER * work.parameters + activations
    return Estimate(parameters=work.parameters, memory=memory, steps=work.steps, seconds=seconds, basis=basis)


def work_of(family: Family, spec: Spec) -> Work:
    """Return parameters, operations and samples of a spec on its data set."""
    inputs, outputs, examples = _shape(family, spec.data)
    kept = min(spec.examples, examples) if spec.examples and examples else spec.examples or examples
    samples = spec.total_samples(kept)
    steps = max(1, math.ceil(samples / spec.batch_size))
    return Work(spec.parameters(inputs, outputs), spec.flops_per_sample(inputs, outputs), samples, steps)


def checkpoint_bytes(recipe: Recipe) -> int:
    """Return about how large one checkpoint of the run is; 0 for a model that only its trainer knows."""
    try:
        known = catalog.family(recipe.family)
        return BYTES_SAVED_A_PARAMETER * work_of(known, known.spec.of(recipe.knobs)).parameters
    except (LexigradError, ImportError):
        return 0


def _shape(family: Family, data: str) -> tuple[int, int, int]:
    """Return inputs, outputs and examples of a data set; the family's usual ones for a person's own file."""
    from engine.data.table import TABLE

    row = TABLE.get(data) or TABLE[family.data[0]]
    return row.inputs, row.outputs, row.examples


def _from_preset(family: Family, preset: Preset, work: Work) -> tuple[float | None, str]:
    if not preset.seconds:
        return None, "nothing like it was measured yet"
    measured = work_of(family, family.configure(preset.name))
    if not measured.flops or work == measured:
        return preset.seconds, "measured on two cores"
    return work.seconds_from(preset.seconds, measured), "scaled from the preset, on two cores"


def _from_own_runs(family: Family, work: Work, store: RunStore | None) -> tuple[float, str] | None:
    """Return the time at the pace of the person's own run of this family that was most like it."""
    best: tuple[float, float, Run] | None = None
    for run in finished_runs(family, store):
        try:
            before = work_of(family, family.spec.of(run.recipe.knobs))
        except LexigradError:
            continue
        seconds = run.seconds()
        if not seconds or not before.flops or not work.flops:
            continue
        distance = abs(math.log(work.flops_per_sample / before.flops_per_sample))
        if best is None or distance < best[0]:
            best = (distance, work.seconds_from(seconds, before), run)
    return (best[1], "at the pace of your own run") if best is not None else None


def finished_runs(family: Family, store: RunStore | None) -> list[Run]:
    """Return the newest finished runs of a family."""
    if store is None:
        return []
    ours = [run for run in store.runs() if run.recipe.family == family.name][: 2 * MOST_RUNS]
    return [run for run in ours if run.state() == "finished"][:MOST_RUNS]

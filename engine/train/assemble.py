"""From a run's folder to a run that can be trained: recipe, data, device, learner, and the checkpoint to go on from."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor

from engine.core.errors import DataError, RunError
from engine.core.kept_code import keep_code
from engine.core.recipe import Input, Recipe, Resolved, read_recipe, write_recipe
from engine.core.spec import Spec
from engine.data.load import load
from engine.train.checkpoint import Checkpoint, State, clear_leftovers, latest_checkpoint, load_checkpoint
from engine.train.device import Place, choose_device, settle_place
from engine.train.governor import Governor
from engine.train.learner import Learner, Setting
from engine.train.meter import Meter
from engine.train.orders import Orders
from engine.train.own_file import family_to_train
from engine.train.randomness import restore_random_states, seed_everything
from engine.train.training import Training
from engine.train.writer import RunWriter

PARENT = "parent"
"""The role of the run that this one was forked from; its checkpoint is gone on from as if it were the own."""

MODEL = "model"
"""The role of the run whose model this one began with."""

ROOM_FOR = 3
"""Checkpoints that must fit on the disk, or a person is warned."""


def assemble(folder: Path, writer: RunWriter, orders: Orders) -> Training:
    """Return the run of a folder, ready to train: new, gone on from its last good checkpoint, or forked.

    Raises:
        LexigradError: recipe, data, device or checkpoint cannot be used; with what to do.
    """
    writer.status("loading data", 0, 0, at_once=True)
    recipe = read_recipe(folder)
    family = family_to_train(folder, recipe)
    keep_code(folder, family.code)
    device = choose_device(recipe.asked.device)
    clear_leftovers(folder)
    checkpoint, remarks = latest_checkpoint(folder)
    if checkpoint is None and PARENT in recipe.inputs:
        checkpoint = _parent(folder, recipe.inputs[PARENT])
    learner = build_learner(folder, recipe, device, checkpoint)
    spec, data, total_steps = learner.spec, learner.setting.data, learner.setting.total_steps
    _check_data(recipe, data.digest)
    flops = learner.flops_per_sample() * spec.batch_size
    place = settle_place(recipe.asked, recipe.resolved, flops, convolutional=learner.convolutional)
    place.settle()
    learner.setting.precision = place.dtype

    state = (
        State() if checkpoint is None else _restore(learner, checkpoint, forked=checkpoint.path.parent.parent != folder)
    )
    exactness, changes = _exactness(recipe, place)
    _resolve(folder, recipe, place, total_steps, data.digest)
    return Training(
        folder=folder,
        recipe=recipe,
        family=family,
        learner=learner,
        place=place,
        writer=writer,
        orders=orders,
        governor=Governor(),
        meter=Meter(device),
        total_steps=total_steps,
        exactness=exactness,
        remarks=[*_fallback(remarks, state), *changes, *_room(folder, learner)],
        state=state,
    )


def build_learner(folder: Path, recipe: Recipe, device: torch.device, checkpoint: Checkpoint | None = None) -> Learner:
    """Return the learner of a recipe as it is before the first step: data loaded, weights drawn under the seed.

    Args:
        folder: of the run; the runs that it starts from lie beside it.
        recipe: what to train.
        device: where.
        checkpoint: what the run goes on from; it holds all weights and tokens, and so stands in for the runs and the
            published weights that the run once began with, which may be gone.

    Raises:
        LexigradError: the data or a run to start from cannot be used; with what to do.
    """
    family = family_to_train(folder, recipe)
    spec = family.spec.of(recipe.knobs)
    data = load(spec.data, spec, recipe.seed, device)
    total_steps = max(1, math.ceil(spec.total_samples(data.size) / spec.batch_size))
    seed_everything(recipe.seed)
    inputs = _starts(folder, recipe, spec, checkpoint)
    module, _, name = family.learner.partition(":")
    kind: type[Learner] = getattr(import_module(module), name)
    return kind(Setting(spec, data, recipe.seed, device, total_steps=total_steps, inputs=inputs))


def _starts(folder: Path, recipe: Recipe, spec: Spec, checkpoint: Checkpoint | None) -> dict[str, Mapping[str, Tensor]]:
    """Return what the learner starts from, by role: other runs, or the checkpoint that stands in for them."""
    given = {role: each for role, each in recipe.inputs.items() if role != PARENT}
    if checkpoint is None:
        return {role: _parent(folder, each).model for role, each in given.items()}
    published = getattr(spec, "weights", "random") != "random"
    return dict.fromkeys([*given, MODEL] if published else given, checkpoint.model)


def _check_data(recipe: Recipe, digest: str) -> None:
    """Refuse to go on with other data than the run began with."""
    if recipe.resolved is not None and recipe.resolved.data_digest not in ("", digest):
        raise DataError(
            "The data have changed since this run began.", "Put them back as they were, or start a new run."
        )


def _parent(folder: Path, given: Input) -> Checkpoint:
    """Return another run's checkpoint.

    Raises:
        RunError: it is not there, damaged, or not the one that the recipe means.
    """
    other = folder.parent / Path(given.run).name
    if given.checkpoint:
        checkpoint = load_checkpoint(other / "checkpoints" / Path(given.checkpoint).name)
    else:
        latest, _ = latest_checkpoint(other)
        if latest is None:
            raise RunError(f"The run {given.run} has no checkpoint to start from.", "Train it first.")
        checkpoint = latest
    if given.digest and checkpoint.digest != given.digest:
        raise RunError(f"The checkpoint of {given.run} is not the one that the recipe names.", "Start from it anew.")
    return checkpoint


@torch.no_grad()
def _restore(learner: Learner, checkpoint: Checkpoint, *, forked: bool) -> State:
    """Put a learner back to where a checkpoint was written; return what else that checkpoint knows."""
    state, kept = checkpoint.state, dict(checkpoint.training)
    random = {name.removeprefix("random."): kept.pop(name) for name in list(kept) if name.startswith("random.")}
    learner.load_weights(checkpoint.model)
    try:
        learner.load_state(kept)
    except (RunError, KeyError):
        if not forked:
            raise
        # A fork may change the optimizer; the new one starts with an empty memory.
    learner.micro_batches = state.micro_batches
    for name, value in state.knobs.items():
        if not forked:
            learner.turn(name, value)
    restore_random_states(random, learner.setting.device)
    if forked:
        return State(step=state.samples // learner.spec.batch_size, samples=state.samples)
    return state


def _exactness(recipe: Recipe, place: Place) -> tuple[str, list[str]]:
    """Return what a resume promises here, and a sentence where it is less than when the run began."""
    if place.device.type != "cpu":
        return "same order", []
    now, before = versions(), recipe.resolved.versions if recipe.resolved else versions()
    if before == now:
        return "bitwise", []
    changed = ", ".join(
        f"{name} {before.get(name, '?')} then, {now[name]} now" for name in now if before.get(name) != now[name]
    )
    return "same order", [f"The rest of this run need not repeat to the last bit: {changed}."]


def versions() -> dict[str, str]:
    """Return the versions that decide a run's figures."""
    try:
        own = version("lexigrad")
    except PackageNotFoundError:
        own = "source"
    return {"lexigrad": own, "torch": str(torch.__version__)}


def _resolve(folder: Path, recipe: Recipe, place: Place, total_steps: int, digest: str) -> None:
    """Write what was chosen into the recipe, once."""
    if recipe.resolved is not None:
        return
    resolved = Resolved(
        device=str(place.device),
        threads=place.threads,
        precision=place.precision,
        capture=place.capture,
        steps=total_steps,
        versions=versions(),
        data_digest=digest,
    )
    try:
        write_recipe(msgspec.structs.replace(recipe, resolved=resolved), folder)
    except OSError as error:
        raise RunError(
            f"The folder of the run cannot be written ({error.strerror}).", "Make room on the disk."
        ) from None


def _fallback(problems: list[str], state: State) -> list[str]:
    """Say which checkpoints were damaged, and which one is used."""
    return [f"{problem} Using the checkpoint of step {state.step:,}." for problem in problems]


def _room(folder: Path, learner: Learner) -> list[str]:
    """Warn where the disk is too full for the checkpoints to come."""
    tensors: list[Any] = [*learner.weights().values(), *learner.state().values()]
    needed = ROOM_FOR * sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    free = shutil.disk_usage(folder).free
    if free >= needed:
        return []
    return [f"The disk has {free / 1e6:,.0f} MB left, and checkpoints will want {needed / 1e6:,.0f}; make room soon."]

"""A trained model, opened to be played with: as it is judged, from its last good checkpoint."""

from __future__ import annotations

from pathlib import Path

import torch

from engine.core.errors import RunError
from engine.core.recipe import read_recipe
from engine.train.assemble import build_learner
from engine.train.checkpoint import latest_checkpoint
from engine.train.device import choose_device
from engine.train.learner import Learner


def open_model(folder: Path, device: str = "cpu") -> Learner:
    """Return a run's learner in evaluation mode with the weights of its last good checkpoint.

    Its data are read too: they name the classes, the characters, the scale of the pixels.

    Raises:
        LexigradError: there is no checkpoint, it does not fit, or the data are not on this machine.
    """
    recipe = read_recipe(folder)
    checkpoint, problems = latest_checkpoint(folder)
    if checkpoint is None:
        damaged = f" {problems[0]}" if problems else ""
        raise RunError(f"{folder.name} has no checkpoint to play with.{damaged}", "Train it to its first checkpoint.")
    learner = build_learner(folder, recipe, choose_device(device), checkpoint)
    with torch.no_grad():
        learner.load_weights(checkpoint.model)
    learner.mode(training=False)
    return learner

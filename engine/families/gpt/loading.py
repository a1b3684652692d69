"""A trained GPT, back from its run."""

from __future__ import annotations

from pathlib import Path

import torch

from engine.adapt.lora import merge_tensors
from engine.core.errors import RunError
from engine.core.recipe import read_recipe
from engine.data.text import Vocabulary
from engine.families.gpt.learner import build_gpt, load_weights, vocabulary_of
from engine.families.gpt.model import GPT
from engine.families.gpt.spec import FAMILY, GPTSpec
from engine.train.checkpoint import latest_checkpoint


@torch.no_grad()
def load_gpt(folder: Path) -> tuple[GPT, Vocabulary]:
    """Return the model of a run's newest checkpoint, its adapters merged, and the tokens that it knows.

    Raises:
        RunError: the run is of another family, or has no sound checkpoint.
    """
    recipe = read_recipe(folder)
    if recipe.family != FAMILY.name:
        raise RunError(f"{folder.name} is a run of {recipe.family}, not of {FAMILY.name}.")
    checkpoint, _ = latest_checkpoint(folder)
    if checkpoint is None:
        raise RunError(f"The run {folder.name} has no checkpoint.", "Train it first.")
    vocabulary = vocabulary_of(checkpoint.model)
    model = build_gpt(GPTSpec.of({**recipe.knobs, "adapt": "full"}), vocabulary)
    load_weights(model, merge_tensors(checkpoint.model))
    return model.eval(), vocabulary

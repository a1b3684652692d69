"""What needs a CUDA GPU: captured steps, GPT against nanoGPT on one GPU, small pictures."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.row import Effort, Row, Target

WANTED = {
    "captured": ("Captured steps, one GPU", "the eager step", ("3x for mlp", "at least 1.5x where capture is on")),
    "shakespeare": ("GPT on Tiny Shakespeare, one GPU", "nanoGPT's recipe (1.4697)", ("same loss in 1/4 of the time",)),
    "pictures": ("Small pictures, one GPU", "train_mnist_fast, airbench", ("level with them",)),
}


def measure(effort: Effort) -> Iterator[Row]:
    """Say what is missing: a GPU, or here the way to measure with one."""
    import torch

    why = "not measured yet" if torch.cuda.is_available() else "needs a CUDA GPU, none is here"
    for part, (what, against, words) in WANTED.items():
        targets = tuple(Target(each, float("nan"), 0.0) for each in words)
        yield Row(key=f"gpu/{part}", what=what, against=against, targets=targets, missing=why)

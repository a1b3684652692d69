"""Train the judges of made pictures anew: ``python -m engine.look.train_judge [DATA ...]``.

A new judge gets a new digest, and no figure of the old one can be compared with its own.
"""

from __future__ import annotations

import hashlib
import math
import sys
from dataclasses import dataclass

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from engine.data.augment import Augmented
from engine.data.batches import Shuffled
from engine.data.examples import Examples
from engine.data.load import load
from engine.look.fid import JUDGES, Judge, Make, unit_pictures

SEED = 0
BATCH_SIZE = 128
LEARNING_RATE = 0.003
WEIGHT_DECAY = 0.05
EPOCHS = {"fashion-mnist": 5, "digits": 60}
MIRRORED = ("fashion-mnist",)
SHIFT = {"digits": 1}


@dataclass(frozen=True)
class Knobs:
    """What loading asks for."""

    examples: int = 0


def main(names: list[str]) -> int:
    """Train and write the judge of each data set named, or all."""
    for name in names or list(JUDGES):
        make = JUDGES[name]
        data: Examples = load(name, Knobs(), SEED, torch.device("cpu"))
        judge = train(make, data)
        save_file({key: each.contiguous() for key, each in judge.state_dict().items()}, make.file)
        print(f"{make.file.name}: {100 * accuracy(judge, make, data):.2f} % of the validation split")
        print(f"sha256 {hashlib.sha256(make.file.read_bytes()).hexdigest()}")
    return 0


def train(make: Make, data: Examples) -> Judge:
    """Return a judge trained on the training split, with standardized features."""
    torch.manual_seed(SEED)
    judge = Judge(make)
    plain = Shuffled((data.train_inputs, data.train_labels), BATCH_SIZE, SEED)
    batches = Augmented(
        plain,
        lambda kept_NCHW: unit_pictures(kept_NCHW, make.side, data.peak),
        SEED,
        shift=SHIFT.get(make.data, 0),
        mirror=make.data in MIRRORED,
    )
    optimizer = torch.optim.AdamW(judge.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    steps = math.ceil(EPOCHS[make.data] * plain.epoch_steps)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * (1 - step / steps)
        pictures_N1HW, labels_N = batches.at(step)
        optimizer.zero_grad()
        torch.autograd.backward(F.cross_entropy(judge(pictures_N1HW), labels_N))
        optimizer.step()
    values_NF = judge.features(unit_pictures(data.train_inputs, make.side, data.peak))
    judge.mean.copy_(values_NF.mean(0))
    judge.deviation.copy_(values_NF.std(0))
    return judge


def accuracy(judge: Judge, make: Make, data: Examples) -> float:
    """Return which share of the validation split the judge tells right."""
    taken_N: Tensor = judge.classes(unit_pictures(data.valid_inputs, make.side, data.peak))
    return float((taken_N == data.valid_labels).float().mean())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

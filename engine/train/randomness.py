"""All states of chance in this process: set from a seed, kept as tensors, restored to the bit."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor


def seed_everything(seed: int) -> None:
    """Start the generators of torch (every device), numpy and Python from `seed`."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


def random_states(device: torch.device) -> dict[str, Tensor]:
    """Return the state of every global generator, as tensors by name."""
    _, keys, position, has_gauss, gauss = np.random.get_state()
    _, words, spare = random.getstate()
    states = {
        "torch": torch.get_rng_state(),
        "python": torch.tensor(words, dtype=torch.int64),
        "python_spare": torch.tensor([] if spare is None else [spare], dtype=torch.float64),
        "numpy": torch.from_numpy(np.append(np.asarray(keys, dtype=np.int64), [position, has_gauss])),
        "numpy_spare": torch.tensor([gauss], dtype=torch.float64),
    }
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def restore_random_states(states: Mapping[str, Tensor], device: torch.device) -> None:
    """Put every global generator back where `random_states` found it."""
    torch.set_rng_state(states["torch"])
    spare = states["python_spare"].tolist()
    random.setstate((3, tuple(states["python"].tolist()), spare[0] if spare else None))
    *keys, position, has_gauss = states["numpy"].tolist()
    gauss = float(states["numpy_spare"])
    np.random.set_state(("MT19937", np.asarray(keys, dtype=np.uint32), position, has_gauss, gauss))
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
    elif device.type == "mps" and "mps" in states:
        torch.mps.set_rng_state(states["mps"])


@contextmanager
def untouched_randomness(device: torch.device) -> Iterator[None]:
    """Whatever is drawn inside, training goes on as if nothing had been."""
    states = random_states(device)
    try:
        yield
    finally:
        restore_random_states(states, device)

"""The standard preset of every family, whose place is a GPU: built in full, with few examples, and taken one step."""

from __future__ import annotations

import pytest
import torch

from engine import catalog
from engine.core.errors import DataError
from engine.core.spec import Value
from engine.data import load as loading
from engine.data.examples import Examples
from tests.engine.families import proofs

FEW: dict[str, Value] = {"batch_size": 4, "examples": 64, "warmup": 0.0}
SMALL: dict[str, dict[str, Value]] = {
    "gpt": {"examples": 0},
    "bert": {"examples": 0},
    "rnn": {"examples": 0},
    "word2vec": {"examples": 0, "batch_size": 64},
    "transformer": {"examples": 400, "pieces": 300},
}
"""Where fewer examples mean nothing, or make too few tokens."""


@pytest.fixture(autouse=True)
def cifar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the one data set that is not at hand: pictures of its size, in its classes."""
    real = loading._load_row

    def load_row(row: object, seed: int) -> object:
        if row is not loading.TABLE["cifar-10"]:
            return real(row, seed)  # type: ignore[arg-type]
        draw = torch.Generator().manual_seed(seed)
        inputs_NCHW = torch.randint(256, (200, 3, 32, 32), generator=draw, dtype=torch.uint8)
        labels_N = torch.arange(200) % 10
        return Examples(
            name="cifar-10", layout="pictures", classes=tuple("0123456789"),
            train_inputs=inputs_NCHW[:160], train_labels=labels_N[:160],
            valid_inputs=inputs_NCHW[160:], valid_labels=labels_N[160:],
            mean=torch.full((3, 1, 1), 0.5), deviation=torch.full((3, 1, 1), 0.3),
        )  # fmt: skip

    monkeypatch.setattr(loading, "_load_row", load_row)


@pytest.mark.parametrize("name", catalog.FAMILIES)
def test_it_takes_a_step(name: str) -> None:
    try:
        made = proofs.learner(name, "standard", **{**FEW, **SMALL.get(name, {})})
    except DataError as missing:
        pytest.skip(missing.what)
    quick = proofs.learner(name)
    assert parameters(made) > parameters(quick)
    before = {name: tensor.clone() for name, tensor in made.weights().items()}
    loss = float(made.train_step(made.batches().at(0))["loss"])
    assert loss == loss and abs(loss) < 1e4
    assert [name for name, tensor in made.weights().items() if not torch.equal(tensor, before[name])]
    assert all(tensor.isfinite().all() for tensor in made.weights().values() if tensor.is_floating_point())


def parameters(made: object) -> int:
    """Return how many numbers learn."""
    return sum(each.numel() for module in made.modules.values() for each in module.parameters())  # type: ignore[attr-defined]

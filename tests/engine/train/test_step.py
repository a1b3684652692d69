"""A step that cannot be used changes nothing: neither weights nor what is averaged of them."""

from __future__ import annotations

import pytest
import torch

from tests.engine.families.proofs import learner


@pytest.mark.parametrize("family", ["mlp", "gan"])
def test_a_step_that_is_not_finite_leaves_the_averaged_weights_too(family: str) -> None:
    made = learner(family, ema=0.9, **({"data": "moons"} if family == "mlp" else {"width": 8}))
    batches = made.batches()
    for step in range(2):
        made.train_step(batches.at(step))
    assert made.average is not None
    before = [each.clone() for each in (*made.average.averages, *made.average.parameters, made.average.updates)]
    first, *others = batches.at(2)
    broken = (first, *others[:-1], others[-1] * float("nan")) if family == "gan" else (first * float("nan"), *others)
    made.train_step(broken)
    after = [*made.average.averages, *made.average.parameters, made.average.updates]
    assert all(torch.equal(old, new) for old, new in zip(before, after, strict=True))
    made.train_step(batches.at(3))
    assert not torch.equal(before[0], made.average.averages[0])

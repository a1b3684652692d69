"""The update rules against those of torch, and what a held update leaves alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from engine.train import rules
from engine.train.muon import Muon, orthogonalize
from engine.train.rules import ADAM_BETAS, SGD, AdamW, Group, Rule

RATE, DECAY = 0.02, 0.1
HELD, FREE = torch.ones(()), torch.zeros(())

Build = Callable[[list[Tensor]], Rule]


def group(parameters: list[Tensor]) -> list[Group]:
    return [Group(parameters, torch.tensor(RATE), decay=DECAY)]


OURS: dict[str, Build] = {
    "sgd": lambda parameters: SGD(group(parameters)),
    "momentum": lambda parameters: SGD(group(parameters), momentum=0.9),
    "adamw": lambda parameters: AdamW(group(parameters)),
    "adamw with a short memory": lambda parameters: AdamW(group(parameters), (0.0, 0.9)),
    "muon": lambda parameters: Muon(group(parameters)),
}

THEIRS: dict[str, Callable[[list[Tensor]], torch.optim.Optimizer]] = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=RATE, weight_decay=DECAY),
    "momentum": lambda parameters: torch.optim.SGD(
        parameters, lr=RATE, weight_decay=DECAY, momentum=0.9, nesterov=True
    ),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, lr=RATE, weight_decay=DECAY, betas=ADAM_BETAS),
    "adamw with a short memory": lambda parameters: torch.optim.AdamW(
        parameters, lr=RATE, weight_decay=DECAY, betas=(0.0, 0.9)
    ),
    "muon": lambda parameters: torch.optim.Muon(parameters, lr=RATE, weight_decay=DECAY),
}


def matrices() -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    shapes = [(4, 6), (6, 4), (5, 5), (4, 6)]
    return [torch.randn(shape, generator=generator, requires_grad=True) for shape in shapes]


def pull(parameters: list[Tensor], step: int) -> None:
    generator = torch.Generator().manual_seed(100 + step)
    for parameter in parameters:
        parameter.grad = torch.randn(parameter.shape, generator=generator)


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("fused", [True, False], ids=["one kernel", "as written"])
def test_it_agrees_with_torch(name: str, fused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not fused:
        monkeypatch.setattr(rules, "FUSED", ())
    ours, theirs = matrices(), matrices()
    rule, optimizer = OURS[name](ours), THEIRS[name](theirs)
    for step in range(5):
        pull(ours, step)
        pull(theirs, step)
        rule.step(FREE)
        optimizer.step()
    for own, other in zip(ours, theirs, strict=True):
        # Muon's products run in bfloat16, and here in a batch.
        torch.testing.assert_close(own, other, atol=2e-3 if name == "muon" else 1e-6, rtol=1e-5)


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("fused", [True, False], ids=["one kernel", "as written"])
def test_a_held_update_changes_nothing_whatever_the_gradient(
    name: str, fused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not fused:
        monkeypatch.setattr(rules, "FUSED", ())
    parameters, undisturbed = matrices(), matrices()
    rule, plain = OURS[name](parameters), OURS[name](undisturbed)
    for step in range(3):
        pull(parameters, step)
        rule.step(FREE)
        pull(undisturbed, step)
        plain.step(FREE)
        pull(parameters, 50)
        assert parameters[0].grad is not None
        parameters[0].grad[0, 0] = float("nan")
        rule.step(HELD)
    for own, other in zip(parameters, undisturbed, strict=True):
        assert torch.equal(own, other)
        for name_of, value in rule.state[own].items():
            assert torch.equal(value, plain.state[other][name_of])


def test_muon_flattens_a_convolution_to_one_row_a_filter() -> None:
    filters = torch.randn(8, 3, 5, 5, requires_grad=True)
    flat = filters.detach().reshape(8, 75).clone().requires_grad_()
    gradient = torch.randn(8, 3, 5, 5)
    filters.grad, flat.grad = gradient, gradient.reshape(8, 75)
    for parameter in (filters, flat):
        Muon(group([parameter])).step(FREE)
    assert torch.equal(filters.reshape(8, 75), flat)


def test_orthogonalizing_brings_all_singular_values_near_one() -> None:
    matrix = torch.randn(1, 16, 40, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonalize(matrix, torch.float32)[0])
    assert values.min() > 0.5 and values.max() < 1.5


def test_no_rule_loads_the_compiler_of_torch() -> None:
    """It takes seconds, which a person would wait for."""
    import subprocess
    import sys

    code = (
        "import sys, torch; from engine.train.rules import AdamW, Group; w = torch.ones(2, 2, requires_grad=True);"
        "w.grad = w.detach(); AdamW([Group([w], torch.tensor(0.1))]).step(torch.zeros(()));"
        "import engine.train.loop, engine.train.assemble; sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0

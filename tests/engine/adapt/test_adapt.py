"""LoRA starts as the old model, moves only what it should, and merges into a model that computes the same."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from engine.adapt.freeze import freeze, moved
from engine.adapt.lora import LoRALinear, adapt, merge, merge_tensors
from engine.core.errors import UsageError

SIZES = (6, 10, 4)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(SIZES[0], SIZES[1]), nn.Tanh(), nn.Linear(SIZES[1], SIZES[2], bias=False))


def inputs() -> Tensor:
    return torch.randn(5, SIZES[0], generator=torch.Generator().manual_seed(1))


def trained(network: nn.Module, steps: int = 20) -> nn.Module:
    """Move what may move towards some answers."""
    wanted = torch.randn(5, SIZES[2], generator=torch.Generator().manual_seed(2))
    rule = torch.optim.SGD([each for each in network.parameters() if each.requires_grad], lr=0.3)
    for _ in range(steps):
        rule.zero_grad()
        (network(inputs()) - wanted).square().mean().backward()
        rule.step()
    return network


def test_the_adapted_model_starts_as_the_old_one() -> None:
    ours = network()
    before = ours(inputs())
    assert adapt(ours, r"\d", rank=3, alpha=6.0) == ["0", "2"]
    assert torch.equal(ours(inputs()), before)


def test_only_the_thin_matrices_move() -> None:
    ours = network()
    before = {name: tensor.clone() for name, tensor in ours.state_dict().items()}
    adapt(ours, r"\d", rank=2, alpha=2.0)
    trained(ours)
    after = ours.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    assert all(after[f"{place}.lora_B"].count_nonzero() for place in "02")
    assert all(each.grad is None for name, each in ours.named_parameters() if "lora" not in name)


def test_the_first_step_moves_b_and_not_a() -> None:
    ours = network()
    adapt(ours, r"\d", rank=2, alpha=2.0)
    ours(inputs()).square().mean().backward()
    layer = ours[2]
    assert isinstance(layer, LoRALinear)
    assert layer.lora_A.grad is not None
    assert layer.lora_A.grad.count_nonzero() == 0
    assert layer.lora_B.grad is not None
    assert layer.lora_B.grad.count_nonzero() > 0


@pytest.mark.parametrize("rank", [1, 4])
def test_it_trains_r_times_the_sum_of_both_widths(rank: int) -> None:
    ours = network()
    there = sum(each.numel() for each in ours.parameters())
    adapt(ours, r"\d", rank=rank, alpha=1.0)
    added = rank * (SIZES[0] + SIZES[1]) + rank * (SIZES[1] + SIZES[2])
    assert moved(ours) == (added, there + added)


def test_merged_it_computes_the_same_with_plain_layers() -> None:
    ours = network()
    adapt(ours, r"\d", rank=3, alpha=6.0)
    trained(ours)
    apart = ours(inputs())
    correction = ours[2](torch.eye(SIZES[1])) - nn.functional.linear(torch.eye(SIZES[1]), ours[2].weight)
    assert torch.linalg.matrix_rank(correction, rtol=1e-4) == 3
    assert merge(ours) == ["0", "2"]
    assert not any(isinstance(each, LoRALinear) for each in ours.modules())
    torch.testing.assert_close(ours(inputs()), apart, rtol=0, atol=1e-5)
    assert set(ours.state_dict()) == set(network().state_dict())


def test_a_checkpoint_merges_as_the_model_does() -> None:
    ours = network()
    adapt(ours, "2", rank=2, alpha=8.0)
    trained(ours)
    tensors = merge_tensors({f"model.{name}": tensor for name, tensor in ours.state_dict().items()})
    merge(ours)
    assert tensors.keys() == {f"model.{name}" for name in ours.state_dict()}
    for name, tensor in ours.state_dict().items():
        assert torch.equal(tensors[f"model.{name}"], tensor)


def test_another_rank_with_the_same_alpha_starts_with_the_same_scale_of_steps() -> None:
    for rank in (1, 2, 8):
        layer = LoRALinear(nn.Linear(4, 4), rank, alpha=8.0)
        assert layer.lora_scale == 8.0 / rank


def test_no_layer_of_that_name_is_told() -> None:
    with pytest.raises(UsageError, match="called 'attention'"):
        adapt(network(), "attention", rank=1, alpha=1.0)


def test_freezing_keeps_what_is_named_and_a_shared_matrix_by_either_name() -> None:
    ours = network()
    assert freeze(ours, keep="2") == ["2.weight"]
    assert moved(ours)[0] == SIZES[1] * SIZES[2]
    assert freeze(ours) == []
    assert moved(ours)[0] == 0
    tied = nn.ModuleDict({"table": nn.Embedding(5, 3), "head": nn.Linear(3, 5, bias=False)})
    tied["head"].weight = tied["table"].weight
    assert freeze(tied, keep="head") == ["head.weight"]
    assert tied["table"].weight.requires_grad

"""The shared blocks."""

from __future__ import annotations

import pytest
import torch

from engine.layers.norm import RMSNorm, build_norm
from engine.layers.rotary import Rotary
from engine.layers.sampling import pick


def test_rotary_scores_depend_on_the_distance_alone() -> None:
    rotary = Rotary(8, positions=64)
    q, k = (
        torch.randn(8, generator=torch.Generator().manual_seed(0)),
        torch.randn(8, generator=torch.Generator().manual_seed(1)),
    )

    def score(i: int, j: int) -> float:
        return float(rotary(q.view(1, 1, 1, 8), i).flatten() @ rotary(k.view(1, 1, 1, 8), j).flatten())

    for distance in (0, 1, 5, 30):
        scores = [score(start + distance, start) for start in (0, 3, 33)]
        assert scores == pytest.approx([scores[0]] * 3, abs=1e-4)
    assert score(5, 0) != pytest.approx(score(0, 5), abs=1e-2)
    assert score(0, 0) == pytest.approx(float(q @ k), abs=1e-5)


def test_rotary_keeps_lengths_and_turns_as_complex_numbers_do() -> None:
    x = torch.randn(2, 3, 10, 8)
    turned = Rotary(8, positions=16)(x, start=4)
    torch.testing.assert_close(turned.norm(dim=-1), x.norm(dim=-1))
    speeds = 10_000.0 ** (-torch.arange(0, 8, 2) / 8)
    angles = torch.arange(4, 14)[:, None] * speeds
    expected = torch.complex(x[..., :4], x[..., 4:]) * torch.polar(torch.ones_like(angles), angles)
    torch.testing.assert_close(turned, torch.cat([expected.real, expected.imag], dim=-1), rtol=1e-5, atol=1e-5)


def test_rmsnorm_gives_every_vector_the_same_length() -> None:
    x = torch.randn(5, 16) * torch.tensor([[1e-2], [1.0], [7.0], [100.0], [1e4]])
    y = RMSNorm(16)(x)
    torch.testing.assert_close(y.square().mean(-1), torch.ones(5), rtol=1e-2, atol=1e-2)
    torch.testing.assert_close(RMSNorm(16)(3 * x[2:]), RMSNorm(16)(x[2:]))
    assert sum(each.numel() for each in build_norm("layernorm", 16, bias=False).parameters()) == 16
    assert sum(each.numel() for each in build_norm("rmsnorm", 16).parameters()) == 16


LOGITS = torch.tensor([[2.0, 1.0, 0.0, -1.0]])


def drawn(**knobs: float) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    picked = pick(LOGITS.expand(20_000, 4), generator=generator, **knobs)  # type: ignore[arg-type]
    return torch.bincount(picked.flatten(), minlength=4) / 20_000


def test_temperature_sharpens_and_zero_takes_the_best() -> None:
    torch.testing.assert_close(drawn(), LOGITS[0].softmax(0), rtol=0, atol=0.015)
    torch.testing.assert_close(drawn(temperature=0.5), (LOGITS[0] / 0.5).softmax(0), rtol=0, atol=0.015)
    assert drawn(temperature=0)[0] == 1
    for tiny in (1e-37, 1e-320):
        assert pick(100 * LOGITS, temperature=tiny).item() == 0


def test_top_k_and_top_p_leave_the_likeliest() -> None:
    torch.testing.assert_close(drawn(top_k=2), torch.tensor([*LOGITS[0, :2].softmax(0), 0, 0]), rtol=0, atol=0.015)
    assert (drawn(top_p=0.6) > 0).tolist() == [True, False, False, False]
    assert (drawn(top_p=0.7) > 0).tolist() == [True, True, False, False]
    assert (drawn(top_p=0.0) > 0).tolist() == [True, False, False, False]
    assert (drawn(top_k=9) > 0).all()

"""The sliced Wasserstein distance measures how far points have to be moved."""

from __future__ import annotations

import pytest
import torch

from engine.look.wasserstein import sliced_wasserstein


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_points_are_where_they_are_in_whatever_order() -> None:
    points = torch.randn(50, 3, generator=generator())
    assert float(sliced_wasserstein(points, points.flip(0), generator())) == 0.0


def test_on_a_line_it_is_the_distance_of_the_sorted_points() -> None:
    a, b = torch.tensor([[0.0], [2.0], [5.0]]), torch.tensor([[6.0], [1.0], [2.0]])
    assert float(sliced_wasserstein(a, b, generator())) == pytest.approx(((1 + 0 + 1) / 3) ** 0.5)


def test_moving_all_points_alike_costs_the_part_of_the_way_that_the_lines_see() -> None:
    points = torch.randn(100, 2, generator=generator())
    moved = points + torch.tensor([3.0, 4.0])
    # The mean square of a direction's component along one axis of the plane is one half.
    assert float(sliced_wasserstein(points, moved, generator(), 20_000)) == pytest.approx(5 / 2**0.5, rel=0.01)
    assert float(sliced_wasserstein(points, moved, generator())) == float(
        sliced_wasserstein(moved, points, generator())
    )

"""How far one set of points is from another: the cost of moving the one onto the other, seen along many lines.

Bonneel, Rabin, Peyré and Pfister, Sliced and Radon Wasserstein Barycenters of Measures, 2015. Along a line the cheapest
way to move points is known: the first to the first, the second to the second.

Shape legend: N points, D coordinates, P directions.
"""

from __future__ import annotations

import torch
from torch import Tensor


def sliced_wasserstein(a_ND: Tensor, b_ND: Tensor, generator: torch.Generator, projections: int = 128) -> Tensor:
    """Return the sliced Wasserstein distance of order 2 between two sets of as many points, in their unit, 0-d.

    The root of the mean square distance between partners, over `projections` directions drawn at random.
    """
    directions_DP = torch.randn((a_ND.shape[1], projections), generator=generator, device=a_ND.device)
    directions_DP = directions_DP / directions_DP.norm(dim=0)
    a_NP, b_NP = (a_ND @ directions_DP).sort(0).values, (b_ND @ directions_DP).sort(0).values
    return (a_NP - b_NP).square().mean().sqrt()

"""Point sets of the plane: the ring's Gaussians stand where they should."""

from __future__ import annotations

import torch

from engine.data.planes import MODES, RING_DEVIATION, RING_RADIUS, ring, ring_centers


def test_the_ring_has_eight_gaussians_on_a_circle() -> None:
    places_N2, mode_N = ring(torch.Generator().manual_seed(0))
    center_M2 = ring_centers()
    assert torch.allclose(center_M2.norm(dim=1), torch.full((MODES,), RING_RADIUS))
    assert mode_N.bincount().tolist() == [len(mode_N) // MODES] * MODES
    off_N2 = places_N2 - center_M2[mode_N]
    assert float(off_N2.mean(0).abs().max()) < 0.01
    assert torch.allclose(off_N2.std(0), torch.full((2,), RING_DEVIATION), rtol=0.05)
    assert torch.equal(torch.cdist(places_N2, center_M2).argmin(1), mode_N)

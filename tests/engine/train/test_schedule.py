from __future__ import annotations

import pytest

from engine.train.schedule import learning_rate_scale


def test_it_rises_stays_level_and_falls_to_zero() -> None:
    scales = [
        learning_rate_scale(progress, warmup=0.2, cooldown=0.5) for progress in (0.0, 0.1, 0.2, 0.4, 0.5, 0.75, 1.0)
    ]
    assert scales == pytest.approx([0.0, 0.5, 1.0, 1.0, 1.0, 0.5, 0.0])


def test_without_warmup_and_cooldown_it_is_constant() -> None:
    assert {learning_rate_scale(progress / 10, 0.0, 0.0) for progress in range(10)} == {1.0}


def test_where_both_claim_the_same_stretch_the_smaller_factor_holds() -> None:
    assert learning_rate_scale(0.5, warmup=1.0, cooldown=1.0) == pytest.approx(0.5)
    assert learning_rate_scale(0.75, warmup=1.0, cooldown=1.0) == pytest.approx(0.25)

"""Series of numbers as sequences of levels."""

from __future__ import annotations

import math

import pytest
import torch

from engine.data.series import HIGHEST, LEVELS, NOISE, Levels, Series, load_series, noise_loss
from engine.data.table import TABLE


def sine(seed: int = 0) -> Series:
    return load_series(TABLE["sine"], seed)


def test_a_value_becomes_the_nearest_level_and_can_be_typed() -> None:
    levels = Levels(1.0, 5)
    assert levels.words == ("-1.00", "-0.50", "0.00", "0.50", "1.00")
    assert levels.encode("-7 0.2, 0.3\nx nan 1").tolist() == [0, 2, 3, 4]
    assert levels.decode([0, 3]) == "-1.00 0.50 "
    assert levels.encode("").tolist() == []
    assert levels.encode("1e300 -1e300 1e12").tolist() == [4, 0, 4]


def test_the_sine_series_is_what_its_row_says() -> None:
    row, series = TABLE["sine"], sine()
    assert (series.size, len(series.levels)) == (row.examples, row.outputs) == (36_000, LEVELS)
    values = torch.tensor(series.levels.values)[series.train]
    assert values.abs().max() <= HIGHEST
    assert values.std() == pytest.approx(math.sqrt(0.5 + 0.125 + NOISE**2), abs=0.02)
    assert series.digest == sine().digest != sine(1).digest
    assert torch.equal(series.cut(100, 0).train, series.train[:100])


def test_the_floor_is_the_entropy_of_the_noise() -> None:
    apart = 2 * HIGHEST / (LEVELS - 1)
    entropy = math.log(NOISE * math.sqrt(2 * math.pi * math.e) / apart)
    assert sine().floor == pytest.approx(entropy, abs=0.05)


def test_whoever_knows_the_noise_shares_all_of_the_probability_out_among_the_levels() -> None:
    levels, smooth_N = Levels(HIGHEST, LEVELS), torch.tensor([0.03], dtype=torch.float64)
    chances = [math.exp(-noise_loss(levels, smooth_N, torch.tensor([level]))) for level in range(LEVELS)]
    assert sum(chances) == pytest.approx(1.0, abs=1e-6)

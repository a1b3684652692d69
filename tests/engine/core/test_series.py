"""A series keeps every point, finds every extreme, and smooths what it has without looking ahead."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core.series import Series


def series_of(values, steps=None) -> Series:
    made = Series()
    values = np.asarray(values, np.float64)
    steps = np.arange(len(values)) if steps is None else np.asarray(steps)
    made.extend(steps, steps * 0.5, steps * 64, values)
    return made


def brute_force(series: Series, first: float, last: float, columns: int):
    lows, highs = np.full(columns, np.nan), np.full(columns, np.nan)
    edges = np.linspace(first, last, columns + 1)
    for column in range(columns):
        inside = (series.steps >= edges[column]) & (series.steps < edges[column + 1])
        if column == columns - 1:
            inside = (series.steps >= edges[column]) & (series.steps <= last)
        found = series.values[inside]
        found = found[np.isfinite(found)]
        if len(found):
            lows[column], highs[column] = found.min(), found.max()
    return lows, highs


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 255, 4096, 70_001])
@pytest.mark.parametrize("columns", [1, 7, 240])
def test_extremes_are_those_of_a_full_scan(count, columns):
    random = np.random.default_rng(count)
    values = random.standard_normal(count)
    values[random.random(count) < 0.01] = np.nan
    values[random.random(count) < 0.01] = np.inf
    series = series_of(values)
    for first, last in ((0, max(1, count - 1)), (count // 3, count // 2 + 1), (-10, count * 2 + 1)):
        for got, wanted in zip(
            series.extremes(first, last, columns), brute_force(series, first, last, columns), strict=True
        ):
            np.testing.assert_array_equal(got, wanted)


def test_extremes_hold_when_points_lie_unevenly():
    random = np.random.default_rng(1)
    steps = np.cumsum(random.integers(1, 1 + np.repeat([1, 3000], 10_000)))
    series = series_of(random.standard_normal(20_000), steps)
    for got, wanted in zip(series.extremes(0, steps[-1], 100), brute_force(series, 0, steps[-1], 100), strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_a_spike_of_one_step_is_never_lost():
    for place in np.random.default_rng(0).integers(0, 100_000, 50):
        values = np.ones(100_000)
        values[place] = 9.0
        lows, highs = series_of(values).extremes(0, 99_999, 160)
        assert highs.max() == 9.0
        assert lows.min() == 1.0
        assert np.flatnonzero(highs == 9.0)[0] == min(159, int(place / 99_999 * 160))


def test_points_added_one_by_one_give_the_same_as_all_at_once():
    values = np.random.default_rng(2).standard_normal(1000)
    slow = Series()
    for step, value in enumerate(values):
        slow.append(step, step * 0.5, step * 64, value)
    fast = series_of(values)
    np.testing.assert_array_equal(slow.values, fast.values)
    np.testing.assert_array_equal(slow.extremes(0, 999, 13), fast.extremes(0, 999, 13))


def reference_average(values, weight):
    average, count, out = 0.0, 0, []
    for value in values:
        if np.isfinite(value):
            average = weight * average + (1 - weight) * value
            count += 1
        out.append(average / (1 - weight**count) if count else np.nan)
    return np.array(out)


@pytest.mark.parametrize("weight", [0.1, 0.6, 0.99, 0.999])
def test_smoothing_is_the_debiased_average_of_all_points(weight):
    values = np.random.default_rng(3).standard_normal(3000) + 5
    values[[0, 7, 1500]] = np.nan, np.inf, -np.inf
    np.testing.assert_allclose(series_of(values).smoothed(weight), reference_average(values, weight), rtol=1e-9)


def test_the_smoothed_value_of_a_step_never_changes_when_the_run_grows():
    values = np.random.default_rng(4).standard_normal(5000)
    values[2500] = np.nan
    growing = Series()
    seen = []
    for start in range(0, 5000, 137):
        part = np.arange(start, min(start + 137, 5000))
        growing.extend(part, part * 1.0, part, values[part])
        seen.append(growing.smoothed(0.9).copy())
    final = growing.smoothed(0.9)
    for early in seen:
        np.testing.assert_array_equal(early, final[: len(early)])
    np.testing.assert_allclose(final, reference_average(values, 0.9), rtol=1e-9)


def test_nan_and_infinity_are_kept_apart_and_never_best():
    series = series_of([3.0, np.nan, -np.inf, 1.0, np.inf, 2.0])
    assert series.nonfinite.tolist() == [1, 2, 4]
    assert series.best() == (3, 1.0)
    assert series.best(higher=True) == (0, 3.0)
    assert series.last == 2.0
    assert np.isnan(series.values[1]) and series.values[2] == -np.inf


def test_an_empty_series_has_no_last_and_no_best():
    assert np.isnan(Series().last)
    assert np.isnan(Series().best()[1])
    assert np.isnan(series_of([np.nan]).best()[1])


def test_a_resume_keeps_what_was_before_its_checkpoint():
    series = series_of(np.arange(1000.0))
    kept = series.until(600)
    assert len(kept) == 601 and kept.last == 600.0
    assert len(series) == 1000, "views that are already out still show the old one"

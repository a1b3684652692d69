import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.render.axis import duration, log_ticks, nice_step, short, tick_labels, ticks, time_labels, time_ticks, whole

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1.61446, "1.614"),
        (0.0312, "0.0312"),
        (0.9731, "0.973"),
        (3e-4, "3e-4"),
        (-2.5, "-2.500"),
        (100, "100"),
        (9999, "9,999"),
        (12_345, "12.3k"),
        (1e6, "1M"),
        (1.85e6, "1.85M"),
        (1e20, "1e20"),
        (float("nan"), "NaN"),
        (float("-inf"), "-∞"),
    ],
)
def test_numbers_are_short(value, text):
    assert short(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.5, "0.5 s"),
        (41, "41 s"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_durations_have_two_units_at_most(seconds, text):
    assert duration(seconds) == text


def test_counts_have_commas():
    assert whole(1204) == "1,204"
    assert whole(2_500_000) == "2.5M"


def test_tick_labels_have_just_the_digits_that_tell_them_apart():
    assert tick_labels(ticks(1.47, 4.17, 4)) == ["2", "3", "4"]
    assert tick_labels(ticks(0.905, 0.955, 3)) == ["0.92", "0.94"]
    assert tick_labels(ticks(0, 5e6, 3)) == ["0", "2M", "4M"]
    assert time_labels(time_ticks(0, 400, 4)) == ["0", "2 min", "4 min", "6 min"]


@given(NUMBERS, NUMBERS, st.integers(1, 50))
def test_ticks_lie_inside_rise_and_are_few(low, high, count):
    low, high = sorted((low, high))
    found = ticks(low, high, count)
    assert found == sorted(set(found))
    assert len(found) <= 2 * count + 2
    slack = nice_step(high - low, count) * 1e-6
    assert all(low - slack <= each <= high + slack for each in found)
    assert len(tick_labels(found)) == len(found)


@given(st.floats(1e-30, 1e30), st.floats(1.01, 1e20), st.integers(2, 20))
def test_log_ticks_lie_inside(low, factor, count):
    found = log_ticks(low, low * factor, count)
    assert all(low * 0.999 <= each <= low * factor * 1.001 for each in found)
    assert found == sorted(found)


@given(st.floats())
def test_every_number_can_be_written(value):
    assert 0 < len(short(value)) <= 12
    assert duration(value)

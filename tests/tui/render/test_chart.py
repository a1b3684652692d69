import dataclasses
import time

import numpy as np
import pytest

from engine.core.series import Series
from engine.core.spec import Reference
from tui.render.chart import draw_chart
from tui.render.curves import Curve, columns
from tui.render.ink import plain, wide
from tui.render.layout import Chart, Mark

SIZES = [(1, 1), (2, 1), (1, 9), (5, 2), (12, 6), (20, 5), (38, 10), (80, 24), (200, 60), (500, 200)]


def series(values, steps=None):
    made = Series()
    steps = np.arange(len(values)) if steps is None else np.asarray(steps)
    made.extend(steps, steps * 0.1, steps * 32, np.asarray(values, np.float64))
    return made


def chart(*curves, smoothing=0.0, **changes):
    drawn = [
        Curve(name=f"curve {index}", role=f"series-{index + 1}", series=each, smoothing=smoothing)
        for index, each in enumerate(curves)
    ]
    return Chart(curves=drawn, **changes)


def falling(count, seed=0):
    return 1 + np.exp(-np.linspace(0, 6, count)) + 0.01 * np.random.default_rng(seed).standard_normal(count)


def inked(lines, role):
    """The cells, column and row, that are drawn in a role."""
    found = set()
    for y, line in enumerate(lines):
        x = 0
        for text, ink in line:
            found |= {(x + place, y) for place, each in enumerate(text) if ink.front == role and each != " "}
            x += len(text)
    return found


def test_a_small_falling_line_looks_like_this():
    drawn = plain(draw_chart(chart(series([4, 3, 2, 1, 0])), 24, 9))
    assert drawn.splitlines() == [
        "  ● curve 0 0           ",
        "4┤⠑⠢⢄⡀                  ",
        " │   ⠈⠑⠢⣀               ",
        "2┤       ⠉⠒⠤⣀           ",
        " │           ⠉⠢⠤⡀       ",
        " │              ⠈⠉⠢⢄⡀   ",
        "0┤                  ⠈⠑⠢●",
        " └┬─────────┬───────────",
        "  0         2       step",
    ]


@pytest.mark.parametrize("mode", ["braille", "block", "ascii"])
def test_every_size_is_filled_exactly(mode):
    noisy = falling(3000)
    noisy[100], noisy[2000] = np.nan, np.inf
    whole = chart(
        series(noisy),
        series([2.0, 1.5], [10, 2900]),
        smoothing=0.9,
        mode=mode,
        references=[Reference("a name that is long", 1.2), Reference("far", 90.0), Reference("漢字", 1.5)],
        marks=[Mark("knob", 1500, "lr ×0.5"), Mark("best", 2900, "", 1.5)],
        cursor=700.0,
    )
    for width, height in SIZES:
        for changes in (
            {},
            {"x": "time"},
            {"x": "sample"},
            {"log_y": True},
            {"tone": "shade"},
            {"window": (500.0, 600.0)},
        ):
            lines = draw_chart(dataclasses.replace(whole, **changes), width, height)
            assert [wide(line) for line in lines] == [width] * height


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1.0],
        [np.nan],
        [np.inf, -np.inf],
        [0.0, 0.0],
        [-5.0, -5.0],
        [1e300, -1e300],
        [1e-300, 2e-300],
        [np.nan, 1.0],
    ],
)
def test_odd_values_are_drawn_without_an_exception(values):
    for width, height in SIZES[:8]:
        for log_y in (False, True):
            lines = draw_chart(chart(series(values), log_y=log_y), width, height)
            assert [wide(line) for line in lines] == [width] * height


@pytest.mark.parametrize("smoothing", [0.0, 0.9])
@pytest.mark.parametrize("count", [1_000, 100_000, 1_000_000])
def test_a_spike_of_one_step_is_always_visible(smoothing, count):
    random = np.random.default_rng(count)
    for _ in range(10):
        values = falling(count)
        at = int(random.integers(count))
        values[at] = 9.0
        lines = draw_chart(chart(series(values), smoothing=smoothing), 40, 12)
        role = "series-1-dim" if smoothing else "series-1"
        top = [x for x, y in inked(lines, role) | inked(lines, "series-1") if y == 1]
        assert top, "nothing reaches the top of the plot, where the spike is"
        left = min(x for x, y in inked(lines, "axis"))
        expected = left + 1 + at / (count - 1) * (40 - left - 2)
        assert min(abs(x - expected) for x in top) <= 1.5


def test_smoothing_never_changes_the_past():
    values = falling(5000)
    short, long = series(values[:2500]), series(values)
    assert np.array_equal(short.smoothed(0.99), long.smoothed(0.99)[:2500])


def test_every_point_falls_into_exactly_one_column():
    values = falling(123_457)
    curve = Curve(name="", role="series-1", series=series(values))
    gathered = columns(curve, "step", 0, 123_456, 76)
    assert np.nanmin(gathered.lows) == values.min()
    assert np.nanmax(gathered.highs) == values.max()
    assert not np.isnan(gathered.lows).any()


def test_a_chart_that_grows_leaves_what_it_drew_in_its_place():
    values = falling(2000)
    values[1900:] = values[1800]  # nothing that moves the y axis
    before, after = (draw_chart(chart(series(values[:n]), grows=True), 60, 12) for n in (1930, 1960))
    for old, new in zip(plain(before).splitlines()[1:], plain(after).splitlines()[1:], strict=True):
        assert old[:52] == new[:52]
    assert plain(before) != plain(after)


def test_nan_is_marked_on_the_axis_at_its_step():
    values = falling(1000)
    values[500] = np.nan
    lines = draw_chart(chart(series(values)), 60, 12)
    assert len(inked(lines, "bad")) == 1
    (x, y), *_ = inked(lines, "bad")
    assert y == 10
    assert abs(x - 30) <= 4


def test_a_reference_is_named_with_its_value():
    drawn = plain(draw_chart(chart(series(falling(500)), references=[Reference("bigram", 1.5)]), 60, 12))
    assert "bigram 1.500" in drawn
    assert "┄" in drawn


def test_a_far_reference_does_not_flatten_the_curve():
    drawn = plain(draw_chart(chart(series(falling(500)), references=[Reference("uniform", 400.0)]), 60, 12))
    assert "uniform 400 ↑" in drawn
    assert "400┤" not in drawn


def test_the_cursor_reads_all_curves():
    drawn = plain(draw_chart(chart(series([5.0, 6.0, 7.0]), series([1.0, 2.0, 3.0]), cursor=1.0), 60, 12))
    assert drawn.splitlines()[0].split() == ["step", "1", "●", "curve", "0", "6", "○", "curve", "1", "2"]


def test_curves_end_in_their_own_characters_so_that_color_is_not_needed():
    drawn = plain(draw_chart(chart(series([1.0, 9.0]), series([9.0, 1.0])), 60, 12))
    assert drawn.count("●") == 2
    assert drawn.count("○") == 2


def test_ascii_is_ascii():
    whole = chart(series(falling(500)), mode="ascii", references=[Reference("far", 1e6)], marks=[Mark("knob", 3, "x2")])
    assert plain(draw_chart(whole, 80, 24)).isascii()


def test_hostile_names_reach_the_chart_harmless():
    curve = Curve(name="\x1b]0;x\x07\u202e[/b]", role="series-1", series=series([1.0, 2.0]))
    whole = Chart(curves=[curve], references=[Reference("\x1b[2J\nname", 1.5)], marks=[Mark("knob", 0.5, "\x9b\x00")])
    for width, height in SIZES:
        lines = draw_chart(whole, width, height)
        assert [wide(line) for line in lines] == [width] * height
        assert not set("\x1b\x07\x9b\x00\n\u202e") & set("".join(text for line in lines for text, _ in line))


def test_an_empty_chart_says_what_will_appear():
    assert "begins here" in plain(draw_chart(Chart(empty="The curve begins here."), 40, 5))


def test_a_tick_of_many_long_curves_is_fast():
    curves = [series(falling(1_000_000, seed)) for seed in range(3)]
    whole = chart(*curves, smoothing=0.9)
    draw_chart(whole, 38, 10)
    took = []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(9):
            draw_chart(whole, 38, 10)
        took.append(time.perf_counter() - start)
    # The target is 25 ms; a test on a busy machine only has to notice a cost that grows with the points.
    assert min(took) < 0.25


def test_extremes_agree_with_a_plain_search_whatever_the_edges():
    random = np.random.default_rng(4)
    values = random.standard_normal(70_000)
    values[random.integers(0, 70_000, 50)] = np.nan
    values[30_000:32_000] = np.inf
    long = series(values)
    for block in (1, 16, 256, 4096):
        edges = np.sort(random.integers(0, 70_000 // block, 40)) * block
        lows, highs = long.extremes_between(edges)
        for start, end, low, high in zip(edges, edges[1:], lows, highs, strict=False):
            part = values[start:end][np.isfinite(values[start:end])]
            assert (np.isnan(low) and np.isnan(high)) if not len(part) else (low, high) == (part.min(), part.max())
    assert long.span == (np.nanmin(values), np.nanmax(values[np.isfinite(values)]))

import itertools
import random

import numpy as np
import pytest

from engine.core.events import HeatMap, Histogram, Pictures, Points
from tui.render.heatmap import draw_heatmap
from tui.render.histogram import draw_histogram
from tui.render.ink import Line, centered, fit, fit_right, plain, wide
from tui.render.meters import Meter, bar, draw_meters
from tui.render.pictures import draw_pictures, unpack
from tui.render.points import draw_points
from tui.render.progress import draw_progress, draw_timeline
from tui.render.rows import draw_table
from tui.render.sparkline import draw_sparkline
from tui.render.surface import draw_surface
from tui.render.text import draw_log, draw_text, log_lines

WIDTHS = (1, 2, 3, 5, 8, 13, 20, 38, 80, 200)
HEIGHTS = (1, 2, 3, 4, 5, 6, 9, 24, 60)
COLORS = ["#56b4e9", "#e69f00", "#1fb58f"]
HOSTILE = [
    "\x1b]0;x\x07",
    "漢字かな",
    "a\u2028b",
    "e\u0301\u0301\u0301\u0301\u0301\u0301",
    "👩‍👩‍👧",
    "[/b]",
    "\ud800",
    "",
    "x" * 500,
]


def pictures(count=10, height=8, width=8, channels=1, captions=()):
    pixels = bytes(each % 256 for each in range(count * height * width * channels))
    return Pictures(
        name="p", count=count, height=height, width=width, channels=channels, pixels=pixels, captions=list(captions)
    )


def heatmap(rows=10, columns=10, **changes):
    values = [[row * columns + column for column in range(columns)] for row in range(rows)]
    return HeatMap(name="m", values=values, **changes)


def points(count=300, words=()):
    dice = random.Random(1)
    return Points(
        name="w",
        x=[dice.random() for _ in range(count)],
        y=[dice.random() for _ in range(count)],
        group=[each % 3 for each in range(count)],
        words=list(words),
        groups=["a", "漢字", "\x1b[2J"],
    )


DRAWINGS = {
    "pictures": lambda w, h: draw_pictures(pictures(captions=HOSTILE), w, h),
    "color pictures": lambda w, h: draw_pictures(pictures(3, 32, 32, 3), w, h),
    "shaded pictures": lambda w, h: draw_pictures(pictures(), w, h, tone="shade"),
    "ascii pictures": lambda w, h: draw_pictures(pictures(2, 28, 28), w, h, mode="ascii"),
    "heat map": lambda w, h: draw_heatmap(
        HeatMap(name="m", values=[[0.5] * 9] * 9, rows=HOSTILE, columns=HOSTILE, row_title="\x1b"), w, h
    ),
    "large heat map": lambda w, h: draw_heatmap(heatmap(90, 130), w, h),
    "small heat map": lambda w, h: draw_heatmap(heatmap(2, 3, row_title="true"), w, h),
    "shaded heat map": lambda w, h: draw_heatmap(heatmap(7, 5), w, h, tone="shade"),
    "ragged heat map": lambda w, h: draw_heatmap(HeatMap(name="m", values=[[1.0], [], [float("nan"), 2.0]]), w, h),
    "surface": lambda w, h: draw_surface(heatmap(), points(), w, h, COLORS),
    "shaded surface": lambda w, h: draw_surface(heatmap(), points(), w, h, COLORS, tone="shade"),
    "points": lambda w, h: draw_points(points(9, HOSTILE), w, h),
    "many points": lambda w, h: draw_points(points(5000), w, h),
    "histogram": lambda w, h: draw_histogram(Histogram(name="h", edges=list(range(41)), counts=list(range(40))), w, h),
    "fine histogram": lambda w, h: draw_histogram(Histogram(edges=list(range(1001)), counts=[1.0] * 1000), w, h),
    "odd histogram": lambda w, h: draw_histogram(Histogram(edges=[0.0], counts=[1.0]), w, h),
    "table": lambda w, h: draw_table(HOSTILE[:3], [HOSTILE[3:6], ["1", "2"], []] * 20, w, h),
    "meters": lambda w, h: draw_meters([Meter(each, each, 0.5) for each in HOSTILE] + [Meter("t", "text")], w, h),
    "text": lambda w, h: draw_text("\n".join(HOSTILE) + " word" * 300, w, h, prompt="\x1b漢字" * 9),
    "log": lambda w, h: draw_log([("warning", each) for each in HOSTILE], w, h, above=2),
    "words": lambda w, h: centered(" ".join(HOSTILE), w, h),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_size_is_filled_exactly_and_nothing_hostile_is_left(name):
    for width, height in itertools.product(WIDTHS, HEIGHTS):
        lines = DRAWINGS[name](width, height)
        assert [wide(line) for line in lines] == [width] * height, (width, height)
        assert not set("\x1b\x07\n\r\t\u2028\ud800") & set("".join(text for line in lines for text, _ in line))


LINES = {
    "sparkline": lambda w: draw_sparkline([1.0, float("nan"), 5.0, 2.0], w),
    "flat sparkline": lambda w: draw_sparkline([1e308, -1e308], w, mode="block"),
    "empty sparkline": lambda w: draw_sparkline([], w),
    "bar": lambda w: bar(0.37, w),
    "broken bar": lambda w: bar(float("nan"), w, "ascii"),
    "progress": lambda w: draw_progress(1204, 5000, w, remaining=41.0),
    "endless progress": lambda w: draw_progress(1204, 0, w),
    "timeline": lambda w: draw_timeline(3, [0, 100, 500, 1204], w),
}


@pytest.mark.parametrize("name", LINES)
def test_every_line_is_as_wide_as_it_should_be(name):
    for width in range(1, 120):
        line: Line = LINES[name](width)
        assert wide(line) == width


def test_a_matrix_larger_than_its_area_keeps_its_greatest_element():
    values = np.zeros((300, 300))
    values[123, 231] = 1.0
    lines = draw_heatmap(HeatMap(values=values.tolist()), 30, 12)
    brightest = "#fde725"
    assert any(brightest in ink for line in lines[:-1] for _, ink in line)


def test_a_confusion_matrix_shows_its_counts():
    drawn = draw_heatmap(
        HeatMap(values=[[9, 1], [2, 8]], rows=["cat", "dog"], columns=["cat", "dog"], row_title="true"),
        30,
        6,
        tone="shade",
    )
    assert plain(drawn).splitlines() == [
        "cat      9      1             ",
        "    ███████                   ",
        "dog      2      8             ",
        "           ███████            ",
        "       cat    dog             ",
        "1   ░░▒▒▓▓██ 9  ↓ true        ",
    ]


def test_one_pixel_above_the_other_is_one_half_block():
    black_over_white = Pictures(count=1, height=2, width=1, channels=3, pixels=bytes([0, 0, 0, 255, 255, 255]))
    line = draw_pictures(black_over_white, 1, 1)[0]
    assert [(text, tuple(ink)) for text, ink in line] == [("▀", ("#000000", "#ffffff"))]


def test_pictures_that_are_cut_short_are_left_out():
    whole = pictures(4)
    assert len(unpack(whole)) == 4
    assert len(unpack(Pictures(count=4, height=8, width=8, pixels=whole.pixels[:150]))) == 2
    assert len(unpack(Pictures(count=4, height=0, width=8, pixels=b""))) == 0


def test_words_never_cover_one_another_or_a_point():
    names = [f"word{index}" for index in range(40)]
    drawn = plain(draw_points(points(40, names), 60, 20))
    for word in drawn.replace("┊", " ").split():
        if word.startswith("word"):
            assert word in names, "a word was cut by another"


def test_a_surface_is_the_color_of_the_nearest_group_and_upright():
    values = [[0.0, 0.0], [1.0, 1.0]]
    lines = draw_surface(HeatMap(values=values, extent=[0, 1, 0, 1]), None, 4, 2, ["#ff0000", "#0000ff"])
    top, bottom = lines[0][0][1].back, lines[1][0][1].back
    assert int(top[5:7], 16) > int(top[1:3], 16), "large y, which is group 1, is on top"
    assert int(bottom[1:3], 16) > int(bottom[5:7], 16)


def test_a_bin_of_one_is_visible_beside_a_bin_of_a_million():
    drawn = plain(draw_histogram(Histogram(edges=[0, 1, 2], counts=[1_000_000, 1]), 10, 5))
    assert drawn.splitlines()[3] == "█████▁▁▁▁▁"


def test_a_table_puts_numbers_right_and_says_how_many_rows_are_below():
    rows = [["king", "0.71"], ["love", "10.5"], ["war", "3"]]
    assert plain(draw_table(["word", "score"], rows, 14, 4)).splitlines() == [
        "word  score   ",
        "king   0.71   ",
        "love   10.5   ",
        "war       3   ",
    ]
    assert plain(draw_table(["word", "score"], rows, 14, 3)).splitlines()[-1].strip() == "+2 more"


def test_progress_says_how_much_and_how_long():
    line = draw_progress(1204, 5000, 60, remaining=41.0)
    assert plain([line]) == "━━━━━────────────────  24 %  1,204 of 5,000 steps  41 s left"


def test_the_timeline_stands_where_one_looks():
    assert plain([draw_timeline(1, [0, 5, 10], 20)]) == "◂ 0 ─────●───── 10 ▸"
    assert plain([draw_timeline(9, [0, 5, 10], 20)]) == "◂ 0 ──────────● 10 ▸"


def test_bars_fill_in_eighths():
    assert plain([bar(0.5, 5)]) == "██▌░░"
    assert plain([bar(2.0, 3)]) == "███"
    assert plain([bar(0.5, 4, "ascii")]) == "##.."


def test_a_log_reads_as_the_terminal_left_it():
    assert log_lines("\x1b[31mred\x1b[0m\r\n 10%\r100%\n\x1b]0;title\x07x") == ["red", "100%", "x"]


def test_text_is_cut_by_cells_not_by_characters():
    assert fit("漢字かな", 5) == "漢字…"
    assert fit("ab", 4) == "ab  "
    assert fit_right("7", 3) == "  7"


def test_a_long_word_and_a_long_line_are_wrapped_at_blanks():
    drawn = plain(draw_text("one two three", 8, 3)).splitlines()
    assert [each.strip() for each in drawn] == ["one two", "three", ""]


@pytest.mark.parametrize(
    ("names", "shown"), [(["red circle", "red square", "blue"], False), (["red", "rod", "dot"], True)]
)
def test_names_of_columns_that_would_look_the_same_are_left_out(names, shown):
    drawn = plain(draw_heatmap(HeatMap(values=[[1, 2, 3]] * 3, columns=names), 12, 8))
    assert all(each in drawn for each in names) if shown else "r" not in drawn

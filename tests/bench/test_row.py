import pytest

from tests.bench.figures import Interval, Sample
from tests.bench.row import Effort, Row, Target, cells, figure


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0"), (0.01234, "0.012"), (1.617, "1.62"), (24.06, "24.1"), (1430.4, "1,430"), (-3.0, "-3.00")],
)
def test_figures_have_about_three_digits(value: float, words: str) -> None:
    assert figure(value) == words


def test_a_target_says_by_how_much_it_was_missed() -> None:
    assert Target("at most 60 ms", 60.0, 60.0).verdict == "met"
    assert Target("at most 60 ms", 75.0, 60.0).verdict == "missed by 25 %"
    assert Target("at most 0.2 s", 1.8, 0.2).verdict == "missed, 9 times the limit"
    assert Target("at least 5 times as fast", 6.0, 5.0, at_least=True).verdict == "met"
    assert Target("at least 5 times as fast", 4.0, 5.0, at_least=True).verdict == "missed by 20 %"


def test_a_figure_that_is_no_number_meets_nothing() -> None:
    assert Target("at most 1 %", float("nan"), 1.0).met is False


def test_a_row_tells_ours_the_reference_the_ratio_and_n() -> None:
    row = Row(
        key="startup/painted",
        what="Start",
        ours=Sample((200.0, 210.0, 220.0)),
        unit="ms",
        against="bare app",
        reference=Sample((100.0, 105.0, 110.0)),
        ratio=Interval(2.0, 1.9, 2.1),
        targets=(Target("at most 1.6x", 2.0, 1.6),),
    )
    assert cells(row) == [
        "Start",
        "210 ms (205 to 215)",
        "bare app: 105 ms (102 to 108)",
        "2.00x (1.90 to 2.10)",
        "at most 1.6x",
        "missed by 25 %",
        "3",
    ]


def test_what_could_not_be_measured_has_a_reason_and_no_figure() -> None:
    row = Row(key="gpu/all", what="Captured steps", missing="not here: there is no CUDA GPU")
    assert cells(row) == ["Captured steps", "not measured", "", "", "", "not here: there is no CUDA GPU", ""]


def test_less_effort_still_repeats() -> None:
    assert Effort().times(15) == 15
    assert Effort(0.1).times(15) == 2
    assert Effort(0.1).times(30, least=20) == 20
    assert Effort(0.5).seconds(60) == 30

import pytest

from tests.bench.figures import Sample, alternate, interval, quantile, ratio


def test_quantiles_lie_between_neighbors() -> None:
    assert quantile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.5
    assert quantile([4.0, 1.0, 3.0, 2.0], 0.0) == 1.0
    assert quantile([4.0, 1.0, 3.0, 2.0], 1.0) == 4.0
    assert quantile([7.0], 0.95) == 7.0


def test_a_sample_is_described_by_what_an_outlier_does_not_move() -> None:
    calm, shaken = Sample((1.0, 2.0, 3.0, 4.0, 5.0)), Sample((1.0, 2.0, 3.0, 4.0, 500.0))
    assert calm.median == shaken.median == 3.0
    assert calm.quartiles == shaken.quartiles == (2.0, 4.0)
    assert shaken.p95 > 400


def test_an_interval_holds_its_middle_shrinks_with_n_and_repeats() -> None:
    few, many = [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0] * 25
    wide, narrow = interval(few), interval(many)
    assert wide.low < wide.middle == 2.5 < wide.high
    assert narrow.high - narrow.low < (wide.high - wide.low) / 3
    assert interval(few) == wide


def test_a_ratio_is_that_of_pairs_so_that_a_slow_machine_cancels_out() -> None:
    reference = Sample((1.0, 10.0, 2.0, 5.0, 3.0))
    ours = Sample(tuple(2 * value for value in reference.values))
    assert ratio(ours, reference) == ratio(ours, reference)
    assert ratio(ours, reference).low == ratio(ours, reference).high == 2.0


def test_a_ratio_wants_pairs() -> None:
    with pytest.raises(ValueError, match="zip"):
        ratio(Sample((1.0, 2.0)), Sample((1.0,)))


def test_measures_take_turns_and_the_warm_up_does_not_count() -> None:
    calls: list[str] = []

    def ours() -> float:
        calls.append("ours")
        return float(len(calls))

    def other() -> float:
        calls.append("other")
        return float(len(calls))

    own, reference = alternate(ours, other, n=3)
    assert calls == ["ours", "other", "ours", "other", "other", "ours", "ours", "other"]
    assert own.values == (3.0, 6.0, 7.0)
    assert reference.values == (4.0, 5.0, 8.0)

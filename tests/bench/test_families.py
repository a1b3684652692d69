import pytest

from tests.bench.families import BARS, Bar, Trained, cells, kneser_ney


def trained(accuracy: float = 0.98, loss: float = 1.9, seconds: float = 10.0) -> Trained:
    figures = {"valid/accuracy": accuracy, "valid/loss": loss}
    return Trained(figures=figures, baselines={"Kneser-Ney-3": 2.2, "Kneser-Ney-5": 1.85}, seconds=seconds)


def test_the_mean_over_seeds_is_held_against_the_bar() -> None:
    bar = Bar(run="mlp/quick", metric="valid/accuracy", words="at least 97 %", limit=0.97, at_least=True)
    line = cells(bar, [trained(0.96), trained(0.97), trained(0.99)])
    assert line[:5] == ["mlp/quick", "valid/accuracy", "97.33 ± 1.53 %", "at least 97 %", "met"]
    assert line[6] == "3"
    assert cells(bar, [trained(0.96), trained(0.96)])[4] == "missed by 1 %"


def test_a_bar_may_hang_on_what_counting_reaches_on_the_same_text() -> None:
    run = [trained(loss=1.9)]
    five = Bar(run="gpt/quick", metric="valid/loss", words="Kneser-Ney-5 + 0.1", limit=kneser_ney(5, 0.1))
    three = Bar(run="gpt/quick", metric="valid/loss", words="Kneser-Ney-3 - 0.4", limit=kneser_ney(3, -0.4))
    assert cells(five, run)[3:5] == ["Kneser-Ney-5 + 0.1 (here 1.950)", "met"]
    assert cells(three, run)[4] == "missed by 6 %"


def test_a_figure_without_a_bar_is_shown() -> None:
    assert cells(Bar(run="gpt/real", metric="valid/loss", words="shown", limit=None), [trained()])[2:5] == [
        "1.900",
        "shown",
        "",
    ]


@pytest.mark.parametrize("bar", BARS, ids=lambda bar: bar.key)
def test_every_bar_names_a_run_and_a_headline_that_there_are(bar: Bar) -> None:
    from engine.catalog import parse_run

    target = parse_run(bar.run)
    assert target.spec
    assert bar.metric in {metric.name for metric in target.family.headline}


def test_every_family_has_a_bar_and_no_line_stands_twice() -> None:
    from engine.catalog import FAMILIES

    assert {bar.family for bar in BARS} == set(FAMILIES)
    assert len({bar.key for bar in BARS}) == len(BARS)

"""A law that is recovered from made-up runs, a grid that goes on, and judges that can say no."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.core.errors import DataError, UsageError
from engine.core.lab import Results
from engine.data.made_language import made_language
from engine.labs.scaling_laws import drawings
from engine.labs.scaling_laws.compute import extremes
from engine.labs.scaling_laws.drawings import Done
from engine.labs.scaling_laws.fit import (
    CHINCHILLA,
    KAPLAN,
    Floats,
    Form,
    Runs,
    fit_law,
    interval,
    resampled,
    slope,
    valley,
)
from engine.labs.scaling_laws.grid import COST, Cell, budgets, grid, larger, spec_of
from engine.labs.scaling_laws.lab import ENDS, LAB, MISSES, Scaling
from engine.labs.scaling_laws.text import read
from engine.labs.scaling_laws.train import InOrder, train
from engine.train.schedule import learning_rate_scale

HOFFMANN = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}


def made_runs(noise: float = 0.0, seed: int = 0, **constants: float) -> Runs:
    """Return runs on a grid of sizes and budgets whose losses follow a known law."""
    c = {**HOFFMANN, **constants}
    sizes, flops = (each.ravel() for each in np.meshgrid(np.geomspace(5e7, 1e10, 6), np.geomspace(1e19, 1e22, 6)))
    tokens = flops / COST / sizes
    losses = c["E"] + c["A"] / sizes ** c["alpha"] + c["B"] / tokens ** c["beta"]
    return Runs(sizes, tokens, losses * np.exp(noise * np.random.default_rng(seed).standard_normal(len(sizes))))


# The fit


@pytest.mark.parametrize("form", [CHINCHILLA, KAPLAN], ids=lambda form: form.name)
def test_slopes_are_those_of_nudges(form: Form) -> None:
    draw = np.random.default_rng(0)
    log_n, log_d = draw.normal(size=5), draw.normal(size=5)
    theta = np.array([each[-1] for each in form.starts])
    slopes = form.log_loss(theta, log_n, log_d)[1]
    for place in range(len(theta)):
        nudge = np.eye(len(theta))[place] * 1e-6
        above, below = (form.log_loss(theta + sign * nudge, log_n, log_d)[0] for sign in (1, -1))
        assert slopes[:, place] == pytest.approx((above - below) / 2e-6, abs=1e-7)


def test_a_law_is_recovered_exactly_from_runs_without_noise() -> None:
    law = fit_law(made_runs())
    assert law.constants == pytest.approx(HOFFMANN, rel=1e-3)
    assert law.loss(70e9, 1.4e12) == pytest.approx(1.69 + 406.4 / 70e9**0.34 + 410.7 / 1.4e12**0.28, rel=1e-4)


def test_exponents_are_recovered_within_their_intervals_from_noisy_runs() -> None:
    runs = made_runs(noise=0.003)
    law = fit_law(runs)
    laws = list(resampled(runs, law, 40, 0))
    for name in ("E", "alpha", "beta"):
        low, high = interval([each.constants[name] for each in laws])
        assert low - 0.05 * abs(HOFFMANN[name]) <= HOFFMANN[name] <= high + 0.05 * abs(HOFFMANN[name])
        assert law.constants[name] == pytest.approx(HOFFMANN[name], rel=0.25)
    assert float(law.loss(70e9, 1.4e12)[0]) == pytest.approx(1.937, rel=0.01)


def test_one_run_that_went_wrong_hardly_moves_the_law() -> None:
    runs = made_runs(noise=0.001)
    spoiled = Runs(runs.sizes, runs.tokens, np.where(np.arange(len(runs)) == 17, runs.losses * 1.5, runs.losses))
    assert fit_law(spoiled).constants["alpha"] == pytest.approx(fit_law(runs).constants["alpha"], rel=0.15)


def test_kaplans_form_is_recovered_too() -> None:
    sizes, tokens = (each.ravel() for each in np.meshgrid(np.geomspace(1e6, 1e9, 6), np.geomspace(1e8, 1e11, 6)))
    losses = ((8.8e13 / sizes) ** (0.076 / 0.095) + 5.4e13 / tokens) ** 0.095
    found = fit_law(Runs(sizes, tokens, losses), KAPLAN).constants
    assert (found["alpha_N"], found["alpha_D"]) == pytest.approx((0.076, 0.095), rel=0.02)
    assert found["ln N_c"] == pytest.approx(np.log(8.8e13), rel=0.02)


def test_a_parabola_finds_the_size_that_it_was_made_with() -> None:
    sizes: Floats = np.geomspace(1e4, 1e6, 5)
    found = valley(sizes, 2.0 + 0.1 * np.log(sizes / 1e5) ** 2)
    assert found.inside and (found.best_size, found.best_loss) == pytest.approx((1e5, 2.0))
    assert not valley(sizes, 3.0 - 0.1 * np.log(sizes)).inside
    assert slope(sizes, sizes**0.5) == pytest.approx(0.5)


@pytest.mark.parametrize("losses", [[1.0] * 5, [1.0, 2.0, 3.0, 4.0, 5.0, np.nan], [1.0] * 5 + [-1.0]])
def test_what_no_law_fits_is_refused(losses: list[float]) -> None:
    with pytest.raises(ValueError, match=r"few|finite"):
        fit_law(Runs(np.arange(1.0, len(losses) + 1), np.ones(len(losses)), np.array(losses)))


# The grid


def test_every_budget_is_spent_by_all_of_its_sizes() -> None:
    asked = Scaling()
    for each in grid(asked, 16):
        assert each.flops == pytest.approx(budgets(asked)[each.budget], rel=0.02)
        assert each.parameters == spec_of(asked, each.width).parameters(0, 16)
    assert len(grid(asked, 16)) == asked.budgets * asked.sizes
    assert min(each.flops for each in larger(asked, 16)) > 3.9 * asked.budget


@pytest.mark.parametrize("budget", [1e8, 1e18])
def test_a_budget_that_no_size_fits_is_refused(budget: float) -> None:
    with pytest.raises(UsageError, match=r"too (small|large)"):
        grid(Scaling(budget=budget), 16)


def test_a_text_is_read_once_from_front_to_back() -> None:
    windows = InOrder(torch.arange(101), length=5, batch_size=2)
    x_BT, y_BT = windows.at(0)
    assert x_BT.tolist() == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]] and torch.equal(y_BT, x_BT + 1)
    seen = torch.cat([windows.at(step)[0].flatten() for step in range(10)])
    assert torch.equal(seen, torch.arange(100))
    assert torch.equal(windows.at(10)[0], windows.at(0)[0])


def test_what_is_judged_is_what_the_floor_is_measured_on() -> None:
    reading = read("made-language", 1000, 32, 0)
    assert len(reading.corpus.train) == 1001 and reading.times(1000) < 1
    assert reading.floor == pytest.approx(made_language().entropy, abs=0.05)
    assert reading.vocabulary <= 16


def test_a_short_text_and_one_that_is_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("a few words " * 100)
    with pytest.raises(DataError, match="too short"):
        read(str(tmp_path / "short.txt"), 1000, 32, 0)
    with pytest.raises(DataError, match="no text"):
        read("moons", 1000, 32, 0)


def test_a_model_learns_more_from_more_text_and_the_same_from_the_same_seed() -> None:
    asked = Scaling()
    reading = read("made-language", 100_000, asked.context, 0)
    size = spec_of(asked, 8).parameters(0, 16)
    cells = [Cell(budget=0, width=8, parameters=size, steps=steps, characters=512 * steps) for steps in (20, 60)]
    seen: list[int] = []
    short, long = (train(asked, each, reading.corpus, 0, lambda read, _: seen.append(read)) for each in cells)
    assert reading.floor < long < short < np.log(16) + 0.1
    assert short == train(asked, cells[0], reading.corpus, 0, lambda *_: None)
    assert seen == [20 * 512, 20 * 512, 40 * 512, 60 * 512]
    assert learning_rate_scale(1.0, 0.02, 0.6) == 0.0


# What is drawn


def trained(budget: int, width: int, loss: float, size: int = 0) -> Done:
    size = size or 20 * width**2
    cell = Cell(budget=budget, width=width, parameters=size, steps=10, characters=round(1e9 * 2**budget / COST / size))
    return Done(cell=cell, loss=loss, characters=[10, 20], losses=[3.0, loss])


def test_the_frontier_holds_what_nothing_cheaper_beats() -> None:
    done = [trained(0, 8, 2.2), trained(0, 16, 2.1), trained(1, 8, 2.15), trained(1, 16, 2.0), trained(2, 8, 2.05)]
    assert [(each.cell.budget, each.cell.width) for each in drawings.frontier(done)] == [(0, 16), (1, 16)]


def test_drawings_hold_every_run() -> None:
    done = [trained(b, w, 2.0 + 0.1 * abs(np.log(w / 16)) - 0.1 * b) for b in range(2) for w in (8, 16, 32)]
    points = drawings.progress(done)
    assert len(points.x) == len(points.y) == len(points.group) and points.groups[-1] == "frontier"
    assert len(drawings.valleys_of(done)) == 2 and all(curve.inside for _, curve in drawings.valleys_of(done))
    assert [row[-1].endswith("best") for row in drawings.losses(done).rows] == [False, True, False] * 2
    curves = drawings.valleys(done)
    assert len(curves.x) == 6 + 2 * drawings.PARABOLA and len(curves.groups) == 2


# The judges


def results(**figures: list[float]) -> Results:
    """Return results whose figures, named ``arm__figure``, have one value a seed."""
    seeds = len(next(iter(figures.values())))
    found: dict[tuple[str, int], Mapping[str, float]] = {}
    for seed in range(seeds):
        for arm in ("grid", "fit", "larger"):
            own = {name: values for name, values in figures.items() if name.startswith(arm + "__")}
            found[arm, seed] = {name.partition("__")[2].replace("_", " "): each[seed] for name, each in own.items()}
    return Results(found, tuple(range(seeds)), Scaling())


def judge(id_: str, found: Results) -> bool | None:
    statement = LAB.statement(id_)
    assert statement is not None
    return statement.judge(found).holds


@pytest.mark.parametrize(
    ("missed", "holds"), [([0.5, 0.8, 0.6], True), ([4.0, 5.0, 4.5], False), ([0.1, 3.9, 2.1], None)]
)
def test_a_prediction_is_judged_by_what_it_missed(missed: list[float], holds: bool | None) -> None:
    floor = [1.6, 1.6, float("nan")]
    found = results(larger__missed_by=missed, larger__loss=[2.0] * 3, fit__predicted=[2.1] * 3, grid__floor=floor)
    assert judge("predicts", found) is holds
    statement = LAB.statement("predicts")
    assert statement is not None and statement.judge(found).measured[1].value == pytest.approx(25.0)
    by_hand = np.mean(missed)
    expected = MISSES[0] if by_hand <= 2 else MISSES[1]
    assert LAB.forecasts[1].outcome(found) == expected


def test_both_ends_of_a_budget_have_to_lie_above_its_best() -> None:
    small = {"grid__smallest/above": [4.0, 4.1], "grid__smallest/loss": [2.2, 2.21]}
    good = results(**small, **{"grid__largest/above": [5.0, 5.2], "grid__largest/loss": [2.1, 2.11]})
    bad = results(**small, **{"grid__largest/above": [0.1, 0.0], "grid__largest/loss": [2.1, 2.11]})
    assert judge("balance", good) is True and judge("balance", bad) is False
    assert LAB.forecasts[0].outcome(good) == ENDS[1]


def test_ends_are_measured_over_all_budgets() -> None:
    losses = {(0, 8): 2.2, (0, 16): 2.0, (0, 32): 2.1, (1, 8): 1.9, (1, 16): 1.8, (1, 32): 1.8}
    found = extremes([trained(budget, width, loss) for (budget, width), loss in losses.items()])
    assert found["smallest/above"] == pytest.approx(100 * (0.1 + 1.9 / 1.8 - 1) / 2)
    assert found["largest/above"] == pytest.approx(2.5) and found["best/loss"] == 1.8


def test_the_floor_is_compared_where_it_is_known() -> None:
    assert judge("floor", results(fit__E=[1.6, 1.62], grid__floor=[1.6, 1.6])) is True
    assert judge("floor", results(fit__E=[0.6, 0.62], grid__floor=[1.6, 1.6])) is False
    assert judge("floor", results(fit__E=[0.6, 0.62], grid__floor=[float("nan")] * 2)) is None


def test_a_law_that_misses_its_own_runs_describes_nothing() -> None:
    assert judge("describes", results(fit__typical_miss=[0.5, 0.6], fit__worst_miss=[1.0, 1.5])) is True
    assert judge("describes", results(fit__typical_miss=[3.5, 3.6], fit__worst_miss=[9.0, 9.5])) is False

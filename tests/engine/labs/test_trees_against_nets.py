"""The lab on tables: fair contests, honest splits, judges, and files that cannot be used."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from fake_bench import FakeBench
from sklearn.metrics import accuracy_score, log_loss

from engine.core.errors import DataError, UsageError
from engine.core.events import HeatMap
from engine.core.lab import Results
from engine.labs.trees_against_nets import compute
from engine.labs.trees_against_nets.contest import Score, compete, inner_split, score
from engine.labs.trees_against_nets.contestants import CONTESTANTS, Contestant
from engine.labs.trees_against_nets.lab import LAB, NAMES, Tables
from engine.labs.trees_against_nets.tables import RAREST, Task, tasks


def two_clouds(rows: int = 90, columns: int = 4) -> Task:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(rows) % 3
    inputs = torch.randn(rows, columns, generator=generator) + 3.0 * labels[:, None]
    cut = rows // 2
    return Task(
        name="clouds",
        classes=("a", "b", "c"),
        pool_inputs=inputs[:cut],
        pool_labels=labels[:cut],
        test_inputs=inputs[cut:],
        test_labels=labels[cut:],
    )


def write(path: Path, rows: list[str]) -> Path:
    path.write_text("\n".join(rows) + "\n")
    return path


def results(gaps: tuple[float, ...], **figures: tuple[float, ...]) -> Results:
    by_seed: dict[tuple[str, int], dict[str, float]] = {}
    for seed, gap in enumerate(gaps):
        found = {"contests": 4.0}
        for name in NAMES:
            found |= {
                f"accuracy/{name}": 0.8 + (gap if name != "network" else 0.0),
                f"loss/{name}": 0.4,
                f"untuned/loss/{name}": 0.5,
                f"gap/{name}": gap,
                f"gap/{name}/low": gap - 0.01,
                f"gap/{name}/high": gap + 0.01,
            }
        by_seed["contest", seed] = found | {name: values[seed] for name, values in figures.items()}
    return Results(by_seed, tuple(range(len(gaps))), Tables())


def judged(id_: str, found: Results) -> bool | None:
    statement = LAB.statement(id_)
    assert statement is not None
    return statement.judge(found).holds


def test_trees_that_lead_at_every_seed_bear_the_sentence_out() -> None:
    assert judged("boosting", results((0.02, 0.03, 0.025))) is True
    assert judged("forest", results((-0.02, -0.03, -0.025))) is False
    assert judged("forest", results((0.02, -0.03, 0.005))) is None


def test_tuning_is_judged_by_what_it_takes_off_the_log_loss() -> None:
    helped = {"untuned/loss/network": (1.2, 1.1, 1.3), "untuned/loss/forest": (0.41, 0.42, 0.41)}
    assert judged("tuning", results((0.0, 0.0, 0.0), **helped)) is True
    assert LAB.forecasts[1].outcome(results((0.0, 0.0, 0.0), **helped)) == "Neural network"


def test_the_forecast_names_who_was_most_accurate() -> None:
    found = results((0.0, 0.0), **{"accuracy/forest": (0.9, 0.9)})
    assert LAB.forecasts[0].outcome(found) == "Random forest"


@pytest.mark.parametrize("contestant", CONTESTANTS, ids=lambda each: each.name)
def test_everybody_tells_far_clouds_apart_and_gives_probabilities(contestant: Contestant) -> None:
    task = two_clouds()
    data = task.examples(torch.arange(45))
    chances = contestant.fit(contestant.default, data, 0)
    assert chances.shape == (45, 3)
    assert torch.allclose(chances.sum(1), torch.ones(45), atol=1e-5)
    assert score(chances, data.valid_labels).accuracy > 0.9


@pytest.mark.parametrize("contestant", CONTESTANTS, ids=lambda each: each.name)
def test_a_search_draws_settings_that_fit_and_differ(contestant: Contestant) -> None:
    draw = random.Random(0)
    drawn = [contestant.draw(draw) for _ in range(8)]
    assert len({str(each) for each in drawn}) > 1
    data = two_clouds(30).examples(torch.arange(15))
    assert contestant.fit(drawn[0], data, 0).shape == (15, 3)


def test_the_search_takes_what_was_best_on_rows_that_it_held_out() -> None:
    seen: list[int] = []

    def fit(config: object, data: object, seed: int) -> torch.Tensor:
        right = config == {"knows": True}
        labels = data.valid_labels  # type: ignore[attr-defined]
        seen.append(len(data.train_labels))  # type: ignore[attr-defined]
        return torch.nn.functional.one_hot(labels if right else (labels + 1) % 3, 3).float()

    contestant = Contestant(name="oracle", default={"knows": False}, draw=lambda draw: {"knows": True}, fit=fit)
    outcome = compete(contestant, two_clouds().examples(torch.arange(45)), budget=3, seed=0)
    assert (outcome.untuned.accuracy, outcome.tuned.accuracy) == (0.0, 1.0)
    assert outcome.chosen == {"knows": True} and outcome.tried == 3
    assert seen == [45, 30, 30, 30, 45]


def test_score_agrees_with_scikit_learn() -> None:
    chances = torch.rand(50, 3, generator=torch.Generator().manual_seed(1)) + 0.05
    chances = chances / chances.sum(1, keepdim=True)
    labels = torch.arange(50) % 3
    found = score(chances, labels)
    assert found.accuracy == pytest.approx(accuracy_score(labels.numpy(), chances.argmax(1).numpy()))
    assert found.loss == pytest.approx(log_loss(labels.numpy(), chances.numpy()), rel=1e-5)
    assert isinstance(found, Score)


def test_an_inner_split_keeps_every_class_to_learn_from_and_shares_no_row() -> None:
    data = two_clouds().examples(torch.arange(45))
    inner = inner_split(data, 0)
    assert set(inner.train_labels.tolist()) == {0, 1, 2}
    rows = torch.cat([inner.train_inputs, inner.valid_inputs])
    assert len(rows) == 45 and len(torch.unique(rows, dim=0)) == 45  # type: ignore[no-untyped-call]


def test_training_rows_hold_every_class_and_the_smaller_choice_lies_in_the_larger() -> None:
    task = two_clouds()
    few, many = task.training_rows(6, 0).tolist(), task.training_rows(20, 0).tolist()
    assert {int(task.pool_labels[each]) for each in few} == {0, 1, 2}
    assert len(few) == 6 and len(set(many)) == 20 and set(few) <= set(many)


def test_shipped_tables_have_classes_and_share_no_row_between_pool_and_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEXIGRAD_DATA", raising=False)
    found = {each.name: each for each in tasks("", "", "", seed=3)}
    assert set(found) == {"breast cancer", "wine", "digits", "diabetes"}
    wine = found["wine"]
    assert len(wine.pool_labels) + len(wine.test_labels) == 178
    both = torch.cat([wine.pool_inputs, wine.test_inputs])
    assert len(np.unique(both.numpy(), axis=0)) == 178
    assert found["diabetes"].classes == ("below the median", "median and above")


def test_gaps_and_texts_of_an_own_file_are_handled_and_a_leak_is_left_out(tmp_path: Path) -> None:
    rows = ["color,size,answer,alive"]
    for number in range(60):
        size = "" if number % 7 == 0 else str(number)
        rows.append(f"{'red' if number % 2 else 'blue'},{size},{number % 2},{'yes' if number % 2 else 'no'}")
    path = write(tmp_path / "own.csv", rows)
    (task,) = tasks(str(path), "answer", "alive", seed=0)
    assert task.classes == ("0", "1")
    assert task.pool_inputs.shape == (30, 4)  # two colors, the size, where it was missing
    assert bool(torch.isfinite(task.pool_inputs).all())
    with pytest.raises(DataError, match="alve"):
        list(tasks(str(path), "answer", "alve", seed=0))


def test_what_fills_gaps_is_measured_on_the_pool_alone(tmp_path: Path) -> None:
    rows = ["size,answer", *(f"{'' if number % 5 == 0 else number},{number % 2}" for number in range(80))]
    (task,) = tasks(str(write(tmp_path / "gaps.csv", rows)), "", "", seed=0)
    known = task.pool_inputs[task.pool_inputs[:, 1] == 0, 0]
    filled = torch.cat([task.pool_inputs, task.test_inputs])
    filled = filled[filled[:, 1] == 1, 0]
    assert len(filled) == 16
    assert torch.equal(filled.unique(), known.median()[None])  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["a,b"], "1 row"),
        (["a,b", "1,2"], "too few"),
        (["a,b", *(f"{number},yes" for number in range(40))], "nothing to tell apart"),
        (["a,b", *(f"{number},{'yes' if number else 'no'}" for number in range(40))], f"{RAREST} rows or more"),
        (["a", *(str(number) for number in range(40))], "no table"),
        (["name,b", *(f"person {number},{number % 2}" for number in range(200))], "no column to predict"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_a_sentence(tmp_path: Path, rows: list[str], said: str) -> None:
    with pytest.raises(DataError, match=said):
        list(tasks(str(write(tmp_path / "bad.csv", rows)), "", "", seed=0))


def test_rows_that_are_no_numbers_are_refused_when_the_lab_is_set_up() -> None:
    with pytest.raises(UsageError, match="whole numbers"):
        Tables(rows="fifty")
    with pytest.raises(UsageError, match="too few"):
        Tables(rows="5, 50")
    assert Tables(rows="200, 50").counts() == [50, 200]


def test_a_contest_over_two_tables_is_added_up_and_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(config: object, data: object, seed: int) -> torch.Tensor:
        return torch.nn.functional.one_hot(data.valid_labels, 3).float()  # type: ignore[attr-defined]

    there = [two_clouds(), dataclasses.replace(two_clouds(60), name="others", remarks=("Said.",))]
    quick = [Contestant(name=name, default={}, draw=lambda draw: {"a": 1.0}, fit=fit) for name in NAMES]
    monkeypatch.setattr(compute, "tasks", lambda *asked: iter(there))
    monkeypatch.setattr(compute, "CONTESTANTS", quick)
    bench = FakeBench(Tables(rows="20, 40", budget=2))
    compute.measure(bench)  # type: ignore[arg-type]
    assert bench.step == bench.total_steps == 12
    assert bench.notes == ["Said."]
    assert bench.figures["contests"] == 3 and bench.figures["accuracy/forest/20"] == 1.0
    assert bench.figures["gap/boosting"] == 0.0 and np.isnan(bench.figures["gap/boosting/low"])
    last = bench.named("share right")[-1]
    assert isinstance(last, HeatMap) and last.values == [[100.0] * 4] * 3
    assert last.rows == ["clouds 20", "clouds 40", "others 20"]

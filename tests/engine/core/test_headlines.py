"""What stands on a page after runs, and what a run is expected to cost."""

from __future__ import annotations

import msgspec
import pytest

from engine.catalog import parse_run
from engine.core.estimate import estimate
from engine.core.events import Finished, Started, encode
from engine.core.headlines import headlines
from engine.core.recipe import Recipe
from engine.core.records import Exit, write_record


def finished(store, target="mlp/quick", accuracy=0.9, seconds=10.0, code=0, **changes):
    """Leave a run on disk as if it had been trained."""
    wanted = parse_run(target)
    recipe = Recipe(family="mlp", preset=wanted.preset.name, knobs=wanted.spec.values(), entry="neural-network")
    run = store.create(msgspec.structs.replace(recipe, **changes))
    ending = Finished(t=seconds, headline={"valid/accuracy": accuracy, "valid/loss": "NaN"})
    (run.folder / "events.jsonl").write_bytes(encode(Started(device="cpu, 2 threads")) + encode(ending))
    write_record(run.folder, Exit(code=code))
    return run


def test_seeds_of_one_recipe_stand_together_with_mean_and_spread(store):
    runs = [finished(store, seed=seed, accuracy=accuracy) for seed, accuracy in ((0, 0.9), (1, 0.8), (2, 1.0))]
    (row,) = headlines(store, "neural-network")
    assert row.figures["valid/accuracy"] == (pytest.approx(0.9), pytest.approx(0.1))
    assert (row.n, row.seeds, row.device) == (3, "0, 1, 2", "cpu, 2 threads")
    assert (row.family, row.title) == ("mlp", "mlp / quick")
    assert row.runs == tuple(run.id for run in reversed(runs))
    assert row.figures["valid/loss"][0] != row.figures["valid/loss"][0], "a NaN stays one"


def test_other_knobs_are_another_row_named_by_their_difference(store):
    finished(store)
    finished(store, "mlp/quick learning_rate=0.5")
    newest, oldest = headlines(store, "neural-network")
    assert newest.title == "mlp / quick · learning rate 0.5" and oldest.title == "mlp / quick"
    assert newest.n == oldest.n == 1 and newest.figures["valid/accuracy"][1] == 0.0


def test_a_seed_that_was_run_again_counts_once_by_its_newest_run(store):
    finished(store, accuracy=0.1)
    finished(store, accuracy=0.7)
    (row,) = headlines(store, "neural-network")
    assert row.n == 1 and row.figures["valid/accuracy"] == (0.7, 0.0)


def test_runs_that_failed_or_belong_elsewhere_do_not_count(store):
    finished(store, code=1)
    finished(store, entry="another-page")
    assert headlines(store, "neural-network") == []
    (row,) = headlines(store, "neural-network", targets=["mlp/quick"])
    assert row.n == 1


def test_a_family_from_elsewhere_is_shown_under_its_name(store):
    finished(store, family="my family", knobs={"a": 1})
    (row,) = headlines(store, "neural-network")
    assert row.title == "my family / quick"


def test_time_is_estimated_from_the_preset_and_then_from_ones_own_runs(store):
    target = parse_run("mlp/quick")
    first = estimate(target.family, target.preset, target.spec, store)
    assert first.parameters > 0 and first.steps > 0 and first.memory > 4 * first.parameters
    finished(store, seconds=12.0)
    mine = estimate(target.family, target.preset, target.spec, store)
    assert mine.seconds == pytest.approx(12.0) and "your own run" in mine.basis
    twice = estimate(target.family, target.preset, parse_run("mlp/quick epochs=8").spec, store)
    once = estimate(target.family, target.preset, parse_run("mlp/quick epochs=4").spec, store)
    assert twice.seconds == pytest.approx(2 * once.seconds)


def test_what_a_step_costs_beside_computing_does_not_grow_with_the_model(store):
    finished(store, seconds=12.0, knobs=parse_run("mlp/quick depth=0").spec.values())
    target = parse_run("mlp/quick width=4")
    told = estimate(target.family, target.preset, target.spec, store).seconds
    assert told is not None and told < 13.0

"""A lab from its question to its findings: runs made once, taken up after a break, judged on what is complete."""

from __future__ import annotations

import math

import msgspec
import pytest
from stub_runs import until

from engine.core.errors import LexigradError, RunError, UsageError
from engine.core.experiments import Experiments, read_experiment
from engine.core.inquiry import Inquiry, begin, conclude, go_on, live, recipe_of, results, stop, unfinished
from engine.core.interval import bootstrap_interval, mean_interval
from engine.core.lab import Arm, Lab
from engine.core.launcher import Launcher
from engine.core.verdict import at_least, both, more_than
from tests.tiny_lab import LAB, install


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Lab:
    return install(monkeypatch)


@pytest.fixture
def experiments(tmp_path) -> Experiments:
    return Experiments(tmp_path / "findings")


def asked(seeds=(0,), **knobs) -> Inquiry:
    return Inquiry(
        lab=LAB, form="quick", settings=LAB.configure("quick", knobs), seeds=seeds, predictions={"much": "More"}
    )


def carried_out(experiment, store):
    until(lambda: not live(experiment, store))
    return experiment


def test_every_arm_runs_for_every_seed_and_what_is_kept_runs_once(tiny, experiments, launcher: Launcher):
    experiment = carried_out(begin(asked(seeds=(0, 1)), experiments, launcher), launcher.store)
    assert unfinished(experiment, launcher.store) == []
    by_place = {(each.arm, each.seed): each.run for each in experiment.runs}
    assert len(by_place) == 6 and len(experiment.ids) == 5
    assert by_place["base", 0] == by_place["base", 1]
    recipe = launcher.store.open(by_place["one", 1]).recipe
    assert recipe.inputs["model"].run == by_place["base", 0] and recipe.seed == 1
    reading = launcher.store.open(by_place["two", 1]).recipe
    assert {role: each.run for role, each in reading.inputs.items()} == {
        "base": by_place["base", 1],
        "one": by_place["one", 1],
    }
    again = begin(asked(), experiments, launcher)
    assert {each.arm: each.run for each in again.runs}["base"] == by_place["base", 0], "it is trained only once"
    carried_out(again, launcher.store)


def test_findings_are_judged_and_kept_with_figures_interval_and_outcome(tiny, experiments, launcher: Launcher):
    experiment = carried_out(begin(asked(seeds=(0, 1)), experiments, launcher), launcher.store)
    done = conclude(LAB, experiment, launcher.store, experiments)
    assert experiments.latest("tiny") == done
    finding = done.finding("half")
    assert finding is not None and finding.holds is True and finding.says == "The stub reaches more than a half."
    (figure,) = finding.measured
    assert figure.value == pytest.approx(90.5) and figure.low is not None and figure.low < 90.5
    assert done.outcomes == {"much": "More"} == done.predictions
    assert done.seconds > 0 and done.machine
    assert results(LAB, done, launcher.store).of("one", "parameters") == (10, 10)


def test_a_stopped_lab_keeps_what_is_finished_and_goes_on_where_it_was(tiny, experiments, launcher: Launcher):
    experiment = begin(asked(steps=100_000, step_seconds=0.002), experiments, launcher)
    by_arm = {each.arm: launcher.store.open(each.run) for each in experiment.runs}
    until(lambda: by_arm["one"].state() == "running")
    stop(experiment, launcher)
    carried_out(experiment, launcher.store)
    assert by_arm["base"].state() == "finished" and by_arm["one"].state() == "stopped"
    assert conclude(LAB, experiment, launcher.store, experiments) == experiment, "no seed is complete"
    assert unfinished(experiment, launcher.store) == [by_arm["one"].id, by_arm["two"].id]
    ended = by_arm["base"].exit()
    assert go_on(experiment, launcher) == 2
    until(lambda: by_arm["one"].state() == "running")
    assert by_arm["base"].exit() == ended, "what was finished is not trained again"
    with pytest.raises(RunError, match="already active"):
        go_on(experiment, launcher)
    stop(experiment, launcher)
    carried_out(experiment, launcher.store)


def test_a_run_that_breaks_leaves_the_others_and_only_whole_seeds_count(tiny, experiments, launcher: Launcher):
    experiment = carried_out(begin(asked(crash_at=2), experiments, launcher), launcher.store)
    assert len(unfinished(experiment, launcher.store)) == 2
    assert results(LAB, experiment, launcher.store).seeds == ()


def test_an_arm_that_needs_a_later_one_is_refused(tiny):
    with pytest.raises(UsageError, match="needs two, which does not come before it"):
        recipe_of(Arm(name="one", title="", target="tiny/quick", start="two"), asked(), 0, {})


def test_damaged_foreign_and_newer_files_are_no_experiments(tiny, experiments, launcher: Launcher):
    done = conclude(
        LAB, carried_out(begin(asked(), experiments, launcher), launcher.store), launcher.store, experiments
    )
    folder = experiments.folder / "tiny"
    (folder / "999999-000000-0000.json").write_text("{")
    (folder / "999999-000000-0001.json").symlink_to("/etc/passwd")
    newer = msgspec.structs.replace(done, id="999999-000000-0002", format=99)
    experiments.save(newer)
    assert experiments.of("tiny") == [done]
    with pytest.raises(RunError, match="newer Lexigrad"):
        read_experiment(folder, "999999-000000-0002.json")
    with pytest.raises(RunError, match="no experiment's name"):
        experiments.save(msgspec.structs.replace(done, lab="../../etc"))


def test_deleted_runs_are_named_and_not_trained(tiny, experiments, launcher: Launcher):
    experiment = carried_out(begin(asked(), experiments, launcher), launcher.store)
    launcher.store.delete(experiment.ids[-1])
    assert unfinished(experiment, launcher.store) == [experiment.ids[-1]]
    with pytest.raises(LexigradError, match="There is no run"):
        go_on(experiment, launcher)


def test_intervals_agree_with_scipy():
    stats = pytest.importorskip("scipy.stats")
    values = [0.91, 0.94, 0.9, 0.97]
    mean, low, high = mean_interval(values)
    expected = stats.t.interval(0.95, len(values) - 1, loc=mean, scale=stats.sem(values))
    assert (low, high) == pytest.approx(expected, abs=1e-3)
    mean, low, high = mean_interval([3.0])
    assert mean == 3.0 and math.isnan(low) and math.isnan(high)
    many = [float(value) for value in range(100)]
    assert mean_interval(many)[1] == pytest.approx(stats.t.interval(0.95, 99, 49.5, stats.sem(many))[0], abs=0.1)


def test_a_bootstrap_interval_holds_the_statistic_and_shrinks_with_more_items():
    import numpy as np

    items = np.random.default_rng(0).normal(size=2000)
    few, many = (
        bootstrap_interval(items[:100], lambda each: each.mean()),
        bootstrap_interval(items, lambda each: each.mean()),
    )
    assert few[1] < few[0] < few[2]
    assert many[2] - many[1] < (few[2] - few[1]) / 3


def test_a_sentence_is_decided_only_where_the_interval_is_on_one_side():
    assert more_than(0, [1.0, 1.1, 0.9]) is True
    assert more_than(0, [-1.0, -1.1, -0.9]) is False
    assert more_than(0, [1.0, -1.0, 0.5]) is None
    assert more_than(0, [1.0]) is True and more_than(0, [-1.0]) is False, "one seed: by its value"
    assert more_than(0, [math.nan, 1.0]) is None
    assert at_least(1.0, [1.0, 1.0, 1.0]) is True and more_than(1.0, [1.0, 1.0, 1.0]) is None
    assert both(True, True) is True and both(True, None) is None and both(None, False) is False

"""A computation of a lab as its process does it: its events, its end, its obedience."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.core import control
from engine.core.errors import RunError
from engine.core.events import Failed, Finished, Phase, Scalars, Started, Table
from engine.core.recipe import Input, Recipe, write_recipe
from engine.labs.workbench import Ended, Workbench
from engine.train.orders import Orders
from engine.train.writer import RunWriter
from tests.engine.train.conftest import events_of
from tests.tiny_lab import LAB

ROOT = Path(__file__).parents[2]


def made(tmp_path: Path, family: str = "backpropagation", **knobs: object) -> Path:
    folder = tmp_path / "runs" / "check"
    (folder / "control").mkdir(parents=True)
    write_recipe(Recipe(family=family, preset="quick", knobs={"width": 2, "depth": 2, "graphs": 2, **knobs}), folder)
    return folder


def bench_in(folder: Path) -> Workbench:
    recipe = Recipe(family="tiny", preset="quick", knobs={}, inputs={"base": Input(run="gone")})
    return Workbench(
        folder=folder,
        settings=LAB.configure("quick"),
        seed=0,
        asked=recipe.asked,
        inputs={"base": "gone"},
        writer=RunWriter(folder),
        orders=Orders(folder, clock=iter(range(10**6)).__next__),
    )


def carry_out(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "engine.train", str(folder)]
    return subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120, check=False
    )


def test_it_computes_shows_each_step_and_ends_with_its_figures(tmp_path: Path) -> None:
    folder = made(tmp_path)
    done = carry_out(folder)
    assert (done.returncode, done.stderr) == (0, "")
    told = events_of(folder)
    assert isinstance(told[0], Started) and told[0].total_steps
    assert [each.name for each in told if isinstance(each, Phase)][:2] == ["computing", "stepping"]
    assert sum(isinstance(each, Table) for each in told) > 20
    end = told[-1]
    assert isinstance(end, Finished) and float(end.headline["autograd/error"]) < 1e-9
    assert (folder / "code" / "labs/backpropagation/graph.py").is_file()


def test_an_error_is_the_last_word_of_its_log(tmp_path: Path) -> None:
    folder = made(tmp_path, width=99)
    done = carry_out(folder)
    end = events_of(folder)[-1]
    assert done.returncode == 1 and isinstance(end, Failed) and "width = 99 is not" in end.what


def test_a_person_stops_it_between_two_steps(tmp_path: Path) -> None:
    folder = made(tmp_path)
    bench = bench_in(folder)
    bench.start(10)
    bench.advance(loss=1.0, valid__loss=2.0)
    control.send(folder, control.Stop())
    with pytest.raises(Ended):
        for _ in range(5):
            bench.advance()
    assert bench.orders.ending == "stopped" and bench.step < 6
    (scalars,) = [each for each in events_of(folder) if isinstance(each, Scalars)]
    assert scalars.v == {"loss": 1.0, "valid/loss": 2.0} and scalars.s == 1


def test_a_run_that_it_should_read_and_that_is_not_there_is_named(tmp_path: Path) -> None:
    bench = bench_in(made(tmp_path))
    with pytest.raises(RunError, match="gone"):
        bench.read("base")

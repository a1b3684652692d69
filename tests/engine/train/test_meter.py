"""Scalars of many steps, one crossing; the extremes of a stretch survive thinning."""

from __future__ import annotations

import math
import random

import torch

from engine.train.governor import Chore, Governor
from engine.train.meter import MOST_READINGS, Meter, extremes
from engine.train.stopwatch import Stopwatch


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_readings_come_in_order_with_their_values() -> None:
    meter = Meter(torch.device("cpu"))
    for step in (1, 2, 3):
        meter.add(step, {"loss": torch.tensor(float(step)), "gradient_norm": torch.tensor(0.5)})
    readings = meter.cross()
    assert readings.steps == [1, 2, 3] and readings.finite
    assert readings.values == [{"train/loss": float(step), "gradient_norm": 0.5} for step in readings.steps]
    assert meter.cross().steps == []


def test_a_step_whose_update_was_not_made_is_found() -> None:
    meter = Meter(torch.device("cpu"))
    for step, norm in ((1, 0.5), (2, math.inf), (3, math.nan)):
        meter.add(step, {"loss": torch.tensor(1.0), "gradient_norm": torch.tensor(norm)})
    readings = meter.cross()
    assert not readings.finite and readings.broken() == 1


def test_a_figure_that_is_none_is_no_broken_step() -> None:
    meter = Meter(torch.device("cpu"))
    meter.add(1, {"loss": torch.tensor(1.0), "accuracy": torch.tensor(math.nan)})
    readings = meter.cross()
    assert not readings.finite and readings.broken() is None


def test_a_crossing_is_due_after_the_first_step_and_then_by_the_clock() -> None:
    clock = Clock()
    meter = Meter(torch.device("cpu"), interval=0.06, clock=clock)
    assert not meter.due()
    meter.add(1, {"loss": torch.tensor(1.0)})
    assert meter.due()
    meter.cross()
    meter.add(2, {"loss": torch.tensor(1.0)})
    assert not meter.due()
    clock.now = 0.07
    assert meter.due()


def test_a_spike_of_a_single_step_survives_thinning() -> None:
    meter = Meter(torch.device("cpu"))
    for step in range(1000):
        meter.add(step, {"loss": torch.tensor(99.0 if step == 517 else -5.0 if step == 303 else step / 1000)})
    crossed = meter.cross()
    readings = dict(zip(crossed.steps, (values["train/loss"] for values in crossed.values), strict=True))
    assert readings[517] == 99.0 and readings[303] == -5.0
    assert 999 in readings
    assert len(readings) <= MOST_READINGS + 1


def test_extremes_keep_what_is_not_finite() -> None:
    values = [float(number) for number in range(100)]
    values[41], values[42] = math.nan, math.inf
    assert {41, 42} <= set(extremes(values, 5))


def test_extremes_hold_the_lowest_and_highest_of_every_stretch() -> None:
    chance = random.Random(4)
    values = [chance.random() for _ in range(977)]
    kept = extremes(values, 32)
    length = math.ceil(977 / 32)
    for start in range(0, 977, length):
        stretch = range(start, min(start + length, 977))
        assert min(stretch, key=values.__getitem__) in kept
        assert max(stretch, key=values.__getitem__) in kept


def test_a_chore_takes_no_more_than_its_share() -> None:
    clock = Clock()
    governor = Governor({"draw": Chore(share=0.05, every=0.5)}, clock)
    spent = 0.0
    while clock.now < 100:
        if governor.due("draw"):
            with governor.measured("draw"):
                clock.now += 0.2
                spent += 0.2
        clock.now += 0.01
    assert 3.0 < spent <= 5.3
    assert governor.overhead <= 5.3


def test_a_cheap_chore_keeps_its_interval() -> None:
    clock = Clock()
    governor = Governor({"draw": Chore(share=0.05, every=0.5)}, clock)
    done = 0
    for _ in range(1000):
        clock.now += 0.01
        if governor.due("draw"):
            with governor.measured("draw"):
                done += 1
    assert done == 20


def test_a_governor_is_idle_exactly_while_no_chore_is_due() -> None:
    clock = Clock()
    governor = Governor({"draw": Chore(share=0.1, every=0.5), "save": Chore(share=0.1, every=3.0, due_at=1.0)}, clock)
    for tick in range(1000):
        clock.now = tick * 0.01
        due = [name for name in governor.chores if governor.due(name)]
        assert governor.idle() is not bool(due)
        for name in due:
            with governor.measured(name):
                clock.now += 0.02
        if tick == 500:
            governor.hasten("save")


def test_pauses_are_no_training_time_and_laps_divide_the_rest() -> None:
    idle = 0.0
    watch = Stopwatch(before=100.0, step=10, idle=lambda: idle)
    lap = watch.lap(14)
    assert lap.steps == 4 and lap.began == 100.0 and 100.0 <= lap.ended < 101.0
    idle = -50.0
    assert watch.seconds > 150.0
    assert lap.times_of([10, 14], last=14) == [round(lap.began, 4), round(lap.ended, 4)]

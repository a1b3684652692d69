"""Points of a plane are held against real ones, and real ones against one another."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine.look.points import PointYardstick
from tests.engine.families.proofs import learner


@pytest.mark.parametrize("absent", [(), (0, 3)])
def test_a_class_without_a_training_point_is_left_out_of_the_floor(absent: tuple[int, ...]) -> None:
    data = learner("diffusion").setting.data
    there = ~torch.isin(data.train_labels, torch.tensor(absent))
    few = replace(data, train_inputs=data.train_inputs[there], train_labels=data.train_labels[there])
    floor, _ = PointYardstick(few, 0, conditional=True).baselines()
    assert 0.005 < float(floor.value) < 0.03


def test_samples_without_a_class_have_a_floor_without_one() -> None:
    data = learner("diffusion").setting.data
    (told, _), (untold, _) = (PointYardstick(data, 0, conditional=each).baselines() for each in (True, False))
    assert float(told.value) < float(untold.value) and "same classes" in told.source and "random" in untold.source

"""The judges and the distance that they see: known closed forms, a floor, a ceiling, a file that cannot be swapped."""

from __future__ import annotations

import math

import pytest
import torch

from engine.core.errors import DataError, RunError
from engine.data.bundled import DIGITS_PEAK
from engine.data.examples import Examples
from engine.data.load import load
from engine.look.fid import JUDGES, Judge, Make, frechet, unit_pictures
from engine.look.lines import pca_gaussian, reference_lines
from engine.look.train_judge import Knobs, train

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def digits() -> Examples:
    found: Examples = load("digits", Knobs(), 0, CPU)
    return found


def seen(kept: torch.Tensor) -> torch.Tensor:
    return unit_pictures(kept, 8, DIGITS_PEAK)


def test_the_distance_of_shifted_and_stretched_gaussians_is_as_in_closed_form() -> None:
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(20_000, 3, generator=generator, dtype=torch.double)
    a = (a - a.mean(0)) @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(a.T))).T  # moments exactly 0 and I
    shift, stretch = torch.tensor([1.0, -2.0, 0.0]), torch.tensor([1.0, 3.0, 0.5])
    assert frechet(a, a * stretch + shift) == pytest.approx(5 + 4 + 0.25, abs=1e-6)
    assert frechet(a, a) == pytest.approx(0.0, abs=1e-9)


def test_the_distance_is_that_of_the_matrix_square_root() -> None:
    from scipy.linalg import sqrtm

    generator = torch.Generator().manual_seed(1)
    a, b = (
        torch.randn(50, 4, generator=generator),
        torch.randn(60, 4, generator=generator) @ torch.rand(4, 4, generator=generator) + 1,
    )
    ca, cb = torch.cov(a.double().T), torch.cov(b.double().T)
    root = torch.from_numpy(sqrtm((ca @ cb).numpy()).real)
    expected = (a.double().mean(0) - b.double().mean(0)).square().sum() + (ca + cb - 2 * root).trace()
    assert frechet(a, b) == pytest.approx(float(expected), rel=1e-6)
    assert frechet(a, b) == pytest.approx(frechet(b, a), rel=1e-6)


@pytest.mark.parametrize("data", JUDGES)
def test_every_judge_is_the_one_that_it_is_named_by(data: str) -> None:
    judge = Judge.load(CPU, data)
    pictures = torch.rand(3, 1, judge.make.side, judge.make.side, generator=torch.Generator().manual_seed(0))
    assert judge.features(pictures).shape == (3, judge.make.features)
    assert judge.classes(pictures).shape == (3,)
    assert judge.make.file.stat().st_size < 300_000


def test_a_judge_that_was_swapped_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(JUDGES, "digits", Make("digits", 8, 32, 10, "0" * 64))
    with pytest.raises(RunError, match="judge-digits-8"):
        Judge.load(CPU, "digits")
    with pytest.raises(DataError, match="No judge knows mnist"):
        Judge.load(CPU, "mnist")


def test_real_pictures_are_near_noise_is_far_and_a_gaussian_a_class_between(digits: Examples) -> None:
    judge = Judge.load(CPU, "digits")
    train_pictures, valid = seen(digits.train_inputs), seen(digits.valid_inputs)
    assert float((judge.classes(valid) == digits.valid_labels).float().mean()) > 0.95
    half = len(train_pictures) // 2
    assert frechet(judge.features(train_pictures[:half]), judge.features(train_pictures[half:])) < 1.0
    floor, gaussian, noise = (
        float(line.value) for line in reference_lines(judge, train_pictures, digits.train_labels, valid, 0)
    )
    assert floor < 1.0 < gaussian < 10.0 < noise
    assert floor == pytest.approx(frechet(judge.features(train_pictures), judge.features(valid)), rel=1e-4)


def test_one_picture_over_and_over_is_about_twice_as_far_as_there_are_features(digits: Examples) -> None:
    judge = Judge.load(CPU, "digits")
    valid = judge.features(seen(digits.valid_inputs))
    far = [frechet(valid[each].expand(100, -1), valid) for each in range(20)]
    assert sum(far) / len(far) == pytest.approx(2 * judge.make.features, rel=0.2)


def test_what_has_no_moments_has_no_distance() -> None:
    some = torch.randn(10, 3, generator=torch.Generator().manual_seed(0))
    assert math.isnan(frechet(some[:1], some)) and math.isnan(frechet(some, some * float("inf")))


def test_features_have_unit_spread_over_the_training_pictures(digits: Examples) -> None:
    features = Judge.load(CPU, "digits").features(seen(digits.train_inputs))
    assert float(features.mean(0).abs().max()) < 0.01 and float((features.std(0) - 1).abs().max()) < 0.01


def test_the_gaussian_of_a_class_has_its_mean(digits: Examples) -> None:
    pictures = seen(digits.train_inputs)
    drawn, labels = pca_gaussian(pictures, digits.train_labels, 2005, torch.Generator().manual_seed(0))
    assert drawn.shape == (2005, 1, 8, 8) and labels.bincount().tolist() == [201] * 5 + [200] * 5
    assert float(drawn.min()) >= 0 and float(drawn.max()) <= 1
    mean = pictures[digits.train_labels == 3].mean(0)
    assert float((drawn[labels == 3].mean(0) - mean).abs().mean()) < 0.05


def test_the_gaussian_of_a_class_keeps_as_many_directions_as_it_is_to() -> None:
    generator = torch.Generator().manual_seed(0)
    pictures = 0.5 + 0.02 * torch.randn(60, 1, 3, 3, generator=generator)
    drawn, _ = pca_gaussian(pictures, torch.zeros(60, dtype=torch.long), 40, generator, components=2)
    spread = (drawn - pictures.mean(0)).flatten(1).double()
    assert int((torch.linalg.svdvals(spread) > 1e-4).sum()) == 2


def test_classes_of_few_pictures_or_none_are_drawn_as_far_as_they_are_there(digits: Examples) -> None:
    pictures, labels = seen(digits.train_inputs)[:3], torch.tensor([7, 2, 2])
    drawn, drawn_labels = pca_gaussian(pictures, labels, 5, torch.Generator().manual_seed(0))
    assert drawn_labels.tolist() == [2, 2, 2, 7, 7] and drawn.isfinite().all()
    torch.testing.assert_close(drawn[3:], pictures[:1].expand(2, -1, -1, -1), atol=1e-5, rtol=0)


def test_pictures_are_averaged_over_squares() -> None:
    kept = torch.tensor([[[[0, 255], [255, 0]]]], dtype=torch.uint8)
    assert unit_pictures(kept, 1, 255).tolist() == [[[[0.5]]]]


def test_a_judge_can_be_trained_anew(digits: Examples, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("engine.look.train_judge", fromlist=["EPOCHS"]).EPOCHS, "digits", 8)
    judge = train(JUDGES["digits"], digits)
    right = (judge.classes(seen(digits.valid_inputs)) == digits.valid_labels).float().mean()
    assert float(right) > 0.6 and digits.peak == DIGITS_PEAK

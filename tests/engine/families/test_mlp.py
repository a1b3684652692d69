"""The multilayer perceptron proves itself."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import nn

from engine.core.errors import UsageError
from engine.core.events import Baseline, HeatMap, Pictures, Points, Table
from engine.families.mlp.learner import GRID
from engine.families.mlp.model import ACTIVATIONS, MLP
from engine.families.mlp.spec import MLPSpec
from engine.train.evaluate import evaluate, looking_at
from tests.engine.families.proofs import learner, losses, overfit, untouched

EMBEDDED = ("spiral", "moons", "rings", "digits", "breast-cancer", "wine")


@pytest.mark.parametrize("data", EMBEDDED)
def test_it_starts_knowing_nothing(data: str) -> None:
    made = learner("mlp", data=data)
    assert losses(made, 1)[0] == pytest.approx(math.log(made.setting.data.outputs), abs=0.03)


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_it_learns_eight_examples_by_heart(activation: str) -> None:
    assert overfit(learner("mlp", data="digits", activation=activation)) < 1e-3


def test_it_learns_wrong_labels_by_heart_too() -> None:
    made = learner("mlp", data="digits")
    made.setting.data.train_labels.copy_(made.setting.data.train_labels.flip(0))
    assert overfit(made) < 1e-3


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("depth", [0, 1, 4])
def test_gradients_reach_every_parameter(activation: str, depth: int) -> None:
    assert untouched(learner("mlp", activation=activation, depth=depth)) == []


@pytest.mark.parametrize(("depth", "width", "expected"), [(0, 64, 6), (1, 10, 52), (3, 64, 8642)])
def test_its_parameters_are_counted(depth: int, width: int, expected: int) -> None:
    made = learner("mlp", depth=depth, width=width)
    assert sum(each.numel() for each in made.optimizers.parameters) == expected
    assert MLPSpec(depth=depth, width=width).parameters(2, 2) == expected


def test_the_same_seed_gives_the_same_losses() -> None:
    first, again, other = (losses(learner("mlp", seed=seed, dropout=0.3), 20) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_without_hidden_layers_it_is_a_linear_map() -> None:
    model = MLP(5, 3, depth=0)
    inputs = torch.randn(4, 5)
    torch.testing.assert_close(model(inputs), nn.functional.linear(inputs, model.head.weight, model.head.bias))


def test_with_identity_for_a_bend_any_depth_is_one_linear_map() -> None:
    model = MLP(5, 3, depth=3, activation="identity").double()
    a, b = torch.randn(2, 4, 5, dtype=torch.float64)
    zero = model(torch.zeros(1, 5, dtype=torch.float64))
    torch.testing.assert_close(model(2 * a - 3 * b) - zero, 2 * (model(a) - zero) - 3 * (model(b) - zero))


def test_it_agrees_with_the_same_layers_of_torch() -> None:
    model = MLP(6, 4, width=5, depth=2, activation="tanh")
    theirs = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 5), nn.Tanh(), nn.Linear(5, 4))
    ours = [*model.hidden, model.head]
    for layer, own in zip([each for each in theirs if isinstance(each, nn.Linear)], ours, strict=True):
        layer.load_state_dict(own.state_dict())
    inputs = torch.randn(7, 6)
    torch.testing.assert_close(model(inputs), theirs(inputs))


def test_signals_keep_their_size_through_many_relu_layers() -> None:
    model = MLP(256, 2, width=256, depth=20)
    x = torch.randn(512, 256)
    for layer in model.hidden:
        x = model.bend(layer(x))
    assert 0.1 < float(x.detach().square().mean()) < 10.0


def test_its_gradient_is_the_slope_of_its_loss() -> None:
    model = MLP(4, 3, width=5, depth=2, activation="tanh").double()
    inputs, labels = torch.randn(6, 4, dtype=torch.float64), torch.arange(6) % 3
    parameters = list(model.parameters())

    def loss(*values: torch.Tensor) -> torch.Tensor:
        scores = torch.func.functional_call(
            model, dict(zip(dict(model.named_parameters()), values, strict=True)), (inputs,)
        )
        return nn.functional.cross_entropy(scores, labels)

    assert torch.autograd.gradcheck(loss, tuple(parameters))


def test_it_draws_surface_points_confusion_and_figures() -> None:
    made = learner("mlp", data="moons")
    losses(made, 30)
    evaluate(made)
    with looking_at(made):
        drawn = {event.name: event for event in made.draw(30)}
        again = [event.name for event in made.draw(31)]
    surface, points, confusion = drawn["decision surface"], drawn["data"], drawn["confusion matrix"]
    assert isinstance(surface, HeatMap) and len(surface.values) == len(surface.values[0]) == GRID
    assert all(0.0 <= value <= 1.0 for row in surface.values for value in row)
    assert isinstance(points, Points) and len(points.x) == 800 and points.groups == ["upper", "lower"]
    assert surface.extent[0] < min(points.x) and surface.extent[3] > max(points.y)
    assert isinstance(confusion, HeatMap) and sum(map(sum, confusion.values)) == 200
    assert isinstance(drawn["by class"], Table)
    assert "data" not in again, "the points do not change and are sent once"


def test_the_surface_is_the_models_own_answer() -> None:
    made = learner("mlp", data="moons")
    losses(made, 100)
    with looking_at(made):
        surface = next(iter(made.draw(100)))
        assert isinstance(surface, HeatMap)
        x = surface.extent[0] + (surface.extent[1] - surface.extent[0]) * 10 / (GRID - 1)
        y = surface.extent[2] + (surface.extent[3] - surface.extent[2]) * 30 / (GRID - 1)
        place = made.setting.data.prepare(torch.tensor([[x, y]]))
        assert surface.values[30][10] == pytest.approx(float(made.modules["model"](place).softmax(1)[0, 1]), abs=0.01)


def test_of_pictures_it_shows_filters_and_mistakes() -> None:
    made = learner("mlp", data="digits", width=16)
    losses(made, 20)
    evaluate(made)
    with looking_at(made):
        drawn = {event.name: event for event in made.draw(20)}
    filters, mistakes = drawn["first-layer filters"], drawn["mistakes"]
    assert isinstance(filters, Pictures) and (filters.count, filters.height, filters.width) == (16, 8, 8)
    assert isinstance(mistakes, Pictures) and len(mistakes.captions) == mistakes.count
    assert len(mistakes.pixels) == mistakes.count * 64


def test_baselines_are_measured_on_the_same_split() -> None:
    made = learner("mlp", data="moons")
    lines = {event.name: float(event.value) for event in made.baselines() if isinstance(event, Baseline)}
    assert lines["majority class"] == pytest.approx(0.5)
    assert 0.8 < lines["logistic regression"] < 0.95
    assert lines["guessing"] == pytest.approx(math.log(2))


def test_logistic_regression_agrees_with_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression

    from engine.train.logistic import logistic_accuracy

    data = learner("mlp", data="digits").setting.data
    theirs = LogisticRegression(max_iter=2000).fit(data.prepare(data.train_inputs).flatten(1), data.train_labels)
    expected = theirs.score(data.prepare(data.valid_inputs).flatten(1), data.valid_labels)
    assert logistic_accuracy(data, seed=0) == pytest.approx(expected, abs=0.015)


def test_a_number_is_predicted_in_its_own_unit(tmp_path: Path) -> None:
    path = tmp_path / "line.csv"
    path.write_text("x,y\n" + "".join(f"{n / 10},{3 * n / 10 + 100}\n" for n in range(200)))
    made = learner("mlp", data=str(path), target="y")
    before = evaluate(made)["valid/rmse"]
    losses(made, 300)
    after = evaluate(made)["valid/rmse"]
    (line,) = made.baselines()
    assert isinstance(line, Baseline) and before == pytest.approx(float(line.value), rel=0.1)
    assert after < 1.0 < before


def test_dropout_leaves_units_out_in_training_alone_and_turns_live() -> None:
    made = learner("mlp", dropout=0.5)
    inputs = made.batches().at(0)[0]
    model = made.modules["model"]
    assert not torch.equal(model(inputs), model(inputs))
    made.turn("dropout", 0.0)
    assert torch.equal(model(inputs), model(inputs))
    made.turn("dropout", 0.5)
    with looking_at(made):
        assert torch.equal(model(inputs), model(inputs))


@pytest.mark.parametrize(
    "knobs", [{"width": 0}, {"depth": -1}, {"activation": "swish"}, {"dropout": 1.5}, {"epochs": 0.0}]
)
def test_knobs_out_of_range_are_refused(knobs: dict[str, int | float | str]) -> None:
    with pytest.raises(UsageError):
        MLPSpec(**knobs)  # type: ignore[arg-type]

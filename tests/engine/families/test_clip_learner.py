"""CLIP's learner proves itself: how it starts, what it learns, what it shows, how one plays with it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from engine.core.errors import DataError, LexigradError, UsageError
from engine.core.events import Baseline, HeatMap, Pictures, Points, Table
from engine.families.clip.learner import CLIPLearner
from engine.families.clip.model import best_scores, contrastive_loss
from engine.train.evaluate import evaluate, looking_at
from engine.train.learner import Learner
from tests.engine.families.proofs import learner, losses, overfit, untouched
from tests.engine.play.playing import played, trained

SMALL = {"picture_width": 4, "text_width": 16, "text_layers": 1, "batch_size": 16}
VARIANTS = ({}, {"picture_tower": "vit", "picture_width": 16, "picture_layers": 1}, {"text_layers": 0})
variants = pytest.mark.parametrize("knobs", VARIANTS, ids=["cnn", "vit", "bag of words"])


def clip(**knobs: object) -> CLIPLearner:
    made = learner("clip", **{**SMALL, **knobs})  # type: ignore[arg-type]
    assert isinstance(made, CLIPLearner)
    return made


def steps(made: Learner, count: int) -> float:
    """Train with a learning rate that falls to zero, and return the last loss."""
    batches = made.batches()
    loss = 0.0
    for step in range(count):
        made.optimizers.schedule(min(1.0, 2 * (1 - step / count)))
        loss = float(made.train_step(batches.at(step))["loss"])
    return loss


@variants
def test_cosines_that_are_not_sharpened_start_at_the_logarithm_of_the_batch(knobs: dict[str, object]) -> None:
    made = clip(**{**knobs, "temperature": 1.0, "batch_size": 64})
    assert losses(made, 1)[0] == pytest.approx(math.log(64), abs=0.1)


@variants
def test_it_learns_eight_pairs_by_heart(knobs: dict[str, object]) -> None:
    made = clip(**{**knobs, "same": "pair", "optimizer": "adamw", "learning_rate": 0.01, "weight_decay": 0.0})
    inputs, _, labels = made.batches().at(0)
    own = [int((labels == label).nonzero()[0]) for label in labels.unique()][:8]
    batch = (inputs[own], made.data.prompts[labels[own], 0], labels[own])
    for _ in range(150):
        loss = float(made.train_step(batch)["loss"])
    assert len(own) == 8 and loss < 1e-2


@variants
def test_gradients_reach_every_parameter(knobs: dict[str, object]) -> None:
    made = clip(**{**knobs, "batch_size": 256})
    reached = untouched(made)
    assert reached == [], "every word but the first stands in a batch of 256"


def test_the_same_seed_gives_the_same_losses() -> None:
    first, again, other = (losses(clip(), 4), losses(clip(), 4), losses(clip(same="pair"), 4))
    assert first == again != other


def test_the_same_caption_twice_is_no_mistake_unless_only_the_pair_counts() -> None:
    texts = torch.tensor([3, 5, 3])
    assert clip().same(texts).tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    assert torch.equal(clip(same="pair").same(texts), torch.eye(3))


def test_the_temperature_never_falls_below_a_hundredth() -> None:
    made = clip(learning_rate=0.0)
    with torch.no_grad():
        made.model.log_scale.fill_(math.log(100) + 1)
    losses(made, 1)
    assert float(made.model.scale.detach()) == pytest.approx(100)


def test_a_temperature_that_is_not_learned_stays() -> None:
    made = clip(learned=False)
    losses(made, 3)
    assert float(made.model.scale.detach()) == pytest.approx(1 / 0.07)


def test_it_sorts_pictures_by_captions_and_comes_near_the_floor() -> None:
    made = clip(picture_width=8, batch_size=64)
    steps(made, 110)
    figures = evaluate(made)
    assert figures["valid/zero_shot_accuracy"] > 0.85
    assert figures["valid/text_recall"] > 0.9 and figures["valid/picture_recall"] > 0.9
    assert made.floor() < figures["valid/loss"] < made.floor() + 0.5
    assert figures["valid/unseen_accuracy"] > 1 / 16


def test_captions_of_other_pictures_teach_nothing() -> None:
    made = clip(picture_width=8, batch_size=64)
    labels_N = made.data.train_labels
    labels_N.copy_(labels_N[torch.randperm(len(labels_N), generator=torch.Generator().manual_seed(0))])
    steps(made, 60)
    assert evaluate(made)["valid/zero_shot_accuracy"] < 0.15


def test_a_class_is_where_the_mean_of_all_its_prompts_points() -> None:
    made = clip()
    with torch.no_grad():
        made.model.text_tower.positions.weight.mul_(50)
        read = [made.model.read(made.texts_MW[prompts]) for prompts in made.data.prompts]
        expected = torch.stack([each.sum(0) / each.sum(0).norm() for each in read])
        torch.testing.assert_close(made.class_vectors(), expected, atol=1e-5, rtol=1e-5)
    assert float((expected - torch.stack([each[0] for each in read])).abs().max()) > 1e-2


def test_the_floor_knows_which_classes_are_held_out() -> None:
    """Held-out pairs are of twelve classes; the others are no explanation of a caption."""
    made = clip(batch_size=64)
    shown = made.data.valid_labels.unique()
    place = torch.zeros(16, dtype=torch.int64)
    place[shown] = torch.arange(12)
    pairs = list(zip(made.data.valid_labels.split(64), made.data.valid_texts.split(64), strict=True))
    full = [(labels_N, texts_N) for labels_N, texts_N in pairs if len(labels_N) == 64]
    fits_KM = made.data.fits()
    losses_of = {
        "shown": [contrastive_loss(best_scores(fits_KM[shown], place[k], m), made.same(m)) for k, m in full],
        "all": [contrastive_loss(best_scores(fits_KM, k, m), made.same(m)) for k, m in full],
    }
    expected = {name: float(torch.stack(found).mean()) for name, found in losses_of.items()}
    assert len(shown) == 12 and made.floor() == pytest.approx(expected["shown"], abs=1e-5)
    assert abs(expected["shown"] - expected["all"]) > 1e-3


def test_captions_are_chosen_among_as_sharply_as_the_temperature_says() -> None:
    made = clip(temperature=0.02)
    with looking_at(made):
        rows = made.match(made.data.valid_inputs[0], ["a red circle", "a blue square", "something yellow"])
    cosines = torch.tensor([cosine for _, _, cosine in rows])
    expected = (cosines / 0.02).softmax(0)
    torch.testing.assert_close(torch.tensor([chance for _, chance, _ in rows]), expected, atol=1e-5, rtol=1e-4)
    assert float((expected - cosines.softmax(0)).abs().max()) > 1e-2


def test_the_loss_is_measured_on_full_batches_alone() -> None:
    made = clip(batch_size=400)
    figures = evaluate(made)
    lines = {(each.metric, each.name): float(each.value) for each in made.baselines() if isinstance(each, Baseline)}
    assert lines["valid/loss", "guessing"] == pytest.approx(math.log(400))
    assert lines["valid/loss", "floor"] == pytest.approx(made.floor())
    assert lines["valid/zero_shot_accuracy", "guessing"] == 1 / 16
    assert 0 <= figures["valid/zero_shot_accuracy"] <= 1 and 0 <= figures["valid/gap"] <= 2
    assert "valid/loss" in evaluate(clip(batch_size=5000)), "a batch larger than the split"


def test_it_draws_cosines_captions_and_the_common_space() -> None:
    made = clip()
    evaluate(made)
    with looking_at(made):
        shown = {event.name: event for event in made.draw(0)}  # type: ignore[attr-defined]
    heat, seen, table, space = (shown[name] for name in ("similarity", "pictures", "best captions", "space"))
    assert isinstance(heat, HeatMap) and len(heat.values) == len(heat.values[0]) == 16
    assert all(-100 <= value <= 100 for row in heat.values for value in row)
    assert isinstance(seen, Pictures) and seen.count == len(seen.captions) == 16 and seen.channels == 3
    assert isinstance(table, Table) and [row[1] for row in table.rows].count("never") == 4
    assert isinstance(space, Points) and len(space.x) == len(space.group) == 150 + 150 + 16


# Plays


@pytest.fixture(scope="module")
def matcher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("runs") / "clip", "clip", **{**SMALL, "picture_width": 8, "epochs": 1.0})


def test_captions_are_matched_with_a_held_out_picture(matcher: Path) -> None:
    picture, table = played(matcher, captions="a red circle / a blue square/something yellow", example=2)
    assert isinstance(picture, Pictures) and picture.count == 1
    assert isinstance(table, Table) and len(table.rows) == 3 and "in truth" in table.name
    assert sum(float(row[1][:-2]) for row in table.rows) == pytest.approx(100, abs=0.2)


def test_without_captions_those_of_all_classes_are_tried_on_a_picture_of_an_unseen_class(matcher: Path) -> None:
    _, table = played(matcher, unseen=True)
    assert isinstance(table, Table) and len(table.rows) == 16


def test_a_picture_of_ones_own_is_matched(matcher: Path, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (40, 60), (230, 50, 50)).save(tmp_path / "red.png")
    picture, table = played(matcher, file=str(tmp_path / "red.png"), captions="something red / something blue")
    assert isinstance(picture, Pictures) and (picture.height, picture.channels) == (16, 3)
    assert isinstance(table, Table) and "in truth" not in table.name


def test_light_and_dark_of_a_picture_of_ones_own_can_be_swapped(matcher: Path, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (16, 16), (230, 50, 0)).save(tmp_path / "one.png")
    picture, _ = played(matcher, file=str(tmp_path / "one.png"), invert=True)
    assert isinstance(picture, Pictures) and picture.pixels[:3] == bytes([25, 205, 255])


def test_pictures_are_found_by_a_caption(matcher: Path) -> None:
    (found,) = played(matcher, "find", caption="Something red.", count=5)
    assert isinstance(found, Pictures) and found.count == len(found.captions) == 5


@pytest.mark.parametrize(
    ("play", "settings", "says"),
    [
        ("match", {"captions": "a red dog / a red circle"}, "dog"),
        ("match", {"captions": "a red circle"}, "always the best"),
        ("match", {"example": 100_000}, "counted from 0"),
        ("match", {"file": "nowhere.png"}, "no file"),
        ("find", {}, "no caption"),
        ("find", {"caption": "a dog"}, "dog"),
    ],
)
def test_what_cannot_be_answered_is_said(matcher: Path, play: str, settings: dict[str, str], says: str) -> None:
    with pytest.raises(LexigradError, match=says):
        played(matcher, play, **settings)


# What it refuses


def test_pictures_without_captions_are_refused() -> None:
    with pytest.raises(DataError, match="no captions"):
        clip(data="digits")


def test_captions_longer_than_it_reads_and_patches_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="words"):
        clip(context=3)
    with pytest.raises(DataError, match="patches of 3") as raised:
        clip(picture_tower="vit", picture_width=16, patch=3)
    assert raised.value.remedy == "Set patch to one of 1, 2, 4, 8, 16."


def test_an_unknown_choice_is_refused() -> None:
    with pytest.raises(UsageError):
        clip(same="class")


def test_the_first_pairs_of_a_batch_are_learned_to_their_floor() -> None:
    made = clip(optimizer="adamw", learning_rate=0.01, weight_decay=0.0)
    inputs, texts, labels = made.batches().at(0)
    assert overfit(made, steps=150) < math.log(8)
    assert len(inputs) == len(texts) == len(labels) == 16

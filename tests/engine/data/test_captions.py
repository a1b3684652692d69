"""Pictures with captions: what is drawn, what is said of it, and what is held out."""

from __future__ import annotations

import pytest
import torch

from engine.core.errors import DataError
from engine.data.captions import CLOTHES, CLOTHES_UNSEEN, TEMPLATES, Captioned, Pairs
from engine.data.load import load
from engine.data.shapes import COLORS, SHAPES, inside
from engine.data.table import TABLE
from engine.families.clip.spec import CLIPSpec


def captions(name: str = "shapes", seed: int = 0, examples: int = 0) -> Captioned:
    found = load(name, CLIPSpec(examples=examples), seed, torch.device("cpu"))
    assert isinstance(found, Captioned)
    return found


def words(texts: tuple[str, ...]) -> set[str]:
    return {word for text in texts for word in text.split()}


def test_shapes_are_as_the_table_says() -> None:
    row, data = TABLE["shapes"], captions()
    assert row.embedded and len(data.classes) == 16
    assert data.size == row.examples and data.train_inputs[0].numel() == row.inputs
    assert len(words(data.texts)) + 1 == row.outputs
    prepared = data.prepare(data.train_inputs)
    assert abs(float(prepared.mean())) < 1e-3 and abs(float(prepared.std()) - 1) < 0.02


def test_the_same_seed_draws_the_same_and_holds_out_the_same() -> None:
    first, again, other = captions(seed=1), captions(seed=1), captions(seed=2)
    assert first.digest == again.digest != other.digest
    assert torch.equal(first.train_inputs, again.train_inputs)


def test_every_color_and_every_shape_is_held_out_once_and_never_trained_on_together() -> None:
    data = captions()
    unseen = set(data.unseen_labels.tolist())
    assert len(unseen) == 4 and unseen.isdisjoint(data.train_labels.tolist() + data.valid_labels.tolist())
    names = [data.classes[each].split() for each in unseen]
    assert {color for color, _ in names} == set(COLORS) and {shape for _, shape in names} == set(SHAPES)


def test_every_word_of_a_held_out_pair_is_shown_in_training() -> None:
    data = captions()
    shown = {text for label in set(data.train_labels.tolist()) for text in data.class_texts[label].tolist()}
    assert words(data.texts) == words(tuple(data.texts[each] for each in shown))


def test_a_caption_says_what_is_drawn() -> None:
    data = captions()
    for texts, name in zip(data.class_texts.tolist(), data.classes, strict=True):
        color, shape = name.split()
        assert all(color in data.texts[each] or shape in data.texts[each] for each in texts)
    for prompts, name in zip(data.prompts.tolist(), data.classes, strict=True):
        assert [data.texts[each] for each in prompts] == [each.format(f"a {name}") for each in TEMPLATES]


def test_what_fits_a_class_is_counted() -> None:
    data = captions()
    fits_KM = data.fits()
    assert fits_KM.sum(1).tolist() == [data.class_texts.size(1)] * 16
    assert float(fits_KM[:, data.texts.index("something red")].sum()) == 4
    assert float(fits_KM[:, data.texts.index("a red circle")].sum()) == 1


def test_a_shape_has_the_color_that_its_caption_says() -> None:
    data = captions()
    colored = data.train_inputs[:200].float()
    saturation_NHW = colored.amax(1) - colored.amin(1)
    found = saturation_NHW.flatten(1).argmax(1)
    strongest_NC = colored.flatten(2)[torch.arange(200), :, found]
    expected = torch.tensor(list(COLORS.values()))[data.train_labels[:200] // 4]
    cosines = torch.cosine_similarity(strongest_NC, expected.float())
    assert float(cosines.min()) > 0.9


def test_a_square_holds_a_circle_and_a_cross_has_no_corners() -> None:
    x = torch.linspace(-1, 1, 21).expand(4, 21, 21)
    circle, square, triangle, cross = inside(x, x.mT, torch.arange(4))
    assert (circle & ~square).sum() < 0.1 * circle.sum() < circle.sum() < square.sum()
    assert triangle[0].sum() <= 1 and triangle[-1].all(), "a point above, a wide foot"
    assert cross[10].all() and cross[:, 10].all() and not cross[0, 0]


def test_captions_are_drawn_anew_and_follow_seed_and_step() -> None:
    data = captions(examples=64)
    assert data.size == 64
    batches = Pairs(data, 64, seed=3)
    inputs, texts, labels = batches.at(5)
    again = Pairs(data, 64, seed=3).at(5)
    assert torch.equal(inputs, again[0]) and torch.equal(texts, again[1]) and torch.equal(labels, again[2])
    assert not torch.equal(texts, batches.at(6)[1])
    assert (data.fits()[labels, texts] > 0).all() and batches.epoch_steps == 1


def test_two_classes_of_clothes_are_described_by_the_words_of_others() -> None:
    known = {
        word for name, ways in CLOTHES.items() if name not in CLOTHES_UNSEEN for way in ways for word in way.split()
    }
    for name in CLOTHES_UNSEEN:
        assert set(CLOTHES[name][-1].split()) <= known
    assert len({ways[-1] for ways in CLOTHES.values()}) == len(CLOTHES), "no two are described alike"


def test_clothes_are_as_the_table_says() -> None:
    row = TABLE["fashion-captions"]
    try:
        data = captions("fashion-captions")
    except DataError:
        pytest.skip("Fashion-MNIST is not on this machine")
    assert data.size == row.examples and len(words(data.texts)) + 1 == row.outputs
    assert {data.classes[each] for each in data.unseen_labels.tolist()} == set(CLOTHES_UNSEEN)
    assert "an ankle boot" in data.texts and len(data.unseen_labels) == 2000

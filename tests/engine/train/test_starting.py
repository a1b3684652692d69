"""What a run takes over from the one that it starts from: all that must fit, or a sentence of what does not."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.core.errors import RunError
from engine.core.spec import Value
from engine.data.vocabulary import pack
from engine.train.learner import Learner
from engine.train.starting import copy_weights, words_of
from tests.engine.families.proofs import learner


def test_weights_are_copied_in_place() -> None:
    own = {"body": torch.zeros(2, 3), "head": torch.zeros(3)}
    held = own["body"]
    copy_weights(own, {"model.body": torch.ones(2, 3), "model.head": torch.full((3,), 2.0)}, "width")
    assert torch.equal(held, torch.ones(2, 3)) and torch.equal(own["head"], torch.full((3,), 2.0))


def test_what_does_not_fit_is_named_with_both_shapes_and_the_knobs() -> None:
    with pytest.raises(RunError, match=r"the shape \(4,\) for 'head', this one wants \(3,\)") as caught:
        copy_weights({"head": torch.zeros(3)}, {"model.head": torch.ones(4)}, "width and layers")
    assert caught.value.remedy == "Set width and layers as in the run to start from."
    with pytest.raises(RunError, match="has nothing for 'head'"):
        copy_weights({"head": torch.zeros(3)}, {}, "width")


def test_what_need_not_fit_begins_anew() -> None:
    own = {"encoder.w": torch.zeros(2), "head.w": torch.zeros(3)}
    copy_weights(own, {"model.encoder.w": torch.ones(2), "model.head.w": torch.ones(5)}, "width", needed="encoder.")
    assert torch.equal(own["encoder.w"], torch.ones(2)) and torch.equal(own["head.w"], torch.zeros(3))
    with pytest.raises(RunError):
        copy_weights(own, {"model.head.w": torch.ones(3)}, "width", needed="encoder.")


def test_words_come_back_or_the_family_that_has_them_is_named() -> None:
    assert words_of({"model.words": pack(("a", "bc"))}, "rnn") == ("a", "bc")
    with pytest.raises(RunError, match="no vocabulary") as caught:
        words_of({"model.x": torch.ones(1)}, "bert")
    assert "bert" in (caught.value.remedy)


# Classifiers

SMALL: dict[str, dict[str, Value]] = {
    "mlp": {"data": "digits", "width": 8},
    "cnn": {"channels": 0.5},
    "resnet": {"width": 4, "blocks": 1},
    "vit": {"width": 8, "layers": 1, "heads": 2},
}
WIDER: dict[str, dict[str, Value]] = {
    "mlp": {"width": 16}, "cnn": {"channels": 1.0}, "resnet": {"width": 8}, "vit": {"width": 16},
}  # fmt: skip
classifiers = pytest.mark.parametrize("family", SMALL)


def small(family: str, start: dict[str, Tensor] | None = None, **knobs: Value) -> Learner:
    return learner(family, start=start, seed=0 if start is None else 1, **{**SMALL[family], **knobs})


@classifiers
def test_a_classifier_begins_with_all_of_another_of_its_shape(family: str) -> None:
    before = small(family).weights()
    after = small(family, start=before).weights()
    assert [name for name in before if not torch.equal(before[name], after[name])] == []


@classifiers
def test_a_classifier_of_another_width_is_no_start_and_the_first_weights_that_do_not_fit_are_named(family: str) -> None:
    before = small(family).weights()
    first, own = next((name, each) for name, each in small(family, **WIDER[family]).weights().items()
                      if each.shape != before[name].shape)  # fmt: skip
    with pytest.raises(RunError) as caught:
        small(family, start=before, **WIDER[family])
    assert f"'{first.removeprefix('model.')}'" in caught.value.what
    assert str(tuple(before[first].shape)) in caught.value.what and str(tuple(own.shape)) in caught.value.what


@classifiers
@pytest.mark.parametrize("other", [("weight", "bias"), ("bias",)], ids=["whole", "half"])
def test_a_head_for_other_classes_begins_anew_as_a_whole(family: str, other: tuple[str, ...]) -> None:
    before = small(family).weights()
    for name in other:
        before[f"model.head.{name}"] = torch.ones(7, *before[f"model.head.{name}"].shape[1:])
    after, anew = small(family, start=before).weights(), learner(family, seed=1, **SMALL[family]).weights()
    expected = {name: (anew if ".head." in name else before)[name] for name in after}
    assert [name for name in after if not torch.equal(after[name], expected[name])] == []

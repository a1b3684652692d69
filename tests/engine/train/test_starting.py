"""What a run takes over from the one that it starts from: all that must fit, or a sentence of what does not."""

from __future__ import annotations

import pytest
import torch

from engine.core.errors import RunError
from engine.data.vocabulary import pack
from engine.train.starting import copy_weights, words_of


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

"""Knobs that several families share, and the check of a width against its heads."""

from __future__ import annotations

import pytest

from engine.catalog import families
from engine.core import shared_knobs
from engine.core.errors import UsageError


@pytest.mark.parametrize(("width", "heads", "rotary"), [(128, 4, True), (63, 7, False), (12, 4, False), (8, 1, True)])
def test_a_width_that_fits_is_let_through(width: int, heads: int, rotary: bool) -> None:
    shared_knobs.share_out(width, heads, rotary=rotary, instead="positions=learned")


def test_a_width_that_is_no_multiple_is_refused_with_the_nearest_that_is() -> None:
    with pytest.raises(UsageError, match=r"width of 130 cannot.*4 heads.*such as 128"):
        shared_knobs.share_out(130, 4)
    with pytest.raises(UsageError, match="such as 8"):
        shared_knobs.share_out(3, 8)


def test_a_head_of_an_odd_width_has_no_pairs_to_turn() -> None:
    with pytest.raises(UsageError, match=r"heads of 3 channels have one over.*positions=learned"):
        shared_knobs.share_out(12, 4, rotary=True, instead="positions=learned")


def test_each_family_keeps_its_own_default() -> None:
    of = {family.name: {each.name: each for each in family.spec.knobs()} for family in families()}
    assert of["gpt"]["steps"].default != of["rnn"]["steps"].default
    assert of["gpt"]["steps"].help == of["rnn"]["steps"].help
    assert of["vit"]["dropout"].live == "recapture" and of["gpt"]["dropout"].live is None


@pytest.mark.parametrize(("side", "words"), [(8, "1, 2, 4, 8"), (7, "1, 7"), (1, "1")])
def test_there_is_always_a_patch_that_fits(side: int, words: str) -> None:
    assert shared_knobs.fitting_patches(side) == words

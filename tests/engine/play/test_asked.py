"""A class is asked for by its name, in whatever case, or by its number."""

from __future__ import annotations

import pytest

from engine.core.errors import UsageError
from engine.play.asked import class_number

CLOTHES = ("T-shirt", "Trouser", "Bag")


@pytest.mark.parametrize(("text", "number"), [("Bag", 2), (" trouser ", 1), ("0", 0), ("T-SHIRT", 0), ("2", 2)])
def test_a_class_has_a_name_and_a_number(text: str, number: int) -> None:
    assert class_number(text, CLOTHES) == number


def test_a_name_that_is_a_number_is_taken_for_the_name() -> None:
    assert class_number("1", ("1", "0")) == 0


@pytest.mark.parametrize("text", ["3", "-1", "\N{SUPERSCRIPT TWO}", "Bags", "1.0"])
def test_any_other_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no class"):
        class_number(text, CLOTHES)

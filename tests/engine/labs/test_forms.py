"""Every form of every lab: its settings hold, its arms are runs that exist, and what it needs comes before it."""

from __future__ import annotations

import pytest

from engine.catalog import labs, runnable
from engine.core.inquiry import Inquiry, recipe_of
from engine.core.lab import Lab
from engine.core.recipe import Recipe
from engine.core.spec import Spec
from engine.data.table import TABLE

FORMS = [(lab, preset.name) for lab in labs() for preset in lab.presets]
IDS = [f"{lab.name}-{form}" for lab, form in FORMS]


def recipes(lab: Lab, form: str) -> dict[str, Recipe]:
    inquiry = Inquiry(lab=lab, form=form, settings=lab.configure(form))
    made: dict[str, Recipe] = {}
    for arm in lab.arms(inquiry.settings):
        made[arm.name] = recipe_of(arm, inquiry, 0, {name: name for name in made})
    return made


def test_every_lab_has_a_quick_and_a_standard_form() -> None:
    for lab in labs():
        assert [preset.name for preset in lab.presets][:2] == ["quick", "standard"], lab.name


@pytest.mark.parametrize(("lab", "form"), FORMS, ids=IDS)
def test_a_form_makes_recipes_that_can_be_trained(lab: Lab, form: str) -> None:
    made = recipes(lab, form)
    assert made
    for recipe in made.values():
        spec = runnable(recipe.family).spec.of(recipe.knobs)
        assert spec.values() == recipe.knobs
        if isinstance(spec, Spec):
            assert spec.data in TABLE
            assert spec.total_samples(1000) > 0


@pytest.mark.parametrize("lab", labs(), ids=lambda lab: lab.name)
def test_the_standard_form_asks_for_more_than_the_quick_one(lab: Lab) -> None:
    quick, standard = lab.configure("quick").values(), lab.configure("standard").values()
    assert standard != quick
    assert lab.settings.of(standard).values() == standard  # as an experiment keeps it and takes it up again
    runs = [{name: recipe.knobs for name, recipe in recipes(lab, form).items()} for form in ("quick", "standard")]
    assert runs[0] != runs[1]

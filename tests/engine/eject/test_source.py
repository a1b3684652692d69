"""Following names through source, and what is cut; without torch."""

from __future__ import annotations

import ast

import pytest

from engine.catalog import FAMILIES, family
from engine.eject.cuts import cuts_of
from engine.eject.emit import escaped, file_names, import_block, refused
from engine.eject.one_file import learner_file
from engine.eject.source import Function, parse_source


def left(text: str, dead: set[str]) -> set[str]:
    function = ast.parse(text).body[0]
    assert isinstance(function, Function)
    cuts = cuts_of(function, lambda name: name in dead)
    return {node.id for node in cuts.walk(function) if isinstance(node, ast.Name)}


def test_what_nobody_reads_is_not_stored() -> None:
    text = "def build(self):\n    told = draw()\n    self.told = told\n    self.kept = keep()\n"
    assert "keep" in left(text, {"told"})
    assert not {"draw", "told"} & left(text, {"told"})


def test_of_several_values_those_stay_that_somebody_reads() -> None:
    assert left("def build(self):\n    self.a, self.b = one(), two()\n", {"b"}) == {"self", "one"}


def test_a_start_from_another_run_goes() -> None:
    text = (
        "def build(self):\n    start = self.setting.inputs.get('model')\n"
        "    words = fresh() if start is None else old(start)\n    if start is not None:\n        load(words)\n"
        "    return words\n"
    )
    assert left(text, set()) == {"fresh", "words"}


def test_an_error_keeps_what_is_wrong_and_loses_the_remedy() -> None:
    text = "def build(self):\n    fitting = few()\n    raise DataError(what, fitting)\n"
    assert left(text, set()) == {"what"}
    assert refused('"Too few."', 4) == 'raise ValueError("Too few.")'


def test_imports_are_sorted_as_ruff_sorts_them() -> None:
    rows = [("torch", "nn", "nn"), ("torch", "Tensor", "Tensor"), ("torch", "", "torch"), ("m", "LIMIT", "LIMIT")]
    assert import_block(rows) == "import torch\nfrom m import LIMIT\nfrom torch import Tensor, nn"


def test_no_file_hides_a_module_of_python() -> None:
    names = file_names(
        {"engine.families.gpt.learner", "engine.train.learner", "engine.data.random"}, "engine.families.gpt.spec"
    )
    assert names["engine.families.gpt.learner"] == "learner"
    assert names["engine.train.learner"] == "train_learner"
    assert names["engine.data.random"] == "data_random"


@pytest.mark.parametrize(
    "text", ['ends "so"', 'a """b""" c', "back \\ slash \\n \\N{x} \\", '""""', 'x\\"""; import os; """', "plain"]
)
def test_any_text_can_stand_in_a_docstring(text: str) -> None:
    (stated,) = ast.parse(f'"""{escaped(text)}"""').body
    assert isinstance(stated, ast.Expr) and ast.literal_eval(stated.value) == text


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_fits_into_one_file_that_names_its_own_learner(name: str) -> None:
    source = parse_source("mine", learner_file(family(name)))
    of = family(name)
    assert of.spec.__name__ in source.definitions
    assert of.learner.partition(":")[2] in source.definitions
    assert f'learner=":{of.learner.partition(":")[2]}"' in source.text
    assert not any(found.module == of.spec.__module__ for found in source.imports.values())

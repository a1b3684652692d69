"""Prompts that differ in one thing, answers that are judged as greedy writing would, and judges that can say no."""

from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np
import pytest
import torch

from engine.core.errors import UsageError
from engine.core.lab import Results
from engine.data.many_tasks import RARE, RULES, USUAL, Format, document
from engine.data.text import Characters
from engine.families.gpt.learner import build_gpt
from engine.families.gpt.spec import GPTSpec
from engine.labs.prompt_engineering.answers import Reader
from engine.labs.prompt_engineering.compute import gaps
from engine.labs.prompt_engineering.lab import AMOUNTS, CONTEXT, FORMS, HURTS, LAB, NUMBERS, SHOTS, Prompting, arms
from engine.labs.prompt_engineering.prompts import FORMS as WRITTEN
from engine.labs.prompt_engineering.prompts import MOST, Prompt, Task, orders, spoiled, tasks, write


def task() -> Task:
    return Task("reverse", (("abc", "cba"), ("fed", "def"), ("cab", "bac"), ("dad", "dad")), "bca")


@pytest.fixture(scope="module")
def reader() -> Reader:
    """A model that learned nothing, with all characters of the training text."""
    torch.manual_seed(0)
    draw = random.Random(0)
    characters = Characters("".join(document(draw) for _ in range(300)))
    spec = GPTSpec.of({"layers": 1, "heads": 1, "width": 16, "context": CONTEXT, "zero_start": False})
    model = build_gpt(spec, characters).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(6)  # so that what it writes depends on what it reads
    return Reader(model, characters)


# Prompts


def test_a_prompt_is_examples_and_a_word_in_one_form() -> None:
    two = task().first(2)
    assert write(two) == Prompt("\nabc>cba;fed>def;bca>", "acb")
    assert write(two, RARE) == Prompt("\nabc: cba, fed: def, bca: ", "acb")
    assert write(two.first(0)) == Prompt("\nbca>", "acb")


def test_every_form_says_the_same_and_two_were_met_in_training() -> None:
    draw = random.Random(3)
    text = "".join(document(draw) for _ in range(400))
    assert len(WRITTEN) == FORMS
    met = [form.example("", "").replace(" ", "_") for _, form in WRITTEN if f"{form.arrow}" in text]
    assert met[:2] == [">;", ":_,_"]
    assert "> " not in text and " >" not in text and all(f">{each}, " not in text for each in "abc")


def test_the_longest_prompt_fits_the_model() -> None:
    longest = max(len(write(each).text) + len(write(each).answer) for each in tasks(random.Random(0), 40, MOST))
    assert longest < CONTEXT


def test_every_rule_is_asked_equally_often() -> None:
    drawn = tasks(random.Random(0), 4 * len(RULES), 3)
    assert all(sum(each.rule == rule for each in drawn) == 4 for rule in RULES)
    assert all(RULES[each.rule](word) == answer for each in drawn for word, answer in each.examples)


def test_orders_change_the_order_alone() -> None:
    found = orders(random.Random(0), task(), 12)
    assert len({each.examples for each in found}) > 6
    assert all(sorted(each.examples) == sorted(task().examples) and each.query == "bca" for each in found)


@pytest.mark.parametrize("wrong", range(5))
def test_as_many_answers_are_wrong_as_asked(wrong: int) -> None:
    for seed in range(20):
        found = spoiled(random.Random(seed), task(), wrong)
        assert sum(RULES["reverse"](word) != answer for word, answer in found.examples) == wrong
        assert found.answer == "acb"


def test_the_best_reader_is_sure_after_an_example() -> None:
    assert task().best()
    share = [each.first(0).best() for each in tasks(random.Random(0), 400, 0)]
    assert sum(share) < 120


# Answers


def test_right_is_what_greedy_writing_would_write(reader: Reader) -> None:
    prompts = [write(each) for each in tasks(random.Random(0), 24, 3)]
    written = [reader.completed(each.text, longest=30) for each in prompts]
    own = [Prompt(each.text, text.rstrip(";,")) for each, text in zip(prompts, written, strict=True)]
    assert reader.right(own) == [text.endswith((";", ",")) for text in written]
    assert any(reader.right(own))
    spoilt = [Prompt(each.text, ("a" if each.answer[:1] != "a" else "b") + each.answer[1:]) for each in own]
    assert reader.right(spoilt) == [False] * 24


def test_chances_of_the_next_letter_are_sorted_and_sum_to_one(reader: Reader) -> None:
    chances = [chance for _, chance in reader.likeliest("\nabc>", count=99)]
    assert chances == sorted(chances, reverse=True) and sum(chances) == pytest.approx(1.0)


@pytest.mark.parametrize(("text", "words"), [("abz>", "never seen 'z'"), ("abc>cba;" * 20, "model sees")])
def test_a_prompt_that_the_model_cannot_read_is_refused(reader: Reader, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        reader.check(text)
    reader.check("abc>cba;")


# What chance does to orders


def test_a_gap_between_orders_is_told_from_chance() -> None:
    draw = np.random.default_rng(0)
    alike = (draw.random((60, 10, 8)) < 0.5).astype(float)
    gap, chance = gaps(alike, np.random.default_rng(1))
    assert gap == pytest.approx(chance, abs=0.03)
    better = (draw.random((60, 10, 8)) < np.linspace(0.2, 0.8, 8)).astype(float)
    gap, chance = gaps(better, np.random.default_rng(1))
    assert gap > chance + 0.1


# The lab


def test_the_model_is_trained_once_and_the_prompt_changes_nothing_of_it() -> None:
    first, second = (arms(Prompting(prompt=prompt)) for prompt in ("abc>", "fed>"))
    assert first[0] == second[0] and first[0].kept and first[1].reads == ("base",)
    GPTSpec.of({**dict(first[0].knobs)})
    assert Format(">", ";") == USUAL


def results(**changes: list[float]) -> Results:
    """Return results of three seeds as one would wish them, some figures changed."""
    usual: dict[str, list[float]] = {f"accuracy/{number}": [0.9, 0.91, 0.92] for number in NUMBERS}
    usual |= {f"form/{number}": [0.9, 0.91, 0.92] for number in range(FORMS)}
    usual |= {f"wrong/{number}": [0.9 - 0.2 * number] * 3 for number in range(SHOTS + 1)}
    usual |= {"accuracy/0": [0.15, 0.16, 0.14], "best/0": [0.2] * 3, "form/2": [0.1, 0.12, 0.11]}
    usual |= {"order/all right/decides": [0.2, 0.21, 0.22], "order/one wrong/decides": [0.2, 0.21, 0.22]}
    usual |= {"order/one wrong/gap": [0.2, 0.21, 0.2], "order/one wrong/chance": [0.19, 0.2, 0.22]}
    usual |= {"order/one wrong/excess": [0.01, 0.01, -0.02]}
    usual |= {name.replace("__", "/").replace("_", " "): values for name, values in changes.items()}
    found: dict[tuple[str, int], Mapping[str, float]] = {
        ("prompts", seed): {name: values[seed] for name, values in usual.items()} for seed in range(3)
    }
    return Results(found, (0, 1, 2), Prompting())


def judge(id_: str, found: Results) -> bool | None:
    statement = LAB.statement(id_)
    assert statement is not None
    return statement.judge(found).holds


@pytest.mark.parametrize(
    ("id_", "changes", "holds"),
    [
        ("few-shot", {}, True),
        ("few-shot", {"accuracy__4": [0.15, 0.16, 0.14]}, False),
        ("few-shot", {"accuracy__4": [0.15, 0.36, 0.24]}, None),
        ("order", {}, True),
        ("order", {"order__all_right__decides": [0.01, 0.02, 0.03]}, False),
        ("order-mixed", {}, None),
        ("order-mixed", {"order__one_wrong__excess": [0.05, 0.06, 0.07]}, True),
        ("form", {}, True),
        ("form", {"form__2": [0.9, 0.91, 0.92]}, False),
        ("wrong", {}, True),
        ("wrong", {"wrong__4": [0.8, 0.85, 0.83]}, False),
    ],
)
def test_judges_can_say_yes_no_and_not_decided(id_: str, changes: dict[str, list[float]], holds: bool | None) -> None:
    assert judge(id_, results(**changes)) is holds


def test_forecasts_name_what_came_true() -> None:
    enough, hurts = LAB.forecasts
    assert enough.outcome(results()) == AMOUNTS[0] and hurts.outcome(results()) == HURTS[2]
    slow = results(accuracy__1=[0.5] * 3, accuracy__2=[0.6] * 3, accuracy__4=[0.7] * 3)
    assert enough.outcome(slow) == AMOUNTS[2]
    assert hurts.outcome(results(form__2=[0.8] * 3)) == HURTS[1]

"""The lab on attention: by hand against torch, figures of heads against plain definitions, steps, judges."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from fake_bench import FakeBench
from torch import Tensor

from engine.core.errors import DataError, UsageError
from engine.core.events import HeatMap, Table, Text
from engine.core.lab import Results
from engine.data.text import Characters
from engine.data.vocabulary import pack
from engine.families.gpt.learner import build_gpt
from engine.families.gpt.model import GPT
from engine.families.gpt.spec import GPTSpec
from engine.labs.attention import compute
from engine.labs.attention.byhand import attend
from engine.labs.attention.heads import by_torch, induction, on_previous, opened, spread, survey
from engine.labs.attention.lab import LAB, Sentence
from engine.labs.attention.walk import Walk, visible

TEXT = "the loss falls. the loss"


def small(**knobs: object) -> tuple[GPT, Characters]:
    torch.manual_seed(0)
    characters = Characters(TEXT)
    spec = GPTSpec.of({"layers": 2, "heads": 2, "width": 16, "context": 32, "zero_start": False, **knobs})  # type: ignore[dict-item]
    return build_gpt(spec, characters).eval(), characters


def results(**figures: tuple[float, ...]) -> Results:
    seeds = range(len(next(iter(figures.values()))))
    by_seed = {("look", seed): {name: values[seed] for name, values in figures.items()} for seed in seeds}
    return Results(by_seed, tuple(seeds), Sentence())


def judged(id_: str, found: Results) -> bool | None:
    statement = LAB.statement(id_)
    assert statement is not None
    return statement.judge(found).holds


def walk(place: int = 3) -> Walk:
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(4, 8, generator=generator).tolist() for _ in range(3))
    return Walk(letters=["a", "b", "c", "d"], place=place, layer=1, head=1, queries=q, keys=k, values=v)


def test_a_row_by_hand_is_that_of_torch() -> None:
    generator = torch.Generator().manual_seed(1)
    q, k, v = (torch.randn(7, 8, generator=generator, dtype=torch.float64) for _ in range(3))
    expected = F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True)[0]
    for at in range(7):
        row = attend(q[at].tolist(), k[: at + 1].tolist(), v[: at + 1].tolist())
        assert math.fsum(row.weights) == pytest.approx(1.0)
        assert torch.allclose(torch.tensor(row.output, dtype=torch.float64), expected[at])


def test_scores_too_large_for_exp_are_no_trouble() -> None:
    row = attend([1000.0], [[1.0], [0.5]], [[1.0], [2.0]])
    assert row.weights == pytest.approx([1.0, 0.0])


@pytest.mark.parametrize("positions", ["rotary", "learned"])
def test_what_is_opened_is_what_the_model_computes(positions: str) -> None:
    model, characters = small(positions=positions)
    tokens = characters.encode(TEXT)
    inside = opened(model, tokens)
    assert len(inside) == 2
    for layer, (attention, normed, (q, k, v)) in enumerate(inside):
        weights = model.attention(tokens[None], layer)[0]
        assert torch.allclose(attention.weights(q[None], k[None])[0], weights, atol=1e-6)
        output = attention.projection(by_torch(q, k, v).transpose(0, 1).flatten(1))
        assert torch.allclose(output, attention(normed)[0], atol=1e-5)


def test_spread_is_one_for_even_weights_and_zero_for_a_single_one() -> None:
    even = torch.ones(5, 5).tril()
    even = even / even.sum(1, keepdim=True)
    single = torch.eye(5)
    assert spread(torch.stack([even, single])[None]).tolist() == pytest.approx([1.0, 0.0])


def test_a_head_that_looks_back_by_one_is_told() -> None:
    back = torch.eye(6).roll(-1, 1)
    back[0] = torch.eye(6)[0]
    assert on_previous(torch.stack([back, torch.eye(6)])[None]).tolist() == pytest.approx([1.0, 0.0])


def test_a_head_that_finds_the_repeat_scores_one() -> None:
    class Finder(GPT):
        def attention(self, x_BT: Tensor, layer: int = -1) -> Tensor:
            weights = torch.zeros(len(x_BT), 2, x_BT.size(1), x_BT.size(1))
            half = x_BT.size(1) // 2
            for at in range(x_BT.size(1)):
                weights[:, 0, at, max(0, at - half + 1) if at >= half else 0] = 1.0
                weights[:, 1, at, at] = 1.0
            return weights

    model, characters = small()
    model.__class__ = Finder
    assert induction(model, 0, len(characters), seed=0).tolist() == pytest.approx([1.0, 0.0])


def test_a_survey_has_one_figure_a_head() -> None:
    model, characters = small(context=48)
    windows = characters.encode(TEXT)[None, :20]
    found = survey(model, windows, len(characters), seed=0)
    assert {name: tuple(each.shape) for name, each in found.items()} == {
        "spread": (2, 2),
        "previous": (2, 2),
        "induction": (2, 2),
    }


def test_every_step_says_what_it_does_and_shows_it() -> None:
    steps = list(walk().events())
    assert len(steps) == walk().steps
    for events in steps:
        assert isinstance(events[0], Text) and events[0].name == "step" and events[0].text and events[0].prompt
        assert all(isinstance(each, Table | HeatMap) for each in events[1:]) and len(events) > 1


def test_the_row_fills_up_step_by_step_and_ends_with_weights_that_add_up() -> None:
    tables = [each for events in walk().events() for each in events if each.name == "by hand"]  # type: ignore[attr-defined]
    assert [sum(bool(row[2]) for row in each.rows) for each in tables[:4]] == [1, 2, 3, 4]
    assert [row[0] for row in tables[1].rows] == ["", "▸", "", ""]
    assert sum(float(row[5]) for row in tables[-1].rows) == pytest.approx(1.0, abs=1e-3)


def test_products_add_up_to_the_score_that_is_told() -> None:
    made = walk()
    products = [each for events in made.events() for each in events if each.name == "products"]  # type: ignore[attr-defined]
    for at, table in enumerate(products):
        assert float(table.rows[-1][-1]) == pytest.approx(made.row.products[at], abs=1e-3)


def test_the_first_character_sees_itself_alone() -> None:
    made = walk(place=0)
    assert made.row.weights == [1.0]
    assert made.row.output == pytest.approx(made.values[0])
    assert made.steps == len(list(made.events()))


def test_blanks_and_line_ends_can_be_seen() -> None:
    assert [visible(each) for each in " \na"] == ["␣", "⏎", "a"]


def test_weights_that_gather_bear_the_sentence_out() -> None:
    before = {"spread/before": (0.9, 0.89, 0.9)}
    assert judged("focus", results(**before, **{"spread/after": (0.7, 0.71, 0.7)})) is True
    assert judged("focus", results(**before, **{"spread/after": (0.95, 0.96, 0.95)})) is False
    assert judged("focus", results(**before, **{"spread/after": (0.7, 0.95, 0.9)})) is None
    assert LAB.forecasts[0].outcome(results(**before, **{"spread/after": (0.7, 0.71, 0.7)})) == "Less evenly"


def test_the_head_that_looks_back_is_judged_against_the_start() -> None:
    found = results(**{"previous/before": (0.04, 0.05), "previous/after": (0.4, 0.38)})
    assert judged("previous", found) is True


def test_by_hand_is_held_to_rounding() -> None:
    assert judged("same", results(**{"torch/error": (2e-6,), "model/error": (7e-6,)})) is True
    assert judged("same", results(**{"torch/error": (2e-2,), "model/error": (7e-6,)})) is False


def test_an_empty_sentence_is_refused_when_the_lab_is_set_up() -> None:
    with pytest.raises(UsageError, match="no sentence"):
        Sentence(sentence="  ")


def looked(sentence: Sentence, monkeypatch: pytest.MonkeyPatch) -> FakeBench:
    """Carry the computation out on a model that was never trained."""
    model, characters = small(data="glossary")
    model.register_buffer("words", pack(characters.words))
    monkeypatch.setattr(compute, "open_models", lambda bench: (model, model, characters, model.spec))
    bench = FakeBench(sentence)
    compute.measure(bench)  # type: ignore[arg-type]
    return bench


def test_the_whole_look_agrees_with_torch_and_ends_where_it_was_said_to(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = looked(Sentence(sentence="the loss"), monkeypatch)
    assert bench.step == bench.total_steps
    assert bench.figures["torch/error"] < 1e-5 and bench.figures["model/error"] < 1e-5
    assert bench.figures["spread/before"] == bench.figures["spread/after"]
    assert len(bench.named("weights")) == 4
    (expected,) = bench.named("next character")
    assert isinstance(expected, Table) and len(expected.rows) == 5


def test_characters_that_the_model_does_not_know_are_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = looked(Sentence(sentence="the LOSS", place=99, layer=90, head=99), monkeypatch)
    assert "Of 8 characters 4 are read" in bench.notes[0]
    with pytest.raises(DataError, match="none of the sentence"):
        looked(Sentence(sentence="LOSS"), monkeypatch)

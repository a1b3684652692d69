"""The lab on backpropagation: the graph against finite differences and torch, its steps in words, its judges."""

from __future__ import annotations

import random

import pytest

from engine.core.events import Table, Text
from engine.core.lab import Results
from engine.labs.backpropagation.compute import autograd, difference, random_network
from engine.labs.backpropagation.graph import Graph, Node, network, nudged
from engine.labs.backpropagation.lab import LAB, Questions
from engine.labs.backpropagation.steps import RATE, Walk, backward_words, forward_words, tree


def shown(width: int = 2) -> Graph:
    draw = random.Random(0)
    return network((width, 1), lambda: round(draw.uniform(-1, 1), 2), (0.5, -1.0), 1.0)


def judged(id_: str, **figures: float) -> bool | None:
    statement = LAB.statement(id_)
    assert statement is not None
    return statement.judge(Results({("check", 0): figures}, (0,), Questions())).holds


@pytest.mark.parametrize("seed", range(5))
def test_gradients_agree_with_torch_and_with_nudges(seed: int) -> None:
    graph = random_network(random.Random(seed), depth=3)
    graph.forward()
    graph.backward()
    ours = [node.gradient for node in graph.weights]
    assert difference(ours, autograd(graph)) < 1e-12
    assert difference(ours, [nudged(graph, node, 1e-5) for node in graph.weights]) < 1e-6


def test_a_number_that_is_used_twice_gets_both_slopes() -> None:
    graph = Graph()
    x = graph.leaf("x", 3.0, "weight")
    y = graph.apply("y", "*", x, x)
    graph.forward()
    graph.backward()
    assert (y.value, x.gradient) == (9.0, 6.0)


def test_the_tree_holds_every_node_and_draws_out_once_what_is_used_twice() -> None:
    graph = shown()
    branches = list(tree(graph.nodes[-1]))
    assert {branch.node for branch in branches} == set(graph.nodes)
    again = [branch.node.name for branch in branches if branch.again]
    assert again == ["x1", "x2"]
    assert all(" " not in branch.lead for branch in branches)


def test_steps_go_forward_then_backward_and_end_with_a_smaller_loss() -> None:
    graph = shown()
    steps = list(Walk(graph).events())
    assert len(steps) == Walk(shown()).steps
    parts = [each.prompt for events in steps for each in events if isinstance(each, Text)]
    assert list(dict.fromkeys(parts)) == ["what is given", "forward", "backward", "what it is for"]
    check = shown()
    before = check.forward()
    check.backward()
    for node in check.weights:
        node.value -= RATE * node.gradient
    assert graph.nodes[-1].value == pytest.approx(check.forward())
    assert graph.nodes[-1].value < before


def test_a_step_fills_one_value_and_marks_it_with_its_parents() -> None:
    tables = [events[1] for events in Walk(shown()).events()]
    first, second = tables[0], tables[1]
    assert isinstance(first, Table) and isinstance(second, Table)
    filled = [new[1] for old, new in zip(first.rows, second.rows, strict=True) if old[3] != new[3]]
    assert [name.strip("│├└⠀") for name in filled] == ["p111"]
    marks = {row[0]: row[1].strip("│├└⠀") for row in second.rows if row[0] == "▸"}
    assert marks == {"▸": "p111"}
    assert {row[1].strip("│├└⠀") for row in second.rows if row[0] == "•"} == {"w111", "x1"}


def test_words_tell_the_numbers() -> None:
    a, b = Node("a", value=2.0, gradient=0.5), Node("b", value=-3.0)
    product = Node("c", "*", (a, b), value=-6.0, gradient=2.0)
    assert forward_words(product) == "c is the product of a (+2.0000) and b (-3.0000): -6.0000."
    a.gradient, b.gradient = 0.5 - 6.0, 4.0
    said = backward_words(product, [0.5, 0.0])
    assert "a gets -3.0000 times that, -6.0000 and b gets +2.0000 times that, +4.0000" in said
    assert said.endswith("a had +0.5000 already; both add up to -5.5000.")


def test_judges_take_rounding_for_agreement_and_nothing_more() -> None:
    assert judged("agree", **{"autograd/error": 1e-14, "nudge/error": 1e-7, "weights": 100.0}) is True
    assert judged("agree", **{"autograd/error": 1e-3, "nudge/error": 1e-7, "weights": 100.0}) is False
    assert judged("cheaper", **{"nudge/price": 300.0}) is True
    assert judged("cheaper", **{"nudge/price": 2.0}) is False

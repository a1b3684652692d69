"""Step a small graph forward and backward; then check many graphs against autograd and against nudged weights."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import cast

import torch

from engine.core.events import Points
from engine.labs.backpropagation.graph import Graph, Node, network, nudged
from engine.labs.backpropagation.lab import Questions
from engine.labs.backpropagation.steps import Walk
from engine.labs.workbench import Workbench

NUDGE = 1e-5
"""The cube root of the rounding error of a float64, where a central difference errs least."""

OPERATIONS: dict[str, Callable[..., torch.Tensor]] = {
    "*": torch.mul,
    "+": torch.add,
    "-": torch.sub,
    "tanh": torch.tanh,
    "square": torch.square,
}


def measure(bench: Workbench) -> None:
    """Show one graph node by node, then compare gradients over many random networks."""
    asked = cast(Questions, bench.settings)
    draw = random.Random(bench.seed)
    shown = network((asked.width, 1), lambda: round(draw.uniform(-1, 1), 2), (0.5, -1.0), 1.0)
    walk = Walk(shown)
    bench.start(total_steps=walk.steps + asked.graphs)
    bench.enter("stepping")
    step_through(bench, walk)

    bench.enter("comparing")
    worst = {"autograd": 0.0, "nudge": 0.0}
    pairs: list[tuple[float, float]] = []
    weights = 0
    for _ in range(asked.graphs):
        graph = random_network(draw, asked.depth)
        graph.forward()
        graph.backward()
        ours = [node.gradient for node in graph.weights]
        exact = autograd(graph)
        nudges = [nudged(graph, node, NUDGE) for node in graph.weights]
        worst["autograd"] = max(worst["autograd"], difference(ours, exact))
        worst["nudge"] = max(worst["nudge"], difference(ours, nudges))
        pairs += list(zip(ours, nudges, strict=True))
        weights += len(ours)
        bench.advance(autograd__error=worst["autograd"], nudge__error=worst["nudge"])
    few = pairs[:: max(1, len(pairs) // 400)]
    bench.emit(Points(name="gradients", x=[a for a, _ in few], y=[b for _, b in few], group=[0] * len(few)))
    cost = price(draw)
    bench.figures |= {
        "autograd/error": worst["autograd"],
        "nudge/error": worst["nudge"],
        "weights": float(weights),
        "nudge/price": cost,
    }


def step_through(bench: Workbench, walk: Walk) -> None:
    """Emit the graph after every single step, forward and then backward."""
    for events in walk.events():
        bench.emit(*events)
        bench.advance()


def random_network(draw: random.Random, depth: int) -> Graph:
    """Return a network of random shape, weights and data."""
    sizes = [*(draw.randint(1, 4) for _ in range(depth)), 1]
    inputs = [draw.gauss(0, 1) for _ in range(draw.randint(1, 4))]
    return network(sizes, lambda: draw.gauss(0, 1), inputs, draw.gauss(0, 1))


def autograd(graph: Graph) -> list[float]:
    """Return the gradients of all weights as torch computes them, in float64."""
    tensors: dict[Node, torch.Tensor] = {}
    for node in graph.nodes:
        before = [tensors[parent] for parent in node.parents]
        if not before:
            tensors[node] = torch.tensor(node.value, dtype=torch.float64, requires_grad=node.operation == "weight")
        else:
            tensors[node] = OPERATIONS[node.operation](*before)
    weights = [tensors[node] for node in graph.weights]
    return [float(each) for each in torch.autograd.grad(tensors[graph.nodes[-1]], weights)]


def difference(ours: Sequence[float], others: Sequence[float]) -> float:
    """Return the largest difference of two lists of gradients, as a share of the largest gradient."""
    size = max(map(abs, ours)) or 1.0
    return max(abs(a - b) for a, b in zip(ours, others, strict=True)) / size


def price(draw: random.Random) -> float:
    """Return how many times as long nudging each of some 600 weights takes as one pass forward and backward."""
    graph = network((24, 20, 1), lambda: draw.gauss(0, 0.3), [draw.gauss(0, 1) for _ in range(4)], 0.5)
    began = time.perf_counter()
    for _ in range(20):
        graph.forward()
        graph.backward()
    both = (time.perf_counter() - began) / 20
    began = time.perf_counter()
    for node in graph.weights:
        nudged(graph, node, NUDGE)
    return (time.perf_counter() - began) / both

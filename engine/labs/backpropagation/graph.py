"""A graph of single numbers that runs forward and, node by node, backward. Nothing but the standard library.

Source: the chain rule, in reverse mode: Baydin et al. 2018, Automatic Differentiation in Machine Learning: a Survey.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(eq=False)
class Node:
    """One number of the graph, and how it came about.

    Attributes:
        name: for a person to read.
        operation: ``input``, ``weight``, ``*``, ``+``, ``-``, ``tanh``, ``square``.
        parents: the nodes that it is computed from, in order.
        value: after the forward pass.
        gradient: by how much the last node changes per change of this one; after the backward pass.
    """

    name: str
    operation: str = "input"
    parents: tuple[Node, ...] = ()
    value: float = 0.0
    gradient: float = 0.0

    def formula(self) -> str:
        """Return how it is computed, in names: ``w1 * x1``, ``tanh(s)``."""
        names = [parent.name for parent in self.parents]
        if not names:
            return self.operation
        if self.operation in {"tanh", "square"}:
            return f"{self.operation}({names[0]})"
        return f" {self.operation} ".join(names)


FORWARD: dict[str, Callable[..., float]] = {
    "*": lambda a, b: a * b,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "tanh": math.tanh,
    "square": lambda a: a * a,
}
LOCAL: dict[str, Callable[..., tuple[float, ...]]] = {
    "*": lambda a, b: (b, a),
    "+": lambda a, b: (1.0, 1.0),
    "-": lambda a, b: (1.0, -1.0),
    "tanh": lambda a: (1.0 - math.tanh(a) ** 2,),
    "square": lambda a: (2.0 * a,),
}
"""The local derivatives of each operation, one for each parent."""


@dataclass
class Graph:
    """Nodes in an order in which every node comes after its parents; the last one is the loss."""

    nodes: list[Node] = field(default_factory=list)

    def leaf(self, name: str, value: float, operation: str = "input") -> Node:
        """Add a number that is given: an input or a weight."""
        return self._add(Node(name, operation, (), value))

    def apply(self, name: str, operation: str, *parents: Node) -> Node:
        """Add what an operation makes of other nodes."""
        return self._add(Node(name, operation, parents))

    def _add(self, node: Node) -> Node:
        self.nodes.append(node)
        return node

    @property
    def weights(self) -> list[Node]:
        """The nodes that training would change."""
        return [node for node in self.nodes if node.operation == "weight"]

    def forward_step(self, node: Node) -> None:
        """Compute the value of one node from those of its parents."""
        if node.parents:
            node.value = FORWARD[node.operation](*(parent.value for parent in node.parents))

    def forward(self) -> float:
        """Compute every value; return that of the last node."""
        for node in self.nodes:
            self.forward_step(node)
        return self.nodes[-1].value

    def begin_backward(self) -> None:
        """Forget all gradients; that of the last node by itself is 1."""
        for node in self.nodes:
            node.gradient = 0.0
        self.nodes[-1].gradient = 1.0

    def backward_step(self, node: Node) -> None:
        """Hand a node's gradient on to its parents, each times the local derivative. They add it up."""
        if node.parents:
            local = LOCAL[node.operation](*(parent.value for parent in node.parents))
            for parent, slope in zip(node.parents, local, strict=True):
                parent.gradient += slope * node.gradient

    def backward(self) -> None:
        """Compute every gradient, from the last node to the first."""
        self.begin_backward()
        for node in reversed(self.nodes):
            self.backward_step(node)


def network(sizes: Sequence[int], weight: Callable[[], float], inputs: Sequence[float], target: float) -> Graph:
    """Return the graph of a network with tanh layers of `sizes` (the last one is 1) and a squared error.

    Args:
        sizes: neurons of each layer after the input.
        weight: gives the next weight or bias.
        inputs: the numbers that it reads.
        target: what it should have said.
    """
    graph = Graph()
    layer = [graph.leaf(f"x{index}", value) for index, value in enumerate(inputs, 1)]
    for depth, size in enumerate(sizes, 1):
        last = depth == len(sizes)
        layer = [_neuron(graph, layer, weight, f"{depth}{number}", linear=last) for number in range(1, size + 1)]
    wanted = graph.leaf("y", target)
    miss = graph.apply("miss", "-", layer[0], wanted)
    graph.apply("loss", "square", miss)
    return graph


def _neuron(graph: Graph, layer: list[Node], weight: Callable[[], float], name: str, *, linear: bool) -> Node:
    """Add one neuron: the weighted sum of a layer plus a bias, through tanh unless it is the output."""
    total = graph.leaf(f"b{name}", weight(), "weight")
    for index, node in enumerate(layer, 1):
        factor = graph.leaf(f"w{name}{index}", weight(), "weight")
        product = graph.apply(f"p{name}{index}", "*", factor, node)
        total = graph.apply(f"s{name}{index}", "+", total, product)
    return total if linear else graph.apply(f"h{name}", "tanh", total)


def nudged(graph: Graph, node: Node, by: float) -> float:
    """Return the slope that two forward passes show: with the node a little larger, and a little smaller."""
    value = node.value
    node.value = value + by
    above = graph.forward()
    node.value = value - by
    below = graph.forward()
    node.value = value
    graph.forward()
    return (above - below) / (2 * by)

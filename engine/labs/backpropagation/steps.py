"""The graph step by step, forward and backward: a tree of all numbers, and what each step does, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from engine.core.events import Event, Table, Text
from engine.labs.backpropagation.graph import LOCAL, Graph, Node

BLANK = "\N{BRAILLE PATTERN BLANK}"
"""Indents the tree: cells of a table lose their plain blanks."""
RATE = 0.1
"""How far the last step moves each weight against its slope."""
COLUMNS = ["", "node", "is", "value", "slope"]


@dataclass(frozen=True, slots=True)
class Branch:
    """One line of the tree: a node, and the lines that lead to it from the loss."""

    node: Node
    lead: str
    again: bool
    """Whether the node stands further up already, with what is below it."""


def tree(root: Node, lead: str = "", below: str = "", seen: set[Node] | None = None) -> Iterator[Branch]:
    """Yield the graph below a node as lines of a tree; what is used twice is drawn out once."""
    seen = set() if seen is None else seen
    again = root in seen
    seen.add(root)
    yield Branch(root, lead, again)
    if again:
        return
    for parent in root.parents:
        last = parent is root.parents[-1]
        yield from tree(parent, below + ("└" if last else "├"), below + (BLANK if last else "│"), seen)


@dataclass
class Walk:
    """A graph that is stepped through once, forward and then backward."""

    graph: Graph
    branches: list[Branch] = field(init=False)
    known: set[Node] = field(default_factory=set)
    """Nodes whose value is computed."""
    reached: set[Node] = field(default_factory=set)
    """Nodes that something was handed to on the way back."""

    def __post_init__(self) -> None:
        self.branches = list(tree(self.graph.nodes[-1]))
        self.inner = [node for node in self.graph.nodes if node.parents]

    @property
    def steps(self) -> int:
        """How many steps it takes."""
        return 2 * len(self.inner) + 3

    def events(self) -> Iterator[tuple[Event, ...]]:
        """Yield what each step shows, computing as it goes."""
        self.known = {node for node in self.graph.nodes if not node.parents}
        weights = len(self.graph.weights)
        yield (
            say(
                "what is given",
                f"The inputs, the target and {weights} weights are given. Everything else is computed from them, node "
                "by node, up to the loss at the root of the tree.",
            ),
            self.table(None),
        )
        for node in self.inner:
            self.graph.forward_step(node)
            self.known.add(node)
            yield say("forward", forward_words(node)), self.table(node), forward_table(node)
        yield from self._backward()
        yield self._used()

    def _backward(self) -> Iterator[tuple[Event, ...]]:
        loss = self.graph.nodes[-1]
        self.graph.begin_backward()
        self.reached = {loss}
        yield (
            say(
                "backward",
                "Now the way back. The slope of a node says by how much the loss changes per change of that node. For "
                "the loss itself it is 1.",
            ),
            self.table(loss),
        )
        for node in reversed(self.inner):
            before = [parent.gradient for parent in node.parents]
            self.graph.backward_step(node)
            self.reached.update(node.parents)
            words = say("backward", backward_words(node, before))
            yield words, self.table(node), backward_table(node, before)

    def _used(self) -> tuple[Event, ...]:
        """Move every weight a little against its slope; the graph then holds the new values."""
        loss = self.graph.nodes[-1]
        was = loss.value
        rows = [[node.name, f"{node.value:+.4f}", f"{node.gradient:+.4f}"] for node in self.graph.weights]
        for node in self.graph.weights:
            node.value -= RATE * node.gradient
        now = self.graph.forward()
        for row, node in zip(rows, self.graph.weights, strict=True):
            row.append(f"{node.value:+.4f}")
        return (
            say(
                "what it is for",
                f"Every weight moves by {RATE:g} times its slope, against it. The loss was {was:.4f}; computed anew it "
                f"is {now:.4f}. That is one step of gradient descent.",
            ),
            self.table(None),
            Table(name="weights", columns=["weight", "was", "slope", "is now"], rows=rows),
        )

    def table(self, now: Node | None) -> Table:
        """Return the tree with what is known of each node so far, the one at work and its parents marked."""
        rows = []
        for branch in self.branches:
            node = branch.node
            takes_part = now is not None and node in now.parents
            rows.append(
                [
                    "▸" if node is now else "•" if takes_part else "",
                    f"{branch.lead}{node.name}",
                    "see above" if branch.again and node.parents else node.formula(),
                    f"{node.value:+.4f}" if node in self.known else "",
                    f"{node.gradient:+.4f}" if node in self.reached else "",
                ]
            )
        return Table(name="graph", columns=COLUMNS, rows=rows)


def say(part: str, text: str) -> Text:
    """Return the sentence of a step."""
    return Text(name="step", prompt=part, text=text)


WORDS = {
    "*": "the product of {0} and {1}",
    "+": "the sum of {0} and {1}",
    "-": "{0} less {1}",
    "tanh": "tanh of {0}, which bends it to between -1 and 1",
    "square": "{0} times itself",
}


def forward_words(node: Node) -> str:
    """Say how a node gets its value."""
    names = [f"{parent.name} ({parent.value:+.4f})" for parent in node.parents]
    return f"{node.name} is {WORDS[node.operation].format(*names)}: {node.value:+.4f}."


def backward_words(node: Node, before: Sequence[float]) -> str:
    """Say what a node hands to its parents."""
    slopes = LOCAL[node.operation](*(parent.value for parent in node.parents))
    given = joined(
        [
            f"{parent.name} gets {slope:+.4f} times that, {slope * node.gradient:+.4f}"
            for parent, slope in zip(node.parents, slopes, strict=True)
        ]
    )
    twice = [
        f" {parent.name} had {old:+.4f} already; both add up to {parent.gradient:+.4f}."
        for parent, old in zip(node.parents, before, strict=True)
        if old
    ]
    return f"{node.name} hands its slope of {node.gradient:+.4f} on: {given}.{''.join(twice)}"


def joined(words: Sequence[str]) -> str:
    """Return words with *and* before the last."""
    return " and ".join(words)


def forward_table(node: Node) -> Table:
    """Return what goes into a node and what comes out."""
    rows = [[parent.name, f"{parent.value:+.4f}"] for parent in node.parents]
    return Table(
        name="this step",
        columns=["number", "value"],
        rows=[*rows, [f"{node.name} = {node.formula()}", f"{node.value:+.4f}"]],
    )


def backward_table(node: Node, before: Sequence[float]) -> Table:
    """Return the local derivatives, and what each parent had, gets and has."""
    slopes = LOCAL[node.operation](*(parent.value for parent in node.parents))
    rows = [
        [parent.name, f"{slope:+.4f}", f"{slope * node.gradient:+.4f}", f"{old:+.4f}", f"{parent.gradient:+.4f}"]
        for parent, slope, old in zip(node.parents, slopes, before, strict=True)
    ]
    return Table(name="this step", columns=["parent", "local", f"x {node.gradient:+.4f}", "had", "has now"], rows=rows)

"""The sentence step by step: one row of one head by hand, then every head as a map.

Every step is one sentence (the text named ``step``) and what it is about, as tables and heat maps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from engine.core.events import Event, HeatMap, Table, Text
from engine.labs.attention.byhand import Row, attend, mix

MIXED_ALONE = 4
"""Values, those with the largest weights, that are added one at a time."""
PRODUCTS = ["number", "query", "key", "product", "sum so far"]
COLUMNS = ["", "looks at", "q·k", "score", "e^score", "weight"]


def visible(character: str) -> str:
    """Return a character as it can be seen in a table."""
    return "␣" if character == " " else character if character.isprintable() else "⏎"


def percent(share: float) -> str:
    """Return a share as it is written in a sentence."""
    return f"{100 * share:.1f} %"


@dataclass(kw_only=True)
class Walk:
    """One row of one head.

    Attributes:
        letters: the characters of the sentence, as they can be seen.
        place: index of the character that looks.
        layer, head: which head, from 1.
        queries, keys, values: of the whole sentence in this head, one list a character.
    """

    letters: Sequence[str]
    place: int
    layer: int
    head: int
    queries: Sequence[Sequence[float]]
    keys: Sequence[Sequence[float]]
    values: Sequence[Sequence[float]]
    row: Row = field(init=False)

    def __post_init__(self) -> None:
        seen = self.place + 1
        self.row = attend(self.queries[self.place], self.keys[:seen], self.values[:seen])

    @property
    def steps(self) -> int:
        """How many steps it takes."""
        return sum(1 for _ in self.events())

    def events(self) -> Iterator[tuple[Event, ...]]:
        """Yield what each step shows."""
        yield self._characters()
        yield self._views()
        for at in range(self.place + 1):
            yield self._score(at)
        yield self._powers()
        yield self._weights()
        yield from self._mixing()

    def name(self, at: int) -> str:
        """Return how a character is called in a sentence."""
        return f"'{self.letters[at]}' (place {at + 1})"

    def say(self, heading: str, text: str) -> Text:
        """Return the sentence of a step."""
        return Text(name="step", prompt=heading, text=text)

    def table(self, scored: int, known: int, now: int = -1) -> Table:
        """Return the row so far: scores up to `scored`, of the later columns the first `known`; `now` is marked."""
        rows = []
        for at in range(self.place + 1):
            score = [f"{self.row.products[at]:+.3f}", f"{self.row.scores[at]:+.3f}"] if at <= scored else ["", ""]
            later = [f"{self.row.powers[at]:.4f}", f"{self.row.weights[at]:.4f}"][:known] + ["", ""][known:]
            rows.append(["▸" if at == now else "", f"{at + 1} {self.letters[at]}", *score, *later])
        return Table(name="by hand", columns=COLUMNS, rows=rows)

    def numbers(self, name: str, rows: Sequence[tuple[str, Sequence[float]]]) -> HeatMap:
        """Return lists of numbers, one a row."""
        width = len(rows[0][1])
        return HeatMap(
            name=name,
            values=[[round(value, 4) for value in row] for _, row in rows],
            rows=[label for label, _ in rows],
            columns=[str(number) for number in range(1, width + 1)],
            column_title="number",
        )

    def _characters(self) -> tuple[Event, ...]:
        rows = [["▸" if at == self.place else "", str(at + 1), letter] for at, letter in enumerate(self.letters)]
        return (
            self.say(
                "the sentence",
                f"The model reads {len(self.letters)} characters. We follow {self.name(self.place)}, which sees itself "
                f"and the {self.place} before it, in head {self.head} of layer {self.layer}.",
            ),
            Table(name="characters", columns=["", "place", "character"], rows=rows),
        )

    def _views(self) -> tuple[Event, ...]:
        seen = range(self.place + 1)
        width = len(self.queries[0])
        maps = [
            self.numbers(name, [(f"{at + 1} {self.letters[at]}", lists[at]) for at in seen])
            for name, lists in (("queries", self.queries), ("keys", self.keys), ("values", self.values))
        ]
        return (
            self.say(
                "three views",
                f"From its row of numbers each character makes three lists of {width}: a query (what am I looking "
                "for), a key (what do I have to offer) and a value (what do I hand over).",
            ),
            *maps,
        )

    def _score(self, at: int) -> tuple[Event, ...]:
        query, key = self.queries[self.place], self.keys[at]
        products = [a * b for a, b in zip(query, key, strict=True)]
        return (
            self.say(
                "scores",
                f"The query of {self.name(self.place)} times the key of {self.name(at)}: {len(query)} products, "
                f"together {self.row.products[at]:+.3f}. Over the root of {len(query)} that is a score of "
                f"{self.row.scores[at]:+.3f}.",
            ),
            self.table(at, 0, at),
            Table(name="products", columns=PRODUCTS, rows=self._product_rows(query, key)),
            self.numbers("query times key", [("query", query), ("key", key), ("product", products)]),
        )

    def _product_rows(self, query: Sequence[float], key: Sequence[float]) -> list[list[str]]:
        """Return every product of two lists, and what they add up to on the way."""
        total = 0.0
        rows = []
        for number, (a, b) in enumerate(zip(query, key, strict=True), 1):
            total += a * b
            rows.append([str(number), f"{a:+.3f}", f"{b:+.3f}", f"{a * b:+.3f}", f"{total:+.3f}"])
        return rows

    def _powers(self) -> tuple[Event, ...]:
        return (
            self.say(
                "softmax",
                f"e to the power of each score makes all of them positive. The largest score, "
                f"{max(self.row.scores):+.3f}, is taken off first, so that the largest power is 1. They add up to "
                f"{sum(self.row.powers):.4f}.",
            ),
            self.table(self.place, 1),
        )

    def _weights(self) -> tuple[Event, ...]:
        best = max(range(self.place + 1), key=lambda at: self.row.weights[at])
        return (
            self.say(
                "softmax",
                f"Each power over the sum {sum(self.row.powers):.4f} is a weight, and the weights add up to 1. "
                f"{self.name(best)} gets the most: {percent(self.row.weights[best])}.",
            ),
            self.table(self.place, 2, best),
        )

    def _mixing(self) -> Iterator[tuple[Event, ...]]:
        """Yield the output as it grows: the values with the largest weights one by one, the others together."""
        order = sorted(range(self.place + 1), key=lambda at: -self.row.weights[at])
        done: list[int] = []
        for group in [*([at] for at in order[:MIXED_ALONE]), order[MIXED_ALONE:]]:
            if not group:
                continue
            share = mix([self.row.weights[at] for at in group], [self.values[at] for at in group])
            done += group
            total = mix([self.row.weights[at] for at in done], [self.values[at] for at in done])
            weight = sum(self.row.weights[at] for at in group)
            whose = self.name(group[0]) if len(group) == 1 else f"the other {len(group)} characters"
            label = self.letters[group[0]] if len(group) == 1 else "others"
            yield (
                self.say(
                    "the mix",
                    f"The value of {whose} times {weight:.4f} is added. Together so far: "
                    f"{percent(sum(self.row.weights[at] for at in done))} of the weight.",
                ),
                self.table(self.place, 2, group[0] if len(group) == 1 else -1),
                self.numbers("output", [(f"{weight:.3f} x {label}", share), ("so far", total)]),
            )

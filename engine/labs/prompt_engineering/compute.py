"""Measure what a model makes of prompts: by number, order, form and rightness of the examples in them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core.events import Scalars, Table, Text
from engine.core.interval import bootstrap_interval
from engine.data.many_tasks import RULES
from engine.data.text import Characters
from engine.families.gpt.loading import load_gpt
from engine.labs.prompt_engineering.answers import Reader
from engine.labs.prompt_engineering.lab import Prompting
from engine.labs.prompt_engineering.prompts import ENDS, FORMS, MOST, SHOTS, Task, orders, spoiled, tasks, write
from engine.labs.workbench import Workbench

Rights = NDArray[np.float64]
"""1 where an answer was right, else 0."""
QUERIES = 8
"""Words that each set of examples is asked about in every order."""
ORDERS = 12
"""Of 24 that four examples have."""
SHUFFLES = 200
"""Of the answers among the orders, to see what chance alone does."""
PERIODS = 4
"""Steps after those of the numbers of examples: order, form, rightness, the person's own prompt."""


def measure(bench: Workbench) -> None:
    """Measure one part after the other; each is a step or a few."""
    asked = cast(Prompting, bench.settings)
    torch.set_num_threads(bench.asked.threads or 1)
    bench.start(total_steps=MOST + PERIODS)
    bench.read("base")
    model, characters = load_gpt(bench.run_folder("base"))
    assert isinstance(characters, Characters)
    reader = Reader(model, characters)
    if asked.prompt:
        reader.check(asked.prompt)
    draw = random.Random(bench.seed + 1)
    drawn = tasks(draw, asked.prompts, MOST)

    by_number(bench, reader, drawn)
    bench.enter("order")
    by_order(bench, reader, draw, asked.prompts // 6)
    bench.enter("form")
    four = [each.first(SHOTS) for each in drawn]
    by_form(bench, reader, four)
    bench.enter("wrong answers")
    by_rightness(bench, reader, four, draw)
    bench.enter("your prompt")
    try_prompt(bench, reader, asked.prompt)


def rights(reader: Reader, drawn: Sequence[Task]) -> Rights:
    """Return for each task whether the answer was right, as 1 or 0."""
    return np.array(reader.right([write(each) for each in drawn]), dtype=np.float64)


def cells(values: Rights) -> list[str]:
    """Return accuracy and its interval, as a table has them."""
    found, low, high = bootstrap_interval(values, np.mean)
    return [f"{found:.1%}", f"{low:.1%} to {high:.1%}"]


def by_number(bench: Workbench, reader: Reader, drawn: Sequence[Task]) -> None:
    """Ask about the same words with none to `MOST` examples; the step of the bench is their number."""
    columns = ["examples", "right", "95 % (bootstrap over prompts)", "best possible"]
    rows: list[list[str]] = []
    kept: dict[int, Rights] = {}
    for count in range(MOST + 1):
        some = [each.first(count) for each in drawn]
        kept[count] = rights(reader, some)
        best = float(np.mean([each.best() for each in some]))
        if count:  # step 0 is where the bench begins
            bench.advance()
        rows.append([str(count), *cells(kept[count]), f"{best:.1%}"])
        bench.figures |= {f"accuracy/{count}": float(kept[count].mean()), f"best/{count}": best}
        bench.emit(Table(name="by number of examples", columns=columns, rows=list(rows)), shown(reader, some))
        bench.emit(Scalars(n=count, v={"accuracy": float(kept[count].mean()), "best possible": best}))
    numbers = (0, 1, 2, 4, MOST)
    table = []
    for rule in RULES:
        of_rule = np.array([each.rule == rule for each in drawn])
        table.append([rule, *(f"{kept[number][of_rule].mean():.0%}" for number in numbers)])
    bench.emit(Table(name="by task", columns=["task", *(f"{number} examples" for number in numbers)], rows=table))


def shown(reader: Reader, some: Sequence[Task]) -> Text:
    """Return a few prompts as the model reads them, with what it writes and what is right."""
    lines = []
    for each in some[: len(RULES)]:
        prompt = write(each)
        written = reader.completed(prompt.text).rstrip("".join(ENDS))
        mark = "right" if written == each.answer else f"wrong: {each.answer}"
        lines.append(f"{prompt.text.strip()} [{written}]  {mark} ({each.rule})")
    return Text(name="prompts", text="\n".join(lines))


def by_order(bench: Workbench, reader: Reader, draw: random.Random, sets: int) -> None:
    """Ask several words about the same examples in several orders; then once more with one answer wrong."""
    rows = []
    for name, wrong in (("all right", 0), ("one wrong", 1)):
        right = in_orders(reader, [spoiled(draw, each, wrong) for each in tasks(draw, sets, SHOTS)], draw)
        share = right.mean(2)
        undecided = ((share > 0) & (share < 1)).astype(np.float64)
        gap, chance = gaps(right, np.random.default_rng(bench.seed))
        rows.append([name, *cells(right.ravel())[:1], *cells(undecided.ravel()), f"{gap:.1%}", f"{chance:.1%}"])
        bench.figures |= {
            f"order/{name}/decides": float(undecided.mean()),
            f"order/{name}/gap": gap,
            f"order/{name}/chance": chance,
            f"order/{name}/excess": gap - chance,
        }
    columns = ["examples", "right", "right in some orders only", "95 %", "best order minus worst", "by chance"]
    bench.emit(Table(name="by order", columns=columns, rows=rows))
    bench.advance()


def in_orders(reader: Reader, sets: Sequence[Task], draw: random.Random) -> Rights:
    """Return which answers are right, ``SQO``: sets of examples, words asked about, orders of the examples."""
    asked: list[Task] = []
    for each in sets:
        arranged = orders(draw, each, ORDERS)
        words = [task.query for task in tasks(draw, QUERIES, 0)]
        asked += [Task(each.rule, one.examples, query) for query in words for one in arranged]
    return rights(reader, asked).reshape(len(sets), QUERIES, ORDERS)


def gaps(right_SQO: Rights, draw: np.random.Generator) -> tuple[float, float]:
    """Return the mean over sets of best minus worst order, and the same with each word's answers shuffled among orders.

    Legend: S sets of examples, Q words that are asked about, O orders. Where no order is better than another, the
    first is as large as the second, up to chance.
    """
    by_order_SO = right_SQO.mean(1)
    gap = float((by_order_SO.max(1) - by_order_SO.min(1)).mean())
    found = []
    for _ in range(SHUFFLES):
        mixed_SO = draw.permuted(right_SQO, axis=2).mean(1)
        found.append((mixed_SO.max(1) - mixed_SO.min(1)).mean())
    return gap, float(np.mean(found))


def by_form(bench: Workbench, reader: Reader, four: Sequence[Task]) -> None:
    """Write the very same examples in other forms."""
    rows = []
    for number, (name, form) in enumerate(FORMS):
        right = np.array(reader.right([write(each, form) for each in four]), dtype=np.float64)
        first = write(four[0].first(1), form).text.strip()
        rows.append([name, first, *cells(right)])
        bench.figures[f"form/{number}"] = float(right.mean())
    bench.emit(Table(name="by form", columns=["form", "looks like", "right", "95 %"], rows=rows))
    bench.advance()


def by_rightness(bench: Workbench, reader: Reader, four: Sequence[Task], draw: random.Random) -> None:
    """Put wrong answers into the examples, last ones first."""
    rows = []
    for wrong in range(SHOTS + 1):
        right = rights(reader, [spoiled(draw, each, wrong) for each in four])
        rows.append([f"{wrong} of {SHOTS}", *cells(right)])
        bench.figures[f"wrong/{wrong}"] = float(right.mean())
    bench.emit(Table(name="by wrong answers", columns=["wrong answers", "right", "95 %"], rows=rows))
    bench.advance()


def try_prompt(bench: Workbench, reader: Reader, prompt: str) -> None:
    """Complete the person's own prompt, and say how sure the model is of the first letter."""
    if prompt:
        text = f"\n{prompt}"
        bench.emit(Text(name="your prompt", prompt=prompt, text=reader.completed(text)))
        rows = [[repr(letter)[1:-1], f"{chance:.1%}"] for letter, chance in reader.likeliest(text)]
        bench.emit(Table(name="next letter", columns=["letter", "probability"], rows=rows))
    bench.advance()

"""Let everybody compete on every table with every number of rows, and add up."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import torch

from engine.core.errors import DataError
from engine.core.events import HeatMap, Table
from engine.core.interval import bootstrap_interval
from engine.core.spec import Value
from engine.labs.trees_against_nets.contest import Outcome, Score, compete, mean
from engine.labs.trees_against_nets.contestants import CONTESTANTS, Config
from engine.labs.trees_against_nets.lab import NAMES, Tables
from engine.labs.trees_against_nets.tables import Task, tasks
from engine.labs.workbench import Workbench

SHORT = {"logistic": "linear", "forest": "forest", "boosting": "boosting", "network": "net"}
FEWEST_TABLES = 3
"""From which on resampling them says how much the choice of tables matters."""


@dataclass
class Tally:
    """What was measured so far: (table, rows) -> contestant -> outcome."""

    outcomes: dict[tuple[str, int], dict[str, Outcome]] = field(default_factory=lambda: defaultdict(dict))

    def scores(self, name: str, *, tuned: bool = True, rows: int = 0) -> list[Score]:
        """Return a contestant's scores, one a contest; `rows` picks those with that many."""
        found = [each[name] for (_, count), each in self.outcomes.items() if name in each and rows in (0, count)]
        return [each.tuned if tuned else each.untuned for each in found]

    def gaps(self, name: str, other: str) -> dict[str, list[float]]:
        """Return by how much `name` was more accurate than `other`, table by table."""
        found: dict[str, list[float]] = defaultdict(list)
        for (table, _), each in self.outcomes.items():
            found[table].append(each[name].tuned.accuracy - each[other].tuned.accuracy)
        return found


def measure(bench: Workbench) -> None:
    """Fit everybody to every table; report after each contest.

    Raises:
        DataError: a file of a person's own cannot be used, or no table has enough rows.
    """
    asked = cast(Tables, bench.settings)
    torch.set_num_threads(1)
    there = list(tasks(asked.data, asked.target, asked.leave_out, bench.seed))
    contests = [(task, count) for task in there for count in counts_of(task, asked.counts())]
    bench.start(total_steps=len(contests) * len(CONTESTANTS))
    for task in there:
        for remark in task.remarks:
            bench.say(remark)
    tally = Tally()
    for task, count in contests:
        data = task.examples(task.training_rows(count, bench.seed))
        for contestant in CONTESTANTS:
            outcome = compete(contestant, data, asked.budget, bench.seed)
            tally.outcomes[task.name, count][contestant.name] = outcome
            known = {f"mean__{name}": mean([each.accuracy for each in scores]) for name, scores in means(tally).items()}
            bench.advance(**known)
        show(bench, tally, asked.counts())
    bench.figures |= figures(tally, asked.counts())


def counts_of(task: Task, wanted: list[int]) -> list[int]:
    """Return the numbers of rows that a table has; where it has not even the smallest, all that it has.

    Raises:
        DataError: it has too few rows for any contest.
    """
    there = len(task.pool_labels)
    if there < len(task.classes) * 2:
        raise DataError(f"{task.name} leaves {there} rows to learn from, too few.", "Use more rows.")
    return [count for count in wanted if count <= there] or [there]


def means(tally: Tally) -> dict[str, list[Score]]:
    """Return the tuned scores of those who have competed."""
    return {name: scores for name in NAMES if (scores := tally.scores(name))}


def show(bench: Workbench, tally: Tally, counts: list[int]) -> None:
    """Emit the maps and tables of all contests so far."""
    for what, tuned in (("share right", True), ("share right, untuned", False)):
        bench.emit(score_map(tally, what, tuned=tuned, loss=False))
    for what, tuned in (("log loss", True), ("log loss, untuned", False)):
        bench.emit(score_map(tally, what, tuned=tuned, loss=True))
    rows = []
    for name, title in SHORT.items():
        cells = [tally.scores(name, tuned=tuned, rows=count) for tuned in (True, False) for count in counts]
        rows.append([title, *(f"{100 * mean([s.accuracy for s in cell]):.1f}" if cell else "" for cell in cells)])
    heads = [f"{count}{word}" for word in ("", " as is") for count in counts]
    bench.emit(Table(name="by rows", columns=["", *heads], rows=rows))
    (table, count), last = list(tally.outcomes.items())[-1]
    chosen = [[SHORT[name], words(each.chosen)] for name, each in last.items()]
    bench.emit(Table(name="chosen", columns=[f"{table}, {count} rows", "settings"], rows=chosen))


def score_map(tally: Tally, name: str, *, tuned: bool, loss: bool) -> HeatMap:
    """Return accuracy in percent, or log loss, of everybody in every contest."""
    values = []
    for outcomes in tally.outcomes.values():
        scores = [outcomes[each].tuned if tuned else outcomes[each].untuned for each in NAMES]
        values.append([round(each.loss, 3) if loss else round(100 * each.accuracy, 1) for each in scores])
    labels = [f"{table} {count}" for table, count in tally.outcomes]
    return HeatMap(
        name=name, values=values, rows=labels, columns=list(SHORT.values()),
        row_title="table and rows", column_title="method",
    )  # fmt: skip


def words(config: Config) -> str:
    """Return settings as ``name=value`` words; nothing chosen is said to be as it comes."""
    return " ".join(f"{name}={short(value)}" for name, value in config.items()) or "as it comes"


def short(value: Value | None) -> str:
    """Return a value with three digits."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def figures(tally: Tally, counts: list[int]) -> dict[str, float]:
    """Return means over all contests, over those with so many rows, and leads over the network with intervals."""
    found = {"contests": float(len(tally.outcomes))}
    for name in NAMES:
        for tuned, prefix in ((True, ""), (False, "untuned/")):
            scores = tally.scores(name, tuned=tuned)
            found[f"{prefix}accuracy/{name}"] = mean([each.accuracy for each in scores])
            found[f"{prefix}loss/{name}"] = mean([each.loss for each in scores])
        for count in counts:
            if scores := tally.scores(name, rows=count):
                found[f"accuracy/{name}/{count}"] = mean([each.accuracy for each in scores])
        low, high = over_tables([mean(each) for each in tally.gaps(name, "network").values()])
        found |= {
            f"gap/{name}": found[f"accuracy/{name}"] - mean([s.accuracy for s in tally.scores("network")]),
            f"gap/{name}/low": low,
            f"gap/{name}/high": high,
        }
    return found


def over_tables(gaps: list[float]) -> tuple[float, float]:
    """Return the 95 % interval of the mean over resampled tables; NaN where a few tables cannot tell."""
    if len(gaps) < FEWEST_TABLES:
        return math.nan, math.nan
    _, low, high = bootstrap_interval(np.array(gaps), lambda each: float(each.mean()))
    return low, high

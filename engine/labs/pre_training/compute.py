"""Both starts, one after the other, on more and more labeled examples; always the same held-out ones to be answered."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import torch

from engine.core.errors import UsageError
from engine.core.events import Points, Table
from engine.data.examples import Corpus
from engine.data.load import load
from engine.data.text import Characters
from engine.families.gpt.learner import build_gpt
from engine.families.gpt.loading import load_gpt
from engine.families.gpt.model import GPT
from engine.families.gpt.spec import GPTSpec
from engine.labs.pre_training.lab import Budget
from engine.labs.pre_training.learn import accuracy, encode, learn, mean_loss
from engine.labs.pre_training.pairs import Pairs, own_table, questions, spelling
from engine.labs.workbench import Workbench
from engine.train.randomness import seed_everything

STARTS = ("pretrained", "scratch")
HELD_SHARE = 0.25
"""Of the examples, held out to be tested on; at most as many as the knob says. Half as many more are watched."""


@dataclass(slots=True)
class Curve:
    """What one start reached at each number of examples."""

    losses: dict[int, list[float]] = field(default_factory=dict)
    accuracies: dict[int, list[float]] = field(default_factory=dict)


def measure(bench: Workbench) -> None:
    """Train both starts on every number of examples, several times where few are drawn, and test each."""
    asked = cast(Budget, bench.settings)
    torch.set_num_threads(bench.asked.threads or torch.get_num_threads())
    base, characters = load_gpt(bench.run_folder("base"))
    assert isinstance(characters, Characters)
    pairs = examples(asked.task, bench.seed)
    held, watched, pool = parted(pairs, asked.held)
    seen = encode(watched, characters, base.spec.context)
    sizes = [size for size in asked.listed_sizes() if size <= len(pool)]
    if len(sizes) < 2:
        raise UsageError(f"{len(pairs)} examples leave {len(pool)} to learn from.", "Ask for smaller sizes.")
    bench.start(total_steps=sizes[-1], parameters=sum(each.numel() for each in base.parameters()))
    seed_everything(bench.seed)
    starts = {"pretrained": base, "scratch": build_gpt(base.spec, characters)}
    curves = {start: Curve() for start in STARTS}
    reached = 1
    for size in sizes:
        for draw in range(max(1, min(asked.draws, len(pool) // size))):
            chosen = pool.take(draw * size, size)
            for start, model in starts.items():
                trained = learn(
                    model,
                    encode(chosen, characters, base.spec.context),
                    seen,
                    asked.steps,
                    asked.rates()[start],
                    bench.seed + draw,
                )
                test(curves[start], size, trained, held, characters)
                bench.step = reached - 1
                bench.advance()
        reached = size
        told = {f"{start}__{name}": value for start in STARTS for name, value in latest(curves[start], size).items()}
        bench.step = size - 1
        bench.emit(table(curves), picture(curves))
        bench.advance(**told)
        bench.figures |= {f"{name.replace('__', '/')}/{size}": value for name, value in told.items()}


def examples(task: str, seed: int) -> Pairs:
    """Return the labeled examples of a task: one that is embedded, or the path of a table."""
    if task == "answers":
        return questions(text_of("glossary-questions"), seed)
    if task == "spelling":
        return spelling(text_of("glossary-questions") + text_of("glossary"), seed)
    return own_table(Path(task).expanduser(), seed)


def text_of(name: str) -> str:
    """Return a whole text."""
    corpus = load(name, GPTSpec(), 0, torch.device("cpu"))
    assert isinstance(corpus, Corpus)
    return corpus.train + corpus.valid


def parted(pairs: Pairs, held: int) -> tuple[Pairs, Pairs, Pairs]:
    """Return those that are held out, those that say when to stop, and those to learn from."""
    count = min(held, int(len(pairs) * HELD_SHARE))
    before = count + count // 2
    return pairs.take(0, count), pairs.take(count, count // 2), pairs.take(before, len(pairs) - before)


def test(curve: Curve, size: int, model: GPT, held: Pairs, characters: Characters) -> None:
    """Add what a model reaches on the held-out examples."""
    loss = mean_loss(model, encode(held, characters, model.spec.context))
    curve.losses.setdefault(size, []).append(loss)
    curve.accuracies.setdefault(size, []).append(accuracy(model, held, characters))


def latest(curve: Curve, size: int) -> Mapping[str, float]:
    """Return the mean over the draws of one number of examples."""
    found = {"loss": statistics.fmean(curve.losses[size])}
    right = statistics.fmean(curve.accuracies[size])
    return found if math.isnan(right) else {**found, "accuracy": right}


def table(curves: Mapping[str, Curve]) -> Table:
    """Return all figures so far, with the spread over the draws where there were several."""
    rows = []
    for size in curves[STARTS[-1]].losses:
        both = [curves[start].losses[size] for start in STARTS]
        right = [statistics.fmean(curves[start].accuracies[size]) for start in STARTS]
        lead = statistics.fmean(both[1]) - statistics.fmean(both[0])
        shares = ["" if math.isnan(share) else f"{share:.1%}" for share in right]
        rows.append([f"{size:,}", *(spread(losses) for losses in both), f"{lead:+.3f}", *shares])
    columns = [
        "examples",
        "pre-trained, loss",
        "from scratch, loss",
        "lead",
        "pre-trained, right",
        "from scratch, right",
    ]
    return Table(name="by examples", columns=columns, rows=rows)


def spread(values: list[float]) -> str:
    """Return mean and range."""
    mean = f"{statistics.fmean(values):.3f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.3f} to {max(values):.3f})"


def picture(curves: Mapping[str, Curve]) -> Points:
    """Return every single training as a point."""
    found = [
        (math.log2(size), loss, place)
        for place, start in enumerate(STARTS)
        for size, losses in curves[start].losses.items()
        for loss in losses
    ]
    return Points(
        name="every training",
        x=[x for x, _, _ in found],
        y=[y for _, y, _ in found],
        group=[place for _, _, place in found],
        groups=list(STARTS),
    )

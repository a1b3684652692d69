"""The three parts of the lab, each a run: the grid, the fit with its prediction, and the larger model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import msgspec
import torch
from threadpoolctl import threadpool_limits

from engine.core.errors import RunError
from engine.core.events import Baseline, Table, real
from engine.core.paths import write_whole
from engine.labs.scaling_laws import drawings
from engine.labs.scaling_laws.drawings import Done
from engine.labs.scaling_laws.fit import CHINCHILLA, KAPLAN, Law, Runs, fit_law, interval, resampled, runs_of, slope
from engine.labs.scaling_laws.grid import Cell, budgets, grid, larger
from engine.labs.scaling_laws.lab import Part, mean
from engine.labs.scaling_laws.text import Reading, read, vocabulary_of
from engine.labs.scaling_laws.train import EVERY, train
from engine.labs.workbench import Workbench

DONE = "cells.json"
"""The finished runs of a grid, in its folder: a grid that was stopped goes on behind them."""
DRAWN_EVERY = 10
"""Looks at the loss between two drawings of the curves."""


def measure(bench: Workbench) -> None:
    """Carry out the part that is asked for."""
    asked = cast(Part, bench.settings)
    threads = bench.asked.threads or 1  # models and matrices are too small for two to help
    torch.set_num_threads(threads)
    with threadpool_limits(limits=threads):
        {"grid": train_grid, "fit": fit_grid, "larger": train_larger}[asked.part](bench, asked)


def train_grid(bench: Workbench, asked: Part) -> None:
    """Train every size at every budget, each once, and keep what is finished."""
    cells = grid(asked, vocabulary_of(asked.text))
    longest = max(each.characters for each in cells)
    bench.start(total_steps=sum(looks(each) for each in cells))
    reading = read(asked.text, longest, asked.context, bench.seed)
    warn_of_repeats(bench, reading, longest)
    before = finished(bench)
    done: list[Done] = []
    for each in cells:
        known = next((one for one in before if one.cell == each), None)
        if known is None:
            known = train_cell(bench, asked, each, reading, done)
        else:
            bench.step += looks(each)
        done.append(known)
        write_whole(bench.folder / DONE, msgspec.json.encode(done))
        bench.emit(drawings.progress(done), drawings.valleys(done), drawings.losses(done))
        bench.advance(valid__loss=known.loss)
    bench.figures |= extremes(done) | {"runs": float(len(done)), "floor": reading.floor, "entropy": reading.entropy}


def looks(cell: Cell) -> int:
    """Return how many steps of the bench a run takes."""
    return math.ceil(cell.steps / EVERY) + 1


def finished(bench: Workbench) -> list[Done]:
    """Return the runs that were finished before the grid was stopped."""
    try:
        return msgspec.json.decode((bench.folder / DONE).read_bytes(), type=list[Done])
    except (OSError, msgspec.DecodeError):
        return []


def warn_of_repeats(bench: Workbench, reading: Reading, characters: int) -> None:
    """Say so where a text is too short to be read once."""
    times = reading.times(characters)
    if times > 1:
        bench.say(
            f"The longest run reads the text {times:.1f} times; the law is about text that is read once.", "warning"
        )


def train_cell(bench: Workbench, asked: Part, cell: Cell, reading: Reading, done: Sequence[Done]) -> Done:
    """Train one model while its curve is drawn among those of the others."""
    characters: list[int] = []
    losses: list[float] = []

    def progress(read_so_far: int, loss: float) -> None:
        characters.append(read_so_far)
        losses.append(loss)
        if len(losses) % DRAWN_EVERY == 0:
            bench.emit(drawings.progress([*done, drawings.thinned(cell, loss, characters, losses)]))
        bench.advance(train__loss=loss)

    loss = train(asked, cell, reading.corpus, bench.seed, progress)
    return drawings.thinned(cell, loss, characters, losses)


def extremes(done: Sequence[Done]) -> dict[str, float]:
    """Return how far the smallest and the largest model of a budget end above its best, in percent: the mean over all
    budgets; and the losses at the largest budget.
    """
    rows = drawings.by_budget(done)
    best = [min(each.loss for each in row) for row in rows]
    top = rows[-1]
    return {
        "smallest/above": mean([100 * (row[0].loss / low - 1) for row, low in zip(rows, best, strict=True)]),
        "largest/above": mean([100 * (row[-1].loss / low - 1) for row, low in zip(rows, best, strict=True)]),
        "smallest/loss": top[0].loss,
        "largest/loss": top[-1].loss,
        "best/loss": best[-1],
    }


def fit_grid(bench: Workbench, asked: Part) -> None:
    """Fit both laws, say how sure they are, and write the prediction down before the larger run begins."""
    bench.start(total_steps=3 + asked.draws)
    bench.read("grid")
    done = msgspec.json.decode((bench.run_folder("grid") / DONE).read_bytes(), type=list[Done])
    runs = runs_of([(one.cell.parameters, one.cell.characters, one.loss) for one in done])
    try:
        law, plain = fit_law(runs, CHINCHILLA), fit_law(runs, KAPLAN)
    except ValueError as error:
        raise RunError(f"No law can be fitted: {error}.", "Train more sizes or budgets, in smaller steps.") from None
    bench.advance()
    laws: list[Law] = []
    for each in resampled(runs, law, asked.draws, bench.seed):
        laws.append(each)
        bench.advance()
    bench.emit(drawings.valleys(done), drawings.fitted(runs, law), drawings.constants(law, laws, plain))
    bench.emit(drawings.splits(done, law, [asked.reach * asked.budget]))
    bench.advance()
    candidates = larger(asked, vocabulary_of(asked.text))
    expected = [float(law.loss(cell.parameters, cell.characters)[0]) for cell in candidates]
    chosen = candidates[expected.index(min(expected))]
    low, high = interval([float(one.loss(chosen.parameters, chosen.characters)[0]) for one in laws])
    bench.figures |= constants_of(law, laws) | quality(runs, law, plain) | exponents(done, law)
    bench.figures |= {
        "predicted": min(expected),
        "predicted/low": low,
        "predicted/high": high,
        "kaplan/predicted": float(plain.loss(chosen.parameters, chosen.characters)[0]),
        "larger/width": float(chosen.width),
    }
    bench.say(
        f"Prediction, before it is trained: {chosen.parameters:,} parameters after {chosen.characters:,} characters "
        f"will end at {min(expected):.4f} nats per character (95 % {low:.4f} to {high:.4f})."
    )
    bench.advance()


def constants_of(law: Law, laws: Sequence[Law]) -> dict[str, float]:
    """Return the constants of the law, each with its interval."""
    found: dict[str, float] = {}
    for name, value in law.constants.items():
        low, high = interval([each.constants[name] for each in laws])
        found |= {name: value, f"{name}/low": low, f"{name}/high": high}
    return found


def quality(runs: Runs, law: Law, plain: Law) -> dict[str, float]:
    """Return by how much the laws miss the runs that they were fitted to, as a share of the loss."""
    missed = {each.form.name: abs(each.loss(runs.sizes, runs.tokens) / runs.losses - 1) for each in (law, plain)}
    return {
        "worst miss": 100 * float(missed["Chinchilla"].max()),
        "typical miss": 100 * float(missed["Chinchilla"].mean()),
        "kaplan/typical miss": 100 * float(missed["Kaplan"].mean()),
    }


def exponents(done: Sequence[Done], law: Law) -> dict[str, float]:
    """Return as which power of compute the best size grows: by the law, and by the parabolas where they allow it."""
    constants = law.constants
    found = {"growth/law": constants["beta"] / (constants["alpha"] + constants["beta"])}
    valleys = [each for each in drawings.valleys_of(done) if each[1].inside]
    if len(valleys) > 1:
        flops, sizes = zip(*((flops, each.best_size) for flops, each in valleys), strict=True)
        found["growth/parabolas"] = slope(torch.tensor(flops).numpy(), torch.tensor(sizes).numpy())
    return found


def train_larger(bench: Workbench, asked: Part) -> None:
    """Train the model that the fit named, with its prediction drawn in, and compare."""
    fit = headline(bench, "fit")
    width = int(fit["larger/width"])
    cell = next(each for each in larger(asked, vocabulary_of(asked.text)) if each.width == width)
    bench.start(total_steps=looks(cell), parameters=cell.parameters)
    for metric in ("valid/loss", "train/loss"):
        bench.emit(Baseline(metric=metric, name="predicted", value=fit["predicted"], source="the fit of the grid"))
    reading = read(asked.text, cell.characters, asked.context, bench.seed)
    warn_of_repeats(bench, reading, cell.characters)

    def progress(_: int, loss: float) -> None:
        bench.advance(train__loss=loss)

    loss = train(asked, cell, reading.corpus, bench.seed, progress)
    bench.advance(valid__loss=loss)
    missed = 100 * (fit["predicted"] / loss - 1)
    bench.figures |= {
        "loss": loss,
        "missed": missed,
        "missed by": abs(missed),
        "kaplan/missed by": 100 * abs(fit["kaplan/predicted"] / loss - 1),
        "times": cell.flops / budgets(asked)[-1],
    }
    rows = [
        ["Chinchilla, with a floor", f"{fit['predicted']:.4f}", f"{loss:.4f}", f"{missed:+.2f} %"],
        [
            "Kaplan, without",
            f"{fit['kaplan/predicted']:.4f}",
            f"{loss:.4f}",
            f"{100 * (fit['kaplan/predicted'] / loss - 1):+.2f} %",
        ],
    ]
    bench.emit(Table(name="prediction", columns=["law", "predicted (nats)", "measured (nats)", "missed by"], rows=rows))


def headline(bench: Workbench, arm: str) -> dict[str, float]:
    """Return the figures that an arm ended with.

    Raises:
        RunError: it has not come to its end.
    """
    finished = bench.read(arm).finished
    if finished is None:
        raise RunError(f"{arm} has not come to its end.", "Go on with the lab.")
    return {name: real(value) for name, value in finished.headline.items()}

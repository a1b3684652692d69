"""What one sees of the grid and its law: curves over compute, a parabola for each budget, tables."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from engine.core.events import Points, Table
from engine.labs.scaling_laws.fit import Floats, Law, Runs, Valley, interval, valley
from engine.labs.scaling_laws.grid import COST, Cell

POINTS_A_RUN = 30
"""Of a curve that is drawn among others."""
PARABOLA = 40
"""Points that a parabola is drawn with."""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the grid, trained."""

    cell: Cell
    loss: float
    """On the validation text, in nats per character."""
    characters: list[int]
    losses: list[float]
    """While it was trained: after so many characters, that training loss."""


def thinned(cell: Cell, loss: float, characters: Sequence[int], losses: Sequence[float]) -> Done:
    """Return a run with at most `POINTS_A_RUN` points of its curve, evenly spread over the logarithm of compute."""
    places = np.unique(np.geomspace(1, len(losses), POINTS_A_RUN).round().astype(int) - 1).tolist()
    return Done(
        cell=cell,
        loss=loss,
        characters=[characters[place] for place in places],
        losses=[round(losses[place], 5) for place in places],
    )


def progress(done: Sequence[Done]) -> Points:
    """Return the training curves of all runs over compute, by size, and the frontier: the lowest that each compute
    had reached.
    """
    widths = sorted({each.cell.width for each in done})
    x: list[float] = []
    y: list[float] = []
    group: list[int] = []
    for each in done:
        flops = COST * each.cell.parameters * np.array(each.characters, dtype=np.float64)
        x += np.log10(flops).round(4).tolist()
        y += [round(loss, 4) for loss in each.losses]
        group += [widths.index(each.cell.width)] * len(flops)
    ends = frontier(done)
    x += [float(np.log10(each.cell.flops)) for each in ends]
    y += [each.loss for each in ends]
    group += [len(widths)] * len(ends)
    names = [f"width {width}" for width in widths]
    return Points(name="loss against compute", x=x, y=y, group=group, groups=[*names, "frontier"])


def frontier(done: Sequence[Done]) -> list[Done]:
    """Return the runs that no run of less or equal compute beats, by compute."""
    best: list[Done] = []
    for each in sorted(done, key=lambda one: (one.cell.budget, one.loss)):
        if not best or (each.loss < best[-1].loss and each.cell.budget > best[-1].cell.budget):
            best.append(each)
    return best


def by_budget(done: Sequence[Done]) -> list[list[Done]]:
    """Return the runs of each budget that has at least three."""
    rows = [[one for one in done if one.cell.budget == budget] for budget in range(1 + done[-1].cell.budget)]
    return [each for each in rows if len(each) >= 3]


def valleys_of(done: Sequence[Done]) -> list[tuple[float, Valley]]:
    """Return the operations and the parabola of each budget that has at least three runs."""
    found = []
    for runs in by_budget(done):
        sizes = np.array([float(each.cell.parameters) for each in runs])
        flops = float(np.median([each.cell.flops for each in runs]))
        found.append((flops, valley(sizes, np.array([each.loss for each in runs]))))
    return found


def valleys(done: Sequence[Done]) -> Points:
    """Return the iso-FLOP curves: loss over size at equal compute, each budget's parabola as small steps."""
    budgets = sorted({each.cell.budget for each in done})
    x = [float(np.log10(each.cell.parameters)) for each in done]
    y = [each.loss for each in done]
    group = [each.cell.budget for each in done]
    names = [
        f"{np.median([one.cell.flops for one in done if one.cell.budget == budget]):.1e} FLOP" for budget in budgets
    ]
    for runs, (_, curve) in zip(by_budget(done), valleys_of(done), strict=True):
        sizes = np.geomspace(runs[0].cell.parameters, runs[-1].cell.parameters, PARABOLA)
        x += np.log10(sizes).tolist()
        y += curve.loss(sizes).tolist()
        group += [runs[0].cell.budget] * PARABOLA
    return Points(name="iso-FLOP curves", x=x, y=y, group=group, groups=names)


def losses(done: Sequence[Done]) -> Table:
    """Return the whole grid as a table, the best of each budget marked."""
    rows = []
    for each in done:
        rivals = [one.loss for one in done if one.cell.budget == each.cell.budget]
        rows.append(
            [
                f"{each.cell.flops:.1e}",
                f"{each.cell.parameters:,}",
                f"{each.cell.characters:,}",
                f"{each.cell.characters / each.cell.parameters:.1f}",
                f"{each.loss:.4f}" + (" best" if each.loss == min(rivals) else ""),
            ]
        )
    columns = ["compute (FLOP)", "parameters", "characters", "characters a parameter", "loss (nats)"]
    return Table(name="grid", columns=columns, rows=rows)


def fitted(runs: Runs, law: Law) -> Points:
    """Return expected against measured loss; a law that is right has all points on the diagonal."""
    expected = law.loss(runs.sizes, runs.tokens)
    ends = np.linspace(runs.losses.min(), runs.losses.max(), PARABOLA)
    return Points(
        name="expected against measured",
        x=[*runs.losses.tolist(), *ends.tolist()],
        y=[*expected.tolist(), *ends.tolist()],
        group=[0] * len(runs) + [1] * PARABOLA,
        groups=["runs", "as expected"],
    )


def constants(law: Law, laws: Sequence[Law], plain: Law) -> Table:
    """Return the constants of both laws, those of the first with intervals."""
    rows = []
    for name, value in law.constants.items():
        low, high = interval([each.constants[name] for each in laws])
        rows.append([law.form.name, name, f"{value:.4g}", f"{low:.4g} to {high:.4g}"])
    rows += [[plain.form.name, name, f"{value:.4g}", ""] for name, value in plain.constants.items()]
    return Table(name="fit", columns=["law", "constant", "value", "95 % (bootstrap over runs)"], rows=rows)


def splits(done: Sequence[Done], law: Law, more: Sequence[float]) -> Table:
    """Return the best size for each budget, by the parabola and by the law, and by the law for larger budgets."""
    rows = []
    for flops, curve in valleys_of(done):
        by_curve = f"{curve.best_size:,.0f}" if curve.inside else "outside of the sizes"
        rows.append([f"{flops:.1e}", by_curve, f"{best_size(law, flops):,.0f}"])
    rows += [[f"{flops:.1e}", "", f"{best_size(law, flops):,.0f}"] for flops in more]
    return Table(name="best sizes", columns=["compute (FLOP)", "by its parabola", "by the law"], rows=rows)


def best_size(law: Law, flops: float) -> float:
    """Return the parameters that the law wants for a budget: where its two terms fall equally fast."""
    sizes: Floats = np.geomspace(1e2, 1e12, 4001)
    return float(sizes[np.argmin(law.loss(sizes, flops / COST / sizes))])

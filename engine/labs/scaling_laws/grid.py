"""Which models are trained, on how much text: sizes around the middle of each budget of compute. Torch-free."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.core.errors import UsageError
from engine.families.gpt.spec import GPTSpec
from engine.labs.scaling_laws.lab import Scaling

WIDTHS = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)
"""Channels; each rung has about twice the parameters of the one before."""
HEAD_WIDTH = 16
FEWEST_STEPS = 20
COST = 6
"""Operations per parameter and character, forward and backward: Kaplan et al. 2020, section 2.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One run of the grid, before it is trained."""

    budget: int
    """Number of its budget, from 0."""
    width: int
    parameters: int
    steps: int
    characters: int
    """That it reads, each once."""

    @property
    def name(self) -> str:
        """Unique in a grid."""
        return f"{self.budget}-{self.width}"

    @property
    def flops(self) -> float:
        """Operations of its training."""
        return COST * float(self.parameters) * self.characters


def spec_of(asked: Scaling, width: int, steps: int = 1) -> GPTSpec:
    """Return the knobs of a model of that width; all else is the same for every size."""
    return GPTSpec.of(
        {
            "layers": asked.layers,
            "heads": max(1, width // HEAD_WIDTH),
            "width": width,
            "context": asked.context,
            "batch_size": asked.batch_size,
            "learning_rate": asked.learning_rate,
            "steps": steps,
        }
    )


def cell(asked: Scaling, budget: int, flops: float, width: int, vocabulary: int) -> Cell:
    """Return the run that spends `flops` on a model of that width."""
    parameters = spec_of(asked, width).parameters(0, vocabulary)
    characters_a_step = asked.batch_size * asked.context
    steps = round(flops / (COST * parameters) / characters_a_step)
    return Cell(budget=budget, width=width, parameters=parameters, steps=steps, characters=steps * characters_a_step)


def budgets(asked: Scaling) -> list[float]:
    """Return the operations of each budget, the smallest first; each is twice the one before."""
    return [asked.budget / 2**back for back in reversed(range(asked.budgets))]


def row(asked: Scaling, budget: int, flops: float, vocabulary: int) -> list[Cell]:
    """Return the runs of one budget: the `sizes` rungs around the one that has `ratio` characters a parameter.

    Raises:
        UsageError: the budget is too small or too large for that many sizes.
    """
    all_ = [cell(asked, budget, flops, width, vocabulary) for width in WIDTHS]
    middle = math.log(math.sqrt(flops / (COST * asked.ratio)))
    near = sorted(all_, key=lambda each: abs(math.log(each.parameters) - middle))[: asked.sizes]
    chosen = sorted(near, key=lambda each: each.width)
    if chosen[-1].steps < FEWEST_STEPS or chosen[-1].width == WIDTHS[-1]:
        few = chosen[-1].steps < FEWEST_STEPS
        raise UsageError(
            f"A budget of {flops:.1e} operations is too {'small' if few else 'large'} for {asked.sizes} sizes.",
            f"Choose a {'larger' if few else 'smaller'} budget, or fewer sizes.",
        )
    return chosen


def grid(asked: Scaling, vocabulary: int) -> list[Cell]:
    """Return all runs, budget after budget.

    Raises:
        UsageError: a budget is too small or too large.
    """
    rows = [row(asked, number, flops, vocabulary) for number, flops in enumerate(budgets(asked))]
    return [each for cells in rows for each in cells]


def larger(asked: Scaling, vocabulary: int) -> Sequence[Cell]:
    """Return the runs among which the larger one is chosen: those of a budget `reach` times the largest.

    Raises:
        UsageError: the budget is too large.
    """
    return row(asked, asked.budgets, asked.reach * asked.budget, vocabulary)

"""What the curves of a panel are called: as short as tells them apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.render.axis import short

if TYPE_CHECKING:
    from engine.core.view import RunView

_HIGHER = ("accuracy", "bleu", "recall", "spearman", "return", "exact", "score", "auc")
_LOWER = ("loss", "error", "perplexity", "bits")
_MOST_DIFFERENCES = 2
_SHORT = {"learning_rate": "lr", "batch_size": "batch", "weight_decay": "decay"}


def metric_names(names: Sequence[str]) -> dict[str, str]:
    """Return each metric's short name: ``train`` for ``train/loss`` where all are losses, else the name in words."""
    parts = [name.split("/") for name in names]
    alike = len(names) > 1 and all(len(each) > 1 for each in parts) and len({each[-1] for each in parts}) == 1
    return {name: (name.rpartition("/")[0] if alike else name).replace("_", " ") for name in names}


def short_name(knob: str) -> str:
    """Return a knob's name as it fits on a chart."""
    return _SHORT.get(knob, knob.replace("_", " "))


def run_names(views: Sequence[RunView]) -> list[str]:
    """Return what each run is called beside the others: by the knobs in which they differ, else by seed or id."""
    knobs = [{**view.recipe.knobs, "seed": view.recipe.seed} for view in views]
    every = sorted({name for each in knobs for name in each})
    differing = [name for name in every if len({str(each.get(name)) for each in knobs}) > 1]
    kinds = [f"{view.recipe.family}/{view.recipe.preset}" for view in views]
    if len(set(kinds)) > 1 and len(set(kinds)) == len(kinds):
        return kinds
    if not 0 < len(differing) <= _MOST_DIFFERENCES:
        return [view.id.rpartition("-")[2] for view in views]
    return [" ".join(f"{short_name(name)} {_value(each.get(name))}" for name in differing) for each in knobs]


def is_validation(name: str) -> bool:
    """Whether a metric is measured on a whole held-out split, so that smoothing would only blur it."""
    return name.startswith(("valid/", "test/"))


def is_noisy(name: str) -> bool:
    """Whether a metric jumps from batch to batch; a schedule does not, and its smoothed value would be a wrong one."""
    return name != "learning_rate" and not is_validation(name)


def higher_is_better(name: str) -> bool | None:
    """Whether more of a metric is better; None where its name does not tell."""
    last = name.rpartition("/")[2]
    if any(word in last for word in _HIGHER):
        return True
    return False if any(word in last for word in _LOWER) else None


def _value(value: object) -> str:
    return short(value, 3) if isinstance(value, float) else str(value)

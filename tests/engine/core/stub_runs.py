"""Recipes of stub runs, and waiting with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.core.recipe import Recipe

STUB = Path(__file__).parents[2] / "stub_trainer.py"


def until(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    """Return what `condition` gives as soon as it is true; fail where that takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.005)
    raise AssertionError(f"not within {seconds} s")


def recipe(seed: int = 0, **knobs: Any) -> Recipe:
    """Return a recipe whose knobs tell the stub trainer what to do."""
    return Recipe(family="mlp", preset="quick", knobs=knobs, seed=seed)

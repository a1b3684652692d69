"""Nine line panels of three runs at a terminal, one new point a tick: ``ticking.py OUT POINTS TICKS``; milliseconds."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from textual.app import App, ComposeResult
from textual.containers import Grid

from engine.core.recipe import Recipe
from engine.core.series import Series
from engine.core.spec import Panel
from engine.core.view import RunView
from tests.bench.child.painting import Painting, write
from tui.theme import DARK, variable_defaults
from tui.widgets.line_panel import LinePanel

PANELS, RUNS = 9, 3
WARM_UPS = 3


def curve(points: int, seed: int) -> Series:
    """Return a falling, noisy curve."""
    steps = np.arange(points)
    noise = np.random.default_rng(seed).standard_normal(points)
    series = Series()
    series.extend(steps, steps * 0.001, steps * 64, 2.0 * np.exp(-4.0 * steps / points) + 0.1 * noise)
    return series


def runs(points: int) -> list[RunView]:
    """Return runs that have every metric."""
    recipe = Recipe(family="mlp", preset="quick", knobs={})
    return [
        RunView(
            id=f"run-{run}",
            folder=Path(),
            recipe=recipe,
            # Of a run that still grows a panel draws no more than changed; here everything is to be drawn.
            state="finished",
            series={f"metric/{panel}": curve(points, PANELS * run + panel) for panel in range(PANELS)},
        )
        for run in range(RUNS)
    ]


class Ticking(Painting, App[None]):
    CSS = "Grid { grid-size: 3 3; }"

    def __init__(self, out: str, points: int, ticks: int) -> None:
        super().__init__()
        self.out, self.points, self.ticks = out, points, ticks

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return variable_defaults()

    def compose(self) -> ComposeResult:
        self.register_theme(DARK)
        self.theme = DARK.name
        with Grid():
            for panel in range(PANELS):
                yield LinePanel(Panel(events=(f"metric/{panel}",), kind="line", title=f"Metric {panel}", unit="nats"))

    def on_mount(self) -> None:
        self.run_worker(self.tick_all())

    async def tick_all(self) -> None:
        views = runs(self.points)
        await self.rest()
        found = [self.tick([replace(view) for view in views]) for _ in range(WARM_UPS + self.ticks)]
        write(self.out, found[WARM_UPS:])
        self.exit()

    def tick(self, views: list[RunView]) -> tuple[float, float]:
        """Add a point to every curve; return the milliseconds of drawing, and of all until the terminal has it."""
        for view in views:
            for series in view.series.values():
                last = int(series.steps[-1])
                series.append(last + 1, series.times[-1] + 0.001, 64 * last + 64, series.last)
        panels = list(self.query(LinePanel))
        began = time.perf_counter()
        for panel in panels:
            panel.show(views[0], tuple(views[1:]))
            panel.render_line(0)
        drawn = time.perf_counter()
        self.screen._compositor.update_widgets(set(panels))
        self.screen._compositor_refresh()
        return 1000 * (drawn - began), 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    Ticking(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])).run()

"""Open a finished run in the app at a terminal: ``opening.py OUT RUN_ID``; seconds to the first chart and to rest."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

from tests.bench.child.painting import Painting, write
from tests.source import ROOT
from tui.app import Lexigrad
from tui.screens.run import RunScreen
from tui.services import Services
from tui.widgets.line_panel import LinePanel

REST = 1.0
"""Seconds; longer than the app's own tick, so that a run that is read piece by piece is not taken for read."""


class Opening(Painting, Lexigrad):
    CSS_PATH = ROOT / "tui" / "app.tcss"

    def __init__(self, services: Services, out: str, run: str) -> None:
        super().__init__(services)
        self.out, self.run_id = out, run
        self.first = 0.0

    def _display(self, screen: Any, renderable: Any) -> None:
        super()._display(screen, renderable)
        if not self.first and isinstance(self.screen, RunScreen):
            shown = [panel for panel in self.screen.query(LinePanel) if panel.view and panel._drawn_for]
            if any(
                len(panel.view.series.get(name, ())) for panel in shown for name in panel.panel.events if panel.view
            ):
                self.first = time.perf_counter()

    def on_mount(self) -> None:
        self.run_worker(self.open_run(), name="bench")

    async def open_run(self) -> None:
        while not self.services.ready:
            await asyncio.sleep(0.01)
        await self.rest(REST)
        began = time.perf_counter()
        self.open_place(f"run/{self.run_id}")
        while not self.first:
            await asyncio.sleep(0.002)
        await self.rest(REST)
        view = self.services.watch.follow(self.run_id)
        panel = next(each for each in self.screen.query(LinePanel) if "train/loss" in each.panel.events)
        write(
            self.out,
            {
                "first": self.first - began,
                "settled": self.painted_at - began,
                "points": len(view.series["train/loss"]),
                "spike": spike_is_drawn(panel),
            },
        )
        self.exit()


def spike_is_drawn(panel: LinePanel) -> bool:
    """Whether the loss reaches up, in one place, into the upper part of its chart, over a flat rest."""
    lines = ["".join(text for text, _ in line) for line in panel.draw(*panel.size)]
    dotted = [sum("\u2800" < each <= "\u28ff" for each in line) for line in lines]
    chart = [count for count in dotted if count]
    middle = chart[len(chart) // 4 : len(chart) // 2]
    return bool(middle) and all(1 <= count <= 6 for count in middle)


if __name__ == "__main__":
    services = Services()
    app = Opening(services, sys.argv[1], sys.argv[2])
    app.run()
    services.close()

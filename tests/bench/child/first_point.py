"""Press Run in the app at a terminal: ``first_point.py OUT warm|cold TARGET``; seconds until a curve has a point."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from typing import Any

from engine.catalog import parse_run
from engine.core.errors import LexigradError
from tests.bench.child.painting import Painting, write
from tests.source import ROOT
from tui.app import Lexigrad
from tui.join import launch, plan
from tui.screens.run import RunScreen
from tui.services import Services
from tui.widgets.line_panel import LinePanel

CALM = 1.0
"""Seconds without processor time after which a worker is warm."""


class Pressing(Painting, Lexigrad):
    CSS_PATH = ROOT / "tui" / "app.tcss"

    def __init__(self, services: Services, out: str, how: str, target: str) -> None:
        super().__init__(services)
        self.out, self.how, self.target = out, how, target
        self.first = 0.0

    def _display(self, screen: Any, renderable: Any) -> None:
        super()._display(screen, renderable)
        if not self.first and isinstance(self.screen, RunScreen):
            shown = [panel for panel in self.screen.query(LinePanel) if panel.view and panel._drawn_for]
            if any(panel.view.series.get(name) for panel in shown if panel.view for name in panel.panel.events):
                self.first = time.perf_counter()

    def on_mount(self) -> None:
        self.run_worker(self.press(), name="bench")

    async def press(self) -> None:
        while not self.services.ready:
            await asyncio.sleep(0.01)
        if self.how == "warm":
            self.services.launcher.warm()
            await self.worker_is_warm()
        await self.rest(1.0)
        recipes = plan([parse_run(self.target)], self.services)
        began = time.perf_counter()
        launch(self, recipes)
        while not self.first:
            await asyncio.sleep(0.002)
        write(self.out, self.first - began)
        run = self.services.store.runs()[0]
        with contextlib.suppress(LexigradError):
            self.services.launcher.kill(run)
        self.exit()

    async def worker_is_warm(self) -> None:
        """Wait until the waiting trainer has imported all that it will."""
        import psutil

        used, since = -1.0, time.perf_counter()
        while time.perf_counter() - since < CALM or used < 0.5:
            await asyncio.sleep(0.1)
            now = 0.0
            for each in psutil.Process().children(recursive=True):
                try:
                    now += sum(each.cpu_times()[:2])
                except psutil.Error:
                    continue
            if now > used + 0.005:
                used, since = now, time.perf_counter()


if __name__ == "__main__":
    services = Services()
    app = Pressing(services, *sys.argv[1:4])
    app.run()
    services.close()

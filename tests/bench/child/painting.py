"""An app that knows when it last painted: the base of the children that measure opening and drawing."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

REST = 0.25
"""Seconds without painting after which a screen has come to rest."""
LOOK, BUSY = 0.01, 0.015
"""Seconds between looks, and how much later than asked for one comes where the app was at work."""


class Painting:
    """Mixed into an app: counts its paintings and writes what was found to a file at its end.

    It hooks into where Textual hands a frame to the terminal, so it sees all that a person would see, and nothing else.
    """

    painted_at = 0.0
    paintings = 0

    def _display(self, screen: Any, renderable: Any) -> None:
        super()._display(screen, renderable)  # type: ignore[misc]
        if renderable is not None and not self._batch_count:  # type: ignore[attr-defined]
            self.painted_at = time.perf_counter()
            self.paintings += 1

    async def rest(self, seconds: float = REST) -> None:
        """Wait until nothing has been painted, and nothing has kept the app busy, for a while."""
        calm_since = time.perf_counter()
        while True:
            began = time.perf_counter()
            await asyncio.sleep(LOOK)
            now = time.perf_counter()
            if now - began > LOOK + BUSY:
                calm_since = now
            if now - max(calm_since, self.painted_at) >= seconds:
                return

    async def timed(self, act: Callable[[], Awaitable[object] | None]) -> float:
        """Return the milliseconds from `act` to the last painting that it brought about."""
        await self.rest()
        began, before = time.perf_counter(), self.paintings
        waiting = act()
        if waiting is not None:
            await waiting
        while self.paintings == before:
            await asyncio.sleep(0.001)
        await self.rest()
        return 1000 * (self.painted_at - began)


def write(path: str, found: object) -> None:
    """Hand the figures to the benchmark."""
    Path(path).write_text(json.dumps(found), encoding="utf-8")

"""Watching samples come out of noise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from engine.core.events import Event


class Denoising(Protocol):
    """What a learner has to be able to do so that one can look on."""

    def denoise(self, settings: Any) -> Iterator[Event]:
        """Yield the way of some samples from noise to data."""


def denoise(learner: Any, settings: Any) -> Iterator[Event]:
    """Yield the way of some samples from noise to data."""
    watched: Denoising = learner
    yield from watched.denoise(settings)

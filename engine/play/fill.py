"""Letting a masked language model fill the gaps of a text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from engine.core.events import Event, Table, Text
from engine.families.bert.spec import FillSettings
from engine.play.complete import shown


class Filler(Protocol):
    """What a learner has to be able to do so that its model can fill gaps."""

    def fill(self, text: str, count: int) -> tuple[list[list[tuple[str, float]]], str]:
        """Return the likeliest fillings of each gap with their probabilities, and the text with all gaps filled.

        Raises:
            UsageError: the text has no gap, or is too long.
        """


def fill(learner: Any, settings: FillSettings) -> Iterator[Event]:
    """Yield the likeliest fillings of each gap, then the whole text."""
    filler: Filler = learner
    gaps, text = filler.fill(settings.text, settings.count)
    rows = [
        [str(number), shown(token), f"{100 * chance:.1f} %"]
        for number, fillings in enumerate(gaps, start=1)
        for token, chance in fillings
    ]
    yield Table(name="what may stand in each gap", columns=["gap", "filling", "probability"], rows=rows)
    yield Text(name="text", text=text)

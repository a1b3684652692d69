"""Letting a language model go on with a text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Protocol

from engine.core.events import Event, Table, Text
from engine.play.kinds import CompleteSettings

LIKELY = 10
"""How many of what may come next are listed."""


class Writer(Protocol):
    """What a learner has to be able to do so that its model can complete."""

    def likely(self, prompt: str, count: int) -> list[tuple[str, float]]:
        """Return what may follow the prompt with its probability, the likeliest first."""

    def write(self, prompt: str, choice: CompleteSettings) -> Iterator[str]:
        """Yield one piece of text after another, without end, chosen as `choice` says."""


def complete(learner: Any, settings: CompleteSettings) -> Iterator[Event]:
    """Yield what may come next, then the whole text."""
    writer: Writer = learner
    rows = [[shown(piece), f"{100 * chance:.1f} %"] for piece, chance in writer.likely(settings.prompt, LIKELY)]
    yield Table(name="what may come next", columns=["next", "probability"], rows=rows)
    text = "".join(islice(writer.write(settings.prompt, settings), settings.length))
    yield Text(name="text", prompt=settings.prompt, text=text)


def shown(piece: str) -> str:
    """Return a piece of text so that it can be seen: a blank, a line end."""
    return {" ": "\N{OPEN BOX}", "\n": "\N{RETURN SYMBOL}"}.get(piece, piece)

"""What a computation gets of the workbench, without a process: it writes down what is said and measured."""

from __future__ import annotations

from engine.core.events import Event
from engine.core.spec import Settings


class FakeBench:
    """Keeps every event; counts steps against those that were announced."""

    def __init__(self, settings: Settings, seed: int = 0) -> None:
        self.settings = settings
        self.seed = seed
        self.events: list[Event] = []
        self.notes: list[str] = []
        self.figures: dict[str, float] = {}
        self.step = self.total_steps = 0

    def start(self, total_steps: int, *, parameters: int = 0) -> None:
        self.total_steps = total_steps

    def emit(self, *events: Event) -> None:
        self.events += events

    def say(self, text: str, level: str = "info") -> None:
        self.notes.append(text)

    def enter(self, phase: str) -> None:
        pass

    def advance(self, **scalars: float) -> None:
        self.step += 1

    def named(self, name: str) -> list[Event]:
        return [each for each in self.events if getattr(each, "name", "") == name]

"""Drawing new examples from a generative model, and walking between two of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from engine.core.events import Event


class Sampler(Protocol):
    """What a learner has to be able to do so that its model can be drawn from; the settings are its family's own."""

    def sample(self, settings: Any) -> Iterator[Event]:
        """Yield new examples.

        Raises:
            UsageError: there is no such class, or the model was not told any.
        """


class Walker(Protocol):
    """What a learner has to be able to do so that one can walk between two of its samples."""

    def interpolate(self, settings: Any) -> Iterator[Event]:
        """Yield what lies on the way.

        Raises:
            UsageError: there is no such class, or the model was not told any.
        """


def sample(learner: Any, settings: Any) -> Iterator[Event]:
    """Yield new examples, drawn as the settings say."""
    sampler: Sampler = learner
    yield from sampler.sample(settings)


def interpolate(learner: Any, settings: Any) -> Iterator[Event]:
    """Yield the examples on the way between two places of the space of noise."""
    walker: Walker = learner
    yield from walker.interpolate(settings)

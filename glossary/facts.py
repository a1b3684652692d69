"""What a learner has done, as plain facts: their runs, what they read, opened, predicted and answered."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

Value = bool | int | float | str


class MetricFact(msgspec.Struct, frozen=True):
    """Four values of one series of a run."""

    first: float
    last: float
    lowest: float
    highest: float


class RunFact(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to know of one run."""

    id: str
    target: str
    """``family/preset``."""
    knobs: Mapping[str, Value] = {}
    """All knobs of the spec; the seed is not among them."""
    seed: int = 0
    state: str = ""
    step: int = 0
    seconds: float = 0.0
    metrics: Mapping[str, MetricFact] = {}
    turned: frozenset[str] = frozenset()
    """Live knobs that were turned."""
    resumed: bool = False
    """Whether it went on from a checkpoint."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a learner has done, as far as one walkthrough may know."""

    runs: tuple[RunFact, ...] = ()
    """In the order of their start; those that count for this walkthrough."""
    first: str = ""
    """The id of the run that the walkthrough calls the first; where empty, the earliest run of the target."""
    step_runs: Mapping[str, str] = {}
    """For each step that a run has met, the id of that run (`evidence`)."""
    read: frozenset[str] = frozenset()
    """Slugs."""
    opened: frozenset[str] = frozenset()
    """Titles of panels and names of screens."""
    predictions: Mapping[str, str] = {}
    """The choice made at each step."""
    answers: Mapping[tuple[str, int], bool] = {}
    """Whether the answer to a question (slug, number from 1) was right."""
    played: frozenset[str] = frozenset()
    compared: int = 0
    """The most runs that were laid over one another."""
    found: frozenset[str] = frozenset()
    """Labs with a finding."""

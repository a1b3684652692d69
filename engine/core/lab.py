"""What a lab is: a question, predictions, the runs that answer it, and the sentences that they bear out or not.

A lab declares; it computes nothing here. Its `arms` are ordinary runs (of a family, or of the lab's own `Computation`),
trained one after another in processes of their own. Its `statements` judge the figures that those runs ended with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.core.errors import UsageError, suggest
from engine.core.spec import Computation, Metric, Panel, Preset, Settings, Value
from engine.core.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One run of a lab, for each seed."""

    name: str
    """Unique in the lab: ``lora-8``."""
    title: str
    target: str
    """``family/preset``, or ``lab/preset`` of the lab's own computation."""
    knobs: Mapping[str, Value] = field(default_factory=dict)
    """Those that differ from the preset."""
    start: str = ""
    """The arm whose weights it starts from."""
    reads: tuple[str, ...] = ()
    """The arms (of its seed) whose logs and checkpoints a computation reads; they come before it."""
    kept: bool = False
    """Trained once, with seed 0, and used again by every later experiment."""
    per_seed: bool = False
    """Of a kept arm: trained once for each seed, because its own chance is part of the question."""


@dataclass(frozen=True, slots=True)
class Results:
    """What the runs of an experiment ended with.

    A figure is a headline metric by its name, ``parameters``, ``seconds``, ``peak_memory`` (bytes), or ``first/``,
    ``last/``, ``lowest/`` or ``highest/`` before the name of a scalar.
    """

    figures: Mapping[tuple[str, int], Mapping[str, float]]
    """(arm, seed) -> figure -> value."""
    seeds: tuple[int, ...]
    """Those of which every arm has come to its end."""
    settings: Settings

    def of(self, arm: str, name: str) -> tuple[float, ...]:
        """Return one value a seed.

        Raises:
            KeyError: the arm has no such figure.
        """
        return tuple(self.figures[arm, seed][name] for seed in self.seeds)

    def has(self, arm: str, name: str) -> bool:
        """Return whether every seed's run of the arm ended with that figure."""
        return all(name in self.figures.get((arm, seed), {}) for seed in self.seeds)

    def gap(self, arm: str, other: str, name: str) -> tuple[float, ...]:
        """Return `arm` minus `other`, one value a seed."""
        return tuple(a - b for a, b in zip(self.of(arm, name), self.of(other, name), strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A sentence that the lab can judge."""

    id: str
    says: str
    judge: Callable[[Results], Verdict]
    exact: bool = False
    """Whether one seed settles it: no chance is involved that another seed would show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What the learner is asked to predict before anything runs."""

    id: str
    question: str
    choices: tuple[str, ...]
    outcome: Callable[[Results], str]
    """Which of the choices came true; empty where none can be told."""
    because: str = ""
    """One or two sentences on why, shown with the outcome."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """A question that is answered by measuring."""

    name: str
    title: str
    question: str
    summary: str
    """One sentence on what is done."""
    entry: str
    """The page that the lab belongs to."""
    settings: type[Settings]
    presets: tuple[Preset, ...]
    """``quick`` first; `seconds` is for one seed on two cores."""
    arms: Callable[[Settings], Sequence[Arm]]
    forecasts: tuple[Forecast, ...]
    statements: tuple[Statement, ...]
    why: str
    """Markdown: the mechanism, shown with the findings."""
    watch: Panel
    """What is drawn of all arms, one over another, while they run."""
    figures: tuple[Metric, ...]
    """What stands beside each arm when it has ended."""
    limits: str = ""
    """One or two sentences on what the measurement does not show."""
    computation: Computation | None = None

    def preset(self, name: str) -> Preset:
        """Return the form of that name.

        Raises:
            UsageError: there is none.
        """
        for each in self.presets:
            if each.name == name:
                return each
        raise UsageError(f"The lab {self.name} has no form '{name}'.", suggest(name, [p.name for p in self.presets]))

    def configure(self, preset: str, changes: Mapping[str, Value] | None = None) -> Settings:
        """Return the complete settings of a form with some knobs changed."""
        return self.settings.of({**self.preset(preset).knobs, **(changes or {})})

    def statement(self, id_: str) -> Statement | None:
        """Return the statement of that id, if there is one."""
        return next((each for each in self.statements if each.id == id_), None)

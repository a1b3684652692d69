"""Knobs, specs, panels and families: what can be said about a model without torch.

A family's ``spec.py`` holds one frozen `Spec` (its knobs) and one `Family` (presets, panels, where its model is).
Forms, help, the command line and the checks of a recipe are all made from these declarations.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self

from engine.core.errors import UsageError, suggest

Value = bool | int | float | str
Live = Literal["tensor", "recapture"] | None
UNBOUNDED = 1e5
"""A bound from here on keeps out typing errors only; people are not told of it until they meet it."""
Kind = Literal["line", "pictures", "text", "histogram", "heatmap", "points", "surface", "table", "hardware", "log"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """One setting of a run: what it may be, in which unit, and the entry that explains it."""

    name: str = ""
    """Filled in from the field that carries the knob."""
    default: Value
    help: str
    """One sentence for the form and for ``--help``."""
    low: float | None = None
    high: float | None = None
    """Both inclusive; None where there is no bound."""
    choices: tuple[str, ...] = ()
    unit: str = ""
    entry: str = ""
    """The glossary entry that explains it, ``slug`` or ``slug#heading``."""
    live: Live = None
    """Whether it may change while a run is live: read from a device scalar, by a new capture, or not at all."""

    def read(self, text: str) -> Value:
        """Return the value that a person typed.

        Raises:
            UsageError: the text is no value of this knob's type, or out of its range.
        """
        free = isinstance(self.default, str) and not self.choices
        text = text if free else text.strip()
        value: Value
        try:
            if isinstance(self.default, bool):
                value = {
                    "true": True,
                    "yes": True,
                    "on": True,
                    "1": True,
                    "false": False,
                    "no": False,
                    "off": False,
                    "0": False,
                }[text.lower()]
            elif isinstance(self.default, int):
                value = int(text.replace(",", "").replace("_", ""))
            elif isinstance(self.default, float):
                value = float(text.replace(",", ""))
            else:
                value = text
        except (KeyError, ValueError):
            raise UsageError(
                f"{self.name} = {text!r} is not {self.wants()}.", f"Example: {self.name}={self.default}"
            ) from None
        self.check(value)
        return value

    def wants(self) -> str:
        """Say in words which values are allowed: ``a whole number from 0 to 12``."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if isinstance(self.default, bool):
            return "yes or no"
        if isinstance(self.default, str):
            return "text"
        number = "a whole number" if isinstance(self.default, int) else "a number"
        if self.low is not None and self.high is not None and self.high < UNBOUNDED:
            return f"{number} from {self.low:g} to {self.high:g}"
        if self.low is not None:
            return f"{number} of at least {self.low:g}"
        return number

    def check(self, value: Value) -> None:
        """Raise UsageError unless `value` has this knob's type and lies in its range."""
        expected = type(self.default)
        fits = type(value) is expected or (expected is float and type(value) is int)
        inside = (
            not isinstance(value, int | float)
            or isinstance(value, bool)
            or (
                value == value and (self.low is None or value >= self.low) and (self.high is None or value <= self.high)
            )
        )
        if not fits or not inside or (self.choices and value not in self.choices):
            bound = f" It may be at most {self.high:g}." if self.high is not None and self.high >= UNBOUNDED else ""
            raise UsageError(
                f"{self.name} = {value!r} is not {self.wants()}.{bound}", f"Its default is {self.default}."
            )


def knob(
    default: Value,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    unit: str = "",
    entry: str = "",
    live: Live = None,
) -> Any:
    """Declare a field of a `Spec` that carries its own range, unit, help and entry."""
    described = Knob(default=default, help=help, low=low, high=high, choices=choices, unit=unit, entry=entry, live=live)
    return field(default=default, metadata={"knob": described})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Knobs that go together: those of a family, or of what a lab computes.

    Raises:
        UsageError: at construction, where a value is out of its knob's range.
    """

    def __post_init__(self) -> None:
        for each in self.knobs():
            each.check(getattr(self, each.name))

    @classmethod
    def knobs(cls) -> Iterator[Knob]:
        """Yield every knob, named, in the order of declaration."""
        for each in dataclasses.fields(cls):
            yield dataclasses.replace(each.metadata["knob"], name=each.name)

    @classmethod
    def of(cls, values: Mapping[str, Value]) -> Self:
        """Build a spec from knob values.

        Raises:
            UsageError: a name is unknown (with the nearest known one) or a value is out of range.
        """
        known = [each.name for each in cls.knobs()]
        for name in values:
            if name not in known:
                raise UsageError(f"There is no knob '{name}'.", suggest(name, known))
        checked: dict[str, Any] = dict(values)
        return cls(**checked)

    def values(self) -> dict[str, Value]:
        """Return every knob's value by name."""
        return {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}


@dataclass(frozen=True, kw_only=True)
class Spec(Settings):
    """The knobs that every family has; a family's own spec adds its architecture."""

    data: str = knob("", "The data set to train on.", entry="data-split")
    examples: int = knob(
        0,
        "How many training examples to use; 0 uses all of them.",
        low=0,
        high=10**9,
        unit="examples",
        entry="data-split",
    )
    batch_size: int = knob(
        64,
        "How many examples one step averages its gradient over.",
        low=1,
        high=65536,
        unit="examples",
        entry="mini-batch-and-batch-size",
    )
    optimizer: str = knob(
        "adamw", "The rule that turns gradients into steps.", choices=("sgd", "momentum", "adamw", "muon"), entry="adam"
    )
    learning_rate: float = knob(
        0.003, "How far one step moves the weights.", low=0.0, high=100.0, entry="learning-rate", live="tensor"
    )
    weight_decay: float = knob(
        0.0, "Pull of every weight towards zero.", low=0.0, high=10.0, entry="weight-decay", live="recapture"
    )
    warmup: float = knob(
        0.02,
        "Share of the run in which the learning rate rises from zero.",
        low=0.0,
        high=1.0,
        unit="of the run",
        entry="learning-rate-schedule-and-warmup",
    )
    cooldown: float = knob(
        0.6,
        "Share of the run in which the learning rate falls to zero.",
        low=0.0,
        high=1.0,
        unit="of the run",
        entry="learning-rate-schedule-and-warmup",
    )
    clip: float = knob(
        0.0,
        "Largest allowed norm of the whole gradient; 0 clips nothing.",
        low=0.0,
        high=1e6,
        entry="exploding-gradient-and-clipping",
    )
    ema: float = knob(
        0.0,
        "Decay of the averaged weights that are evaluated; 0 evaluates the weights themselves.",
        low=0.0,
        high=0.99999,
        entry="exponential-moving-average-of-weights",
    )

    def total_samples(self, examples: int) -> int:
        """Return how many samples the whole run trains on, given the number of training examples."""
        raise NotImplementedError

    def parameters(self, inputs: int, outputs: int) -> int:
        """Return the number of trained numbers, given the width of an input and the number of classes or tokens."""
        raise NotImplementedError

    def flops_per_sample(self, inputs: int, outputs: int) -> int:
        """Estimate the floating-point operations of forward and backward on one sample."""
        return 6 * self.parameters(inputs, outputs)


@dataclass(frozen=True, slots=True)
class Reference:
    """A line to measure oneself against on a panel: a published figure, a baseline, a floor."""

    name: str
    value: float
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """What one panel of the run screen shows; the screen itself knows no family."""

    events: tuple[str, ...]
    """Names of the scalars, pictures, texts ... that it draws, in the order of drawing."""
    kind: Kind
    title: str
    unit: str = ""
    x: str = "step"
    entry: str = ""
    references: tuple[Reference, ...] = ()
    when: tuple[str, str] | None = None
    """Show it only where the knob named first has the value named second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A headline figure of a family, the one that stands on the entry's page after a run."""

    name: str
    """The scalar that carries it, such as ``valid/accuracy``."""
    title: str
    unit: str = ""
    higher: bool = False
    """Whether more is better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A named set of knob values: one line of difference is one experiment."""

    name: str
    help: str
    knobs: Mapping[str, Value]
    seconds: float = 0.0
    """Measured on two CPU cores, 0 where it was not; the launch form starts its estimate from it."""
    start: str = ""
    """``family/preset`` of the finished run that it must start from, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """One thing that one can do with a trained model: complete a text, classify an example, draw samples.

    It answers in the events of a run, which every screen can draw.
    """

    name: str
    """A verb: ``complete``, ``classify``, ``sample``."""
    help: str
    """One sentence for the form and for ``--help``."""
    settings: type[Settings]
    """What it may be told."""
    act: str
    """``module:function`` that takes a learner and these settings and yields events, imported by a child alone."""
    words: str = ""
    """Which setting takes the free words of a command line; empty where none does."""


@dataclass(frozen=True, kw_only=True)
class Runnable:
    """What a run can be of: a family that is trained, or what a lab computes."""

    name: str
    title: str
    summary: str
    entry: str
    spec: type[Settings]
    presets: tuple[Preset, ...]
    panels: tuple[Panel, ...]
    headline: tuple[Metric, ...]
    code: tuple[str, ...]
    """Files to read, as paths relative to the package ``engine``; the model first."""

    COMMON: ClassVar[str] = "quick"

    def preset(self, name: str) -> Preset:
        """Return the preset of that name.

        Raises:
            UsageError: there is none; the message names those that there are.
        """
        for each in self.presets:
            if each.name == name:
                return each
        raise UsageError(f"{self.name} has no preset '{name}'.", suggest(name, [each.name for each in self.presets]))

    def configure(self, preset: str, changes: Mapping[str, Value] | None = None) -> Settings:
        """Return the complete spec of a preset with some knobs changed."""
        return self.spec.of({**self.preset(preset).knobs, **(changes or {})})


@dataclass(frozen=True, kw_only=True)
class Family(Runnable):
    """A model family: its knobs, presets and panels, and where its model and learner are."""

    spec: type[Spec]
    learner: str
    """``module:Class`` of its learner, imported by the trainer alone."""
    data: tuple[str, ...]
    """Names of the data sets it can train on, the default first."""
    own_data: str = ""
    """What data of a person's own may be, to follow "a path to": ``a text file``; empty where they may not be."""
    plays: tuple[Play, ...] = ()
    """What one can do with a trained model, the usual one first."""

    def play(self, name: str = "") -> Play:
        """Return the play of that name; the usual one where none is named.

        Raises:
            UsageError: there is none; the message names those that there are.
        """
        for each in self.plays:
            if name in ("", each.name):
                return each
        known = suggest(name, [each.name for each in self.plays])
        raise UsageError(f"One cannot {name or 'play with'} a model of {self.name}.", known)

    def configure(self, preset: str, changes: Mapping[str, Value] | None = None) -> Spec:
        """Return the complete spec of a preset with some knobs changed."""
        return self.spec.of({**self.preset(preset).knobs, **(changes or {})})


@dataclass(frozen=True, kw_only=True)
class Computation(Runnable):
    """What a lab computes in a process of its own, beyond training: a run like any other, with panels and a log."""

    compute: str
    """``module:function`` that takes the `Workbench` of the run, imported by its process alone."""

"""The knobs that every family has which sorts pictures into classes. Torch-free."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.core.spec import Spec, knob


@dataclass(frozen=True, kw_only=True)
class PictureSpec(Spec):
    """How pictures are changed on their way into training, how hard the labels are, and how long it goes on."""

    data: str = knob("digits", "The pictures to train on.", entry="data-split")
    shift: int = knob(
        0,
        "By how many pixels each picture is moved at random, a way to have more data.",
        low=0,
        high=16,
        unit="pixels",
        entry="data-augmentation",
    )
    mirror: bool = knob(
        False,
        "Whether every other pass sees the pictures mirrored; wrong for digits, right for clothes.",
        entry="data-augmentation",
    )
    label_smoothing: float = knob(
        0.0, "Share of the target that is spread over all classes.", low=0.0, high=0.9, entry="label-smoothing"
    )
    epochs: float = knob(
        10.0,
        "How often the run sees every training example.",
        low=0.001,
        high=1e6,
        unit="passes",
        entry="epoch-and-step",
    )

    def total_samples(self, examples: int) -> int:
        """Return the samples of the run: passes times examples."""
        return math.ceil(self.epochs * examples)

    @staticmethod
    def picture(inputs: int) -> tuple[int, int]:
        """Return colors and side of a square picture of that many numbers: gray, or color where those are 3 squares."""
        colors = 3 if inputs % 3 == 0 and math.isqrt(inputs // 3) ** 2 * 3 == inputs else 1
        return colors, math.isqrt(inputs // colors)

"""The plays that several families share: what each may be told. Torch-free; a family with more of its own to tell
declares it in its spec.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.spec import Play, Settings, knob


@dataclass(frozen=True, kw_only=True)
class CompleteSettings(Settings):
    """How a text is gone on with."""

    prompt: str = knob("", "What the text begins with.", entry="prompt-engineering")
    length: int = knob(200, "How much is written.", low=0, high=100_000, unit="characters", entry="context-window")
    temperature: float = knob(
        0.8, "How bold the choice is: 0 always takes the likeliest.", low=0.0, high=100.0, entry="temperature"
    )
    top_k: int = knob(
        0, "Choose among that many likeliest alone; 0 among all.", low=0, high=10**6, entry="sampling-strategies"
    )
    top_p: float = knob(
        1.0,
        "Choose among the likeliest that together reach this probability.",
        low=0.0,
        high=1.0,
        entry="sampling-strategies",
    )
    seed: int = knob(0, "Of the chance in the choice.", low=0, high=10**9, entry="seed-and-reproducibility")


@dataclass(frozen=True, kw_only=True)
class ClassifySettings(Settings):
    """What is classified."""

    file: str = knob("", "A picture of your own; without one an example of the validation split.")
    example: int = knob(0, "Which example of the validation split.", low=0, high=10**9, entry="data-split")
    invert: bool = knob(False, "Swap light and dark of your picture: digits are white on black.")


@dataclass(frozen=True, kw_only=True)
class NeighborsSettings(Settings):
    """Where in the space of words to look."""

    words: str = knob("", "A word, or words with + and -: king - man + woman.", entry="embedding")
    count: int = knob(10, "How many neighbors.", low=1, high=1000)


COMPLETE = Play(
    name="complete",
    help="Let it go on with a text, and see what it holds likely next.",
    settings=CompleteSettings,
    act="engine.play.complete:complete",
    words="prompt",
)
CLASSIFY = Play(
    name="classify",
    help="See what it takes an example for, and how sure it is.",
    settings=ClassifySettings,
    act="engine.play.classify:classify",
    words="file",
)
NEIGHBORS = Play(
    name="neighbors",
    help="See which words lie nearest to one, or to a sum of some.",
    settings=NeighborsSettings,
    act="engine.play.neighbors:neighbors",
    words="words",
)

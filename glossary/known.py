"""What an entry may point at outside the glossary: the names that exist, and those that the design promises.

The glossary imports no engine, so whoever calls `check` says what there is. A name that is only promised is *coming*.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

Status = Literal["here", "coming", "unknown"]


FAMILIES = frozenset((
    "mlp", "cnn", "gpt", "word2vec", "resnet", "rnn", "transformer", "bert", "vit", "autoencoder", "gan", "diffusion",
    "clip", "text-to-image", "speech", "dqn",
))  # fmt: skip
PRESETS = frozenset(("quick", "real", "standard", "paper", "fine-tune"))
LABS = frozenset((
    "embeddings", "rag", "fine-tuning", "scaling-laws", "vector-database", "prompt-engineering", "pre-training",
    "transfer-learning", "features-by-depth", "depth-and-skips", "dropout-and-overfitting", "batch-norm",
    "vanishing-gradients", "learning-rate", "initialization", "backpropagation", "attention", "attribution",
    "probing", "trees-against-nets", "data-hunger", "distribution-shift", "failure-clinic", "mode-collapse",
    "double-descent", "grokking", "quantization-and-pruning", "compute-trend",
))  # fmt: skip
PLAYS = frozenset(("complete", "classify", "sample", "denoise", "neighbors", "translate"))
PACKAGES = ("families", "layers", "data", "train", "adapt", "retrieval", "look", "play", "labs")


class KnownNames(msgspec.Struct, frozen=True, kw_only=True):
    """The names that exist now."""

    presets: Mapping[str, frozenset[str]] = {}
    """The presets of each family."""
    knobs: Mapping[str, frozenset[str]] = {}
    """The knobs of each family; those of a family that is not in here are not looked at."""
    labs: Mapping[str, Mapping[str, str]] = {}
    """The sentences that each lab judges, by their ids."""
    plays: frozenset[str] = frozenset()
    """``family/play``."""
    root: Path | None = None
    """The folder that `engine` lies in, to resolve ``code:`` targets; None leaves them unresolved."""

    def preset(self, family: str, preset: str) -> Status:
        """Say whether a preset can be run, is promised, or is a mistake."""
        if preset in self.presets.get(family, ()):
            return "here"
        return "coming" if family in FAMILIES and preset in PRESETS else "unknown"

    def lab(self, name: str) -> Status:
        """Say whether a lab exists, is promised, or is a mistake."""
        if name in self.labs:
            return "here"
        return "coming" if name in LABS else "unknown"

    def play(self, target: str) -> Status:
        """Say whether a playground ``family/play`` exists, is promised, or is a mistake."""
        if target in self.plays:
            return "here"
        family, _, play = target.partition("/")
        return "coming" if family in FAMILIES and play in PLAYS else "unknown"


def lenient() -> KnownNames:
    """Return names with nothing built yet, and code looked for beside this package: all that is promised is coming."""
    return KnownNames(root=Path(__file__).parent.parent)

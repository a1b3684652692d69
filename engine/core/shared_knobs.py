"""Knobs that several families have in the very same words, each with the family's own default. Torch-free."""

from __future__ import annotations

from typing import Any

from engine.core.errors import UsageError
from engine.core.spec import Live, knob


def steps(default: int) -> Any:
    """Return the knob that says how long a run of a fixed number of updates is."""
    return knob(default, "How many updates to make.", low=1, high=10**7, unit="steps", entry="epoch-and-step")


def learning_rate(default: float) -> Any:
    """Return the knob of every spec with another default."""
    return knob(
        default, "How far one step moves the weights.", low=0.0, high=100.0, entry="learning-rate", live="tensor"
    )


def muon() -> Any:
    """Return the knob of the optimizer where Muon is the usual one."""
    return knob(
        "muon",
        "The rule that turns gradients into steps; muon trains the matrices inside, adamw the rest.",
        choices=("sgd", "momentum", "adamw", "muon"),
        entry="optimizer",
    )


def heads(default: int) -> Any:
    """Return the knob of the attention heads of a block; `share_out` checks it against the width."""
    return knob(
        default,
        "How many attention heads work side by side in a block.",
        low=1,
        high=128,
        entry="multi-head-attention",
    )


def width(default: int) -> Any:
    """Return the knob of the channels of a transformer."""
    return knob(
        default,
        "Channels of the stream that runs through all blocks.",
        low=2,
        high=16384,
        unit="channels",
        entry="embedding",
    )


def attention() -> Any:
    """Return the knob that switches to the fused kernel."""
    return knob(
        "written",
        "Attention written out, or by torch's one kernel; both give the same.",
        choices=("written", "fused"),
        entry="attention",
    )


def norm() -> Any:
    """Return the knob of the normalization of `engine.layers.norm`."""
    return knob(
        "rmsnorm",
        "What keeps the size of the stream steady.",
        choices=("rmsnorm", "layernorm"),
        entry="layer-normalization",
    )


def qk_norm() -> Any:
    """Return the knob of normalized queries and keys."""
    return knob(
        True, "Give every query and key the same length, so that scores cannot run away.", entry="query-key-value"
    )


def bias() -> Any:
    """Return the knob of the constants after the matrices."""
    return knob(False, "Add a learned constant after every matrix.", entry="weight-and-bias")


def dropout(*, live: Live = None) -> Any:
    """Return the knob of dropout; `live` where the learner's `turn` reaches every layer of it."""
    return knob(
        0.0,
        "Share of the numbers that are zeroed at random in training.",
        low=0.0,
        high=0.95,
        entry="dropout",
        live=live,
    )


def fitting_patches(side: int) -> str:
    """Return in words which sides of patches, in pixels, share out a picture of that side, the picture itself too."""
    return ", ".join(str(patch) for patch in range(1, side + 1) if side % patch == 0)


def share_out(width: int, heads: int, *, rotary: bool = False, instead: str = "") -> None:
    """Check that the channels can be shared out among the heads, and where positions are rotary, in pairs.

    Args:
        width: channels.
        heads: among which they are shared out.
        rotary: whether queries and keys are turned pair by pair.
        instead: the setting that does without, ``positions=learned``.

    Raises:
        UsageError: they cannot; with the nearest width that can.
    """
    if width % heads:
        raise UsageError(
            f"A width of {width} cannot be shared out among {heads} heads.",
            f"Use a multiple of {heads}, such as {max(1, round(width / heads)) * heads}.",
        )
    if rotary and width // heads % 2:
        raise UsageError(
            f"Rotary positions turn pairs; heads of {width // heads} channels have one over.",
            f"Change width or heads, or use {instead}.",
        )

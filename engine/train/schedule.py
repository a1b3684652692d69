"""The learning rate over a run: up, level, down.

Constant with a warm-up and a linear cooldown to zero ("trapezoid", "warmup-stable-decay"): Zhai et al., Scaling Vision
Transformers, 2022; Hägele et al., Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations, 2024.
"""

from __future__ import annotations


def learning_rate_scale(progress: float, warmup: float, cooldown: float) -> float:
    """Return the factor on the learning rate after a share `progress` of the run's samples.

    It rises linearly from zero over the first `warmup` of the run, stays at one, and falls linearly to zero over the
    last `cooldown` of it. Where both claim the same stretch the smaller factor holds.

    Args:
        progress: samples trained on so far, over the samples of the whole run.
        warmup: share of the run, 0 to 1.
        cooldown: share of the run, 0 to 1.
    """
    rising = progress / warmup if progress < warmup else 1.0
    left = 1.0 - progress
    falling = left / cooldown if left < cooldown else 1.0
    return max(0.0, min(rising, falling))

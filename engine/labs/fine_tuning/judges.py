"""Whether the sentences on fine-tuning and LoRA hold on what was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.core.lab import Results
from engine.core.verdict import Measured, Verdict, at_least, both, exactly, measured, more_than

BUDGET = 0.05
"""Numbers that LoRA may train, as a share of the model's."""
ENOUGH = 0.9
"""Share of full fine-tuning's gain that it has to reach."""
SAME = 1e-4
"""Largest difference of two scores that single precision explains, where scores are some tens large."""
NATS = "nats per character"


def mean(values: Sequence[float]) -> float:
    """Return the mean."""
    return math.fsum(values) / len(values)


def share_trained(results: Results, arm: str) -> float:
    """Return how many numbers an arm trains, as a share of what full fine-tuning does."""
    return results.of(arm, "parameters")[0] / results.of("full", "parameters")[0]


def lora_within(results: Results, budget: float) -> str:
    """Return the arm of the largest rank that trains no more than the budget; empty where none does."""
    names = {arm for arm, _ in results.figures if arm.startswith("lora-")}
    fitting = [name for name in names if share_trained(results, name) <= budget]
    return max(fitting, key=lambda name: int(name.removeprefix("lora-")), default="")


def gains(results: Results, arm: str) -> tuple[float, ...]:
    """Return by how much an arm lowered the base model's loss on the second text, one value a seed."""
    before, after = results.of("after", "base/second"), results.of("after", f"{arm}/second")
    return tuple(b - a for b, a in zip(before, after, strict=True))


def gain_shares(results: Results, arm: str) -> tuple[float, ...]:
    """Return an arm's gain as a share of full fine-tuning's; NaN where that gained nothing."""
    full = gains(results, "full")
    return tuple(g / f if f > 0 else math.nan for g, f in zip(gains(results, arm), full, strict=True))


def rises(results: Results, arm: str) -> tuple[float, ...]:
    """Return by how much the loss on the first text rose, one value a seed."""
    before, after = results.of("after", "base/first"), results.of("after", f"{arm}/first")
    return tuple(a - b for b, a in zip(before, after, strict=True))


def head_start(results: Results) -> Verdict:
    """Judge whether fine-tuning starts lower and is faster at the loss where scratch ends."""
    ahead = tuple(
        s - f
        for s, f in zip(results.of("scratch", "first/train/loss"), results.of("full", "first/train/loss"), strict=True)
    )
    fast, slow = results.of("after", "full/steps"), results.of("after", "scratch/steps")
    saved = tuple(s - f for s, f in zip(slow, fast, strict=True))
    lead, tuned, scratch = (
        measured("head start", ahead, NATS),
        measured("steps, fine-tuned", fast),
        measured("steps, from scratch", slow),
    )
    return Verdict(
        holds=both(more_than(0, ahead), more_than(0, saved)),
        text=f"Fine-tuning began {mean(ahead):.2f} nats per character lower. For the lowest loss that training from "
        f"scratch came to it took {mean(fast):,.0f} steps, and training from scratch {mean(slow):,.0f}.",
        measured=(lead, tuned, scratch),
    )


def forgets(results: Results) -> Verdict:
    """Judge whether full fine-tuning raised the loss on the first text."""
    rise, before = rises(results, "full"), results.of("after", "base/first")
    return Verdict(
        holds=more_than(0, rise),
        text=f"On the first text's validation part the loss was {mean(before):.3f} nats per character before, and "
        f"{mean(results.of('after', 'full/first')):.3f} after.",
        measured=(
            measured("rise on the first text", rise, NATS),
            measured("gain on the second", gains(results, "full"), NATS),
        ),
    )


def lora_gain(results: Results) -> Verdict:
    """Judge whether LoRA within its budget reaches enough of full fine-tuning's gain; all ranks are told."""
    arm = lora_within(results, BUDGET)
    told = tuple(_share(results, each) for each in _loras(results))
    if not arm:
        return Verdict(holds=None, text=f"No rank that was tried trains at most {BUDGET:.0%} as many.", measured=told)
    shares = gain_shares(results, arm)
    return Verdict(
        holds=at_least(ENOUGH, shares),
        text=f"LoRA of rank {arm.removeprefix('lora-')} trained {share_trained(results, arm):.1%} as many numbers as "
        f"full fine-tuning and reached {mean(shares):.0%} of its gain, {mean(gains(results, arm)):.3f} of "
        f"{mean(gains(results, 'full')):.3f} nats per character.",
        measured=told,
    )


def lora_forgets_less(results: Results) -> Verdict:
    """Judge whether LoRA within its budget raised the loss on the first text less than full fine-tuning did."""
    arm = lora_within(results, BUDGET)
    if not arm:
        return Verdict(holds=None, text=f"No rank that was tried trains at most {BUDGET:.0%} as many.", measured=())
    full, lora = rises(results, "full"), rises(results, arm)
    less = tuple(a - b for a, b in zip(full, lora, strict=True))
    return Verdict(
        holds=more_than(0, less),
        text=f"On the first text the loss rose by {mean(full):.3f} nats per character after full fine-tuning, and by "
        f"{mean(lora):.3f} after LoRA of rank {arm.removeprefix('lora-')}.",
        measured=(
            measured("rise after full", full, NATS),
            *(
                measured(f"rise after LoRA, rank {each.removeprefix('lora-')}", rises(results, each), NATS)
                for each in _loras(results)
            ),
        ),
    )


def merged(results: Results) -> Verdict:
    """Judge whether merging changed any score."""
    worst = max(results.of("after", "merged/difference"))
    return Verdict(
        holds=worst <= SAME,
        text=f"Over a stretch of the second text the largest difference of two scores was {worst:.0e}.",
        measured=(exactly("largest difference", worst),),
    )


def _loras(results: Results) -> list[str]:
    names = {arm for arm, _ in results.figures if arm.startswith("lora-")}
    return sorted(names, key=lambda name: int(name.removeprefix("lora-")))


def _share(results: Results, arm: str) -> Measured:
    shares = [100 * each for each in gain_shares(results, arm)]
    return measured(
        f"{arm.replace('lora-', 'rank ')}, {share_trained(results, arm):.1%} trained", shares, "% of the gain"
    )

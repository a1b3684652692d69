"""Which part of a GPT learns, where it is not the whole."""

from __future__ import annotations

from engine.adapt.freeze import freeze, moved
from engine.adapt.lora import LoRALinear, adapt
from engine.core.events import Table
from engine.families.gpt.model import GPT
from engine.families.gpt.spec import GPTSpec


def adapted(spec: GPTSpec) -> str:
    """Return a regular expression for the names of the layers that LoRA adapts."""
    part = spec.targets if spec.targets in ("attention", "mlp") else "(attention|mlp)"
    blocks = rf"blocks\.\d+\.{part}\.\w+"
    return f"{blocks}|head" if spec.adapts_head else blocks


def hold_still(model: GPT, spec: GPTSpec) -> None:
    """Freeze what the knob ``adapt`` says, and put LoRA's thin matrices where they go."""
    if spec.adapt == "head":
        freeze(model, keep="head")
    elif spec.adapt == "lora":
        adapt(model, adapted(spec), spec.rank, spec.alpha)


def what_is_trained(model: GPT) -> Table:
    """Return, part by part, how many numbers there are and how many are trained."""
    adapters = [each for each in model.modules() if isinstance(each, LoRALinear)]
    thin = sum(each.lora_A.numel() + each.lora_B.numel() for each in adapters)
    trained, there = moved(model)
    head = model.head.weight
    rows = [("LoRA's thin matrices", thin, thin)] if adapters else []
    rows += [
        ("the last layer", head.numel(), head.numel() if head.requires_grad else 0),
        ("all else", there - thin - head.numel(), 0),
        ("together", there, trained),
    ]
    cells = [[name, f"{count:,}", f"{moving:,}", f"{moving / count:.2%}"] for name, count, moving in rows]
    return Table(name="what is trained", columns=["part", "numbers", "trained", "share"], rows=cells)

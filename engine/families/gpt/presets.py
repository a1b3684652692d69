"""The GPT's presets: small ones, the choices of 2019, and the published GPT-2. Torch-free."""

from __future__ import annotations

from engine.core.spec import Preset, Value

GPT_2: dict[str, Value] = {
    "positions": "learned",
    "norm": "layernorm",
    "activation": "gelu",
    "qk_norm": False,
    "tie": True,
    "bias": True,
    "zero_start": False,
    "optimizer": "adamw",
    "learning_rate": 0.001,
    "weight_decay": 0.1,
    "clip": 1.0,
}
"""The choices of Radford et al., Language Models are Unsupervised Multitask Learners, 2019."""

GPT_2_124M: dict[str, Value] = {
    "layers": 12,
    "heads": 12,
    "width": 768,
    "positions": "learned",
    "norm": "layernorm",
    "activation": "gelu-tanh",
    "qk_norm": False,
    "tie": True,
    "bias": True,
}
"""What decides which weights there are, and what they compute, in the smallest GPT-2."""

PUBLISHED: dict[str, Value] = {
    **GPT_2_124M,
    "tokens": "gpt-2",
    "weights": "gpt-2",
    "zero_start": False,
    "attention": "fused",
    "optimizer": "adamw",
    "weight_decay": 0.0,
    "clip": 1.0,
    "adapt": "lora",
}
"""The published weights, which stand still; LoRA learns."""

SMALL: dict[str, Value] = {"layers": 4, "heads": 4, "width": 128, "context": 128, "batch_size": 12, "steps": 800}
"""A size for two CPU cores; attention as it is written, which is also what runs fastest there in half precision."""

SHAKESPEARE: dict[str, Value] = {"data": "tiny-shakespeare", "prompt": "ROMEO:\n"}

NANOGPT_CPU: dict[str, Value] = {**GPT_2, **SHAKESPEARE, **SMALL, "bias": False, "context": 64, "steps": 2000}
"""nanoGPT's recipe for a CPU, from its README and its configuration; it decays by a cosine, we by a line."""

PRESETS = (
    Preset(
        name="quick",
        help="A small GPT learns to write this glossary, one character at a time.",
        knobs={**SMALL, "steps": 700},
    ),
    Preset(
        name="fine-tune",
        help="The model of gpt/quick goes on with questions and answers.",
        knobs={
            **SMALL,
            "data": "glossary-questions",
            "prompt": "Question: ",
            "learning_rate": 0.005,
            "cooldown": 1.0,
            "steps": 200,
        },
        start="gpt/quick",
    ),
    Preset(
        name="gpt-2",
        help="The size of gpt/quick with the choices of 2019: learned positions, LayerNorm, GELU, tied tables, AdamW.",
        knobs={**SMALL, **GPT_2},
    ),
    Preset(
        name="real",
        help="Tiny Shakespeare on a CPU.",
        knobs={**SMALL, **SHAKESPEARE, "context": 64, "batch_size": 8, "steps": 3000, "learning_rate": 0.015},
    ),
    Preset(
        name="quarter",
        help="A quarter of the characters that gpt/nanogpt-cpu reads, in smaller steps, and a better end.",
        knobs={**SMALL, **SHAKESPEARE, "context": 64, "batch_size": 6, "steps": 1000, "learning_rate": 0.015},
    ),
    Preset(
        name="nanogpt-cpu",
        help="nanoGPT's recipe for a CPU, the peer to measure against.",
        knobs={**NANOGPT_CPU, "warmup": 0.05, "cooldown": 0.95},
    ),
    Preset(
        name="standard",
        help="Tiny Shakespeare on one GPU, at the size of nanoGPT's recipe.",
        knobs={
            **SHAKESPEARE,
            "layers": 6,
            "heads": 6,
            "width": 384,
            "context": 256,
            "batch_size": 64,
            "steps": 1500,
            "dropout": 0.2,
            "weight_decay": 0.05,
            "attention": "fused",
        },
    ),
    Preset(
        name="gpt-2-124m",
        help="The published GPT-2 goes on with Tiny Shakespeare by LoRA, in few steps; for a GPU, or with patience.",
        knobs={
            **PUBLISHED,
            **SHAKESPEARE,
            "context": 256,
            "batch_size": 8,
            "steps": 200,
            "learning_rate": 0.001,
            "rank": 8,
            "alpha": 16.0,
        },
    ),
    Preset(
        name="gpt-2-as-published",
        help="GPT-2 as OpenAI published it: it is judged and kept as it is, so that one can play with it.",
        knobs={
            **PUBLISHED,
            **SHAKESPEARE,
            "context": 1024,
            "batch_size": 1,
            "steps": 1,
            "learning_rate": 0.0,
            "rank": 1,
        },
    ),
)

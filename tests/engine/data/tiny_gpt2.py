"""A made-up GPT-2: its files in the very form of the published ones, with few merges and small shapes."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor

from engine.data.gpt2_tokens import END, letters_of_bytes

MERGES = ("h e", "a t", "Ġ t", "Ġ h", "Ġt he", "Ġ a", "i n", "e r")
VOCABULARY = 256 + len(MERGES) + 1
LAYERS, WIDTH, CONTEXT = 2, 16, 32


def write_tokens(folder: Path) -> tuple[Path, Path]:
    """Write merges and vocabulary, and return where."""
    merges, vocabulary = folder / "merges.txt", folder / "vocab.json"
    merges.write_text("#version: 0.2\n" + "".join(f"{pair}\n" for pair in MERGES), "utf-8")
    words = [*sorted(letters_of_bytes()), *(pair.replace(" ", "") for pair in MERGES), END]
    vocabulary.write_text(json.dumps({word: number for number, word in enumerate(words)}), "utf-8")
    return merges, vocabulary


def made_weights(seed: int = 0) -> dict[str, Tensor]:
    """Return tensors of GPT-2's names, in its layout: the matrices are inputs by outputs."""
    generator = torch.Generator().manual_seed(seed)
    C = WIDTH

    def drawn(*shape: int, mean: float = 0.0) -> Tensor:
        return mean + 0.2 * torch.randn(shape, generator=generator)

    found = {"wte.weight": drawn(VOCABULARY, C), "wpe.weight": drawn(CONTEXT, C)}
    for layer in range(LAYERS):
        h = f"h.{layer}."
        found[f"{h}attn.bias"] = torch.ones(CONTEXT, CONTEXT).tril().view(1, 1, CONTEXT, CONTEXT)
        for name, (rows, columns) in {
            "attn.c_attn": (C, 3 * C), "attn.c_proj": (C, C), "mlp.c_fc": (C, 4 * C), "mlp.c_proj": (4 * C, C),
        }.items():  # fmt: skip
            found |= {f"{h}{name}.weight": drawn(rows, columns), f"{h}{name}.bias": drawn(columns)}
        for name in ("ln_1", "ln_2"):
            found |= {f"{h}{name}.weight": drawn(C, mean=1.0), f"{h}{name}.bias": drawn(C)}
    return found | {"ln_f.weight": drawn(C, mean=1.0), "ln_f.bias": drawn(C)}

"""One evaluator for both: ``evaluating.py OUT TEXT CONTEXT ours RUN_FOLDER`` or ``... peer FOLDER CHECKPOINT``.

The full validation split of a text, its last tenth, in windows that follow one another, each cold; nats per character.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.data.text import Characters, cold_windows
from tests.bench.child.painting import write

BATCH = 128


def ours(folder: Path, characters: Characters) -> Callable[[Tensor], Tensor]:
    """Return the trained model of a run as a function from tokens to scores.

    Raises:
        ValueError: its characters are not those of the text.
    """
    from engine.families.gpt.loading import load_gpt

    model, vocabulary = load_gpt(folder)
    if vocabulary.words != characters.words:
        raise ValueError("the run knows other characters than the text has")
    return model


def peer(folder: Path, checkpoint: Path) -> Callable[[Tensor], Tensor]:
    """Return nanoGPT's trained model as a function from tokens to scores."""
    sys.path.insert(0, str(folder))
    from model import GPT, GPTConfig  # type: ignore[import-not-found]

    kept = torch.load(checkpoint, map_location="cpu", weights_only=True)
    model = GPT(GPTConfig(**kept["model_args"]))
    model.load_state_dict({name.removeprefix("_orig_mod."): tensor for name, tensor in kept["model"].items()})
    model.eval()
    return lambda tokens_BT: model(tokens_BT, tokens_BT)[0]


@torch.no_grad()
def loss(model: Callable[[Tensor], Tensor], tokens: Tensor, context: int) -> float:
    """Return the mean cross-entropy over the whole text."""
    total, count = 0.0, 0
    for x_BT, y_BT in cold_windows(tokens, context, BATCH):
        scores_BTV = model(x_BT).float()
        total += F.cross_entropy(scores_BTV.flatten(0, 1), y_BT.flatten(), reduction="sum").item()
        count += y_BT.numel()
    return total / count


if __name__ == "__main__":
    out, path, context, whose, *places = sys.argv[1:]
    text = Path(path).read_text(encoding="utf-8")
    split = int(len(text) * 0.9)
    characters = Characters(text)
    model = ours(Path(places[0]), characters) if whose == "ours" else peer(Path(places[0]), Path(places[1]))
    write(out, loss(model, characters.encode(text[split:]), int(context)))

"""After the training: every contestant on both texts, every adapter beside its matrices and merged into them."""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.core.events import Points, Table, Text
from engine.core.recipe import read_recipe
from engine.core.view import RunView
from engine.data.batches import seeded
from engine.data.examples import Corpus
from engine.data.load import load
from engine.data.text import Vocabulary, cold_windows
from engine.families.gpt.adapting import hold_still
from engine.families.gpt.learner import build_gpt, vocabulary_of, windows_at_once
from engine.families.gpt.loading import load_gpt
from engine.families.gpt.model import GPT
from engine.families.gpt.spec import GPTSpec
from engine.labs.fine_tuning.lab import Contest
from engine.labs.workbench import Workbench
from engine.train.checkpoint import latest_checkpoint
from engine.train.device import choose_device

CPU = torch.device("cpu")
WRITTEN = 120
"""Tokens of a sample."""
NUMBER = 4
"""Bytes of a number in single precision."""


@dataclass(frozen=True, slots=True)
class After:
    """What one contestant can do, and what its training kept in memory."""

    name: str
    first: float
    second: float
    trained: int
    kept: int
    """Bytes of weights, gradients and the optimizer's notes."""
    seconds: float


def measure(bench: Workbench) -> None:
    """Test the base and every contestant on both texts, and write what was found."""
    asked = cast(Contest, bench.settings)
    torch.set_num_threads(bench.asked.threads or torch.get_num_threads())
    device = choose_device(bench.asked.device) if asked.base == "gpt-2" else CPU
    names = list(bench.inputs)
    bench.start(total_steps=len(names))
    first, second = (valid_text(name) for name in (asked.first, asked.second))
    found: list[After] = []
    worst = 0.0
    for name in names:
        model, vocabulary = load_gpt(bench.run_folder(name))
        model.to(device)
        view = bench.read(name)
        tokens = vocabulary.encode(second, device)
        one = After(
            name,
            first=loss_per_character(model, vocabulary, first),
            second=loss_per_character(model, vocabulary, second),
            trained=view.started.parameters if view.started else 0,
            kept=training_bytes(bench.run_folder(name)),
            seconds=view.elapsed,
        )
        if name.startswith("lora-"):
            worst = max(worst, merging_error(model, bench.run_folder(name), tokens))
        found.append(one)
        bench.emit(Text(name="what it writes", prompt=f"{name}: ", text=sample(model, vocabulary, bench.seed)))
        bench.emit(table(found), picture(found))
        bench.advance(first__loss=one.first, second__loss=one.second)
    for one in found:
        bench.figures |= {f"{one.name}/first": one.first, f"{one.name}/second": one.second}
        bench.figures |= {f"{one.name}/kept": float(one.kept)}
    bench.figures["merged/difference"] = worst
    bench.figures |= race(bench.read("full"), bench.read("scratch"), bench.figures["base/second"])


def valid_text(name: str) -> str:
    """Return the validation part of a text."""
    corpus = load(name, GPTSpec(), 0, CPU)
    assert isinstance(corpus, Corpus)
    return corpus.valid


def loss_per_character(model: GPT, vocabulary: Vocabulary, text: str) -> float:
    """Return the mean loss over all of a text in nats per character, whatever the tokens."""
    tokens = vocabulary.encode(text, model.embedding.weight.device)
    shares = 1.0 if model.spec.tokens == "characters" else len(tokens) / len(text)
    return cold_loss(model, tokens) * shares


@torch.no_grad()
def cold_loss(model: GPT, tokens: Tensor) -> float:
    """Return the mean loss over all of a text, in windows without earlier context, in nats per token."""
    total, count = 0.0, 0
    for x_BT, y_BT in cold_windows(tokens, model.spec.context, windows_at_once(model)):
        total += float(F.cross_entropy(model(x_BT).flatten(0, 1), y_BT.flatten(), reduction="sum"))
        count += y_BT.numel()
    return total / count if count else math.nan


@torch.no_grad()
def merging_error(merged: GPT, folder: Path, tokens: Tensor) -> float:
    """Return the largest difference of two scores, the adapter beside its matrices and merged into them.

    The scores of GPT-2 run to a hundred and more, where single precision itself is no finer than the difference that is
    looked for: they are computed in double precision.
    """
    spec = GPTSpec.of(read_recipe(folder).knobs)
    checkpoint, _ = latest_checkpoint(folder)
    assert isinstance(spec, GPTSpec)
    assert checkpoint is not None
    beside = build_gpt(spec, vocabulary_of(checkpoint.model))
    hold_still(beside, spec)
    own = {name.removeprefix("model."): tensor for name, tensor in checkpoint.model.items()}
    beside.load_state_dict(own, strict=False)  # a tied table has one name there and two here
    x_BT = tokens[None, : spec.context].cpu()
    plain = deepcopy(merged).cpu()
    if spec.tokens == "gpt-2":
        plain, beside = plain.double(), beside.double()
    return float((beside.eval()(x_BT) - plain(x_BT)).abs().max())


def training_bytes(folder: Path) -> int:
    """Return the bytes of weights, of gradients and of the optimizer's notes, as the newest checkpoint has them."""
    checkpoint, _ = latest_checkpoint(folder)
    if checkpoint is None:
        return 0
    weights = sum(each.numel() for each in checkpoint.model.values())
    notes = {name: each for name, each in checkpoint.training.items() if name.startswith("optimizer.")}
    trained = {name.rpartition(".")[0]: each.numel() for name, each in notes.items() if each.ndim}
    return NUMBER * (weights + sum(trained.values()) + sum(each.numel() for each in notes.values()))


def race(full: RunView, scratch: RunView, start: float) -> dict[str, float]:
    """Return after how many steps each came to the lowest loss of training from scratch; NaN where it never did."""
    goal = scratch.series["valid/loss"].best(higher=False)
    steps = 0.0 if start <= goal[1] else math.nan
    series = full.series["valid/loss"]
    for step, value in zip(series.steps.tolist(), series.values.tolist(), strict=True):
        if math.isnan(steps) and value <= goal[1]:
            steps = float(step)
    return {"full/steps": steps, "scratch/steps": float(goal[0])}


def sample(model: GPT, vocabulary: Vocabulary, seed: int) -> str:
    """Return what a model writes after the beginning of a question; the same chance for all."""
    device = model.embedding.weight.device
    prompt = vocabulary.encode("Question: ", device)
    if not len(prompt):
        prompt = torch.zeros(1, dtype=torch.int64, device=device)
    written = model.generate(prompt[None], WRITTEN, temperature=0.8, generator=seeded(seed, 0, device, stream=4))
    return vocabulary.decode(written[0])


def table(found: list[After]) -> Table:
    """Return all figures so far, the losses against those of the base."""
    base = found[0]
    rows = [
        [
            each.name,
            f"{each.trained:,}",
            f"{each.second:.3f}",
            f"{each.second - base.second:+.3f}",
            f"{each.first:.3f}",
            f"{each.first - base.first:+.3f}",
            f"{each.kept / 1e6:.1f} MB",
            f"{each.seconds:.0f} s",
        ]
        for each in found
    ]
    columns = ["", "trained", "second text", "change", "first text", "change", "kept to train", "time"]
    return Table(name="contestants", columns=columns, rows=rows)


def picture(found: list[After]) -> Points:
    """Return the losses on both texts as points; training from scratch, far off on both, is left out."""
    shown = [each for each in found if each.name != "scratch"]
    return Points(
        name="learned and forgotten",
        x=[each.second for each in shown],
        y=[each.first for each in shown],
        group=[0] * len(shown),
        words=[each.name for each in shown],
    )

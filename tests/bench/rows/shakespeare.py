"""GPT on Tiny Shakespeare on a CPU: our recipe against nanoGPT's, same size, data and evaluator."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figures import Sample
from tests.bench.places import fresh_home
from tests.bench.row import Effort, NotHereError, Row, Target, figure
from tests.source import ROOT

PEER = "LEXIGRAD_BENCH_NANOGPT"
"""Names a folder with nanoGPT (github.com/karpathy/nanoGPT); without it the comparison is left out."""
STEPS, BATCH, CONTEXT = 2000, 12, 64
OURS = {
    "quarter": ("gpt/quarter", "our recipe, a quarter of its tokens"),
    "whole": ("gpt/real", "our recipe, as many tokens"),
    "same": ("gpt/nanogpt-cpu", "nanoGPT's recipe in our code"),
}
RECIPE = (
    "config/train_shakespeare_char.py", "--device=cpu", "--compile=False", "--eval_iters=20", "--log_interval=1",
    f"--block_size={CONTEXT}", f"--batch_size={BATCH}", "--n_layer=4", "--n_head=4", "--n_embd=128",
    f"--max_iters={STEPS}", f"--lr_decay_iters={STEPS}", "--dropout=0.0", "--always_save_checkpoint=True",
)  # fmt: skip
"""nanoGPT's README, for a CPU; the last word keeps the model of the end rather than the best one."""


def measure(effort: Effort) -> Iterator[Row]:
    """Train and evaluate each with the same seeds."""
    folder = peer_folder()
    seeds = range(effort.times(3, least=1))
    losses: dict[str, list[float]] = {name: [] for name in ("peer", *OURS)}
    seconds: dict[str, list[float]] = {name: [] for name in ("peer", *OURS)}
    with fresh_home() as home:
        text = text_file()
        for seed in seeds:
            found = train_peer(folder, text, home, seed)
            losses["peer"].append(found[0])
            seconds["peer"].append(found[1])
            for name, (run, _) in OURS.items():
                found = train_ours(run, text, home, seed)
                losses[name].append(found[0])
                seconds[name].append(found[1])
    theirs = Sample(tuple(losses["peer"]))
    for name, (run, words) in OURS.items():
        own = Sample(tuple(losses[name]))
        share = tokens(run) / (STEPS * BATCH * CONTEXT)
        targets: tuple[Target, ...] = ()
        if name == "quarter":
            better = Target("better than its final loss", own.median, theirs.median)
            targets = (better, Target("at most 1/4 of its tokens", share, 0.25))
        yield Row(
            key=f"shakespeare/{name}",
            what=f"GPT on Tiny Shakespeare, CPU: {words}",
            ours=own,
            figure=f"{own.median:.3f} nats a character after {clock(seconds[name])}",
            against="nanoGPT's CPU recipe",
            reference_figure=f"{theirs.median:.3f} after {clock(seconds['peer'])}",
            targets=targets,
            how=f"{run} ({tokens(run):,} tokens, {share:.2f} of the peer's), against nanoGPT's README recipe for a CPU "
            f"({STEPS} iterations of {BATCH} x {CONTEXT}), the same size and text and one evaluator: full validation "
            f"split, cold context of {CONTEXT}. Seconds are of training without evaluation; "
            "each takes the threads and precision that it chooses by itself. n counts seeds.",
        )


def tokens(run: str) -> int:
    """Return how many characters a run trains on."""
    from engine.catalog import parse_run

    spec = parse_run(run).spec
    return spec.total_samples(0) * int(spec.values()["context"])


def clock(seconds: list[float]) -> str:
    """Return the median of some seconds."""
    return f"{figure(Sample(tuple(seconds)).median)} s"


def peer_folder() -> Path:
    """Return where nanoGPT lies.

    Raises:
        NotHereError: it is not here.
    """
    folder = Path(os.environ.get(PEER, ""))
    if not os.environ.get(PEER) or not (folder / "train.py").is_file():
        raise NotHereError(f"{PEER} names no folder with nanoGPT")
    return folder


def text_file() -> Path:
    """Return Tiny Shakespeare.

    Raises:
        NotHereError: it is not here.
    """
    from engine.core import paths

    found = [folder / "tinyshakespeare" / "input.txt" for folder in paths.data_folders()]
    for path in found:
        if path.is_file():
            return path
    raise NotHereError("Tiny Shakespeare is not here; `lexigrad data get tiny-shakespeare` loads it")


def train_peer(folder: Path, text: Path, home: Path, seed: int) -> tuple[float, float]:
    """Train nanoGPT in a copy of its folder; return its loss, and the seconds of its iterations."""
    copy = home / f"peer-{seed}"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(".git"))
    prepare(copy / "data" / "shakespeare_char", text)
    script = (copy / "train.py").read_text(encoding="utf-8")
    (copy / "train.py").write_text(script.replace("manual_seed(1337", f"manual_seed({1337 + seed}"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "train.py", *RECIPE], cwd=copy, capture_output=True, text=True, timeout=3600, check=False
    )
    if done.returncode:
        raise NotHereError(f"nanoGPT does not run with this torch ({done.stderr.strip().splitlines()[-1]})")
    milliseconds = [float(each) for each in re.findall(r"time ([\d.]+)ms", done.stdout)]
    loss = evaluated(home, text, "peer", str(copy), str(copy / "out-shakespeare-char" / "ckpt.pt"))
    return loss, STEPS * Sample(tuple(milliseconds)).median / 1000


def prepare(folder: Path, text: Path) -> None:
    """Write the text as nanoGPT reads it: numbers of two bytes, nine tenths to train on, and the characters."""
    import pickle

    import numpy as np

    letters = text.read_text(encoding="utf-8")
    words = sorted(set(letters))
    numbers = {word: number for number, word in enumerate(words)}
    tokens = np.array([numbers[letter] for letter in letters], np.uint16)
    split = int(len(letters) * 0.9)
    tokens[:split].tofile(folder / "train.bin")
    tokens[split:].tofile(folder / "val.bin")
    meta = {"vocab_size": len(words), "itos": dict(enumerate(words)), "stoi": numbers}
    (folder / "meta.pkl").write_bytes(pickle.dumps(meta))


def train_ours(run: str, text: Path, home: Path, seed: int) -> tuple[float, float]:
    """Train ours in a process of its own; return its loss, and the seconds of its steps."""
    from engine.catalog import parse_run
    from engine.core import paths
    from engine.core.follow import Follower
    from engine.core.store import RunStore
    from tui.recipes import recipe_of

    made = RunStore(paths.runs_folder()).create(recipe_of(parse_run(f"{run} seed={seed}")))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-m", "engine.train", str(made.folder)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=3600)
    view = Follower(made).catch_up()
    pace = Sample(tuple(view.series["ms_per_step"].values.tolist()))
    return evaluated(home, text, "ours", str(made.folder)), view.total_steps * pace.median / 1000


def evaluated(home: Path, text: Path, *whose: str) -> float:
    """Return what the one evaluator measures."""
    out = home / "loss.json"
    out.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.bench.child.evaluating", str(out), str(text), str(CONTEXT), *whose]
    subprocess.run(command, cwd=ROOT, check=True, timeout=600)
    found: float = json.loads(out.read_text())
    return found

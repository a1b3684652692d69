"""What it costs a trainer to tell about itself: events and their transport, as a share of its processor time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figures import Sample
from tests.bench.places import fresh_home
from tests.bench.row import Effort, Row, Target, figure
from tests.source import ROOT

TARGETS = (
    "mlp/quick",
    "cnn/quick",
    "resnet/quick epochs=4",
    "vit/quick epochs=10",
    "rnn/quick steps=200",
    "word2vec/quick",
    "gpt/quick steps=300",
    "bert/quick steps=150",
    "transformer/quick steps=200",
    "autoencoder/quick",
    "gan/quick epochs=100",
    "diffusion/quick",
    "clip/quick",
    "speech/quick",
)
"""A run of every family, the longer ones cut short; mlp's has the smallest steps, and the least to hide behind."""
MOST = 1.0


def trained(what: str, target: str, number: int, home: Path, *more: str) -> object:
    """Return what the child process that trains found."""
    out = home / "training.json"
    out.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.bench.child.training", what, str(out), target, str(number), *more]
    subprocess.run(command, cwd=ROOT, check=True, timeout=900)
    return json.loads(out.read_text())


def measure(effort: Effort) -> Iterator[Row]:
    """Train each target several times."""
    for target in TARGETS:
        shares, events, steps = [], 0.0, 0.0
        with fresh_home() as home:
            for repeat in range(effort.times(5, least=1) + 1):
                found = trained("cost", target, 0, home)
                assert isinstance(found, dict)
                if repeat:
                    shares.append(100 * found["told"] / found["whole"])
                    events, steps = found["events"], found["steps"]
        share = Sample(tuple(shares))
        yield Row(
            key=f"emit/{slug(target)}",
            what=f"Telling about a run of {target}",
            ours=share,
            unit="%",
            against="the run's own CPU time",
            targets=(Target(f"at most {MOST:g} %", share.median, MOST),),
            how="thread time inside the meter's additions, the reports, the writer's emits and the heart-beat, less "
            "what reading the clock took (timed around nothing in the same place), over the processor time of the "
            f"whole run on one thread, which is its clock: {figure(steps)} steps, {figure(events)} events. "
            "Pictures, evaluation and checkpoints are in the whole, the encoding of pictures in the share.",
        )


def slug(target: str) -> str:
    """Return a run target as a part of a key."""
    return target.split(maxsplit=1)[0].replace("/", "-")

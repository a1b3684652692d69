"""The bars of the families: what each preset has to reach, over seeds, trained as anybody would train it."""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.bench.figures import Sample
from tests.bench.places import fresh_home
from tests.bench.row import Target, spread
from tests.source import ROOT

LONGEST_SECONDS = 1800.0
"""After which a run is given up."""


@dataclass(frozen=True, slots=True)
class Trained:
    """One run that came to its end."""

    figures: Mapping[str, float]
    baselines: Mapping[str, float]
    """By name, the reference lines that the run computed on its own data."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What the mean over the seeds of a run has to reach."""

    run: str
    """``family/preset knob=value ...``."""
    metric: str
    words: str
    """``at least 99 %``, ``at most Kneser-Ney-5 + 0.1``."""
    limit: Callable[[Trained], float] | float | None
    """None where a figure is shown without a bar."""
    at_least: bool = False
    reference: str = ""
    """A figure to compare with, and where it is from."""

    @property
    def family(self) -> str:
        """The family's name."""
        return self.run.partition("/")[0]

    @property
    def target(self) -> str:
        """``family/preset``."""
        return self.run.split()[0]

    @property
    def key(self) -> str:
        """The line of the table."""
        return f"{self.run}:{self.metric}:{self.words}".replace(" ", "+")


def kneser_ney(order: int, more: float) -> Callable[[Trained], float]:
    """Return the limit that lies so much above the loss of the n-gram model of that order."""

    def limit(run: Trained) -> float:
        return run.baselines[f"Kneser-Ney-{order}"] + more

    return limit


SHAKESPEARE = "full validation split, cold context of 64"
BARS = (
    Bar(run="mlp/quick", metric="valid/accuracy", words="at least 99 % on the spiral", limit=0.99, at_least=True),
    Bar(run="mlp/quick data=digits", metric="valid/accuracy", words="at least 97 %", limit=0.97, at_least=True),
    Bar(
        run="mlp/real", metric="valid/accuracy", words="at least 90 % in about 20 s", limit=0.90, at_least=True,
        reference="Fashion-MNIST: MLP 256-128-100 88.3 %, people 83.5 % (its README's table, reported by submitters)",
    ),
    Bar(run="cnn/quick", metric="valid/accuracy", words="at least 98 %", limit=0.98, at_least=True),
    Bar(
        run="cnn/mnist", metric="valid/accuracy", words="at least 99 % in about 10 s", limit=0.99, at_least=True,
        reference="MNIST: 99.04 % (tuomaso/train_mnist_fast, mean, on a GPU)",
    ),
    Bar(
        run="cnn/real", metric="valid/accuracy", words="at least 92 % in about 75 s", limit=0.92, at_least=True,
        reference="Fashion-MNIST: two convolutions 91.6 to 92.5 % (its README's table, reported by submitters)",
    ),
    Bar(
        run="gpt/quick", metric="valid/loss", words="at most Kneser-Ney-5 + 0.1 nats", limit=kneser_ney(5, 0.1),
        reference="n-gram models on the same text, computed in the run",
    ),
    Bar(
        run="gpt/quick", metric="valid/loss", words="at most Kneser-Ney-3 - 0.2 nats", limit=kneser_ney(3, -0.2),
        reference="n-gram models on the same text, computed in the run",
    ),
    Bar(
        run="gpt/quarter", metric="valid/loss", words="at most 1.82 with a quarter of nanoGPT's tokens",
        limit=1.82, reference=f"nanoGPT's recipe for a CPU, all its tokens: 1.92 ({SHAKESPEARE})",
    ),
    Bar(
        run="gpt/real", metric="valid/loss", words="at most 1.60 in about 90 s", limit=1.60,
        reference=f"nanoGPT's recipe for a CPU: 1.92 ({SHAKESPEARE})",
    ),
    Bar(
        run="gpt/nanogpt-cpu", metric="valid/loss", words="shown", limit=None,
        reference=f"nanoGPT's recipe in our code; nanoGPT itself: 1.92 ({SHAKESPEARE})",
    ),
    Bar(
        run="word2vec/quick", metric="valid/pmi_spearman", words="at least 0.45", limit=0.45, at_least=True,
        reference="0 is chance",
    ),
    Bar(run="word2vec/real", metric="valid/pmi_spearman", words="shown", limit=None),
)  # fmt: skip


def train(run: str, seed: int) -> Trained:
    """Train a run to its end in a process of its own, as the app would.

    Raises:
        RuntimeError: it failed; the message is the run's own.
    """
    from engine.catalog import parse_run
    from engine.core import paths
    from engine.core.events import real
    from engine.core.follow import Follower
    from engine.core.store import RunStore
    from tui.recipes import recipe_of

    made = RunStore(paths.runs_folder()).create(recipe_of(parse_run(f"{run} seed={seed}")))
    command = [sys.executable, "-P", "-m", "engine.train", str(made.folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (made.folder / "log.txt").open("wb") as log:
        subprocess.run(command, cwd=ROOT, env=environment, stdout=log, stderr=log, timeout=LONGEST_SECONDS, check=False)
    view = Follower(made).catch_up()
    if view.finished is None:
        log_text = (made.folder / "log.txt").read_text(encoding="utf-8", errors="replace")[-600:]
        raise RuntimeError(f"{run}: {view.failed.what if view.failed else log_text}")
    return Trained(
        figures={name: real(value) for name, value in view.finished.headline.items()},
        baselines={each.name: real(each.value) for each in view.baselines},
        seconds=view.elapsed,
    )


def measure(bars: tuple[Bar, ...], seeds: int) -> dict[str, list[str]]:
    """Train one run with several seeds and hold it against its bars; return the table's cells by key."""
    with fresh_home():
        runs = [train(bars[0].run, seed) for seed in range(seeds)]
    return {bar.key: cells(bar, runs) for bar in bars}


def cells(bar: Bar, runs: list[Trained]) -> list[str]:
    """Return run, figure, mean and deviation, bar, verdict, seconds, n, reference."""
    values = [run.figures[bar.metric] for run in runs]
    mean = statistics.fmean(values)
    deviation = f" ± {statistics.stdev(values):.2g}" if len(values) > 1 else ""
    share = "accuracy" in bar.metric
    shown = f"{100 * mean:.2f}" if share else f"{mean:.3f}"
    if share and len(values) > 1:
        deviation = f" ± {100 * statistics.stdev(values):.2f}"
    words, verdict = bar.words, ""
    if bar.limit is not None:
        limit = statistics.fmean(map(bar.limit, runs)) if callable(bar.limit) else bar.limit
        words += f" (here {limit:.3f})" if callable(bar.limit) else ""
        verdict = Target("", mean, limit, bar.at_least).verdict if math.isfinite(mean) else "no figure"
    return [
        bar.run,
        bar.metric,
        f"{shown}{deviation}{' %' if share else ''}",
        words,
        verdict,
        spread(Sample(tuple(run.seconds for run in runs)), "s"),
        str(len(runs)),
        bar.reference,
    ]

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
    id: str = ""
    """Of the run."""


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


def baseline(name: str, times: float = 1.0) -> Callable[[Trained], float]:
    """Return the limit that a reference line of the run itself sets, or a multiple of it."""

    def limit(run: Trained) -> float:
        return times * run.baselines[name]

    return limit


SHAKESPEARE = "full validation split, cold context of 64"
CARRIED = "full validation split, carried state"
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
        run="rnn/quick", metric="valid/loss", words="at most Kneser-Ney-5", limit=kneser_ney(5, 0.0),
        reference="n-gram models on the same text, computed in the run",
    ),
    Bar(
        run="rnn/real", metric="valid/loss", words="at most 1.55 in about 45 s", limit=1.55,
        reference=f"Kneser-Ney-5 on the same text, computed in the run ({CARRIED}); no published figure was found",
    ),
    Bar(
        run="rnn/real-gru", metric="valid/loss", words="at most 1.55", limit=1.55,
        reference=f"the LSTM of rnn/real ({CARRIED})",
    ),
    Bar(
        run="rnn/real-rnn", metric="valid/loss", words="at most 1.66", limit=1.66,
        reference=f"the LSTM of rnn/real ({CARRIED})",
    ),
    Bar(
        run="word2vec/quick", metric="valid/pmi_spearman", words="at least 0.45", limit=0.45, at_least=True,
        reference="0 is chance",
    ),
    Bar(run="word2vec/real", metric="valid/pmi_spearman", words="shown", limit=None),
    Bar(run="resnet/quick", metric="valid/accuracy", words="at least 98 %", limit=0.98, at_least=True),
    Bar(
        run="resnet/real", metric="valid/accuracy", words="at least 93 % in about 4 min", limit=0.93, at_least=True,
        reference="Fashion-MNIST: ResNet-18 94.9 % (its README's table, reported by submitters)",
    ),
    Bar(run="resnet/plain", metric="valid/accuracy", words="shown", limit=None),
    Bar(run="vit/quick", metric="valid/accuracy", words="at least 97 %", limit=0.97, at_least=True),
    Bar(
        run="vit/real", metric="valid/accuracy", words="at least 88 % in about 4 min", limit=0.88, at_least=True,
        reference="Fashion-MNIST: two convolutions 91.6 to 92.5 % (its README's table, reported by submitters)",
    ),
    Bar(
        run="bert/quick", metric="valid/accuracy", words="beats what mostly stands between both neighbors",
        limit=baseline("both neighbors"), at_least=True, reference="counted on the same text in the run",
    ),
    Bar(
        run="bert/quick", metric="valid/accuracy", words="beats the most frequent character",
        limit=baseline("most frequent"), at_least=True, reference="counted on the same text in the run",
    ),
    Bar(
        run="bert/real", metric="valid/accuracy", words="at least 57 % of hidden characters in about 90 s", limit=0.57,
        at_least=True, reference="15 % hidden, of which 80 % [MASK], 10 % random, 10 % kept; full validation split",
    ),
    Bar(run="bert/original", metric="valid/accuracy", words="shown", limit=None, reference="the choices of 2018"),
    Bar(
        run="bert/classify", metric="valid/accuracy", words="shown", limit=None,
        reference="on top of bert/sentences, whose seconds are not counted",
    ),
    Bar(
        run="bert/scratch", metric="valid/accuracy", words="shown", limit=None,
        reference="a logistic regression of the same words, computed in the run",
    ),
    Bar(
        run="autoencoder/quick", metric="valid/mse", words="below that of as many principal components",
        limit=lambda run: run.baselines["PCA"], reference="principal components, computed in the run",
    ),
    Bar(run="autoencoder/quick", metric="valid/active", words="shown, of 8", limit=None),
    Bar(
        run="autoencoder/real", metric="valid/loss", words="at most 105 in about 20 s", limit=105.0,
        reference="pytorch/examples' VAE: 106.7 after 7 of 10 passes (a log of its PR 1416)",
    ),
    Bar(run="transformer/quick", metric="valid/accuracy", words="100 % of words reversed", limit=1.0, at_least=True),
    Bar(run="transformer/dates", metric="valid/accuracy", words="at least 99 % exact", limit=0.99, at_least=True),
    Bar(run="transformer/post-norm", metric="valid/accuracy", words="shown", limit=None),
    Bar(
        run="transformer/real", metric="valid/bleu", words="at least 25 in about 10 min", limit=25.0, at_least=True,
        reference="Multi30k de-en, test 2016, lower case: 36.5 with 9 million parameters on a GPU"
        " (bentrevett/pytorch-seq2seq); ours cased, validation, greedy",
    ),
    Bar(
        run="gan/quick", metric="valid/modes", words="8 of 8 modes, in about 20 s", limit=8.0, at_least=True,
        reference="a mode is found where a fifth of its fair share of 2,000 samples lies within 3 deviations",
    ),
    Bar(
        run="gan/digits", metric="valid/fid", words="at most the PCA-Gaussian's", limit=baseline("PCA-Gaussian"),
        reference="a Gaussian of 64 components a class, computed in the run; 10,000 samples, seen at 8x8",
    ),
    Bar(
        run="gan/real", metric="valid/fid", words="at most the PCA-Gaussian's, in about 3 min",
        limit=baseline("PCA-Gaussian"),
        reference="a Gaussian of 64 components a class, computed in the run; 10,000 samples, seen at 14x14",
    ),
    Bar(
        run="diffusion/quick", metric="valid/wasserstein", words="at most twice the floor, in about 10 s",
        limit=baseline("real points", times=2.0),
        reference="sliced Wasserstein distance of as many real points of each class, computed in the run",
    ),
    Bar(
        run="diffusion/flow", metric="valid/wasserstein", words="at most twice the floor",
        limit=baseline("real points", times=2.0), reference="the same by flow matching",
    ),
    Bar(
        run="diffusion/ddpm", metric="valid/wasserstein", words="shown", limit=None,
        reference="the chain of 2020, 1,000 random steps a sample",
    ),
    Bar(
        run="diffusion/digits", metric="valid/fid", words="at most half of the PCA-Gaussian's",
        limit=baseline("PCA-Gaussian", times=0.5),
        reference="a Gaussian of 64 components a class, computed in the run; 10,000 samples, seen at 8x8",
    ),
    Bar(
        run="diffusion/real", metric="valid/fid", words="at most half of the PCA-Gaussian's, in about 4 min",
        limit=baseline("PCA-Gaussian", times=0.5),
        reference="a Gaussian of 64 components a class, computed in the run; 10,000 samples, seen at 14x14",
    ),
    Bar(
        run="speech/quick", metric="valid/word_error", words="at most 2 % of dialed digits", limit=0.02,
        reference="0.916 by one word for everything, computed in the run",
    ),
    Bar(
        run="speech/real", metric="valid/word_error", words="at most 2 % of spoken digits in about 60 s", limit=0.02,
        reference="the word of the nearest mean spectrum, computed in the run; everyone in it was heard in training",
    ),
    Bar(
        run="speech/real-writer", metric="valid/word_error", words="at most 5 % of spoken digits in about 5 min",
        limit=0.05, reference="speech/real on the same split",
    ),
    Bar(
        run="speech/new-speaker", metric="valid/word_error", words="shown", limit=None,
        reference="a speaker whom training never heard",
    ),
    Bar(
        run="clip/quick", metric="valid/zero_shot_accuracy", words="100 % of 16 captions, in about 10 s", limit=1.0,
        at_least=True, reference="soveshmohapatra.com/projects/clip-benchmark: 100 % by pass 17 of 30, 14 s on a GPU",
    ),
    Bar(
        run="clip/quick", metric="valid/unseen_accuracy", words="at least 95 % of unseen pairs", limit=0.95,
        at_least=True, reference="four pairs of color and shape that no training picture or caption has",
    ),
    Bar(
        run="clip/unregularized", metric="valid/unseen_accuracy", words="shown", limit=None,
        reference="clip/quick without weight decay",
    ),
    Bar(
        run="clip/real", metric="valid/unseen_accuracy", words="shown: two classes held out", limit=None,
        reference="one of ten at random: 10 %",
    ),
)  # fmt: skip


def train(run: str, seed: int) -> Trained:
    """Train a run to its end in a process of its own, as the app would, and before it the run that it starts from.

    Raises:
        RuntimeError: it failed; the message is the run's own.
    """
    from engine.catalog import parse_run
    from engine.core import paths
    from engine.core.events import real
    from engine.core.follow import Follower
    from engine.core.store import RunStore
    from tui.recipes import recipe_of

    target = parse_run(f"{run} seed={seed}")
    start = train(target.start, seed).id if target.start else ""
    made = RunStore(paths.runs_folder()).create(recipe_of(target, start=start))
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
        id=made.id,
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

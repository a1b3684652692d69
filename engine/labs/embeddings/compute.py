"""Judge the vectors of a finished word2vec run: pairs of held-out text, analogies, neighbors, a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import cast

import numpy as np
import torch
from torch import Tensor

from engine.core.errors import DataError, RunError
from engine.core.events import Histogram, Points, Table
from engine.core.interval import bootstrap_interval
from engine.data.examples import Corpus
from engine.data.load import load
from engine.data.words import Words
from engine.families.word2vec.learner import LITTLE, LONG, round_all
from engine.families.word2vec.measure import judged_pairs, nearest, plane, spearman
from engine.families.word2vec.spec import Word2VecSpec
from engine.labs.embeddings import analogies
from engine.labs.embeddings.lab import Company
from engine.labs.embeddings.pairs import MOST_WORDS, Wins, alike_pairs, meeting_pairs, met, wins
from engine.labs.workbench import Workbench
from engine.train.checkpoint import latest_checkpoint

NEIGHBORS = 5
MAPPED = 60
FEWEST_PAIRS = 30
"""Without so many, a share of pairs says little."""
BINS = 40
EXAMPLES = 8


@dataclass(frozen=True, slots=True)
class Judged:
    """Vectors, their words, and both parts of the text."""

    words: Words
    vectors: Tensor
    """``WD``"""
    trained: Tensor
    """How often two words met in the text that was trained on, ``WW``."""
    held: Tensor
    """How often in the text that was not, ``WW``."""
    held_tokens: Tensor


def measure(bench: Workbench) -> None:
    """Judge the vectors of the arm `vectors`.

    Raises:
        DataError: the held-out text has too few pairs of known words.
        RunError: the arm has no checkpoint.
    """
    asked = cast(Company, bench.settings)
    bench.start(total_steps=5)
    judged = open_vectors(bench, asked)
    bench.advance()
    show_neighbors(bench, judged, asked.words)
    bench.advance()
    usable_W = torch.arange(len(judged.held)) >= asked.common
    judge_pairs(bench, judged, usable_W)
    bench.advance()
    judge_analogies(bench, judged)
    bench.advance()
    judge_by_people(bench, judged)
    bench.advance()


def open_vectors(bench: Workbench, asked: Company) -> Judged:
    """Return what the run of the arm `vectors` learned, with the text cut as it was for that run."""
    spec = Word2VecSpec.of(bench.read("vectors").recipe.knobs)  # type: ignore[arg-type, unused-ignore]
    checkpoint, _ = latest_checkpoint(bench.run_folder("vectors"))
    if checkpoint is None:
        raise RunError("The run with the vectors kept no checkpoint.", "Go on with the lab.")
    text = load(spec.data, spec, 0, torch.device("cpu"))
    assert isinstance(text, Corpus)
    words = Words([text.train], spec.least)
    count = min(len(words), MOST_WORDS)
    trained = met(*words.encode(text.train), count, asked.window)
    tokens, lines = words.encode(text.valid)
    held = met(tokens, lines, count, asked.window)
    return Judged(words, checkpoint.model["model.v.weight"].float(), trained, held, tokens)


def judge_pairs(bench: Workbench, judged: Judged, usable_W: Tensor) -> None:
    """Compare pairs of the held-out text with the same words paired at random, in three ways."""
    held = judged.held > 0
    meeting = meeting_pairs(judged.held, usable_W)
    unseen = meeting[judged.trained[meeting[:, 0], meeting[:, 1]] == 0]
    alike = alike_pairs(judged.held, judged.held_tokens, usable_W)
    if len(meeting) < FEWEST_PAIRS or len(alike) < FEWEST_PAIRS:
        raise DataError(
            f"The held-out tenth of the text has {len(meeting)} pairs of known words near one another and "
            f"{len(alike)} with the same company, too few to judge by.",
            "Use a longer text, or leave out fewer common words.",
        )
    alike_WW = torch.zeros_like(held)
    alike_WW[alike[:, 0], alike[:, 1]] = alike_WW[alike[:, 1], alike[:, 0]] = True
    seen_WW = held | (judged.trained > 0)
    rows = []
    for name, title, pairs, forbidden in (
        ("company", "same company", alike, alike_WW),
        ("meeting", "near one another", meeting, held),
        ("unseen", "near for the first time", unseen, seen_WW),
    ):
        found = wins(judged.vectors, pairs, forbidden, bench.seed)
        share, low, high = interval(found)
        bench.figures |= {name: share, f"{name}/low": low, f"{name}/high": high, f"{name}/pairs": float(len(pairs))}
        bench.emit(*histograms(title, found))
        rows.append([title, f"{len(pairs):,}", f"{100 * share:.1f}", f"{100 * low:.1f}", f"{100 * high:.1f}"])
    bench.emit(Table(name="pairs", columns=["kind", "pairs", "% won", "from", "to"], rows=rows))
    bench.emit(examples(judged, alike))


def interval(found: Wins) -> tuple[float, float, float]:
    """Return the share won and its 95 % interval over resampled pairs."""
    if len(found.shares) < 2:
        return float("nan"), float("nan"), float("nan")
    return bootstrap_interval(found.shares.double().numpy(), lambda shares: float(shares.mean()), draws=500)


def histograms(title: str, found: Wins) -> tuple[Histogram, Histogram]:
    """Return the cosines of the real pairs and of their rivals, over the same edges."""
    if not len(found.real):
        return Histogram(name=title), Histogram(name=f"{title}: paired at random")
    both = torch.cat([found.real, found.random]).double().numpy()
    edges = np.linspace(both.min(), both.max() + 1e-9, BINS + 1)
    drawn = [np.histogram(each.double().numpy(), edges)[0] for each in (found.real, found.random)]
    places = [round(float(edge), 4) for edge in edges]
    return (
        Histogram(name=title, edges=places, counts=drawn[0].astype(float).tolist()),
        Histogram(name=f"{title}: paired at random", edges=places, counts=drawn[1].astype(float).tolist()),
    )


def examples(judged: Judged, pairs: Tensor) -> Table:
    """Return the pairs with the highest and the lowest cosine."""
    cosines = torch.cosine_similarity(judged.vectors[pairs[:, 0]], judged.vectors[pairs[:, 1]])
    order = cosines.argsort(descending=True).tolist()
    chosen = [*order[:EXAMPLES], *order[-EXAMPLES:]] if len(order) > 2 * EXAMPLES else order
    rows = [[*(judged.words.words[each] for each in pairs[at].tolist()), f"{cosines[at]:+.2f}"] for at in chosen]
    return Table(name="pairs with the same company", columns=["word", "word", "cosine"], rows=rows)


def judge_analogies(bench: Workbench, judged: Judged) -> None:
    """Answer analogies with and without the input words."""
    numbers, words = judged.words.numbers, judged.words.words
    rows = []
    for name, questions in (
        ("plurals", analogies.plurals(words, numbers)),
        ("published", analogies.published(numbers)),
    ):
        found = analogies.answer(judged.vectors, questions)
        if found.asked:
            shares = [f"{100 * found.without:.1f} %", f"{100 * found.among:.1f} %"]
            rows.append([f"{found.asked:,} {name}", *shares])
            rows += [example(words, *each) for each in found.examples]
            bench.figures |= {
                f"{name}/asked": float(found.asked),
                f"{name}/without": found.without,
                f"{name}/among": found.among,
            }
    bench.emit(Table(name="analogies", columns=["a : b = c : ?", "inputs left out", "inputs allowed"], rows=rows))


def example(words: Sequence[str], question: analogies.Question, without: int, among: int) -> list[str]:
    """Return one question with both answers; a right one has a check mark."""
    a, b, c, d = question
    answers = [f"{words[each]}{' ✓' if each == d else ''}" for each in (without, among)]
    return [f"{words[a]} : {words[b]} = {words[c]} : {words[d]}", *answers]


def judge_by_people(bench: Workbench, judged: Judged) -> None:
    """Correlate cosines with people's judgments, where those are on this machine and enough words are known."""
    known = judged_pairs(judged.words)
    if known is None:
        bench.say("WordSim-353 is not on this machine, or too few of its words are in this text.")
        return
    first, second, judgment = known
    cosines = torch.cosine_similarity(judged.vectors[first], judged.vectors[second])
    bench.figures |= {"wordsim": float(spearman(cosines, judgment)), "wordsim/pairs": float(len(first))}


def show_neighbors(bench: Workbench, judged: Judged, wanted: str) -> None:
    """Emit the nearest words of those that were asked for, and a map of frequent ones."""
    numbers, words, vectors = judged.words.numbers, judged.words.words, judged.vectors
    asked = [word for word in wanted.replace(",", " ").lower().split() if word]
    unknown = [word for word in asked if word not in numbers]
    if unknown:
        bench.say(f"Too rare in this text to have a vector: {', '.join(unknown)}.", "warning")
    pinned = [numbers[word] for word in asked if word in numbers]
    rows = []
    for number in pinned:
        cosines, nearby = nearest(vectors, number, NEIGHBORS)
        found = zip(nearby.tolist(), cosines.tolist(), strict=True)
        rows.append([words[number], *(f"{words[each]} {cosine:.2f}" for each, cosine in found)])
    ranks = [str(rank) for rank in range(1, NEIGHBORS + 1)]
    bench.emit(Table(name="neighbors", columns=["word", *ranks], rows=rows))
    telling = (at for at, word in enumerate(words) if len(word) >= LONG and word not in LITTLE and at not in pinned)
    mapped = [*pinned, *islice(telling, max(0, MAPPED - len(pinned)))]
    x, y = (round_all(column) for column in plane(vectors[mapped]).T)
    group = [0 if at in pinned else 1 for at in mapped]
    names = ["asked for", "frequent"]
    bench.emit(Points(name="word map", x=x, y=y, group=group, words=[words[at] for at in mapped], groups=names))

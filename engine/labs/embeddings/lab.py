"""The lab on embeddings: does the company that words keep decide where their vectors lie?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.core.lab import Arm, Forecast, Lab, Results, Statement
from engine.core.spec import Computation, Metric, Panel, Preset, Settings, knob
from engine.core.verdict import Measured, Verdict, finite, measured, more_than

CHANCE = 0.5
"""Share of pairs that would lie above random ones if the vectors knew nothing."""


@dataclass(frozen=True, kw_only=True)
class Company(Settings):
    """On which text the vectors learn, how, and what they are judged by."""

    data: str = knob("glossary", "The text: glossary, tiny-shakespeare, or a text file of your own.", entry="corpus")
    model: str = knob(
        "skip-gram",
        "Guess the neighbors from the word (skip-gram), or the word from its neighbors (cbow).",
        choices=("skip-gram", "cbow"),
        entry="word2vec",
    )
    width: int = knob(64, "Numbers in the vector of a word.", low=2, high=2048, unit="numbers", entry="embedding")
    window: int = knob(
        5, "How many words to either side count as company, at most.", low=1, high=50, unit="words", entry="word2vec"
    )
    steps: int = knob(1500, "How many updates to make.", low=1, high=10**8, unit="steps", entry="epoch-and-step")
    common: int = knob(
        50,
        "The most frequent words, which keep company with all, are left out of the pairs.",
        low=0,
        high=100_000,
        unit="words",
        entry="embedding",
    )
    words: str = knob(
        "loss, network, attention, gradient, token, picture, training, probability",
        "Words whose neighbors are shown, with commas between them.",
        entry="cosine-similarity",
    )


def arms(settings: Settings) -> Sequence[Arm]:
    """Return the training of the vectors and their examination."""
    knobs = settings.values()
    training = {name: knobs[name] for name in ("data", "model", "width", "window", "steps")}
    return [
        Arm(name="vectors", title="Word vectors", target="word2vec/quick", knobs=training),
        Arm(
            name="judge",
            title="Pairs and analogies",
            target="embeddings/quick",
            knobs=knobs,
            reads=("vectors",),
        ),
    ]


def above_chance(results: Results, name: str, words: str) -> Verdict:
    """Judge whether real pairs lie above the same words paired at random."""
    shares = results.of("judge", name)
    low, high = (sum(results.of("judge", f"{name}/{end}")) / len(shares) for end in ("low", "high"))
    pairs = int(results.of("judge", f"{name}/pairs")[0])
    share = measured("pairs above random", [100 * each for each in shares], "%")
    return Verdict(
        holds=more_than(CHANCE, shares),
        text=f"Of {pairs:,} pairs {words}, {100 * sum(shares) / len(shares):.1f} % lay closer together than the same "
        "words paired at random; chance is 50 %.",
        measured=(
            share,
            Measured(
                name="the same, over pairs", value=share.value, low=finite(100 * low), high=finite(100 * high),
                unit="%", of="pairs",
            ),
        ),
    )  # fmt: skip


def same_company(results: Results) -> Verdict:
    """Judge the pairs whose neighbors in the held-out text are most alike."""
    return above_chance(results, "company", "that keep the same company in held-out text")


def unseen(results: Results) -> Verdict:
    """Judge the pairs that stood near one another in the held-out text for the first time."""
    return above_chance(results, "unseen", "that stood near one another for the first time in held-out text")


def left_out(results: Results) -> Verdict:
    """Judge whether leaving the input words out is what makes analogies come out right."""
    if not results.has("judge", "plurals/asked"):
        return Verdict(holds=None, text="The text has no words whose plural ends in s.", measured=())
    without, among = results.of("judge", "plurals/without"), results.of("judge", "plurals/among")
    gaps = [a - b for a, b in zip(without, among, strict=True)]
    asked = int(results.of("judge", "plurals/asked")[0])
    return Verdict(
        holds=more_than(0.0, gaps),
        text=f"Of {asked:,} analogies between singular and plural, {100 * sum(without) / len(without):.1f} % came out "
        f"right with the input words left out, {100 * sum(among) / len(among):.1f} % without leaving them out.",
        measured=(
            measured("inputs left out", [100 * each for each in without], "%"),
            measured("inputs allowed", [100 * each for each in among], "%"),
        ),
    )


def share_guess(results: Results) -> str:
    """Return which guess about the share of pairs came true."""
    shares = results.of("judge", "company")
    mean = sum(shares) / len(shares)
    return SHARES[0] if mean < 0.55 else SHARES[1] if mean < 0.75 else SHARES[2] if mean < 0.95 else SHARES[3]


def analogy_guess(results: Results) -> str:
    """Return which guess about analogies came true."""
    if not results.has("judge", "plurals/without"):
        return ""
    shares = results.of("judge", "plurals/without")
    mean = sum(shares) / len(shares)
    return ANALOGIES[0] if mean < 0.1 else ANALOGIES[1] if mean < 0.5 else ANALOGIES[2]


SHARES = ("About half: chance", "55 to 75 %", "75 to 95 %", "Nearly all")
ANALOGIES = ("Fewer than one in ten", "Up to half", "More than half")

LAB = Lab(
    name="embeddings",
    title="Words by their company",
    question="Do words that keep the same company end up close together, also judged by text that nobody trained on?",
    summary="Trains word vectors on nine tenths of a text and judges them by pairs of words of the last tenth.",
    entry="embedding",
    settings=Company,
    presets=(
        Preset(name="quick", help="This glossary's own text.", knobs={}, seconds=40.0),
        Preset(
            name="standard",
            help="Tiny Shakespeare, or a text of your own by data=PATH; wider vectors, more steps.",
            knobs={"data": "tiny-shakespeare", "width": 128, "steps": 12000, "common": 100},
            seconds=300.0,
        ),
    ),
    arms=arms,
    forecasts=(
        Forecast(
            id="share",
            question="Take pairs of words that keep the same company in text that was held out. How many of them lie "
            "closer together than the same words paired at random?",
            choices=SHARES,
            outcome=share_guess,
            because="The vectors have seen some 36,000 words, where published ones have seen billions: topics "
            "show, finer meanings do not.",
        ),
        Forecast(
            id="analogies",
            question="How often is *models* the word nearest to *networks - network + model*, and so on, with the "
            "three input words left out?",
            choices=ANALOGIES,
            outcome=analogy_guess,
            because="Analogies need every word to be seen in many sentences. In a small text a word's vector is mostly "
            "the topic of the few pages on which it stands.",
        ),
    ),
    statements=(
        Statement(
            id="company",
            says="Words that keep the same company in text that was not trained on get a higher cosine than the same "
            "words paired at random.",
            judge=same_company,
        ),
        Statement(
            id="unseen",
            says="Words that stand near one another for the first time in text that was not trained on get a higher "
            "cosine than the same words paired at random.",
            judge=unseen,
        ),
        Statement(
            id="analogies",
            says="Analogies by vector arithmetic come out right more often when the three input words are left out of "
            "the answers.",
            judge=left_out,
        ),
    ),
    why="Each word is pulled toward the words around it and pushed away from random ones. Two words with the same "
    "neighbors are pulled to the same place, whether or not they ever meet. The random pairs are made of the very same "
    "words, only dealt out anew, so a frequent word cannot win by being frequent. And b - a + c lies so near to b and "
    "c themselves that, allowed to, the nearest word is nearly always one of them.",
    limits="One small text: frequent words and topics are judged, hardly meanings. Pairs of one page are not "
    "independent of one another, so the interval over pairs is somewhat too narrow.",
    watch=Panel(events=("train/loss", "valid/loss"), kind="line", title="Loss", unit="nats per pair"),
    figures=(
        Metric(name="valid/pmi_spearman", title="Rho against PMI", higher=True),
        Metric(name="company", title="Same company above random", unit="%", higher=True),
        Metric(name="unseen", title="First meetings above random", unit="%", higher=True),
        Metric(name="plurals/without", title="Analogies", unit="%", higher=True),
        Metric(name="wordsim", title="Rho against people", higher=True),
    ),
    computation=Computation(
        name="embeddings",
        title="Words by their company",
        summary="Pairs of held-out text, analogies, neighbors and a map.",
        entry="embedding",
        spec=Company,
        presets=(Preset(name="quick", help="As the lab asks.", knobs={}),),
        panels=(
            Panel(events=("word map",), kind="points", title="Words on a plane", entry="dimensionality-reduction"),
            Panel(events=("neighbors",), kind="table", title="Nearest words", entry="cosine-similarity"),
            Panel(events=("pairs",), kind="table", title="Pairs closer than random ones", entry="embedding"),
            Panel(
                events=(
                    "same company", "same company: paired at random",
                    "near one another", "near one another: paired at random",
                ),
                kind="histogram",
                title="Cosines",
                x="cosine",
                entry="cosine-similarity",
            ),
            Panel(
                events=("pairs with the same company",), kind="table", title="Pairs, closest and farthest",
                entry="embedding",
            ),
            Panel(events=("analogies",), kind="table", title="Analogies", entry="embedding#faq"),
        ),
        headline=(
            Metric(name="company", title="Same company above random", unit="%", higher=True),
            Metric(name="unseen", title="First meetings above random", unit="%", higher=True),
            Metric(name="plurals/without", title="Analogies", unit="%", higher=True),
        ),
        code=("labs/embeddings/pairs.py", "labs/embeddings/analogies.py", "labs/embeddings/compute.py"),
        compute="engine.labs.embeddings.compute:measure",
    ),
)  # fmt: skip

"""What can be said about word2vec without torch: its knobs, presets and panels."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.spec import Family, Metric, Panel, Preset, Spec, knob
from engine.play.kinds import NEIGHBORS

USUAL_VOCABULARY = 1600
"""Words of a small text that are frequent enough, for estimates before the text was read."""


@dataclass(frozen=True, kw_only=True)
class Word2VecSpec(Spec):
    """The knobs of word2vec: which word is guessed from which, how wide the vectors are, and what counts as company."""

    data: str = knob("glossary", "The text whose words get vectors.", entry="data-split")
    model: str = knob(
        "skip-gram",
        "Guess the neighbors from the word (skip-gram), or the word from its neighbors (cbow).",
        choices=("skip-gram", "cbow"),
        entry="word2vec",
    )
    width: int = knob(64, "Numbers in the vector of a word.", low=2, high=2048, unit="numbers", entry="embedding")
    window: int = knob(
        5, "How many words to either side count as neighbors, at most.", low=1, high=50, unit="words", entry="word2vec"
    )
    negatives: int = knob(
        5, "How many random words each true pair is told from.", low=1, high=200, unit="words", entry="word2vec"
    )
    shared: int = knob(
        0,
        "Draw that many random words once for a whole batch, which is much faster; 0 draws them for each word.",
        low=0,
        high=65536,
        unit="words",
        entry="mini-batch-and-batch-size",
    )
    subsample: float = knob(
        0.001,
        "Words more frequent than this share of the text are left out at random; 0 keeps all.",
        low=0.0,
        high=1.0,
        unit="of the text",
        entry="word2vec",
    )
    power: float = knob(
        0.75, "Random words are drawn by their frequency to this power.", low=0.0, high=2.0, entry="word2vec"
    )
    least: int = knob(
        5, "Words that occur less often get no vector.", low=1, high=10**6, unit="times", entry="tokenizer"
    )
    steps: int = knob(1500, "How many updates to make.", low=1, high=10**8, unit="steps", entry="epoch-and-step")
    batch_size: int = knob(
        512,
        "How many words, each with its neighbors, one step averages its gradient over.",
        low=1,
        high=1 << 20,
        unit="words",
        entry="mini-batch-and-batch-size",
    )
    learning_rate: float = knob(
        0.005, "How far one step moves the vectors.", low=0.0, high=100.0, entry="learning-rate", live="tensor"
    )

    def total_samples(self, examples: int) -> int:
        """Return how many words, each with its neighbors, the whole run trains on."""
        return self.steps * self.batch_size

    def parameters(self, inputs: int, outputs: int) -> int:
        """Return the number of trained numbers: two vectors a word; `outputs` is how many words, 0 where unknown."""
        return 2 * (outputs or USUAL_VOCABULARY) * self.width

    def flops_per_sample(self, inputs: int, outputs: int) -> int:
        """Estimate the operations on one word: products with neighbors and random words, and a share of the update."""
        products = self.window + 1 + (self.shared or self.negatives)
        return 6 * self.width * products + 12 * self.parameters(inputs, outputs) // self.batch_size


PRESETS = (
    Preset(
        name="quick",
        seconds=12.0,
        help="Vectors for the words of this glossary, by skip-gram.",
        knobs={"data": "glossary"},
    ),
    Preset(
        name="cbow",
        help="Vectors for the words of this glossary, by guessing each word from its neighbors.",
        knobs={"data": "glossary", "model": "cbow"},
    ),
    Preset(
        name="real",
        help="Vectors for the words of Tiny Shakespeare, or of any text file (data=PATH).",
        knobs={"data": "tiny-shakespeare", "width": 100, "shared": 256, "batch_size": 2048, "steps": 3000},
    ),
    Preset(
        name="standard",
        help="A text of your own on one GPU (data=PATH): wide vectors, many steps.",
        knobs={
            "data": "tiny-shakespeare", "width": 300, "shared": 1024, "batch_size": 16384, "steps": 10000,
            "subsample": 0.0001, "negatives": 10,
        },
    ),
)  # fmt: skip

FAMILY = Family(
    name="word2vec",
    title="word2vec",
    summary="A vector for every word, moved until words that keep the same company lie close together.",
    entry="word2vec",
    spec=Word2VecSpec,
    presets=PRESETS,
    panels=(
        Panel(
            events=("train/loss", "valid/loss"),
            kind="line",
            title="Loss",
            unit="nats per pair",
            entry="embedding#the-maths",
        ),
        Panel(events=("neighbors",), kind="table", title="Nearest words", entry="cosine-similarity"),
        Panel(
            events=("word map",),
            kind="points",
            title="Frequent words in two dimensions",
            entry="dimensionality-reduction",
        ),
        Panel(
            events=("valid/pmi_spearman", "valid/wordsim_spearman"),
            kind="line",
            title="Rank agreement with PMI",
            unit="Spearman's rho",
            entry="embedding#the-maths",
        ),
        Panel(events=("samples_per_second",), kind="line", title="Speed", unit="words per second"),
        Panel(events=("learning_rate",), kind="line", title="Learning rate", entry="learning-rate"),
        Panel(events=("gradient_norm",), kind="line", title="Gradient norm", entry="exploding-gradient-and-clipping"),
    ),
    headline=(
        Metric(
            name="valid/pmi_spearman",
            title="Rho against PMI, pairs seen 3+ times",
            higher=True,
        ),
        Metric(name="valid/loss", title="Loss", unit="nats per pair"),
    ),
    learner="engine.families.word2vec.learner:Word2VecLearner",
    data=("glossary", "tiny-shakespeare"),
    own_data="a text file",
    plays=(NEIGHBORS,),
    code=(
        "families/word2vec/model.py",
        "families/word2vec/neighborhoods.py",
        "families/word2vec/learner.py",
        "families/word2vec/measure.py",
        "families/word2vec/spec.py",
    ),
)

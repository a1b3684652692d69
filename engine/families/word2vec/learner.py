"""How word vectors learn, and what the run screen sees of them.

Shape legend: B batch, C places around a word, N random words, P pairs, W words, D width of a vector.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import torch
from torch import Tensor, nn

from engine.core.errors import DataError, UsageError, suggest
from engine.core.events import Event, Points, Table
from engine.data.vocabulary import pack
from engine.data.words import Words
from engine.families.word2vec.measure import count_company, judged_pairs, nearest, plane, spearman
from engine.families.word2vec.model import CBOW, NegativeSampling, SkipGram
from engine.families.word2vec.neighborhoods import Neighborhoods, Sampling
from engine.train.learner import Batch, Batches, Learner

LEAST_WORDS = 50
"""Different words without which there is nothing to learn."""
PINNED = ("loss", "network", "attention", "gradient", "token", "image", "training", "probability")
"""Words of the glossary whose neighbors are shown; in another text, its most frequent long words."""
LONG = 5
"""Letters from which a word is taken to mean something by itself, unless it is one of these."""
_LITTLE = """
about above after again along although among being below between could doing during either every everything first having
itself might neither never often other others rather shall should since still their theirs there these thing things
those three through under until where whether which while whose within without would yours
"""
LITTLE = frozenset(_LITTLE.split())
NEIGHBORS = 5
MAPPED = 60
"""Words on the map."""


class Word2VecLearner(Learner):
    """Skip-gram or CBOW with negative sampling.

    Validation reads the held-out end of the text as training does: frequent words left out, windows of random radius,
    random words from the same distribution, all drawn once and for all. Beside the loss it measures how well the
    products v·u rank the pairs of the training text by their PMI, which is what they tend to, up to ln k (Levy and
    Goldberg, Neural Word Embedding as Implicit Matrix Factorization, 2014).
    """

    def build(self) -> dict[str, nn.Module]:
        """Return the model with the words it knows, and prepare the texts."""
        spec, data, device = self.spec, self.setting.data, self.setting.device
        self.words = Words([data.train], spec.least)
        if len(self.words) < LEAST_WORDS:
            raise DataError(
                f"{data.name} has {len(self.words)} words that occur {spec.least} times or more, too few to learn.",
                "Use a longer text or a smaller value of least.",
            )
        self.sampling = Sampling(
            word_counts=self.words.counts.to(device),
            window=spec.window,
            negatives=spec.shared or spec.negatives,
            shared=spec.shared > 0,
            subsample=spec.subsample,
            power=spec.power,
        )
        self._train, self._valid = self._encode(data.train), self._encode(data.valid)
        self._company = count_company(*self._train, len(self.words), spec.window)
        self._judged = judged_pairs(self.words)
        kind = SkipGram if spec.model == "skip-gram" else CBOW
        model = kind(len(self.words), spec.width, spec.negatives)
        model.register_buffer("words", pack(self.words.words))
        return {"model": model}

    def _encode(self, text: str) -> tuple[Tensor, Tensor]:
        """Return the words of a text and the numbers of their lines, on the device."""
        tokens, lines = self.words.encode(text)
        return tokens.to(self.setting.device), lines.to(self.setting.device)

    def batches(self) -> Batches:
        """Return words of the training text with their neighbors."""
        return Neighborhoods(*self._train, self.spec.batch_size, self.setting.seed, self.sampling)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the mean loss of a pair of word and neighbor (CBOW: of a word), in nats."""
        total, pairs = self.modules["model"](*batch)
        return {"loss": total / pairs.clamp(min=1)}

    def valid_batches(self) -> Iterator[Batch]:
        """Yield the held-out words with their neighbors, then the pairs with a PMI, then those that people judged."""
        if len(self._valid[0]):
            yield from Neighborhoods(*self._valid, self.spec.batch_size, 0, self.sampling).in_order()
        yield ()

    def valid_step(self, batch: Batch) -> dict[str, tuple[Tensor, int]]:
        """Return summed loss and count of a batch; of the empty batch at the end, the rank correlations."""
        if batch:
            total, pairs = self.modules["model"](*batch)
            return {"loss": (total, int(pairs))}
        company, (v_WD, u_WD) = self._company, self._vectors()
        products_P = (v_WD[company.words] * u_WD[company.neighbors]).sum(-1)
        measured = {"pmi_spearman": (spearman(products_P, company.pmi), 1)}
        if self._judged is not None:
            first, second, judgment = (each.to(v_WD.device) for each in self._judged)
            cosines = torch.cosine_similarity(v_WD[first], v_WD[second])
            measured["wordsim_spearman"] = (spearman(cosines, judgment), 1)
        return measured

    def draw(self, step: int) -> Iterator[Event]:
        """Yield the nearest words of some pinned ones, and a map of frequent ones."""
        v_WD, _ = self._vectors()
        known = [word for word in PINNED if word in self.words.numbers]
        pinned = self._telling(known if 2 * len(known) >= len(PINNED) else [], len(PINNED))
        rows = [[self.words.words[word], *self._neighbors(v_WD, word)] for word in pinned]
        yield Table(name="neighbors", columns=["word", *(str(rank) for rank in range(1, NEIGHBORS + 1))], rows=rows)
        mapped = self._telling([], MAPPED)
        x, y = (round_all(column) for column in plane(v_WD[mapped]).T)
        yield Points(
            name="word map", x=x, y=y, group=[0] * len(mapped), words=[self.words.words[each] for each in mapped]
        )

    def nearest(self, plus: list[str], minus: list[str], count: int) -> list[tuple[str, float]]:
        """Return the words nearest to a sum of unit vectors, themselves left out, with their cosines.

        Raises:
            UsageError: a word is not known.
        """
        for word in (*plus, *minus):
            if word not in self.words.numbers:
                near = suggest(word, list(self.words.words))
                raise UsageError(f"The model has no word '{word}'; it knows {len(self.words):,}.", near)
        v_WD, _ = self._vectors()
        v_WD = torch.nn.functional.normalize(v_WD.float(), dim=1)
        asked = [self.words.numbers[word] for word in (*plus, *minus)]
        signs = torch.tensor([1.0] * len(plus) + [-1.0] * len(minus), device=v_WD.device)
        cosines_W = torch.cosine_similarity(v_WD, (signs[:, None] * v_WD[asked]).sum(0, keepdim=True))
        cosines_W[asked] = -torch.inf
        found = cosines_W.topk(min(count, len(self.words) - len(set(asked))))
        return [(self.words.words[n], c) for c, n in zip(found.values.tolist(), found.indices.tolist(), strict=True)]

    def _neighbors(self, v_WD: Tensor, word: int) -> list[str]:
        """Return the nearest words with their cosines."""
        cosines, numbers = nearest(v_WD, word, NEIGHBORS)
        found = zip(cosines.tolist(), numbers.tolist(), strict=True)
        return [f"{self.words.words[number]} {cosine:.2f}" for cosine, number in found]

    def _telling(self, wanted: list[str], count: int) -> list[int]:
        """Return the numbers of the wanted words, filled up with the most frequent ones that mean something."""
        chosen = [self.words.numbers[word] for word in wanted]
        others = (
            number
            for number, word in enumerate(self.words.words)
            if len(word) >= LONG and word not in LITTLE and number not in chosen
        )
        return [*chosen, *islice(others, count - len(chosen))]

    def _vectors(self) -> tuple[Tensor, Tensor]:
        """Return both tables, ``WD``."""
        model = self.modules["model"]
        assert isinstance(model, NegativeSampling)
        return model.v.weight.detach(), model.u.weight.detach()

    def flops_per_sample(self) -> float:
        """Return the operations of forward, backward and update on one word."""
        return float(self.spec.flops_per_sample(0, len(self.words)))


def round_all(values: Tensor) -> list[float]:
    """Return numbers with four digits after the point, enough to draw them."""
    return [round(value, 4) for value in values.tolist()]

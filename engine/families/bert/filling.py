"""How a BERT learns from text alone: places are hidden, and it guesses what stood there; and what the run screen sees.

Shape legend: B batch, T time (tokens), P hidden places of a window, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.core.errors import DataError, UsageError
from engine.core.events import Baseline, Event, Table
from engine.data.examples import Corpus
from engine.data.sentences import Sentences
from engine.data.text import Windows
from engine.families.bert.baselines import fill_in_baselines
from engine.families.bert.masking import KINDS, MaskedWindows, Masking, fixed_windows
from engine.families.bert.model import GapFiller
from engine.families.bert.reading import Reader
from engine.families.bert.spec import JUDGED_RATE
from engine.families.bert.vocabulary import END, FIRST, MASK, START
from engine.train.classifier import percent
from engine.train.learner import Batch, Batches

VALID_TOKENS = 8192
"""Of a validation batch."""
GAPS_SHOWN = 8
"""Pieces of validation text that are filled to be seen."""
PIECE = {"characters": 32, "words": 8}
"""Tokens of such a piece."""
READ = 24
"""Tokens of validation text whose attention is drawn."""
EXAMPLES = 24
"""Characters of the tokens of a rank that are shown."""


class Filler(Reader):
    """Guesses hidden tokens from both sides.

    Validation hides the same places every time, whatever the seed and whatever training hides; another context or
    other tokens give other places. Of the 15 %, 80 % show [MASK], 10 % another token and 10 % themselves. The loss is
    the mean over all hidden places, in nats.
    """

    def build(self) -> dict[str, nn.Module]:
        """Return the model: a new one, or the one to start from, with the tokens that it knows."""
        spec, device = self.spec, self.setting.device
        train, valid = self._texts()
        self.learn_tokens(train)
        self.train_tokens = self._encode(train).to(device)
        valid_tokens = self._encode(valid).to(device)
        if len(self.train_tokens) <= spec.context:
            raise DataError(
                f"{self.setting.data.name} has {len(self.train_tokens):,} tokens to train on, no more than a window.",
                f"Set context to less than that, or use a longer text; it is {spec.context} now.",
            )
        V = len(self.vocabulary)
        self.masking = Masking(V, spec.mask_rate, spec.mask_share, spec.random_share)
        judged = Masking(V, JUDGED_RATE)
        self.valid = fixed_windows(valid_tokens, spec.context, max(1, VALID_TOKENS // spec.context), judged)
        self._right_V = torch.zeros(V, dtype=torch.int64, device=device)
        self._asked_V = torch.zeros(V, dtype=torch.int64, device=device)
        return self.ready(GapFiller(spec, V))

    def _texts(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the texts to train on and to validate on.

        Raises:
            DataError: the data are no text.
        """
        data = self.setting.data
        if isinstance(data, Sentences):
            return data.train_texts, data.valid_texts
        if isinstance(data, Corpus):
            return (data.train,), (data.valid,)
        raise DataError(
            f"{data.name} is no text.", "Choose glossary, tiny-shakespeare, sentence-polarity or a text file."
        )

    @property
    def framed(self) -> bool:
        """Whether the text is sentences, each between its two ends."""
        return isinstance(self.setting.data, Sentences)

    def _encode(self, texts: tuple[str, ...]) -> Tensor:
        return self.vocabulary.stream(texts) if self.framed else self.vocabulary.encode(texts[0])

    def batches(self) -> Batches:
        """Return random windows of the training text with hidden places."""
        spec = self.spec
        windows = Windows(self.train_tokens, spec.context, spec.batch_size, self.setting.seed)
        return MaskedWindows(windows, self.masking)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the mean cross-entropy at the hidden places of ``(x_BT, places_BP, targets_BP)``, in nats, and the
        share of them that is guessed.
        """
        x_BT, places_BP, targets_BP = batch
        logits_BPV = self.modules["model"](x_BT, places_BP).float()
        right = (logits_BPV.detach().argmax(-1) == targets_BP).float().mean()
        return {"loss": F.cross_entropy(logits_BPV.flatten(0, 1), targets_BP.flatten()), "accuracy": right}

    def valid_batches(self) -> Iterator[Batch]:
        """Yield the validation text with its hidden places, and forget what was guessed before."""
        self._right_V.zero_()
        self._asked_V.zero_()
        return iter(self.valid)

    def valid_step(self, batch: Batch) -> dict[str, tuple[Tensor, int]]:
        """Return the summed loss and the number of right guesses; and for each kind of hidden place how many there
        are and how many of them are guessed, both out of all.
        """
        x_BT, places_BP, targets_BP, kinds_BP = batch
        logits_BPV = self.modules["model"](x_BT, places_BP).float()
        count = targets_BP.numel()
        right_BP = logits_BPV.argmax(-1) == targets_BP
        self._right_V.index_add_(0, targets_BP.flatten(), right_BP.flatten().long())
        self._asked_V.index_add_(0, targets_BP.flatten(), torch.ones_like(targets_BP.flatten()))
        loss = F.cross_entropy(logits_BPV.flatten(0, 1), targets_BP.flatten(), reduction="sum")
        sums = {"loss": (loss, count), "accuracy": (right_BP.sum(), count)}
        for number, kind in enumerate(KINDS):
            of_kind_BP = kinds_BP == number
            sums[f"share_{kind}"] = (of_kind_BP.sum(), count)
            sums[f"accuracy_{kind}"] = ((right_BP & of_kind_BP).sum(), count)
        return sums

    def summarize(self, means: dict[str, float]) -> dict[str, float]:
        """Return loss and accuracy, and the accuracy at the hidden places of each kind."""
        told: dict[str, float] = {name: means[name] for name in ("loss", "accuracy") if name in means}
        for kind in KINDS:
            if share := means.get(f"share_{kind}", 0.0):
                told[f"accuracy_{kind}"] = means[f"accuracy_{kind}"] / share
        return told

    def draw(self, step: int) -> Iterator[Event]:
        """Yield how gaps of the validation text are filled, attention, and what is guessed how well."""
        if not self.valid:
            return
        yield self._gaps()
        x_BT, *_ = self.valid[0]
        yield from self.attention(x_BT[0, :READ])
        if self._asked_V.any():
            yield self._by_frequency()

    def _gaps(self) -> Table:
        """Return pieces of validation text with gaps, and as the model fills them."""
        x_BT, places_BP, targets_BP, _ = (tensor[:GAPS_SHOWN] for tensor in self.valid[0])
        x_BT = x_BT.scatter(1, places_BP, MASK)
        guessed_BP = self.modules["model"](x_BT, places_BP).argmax(-1)
        filled_BT, true_BT = x_BT.scatter(1, places_BP, guessed_BP), x_BT.scatter(1, places_BP, targets_BP)
        first = max(0, (x_BT.size(1) - PIECE[self.spec.tokens]) // 2)
        shown = slice(first, first + PIECE[self.spec.tokens])
        gaps_B = (x_BT == MASK)[:, shown].sum(1).tolist()
        wrong_B = (filled_BT != true_BT)[:, shown].sum(1).tolist()
        rows = [
            [self.vocabulary.show(x), self.vocabulary.show(filled), f"{gaps - wrong} of {gaps}"]
            for x, filled, gaps, wrong in zip(
                x_BT[:, shown].tolist(), filled_BT[:, shown].tolist(), gaps_B, wrong_B, strict=True
            )
        ]
        return Table(name="gaps", columns=["with gaps", "filled", "right"], rows=rows)

    def _by_frequency(self) -> Table:
        """Return how well frequent and rare tokens are guessed, tokens of a rank taken together."""
        right, asked = self._right_V[FIRST:].tolist(), self._asked_V[FIRST:].tolist()
        rows, low, high = [], 0, 4
        while low < len(asked):
            some = " ".join(each for each in self.vocabulary.words[FIRST + low : FIRST + high] if each.strip())
            places, guessed = sum(asked[low:high]), sum(right[low:high])
            rank = f"{low + 1:,} to {min(high, len(asked)):,}"
            rows.append([rank, some[:EXAMPLES], f"{places:,}", percent(guessed, places)])
            low, high = high, 2 * high
        return Table(name="by frequency", columns=["rank", "such as", "places", "guessed"], rows=rows)

    def baselines(self) -> Iterator[Event]:
        """Yield what counting reaches at the same places, with the true neighbors in sight."""
        for metric, name, value, source in fill_in_baselines(self.train_tokens.cpu(), self.valid, len(self.vocabulary)):
            yield Baseline(metric=f"valid/{metric}", name=name, value=round(value, 4), source=source)

    def fill(self, text: str, count: int) -> tuple[list[list[tuple[str, float]]], str]:
        """Return the likeliest fillings of each gap, read all at once; and the text filled gap by gap, the surest
        first, so that each filling knows those before it.

        Raises:
            UsageError: the text has no gap, or is longer than the model can see.
        """
        x_T = self.vocabulary.encode_gaps(text)
        if self.framed:
            x_T = torch.cat([torch.tensor([START]), x_T, torch.tensor([END])])
        if not (x_T == MASK).any():
            raise UsageError("The text has no gap.", "Write each as _ or [MASK]: the n_ural net_ork")
        if len(x_T) > self.spec.context:
            raise UsageError(
                f"The text has {len(x_T):,} tokens; the model sees {self.spec.context:,} at once.", "Shorten it."
            )
        x_T = x_T.to(self.setting.device)
        chances_PK, numbers_PK = self._chances(x_T).topk(min(count, len(self.vocabulary) - FIRST))
        likely = [
            [(self.vocabulary.words[number], chance) for number, chance in zip(*each, strict=True)]
            for each in zip(numbers_PK.tolist(), chances_PK.tolist(), strict=True)
        ]
        for _ in likely:
            places_P = (x_T == MASK).nonzero()[:, 0]
            chances_P, numbers_P = self._chances(x_T).max(-1)
            surest = chances_P.argmax()
            x_T[places_P[surest]] = numbers_P[surest]
        return likely, self.vocabulary.show(x_T[1:-1].tolist() if self.framed else x_T.tolist())

    def _chances(self, x_T: Tensor) -> Tensor:
        """Return the probability of every token at every gap, ``PV``; special tokens have none."""
        places_1P = (x_T == MASK).nonzero()[:, 0][None]
        logits_PV = self.modules["model"](x_T[None], places_1P)[0].float()
        logits_PV[:, :FIRST] = -torch.inf
        return logits_PV.softmax(-1)

    def flops_per_sample(self) -> float:
        """Return the operations of forward and backward on one window."""
        return float(self.spec.flops_per_sample(len(self.vocabulary), 0))

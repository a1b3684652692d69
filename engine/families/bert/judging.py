"""How a BERT learns to judge sentences: a new head on an encoder, which may have read before.

Shape legend: B batch, T time (tokens), N classes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.core.errors import DataError, UsageError
from engine.core.events import Baseline, Event, HeatMap, Table
from engine.data.batches import Shuffled, in_order
from engine.data.sentences import Sentences
from engine.families.bert.baselines import bag_of_words_accuracy
from engine.families.bert.model import SentenceJudge
from engine.families.bert.reading import Reader
from engine.families.bert.vocabulary import PAD
from engine.train.classifier import by_class, confusion
from engine.train.learner import Batch, Batches

VALID_BATCH = 256
MISTAKES_SHOWN = 10
READ = 24
"""Tokens of a sentence whose attention is drawn."""


class Judge(Reader):
    """Sorts sentences into classes. Sentences longer than the context lose their end."""

    def build(self) -> dict[str, nn.Module]:
        """Return the model, its encoder new or that of the run to start from."""
        spec, device = self.spec, self.setting.device
        if not isinstance(self.setting.data, Sentences):
            raise DataError(
                f"{self.setting.data.name} has no labeled sentences.",
                "Choose data=sentence-polarity, or objective=masked.",
            )
        self.data = self.setting.data
        self.learn_tokens(self.data.train_texts)
        self.train_rows = self._encode(self.data.train_texts).to(device)
        self.valid_rows = self._encode(self.data.valid_texts).to(device)
        self._chances: list[Tensor] = []
        return self.ready(SentenceJudge(spec, len(self.vocabulary), len(self.data.classes), PAD))

    def _encode(self, texts: tuple[str, ...]) -> Tensor:
        """Return each sentence as a row of tokens, ``BT``."""
        return torch.tensor([self.vocabulary.row(text, self.spec.context) for text in texts])

    def batches(self) -> Batches:
        """Return shuffled batches of sentences with their classes."""
        return Shuffled((self.train_rows, self.data.train_labels), self.spec.batch_size, self.setting.seed)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the mean cross-entropy in nats, and the share of the batch that is right."""
        x_BT, labels_B = batch
        scores_BN = self.modules["model"](x_BT).float()
        right = (scores_BN.detach().argmax(1) == labels_B).float().mean()
        return {"loss": F.cross_entropy(scores_BN, labels_B), "accuracy": right}

    def valid_batches(self) -> Iterator[Batch]:
        """Yield the validation split in order, and forget what was answered before."""
        self._chances = []
        return in_order((self.valid_rows, self.data.valid_labels), VALID_BATCH)

    def valid_step(self, batch: Batch) -> dict[str, tuple[Tensor, int]]:
        """Return summed cross-entropy and number of right answers; keep the answers for `draw`."""
        x_BT, labels_B = batch
        scores_BN = self.modules["model"](x_BT).float()
        self._chances.append(scores_BN.softmax(1))
        loss = F.cross_entropy(scores_BN, labels_B, reduction="sum")
        return {"loss": (loss, len(labels_B)), "accuracy": ((scores_BN.argmax(1) == labels_B).sum(), len(labels_B))}

    def draw(self, step: int) -> Iterator[Event]:
        """Yield the confusion matrix, the surest mistakes, figures by class, and attention on one sentence."""
        yield from self.attention(self.valid_rows[0][self.valid_rows[0] != PAD][:READ])
        if not self._chances:
            return
        sure_B, answers_B = torch.cat(self._chances).max(1)
        labels_B, classes = self.data.valid_labels, list(self.data.classes)
        counts_NN = confusion(labels_B, answers_B, len(classes))
        yield HeatMap(
            name="confusion matrix", values=counts_NN.tolist(), rows=classes, columns=classes,
            row_title="true", column_title="predicted",
        )  # fmt: skip
        yield by_class(counts_NN, classes)
        yield self._mistakes(sure_B, answers_B)

    def _mistakes(self, sure_B: Tensor, answers_B: Tensor) -> Table:
        """Return the wrongly judged sentences of which the model was surest."""
        wrong_B = answers_B != self.data.valid_labels
        worst = torch.where(wrong_B, sure_B, -1.0).argsort(descending=True)[: min(MISTAKES_SHOWN, int(wrong_B.sum()))]
        rows = [
            [f"{100 * float(sure_B[each]):.0f} %", self.data.classes[int(answers_B[each])], self.data.valid_texts[each]]
            for each in worst.tolist()
        ]
        return Table(name="mistakes", columns=["sure", "taken for", "sentence"], rows=rows)

    def baselines(self) -> Iterator[Event]:
        """Yield what answering the commonest class always, and a linear model of the words, achieve."""
        majority = self.data.train_labels.mode().values
        share = float((self.data.valid_labels == majority).float().mean())
        for metric, name, value, source in (
            ("accuracy", "majority class", share, "always the commonest class"),
            ("loss", "guessing", math.log(len(self.data.classes)), "ln of the classes"),
        ):
            yield Baseline(metric=f"valid/{metric}", name=name, value=value, source=source)
        yield Baseline(
            metric="valid/accuracy", name="bag of words", value=bag_of_words_accuracy(self.data),
            source="logistic regression on which words a sentence has",
        )  # fmt: skip

    def judge(self, text: str) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
        """Return the probability of each class, the likeliest first; and of each token by how much the probability of
        the likeliest falls without it.

        A token is left out, and those after it move up: whoever has only judged has never seen [MASK].

        Raises:
            UsageError: the sentence is empty.
        """
        x_T = torch.tensor(self.vocabulary.row(text, self.spec.context), device=self.setting.device)
        length = int((x_T != PAD).sum()) - 2
        if not length:
            raise UsageError("There is no sentence to judge.", "Example: a movie that one forgets at once")
        shorter_LT = torch.stack([torch.cat([x_T[:place], x_T[place + 1 :]]) for place in range(1, length + 1)])
        rows_BT = torch.cat([x_T[None], F.pad(shorter_LT, (0, 1), value=PAD)])
        chances_BN = self.modules["model"](rows_BT).float().softmax(1)
        order = chances_BN[0].argsort(descending=True).tolist()
        classes = [(self.data.classes[each], float(chances_BN[0, each])) for each in order]
        falls = (chances_BN[0, order[0]] - chances_BN[1:, order[0]]).tolist()
        tokens = self.vocabulary.labels(x_T[1 : length + 1].tolist())
        return classes, list(zip(tokens, falls, strict=True))

    def example(self, number: int) -> tuple[str, str]:
        """Return a sentence of the validation split and its class.

        Raises:
            UsageError: there is no such sentence.
        """
        if number >= len(self.data.valid_texts):
            raise UsageError(
                f"The validation split has {len(self.data.valid_texts):,} sentences, counted from 0.",
                "Choose a lower example, or give a text of your own.",
            )
        return self.data.valid_texts[number], self.data.classes[int(self.data.valid_labels[number])]

    def flops_per_sample(self) -> float:
        """Return the operations of forward and backward on one sentence."""
        return float(self.spec.flops_per_sample(len(self.vocabulary), len(self.data.classes)))

"""How a transformer learns to write: given the source and the target up to a token, the next one, everywhere at once.

Shape legend: B batch, S source tokens, T target tokens, H heads, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.core.errors import DataError, UsageError
from engine.core.events import Baseline, Event, HeatMap, Table
from engine.data.bleu import bleu
from engine.data.buckets import Buckets, grouped
from engine.data.pair_tasks import Pair
from engine.data.pairs import Pairs
from engine.families.transformer.baselines import baselines
from engine.families.transformer.decoding import beam_search, greedy
from engine.families.transformer.model import Transformer
from engine.families.transformer.spec import HEADS_DRAWN
from engine.families.transformer.vocabulary import PAD, START, Vocabulary
from engine.train.learner import Batch, Batches, Learner

VALID_GROUPS = 8
"""Of like length, into which the validation split is cut."""
ANSWERS_SHOWN = 8
ANSWERED_AT_ONCE = 128
"""Sources of a batch, where a trained model is asked."""


class TransformerLearner(Learner):
    """Translation, in the widest sense.

    In training and for the loss the model is given the true target up to each token ("teacher forcing"). The loss is
    the mean over all target tokens, ends included, in nats; in training it is that of the smoothed targets. Whole
    answers are judged as the model writes them itself, taking the likeliest token each time.
    """

    vocabulary: Vocabulary

    def build(self) -> dict[str, nn.Module]:
        """Return the untrained model, with the vocabulary of the training split.

        Raises:
            DataError: the data are no pairs, or do not fit into the model.
        """
        spec, data, device = self.spec, self.setting.data, self.setting.device
        if not isinstance(data, Pairs):
            raise DataError(
                f"{data.name} has no pairs of source and target, which a transformer learns from.",
                "Use data=reverse, data=dates or data=multi30k-de-en.",
            )
        self.vocabulary = Vocabulary((text for pair in data.train for text in pair), spec.pieces)
        if spec.pieces and len(self.vocabulary) > spec.pieces:
            raise UsageError(
                f"A vocabulary of {spec.pieces:,} has no room for the characters of {data.name} alone.",
                f"Set pieces to more than {len(self.vocabulary):,}, or to 0.",
            )
        train, valid = self._encoded(data.train), self._encoded(data.valid)
        self._groups = grouped(train, spec.buckets, PAD, device)
        self._valid_groups = grouped(valid, VALID_GROUPS, PAD, device)
        self._answers: dict[int, str] = {}
        self.longest_answer = max(len(target) for _, target in train) - 1
        self.tokens_per_sample = round(sum(len(source) + len(target) - 1 for source, target in train) / len(train))
        return {"model": Transformer(spec, len(self.vocabulary))}

    def _encoded(self, pairs: Sequence[Pair]) -> list[tuple[list[int], list[int]]]:
        """Return the tokens of both sides: a source with its end, a target between start and end.

        Raises:
            DataError: there is a side that the model has no room for.
        """
        encode, room = self.vocabulary.encode, self.spec.longest
        encoded = [(encode(pair.source), [START, *encode(pair.target)]) for pair in pairs]
        longest = max(max(len(source), len(target) - 1) for source, target in encoded)
        if longest > room:
            raise DataError(
                f"{self.setting.data.name} has a text of {longest:,} tokens; the model has room for {room:,}.",
                f"Set longest={longest}.",
            )
        return encoded

    def batches(self) -> Batches:
        """Return shuffled batches of pairs of like length."""
        groups = [(source, target) for source, target, _ in self._groups]
        return Buckets(groups, self.spec.batch_size, self.setting.seed, PAD)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the mean cross-entropy of the target tokens, smoothed as `smoothing` says, in nats per token."""
        source_BS, target_BT, predicted_B = batch
        losses_BT, _ = self._losses(source_BS, target_BT, self.spec.smoothing)
        return {"loss": (losses_BT.sum(1) / predicted_B).mean()}

    def _losses(self, source_BS: Tensor, target_BT: Tensor, smoothing: float = 0.0) -> tuple[Tensor, Tensor]:
        """Return the cross-entropy of every token but the first, ``BT``, zero where it is a pad; and the scores."""
        logits_BTV = self._model(source_BS, target_BT[:, :-1]).float()
        losses = F.cross_entropy(
            logits_BTV.flatten(0, 1),
            target_BT[:, 1:].flatten(),
            ignore_index=PAD,
            reduction="none",
            label_smoothing=smoothing,
        )
        return losses.view(logits_BTV.shape[:2]), logits_BTV

    def valid_batches(self) -> Iterator[Batch]:
        """Yield the validation split, from short to long, with the numbers of the pairs."""
        self._answers = {}
        return iter(self._valid_groups)

    def valid_step(self, batch: Batch) -> dict[str, tuple[Tensor, int]]:
        """Return summed loss and right tokens, given the true target before them; right answers and their characters,
        these out of the targets', where the model writes by itself. The answers are kept.
        """
        source_BS, target_BT, numbers_B = batch
        losses_BT, logits_BTV = self._losses(source_BS, target_BT)
        real_BT = target_BT[:, 1:] != PAD
        right_BT = (logits_BTV.argmax(-1) == target_BT[:, 1:]) & real_BT
        tokens = int(real_BT.sum())
        written = greedy(self._model, source_BS, self.longest_answer).tolist()
        answers = [self.vocabulary.decode(each) for each in written]
        numbers = numbers_B.tolist()
        self._answers.update(zip(numbers, answers, strict=True))
        targets = [self.pairs.valid[each].target for each in numbers]
        right = sum(answer == target for answer, target in zip(answers, targets, strict=True))
        return {
            "loss": (losses_BT.sum(), tokens),
            "token_accuracy": (right_BT.sum(), tokens),
            "accuracy": (losses_BT.new_tensor(right), len(answers)),
            "length_ratio": (losses_BT.new_tensor(sum(map(len, answers))), sum(map(len, targets))),
        }

    def summarize(self, means: dict[str, float]) -> dict[str, float]:
        """Return the means and, of sentences, the BLEU of all answers together."""
        if not self.pairs.prose:
            return means
        targets = [self.pairs.valid[number].target for number in self._answers]
        return {**means, "bleu": bleu(list(self._answers.values()), targets)}

    def draw(self, step: int) -> Iterator[Event]:
        """Yield where the model looks while it is given the first validation pair, and what it answers to some."""
        shown = self.pairs.valid[:ANSWERS_SHOWN]
        yield from self.looks(*shown[0])
        answers = [found[0][0] for found in self.answers([pair.source for pair in shown])]
        rows = [
            [pair.source, pair.target, answer if answer != pair.target else "\N{CHECK MARK}"]
            for pair, answer in zip(shown, answers, strict=True)
        ]
        yield Table(name="answers", columns=[*self.pairs.languages, "it says"], rows=rows)

    def baselines(self) -> Iterator[Event]:
        """Yield what copying and looking up reach."""
        for metric, name, value, how in baselines(self.pairs, self.vocabulary.encode):
            yield Baseline(metric=f"valid/{metric}", name=name, value=round(value, 4), source=how)

    def flops_per_sample(self) -> float:
        """Return the operations of forward and backward on one pair, the padding included."""
        sources = sum(source.size(1) for source, _, _ in self._groups) / len(self._groups)
        targets = sum(target.size(1) - 1 for _, target, _ in self._groups) / len(self._groups)
        return float(self.spec.flops(sources, targets, len(self.vocabulary)))

    def looks(self, source: str, target: str) -> Iterator[HeatMap]:
        """Yield the cross-attention of the last layer while it writes a target: the mean of all heads, then each."""
        read, written = (self.vocabulary.encode(text)[: self.spec.longest] for text in (source, target))
        given = [START, *written[:-1]]
        source_1S, given_1T = (torch.tensor([tokens], device=self.setting.device) for tokens in (read, given))
        weights_HTS = self._model.cross_attention(source_1S, given_1T)[0].float()
        maps = {"cross-attention": weights_HTS.mean(0)}
        maps |= {f"cross-attention, head {head}": each for head, each in enumerate(weights_HTS[:HEADS_DRAWN], start=1)}
        for name, weights_TS in maps.items():
            yield HeatMap(
                name=name,
                values=[[round(value, 3) for value in row] for row in weights_TS.tolist()],
                rows=self.vocabulary.show(written),
                columns=self.vocabulary.show(read),
                row_title="writing",
                column_title="looks at",
            )

    def answers(
        self, sources: Sequence[str], *, beams: int = 1, length_penalty: float = 0.6
    ) -> list[list[tuple[str, float]]]:
        """Return for each source what the model writes with the logarithm of its probability, by `length_penalty`
        excused for its length: of a beam search all that was found, the best first; of one beam the likeliest token
        each time.

        Raises:
            UsageError: there is a source that the model has no room for.
        """
        decode = self.vocabulary.decode
        found: list[list[tuple[str, float]]] = []
        for start in range(0, len(sources), ANSWERED_AT_ONCE):
            source_BS = self._read(sources[start : start + ANSWERED_AT_ONCE])
            written_BWT, scores_BW = beam_search(
                self._model, source_BS, self.longest_answer, beams=beams, length_penalty=length_penalty
            )
            for written, scores in zip(written_BWT.tolist(), scores_BW.tolist(), strict=True):
                found.append([(decode(each), score) for each, score in zip(written, scores, strict=True)])
        return found

    def _read(self, sources: Sequence[str]) -> Tensor:
        """Return the tokens of some sources, ``BS``.

        Raises:
            UsageError: the model has no room for one.
        """
        tokens = [self.vocabulary.encode(source) for source in sources]
        longest = max(map(len, tokens))
        if longest > self.spec.longest:
            raise UsageError(
                f"The text has {longest:,} tokens; the model has room for {self.spec.longest:,}.", "Shorten it."
            )
        padded = [each + [PAD] * (longest - len(each)) for each in tokens]
        return torch.tensor(padded, device=self.setting.device)

    @property
    def pairs(self) -> Pairs:
        """The pairs that it learns from and is judged by."""
        found: Pairs = self.setting.data
        return found

    @property
    def _model(self) -> Transformer:
        model = self.modules["model"]
        assert isinstance(model, Transformer)
        return model

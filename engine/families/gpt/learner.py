"""How a GPT learns: windows of text, each token's target the one after it; and what the run screen sees of it.

Shape legend: B batch, T time, H heads, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice, pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.adapt.lora import merge_tensors
from engine.core.errors import DataError, RunError
from engine.core.events import Baseline, Event, HeatMap, Histogram, Text
from engine.data.batches import seeded
from engine.data.gpt2_tokens import GPT2Tokens, load_gpt2_tokens
from engine.data.ngram import ngram_losses
from engine.data.text import Characters, Vocabulary, Windows, cold_windows
from engine.data.vocabulary import pack, unpack
from engine.families.gpt.adapting import hold_still, what_is_trained
from engine.families.gpt.model import GPT
from engine.families.gpt.published import gpt_2_weights, start_from
from engine.families.gpt.spec import HEADS_DRAWN, GPTSpec
from engine.play.kinds import CompleteSettings
from engine.train.learner import Batch, Batches, Learner
from engine.train.starting import copy_weights, words_of

TEMPERATURE = 0.8
SAMPLE_LENGTH = 240
"""Characters."""
SENTENCE = 24
"""Tokens of validation text whose attention is drawn."""
VALID_TOKENS = 8192
"""Of a validation batch, at most."""
VALID_SCORES = 2**26
"""Of a validation batch, at most: a large vocabulary has as many for every token."""
POSITION_BINS = 32
"""Of the loss by position, at most."""


class GPTLearner(Learner):
    """Next-token prediction.

    Validation reads the whole split in windows that follow one another, each without what came before it ("cold"); the
    loss is the mean over all predictions, in nats per character. Where tokens are longer than that, their loss is
    shared out among the characters of the text, so that models of different tokens can be compared.
    """

    vocabulary: Vocabulary
    train_tokens: Tensor
    valid_tokens: Tensor
    train_length: float = 1.0
    """Characters of a token, on average."""
    valid_length: float = 1.0

    def build(self) -> dict[str, nn.Module]:
        """Return the model: a new one, the published one, or the one to start from, with the tokens that it knows.

        Raises:
            DataError: the text is too short for the context, or the files of GPT-2 are not on this machine.
            RunError: the model to start from has another shape, or reads other tokens.
        """
        spec, data, device = self.spec, self.setting.data, self.setting.device
        start = self.setting.inputs.get("model")
        published = gpt_2_weights() if start is None and spec.weights == "gpt-2" else None
        self.vocabulary = self._vocabulary(start)
        self.train_tokens = self.vocabulary.encode(data.train, device)
        self.valid_tokens = self.vocabulary.encode(data.valid, device)
        if len(self.train_tokens) <= spec.context or len(self.valid_tokens) < 2:
            raise DataError(
                f"{data.name} has {len(self.train_tokens):,} tokens to train on, too few for a context of "
                f"{spec.context:,}.",
                "Set a smaller context, or use a longer text.",
            )
        if spec.tokens != "characters":
            self.train_length = len(data.train) / len(self.train_tokens)
            self.valid_length = len(data.valid) / len(self.valid_tokens)
        self.tokens_per_sample = spec.context
        self._told = False
        self._position_losses_T = torch.zeros(spec.context, dtype=torch.float64, device=device)
        self._position_counts_T = torch.zeros(spec.context, dtype=torch.int64)
        model = build_gpt(spec, self.vocabulary)
        if start is not None:
            load_weights(model, merge_tensors(start))
        elif published is not None:
            start_from(model, published)
        hold_still(model, spec)
        return {"model": model}

    def _vocabulary(self, start: Mapping[str, Tensor] | None) -> Vocabulary:
        """Return the tokens of the model to start from, of GPT-2, or the characters of the text."""
        tokens, data = self.spec.tokens, self.setting.data
        if start is None:
            return Characters(data.train, data.valid) if tokens == "characters" else load_gpt2_tokens()
        found = vocabulary_of(start)
        known = "gpt-2" if isinstance(found, GPT2Tokens) else "characters"
        if known != tokens:
            raise RunError(f"The model to start from reads {known}, this one {tokens}.", f"Set tokens={known}.")
        return found

    def batches(self) -> Batches:
        """Return random windows of the training text."""
        return Windows(self.train_tokens, self.spec.context, self.spec.batch_size, self.setting.seed)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the mean cross-entropy of ``(x_BT, y_BT)``, in nats per character."""
        loss = self._losses(batch).mean()
        return {"loss": loss if self.train_length == 1 else loss / self.train_length}

    def _losses(self, batch: Batch) -> Tensor:
        """Return the cross-entropy of every prediction, ``BT``, single precision."""
        x_BT, y_BT = batch
        logits_BTV = self.modules["model"](x_BT)
        return F.cross_entropy(logits_BTV.flatten(0, 1).float(), y_BT.flatten(), reduction="none").view_as(y_BT)

    def valid_batches(self) -> Iterator[Batch]:
        """Yield the whole validation text in cold windows."""
        self._position_losses_T.zero_()
        self._position_counts_T.zero_()
        return cold_windows(self.valid_tokens, self.spec.context, windows_at_once(self._model))

    def valid_step(self, batch: Batch) -> dict[str, tuple[Tensor, int]]:
        """Return the summed loss and the number of predictions; the sums by position are kept, to be drawn."""
        losses_BT = self._losses(batch)
        if self.valid_length != 1:
            losses_BT = losses_BT / self.valid_length
        B, T = losses_BT.shape
        self._position_losses_T[:T] += losses_BT.sum(0)
        self._position_counts_T[:T] += B
        return {"loss": (losses_BT.sum(), losses_BT.numel())}

    def summarize(self, means: dict[str, float]) -> dict[str, float]:
        """Return the loss per character, and where tokens are longer also per token, as it is published."""
        if self.valid_length == 1 or "loss" not in means:
            return means
        return {**means, "loss_per_token": means["loss"] * self.valid_length}

    def draw(self, step: int) -> Iterator[Event]:
        """Yield a sample of text, attention on a piece of validation text, the loss by position last measured, and
        once, where not all of the model is trained, what is.
        """
        if self.spec.adapt != "full" and not self._told:
            self._told = True
            yield what_is_trained(self._model)
        yield self._sample(step)
        yield from self._attention()
        if self._position_counts_T[0]:
            yield self._loss_by_position()

    def _sample(self, step: int) -> Text:
        """Return what the model writes; the same chance at every step, so that what changes is the model."""
        choice = CompleteSettings(temperature=TEMPERATURE, seed=self.setting.seed)
        text = "".join(islice(self.write(self.spec.prompt, choice), SAMPLE_LENGTH))
        return Text(name="generated text", prompt=self.spec.prompt, text=text)

    def _attention(self) -> Iterator[HeatMap]:
        """Yield the last layer's attention weights: the mean of all heads, then head by head."""
        tokens = self.valid_tokens[: min(SENTENCE, self.spec.context)]
        weights_HTT = self._model.attention(tokens[None])[0].float()
        pieces = self.vocabulary.pieces(tokens)
        letters = [piece if piece.isprintable() else "\N{RETURN SYMBOL}" for piece in pieces]
        maps = {"attention": weights_HTT.mean(0)}
        maps |= {f"attention, head {head}": each for head, each in enumerate(weights_HTT[:HEADS_DRAWN], start=1)}
        for name, weights_TT in maps.items():
            values = [[round(value, 3) for value in row] for row in weights_TT.tolist()]
            yield HeatMap(
                name=name, values=values, rows=letters, columns=letters, row_title="reading", column_title="looks at"
            )

    def _loss_by_position(self) -> Histogram:
        """Return the mean validation loss after 1, 2, 3 ... tokens of context, neighbors taken together: a bar from 1
        to 3 holds the losses after 1 and after 2.
        """
        losses_T, counts_T = self._position_losses_T.cpu(), self._position_counts_T
        positions = int((counts_T > 0).sum())
        edges = torch.linspace(0, positions, min(POSITION_BINS, positions) + 1).long().tolist()
        means = [float(losses_T[low:high].sum() / counts_T[low:high].sum()) for low, high in pairwise(edges)]
        return Histogram(
            name="loss by position",
            edges=[float(1 + edge) for edge in edges],
            counts=[round(mean, 4) for mean in means],
        )

    def likely(self, prompt: str, count: int) -> list[tuple[str, float]]:
        """Return the tokens that may follow `prompt` with their probabilities, the likeliest first."""
        logits_V = self._model(self._encode(prompt)[:, -self.spec.context :])[0, -1].float()
        chances, numbers = logits_V.softmax(-1).topk(min(count, len(self.vocabulary)))
        return list(zip(self.vocabulary.pieces(numbers), chances.tolist(), strict=True))

    def write(self, prompt: str, choice: CompleteSettings) -> Iterator[str]:
        """Yield one character after another after `prompt`, without end."""
        generator = seeded(choice.seed, 0, self.setting.device, stream=4)
        written = self._model.write(
            self._encode(prompt), temperature=choice.temperature, top_k=choice.top_k, top_p=choice.top_p,
            generator=generator,
        )  # fmt: skip
        yield from self.vocabulary.stream(int(token) for token in written)

    def _encode(self, prompt: str) -> Tensor:
        """Return a prompt as ``1T``; where the model knows none of it, what a text begins after, or the first character
        of the text.
        """
        tokens = self.vocabulary.encode(prompt, self.setting.device)
        if not len(tokens) and self.vocabulary.start is not None:
            tokens = torch.tensor([self.vocabulary.start], device=self.setting.device)
        return (tokens if len(tokens) else self.valid_tokens[:1])[None]

    def baselines(self) -> Iterator[Event]:
        """Yield what models that count reach on the same validation text, each token with its full history."""
        train, valid = self.train_tokens.cpu().numpy(), self.valid_tokens.cpu().numpy()
        for name, loss, source in ngram_losses(train, valid, len(self.vocabulary)):
            value = round(loss / self.valid_length, 4)
            yield Baseline(metric="valid/loss", name=name, value=value, source=source)

    def flops_per_sample(self) -> float:
        """Return the operations of forward and backward on one window."""
        return float(self.spec.flops_per_sample(0, len(self.vocabulary)))

    @property
    def _model(self) -> GPT:
        model = self.modules["model"]
        assert isinstance(model, GPT)
        return model


def windows_at_once(model: GPT) -> int:
    """Return how many windows a validation batch has, so that its scores fit into memory."""
    vocabulary = len(model.embedding.weight)
    return max(1, min(VALID_TOKENS, VALID_SCORES // vocabulary) // model.spec.context)


def build_gpt(spec: GPTSpec, vocabulary: Vocabulary) -> GPT:
    """Return a new GPT that carries its tokens as buffers, so that its checkpoints can be played with alone."""
    model = GPT(spec, len(vocabulary))
    model.register_buffer("words", pack(vocabulary.words))
    if isinstance(vocabulary, GPT2Tokens):
        model.register_buffer("merges", pack(vocabulary.merges))
    return model


def vocabulary_of(tensors: Mapping[str, Tensor]) -> Vocabulary:
    """Return the tokens that a checkpoint's model knows.

    Raises:
        RunError: it is no checkpoint of a language model.
    """
    words = words_of(tensors, "gpt")
    if "model.merges" in tensors:
        return GPT2Tokens(words, unpack(tensors["model.merges"]))
    return Characters("".join(words))


def characters_of(tensors: Mapping[str, Tensor]) -> Characters:
    """Return the characters that a checkpoint's model knows.

    Raises:
        RunError: it is no checkpoint of a language model that reads characters.
    """
    found = vocabulary_of(tensors)
    if not isinstance(found, Characters):
        raise RunError("The model reads GPT-2's tokens, not characters.", "Choose a run with tokens=characters.")
    return found


def load_weights(model: GPT, tensors: Mapping[str, Tensor]) -> None:
    """Copy the weights of a checkpoint into the model.

    Raises:
        RunError: the checkpoint's model has another shape.
    """
    own = model.state_dict()
    if model.spec.tie:
        own.pop("head.weight")  # the table of tokens, which a checkpoint has once
    copy_weights(own, tensors, "layers, heads, width, context and the choices of architecture")

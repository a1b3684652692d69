"""How a recurrent network learns: streams of symbols, stretch by stretch, each begun where the last one ended.

Truncated backpropagation through time: the state is carried on, the gradient ends at the stretch's edge. The carried
state is a tensor of a fixed place, changed in place, and belongs to what a resume restores.

Shape legend: B streams, T time, H units, L layers, S states of a layer, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import islice

import torch.nn.functional as F
from torch import Tensor, nn

from engine.core.errors import DataError, RunError
from engine.core.events import Baseline, Event, Note, Text
from engine.data.batches import seeded
from engine.data.examples import Corpus
from engine.data.ngram import ngram_losses
from engine.data.series import Levels, Series
from engine.data.streams import Streams, warm_streams
from engine.data.text import Characters
from engine.data.vocabulary import pack
from engine.families.rnn.inside import cold_losses, gates, gradient_through_time, hidden_state, prediction
from engine.families.rnn.model import RecurrentNetwork
from engine.play.kinds import CompleteSettings
from engine.train.learner import Batch, Batches, Learner
from engine.train.starting import copy_weights, words_of
from engine.train.step import update

TEMPERATURE = 0.8
SAMPLE_LENGTH = 240
"""Characters."""
VALID_STREAMS = 64
"""Into which the validation text is cut, to be read side by side."""
VALID_LENGTH = 256
"""Characters of a stretch of validation."""
WARM = 128
"""Characters that a validation stream reads before those that count."""
SATURATED = 0.95
"""A number of the state beyond this, up or down, is at its limit."""


class RNNLearner(Learner):
    """Prediction of the next symbol (a text's character, a series' level) with a state carried from step to step.

    Validation reads the whole split with carried state (`warm_streams`); the loss is the mean over all predictions, in
    nats per symbol.
    """

    symbols: Characters | Levels
    train_tokens: Tensor
    valid_tokens: Tensor

    def build(self) -> dict[str, nn.Module]:
        """Return the model: a new one, or the one to start from, with the symbols that it knows.

        Raises:
            DataError: the data are no sequence, or too short for the streams, or the model to start from knows too few
                of the characters to be judged by.
        """
        spec, device = self.spec, self.setting.device
        start = self.setting.inputs.get("model")
        self._read(self.setting.data, start)
        self.tokens_per_sample = spec.context
        self._streams = Streams(self.train_tokens, spec.context, spec.batch_size, self.setting.seed, carry=spec.carry)
        model = RecurrentNetwork(spec, len(self.symbols))
        model.register_buffer("words", pack(self.symbols.words))
        if start is not None:
            copy_weights(model.state_dict(), start, "cell, layers, width and embedding")
        self._carried_LSBH = model.blank(spec.batch_size).to(device)
        """The state in which the next step begins."""
        self._ahead_LSBH = self._carried_LSBH.clone()
        """The state in which the present step ends, filled piece by piece where a batch is cut."""
        self._valid_LSBH: Tensor | None = None
        """Where the reading of the validation split has come to."""
        return {"model": model}

    def _read(self, data: object, start: Mapping[str, Tensor] | None) -> None:
        """Take the symbols from the data, or from the model to start from, and the sequences in them."""
        device = self.setting.device
        if isinstance(data, Series):
            self.symbols, self.train_tokens, self.valid_tokens = data.levels, data.train, data.valid
        elif isinstance(data, Corpus):
            texts = (data.train, data.valid) if start is None else ("".join(words_of(start, "rnn")),)
            self.symbols = Characters(*texts)
            self.train_tokens = self.symbols.encode(data.train, device)
            self.valid_tokens = self.symbols.encode(data.valid, device)
        else:
            raise DataError(
                f"{getattr(data, 'name', 'This')} is no text and no series.",
                "Choose glossary, tiny-shakespeare, sine, or a text file of your own.",
            )
        if len(self.valid_tokens) < 2:
            raise DataError(
                f"{data.name} has {len(self.valid_tokens)} symbols to validate on that the model knows.",
                "Start from a run that knows its characters, or use a longer text.",
            )

    def batches(self) -> Batches:
        """Return the training text as streams."""
        return self._streams

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the mean cross-entropy of ``(x_BT, y_BT, stream_B, carried_B)``, in nats per symbol."""
        x_BT, y_BT, stream_B, carried_B = batch
        before_LSBH = self._carried_LSBH.index_select(2, stream_B) * carried_B[:, None]
        scores_BTV, after_LSBH = self._model(x_BT, before_LSBH)
        self._ahead_LSBH.index_copy_(2, stream_B, after_LSBH.detach())
        return {"loss": F.cross_entropy(scores_BTV.flatten(0, 1).float(), y_BT.flatten())}

    def train_step(self, batch: Batch, side: str = "") -> dict[str, Tensor]:
        """Make one update, and carry the state on once all of it is done."""
        scalars = update(self, batch)
        self._carried_LSBH.copy_(self._ahead_LSBH)
        return scalars

    def state(self) -> dict[str, Tensor]:
        """Return what a resume restores, the carried state with it."""
        return {**super().state(), "carried": self._carried_LSBH}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state` returned.

        Raises:
            RunError: the state is of other streams or of another memory.
        """
        super().load_state({name: tensor for name, tensor in state.items() if name != "carried"})
        carried = state["carried"]
        if carried.shape != self._carried_LSBH.shape:
            raise RunError(
                "The checkpoint's streams are not those of this run.", "Keep batch_size, or start a new run."
            )
        self._carried_LSBH.copy_(carried)

    def valid_batches(self) -> Iterator[Batch]:
        """Yield the whole validation text as streams that are warm when they count."""
        self._valid_LSBH = None
        return warm_streams(self.valid_tokens, VALID_STREAMS, VALID_LENGTH, WARM)

    def valid_step(self, batch: Batch) -> dict[str, tuple[Tensor, int]]:
        """Return the summed loss, how many numbers of the last layer's state are at their limits, and the counts."""
        x_BT, y_BT, counted_BT, carried_B = batch
        before_LSBH = self._model.blank(len(x_BT)) if self._valid_LSBH is None else self._valid_LSBH
        h_TBH, self._valid_LSBH = self._model.features(x_BT, before_LSBH * carried_B[:, None])
        scores_BTV = self._model.head(h_TBH.transpose(0, 1)).float()
        losses_BT = F.cross_entropy(scores_BTV.flatten(0, 1), y_BT.flatten(), reduction="none").view_as(y_BT)
        count = int(counted_BT.sum())
        saturated_BT = (h_TBH.abs() > SATURATED).float().mean(-1).T
        return {
            "loss": ((losses_BT * counted_BT).sum(), count),
            "saturated": ((saturated_BT * counted_BT).sum(), count),
        }

    def summarize(self, means: dict[str, float]) -> dict[str, float]:
        """Add the loss in bits."""
        return {**means, "bits": means["loss"] / math.log(2)}

    def draw(self, step: int) -> Iterator[Event]:
        """Yield a sample of text, and what goes on inside on validation text."""
        yield self._sample()
        yield gradient_through_time(self._model, self.valid_tokens, self.spec.context)
        yield from gates(self._model, self.valid_tokens, self.spec.context)
        yield hidden_state(self._model, self.valid_tokens, self.symbols.words)
        if isinstance(self.symbols, Levels):
            yield prediction(self._model, self.valid_tokens, self.symbols)
        yield cold_losses(self._model, self.valid_tokens)

    def _sample(self) -> Text:
        """Return what the model writes; the same chance at every step, so that what changes is the model."""
        choice = CompleteSettings(temperature=TEMPERATURE, seed=self.setting.seed)
        text = "".join(islice(self.write(self.spec.prompt, choice), SAMPLE_LENGTH))
        return Text(name="generated text", prompt=self.spec.prompt, text=text)

    def likely(self, prompt: str, count: int) -> list[tuple[str, float]]:
        """Return the symbols that may follow `prompt` with their probabilities, the likeliest first."""
        scores_BTV, _ = self._model(self._encode(prompt), self._model.blank(1))
        chances, numbers = scores_BTV[0, -1].float().softmax(-1).topk(min(count, len(self.symbols)))
        return [
            (self.symbols.words[number], chance)
            for number, chance in zip(numbers.tolist(), chances.tolist(), strict=True)
        ]

    def write(self, prompt: str, choice: CompleteSettings) -> Iterator[str]:
        """Yield one symbol after another after `prompt`, without end."""
        generator = seeded(choice.seed, 0, self.setting.device, stream=4)
        written = self._model.write(
            self._encode(prompt), temperature=choice.temperature, top_k=choice.top_k, top_p=choice.top_p,
            generator=generator,
        )  # fmt: skip
        for token in written:
            yield self.symbols.decode(token[0].tolist())

    def _encode(self, prompt: str) -> Tensor:
        """Return a prompt as ``1T``; the first symbol of the validation split where the model knows none of it."""
        tokens = self.symbols.encode(prompt, self.setting.device)
        return (tokens if len(tokens) else self.valid_tokens[:1])[None]

    def baselines(self) -> Iterator[Event]:
        """Yield what models that count reach on the same validation split, each symbol with its full history, and of a
        series what its noise alone costs. Before that, where the model to start from does not know all characters of
        the split, how many of them the loss and these lines leave out.
        """
        data = self.setting.data
        if isinstance(data, Corpus) and (unknown := len(data.valid) - len(self.valid_tokens)):
            share = f"{unknown / len(data.valid):.1%} of the validation text"
            yield Note(text=f"{share} are characters that the model does not know; they are left out.")
        train, valid = self.train_tokens.cpu().numpy(), self.valid_tokens.cpu().numpy()
        for name, loss, source in ngram_losses(train, valid, len(self.symbols)):
            yield Baseline(metric="valid/loss", name=name, value=round(loss, 4), source=source)
        if isinstance(data, Series):
            source = "a model that knows the series without its noise"
            yield Baseline(metric="valid/loss", name="noise alone", value=round(data.floor, 4), source=source)

    def flops_per_sample(self) -> float:
        """Return the operations of forward and backward on one stretch."""
        return float(self.spec.flops_per_sample(0, len(self.symbols)))

    @property
    def _model(self) -> RecurrentNetwork:
        model = self.modules["model"]
        assert isinstance(model, RecurrentNetwork)
        return model

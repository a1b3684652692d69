"""What both learners of a BERT have in common: tokens, another run to start from, attention to be drawn.

Shape legend: T time, H heads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from torch import Tensor, nn

from engine.core.errors import DataError, RunError, UsageError
from engine.core.events import HeatMap
from engine.data.vocabulary import pack
from engine.families.bert.model import Encoder
from engine.families.bert.panels import HEADS_DRAWN
from engine.families.bert.vocabulary import FIRST, Vocabulary
from engine.train.learner import Learner
from engine.train.starting import copy_weights, words_of


class Reader(Learner):
    """Learns by an encoder that knows some tokens; the model carries them, so that a checkpoint can be gone on with."""

    vocabulary: Vocabulary

    def learn_tokens(self, texts: Iterable[str]) -> None:
        """Set the vocabulary: that of the run to start from, or the tokens of the training texts.

        Raises:
            DataError: the texts have no word that is known.
            RunError: the run to start from has none, or one of other tokens.
        """
        start, characters = self.setting.inputs.get("model"), self.spec.tokens == "characters"
        if start is None:
            self.vocabulary = Vocabulary.of(texts, characters=characters)
            if len(self.vocabulary) == FIRST and not characters:
                raise DataError(
                    f"{self.setting.data.name} has no word that occurs twice.",
                    "Set tokens=characters, or use a longer text.",
                )
            return
        words = words_of(start, "bert")
        if characters != all(len(word) == 1 for word in words[FIRST:]):
            other = "words" if characters else "characters"
            raise RunError(f"The model to start from knows {other}.", f"Set tokens={other}.")
        self.vocabulary = Vocabulary(words, characters=characters)

    def ready(self, model: nn.Module) -> dict[str, nn.Module]:
        """Return the model as ``model``, with its tokens, and with the weights of the run to start from: its encoder,
        and of its head what fits.

        Raises:
            RunError: the encoder of the run to start from has another shape.
        """
        model.register_buffer("words", pack(self.vocabulary.words))
        start, knobs = self.setting.inputs.get("model"), "layers, heads, width, context and the choices of architecture"
        if start is not None:
            copy_weights(model.state_dict(), start, knobs, needed="encoder.")
        self.tokens_per_sample = self.spec.context
        return {"model": model}

    def attention(self, x_T: Tensor) -> Iterator[HeatMap]:
        """Yield the last layer's attention weights on some tokens: the mean of all heads, then head by head."""
        encoder = self.modules["model"].get_submodule("encoder")
        assert isinstance(encoder, Encoder)
        weights_HTT = encoder.attention(x_T[None])[0].float()
        tokens = self.vocabulary.labels(x_T.tolist())
        maps = {"attention": weights_HTT.mean(0)}
        maps |= {f"attention, head {head}": each for head, each in enumerate(weights_HTT[:HEADS_DRAWN], start=1)}
        for name, weights_TT in maps.items():
            values = [[round(value, 3) for value in row] for row in weights_TT.tolist()]
            yield HeatMap(
                name=name, values=values, rows=tokens, columns=tokens, row_title="reading", column_title="looks at"
            )

    def fill(self, text: str, count: int) -> tuple[list[list[tuple[str, float]]], str]:
        """Return the likeliest fillings of each gap of a text, and the text with all gaps filled.

        Raises:
            UsageError: this model fills no gaps.
        """
        raise UsageError("This model judges sentences; it has no head for gaps.", "Ask it to judge: --do judge")

    def judge(self, text: str) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
        """Return the probability of each class, the likeliest first; and each word of the sentence with what leaving
        it out does to the likeliest.

        Raises:
            UsageError: this model judges no sentences.
        """
        raise UsageError("This model fills gaps; it knows no classes.", "Train bert/classify on top of it.")

    def example(self, number: int) -> tuple[str, str]:
        """Return a sentence of the validation split and its class.

        Raises:
            UsageError: there is no such sentence, or this model judges none.
        """
        raise UsageError("This model fills gaps; it knows no classes.", "Train bert/classify on top of it.")

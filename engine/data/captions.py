"""Pictures with captions, some classes of them held out of training: drawn shapes, and clothes of Fashion-MNIST.

A caption is a phrase in a template: "there is a red circle". It may tell all of a picture or a part ("something red"),
so that several captions fit a picture and a caption fits several pictures; a batch has one for each, drawn at random.
Classes that training never shows, made of words that it does show, tell whether a model has learned words, or only
whole captions.

Shape legend: N pictures, C channels, H height, W width, K classes, M texts, Q texts of a class, P of them that stand
for it.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from engine.data.batches import Shuffled, seeded
from engine.data.examples import chosen, moments, moved
from engine.data.idx import load_idx
from engine.data.table import DataSet

TEMPLATES = ("{}", "there is {}", "this is {}", "a picture of {}", "here we see {}")
"""What a phrase is put into; the first leaves it as it is."""

CLOTHES = {
    "T-shirt": ("a light top", "a closed top", "a top with short sleeves", "a light closed top with short sleeves"),
    "trouser": ("a garment", "a long garment", "a garment with legs", "a long garment with legs"),
    "pullover": ("a heavy top", "a closed top", "a top with long sleeves", "a heavy closed top with long sleeves"),
    "dress": ("a garment", "a long garment", "a garment without legs", "a long garment without legs"),
    "coat": ("a heavy top", "an open top", "a top with long sleeves", "a heavy open top with long sleeves"),
    "sandal": ("a shoe", "a low shoe", "an open shoe", "a low open shoe"),
    "shirt": ("a light top", "an open top", "a top with long sleeves", "a light open top with long sleeves"),
    "sneaker": ("a shoe", "a low shoe", "a closed shoe", "a low closed shoe"),
    "bag": ("a bag", "something to carry", "a bag to carry", "a bag with a handle"),
    "ankle boot": ("a shoe", "a high shoe", "a closed shoe", "a high closed shoe"),
}
"""What one may say of each class of Fashion-MNIST beside its name; the last says most. The words return in others."""
CLOTHES_UNSEEN = ("pullover", "sneaker")
"""A heavy top that is closed, a closed shoe that is low: each word is seen, no picture of them is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Captioned:
    """Pictures (bytes, ``NCHW``) with captions, split in three: training, validation, and classes never trained on."""

    name: str
    classes: tuple[str, ...]
    texts: tuple[str, ...]
    """Every caption that there is, once."""
    class_texts: Tensor
    """The numbers of the texts that fit each class, ``KQ``."""
    prompts: Tensor
    """Those that stand for each class when pictures are sorted, ``KP``."""
    train_inputs: Tensor
    train_labels: Tensor
    valid_inputs: Tensor
    valid_texts: Tensor
    valid_labels: Tensor
    unseen_inputs: Tensor
    unseen_labels: Tensor
    mean: Tensor
    """What `prepare` takes off, per channel ``C11``, measured on the training split."""
    deviation: Tensor
    """What `prepare` divides by."""
    digest: str = ""

    def fits(self) -> Tensor:
        """Return how often each text is among those of each class, ``KM``; 0 where it does not fit."""
        counts_KM = torch.zeros(len(self.classes), len(self.texts), device=self.class_texts.device)
        return counts_KM.scatter_add_(1, self.class_texts, torch.ones_like(self.class_texts, dtype=torch.float32))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one picture: ``(C, H, W)``."""
        return tuple(self.train_inputs.shape[1:])

    @property
    def size(self) -> int:
        """How many training pairs there are."""
        return len(self.train_inputs)

    def prepare(self, inputs_NCHW: Tensor) -> Tensor:
        """Return kept pictures as floats of mean 0 and standard deviation 1 over the training split."""
        return (inputs_NCHW.float() - self.mean) / self.deviation

    def cut(self, count: int, seed: int) -> Self:
        """Return the data with `count` training pairs."""
        few = chosen(self.size, count, seed)
        return dataclasses.replace(self, train_inputs=self.train_inputs[few], train_labels=self.train_labels[few])

    def to(self, device: torch.device) -> Self:
        """Return the data with every tensor on the device."""
        return moved(self, device)


Split = tuple[Tensor, Tensor]
"""Pictures ``NCHW`` and the numbers of their classes ``N``."""


def captioned(
    name: str, phrases: Mapping[str, Sequence[str]], unseen: Sequence[str], train: Split, valid: Split, seed: int
) -> Captioned:
    """Return pictures with captions.

    Args:
        name: of the data set.
        phrases: class -> what one may say of it, as much of each; the last stands for it when pictures are sorted.
        unseen: classes to hold out: their training pictures are left away, and those to judge by measure how well
            classes are told that were never trained on.
        train: pictures and classes to train on.
        valid: pictures and classes to judge by.
        seed: of the choice of the captions to judge by.
    """
    classes = tuple(phrases)
    own = [[template.format(way) for way in ways for template in TEMPLATES] for ways in phrases.values()]
    numbers = {text: number for number, text in enumerate(dict.fromkeys(text for texts in own for text in texts))}
    class_texts = torch.tensor([[numbers[text] for text in texts] for texts in own])
    hidden_K = torch.tensor([each in unseen for each in classes])
    (train_inputs, train_labels), (valid_inputs, valid_labels) = train, valid
    kept_N, shown_N = ~hidden_K[train_labels], ~hidden_K[valid_labels]
    train_inputs, train_labels = train_inputs[kept_N], train_labels[kept_N]
    mean, deviation = moments(train_inputs)
    generator = seeded(seed, 0, torch.device("cpu"), stream=42)
    data = Captioned(
        name=name,
        classes=classes,
        texts=tuple(numbers),
        class_texts=class_texts,
        prompts=class_texts[:, -len(TEMPLATES) :],
        train_inputs=train_inputs,
        train_labels=train_labels,
        valid_inputs=valid_inputs[shown_N],
        valid_texts=some_texts(class_texts, valid_labels[shown_N], generator),
        valid_labels=valid_labels[shown_N],
        unseen_inputs=valid_inputs[~shown_N],
        unseen_labels=valid_labels[~shown_N],
        mean=mean,
        deviation=deviation,
    )
    return dataclasses.replace(data, digest=digest_of(data))


def some_texts(class_texts_KQ: Tensor, labels_N: Tensor, generator: torch.Generator) -> Tensor:
    """Return for each class number one of its texts, ``N``."""
    choice_N = torch.randint(class_texts_KQ.size(1), labels_N.shape, generator=generator, device=labels_N.device)
    return class_texts_KQ[labels_N, choice_N]


class Pairs:
    """Batches of pictures, the numbers of a caption that fits each, drawn anew every time, and of their classes.

    Args:
        data: pictures and captions.
        batch_size: pairs a batch.
        seed: of order and captions.
    """

    def __init__(self, data: Captioned, batch_size: int, seed: int) -> None:
        self.data = data
        self.seed = seed
        self.shuffled = Shuffled((data.train_inputs, data.train_labels), batch_size, seed, data.prepare)

    @property
    def epoch_steps(self) -> float:
        """How many steps see every picture once."""
        return self.shuffled.epoch_steps

    def at(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return the batch of a step: ``NCHW``, ``N``, ``N``."""
        inputs_NCHW, labels_N = self.shuffled.at(step)
        generator = seeded(self.seed, step, labels_N.device, stream=43)
        return inputs_NCHW, some_texts(self.data.class_texts, labels_N, generator), labels_N


def digest_of(data: Captioned) -> str:
    """Return the SHA-256 over pictures and captions."""
    digest = hashlib.sha256("\n".join(data.texts).encode())
    for each in (data.train_inputs, data.train_labels, data.valid_inputs, data.valid_texts, data.unseen_inputs):
        digest.update(each.contiguous().numpy().tobytes())
    return digest.hexdigest()


def load_clothes(row: DataSet, seed: int) -> Captioned:
    """Return Fashion-MNIST with captions that name or describe each picture, in its published split.

    Raises:
        DataError: its files are missing or damaged, with how to get them.
    """
    pictures_NHW, labels, valid_NHW, valid_labels = (load_idx(row, file) for file in row.files)
    phrases = {each: (f"{article(each)} {each.lower()}", *ways) for each, ways in CLOTHES.items()}
    return captioned(
        row.name,
        phrases,
        CLOTHES_UNSEEN,
        (pictures_NHW[:, None], labels.long()),
        (valid_NHW[:, None], valid_labels.long()),
        seed,
    )


def article(noun: str) -> str:
    """Return ``a`` or ``an``, by the first letter."""
    return "an" if noun[0].lower() in "aeiou" else "a"

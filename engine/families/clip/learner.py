"""How CLIP learns: every other caption of a batch is a wrong one; and how captions then sort pictures.

Shape legend: N pictures of a batch and as many captions, K classes, M texts, P captions of a class, W words of a
caption, D numbers of a vector in the common space.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.core import shared_knobs
from engine.core.errors import DataError, UsageError
from engine.core.events import Baseline, Event
from engine.data.batches import in_order
from engine.data.captions import Captioned, Pairs
from engine.families.clip import seen
from engine.families.clip.model import CLIP, HIGHEST_SCALE, best_scores, contrastive_loss
from engine.families.clip.words import Words
from engine.train.learner import Batch, Batches, Learner

UNSEEN_BATCH = 1000


class CLIPLearner(Learner):
    """Brings pictures and their captions together, and the other pairs of a batch apart.

    Zero-shot classification writes the captions of every class, takes the mean of their vectors, and gives a picture to
    the nearest (section 3.1.4 of the paper): no layer was ever trained to know the classes.
    """

    batch_stats = True
    convolutional = True

    def build(self) -> dict[str, nn.Module]:
        """Return the untrained towers.

        Raises:
            DataError: the data have no captions, a caption is too long, or patches do not fit the pictures.
        """
        data, spec = self.setting.data, self.spec
        if not isinstance(data, Captioned):
            raise DataError(f"{data.name} has no captions.", "Choose shapes or fashion-captions.")
        self.data = data
        self.convolutional = spec.picture_tower == "cnn"
        colors, side, _ = data.shape
        if not self.convolutional and side % spec.patch:
            raise DataError(
                f"Pictures of {side} pixels cannot be cut into patches of {spec.patch}.",
                f"Set patch to one of {shared_knobs.fitting_patches(side)}.",
            )
        self.words = Words(data.texts, spec.context)
        try:
            self.texts_MW = self.words.encode(data.texts).to(self.setting.device)
        except UsageError as error:
            raise DataError(error.what, "Set context higher.") from None
        self.examples = seen.one_of_each(data)
        self._classes_KD: Tensor | None = None
        self._means: list[Tensor] = []
        return {"model": CLIP(spec, colors, side, len(self.words))}

    @property
    def model(self) -> CLIP:
        """Both towers."""
        model = self.modules["model"]
        assert isinstance(model, CLIP)
        return model

    def batches(self) -> Batches:
        """Return shuffled pictures, the numbers of their captions and of their classes."""
        return Pairs(self.data, self.spec.batch_size, self.setting.seed)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the contrastive loss of a pair, and the temperature."""
        inputs_NCHW, texts_N, _ = batch
        scores_NN = self.model(inputs_NCHW, self.texts_MW[texts_N])
        return {"loss": contrastive_loss(scores_NN, self.same(texts_N)), "temperature": 1 / self.model.scale}

    def same(self, texts_N: Tensor) -> Tensor:
        """Return 1 where a caption of the batch is no mistake for a picture of the batch, else 0: ``NN``."""
        alone_NN = torch.eye(len(texts_N), device=texts_N.device)
        return alone_NN if self.spec.same == "pair" else (texts_N[:, None] == texts_N).float()

    def train_step(self, batch: Batch, side: str = "") -> dict[str, Tensor]:
        """Make one update, and keep the temperature from falling too low."""
        scalars = super().train_step(batch, side)
        with torch.no_grad():
            self.model.log_scale.clamp_(max=math.log(HIGHEST_SCALE))
        return scalars

    # Validation

    def valid_batches(self) -> Iterator[Batch]:
        """Yield held-out pairs, in batches as large as those of training, then the pictures of unseen classes."""
        data = self.data
        self._classes_KD, self._means = self.class_vectors(), []
        pairs = (data.valid_inputs, data.valid_texts, data.valid_labels)
        yield from in_order(pairs, self.spec.batch_size, data.prepare)
        yield from in_order((data.unseen_inputs, data.unseen_labels), UNSEEN_BATCH, data.prepare)

    def valid_step(self, batch: Batch) -> dict[str, tuple[Tensor, int]]:
        """Return sums and counts: how many pictures go to their class, and of full batches loss and recall.

        A caption is found where the best of the batch fits the picture, and a picture likewise.
        """
        assert self._classes_KD is not None
        vectors_ND, labels_N = self.model.see(batch[0]), batch[-1]
        right = ((vectors_ND @ self._classes_KD.mT).argmax(1) == labels_N).sum()
        if len(batch) == 2:
            return {"unseen_accuracy": (right, len(labels_N))}
        found = {"zero_shot_accuracy": (right, len(labels_N))}
        if len(labels_N) < self._valid_batch:
            return found
        texts_N = batch[1]
        captions_ND = self.model.read(self.texts_MW[texts_N])
        scores_NN = self.model.scale * vectors_ND @ captions_ND.mT
        self._means.append(torch.stack([vectors_ND.mean(0), captions_ND.mean(0)]))
        N = len(labels_N)
        loss = contrastive_loss(scores_NN, self.same(texts_N))
        fits_KM = self.data.fits() > 0
        return {
            **found,
            "loss": (N * loss, N),
            "text_recall": (fits_KM[labels_N, texts_N[scores_NN.argmax(1)]].sum(), N),
            "picture_recall": (fits_KM[labels_N[scores_NN.argmax(0)], texts_N].sum(), N),
        }

    def summarize(self, means: dict[str, float]) -> dict[str, float]:
        """Add the distance between the mean picture and the mean caption (Liang et al., Mind the Gap, 2022)."""
        picture_D, caption_D = torch.stack(self._means).mean(0)
        return {**means, "gap": float((picture_D - caption_D).norm())}

    @property
    def _valid_batch(self) -> int:
        """Pairs of a batch of which the loss is measured; it depends on their number."""
        return min(self.spec.batch_size, len(self.data.valid_inputs))

    def class_vectors(self) -> Tensor:
        """Return for each class the mean direction of its captions, ``KD``."""
        K, P = self.data.prompts.shape
        vectors_KPD = self.model.read(self.texts_MW[self.data.prompts.flatten()]).view(K, P, -1)
        return F.normalize(vectors_KPD.mean(1), dim=1)

    def baselines(self) -> Iterator[Event]:
        """Yield what knowing nothing costs, what knowing the class of everything costs, and the share of guessing."""
        yield Baseline(
            metric="valid/loss", name="guessing", value=math.log(self._valid_batch), source="ln of the batch"
        )
        yield Baseline(metric="valid/loss", name="floor", value=self.floor(), source="knowing every class and caption")
        chance = 1 / len(self.data.classes)
        yield Baseline(metric="valid/zero_shot_accuracy", name="guessing", value=chance, source="one over the classes")

    def floor(self) -> float:
        """Return the loss on the held-out pairs of a model that knows all captions, and the class of every picture."""
        data, size = self.data, self._valid_batch
        fits_KM = data.fits()
        fits_KM[data.unseen_labels] = 0  # no pair has them
        pairs = zip(data.valid_labels.split(size), data.valid_texts.split(size), strict=True)
        losses = [
            contrastive_loss(best_scores(fits_KM, labels_N, texts_N), self.same(texts_N))
            for labels_N, texts_N in pairs
            if len(labels_N) == size
        ]
        return float(torch.stack(losses).mean())

    def draw(self, step: int) -> Iterator[Event]:
        """Yield how near one picture of each class is to the captions, its best caption, and a map of the space."""
        yield from seen.drawn(self)

    def flops_per_sample(self) -> float:
        """Return the floating-point operations of forward and backward on one pair."""
        return float(self.spec.flops_per_sample(math.prod(self.data.shape), len(self.words)))

    # Plays

    def held_out(self, number: int, *, unseen: bool) -> tuple[Tensor, str]:
        """Return a held-out picture ``CHW`` and its class.

        Raises:
            UsageError: there is no such picture.
        """
        data = self.data
        inputs, labels = (data.unseen_inputs, data.unseen_labels) if unseen else (data.valid_inputs, data.valid_labels)
        if number >= len(inputs):
            raise UsageError(f"There are {len(inputs):,} such pictures, counted from 0.")
        return inputs[number], data.classes[int(labels[number])]

    def match(self, picture_CHW: Tensor, captions: list[str]) -> list[tuple[str, float, float]]:
        """Return each caption with its probability among them and its cosine with the picture, the best first.

        Raises:
            UsageError: there are no two captions, or one cannot be read.
        """
        captions = captions or [self.data.texts[own] for own in self.data.prompts[:, 0].tolist()]
        if len(captions) < 2:
            raise UsageError("One caption is always the best.", "Separate several by /: a red circle / a blue square")
        cosines_M = (self.see(picture_CHW[None]) @ self.read(captions).mT)[0]
        chances_M = (self.model.scale * cosines_M).softmax(0)
        rows = zip(captions, chances_M.tolist(), cosines_M.tolist(), strict=True)
        return sorted(rows, key=lambda row: -row[1])

    def find(self, caption: str, count: int) -> tuple[Tensor, list[str]]:
        """Return the held-out pictures nearest to a caption, ``NCHW``, and what each is, with its cosine.

        Raises:
            UsageError: the caption cannot be read.
        """
        data = self.data
        inputs_NCHW = torch.cat([data.valid_inputs, data.unseen_inputs])
        labels_N = torch.cat([data.valid_labels, data.unseen_labels])
        wanted_1D = self.read([caption])
        cosines_N = torch.cat([self.see(part) @ wanted_1D[0] for part in inputs_NCHW.split(UNSEEN_BATCH)])
        best = cosines_N.topk(min(count, len(inputs_NCHW)))
        names = [data.classes[each] for each in labels_N[best.indices].tolist()]
        captions = [f"{name} {cosine:.2f}" for name, cosine in zip(names, best.values.tolist(), strict=True)]
        return inputs_NCHW[best.indices], captions

    def see(self, inputs_NCHW: Tensor) -> Tensor:
        """Return the unit vectors ``ND`` of kept pictures."""
        with self.autocast():
            return self.model.see(self.data.prepare(inputs_NCHW.to(self.setting.device)))

    def read(self, captions: list[str]) -> Tensor:
        """Return the unit vectors ``MD`` of captions."""
        with self.autocast():
            return self.model.read(self.words.encode(captions).to(self.setting.device))

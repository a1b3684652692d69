"""What the run screen sees of CLIP: cosines, best captions, and a map of the common space.

Shape legend: N pictures, K classes, M texts, D numbers of a vector.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from engine.core.events import Event, HeatMap, Points, Table
from engine.data.captions import TEMPLATES, Captioned
from engine.train.classifier import pictures

if TYPE_CHECKING:
    from engine.families.clip.learner import CLIPLearner

MAPPED = 150
"""Pictures of seen and of unseen classes on the map, each."""
GROUPS = ("pictures", "pictures of unseen classes", "captions")


def one_of_each(data: Captioned) -> tuple[Tensor, list[int]]:
    """Return a held-out picture of every class that has one, ``NCHW``, and their classes."""
    inputs = torch.cat([data.valid_inputs, data.unseen_inputs])
    labels = torch.cat([data.valid_labels, data.unseen_labels]).tolist()
    first = {label: place for place, label in reversed(list(enumerate(labels)))}
    return inputs[[first[label] for label in sorted(first)]], sorted(first)


def drawn(learner: CLIPLearner) -> Iterator[Event]:
    """Yield cosines of pictures and captions, the best phrase of each picture without a template, and the map."""
    data = learner.data
    inputs_NCHW, classes = learner.examples
    vectors_ND, classes_KD = learner.see(inputs_NCHW), learner.class_vectors()
    names = [data.classes[each] for each in classes]
    hundredths_NK = (100 * vectors_ND @ classes_KD.mT).round()
    yield HeatMap(
        name="similarity", values=hundredths_NK.tolist(), rows=names, columns=list(data.classes),
        row_title="picture of", column_title="captions of",
    )  # fmt: skip
    phrases = data.class_texts[:, :: len(TEMPLATES)].unique()
    best = (vectors_ND @ learner.model.read(learner.texts_MW[phrases]).mT).max(1)
    captions = [data.texts[each] for each in phrases[best.indices].tolist()]
    yield pictures("pictures", inputs_NCHW, captions)
    unseen = set(data.unseen_labels.tolist())
    rows = [
        [name, "never" if each in unseen else "yes", caption, f"{cosine:.2f}"]
        for name, each, caption, cosine in zip(names, classes, captions, best.values.tolist(), strict=True)
    ]
    yield Table(name="best captions", columns=["picture", "seen", "best caption", "cosine"], rows=rows)
    yield space(learner, classes_KD)


def space(learner: CLIPLearner, classes_KD: Tensor) -> Points:
    """Return pictures and captions on the plane in which they spread most (principal components)."""
    data = learner.data
    parts = [learner.see(data.valid_inputs[:MAPPED]), learner.see(data.unseen_inputs[:MAPPED]), classes_KD]
    vectors_ND = torch.cat(parts).cpu().double()
    centered_ND = vectors_ND - vectors_ND.mean(0)
    axes_D2 = torch.linalg.svd(centered_ND, full_matrices=False)[2][:2].mT
    x, y = rounded((centered_ND @ axes_D2).mT)
    group = [number for number, part in enumerate(parts) for _ in range(len(part))]
    return Points(name="space", x=x, y=y, group=group, groups=list(GROUPS))


def rounded(values_RC: Tensor) -> list[list[float]]:
    """Return rows of numbers with three digits after the point, enough to draw them."""
    return [[round(value, 3) for value in row] for row in values_RC.tolist()]

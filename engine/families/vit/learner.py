"""How a vision transformer learns: as any classifier of pictures; what is its own is what it looks at.

Shape legend: N examples, C channels of a picture, H height, W width, G patches along a side, T tokens, E channels of
the stream, L layers, A heads.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.core import shared_knobs
from engine.core.errors import DataError
from engine.core.events import Event, HeatMap, Pictures
from engine.families.vit.model import ViT
from engine.train.classifier import pictures
from engine.train.picture_classifier import PictureClassifier

LOOKED_AT = 8
"""Pictures whose attention is drawn."""
MEASURED = 64
"""Pictures over which the entropy of attention is averaged."""


class ViTLearner(PictureClassifier):
    """Trains a `ViT` to tell pictures apart."""

    channels_last = False

    def network_for(self, colors: int, side: int, classes: int) -> nn.Module:
        """Return the untrained network.

        Raises:
            DataError: the pictures cannot be cut into patches of that size.
        """
        patch = self.spec.patch
        if side % patch:
            raise DataError(
                f"Pictures of {side} by {side} pixels cannot be cut into patches of {patch} by {patch}.",
                f"Set patch to one of {shared_knobs.fitting_patches(side)}.",
            )
        return ViT(self.spec, colors, side, classes)

    @property
    def model(self) -> ViT:
        """The network."""
        found = self.modules["model"]
        assert isinstance(found, ViT)
        return found

    def draw(self, step: int) -> Iterator[Event]:
        """Yield where the model looks, how narrowly, what positions have in common, the first filters, and what every
        classifier shows.
        """
        yield from self._attention()
        if self.model.positions is not None:
            yield self._positions(self.model.positions.weight)
        colors, side = self.data.shape[0], self.spec.patch
        yield self.filters(self.model.embedding.weight.view(-1, colors, side, side))
        yield from super().draw(step)

    def _attention(self) -> Iterator[Event]:
        """Yield pictures beside what the last layer looks at in them, and the entropy of every head's attention."""
        kept_NCHW = self.data.valid_inputs[:MEASURED]
        weights_LNATT = self.model.attention(self.data.prepare(kept_NCHW)).float()
        yield self._looks(kept_NCHW[:LOOKED_AT], weights_LNATT[-1, :LOOKED_AT])
        entropy_LA = -(weights_LNATT * weights_LNATT.clamp(min=1e-12).log()).sum(-1).mean((1, 3))
        yield HeatMap(
            name="attention entropy",
            values=[[round(value, 3) for value in row] for row in entropy_LA.tolist()],
            rows=[str(layer) for layer in range(1, len(entropy_LA) + 1)],
            columns=[str(head) for head in range(1, entropy_LA.size(1) + 1)],
            row_title="layer",
            column_title="head",
        )

    def _looks(self, kept_NCHW: Tensor, weights_NATT: Tensor) -> Pictures:
        """Return each picture and, as bright as it is looked at, each of its patches: by the class token, or by all."""
        grid = self.model.grid
        looks_NTT = weights_NATT.mean(1)
        looks_NT = looks_NTT.mean(1) if self.model.class_token is None else looks_NTT[:, 0, 1:]
        looks_NT = looks_NT / looks_NT.amax(1, keepdim=True).clamp(min=1e-12)
        maps_N1HW = F.interpolate(looks_NT.view(-1, 1, grid, grid), scale_factor=self.spec.patch, mode="nearest")
        seen_NCHW = kept_NCHW.float() / self.data.peak * 255
        shown_NCHW = torch.stack([seen_NCHW, (255 * maps_N1HW).expand_as(seen_NCHW)], 1).flatten(0, 1)
        return pictures("attention", shown_NCHW.round().to(torch.uint8), ["picture", "looks at"] * len(kept_NCHW))

    def _positions(self, table_TE: Tensor) -> Pictures:
        """Return how alike the vector of each patch's position is to that of every other, as a map a patch.

        The maps lie as the patches do (Dosovitskiy et al., 2021, figure 7), a line of gray between them.
        """
        grid = self.model.grid
        table_PE = F.normalize(table_TE[-(grid**2) :].float(), dim=1)
        alike_GGGG = (table_PE @ table_PE.T).view(grid, grid, grid, grid)
        spaced = F.pad(alike_GGGG, (0, 1, 0, 1)).permute(0, 2, 1, 3).reshape(grid * (grid + 1), -1)
        return pictures("position similarity", spaced[None, None, :-1, :-1])

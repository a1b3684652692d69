"""Drawn shapes with captions: four colors by four shapes, of which four pairs are never trained on.

Every held-out pair has a color and a shape that training shows, each in three other pairs. Shape legend: N pictures, C
channels (red, green, blue), H height, W width.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.data.batches import seeded
from engine.data.captions import Captioned, captioned
from engine.data.table import DataSet

SIDE = 16
"""Pixels of a picture's height and width."""
PICTURES = 4000
"""In all: a quarter of them is of the held-out pairs."""
VALID_SHARE = 0.2
COLORS = {"red": (230, 50, 50), "green": (50, 200, 70), "blue": (70, 90, 240), "yellow": (235, 215, 50)}
SHAPES = ("circle", "square", "triangle", "cross")
SMALLEST, LARGEST = 4.0, 7.0
"""Pixels from the middle of a shape to its edge."""
LINE, WHITE = 1.2, 235.0
"""Width of the line around a shape, in pixels, and its brightness: it looks the same whatever the color within."""
GRAY = 60.0
"""The brightest ground."""
NOISE = 12.0
"""Standard deviation of a pixel's own brightness."""


def inside(x_NHW: Tensor, y_NHW: Tensor, shapes_N: Tensor) -> Tensor:
    """Return which pixels lie in the shape, ``NHW``; x and y are measured from its middle, in half sizes, y down."""
    across, down = x_NHW.abs(), y_NHW.abs()
    forms = torch.stack(
        [
            x_NHW.square() + y_NHW.square() <= 1,
            torch.maximum(across, down) <= 0.9,
            (down <= 1) & (across <= (y_NHW + 1) / 2),
            (torch.maximum(across, down) <= 1) & (torch.minimum(across, down) <= 0.34),
        ]
    )
    return forms[shapes_N, torch.arange(len(shapes_N))]


def drawn(colors_N: Tensor, shapes_N: Tensor, generator: torch.Generator) -> Tensor:
    """Return pictures as bytes ``NCHW``: one shape each, of random size, place and shade, on dim noisy ground."""
    N = len(colors_N)

    def between(low: float | Tensor, high: float | Tensor) -> Tensor:
        return low + (high - low) * torch.rand(N, 1, 1, generator=generator)

    size_N11 = between(SMALLEST, LARGEST)
    left_N11, top_N11 = (between(size_N11, SIDE - 1 - size_N11) for _ in range(2))
    pixel = torch.arange(SIDE, dtype=torch.float32)
    x_NHW = ((pixel[None, None, :] - left_N11) / size_N11).expand(N, SIDE, SIDE)
    y_NHW = ((pixel[None, :, None] - top_N11) / size_N11).expand(N, SIDE, SIDE)
    paint_NC11 = torch.tensor(list(COLORS.values()), dtype=torch.float32)[colors_N][:, :, None, None]
    paint_NC11 = paint_NC11 * between(0.75, 1.0)[:, None]
    ground_N111 = between(0.0, GRAY)[:, None]
    wider_N11 = size_N11 / (size_N11 - LINE)
    filled_N1HW = inside(wider_N11 * x_NHW, wider_N11 * y_NHW, shapes_N)[:, None]
    pictures_NCHW = torch.where(inside(x_NHW, y_NHW, shapes_N)[:, None], WHITE, ground_N111)
    pictures_NCHW = torch.where(filled_N1HW, paint_NC11, pictures_NCHW)
    noise_NCHW = NOISE * torch.randn(pictures_NCHW.shape, generator=generator)
    return (pictures_NCHW + noise_NCHW).clamp(0, 255).round().to(torch.uint8)


def load_shapes(row: DataSet, seed: int) -> Captioned:
    """Return shapes drawn by `seed`, which also says which pairs of color and shape are held out."""
    generator = seeded(seed, 0, torch.device("cpu"), stream=41)
    colors, kinds = len(COLORS), len(SHAPES)
    left_out = torch.randperm(kinds, generator=generator).tolist()
    unseen = [f"{color} {SHAPES[shape]}" for color, shape in zip(COLORS, left_out, strict=True)]
    labels_N = torch.arange(PICTURES) % (colors * kinds)
    pictures_NCHW = drawn(labels_N // kinds, labels_N % kinds, generator)
    phrases = {
        f"{color} {shape}": (f"something {color}", f"a {shape}", f"a {shape} in {color}", f"a {color} {shape}")
        for color in COLORS
        for shape in SHAPES
    }
    cut = round(PICTURES * (1 - VALID_SHARE))
    train, valid = (pictures_NCHW[:cut], labels_N[:cut]), (pictures_NCHW[cut:], labels_N[cut:])
    return captioned(row.name, phrases, unseen, train, valid, seed)

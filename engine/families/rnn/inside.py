"""What goes on inside of a recurrent network while it reads: gates, state, and the gradient on its way back.

All of it is about the last layer, on validation text that is read from a blank state.

Shape legend: B pieces of text, T time, I inputs of the layer, G mixtures of a cell, H units.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.core.events import HeatMap, Histogram, Points
from engine.data.series import Levels
from engine.families.rnn.model import RecurrentNetwork, State

PIECES = 16
"""Of text, over which is averaged."""
FURTHEST = 64
"""Characters back that the gradient is followed."""
POWERS = 6
"""Of ten below its end down to which the gradient is drawn."""
BINS = 32
UNITS_DRAWN = 16
SENTENCE = 32
"""Characters of which the state is drawn."""
ALONE = 60
"""Values that a model of a series goes on with by itself."""
COLD = 64
"""Characters after a cold start whose loss is drawn."""


def gradient_through_time(model: RecurrentNetwork, tokens_N: Tensor, context: int) -> Histogram:
    """Return how much of the gradient of one character's loss reaches the state of each step before it.

    The length of the gradient with respect to all that a step hands on (in an LSTM h and c), relative to that of the
    last step, in powers of ten above 10 to the minus `POWERS`: where a bar is gone, less than that is left.
    """
    pieces_BT = pieces(tokens_N, min(context, FURTHEST) + 1)
    x_TBI = below_last(model, pieces_BT[:, :-1])
    layer, length = model.recurrent[-1], pieces_BT.size(1) - 1
    with torch.enable_grad():
        states: list[State] = [tuple(each_BH.detach().requires_grad_() for each_BH in blank(model, len(pieces_BT)))]
        states += layer.unroll(x_TBI.detach(), states[0])
        scores_BV = model.head(states[-1][0]).float()
        loss = F.cross_entropy(scores_BV, pieces_BT[:, -1], reduction="sum")
        flat = [each_BH for state in states[1:] for each_BH in state]
        found = torch.autograd.grad(loss, flat, allow_unused=True)
    lengths_T = _lengths(found, length, len(flat) // length)
    logs_T = (lengths_T / lengths_T[-1].clamp(min=1e-30)).clamp(min=1e-30).log10()
    counts = [round(value, 3) for value in (logs_T + POWERS).clamp(min=0.0).tolist()]
    edges = [float(edge) for edge in range(-length, 1)]
    return Histogram(name="gradient through time", edges=edges, counts=counts)


def _lengths(gradients: tuple[Tensor | None, ...], steps: int, states: int) -> Tensor:
    """Return the length of the gradient of every step, ``T``, over all states, averaged over the pieces."""
    known = [each for each in gradients if each is not None]
    zero = torch.zeros_like(known[0])
    squares_TSB = torch.stack([(zero if each is None else each).float().square().sum(-1) for each in gradients])
    return squares_TSB.view(steps, states, -1).sum(1).sqrt().mean(1)


def gates(model: RecurrentNetwork, tokens_N: Tensor, context: int) -> list[Histogram]:
    """Return how often each gate of the last layer is how far open."""
    layer = model.recurrent[-1]
    x_BT = pieces(tokens_N, context)
    x_TBI = below_last(model, x_BT)
    before = blank(model, len(x_BT))
    h_TBH = torch.stack([before[0], *(h_BH for h_BH, *_ in layer.unroll(x_TBI, before))])
    opened = layer.opened(layer.input(x_TBI), layer.memory(h_TBH[:-1]))
    found = []
    for name, values_TBH in zip(layer.gates, opened, strict=True):
        low = 0.0 if name.endswith("gate") else -1.0
        counts = torch.histc(values_TBH.float(), BINS, low, 1.0).tolist()
        edges = torch.linspace(low, 1.0, BINS + 1).tolist()
        found.append(Histogram(name=name, edges=[round(edge, 4) for edge in edges], counts=counts))
    return found


def hidden_state(model: RecurrentNetwork, tokens_N: Tensor, words: Sequence[str]) -> HeatMap:
    """Return what the first units of the last layer show, character by character."""
    tokens_T = tokens_N[:SENTENCE]
    h_TBH, _ = model.features(tokens_T[None], model.blank(1))
    read = [words[token] for token in tokens_T.tolist()]
    values_HT = h_TBH[:, 0, :UNITS_DRAWN].T.float()
    return HeatMap(
        name="hidden state",
        values=[[round(value, 3) for value in row] for row in values_HT.tolist()],
        rows=[str(unit) for unit in range(1, len(values_HT) + 1)],
        columns=[word if word.isprintable() else "\N{RETURN SYMBOL}" for word in read],
        row_title="unit",
        column_title="after reading",
    )


def cold_losses(model: RecurrentNetwork, tokens_N: Tensor) -> Histogram:
    """Return the mean loss after 1, 2, 3 ... characters of a cold start, neighbors taken together: a bar from 1 to 3
    holds the losses after 1 and after 2.
    """
    pieces_BT = pieces(tokens_N, COLD + 1, 16 * PIECES)
    scores_BTV, _ = model(pieces_BT[:, :-1], model.blank(len(pieces_BT)))
    losses_BT = F.cross_entropy(scores_BTV.transpose(1, 2).float(), pieces_BT[:, 1:], reduction="none")
    positions = losses_BT.size(1)
    edges = torch.linspace(0, positions, min(BINS, positions) + 1).long().tolist()
    means = [round(float(losses_BT[:, low:high].mean()), 4) for low, high in pairwise(edges)]
    return Histogram(name="loss by position", edges=[float(1 + edge) for edge in edges], counts=means)


def prediction(model: RecurrentNetwork, tokens_N: Tensor, levels: Levels) -> Points:
    """Return a piece of a series, what was expected for each value from those before it, and what the model goes on
    with alone after the first half: there it reads its own likeliest values.
    """
    tokens_T = tokens_N[: 2 * ALONE]
    values_V = torch.tensor(levels.values, device=tokens_N.device)
    scores_BTV, _ = model(tokens_T[None, :-1], model.blank(1))
    expected_T = (scores_BTV[0].float().softmax(-1) * values_V).sum(-1)
    half = len(tokens_T) // 2
    alone = torch.cat(list(islice(model.write(tokens_T[None, :half], temperature=0.0), len(tokens_T) - half)), dim=1)
    curves = (values_V[tokens_T], expected_T, values_V[alone[0]])
    starts = (0, 1, half)
    return Points(
        name="prediction",
        x=[float(start + place) for start, curve in zip(starts, curves, strict=True) for place in range(len(curve))],
        y=[round(value, 3) for curve in curves for value in curve.tolist()],
        group=[group for group, curve in enumerate(curves) for _ in range(len(curve))],
        groups=["true", "expected", "left alone"],
    )


def pieces(tokens_N: Tensor, length: int, count: int = PIECES) -> Tensor:
    """Return pieces of the text, ``BT``, that start at equal distances; shorter ones where the text is short."""
    length = min(length, len(tokens_N))
    starts_B = torch.linspace(0, len(tokens_N) - length, count).long().to(tokens_N.device)
    return tokens_N[starts_B[:, None] + torch.arange(length, device=tokens_N.device)]


def blank(model: RecurrentNetwork, streams: int) -> State:
    """Return the last layer's state before anything was read."""
    return model.blank(streams)[-1].unbind()


def below_last(model: RecurrentNetwork, x_BT: Tensor) -> Tensor:
    """Return what the last layer reads, ``TBI``."""
    x_TBI = model.embedding(x_BT.T)
    for layer, state_SBH in zip(model.recurrent[:-1], model.blank(x_BT.size(0)), strict=False):
        x_TBI, _ = layer(x_TBI, state_SBH.unbind())
    return x_TBI

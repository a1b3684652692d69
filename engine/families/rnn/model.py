"""Recurrent networks, every cell written out: a small memory that is updated with each item that is read.

The Elman network: Elman, Finding Structure in Time, 1990. The LSTM: Hochreiter and Schmidhuber, Long Short-Term Memory,
1997, with the forget gate of Gers, Schmidhuber and Cummins, Learning to Forget: Continual Prediction with LSTM, 2000.
The GRU: Cho et al., Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine Translation,
2014, with the reset gate behind the matrix, as cuDNN and torch have it. The start: orthogonal matrices (Saxe,
McClelland and Ganguli, Exact solutions to the nonlinear dynamics of learning in deep linear neural networks, 2014) and
open forget gates (Jozefowicz, Zaremba and Sutskever, An Empirical Exploration of Recurrent Network Architectures,
2015).

Left out: peepholes, projections, reading in both directions, normalization inside of a cell.

Shape legend: B batch (streams that are read side by side), T time, I inputs of a layer, H units, G numbers that a cell
mixes (H for each of its gates), L layers, S states of a layer (h; in an LSTM h and c), V vocabulary.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.families.rnn.spec import RNNSpec
from engine.layers.sampling import pick

State = tuple[Tensor, ...]
"""What a step hands on to the next: ``(h_BH,)``, in an LSTM ``(h_BH, c_BH)``."""


class Recurrent(nn.Module, ABC):
    """One layer: what an item says plus what the memory says, combined by a cell into the next memory.

    Args:
        inputs: I, numbers an item.
        width: H, units.
        fused: whether torch's own kernel computes all steps at once; it gives the same.
    """

    gates: ClassVar[tuple[str, ...]]
    """Names of the parts of G, each H wide, in torch's order."""
    states: ClassVar[int] = 1
    """S."""
    memory_bias: ClassVar[bool] = False
    """Whether the memory's part needs a bias of its own; elsewhere it would only add to the input's."""
    torchs: ClassVar[Callable[..., Any]]
    """The function of torch that computes the same."""
    no_bias: Tensor

    def __init__(self, inputs: int, width: int, *, fused: bool = False) -> None:
        super().__init__()
        self.width = width
        self.fused = fused
        self.input = nn.Linear(inputs, len(self.gates) * width)
        self.memory = nn.Linear(width, len(self.gates) * width, bias=self.memory_bias)
        self.register_buffer("no_bias", torch.zeros(len(self.gates) * width), persistent=False)

    @abstractmethod
    def cell(self, u_BG: Tensor, v_BG: Tensor, state: State) -> State:
        """Return the next state from what the item says, what the memory says, and the state."""

    @abstractmethod
    def opened(self, u_BG: Tensor, v_BG: Tensor) -> State:
        """Return the values of the gates, each ``BH``, by the order of their names; any axes may stand before B."""

    def forward(self, x_TBI: Tensor, state: State) -> tuple[Tensor, State]:
        """Return h after every item, ``TBH``, and the state after the last."""
        if self.fused:
            return self._at_once(x_TBI, state)
        states = list(self.unroll(x_TBI, state))
        return torch.stack([h_BH for h_BH, *_ in states]), states[-1]

    def unroll(self, x_TBI: Tensor, state: State) -> Iterator[State]:
        """Yield the state after each item."""
        u_TBG = self.input(x_TBI)  # waits for no memory, and so all steps are one product
        weight_GH = self.memory.weight.to(u_TBG.dtype)  # in low precision: converted once, not once a step
        for u_BG in u_TBG:
            v_BG = F.linear(state[0].to(u_BG.dtype), weight_GH, self.memory.bias)
            state = self.cell(u_BG, v_BG, state)
            yield state

    def _at_once(self, x_TBI: Tensor, state: State) -> tuple[Tensor, State]:
        """Do what `unroll` does by torch's kernel for one layer."""
        memory_bias_G = self.memory.bias if self.memory_bias else self.no_bias
        weights = [self.input.weight, self.memory.weight, self.input.bias, memory_bias_G]
        before = tuple(each_BH[None].to(x_TBI.dtype) for each_BH in state)
        hx = before if self.states > 1 else before[0]
        h_TBH, *after = type(self).torchs(x_TBI, hx, weights, True, 1, 0.0, self.training, False, False)
        return h_TBH, tuple(each_1BH[0] for each_1BH in after)


class ElmanRNN(Recurrent):
    """The plain recurrent network: the whole memory is written anew at every step."""

    gates = ("state",)
    torchs = torch.rnn_tanh

    def cell(self, u_BG: Tensor, v_BG: Tensor, state: State) -> State:
        """Return ``h = tanh(u + v)``."""
        return self.opened(u_BG, v_BG)

    def opened(self, u_BG: Tensor, v_BG: Tensor) -> State:
        """Return the new state itself; there is no gate."""
        return ((u_BG + v_BG).tanh(),)


class LSTM(Recurrent):
    """Long short-term memory: beside h a cell c, to which gates add and from which they take, without a matrix."""

    gates = ("input gate", "forget gate", "candidate", "output gate")
    states = 2
    torchs = torch.lstm

    def cell(self, u_BG: Tensor, v_BG: Tensor, state: State) -> State:
        """Return ``c = f c + i g`` (keep some, add some) and ``h = o tanh(c)`` (show some)."""
        _, c_BH = state
        i_BH, f_BH, g_BH, o_BH = self.opened(u_BG, v_BG)
        c_BH = f_BH * c_BH + i_BH * g_BH
        return o_BH * c_BH.tanh(), c_BH

    def opened(self, u_BG: Tensor, v_BG: Tensor) -> State:
        """Return input gate, forget gate, candidate and output gate."""
        i_BH, f_BH, g_BH, o_BH = (u_BG + v_BG).chunk(4, -1)
        return i_BH.sigmoid(), f_BH.sigmoid(), g_BH.tanh(), o_BH.sigmoid()


class GRU(Recurrent):
    """Gated recurrent unit: one gate decides between keeping and replacing, another how much of the past is seen."""

    gates = ("reset gate", "update gate", "candidate")
    memory_bias = True
    torchs = torch.gru

    def cell(self, u_BG: Tensor, v_BG: Tensor, state: State) -> State:
        """Return ``h = z h + (1 - z) n``."""
        (h_BH,) = state
        _, z_BH, n_BH = self.opened(u_BG, v_BG)
        return (n_BH + z_BH * (h_BH - n_BH),)

    def opened(self, u_BG: Tensor, v_BG: Tensor) -> State:
        """Return reset gate, update gate (1 keeps the old) and candidate."""
        u_r, u_z, u_n = u_BG.chunk(3, -1)
        v_r, v_z, v_n = v_BG.chunk(3, -1)
        r_BH = (u_r + v_r).sigmoid()
        return r_BH, (u_z + v_z).sigmoid(), (u_n + r_BH * v_n).tanh()


CELLS: dict[str, type[Recurrent]] = {"rnn": ElmanRNN, "lstm": LSTM, "gru": GRU}
KEEPERS = ("forget gate", "update gate")
"""Gates that keep the memory while they are open."""


class RecurrentNetwork(nn.Module):
    """A table of tokens, recurrent layers, and a score for every token that may come next.

    Args:
        spec: the knobs.
        vocabulary: V, how many different tokens there are.
    """

    def __init__(self, spec: RNNSpec, vocabulary: int) -> None:
        super().__init__()
        self.spec = spec
        self.embedding = nn.Embedding(vocabulary, spec.embedding)
        inputs = [spec.embedding, *[spec.width] * (spec.layers - 1)]
        self.layers = nn.ModuleList(CELLS[spec.cell](each, spec.width, fused=spec.kernel == "fused") for each in inputs)
        self.dropout = nn.Dropout(spec.dropout)
        self.head = nn.Linear(spec.width, vocabulary)
        self.initialize()

    @torch.no_grad()
    def initialize(self) -> None:
        """Start with memories that turn without growing or fading, open forget gates, all tokens equally likely."""
        for layer in self.recurrent:
            for weight_HH in layer.memory.weight.chunk(len(layer.gates)):
                nn.init.orthogonal_(weight_HH)
            for linear in (layer.input, layer.memory):
                if linear.bias is not None:
                    linear.bias.zero_()
            for gate, bias_H in zip(layer.gates, layer.input.bias.chunk(len(layer.gates)), strict=True):
                if gate in KEEPERS:
                    bias_H.fill_(self.spec.forget_bias)
        self.head.weight.zero_()
        self.head.bias.zero_()

    @property
    def recurrent(self) -> list[Recurrent]:
        """The layers, the first one first."""
        return [layer for layer in self.layers if isinstance(layer, Recurrent)]

    def blank(self, streams: int) -> Tensor:
        """Return the state before anything was read, ``LSBH``: zeros."""
        states = self.recurrent[0].states
        return self.head.weight.new_zeros(self.spec.layers, states, streams, self.spec.width)

    def forward(self, x_BT: Tensor, state_LSBH: Tensor) -> tuple[Tensor, Tensor]:
        """Return the scores ``BTV`` of what follows each token, and the state ``LSBH`` after the last."""
        h_TBH, state_LSBH = self.features(x_BT, state_LSBH)
        return self.head(h_TBH.transpose(0, 1)), state_LSBH

    def features(self, x_BT: Tensor, state_LSBH: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the last layer shows after each token, ``TBH``, and the state after the last."""
        x_TBI = self.embedding(x_BT.T)
        after = []
        for layer, state_SBH in zip(self.recurrent, state_LSBH, strict=True):
            x_TBI, state = layer(x_TBI, state_SBH.unbind())
            x_TBI = self.dropout(x_TBI)
            after.append(torch.stack([each_BH.float() for each_BH in state]))
        return x_TBI, torch.stack(after)

    @torch.no_grad()
    def write(
        self,
        prompt_BT: Tensor,
        *,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> Iterator[Tensor]:
        """Yield one token ``B1`` after another, without end; all that came before is in the state, however long."""
        x_BT, state_LSBH = prompt_BT, self.blank(len(prompt_BT))
        while True:
            scores_BTV, state_LSBH = self(x_BT, state_LSBH)
            x_BT = pick(scores_BTV[:, -1], temperature=temperature, top_k=top_k, top_p=top_p, generator=generator)
            yield x_BT

    def generate(self, prompt_BT: Tensor, length: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Return the prompt and `length` tokens drawn after it."""
        return torch.cat([prompt_BT, *islice(self.write(prompt_BT, generator=generator), length)], dim=1)

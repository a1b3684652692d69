"""A recognizer of speech: an encoder over log-mel frames, and on top of it CTC or a decoder that writes.

CTC: Graves et al., Connectionist Temporal Classification, 2006 (its loss is in `ctc.py`). The encoder-decoder, its two
first convolutions and its waves of positions: Radford et al., Robust Speech Recognition via Large-Scale Weak
Supervision, 2022 ("Whisper"), after Vaswani et al., Attention Is All You Need, 2017.

Left out: a language model beside CTC, beam search; of Whisper its tasks, languages and time stamps, and all of its
680,000 hours. What lies after a recording's end is zero in every layer and seen by no attention, so that padding
changes nothing.

Shape legend: B batch, F frames, M mel bands, T frames that the encoder keeps, L written words, C channels, H heads,
K channels of a head, V words and nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.families.speech.frontend import inside
from engine.families.speech.spec import EXPANSION, KERNEL, MOST_WORDS, SpeechSpec
from engine.layers.norm import RMSNorm

END = 0
"""What the decoder is given to begin with, and what it writes when nothing more was said."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the encoder made of some recordings."""

    frames: Tensor
    """``BTC``."""
    lengths: Tensor
    """How many of the T frames are the recording's own, ``B``."""
    real: Tensor
    """Which they are, ``BT1``."""


class ConvolutionBlock(nn.Module):
    """Adds to each frame what a convolution finds in its neighborhood."""

    def __init__(self, spec: SpeechSpec) -> None:
        super().__init__()
        self.norm = RMSNorm(spec.width)
        self.convolution = nn.Conv1d(spec.width, spec.width, KERNEL, padding=KERNEL // 2)
        self.down = nn.Linear(spec.width, spec.width)
        self.dropout = nn.Dropout(spec.dropout)

    def forward(self, x_BTC: Tensor, real_BT1: Tensor) -> Tensor:
        """Return ``BTC`` from ``BTC``."""
        y_BTC = self.convolution((self.norm(x_BTC) * real_BT1).mT).mT
        return x_BTC + self.dropout(self.down(F.gelu(y_BTC))) * real_BT1


class Attention(nn.Module):
    """Each of L places asks (query) all T of a sequence (keys), and takes a weighted mean of their values."""

    def __init__(self, spec: SpeechSpec) -> None:
        super().__init__()
        self.heads = spec.heads
        self.query = nn.Linear(spec.width, spec.width)
        self.key = nn.Linear(spec.width, spec.width, bias=False)  # softmax would not see it
        self.value = nn.Linear(spec.width, spec.width)
        self.projection = nn.Linear(spec.width, spec.width)

    def forward(self, x_BLC: Tensor, asked_BTC: Tensor, visible: Tensor) -> tuple[Tensor, Tensor]:
        """Return what was found, ``BLC``, and how much each place took from each, ``BHLT``.

        Args:
            x_BLC: whoever asks.
            asked_BTC: whoever is asked.
            visible: who may be seen, a mask that fits ``BHLT``.
        """
        q_BHLK, k_BHTK, v_BHTK = (
            each.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for each in (self.query(x_BLC), self.key(asked_BTC), self.value(asked_BTC))
        )
        scores_BHLT = (q_BHLK / math.sqrt(q_BHLK.size(-1))) @ k_BHTK.mT
        weights_BHLT = scores_BHLT.masked_fill(~visible, -torch.inf).softmax(-1)
        return self.projection((weights_BHLT @ v_BHTK).transpose(1, 2).flatten(2)), weights_BHLT


class MLP(nn.Module):
    """Two matrices with a bend between them, for each place by itself."""

    def __init__(self, spec: SpeechSpec) -> None:
        super().__init__()
        self.up = nn.Linear(spec.width, EXPANSION * spec.width)
        self.down = nn.Linear(EXPANSION * spec.width, spec.width)

    def forward(self, x_BTC: Tensor) -> Tensor:
        """Return ``BTC`` from ``BTC``."""
        return self.down(F.gelu(self.up(x_BTC)))


class AttentionBlock(nn.Module):
    """Frames ask one another, then each thinks by itself."""

    def __init__(self, spec: SpeechSpec) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(spec.width)
        self.attention = Attention(spec)
        self.mlp_norm = RMSNorm(spec.width)
        self.mlp = MLP(spec)
        self.dropout = nn.Dropout(spec.dropout)

    def forward(self, x_BTC: Tensor, real_BT1: Tensor) -> Tensor:
        """Return ``BTC`` from ``BTC``."""
        y_BTC = self.attention_norm(x_BTC)
        found_BTC, _ = self.attention(y_BTC, y_BTC, real_BT1.mT[:, None])
        x_BTC = x_BTC + self.dropout(found_BTC)
        return (x_BTC + self.dropout(self.mlp(self.mlp_norm(x_BTC)))) * real_BT1


class DecoderBlock(nn.Module):
    """Written words look at those before them, then at the recording, then each thinks by itself."""

    def __init__(self, spec: SpeechSpec) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(spec.width)
        self.attention = Attention(spec)
        self.cross_norm = RMSNorm(spec.width)
        self.cross = Attention(spec)
        self.mlp_norm = RMSNorm(spec.width)
        self.mlp = MLP(spec)
        self.dropout = nn.Dropout(spec.dropout)

    def forward(self, x_BLC: Tensor, heard: Heard) -> tuple[Tensor, Tensor]:
        """Return ``BLC`` from ``BLC``, and how much each word took from each frame, ``BHLT``."""
        L = x_BLC.size(1)
        earlier_LL = torch.ones(L, L, dtype=torch.bool, device=x_BLC.device).tril()
        y_BLC = self.attention_norm(x_BLC)
        x_BLC = x_BLC + self.dropout(self.attention(y_BLC, y_BLC, earlier_LL)[0])
        found_BLC, looks_BHLT = self.cross(self.cross_norm(x_BLC), heard.frames, heard.real.mT[:, None])
        x_BLC = x_BLC + self.dropout(found_BLC)
        return x_BLC + self.dropout(self.mlp(self.mlp_norm(x_BLC))), looks_BHLT


def sinusoids(positions: int, channels: int, device: torch.device) -> Tensor:
    """Return waves from fast to slow that mark each position, ``TC``: first the sines, then the cosines."""
    half = (channels + 1) // 2
    speeds = torch.exp(-math.log(10_000) * torch.arange(half, device=device) / max(1, half - 1))
    angles = torch.arange(positions, device=device)[:, None] * speeds
    return torch.cat([angles.sin(), angles.cos()], 1)[:, :channels]


class Encoder(nn.Module):
    """Two convolutions that gather bands and thin out frames, then blocks that let frames know of one another."""

    def __init__(self, spec: SpeechSpec) -> None:
        super().__init__()
        self.placed = spec.attends
        one, two = spec.strides
        self.first = nn.Conv1d(spec.bands, spec.width, 3, stride=one, padding=1)
        self.second = nn.Conv1d(spec.width, spec.width, 3, stride=two, padding=1)
        kind = ConvolutionBlock if spec.encoder == "convolution" else AttentionBlock
        self.blocks = nn.ModuleList(kind(spec) for _ in range(spec.layers))
        self.norm = RMSNorm(spec.width)

    def forward(self, features_BFM: Tensor, lengths_B: Tensor) -> Heard:
        """Return what the frames became; `lengths_B` says how many of the F are real."""
        x_BTC, real_BT1 = features_BFM, inside(lengths_B, features_BFM.size(1))
        for convolution in (self.first, self.second):
            x_BTC = F.gelu(convolution(x_BTC.mT)).mT
            lengths_B = (lengths_B - 1) // convolution.stride[0] + 1
            real_BT1 = inside(lengths_B, x_BTC.size(1))
            x_BTC = x_BTC * real_BT1
        if self.placed:
            x_BTC = (x_BTC + sinusoids(x_BTC.size(1), x_BTC.size(2), x_BTC.device)) * real_BT1
        for block in self.blocks:
            x_BTC = block(x_BTC, real_BT1)
        return Heard(self.norm(x_BTC), lengths_B, real_BT1)


class CTCRecognizer(nn.Module):
    """Says for every frame how likely each word is, and nothing.

    Args:
        spec: the knobs.
        vocabulary: V; number 0 is nothing, CTC's blank.
    """

    def __init__(self, spec: SpeechSpec, vocabulary: int) -> None:
        super().__init__()
        self.encoder = Encoder(spec)
        self.head = nn.Linear(spec.width, vocabulary)
        initialize(self, self.head)

    def forward(self, features_BFM: Tensor, lengths_B: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logarithms of the probabilities of each frame, ``BTV``, and how many frames count, ``B``."""
        heard = self.encoder(features_BFM, lengths_B)
        return self.head(heard.frames).float().log_softmax(-1), heard.lengths


class Writer(nn.Module):
    """Writes one word after another, each time looking at the whole recording and at what it has written.

    Args:
        spec: the knobs.
        vocabulary: V; number 0 is `END`.
    """

    def __init__(self, spec: SpeechSpec, vocabulary: int) -> None:
        super().__init__()
        self.encoder = Encoder(spec)
        self.embedding = nn.Embedding(vocabulary, spec.width)
        self.positions = nn.Embedding(MOST_WORDS, spec.width)
        self.blocks = nn.ModuleList(DecoderBlock(spec) for _ in range(spec.layers))
        self.norm = RMSNorm(spec.width)
        self.head = nn.Linear(spec.width, vocabulary)
        initialize(self, self.head)

    def forward(self, features_BFM: Tensor, lengths_B: Tensor, given_BL: Tensor) -> Tensor:
        """Return the scores ``BLV`` of what follows each given word."""
        return self.decode(given_BL, self.encoder(features_BFM, lengths_B))[0]

    def decode(self, given_BL: Tensor, heard: Heard) -> tuple[Tensor, Tensor]:
        """Return the scores ``BLV`` of what follows each given word, and where the last block looked, ``BHLT``."""
        x_BLC = self.embedding(given_BL) + self.positions.weight[: given_BL.size(1)]
        *earlier, last = self.blocks
        for block in earlier:
            x_BLC, _ = block(x_BLC, heard)
        x_BLC, looks_BHLT = last(x_BLC, heard)
        return self.head(self.norm(x_BLC)).float(), looks_BHLT

    def write(self, features_BFM: Tensor, lengths_B: Tensor, longest: int) -> Tensor:
        """Return the likeliest word each time, ``BL``, of at most `longest` words; after its end a row is `END`."""
        heard = self.encoder(features_BFM, lengths_B)
        given_BL = torch.full((len(features_BFM), 1), END, device=features_BFM.device)
        ended_B = torch.zeros(len(features_BFM), dtype=torch.bool, device=features_BFM.device)
        for _ in range(longest):
            next_B = self.decode(given_BL, heard)[0][:, -1].argmax(-1)
            ended_B = ended_B | (next_B == END)
            given_BL = torch.cat([given_BL, next_B.masked_fill(ended_B, END)[:, None]], 1)
        return given_BL[:, 1:]


@torch.no_grad()
def initialize(model: nn.Module, head: nn.Linear) -> None:
    """Draw matrices that keep the size of a signal (Glorot and Bengio, 2010); each block starts as the identity, and
    every word as equally likely.
    """
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv1d):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.Embedding):
            module.weight.normal_(std=0.5)
    for module in model.modules():
        if isinstance(module, ConvolutionBlock | MLP):
            module.down.weight.zero_()
        elif isinstance(module, Attention):
            module.projection.weight.zero_()
    head.weight.zero_()

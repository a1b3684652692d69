"""The way from data to noise, which nobody has to learn: how much of each is in the mixture at every time.

A mixture at time t is ``signal * data + noise_share * noise``, with t from 0 (data) to 1 (noise), and any time can be
reached in one jump. Three schedules:

- ``linear``: the chain of 1,000 small steps of Ho, Jain and Abbeel, Denoising Diffusion Probabilistic Models, 2020,
  section 4; what is left of the data after k of them is a product (eq. 4).
- ``cosine``: after Nichol and Dhariwal, Improved Denoising Diffusion Probabilistic Models, 2021, eq. 17, without its
  offset: noise comes in more evenly.
- ``straight``: a straight line from a piece of data to its noise, as in Lipman et al., Flow Matching for Generative
  Modeling, 2023 (whose time runs the other way), and Liu, Gong and Liu, Flow Straight and Fast, 2023.

Shape legend: N examples, ... the axes of one example, K steps of the chain.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

CHAIN = 1000
"""Steps of the chain of 2020."""
BETAS = (1e-4, 0.02)
"""Variance of the noise that its first and its last step add; in between it grows evenly."""
LEAST_SIGNAL = 0.0064
"""What is left of the data at the end of ``cosine``: as much as the chain leaves. With none, nobody could divide."""


def chain() -> Tensor:
    """Return the share of the data's variance that is left after 0, 1, ... K steps of the chain, double precision."""
    betas_K = torch.linspace(*BETAS, CHAIN, dtype=torch.float64)
    return torch.cat([torch.ones(1, dtype=torch.float64), (1 - betas_K).cumprod(0)])


class Noising:
    """One schedule, on one device.

    Args:
        schedule: ``straight``, ``linear`` or ``cosine``.
        device: where the times lie.
    """

    def __init__(self, schedule: str, device: torch.device) -> None:
        self.schedule = schedule
        left_K = chain()
        self._signal_K = left_K.sqrt().float().to(device)
        self._noise_K = (1 - left_K).sqrt().float().to(device)

    def settled(self, times: Tensor) -> Tensor:
        """Return times of [0, 1] as the schedule knows them: the chain has whole steps alone, 1 at least unless 0."""
        return (times * CHAIN).ceil() / CHAIN if self.schedule == "linear" else times

    def shares(self, times: Tensor) -> tuple[Tensor, Tensor]:
        """Return how much data and how much noise is in the mixtures of those times, shaped as they are."""
        match self.schedule:
            case "straight":
                return 1 - times, times
            case "cosine":
                angle = times * math.acos(LEAST_SIGNAL)
                return angle.cos(), angle.sin()
            case _:
                step = (times * CHAIN).round().long()
                return self._signal_K[step], self._noise_K[step]

    def mix(self, data: Tensor, noise: Tensor, times_N: Tensor) -> Tensor:
        """Return data ``N...`` with noise ``N...`` mixed in, each example as far as its own time says."""
        signal_N, noise_N = self.shares(times_N)
        return spread(signal_N, data) * data + spread(noise_N, data) * noise


def spread(values: Tensor, like: Tensor) -> Tensor:
    """Return one number an example, ``N`` or a single one, with as many axes as `like`."""
    return values.view(*values.shape, *(1,) * (like.ndim - values.ndim))


def target(objective: str, data: Tensor, noise: Tensor) -> Tensor:
    """Return what the network is to say about a mixture.

    ``noise``: which noise is in it (Ho, Jain and Abbeel, 2020, eq. 14). ``data``: what it was before. ``velocity``:
    noise minus data, the direction from one to the other, which is flow matching on the straight schedule.
    """
    match objective:
        case "noise":
            return noise
        case "data":
            return data
        case _:
            return noise - data


def solved(
    objective: str, answer: Tensor, mixture: Tensor, signal: Tensor, noise_share: Tensor
) -> tuple[Tensor, Tensor]:
    """Return data and noise of a mixture, which follow from any one of the three answers.

    A mixture and an answer are two equations in data and noise. For the velocity they read, divided by the sum of both
    shares, ``mixture / sum = data + part * (noise - data)`` with ``part = noise_share / sum``: every schedule is the
    straight one, run through at another pace and on another scale.
    """
    match objective:
        case "noise":
            return (mixture - noise_share * answer) / signal, answer
        case "data":
            return answer, (mixture - signal * answer) / noise_share
        case _:
            total = signal + noise_share
            scaled, part = mixture / total, noise_share / total
            return scaled - part * answer, scaled + (1 - part) * answer

"""The way from noise to data: a trained network says at each time what data and noise are in it, a sampler steps on.

- ``ddpm``: a random step of the chain backwards, with the variance that it has where the data are known: Ho, Jain and
  Abbeel, Denoising Diffusion Probabilistic Models, 2020, eq. 6 and 7.
- ``ddim``: the same without new chance, so that a sample depends on its first noise alone, and few steps do: Song,
  Meng and Ermon, Denoising Diffusion Implicit Models, 2021, eq. 12. On the straight schedule it is Euler's rule for the
  equation dx/dt = velocity.
- ``heun``: the same equation with a second look at the end of each step, as in Karras et al., Elucidating the Design
  Space of Diffusion-Based Generative Models, 2022, algorithm 1.

Guidance: Ho and Salimans, Classifier-Free Diffusion Guidance, 2022; our weight is theirs plus one.

Shape legend: N examples, ... the axes of one example.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor

from engine.families.diffusion.noising import CHAIN, Noising

Guess = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""From mixtures ``N...`` and the one time of them all to the data and the noise that are in them."""


def guided(answer: Tensor, answer_without: Tensor, weight: float) -> Tensor:
    """Return the answer for a class, moved away from that for none: a weight of 1 changes nothing, 0 ignores the class,
    more exaggerates what is particular about it.
    """
    return answer_without + weight * (answer - answer_without)


def times_back(steps: int, noising: Noising, device: torch.device) -> Tensor:
    """Return the times of that many even steps, from 1 (noise) to 0 (data); of the chain, the nearest whole ones."""
    if noising.schedule == "linear":
        return torch.linspace(float(CHAIN), 0.0, steps + 1, device=device).round() / CHAIN
    return torch.linspace(1.0, 0.0, steps + 1, device=device)


def walk(
    guess: Guess,
    start: Tensor,
    times: Tensor,
    noising: Noising,
    sampler: str,
    generator: torch.Generator | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield, for each step from one of `times` to the next, where it leads and what data it guessed before it.

    Args:
        guess: what is in a mixture.
        start: mixtures ``N...`` at the first of the times; there it is noise.
        times: where to stop by.
        noising: the schedule.
        sampler: ``ddpm``, ``ddim`` or ``heun``; the latter two also walk from data to noise.
        generator: of the chance of ``ddpm``.
    """
    mixture, last = start, len(times) - 2
    for number, (now, then) in enumerate(pairwise(times)):
        data, noise = guess(mixture, now)
        if sampler == "heun" and number < last:
            mixture = heun_step(guess, mixture, data, noise, (now, then), noising)
        else:
            mixture = step(data, noise, (now, then), noising, generator if sampler == "ddpm" else None)
        yield mixture, data


def step(
    data: Tensor, noise: Tensor, times: tuple[Tensor, Tensor], noising: Noising, generator: torch.Generator | None
) -> Tensor:
    """Mix guessed data and guessed noise as the next time wants them; with a generator, part of the noise is new."""
    signal, share = noising.shares(times[1])
    if generator is None:
        return signal * data + share * noise
    variance = posterior_variance(noising, *times)
    fresh = torch.randn(data.shape, generator=generator, device=data.device)
    return signal * data + (share.square() - variance).clamp(min=0).sqrt() * noise + variance.sqrt() * fresh


def posterior_variance(noising: Noising, now: Tensor, then: Tensor) -> Tensor:
    """Return the variance of a mixture at the earlier time `then`, given the later one and the data.

    From `then` to `now` the signal shrinks by a factor, and noise of a variance is added; Bayes' rule gives the rest
    (Ho, Jain and Abbeel, 2020, eq. 7).
    """
    (signal, share), (signal_then, share_then) = noising.shares(now), noising.shares(then)
    added = (share.square() - (signal / signal_then * share_then).square()).clamp(min=0)
    return added * (share_then / share).square()


def heun_step(
    guess: Guess, mixture: Tensor, data: Tensor, noise: Tensor, times: tuple[Tensor, Tensor], noising: Noising
) -> Tensor:
    """Walk along the mean of the velocities at both ends of the step, on the straight schedule that lies under any."""
    (signal, share), (signal_then, share_then) = noising.shares(times[0]), noising.shares(times[1])
    total, total_then = signal + share, signal_then + share_then
    length = share_then / total_then - share / total
    straight, velocity = mixture / total, noise - data
    data_then, noise_then = guess((straight + length * velocity) * total_then, times[1])
    return (straight + length * 0.5 * (velocity + noise_then - data_then)) * total_then

"""Noise comes in as the papers say, and samplers find the way back without any network, where the answer is known."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from engine.families.diffusion.noising import BETAS, CHAIN, Noising, chain, solved, spread, target
from engine.families.diffusion.sampling import guided, heun_step, posterior_variance, step, times_back, walk
from engine.families.diffusion.spec import OBJECTIVES, SAMPLERS, SCHEDULES

CPU = torch.device("cpu")
BETA = torch.linspace(*BETAS, CHAIN, dtype=torch.float64)


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def at(number: int) -> Tensor:
    return torch.tensor(number / CHAIN)


def test_one_jump_has_the_moments_of_the_chain() -> None:
    factor, variance = 1.0, 0.0
    noising = Noising("linear", CPU)
    for number, beta in enumerate(BETA.tolist(), start=1):
        factor, variance = (1 - beta) ** 0.5 * factor, (1 - beta) * variance + beta
        if number in (1, 2, 10, 500, 1000):
            signal, share = noising.shares(at(number))
            assert float(signal) == pytest.approx(factor, rel=1e-5)
            assert float(share) ** 2 == pytest.approx(variance, rel=1e-5)


def test_mixtures_have_those_moments() -> None:
    data = torch.full((20_000, 1), 3.0)
    for schedule in SCHEDULES:
        noising = Noising(schedule, CPU)
        signal, share = noising.shares(noising.settled(torch.tensor(0.5)))
        mixtures = noising.mix(
            data, torch.randn(data.shape, generator=chance()), noising.settled(torch.full((20_000,), 0.5))
        )
        assert float(mixtures.mean()) == pytest.approx(3 * float(signal), abs=0.02)
        assert float(mixtures.std()) == pytest.approx(float(share), abs=0.02)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_goes_from_data_to_noise(schedule: str) -> None:
    noising = Noising(schedule, CPU)
    signal, share = noising.shares(noising.settled(torch.linspace(0, 1, 101)))
    assert (float(signal[0]), float(share[0])) == (1.0, 0.0)
    assert float(signal[-1]) < 0.01 and float(share[-1]) == pytest.approx(1.0, abs=1e-4)
    assert (signal.diff() < 0).all() and (share.diff() > 0).all()
    if schedule != "straight":
        torch.testing.assert_close(signal.square() + share.square(), torch.ones(101))


def test_the_chain_knows_whole_steps_alone_and_is_never_asked_for_its_start() -> None:
    noising = Noising("linear", CPU)
    times = torch.tensor([0.0, 1e-6, 0.0011, 0.5, 1.0])
    torch.testing.assert_close(noising.settled(times), torch.tensor([0.0, 0.001, 0.002, 0.5, 1.0]))
    assert chain().shape == (CHAIN + 1,)


def test_the_whole_chain_is_walked_back_step_by_step() -> None:
    noising = Noising("linear", CPU)
    assert (times_back(CHAIN, noising, CPU) * CHAIN).round().tolist() == list(range(CHAIN, -1, -1))
    assert (times_back(4, noising, CPU) * CHAIN).round().tolist() == [1000, 750, 500, 250, 0]
    assert times_back(4, Noising("straight", CPU), CPU).tolist() == [1.0, 0.75, 0.5, 0.25, 0.0]


def test_the_cosine_is_that_of_2021() -> None:
    signal, _ = Noising("cosine", CPU).shares(torch.tensor([0.25, 0.5]))
    # Nichol and Dhariwal, 2021, eq. 17: the square of the signal is the square of cos(t pi / 2).
    assert signal.tolist() == pytest.approx([math.cos(math.pi / 8), math.cos(math.pi / 4)], abs=0.003)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_data_and_noise_follow_from_any_answer(objective: str, schedule: str) -> None:
    data, noise = torch.randn(6, 1, 3, 3, generator=chance(1)), torch.randn(6, 1, 3, 3, generator=chance(2))
    noising = Noising(schedule, CPU)
    times = noising.settled(torch.linspace(0.1, 0.9, 6))
    signal, share = (spread(each, data) for each in noising.shares(times))
    found = solved(objective, target(objective, data, noise), noising.mix(data, noise, times), signal, share)
    torch.testing.assert_close(found, (data, noise), atol=1e-4, rtol=1e-4)


def test_a_random_step_back_is_that_of_2020() -> None:
    noising, alpha_bar = Noising("linear", CPU), chain()
    for number in (2, 10, 400, 1000):
        x, noise = torch.randn(5, 2, generator=chance(3)), torch.randn(5, 2, generator=chance(4))
        beta, before, now = float(BETA[number - 1]), float(alpha_bar[number - 1]), float(alpha_bar[number])
        fresh = torch.randn(5, 2, generator=chance(5))
        # Algorithm 2 of Ho, Jain and Abbeel, with the variance of their eq. 7.
        variance = (1 - before) / (1 - now) * beta
        expected = (x - beta / (1 - now) ** 0.5 * noise) / (1 - beta) ** 0.5 + variance**0.5 * fresh
        signal, share = noising.shares(at(number))
        data = (x - share * noise) / signal
        ours = step(data, noise, (at(number), at(number - 1)), noising, chance(5))
        torch.testing.assert_close(ours, expected, atol=2e-3, rtol=1e-3)


def test_its_variance_is_that_of_ddim_with_an_eta_of_one_over_any_distance() -> None:
    noising, alpha_bar = Noising("linear", CPU), chain()
    for now, then in ((1000, 900), (500, 499), (50, 10)):
        a_now, a_then = float(alpha_bar[now]), float(alpha_bar[then])
        expected = (1 - a_then) / (1 - a_now) * (1 - a_now / a_then)  # Song, Meng and Ermon, 2021, eq. 16
        assert float(posterior_variance(noising, at(now), at(then))) == pytest.approx(expected, rel=1e-3)
    assert float(posterior_variance(noising, at(1), at(0))) == 0.0, "the last step adds no noise"


def test_ddim_on_straight_ways_is_eulers_rule() -> None:
    noising = Noising("straight", CPU)
    x, velocity = torch.randn(4, 2, generator=chance()), torch.randn(4, 2, generator=chance(1))
    now, then = torch.tensor(0.7), torch.tensor(0.4)
    data, noise = solved("velocity", velocity, x, *noising.shares(now))
    torch.testing.assert_close(step(data, noise, (now, then), noising, None), x + (then - now) * velocity)


def test_heuns_rule_takes_the_mean_of_both_ends() -> None:
    noising = Noising("straight", CPU)
    now, then = torch.tensor(0.9), torch.tensor(0.5)

    def guess(mixtures: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        return solved("velocity", mixtures.sin() * time, mixtures, *noising.shares(time))

    x = torch.randn(4, 2, generator=chance())
    first = x.sin() * now
    second = (x + (then - now) * first).sin() * then
    ours = heun_step(guess, x, *guess(x, now), (now, then), noising)
    torch.testing.assert_close(ours, x + (then - now) * (first + second) / 2)


CENTERS = torch.tensor([[1.0, 1.0], [-1.0, 0.5], [0.5, -1.5]])
DEVIATION = 0.2


def exact(noising: Noising) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return what the best network there can be would say of three Gaussians, from Bayes' rule."""

    def guess(x_N2: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        signal, share = noising.shares(time)
        variance = signal.square() * DEVIATION**2 + share.square()
        off_NM2 = x_N2[:, None] - signal * CENTERS
        chance_NM1 = (-off_NM2.square().sum(-1) / (2 * variance)).softmax(1)[:, :, None]
        data_NM2 = CENTERS + signal * DEVIATION**2 / variance * off_NM2
        noise_NM2 = share / variance * off_NM2
        return (chance_NM1 * data_NM2).sum(1), (chance_NM1 * noise_NM2).sum(1)

    return guess


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_sampler_that_is_told_the_truth_recovers_the_data(sampler: str, schedule: str) -> None:
    noising, count = Noising(schedule, CPU), 2000
    steps = {"ddpm": 500, "ddim": 100, "heun": 60}[sampler]
    start = torch.randn(count, 2, generator=chance(7))
    *_, (made, _) = walk(exact(noising), start, times_back(steps, noising, CPU), noising, sampler, chance(8))
    distance, mode = torch.cdist(made, CENTERS).min(1)
    assert float((distance < 4 * DEVIATION).float().mean()) > 0.99
    for number in range(3):
        own = made[mode == number]
        assert len(own) / count == pytest.approx(1 / 3, abs=0.04)
        torch.testing.assert_close(own.mean(0), CENTERS[number], atol=0.03, rtol=0)
        assert float(own.std(0).mean()) == pytest.approx(DEVIATION, rel=0.1)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_there_and_back_along_the_equation_returns(schedule: str) -> None:
    noising = Noising(schedule, CPU)
    times = times_back(200, noising, CPU)
    data = CENTERS + DEVIATION * torch.randn(3, 2, generator=chance(9))
    *_, (noise, _) = walk(exact(noising), data, times.flip(0), noising, "heun")
    *_, (again, _) = walk(exact(noising), noise, times, noising, "heun")
    torch.testing.assert_close(again, data, atol=0.02, rtol=0)


def test_the_same_noise_gives_the_same_sample_except_where_steps_are_random() -> None:
    noising = Noising("cosine", CPU)
    start, times = torch.randn(10, 2, generator=chance()), times_back(20, noising, CPU)
    for sampler in SAMPLERS:
        *_, (one, _) = walk(exact(noising), start, times, noising, sampler, chance(1))
        *_, (other, _) = walk(exact(noising), start, times, noising, sampler, chance(2))
        assert torch.equal(one, other) == (sampler != "ddpm")


def test_a_guidance_of_one_is_the_conditional_answer_and_zero_the_other() -> None:
    told, untold = torch.randn(4, 2, generator=chance()), torch.randn(4, 2, generator=chance(1))
    torch.testing.assert_close(guided(told, untold, 1.0), told)
    torch.testing.assert_close(guided(told, untold, 0.0), untold)
    # Ho and Salimans, 2022, eq. 6, whose weight is ours less one.
    torch.testing.assert_close(guided(told, untold, 3.0), (1 + 2) * told - 2 * untold)

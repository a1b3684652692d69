"""Laws that say the loss of a model of N parameters after D characters, and how they are fitted to runs. numpy, scipy.

Two forms. Hoffmann et al. 2022, Training Compute-Optimal Large Language Models, equation 2 ("Chinchilla"), has a floor:

    L(N, D) = E + A / N^alpha + B / D^beta

Kaplan et al. 2020, Scaling Laws for Neural Language Models, equation 1.5, has none:

    L(N, D) = ((N_c / N)^(alpha_N / alpha_D) + D_c / D)^alpha_D

Both are fitted as in Hoffmann et al., approach 3: a Huber loss on the difference of logarithms, by L-BFGS from many
starts. N and D are measured in units of their geometric mean over the runs, so that every constant is of the order of
one; starts and bounds are then good for any scale. Legend: R runs, P constants of a form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Slopes = tuple[Floats, Floats]
"""The logarithm of the loss, ``R``, and its derivatives by the constants, ``RP``."""

HUBER = 1e-3
"""Where the Huber loss turns from square to straight, in the logarithm of the loss; that of Hoffmann et al."""
SMOOTH = 0.05
"""The same for the first descent from every start."""
FEWEST = 6
"""Runs; five constants pass through any five."""


@dataclass(frozen=True, slots=True)
class Runs:
    """What was measured: parameters, characters read, loss (nats per character) of each run; ``R``."""

    sizes: Floats
    tokens: Floats
    losses: Floats

    def take(self, places: NDArray[np.int64]) -> Runs:
        """Return the runs at those places."""
        return Runs(self.sizes[places], self.tokens[places], self.losses[places])

    def __len__(self) -> int:
        return len(self.losses)


def runs_of(rows: Sequence[tuple[float, float, float]]) -> Runs:
    """Return runs from ``(parameters, characters, loss)`` of each."""
    sizes, tokens, losses = np.array(rows, dtype=np.float64).reshape(-1, 3).T
    return Runs(sizes, tokens, losses)


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write a law."""

    name: str
    log_loss: Callable[[Floats, Floats, Floats], Slopes]
    """(constants, ln n, ln d), where n and d are in units of their mean."""
    starts: tuple[tuple[float, ...], ...]
    """Values to start each constant from; every combination is tried."""
    bounds: tuple[tuple[float, float], ...]


def chinchilla(theta_P: Floats, log_n: Floats, log_d: Floats) -> Slopes:
    """Return ln L and its slopes; the constants are ln E, ln A, ln B, alpha, beta."""
    e, a, b, alpha, beta = theta_P
    parts_3R = np.stack([np.full_like(log_n, e), a - alpha * log_n, b - beta * log_d])
    log_loss, share_3R = log_sum(parts_3R)
    floor, size, data = share_3R
    return log_loss, np.stack([floor, size, data, -log_n * size, -log_d * data], 1)


def kaplan(theta_P: Floats, log_n: Floats, log_d: Floats) -> Slopes:
    """Return ln L and its slopes; the constants are ln N_c, ln D_c, alpha_N, alpha_D."""
    n_c, d_c, alpha_n, alpha_d = theta_P
    ratio = alpha_n / alpha_d
    log_total, (size, data) = log_sum(np.stack([ratio * (n_c - log_n), d_c - log_d]))
    slopes = [
        alpha_d * size * ratio,
        alpha_d * data,
        size * (n_c - log_n),
        log_total - size * ratio * (n_c - log_n),
    ]
    return alpha_d * log_total, np.stack(slopes, 1)


def log_sum(parts_KR: Floats) -> tuple[Floats, Floats]:
    """Return the logarithm of the sum of exponentials over the first axis, and each one's share of the sum."""
    highest = parts_KR.max(0)
    shares = np.exp(parts_KR - highest)
    total = shares.sum(0)
    return highest + np.log(total), shares / total


CHINCHILLA = Form(
    "Chinchilla",
    chinchilla,
    ((-0.5, 0.4), (-1.5,), (-1.5,), (0.2, 0.5, 1.0), (0.2, 0.5, 1.0)),
    ((-6.0, 4.0), (-12.0, 4.0), (-12.0, 4.0), (0.02, 3.0), (0.02, 3.0)),
)
KAPLAN = Form(
    "Kaplan",
    kaplan,
    ((0.0, 4.0), (0.0, 4.0), (0.08, 0.3), (0.08, 0.3)),
    ((-60.0, 60.0), (-60.0, 60.0), (0.005, 3.0), (0.005, 3.0)),
)


@dataclass(frozen=True, slots=True)
class Law:
    """A form with its constants: says the loss of any model after any text."""

    form: Form
    theta: Floats
    """As `form` numbers them, in units of the means."""
    mean_n: float
    mean_d: float
    """Logarithms of the geometric means."""
    error: float
    """What was minimized: the sum of Huber losses."""

    def loss(self, parameters: float | Floats, characters: float | Floats) -> Floats:
        """Return the loss that the law expects, in nats per character."""
        log_n = np.atleast_1d(np.log(parameters)) - self.mean_n
        log_d = np.atleast_1d(np.log(characters)) - self.mean_d
        return np.exp(self.form.log_loss(self.theta, *np.broadcast_arrays(log_n, log_d))[0])

    @property
    def constants(self) -> dict[str, float]:
        """The constants by the names that the papers give them, in units of one parameter and one character."""
        if self.form is KAPLAN:
            n_c, d_c, alpha_n, alpha_d = self.theta.tolist()
            return {"alpha_N": alpha_n, "alpha_D": alpha_d, "ln N_c": n_c + self.mean_n, "ln D_c": d_c + self.mean_d}
        e, a, b, alpha, beta = self.theta.tolist()
        return {
            "E": float(np.exp(e)),
            "A": float(np.exp(a + alpha * self.mean_n)),
            "B": float(np.exp(b + beta * self.mean_d)),
            "alpha": alpha,
            "beta": beta,
        }


def fit_law(
    runs: Runs, form: Form = CHINCHILLA, starts: Sequence[Floats] = (), steps: tuple[int, int] = (60, 400)
) -> Law:
    """Return the law of a form that is nearest to the runs.

    Args:
        runs: what was measured, at least `FEWEST`.
        form: `CHINCHILLA` or `KAPLAN`.
        starts: constants to start from; without any, every combination of the form's own.
        steps: of L-BFGS, at most: from every start, and from the three that came lowest.

    Raises:
        ValueError: there are too few runs, or one has no finite positive loss.
    """
    if len(runs) < FEWEST:
        raise ValueError(f"{len(runs)} runs are too few for a law; it takes {FEWEST}")
    if not (np.isfinite(runs.losses).all() and (runs.losses > 0).all()):
        raise ValueError("a loss is not a finite positive number")
    log_n, log_d, log_loss = np.log(runs.sizes), np.log(runs.tokens), np.log(runs.losses)
    mean_n, mean_d = float(log_n.mean()), float(log_d.mean())

    def missed(theta_P: Floats) -> Slopes:
        expected, slopes_RP = form.log_loss(theta_P, log_n - mean_n, log_d - mean_d)
        return expected - log_loss, slopes_RP

    all_ = list(starts) or [np.array(each) for each in product(*form.starts)]
    rough = sorted((descend(missed, each, form, SMOOTH, steps[0]) for each in all_), key=lambda each: each[0])
    error, theta = min(
        (descend(missed, each, form, HUBER, steps[1]) for _, each in rough[:3]), key=lambda each: each[0]
    )
    return Law(form, theta, mean_n, mean_d, error)


def descend(
    missed: Callable[[Floats], Slopes], start: Floats, form: Form, width: float, steps: int
) -> tuple[float, Floats]:
    """Return the lowest sum of Huber losses of that width that L-BFGS finds from a start, and where.

    A wide one is smooth and leads near the place in few steps; a narrow one is not disturbed by runs that went wrong.
    """
    from scipy.optimize import minimize

    def error(theta_P: Floats) -> tuple[float, Floats]:
        off, slopes_RP = missed(theta_P)
        inside = np.clip(off, -width, width)
        return float((inside * (off - inside / 2)).sum() / width), inside @ slopes_RP / width

    found = minimize(error, start, jac=True, method="L-BFGS-B", bounds=form.bounds, options={"maxiter": steps})
    return float(found.fun) * width, found.x


def resampled(runs: Runs, law: Law, draws: int, seed: int) -> Iterator[Law]:
    """Yield the laws of `draws` bootstrap samples of the runs, each fitted from the law of all.

    Source: Efron 1979, Bootstrap Methods: Another Look at the Jackknife; used so by Besiroglu et al. 2024, Chinchilla
    Scaling: A Replication Attempt.
    """
    draw = np.random.default_rng(seed)
    for _ in range(draws):
        yield fit_law(runs.take(draw.integers(0, len(runs), len(runs))), law.form, [law.theta], (40, 60))


def interval(values: Sequence[float] | Floats) -> tuple[float, float]:
    """Return where the middle 95 % of bootstrapped values lie."""
    low, high = np.quantile(np.asarray(values, dtype=np.float64), (0.025, 0.975))
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class Valley:
    """The parabola through the losses of one budget over ln N (Hoffmann et al., approach 2)."""

    curve: tuple[float, float, float]
    best_size: float
    best_loss: float
    inside: bool
    """Whether it opens upwards and its lowest place lies between the smallest and the largest model."""

    def loss(self, parameters: Floats) -> Floats:
        """Return the height of the parabola."""
        return np.asarray(np.polyval(self.curve, np.log(parameters)), dtype=np.float64)


def valley(sizes: Floats, losses: Floats) -> Valley:
    """Fit a parabola to the runs of one budget.

    Raises:
        ValueError: there are fewer than three.
    """
    if len(sizes) < 3:
        raise ValueError("a parabola takes three sizes")
    log_n = np.log(sizes)
    square, linear, constant = (float(each) for each in np.polyfit(log_n, losses, 2))
    lowest = -linear / (2 * square) if square > 0 else float(log_n[np.argmin(losses)])
    inside = bool(square > 0 and log_n.min() < lowest < log_n.max())
    height = float(np.polyval((square, linear, constant), lowest))
    return Valley((square, linear, constant), float(np.exp(lowest)), height, inside)


def slope(x: Floats, y: Floats) -> float:
    """Return the exponent of y as a power of x: the slope of the straight line through both logarithms."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])

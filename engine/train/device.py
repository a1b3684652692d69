"""Where and how a run computes: device, threads and precision, as asked or as this machine does it fastest."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from engine.core.errors import RunError
from engine.core.recipe import Asked, Resolved
from engine.train.probe import Way, fastest

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
SHORT = {"float32": "fp32", "bfloat16": "bf16"}


@dataclass(frozen=True, slots=True)
class Place:
    """Device, threads and precision of one run."""

    device: torch.device
    threads: int
    precision: str
    capture: bool = False
    """Whether a step may be a captured CUDA graph."""

    @property
    def dtype(self) -> torch.dtype:
        """The type in which matrix products are computed."""
        return PRECISIONS[self.precision]

    def describe(self) -> str:
        """Say it in words: ``cpu, 2 threads, bf16``; ``NVIDIA H200, bf16, captured``."""
        if self.device.type == "cuda":
            how = f"{SHORT[self.precision]}, captured" if self.capture else SHORT[self.precision]
            return f"{torch.cuda.get_device_name(self.device)}, {how}"
        if self.device.type == "mps":
            return f"Apple GPU, {SHORT[self.precision]}"
        return f"cpu, {self.threads} thread{'s' if self.threads > 1 else ''}, {SHORT[self.precision]}"

    def settle(self) -> None:
        """Make this process compute so."""
        torch.set_num_threads(self.threads)
        if self.device.type == "cuda":
            torch.cuda.set_device(self.device)
            torch.backends.cuda.matmul.allow_tf32 = True
            torch.backends.cudnn.allow_tf32 = True


def choose_device(name: str) -> torch.device:
    """Return the device of that name; ``auto`` is CUDA, then Apple's GPU, then the CPU.

    Raises:
        RunError: there is no such device, with what to do.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise RunError(f"'{name}' is no device.", "Use auto, cpu, cuda, cuda:1 or mps.") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise RunError(
            f"torch finds {torch.cuda.device_count()} CUDA GPUs here, not {name}.",
            "Use --device cpu, or see `lexigrad doctor`.",
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise RunError("torch finds no Apple GPU here.", "Use --device cpu.")
    if device.type not in ("cpu", "cuda", "mps"):
        raise RunError(f"'{name}' is no device that Lexigrad trains on.", "Use auto, cpu, cuda or mps.")
    return torch.device("cuda", device.index or 0) if device.type == "cuda" else device


def settle_place(
    asked: Asked, resolved: Resolved | None, flops_per_step: float, *, convolutional: bool = False
) -> Place:
    """Return the place of a run: what an earlier start resolved to, or what was asked, the rest by the probe.

    Args:
        asked: what the person wanted.
        resolved: what the run computed with before, for a resume; kept on the same kind of device.
        flops_per_step: floating-point operations of one step, from which the probe tells small steps from large ones.
        convolutional: whether the step is mostly convolutions.

    Raises:
        RunError: the device that was asked for is not there, or cannot compute in the precision.
    """
    device = choose_device(asked.device)
    if resolved is not None and torch.device(resolved.device).type == device.type:
        return Place(device, resolved.threads, resolved.precision, resolved.capture)
    way = fastest(flops_per_step, convolutional=convolutional) if device.type == "cpu" else _of_gpu(device)
    threads = asked.threads or way.threads
    precision = way.precision if asked.precision == "auto" else asked.precision
    if precision not in PRECISIONS:
        raise RunError(f"'{precision}' is no precision.", "Use auto, float32 or bfloat16.")
    return Place(device, threads, precision, capture=device.type == "cuda")


def _of_gpu(device: torch.device) -> Way:
    """Return one thread, and bfloat16 where the GPU multiplies in it at full speed."""
    fast = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
    return Way(1, "bfloat16" if fast else "float32")

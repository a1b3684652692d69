"""The machine while the run lasts: how busy, how full, how fast."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING

from tui.render.axis import short
from tui.render.ink import Line, centered
from tui.render.meters import Meter, draw_meters
from tui.widgets.panel import PanelWidget

if TYPE_CHECKING:
    from engine.core.samples import GpuSample, Sample
    from engine.core.view import RunView

GIB = 1024**3
_NEARLY_FULL = 0.9
_SPEEDS = {
    "tokens_per_second": ("speed", "tokens/s"),
    "samples_per_second": ("speed", "examples/s"),
    "ms_per_step": ("step", "ms"),
}
"""Metrics that say how fast the run is, with the name and unit that they are shown under."""


class HardwarePanel(PanelWidget):
    """Meters of the latest sample, and the run's own pace."""

    def key(self, view: RunView, others: tuple[RunView, ...]) -> Hashable:
        """Return the time of the latest sample and how many paces were reported."""
        sample = view.hardware.latest
        return (
            view.id,
            sample.at if sample else None,
            [len(view.series[name]) for name in _SPEEDS if name in view.series],
        )

    def draw(self, width: int, height: int) -> list[Line]:
        """Draw the meters, GPUs first."""
        meters = list(self._meters())
        return draw_meters(meters, width, height, mode=self.mode) if meters else centered(self.waiting(), width, height)

    def waiting(self) -> str:
        """Say what will appear."""
        return "How busy the processor and the memory are appears here while the run lasts."

    def _meters(self) -> Iterator[Meter]:
        if self.view is None:
            return
        sample = self.view.hardware.latest
        if sample is not None:
            for number, gpu in enumerate(sample.gpus):
                yield from _gpu(gpu, "" if len(sample.gpus) == 1 else f" {number}")
            yield from _host(sample)
        for name, (title, unit) in _SPEEDS.items():
            if name == "samples_per_second" and "tokens_per_second" in self.view.series:
                continue
            if name in self.view.series and len(self.view.series[name]):
                yield Meter(title, f"{_pace(self.view.series[name].last)} {unit}")
        if sample is not None and sample.trouble:
            yield Meter("trouble", sample.trouble)


def _pace(value: float) -> str:
    """Return a pace as it is read at a glance: ``0.39``, ``8,931``, ``171k``."""
    return f"{value:,.0f}" if 100 <= value < 10_000 else short(value)


def _gpu(gpu: GpuSample, number: str) -> Iterator[Meter]:
    if gpu.utilization is not None:
        yield Meter(f"GPU{number}", f"{gpu.utilization:.0f} %", gpu.utilization / 100)
    if gpu.memory_used is not None and gpu.memory_total:
        yield _memory(f"VRAM{number}", gpu.memory_used, gpu.memory_total)
    power = f"{gpu.power:.0f} W" if gpu.power is not None else ""
    heat = f"{gpu.temperature:.0f} °C" if gpu.temperature is not None else ""
    if power or heat:
        yield Meter("", " · ".join(each for each in (power, heat) if each))


def _host(sample: Sample) -> Iterator[Meter]:
    yield Meter("CPU", f"{sample.cpu:.0f} %", sample.cpu / 100)
    if sample.memory_total:
        yield _memory("RAM", sample.memory_used, sample.memory_total)
    if sample.process_memory:
        yield Meter("this run", f"{sample.process_memory / GIB:.1f} GiB · {sample.process_cpu / 100:.1f} cores")


def _memory(name: str, used: float, total: float) -> Meter:
    share = used / total
    role = "warning" if share > _NEARLY_FULL else "series-1"
    return Meter(name, f"{used / GIB:.{0 if total > 20 * GIB else 1}f} of {total / GIB:.0f} GiB", share, role)

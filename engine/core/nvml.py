"""The GPUs as NVIDIA's library sees them. It has crashed processes that lost a GPU, so only children may load it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.core.samples import GpuSample


class Gpus:
    """Every GPU of the machine; none where there is no driver. A GPU that fails is left out and named in `trouble`."""

    def __init__(self) -> None:
        self.trouble = ""
        self._library: Any = None
        try:
            import pynvml

            pynvml.nvmlInit()
            self._library = pynvml
        except Exception as error:  # the library raises what it likes, and none of it is worth a run
            self.trouble = "" if "NVMLError_LibraryNotFound" in type(error).__name__ else str(error)

    def samples(self) -> list[GpuSample]:
        """Return one sample a GPU, in the driver's order."""
        if self._library is None:
            return []
        lost = []
        found = []
        for index in range(self._count()):
            try:
                found.append(self._sample(index))
            except self._library.NVMLError as error:
                lost.append(f"GPU {index}: {error}")
        self.trouble = "; ".join(lost)
        return found

    def _count(self) -> int:
        try:
            return int(self._library.nvmlDeviceGetCount())
        except self._library.NVMLError:
            return 0

    def _sample(self, index: int) -> GpuSample:
        library = self._library
        gpu = library.nvmlDeviceGetHandleByIndex(index)
        name = library.nvmlDeviceGetName(gpu)
        memory = self._try(lambda: library.nvmlDeviceGetMemoryInfo(gpu))
        return GpuSample(
            name=name.decode() if isinstance(name, bytes) else str(name),
            utilization=self._try(lambda: float(library.nvmlDeviceGetUtilizationRates(gpu).gpu)),
            memory_used=float(memory.used) if memory else None,
            memory_total=float(memory.total) if memory else None,
            power=self._try(lambda: library.nvmlDeviceGetPowerUsage(gpu) / 1000.0),
            temperature=self._try(lambda: float(library.nvmlDeviceGetTemperature(gpu, library.NVML_TEMPERATURE_GPU))),
        )

    def _try(self, read: Callable[[], Any]) -> Any:
        """Return what the driver says; None where this GPU does not support the question."""
        try:
            return read()
        except self._library.NVMLError_NotSupported:
            return None

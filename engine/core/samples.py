"""What one look at the machine says: a line of ``hardware.jsonl`` while a run lasts."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

LOG = "hardware.jsonl"


class GpuSample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One GPU; None where the driver does not say."""

    name: str = ""
    utilization: float | None = None
    """Percent of the time in which a kernel ran."""
    memory_used: float | None = None
    """Bytes, of all processes."""
    memory_total: float | None = None
    power: float | None = None
    """Watts."""
    temperature: float | None = None
    """Degrees Celsius."""


class Sample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The machine and the run's processes at one moment."""

    at: float
    """Seconds since 1970."""
    cpu: float = 0.0
    """Percent of all cores, every process counted."""
    load: float = 0.0
    """Processes that ran or waited to run, mean of a minute."""
    memory_used: float = 0.0
    """Bytes."""
    memory_total: float = 0.0
    process_cpu: float = 0.0
    """Percent of one core, the trainer and its children."""
    process_memory: float = 0.0
    """Bytes resident, the trainer and its children."""
    disk_read: float = 0.0
    """Bytes a second, the trainer and its children."""
    disk_written: float = 0.0
    gpus: list[GpuSample] = []
    trouble: str = ""
    """What could not be read, such as a GPU that was lost."""

    def figures(self) -> Iterator[tuple[str, float]]:
        """Yield each number with the name of its series: ``cpu``, ``process_memory``, ``gpu0/power`` ..."""
        for name in ("cpu", "load", "memory_used", "process_cpu", "process_memory", "disk_read", "disk_written"):
            yield name, getattr(self, name)
        for index, gpu in enumerate(self.gpus):
            for name in ("utilization", "memory_used", "power", "temperature"):
                value = getattr(gpu, name)
                if value is not None:
                    yield f"gpu{index}/{name}", value


encode_sample = msgspec.json.Encoder().encode
decode_sample = msgspec.json.Decoder(Sample).decode

"""The machine in figures: what the sampler writes, and GPUs that fail without taking anything along."""

from __future__ import annotations

import sys
import types

import pytest
from stub_runs import STUB, recipe, until

from engine.core.follow import Follower
from engine.core.hardware import Machine, describe, probe
from engine.core.launcher import Launcher
from engine.core.nvml import Gpus
from engine.core.samples import GpuSample, Sample


def fake_nvml(gpus: list[dict | None]) -> types.ModuleType:
    """Return a stand-in for the driver's library; None is a GPU that was lost."""
    fake = types.ModuleType("pynvml")

    class NVMLError(Exception):
        pass

    class NotSupportedError(NVMLError):
        pass

    def handle(index):
        if gpus[index] is None:
            raise NVMLError("GPU is lost")
        return gpus[index]

    def power(gpu):
        if "power" not in gpu:
            raise NotSupportedError("Not Supported")
        return gpu["power"]

    fake.NVMLError, fake.NVMLError_NotSupported, fake.NVML_TEMPERATURE_GPU = NVMLError, NotSupportedError, 0
    fake.nvmlInit = lambda: None
    fake.nvmlDeviceGetCount = lambda: len(gpus)
    fake.nvmlDeviceGetHandleByIndex = handle
    fake.nvmlDeviceGetName = lambda gpu: gpu["name"]
    fake.nvmlDeviceGetMemoryInfo = lambda gpu: types.SimpleNamespace(used=18e9, total=139e9)
    fake.nvmlDeviceGetUtilizationRates = lambda gpu: types.SimpleNamespace(gpu=92)
    fake.nvmlDeviceGetPowerUsage = power
    fake.nvmlDeviceGetTemperature = lambda gpu, sensor: 61
    return fake


def test_a_run_is_sampled_while_it_lasts_and_no_longer(store, launcher):
    sampled = Launcher(store, trainer=[sys.executable, "-P", str(STUB)])
    run = sampled.start(recipe(steps=100_000, step_seconds=0.005))
    follower = Follower(run)
    until(lambda: follower.poll() and follower.view.hardware.latest, 20.0)
    latest = follower.view.hardware.latest
    assert latest.memory_total > latest.memory_used > 0
    assert 5e6 < latest.process_memory < latest.memory_total
    assert follower.view.hardware.series["process_cpu"].last >= 0.0
    sampled.kill(run)
    until(lambda: run.state() == "stopped")
    assert run.exit().stragglers == 0, "the sampler is not one"


def test_a_lost_gpu_is_named_and_the_others_are_read(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", fake_nvml([{"name": b"H200", "power": 612_000}, None, {"name": "A2"}]))
    gpus = Gpus()
    first, other = gpus.samples()
    expected = GpuSample(
        name="H200", utilization=92.0, memory_used=18e9, memory_total=139e9, power=612.0, temperature=61.0
    )
    assert first == expected
    assert other.name == "A2" and other.power is None
    assert gpus.trouble == "GPU 1: GPU is lost"
    assert dict(Sample(at=0.0, gpus=[first, other]).figures())["gpu0/power"] == 612.0
    assert "gpu1/power" not in dict(Sample(at=0.0, gpus=[first, other]).figures())


def test_no_driver_means_no_gpus_and_no_error(monkeypatch):
    broken = types.ModuleType("pynvml")
    broken.nvmlInit = lambda: (_ for _ in ()).throw(RuntimeError("driver and library do not fit"))
    monkeypatch.setitem(sys.modules, "pynvml", broken)
    gpus = Gpus()
    assert gpus.samples() == [] and gpus.trouble == "driver and library do not fit"


def test_this_machine_can_be_described():
    machine = probe()
    assert machine.cores >= 1 and machine.processor and machine.memory_total > machine.memory_free > 0
    assert describe()


@pytest.mark.parametrize(
    ("gpus", "words"),
    [
        ([], "2 cores · 20 of 25 GB free"),
        ([GpuSample(name="NVIDIA H200", memory_used=18e9, memory_total=139e9)], "H200 · 121 of 139 GB free"),
        ([GpuSample(name="NVIDIA GeForce RTX 4090")] * 2, "2 x RTX 4090"),
    ],
)
def test_the_machine_in_a_few_words(gpus, words):
    machine = Machine(processor="x", cores=2, memory_total=25e9, memory_free=20e9, gpus=gpus)
    assert describe(machine) == words

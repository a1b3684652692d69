"""The probe: measured once, kept, measured again where the first time was no fair one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.core.errors import RunError
from engine.core.recipe import Asked, Resolved
from engine.train import probe
from engine.train.device import choose_device, settle_place
from engine.train.probe import KINDS, LARGE_STEP, Way, fastest


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds of step that were measured, each found to run best in a way of its own."""
    seen: list[str] = []

    def measure(kind: str) -> Way:
        seen.append(kind)
        return Way(1 + KINDS.index(kind), "bfloat16" if kind == "convolution" else "float32")

    monkeypatch.setattr(probe, "measure", measure)
    return seen


def loaded(monkeypatch: pytest.MonkeyPatch, per_core: float) -> None:
    monkeypatch.setattr(probe.os, "getloadavg", lambda: (per_core * probe.cores(), 0.0, 0.0))


def test_each_kind_of_step_has_its_way_and_one_measurement_serves_all(
    measured: list[str], monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    loaded(monkeypatch, 0.0)
    assert fastest(LARGE_STEP - 1, convolutional=False) == Way(1, "float32")
    assert fastest(LARGE_STEP, convolutional=False) == Way(2, "float32")
    assert fastest(1, convolutional=True) == Way(3, "bfloat16")
    assert measured == list(KINDS)
    assert len(list((home / "cache").glob("probe-*.json"))) == 1


def test_a_damaged_answer_is_measured_again(measured: list[str], monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    loaded(monkeypatch, 0.0)
    fastest(1, convolutional=False)
    next((home / "cache").glob("probe-*.json")).write_text("{")
    fastest(1, convolutional=False)
    assert measured == [*KINDS, *KINDS]


def test_what_was_measured_on_a_busy_machine_holds_until_it_is_idle(
    measured: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded(monkeypatch, 2.0)
    fastest(1, convolutional=False)
    fastest(1, convolutional=False)
    assert measured == list(KINDS)
    loaded(monkeypatch, 0.1)
    fastest(1, convolutional=False)
    loaded(monkeypatch, 2.0)
    fastest(1, convolutional=False)
    assert measured == [*KINDS, *KINDS]


@pytest.mark.parametrize("kind", KINDS)
def test_measuring_leaves_threads_and_chance_as_they_were(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "SECONDS", 0.0)
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    way = probe.measure(kind)
    assert way.precision in ("float32", "bfloat16") and way.threads >= 1
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_what_was_asked_wins_over_the_probe(measured: list[str]) -> None:
    asked = Asked(device="cpu", threads=5, precision="bfloat16")
    place = settle_place(asked, None, 1.0)
    assert (place.threads, place.precision, place.capture) == (5, "bfloat16", False)
    assert place.describe() == "cpu, 5 threads, bf16"


def test_a_resume_repeats_what_the_run_began_with(measured: list[str]) -> None:
    before = Resolved(device="cpu", threads=7, precision="bfloat16")
    place = settle_place(Asked(device="cpu"), before, 1.0)
    assert (place.threads, place.precision) == (7, "bfloat16")
    assert measured == []


@pytest.mark.parametrize("name", ["toaster", "meta", "cuda:99"])
def test_a_device_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(RunError) as raised:
        choose_device(name)
    assert name in raised.value.what and raised.value.remedy

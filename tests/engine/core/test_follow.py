"""Following a log: appended bytes only, damage stays local, a resume takes back what it trains again."""

from __future__ import annotations

import time

import numpy as np
import pytest
from stub_runs import recipe

from engine.core.errors import RunError
from engine.core.events import (
    Answer,
    Baseline,
    Failed,
    HeatMap,
    KnobChanged,
    Note,
    Phase,
    Saved,
    Scalars,
    Started,
    Text,
    encode,
)  # fmt: skip
from engine.core.follow import Follower
from engine.core.samples import Sample, encode_sample
from engine.core.store import Run


@pytest.fixture
def run(store) -> Run:
    return store.create(recipe())


def write(run: Run, *events, mode: str = "ab") -> None:
    with (run.folder / "events.jsonl").open(mode) as file:
        for event in events:
            file.write(event if isinstance(event, bytes) else encode(event))


def scalars(first: int, last: int, names=("train/loss",)):
    return [Scalars(s=step, t=step * 0.1, n=step * 8, v=dict.fromkeys(names, step / 2)) for step in range(first, last)]


def test_events_become_what_a_screen_shows(run):
    write(
        run, Started(total_steps=100, device="cpu"), Phase(name="training"),
        Baseline(metric="valid/loss", name="unigram", value=3.0), *scalars(1, 11),
        Text(s=5, name="generated text", text="a"), Text(s=9, name="generated text", text="b"),
        KnobChanged(s=6, name="learning_rate", before=0.1, after=0.2),
        Note(s=7, text="careful"), Answer(s=7, command="pause"), Saved(s=10, path="checkpoints/10"),
    )  # fmt: skip
    view = Follower(run).catch_up()
    assert (view.step, view.total_steps, view.phase, view.elapsed) == (10, 100, "training", 1.0)
    assert view.series["train/loss"].values.tolist() == [step / 2 for step in range(1, 11)]
    assert view.series["train/loss"].samples[-1] == 80
    assert view.latest["generated text"].text == "b"
    assert [each.text for each in view.history["generated text"]] == ["a", "b"]
    assert view.started.device == "cpu" and view.saved.path == "checkpoints/10"
    assert [each.name for each in view.baselines] == ["unigram"]
    assert [each.text for each in view.notes] == ["careful"]
    assert view.knob_changes[0].after == 0.2 and view.answers[0].command == "pause"


def test_a_look_with_nothing_new_changes_nothing(run):
    write(run, Started(), *scalars(0, 3))
    follower = Follower(run)
    assert follower.poll()
    view = follower.view
    assert not follower.poll()
    assert follower.view is view
    write(run, *scalars(3, 4))
    assert follower.poll()
    assert len(follower.view.series["train/loss"]) == 4


def test_a_view_stays_as_it_was(run):
    write(run, Started(), Note(text="one"))
    follower = Follower(run)
    before = follower.catch_up()
    write(run, Note(text="two"), Scalars(s=1, v={"x": 1.0}))
    follower.poll()
    assert [each.text for each in before.notes] == ["one"] and "x" not in before.series
    with pytest.raises(AttributeError):
        before.step = 3


def test_a_torn_last_line_waits_for_its_rest(run):
    whole = encode(Scalars(s=1, v={"x": 1.0}))
    for cut in range(1, len(whole)):
        write(run, Started(), whole[:cut], mode="wb")
        follower = Follower(run)
        view = follower.catch_up()
        assert view.damaged == 0 and "x" not in view.series
        write(run, whole[cut:])
        view = follower.catch_up()
        assert view.damaged == 0 and view.series["x"].last == 1.0


def small_log() -> bytes:
    events = [
        Started(total_steps=9),
        *scalars(1, 4, ("train/loss", "valid/loss")),
        Text(s=3, name="sample", text="é [b]"),
        Note(text="n"),
    ]
    return b"".join(encode(each) for each in events)


def test_a_log_cut_at_any_byte_gives_every_whole_line(run):
    log = small_log()
    for cut in range(len(log)):
        write(run, log[:cut], mode="wb")
        view = Follower(run).catch_up()
        whole = log[:cut].count(b"\n")
        shown = bool(view.started) + len(view.series.get("train/loss", ())) + len(view.latest) + len(view.notes)
        assert shown == whole and view.damaged == 0


@pytest.mark.parametrize("flip", [0x01, 0x80, 0xFF])
def test_a_damaged_byte_costs_its_own_line_or_two_and_is_counted(run, flip):
    log = small_log()
    for place in range(len(log)):
        damaged = bytearray(log)
        damaged[place] ^= flip
        write(run, bytes(damaged), mode="wb")
        view = Follower(run).catch_up()
        shown = bool(view.started) + len(view.series.get("train/loss", ())) + len(view.latest) + len(view.notes)
        assert shown >= 6 - 2
        assert shown + view.damaged >= 5, "what is not shown is counted (a lost last newline leaves a pending line)"
        assert shown < 6 or place == len(log) - 1 or view.damaged == 0


def test_zeros_after_a_power_cut_are_no_damage_worth_a_word(run):
    write(run, Started(), Scalars(s=1, v={"x": 1.0}), b"\0" * 4096 + b"\n", Scalars(s=2, v={"x": 2.0}))
    view = Follower(run).catch_up()
    assert view.series["x"].values.tolist() == [1.0, 2.0] and view.damaged == 0


def test_rubbish_without_a_newline_is_not_kept(run):
    write(run, Started(), b"x" * 5_000_000, b"\n", Scalars(s=2, v={"x": 2.0}))
    view = Follower(run).catch_up()
    assert view.series["x"].last == 2.0 and view.damaged >= 1


def test_unknown_kinds_and_keys_are_passed_over(run):
    import zlib

    body = b'{"k":"hologram","s":3'
    other = b'{"k":"note","text":"kept","mood":"new"'
    lines = [each + b',"c":%d}\n' % zlib.crc32(each) for each in (body, other)]
    write(run, Started(), *lines)
    view = Follower(run).catch_up()
    assert view.unknown == 1 and view.damaged == 0 and view.notes[0].text == "kept"


def test_nan_and_infinity_arrive_as_themselves(run):
    values = ["NaN", "Infinity", "-Infinity", 1.5]
    write(run, Started(), *(Scalars(s=step, v={"x": value}) for step, value in enumerate(values)))
    found = Follower(run).catch_up().series["x"]
    np.testing.assert_array_equal(found.values, [np.nan, np.inf, -np.inf, 1.5])
    assert found.nonfinite.tolist() == [0, 1, 2]


def test_a_made_up_log_cannot_break_the_fold(run):
    write(
        run, Started(), Scalars(s=1, v={"x": "rubbish", "y": 1.0}), Scalars(s=2**70, v={"y": 2.0}),
        Scalars(s=2, n=-(2**80), v={"y": 3.0}), Scalars(s=3, v={"n" * 5000: 1.0}), Scalars(s=4, v={}),
    )  # fmt: skip
    view = Follower(run).catch_up()
    assert np.isnan(view.series["x"].last) and view.series["y"].values.tolist() == [1.0]
    assert max(map(len, view.series)) == 200


def test_metrics_that_come_in_different_company_keep_their_order(run):
    both = ("train/loss", "valid/loss")
    events = [Scalars(s=step, v=dict.fromkeys(both if step % 3 == 0 else both[:1], float(step))) for step in range(30)]
    write(run, Started(), *events)
    view = Follower(run).catch_up()
    assert view.series["train/loss"].steps.tolist() == list(range(30))
    assert view.series["valid/loss"].steps.tolist() == list(range(0, 30, 3))


def test_a_resume_takes_back_the_steps_after_its_checkpoint(run):
    write(
        run, Started(total_steps=30), *scalars(1, 21), Text(s=5, name="t", text="kept"),
        Text(s=15, name="t", text="again"), KnobChanged(s=18, name="lr"), Saved(s=10, path="ten"),
        Failed(what="killed"),
    )  # fmt: skip
    follower = Follower(run)
    before = follower.catch_up()
    write(run, Started(s=10, total_steps=30), *scalars(11, 13))
    after = follower.catch_up()
    assert before.series["train/loss"].steps[-1] == 20, "what was handed out is not changed"
    assert after.series["train/loss"].steps.tolist() == list(range(1, 13))
    assert after.latest["t"].text == "kept" and not after.knob_changes and after.failed is None
    assert after.saved.path == "ten" and after.step == 12
    assert Follower(run).catch_up().series["train/loss"].steps.tolist() == list(range(1, 13)), "in one go as well"


def test_a_log_that_was_exchanged_is_read_from_its_start(run):
    write(run, Started(), *scalars(0, 50))
    follower = Follower(run)
    follower.catch_up()
    (run.folder / "new").write_bytes(encode(Started()) + encode(Scalars(s=1, v={"x": 1.0})))
    (run.folder / "new").replace(run.folder / "events.jsonl")
    view = follower.catch_up()
    assert list(view.series) == ["x"]


def test_a_newer_log_is_refused_by_name(run):
    write(run, Started(format=2))
    follower = Follower(run)
    follower.poll()
    with pytest.raises(RunError, match="format 2, newer"):
        _ = follower.view


def test_long_events_are_read_from_their_file_and_never_from_outside(run):
    big = HeatMap(s=1, name="attention", values=[[0.5] * 8] * 8)
    import msgspec

    (run.folder / "media").mkdir()
    (run.folder / "media" / "1.json").write_bytes(msgspec.json.encode(big))
    write(
        run,
        Started(),
        HeatMap(s=1, name="attention", media="media/1.json"),
        HeatMap(s=2, name="attention", media="../../x"),
    )
    view = Follower(run).catch_up()
    assert view.latest["attention"].values == big.values, "a lost one gives way to the one before"
    with pytest.raises(RunError, match="no address inside"):
        view.whole(view.history["attention"][1])


def test_work_of_one_look_is_bounded(run):
    write(run, Started(), *scalars(0, 20_000))
    follower = Follower(run)
    assert follower.poll(0.0) and follower.behind
    assert 0 < len(follower.view.series["train/loss"]) < 20_000 and follower.view.behind
    assert len(follower.catch_up().series["train/loss"]) == 20_000 and not follower.behind


def test_the_history_of_a_long_run_is_thinned_not_unbounded(run):
    write(run, Started(), *(Text(s=step, name="t", text=str(step)) for step in range(3000)))
    history = Follower(run).catch_up().history["t"]
    assert len(history) <= 400 and history[0].s == 0 and history[-1].s == 2999


def test_hardware_is_followed_too(run):
    with (run.folder / "hardware.jsonl").open("wb") as file:
        for second in range(3):
            file.write(encode_sample(Sample(at=run.created + second, cpu=10.0 * second)) + b"\n")
        file.write(b"rubbish\n{")
    view = Follower(run).catch_up()
    assert view.hardware.latest.cpu == 20.0
    assert view.hardware.series["cpu"].values.tolist() == [0.0, 10.0, 20.0]


def test_time_left_follows_the_pace_of_late(run):
    events = [Scalars(s=step, t=step * 1.0, v={"x": 0.0}) for step in range(50)]
    events += [Scalars(s=step, t=49 + (step - 49) * 0.1, v={"x": 0.0}) for step in range(50, 1000)]
    write(run, Started(total_steps=2000), *events)
    follower = Follower(run)
    follower.catch_up()
    assert follower._fold.remaining(2000) == pytest.approx(100, rel=0.02)


def test_a_folder_that_goes_away_while_it_is_shown(run):
    import shutil

    write(run, Started(), *scalars(0, 5))
    follower = Follower(run)
    follower.catch_up()
    shutil.rmtree(run.folder)
    follower.poll()
    view = follower.view
    assert view.state == "lost" and view.cause == "Its folder is gone." and len(view.series["train/loss"]) == 5


def test_a_million_points_are_folded_in_about_a_second(run):
    """A benchmark's job in seconds; here only that nothing is quadratic."""
    names = tuple(f"metric {index}" for index in range(10))
    write(run, Started(), *scalars(0, 20_000, names))
    start = time.perf_counter()
    follower = Follower(run)
    follower.catch_up()
    assert time.perf_counter() - start < 2.0

"""Runs as processes: they outlive the app, end as they were told, and say how they ended."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from random import Random

import msgspec
import pytest
from stub_runs import STUB, recipe, until

from engine.core import launcher as launching
from engine.core import liveness
from engine.core.errors import RunError, UsageError
from engine.core.follow import Follower
from engine.core.launcher import PREVIOUS, Launcher
from engine.core.liveness import lock_is_held
from engine.core.processes import boot_id, is_alive, send_signal, start_time
from engine.core.recipe import Input
from engine.core.shims import environment
from engine.core.upkeep import take_lock

APP = """
import sys, time
from pathlib import Path
from engine.core.launcher import Launcher
from engine.core.recipe import Recipe
from engine.core.store import RunStore
launcher = Launcher(RunStore(Path(sys.argv[1])), trainer=[sys.executable, "-P", sys.argv[2]], sampler=[])
print(launcher.start(Recipe(family="mlp", preset="quick", knobs={"steps": 40, "step_seconds": 0.01})).id, flush=True)
time.sleep(60)
"""
LIMITED = """
import resource, runpy, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from engine.train import writer
writer.PATIENCE_SECONDS = 0.1
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
stub = sys.argv.pop(1)
runpy.run_path(stub, run_name="__main__")
"""
ENDED = {"finished", "stopped", "failed", "lost"}


def ended(run, seconds=10.0):
    return until(lambda: run.state() in ENDED and run.state(), seconds)


def running(run):
    return until(lambda: run.state() == "running" and run.processes().trainer)


def gone(process):
    return not is_alive(process.pid, process.start, process.boot)


def test_a_run_starts_trains_and_finishes(launcher):
    run = launcher.start(recipe(steps=10, seed=4))
    assert ended(run) == "finished"
    view = Follower(run).catch_up()
    assert view.step == 10 and view.state == "finished" and not view.cause and not view.live
    assert len(view.series["train/loss"]) == 10
    assert run.exit().code == 0 and not lock_is_held(run.folder)
    assert "stub: step 0" in (run.folder / "log.txt").read_text()


def test_a_follower_sees_every_state_on_the_way(launcher):
    run = launcher.start(recipe(steps=10_000, step_seconds=0.002, start_seconds=0.05))
    follower = Follower(run)
    seen = []

    def look(wanted):
        follower.poll()
        if not seen or seen[-1] != follower.view.state:
            seen.append(follower.view.state)
        return seen[-1] == wanted

    until(lambda: look("running"))
    launcher.pause(run)
    until(lambda: look("paused"))
    launcher.step_once(run)
    launcher.unpause(run)
    until(lambda: look("running"))
    launcher.stop(run)
    until(lambda: look("stopped"))
    assert seen[0] == "starting" and seen[-1] == "stopped"
    view = follower.catch_up()
    assert [each.command for each in view.answers] == ["pause", "step", "resume", "stop"]
    assert view.cause == "Stopped by you."


def test_knobs_turn_while_it_runs_and_only_those_that_may(launcher):
    run = launcher.start(recipe(steps=10_000, step_seconds=0.002))
    running(run)
    follower = Follower(run)
    launcher.send(run, launching.SetKnob(name="learning_rate", value=0.5))
    until(lambda: follower.poll() and follower.view.knob_changes)
    assert follower.view.knob_changes[0].after == 0.5
    with pytest.raises(UsageError, match="no knob 'learning_rte'"):
        launcher.set_knob(run, "learning_rte", 0.1)
    with pytest.raises(UsageError, match="cannot change while a run is live"):
        launcher.set_knob(run, "batch_size", 8)
    with pytest.raises(UsageError, match="learning_rate"):
        launcher.set_knob(run, "learning_rate", -1.0)
    launcher.checkpoint(run)
    launcher.slow(run, 0.01)
    until(lambda: follower.poll() and follower.view.saved)


# Endings


def test_a_killed_trainer_is_shown_with_its_cause_within_two_seconds(launcher):
    run = launcher.start(recipe(steps=10_000, step_seconds=0.002))
    trainer = running(run)
    follower = Follower(run)
    follower.catch_up()
    os.kill(trainer.pid, signal.SIGKILL)
    start = time.monotonic()
    until(lambda: follower.poll() and follower.view.state == "failed", 2.0)
    assert time.monotonic() - start < 2.0
    assert follower.view.cause == "Killed by SIGKILL, sender unknown."
    assert (run.exit().signal, run.exit().code, run.exit().stopped) == (signal.SIGKILL, 137, False)


def test_a_killed_shim_takes_its_trainer_along_with_a_checkpoint(launcher):
    run = launcher.start(recipe(steps=100_000, step_seconds=0.002))
    trainer = running(run)
    os.kill(run.processes().shim.pid, signal.SIGKILL)
    assert until(lambda: run.state() == "lost")
    until(lambda: gone(trainer) and not lock_is_held(run.folder))
    assert run.state() == "lost" and run.cause() == "Its processes ended without a word."
    assert run.ending().saved is not None
    again = launcher.resume(run)
    until(lambda: again.state() == "running")


def test_a_lock_that_is_held_without_its_shim_means_the_supervisor_is_lost(launcher):
    run = launcher.start(recipe(steps=100_000, step_seconds=0.002, ignore_term=True))
    trainer = running(run)
    os.kill(run.processes().shim.pid, signal.SIGKILL)
    until(lambda: run.state() == "lost")
    assert not gone(trainer) and lock_is_held(run.folder) and run.is_live()
    assert run.cause() == "Its supervisor is gone while the trainer still runs."
    with pytest.raises(RunError, match="already active"):
        launcher.resume(run)
    with pytest.raises(RunError, match="still at work"):
        launcher.store.delete(run.id)
    launcher.kill(run)
    until(lambda: gone(trainer) and not lock_is_held(run.folder))


def test_a_run_outlives_the_process_that_started_it(store, launcher, tmp_path):
    program = tmp_path / "app.py"
    program.write_text(APP)
    command = [sys.executable, str(program), str(store.folder), str(STUB)]
    app = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment(), text=True, start_new_session=True)
    run = store.open(app.stdout.readline().strip())
    running(run)
    os.killpg(app.pid, signal.SIGKILL)
    app.wait()
    app.stdout.close()
    assert ended(run) == "finished"
    assert Follower(run).catch_up().step == 40


@pytest.mark.parametrize("how", [signal.SIGHUP, signal.SIGINT])
def test_hang_up_and_interrupt_do_not_reach_a_run(launcher, how):
    run = launcher.start(recipe(steps=30, step_seconds=0.01))
    running(run)
    os.kill(run.processes().shim.pid, how)
    assert ended(run) == "finished"


def test_a_crash_is_told_with_its_exit_code(launcher):
    run = launcher.start(recipe(crash_at=3))
    assert ended(run) == "failed"
    assert "exit code 1" in run.cause()
    assert "broken on purpose" in (run.folder / "log.txt").read_text()


def test_what_the_trainer_says_about_its_failure_is_the_cause(launcher):
    run = launcher.start(recipe(fail_at=3))
    assert ended(run) == "failed"
    view = Follower(run).catch_up()
    assert view.cause == "The loss is not a number." and view.failed.remedy == "Lower the learning rate."


def test_a_trainer_that_ends_well_without_finishing_has_failed(store, launcher):
    quiet = Launcher(store, trainer=["true"], sampler=[])
    run = quiet.start(recipe())
    assert ended(run) == "failed" and "did not say why" in run.cause()


def test_a_trainer_that_cannot_be_started_is_told_so(store, launcher):
    run = Launcher(store, trainer=["/no/such/program"], sampler=[]).start(recipe())
    assert ended(run) == "failed"
    assert run.cause() == "The trainer could not be started; its log says why."
    assert "/no/such/program" in (run.folder / "log.txt").read_text()


def test_stopping_twice_kills_what_does_not_listen(launcher):
    run = launcher.start(recipe(hang_at=3, steps=1000, ignore_term=True))
    trainer = running(run)
    until(lambda: Follower(run).catch_up().step >= 2)
    launcher.stop(run)
    assert until(lambda: run.state() == "stopping")
    launcher.stop(run)
    assert ended(run) == "stopped"
    assert run.exit().forced and run.cause() == "Stopped by force: it did not end when asked."
    assert gone(trainer)


def test_killing_ends_a_run_at_once_and_counts_as_stopped(launcher):
    run = launcher.start(recipe(steps=100_000, step_seconds=0.002))
    running(run)
    launcher.kill(run)
    assert ended(run) == "stopped" and run.exit().signal == signal.SIGKILL
    assert not list((run.folder / "control").iterdir()), "no command is left for a resume to stumble over"


def test_term_to_the_shim_is_a_graceful_stop(launcher):
    run = launcher.start(recipe(steps=100_000, step_seconds=0.002))
    running(run)
    os.kill(run.processes().shim.pid, signal.SIGTERM)
    assert ended(run) == "stopped"
    assert run.exit().code == 143 and run.ending().finished.stopped and not run.exit().forced


def test_what_a_trainer_leaves_behind_is_cleared(launcher):
    run = launcher.start(recipe(steps=3, leave_child=True))
    assert ended(run) == "finished"
    assert run.exit().stragglers == 1


def test_a_flood_of_output_is_kept_short(launcher):
    run = launcher.start(recipe(steps=300, step_seconds=0.01, flood=40_000_000))
    assert ended(run, 20.0) == "finished"
    log = run.folder / "log.txt"
    assert log.stat().st_size < 3_000_000
    assert log.read_bytes().startswith(b"[cut here")


def test_commands_to_a_run_that_ended_are_refused(launcher):
    run = launcher.start(recipe(steps=2))
    ended(run)
    for verb in (launcher.pause, launcher.stop, launcher.kill, launcher.checkpoint):
        with pytest.raises(RunError, match="is not running: it is finished"):
            verb(run)
    assert not list((run.folder / "control").iterdir())


@pytest.mark.parametrize("kills", [6, pytest.param(200, marks=pytest.mark.slow)])
def test_kills_at_random_moments_lose_nothing_that_was_written(launcher, kills):
    """Every line that the trainer saw written is in the log, and after the last resume every step stands there once."""
    random = Random(kills)
    run = launcher.start(recipe(steps=100_000, step_seconds=0.001, save_every=7, tell=True))
    follower = Follower(run)
    for _ in range(kills):
        trainer = running(run)
        time.sleep(random.uniform(0, 0.05))
        os.kill(trainer.pid, signal.SIGKILL)
        assert ended(run) == "failed"
        told = (run.folder / "log.txt").read_text().split()
        view = follower.catch_up()
        assert view.damaged <= kills and view.step >= int(told[-1])
        launcher.resume(run)
    running(run)
    launcher.stop(run)
    assert ended(run) == "stopped"
    steps = follower.catch_up().series["train/loss"].steps.tolist()
    assert steps == list(range(1, len(steps) + 1))


def test_a_run_that_hangs_is_called_stalled_and_not_killed(launcher, monkeypatch):
    monkeypatch.setattr(liveness, "STALLED_SECONDS", 0.2)
    run = launcher.start(recipe(hang_at=3, steps=1000, step_seconds=0.001))
    until(lambda: run.state() == "stalled")
    assert not gone(run.processes().trainer) and run.is_live() and not run.cause()


def test_where_there_are_no_locks_process_identities_have_to_do(store, launcher, monkeypatch):
    run = launcher.start(recipe(steps=100_000, step_seconds=0.002))
    running(run)

    def no_locks(descriptor, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    assert take_lock(str(run.folder / "run.lock")) is None, "its shim is alive"
    os.close(take_lock(str(store.create(recipe()).folder / "run.lock"))[0])
    note = (run.folder / "proc.json").read_text().replace('"locked": true', '"locked": false')
    (run.folder / "proc.json").write_text(note)
    assert run.state() == "running"
    os.kill(run.processes().shim.pid, signal.SIGKILL)
    until(lambda: run.state() == "lost")


# Starting


def test_a_run_that_was_stopped_goes_on_from_its_checkpoint(launcher):
    run = launcher.start(recipe(steps=60, step_seconds=0.005))
    running(run)
    launcher.stop(run)
    assert ended(run) == "stopped"
    step = run.ending().saved.s
    assert 0 < step < 60
    launcher.resume(run)
    assert ended(run) == "finished"
    view = Follower(run).catch_up()
    assert view.series["train/loss"].steps.tolist() == list(range(1, 61)), "every step once"
    with pytest.raises(RunError, match="reached its end"):
        launcher.resume(run)


def test_a_run_is_never_trained_twice_at_a_time(store, launcher):
    run = launcher.start(recipe(steps=100_000, step_seconds=0.002))
    running(run)
    with pytest.raises(RunError, match=r"already active \(since \d\d:\d\d, process \d+\)"):
        launcher.resume(run)
    launcher.kill(run)
    ended(run)
    shims = [launcher._shims.start([run.folder]) for _ in range(6)]
    until(lambda: sum(shim.poll() is None for shim in shims) == 1)
    assert sorted(shim.poll() or 0 for shim in shims) == [0, 3, 3, 3, 3, 3]
    assert until(lambda: run.state() == "running")


def test_a_start_is_refused_when_the_disk_is_nearly_full(launcher, monkeypatch):
    monkeypatch.setattr(launching, "LEAST_FREE", 10**18)
    with pytest.raises(RunError, match=r"GB are free .* a run needs \d+"):
        launcher.start(recipe())
    assert launcher.store.runs() == []


def test_a_full_disk_while_training_loses_no_metrics(store, launcher):
    """A limit on file size stands in for the full disk: the writer keeps its lines, the run goes on to its end."""
    limited = Launcher(store, trainer=[sys.executable, "-P", "-c", LIMITED, str(STUB)], sampler=[])
    run = limited.start(recipe(steps=200, step_seconds=0.001))
    ended(run)
    view = Follower(run).catch_up()
    assert view.damaged == 0
    steps = view.series["train/loss"].steps.tolist()
    assert steps == list(range(1, len(steps) + 1)) and 5 < len(steps) < 200


def test_no_signal_reaches_a_process_that_only_has_the_number(launcher):
    run = launcher.start(recipe(steps=100_000, step_seconds=0.002))
    trainer = running(run)
    with subprocess.Popen(["sleep", "60"]) as stranger:
        assert not send_signal(stranger.pid, "12345", boot_id(), signal.SIGKILL)
        assert not send_signal(stranger.pid, start_time(stranger.pid), "another start of the machine", signal.SIGKILL)
        os.kill(run.processes().shim.pid, signal.SIGKILL)
        until(lambda: gone(trainer) and run.state() == "lost")
        note = (run.folder / "proc.json").read_text()
        (run.folder / "proc.json").write_text(note.replace(f'"pid": {trainer.pid}', f'"pid": {stranger.pid}'))
        with pytest.raises(RunError, match="not running"):
            launcher.kill(run)
        with pytest.raises(RunError, match=f"process {stranger.pid} is not this run any more"):
            launcher._signal(run, signal.SIGKILL, signal.SIGKILL)
        assert stranger.poll() is None
        stranger.kill()


def test_records_of_an_earlier_start_of_the_machine_mean_nothing_is_alive(store, launcher):
    run = launcher.start(recipe(steps=100_000, step_seconds=0.002))
    running(run)
    note = (run.folder / "proc.json").read_text()
    os.kill(run.processes().shim.pid, signal.SIGKILL)
    until(lambda: not lock_is_held(run.folder))
    (run.folder / "proc.json").write_text(note.replace(boot_id(), "before"))
    assert run.state() == "lost"
    launcher.resume(run)
    assert until(lambda: run.state() == "running")


# Groups


def test_a_group_trains_one_after_another_each_from_the_one_before(launcher):
    second = msgspec.structs.replace(recipe(steps=5), inputs={"model": Input(run=PREVIOUS)})
    runs = launcher.start_group([recipe(steps=40, step_seconds=0.01), second, second])
    assert runs[1].recipe.inputs["model"].run == runs[0].id and runs[2].recipe.inputs["model"].run == runs[1].id
    assert len({run.recipe.group for run in runs}) == 1 and runs[0].recipe.group
    running(runs[0])
    assert [run.state() for run in runs[1:]] == ["queued", "queued"]
    with pytest.raises(RunError, match="already active"):
        launcher.resume(runs[1])
    assert [ended(run) for run in runs] == ["finished"] * 3
    assert runs[0].exit().ended <= runs[1].exit().ended <= runs[2].exit().ended


def test_the_first_of_a_group_has_none_before_it(launcher):
    with pytest.raises(UsageError, match="no run before it"):
        launcher.start(msgspec.structs.replace(recipe(), inputs={"model": Input(run=PREVIOUS)}))


def test_a_group_goes_on_after_a_failure_and_without_those_that_were_taken_out(launcher):
    slow = recipe(steps=60, step_seconds=0.01)
    runs = launcher.start_group([recipe(crash_at=1), slow, recipe(steps=3), recipe(steps=3)])
    until(lambda: runs[1].state() == "running")
    launcher.stop(runs[2])
    assert [ended(run) for run in runs] == ["failed", "finished", "stopped", "finished"]
    assert runs[2].exit().text == "Stopped before its turn came."
    launcher.resume(runs[2])
    assert ended(runs[2]) == "finished"


def test_term_ends_a_whole_group(launcher):
    runs = launcher.start_group([recipe(steps=100_000, step_seconds=0.002), recipe(steps=3)])
    running(runs[0])
    os.kill(runs[0].processes().shim.pid, signal.SIGTERM)
    assert [ended(run) for run in runs] == ["stopped", "stopped"]


def test_a_queue_whose_keeper_was_killed_says_so(launcher):
    runs = launcher.start_group([recipe(steps=100_000, step_seconds=0.002), recipe(steps=3)])
    running(runs[0])
    os.kill(runs[0].processes().shim.pid, signal.SIGKILL)
    assert [ended(run) for run in runs] == ["lost", "lost"]
    assert "never started" in runs[1].cause()


# The trainer that waits


def test_a_warm_worker_trains_the_next_run_and_is_used_once(launcher):
    assert launcher.warm() and launcher.warm()
    waiting = launcher._shims._worker.shim.pid
    run = launcher.start(recipe(steps=30, step_seconds=0.01))
    running(run)
    assert run.processes().shim.pid == waiting and lock_is_held(run.folder)
    other = launcher.start(recipe(steps=3))
    assert ended(other) == "finished" and ended(run) == "finished"
    assert "stub: step 0" in (run.folder / "log.txt").read_text()
    assert sorted(path.name for path in launcher.store.folder.iterdir()) == sorted([run.id, other.id])


def test_a_warm_worker_takes_a_whole_group(launcher):
    launcher.warm()
    runs = launcher.start_group([recipe(steps=5), recipe(steps=5)])
    assert [ended(run) for run in runs] == ["finished", "finished"]


def test_a_warm_worker_goes_when_the_app_does(launcher):
    launcher.warm()
    worker = launcher._shims._worker
    until(lambda: list(launcher.store.folder.glob(".warm-*.log")))
    launcher.close()
    assert worker.shim.poll() == 0
    assert list(launcher.store.folder.iterdir()) == []


def test_a_dead_warm_worker_is_no_hindrance_and_its_rests_are_swept(launcher):
    launcher.warm()
    worker = launcher._shims._worker
    until(lambda: list(launcher.store.folder.glob(".warm-*.log")))
    os.kill(worker.shim.pid, signal.SIGKILL)
    run = launcher.start(recipe(steps=3))
    assert ended(run) == "finished"
    launcher.warm()
    until(
        lambda: (
            [path.name for path in launcher.store.folder.glob(".warm-*.lock")]
            == [f".warm-{launcher._shims._worker.shim.pid}.lock"]
        )
    )


def test_a_warm_worker_does_not_wait_for_ever(store):
    store.folder.mkdir(parents=True)
    orders = {"folders": [], "trainer": ["sleep", "60"], "sampler": [], "grace": 1.0, "warm": str(store.folder)}
    program = (
        "import json, sys, engine.core.supervisor as s; s.WARM_SECONDS = 0.1; s.supervise(json.loads(sys.argv[1]))"
    )
    command = [sys.executable, "-c", program, json.dumps(orders)]
    ran = subprocess.run(command, stdin=subprocess.PIPE, env=environment(), timeout=10, check=True)
    assert ran.returncode == 0 and not list(store.folder.iterdir())


def test_machines_with_little_memory_keep_no_worker(launcher, monkeypatch):
    monkeypatch.setattr("engine.core.shims.enough_memory", lambda: False)
    assert not launcher.warm() and launcher._shims._worker is None

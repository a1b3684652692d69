"""Starting, resuming and ending runs. A run that was started needs the launcher no more."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

import msgspec

from engine.core.control import Checkpoint, Command, Pause, Resume, SetKnob, Slow, StepOnce, Stop, send, stop_asked
from engine.core.errors import RunError, UsageError, suggest
from engine.core.estimate import checkpoint_bytes
from engine.core.liveness import LIVE, State, identified
from engine.core.processes import send_signal
from engine.core.recipe import Recipe
from engine.core.records import Identity
from engine.core.shims import Shims
from engine.core.spec import Value
from engine.core.store import Run, RunStore
from engine.core.supervisor import ACTIVE
from engine.core.upkeep import clear_commands

PREVIOUS = "@previous"
"""Stands for the run before, as the `run` of an input in `Launcher.start_group`."""
LEAST_FREE = 1024**3
"""Bytes that have to be free on the disk of the runs before one starts, beside its checkpoints."""
CHECKPOINTS = 3
"""How many checkpoints of a run may lie there at a time: the last two and the best."""
START_SECONDS = 3.0
"""How long a shim may take until it says that it has the run."""


class Launcher:
    """Starts trainers that outlive the app.

    Args:
        store: where the runs are kept.
        trainer: command that trains the run whose folder is its last argument; tests give a stub.
        sampler: command that samples the hardware for it; empty for none.
        grace: seconds from asking a trainer to end to killing it.
    """

    def __init__(
        self,
        store: RunStore,
        *,
        trainer: Sequence[str] | None = None,
        sampler: Sequence[str] | None = None,
        grace: float = 25.0,
    ) -> None:
        self.store = store
        python = [sys.executable, "-P", "-m"]
        self._shims = Shims(
            trainer=[*python, "engine.train"] if trainer is None else trainer,
            sampler=[*python, "engine.core.sampler"] if sampler is None else sampler,
            grace=grace,
        )

    # Starting

    def start(self, recipe: Recipe, files: Mapping[str, bytes] | None = None) -> Run:
        """Make a run, with `files` by their address in its folder, and start its trainer; returns at once.

        Raises:
            RunError: the disk is nearly full, or the folder of runs cannot be written.
        """
        return self.start_group([recipe], files)[0]

    def start_group(self, recipes: Sequence[Recipe], files: Mapping[str, bytes] | None = None) -> list[Run]:
        """Make runs and train them one after another, also after the app is closed.

        An input whose run is `PREVIOUS` starts from the run before it. A run of the group that fails or is stopped does
        not keep the next from starting.

        Raises:
            RunError: the disk is nearly full, or the folder of runs cannot be written.
        """
        self._require_room(recipes)
        group = f"{time.time_ns():x}" if len(recipes) > 1 else ""
        runs: list[Run] = []
        for recipe in recipes:
            before = runs[-1].id if runs else ""
            runs.append(self.store.create(_settled(recipe, before, group), files))
        self._shims.train([run.folder for run in runs])
        return runs

    def train(self, runs: Sequence[Run]) -> None:
        """Train runs that were made and never reached their end, one after another; returns at once.

        Raises:
            RunError: one of them is active, or the disk is nearly full.
        """
        for run in runs:
            if run.is_live() and run.processes() is not None:
                raise _active(run)
            clear_commands(str(run.folder))
        if runs:
            self._require_room([run.recipe for run in runs])
            self._shims.train([run.folder for run in runs])

    def resume(self, run: Run) -> Run:
        """Start the trainer of a run that ended too early; it goes on from its last good checkpoint.

        Raises:
            RunError: the run is active, has reached its end, cannot be read, or the disk is nearly full.
        """
        state = run.state()
        if run.is_live():
            raise _active(run)
        if state == "finished":
            raise RunError(f"{run.id} has reached its end.", "Fork it to train it further.")
        self._require_room([run.recipe])
        clear_commands(str(run.folder))
        self._await_start(self._shims.start([run.folder]), run)
        return run

    def _await_start(self, started: subprocess.Popen[bytes], run: Run) -> None:
        """Wait until the shim has the run; somebody else may have been faster."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            processes = run.processes()
            if processes is not None and processes.shim.pid == started.pid:
                return
            if started.poll() == ACTIVE:
                raise _active(run)
            time.sleep(0.002)

    def _require_room(self, recipes: Sequence[Recipe]) -> None:
        place = self.store.folder
        while not place.exists() and place != place.parent:
            place = place.parent
        free = shutil.disk_usage(place).free
        needed = LEAST_FREE + CHECKPOINTS * max(checkpoint_bytes(recipe) for recipe in recipes)
        if free < needed:
            what = f"Only {free / 1e9:.1f} GB are free for {self.store.folder}; a run needs {needed / 1e9:.1f} GB."
            raise RunError(
                what, "Delete runs that you do not need, or let LEXIGRAD_HOME name a folder on another disk."
            )

    def warm(self) -> bool:
        """Have one trainer ready for the next start; return whether there is one. Callable from any thread."""
        return self._shims.warm(self.store.folder)

    def close(self) -> None:
        """Let go of the waiting trainer; runs go on."""
        self._shims.close()

    # Live runs

    def send(self, run: Run, command: Command) -> str:
        """Leave a command for the run's trainer and return its id.

        Raises:
            RunError: the run is not alive, or its folder cannot be written.
        """
        self._live_state(run)
        return send(run.folder, command)

    def _live_state(self, run: Run) -> State:
        state = run.state()
        if state not in LIVE and not run.is_live():
            remedy = "Resume it first." if state != "finished" else ""
            raise RunError(f"{run.id} is not running: it is {state}.", remedy)
        return state

    def pause(self, run: Run) -> None:
        """Let the trainer hold still at the end of its step; errors are those of `send`."""
        self.send(run, Pause())

    def unpause(self, run: Run) -> None:
        """Let it go on, at full speed; errors are those of `send`."""
        self.send(run, Resume())

    def checkpoint(self, run: Run) -> None:
        """Have a checkpoint written; errors are those of `send`."""
        self.send(run, Checkpoint())

    def step_once(self, run: Run, side: str = "") -> None:
        """Have one update made, of all modules or of `side` alone; errors are those of `send`."""
        self.send(run, StepOnce(side=side))

    def slow(self, run: Run, seconds: float) -> None:
        """Let each step take at least so long, 0 for full speed; errors are those of `send`."""
        self.send(run, Slow(seconds=seconds))

    def set_knob(self, run: Run, name: str, value: Value) -> None:
        """Turn a live knob.

        Raises:
            UsageError: the family has no such knob, it is not live, or the value is out of its range.
            RunError: as from `send`.
        """
        _check_live_knob(run.recipe, name, value)
        self.send(run, SetKnob(name=name, value=value))

    def stop(self, run: Run) -> None:
        """Ask the run to save and end; asked again, it gets the grace and is killed after that.

        Raises:
            RunError: the run is not alive, or its folder cannot be written.
        """
        asked_before = stop_asked(run.folder)
        self.send(run, Stop())
        if asked_before:
            self._signal(run, signal.SIGUSR1, signal.SIGTERM)

    def kill(self, run: Run) -> None:
        """End the run now, without another checkpoint.

        Raises:
            RunError: the run is not alive, or its processes are not its own any more.
        """
        if self._live_state(run) == "queued":
            self.send(run, Stop())
        else:
            self._signal(run, signal.SIGUSR2, signal.SIGKILL)

    def _signal(self, run: Run, for_shim: int, for_trainer: int) -> None:
        """Signal the shim, or where it is gone the trainer; never a process that is not provably theirs."""
        processes = run.processes()
        shim, trainer = (processes.shim, processes.trainer) if processes else (None, None)
        if identified(shim) and _sent(shim, for_shim):
            return
        if not _sent(trainer, for_trainer):
            named = f"process {trainer.pid}" if trainer else "its process"
            raise RunError(
                f"{run.id} was not signaled: {named} is not this run any more.", "Nothing of it can be running."
            )


def _sent(process: Identity | None, number: int) -> bool:
    return process is not None and send_signal(process.pid, process.start, process.boot, number)


def _settled(recipe: Recipe, before: str, group: str) -> Recipe:
    """Return the recipe with the name of its group, and the run before in the place of `PREVIOUS`."""
    if not before and any(each.run == PREVIOUS for each in recipe.inputs.values()):
        raise UsageError("The first run of a group has no run before it to start from.", "Name a run.")
    inputs = {
        role: msgspec.structs.replace(each, run=before) if each.run == PREVIOUS else each
        for role, each in recipe.inputs.items()
    }
    return msgspec.structs.replace(recipe, inputs=inputs, group=recipe.group or group)


def _active(run: Run) -> RunError:
    processes = run.processes()
    if processes is None:
        return RunError(f"{run.id} is already active.")
    since = time.strftime("%H:%M", time.localtime(processes.started))
    process = (processes.trainer or processes.shim).pid
    return RunError(f"{run.id} is already active (since {since}, process {process}).", "Watch it, or stop it first.")


def _check_live_knob(recipe: Recipe, name: str, value: Value) -> None:
    from engine.catalog import known

    of = known(recipe)
    if of is None:
        return
    knobs = {each.name: each for each in of.spec.knobs()}
    live = [each for each in knobs if knobs[each].live]
    if name not in knobs:
        raise UsageError(f"{recipe.family} has no knob '{name}'.", suggest(name, live))
    if name not in live:
        raise UsageError(f"{name} cannot change while a run is live.", "Fork the run with another value.")
    knobs[name].check(value)

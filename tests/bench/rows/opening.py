"""Opening a long run: 100,000 steps of ten metrics, until it is drawn, against W&B's viewer in the terminal."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.bench.figures import Sample, alternate, ratio
from tests.bench.places import fresh_home
from tests.bench.row import Effort, NotHereError, Row, Target
from tests.bench.terminal import Terminal
from tests.source import ROOT

STEPS, METRICS = 100_000, 10
SPIKE = (61_803, 40.0)
FIRST, SETTLED = 0.2, 0.5
PEER = "LEXIGRAD_BENCH_WANDB"
"""Names the Python of an environment that has wandb; without it the reference is left out."""
REST = 1.5
NAMES = (
    "train/loss", "valid/loss", "train/accuracy", "valid/accuracy", "learning_rate", "gradient_norm", "ms_per_step",
    "samples_per_second", "overhead", "extra/metric",
)  # fmt: skip
HOW = (
    f"a finished run of {STEPS:,} steps x {METRICS} metrics, read anew each time, at a pseudo-terminal of 120x40. "
    f"One step alone has a loss of {SPIKE[1]:g}, and it must be drawn."
)


def measure(effort: Effort) -> Iterator[Row]:
    """Open the run in the app that is open, and from the command beside the peer's."""
    with fresh_home() as home:
        run = write_run(STEPS)
        opened = [inside(run, home) for _ in range(effort.times(7) + 1)][1:]
        yield _row("first", "in the open app, first chart", Sample(tuple(each["first"] for each in opened)), FIRST)
        settled = Sample(tuple(each["settled"] for each in opened))
        drawn = min(each["spike"] and each["points"] == STEPS for each in opened)
        spike = Target("the spike drawn", float(drawn), 1.0, at_least=True)
        yield _row("settled", "in the open app, all of it drawn", settled, SETTLED, spike)
        yield from from_command(run, home, effort)


def _row(part: str, what: str, found: Sample, most: float, *more: Target) -> Row:
    return Row(
        key=f"opening/{part}",
        what=f"Opening {STEPS:,} steps x {METRICS} metrics, {what}",
        ours=found,
        unit="s",
        targets=(Target(f"at most {most:g} s", found.median, most), *more),
        how=HOW,
    )


def write_run(steps: int) -> str:
    """Write a finished run of the smallest family and return its id."""
    from engine.catalog import parse_run
    from engine.core import events, paths
    from engine.core.records import Exit, write_record
    from engine.core.store import RunStore
    from tui.recipes import recipe_of

    run = RunStore(paths.runs_folder()).create(recipe_of(parse_run("mlp/quick")))
    chance = random.Random(0)
    with (run.folder / "events.jsonl").open("wb") as log:
        log.write(events.encode(events.Started(total_steps=steps, samples_per_step=64, device="cpu")))
        for step in range(1, steps + 1):
            value = 2 * math.exp(-4 * step / steps)
            scalars: dict[str, events.Number] = {name: value + 0.1 * chance.random() for name in NAMES}
            if step == SPIKE[0]:
                scalars["train/loss"] = SPIKE[1]
            log.write(events.encode(events.Scalars(s=step, t=step * 0.001, n=64 * step, v=scalars)))
        log.write(events.encode(events.Finished(s=steps, t=steps * 0.001, headline={"valid/accuracy": 0.9})))
    write_record(run.folder, Exit())
    return run.id


def inside(run: str, home: Path) -> dict[str, float]:
    """Return what an app that was open already needed, in a process of its own."""
    out = home / "opening.json"
    out.unlink(missing_ok=True)
    with Terminal([sys.executable, "-m", "tests.bench.child.opening", str(out), run]) as terminal:
        terminal.program.wait(120)
        if not out.is_file():
            raise RuntimeError(terminal.text()[-2000:])
    found: dict[str, float] = json.loads(out.read_text())
    return found


def from_command(run: str, home: Path, effort: Effort) -> Iterator[Row]:
    """Open it by a command, ours and where it is there the peer's, in turn."""
    commands = {"ours": [sys.executable, "-m", "tui", "--open", f"run/{run}"]}
    peer = os.environ.get(PEER, "")
    if peer:
        commands["peer"] = leet(peer, home)
    took: dict[str, list[tuple[float, float]]] = {who: [] for who in commands}

    def once(who: str) -> float:
        took[who].append(drawn(commands[who], home))
        return 0.0

    alternate(*(partial(once, who) for who in commands), n=effort.times(5))
    for place, what in enumerate(("first chart", "all of it drawn")):
        ours, *others = (Sample(tuple(each[place] for each in took[who][1:])) for who in commands)
        yield Row(
            key=f"opening/command-{('first', 'settled')[place]}",
            what=f"Opening {STEPS:,} steps x {METRICS} metrics, from the command, {what}",
            ours=ours,
            unit="s",
            against="W&B LEET" if peer else f"W&B LEET left out: {PEER} names no Python that has wandb",
            reference=others[0] if others else None,
            ratio=ratio(ours, others[0]) if others else None,
            how="the same for both: the first braille dot on the screen, and the last output before "
            f"{REST:g} s of silence. LEET reads a run of as many points that wandb wrote.",
        )


def drawn(command: list[str], home: Path) -> tuple[float, float]:
    """Return the seconds from a command to its first dot of a chart, and to the last output before it rests."""
    environment = {"HOME": str(home), "WANDB_CONFIG_DIR": str(home), "WANDB_MODE": "offline", "WANDB_SILENT": "true"}
    with Terminal(command, environment) as terminal:
        first = terminal.wait_for(lambda text: any("\u2800" < each <= "\u28ff" for each in text), seconds=90)
        last = terminal.quiet(REST)
        return first - terminal.began, last - terminal.began


def leet(python: str, home: Path) -> list[str]:
    """Return the peer's command that opens a run as long as ours, which wandb writes here.

    Raises:
        NotHereError: wandb does not work there.
    """
    writer = str(ROOT / "tests" / "bench" / "child" / "wandb_run.py")
    environment = {**os.environ, "WANDB_SILENT": "true", "HOME": str(home)}
    try:
        subprocess.run([python, writer, str(home), str(STEPS), str(METRICS)], env=environment, check=True, timeout=600)
    except (OSError, subprocess.SubprocessError) as error:
        raise NotHereError(f"wandb could not write a run ({error})") from error
    written = next((home / "wandb").glob("offline-run-*"))
    return [str(Path(python).with_name("wandb")), "leet", str(written)]

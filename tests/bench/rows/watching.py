"""What the app itself costs while it watches one quick run."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

from tests.bench.figures import Sample
from tests.bench.places import fresh_home
from tests.bench.row import Effort, NotHereError, Row, Target
from tests.bench.terminal import Terminal

RUN = "mlp/quick epochs=100000 seed=0"
"""The quick run made so long that it outlasts the watching."""
SECONDS = 60.0
SETTLING = 5.0
MOST = 5.0


def measure(effort: Effort) -> Iterator[Row]:
    """Watch a run, after a while in which the app has opened and the run has begun."""
    from engine.catalog import parse_run
    from engine.core import paths
    from engine.core.launcher import Launcher
    from engine.core.store import RunStore
    from tui.recipes import recipe_of

    with fresh_home():
        launcher = Launcher(RunStore(paths.runs_folder()))
        run = launcher.start(recipe_of(parse_run(RUN)))
        try:
            with Terminal([sys.executable, "-m", "tui", "--open", f"run/{run.id}"]) as terminal:
                terminal.wait_for(lambda text: any("\u2800" < each <= "\u28ff" for each in text), seconds=90)
                time.sleep(SETTLING)
                shares = watched(terminal, effort.seconds(SECONDS))
                if terminal.program.poll() is not None or run.state() != "running":
                    raise NotHereError(f"the run was {run.state()} at the end")
        finally:
            launcher.kill(run)
            launcher.close()
    whole = Sample((sum(shares) / len(shares),))
    yield Row(
        key="watching/share",
        what="The app while it watches one quick run",
        ours=Sample(tuple(shares)),
        unit="%",
        figure=f"{whole.median:.1f} % of a core over {len(shares)} s (the busiest second {max(shares):.1f} %)",
        targets=(Target(f"at most {MOST:g} % of a core", whole.median, MOST),),
        how=f"processor time of the app and the parent that guards its terminal, second by second, at a "
        f"pseudo-terminal of 120x40, while mlp/quick trains in its own process; {SETTLING:g} s after the first chart.",
    )


def watched(terminal: Terminal, seconds: float) -> list[float]:
    """Return the share of a core, in percent, that the program and its children took in each second."""
    import psutil

    program = psutil.Process(terminal.program.pid)
    everyone = [program, *program.children(recursive=True)]
    found = []
    before, then = spent(everyone), time.perf_counter()
    for _ in range(round(seconds)):
        time.sleep(1.0)
        now, used = time.perf_counter(), spent(everyone)
        found.append(100 * (used - before) / (now - then))
        before, then = used, now
    return found


def spent(processes: list) -> float:  # type: ignore[type-arg]
    """Return the processor seconds of all of them."""
    return sum(sum(each.cpu_times()[:2]) for each in processes)

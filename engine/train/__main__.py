"""The trainer's process: ``python -P -m engine.train RUN_FOLDER``, or ``--warm`` to import first and read the folder
then.

Exit codes: 0 done or stopped by a person, 1 failed (the log's last event says why), 128 + signal when a signal ended
it.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from engine.catalog import LABS
from engine.core.ending import DETAILS
from engine.core.errors import LexigradError
from engine.core.events import Event, Failed, Started
from engine.core.processes import LINUX, end_with_parent, work_quietly
from engine.core.recipe import read_recipe

if TYPE_CHECKING:
    from engine.train.orders import Ending, Orders
    from engine.train.writer import RunWriter

EXPLAINED = {
    "PermissionError": "The folder of the run cannot be written.",
    "RecursionError": "The model calls itself without end.",
}


def main(arguments: list[str]) -> int:
    """Train the run that the arguments name; return the exit code."""
    let_threads_sleep()
    if not LINUX and os.getppid() > 1:
        end_with_parent(os.getppid())
    if arguments == ["--warm"]:
        work_quietly(warm_up)
        folder = sys.stdin.readline().strip()
        if not folder:
            return 0
    elif len(arguments) == 1 and not arguments[0].startswith("-"):
        folder = arguments[0]
    else:
        print("usage: python -m engine.train RUN_FOLDER | --warm", file=sys.stderr)
        return 2
    return train_run(Path(folder))


def let_threads_sleep() -> None:
    """Have torch's threads sleep while they wait for one another, before torch is imported.

    Usually they spin, and beside one busy core two spinning threads took 300 to 490 ms for a step that two sleeping
    ones did in 24.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("KMP_BLOCKTIME", "0")


def warm_up() -> None:
    """Import what every run needs, and make torch start its threads and kernels; no GPU is touched."""
    import torch

    import engine.train.assemble
    import engine.train.loop  # noqa: F401

    weight = torch.randn(64, 64, requires_grad=True)
    (torch.randn(64, 64) @ weight).square().mean().backward()


def train_run(folder: Path) -> int:
    """Carry out the run in `folder` to its end; an error becomes its last event, the traceback goes to the log."""
    from engine.train.orders import Orders
    from engine.train.writer import RunWriter

    orders = Orders(folder)
    orders.listen()
    try:
        writer = RunWriter(folder)
    except OSError as error:
        print(f"{folder} is no folder that a run can be written to ({error.strerror}).", file=sys.stderr)
        return 1
    try:
        ending = carry_out(folder, writer, orders)
    except Exception as error:
        traceback.print_exc()
        tell(writer, error)
        return 1
    finally:
        writer.close()
    return 128 + orders.signal if ending == "terminated" else 0


def carry_out(folder: Path, writer: RunWriter, orders: Orders) -> Ending:
    """Train, or compute what a lab asks for; return how it ended."""
    if read_recipe(folder).family in LABS:
        from engine.labs.workbench import compute

        return compute(folder, writer, orders)
    from engine.train.assemble import assemble
    from engine.train.loop import train

    return train(assemble(folder, writer, orders))


def tell(writer: RunWriter, error: Exception) -> None:
    """Make an error the last event of the log."""
    if isinstance(error, LexigradError):
        failed = Failed(what=error.what, remedy=error.remedy)
    else:
        what = EXPLAINED.get(type(error).__name__, f"Training broke off: {type(error).__name__}: {error}")
        failed = Failed(what=what, remedy=DETAILS)
    head: list[Event] = [] if writer.lines else [Started()]
    writer.emit(*head, failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

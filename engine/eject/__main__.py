"""The process that ejects: ``python -P -m engine.eject``, an order as JSON on its input, a report on its output."""

from __future__ import annotations

import signal
import sys
import traceback
from contextlib import redirect_stdout
from pathlib import Path

import msgspec

from engine.catalog import family
from engine.core.child import Ejection, answer_only
from engine.core.errors import LexigradError
from engine.core.spec import Value


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for."""

    family: str
    to: str
    preset: str = ""
    changes: dict[str, Value] = {}
    seed: int = 0
    learner: bool = False
    """Whether one file with a learner is wanted, not a folder."""


def main() -> int:
    """Carry out one order; asked to end, clear up first."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with answer_only() as out:
        request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
        with redirect_stdout(sys.stderr):
            ejection = carry_out(request)
        out.write(msgspec.json.encode(ejection))
    return ejection.code


def carry_out(request: Request) -> Ejection:
    """Eject, and say how it went."""
    try:
        from engine.eject.folder import Order, eject
        from engine.eject.one_file import write_learner

        if request.learner:
            write_learner(family(request.family), Path(request.to))
            return Ejection()
        order = Order(family=family(request.family), preset=request.preset, changes=request.changes, seed=request.seed)
        return Ejection(of=order.words, losses=eject(order, Path(request.to)).losses)
    except LexigradError as error:
        return Ejection(what=error.what, remedy=error.remedy, code=error.code)
    except Exception as error:
        traceback.print_exc()
        return Ejection(what=f"Ejecting broke off: {type(error).__name__}: {error}.", code=1)


if __name__ == "__main__":
    sys.exit(main())

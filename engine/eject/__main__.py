"""The process that ejects: ``python -P -m engine.eject``, an order as JSON on its input, a report on its output."""

from __future__ import annotations

import sys
import traceback
from contextlib import redirect_stdout
from pathlib import Path

import msgspec

from engine.catalog import family
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


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How it went."""

    losses: list[float] = []
    what: str = ""
    """What went wrong, and below what to do and the exit code; empty where nothing did."""
    remedy: str = ""
    code: int = 0


def main() -> int:
    """Carry out one order."""
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    with redirect_stdout(sys.stderr):
        report = carry_out(request)
    sys.stdout.buffer.write(msgspec.json.encode(report))
    return report.code


def carry_out(request: Request) -> Report:
    """Eject, and say how it went."""
    try:
        from engine.eject.folder import Order, eject
        from engine.eject.one_file import write_learner

        if request.learner:
            write_learner(family(request.family), Path(request.to))
            return Report()
        order = Order(family=family(request.family), preset=request.preset, changes=request.changes, seed=request.seed)
        return Report(losses=eject(order, Path(request.to)).losses)
    except LexigradError as error:
        return Report(what=error.what, remedy=error.remedy, code=error.code)
    except Exception as error:
        traceback.print_exc()
        return Report(what=f"Ejecting broke off: {type(error).__name__}: {error}.", code=1)


if __name__ == "__main__":
    sys.exit(main())

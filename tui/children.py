"""Asking a child process that answers once: it, and all that it starts, ends with the question."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress

from engine.core.own import clean
from engine.core.shims import environment

GRACE = 3.0
"""Seconds in which a child may clear up when nobody waits for its answer any more."""


def ask_child(command: Sequence[str], question: bytes, seconds: float | None = None) -> tuple[bytes, str]:
    """Return what a child answers, and the last line of its errors, or its exit code where it said nothing.

    Files take the place of pipes, which a process that the child leaves behind could hold open for ever.

    Args:
        command: that starts it.
        question: what it reads.
        seconds: that it may take.

    Raises:
        subprocess.TimeoutExpired: it took longer.
    """
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as errors:
        asked.write(question)
        asked.seek(0)
        child = subprocess.Popen(
            command, stdin=asked, stdout=answer, stderr=errors, env=environment(), start_new_session=True
        )
        try:
            code = child.wait(seconds)
        finally:
            if child.poll() is None:
                child.terminate()
                with suppress(subprocess.TimeoutExpired):
                    child.wait(GRACE)
            with suppress(OSError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        answer.seek(0)
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip().splitlines()
        return answer.read(), clean(said[-1]) if said else f"exit code {code}"

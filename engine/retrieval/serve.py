"""An index that is asked in JSON lines: ``python -P -m engine.retrieval.serve INDEX_FOLDER``.

One message a line on the input, one reply a line on the output; the first line out says what the index holds. It ends
at the end of its input. ``{"id": 1, "do": "index", "texts": "/my/notes"}`` makes or refreshes the index,
``{"id": 2, "do": "ask", "question": "..."}`` asks it; see `engine.retrieval.session`.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import BinaryIO

from engine.core.errors import LexigradError
from engine.retrieval.endpoint import Endpoint
from engine.retrieval.session import Message, Session

LONGEST_LINE = 1024 * 1024
"""Bytes of a message."""


def main(arguments: list[str]) -> int:
    """Serve the index that the argument names until the input ends."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python -P -m engine.retrieval.serve INDEX_FOLDER", file=sys.stderr)
        return 2
    try:
        serve(Path(arguments[0]), sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        # Nobody reads any more; what the interpreter would still flush at its end goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def serve(folder: Path, asking: BinaryIO, answering: BinaryIO) -> None:
    """Answer line after line until the input ends."""
    lock = threading.Lock()

    def tell(message: Message) -> None:
        line = json.dumps(message, ensure_ascii=True).encode() + b"\n"
        with lock:
            answering.write(line)
            answering.flush()

    endpoint, trouble = None, ""
    try:
        endpoint = Endpoint.of_environment()
    except LexigradError as error:
        trouble = str(error)
    session = Session(folder, tell, endpoint)
    session.begin()
    if trouble:
        tell({"note": f"{trouble} Answers are taken word for word."})
    while line := asking.readline(LONGEST_LINE):
        if not line.endswith(b"\n") and len(line) >= LONGEST_LINE:
            _skip_line(asking)
            line = b"too long"
        if not line.strip():
            continue
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        session.answer(message)


def _skip_line(asking: BinaryIO) -> None:
    """Read to the end of a line that is longer than any message."""
    while (piece := asking.readline(LONGEST_LINE)) and not piece.endswith(b"\n"):
        pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

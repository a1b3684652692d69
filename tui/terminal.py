"""What is made ready before the app takes the terminal."""

from __future__ import annotations

import logging
import logging.handlers
import os
import signal
from pathlib import Path
from types import FrameType

from engine.core import paths
from tui.render.safe import install_guards

LOG_BYTES = 1_000_000
LARGEST_TERMINAL = 500
"""Columns and rows beyond which a size from the environment is taken for a mistake."""


def prepare() -> None:
    """Guard every text sink, forget absurd sizes in the environment, end well on TERM and HUP."""
    install_guards()
    for name in ("COLUMNS", "LINES"):
        # The terminal itself knows its size; a stale or absurd value would pin the app to it.
        os.environ.pop(name, None)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)


def _leave(number: int, frame: FrameType | None) -> None:
    from textual._context import active_app

    app = active_app.get(None)
    if app is None:
        raise SystemExit(128 + number)
    app.call_later(app.exit, None, 128 + number)


def keep_log() -> Path | None:
    """Write the app's own errors to ``app.log`` in its home; None where none can be written."""
    try:
        path = paths.home() / "app.log"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handler = logging.handlers.RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8")
    except OSError:
        return None
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger("lexigrad")
    logger.addHandler(handler)
    logger.propagate = False
    return path

"""The process that holds an index, asked from a screen: one line of JSON out, lines of JSON back."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from engine.core import paths

LONGEST_LINE = 16 * 1024 * 1024
"""Bytes of a reply."""
PATIENCE = 2.0
"""Seconds that it has to end by itself."""
OWN_WORDS = ("Check yourself", "Further reading")
"""Sections of an entry that are no answer to anything: wrong choices of a quiz, titles of papers."""


def glossary() -> Path:
    """Return the folder of the entries that ship with Lexigrad."""
    return Path(str(files("glossary"))) / "entries"


def index_folder(texts: Path) -> Path:
    """Return where the index of a folder is kept; a folder somewhere else is another index."""
    name = hashlib.blake2b(os.fsencode(texts.absolute()), digest_size=8).hexdigest()
    return paths.home() / "indexes" / name


def embedder() -> str:
    """Return the sentence-embedding model that ``LEXIGRAD_EMBEDDER`` names, or the vectors that are learned here."""
    return os.environ.get("LEXIGRAD_EMBEDDER", "").strip() or "lsa"


class Asked:
    """One such process. It ends when its input is closed, at the latest when the app ends."""

    def __init__(self, texts: Path, server: list[str] | None = None) -> None:
        """Prepare to ask about a folder of texts; `server` replaces the command (tests)."""
        self.texts = texts
        self._command = [*(server or [sys.executable, "-P", "-m", "engine.retrieval.serve"]), str(index_folder(texts))]
        self._process: asyncio.subprocess.Process | None = None
        self._number = 0

    @property
    def lives(self) -> bool:
        """Whether it can be asked."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start the process.

        Raises:
            OSError: it cannot be started.
        """
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=LONGEST_LINE,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            start_new_session=True,
        )

    async def replies(self) -> AsyncIterator[dict[str, Any]]:
        """Yield what it says until it ends; lines that are no object are passed over."""
        assert self._process is not None and self._process.stdout is not None
        while True:
            try:
                line = await self._process.stdout.readline()
            except ValueError:
                continue
            if not line:
                return
            try:
                reply = json.loads(line)
            except ValueError:
                continue
            if isinstance(reply, dict):
                yield reply

    def send(self, do: str, **words: Any) -> int:
        """Send one message and return its number; nothing where the process has ended."""
        self._number += 1
        if self.lives and self._process is not None and self._process.stdin is not None:
            line = json.dumps({"id": self._number, "do": do, **words}).encode() + b"\n"
            self._process.stdin.write(line)
        return self._number

    async def close(self) -> None:
        """Close its input; where it does not end by itself, end it."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), PATIENCE)
        except TimeoutError:
            process.kill()
            await process.wait()

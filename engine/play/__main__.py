"""The process of one open playground: ``python -P -m engine.play RUN_FOLDER``, JSON lines on standard input and output.

A request is ``{"play": "complete", "settings": {...}}``; its answer is the events that the play yields, each a line as
in a run's log, ended by ``finished`` or ``failed``. The model is opened once, by the first request.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from engine.catalog import family
from engine.core.errors import LexigradError
from engine.core.events import Event, Failed, Finished, encode
from engine.core.recipe import read_recipe
from engine.core.spec import Family, Value


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a model."""

    play: str = ""
    """Empty for the usual one of the family."""
    settings: dict[str, Value] = {}


def main(arguments: list[str]) -> int:
    """Answer requests until standard input ends; the exit code is 1 where the last of them failed."""
    if len(arguments) not in (1, 2):
        print("usage: python -m engine.play RUN_FOLDER [DEVICE]", file=sys.stderr)
        return 2
    out, failed = sys.stdout.buffer, False
    with redirect_stdout(sys.stderr):  # what a library prints is no answer
        player = Player(Path(arguments[0]), *arguments[1:])
        for line in sys.stdin.buffer:
            failed = not answered(player, line, out)
    return int(failed)


def answered(player: Player, line: bytes, out: BinaryIO) -> bool:
    """Answer one request; return whether it succeeded."""
    last: Event = Finished()
    try:
        for event in player.play(msgspec.json.decode(line, type=Request)):
            out.write(encode(event))
            out.flush()
    except LexigradError as error:
        last = Failed(what=error.what, remedy=error.remedy)
    except msgspec.DecodeError as error:
        last = Failed(what=f"This is no request: {error}.", remedy='Example: {"play": "complete", "settings": {}}')
    except Exception as error:
        traceback.print_exc()
        last = Failed(what=f"The play broke off: {type(error).__name__}: {error}", remedy="")
    out.write(encode(last))
    out.flush()
    return isinstance(last, Finished)


class Player:
    """One run's model; torch is imported when the first request needs it."""

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        self.folder = folder
        self.device = device
        self._learner: Any = None

    def _family(self) -> Family:
        recipe = read_recipe(self.folder)
        if recipe.own is None:
            return family(recipe.family)
        from engine.train.own_file import family_to_train

        return family_to_train(self.folder, recipe)

    def play(self, request: Request) -> Iterator[Event]:
        """Yield the answer to a request.

        Raises:
            LexigradError: the family has no such play, a setting is wrong, or the model cannot be opened.
        """
        play = self._family().play(request.play)
        settings = play.settings.of(request.settings)
        if self._learner is None:
            from engine.play.opened import open_model

            self._learner = open_model(self.folder, self.device)
        from engine.train.evaluate import looking_at

        module, _, name = play.act.partition(":")
        with looking_at(self._learner):
            yield from getattr(import_module(module), name)(self._learner, settings)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

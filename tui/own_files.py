"""Training a person's own file: asked once whether it may run, described by a child process, never imported here."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine.core import paths
from engine.core.child import Description
from engine.core.errors import DataError, RunError, UsageError
from engine.core.files import read_inside
from engine.core.own import LARGEST_FILE, Own, digest_of, family_of_own, is_trusted, kept_at, trust
from engine.core.spec import Family, Preset
from engine.core.store import Run
from tui.children import ask_child
from tui.render.safe import safe

SECONDS = 60.0
"""That a file may take to be imported."""
COMMAND = (sys.executable, "-P", "-m", "engine.train.describe")
_FILE = re.compile(r"(?P<path>.+\.py)(?:/(?P<preset>[^/]+))?", re.DOTALL)
MEANING = (
    "It is a program, and will run as you: it can read, change and send whatever you can. "
    "Lexigrad remembers your answer for this very file; once it changes, you are asked again."
)


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A file with a learner, as it was when it was read."""

    own: Own
    content: bytes

    @property
    def family(self) -> Family:
        """What it says of itself."""
        return family_of_own(self.own)

    @property
    def files(self) -> dict[str, bytes]:
        """What goes into the run's folder, by address."""
        return {kept_at(self.own): self.content}

    def preset(self, name: str) -> Preset:
        """Return the preset of that name; the quick one, or the first, where none is named.

        Raises:
            UsageError: there is none.
        """
        presets = self.family.presets
        if not presets:
            raise UsageError(f"{self.own.stem}.py has no preset.", "Give its FAMILY at least one.")
        usual = Family.COMMON if any(each.name == Family.COMMON for each in presets) else presets[0].name
        return self.family.preset(name or usual)


def file_target(text: str) -> tuple[Path, str] | None:
    """Return path and preset of ``./mine.py/quick``; None where a family is meant.

    Raises:
        UsageError: the path begins with the home of nobody.
    """
    found = _FILE.fullmatch(text)
    return (paths.expanded(found["path"]), found["preset"] or "") if found else None


def open_file(path: Path, *, trusted: bool) -> OwnFile:
    """Return a file with a learner, once a person trusts it.

    Args:
        path: of the file.
        trusted: whether the command line says so.

    Raises:
        UsageError: it is no file with a learner, or nobody has said that it may run.
        DataError: it cannot be read.
        RunError: it breaks off while it is imported.
    """
    if not path.stem.isidentifier():
        raise UsageError(f"{path.name} has a name that Python cannot import.", "Use letters, digits and underscores.")
    try:
        if not path.is_file():
            raise UsageError(f"There is no file {path}.", "Name a Python file with a learner, such as ./mine.py.")
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}).", "Check the file.") from None
    if len(content) > LARGEST_FILE:
        raise UsageError(f"{path.name} is longer than {LARGEST_FILE:,} bytes.", "It is not read.")
    digest = digest_of(content)
    known = is_trusted(digest)
    if not known and not trusted:
        ask(path, digest)
    described = describe(content, path.absolute())
    if described.digest != digest:
        raise RunError(f"The description of {path.name} is of another file.", "Try again.")
    file_found = OwnFile(described, content)
    _ = file_found.family
    if not known:
        trust(digest, path.absolute())
    return file_found


def ask(path: Path, digest: str, word: str = "--trust") -> None:
    """Ask whether a file may run; `word` is what says so where there is nobody to ask.

    Raises:
        UsageError: there is nobody to ask, or the answer is no.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"{path} is a program that nobody has trusted yet.", f"Read it; if you trust it, say {word}.")
    print(safe(f"{path.absolute()}\nSHA-256 {digest}\n{MEANING}"), file=sys.stderr)
    print("Run it? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError(f"{path} was not run.", "Nothing was started.")


def describe(content: bytes, path: Path) -> Own:
    """Return what a file says of itself, told by a child process that runs it.

    Raises:
        LexigradError: it cannot be used, with the words of the child.
    """
    try:
        told, said = ask_child((*COMMAND, str(path)), content, SECONDS)
    except subprocess.TimeoutExpired:
        raise RunError(
            f"{path.name} takes more than {SECONDS:.0f} s to be imported.", "A file with a learner only defines."
        ) from None
    try:
        answer = msgspec.json.decode(told, type=Description)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise RunError(f"{path.name} could not be described: {said}.", "A file with a learner only defines.") from None
    answer.check()
    if answer.own is None:
        raise RunError(f"{path.name} was not described.", "Try again.")
    return answer.own


def trust_kept(run: Run, *, trusted: bool) -> Path:
    """Let the file that a run trains, which came with its folder, run on this machine; return where it lies.

    Args:
        run: of the file.
        trusted: whether the command line says so; else it is asked.

    Raises:
        UsageError: the run is of no such file, or the answer is no.
        RunError: the file is missing, is not that of the recipe, or the answer cannot be remembered.
    """
    own = run.recipe.own
    if own is None:
        raise UsageError(f"{run.id} is of no file of your own.", "Nothing has to be trusted.")
    path = run.folder / kept_at(own)
    try:
        digest = digest_of(read_inside(run.folder, kept_at(own), LARGEST_FILE))
    except OSError as error:
        raise RunError(f"{path} cannot be read ({error.strerror}).", "Copy the run anew.") from None
    if digest != own.digest:
        raise RunError(f"{path} is not the file that this run began with.", "Copy the run anew.")
    if not is_trusted(digest):
        if not trusted:
            ask(path, digest, "--yes")
        trust(digest, path)
    return path

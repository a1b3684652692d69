"""A person's own file with a learner, run: its family as it is, from the copy in a run's folder."""

from __future__ import annotations

import dataclasses
import io
import sys
import traceback
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any

from engine.catalog import family as family_named
from engine.core.errors import LexigradError, RunError, UsageError
from engine.core.files import read_inside
from engine.core.own import LARGEST_FILE, PREFIX, digest_of, is_trusted, kept_at
from engine.core.recipe import Recipe
from engine.core.spec import Family, Metric, Panel, Preset, Spec
from engine.train.learner import Learner

NAMED = "lexigrad_own_"
"""Before the name under which a file is imported, which its digest follows."""

PANELS = (
    Panel(events=("train/loss", "valid/loss"), kind="line", title="Loss"),
    Panel(events=("learning_rate",), kind="line", title="Learning rate", entry="learning-rate"),
    Panel(events=("gradient_norm",), kind="line", title="Gradient norm", entry="exploding-gradient-and-clipping"),
)
"""Of a file that declares no family."""


def family_to_train(folder: Path, recipe: Recipe) -> Family:
    """Return the family of a run, with its very spec and learner; a file of a person's own runs for it.

    Raises:
        UsageError: there is no such family.
        RunError: the file is not that of the recipe, is not trusted on this machine, or breaks off.
    """
    own = recipe.own
    if own is None:
        return family_named(recipe.family)
    address = kept_at(own)
    try:
        content = read_inside(folder, address, LARGEST_FILE)
    except OSError as error:
        raise RunError(f"{address} of {folder.name} cannot be read ({error.strerror}).", "Copy the run anew.") from None
    digest = digest_of(content)
    if digest != own.digest:
        raise RunError(f"{address} of {folder.name} is not the file that this run began with.", "Start a new run.")
    if not is_trusted(digest):
        raise RunError(
            f"{address} of {folder.name} is a program that nobody has trusted on this machine.",
            f"Read it; if you trust it: lexigrad runs trust {folder.name}",
        )
    return family_in(load_file(content, folder / address), own.stem)


def load_file(content: bytes, path: Path) -> ModuleType:
    """Run a file as a module of a name of its own; its folder is not searched for modules.

    Raises:
        UsageError: it is no Python, or has no place for a learner.
        RunError: it breaks off, or prints.
    """
    name = NAMED + digest_of(content)[:16]
    if name in sys.modules:
        return sys.modules[name]
    try:
        code = compile(content, str(path), "exec")
    except (SyntaxError, ValueError) as error:
        line, said = "", str(error)
        if isinstance(error, SyntaxError):
            line, said = f", line {error.lineno}" if error.lineno else "", error.msg
        raise UsageError(f"{path.name}{line} cannot be used: {said}.", "Mend it, and try again.") from None
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    try:
        with redirect_stdout(Mute(path)):
            exec(code, module.__dict__)
    except LexigradError:
        del sys.modules[name]
        raise
    except BaseException as error:
        del sys.modules[name]
        what = f"{path.name}{line_of(error, path)} breaks off: {type(error).__name__}: {error}."
        raise RunError(what, "A file with a learner defines, and does nothing else.") from None
    return module


class Mute(io.TextIOBase):
    """Where a file may not print."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, text: str) -> int:
        """Refuse what the file itself prints; what a library prints goes to the log."""
        frame = sys._getframe(1)
        if frame.f_code.co_filename == str(self.path):
            what = f"{self.path.name}, line {frame.f_lineno}, prints while it is imported."
            raise RunError(what, "A file with a learner defines, and does nothing else.")
        return sys.stderr.write(text)


def line_of(error: BaseException, path: Path) -> str:
    """Return the last line of the file that an error went through: ``, line 3``."""
    lines = [
        each.lineno for each in traceback.extract_tb(error.__traceback__) if each.filename == str(path) and each.lineno
    ]
    return f", line {lines[-1]}" if lines else ""


def family_in(module: ModuleType, stem: str) -> Family:
    """Return the family that a file declares, or one made from its only learner and spec.

    Raises:
        UsageError: it has neither.
    """
    declared = getattr(module, "FAMILY", None)
    name = f"{PREFIX}{stem}"
    if isinstance(declared, Family):
        where, _, kind = declared.learner.partition(":")
        if where in ("", module.__name__) and not hasattr(module, kind):
            raise UsageError(
                f"{stem}.py has no learner '{kind}', which its FAMILY names.", "Define it, or name another."
            )
        plays = tuple(
            dataclasses.replace(each, act=f"{module.__name__}{each.act}") if each.act.startswith(":") else each
            for each in declared.plays
        )
        return dataclasses.replace(
            declared, name=name, learner=f"{where or module.__name__}:{kind}", code=(), plays=plays
        )
    learner, spec = only(module, Learner, stem), only(module, Spec, stem)
    data = next((str(each.default) for each in spec.knobs() if each.name == "data"), "")
    told = (learner.__doc__ or f"The learner of {stem}.py.").strip().split("\n\n")[0]
    return Family(
        name=name,
        title=learner.__name__,
        summary=" ".join(told.split()),
        entry="",
        spec=spec,
        presets=(Preset(name=Family.COMMON, help="The values that the file has.", knobs={}),),
        panels=PANELS,
        headline=(Metric(name="valid/loss", title="Loss"),),
        code=(),
        learner=f"{module.__name__}:{learner.__name__}",
        data=(data,) if data else (),
        own_data="a file or folder",
    )


def only(module: ModuleType, base: Any, stem: str) -> Any:
    """Return the class of a file that inherits from `base`; of several the one that no other inherits from.

    Raises:
        UsageError: there is none, or it is not clear which.
    """
    own = [
        each for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, base) and each.__module__ == module.__name__
    ]  # fmt: skip
    last = [each for each in own if not any(other is not each and issubclass(other, each) for other in own)]
    if len(last) == 1:
        return last[0]
    found = "no" if not last else "more than one"
    raise UsageError(
        f"{stem}.py has {found} {base.__name__}.", "Define one of each, Learner and Spec, or a FAMILY that names them."
    )

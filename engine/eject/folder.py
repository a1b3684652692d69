"""The ejected folder: written beside its place, tried out, then put there whole."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from engine.core.errors import DataError, UsageError
from engine.core.spec import Family, Spec, Value
from engine.eject import page
from engine.eject.emit import Emitter, file_names
from engine.eject.keep_data import DataFiles
from engine.eject.modules import Key
from engine.eject.observe import Observed, observe
from engine.eject.shake import Shaken
from engine.eject.source import parse_source

CLOSE = 1e-6
"""Relative difference of a loss that is still the same loss."""
LONGEST = 300.0
"""Seconds that the trial may take."""
ALWAYS: tuple[Key, ...] = (
    ("engine.train.learner", "Setting"),
    ("engine.train.schedule", "learning_rate_scale"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be ejected."""

    family: Family
    preset: str
    changes: dict[str, Value]
    seed: int

    @property
    def spec(self) -> Spec:
        """The values of the knobs."""
        return self.family.configure(self.preset, self.changes)

    @property
    def target(self) -> str:
        """``family/preset``."""
        return f"{self.family.name}/{self.preset}"


def eject(order: Order, to: Path) -> Observed:
    """Write the folder `to`, and return what was observed of the training that it repeats.

    Raises:
        UsageError: the family cannot be cut out, or the place is taken.
        DataError: the folder cannot be written.
    """
    require_free(to)
    observed = observe(order.family, order.spec, order.seed)
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{to.name}.", dir=to.parent))
    except OSError as error:
        raise DataError(f"{to} cannot be written ({error.strerror}).", "Name another folder with --to.") from None
    try:
        write(order, observed, made)
        require_same(order, observed, try_out(made, len(observed.losses)))
        shutil.rmtree(made / "__pycache__", ignore_errors=True)
        made.chmod(0o755)
        if to.is_dir():
            to.rmdir()
        made.rename(to)
    except OSError as error:
        raise DataError(f"{to} cannot be written ({error.strerror}).", "Name another folder with --to.") from None
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return observed


def require_free(to: Path) -> None:
    """Raise UsageError where something lies at the place of the folder already."""
    if to.is_symlink() or (to.exists() and not (to.is_dir() and not any(to.iterdir()))):
        raise UsageError(f"{to} exists already.", "Name another folder with --to, or remove it.")


def write(order: Order, observed: Observed, folder: Path) -> None:
    """Write all files of the folder."""
    family, spec = order.family, order.spec
    module, _, learner = family.learner.partition(":")
    spec_key = (family.spec.__module__, family.spec.__name__)
    kinds = DataFiles.kinds(observed.data)
    shaken = Shaken(
        seen=observed.seen,
        model=f"{spec_key[0].rpartition('.')[0]}.model",
        spec=spec_key,
        knobs=frozenset(each.name for each in spec.knobs()),
        roots=frozenset({(module, learner), spec_key, *ALWAYS, *kinds}),
        data=frozenset({(type(observed.data).__module__, type(observed.data).__name__)}),
    )
    names = page.Names("", "", "", learner, spec_key[1])
    shaken.read(parse_source("train", page.training(order.target, names, order.seed, 1)))
    shaken.shake()
    files = file_names({each for each, _ in shaken.kept}, spec_key[0])
    data = DataFiles(observed.data, shaken.loads, files)
    names = page.Names(files[ALWAYS[0][0]], files[ALWAYS[1][0]], files[module], learner, spec_key[1])
    emitter = Emitter(shaken, files, spec, page.run_of(order.target, order.changes, order.seed))
    for kept in files:
        (folder / f"{files[kept]}.py").write_text(emitter.text(kept), encoding="utf-8")
    (folder / "data.py").write_text(data.source(f"the data set {spec.data}"), encoding="utf-8")
    data.write(folder)
    training = page.training(order.target, names, order.seed, observed.total_steps)
    (folder / "train.py").write_text(training, encoding="utf-8")
    (folder / "pyproject.toml").write_text(page.PROJECT, encoding="utf-8")
    of = page.run_of(order.target, order.changes, order.seed)
    told = {f"{files[kept]}.py": emitter.docstring(kept) for kept in sorted(files, key=lambda each: files[each])}
    (folder / "README.md").write_text(page.readme(family, of, told, observed.losses), encoding="utf-8")


def try_out(folder: Path, steps: int) -> list[float]:
    """Return the losses that the folder comes to, in an interpreter that has torch and nothing of ours.

    Raises:
        UsageError: it breaks off.
    """
    alone = {"PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONSAFEPATH": ""}
    try:
        done = subprocess.run(
            [sys.executable, "train.py", str(steps)],
            cwd=folder, env={**os.environ, **alone}, capture_output=True, text=True, timeout=LONGEST, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise UsageError("The ejected folder took too long to try out.", "Eject a smaller preset.") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise _cannot(f"the folder breaks off: {last}")
    return [float(line.split()[1]) for line in done.stdout.splitlines()]


def require_same(order: Order, observed: Observed, losses: list[float]) -> None:
    """Raise UsageError where the folder does not come to the losses of the product."""
    pairs = zip(observed.losses, losses, strict=False)
    if len(losses) != len(observed.losses) or any(abs(a - b) > CLOSE * max(1e-12, abs(a)) for a, b in pairs):
        raise _cannot(f"the folder comes to other losses than {order.target}")


def _cannot(why: str) -> UsageError:
    return UsageError(
        f"This cannot be ejected: {why}.", "Use `lexigrad eject NAME --learner` for a file that builds on the engine."
    )

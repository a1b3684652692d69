"""The ejected folder: written beside its place, tried out, then put there whole."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from engine.core.errors import DataError, RunError, UsageError
from engine.core.own import clean
from engine.core.spec import Family, Spec, Value
from engine.data.table import TABLE
from engine.eject import page
from engine.eject.emit import Emitter, file_names
from engine.eject.keep_data import DataFiles
from engine.eject.modules import Key
from engine.eject.observe import Observed, observe
from engine.eject.shake import Shaken
from engine.eject.source import parse_source

CLOSE = 1e-6
"""Relative difference of a loss that is still the same loss."""
LONGEST_NAME = 60
"""Characters of the name of a person's own data that the folder tells."""
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
    def shown(self) -> Spec:
        """The values that the folder tells; of data of a person's own it tells the name, not where they lie."""
        spec = self.spec
        return spec if spec.data in TABLE else replace(spec, data=clean(Path(spec.data).name)[:LONGEST_NAME])

    @property
    def words(self) -> str:
        """The run that the folder repeats: ``mlp/quick width=8, seed 1``."""
        shown = self.shown.values()
        changes = {name: shown[name] for name in self.changes}
        return page.run_of(f"{self.family.name}/{self.preset}", changes, self.seed)


def eject(order: Order, to: Path) -> Observed:
    """Write the folder `to`, and return what was observed of the training that it repeats.

    Raises:
        UsageError: the family cannot be cut out, or the place is taken.
        DataError: the folder cannot be written.
        RunError: a loss is not finite, or the folder breaks off, takes too long or comes to other losses.
    """
    require_free(to)
    observed = observe(order.family, order.spec, order.seed)
    require_finite(order, observed.losses)
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
    shaken.read(parse_source("train", page.training(order.words, names, order.seed, 1)))
    shaken.shake()
    files = file_names({each for each, _ in shaken.kept}, spec_key[0])
    data = DataFiles(observed.data, shaken.loads, files)
    names = page.Names(files[ALWAYS[0][0]], files[ALWAYS[1][0]], files[module], learner, spec_key[1])
    emitter = Emitter(shaken, files, order.shown, order.words)
    for kept in files:
        (folder / f"{files[kept]}.py").write_text(emitter.text(kept), encoding="utf-8")
    (folder / "data.py").write_text(data.source(f"the data set {order.shown.data}"), encoding="utf-8")
    data.write(folder)
    training = page.training(order.words, names, order.seed, observed.total_steps)
    (folder / "train.py").write_text(training, encoding="utf-8")
    (folder / "pyproject.toml").write_text(page.PROJECT, encoding="utf-8")
    told = {f"{files[kept]}.py": emitter.docstring(kept) for kept in sorted(files, key=lambda each: files[each])}
    (folder / "README.md").write_text(page.readme(family, order.words, told, observed.losses), encoding="utf-8")


def try_out(folder: Path, steps: int) -> list[float]:
    """Return the losses that the folder comes to, in an interpreter that has torch and nothing of ours.

    Raises:
        RunError: it breaks off, or takes too long.
    """
    alone = {"PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONSAFEPATH": ""}
    try:
        done = subprocess.run(
            [sys.executable, "train.py", str(steps)],
            cwd=folder, env={**os.environ, **alone}, capture_output=True, text=True, timeout=LONGEST, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise RunError("The ejected folder took too long to try out.", "Eject a smaller preset.") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise _cannot(f"the folder breaks off: {last}")
    return [float(line.split()[1]) for line in done.stdout.splitlines()]


def require_finite(order: Order, losses: list[float]) -> None:
    """Raise RunError where a loss is not a finite number: a folder could not be told to train the same."""
    step = next((step for step, loss in enumerate(losses, start=1) if not math.isfinite(loss)), 0)
    if step:
        raise RunError(f"The loss of {order.words} is {losses[step - 1]} at step {step}.", "Lower the learning rate.")


def require_same(order: Order, observed: Observed, losses: list[float]) -> None:
    """Raise RunError where the folder does not come to the losses of the product."""
    same = [abs(a - b) <= CLOSE * max(1e-12, abs(a)) for a, b in zip(observed.losses, losses, strict=False)]
    if len(losses) != len(observed.losses) or not all(same):
        raise _cannot(f"the folder comes to other losses than {order.words}")


def _cannot(why: str) -> RunError:
    return RunError(
        f"This cannot be ejected: {why}.", "Use `lexigrad eject NAME --learner` for a file that builds on the engine."
    )

"""``lexigrad run FAMILY[/PRESET]``: train a model; in the app where there is a terminal, else as lines or events."""

from __future__ import annotations

import argparse
import re
from collections import Counter
from dataclasses import replace

import msgspec

from engine.catalog import RunTarget, check_seed, parse_assignments, parse_target
from engine.core import paths
from engine.core.errors import DataError, UsageError, suggest
from engine.core.launcher import Launcher
from engine.core.recipe import Asked, Recipe
from engine.core.spec import Family
from engine.core.store import RunStore
from engine.data.files import how_to_get, missing
from engine.data.table import TABLE
from tui.attend import tell, telling_arguments
from tui.own_files import file_target, open_file
from tui.recipes import latest_finished, recipe_of

EXAMPLES = """examples:
  lexigrad run mlp                        the quick preset, in the app
  lexigrad run mlp/quick --plain          the same as lines of text
  lexigrad run cnn/real --data mnist --set learning_rate=0.01 --seed 1
  lexigrad run gpt/quick --json | jq .    every event of the run, one a line
  lexigrad run cnn/real --detach          start it, print its id, and leave
  lexigrad run ./mine.py                  a learner of your own (see lexigrad eject NAME --learner)

A run is a process of its own: it goes on when the app or this command is closed. Ctrl+C stops it with a checkpoint.
Exit codes: 0 it reached its end, 1 it failed, 2 wrong usage, 130 stopped by Ctrl+C, 143 by TERM."""

_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
PRECISIONS = ("auto", "float32", "bfloat16")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.epilog = EXAMPLES
    parser.add_argument("target", metavar="FAMILY[/PRESET]", help="what to train; a path trains a file of your own")
    parser.add_argument("--set", metavar="KNOB=VALUE", action="append", default=[], help="turn a knob; repeat for more")
    parser.add_argument(
        "--data", metavar="NAME", default="", help="a data set of `lexigrad data`, or a path (./my.csv)"
    )
    parser.add_argument("--from", metavar="RUN", dest="start", default="", help="start from the weights of this run")
    parser.add_argument(
        "--seed", metavar="N", type=int, default=0, help="of all chance in the run (default: %(default)s)"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 or mps (default: %(default)s)")
    parser.add_argument("--precision", choices=PRECISIONS, default="auto", help="of the arithmetic (default: auto)")
    parser.add_argument("--threads", metavar="N", type=int, default=0, help="of the CPU; 0: what is fastest here")
    parser.add_argument("--trust", action="store_true", help="let a file of your own run; it is asked only once")
    telling_arguments(parser)


def act(options: argparse.Namespace) -> int:
    """Start the run and show it the way that was asked for."""
    store = RunStore(paths.runs_folder())
    named = file_target(options.target)
    file = open_file(named[0], trusted=options.trust) if named else None
    family, preset = (file.family, file.preset(named[1])) if file and named else parse_target(options.target)
    recipe = recipe_from(options, RunTarget(family, preset, {}), store)
    if file is not None:
        recipe = msgspec.structs.replace(recipe, own=file.own)
    launcher = Launcher(store)
    try:
        return tell(launcher, lambda: launcher.start(recipe, file.files if file else None), options)
    finally:
        launcher.close()


def recipe_from(options: argparse.Namespace, of: RunTarget, store: RunStore) -> Recipe:
    """Return the recipe that the words of the command line amount to, `of` a family and a preset.

    Raises:
        UsageError: an unknown knob, data set or device, or a value out of its range.
        DataError: the data are not on this machine.
        RunError: there is no run to start from.
    """
    family, preset = of.family, of.preset
    words = [*options.set, *([f"data={options.data}"] if options.data else [])]
    changes, rest = parse_assignments(family.name, family.spec, once_each(words))
    for name in rest:
        raise UsageError(f"'{name}' is no knob.", f"Say --{name} {rest[name]}.")
    seed = check_seed(str(options.seed))
    if options.threads < 0:
        raise UsageError("--threads is a whole number of at least 0.")
    if not _DEVICE.fullmatch(options.device):
        raise UsageError(f"'{options.device}' is no device.", "Use auto, cpu, cuda, cuda:1 or mps.")
    target = RunTarget(family, preset, changes, preset.start, seed)
    changes["data"] = data_for(family, str(target.spec.data))
    asked = Asked(device=options.device, threads=options.threads, precision=options.precision)
    return recipe_of(replace(target, changes=changes), start=start_of(target, options.start, store), asked=asked)


def once_each(words: list[str]) -> list[str]:
    """Return the assignments, each knob set once."""
    times = Counter(word.partition("=")[0].strip() for word in words)
    for name, count in times.items():
        if count > 1:
            raise UsageError(f"{name} is set {count} times.", "Give it one value; a run a value compares them.")
    return words


def data_for(family: Family, name: str) -> str:
    """Return the data to train on as the recipe names them; a path becomes absolute.

    Raises:
        UsageError: the family does not train on data of that name.
        DataError: they are not on this machine.
    """
    if not name:
        raise UsageError(f"{family.name} is not told what to train on.", "Say --data, or give the knob data a default.")
    if name in family.data and name in TABLE:
        row = TABLE[name]
        if missing(row):
            raise DataError(f"{row.title} is not on this machine.", how_to_get(row))
        return name
    path = paths.expanded(name)
    if not (path.suffix or "/" in name):
        raise UsageError(f"{family.name} does not train on '{name}'.", suggest(name, list(family.data)))
    if not family.own_data and name not in family.data:
        raise UsageError(f"{family.name} takes no data of your own.", f"Known: {', '.join(family.data)}.")
    if not path.exists():
        known = f"Name {family.own_data or 'a path'}, or a data set of `lexigrad data`."
        raise DataError(f"There is no {path}.", known)
    return str(path.absolute())


def start_of(target: RunTarget, asked: str, store: RunStore) -> str:
    """Return the id of the run to start from; empty where it starts from scratch.

    Raises:
        RunError: there is no such run.
        UsageError: it has no weights to start from, or the preset needs a run and there is none.
    """
    if asked:
        run = store.open(asked)
        if run.ending().saved is None:
            raise UsageError(f"{run.id} has no checkpoint to start from.", "Name a run that has reached its end.")
        return run.id
    if not target.start:
        return ""
    found = latest_finished(target.start, store.runs())
    if not found:
        needs = f"{target.name} starts from a finished run of {target.start}, and there is none."
        raise UsageError(needs, f"Train it first: lexigrad run {target.start}")
    return found

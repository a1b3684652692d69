"""``lexigrad eject NAME[/PRESET]``: a folder that trains the same with torch alone, or one file with a learner."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

import msgspec

from engine.catalog import RunTarget, check_seed, parse_assignments, parse_target
from engine.core import paths
from engine.core.child import Ejection
from engine.core.errors import RunError, UsageError
from engine.core.spec import Value
from tui.children import ask_child
from tui.render.safe import safe
from tui.verbs.run import data_for, once_each

EXAMPLES = """examples:
  lexigrad eject mlp                            the folder mlp-quick: model, data, loop, with torch alone
  lexigrad eject gpt/real --to mine             another preset, into the folder mine
  lexigrad eject gpt --set layers=2 --seed 1    with other values of the knobs
  lexigrad eject cnn --learner --to mine.py     one file with spec, model and learner, to be changed
  lexigrad run ./mine.py                        ... and trained with all panels

The folder is tried out before it is yours: on one thread of a CPU, in single precision, its first losses are those of
the run that it repeats."""

COMMAND = (sys.executable, "-P", "-m", "engine.eject")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.epilog = EXAMPLES
    parser.add_argument("target", metavar="FAMILY[/PRESET]", help="what to eject; the quick preset where none is named")
    parser.add_argument("--to", metavar="PLACE", default="", help="the folder, or with --learner the file, to write")
    parser.add_argument("--set", metavar="KNOB=VALUE", action="append", default=[], help="turn a knob; repeat for more")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of all chance (default: %(default)s)")
    parser.add_argument("--learner", action="store_true", help="write one file that builds on lexigrad instead")


def act(options: argparse.Namespace) -> int:
    """Write the folder or the file."""
    family, preset = parse_target(options.target)
    if options.learner:
        if options.set or options.seed:
            raise UsageError("A file with a learner has its own presets.", "Leave --set and --seed to `lexigrad run`.")
        to = paths.expanded(options.to or f"{family.name.replace('-', '_')}_mine.py")
        if to.suffix != ".py" or not to.stem.isidentifier():
            raise UsageError(f"'{to.name}' is no name of a Python module.", "Use --to mine.py.")
        eject({"family": family.name, "to": str(to.absolute()), "learner": True})
        print(safe(f"{to}: change it, and train it with `lexigrad run {_named(to)}`."))
        return 0
    if preset.start:
        raise UsageError(
            f"{family.name}/{preset.name} starts from a run of {preset.start}, which no folder can have.",
            f"Eject {preset.start}, or use --learner.",
        )
    seed = check_seed(str(options.seed))
    changes = changes_from(RunTarget(family, preset, {}, seed=seed), options.set)
    to = paths.expanded(options.to or f"{family.name}-{preset.name}")
    order = {"family": family.name, "preset": preset.name, "changes": changes, "seed": seed}
    done = eject({**order, "to": str(to.absolute())})
    print(safe(f"{to} trains as {done.of} does: its first {len(done.losses)} losses are the same."))
    print(safe(f"  cd {shlex.quote(str(to))} && python train.py"))
    return 0


def changes_from(target: RunTarget, words: list[str]) -> dict[str, Value]:
    """Return the knobs that the words turn, with data that are on this machine.

    Raises:
        UsageError: a word is no assignment, or its value is out of range.
        DataError: the data are not here.
    """
    changes, rest = parse_assignments(target.family.name, target.family.spec, once_each(words))
    for name in rest:
        raise UsageError(f"'{name}' is no knob.", "Say --seed for the seed; an ejected run starts from scratch.")
    spec = target.family.configure(target.preset.name, changes)
    found = data_for(target.family, str(spec.data))
    return {**changes, "data": found} if "data" in changes else changes


def _named(path: Path) -> str:
    return shlex.quote(str(path) if "/" in str(path) else f"./{path}")


def eject(order: dict[str, object]) -> Ejection:
    """Have a child process write it; the app never imports torch.

    Raises:
        LexigradError: it could not, with the words of the child.
    """
    told, said = ask_child(COMMAND, msgspec.json.encode(order))
    try:
        done = msgspec.json.decode(told, type=Ejection)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise RunError(f"The process that ejects has ended ({said}).", "Is there memory and room enough?") from None
    done.check()
    return done

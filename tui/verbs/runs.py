"""``lexigrad runs``: list, show, compare, stop, resume, remove and export what was trained."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import TypeVar

from engine.core import paths
from engine.core.errors import LexigradError, RunError
from engine.core.launcher import Launcher
from engine.core.store import Run, RunStore
from tui.attend import tell, telling_arguments
from tui.columns import columns
from tui.figures import ago, headline_words
from tui.own_files import trust_kept
from tui.recipes import differences, target_of
from tui.render.safe import safe

Told = TypeVar("Told")

EXAMPLES = """examples:
  lexigrad runs                        all of them, the newest first
  lexigrad runs show 4f2a              one, by the start or the end of its id
  lexigrad runs compare 4f2a 91c0      what differs in them, and what they reached
  lexigrad runs resume 4f2a --plain    go on from the last checkpoint
  lexigrad runs export 4f2a run.csv    every figure of every step; - is standard output
  lexigrad runs rm 4f2a                to the trash; rm --restore takes it back for seven days"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.epilog = EXAMPLES
    parser.set_defaults(deed=list_runs, json=False)
    deeds = parser.add_subparsers(metavar="WHAT", title="what to do (list, where nothing is said)")

    def deed(name: str, sentence: str, function: object) -> argparse.ArgumentParser:
        added = deeds.add_parser(name, help=sentence, description=f"{sentence[0].upper()}{sentence[1:]}.")
        added.set_defaults(deed=function)
        return added

    listed = deed("list", "list the runs, the newest first", list_runs)
    listed.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument("--json", action="store_true", help="the list as JSON")
    shown = deed("show", "show one run: recipe, state, figures, checkpoint", show_run)
    compared = deed("compare", "show in which knobs runs differ, and what each reached", compare_runs)
    stopped = deed("stop", "end runs after their current step, with a checkpoint", stop_runs)
    stopped.add_argument("--now", action="store_true", help="kill the process; no checkpoint is saved")
    resumed = deed("resume", "go on with a run from its last checkpoint", resume_run)
    telling_arguments(resumed)
    trusted = deed("trust", "say that the file which a run trains may run on this machine", trust_run)
    trusted.add_argument("--yes", action="store_true", help="do not ask")
    removed = deed("rm", "move runs to the trash, where they stay for seven days", remove_runs)
    removed.add_argument("--restore", action="store_true", help="take them back from the trash")
    exported = deed("export", "write every scalar of a run, one row a step, as CSV", export_run)
    for added in (shown, compared):
        added.add_argument("--json", action="store_true", help="as JSON")
    for added in (shown, resumed, trusted, exported):
        added.add_argument("run", metavar="RUN", help="the id of a run, or the start or end of one")
    for added in (compared, stopped, removed):
        added.add_argument("runs", metavar="RUN", nargs="+", help="ids of runs, or the start or end of one")
    exported.add_argument("file", metavar="FILE.csv", help="where to; - is standard output")
    exported.add_argument("--force", action="store_true", help="replace the file where there is one")


def act(options: argparse.Namespace) -> int:
    """Do what was asked with the runs."""
    code: int = options.deed(options, RunStore(paths.runs_folder()))
    return code


def list_runs(options: argparse.Namespace, store: RunStore) -> int:
    """Print all runs, and what could not be read."""
    runs = store.runs()
    if options.json:
        records, troubles = _told(runs, _record)
        print(json.dumps(records, indent=1))
    else:
        rows, troubles = _told(runs, _row)
        for line in columns(rows, ("state", "run", "what differs", "reached", "made", "id")) if rows else ():
            print(line)
    if not (runs or options.json):
        print("Nothing has been trained yet. `lexigrad run mlp` trains a first model.")
    for name, trouble in {**store.troubles, **troubles}.items():
        print(safe(f"lexigrad: {name} cannot be listed: {trouble}"), file=sys.stderr)
    return 0


def _told(runs: list[Run], tell_one: Callable[[Run], Told]) -> tuple[list[Told], dict[str, str]]:
    """Return what is told of each run, and of those that it breaks off at the reason, by id."""
    told: list[Told] = []
    troubles: dict[str, str] = {}
    for run in runs:
        try:
            told.append(tell_one(run))
        except Exception as error:  # a folder may come from anywhere, and must not hide the others
            troubles[run.id] = str(error) if isinstance(error, LexigradError) else f"{type(error).__name__}: {error}."
    return told, troubles


def _row(run: Run) -> tuple[str, ...]:
    recipe, state = run.recipe, run.state()
    name = run.label.name or target_of(recipe)
    return state, name, differences(recipe), headline_words(run), ago(run), run.id


def _record(run: Run) -> dict[str, object]:
    recipe, state = run.recipe, run.state()
    return {
        "id": run.id,
        "state": state,
        "cause": run.cause_in(state),
        "name": run.label.name,
        "family": recipe.family,
        "preset": recipe.preset,
        "knobs": recipe.knobs,
        "seed": recipe.seed,
        "created": run.created,
        "headline": {name: _number(value) for name, value in run.headline().items()},
        "folder": str(run.folder),
    }


def _number(value: float) -> float | str:
    from engine.core.events import number

    return number(value)


def show_run(options: argparse.Namespace, store: RunStore) -> int:
    """Print one run."""
    from tui.run_pages import page

    run = store.open(options.run)
    if options.json:
        print(json.dumps(_record(run), indent=1))
        return 0
    for line in page(run):
        print(line)
    return 0


def compare_runs(options: argparse.Namespace, store: RunStore) -> int:
    """Print what differs in runs, side by side."""
    from tui.run_pages import comparison

    runs = list(dict.fromkeys(store.open(word) for word in options.runs))
    if len(runs) < 2:
        raise RunError("One run cannot be compared with itself.", "Name two or more; `lexigrad runs` lists them.")
    if options.json:
        print(json.dumps([_record(run) for run in runs], indent=1))
        return 0
    for line in comparison(runs):
        print(line)
    return 0


def stop_runs(options: argparse.Namespace, store: RunStore) -> int:
    """Ask the runs to end."""
    launcher = Launcher(store)
    for word in options.runs:
        run = store.open(word)
        if options.now:
            launcher.kill(run)
            print(f"{run.id} is killed.")
        else:
            launcher.stop(run)
            print(f"{run.id} stops at the end of its step, with a checkpoint.")
    return 0


def resume_run(options: argparse.Namespace, store: RunStore) -> int:
    """Go on with a run and show it."""
    from tui.voices import log_bytes

    run = store.open(options.run)
    launcher = Launcher(store)
    try:
        return tell(launcher, lambda: launcher.resume(run), options, begin=log_bytes(run))
    finally:
        launcher.close()


def trust_run(options: argparse.Namespace, store: RunStore) -> int:
    """Let the file that a run trains, which may have come from elsewhere, run on this machine."""
    path = trust_kept(store.open(options.run), trusted=options.yes)
    print(safe(f"{path} may run on this machine."))
    return 0


def remove_runs(options: argparse.Namespace, store: RunStore) -> int:
    """Move runs to the trash, or take them back; one that cannot be moved does not keep the others."""
    code = 0
    for word in options.runs:
        try:
            if options.restore:
                print(f"{store.restore(_in_trash(word, store)).id} is back.")
            else:
                run = store.open(word)
                store.delete(run.id)
                print(f"{run.id} is in the trash. `lexigrad runs rm --restore {run.id}` takes it back.")
        except LexigradError as error:
            print(safe(f"lexigrad: {error}"), file=sys.stderr)
            code = error.code
    return code


def _in_trash(word: str, store: RunStore) -> str:
    """Return the id in the trash that begins or ends with a word, where only one does."""
    fitting = [each for each in store.trash() if each.startswith(word) or each.endswith(word)]
    return fitting[0] if len(fitting) == 1 else word


def export_run(options: argparse.Namespace, store: RunStore) -> int:
    """Write the scalars of a run as CSV."""
    from tui.run_pages import scalars_csv

    text = scalars_csv(store.open(options.run))
    if options.file == "-":
        sys.stdout.write(safe(text) if sys.stdout.isatty() else text)
        return 0
    path = paths.expanded(options.file)
    if path.exists() and not path.is_file():
        raise LexigradError(f"{path} is no file.", "Name a file; - is standard output.")
    if path.exists() and not options.force:
        raise LexigradError(f"{path} is there already.", "Name another file, or say --force.")
    try:
        paths.write_whole(path, text.encode())
    except OSError as error:
        raise LexigradError(f"{path} could not be written ({error.strerror}).", "Is there such a folder?") from None
    print(f"{text.count(chr(10)) - 1:,} steps are in {safe(str(path))}.")
    return 0

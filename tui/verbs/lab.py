"""``lexigrad lab``: the labs and what was found; one of them carried out, in the app or as lines."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

import engine
from engine.catalog import LABS, lab, labs, parse_assignments
from engine.core import paths
from engine.core.errors import UsageError
from engine.core.experiments import Experiment, Experiments, Placed, shipped
from engine.core.follow import Follower
from engine.core.inquiry import Inquiry, begin, conclude, go_on, live, stop
from engine.core.lab import Lab
from engine.core.launcher import Launcher
from engine.core.liveness import LIVE
from engine.core.spec import Value
from engine.core.store import Run, RunStore
from tui.attend import PAUSE, Interruption, how_it_failed, interruption
from tui.columns import columns
from tui.figures import duration, figure
from tui.findings import OWN, Found, measured_words, sign_of, verdict_words
from tui.guard import refuse_reason
from tui.render.safe import safe
from tui.voices import reached

EXAMPLES = """examples:
  lexigrad lab                            every lab, and what was found so far
  lexigrad lab backpropagation            in the app: predict, measure, compare
  lexigrad lab fine-tuning --seeds 3      without a terminal, or with --plain, as lines
  lexigrad lab rag --set docs=./notes     with a knob of the lab turned
  lexigrad lab scaling-laws --json        the findings as JSON

A lab that was stopped goes on where it was when it is asked for again in the same way; --new begins anew.
Exit codes: 0 it was measured (whether or not the sentences hold), 1 it failed, 2 wrong usage, 130 stopped by Ctrl+C."""

MOST_SEEDS = 100


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.epilog = EXAMPLES
    parser.add_argument("lab", metavar="NAME", nargs="?", default="", help="a lab; without one they are listed")
    parser.add_argument("--seeds", metavar="N", type=int, default=1, help="over how many seeds (default: %(default)s)")
    parser.add_argument("--form", metavar="FORM", default="", help="quick, or the long form standard")
    parser.add_argument("--set", metavar="KNOB=VALUE", action="append", default=[], help="turn a knob; repeat for more")
    parser.add_argument("--new", action="store_true", help="begin anew, also where one was stopped")
    parser.add_argument("--plain", action="store_true", help="as lines, also where there is a terminal")
    parser.add_argument("--json", action="store_true", help="the experiment with its findings as JSON")


def act(options: argparse.Namespace) -> int:
    """List the labs, or carry one out."""
    experiments = Experiments(paths.findings_folder())
    if not options.lab:
        return _list(experiments, as_json=options.json)
    asked = inquiry_from(options)
    plainly = options.plain or options.json or options.set or options.form or options.seeds != 1
    if not (plainly or refuse_reason()):
        from tui.cli import open_app

        return open_app(f"lab/{asked.lab.name}")
    launcher = Launcher(RunStore(paths.runs_folder()))
    try:
        with interruption() as noted:
            experiment = _taken_up(asked, experiments, launcher, anew=options.new)
            return _carry_out(asked.lab, experiment, experiments, launcher, noted, as_json=options.json)
    finally:
        launcher.close()


def inquiry_from(options: argparse.Namespace) -> Inquiry:
    """Return what the words of the command line ask.

    Raises:
        UsageError: an unknown lab, form or knob, or a value out of its range.
    """
    asked = lab(options.lab)
    if not 1 <= options.seeds <= MOST_SEEDS:
        raise UsageError(f"--seeds is a whole number from 1 to {MOST_SEEDS}.")
    form = asked.preset(options.form or asked.presets[0].name).name
    changes, rest = parse_assignments(asked.name, asked.settings, options.set)
    for name in rest:
        raise UsageError(f"'{name}' is no knob.", "Say --seeds N for more seeds.")
    settings = asked.configure(form, {name: _whole_path(value) for name, value in changes.items()})
    return Inquiry(lab=asked, form=form, settings=settings, seeds=tuple(range(options.seeds)))


def _taken_up(asked: Inquiry, experiments: Experiments, launcher: Launcher, *, anew: bool) -> Experiment:
    """Return the newest experiment that asked the same and was stopped, at work again; or else a new one."""
    newest = experiments.latest(asked.lab.name, ended=False)
    same = (
        newest is not None
        and not newest.ended
        and (newest.form, newest.knobs, newest.seeds)
        == (
            asked.form,
            asked.settings.values(),
            asked.seeds,
        )
    )
    if newest is None or anew or not same:
        return begin(asked, experiments, launcher)
    if not live(newest, launcher.store):
        left = go_on(newest, launcher)
        print(
            f"Going on where {asked.lab.name} was stopped: {left} of {len(newest.ids)} runs are left.", file=sys.stderr
        )
    return newest


def _carry_out(
    asked: Lab,
    experiment: Experiment,
    experiments: Experiments,
    launcher: Launcher,
    noted: Interruption,
    *,
    as_json: bool,
) -> int:
    """Tell of each run as it ends, then what was found; return the exit code.

    Raises:
        RunError: a run failed or was lost; the others have come to their end by then.
    """
    out = sys.stderr if as_json else sys.stdout
    print(safe(asked.question), file=out)
    titles = {arm.name: arm.title for arm in asked.arms(asked.settings.of(experiment.knobs))}
    failed: list[Run] = []
    for placed, run in _in_turn(experiment, launcher.store):
        while run.state() in LIVE:
            if noted.count:
                stop(experiment, launcher)
            time.sleep(PAUSE)
        if noted.count and run.state() != "finished":
            print("Stopped. Finished runs are kept; the same command goes on from here.", file=sys.stderr)
            return 128 + noted.number
        if run.state() != "finished":
            failed.append(run)
            continue
        seed = f"  seed {placed.seed}" if len(experiment.seeds) > 1 else ""
        print(safe(f"  {titles.get(placed.arm, placed.arm)}{seed}  {_reached(asked, run)}"), file=out, flush=True)
    if failed:
        raise how_it_failed(failed[0])
    done = conclude(asked, experiment, launcher.store, experiments)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(done), indent=1) + b"\n")
        return 0
    print("\n".join(_told(asked, done, OWN)))
    return 0


def _in_turn(experiment: Experiment, store: RunStore) -> Iterator[tuple[Placed, Run]]:
    """Yield each run once, in the order of training."""
    seen: set[str] = set()
    for placed in experiment.runs:
        if placed.run not in seen:
            seen.add(placed.run)
            yield placed, store.open(placed.run)


def _whole_path(value: Value) -> Value:
    """Return a path that is there as one that holds from everywhere."""
    if isinstance(value, str) and (value.startswith((".", "~", "/")) or "/" in value):
        path = Path(value).expanduser()
        return str(path.absolute()) if path.exists() else value
    return value


def _reached(asked: Lab, run: Run) -> str:
    view = Follower(run).catch_up()
    values = [(metric, reached(view, metric)) for metric in asked.figures]
    words = [f"{metric.title} {figure(value, metric.unit)}" for metric, value in values if value is not None]
    return " · ".join([*words, duration(view.elapsed)])


def _told(asked: Lab, experiment: Experiment, who: str) -> Iterator[str]:
    """Yield the findings of an experiment as lines."""
    for each in asked.statements:
        finding = experiment.finding(each.id)
        if finding is None:
            continue
        found = Found(who, experiment, finding, finding.says != each.says)
        yield safe(f"\n{sign_of(finding)[0]} {finding.says}")
        yield safe(f"  {verdict_words(found)}: {finding.text}")
        for words in measured_words(finding.measured):
            yield safe(f"    {words}")
    yield safe(
        f"\n{who} · {experiment.date} · {experiment.form} · {experiment.machine} · {duration(experiment.seconds)}"
    )


def _list(experiments: Experiments, *, as_json: bool) -> int:
    """Print every lab with the signs of what was found, the learner's own before the project's."""
    project = shipped(Path(engine.__path__[0]) / "labs" / "findings", LABS)
    known = {each.name: experiments.latest(each.name) or project.get(each.name) for each in labs()}
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(known), indent=1) + b"\n")
        return 0
    rows: list[tuple[str, ...]] = []
    for each in labs():
        experiment = known[each.name]
        found = [experiment.finding(one.id) for one in each.statements] if experiment else []
        signs = "".join(sign_of(one)[0] if one else "·" for one in found) or "·" * len(each.statements)
        rows.append((each.name, signs, each.question))
    print("\n".join(safe(line) for line in columns(rows)))
    print("\n✓ holds  ✗ does not  ? not decided  · not measured.   lexigrad lab NAME carries one out.")
    return 0

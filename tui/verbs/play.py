"""``lexigrad play RUN``: use a trained model: complete a text, classify a picture, draw samples."""

from __future__ import annotations

import argparse
import sys

from engine.catalog import FAMILIES, family_of, parse_assignments, parse_target
from engine.core import paths
from engine.core.errors import RunError, UsageError, suggest
from engine.core.events import encode
from engine.core.spec import Family, Play, Value
from engine.core.store import Run, RunStore
from tui.playing import Playground
from tui.printed import print_event
from tui.recipes import target_of
from tui.verbs.run import once_each

EXAMPLES = """examples:
  lexigrad play gpt "To be or"               let the newest trained GPT go on with a text
  lexigrad play 4f2a --set temperature=0.2   the model of one run, told more
  lexigrad play word2vec king - man + woman  the nearest words
  lexigrad play cnn ./seven.png --json       what it takes a picture for, as events
  lexigrad play gpt --help-plays             what one can do with it, and what it may be told

A model is played with in a process of its own, from its last good checkpoint."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.epilog = EXAMPLES
    parser.intermixed = True  # type: ignore[attr-defined]  # the words of a prompt may stand anywhere
    run = "the id of a run, or the start or end of one; or a family or FAMILY/PRESET for its newest trained run"
    parser.add_argument("run", metavar="RUN", help=run)
    parser.add_argument(
        "words", metavar="WORD", nargs="*", default=[], help="a prompt, a word, a file: what the play is about"
    )
    parser.add_argument("--do", metavar="PLAY", default="", help="what to do, where the family offers several things")
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help="tell it more; repeat")
    parser.add_argument("--device", default="cpu", help="auto, cpu, cuda or mps (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="the answer as events, one JSON object a line")
    parser.add_argument("--help-plays", action="store_true", help="list what one can do with this model")


def act(options: argparse.Namespace) -> int:
    """Ask the model once and print its answer."""
    run = run_to_play(options.run, RunStore(paths.runs_folder()))
    of = family_of(run.recipe)
    if options.help_plays:
        print("\n".join(described(of)))
        return 0
    play = of.play(options.do)
    settings = settings_from(play, options.set, " ".join(options.words))
    with Playground(run, device=options.device) as playground:
        for event in playground.ask(play.name, settings):
            if options.json:
                sys.stdout.buffer.write(encode(event))
                sys.stdout.buffer.flush()
            else:
                print_event(event)
    return 0


def run_to_play(word: str, store: RunStore) -> Run:
    """Return the run that a word means: by id, or the newest of a family or preset that has a checkpoint.

    Raises:
        RunError: there is none.
        UsageError: the family has no such preset.
    """
    wanted, slash, _ = word.partition("/")
    if wanted not in FAMILIES:
        return store.open(word)
    if slash:
        family, preset = parse_target(word)
        wanted = f"{family.name}/{preset.name}"
    for run in store.runs():
        mine = target_of(run.recipe) if slash else run.recipe.family
        if mine == wanted and run.ending().saved is not None:
            return run
    raise RunError(f"No run of {wanted} has a checkpoint yet.", f"Train one first: lexigrad run {wanted}")


def settings_from(play: Play, assignments: list[str], words: str) -> dict[str, Value]:
    """Return what a play is told.

    Raises:
        UsageError: a setting is unknown, out of its range or told twice, or the play takes no words.
    """
    changes, rest = parse_assignments(play.name, play.settings, once_each(assignments))
    known = {each.name: each for each in play.settings.knobs()}
    for name, value in rest.items():  # apart for a run, whose seed is no knob
        if name not in known:
            raise UsageError(f"{play.name} has no knob '{name}'.", suggest(name, list(known)))
        changes[name] = known[name].read(value)
    if words and not play.words:
        raise UsageError(f"{play.name} takes no words.", "Tell it more with --set NAME=VALUE.")
    if words and play.words in changes:
        raise UsageError(f"{play.words} is told by --set and by the words '{words}'.", "Tell it in one way.")
    told = {**changes, play.words: words} if words else changes
    for own in ("file", "text"):
        if told.get(own) and "example" in told:
            raise UsageError(
                f"A {own} of your own is no example of the validation split.", f"Leave out {own} or example."
            )
    return told


def described(of: Family) -> list[str]:
    """Return the lines that say what one can do with a model of a family."""
    lines = []
    for play in of.plays:
        lines.append(f"{play.name}: {play.help}")
        for each in play.settings.knobs():
            taken = " (the words)" if each.name == play.words else ""
            lines.append(f"  {each.name:<12} {each.help} {each.wants().capitalize()}; default {each.default!r}.{taken}")
    return lines or [f"One cannot play with a model of {of.name} yet."]

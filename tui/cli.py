"""The command line: no arguments open the app; every verb also works without a terminal.

Exit codes: 0 done, 1 the thing failed, 2 wrong usage, 128 + signal where a signal ended it.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

from engine.core.errors import LexigradError, UsageError, suggest

VERBS = {
    "define": "print one entry",
    "search": "search every entry",
    "run": "train a model",
    "eject": "write a model and its training as a folder that needs torch alone",
    "play": "use a trained model: complete, classify, sample ...",
    "lab": "ask a question of the glossary, predict, and measure",
    "runs": "list, show, compare, stop, resume, remove and export runs",
    "data": "list, download and verify data sets",
    "walk": "follow a walkthrough, or see how far one is",
    "check": "check the entries and walkthroughs",
    "doctor": "say what is here, what is missing and what to do about it",
    "completion": "print the shell's completion script",
}
HIDDEN = ("complete",)
"""Verbs for programs, which no help names."""

EXAMPLES = """examples:
  lexigrad                            the app
  lexigrad define perceptron          one entry, as text
  lexigrad run mlp/quick --plain      a first model, trained without the app
  lexigrad --open read/attention      the app, at one page

`lexigrad VERB --help` says more about each."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence of what is wrong and one of what to do."""

    intermixed = False
    """Whether options may stand between words of one argument."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as ever; where it is `intermixed`, the options first and then what is left."""
        if not self.intermixed:
            return super().parse_known_args(args, namespace)
        self.intermixed = False  # the other way calls this one, twice
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self.intermixed = True

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the words, and leave with 2."""
        remedy = f"`{self.prog} --help` says what there is."
        what, _, rest = message.partition(": ")
        if what == "unrecognized arguments" and "=" in rest and not rest.startswith("-"):
            remedy = f"Did you mean --set {rest.split()[0]}?"
        complain(UsageError(f"{message[:1].upper()}{message[1:].rstrip('.')}.", remedy))
        raise SystemExit(2)


def build_parser(verb: str = "") -> argparse.ArgumentParser:
    """Return the parser; only the module of `verb` is imported, the others are named."""
    parser = Parser(
        prog="lexigrad",
        description="Lexigrad: the glossary that runs.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    places = "open the app at read/SLUG, lab/NAME, run/ID, walk/NAME, train, labs or runs"
    parser.add_argument("--open", metavar="PLACE", default="", help=places)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", title="verbs")
    for name in (*VERBS, *HIDDEN):
        sentence = VERBS.get(name)
        added = verbs.add_parser(name, help=sentence) if sentence else verbs.add_parser(name)
        added.formatter_class = argparse.RawDescriptionHelpFormatter
        added.description = f"{sentence[0].upper()}{sentence[1:]}." if sentence else None
        if name == verb:
            module = import_module(f"tui.verbs.{name}")
            module.arguments(added)
            added.set_defaults(act=module.act)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says and return the exit code. No error of ours prints a traceback; the log has it."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed when Python began
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            # A terminal of another encoding shows what it lacks as \xb7; it must not end the command.
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _act(words)
        sys.stdout.flush()
        return code
    except LexigradError as error:
        return complain(error)
    except BrokenPipeError:
        return _hang_up()
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        return _explain(error)


def _act(words: list[str]) -> int:
    known = (*VERBS, *HIDDEN)
    if words and not words[0].startswith("-") and words[0] not in known:
        raise UsageError(f"There is no verb '{words[0]}'.", suggest(words[0], list(VERBS)))
    verb = next((word for before, word in pairwise(["", *words]) if word in known and before != "--open"), "")
    options = build_parser(verb).parse_args(words)
    if options.version:
        return _version()
    if options.verb is None:
        return open_app(options.open)
    if options.open:
        raise UsageError(f"--open opens the app, and '{verb}' does without it.", "Leave one of the two out.")
    code: int = options.act(options)
    return code


def complain(error: LexigradError) -> int:
    """Print one sentence of what is wrong and one of what to do; return the exit code."""
    from tui.render.safe import safe

    print(safe(f"lexigrad: {error.what}"), file=sys.stderr)
    if error.remedy:
        print(safe(f"  {error.remedy}"), file=sys.stderr)
    return error.code


def _hang_up() -> int:
    """Be quiet: the reader of the pipe has gone, and the interpreter must not try to write to it when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    return 141


def _explain(error: Exception) -> int:
    """Say that something went wrong that should not have, and where the traceback is."""
    import traceback

    log = _keep(traceback.format_exc())
    if isinstance(error, OSError) and error.strerror:
        named = f" ({error.filename})" if error.filename else ""
        complain(LexigradError(f"{error.strerror}{named}.", f"What was tried is in {log}." if log else ""))
    else:
        what = f"Something went wrong that should not have ({type(error).__name__}: {error})."
        complain(LexigradError(what, f"The details are in {log}." if log else "No log could be written."))
    try:
        sys.stdout.flush()
    except OSError:
        _hang_up()
    return 1


def _keep(text: str) -> Path | None:
    """Write to the app's log and return where it is; None where that cannot be."""
    import logging

    from tui.terminal import keep_log

    log = keep_log()
    if log is not None:
        logging.getLogger("lexigrad").error("%s", text)
    return log


def _version() -> int:
    from importlib.metadata import PackageNotFoundError, version

    try:
        print(f"lexigrad {version('lexigrad')}")
    except PackageNotFoundError:
        print("lexigrad (not installed, run from its folder)")
    return 0


def open_app(place: str = "") -> int:
    """Open the app under the terminal's guard; refuse in one line where there is no terminal."""
    from tui.guard import guarded, refuse_reason

    reason = refuse_reason()
    if reason:
        raise UsageError(reason, "`lexigrad --help` lists what works without one: define, search, run --plain ...")
    return guarded(lambda: _run_app(place))


def _run_app(place: str) -> int:
    from tui.app import Lexigrad
    from tui.services import Services
    from tui.terminal import keep_log, prepare

    prepare()
    log = keep_log()
    services = Services()
    app = Lexigrad(services, start=place)
    try:
        app.run()
    except Exception as error:
        return _explain(error)
    finally:
        services.close()
    if app.return_code:
        print("lexigrad: The app ended in an error; your runs go on.", file=sys.stderr)
        print(f"  What happened is in {log}." if log else "  No log could be written.", file=sys.stderr)
    return app.return_code or 0

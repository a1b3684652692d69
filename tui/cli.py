"""The command line: no arguments open the app; every verb also works without a terminal.

Exit codes: 0 done, 1 the thing failed, 2 wrong usage, 128 + signal where a signal ended it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from engine.core.errors import LexigradError

VERBS = {
    "define": "print one entry",
    "search": "search every entry",
    "run": "train a model",
    "runs": "list, show, compare, stop, resume and remove runs",
    "data": "list, download and verify data sets",
    "walk": "follow a walkthrough, or see how far one is",
    "check": "check the entries",
    "doctor": "say what is here and what is missing",
    "completion": "print the shell's completion script",
}
EPILOG = "Without a verb the app opens. `lexigrad VERB --help` says more."


def build_parser(verb: str = "") -> argparse.ArgumentParser:
    """Return the parser; only the module of `verb` is imported, the others are named."""
    parser = argparse.ArgumentParser(prog="lexigrad", description="Lexigrad: the glossary that runs.", epilog=EPILOG)
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.add_argument("--open", metavar="PLACE", default="", help="open the app at read/SLUG, run/ID, walk/NAME, train or runs")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", title="verbs")
    for name, sentence in VERBS.items():
        added = verbs.add_parser(name, help=sentence, description=sentence[0].upper() + sentence[1:] + ".")
        if name == verb:
            module = import_module(f"tui.verbs.{name}")
            module.arguments(added)
            added.set_defaults(act=module.act)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    verb = next((word for word in words if not word.startswith("-")), "")
    options = build_parser(verb).parse_args(words)
    try:
        if options.version:
            return _version()
        if options.verb is None:
            return open_app(options.open)
        code: int = options.act(options)
        sys.stdout.flush()
        return code
    except LexigradError as error:
        return complain(error)
    except BrokenPipeError:
        # The reader of the pipe has gone; nothing more can be said, and the interpreter must not try at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 130


def complain(error: LexigradError) -> int:
    """Print one sentence of what is wrong and one of what to do; return the exit code."""
    from tui.render.safe import safe

    print(safe(f"lexigrad: {error.what}"), file=sys.stderr)
    if error.remedy:
        print(safe(f"  {error.remedy}"), file=sys.stderr)
    return error.code


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
        print(f"lexigrad: {reason}", file=sys.stderr)
        print("  `lexigrad --help` lists what works without one: define, search, run --plain ...", file=sys.stderr)
        return 2
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
    finally:
        services.close()
    if app.return_code:
        print("lexigrad: The app ended in an error; your runs go on.", file=sys.stderr)
        print(f"  What happened is in {log}." if log else "  No log could be written.", file=sys.stderr)
    return app.return_code or 0

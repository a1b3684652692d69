"""``lexigrad complete -- WORDS``: what the last of the words may become, one a line; the shells' scripts ask it."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable
from importlib import import_module

from engine.core import paths
from engine.core.errors import LexigradError
from tui.cli import VERBS
from tui.render.safe import safe

WITH_RUNS = {"show", "compare", "stop", "resume", "rm", "export"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument("words", nargs=argparse.REMAINDER, help="the words after lexigrad, the last one unfinished")


def act(options: argparse.Namespace) -> int:
    """Print the candidates."""
    words = options.words[1:] if options.words[:1] == ["--"] else options.words
    for candidate in candidates(words):
        print(safe(candidate))
    return 0


def candidates(words: list[str]) -> list[str]:
    """Return what the last word may become; nothing where nobody can know."""
    *before, partial = words or [""]
    if before and before[-1] == "=":
        # Bash takes knob=value for three words and replaces the last of them.
        found = [each.partition("=")[2] for each in _values(before[0], before, before[-2])]
    elif partial == "=" and before:
        return [each.partition("=")[2] for each in _values(before[0], before, before[-1])]
    else:
        found = list(_offered(before, partial))
    return sorted({each for each in found if each.startswith(partial)})


def _offered(before: list[str], partial: str) -> Iterable[str]:
    if not before:
        return ("--help", "--version", "--open") if partial.startswith("-") else VERBS
    verb, last = before[0], before[-1]
    if last in _AFTER:
        return _AFTER[last](before, partial)
    if partial.startswith("-"):
        return _options(verb)
    if verb in {"runs", "data"}:
        return _of_group(verb, before)
    return _OF_VERB[verb]() if verb in _OF_VERB and (verb == "define" or len(before) == 1) else ()


def _of_group(verb: str, before: list[str]) -> Iterable[str]:
    if len(before) == 1:
        return ("list", *sorted(WITH_RUNS)) if verb == "runs" else ("list", "get", "verify")
    if verb == "data":
        return _data_names() if before[1] in {"get", "verify"} else ()
    return _runs() if before[1] in WITH_RUNS else ()


def _options(verb: str) -> Iterable[str]:
    """Return the options of a verb, as its own usage names them."""
    if verb not in VERBS:
        return ()
    parser = argparse.ArgumentParser()
    import_module(f"tui.verbs.{verb}").arguments(parser)
    return [*re.findall(r"--[a-z-]+", parser.format_usage()), "--help"]


def _family_of(before: list[str]) -> str:
    return next((word for word in before[1:] if not word.startswith("-")), "").partition("/")[0]


def _targets() -> Iterable[str]:
    from engine.catalog import families

    return [f"{family.name}/{preset.name}" for family in families() for preset in family.presets]


def _labs() -> Iterable[str]:
    from engine.catalog import LABS

    return LABS


def _knobs(before: list[str], partial: str) -> Iterable[str]:
    """Return ``knob=`` for each knob of the family, or ``knob=choice`` once a knob is named."""
    from engine.catalog import FAMILIES, family

    name, equals, _ = partial.partition("=")
    if equals:
        return _values(before[0], before, name)
    of = _family_of(before)
    return [f"{knob.name}=" for knob in family(of).spec.knobs()] if of in FAMILIES else ()


def _values(verb: str, before: list[str], name: str) -> Iterable[str]:
    """Return ``knob=choice`` for each choice of a knob."""
    from engine.catalog import FAMILIES, family

    of = _family_of(before)
    if verb != "run" or of not in FAMILIES:
        return ()
    choices = {knob.name: knob.choices for knob in family(of).spec.knobs()}
    choices["data"] = family(of).data
    return [f"{name}={choice}" for choice in choices.get(name, ())]


def _data(before: list[str], partial: str) -> Iterable[str]:
    from engine.catalog import FAMILIES, family

    of = _family_of(before)
    return family(of).data if of in FAMILIES else _data_names()


def _data_names() -> Iterable[str]:
    from engine.data.table import TABLE

    return TABLE


def _runs() -> Iterable[str]:
    from engine.core.store import RunStore

    try:
        return [run.id for run in RunStore(paths.runs_folder()).runs()]
    except LexigradError:
        return ()


def _slugs() -> Iterable[str]:
    from glossary.library import Library

    return Library.load(paths.entries_folder(), paths.cache_folder()).entries


def _walks() -> Iterable[str]:
    from glossary.walk import read_walkthroughs

    return [walk.slug for walk in read_walkthroughs(paths.home() / "walkthroughs")[0]]


def _shells() -> Iterable[str]:
    from tui.verbs.completion import SCRIPTS

    return SCRIPTS


_OF_VERB: dict[str, Callable[[], Iterable[str]]] = {
    "run": _targets,
    "lab": _labs,
    "define": _slugs,
    "walk": _walks,
    "completion": _shells,
}
_AFTER: dict[str, Callable[[list[str], str], Iterable[str]]] = {
    "--set": _knobs,
    "--data": _data,
    "--from": lambda before, partial: _runs(),
    "--device": lambda before, partial: ("auto", "cpu", "cuda", "mps"),
    "--precision": lambda before, partial: ("auto", "float32", "bfloat16"),
}

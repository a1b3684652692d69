"""The process that describes a person's own file: ``python -P -m engine.train.describe PATH``, the file on its input.

Its answer is one JSON object: what the file says of itself, or why it cannot be used. The file runs here, so that it
never runs in the app.
"""

from __future__ import annotations

import dataclasses
import signal
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import TypeVar

import msgspec

from engine.core.child import Description, answer_only
from engine.core.errors import LexigradError, UsageError
from engine.core.own import (
    Own,
    OwnKnob,
    OwnMetric,
    OwnPanel,
    OwnPlay,
    OwnPreset,
    digest_of,
    family_of_own,
    may_be_named,
)
from engine.core.spec import Family, Settings, Spec

Told = TypeVar("Told", bound=msgspec.Struct)


def main(arguments: list[str]) -> int:
    """Describe the file on standard input, which has the path that the argument names."""
    if len(arguments) != 1:
        print("usage: python -m engine.train.describe PATH < FILE", file=sys.stderr)
        return 2
    path = Path(arguments[0])
    with answer_only(signal.SIGKILL) as out:
        content = sys.stdin.buffer.read()
        with redirect_stdout(sys.stderr):
            answer = answered(content, path)
        out.write(msgspec.json.encode(answer))
    return answer.code


def answered(content: bytes, path: Path) -> Description:
    """Return the description, or the reason why there is none."""
    from engine.train.own_file import family_in, load_file

    try:
        family = family_in(load_file(content, path), path.stem)
        own = as_read(described(family, path.stem, digest_of(content)), Own)
        family_of_own(own)
        for target in (family.learner, *(each.act for each in family.plays)):
            require(target, path.name)
        return Description(own=own)
    except LexigradError as error:
        return Description(what=error.what, remedy=error.remedy, code=error.code)
    except Exception as error:
        what = f"{path.name} cannot be described: {type(error).__name__}: {error}."
        return Description(what=what, remedy="Mend its FAMILY, and try again.", code=UsageError.code)


def require(target: str, name: str) -> None:
    """Raise UsageError where the file of that name declares a ``module:name`` that is not there."""
    module, _, found = target.partition(":")
    try:
        getattr(import_module(module), found)
    except (ImportError, AttributeError) as error:
        what = f"The FAMILY of {name} names {target}, which is not there ({error})."
        raise UsageError(what, "Name a learner or a play that can be imported.") from None


def as_read(told: Told, kind: type[Told]) -> Told:
    """Return a description as the app will read it; ValidationError where it could not."""
    return msgspec.json.decode(msgspec.json.encode(told), type=kind)


def described(family: Family, stem: str, digest: str) -> Own:
    """Return what can be said of a family without running it."""
    return Own(
        stem=stem,
        digest=digest,
        title=family.title,
        summary=family.summary,
        entry=family.entry,
        knobs=tuple(knobs(family.spec, Spec)),
        presets=tuple(
            OwnPreset(name=each.name, help=each.help, knobs=tuple(each.knobs.items()), start=each.start)
            for each in family.presets
        ),
        panels=tuple(
            OwnPanel(
                events=each.events, kind=each.kind, title=each.title, unit=each.unit, x=each.x, entry=each.entry,
                when=each.when,
            )
            for each in family.panels
        ),
        headline=tuple(
            OwnMetric(name=each.name, title=each.title, unit=each.unit, higher=each.higher) for each in family.headline
        ),
        data=family.data,
        own_data=family.own_data,
        plays=tuple(
            OwnPlay(
                name=each.name, help=each.help, knobs=tuple(knobs(each.settings, Settings)), act=each.act,
                words=each.words,
            )
            for each in family.plays
        ),
    )  # fmt: skip


def knobs(of: type[Settings], base: type[Settings]) -> Iterator[OwnKnob]:
    """Yield the knobs of a class that inherits from `base`.

    Raises:
        UsageError: one has a name or a value that no knob can have, or is none.
    """
    for field in dataclasses.fields(of):
        each = field.metadata.get("knob")
        if each is None:
            raise UsageError(f"{of.__name__}.{field.name} is no knob.", 'Declare it: knob(default, "What it is.")')
        if not may_be_named(field.name, base):
            raise UsageError(f"No knob can be called {field.name}: {base.__name__} uses that name.", "Rename it.")
        told = OwnKnob(
            name=field.name, default=each.default, help=each.help, low=each.low, high=each.high, choices=each.choices,
            unit=each.unit, entry=each.entry, live=each.live,
        )  # fmt: skip
        try:
            yield as_read(told, OwnKnob)
        except msgspec.ValidationError as error:
            what = f"The knob {of.__name__}.{field.name} = {each.default!r} cannot be described: {error}."
            raise UsageError(what, "Its default is a finite number, a text, True or False.") from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

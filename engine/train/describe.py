"""The process that describes a person's own file: ``python -P -m engine.train.describe PATH``, the file on its input.

Its answer is one JSON object: what the file says of itself, or why it cannot be used. The file runs here, so that it
never runs in the app.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import msgspec

from engine.core.errors import LexigradError
from engine.core.own import Own, OwnKnob, OwnMetric, OwnPanel, OwnPlay, OwnPreset, digest_of
from engine.core.spec import Family, Settings


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of it."""

    own: Own | None = None
    what: str = ""
    remedy: str = ""
    code: int = 0


def main(arguments: list[str]) -> int:
    """Describe the file on standard input, which has the path that the argument names."""
    if len(arguments) != 1:
        print("usage: python -m engine.train.describe PATH < FILE", file=sys.stderr)
        return 2
    path, out = Path(arguments[0]), sys.stdout.buffer
    content = sys.stdin.buffer.read()
    with redirect_stdout(sys.stderr):
        answer = answered(content, path)
    out.write(msgspec.json.encode(answer))
    out.flush()
    return answer.code


def answered(content: bytes, path: Path) -> Answer:
    """Return the description, or the reason why there is none."""
    from engine.train.own_file import family_in, load_file

    try:
        family = family_in(load_file(content, path), path.stem)
        return Answer(own=described(family, path.stem, digest_of(content)))
    except LexigradError as error:
        return Answer(what=error.what, remedy=error.remedy, code=error.code)


def described(family: Family, stem: str, digest: str) -> Own:
    """Return what can be said of a family without running it."""
    return Own(
        stem=stem,
        digest=digest,
        title=family.title,
        summary=family.summary,
        entry=family.entry,
        knobs=tuple(knobs(family.spec)),
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
            OwnPlay(name=each.name, help=each.help, knobs=tuple(knobs(each.settings)), act=each.act, words=each.words)
            for each in family.plays
        ),
    )  # fmt: skip


def knobs(of: type[Settings]) -> Iterator[OwnKnob]:
    """Yield the knobs of a class."""
    for each in of.knobs():
        yield OwnKnob(
            name=each.name, default=each.default, help=each.help, low=each.low, high=each.high, choices=each.choices,
            unit=each.unit, entry=each.entry, live=each.live,
        )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

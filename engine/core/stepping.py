"""A run as something to step through: what each step says, what it shows, and what was shown before.

A computation that wants to be stepped through emits, beside the tables and maps of a step, a `Text` with the name
`SENTENCE`: its prompt says which part of the whole the step belongs to, its text says what the step does. Of a run
without such sentences every moment at which something was drawn is a step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.events import Text

if TYPE_CHECKING:
    from engine.core.view import Drawn, RunView

SENTENCE = "step"
"""Name of the text that says what a step does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: bodies of large events may lie in files of their own, see `RunView.whole`."""

    number: int
    """The run's own step number."""
    part: str = ""
    """Which part of the whole it belongs to: ``forward``, ``softmax``."""
    says: str = ""
    shows: tuple[Drawn, ...] = ()
    """In the order in which their names first appeared."""
    before: Mapping[str, Drawn]
    """Of each name that it shows, what the last step before it had shown; to see what has changed."""


def steps_of(view: RunView) -> tuple[Step, ...]:
    """Return the steps of a run, in order."""
    others = [history for name, history in view.history.items() if name != SENTENCE]
    sentences = [each for each in view.history.get(SENTENCE, ()) if isinstance(each, Text)]
    drawn = _by_step(event for history in others for event in history)
    told = {each.s: each for each in sentences}
    latest: dict[str, Drawn] = {}
    steps = []
    for number in sorted(told or drawn):
        shows = tuple(drawn.get(number, ()))
        said = told.get(number)
        steps.append(
            Step(
                number=number,
                part=said.prompt if said else "",
                says=said.text if said else "",
                shows=shows,
                before={each.name: latest[each.name] for each in shows if each.name in latest},
            )
        )
        latest |= {each.name: each for each in shows}
    return tuple(steps)


def _by_step(events: Iterable[Drawn]) -> dict[int, list[Drawn]]:
    """Return the events of each step; of two with one name the later."""
    found: dict[int, dict[str, Drawn]] = {}
    for each in events:
        found.setdefault(each.s, {})[each.name] = each
    return {number: list(named.values()) for number, named in found.items()}

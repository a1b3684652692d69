"""Places by name: what links, the palette and the command line open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tui.screens.page import Page

if TYPE_CHECKING:
    from glossary.model import Walkthrough
    from tui.services import Services


def screen_for(place: str, services: Services) -> Page | None:
    """Return the screen of a place, None where there is none.

    Places are ``read``, ``read/<slug>``, ``train``, ``train/<family>/<preset> knob=value ...``, ``run/<id>``,
    ``steps/<id>``, ``runs``, ``learn``, ``walk/<name>``, ``labs``, ``lab/<name>``,
    ``findings``, ``ask`` and ``ask/<folder>``.
    """
    door, _, rest = place.partition("/")
    if door == "read":
        return _read(rest, services)
    if door == "train":
        return _train(rest)
    if door == "run" and rest:
        from tui.screens.run import RunScreen

        return RunScreen(rest.split(","))
    if door == "steps" and rest:
        from tui.screens.steps import StepsScreen

        return StepsScreen(rest)
    if door == "runs":
        from tui.screens.runs import RunsScreen

        return RunsScreen()
    if door == "findings":
        from tui.screens.findings import FindingsScreen

        return FindingsScreen()
    if door in {"labs", "lab"}:
        return _lab(rest)
    if door == "ask":
        from tui.screens.ask import AskPage

        return AskPage(rest)
    if door in {"learn", "walk"}:
        return _walk(rest, services)
    return None


def _read(slug: str, services: Services) -> Page | None:
    from tui.screens.read import ReadScreen

    slug, _, heading = slug.partition("#")
    if not slug:
        return ReadScreen(services.setting("last entry", ""))
    found = services.library.find(slug)
    return ReadScreen(found.slug, heading) if found else None


def _train(target: str) -> Page | None:
    from engine.catalog import parse_run
    from engine.core.errors import UsageError
    from tui.screens.launch import LaunchScreen
    from tui.screens.train import TrainScreen

    if not target:
        return TrainScreen()
    try:
        return LaunchScreen(parse_run(target))
    except UsageError:
        return None


def _lab(name: str) -> Page | None:
    from engine.catalog import LABS, lab
    from tui.screens.lab import LabScreen
    from tui.screens.labs import LabsScreen

    if not name:
        return LabsScreen()
    return LabScreen(lab(name)) if name in LABS else None


def _walk(name: str, services: Services) -> Page | None:
    from tui.screens.learn import LearnScreen
    from tui.screens.walk import WalkScreen

    if not name:
        return LearnScreen()
    walk = services.walkthroughs.get(name) or _walk_in(name)
    return WalkScreen(walk) if walk else None


def _walk_in(path: str) -> Walkthrough | None:
    """Return the walkthrough of a person's own file; None where it is none."""
    from engine.core.errors import RunError
    from engine.core.files import read_inside
    from glossary.front import ParseProblem
    from glossary.walk import parse_walkthrough

    try:
        # A step of a foreign walkthrough may name any place, also a pipe or a device that never ends.
        place = Path(path).expanduser().resolve()
        return parse_walkthrough(read_inside(place.parent, place.name), path)
    except (OSError, ValueError, RuntimeError, RunError, ParseProblem):
        return None

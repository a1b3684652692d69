"""What the command palette finds: places, entries, runs to start."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.render.safe import safe

if TYPE_CHECKING:
    from tui.app import Lexigrad

PLACES = {
    "Read the glossary": "read",
    "Learn: walkthroughs": "learn",
    "Train: every family": "train",
    "Labs: ask, predict, measure": "labs",
    "Findings: every sentence, measured": "findings",
    "Ask the glossary a question": "ask",
    "Runs: everything trained so far": "runs",
}


class _Places(Provider):
    """Commands that each open a place."""

    def places(self) -> Iterator[tuple[str, str, str]]:
        """Yield words, place and a sentence."""
        return iter(())

    @property
    def lexigrad(self) -> Lexigrad:
        """The app, by its own type."""
        return cast("Lexigrad", self.app)

    async def search(self, query: str) -> Hits:
        """Yield what matches the query."""
        matcher = self.matcher(query)
        for words, place, sentence in self.places():
            score = matcher.match(words)
            if score > 0:
                yield Hit(
                    score, matcher.highlight(words), partial(self.lexigrad.open_place, place), help=sentence, text=words
                )


class PlaceCommands(_Places):
    """The doors, the theme, the way out."""

    def places(self) -> Iterator[tuple[str, str, str]]:
        """Yield the doors."""
        return ((words, place, "") for words, place in PLACES.items())

    async def discover(self) -> Hits:
        """Show the doors before anything is typed."""
        app = self.lexigrad
        for words, place in PLACES.items():
            yield DiscoveryHit(words, partial(app.open_place, place))
        yield DiscoveryHit("Light or dark", app.action_theme, help="F2")
        yield DiscoveryHit("Every key of this screen", app.action_help, help="F1")
        yield DiscoveryHit("Quit", app.exit, help="Runs go on")


class EntryCommands(_Places):
    """Every entry by its title."""

    def places(self) -> Iterator[tuple[str, str, str]]:
        """Yield the entries."""
        if self.lexigrad.services.ready:
            for slug, entry in self.lexigrad.services.library.entries.items():
                yield safe(entry.title), f"read/{slug}", safe(entry.one_line)


class RunCommands(_Places):
    """Every preset of every family."""

    def places(self) -> Iterator[tuple[str, str, str]]:
        """Yield the presets."""
        from engine.catalog import families

        for family in families():
            for preset in family.presets:
                yield f"Train {family.name} / {preset.name}", f"train/{family.name}/{preset.name}", preset.help


class LabCommands(_Places):
    """Every lab by its title."""

    def places(self) -> Iterator[tuple[str, str, str]]:
        """Yield the labs."""
        from engine.catalog import labs

        for lab in labs():
            yield f"Lab: {lab.title}", f"lab/{lab.name}", lab.question


class KeyCommands(Provider):
    """What the keys of the screen do, for those who know the word and not the key."""

    async def search(self, query: str) -> Hits:
        """Yield the keys whose sentence matches; each is pressed when it is chosen."""
        matcher = self.matcher(query)
        applies = getattr(self.screen, "applies", lambda action: True)
        for _, binding, enabled, tooltip in self.screen.active_bindings.values():
            words = tooltip or binding.tooltip
            score = matcher.match(words) if words and enabled and applies(binding.action) else 0
            if score > 0:
                press = partial(self.app.simulate_key, binding.key)
                yield Hit(score, matcher.highlight(words), press, help=self.app.get_key_display(binding), text=words)

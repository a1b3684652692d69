"""The keys at the bottom: as many as fit, those of what has the focus first, the ways out last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding
from textual.dom import DOMNode
from textual.events import Resize
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

LAST = ("page.explain", "page.back", "app.search")
"""Bindings that every screen has; they stand last, in this order, and are never the ones that are left out."""
PADDING = 3
"""Cells around a key and its word."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One key of the line."""

    binding: Binding
    display: str
    word: str
    tooltip: str

    @property
    def width(self) -> int:
        """Cells that it takes."""
        return cell_len(self.display) + cell_len(self.word) + PADDING


class Keys(Footer):
    """A footer that leaves out whole keys, never half of one; F1 lists them all."""

    def compose(self) -> ComposeResult:
        """The keys that fit."""
        if not self._bindings_ready:
            return
        for shown in fitting(list(self._shown()), self.app.size.width):
            yield FooterKey(
                shown.binding.key, shown.display, shown.word, shown.binding.action, tooltip=shown.tooltip
            ).data_bind(compact=Footer.compact)

    def on_resize(self, event: Resize) -> None:
        """Choose anew: there is more room now, or less."""
        self.call_after_refresh(self.recompose)

    def _shown(self) -> Iterator[Shown]:
        """Yield the bindings that are to be seen, each action once."""
        applies = getattr(self.screen, "applies", None)
        actions: set[str] = set()
        for node, binding, enabled, tooltip in self.screen.active_bindings.values():
            if not binding.show or not enabled or binding.action in actions:
                continue
            if applies is not None and not applies(binding.action):
                continue
            actions.add(binding.action)
            yield Shown(binding, self.app.get_key_display(binding), word_of(node, binding), tooltip or binding.tooltip)


def word_of(node: DOMNode, binding: Binding) -> str:
    """Return the word beside a key; a list says what enter does with its lines, a screen what a key does just now."""
    says: dict[str, str] = getattr(node, "says", {})
    if binding.action in says:
        return says[binding.action]
    opens = getattr(node, "opens", "")
    return str(opens) if opens and binding.key == "enter" else binding.description


def fitting(keys: list[Shown], width: int) -> list[Shown]:
    """Return as many keys as fit, in their order, those of every screen last and always."""
    last = sorted((key for key in keys if key.binding.id in LAST), key=lambda key: LAST.index(key.binding.id or ""))
    left = width - sum(key.width for key in last)
    first: list[Shown] = []
    for key in keys:
        if key in last:
            continue
        left -= key.width
        if left < 0:
            break
        first.append(key)
    return first + last

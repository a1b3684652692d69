"""What all panels share: a titled frame, the keys, and lines that are drawn only when they are seen and changed."""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, cast

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.dom import NoScreen
from textual.errors import NoWidget
from textual.events import Resize
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from engine.core.spec import Panel
from tui.render.ink import ROLES, SERIES, Ink, Line, Mode, Tone, centered
from tui.render.safe import one_line

if TYPE_CHECKING:
    from engine.core.view import RunView

EDGE = 6
"""Cells of the upper edge that a title leaves free: corners, lines and blanks."""
_FEW_COLORS = ("standard", "windows", None)
_CSS_SERIES = "\n".join(
    f"    & > .panel--series-{number}{dim} {{ color: $series-{number}{dim}; }}"
    for number in range(1, SERIES + 1)
    for dim in ("", "-dim")
)


@lru_cache(16384)
def _colored(front: str, back: str) -> Style:
    return Style(color=front or None, bgcolor=back or None)


class PanelWidget(Widget, can_focus=True):
    """One panel of a run. Subclasses say what of a run they show (`key`) and how (`draw`)."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"panel--{role}" for role in ROLES}
    DEFAULT_CSS = f"""
PanelWidget {{
    border: round $border-blurred;
    border-title-color: $foreground;
    border-title-style: bold;
    border-subtitle-color: $text-muted;
    padding: 0 1;
    min-height: 3;
    &:focus {{ border: round $border; border-title-color: $border; }}
{_CSS_SERIES}
    & > .panel--axis {{ color: $chart-axis; }}
    & > .panel--label {{ color: $chart-label; }}
    & > .panel--reference {{ color: $chart-reference; }}
    & > .panel--mark {{ color: $chart-mark; }}
    & > .panel--cursor {{ color: $chart-cursor; }}
    & > .panel--bad {{ color: $chart-bad; text-style: bold; }}
    & > .panel--good {{ color: $success; }}
    & > .panel--warning {{ color: $warning; }}
    & > .panel--strong {{ color: $foreground; text-style: bold; }}
}}
"""

    def __init__(self, panel: Panel) -> None:
        """Show `panel`; until `show` is called it says what will appear."""
        super().__init__()
        self.panel = panel
        self.view: RunView | None = None
        self.others: tuple[RunView, ...] = ()
        self._key: Hashable = None
        self._lines: list[Line] = []
        self._strips: list[Strip] = []
        self._drawn_for: tuple[int, int] | None = None
        self._subtitle = ""
        self._base: Style | None = None
        self._colors: dict[str, str] = {}
        self._styles_of: dict[Ink, Style] = {}
        self.border_title = title_of(panel, room=0)

    def on_resize(self, event: Resize) -> None:
        """Write the unit beside the title where there is room."""
        self.border_title = title_of(self.panel, self.outer_size.width - EDGE)

    @property
    def entry(self) -> str:
        """The glossary entry that explains what this panel shows, ``slug`` or ``slug#heading``."""
        return self.panel.entry

    def show(self, view: RunView, others: tuple[RunView, ...] = ()) -> None:
        """Show a run, and beside it `others` where the kind can; costs next to nothing where nothing changed."""
        self.view, self.others = view, others
        key = self.key(view, others)
        if key != self._key:
            self._key = key
            self._update()

    def redraw(self) -> None:
        """Draw all of it again."""
        self._update()

    def _update(self) -> None:
        """Draw, and repaint the lines that came out different; what is not seen is drawn when it next is."""
        self._relabel(one_line(self.hint(), 80))
        size = (self.size.width, self.size.height)
        if self._drawn_for != size or not is_seen(self):
            self._drawn_for = None
            self.refresh()
            return
        self._repaint(self._draw_lines(size))

    def _relabel(self, subtitle: str) -> None:
        """Write `subtitle` on the lower edge and repaint that line; setting the attribute would repaint the panel."""
        if subtitle == self._subtitle:
            return
        self._subtitle = subtitle
        self._border_subtitle = Content(subtitle) if subtitle else None
        self._repaint([self.size.height + self.styles.padding.bottom])

    def _repaint(self, lines: list[int]) -> None:
        """Repaint lines of the content with their edges: a line of the screen is sent fastest from edge to edge."""
        if lines:
            left, width = self.content_offset.x, self.outer_size.width
            self.refresh(*(Region(-left, y, width, 1) for y in lines))

    def key(self, view: RunView, others: tuple[RunView, ...]) -> Hashable:
        """Return what changes when, and only when, something that this panel shows has changed."""
        raise NotImplementedError

    def draw(self, width: int, height: int) -> list[Line]:
        """Return exactly `height` lines of `width` cells; called with a run to show."""
        raise NotImplementedError

    def waiting(self) -> str:
        """Say what will appear here, while there is nothing to show."""
        return f"{one_line(self.panel.title, 60) or 'This panel'} appears here once the run reports it."

    def hint(self) -> str:
        """Return a few words on how the panel is set, for its lower edge."""
        return ""

    @property
    def tone(self) -> Tone:
        """``shade`` where the terminal has no colors, or too few to read values from them."""
        few = self.app.console.color_system in _FEW_COLORS and not self.app.is_headless
        return "shade" if few or self.app.no_color else "color"

    @property
    def mode(self) -> Mode:
        """The characters that the app wants drawings made of (its attribute ``chart_mode``); braille unless it says."""
        return cast(Mode, getattr(self.app, "chart_mode", "braille"))

    def notify_style_update(self) -> None:
        """Draw again in the colors of the new theme."""
        super().notify_style_update()
        self._base = None
        self._colors.clear()
        self._styles_of.clear()
        self._lines = []
        self._drawn_for = None

    def render_line(self, y: int) -> Strip:
        """Return one line, drawing all of them first where that was not done yet."""
        size = (self.size.width, self.size.height)
        if self._drawn_for != size:
            self._lines = []
            self._draw_lines(size)
        return self._strips[y] if y < len(self._strips) else Strip.blank(size[0], self.rich_style)

    def _draw_lines(self, size: tuple[int, int]) -> list[int]:
        """Draw all lines; return the numbers of those that are not as they were."""
        before, strips = self._lines, self._strips
        self._drawn_for = size
        self._lines = self.draw(*size) if self.view is not None else centered(self.waiting(), *size)
        same = len(before) == len(self._lines)
        changed = [y for y, line in enumerate(self._lines) if not same or line != before[y]]
        self._strips = strips if same else [Strip([])] * len(self._lines)
        for y in changed:
            self._strips[y] = self._strip(self._lines[y], size[0])
        return changed

    def color(self, role: str) -> str:
        """Return the theme's color of a role as ``#rrggbb``."""
        known = self._colors.get(role)
        if known is None:
            color = self.get_component_rich_style(f"panel--{role}", partial=True).color
            known = self._colors[role] = color.get_truecolor().hex if color is not None else "#808080"
        return known

    def _strip(self, line: Line, width: int) -> Strip:
        return Strip([Segment(text, self._style(ink)) for text, ink in line], width)

    def _style(self, ink: Ink) -> Style:
        style = self._styles_of.get(ink)
        if style is None:
            style = self._base = self._base or self.rich_style
            if ink.front and ink.front[0] != "#":
                style += self.get_component_rich_style(f"panel--{ink.front}", partial=True)
                style += _colored("", ink.back)
            else:
                style += _colored(ink.front, ink.back)
            if len(self._styles_of) < 4096:
                self._styles_of[ink] = style
        return style


def title_of(panel: Panel, room: int) -> Content:
    """Return what stands on a panel's upper edge: the title, and its unit where both fit into `room` cells."""
    title, unit = one_line(panel.title, 60), one_line(panel.unit, 24)
    both = f"{title} ({unit})" if unit and title else title or unit or "panel"
    return Content(both if cell_len(both) <= room or not title else title)


def is_seen(widget: Widget) -> bool:
    """Whether any of a widget was on the screen when that was last laid out."""
    try:
        return bool(widget.screen.find_widget(widget).visible_region)
    except (NoScreen, NoWidget):
        return False

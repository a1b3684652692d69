"""From a declared panel to its widget."""

from __future__ import annotations

from importlib import import_module

from engine.core.spec import Panel
from tui.widgets.panel import PanelWidget

_WIDGETS = {
    "line": "line_panel:LinePanel",
    "pictures": "pictures_panel:PicturesPanel",
    "text": "text_panel:TextPanel",
    "histogram": "histogram_panel:HistogramPanel",
    "heatmap": "heatmap_panel:HeatmapPanel",
    "points": "points_panel:PointsPanel",
    "surface": "surface_panel:SurfacePanel",
    "table": "table_panel:TablePanel",
    "hardware": "hardware_panel:HardwarePanel",
    "log": "log_panel:LogPanel",
}
"""Module and class of each kind; imported when the first panel of it is made, because drawing needs numpy."""


def make_panel(panel: Panel) -> PanelWidget:
    """Return the widget that shows `panel`."""
    module, _, name = _WIDGETS[panel.kind].partition(":")
    widget: PanelWidget = getattr(import_module(f"tui.widgets.{module}"), name)(panel)
    return widget

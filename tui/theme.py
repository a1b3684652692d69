"""The two themes, dark and light, and the variables that the drawings are colored with.

Series colors are Okabe and Ito's ("Color Universal Design", 2008), told apart by color-blind people too; a few are
lightened or darkened until they stand out from the background of their theme. Series n has the same hue in both.

Variables beside Textual's own: ``series-1`` to ``series-8`` (lines, points, groups), ``series-1-dim`` to
``series-8-dim`` (their min/max bands), ``chart-axis``, ``chart-label``, ``chart-reference``, ``chart-mark``,
``chart-cursor``, ``chart-bad``.
"""

from __future__ import annotations

from textual.theme import Theme

SERIES = 8
"""How many series colors there are; the ninth series begins again."""

_DARK_SERIES = ("#56b4e9", "#e69f00", "#1fb58f", "#cc79a7", "#e8702a", "#f0e442", "#5b8def", "#b4b8bf")
_LIGHT_SERIES = ("#0072b2", "#b86e00", "#00795a", "#a8487f", "#c24e00", "#7d7200", "#3a5fc4", "#5c6370")


def _blend(color: str, background: str, share: float) -> str:
    """Return `color` mixed into `background`; a share of 1 is the color itself."""
    pairs = [(int(color[i : i + 2], 16), int(background[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(front * share + back * (1 - share)):02x}" for front, back in pairs)


def _variables(series: tuple[str, ...], background: str, foreground: str, bad: str) -> dict[str, str]:
    variables = {f"series-{number}": color for number, color in enumerate(series, 1)}
    variables.update({f"{name}-dim": _blend(color, background, 0.45) for name, color in variables.items()})
    shares = {"axis": 0.34, "label": 0.66, "reference": 0.52, "mark": 1.0, "cursor": 0.8}
    variables.update({f"chart-{name}": _blend(foreground, background, share) for name, share in shares.items()})
    return {**variables, "chart-bad": bad}


def variable_defaults() -> dict[str, str]:
    """Return a value for every variable of ours, for `App.get_theme_variable_defaults`, so that any theme works."""
    return _variables(_DARK_SERIES, "#14171c", "#d9dce1", "#ff6b6b")


DARK = Theme(
    name="lexigrad-dark",
    dark=True,
    primary="#56b4e9",
    secondary="#8aa1b8",
    accent="#e6b450",
    foreground="#d9dce1",
    background="#14171c",
    surface="#1a1e24",
    panel="#222830",
    success="#1fb58f",
    warning="#e6b450",
    error="#ff6b6b",
    variables=_variables(_DARK_SERIES, "#14171c", "#d9dce1", "#ff6b6b")
    | {
        "border": "#56b4e9",
        "border-blurred": "#323a45",
        "footer-background": "#1a1e24",
        "footer-key-foreground": "#e6b450",
        "footer-description-foreground": "#9aa4b0",
        # Concrete, because Textual paints its own "auto 60%" at full strength within a Content.
        "text-muted": "#9aa4b0",
        "text-disabled": "#6b7480",
        "input-selection-background": "#56b4e9 30%",
        "block-cursor-background": "#2b4255",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-text-style": "none",
    },
)
LIGHT = Theme(
    name="lexigrad-light",
    dark=False,
    primary="#0072b2",
    secondary="#4c6175",
    accent="#9a6200",
    foreground="#23272e",
    background="#fbfaf7",
    surface="#f3f1ec",
    panel="#e8e5de",
    success="#00795a",
    warning="#9a6200",
    error="#b3261e",
    variables=_variables(_LIGHT_SERIES, "#fbfaf7", "#23272e", "#b3261e")
    | {
        "border": "#0072b2",
        "border-blurred": "#cfcabf",
        "footer-background": "#f3f1ec",
        "footer-key-foreground": "#9a6200",
        "footer-description-foreground": "#5c6370",
        "text-muted": "#5c6370",
        "text-disabled": "#8a8f98",
        "input-selection-background": "#0072b2 25%",
        "block-cursor-background": "#cfe3f0",
        "block-cursor-foreground": "#10202c",
        "block-cursor-text-style": "none",
    },
)

"""Colors that color-blind people tell apart, on white paper and on a dark screen."""

from types import MappingProxyType
from typing import Final

MODES: Final = MappingProxyType({"road": "#d55e00", "rail": "#0072b2", "sea": "#009e73"})
"""Mode -> color of its links: vermilion, blue and green of Okabe and Ito (2008)."""
OTHER_MODE: Final = "#cc79a7"

GAIN: Final = "#0072b2"
LOSS: Final = "#d55e00"
"""What a variant carries more and less than the base."""

LOADS: Final = MappingProxyType(
    {
        "unknown": "#ffffff",
        "below 50 %": "#fde9b8",
        "50-70 %": "#f9b35b",
        "70-85 %": "#e0653f",
        "85-95 %": "#9c2964",
        "95 % and more": "#2d0b59",
    }
)
"""Class of utilization -> color, ever darker: the order holds in gray too."""
LOAD_LIMITS: Final = (0.5, 0.7, 0.85, 0.95)

SERIES: Final = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#7a7a7a",
    "#8c6d1f",
)
"""Colors of series in the order in which charts use them."""

LEGS: Final = MappingProxyType(
    {
        "road": "#d55e00",
        "rail": "#0072b2",
        "sea": "#009e73",
        "border": "#882255",
        "terminal": "#e69f00",
        "service wait": "#cc79a7",
        "other": "#7a7a7a",
    }
)
"""Kind of a leg from door to door -> color."""


def mode_color(mode: str) -> str:
    """Return the color of a mode's links.

    Examples
    --------
    >>> mode_color("rail")
    '#0072b2'
    """
    return MODES.get(mode, OTHER_MODE)


def load_class(utilization: float) -> str:
    """Return the class of a utilization; NaN is unknown.

    Examples
    --------
    >>> load_class(0.2), load_class(0.95), load_class(float("nan"))
    ('below 50 %', '95 % and more', 'unknown')
    """
    names = list(LOADS)
    if not utilization >= 0.0:
        return names[0]
    return names[1 + sum(utilization >= limit for limit in LOAD_LIMITS)]

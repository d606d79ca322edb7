"""What no table of a data set says about posts: values with their ranges, listed with every result.

They are judgements. Data wins where it has any: a crossing's own columns ``arrival_swing`` and
``arrival_peak_h`` in crossings.csv.
"""

from typing import Final, NamedTuple

import pandas as pd


class Assumed(NamedTuple):
    """A value that was taken for granted, and the range it may lie in."""

    value: float
    low: float
    high: float
    unit: str
    meaning: str


ARRIVAL_SWING: Final = {
    "road": Assumed(
        0.5, 0.2, 0.8, "share",
        "trucks come by day: arrivals swing as 1 + swing cos(2 pi (hour - peak) / 24)",
    ),
    "rail": Assumed(0.0, 0.0, 0.3, "share", "trains come at all hours alike"),
    "sea": Assumed(0.0, 0.0, 0.3, "share", "ships come at all hours alike"),
}  # fmt: skip
"""Swing of the arrivals over the day, by the layer's mode."""
ARRIVAL_PEAK_H: Final = Assumed(14.0, 10.0, 18.0, "h", "local hour in which most vehicles come")
VEHICLES_PER_KM: Final = Assumed(
    40.0, 30.0, 60.0, "vehicles/km", "trucks that stand in one lane on a km between two posts"
)
SEPARATION: Final = {
    "scanner": Assumed(
        1.0, 0.0, 2.0, "sd", "how well risk scores choose vehicles for the scanner (0: at random)"
    ),
    "inspection": Assumed(
        1.5, 0.5, 2.5, "sd", "how well risk scores and images choose vehicles that are opened"
    ),
}
"""Distance between the scores of misdeclared and other goods, by stage: `targeted_detection`."""
FINDS: Final = {
    "scanner": Assumed(0.6, 0.4, 0.8, "probability", "a scan shows misdeclared goods"),
    "inspection": Assumed(0.9, 0.7, 1.0, "probability", "opening finds misdeclared goods"),
}
"""Probability that a stage finds what is there."""
SKIPPED_UNDER_SEAL: Final = ("scanner", "inspection", "sanitary", "customs")
"""Stages that goods under seal skip where no rule in force says which."""


def assumption_rows(chosen: list[tuple[str, Assumed]]) -> pd.DataFrame:
    """Return assumptions as a table: ``assumption, value, low, high, unit, meaning``.

    Examples
    --------
    >>> assumption_rows([("arrival_peak_h", ARRIVAL_PEAK_H)])["value"].tolist()
    [14.0]
    """
    columns = ["assumption", "value", "low", "high", "unit", "meaning"]
    return pd.DataFrame([(name, *row) for name, row in chosen], columns=columns)

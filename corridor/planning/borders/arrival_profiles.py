"""How arrivals at a crossing swing over the day: the data's own numbers, else assumed ones."""

import numpy as np

from corridor.border.assumed import ARRIVAL_PEAK_H, ARRIVAL_SWING, Assumed
from corridor.errors import InputError
from corridor.planning.borders.cases import BorderCase


def arrival_profile(case: BorderCase) -> tuple[Assumed, Assumed]:
    """Return swing and peak hour of the arrivals: the crossing's own, else those of its mode.

    Raises
    ------
    InputError
        If the crossing's own columns do not hold numbers in range.
    """
    mode = str(case.layer["mode"])
    swing, peak = ARRIVAL_SWING.get(mode, ARRIVAL_SWING["rail"]), ARRIVAL_PEAK_H
    own = _own_number(case, "arrival_swing", 1.0), _own_number(case, "arrival_peak_h", 24.0)
    if own[0] is not None:
        swing = Assumed(own[0], own[0], own[0], swing.unit, "swing of the arrivals, of this post")
    if own[1] is not None:
        peak = Assumed(own[1], own[1], own[1], peak.unit, peak.meaning)
    return swing, peak


def _own_number(case: BorderCase, name: str, most: float) -> float | None:
    """Return a number of an optional column of the crossings table, None where there is none."""
    text = str(case.row[name]).strip() if name in case.row else ""
    if text in ("", "nan", "None"):
        return None
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not 0.0 <= value <= most:
        msg = (
            f"{name} of {case.row['crossing_id']!r} in crossings.csv must be a number from 0 to "
            f"{most:g}; found {text!r}. Correct it, or leave it blank."
        )
        raise InputError(msg)
    return value

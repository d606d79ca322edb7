"""How likely a crossing finds misdeclared goods, from what its stages select and find.

Generic: a stage sends the vehicles with the highest risk scores to itself and finds with a
probability what is there. Which goods, scores or sensors these are is left open.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.border.assumed import FINDS, SEPARATION
from corridor.border.worksheets import Worksheet
from corridor.core.queues import targeted_detection

FloatArray: TypeAlias = NDArray[np.float64]

DETECTING: Final = tuple(FINDS)
"""Names of the stages that look for misdeclared goods."""


class Detection(NamedTuple):
    """Probability that a vehicle with misdeclared goods is found; at the ends of the ranges too."""

    value: float
    low: float
    high: float


def detection(sheet: Worksheet, way: int, ends: Iterable[int]) -> Detection:
    """Return the probability that at least one stage of the given posts finds misdeclared goods.

    Formula: 1 - prod over the stages (1 - finds x Phi(separation + Phi^-1(share))), stages taken as
    independent. Shares are those of loaded vehicles; separation and finds are assumed by the
    stage's name, low with low and high with high (`corridor.border.assumed`).

    Parameters
    ----------
    sheet
        The crossing's stages.
    way, ends
        Way and posts.
    """
    missed = np.ones(3)
    for end in ends:
        shares = np.clip(sheet.visits(way, end), 0.0, 1.0)
        for name, share in zip(sheet.stages["stage"], shares, strict=True):
            if name in FINDS and share > 0.0:
                missed *= 1.0 - _found(name, float(share))
    value, low, high = 1.0 - missed
    return Detection(float(value), float(low), float(high))


def _found(stage: str, share: float) -> FloatArray:
    """Return value, low and high of the probability that a stage finds what is there."""
    separation, finds = SEPARATION[stage], FINDS[stage]
    apart = np.array([separation.value, separation.low, separation.high])
    return np.array([finds.value, finds.low, finds.high]) * targeted_detection(share, apart)

"""Costs as whole numbers, so that sums are exact and ties are ties.

Searches over several criteria compare sums of different arcs, and floats would call two routes of
equal length different because 0.1 + 0.2 is not 0.3. Each criterion is therefore scaled to whole
numbers that float64 holds exactly: by a power of ten where its values are decimals, else by a
power of two with rounding to the last of about fifty bits.
"""

import math
from dataclasses import dataclass

import numpy as np

from corridor.core.graph import FloatArray
from corridor.errors import InputError

LARGEST_TOTAL = 2.0**51
"""Totals stay below: sums are exact, and distinct ones stay distinct when scaled back."""

N_DECIMALS = 10
COARSEST = 1e-6
"""Rounding of a cost that is accepted, as a share of the median cost."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Whole:
    """One criterion in whole numbers.

    Parameters
    ----------
    values
        float64 (n_arcs,), whole numbers >= 0; inf closes an arc.
    scale
        ``values`` are the costs times this.
    exact
        Whether no cost was rounded.
    """

    values: FloatArray
    scale: float
    exact: bool


def as_whole(name: str, cost: FloatArray, n_steps: int, ceiling: float = math.inf) -> Whole:
    """Scale costs to whole numbers.

    Parameters
    ----------
    name
        What the costs are called in messages.
    cost
        (n_arcs,), >= 0; inf closes an arc.
    n_steps
        Most arcs a path can have.
    ceiling
        Totals above it do not matter.

    Raises
    ------
    InputError
        When the costs span so many orders of magnitude that most of them would be rounded away.

    Examples
    --------
    >>> as_whole("cost", np.array([0.1, 0.25, np.inf]), n_steps=2).values
    array([10., 25., inf])
    """
    top = min(_largest_total(cost, n_steps), ceiling)
    for digits in range(N_DECIMALS):
        scale = 10.0**digits
        if not top * scale < LARGEST_TOTAL:
            break
        values = np.rint(cost * scale)
        # The float nearest to a decimal is what dividing gives.
        if np.array_equal(values / scale, cost):
            return Whole(values=values, scale=scale, exact=True)
    positive = np.sort(cost[(cost > 0) & np.isfinite(cost)])
    median = positive[(positive.size - 1) // 2]
    exponent = math.frexp(LARGEST_TOTAL)[1] - math.frexp(top)[1] - 1
    scale = math.ldexp(1.0, min(exponent, 1000)) if math.isfinite(top) else 0.0
    if not COARSEST * median * scale >= 1.0:
        message = (
            f"{name} must not span more orders of magnitude than float64 can add; found values "
            f"from {positive[0]:g} to {positive[-1]:g}, median {median:g}; "
            "close arcs with inf rather than with a huge cost"
        )
        raise InputError(message)
    values = np.rint(cost * scale)
    return Whole(values=values, scale=scale, exact=bool(np.array_equal(values / scale, cost)))


def _largest_total(cost: FloatArray, n_steps: int) -> float:
    """Return more than any path with at most ``n_steps`` arcs can cost."""
    finite = cost[np.isfinite(cost)]
    if finite.size > n_steps:
        finite = np.partition(finite, finite.size - n_steps)[finite.size - n_steps :]
    with np.errstate(over="ignore"):
        return float(finite.sum())

"""Weighted statistics of paths and flows: NaN where there is nothing to weigh."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]


def ratio(over: float, under: float) -> float:
    """Return a quotient, NaN where `under` is not above 0.

    Examples
    --------
    >>> ratio(1.0, 4.0), ratio(1.0, 0.0)
    (0.25, nan)
    """
    return float(over / under) if under > 0 else float("nan")


def weighted_mean(values: FloatArray, weights: FloatArray) -> float:
    """Return the mean of `values` under `weights` >= 0, arrays of one shape.

    Examples
    --------
    >>> weighted_mean(np.array([1.0, 4.0]), np.array([2.0, 1.0]))
    2.0
    """
    return ratio(float((values * weights).sum()), float(weights.sum()))


def weighted_quantile(values: FloatArray, weights: FloatArray, q: float) -> float:
    """Return the smallest value that at least a share `q` of the weight does not exceed.

    Examples
    --------
    >>> weighted_quantile(np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 2.0]), 0.5)
    2.0
    """
    if not weights.sum() > 0:
        return float("nan")
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order]) >= q * weights.sum() * (1.0 - 1e-12)
    return float(values[order][reached.argmax()])

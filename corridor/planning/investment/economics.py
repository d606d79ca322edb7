"""Arithmetic of investment: annuities, net present value, internal rate of return, payback.

Flows come at the ends of years; year 0 is the first year of building, and values are as of its end.
Rates are real, as fractions a year.

References
----------
P. Belli et al., "Economic Analysis of Investment Operations", World Bank Institute (2001);
European Commission, "Guide to Cost-Benefit Analysis of Investment Projects" (2014).
"""

import math
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from corridor.errors import InputError

FloatArray: TypeAlias = NDArray[np.float64]

_HIGHEST_RATE: Final = 1e6
_LOWEST_RATE: Final = -0.999


def capital_recovery_factor(rate: float, years: float) -> float:
    """Return the yearly payment that repays 1 over some years: r / (1 - (1 + r)^-n).

    Parameters
    ----------
    rate
        Rate a year, >= 0; at 0 it is 1 / years.
    years
        Years, > 0.

    Examples
    --------
    >>> round(capital_recovery_factor(0.06, 30.0), 6)
    0.072649
    """
    return 1.0 / years if rate == 0.0 else -rate / math.expm1(-years * math.log1p(rate))


def value_at_opening(rate: float, build_years: float) -> float:
    """Return what 1, spent evenly while building, is worth on the day of opening.

    Whole years pay at their ends, a part of a year at its end as well: interest during
    construction, ((1 + r)^n - 1) / (r n) for whole years n.

    Examples
    --------
    >>> round(value_at_opening(0.06, 3.0), 6), value_at_opening(0.06, 1.0)
    (1.0612, 1.0)
    """
    spent = spending(build_years)
    years_before = np.arange(spent.size)[::-1]
    return float(spent @ (1.0 + rate) ** years_before)


def spending(build_years: float) -> FloatArray:
    """Return the share of capex that falls into each year of building; the last may be a part.

    Examples
    --------
    >>> spending(2.5).tolist(), spending(0.0).tolist()
    ([0.4, 0.4, 0.2], [1.0])
    """
    if build_years <= 0.0:
        return np.ones(1)
    years = math.ceil(build_years)
    shares = np.minimum(1.0, build_years - np.arange(years)) / build_years
    return np.asarray(shares, dtype=np.float64)


def present_value(flows: ArrayLike, rate: float) -> float:
    """Return the present value of flows at the ends of years 0, 1, ...: sum of flow / (1 + r)^t.

    Examples
    --------
    >>> round(present_value([-100.0, 60.0, 60.0], 0.10), 4)
    4.1322
    """
    values = np.asarray(flows, dtype=np.float64)
    return float(values @ (1.0 + rate) ** -np.arange(values.size, dtype=np.float64))


def internal_rate(flows: ArrayLike) -> float:
    """Return the rate at which the present value is 0; NaN where there is none or no single one.

    A flow of costs first and benefits after has one. So has one whose running total changes its
    sign once, from below 0 to above (Norstrom 1972): renewals may cost more than a year brings.

    Examples
    --------
    >>> round(internal_rate([-100.0, 60.0, 60.0]), 6)
    0.130662
    >>> internal_rate([100.0, 60.0])
    nan
    """
    values = np.asarray(flows, dtype=np.float64)
    once = _changes_once(values)
    if not once and not (_changes_once(np.cumsum(values)) and values.sum() > 0.0):
        return math.nan
    if values.sum() <= 0.0:
        # Not even the sum pays back: the rate is below 0.
        if present_value(values, _LOWEST_RATE) <= 0.0:
            return math.nan
        return float(brentq(lambda rate: present_value(values, rate), _LOWEST_RATE, 0.0))
    high = 1.0
    while present_value(values, high) > 0.0:
        if high > _HIGHEST_RATE:
            return math.inf
        high *= 2.0
    return float(brentq(lambda rate: present_value(values, rate), 0.0, high))


def _changes_once(values: FloatArray) -> bool:
    """Whether values go from below 0 to above, once."""
    signs = np.sign(values[values != 0.0])
    return bool(np.count_nonzero(np.diff(signs)) == 1 and signs[0] < 0.0)


def payback_years(flows: ArrayLike, rate: float) -> float:
    """Return the years until discounted flows have paid back, within the year by proportion.

    Counted from the beginning of year 0; inf where they never do.

    Examples
    --------
    >>> payback_years([-100.0, 50.0, 50.0, 50.0], 0.0)
    3.0
    >>> payback_years([-100.0, 10.0], 0.0)
    inf
    """
    values = np.asarray(flows, dtype=np.float64)
    discounted = values * (1.0 + rate) ** -np.arange(values.size, dtype=np.float64)
    total = np.cumsum(discounted)
    below = np.flatnonzero(total < 0.0)
    if not below.size:
        return 0.0
    last = int(below[-1])
    if last == values.size - 1:
        return math.inf
    return last + 1.0 + float(-total[last] / discounted[last + 1])


def check_rate(name: str, rate: float) -> None:
    """Refuse a rate that is not within [0, 1).

    Raises
    ------
    InputError
        If it is not.
    """
    if not 0.0 <= rate < 1.0:
        msg = (
            f"{name} must be a rate a year as a fraction, 0 <= rate < 1; found {rate}. 0.06 is 6 %."
        )
        raise InputError(msg)

"""Demand that falls as the journey gets dearer, and what its users gain by a cheaper one."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from corridor.core.flows._arrays import FloatArray, LongArray, check_values
from corridor.core.flows._curves import EXCESS, N_PARAMETERS, STRAIGHT, CurveTable, check_parameters


@runtime_checkable
class ElasticDemand(Protocol):
    """How the demand of each commodity depends on the cost of its cheapest path.

    The demand that the equilibrium is given is that at the reference cost.
    """

    @property
    def n_commodities(self) -> int:
        """Number of commodities."""
        ...

    def demand(self, reference_demand: FloatArray, cost: FloatArray) -> FloatArray:
        """Return the demand at a cost, nonincreasing, shape (n_commodities,)."""
        ...

    def excess_table(self, some: LongArray, potential: FloatArray, cost: FloatArray) -> CurveTable:
        """Return the cost at which just that much of the potential demand stays at home.

        Parameters
        ----------
        some : ndarray of int64, shape (n,)
            Commodities.
        potential, cost : ndarray of float64, shape (n,)
            Their demand > 0 on the empty network, and its cost.
        """
        ...

    def excess_area(
        self, some: LongArray, potential: FloatArray, cost: FloatArray, excess: FloatArray
    ) -> FloatArray:
        """Return the integral of that cost from 0 to ``excess``, shape (n,)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ExponentialDemand:
    """Demand that falls by the same share for each unit of cost.

    Formula: ``demand = reference_demand * exp(-sensitivity * (cost - reference_cost))``.

    Parameters
    ----------
    sensitivity : array-like of float64, shape (n_commodities,)
        Share of the demand lost per unit of cost, > 0 and finite. Times the cost it is the
        elasticity.
    reference_cost : array-like of float64, shape (n_commodities,) or a number
        Cost at which the demand is the given one, >= 0 and finite.

    Raises
    ------
    InputError
        If a shape differs, or a value is out of its range.

    Examples
    --------
    >>> ExponentialDemand([0.1], 20.0).demand(np.array([100.0]), np.array([30.0])).round(6)
    array([36.787944])
    """

    sensitivity: FloatArray
    reference_cost: FloatArray | float = 0.0

    def __post_init__(self) -> None:
        _store(self)

    @property
    def n_commodities(self) -> int:
        """Number of commodities."""
        return int(self.sensitivity.size)

    def demand(self, reference_demand: FloatArray, cost: FloatArray) -> FloatArray:
        """Return the demand at a cost, shape (n_commodities,); 0 where it is inf."""
        with np.errstate(over="ignore"):  # whoever uses it asks for finite demand
            share: FloatArray = np.exp(-self.sensitivity * (cost - self.reference_cost))
            return reference_demand * share

    def excess_table(self, some: LongArray, potential: FloatArray, cost: FloatArray) -> CurveTable:
        """Return ``cost - log(1 - excess / potential) / sensitivity``."""
        parameter = np.zeros((potential.size, N_PARAMETERS))
        parameter[:, 0] = cost
        parameter[:, 1] = 1.0 / self.sensitivity[some]
        parameter[:, 2] = 1.0 / potential
        return CurveTable(np.full(potential.size, EXCESS, dtype=np.int32), parameter)

    def excess_area(
        self, some: LongArray, potential: FloatArray, cost: FloatArray, excess: FloatArray
    ) -> FloatArray:
        """Return ``cost e + (p / s) (x + (1 - x) log(1 - x))``, x = e / p."""
        left = np.maximum(1.0 - excess / potential, 0.0)
        log = np.log(np.where(left > 0.0, left, 1.0))
        area: FloatArray = potential / self.sensitivity[some] * (1.0 - left + left * log)
        return cost * excess + area


@dataclass(frozen=True, slots=True, eq=False)
class LinearDemand:
    """Demand that falls by the same amount for each unit of cost, down to nothing.

    Formula: ``demand = reference_demand * max(0, 1 - sensitivity * (cost - reference_cost))``.

    Parameters
    ----------
    sensitivity : array-like of float64, shape (n_commodities,)
        Share of the reference demand lost per unit of cost, > 0 and finite.
    reference_cost : array-like of float64, shape (n_commodities,) or a number
        Cost at which the demand is the given one, >= 0 and finite.

    Raises
    ------
    InputError
        If a shape differs, or a value is out of its range.

    Examples
    --------
    >>> LinearDemand([0.1], 5.0).demand(np.array([100.0]), np.array([8.0])).round(9)
    array([70.])
    """

    sensitivity: FloatArray
    reference_cost: FloatArray | float = 0.0

    def __post_init__(self) -> None:
        _store(self)

    @property
    def n_commodities(self) -> int:
        """Number of commodities."""
        return int(self.sensitivity.size)

    def demand(self, reference_demand: FloatArray, cost: FloatArray) -> FloatArray:
        """Return the demand at a cost, shape (n_commodities,); 0 where it is inf."""
        left = np.maximum(1.0 - self.sensitivity * (cost - self.reference_cost), 0.0)
        return reference_demand * left

    def excess_table(self, some: LongArray, potential: FloatArray, cost: FloatArray) -> CurveTable:
        """Return ``cost + rise * excess``; the rise takes the potential to the choke cost."""
        parameter = np.zeros((potential.size, N_PARAMETERS))
        parameter[:, 0] = cost
        parameter[:, 1] = self._rise(some, potential, cost)
        return CurveTable(np.full(potential.size, STRAIGHT, dtype=np.int32), parameter)

    def excess_area(
        self, some: LongArray, potential: FloatArray, cost: FloatArray, excess: FloatArray
    ) -> FloatArray:
        """Return ``cost e + rise e^2 / 2``."""
        return excess * (cost + 0.5 * self._rise(some, potential, cost) * excess)

    def _rise(self, some: LongArray, potential: FloatArray, cost: FloatArray) -> FloatArray:
        reference: FloatArray = np.asarray(self.reference_cost)[some]
        choke: FloatArray = reference + 1.0 / self.sensitivity[some]
        return (choke - cost) / potential


def consumer_surplus(
    demand_before: ArrayLike, cost_before: ArrayLike, demand_after: ArrayLike, cost_after: ArrayLike
) -> FloatArray:
    """Return what users gain by a change of cost, by the rule of half.

    Formula: ``(demand_before + demand_after) / 2 * (cost_before - cost_after)``: those who travel
    anyway gain the whole difference, those who come or go half of it on average. It is exact for
    linear demand, and off by a share of order ``(sensitivity * change of cost)^2 / 12`` for
    exponential demand.

    Parameters
    ----------
    demand_before, cost_before, demand_after, cost_after : array-like of float64
        Demand and cost of each origin-destination pair before and after, >= 0 and finite; shapes
        that broadcast.

    Returns
    -------
    ndarray of float64
        Gain of each, in units of cost; negative where the cost rises.

    Raises
    ------
    InputError
        If a value is negative, NaN or infinite: the gain of a path that opens or closes needs the
        cost at which demand ends in its place.

    References
    ----------
    H. C. W. L. Williams, "On the formation of travel demand models and economic evaluation
    measures of user benefit", Environment and Planning A 9 (1977) 285-344.

    Examples
    --------
    100 units save 2 each, 20 more come and save 1 each on average.

    >>> consumer_surplus(100.0, 10.0, 120.0, 8.0)
    np.float64(220.0)
    """
    names = ("demand_before", "cost_before", "demand_after", "cost_after")
    arrays = [np.asarray(v, float) for v in (demand_before, cost_before, demand_after, cost_after)]
    for name, array in zip(names, arrays, strict=True):
        check_values(name, array, (array >= 0) & np.isfinite(array), ">= 0 and finite")
    before, dear, after, cheap = arrays
    gain: FloatArray = 0.5 * (before + after) * (dear - cheap)
    return gain


def _store(curve: ExponentialDemand | LinearDemand) -> None:
    given: dict[str, ArrayLike] = {
        "sensitivity": curve.sensitivity,
        "reference_cost": curve.reference_cost,
    }
    for name, values in check_parameters(given, positive=("sensitivity",)).items():
        good = np.isfinite(values)
        check_values(name, values, good, "finite")
        object.__setattr__(curve, name, values)

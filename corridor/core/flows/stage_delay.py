"""Arcs that pass through queues: stages of border posts and terminals, one after the other."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from corridor.core.flows._arrays import (
    FloatArray,
    IntArray,
    as_floats,
    check_values,
    locked,
    sum_by,
    wrong_shape,
)
from corridor.core.flows._curves import as_flow, check_parameters
from corridor.core.graph import as_positions
from corridor.core.queues import wait_and_slope
from corridor.errors import InputError

TANGENT_UTILIZATION: Final = 0.99
"""Above it the wait goes on along its tangent, finite and convex."""

N_NODES: Final = 48
"""Points of the Gauss-Legendre rule for the integral of a wait."""

_STAGE_FIELDS = ("servers", "service_time", "share", "arrival_scv", "service_scv")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StageDelay:
    r"""Time at the M/G/c stages on each arc, of which a share of the flow joins each.

    Formula, with v the flow on the arc and W = `mean_wait`, summed over the stages of the arc::

        cost = fixed + sum share (service_time + W(share v, service_time, servers))

    W is the linear interpolation between M/M/c and M/D/c, so it is convex in v; above 99 %
    utilization it goes on along its tangent, so it is finite. A wait reported there is that of the
    tangent and too small to be a forecast.

    Parameters
    ----------
    fixed : array-like of float64, shape (n_arcs,)
        Cost of each arc that does not depend on the flow, >= 0 and finite.
    arc : array-like of int, shape (n_stages,)
        The arc that each stage stands on.
    servers : array-like of int, shape (n_stages,)
        Servers, whole and >= 1.
    service_time : array-like of float64, shape (n_stages,)
        Mean time of service, > 0 and finite, in the unit of time of the flow and of `fixed`.
    share : array-like of float64, shape (n_stages,) or a number
        Share of the flow that joins the stage, > 0 and finite.
    arrival_scv, service_scv : array-like of float64, shape (n_stages,) or a number
        Squared coefficients of variation, >= 0 and finite, as in `mean_wait`.

    Raises
    ------
    InputError
        If a shape differs, or a value is out of its range.

    Examples
    --------
    One booth, half an hour a truck: at one truck an hour it is half used, half an hour is waited.

    >>> booth = StageDelay(fixed=[0.0], arc=[0], servers=[1], service_time=[0.5])
    >>> booth.cost(np.array([1.0])).round(9)
    array([1.])
    """

    fixed: FloatArray
    arc: IntArray
    servers: FloatArray
    service_time: FloatArray
    share: FloatArray | float = 1.0
    arrival_scv: FloatArray | float = 1.0
    service_scv: FloatArray | float = 1.0
    _limit: FloatArray = field(init=False, repr=False)
    _wait_at_limit: FloatArray = field(init=False, repr=False)
    _slope_at_limit: FloatArray = field(init=False, repr=False)
    _area_at_limit: FloatArray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        shape = (int(np.size(self.fixed)),)
        fixed = as_floats("fixed", self.fixed, shape)
        check_values("fixed", fixed, (fixed >= 0) & np.isfinite(fixed), ">= 0 and finite")
        self._store("fixed", fixed)
        self._store("arc", locked(as_positions("arc", self.arc, shape[0])))
        given: dict[str, ArrayLike] = {name: getattr(self, name) for name in _STAGE_FIELDS}
        read = check_parameters(given, positive=("servers", "service_time", "share"))
        for name, values in read.items():
            if values.shape != self.arc.shape:
                raise InputError(wrong_shape(name, values.shape, self.arc.shape))
            check_values(name, values, np.isfinite(values), "finite")
            self._store(name, values)
        whole = (self.servers == np.floor(self.servers)) & (self.servers >= 1)
        check_values("servers", self.servers, whole, "whole and >= 1")
        self._store("_limit", TANGENT_UTILIZATION * self.servers / self.service_time)
        wait, slope = self._wait(self._limit)
        self._store("_wait_at_limit", wait)
        self._store("_slope_at_limit", slope)
        self._store("_area_at_limit", self._area(self._limit))

    @property
    def n_arcs(self) -> int:
        """Number of arcs."""
        return int(self.fixed.size)

    def cost(self, flow: FloatArray) -> FloatArray:
        """Return the time of a unit of flow, shape (n_arcs,)."""
        rate, excess = self._rate(flow)
        wait = self._wait(rate)[0] + self._slope_at_limit * excess
        return self.fixed + self._sum(self.share * (self.service_time + wait))

    def integral(self, flow: FloatArray) -> FloatArray:
        """Return the integral of the cost, by Gauss's rule, shape (n_arcs,)."""
        rate, excess = self._rate(flow)
        beyond = excess * (self._wait_at_limit + 0.5 * self._slope_at_limit * excess)
        area = np.where(excess > 0.0, self._area_at_limit, self._area(rate)) + beyond
        # The integral by the rate, share v, is share times that by the flow.
        return self.fixed * flow + self._sum(self.service_time * (rate + excess) + area)

    def slope(self, flow: FloatArray) -> FloatArray:
        """Return the derivative of the cost, shape (n_arcs,)."""
        rate, _ = self._rate(flow)
        return self._sum(self.share**2 * self._wait(rate)[1])

    def _rate(self, flow: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return arrivals at each stage, up to the limit and above."""
        rate = self.share * as_flow(flow, self.n_arcs)[self.arc]
        return np.minimum(rate, self._limit), np.maximum(rate - self._limit, 0.0)

    def _wait(self, rate: FloatArray) -> tuple[FloatArray, FloatArray]:
        return wait_and_slope(
            rate, self.service_time, self.servers, self.arrival_scv, self.service_scv
        )

    def _area(self, rate: FloatArray) -> FloatArray:
        """Return the integral of the wait from no arrivals to ``rate``.

        With y = -log(1 - utilization) the pole at capacity is gone: W (1 - utilization) is smooth.
        """
        points, weights = np.polynomial.legendre.leggauss(N_NODES)
        capacity = self.servers / self.service_time
        width = -np.log1p(-rate / capacity)
        y = 0.5 * (points[:, None] + 1.0) * width
        at = -np.expm1(-y) * capacity
        area: FloatArray = 0.5 * width * capacity * (weights @ (self._wait(at)[0] * np.exp(-y)))
        return area

    def _sum(self, values: FloatArray) -> FloatArray:
        return sum_by(self.arc.astype(np.int64), values, self.n_arcs)

    def _store(self, name: str, value: FloatArray | IntArray) -> None:
        value.flags.writeable = False
        object.__setattr__(self, name, value)

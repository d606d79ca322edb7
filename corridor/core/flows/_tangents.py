"""Convex curves from below: the upper envelope of tangents, as segments of rising slope."""

from dataclasses import dataclass

import numpy as np

from corridor.core.flows._arrays import FloatArray, LongArray, sum_by
from corridor.core.flows.delay import curves_of
from corridor.core.flows.problem import Delay, value_and_slope

_SAME_POINT = 1e-12
_NO_BEND = 1e-200
_STEPS = (2.0, 20.0)
"""Distances of new points from the load, in steps that keep the error within what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tangents:
    """Tangents of every pool's curve, sorted by pool and point, and the envelope they make.

    The envelope of a pool is ``max_k value_k + slope_k (v - point_k)``: convex, below the curve,
    equal to it at the points. Neighboring tangents meet at one load, so the envelope is a chain of
    segments with rising slopes, and a linear program fills them in that order by itself.

    Parameters
    ----------
    pool : ndarray of int64, shape (n_tangents,)
        Pool of each tangent; every pool has a tangent at load 0.
    point, value, slope : ndarray of float64, shape (n_tangents,)
        Where the tangent touches, and the curve there.
    start, width : ndarray of float64, shape (n_tangents,)
        The segment on which the tangent is the highest, up to the pool's capacity.
    identity : ndarray of int64, shape (n_tangents,)
        Number of each tangent, in the order in which they were added; it stays.
    n_known
        Numbers given so far.
    n_pools
        Number of pools.
    """

    pool: LongArray
    point: FloatArray
    value: FloatArray
    slope: FloatArray
    start: FloatArray
    width: FloatArray
    identity: LongArray
    n_known: int
    n_pools: int

    @property
    def steepest(self) -> FloatArray:
        """Slope of the last tangent of each pool, shape (n_pools,)."""
        last = np.searchsorted(self.pool, np.arange(self.n_pools), side="right") - 1
        slope: FloatArray = self.slope[last]
        return slope

    def envelope(self, load: FloatArray) -> FloatArray:
        """Return the envelope at the loads, shape (n_pools,)."""
        filled = np.clip(load[self.pool] - self.start, 0.0, self.width)
        return sum_by(self.pool, filled * self.slope, self.n_pools)

    def conjugate(self, price: FloatArray) -> FloatArray:
        """Return the least of ``envelope(v) - price v`` over ``0 <= v <= capacity``, per pool."""
        margin = np.minimum(self.slope - price[self.pool], 0.0)
        # Where the margin is 0 the width does not matter, infinite or not.
        parts = np.where(margin < 0, self.width, 0.0) * margin
        return sum_by(self.pool, parts, self.n_pools)


def tangents_at_zero(slope: FloatArray, capacity: FloatArray) -> Tangents:
    """Return one tangent at load 0 for each pool.

    Parameters
    ----------
    slope, capacity : ndarray of float64, shape (n_pools,)
        Slope of each pool's curve at load 0, and its largest load; inf where there is no limit.
    """
    zero = np.zeros(capacity.size)
    pool = np.arange(capacity.size, dtype=np.int64)
    return Tangents(
        pool=pool, point=zero, value=zero, slope=slope, start=zero, width=capacity,
        identity=pool, n_known=capacity.size, n_pools=capacity.size,
    )  # fmt: skip


def add_tangents(
    tangents: Tangents, delay: Delay, capacity: FloatArray, pools: LongArray, loads: FloatArray
) -> Tangents:
    """Return the tangents with more of them, for some pools at several loads.

    Parameters
    ----------
    tangents
        What there is.
    delay
        The curves.
    capacity : ndarray of float64, shape (n_pools,)
        Largest load of each pool.
    pools : ndarray of int64, shape (n,)
        Pools that get tangents.
    loads : ndarray of float64, shape (n_points, n)
        Points to touch, within 0 and capacity.
    """
    pools = np.tile(pools, loads.shape[0])
    added = value_and_slope(curves_of(delay, pools), loads.ravel())
    pool = np.concatenate([tangents.pool, pools])
    point = np.concatenate([tangents.point, loads.ravel()])
    value = np.concatenate([tangents.value, added[0]])
    slope = np.concatenate([tangents.slope, added[1]])
    n_known = tangents.n_known + pools.size
    identity = np.concatenate([tangents.identity, np.arange(tangents.n_known, n_known)])
    order = np.lexsort((point, pool))
    same = (np.diff(pool[order]) == 0) & (np.diff(point[order]) <= _SAME_POINT * point[order][1:])
    keep = order[np.r_[True, ~same]]
    start, width = _chain(pool[keep], point[keep], value[keep], slope[keep], capacity)
    return Tangents(
        pool=pool[keep], point=point[keep], value=value[keep], slope=slope[keep],
        start=start, width=width, identity=identity[keep], n_known=n_known,
        n_pools=capacity.size,
    )  # fmt: skip


def loads_near(
    tangents: Tangents, capacity: FloatArray, load: FloatArray, allowed: float
) -> FloatArray:
    """Return loads to touch, shape (5, n_pools): the present ones and some near them.

    Two tangents h apart miss the curve by up to its second derivative x h^2 / 8 between them.
    Points at about the distance where that is what is allowed, and at a multiple of it, save the
    rounds that bisection would need.

    Parameters
    ----------
    tangents
        What there is; the second derivative is read off the neighbors of each load.
    capacity, load : ndarray of float64, shape (n_pools,)
        Largest and present load of each pool.
    allowed
        Error that each pool may keep [cost unit], > 0.
    """
    pool, point, slope = tangents.pool, tangents.point, tangents.slope
    around = (pool[1:] == pool[:-1]) & (point[1:] > load[pool[1:]])
    around &= point[:-1] <= load[pool[:-1]]
    at = np.flatnonzero(around)
    # A curve without bend and end would be touched at loads that no solver takes for numbers.
    high = np.where(np.isfinite(capacity), capacity, 2.0 * load)
    low, bend = np.zeros(load.size), np.zeros(load.size)
    low[pool[at]], high[pool[at]] = point[at], point[at + 1]
    bend[pool[at]] = (slope[at + 1] - slope[at]) / (point[at + 1] - point[at])
    step = np.sqrt(8.0 * allowed / np.maximum(bend, _NO_BEND))
    loads = [load]
    for multiple in _STEPS:
        for side in (-1.0, 1.0):
            near = load + side * multiple * step
            loads.append(np.where((near > low) & (near < high), near, load))
    return np.array(loads)


def _chain(
    pool: LongArray, point: FloatArray, value: FloatArray, slope: FloatArray, capacity: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return start and width of the segments: neighboring tangents are cut where they meet."""
    end = capacity[pool]
    rise = np.diff(slope)
    drop = (value[:-1] - slope[:-1] * point[:-1]) - (value[1:] - slope[1:] * point[1:])
    meet = np.divide(drop, rise, out=point[1:].copy(), where=rise > 0)
    # Rounding must not push the meeting point out of the interval it lies in by convexity.
    meet = np.clip(meet, point[:-1], point[1:])
    within = np.diff(pool) == 0
    end[:-1] = np.where(within, np.minimum(meet, end[:-1]), end[:-1])
    start = np.zeros(pool.size)
    start[1:] = np.where(within, end[:-1], 0.0)
    return start, np.maximum(end - start, 0.0)

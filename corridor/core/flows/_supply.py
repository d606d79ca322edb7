"""What a pool supplies at which price: queues that grow, room that is full, quotas that cost."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from corridor.core.flows._arrays import BoolArray, FloatArray, LongArray
from corridor.core.flows._network import Network
from corridor.core.flows.choice import PoolCharges, Waits


class OnCurve(NamedTuple):
    """Load and price at a position of each curve, and the slope of its wait."""

    load: FloatArray
    price: FloatArray
    wait_slope: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Supply:
    """Supply curves of pools: load and price as functions of a position on the curve.

    From position 0 the load rises with the position and the price is the wait; at a soft limit the
    load stays while the price rises by the price of going over it, and then both go on; at capacity
    the load stays for good.

    Parameters
    ----------
    waits
        Waits of all pools of the problem; None is no wait anywhere.
    pools : ndarray of int64, shape (n_pools,)
        Positions of these pools among those of `waits`; pools beyond have no wait.
    capacity : ndarray of float64, shape (n_pools,)
        Most that a pool takes; inf where there is no limit.
    soft_limit, soft_price : ndarray of float64, shape (n_pools,)
        Load from which on each unit costs so much more; inf and 0 where there is none.
    rise : ndarray of float64, shape (n_pools,)
        Price by position where the load stays.
    """

    waits: Waits | None
    pools: LongArray
    capacity: FloatArray
    soft_limit: FloatArray
    soft_price: FloatArray
    rise: FloatArray

    @property
    def n_pools(self) -> int:
        """Number of pools."""
        return int(self.capacity.size)

    def only(self, some: LongArray) -> "Supply":
        """Return the curves of some pools."""
        return Supply(
            waits=self.waits,
            pools=self.pools[some],
            capacity=self.capacity[some],
            soft_limit=self.soft_limit[some],
            soft_price=self.soft_price[some],
            rise=self.rise[some],
        )

    @classmethod
    def of(cls, network: Network, charges: PoolCharges, paid: FloatArray, unit: float) -> "Supply":
        """Return the curves of all resources of a network.

        Parameters
        ----------
        network
            The network: pools, then arcs with a capacity, then side rows.
        charges
            Waits and soft limits of the pools.
        paid : ndarray of float64, shape (n_resources,)
            Most that a unit of flow pays on one arc for a unit of price.
        unit
            Cost by which the dearest use grows dearer along a way as long as the capacity.
        """
        n = network.n_resources
        soft_limit, soft_price = np.full(n, np.inf), np.zeros(n)
        if charges.overruns is not None:
            pools = slice(0, network.n_pools)
            soft_price[pools] = charges.overruns.price
            soft_limit[pools] = np.where(soft_price[pools] > 0, charges.overruns.limit, np.inf)
        size = np.minimum(network.upper, soft_limit)
        size = np.where(np.isfinite(size) & (size > 0), size, 1.0)
        return cls(
            waits=charges.waits,
            pools=np.arange(n),
            capacity=network.upper,
            soft_limit=soft_limit,
            soft_price=soft_price,
            rise=unit / (np.where(paid > 0, paid, 1.0) * size),
        )

    def at(self, position: FloatArray) -> OnCurve:
        """Return the curves at positions >= 0, shape (n_pools,)."""
        width = self.soft_price / self.rise
        on_riser = np.clip(position - self.soft_limit, 0.0, width)
        flat = position - on_riser
        beyond = np.maximum(flat - self.capacity, 0.0)
        load = np.minimum(flat, self.capacity)
        wait, slope = self._wait(load)
        return OnCurve(load, wait + self.rise * (on_riser + beyond), slope)

    def stays(self, position: FloatArray, *, onward: BoolArray) -> BoolArray:
        """Return where the load stays while the price rises.

        Parameters
        ----------
        position : ndarray of float64, shape (n_pools,)
            Positions.
        onward : ndarray of bool, shape (n_pools,)
            At the end of one part of a curve, whether the next one is meant.
        """
        first, second, third = self.kinks
        at_or_after = np.where(onward, position >= first, position > first)
        before = np.where(onward, position < second, position <= second)
        full = np.where(onward, position >= third, position > third)
        return (at_or_after & before) | full

    @property
    def kinks(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Positions where a soft limit begins and ends to hold the load, and where it is full."""
        width = self.soft_price / self.rise
        over = np.where(self.capacity > self.soft_limit, width, 0.0)
        return self.soft_limit, self.soft_limit + width, self.capacity + over

    def moved(self, position: FloatArray, change: FloatArray) -> FloatArray:
        """Return positions after a change that ends where one part of a curve does."""
        goal = np.maximum(position + change, 0.0)
        for kink in reversed(self.kinks):
            goal = np.where((position < kink) & (goal > kink), kink, goal)
        for kink in self.kinks:
            goal = np.where((position > kink) & (goal < kink), kink, goal)
        return goal

    def wait(self, load: FloatArray) -> FloatArray:
        """Return the waits at loads of these pools, shape (n_pools,)."""
        return self._wait(load)[0]

    def _wait(self, load: FloatArray) -> tuple[FloatArray, FloatArray]:
        if self.waits is None:
            return np.zeros(load.size), np.zeros(load.size)
        every = np.zeros(self.waits.n_pools)
        known = self.pools < every.size
        every[self.pools[known]] = load[known]
        wait, slope = np.zeros(load.size), np.zeros(load.size)
        for mine, found in zip((wait, slope), self.waits.wait_and_slope(every), strict=True):
            mine[known] = found[self.pools[known]]
        return wait, slope

"""First prices: a few rounds of raising the price of what is overloaded, before any program.

A master program that begins with one path for each group is short of room, so its first prices are
those of demand that stays behind, far above what detours cost, and many rounds pass before they
come down. Rounds of pricing alone are cheap: all take their cheapest path, loads are averaged with
those of earlier rounds, delay is priced at its slope there, and what is overloaded on average is
raised, what is not lowered (a subgradient method for the dual). The paths found on the way are
those among which the program has to choose, and the prices are near its own.
"""

import time
from dataclasses import dataclass
from typing import Final

import numpy as np

from corridor.core.flows._arrays import BoolArray, FloatArray
from corridor.core.flows._columns import Columns
from corridor.core.flows._network import Network
from corridor.core.flows._pricing import Pricing
from corridor.core.flows.problem import Delay

ROUNDS: Final = 10
"""Rounds; more find more paths than the program then needs."""
STEP: Final = 0.5
"""Rise of a price in a round, for each capacity by which the load is over, in mean path costs."""
MEMORY: Final = 0.2
"""Weight of the newest loads in the average, once there are as many."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FirstPrices:
    """Where the rounds ended.

    Parameters
    ----------
    price : ndarray of float64, shape (n_resources,)
        Price of each resource; 0 for side rows, which take no part.
    load : ndarray of float64, shape (n_resources,)
        Average load of each resource.
    """

    price: FloatArray
    load: FloatArray


class Ascent:
    """Rounds of pricing at prices that follow the loads.

    Parameters
    ----------
    network, columns, pricing
        What there is; the paths found are added to `columns`.
    unmet : ndarray of float64, shape (n_groups,)
        Price of a unit left behind.
    delay
        Curves of the pools, or None.
    """

    def __init__(
        self,
        network: Network,
        columns: Columns,
        pricing: Pricing,
        unmet: FloatArray,
        delay: Delay | None,
    ) -> None:
        self._network, self._columns, self._pricing = network, columns, pricing
        self._unmet, self._delay = unmet, delay
        self._limited: BoolArray = np.isfinite(network.upper) & (network.upper > 0)
        self._limited[network.first_side_row :] = False
        self._unit: FloatArray = self._price_units()
        self._raised: FloatArray = np.zeros(network.n_resources)
        self._price: FloatArray = np.zeros(network.n_resources)
        self._load: FloatArray = np.zeros(network.n_resources)
        self._round = 0

    def _price_units(self) -> FloatArray:
        """Return what a unit of each resource costs when it is all that a path pays for."""
        usage, group = self._columns.usage, self._columns.group
        n_resources = self._network.n_resources
        total = np.bincount(usage.indices, usage.data, n_resources)
        count = np.bincount(usage.indices, minlength=n_resources)
        weight = self._network.groups.demand[group]
        mean_cost = float(weight @ self._columns.cost) / (float(weight.sum()) or 1.0)
        return mean_cost * np.divide(count, total, out=np.ones(n_resources), where=total > 0)

    def run(self, deadline: float | None) -> FirstPrices:
        """Run the rounds; they end early when nothing has a price or time is up."""
        for _ in range(ROUNDS):
            self._follow_loads()
            late = deadline is not None and time.perf_counter() >= deadline
            if late or not self._price.any():
                break
            known = self._columns.least(self._columns.cost_at(self._price))
            found = self._pricing.find_cheaper(self._price, np.minimum(known, self._unmet))
            self._columns.add(found.group, found.indptr, found.arcs)
        return FirstPrices(price=self._price, load=self._load)

    def _follow_loads(self) -> None:
        """Average the load of all on their cheapest paths in, and set the prices by it."""
        network, load = self._network, self._cheapest_load()
        self._round += 1
        self._load += max(1.0 / self._round, MEMORY) * (load - self._load)
        limited = self._limited
        over = self._load[limited] / network.upper[limited] - 1.0
        raised = self._raised[limited] + STEP * self._unit[limited] * over
        self._raised[limited] = np.maximum(raised, 0.0)
        self._price = self._raised.copy()
        if self._delay is not None:
            pools = slice(network.n_pools)
            slope = self._delay.slope(np.minimum(self._load[pools], network.upper[pools]))
            self._price[pools] += np.maximum(slope - network.first_slope, 0.0)

    def _cheapest_load(self) -> FloatArray:
        """Return the load when every group takes its cheapest path, or stays where that is less."""
        columns, demand = self._columns, self._network.groups.demand
        cost = columns.cost_at(self._price)
        least = columns.least(cost)
        # Written backwards, so that the first of several equal paths stays.
        cheapest = np.flatnonzero(cost <= least[columns.group])[::-1]
        path = np.full(demand.size, -1, dtype=np.int64)
        path[columns.group[cheapest]] = cheapest
        goes = (path >= 0) & (least <= self._unmet)
        flow = np.zeros(len(columns))
        flow[path[goes]] = demand[goes]
        return np.asarray(columns.usage.T @ flow)

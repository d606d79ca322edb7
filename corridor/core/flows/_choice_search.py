"""The search for an equilibrium of choices: paths and prices, in turn."""

from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

import numpy as np
import scipy.sparse as sp

from corridor.core.flows._arrays import BoolArray, FloatArray, IntArray, LongArray
from corridor.core.flows._balance import LEAST, Balance, Point
from corridor.core.flows._choice import (
    Choice,
    Options,
    Response,
    build_options,
    choose,
    path_sizes,
)
from corridor.core.flows._choice_sets import find_alternatives
from corridor.core.flows._columns import Columns
from corridor.core.flows._network import Network, build_network
from corridor.core.flows._pricing import Pricing
from corridor.core.flows._supply import Supply
from corridor.core.flows.choice import ChoiceSet, PoolCharges
from corridor.core.flows.problem import FlowProblem

Ended: TypeAlias = Literal["", "precision", "rounds"]

MOST_ROUNDS: Final = 100
"""Rounds of pricing at one dispersion; the problems seen took about ten."""
MOST_STEPS: Final = 200
"""Newton's steps of a round that is to settle prices; the problems seen took three to fifty."""
FEW_STEPS: Final = 20
"""The same while paths are still missing: where prices stray, a new path helps more than a step."""
NEAR: Final = 1e-4
"""Relative excess at which prices are good enough to look for paths."""
BALANCED: Final = 1e-10
"""Relative excess at which prices count as settled."""
MILD: Final = 0.05
"""1 / dispersion to begin with, in costs of the median cheapest path."""
SHARPER: Final = 4.0
"""Factor of the dispersion from one stage to the next."""
HOME: Final = 3.0
"""Price of staying at home at first, in costs of the cheapest path."""
MUCH: Final = 1e300
"""More than any path costs."""
ROUNDING: Final = 1e-13
"""Relative rounding of costs: shares at sharper choices say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """Where a search ended; point and balance are None where some demand cannot be carried.

    Parameters
    ----------
    dispersion
        Dispersion of the last choice.
    balance, point
        Options and prices.
    choice
        What is chosen at the waits of the point's own loads.
    price : ndarray of float64, shape (n_resources,)
        Those waits and what comes beyond.
    beyond : ndarray of float64, shape (n_resources,)
        What comes beyond the waits.
    cheapest : ndarray of float64, shape (n_groups,)
        Cheapest option of the whole network at these prices; inf where there is none.
    in_limit : ndarray of float64, shape (n_groups,), or None
        The same where all take it.
    gap, relative_gap
        How far the flow is from an equilibrium.
    ended
        What stopped the search before the tolerance; empty where nothing did.
    rounds
        Rounds of pricing.
    """

    dispersion: float
    balance: Balance | None
    point: Point | None
    choice: Choice | None
    price: FloatArray
    beyond: FloatArray
    cheapest: FloatArray
    in_limit: FloatArray | None
    gap: float
    relative_gap: float
    ended: Ended
    rounds: int


class Search:
    """The state of one search."""

    def __init__(
        self,
        problem: FlowProblem,
        charges: PoolCharges,
        path_size: float,
        length: FloatArray,
        choice_set: ChoiceSet,
        elasticity: FloatArray | None,
        tolerance: float,
        threads: int | None,
    ) -> None:
        self.problem, self.charges, self.threads = problem, charges, threads
        self.path_size, self.length, self.choice_set = path_size, length, choice_set
        self.tolerance = tolerance
        # Delay curves are the planner's: those who choose pay waits.
        network = build_network(replace(problem, delay=None))
        self.network: Network = _without_closed(network)
        self.paid = _charge_of(problem, network, charges)
        self.elasticity = None if elasticity is None else elasticity[network.groups.served]
        self.columns = Columns(self.network)
        self.pricing = Pricing(replace(self.network, usage=self.paid), threads)
        self.home: FloatArray = network.groups.unmet_cost
        self.rounds = 0
        self.n_alternatives = 0
        self.reachable: BoolArray = np.zeros(network.groups.size, dtype=np.bool_)
        dearest = np.zeros(network.n_resources)
        np.maximum.at(dearest, self.paid.indices, self.paid.data)
        self._dearest = dearest
        self.supply = Supply.of(self.network, charges, dearest, 1.0)
        self.free_price = self.supply.wait(np.zeros(network.n_resources))
        self.position: FloatArray = np.zeros(network.n_resources)
        self.scale: FloatArray = np.ones(network.groups.size)
        self.reference: FloatArray = np.zeros(network.groups.size)

    # -- the plan -----------------------------------------------------------------------------

    def run(self, dispersion: float) -> Found:
        """Return the equilibrium at a dispersion."""
        if not self._begin():
            return self._stuck()
        return self._certified(dispersion, *self._approach(dispersion))

    def run_to_limit(self) -> Found:
        """Return the equilibrium at which all take their cheapest path, within the tolerance."""
        if not self._begin():
            return self._stuck()
        dispersion = self._mild()
        balance, point = self._approach(dispersion)
        sharpest = 1.0 / (ROUNDING * float(self.scale.max(initial=1.0)))
        while True:
            found = self._certified(dispersion, balance, point, in_limit=True)
            if found.relative_gap <= self.tolerance or dispersion * SHARPER > sharpest:
                return found
            dispersion *= SHARPER
            balance, point = self._settle(dispersion)

    def _mild(self) -> float:
        """Return a dispersion at which prices are easy to find from nothing."""
        return 1.0 / (MILD * float(np.median(self.scale))) if self.scale.size else 1.0

    def _approach(self, dispersion: float) -> tuple[Balance, Point]:
        """Find the equilibrium by way of milder ones.

        At first nobody pays much more than the cheapest path costs on the empty network, but stays
        at home, so prices are soon found; then more by steps. Paths that only looked cheap on the
        way are dropped.
        """
        mild = min(dispersion, self._mild())
        self.supply = Supply.of(self.network, self.charges, self._dearest, 1.0 / mild)
        true = self.home
        self.home = np.minimum(true, HOME * self.scale)
        self._keep_near(*self._settle(mild, NEAR))
        self.home = true
        while mild * SHARPER < dispersion:
            self._settle(mild)
            mild *= SHARPER
        return self._settle(dispersion)

    # -- stages -------------------------------------------------------------------------------

    def _begin(self) -> bool:
        """Look for alternatives on the empty network; False where some demand has no way out."""
        groups = self.network.groups
        self._add_alternatives(self.free_price)
        self.n_alternatives = len(self.columns)
        first = self.pricing.find_cheaper(self.free_price, np.full(groups.size, MUCH))
        self.columns.add(first.group, first.indptr, first.arcs)
        least = np.minimum(first.lower, groups.unmet_cost)
        self.scale = np.where((least > 0) & np.isfinite(least), least, 1.0)
        self.reachable = np.isfinite(least)
        return bool(self.reachable.all())

    def _settle(self, dispersion: float, last: float = BALANCED) -> tuple[Balance, Point]:
        """Find paths and prices in turn until no path is new and prices have settled so far."""
        goal = NEAR
        for _ in range(MOST_ROUNDS):
            self.rounds += 1
            balance = self._balance(dispersion)
            steps = MOST_STEPS if goal < NEAR else FEW_STEPS
            point, _ = balance.solve(dispersion, self.position[balance.live], goal, steps)
            self.position[balance.live] = point.position
            is_new = self._add_cheapest(balance, point) > 0
            if not is_new and goal == last:
                break
            goal = NEAR if is_new else last
        return balance, point

    def _balance(self, dispersion: float) -> Balance:
        options = build_options(self.network, self.paid, self.columns, self.home)
        if self.path_size > 0:
            sizes = path_sizes(self.columns, self.length)
            logs = np.append(self.path_size * np.log(sizes), 0.0)
            options = replace(options, log_size=logs[options.column])
        response = self._response(options, dispersion)
        return Balance.of(options, response, self.supply)

    def _response(self, options: Options, dispersion: float) -> Response:
        """Return how demand answers; its reference is the choice on the empty network."""
        served = self.problem.demand[self.network.groups.served]
        still = Response(
            network=self.network, demand=served, elasticity=None,
            reference=self.reference, scale=self.scale,
        )  # fmt: skip
        self.reference = choose(options, dispersion, self.free_price, still).expected_cost
        return replace(still, elasticity=self.elasticity, reference=self.reference)

    def _add_cheapest(self, balance: Balance, point: Point) -> int:
        """Add the cheapest path of every group that has a cheaper one than it knows."""
        price = _placed(self.free_price, balance.live, point.price)
        known = self._known(balance.options, point.price)
        priced = self.pricing.find_cheaper(price, known)
        return self.columns.add(priced.group, priced.indptr, priced.arcs)

    def _known(self, options: Options, price: FloatArray) -> FloatArray:
        """Return the cost of the cheapest option of each group."""
        return np.asarray(
            np.minimum.reduceat(options.cost + options.charge @ price, options.start[:-1])
        )

    def _keep_near(self, balance: Balance, point: Point) -> None:
        """Keep the alternatives, and of the other paths those that are not much dearer."""
        options, old = balance.options, self.columns
        cost = options.cost + options.charge @ point.price
        paths = options.column >= 0
        best = np.full(options.n_groups, np.inf)
        np.minimum.at(best, options.group[paths], cost[paths])
        near = np.arange(len(old)) < self.n_alternatives
        near[options.column[paths]] |= (cost <= self.choice_set.factor * best[options.group])[paths]
        self.columns = Columns(self.network)
        self.columns.add(*_some(old, near))

    def _add_alternatives(self, price: FloatArray) -> None:
        network = self.network
        cost = network.cost + replace(network, usage=self.paid).arc_prices(price)
        self.columns.add(
            *find_alternatives(network, cost, self.length, self.choice_set, self.threads)
        )

    # -- the certificate ----------------------------------------------------------------------

    def _certified(
        self, dispersion: float, balance: Balance, point: Point, *, in_limit: bool = False
    ) -> Found:
        """Return the flow and how far it is from an equilibrium, at the waits of its own loads."""
        options, few = balance.options, balance.supply
        beyond = few.at(point.position).price - few.wait(point.supply)
        own = few.wait(np.minimum(point.load, few.capacity)) + beyond
        flow = point.choice.share * point.choice.demand[options.group]
        price = _placed(self.free_price, balance.live, own)
        paths = self.pricing.find_cheaper(price, np.full(options.n_groups, -1.0)).lower
        cheapest = np.minimum(paths, self._known(options, own))
        again = choose(options, dispersion, own, balance.response)
        if in_limit:
            spent = float(flow @ (options.cost + options.charge @ own))
            gap = spent - float(point.choice.demand @ cheapest)
            relative = max(gap, 0.0) / spent if spent > 0 else 0.0
            relative = max(relative, self._demand_error(balance, point, cheapest))
        else:
            moved = flow - again.share * again.demand[options.group]
            gap = 0.5 * float(np.abs(moved).sum())
            total = float(point.choice.demand.sum())
            relative = gap / total if total > 0 else 0.0
        nothing = np.zeros(self.network.n_resources)
        return Found(
            dispersion=dispersion, balance=balance, point=point, choice=again,
            price=price, beyond=_placed(nothing, balance.live, beyond), cheapest=cheapest,
            in_limit=cheapest if in_limit else None, gap=gap, relative_gap=relative,
            ended="" if relative <= self.tolerance else "precision", rounds=self.rounds,
        )  # fmt: skip

    def _demand_error(self, balance: Balance, point: Point, cheapest: FloatArray) -> float:
        """Return the share of demand that is there, or not, because logsums are no least costs."""
        self.reference = self._known(balance.options, self.free_price[balance.live])
        if self.elasticity is None:
            return 0.0
        due, _ = replace(balance.response, reference=self.reference).of_groups(cheapest)
        return float(np.abs(due - point.choice.demand).sum() / max(due.sum(), LEAST))

    def _stuck(self) -> Found:
        nothing = np.zeros(self.network.n_resources)
        return Found(
            dispersion=0.0, balance=None, point=None, choice=None, price=self.free_price,
            beyond=nothing, cheapest=np.where(self.reachable, 0.0, np.inf),
            in_limit=None, gap=0.0,
            relative_gap=0.0, ended="", rounds=self.rounds,
        )  # fmt: skip


def _placed(values: FloatArray, where: LongArray, some: FloatArray) -> FloatArray:
    out = values.copy()
    out[where] = some
    return out


def _some(columns: Columns, keep: BoolArray) -> tuple[LongArray, LongArray, IntArray]:
    """Return some of the paths."""
    lengths = np.diff(columns.indptr)
    indptr = np.r_[0, np.cumsum(lengths[keep])]
    return columns.group[keep], indptr, columns.arcs[np.repeat(keep, lengths)]


def _without_closed(network: Network) -> Network:
    """Return the network without arcs that use a pool without room: no price empties a pool."""
    closed = network.upper <= 0
    if not closed.any():
        return network
    uses = np.asarray(network.usage[:, np.flatnonzero(closed)].sum(axis=1)).ravel() > 0
    return replace(network, cost=np.where(uses.reshape(network.cost.shape), np.inf, network.cost))


def _charge_of(problem: FlowProblem, network: Network, charges: PoolCharges) -> sp.csr_matrix:
    """Return what a unit of flow pays for a unit of price, laid out as the network's usage."""
    if charges.charge is None or problem.pools is None:
        return network.usage
    used = np.unique(np.asarray(problem.commodity_class, np.int64)[network.groups.served])
    used = used if used.size else np.zeros(1, np.int64)
    n_arcs = problem.graph.n_arcs
    columns = (used[:, None] * n_arcs + np.arange(n_arcs)).ravel()
    others = network.usage[:, network.n_pools :]
    paid = sp.csr_matrix(sp.hstack([charges.charge[:, columns].T, others], format="csr"))
    paid.eliminate_zeros()
    return paid

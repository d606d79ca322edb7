"""Minimum-cost flow by path column generation, with tangent cuts for delay."""

import math
import time
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from corridor.core.flows._arrays import BoolArray, FloatArray
from corridor.core.flows._ascent import Ascent
from corridor.core.flows._assembly import Outcome, assemble
from corridor.core.flows._columns import Columns
from corridor.core.flows._master import Master, MasterPoint, Stage
from corridor.core.flows._network import Network, build_network
from corridor.core.flows._pricing import Priced, Pricing
from corridor.core.flows._tangents import Tangents, add_tangents, loads_near, tangents_at_zero
from corridor.core.flows.problem import FlowProblem
from corridor.core.flows.result import FlowResult, PathColumns, Status, check_columns
from corridor.core.flows.shortcuts import Shortcuts
from corridor.errors import InputError, SolverError

FIRST_POINTS: Final = (0.5, 0.8, 0.95)
"""Shares of a pool's largest load at which its curve is touched first."""
PENALTY: Final = 10.0
"""Price of demand that must be carried, in costs of the dearest shortest path, to begin with."""
FEASIBILITY_TOLERANCE: Final = 1e-7
"""Share of the demand that may stay behind, and of a side row's size that it may be missed by,
before a problem counts as infeasible."""
GIVES: Final = (0.0, 1.0, 5.0)
"""By how many least misses side rows give, in turn, where a problem is barely feasible."""
ROUNDING: Final = 1e-14
"""Part of a price that sums of floats may be off by."""
MOST_ROUNDS: Final = 1000
"""More rounds than any problem seen needed, by a factor of ten."""


def min_cost_flow(
    problem: FlowProblem,
    tolerance: float = 1e-9,
    time_limit: float | None = None,
    *,
    columns: PathColumns | None = None,
    shortcuts: Shortcuts | None = None,
    threads: int | None = None,
) -> FlowResult:
    """Return the cheapest flow that carries the demand, and the proof of how good it is.

    Column generation: a master linear program shares the demand among the paths found so far;
    its prices of arcs, pools and side rows go onto the arcs; shortest paths at those prices are
    added where they beat the master's; and convex delay enters from below by tangents that are
    added where the master's loads are. The bound is Lagrange's, evaluated at the master's prices
    with the shortest paths just computed, so it does not depend on the solver's own tolerances:
    ``sum(demand * min(shortest path, unmet_cost)) + sum(min(delay(v) - price v)) - ...``.

    Parameters
    ----------
    problem : FlowProblem
        What is to be carried.
    tolerance : float
        Relative gap at which the flow counts as optimal, >= 0.
    time_limit : float, optional
        Wall time [s], > 0; the best flow so far is returned when it ends.
    columns : PathColumns, optional
        Paths to begin with, from an earlier result on the same graph and commodities; those now
        closed are left out. They change the time a solve takes, not its optimum.
    shortcuts : Shortcuts, optional
        A smaller graph for the searches, of this graph between the ends of the commodities: worth
        making where many problems share it. They change the time a solve takes, not its optimum.
    threads : int, optional
        Threads for the shortest paths; None takes all cores. Results do not depend on it.

    Returns
    -------
    result : FlowResult
        Flows, prices, status, objective and bound.

    Raises
    ------
    InputError
        If an argument is out of its range, or `columns` or `shortcuts` do not fit the problem.
    SolverError
        If the solver fails or the flow does not pass the checks.

    Notes
    -----
    Paths are simple: nobody gains by going in circles. Side rows that pay for flow (floors, bands)
    may make arcs cost less than nothing. Where that leaves no cycle of negative cost the shortest
    paths are found as ever; else the search is for simple paths, which is hard in general and easy
    for the few places that rules name. One that would take too many labels is cut short: then the
    bound is still true, and the status is ``feasible`` with the limit ``search``.

    Before the first master program, prices are raised for some rounds where cheapest paths overload
    what they use (see `corridor.core.flows._ascent`), unless there are paths to begin with.

    A resource gets a row in the master program only when the paths found so far could together
    exceed its capacity, or when the tangent at load 0 misses its delay at the present load: other
    rows cannot bind, so the optimum is the same.

    References
    ----------
    L. R. Ford and D. R. Fulkerson, "A suggested computation for maximal multi-commodity network
    flows", Management Science 5 (1958) 97-101; J. E. Kelley, "The cutting-plane method for solving
    convex programs", Journal of SIAM 8 (1960) 703-712.

    Examples
    --------
    Two arcs lead from 0 to 1: the cheap one takes 4 of the 5 units, and one unit more of its
    capacity would save 3 - 1 = 2.

    >>> from corridor.core.graph import Graph
    >>> problem = FlowProblem(Graph(2, [0, 0], [1, 1]), [0], [1], [5.0], [1.0, 3.0], [4.0, 9.0])
    >>> result = min_cost_flow(problem)
    >>> result.status, round(result.objective, 9), result.arc_flow.round(9).tolist()
    ('optimal', 7.0, [4.0, 1.0])
    >>> result.capacity_price.round(9).tolist()
    [2.0, 0.0]
    """
    if not tolerance >= 0:
        msg = f"tolerance must be >= 0; found {tolerance}."
        raise InputError(msg)
    if time_limit is not None and not time_limit > 0:
        msg = f"time_limit must be > 0 s or None; found {time_limit}."
        raise InputError(msg)
    search = _Search(problem, tolerance, time_limit, threads, shortcuts)
    if columns is not None:
        search.warm(columns)
    return search.run()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Flow:
    """A flow of the master program and its true cost, what penalties are part of it told apart."""

    objective: float
    penalty: float
    flow: FloatArray
    unmet: FloatArray
    missed: FloatArray


class _Search:
    """The state of one solve."""

    def __init__(
        self,
        problem: FlowProblem,
        tolerance: float,
        time_limit: float | None,
        threads: int | None,
        shortcuts: Shortcuts | None = None,
    ) -> None:
        self.start = time.perf_counter()
        self.problem, self.tolerance = problem, tolerance
        self.deadline = None if time_limit is None else self.start + time_limit
        network = build_network(problem)
        self.network: Network = network
        self.columns = Columns(network)
        if shortcuts is not None:
            shortcuts.check(problem.graph, network.groups.origin, network.groups.destination)
        self.pricing = Pricing(network, threads, network.by_resource, shortcuts)
        self.pool_capacity = network.upper[: network.n_pools]
        self.curves: Tangents = tangents_at_zero(network.first_slope, self.pool_capacity)
        self.flat: Tangents = tangents_at_zero(np.zeros(network.n_pools), self.pool_capacity)
        self.active: BoolArray = np.zeros(network.n_resources, dtype=np.bool_)
        self.active[network.first_side_row :] = True
        self.touched: BoolArray = np.zeros(network.n_pools, dtype=np.bool_)
        self.best: _Flow | None = None
        self.bound = -math.inf
        self.point: MasterPoint | None = None
        self.price: FloatArray = np.zeros(network.n_resources)
        self.load: FloatArray = np.zeros(network.n_pools)
        self.delay: FloatArray = np.zeros(network.n_pools)
        self.limit = ""
        self.rounds = 0
        self.is_warm = False
        self.must: BoolArray = ~np.isfinite(network.groups.unmet_cost)
        self.row_unit, self.row_size = _row_sizes(network)

    # -- the plan -----------------------------------------------------------------------------

    def run(self) -> FlowResult:
        """Solve; where something must be carried that cannot be, prove it."""
        groups, must = self.network.groups, self.must
        first = self.pricing.find_first()
        reach = np.isfinite(first.lower)
        if (must & ~reach).any():
            return self._finish("infeasible")
        self.columns.add(first.group, first.indptr, first.arcs)
        self.money_unit = float(first.lower[reach].max(initial=0.0)) or 1.0
        penalty = PENALTY * max(self.money_unit, float(groups.unmet_cost[~must].max(initial=0.0)))
        unmet = np.where(must, penalty, groups.unmet_cost)
        if not self.is_warm:
            ascent = Ascent(self.network, self.columns, self.pricing, unmet, self.problem.delay)
            ascent.run(self.deadline)
        self._loop(Stage(free=False, unmet=unmet, slack=penalty / self.row_unit))
        if self.limit == "time":
            return self._finish("feasible" if self._is_clean() else "unknown")
        if not self._is_clean():
            return self._settle(penalty)
        return self._finish("optimal")

    def _settle(self, penalty: float) -> FlowResult:
        """Decide whether what stayed behind must stay; if not, solve without the way out."""
        groups = self.network.groups
        total = float(groups.demand.sum())
        stays = np.where(self.must, 1.0, 0.0)
        self._loop(Stage(free=True, unmet=stays, slack=total / self.row_size))
        # The bound counts units that no flow can carry: above rounding it is the proof.
        if self.bound > FEASIBILITY_TOLERANCE * total:
            return self._finish("infeasible")
        if self.best is None or not self._is_clean(most=GIVES[-1]):
            return self._finish("unknown")
        left = np.where(self.must, 1e3 * penalty, groups.unmet_cost)
        hard = np.where(self.must, np.inf, groups.unmet_cost)
        unmet = left if self.best.unmet[self.must].any() else hard
        stage = Stage(free=False, unmet=unmet, slack=np.full(self.row_size.size, np.inf))
        least = 0.1 * FEASIBILITY_TOLERANCE * self.row_size
        missed = np.maximum(self.best.missed, least)
        # What lies within rounding of feasible has no flow for a solver unless its rows give by it.
        if any(self._found(stage, factor * missed) for factor in GIVES):
            return self._finish("feasible" if self.limit == "time" else "optimal")
        return self._finish("unknown")

    def _found(self, stage: Stage, gives: FloatArray) -> bool:
        """Solve with side rows that give; return whether there is a flow."""
        network = self.network
        self.network = _giving(network, gives)
        try:
            self._loop(stage)
        except SolverError:  # both solvers stumble over rows that nothing but rounding parts
            self.best = None
        finally:
            self.network = network
        return self.best is not None

    def _is_clean(self, most: float = 1.0) -> bool:
        """Whether the best flow leaves nothing behind that must be carried, and misses no row."""
        if self.best is None:
            return False
        allowed = most * FEASIBILITY_TOLERANCE
        left = float(self.best.unmet[self.must].sum())
        if left > allowed * float(self.network.groups.demand.sum()):
            return False
        return bool((self.best.missed <= allowed * self.row_size).all())

    # -- the loop -----------------------------------------------------------------------------

    def _loop(self, stage: Stage) -> None:
        """Generate columns and tangents until the gap closes, nothing changes or time is up."""
        self.best, self.bound, self.limit = None, -math.inf, ""
        master = Master(self.network, self.columns, stage, self.money_unit)
        for _ in range(MOST_ROUNDS):
            self.rounds += 1
            if not self._solve_master(master, stage):
                return
            unmet = self.network.unmet_prices(stage.unmet, self.price)
            known = self.columns.least(self.columns.cost_at(self.price, free=stage.free))
            priced = self.pricing.find_cheaper(
                self.price, np.minimum(known, unmet), free=stage.free
            )
            self.bound = max(self.bound, self._lagrange(stage, priced, unmet))
            if self._gap_closed():
                return
            changed = self._refine(stage)
            if changed:  # closer tangents prove more at the same prices
                self.bound = max(self.bound, self._lagrange(stage, priced, unmet))
                if self._gap_closed():
                    return
            if not (self.columns.add(priced.group, priced.indptr, priced.arcs) or changed):
                self.limit = "precision" if priced.whole else "search"
                return
        self.limit = "rounds"

    def _solve_master(self, master: Master, stage: Stage) -> bool:
        """Solve the master program and keep its flow if it is the best; False when out of time."""
        self._activate_more(self.columns.could_exceed(self.active))
        left = None if self.deadline is None else self.deadline - time.perf_counter()
        if left is not None and left <= 0:
            self.limit = "time"
            return False
        point = master.solve(self.flat if stage.free else self.curves, self.active, left)
        if point.status != "optimal":
            self.limit = point.limit or "solver"
            return False
        self.point, self.price = point, point.price
        # No row is worth more than missing it; rounding may say so, and would void the bound.
        side = slice(self.network.first_side_row, None)
        self.price[side] = np.clip(self.price[side], -stage.slack, stage.slack)
        self._cut_prices(stage)
        self._keep(stage, point)
        return True

    def _cut_prices(self, stage: Stage) -> None:
        """Keep prices of pools without a capacity below the slope at which their loads end.

        The least of ``curve(v) - price v`` is -inf above it, and rounding may lift a price there.
        """
        endless = np.flatnonzero(np.isinf(self.pool_capacity))
        tangents = self.flat if stage.free else self.curves
        top = tangents.steepest[endless]
        if not stage.free:
            top = top - self.network.first_slope[endless]
        self.price[endless] = np.minimum(self.price[endless], top * (1.0 - ROUNDING))

    def _keep(self, stage: Stage, point: MasterPoint) -> None:
        unmet_price = np.where(np.isfinite(stage.unmet), stage.unmet, 0.0)
        slack_price = np.where(np.isfinite(stage.slack), stage.slack, 0.0)
        penalty = float(slack_price @ point.missed)
        penalty += float(unmet_price[self.must] @ point.unmet[self.must])
        objective = float(unmet_price[~self.must] @ point.unmet[~self.must]) + penalty
        if not stage.free:
            objective += float(self.columns.cost @ point.flow)
            if self.problem.delay is not None:
                load = np.asarray(self.columns.usage.T @ point.flow)[: self.network.n_pools]
                self.load = np.minimum(load, self.pool_capacity)
                self.delay = self.problem.delay.value(self.load)
                objective += float((self.delay - self.network.first_slope * self.load).sum())
        if self.best is None or objective < self.best.objective:
            self.best = _Flow(
                objective=objective, penalty=penalty, flow=point.flow, unmet=point.unmet,
                missed=point.missed,
            )  # fmt: skip

    def _gap_closed(self) -> bool:
        if self.best is None:
            return False
        gap = self.best.objective - self.bound
        return gap <= self.tolerance * abs(self.best.objective)

    # -- rows and tangents --------------------------------------------------------------------

    def _activate_more(self, which: BoolArray) -> None:
        """Give rows to resources, and the pools among them their first tangents."""
        fresh = which & ~self.active
        self.active |= which
        pools = fresh[: self.network.n_pools] & ~self.touched
        if self.problem.delay is None or not pools.any():
            return
        self.touched |= pools
        top = np.minimum(self.pool_capacity, self.columns.most(pools))
        self.curves = add_tangents(
            self.curves, self.problem.delay, self.pool_capacity, np.flatnonzero(pools),
            np.outer(FIRST_POINTS, top[pools]),
        )  # fmt: skip

    def _refine(self, stage: Stage) -> bool:
        """Add tangents where the envelope misses the curve at the master's loads."""
        if self.problem.delay is None or stage.free or self.point is None or self.best is None:
            return False
        load = self.load
        error = self.delay - self.curves.envelope(load)
        most = 0.2 * self.tolerance * abs(self.best.objective)
        n_wrong = int((error > most / max(load.size, 1)).sum())
        wrong = error > most / max(n_wrong, 1)
        if error.sum() <= most or not wrong.any():
            return False
        self._activate_more(np.r_[wrong, np.zeros(self.active.size - wrong.size, dtype=np.bool_)])
        pools = np.flatnonzero(wrong)
        points = loads_near(self.curves, self.pool_capacity, load, most / pools.size)
        self.curves = add_tangents(
            self.curves, self.problem.delay, self.pool_capacity, pools, points[:, pools]
        )
        return True

    def _lagrange(self, stage: Stage, priced: Priced, unmet: FloatArray) -> float:
        """Return Lagrange's bound at the present prices: true whatever they are."""
        network, price = self.network, self.price
        cheapest = np.minimum(priced.lower, unmet)
        if np.isinf(cheapest).any():
            return -math.inf
        bound = float(network.groups.demand @ cheapest)
        tangents = self.flat if stage.free else self.curves
        load_price = price[: network.n_pools]
        if not stage.free:
            load_price = load_price + network.first_slope
        bound += float(tangents.conjugate(load_price).sum())
        rest = slice(network.n_pools, None)
        positive, negative = price[rest] > 0, price[rest] < 0
        bound -= float(price[rest][positive] @ network.upper[rest][positive])
        return bound - float(price[rest][negative] @ network.lower[rest][negative])

    # -- results ------------------------------------------------------------------------------

    def warm(self, columns: PathColumns) -> None:
        """Take paths of an earlier result into the pool."""
        check_columns(self.problem, columns)
        groups = self.network.groups
        place = np.full(self.problem.n_commodities, -1, dtype=np.int64)
        place[groups.served] = groups.member_of
        group = place[columns.commodity]
        keep = np.flatnonzero(group >= 0)
        lengths = np.diff(columns.indptr)
        kept = np.repeat(group >= 0, lengths)
        indptr = np.r_[0, np.cumsum(lengths[keep])]
        self.is_warm = self.columns.add(group[keep], indptr, columns.arcs[kept]) > 0

    def _finish(self, status: Status) -> FlowResult:
        best = self.best if status in ("optimal", "feasible") else None
        outcome = Outcome(
            status=status,
            limit=self.limit,
            tolerance=self.tolerance,
            claimed=math.nan if best is None else best.objective - best.penalty,
            bound=math.inf if status == "infeasible" else self.bound,
            flow=None if best is None else best.flow,
            unmet=None if best is None else best.unmet,
            worth=None if self.point is None else self.point.worth,
            price=self.price,
            rounds=self.rounds,
            start=self.start,
        )
        return assemble(self.problem, self.network, self.columns, outcome)


def _row_sizes(network: Network) -> tuple[FloatArray, FloatArray]:
    """Return the largest coefficient of each side row, and the size against which it is missed.

    The size is that of its bound; of a row whose bound is 0, a balance, that of the flow which the
    smallest other bound speaks of, or of all demand where there is none.
    """
    rows = slice(network.first_side_row, None)
    unit = np.zeros(network.n_side_rows)
    if not unit.size:
        return unit, unit
    for matrix in (network.usage[:, rows], network.groups.unmet_usage):
        if matrix.nnz and matrix.shape[1] == unit.size:
            unit = np.maximum(unit, abs(matrix).max(axis=0).toarray().ravel())
    unit[unit == 0.0] = 1.0
    bounds = np.stack([network.lower[rows], network.upper[rows]])
    bound = np.abs(np.where(np.isfinite(bounds), bounds, 0.0)).max(axis=0, initial=0.0)
    spoken = bound > 0.0
    flow = (bound[spoken] / unit[spoken]).min(initial=float(network.groups.demand.sum()) or 1.0)
    return unit, np.where(spoken, bound, flow * unit)


def _giving(network: Network, slack: FloatArray) -> Network:
    """Return the network with side rows that give by a slack at both ends."""
    rows = slice(network.first_side_row, None)
    lower, upper = network.lower.copy(), network.upper.copy()
    lower[rows] -= slack
    upper[rows] += slack
    return replace(network, lower=lower, upper=upper)

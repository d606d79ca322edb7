"""The best plan with something closed: by bounds where they meet, else solved again, warm."""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from corridor.core.flows import FlowProblem, FlowResult, Shortcuts, min_cost_flow
from corridor.planning import Model
from corridor.study.cooperation.cheapest_ways import cheapest_ways

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
LongArray: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rerouted:
    """The plan with something closed.

    Attributes
    ----------
    status
        ``optimal``, ``feasible``, ``infeasible`` (rules that demand flow cannot be kept) or
        ``unknown``.
    objective_usd_per_day
        Generalized cost with the price of what is unmet; NaN without a plan.
    served_usd_per_day
        The part of it that goods served pay, queues included.
    unmet_t_per_day : ndarray of float64, shape (n_shipments,)
        What is not served.
    gap_usd_per_day
        The objective is no farther from the best than this.
    solved
        False where bounds met and nothing was solved again.
    """

    status: str
    objective_usd_per_day: float
    served_usd_per_day: float
    unmet_t_per_day: FloatArray
    gap_usd_per_day: float
    solved: bool


class Rerouting:
    """The best plan of a model, and the best with some arcs closed to some classes.

    With arcs closed, prices of the first plan give a lower bound: no flow costs less than
    Lagrange's bound at any prices, and of that only the cheapest ways of goods that lose theirs
    change. Sending these goods on the cheapest ways left gives an upper bound. Where both meet
    within the tolerance the plan is known; else it is solved again from the paths of the first, as
    exactly as the lower bound on the rise asks for.

    Parameters
    ----------
    model
        The model.
    congestion, unmet_usd_per_t, tolerance
        As in `corridor.plan`.
    precision
        Share of the rise of the objective within which bounds may differ, >= 0.
    """

    def __init__(
        self,
        model: Model,
        *,
        congestion: bool,
        unmet_usd_per_t: float,
        tolerance: float,
        precision: float = 0.0,
    ) -> None:
        self.model, self.tolerance, self._precision = model, tolerance, precision
        self._congestion, self._unmet = congestion, unmet_usd_per_t
        self.problem: FlowProblem = model.flow_problem(
            congestion=congestion, unmet_usd_per_t=unmet_usd_per_t
        )
        # Searches that are compiled, on a small graph, pay here: many plans follow.
        from corridor.core.paths import _kernels  # noqa: F401

        ends = np.unique(np.concatenate((self.problem.origin, self.problem.destination)))
        self._shortcuts = Shortcuts.between(self.problem.graph, ends)
        self.base: FlowResult = min_cost_flow(
            self.problem, tolerance=tolerance, shortcuts=self._shortcuts
        )
        self.has_plan = not model.breaches and self.base.status in ("optimal", "feasible")
        if self.has_plan:
            self._prepare()

    def _prepare(self) -> None:
        model, base, problem = self.model, self.base, self.problem
        n_arcs = model.supernetwork.n_arcs
        self.path_row: LongArray = np.asarray(base.path_commodity, np.int64)
        sizes = np.array([path.size for path in base.path_arcs], np.int64)
        self._indptr = np.concatenate(([0], np.cumsum(sizes)))
        arcs = np.concatenate([*base.path_arcs, np.zeros(0, np.int32)]).astype(np.int64)
        self.step_arc = arcs
        self.step_path = np.repeat(np.arange(sizes.size), sizes)
        self.step_class = model.class_of[self.path_row][self.step_path].astype(np.int64)
        self._usage = self._uses(self._indptr, self.step_class * n_arcs + arcs)
        self._path_cost = self._costs(self.step_path, self.step_class, arcs, sizes.size)
        load_price = np.maximum(base.pool_load_price, 0.0)
        matrix = None if problem.pools is None else problem.pools.matrix
        extra = np.zeros(n_arcs * problem.n_classes) if matrix is None else matrix.T @ load_price
        shape = (problem.n_classes, n_arcs)
        self._price = np.broadcast_to(problem.cost, shape) + np.asarray(extra).reshape(shape)
        self._open_price = np.where(model.allowed, self._price, np.inf)
        everyone = np.flatnonzero(model.t_per_day > 0.0)
        known = cheapest_ways(model, self._open_price, model.class_of[everyone], everyone)
        self._worth = np.zeros(len(model.shipments))
        self._worth[everyone] = np.minimum(known.usd_per_t, self._unmet)
        self.carrying = np.zeros(shape, np.bool_)
        self.carrying[self.step_class, arcs] = True

    @property
    def served_usd_per_day(self) -> float:
        """What goods served pay in the first plan, queues included."""
        return self.base.flow_cost + self.base.delay_cost

    def mean_usd_per_t(self) -> FloatArray:
        """Return what a tonne served of each shipment costs on average [USD/t].

        Queues are part of it: the delay of a pool is shared out by the load of each shipment.
        """
        base, rows = self.base, self.path_row
        rate = np.zeros(base.pool_load.size)
        np.divide(base.pool_delay, base.pool_load, out=rate, where=base.pool_load > 0.0)
        usd = (self._path_cost + self._usage @ rate) * base.path_flow
        size = len(self.model.shipments)
        total = np.bincount(rows, usd, minlength=size)
        served = np.bincount(rows, base.path_flow, minlength=size)
        mean = np.zeros(size)
        np.divide(total, served, out=mean, where=served > 0.0)
        return mean

    def carried_t_per_day(self, blocked: BoolArray) -> float:
        """Return how much of what the first plan carries meets some arcs [t/day]."""
        return float(self.base.path_flow[self._hit(blocked)].sum())

    def _hit(self, blocked: BoolArray) -> BoolArray:
        """Return which paths of the first plan meet some arcs."""
        hit = np.zeros(self.path_row.size, np.bool_)
        hit[self.step_path[blocked[self.step_class, self.step_arc]]] = True
        return hit

    def close(self, blocked: BoolArray) -> Rerouted:
        """Return the best plan without some arcs.

        Parameters
        ----------
        blocked : ndarray of bool, shape (n_classes, n_arcs)
            Arcs closed to each class.
        """
        hit, base = self._hit(blocked), self.base
        if not hit.any():
            return Rerouted(
                status=base.status,
                objective_usd_per_day=base.objective,
                served_usd_per_day=self.served_usd_per_day,
                unmet_t_per_day=base.unmet,
                gap_usd_per_day=base.gap,
                solved=False,
            )
        if self.problem.rows is not None:
            return self._solved(blocked, self.tolerance)
        bound, quick = self._bounded(blocked, hit)
        if quick is not None:
            rise = quick.objective_usd_per_day - base.objective
            close = 2.0 * self.tolerance * abs(base.objective)
            if quick.gap_usd_per_day <= max(close, self._precision * rise):
                return quick
        rise = bound - base.objective
        # Of a rise that is at least this, the share that may be left open.
        enough = self._precision * rise / bound if rise > 0.0 else 0.0
        return self._solved(blocked, max(self.tolerance, enough))

    def _bounded(self, blocked: BoolArray, hit: BoolArray) -> tuple[float, Rerouted | None]:
        """Return a lower bound on the objective, and what the cheapest ways left come to.

        None where the goods do not fit there.
        """
        model, base = self.model, self.base
        paths = np.flatnonzero(hit)
        rows = np.unique(self.path_row[paths])
        classes, class_row = np.unique(model.class_of[rows], return_inverse=True)
        cost = np.where(blocked[classes], np.inf, self._open_price[classes])
        ways = cheapest_ways(model, cost, class_row.reshape(-1), rows)
        dearer = np.minimum(ways.usd_per_t, self._unmet) - self._worth[rows]
        bound = base.bound + float(model.t_per_day[rows] @ np.maximum(dearer, 0.0))

        goes = ways.usd_per_t < self._unmet
        moved = np.bincount(
            np.searchsorted(rows, self.path_row[paths]), base.path_flow[paths], minlength=rows.size
        )
        columns = ways.step_class(model).astype(np.int64) * model.supernetwork.n_arcs + ways.arcs
        fresh = self._uses(ways.indptr, columns)
        new_cost = self._costs(ways.step_way, ways.step_class(model), ways.arcs, rows.size)
        sent = moved * goes
        load = base.pool_load - self._usage[paths].T @ base.path_flow[paths] + fresh.T @ sent
        load = np.maximum(np.asarray(load, dtype=np.float64), 0.0)
        pools, delay = self.problem.pools, self.problem.delay
        if pools is not None and (load > pools.capacity * (1.0 + 1e-9)).any():
            return bound, None
        served = base.flow_cost - float(self._path_cost[paths] @ base.path_flow[paths])
        served += float(new_cost[goes] @ sent[goes])
        served += 0.0 if delay is None else float(delay.value(load).sum())
        unmet = base.unmet.copy()
        unmet[rows] += moved * ~goes
        objective = served + self._unmet * float(unmet.sum())
        return bound, Rerouted(
            status="optimal",
            objective_usd_per_day=objective,
            served_usd_per_day=served,
            unmet_t_per_day=unmet,
            gap_usd_per_day=max(objective - bound, 0.0),
            solved=False,
        )

    def _solved(self, blocked: BoolArray, tolerance: float) -> Rerouted:
        """Return the plan solved again to a relative gap, from the paths of the first."""
        closed = replace(self.model, allowed=self.model.allowed & ~blocked)
        problem = closed.flow_problem(congestion=self._congestion, unmet_usd_per_t=self._unmet)
        result = min_cost_flow(
            problem,
            tolerance=tolerance,
            columns=self.base.columns,
            shortcuts=self._shortcuts,
        )
        return Rerouted(
            status=result.status,
            objective_usd_per_day=result.objective,
            served_usd_per_day=result.flow_cost + result.delay_cost,
            unmet_t_per_day=result.unmet,
            gap_usd_per_day=result.gap,
            solved=True,
        )

    def _uses(self, indptr: LongArray, columns: LongArray) -> sparse.csr_matrix:
        """Return what a unit of flow on each path takes of each pool, (n_paths, n_pools)."""
        pools = self.problem.pools
        size = self.problem.n_classes * self.model.supernetwork.n_arcs
        chosen = sparse.csr_matrix(
            (np.ones(columns.size), columns, indptr), shape=(indptr.size - 1, size)
        )
        if pools is None:
            return sparse.csr_matrix((indptr.size - 1, 0))
        return sparse.csr_matrix(chosen @ pools.matrix.T)

    def _costs(
        self,
        path: LongArray,
        step_class: NDArray[np.integer],
        arcs: NDArray[np.integer],
        n_paths: int,
    ) -> FloatArray:
        shape = (self.problem.n_classes, self.model.supernetwork.n_arcs)
        cost = np.broadcast_to(self.problem.cost, shape)[step_class, arcs]
        return np.asarray(np.bincount(path, cost, minlength=n_paths), dtype=np.float64)

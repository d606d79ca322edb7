"""From the last flows of a search to a checked `FlowResult`."""

import math
import time
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from corridor.core.flows._arrays import FloatArray, IntArray, LongArray, sum_by
from corridor.core.flows._curves import VolumeDelay
from corridor.core.flows._projection import Equilibrium
from corridor.core.flows._trips import Trips
from corridor.core.flows.elastic import ElasticDemand
from corridor.core.flows.result import TOLERANCE, FlowResult, PathColumns
from corridor.core.graph import Graph
from corridor.errors import SolverError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Assignment:
    """What was to be assigned: see `user_equilibrium`; ``free_cost`` is that of empty arcs."""

    graph: Graph
    trips: Trips
    delay: VolumeDelay
    extra: FloatArray
    elastic: ElasticDemand | None
    free_cost: FloatArray
    tolerance: float
    start: float


def assemble_assignment(case: Assignment, found: Equilibrium) -> FlowResult:
    """Return the result, recomputed from the path flows.

    Raises
    ------
    SolverError
        If the path flows do not carry the demand.
    """
    trips = case.trips
    price = np.zeros(trips.n_commodities)
    price[trips.commodity] = found.least
    if not np.isfinite(found.least).all():
        return _infeasible(case, found, price)
    columns, flow = _paths(case, found)
    carried = sum_by(columns.commodity, flow, trips.n_commodities)
    _verify(case, flow, carried)
    class_flow = _class_flow(case, columns, flow)
    arc_flow: FloatArray = class_flow.sum(axis=0)
    used = class_flow > 0
    flow_cost = float((case.extra[used] * class_flow[used]).sum())
    delay_cost = float(case.delay.integral(arc_flow).sum())
    unmet_cost = _cost_of_staying(case, carried)
    objective = flow_cost + delay_cost + unmet_cost
    gap = min(found.excess, objective)
    return replace(
        _empty(case, found, columns),
        status="optimal" if found.relative_gap <= case.tolerance else "feasible",
        limit=found.limit,
        objective=objective,
        flow_cost=flow_cost,
        delay_cost=delay_cost,
        unmet_cost=unmet_cost,
        bound=objective - gap,
        gap=gap,
        relative_gap=found.relative_gap,
        arc_flow=arc_flow,
        class_flow=class_flow,
        path_commodity=columns.commodity,
        path_arcs=_split(columns),
        path_flow=flow,
        demand_price=price,
        seconds=time.perf_counter() - case.start,
    )


def _infeasible(case: Assignment, found: Equilibrium, price: FloatArray) -> FlowResult:
    """Say which demand cannot reach its destination."""
    none = np.empty(0, dtype=np.int64)
    columns = PathColumns(commodity=none, indptr=np.zeros(1, np.int64), arcs=np.empty(0, np.int32))
    return replace(
        _empty(case, found, columns),
        bound=math.inf,
        unmet=np.where(np.isinf(price), case.trips.demand, 0.0),
        demand_price=price,
        seconds=time.perf_counter() - case.start,
    )


def _empty(case: Assignment, found: Equilibrium, columns: PathColumns) -> FlowResult:
    """Return a result without flow."""
    n_arcs, none = case.graph.n_arcs, np.empty(0)
    return FlowResult(
        status="infeasible",
        limit="",
        objective=math.nan,
        flow_cost=math.nan,
        delay_cost=math.nan,
        unmet_cost=math.nan,
        bound=-math.inf,
        gap=math.nan,
        relative_gap=math.nan,
        arc_flow=np.zeros(n_arcs),
        class_flow=np.zeros((case.extra.shape[0], n_arcs)),
        path_commodity=columns.commodity,
        path_arcs=(),
        path_flow=none,
        unmet=np.zeros(case.trips.n_commodities),
        pool_load=none,
        pool_delay=none,
        pool_delay_slope=none,
        capacity_price=np.zeros(n_arcs),
        pool_price=none,
        pool_load_price=none,
        row_price=none,
        demand_price=np.zeros(case.trips.n_commodities),
        columns=columns,
        rounds=found.rounds,
        seconds=0.0,
    )


def _paths(case: Assignment, found: Equilibrium) -> tuple[PathColumns, FloatArray]:
    """Return paths with flow by commodity, those that stay at their node included."""
    trips, n_staying = case.trips, case.trips.staying.size
    steps = np.diff(found.indptr)
    is_real = found.arcs[found.indptr[:-1]] < case.graph.n_arcs
    keep = np.flatnonzero(is_real & (found.flow > 0))
    commodity = np.r_[trips.commodity[found.commodity[keep]], trips.staying]
    flow = np.r_[found.flow[keep], trips.demand[trips.staying]]
    first = np.r_[found.indptr[:-1][keep], np.zeros(n_staying, dtype=np.int64)]
    steps = np.r_[steps[keep], np.zeros(n_staying, dtype=np.int64)]
    order = np.argsort(commodity, kind="stable")
    # Mostly all paths are kept and in order; those that stay have no arcs wherever they stand.
    in_order = bool((np.diff(order[order < keep.size]) > 0).all())
    is_whole = keep.size == is_real.size and in_order
    columns = PathColumns(
        commodity=commodity[order],
        indptr=np.append(0, np.cumsum(steps[order])),
        arcs=found.arcs if is_whole else _taken(found.arcs, first[order], steps[order]),
    )
    return columns, flow[order]


def _taken(arcs: IntArray, first: LongArray, steps: LongArray) -> IntArray:
    """Return the runs ``arcs[first:first + steps]`` one after the other."""
    end = np.cumsum(steps)
    place = np.arange(end[-1] if end.size else 0) + np.repeat(first - (end - steps), steps)
    taken: IntArray = arcs[place]
    return taken


def _split(columns: PathColumns) -> tuple[IntArray, ...]:
    """Return the arcs of each path; there may be millions, so without a loop in Python."""
    edges = columns.indptr.tolist()
    return tuple(map(columns.arcs.__getitem__, map(slice, edges, islice(edges, 1, None))))


def _verify(case: Assignment, flow: FloatArray, carried: FloatArray) -> None:
    """Prove that the path flows carry the demand; what elastic demand does not, stays."""
    demand = case.trips.demand
    missing = demand - carried
    allowed = TOLERANCE * demand
    fits = (missing >= -allowed) if case.elastic is not None else (np.abs(missing) <= allowed)
    if flow.min(initial=0.0) < 0 or not fits.all():
        at = int(np.argmin(fits))
        msg = (
            f"Path flows must be >= 0 and sum to the demand; commodity {at} has {carried[at]:.12g} "
            f"of {demand[at]:.12g}. This is a fault of corridor: please report it."
        )
        raise SolverError(msg)


def _class_flow(case: Assignment, columns: PathColumns, flow: FloatArray) -> FloatArray:
    """Return the flow of each class on each arc."""
    from corridor.core.flows import _equilibrium_kernels as kernels

    row = np.zeros(case.trips.n_commodities, dtype=np.int32)
    row[case.trips.commodity] = case.trips.row
    total = np.zeros(case.extra.shape)
    kernels.add_paths_up(columns.indptr, columns.arcs, row[columns.commodity], flow, total)
    return total


def _cost_of_staying(case: Assignment, carried: FloatArray) -> float:
    """Return the integrals of the cost at which demand stays at home."""
    if case.elastic is None:
        return 0.0
    some = case.trips.commodity
    potential = case.trips.demand[some]
    stay = np.maximum(potential - carried[some], 0.0)
    return float(case.elastic.excess_area(some, potential, case.free_cost, stay).sum())

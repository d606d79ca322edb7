"""What the flow engine found, and the proof that it holds."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from corridor.core.flows._arrays import FloatArray, IntArray, LongArray, sum_by
from corridor.core.flows.problem import FlowProblem, value_and_slope
from corridor.errors import InputError, SolverError

Status: TypeAlias = Literal["optimal", "feasible", "infeasible", "unbounded", "unknown"]

TOLERANCE = 1e-6
"""Largest accepted violation, relative to the size of what is checked."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PathColumns:
    """Paths of commodities, as CSR: path i is ``arcs[indptr[i]:indptr[i + 1]]``.

    Parameters
    ----------
    commodity : ndarray of int64, shape (n_paths,)
        Commodity of each path.
    indptr : ndarray of int64, shape (n_paths + 1,)
        Where each path starts in `arcs`.
    arcs : ndarray of int32
        Arcs of all paths, first arc first.
    """

    commodity: LongArray
    indptr: LongArray
    arcs: IntArray

    def __len__(self) -> int:
        return int(self.commodity.size)

    def path(self, position: int) -> IntArray:
        """Return the arcs of one path."""
        return self.arcs[self.indptr[position] : self.indptr[position + 1]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FlowResult:
    """Flows, prices and the certificate; the status is data, never an exception.

    Parameters
    ----------
    status
        ``optimal`` (relative gap <= tolerance), ``feasible`` (a limit stopped it at a flow),
        ``infeasible`` (proved: demand that must be carried, or a side row, cannot be met),
        ``unbounded`` or ``unknown`` (stopped before a flow was found).
    limit
        What stopped it: ``time``, ``precision`` (rounding hides the rest of the gap), ``search``
        (one for simple paths past arcs that pay was cut short), ``rounds`` (too many), or
        ``solver`` (it gave up); empty where nothing did.
    objective
        ``flow_cost + delay_cost + unmet_cost``, recomputed from the path flows; NaN without a
        flow. Without delay and unmet demand it is ``cost @ flow``.
    flow_cost, delay_cost, unmet_cost
        Its parts.
    bound
        Proved lower bound on the objective; inf where infeasible, -inf where nothing is proved.
    gap, relative_gap
        ``objective - bound`` and the same over ``|objective|``; NaN without a flow.
    arc_flow : ndarray of float64, shape (n_arcs,)
        Flow of all classes; 0 without a flow, as all flows below.
    class_flow : ndarray of float64, shape (n_classes, n_arcs)
        Flow of each class.
    path_commodity : ndarray of int64, shape (n_paths,)
        Commodity of each path that carries flow.
    path_arcs : tuple of ndarray of int32
        Arcs of each path, first arc first; empty where origin and destination are the same.
    path_flow : ndarray of float64, shape (n_paths,)
        Flow on each path, > 0.
    unmet : ndarray of float64, shape (n_commodities,)
        Demand that is not carried.
    pool_load : ndarray of float64, shape (n_pools,)
        Load of each pool [pool units].
    pool_delay, pool_delay_slope : ndarray of float64, shape (n_pools,)
        Total delay cost of each pool, and what one more unit of load adds to it.
    capacity_price : ndarray of float64, shape (n_arcs,)
        Cost saved per unit more capacity of the arc, >= 0; 0 where it does not bind.
    pool_price : ndarray of float64, shape (n_pools,)
        Cost saved per unit more capacity of the pool, delay apart, >= 0.
    pool_load_price : ndarray of float64, shape (n_pools,)
        Price of a unit of load in the pool, delay and capacity together; where the curve has a
        kink (a soft quota) it may lie between the slopes on both sides.
    row_price : ndarray of float64, shape (n_rows,)
        Change of the objective per unit increase of the side row's binding bound.
    demand_price : ndarray of float64, shape (n_commodities,)
        Cost of one more unit of demand; 0 where demand is 0.
    columns
        All paths that were generated, for a warm start of a problem on the same graph.
    rounds
        Rounds of column generation.
    seconds
        Wall time [s].
    """

    status: Status
    limit: str
    objective: float
    flow_cost: float
    delay_cost: float
    unmet_cost: float
    bound: float
    gap: float
    relative_gap: float
    arc_flow: FloatArray
    class_flow: FloatArray
    path_commodity: LongArray
    path_arcs: tuple[IntArray, ...]
    path_flow: FloatArray
    unmet: FloatArray
    pool_load: FloatArray
    pool_delay: FloatArray
    pool_delay_slope: FloatArray
    capacity_price: FloatArray
    pool_price: FloatArray
    pool_load_price: FloatArray
    row_price: FloatArray
    demand_price: FloatArray
    columns: PathColumns
    rounds: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Totals:
    """Flows and costs added up from path flows alone.

    Parameters
    ----------
    class_flow : ndarray of float64, shape (n_classes, n_arcs)
        Flow of each class.
    pool_load, pool_delay, pool_delay_slope : ndarray of float64, shape (n_pools,)
        Load, delay cost and its slope.
    flow_cost, delay_cost, unmet_cost
        Parts of the objective.
    """

    class_flow: FloatArray
    pool_load: FloatArray
    pool_delay: FloatArray
    pool_delay_slope: FloatArray
    flow_cost: float
    delay_cost: float
    unmet_cost: float

    @property
    def objective(self) -> float:
        """The sum of the three costs."""
        return self.flow_cost + self.delay_cost + self.unmet_cost


def add_up(problem: FlowProblem, paths: PathColumns, flow: FloatArray, unmet: FloatArray) -> Totals:
    """Return what path flows amount to, independently of any solver."""
    n_arcs = problem.graph.n_arcs
    classes = np.asarray(problem.commodity_class, dtype=np.int64)[paths.commodity]
    lengths = np.diff(paths.indptr)
    row, on_arc = np.repeat(classes, lengths), np.repeat(flow, lengths)
    total = sum_by(row * n_arcs + paths.arcs, on_arc, problem.n_classes * n_arcs)
    class_flow: FloatArray = total.reshape(problem.n_classes, n_arcs)
    cost = np.broadcast_to(problem.cost, class_flow.shape)[row, paths.arcs]
    no_delay = np.zeros(0 if problem.pools is None else problem.pools.n_pools)
    load, value, slope = no_delay, no_delay, no_delay
    if problem.pools is not None:
        load = np.asarray(problem.pools.matrix @ class_flow.ravel())
    if problem.delay is not None:
        value, slope = value_and_slope(problem.delay, load)
    unmet_price = np.zeros(unmet.size) if problem.unmet_cost is None else problem.unmet_cost
    return Totals(
        class_flow=class_flow,
        pool_load=load,
        pool_delay=value,
        pool_delay_slope=slope,
        # Not by BLAS: its threads cost more than they save here.
        flow_cost=float((cost * on_arc).sum()),
        delay_cost=float(value.sum()),
        unmet_cost=float(unmet_price @ unmet),
    )


def verify_flow(
    problem: FlowProblem, paths: PathColumns, flow: FloatArray, unmet: FloatArray, totals: Totals
) -> None:
    """Prove that path flows carry the demand within all limits.

    Parameters
    ----------
    problem
        The problem.
    paths
        Paths that carry flow.
    flow : ndarray of float64, shape (n_paths,)
        Flow on each.
    unmet : ndarray of float64, shape (n_commodities,)
        Demand not carried.
    totals
        What `add_up` made of them.

    Raises
    ------
    SolverError
        If a path is no open path of its commodity, a flow is negative, demand is not met, or a
        capacity, pool or side row is exceeded by more than `TOLERANCE` of its size.
    """
    _verify_paths(problem, paths)
    least = min(flow.min(initial=0.0), unmet.min(initial=0.0))
    if not least >= 0:
        msg = f"Path flows and unmet demand must be >= 0; the least is {least}."
        raise SolverError(msg)
    carried = sum_by(paths.commodity, flow, problem.n_commodities) + unmet
    _verify_within("demand", carried, problem.demand, problem.demand, problem.demand)
    free = -np.inf
    arc_flow = totals.class_flow.sum(axis=0)
    if problem.capacity is not None:
        _verify_within("arc", arc_flow, free, problem.capacity, arc_flow)
    if problem.pools is not None:
        _verify_within("pool", totals.pool_load, free, problem.pools.capacity, totals.pool_load)
    if problem.rows is not None:
        rows = problem.rows
        size = abs(rows.matrix) @ totals.class_flow.ravel()
        if rows.unmet is not None:
            size = size + abs(rows.unmet) @ unmet
        value = rows.values(totals.class_flow, unmet)
        _verify_within("side row", value, rows.lower, rows.upper, size)


def _verify_paths(problem: FlowProblem, paths: PathColumns) -> None:
    """Prove that every path leads from origin to destination over open arcs of its class."""
    classes = np.asarray(problem.commodity_class, dtype=np.int64)[paths.commodity]
    places = np.repeat(classes, np.diff(paths.indptr)), paths.arcs
    shape = (problem.n_classes, problem.graph.n_arcs)
    is_open = np.isfinite(np.broadcast_to(problem.cost, shape)[places])
    if problem.allowed is not None:
        is_open &= np.broadcast_to(problem.allowed, shape)[places]
    if not (_are_whole(problem, paths) and is_open.all()):
        msg = "A path with flow must run from its origin to its destination over open arcs; one of"
        msg += f" {len(paths)} does not. This is a fault of corridor: please report it."
        raise SolverError(msg)


def check_columns(problem: FlowProblem, columns: PathColumns) -> None:
    """Refuse paths that are not of the problem's commodities and graph.

    Raises
    ------
    InputError
        If a commodity or an arc does not exist, or a path does not run from the origin to the
        destination of its commodity.
    """
    for name, values, size in (
        ("commodities", columns.commodity, problem.n_commodities),
        ("graph", columns.arcs, problem.graph.n_arcs),
    ):
        if values.size and not (values.min() >= 0 and values.max() < size):
            msg = (
                f"columns must belong to a problem with the same {name}; found positions "
                f"{values.min()} to {values.max()}, there are {size}."
            )
            raise InputError(msg)
    if not _are_whole(problem, columns):
        msg = (
            "columns must lead from the origin to the destination of their commodity; they do "
            "not. Pass those of a result on the same graph and commodities."
        )
        raise InputError(msg)


def _are_whole(problem: FlowProblem, paths: PathColumns) -> bool:
    """Whether every path is a chain of arcs from its origin to its destination."""
    graph, arcs = problem.graph, paths.arcs
    origin = problem.origin[paths.commodity].astype(np.int64)
    destination = problem.destination[paths.commodity].astype(np.int64)
    # A path's nodes are its origin, then the head of each arc; each arc must start at the last.
    filled = np.diff(paths.indptr) > 0
    expected = np.empty(arcs.size, dtype=np.int64)
    expected[1:] = graph.head[arcs[:-1]]
    expected[paths.indptr[:-1][filled]] = origin[filled]
    end = origin.copy()
    end[filled] = graph.head[arcs[paths.indptr[1:][filled] - 1]]
    return bool((graph.tail[arcs] == expected).all() and (end == destination).all())


def _verify_within(
    kind: str,
    value: FloatArray,
    lower: FloatArray | float,
    upper: FloatArray | float,
    size: FloatArray,
) -> None:
    if not value.size:
        return
    slack = TOLERANCE * np.maximum(np.abs(size), float(np.abs(value).max()) * TOLERANCE)
    bad = (value < lower - slack) | (value > upper + slack) | np.isnan(value)
    if not bad.any():
        return
    at = int(np.argmax(bad))
    low = np.broadcast_to(lower, value.shape)[at]
    high = np.broadcast_to(upper, value.shape)[at]
    msg = (
        f"The flow breaks {kind} {at}: {value[at]:.12g} is not within {low:.12g} to {high:.12g} "
        f"({int(bad.sum())} of {value.size}). Bring capacities and demands to similar sizes."
    )
    raise SolverError(msg)

"""A solved flow, evaluated and checked independently of the solver."""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.core.flows import FlowProblem, FlowResult, Pools
from corridor.errors import SolverError
from corridor.planning.model import Model
from corridor.sovereignty import Journeys

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]
BoolArray: TypeAlias = NDArray[np.bool_]

_TOLERANCE = 1e-6
_WORTHLESS = 1e-9
"""Prices of rows up to this are rounding [USD per unit]."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FlowAnswer:
    """Paths, loads and waits of a solution; arcs of all paths stand in one array.

    Attributes
    ----------
    model
        What was solved.
    path_shipment : ndarray of int32, shape (n_paths,)
        Demand row of each path.
    path_t_per_day : ndarray of float64, shape (n_paths,)
        Flow of each path [t/day], > 0.
    path_indptr, path_arc : ndarray of int32
        Arcs of path ``p``: ``path_arc[path_indptr[p]:path_indptr[p + 1]]``.
    step_path : ndarray of int32, shape (n_steps,)
        Path of each entry of `path_arc`.
    unmet_t_per_day : ndarray of float64, shape (n_shipments,)
        Demand that is not served [t/day].
    arc_t_per_day : ndarray of float64, shape (n_commodities, n_arcs)
        Flow by commodity and arc [t/day].
    pool_load, pool_price, pool_slope : ndarray of float64, shape (n_pools,)
        Load, price of capacity [USD per unit] and marginal delay [USD per unit].
    pool_load_price : ndarray of float64, shape (n_pools,)
        Price of a unit of load, delay and capacity together [USD per unit].
    row_value, row_price : ndarray of float64, shape (n_rows,)
        Value of each side row, unmet demand included, and change of the objective per unit increase
        of its binding bound [USD per unit].
    wait_h : ndarray of float64, shape (n_commodities, n_arcs)
        Queue at the posts at this load [h].
    stage_wait_h : ndarray of float64, shape (n_stages,)
        Queue at each stage [h].
    queue_usd_per_day
        Delay that the flow adds to all vehicles at the posts [USD/day].
    congestion
        Whether queues grow with the flow, or stay as the background makes them.
    """

    model: Model
    path_shipment: IntArray
    path_t_per_day: FloatArray
    path_indptr: IntArray
    path_arc: IntArray
    step_path: IntArray
    unmet_t_per_day: FloatArray
    arc_t_per_day: FloatArray
    pool_load: FloatArray
    pool_price: FloatArray
    pool_slope: FloatArray
    pool_load_price: FloatArray
    row_value: FloatArray
    row_price: FloatArray
    wait_h: FloatArray
    stage_wait_h: FloatArray
    queue_usd_per_day: float
    congestion: bool

    @property
    def step_commodity(self) -> IntArray:
        """Commodity of each step of each path."""
        of_path: IntArray = self.model.shipments.commodity[self.path_shipment]
        return of_path[self.step_path]

    @property
    def step_class(self) -> IntArray:
        """Class of each step of each path."""
        of_path: IntArray = self.model.class_of[self.path_shipment]
        return of_path[self.step_path]

    @property
    def step_t_per_day(self) -> FloatArray:
        """Flow of each step of each path [t/day]."""
        return self.path_t_per_day[self.step_path]

    @property
    def arc_vehicles(self) -> FloatArray:
        """Loaded vehicles on each arc [vehicles/day], shape (n_commodities, n_arcs)."""
        vehicles: FloatArray = self.arc_t_per_day / self.model.costs.payload_t
        return vehicles

    @property
    def all_vehicles(self) -> FloatArray:
        """Loaded vehicles and returning empties on each arc [vehicles/day], shape (n_arcs,)."""
        loaded, net = self.arc_vehicles, self.model.supernetwork
        returns = self.model.filled.commodities["empty_return_share"].to_numpy(float)
        empties = (loaded * returns[:, None]).sum(axis=0)
        returning = np.zeros(loaded.shape[1])
        # Empties go back by the arcs themselves, whatever copies the loaded vehicles came by.
        there = net.arc_reverse >= 0
        np.add.at(returning, net.arc_reverse[there], empties[there])
        total: FloatArray = loaded.sum(axis=0) + returning
        return total

    @property
    def row_binds(self) -> BoolArray:
        """Which side rows are at one of their bounds and worth something, or held there."""
        table = self.model.rows.table
        binds = np.abs(self.row_price) > _WORTHLESS
        for bound in ("lower", "upper"):
            level = table[bound].to_numpy(float)
            told = np.isfinite(level) & (level != 0.0)
            slack = np.where(told, _TOLERANCE * np.maximum(np.abs(level), 1.0), -1.0)
            binds |= np.abs(self.row_value - np.where(told, level, 0.0)) <= slack
        return np.asarray(binds, dtype=np.bool_)

    def journeys(self) -> Journeys:
        """Return the paths as rules see them, on the network without copies."""
        model = self.model
        ids = np.array([rule.rule_id for rule in model.effects.paths], dtype=object)
        seals = [frozenset(ids[under]) for under in model.sealed] if ids.size else []
        return Journeys(
            territory=model.territory,
            path_class=model.class_of[self.path_shipment],
            path_t_per_day=self.path_t_per_day,
            path_indptr=self.path_indptr,
            path_arc=model.supernetwork.arc_plain[self.path_arc],
            step_seals=tuple(seals[arc] for arc in self.path_arc.tolist())
            if seals
            else (frozenset[str](),) * self.path_arc.size,
        )

    def path_sum(self, step_values: FloatArray) -> FloatArray:
        """Return the sum of step values over each path, shape (n_paths,)."""
        total = np.bincount(self.step_path, step_values, minlength=self.path_t_per_day.size)
        return np.asarray(total, dtype=np.float64)

    def step_of(self, by_commodity: FloatArray) -> FloatArray:
        """Return an array by commodity and arc at every step."""
        values: FloatArray = by_commodity[self.step_commodity, self.path_arc]
        return values


class _Pools(NamedTuple):
    """Load and prices of the pools, as in `FlowAnswer`."""

    load: FloatArray
    price: FloatArray
    slope: FloatArray
    load_price: FloatArray


def evaluate(
    model: Model, problem: FlowProblem, result: FlowResult, *, congestion: bool
) -> FlowAnswer:
    """Return the answer behind a flow result, after checking it.

    Raises
    ------
    SolverError
        If conservation, an open arc, a capacity or the objective does not hold.
    """
    kept = np.flatnonzero(np.asarray(result.path_flow) > 0.0)
    answer = _answer(
        model,
        shipment=np.asarray(result.path_commodity, dtype=np.int32)[kept],
        arcs=[np.asarray(result.path_arcs[p], dtype=np.int32) for p in kept],
        flow=np.asarray(result.path_flow, dtype=float)[kept],
        unmet=np.asarray(result.unmet, dtype=float),
        pools=_Pools(
            load=np.asarray(result.pool_load, dtype=float),
            price=np.asarray(result.pool_price, dtype=float),
            slope=np.asarray(result.pool_delay_slope, dtype=float),
            load_price=np.asarray(result.pool_load_price, dtype=float),
        ),
        row_price=np.asarray(result.row_price, dtype=float),
        congestion=congestion,
    )
    _verify(answer, problem, float(result.objective))
    return answer


def no_flow(model: Model) -> FlowAnswer:
    """Return the answer in which nothing moves."""
    nothing = np.zeros(len(model.pools.table))
    return _answer(
        model, shipment=np.zeros(0, np.int32), arcs=[], flow=np.zeros(0), unmet=model.t_per_day,
        pools=_Pools(load=nothing, price=nothing, slope=nothing, load_price=nothing),
        row_price=np.zeros(len(model.rows.table)), congestion=False,
    )  # fmt: skip


def _answer(
    model: Model,
    *,
    shipment: IntArray,
    arcs: list[IntArray],
    flow: FloatArray,
    unmet: FloatArray,
    pools: _Pools,
    row_price: FloatArray,
    congestion: bool,
) -> FlowAnswer:
    sizes = np.array([path.size for path in arcs], dtype=np.int32)
    path_arc = np.concatenate(arcs) if arcs else np.zeros(0, np.int32)
    step_path = np.repeat(np.arange(sizes.size), sizes).astype(np.int32)
    by_arc, wait = np.zeros(model.costs.time_h.shape), np.zeros(model.costs.time_h.shape)
    step_commodity = model.shipments.commodity[shipment][step_path]
    np.add.at(by_arc, (step_commodity, path_arc), flow[step_path])
    # Without congestion every queue stays as the background makes it.
    queue_load = np.maximum(pools.load, 0.0) if congestion else np.zeros_like(pools.load)
    stage_wait = model.pools.queues.wait_h(queue_load)
    wait[:, model.posts.arc] = model.posts.wait_h(stage_wait)[:, :-1].T
    return FlowAnswer(
        model=model,
        path_shipment=shipment,
        path_t_per_day=flow,
        path_indptr=np.concatenate(([0], np.cumsum(sizes))).astype(np.int32),
        path_arc=path_arc,
        step_path=step_path,
        unmet_t_per_day=unmet,
        arc_t_per_day=by_arc,
        pool_load=pools.load,
        pool_price=pools.price,
        pool_slope=pools.slope,
        pool_load_price=pools.load_price,
        row_value=_row_values(model, shipment, flow, unmet, step_path, path_arc),
        row_price=row_price,
        wait_h=wait,
        stage_wait_h=stage_wait,
        queue_usd_per_day=float(model.pools.queues.value(queue_load).sum()),
        congestion=congestion,
    )


def _row_values(
    model: Model,
    shipment: IntArray,
    flow: FloatArray,
    unmet: FloatArray,
    step_path: IntArray,
    path_arc: IntArray,
) -> FloatArray:
    """Return the value of every side row, from the paths and what is left behind."""
    rows = model.rows.rows
    if rows is None:
        return np.zeros(0)
    column = model.class_of[shipment][step_path].astype(np.int64) * model.supernetwork.n_arcs
    by_column = np.bincount(column + path_arc, flow[step_path], minlength=rows.matrix.shape[1])
    value = rows.matrix @ by_column
    return np.asarray(value if rows.unmet is None else value + rows.unmet @ unmet)


def _verify(answer: FlowAnswer, problem: FlowProblem, objective: float) -> None:
    """Recompute what must hold from the paths alone."""
    model, demand = answer.model, answer.model.t_per_day
    scale = max(float(demand.sum()), 1.0)
    served = np.bincount(answer.path_shipment, answer.path_t_per_day, minlength=demand.size)
    excess = np.abs(served + answer.unmet_t_per_day - demand)
    _hold("every shipment is served or unmet", excess, scale)
    astray = (~_joined(answer)).astype(float)
    _hold("every path leads from origin to destination", astray, 1.0)
    closed = ~model.allowed[answer.step_class, answer.path_arc]
    _hold("no shipment uses a closed arc", closed.astype(float), 1.0)
    cost = float((problem.cost[answer.step_class, answer.path_arc] * answer.step_t_per_day).sum())
    if problem.pools is not None:
        load, capacity = _pool_load(answer, problem.pools), problem.pools.capacity
        excess = np.maximum(load - capacity, 0.0)
        _hold("no pool is over its capacity", excess, np.maximum(capacity, 1.0))
        excess = np.abs(load - answer.pool_load)
        _hold("pool loads are those of the paths", excess, np.maximum(load, 1.0))
        if problem.delay is not None:
            cost += float(problem.delay.value(load).sum())
    if problem.rows is not None:
        over = np.maximum(answer.row_value - problem.rows.upper, 0.0)
        under = np.maximum(problem.rows.lower - answer.row_value, 0.0)
        _hold("every side row keeps its bounds", np.maximum(over, under), scale)
    if model.effects.paths:
        journeys = answer.journeys()
        for finding in (f for rule in model.rules.in_force for f in rule.audit(journeys)):
            _hold(f"{finding.rule_id} is kept ({finding})", np.array([not finding.kept]), 1.0)
    if problem.unmet_cost is not None:
        cost += float(problem.unmet_cost @ answer.unmet_t_per_day)
    off = np.array([abs(cost - objective)])
    _hold("the objective is the cost of the flow", off, max(abs(cost), 1.0))


def _joined(answer: FlowAnswer) -> BoolArray:
    """Return whether each step starts where the one before ends, from source to sink."""
    net, shipments = answer.model.supernetwork, answer.model.shipments
    starts, ends = answer.path_indptr[:-1], answer.path_indptr[1:] - 1
    tail, head = net.graph.tail[answer.path_arc], net.graph.head[answer.path_arc]
    joined = np.ones(answer.path_arc.size, np.bool_)
    joined[1:] = tail[1:] == head[:-1]
    joined[starts] = tail[starts] == net.source[shipments.origin[answer.path_shipment]]
    joined[ends] &= head[ends] == net.sink[shipments.destination[answer.path_shipment]]
    return joined


def _pool_load(answer: FlowAnswer, pools: Pools) -> FloatArray:
    column = answer.step_class.astype(np.int64) * answer.model.supernetwork.n_arcs + answer.path_arc
    flow = np.bincount(column, answer.step_t_per_day, minlength=pools.matrix.shape[1])
    return np.asarray(pools.matrix @ flow, dtype=np.float64)


def _hold(claim: str, excess: FloatArray, scale: float | FloatArray) -> None:
    relative = excess / scale
    worst = float(relative.max(initial=0.0))
    if worst > _TOLERANCE:
        msg = (
            f"A plan must hold: {claim}. Recomputed from the paths it is off by {worst:.2e} "
            f"(relative) at position {int(relative.argmax())}. This is a defect of the solver or "
            "the library: please report it with the input."
        )
        raise SolverError(msg)

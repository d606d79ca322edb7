"""A solved flow, evaluated and checked independently of the solver."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.core.flows import FlowProblem, FlowResult
from corridor.errors import SolverError
from corridor.planning.model import Model

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]

_TOLERANCE = 1e-6


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
    wait_h : ndarray of float64, shape (n_commodities, n_arcs)
        Queue at the posts at this load [h].
    stage_wait_h : ndarray of float64, shape (n_stages,)
        Queue at each stage [h].
    queue_usd_per_day
        Delay that the flow adds to all vehicles at the posts [USD/day].
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
    wait_h: FloatArray
    stage_wait_h: FloatArray
    queue_usd_per_day: float

    @property
    def step_commodity(self) -> IntArray:
        """Commodity of each step of each path."""
        return self.model.shipments.commodity[self.path_shipment][self.step_path]

    @property
    def step_class(self) -> IntArray:
        """Class of each step of each path."""
        return self.model.class_of[self.path_shipment][self.step_path]

    @property
    def step_t_per_day(self) -> FloatArray:
        """Flow of each step of each path [t/day]."""
        return self.path_t_per_day[self.step_path]

    def path_sum(self, step_values: FloatArray) -> FloatArray:
        """Return the sum of step values over each path, shape (n_paths,)."""
        return np.bincount(self.step_path, weights=step_values, minlength=self.path_t_per_day.size)

    def step_of(self, by_commodity: FloatArray) -> FloatArray:
        """Return an array by commodity and arc at every step."""
        return by_commodity[self.step_commodity, self.path_arc]


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
    arcs = [np.asarray(result.path_arcs[p], dtype=np.int32) for p in kept]
    sizes = np.array([a.size for a in arcs], dtype=np.int32)
    posts = model.posts
    load = np.asarray(result.pool_load, dtype=float)
    queue_load = np.maximum(load, 0.0) if congestion else np.zeros_like(load)
    stage_wait = model.pools.queues.wait_h(queue_load)
    wait = np.zeros(model.costs.time_h.shape)
    wait[:, posts.arc] = posts.wait_h(stage_wait)[:, :-1].T
    shipment = np.asarray(result.path_commodity, dtype=np.int32)[kept]
    flow = np.asarray(result.path_flow, dtype=float)[kept]
    path_arc = np.concatenate(arcs) if arcs else np.zeros(0, np.int32)
    step_path = np.repeat(np.arange(kept.size), sizes).astype(np.int32)
    by_arc = np.zeros(wait.shape)
    np.add.at(by_arc, (model.shipments.commodity[shipment][step_path], path_arc), flow[step_path])
    answer = FlowAnswer(
        model=model,
        path_shipment=shipment,
        path_t_per_day=flow,
        path_indptr=np.concatenate(([0], np.cumsum(sizes))).astype(np.int32),
        path_arc=path_arc,
        step_path=step_path,
        unmet_t_per_day=np.asarray(result.unmet, dtype=float),
        arc_t_per_day=by_arc,
        pool_load=load,
        pool_price=np.asarray(result.pool_price, dtype=float),
        pool_slope=np.asarray(result.pool_delay_slope, dtype=float),
        wait_h=wait,
        stage_wait_h=stage_wait,
        queue_usd_per_day=float(model.pools.queues.value(queue_load).sum()),
    )
    _verify(answer, problem, float(result.objective))
    return answer


def _verify(answer: FlowAnswer, problem: FlowProblem, objective: float) -> None:
    """Recompute what must hold from the paths alone."""
    model = answer.model
    net, demand = model.supernetwork, model.t_per_day
    scale = max(float(demand.sum()), 1.0)
    served = np.bincount(answer.path_shipment, weights=answer.path_t_per_day, minlength=demand.size)
    _hold(
        "every shipment is served or unmet", np.abs(served + answer.unmet_t_per_day - demand), scale
    )
    starts, ends = answer.path_indptr[:-1], answer.path_indptr[1:] - 1
    tail, head = net.graph.tail[answer.path_arc], net.graph.head[answer.path_arc]
    joined = np.ones(answer.path_arc.size, np.bool_)
    joined[1:] = tail[1:] == head[:-1]
    joined[starts] = tail[starts] == net.source[model.shipments.origin[answer.path_shipment]]
    joined[ends] &= head[ends] == net.sink[model.shipments.destination[answer.path_shipment]]
    _hold("every path leads from origin to destination", (~joined).astype(float), 1.0)
    closed = ~model.allowed[answer.step_class, answer.path_arc]
    _hold("no shipment uses a closed arc", closed.astype(float), 1.0)
    pools = problem.pools
    load = np.zeros(0)
    if pools is not None:
        x = np.zeros(pools.matrix.shape[1])
        np.add.at(
            x,
            answer.step_class.astype(np.int64) * net.n_arcs + answer.path_arc,
            answer.step_t_per_day,
        )
        load = pools.matrix @ x
        _hold(
            "no pool is over its capacity",
            np.maximum(load - pools.capacity, 0.0),
            np.maximum(pools.capacity, 1.0),
        )
        _hold(
            "pool loads are those of the paths",
            np.abs(load - answer.pool_load),
            np.maximum(load, 1.0),
        )
    cost = float((problem.cost[answer.step_class, answer.path_arc] * answer.step_t_per_day).sum())
    if problem.delay is not None:
        cost += float(problem.delay.value(load).sum())
    if problem.unmet_cost is not None:
        cost += float(
            (np.broadcast_to(problem.unmet_cost, demand.shape) * answer.unmet_t_per_day).sum()
        )
    _hold(
        "the objective is the cost of the flow",
        np.array([abs(cost - objective)]),
        max(abs(cost), 1.0),
    )


def _hold(claim: str, excess: FloatArray, scale: float | FloatArray) -> None:
    relative = excess / scale
    worst = float(relative.max(initial=0.0))
    if worst > _TOLERANCE:
        at: Sequence[int] = [int(relative.argmax())]
        msg = (
            f"A plan must hold: {claim}. Recomputed from the paths it is off by {worst:.2e} (relative) at position "
            f"{at[0]}. This is a defect of the solver or the library: please report it with the input."
        )
        raise SolverError(msg)

"""From the last master program to a checked `FlowResult`."""

import math
import time
from dataclasses import dataclass

import numpy as np

from corridor.core.flows._arrays import FloatArray, LongArray, sum_by
from corridor.core.flows._columns import Columns
from corridor.core.flows._network import Groups, Network
from corridor.core.flows.problem import FlowProblem
from corridor.core.flows.result import FlowResult, PathColumns, Status, Totals, add_up, verify_flow
from corridor.errors import SolverError

DUST = 1e-12
"""Share of a demand below which a flow is the solver's rounding."""
AGREEMENT = 1e-6
"""Largest accepted relative difference between the solver's objective and the recomputed one."""
FULL = 1e-7
"""Share of its capacity that a full pool may have left."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """How the search ended; flow, unmet and worth are None where there is none."""

    status: Status
    limit: str
    tolerance: float
    claimed: float
    bound: float
    flow: FloatArray | None
    unmet: FloatArray | None
    worth: FloatArray | None
    price: FloatArray
    rounds: int
    start: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Prices:
    arc: FloatArray
    pool: FloatArray
    pool_load: FloatArray
    row: FloatArray
    demand: FloatArray


def assemble(
    problem: FlowProblem, network: Network, columns: Columns, outcome: Outcome
) -> FlowResult:
    """Return the result after recomputing and proving it from its path flows.

    Raises
    ------
    SolverError
        If the flow does not hold or its cost is not what the solver said.
    """
    paths, flow, unmet = _path_flows(problem, network, columns, outcome)
    totals = add_up(problem, paths, flow, unmet)
    has_flow = outcome.flow is not None
    status, limit, bound = outcome.status, outcome.limit, outcome.bound
    objective = gap = relative = math.nan
    if has_flow:
        verify_flow(problem, paths, flow, unmet, totals)
        objective = totals.objective
        _verify_objective(objective, outcome.claimed)
        bound = min(bound, objective)
        gap = objective - bound
        relative = gap / abs(objective) if gap > 0 else 0.0
        status = "optimal" if relative <= outcome.tolerance else "feasible"
    prices = _prices(problem, network, totals, outcome)
    return FlowResult(
        status=status,
        limit="" if status in ("optimal", "infeasible") else limit,
        objective=objective,
        flow_cost=totals.flow_cost if has_flow else math.nan,
        delay_cost=totals.delay_cost if has_flow else math.nan,
        unmet_cost=totals.unmet_cost if has_flow else math.nan,
        bound=bound,
        gap=gap,
        relative_gap=relative,
        arc_flow=totals.class_flow.sum(axis=0),
        class_flow=totals.class_flow,
        path_commodity=paths.commodity,
        path_arcs=tuple(paths.path(position) for position in range(len(paths))),
        path_flow=flow,
        unmet=unmet,
        pool_load=totals.pool_load,
        pool_delay=totals.pool_delay,
        pool_delay_slope=totals.pool_delay_slope,
        capacity_price=prices.arc,
        pool_price=prices.pool,
        pool_load_price=prices.pool_load,
        row_price=prices.row,
        demand_price=prices.demand,
        columns=_as_columns(columns, np.arange(len(columns)), network.groups.first[columns.group]),
        rounds=outcome.rounds,
        seconds=time.perf_counter() - outcome.start,
    )


def _path_flows(
    problem: FlowProblem, network: Network, columns: Columns, outcome: Outcome
) -> tuple[PathColumns, FloatArray, FloatArray]:
    """Return (paths with flow, their flow, unmet demand), summing to the demand exactly.

    The commodities of a group share its paths and its unmet demand as they share its demand.
    """
    groups = network.groups
    unmet = np.zeros(problem.n_commodities)
    if outcome.flow is None or outcome.unmet is None:
        return (
            _as_columns(columns, np.empty(0, dtype=np.int64), np.empty(0, np.int64)),
            np.empty(0),
            unmet,
        )
    # Columns are only ever appended: a flow of an earlier round covers the first of them.
    group = columns.group[: outcome.flow.size]
    left = np.where(outcome.unmet > DUST * groups.demand, outcome.unmet, 0.0)
    left[~np.isfinite(groups.unmet_cost)] = 0.0
    flow = np.where(outcome.flow > DUST * groups.demand[group], outcome.flow, 0.0)
    total = sum_by(group, flow, groups.size) + left
    scale = np.divide(groups.demand, total, out=np.ones_like(total), where=total > 0)
    unmet[groups.served] = (left * scale)[groups.member_of] * groups.share
    keep = np.flatnonzero(flow > 0)
    column, member = _spread(group[keep], groups)
    path_flow = (flow[keep] * scale[group[keep]])[column] * groups.share[member]
    return _as_columns(columns, keep[column], groups.served[member]), path_flow, unmet


def _spread(group: LongArray, groups: Groups) -> tuple[LongArray, LongArray]:
    """Return (position of the path, served commodity) for each path of each commodity."""
    if groups.size == groups.served.size:
        served = np.empty(groups.size, dtype=np.int64)
        served[groups.member_of] = np.arange(groups.size)
        return np.arange(group.size), served[group]
    members = np.argsort(groups.member_of, kind="stable")
    start = np.r_[0, np.cumsum(np.bincount(groups.member_of, minlength=groups.size))]
    size = np.diff(start)[group]
    column = np.repeat(np.arange(group.size), size)
    within = np.arange(column.size) - np.repeat(np.cumsum(size) - size, size)
    return column, members[start[group][column] + within]


def _as_columns(columns: Columns, keep: LongArray, commodity: LongArray) -> PathColumns:
    """Return some of the paths, each for the commodity given."""
    lengths = np.diff(columns.indptr)[keep]
    indptr = np.zeros(keep.size + 1, dtype=np.int64)
    np.cumsum(lengths, out=indptr[1:])
    within = np.arange(int(indptr[-1])) - np.repeat(indptr[:-1], lengths)
    arcs = columns.arcs[np.repeat(columns.indptr[keep], lengths) + within]
    return PathColumns(commodity=commodity, indptr=indptr, arcs=arcs)


def _verify_objective(objective: float, claimed: float) -> None:
    if not abs(claimed - objective) <= AGREEMENT * max(abs(objective), abs(claimed)):
        msg = (
            f"The flow costs {objective:.12g}, the solver said {claimed:.12g}; they must agree. "
            "Bring costs and demands to similar sizes."
        )
        raise SolverError(msg)


def _prices(problem: FlowProblem, network: Network, totals: Totals, outcome: Outcome) -> _Prices:
    arc, demand = np.zeros(problem.graph.n_arcs), np.zeros(problem.n_commodities)
    price = outcome.price
    if outcome.flow is None or outcome.worth is None:
        price = np.zeros(network.n_resources)
    else:
        demand[network.groups.served] = outcome.worth[network.groups.member_of]
    arc[network.arc_rows] = price[network.n_pools : network.first_side_row]
    load = price[: network.n_pools] + network.first_slope
    full = totals.pool_load >= network.upper[: network.n_pools] * (1.0 - FULL)
    # What a unit of load is worth beyond its delay is the price of the room it takes.
    room = np.where(full, np.maximum(load - totals.pool_delay_slope, 0.0), 0.0)
    return _Prices(
        arc=arc, pool=room, pool_load=load, row=-price[network.first_side_row :], demand=demand
    )

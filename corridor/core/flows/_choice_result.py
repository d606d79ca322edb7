"""From the last prices of a search to a checked result."""

import math
import time
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from corridor.core.flows._arrays import FloatArray, LongArray, sum_by
from corridor.core.flows._choice_search import Found, Search
from corridor.core.flows.choice import ChoiceResult
from corridor.core.flows.result import (
    FlowResult,
    PathColumns,
    Status,
    Totals,
    add_up,
    verify_flow,
)

DUST: Final = 1e-12
"""Share of a group's demand that counts as nobody."""
KEPT: Final = 1e-6
"""Relative excess over a capacity up to which a flow keeps it."""


class _Flow(NamedTuple):
    """Paths that carry something, their flow, and demand that stays at home."""

    paths: PathColumns
    flow: FloatArray
    unmet: FloatArray


def assemble_choice(search: Search, found: Found, start: float) -> ChoiceResult:
    """Return the result after recomputing and checking it from its path flows.

    Raises
    ------
    SolverError
        If the flow does not hold.
    """
    problem, network = search.problem, search.network
    group_cost = _group_costs(found)
    demand = np.zeros(problem.n_commodities)
    demand[network.groups.served] = _served_demand(search, found)
    moved = _no_flow(problem.n_commodities)
    violation = 0.0
    if found.point is not None:
        moved = _path_flows(search, found, demand)
        totals = add_up(problem, *moved)
        violation = _violation(search, totals, moved.unmet)
    holds = found.point is not None and violation <= KEPT
    if holds:
        verify_flow(replace(problem, demand=demand), *moved, totals)
    else:
        moved = _no_flow(problem.n_commodities)
        totals = add_up(problem, *moved)
    expected = _spread(search, group_cost)
    pools = slice(0, network.n_pools)
    return ChoiceResult(
        flow=_flow_result(search, found, moved, totals, expected, start, holds=holds),
        price=found.price[pools],
        beyond=found.beyond[pools],
        demand=demand,
        reference_demand=problem.demand,
        expected_cost=expected,
        free_cost=_spread(search, search.reference),
        capacity_violation=violation,
    )


def _group_costs(found: Found) -> FloatArray:
    """Return the expected cost of each group; inf where there is no path."""
    if found.choice is None:
        return np.where(np.isfinite(found.cheapest), 0.0, np.inf)
    return found.choice.expected_cost if found.in_limit is None else found.in_limit


def _served_demand(search: Search, found: Found) -> FloatArray:
    if found.balance is None or found.point is None:
        return search.problem.demand[search.network.groups.served]
    return found.balance.response.of_commodities(found.point.choice.expected_cost)


def _spread(search: Search, by_group: FloatArray) -> FloatArray:
    """Return values of groups by commodity, 0 where there is no demand."""
    out = np.zeros(search.problem.n_commodities)
    out[search.network.groups.served] = by_group[search.network.groups.member_of]
    return out


def _no_flow(n_commodities: int) -> _Flow:
    empty = np.empty(0, dtype=np.int64)
    paths = PathColumns(
        commodity=empty, indptr=np.zeros(1, dtype=np.int64), arcs=np.empty(0, dtype=np.int32)
    )
    return _Flow(paths, np.empty(0), np.zeros(n_commodities))


def _path_flows(search: Search, found: Found, demand: FloatArray) -> _Flow:
    """Return what each commodity sends over each path; options that nobody takes are left out."""
    groups, columns = search.network.groups, search.columns
    assert found.balance is not None and found.point is not None  # noqa: S101, PT018
    options, share = found.balance.options, found.point.choice.share
    share = np.where(share > DUST, share, 0.0)
    share = share / sum_by(options.group, share, groups.size)[options.group]
    member, option = _pairs(options.group, groups.member_of, share > 0.0)
    commodity = groups.served[member]
    flow = share[option] * demand[commodity]
    column = options.column[option]
    home = column < 0
    unmet = sum_by(commodity[home], flow[home], demand.size)
    carried = np.flatnonzero(~home & (flow > 0.0))
    column, commodity, flow = column[carried], commodity[carried], flow[carried]
    lengths = np.diff(columns.indptr)[column]
    indptr = np.r_[0, np.cumsum(lengths)]
    step = np.arange(int(indptr[-1])) - np.repeat(indptr[:-1], lengths)
    arcs = columns.arcs[np.repeat(columns.indptr[column], lengths) + step]
    return _Flow(PathColumns(commodity=commodity, indptr=indptr, arcs=arcs), flow, unmet)


def _pairs(
    option_group: LongArray, member_of: LongArray, used: np.ndarray
) -> tuple[LongArray, LongArray]:
    """Return every (served commodity, option in use) of the same group, by commodity."""
    n_groups = int(option_group.max(initial=-1)) + 1
    options = np.flatnonzero(used)
    count = np.bincount(option_group[options], minlength=n_groups)
    first = np.r_[0, np.cumsum(count)]
    each = count[member_of]
    member = np.repeat(np.arange(member_of.size), each)
    within = np.arange(member.size) - np.repeat(np.cumsum(each) - each, each)
    return member, options[first[member_of[member]] + within]


def _violation(search: Search, totals: Totals, unmet: FloatArray) -> float:
    """Return the largest excess of a load over its capacity, relative to it."""
    problem = search.problem
    pairs = [(totals.pool_load, search.network.upper[: search.network.n_pools])]
    if problem.capacity is not None:
        pairs.append((totals.class_flow.sum(axis=0), problem.capacity))
    if problem.rows is not None:
        pairs.append((problem.rows.values(totals.class_flow, unmet), problem.rows.upper))
    worst = 0.0
    for load, limit in pairs:
        known = np.isfinite(limit) & (limit > 0)
        over = load[known] / limit[known] - 1.0
        worst = max(worst, float(over.max(initial=0.0)))
    return worst


def _flow_result(
    search: Search,
    found: Found,
    moved: _Flow,
    totals: Totals,
    expected: FloatArray,
    start: float,
    *,
    holds: bool,
) -> FlowResult:
    problem, network = search.problem, search.network
    status: Status = "unknown"
    if holds:
        status = "optimal" if found.relative_gap <= search.tolerance else "feasible"
    elif found.point is None:
        status = "infeasible"
    arc = np.zeros(problem.graph.n_arcs)
    arc[network.arc_rows] = found.beyond[network.n_pools : network.first_side_row]
    paid = _paid_by_pool(search, totals)
    paths = moved.paths
    return FlowResult(
        status=status,
        limit=found.ended if status == "feasible" else "rounds" if status == "unknown" else "",
        objective=totals.objective if holds else math.nan,
        flow_cost=totals.flow_cost if holds else math.nan,
        delay_cost=totals.delay_cost if holds else math.nan,
        unmet_cost=totals.unmet_cost if holds else math.nan,
        bound=math.inf if status == "infeasible" else -math.inf,
        gap=found.gap if holds else math.nan,
        relative_gap=found.relative_gap if holds else math.nan,
        arc_flow=totals.class_flow.sum(axis=0),
        class_flow=totals.class_flow,
        path_commodity=paths.commodity,
        path_arcs=tuple(paths.path(position) for position in range(len(paths))),
        path_flow=moved.flow,
        unmet=moved.unmet,
        pool_load=totals.pool_load,
        pool_delay=totals.pool_delay,
        pool_delay_slope=totals.pool_delay_slope,
        capacity_price=arc,
        pool_price=found.beyond[: network.n_pools] * paid,
        pool_load_price=found.price[: network.n_pools] * paid,
        row_price=-found.beyond[network.first_side_row :],
        demand_price=expected,
        columns=paths,
        rounds=found.rounds,
        seconds=time.perf_counter() - start,
    )


def _paid_by_pool(search: Search, totals: Totals) -> FloatArray:
    """Return what its users pay for a unit of price, per unit of load, 0 where there is none."""
    problem, charge = search.problem, search.charges.charge
    load = totals.pool_load
    if problem.pools is None or charge is None:
        return np.ones(load.size)
    paid = np.asarray(charge @ totals.class_flow.ravel())
    return np.asarray(np.divide(paid, load, out=np.zeros(load.size), where=load > 0.0))

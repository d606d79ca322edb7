"""Fixed-charge design as a mixed-integer program over arcs, without its linking rows.

Columns, in this order: the share of its demand that each group of commodities sends over each arc
that may help it; one switch for each arc that costs something to open; the share of each group's
demand that stays behind, where it may; the delay cost of each pool beyond its slope at load 0,
where there is delay.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from corridor.core.flows._arrays import BoolArray, FloatArray, LongArray, sum_by
from corridor.core.flows._network import Network, build_network
from corridor.core.flows.problem import FlowProblem
from corridor.core.flows.result import FlowResult
from corridor.core.graph import Graph
from corridor.core.paths import shortest_paths
from corridor.core.solver import Program

OBJECTIVE_SIZE = 1e4
"""What the objective is scaled to, roughly: solvers' tolerances are absolute."""
USED = 1e-9
"""Share of a demand, or of an arc's switch, above which a value is not rounding."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DesignModel:
    """The program and what its columns mean.

    Parameters
    ----------
    problem, network
        What is to be carried, and its groups and resources.
    fixed_cost : ndarray of float64, shape (n_arcs,)
        Cost of opening each arc.
    flow_group, flow_arc : ndarray of int64, shape (n_flows,)
        Group and arc of each flow column.
    position : ndarray of int64, shape (n_groups, n_arcs)
        Flow column of each group and arc; -1 where the arc cannot help the group.
    paid : ndarray of int64, shape (n_paid,)
        Arc of each switch: those with a fixed cost that somebody may use.
    switch : ndarray of int64, shape (n_flows,)
        Column of the switch that each flow needs; -1 where its arc is open for nothing.
    share : ndarray of float64, shape (n_flows,)
        Largest share of the group's demand that the arc can take.
    left : ndarray of int64, shape (n_left,)
        Groups that may stay behind.
    load : CSR of float64, shape (n_pools, n_flows)
        Load of the pools per unit of each flow column [pool units]; no rows without delay.
    program
        The program, money divided by ``money``.
    money
        What one unit of the program's objective is worth.
    first_bound
        Sum of the demands times their cheapest paths, nothing paid for opening: a lower bound.
    """

    problem: FlowProblem
    network: Network
    fixed_cost: FloatArray
    flow_group: LongArray
    flow_arc: LongArray
    position: LongArray
    paid: LongArray
    switch: LongArray
    share: FloatArray
    left: LongArray
    load: sp.csr_matrix
    program: Program
    money: float
    first_bound: float

    @property
    def n_flows(self) -> int:
        """Number of flow columns, which come first."""
        return int(self.flow_arc.size)

    @property
    def switches(self) -> slice:
        """Columns of the switches."""
        return slice(self.n_flows, self.n_flows + self.paid.size)

    @property
    def delays(self) -> slice:
        """Columns of the pools' delay."""
        return slice(self.switches.stop + self.left.size, self.program.n_columns)

    def used(self, x: FloatArray) -> BoolArray:
        """Return the arcs that carry flow at a point, shape (n_arcs,)."""
        used = np.zeros(self.problem.graph.n_arcs, dtype=np.bool_)
        used[self.flow_arc[x[: self.n_flows] > USED]] = True
        return used

    def point(self, flow: FlowResult, is_open: BoolArray) -> FloatArray | None:
        """Return a flow as a point of the program; None where it uses what was left out."""
        groups = self.network.groups
        group_of = np.full(self.problem.n_commodities, -1, dtype=np.int64)
        group_of[groups.served] = groups.member_of
        lengths = np.array([arcs.size for arcs in flow.path_arcs], dtype=np.int64)
        group = np.repeat(group_of[flow.path_commodity], lengths)
        arcs = np.concatenate([np.empty(0, dtype=np.int64), *flow.path_arcs]).astype(np.int64)
        column = self.position[group, arcs]
        if (column < 0).any():
            return None
        x = np.zeros(self.program.n_columns)
        amount = sum_by(column, np.repeat(flow.path_flow, lengths), self.n_flows)
        x[: self.n_flows] = amount / groups.demand[self.flow_group]
        x[self.switches] = is_open[self.paid]
        unmet = sum_by(groups.member_of, flow.unmet[groups.served], groups.size)
        x[self.switches.stop : self.delays.start] = (unmet / groups.demand)[self.left]
        if self.load.shape[0]:
            curve = flow.pool_delay - self.network.first_slope * flow.pool_load
            x[self.delays] = np.maximum(curve, 0.0) / self.money
        return x


def build_model(problem: FlowProblem, fixed_cost: FloatArray) -> DesignModel:
    """Return the program of a design problem, for problems with something to carry."""
    network = build_network(problem)
    capacity = _capacity(problem)
    helps, first = _helpful(network, capacity)
    group, arc = (part.astype(np.int64) for part in np.nonzero(helps))
    demand = network.groups.demand
    most = np.minimum(capacity, sum_by(arc, demand[group], capacity.size))
    paid = np.flatnonzero((fixed_cost > 0) & helps.any(axis=0))
    left = np.flatnonzero(np.isfinite(network.groups.unmet_cost))
    number = np.full(capacity.size, -1, dtype=np.int64)
    number[paid] = arc.size + np.arange(paid.size)
    position = np.full(helps.shape, -1, dtype=np.int64)
    position[group, arc] = np.arange(arc.size)
    money = _money(first, fixed_cost[paid])
    sizes = (arc.size, paid.size, left.size, 0 if problem.delay is None else network.n_pools)
    first_left = arc.size + paid.size
    load, resources = _resource_rows(network, group, arc, left, first_left)
    rows = [
        _balance(network, group, arc, left, first_left),
        _arc_rows(demand[group], arc, number, most, capacity),
        resources,
    ]
    price = network.groups.unmet_cost[left] * demand[left]
    flow_cost = network.cost[network.groups.class_row[group], arc] * demand[group]
    cost = np.r_[flow_cost, fixed_cost[paid], price] / money
    return DesignModel(
        problem=problem,
        network=network,
        fixed_cost=fixed_cost,
        flow_group=group,
        flow_arc=arc,
        position=position,
        paid=paid,
        switch=number[arc],
        share=np.minimum(1.0, most[arc] / demand[group]),
        left=left,
        load=load[: sizes[3]],
        program=Program(
            cost=np.r_[cost, np.ones(sizes[3])],
            lower=np.zeros(sum(sizes)),
            upper=np.r_[
                np.minimum(1.0, most[arc] / demand[group]),
                np.ones(paid.size + left.size),
                np.full(sizes[3], np.inf),
            ],
            matrix=_stacked(rows, sum(sizes)),
            row_lower=np.concatenate([block.lower for block in rows]),
            row_upper=np.concatenate([block.upper for block in rows]),
        ),
        money=money,
        first_bound=first,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """Some rows of the program: their entries, rows counted from 0, and their bounds."""

    row: LongArray
    column: LongArray
    value: FloatArray
    lower: FloatArray
    upper: FloatArray


def _capacity(problem: FlowProblem) -> FloatArray:
    if problem.capacity is None:
        return np.full(problem.graph.n_arcs, np.inf)
    return problem.capacity


def _helpful(network: Network, capacity: FloatArray) -> tuple[BoolArray, float]:
    """Return which arcs lie on a path worth taking, for each group, and the first bound.

    An arc is left out where no path over it ends at the destination, where it leads back to the
    origin or away from the destination, and where every path over it costs more than leaving the
    demand behind (not with side rows, which may pay for the detour).
    """
    graph, groups = network.graph, network.groups
    reverse = Graph(graph.n_nodes, graph.head, graph.tail)
    usable = capacity > 0
    helps = np.zeros((groups.size, graph.n_arcs), dtype=np.bool_)
    first = 0.0
    for row in range(network.cost.shape[0]):
        members = np.flatnonzero(groups.class_row == row)
        cost = np.where(usable, network.cost[row], np.inf)
        starts, start = np.unique(groups.origin[members], return_inverse=True)
        ends, end = np.unique(groups.destination[members], return_inverse=True)
        there, _ = shortest_paths(graph, cost, starts, threads=1)
        back, _ = shortest_paths(reverse, cost, ends, threads=1)
        total = there[start][:, graph.tail] + cost + back[end][:, graph.head]
        most = np.where(np.isfinite(groups.unmet_cost[members]), groups.unmet_cost[members], np.inf)
        if network.n_side_rows:
            most[:] = np.inf
        helps[members] = np.isfinite(total) & (total <= most[:, None] * (1 + 1e-9))
        cheapest = there[start, groups.destination[members]]
        cheapest = np.minimum(cheapest, groups.unmet_cost[members])
        first += float(groups.demand[members] @ cheapest)
    helps &= graph.head[None, :] != groups.origin[:, None]
    helps &= graph.tail[None, :] != groups.destination[:, None]
    return helps, first


def _money(first: float, fixed_cost: FloatArray) -> float:
    """Return a power of two, which rounds nothing, that brings the objective to its size."""
    size = first if np.isfinite(first) else 0.0
    size = max(size, float(fixed_cost.max(initial=0.0)))
    return float(2.0 ** np.round(np.log2(size / OBJECTIVE_SIZE))) if size > 0 else 1.0


def _balance(
    network: Network, group: LongArray, arc: LongArray, left: LongArray, first_left: int
) -> _Rows:
    """Return what leaves each node minus what enters it, for each group, as shares."""
    groups, n_nodes = network.groups, network.graph.n_nodes
    every = np.arange(groups.size)
    source, sink = every * n_nodes + groups.origin, every * n_nodes + groups.destination
    supply = np.zeros(groups.size * n_nodes)
    supply[source] += 1.0
    supply[sink] -= 1.0
    tail = group * n_nodes + network.graph.tail[arc]
    head = group * n_nodes + network.graph.head[arc]
    place = np.r_[tail, head, source[left], sink[left]]
    flows, stay = np.arange(arc.size), first_left + np.arange(left.size)
    # A node that a group cannot reach has no row.
    keep = np.flatnonzero((np.bincount(place, minlength=supply.size) > 0) | (supply != 0))
    row_of = np.zeros(supply.size, dtype=np.int64)
    row_of[keep] = np.arange(keep.size)
    sign = np.repeat([1.0, -1.0, 1.0, -1.0], [arc.size, arc.size, left.size, left.size])
    return _Rows(
        row=row_of[place],
        column=np.r_[flows, flows, stay, stay],
        value=sign,
        lower=supply[keep],
        upper=supply[keep],
    )


def _arc_rows(
    demand: FloatArray, arc: LongArray, number: LongArray, most: FloatArray, capacity: FloatArray
) -> _Rows:
    """Return the flow of each arc in its capacities: at most its switch, or 1."""
    total = sum_by(arc, demand, most.size)
    rows = np.flatnonzero((total > 0) & ((number >= 0) | (capacity < total)))
    row_of = np.full(most.size, -1, dtype=np.int64)
    row_of[rows] = np.arange(rows.size)
    inside = np.flatnonzero(row_of[arc] >= 0)
    paid = np.flatnonzero(number >= 0)
    return _Rows(
        row=np.r_[row_of[arc[inside]], row_of[paid]],
        column=np.r_[inside, number[paid]],
        value=np.r_[demand[inside] / most[arc[inside]], np.full(paid.size, -1.0)],
        lower=np.full(rows.size, -np.inf),
        upper=np.where(number[rows] >= 0, 0.0, 1.0),
    )


def _resource_rows(
    network: Network, group: LongArray, arc: LongArray, left: LongArray, first_left: int
) -> tuple[sp.csr_matrix, _Rows]:
    """Return the load of the pools, and the rows of pools and side rows, scaled to entries of 1."""
    n_pools, first, groups = network.n_pools, network.first_side_row, network.groups
    nothing = np.empty(0, dtype=np.int64)
    none = _Rows(row=nothing, column=nothing, value=np.empty(0), lower=np.empty(0),
                 upper=np.empty(0))  # fmt: skip
    if not n_pools and not network.n_side_rows:
        return sp.csr_matrix((0, arc.size)), none
    usage = network.usage[groups.class_row[group] * network.graph.n_arcs + arc]
    usage = sp.csr_matrix(usage.multiply(groups.demand[group][:, None]).T)
    keep = np.r_[
        np.flatnonzero(np.isfinite(network.upper[:n_pools])), np.arange(first, network.n_resources)
    ]
    flows = usage[keep].tocoo()
    staying = sp.csr_matrix(groups.unmet_usage[left].multiply(groups.demand[left][:, None])).tocoo()
    row = np.r_[flows.row, keep.size - network.n_side_rows + staying.col].astype(np.int64)
    value = np.r_[flows.data, staying.data]
    size = np.zeros(keep.size)
    np.maximum.at(size, row, np.abs(value))
    size[size == 0] = 1.0
    return usage[:n_pools], _Rows(
        row=row,
        column=np.r_[flows.col, first_left + staying.row].astype(np.int64),
        value=value / size[row],
        lower=network.lower[keep] / size,
        upper=network.upper[keep] / size,
    )


def _stacked(blocks: list[_Rows], n_columns: int) -> sp.csr_matrix:
    """Return the blocks of rows below one another."""
    count = [block.lower.size for block in blocks]
    first = np.cumsum([0, *count])
    row = np.concatenate([start + block.row for start, block in zip(first, blocks, strict=False)])
    column = np.concatenate([block.column for block in blocks])
    value = np.concatenate([block.value for block in blocks])
    matrix: sp.csr_matrix = sp.csr_matrix((value, (row, column)), shape=(sum(count), n_columns))
    return matrix

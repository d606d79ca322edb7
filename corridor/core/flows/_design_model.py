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
        Sum of the demands times their cheapest paths, fixed costs spread over capacities: a lower
        bound wherever no side row pays for flow, else ``-inf``.
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
    helps, first = _helpful(network, fixed_cost, capacity)
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
    usage = network.usage[network.groups.class_row[group] * capacity.size + arc]
    usage = sp.csr_matrix(usage.multiply(demand[group][:, None]))
    n_delays = 0 if problem.delay is None else network.n_pools
    blocks = [
        _balance(network, group, arc, left),
        _arc_rows(demand[group], arc, number, most, capacity),
        _resource_rows(network, usage, left),
    ]
    sizes = (arc.size, paid.size, left.size, n_delays)
    matrix = sp.vstack([_place(block, sizes) for block, _, _ in blocks], format="csr")
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
        load=sp.csr_matrix(usage[:, :n_delays].T),
        program=Program(
            cost=np.r_[cost, np.ones(n_delays)],
            lower=np.zeros(sum(sizes)),
            upper=np.r_[
                np.minimum(1.0, most[arc] / demand[group]),
                np.ones(paid.size + left.size),
                np.full(n_delays, np.inf),
            ],
            matrix=matrix,
            row_lower=np.concatenate([lower for _, lower, _ in blocks]),
            row_upper=np.concatenate([upper for _, _, upper in blocks]),
        ),
        money=money,
        first_bound=first if not network.n_side_rows else -np.inf,
    )


_Rows = tuple[dict[str, sp.csr_matrix], FloatArray, FloatArray]


def _capacity(problem: FlowProblem) -> FloatArray:
    if problem.capacity is None:
        return np.full(problem.graph.n_arcs, np.inf)
    return problem.capacity


def _helpful(
    network: Network, fixed_cost: FloatArray, capacity: FloatArray
) -> tuple[BoolArray, float]:
    """Return which arcs lie on a path worth taking, for each group, and the first bound.

    An arc is left out where no path over it ends at the destination, where it leads back to the
    origin or away from the destination, and where every path over it costs more than leaving the
    demand behind (not with side rows, which may pay for the detour).
    """
    graph, groups = network.graph, network.groups
    reverse = Graph(graph.n_nodes, graph.head, graph.tail)
    usable = capacity > 0
    spread = np.divide(fixed_cost, np.minimum(capacity, groups.demand.sum()), where=usable,
                       out=np.zeros(capacity.size))  # fmt: skip
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
        dear, _ = shortest_paths(graph, cost + spread, starts, threads=1)
        cheapest = dear[start, groups.destination[members]]
        cheapest = np.minimum(cheapest, groups.unmet_cost[members])
        first += float(groups.demand[members] @ cheapest)
    helps &= graph.head[None, :] != groups.origin[:, None]
    helps &= graph.tail[None, :] != groups.destination[:, None]
    return helps, first


def _money(first: float, fixed_cost: FloatArray) -> float:
    """Return a power of two, which rounds nothing, that brings the objective to its size."""
    size = first if 0 < first < np.inf else float(fixed_cost.max(initial=0.0))
    return float(2.0 ** np.round(np.log2(size / OBJECTIVE_SIZE))) if size > 0 else 1.0


def _balance(network: Network, group: LongArray, arc: LongArray, left: LongArray) -> _Rows:
    """Return what leaves each node minus what enters it, for each group, as shares."""
    groups, n_nodes = network.groups, network.graph.n_nodes
    columns = np.arange(arc.size)
    tail = group * n_nodes + network.graph.tail[arc]
    head = group * n_nodes + network.graph.head[arc]
    size = groups.size * n_nodes
    flows = _entries(size, arc.size, (tail, columns, 1.0), (head, columns, -1.0))
    every = np.arange(groups.size)
    source, sink = every * n_nodes + groups.origin, every * n_nodes + groups.destination
    stay = np.arange(left.size)
    unmet = _entries(size, left.size, (source[left], stay, 1.0), (sink[left], stay, -1.0))
    supply = np.zeros(size)
    supply[source] += 1.0
    supply[sink] -= 1.0
    keep = np.flatnonzero((np.diff(flows.indptr) > 0) | (supply != 0))
    parts = {"flow": flows[keep], "unmet": unmet[keep]}
    return parts, supply[keep], supply[keep]


def _arc_rows(
    demand: FloatArray, arc: LongArray, number: LongArray, most: FloatArray, capacity: FloatArray
) -> _Rows:
    """Return the flow of each arc in its capacities: at most its switch, or 1."""
    used = np.bincount(arc, minlength=most.size) > 0
    total = sum_by(arc, demand, most.size)
    rows = np.flatnonzero(used & ((number >= 0) | (capacity < total)))
    row_of = np.full(most.size, -1, dtype=np.int64)
    row_of[rows] = np.arange(rows.size)
    inside = np.flatnonzero(row_of[arc] >= 0)
    flows = _entries(
        rows.size, arc.size, (row_of[arc[inside]], inside, demand[inside] / most[arc[inside]])
    )
    paid = np.flatnonzero(number >= 0)
    switches = _entries(rows.size, paid.size, (row_of[paid], np.arange(paid.size), -1.0))
    upper = np.where(number[rows] >= 0, 0.0, 1.0)
    return {"flow": flows, "switch": switches}, np.full(rows.size, -np.inf), upper


def _resource_rows(network: Network, usage: sp.csr_matrix, left: LongArray) -> _Rows:
    """Return the rows of the pools and the side rows, each divided by its largest entry."""
    n_pools, first = network.n_pools, network.first_side_row
    pools = np.flatnonzero(np.isfinite(network.upper[:n_pools]))
    keep = np.r_[pools, np.arange(first, network.n_resources)]
    flows = sp.csr_matrix(usage.T)[keep]
    groups = network.groups
    staying = sp.csr_matrix(groups.unmet_usage[left].multiply(groups.demand[left][:, None]).T)
    unmet = sp.vstack([sp.csr_matrix((pools.size, left.size)), staying], format="csr")
    size = np.maximum(_largest(flows), _largest(unmet))
    size[size == 0] = 1.0
    scale = sp.diags(1.0 / size)
    parts = {"flow": sp.csr_matrix(scale @ flows), "unmet": sp.csr_matrix(scale @ unmet)}
    return parts, network.lower[keep] / size, network.upper[keep] / size


def _largest(matrix: sp.csr_matrix) -> FloatArray:
    if not matrix.shape[0] or not matrix.shape[1]:
        return np.zeros(matrix.shape[0])
    return np.asarray(abs(matrix).max(axis=1).todense(), dtype=np.float64).ravel()


def _entries(
    n_rows: int, n_columns: int, *parts: tuple[LongArray, LongArray, FloatArray | float]
) -> sp.csr_matrix:
    row = np.concatenate([part[0] for part in parts])
    column = np.concatenate([part[1] for part in parts])
    value = np.concatenate([np.broadcast_to(part[2], part[0].shape) for part in parts])
    matrix: sp.csr_matrix = sp.csr_matrix((value, (row, column)), shape=(n_rows, n_columns))
    return matrix


def _place(parts: dict[str, sp.csr_matrix], sizes: tuple[int, int, int, int]) -> sp.csr_matrix:
    """Return a block of rows over all columns; what has no part there is empty."""
    n_rows = parts["flow"].shape[0]
    names = ("flow", "switch", "unmet", "delay")
    placed: sp.csr_matrix = sp.hstack(
        [
            parts.get(name, sp.csr_matrix((n_rows, size)))
            for name, size in zip(names, sizes, strict=True)
        ],
        format="csr",
    )
    return placed

"""The problem as the column generation sees it: groups of demand and resources that paths use."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from corridor.core.flows._arrays import FloatArray, IntArray, LongArray, sum_by
from corridor.core.flows.problem import FlowProblem
from corridor.core.graph import Graph


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Groups:
    """Commodities that nothing tells apart, taken together.

    Commodities of one class, origin and destination, with the same price of unmet demand and the
    same entries in the side rows, share their paths: a million of them are no more work than the
    pairs of places between which they go.

    Parameters
    ----------
    served : ndarray of int64, shape (n_served,)
        Positions of the commodities with demand > 0.
    member_of : ndarray of int64, shape (n_served,)
        Group of each of them.
    share : ndarray of float64, shape (n_served,)
        Their shares of the group's demand.
    first : ndarray of int64, shape (n_groups,)
        First commodity of each group.
    demand, unmet_cost : ndarray of float64, shape (n_groups,)
        Demand of the group and the price of leaving a unit; inf where all must be carried.
    origin, destination : ndarray of int32, shape (n_groups,)
        Ends of its paths.
    class_row : ndarray of int64, shape (n_groups,)
        Row of its class among the used ones.
    unmet_usage : CSR of float64, shape (n_groups, n_side_rows)
        Coefficients of a unit left behind in the side rows.
    """

    served: LongArray
    member_of: LongArray
    share: FloatArray
    first: LongArray
    demand: FloatArray
    unmet_cost: FloatArray
    origin: IntArray
    destination: IntArray
    class_row: LongArray
    unmet_usage: sp.csr_matrix

    @property
    def size(self) -> int:
        """Number of groups."""
        return int(self.first.size)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """Arrays derived once from a `FlowProblem`.

    A *resource* is anything a path uses and a row of the master program counts: pools first, then
    arcs with a capacity, then side rows. Only classes with demand count.

    Parameters
    ----------
    graph
        The graph.
    groups
        The demand.
    cost : ndarray of float64, shape (n_class_rows, n_arcs)
        Cost of each used class and arc on empty pools: the slope of delay at load 0 is part of
        it. Inf where closed.
    first_slope : ndarray of float64, shape (n_pools,)
        That slope.
    usage : CSR of float64, shape (n_class_rows * n_arcs, n_resources)
        What a unit of flow takes of each resource.
    by_resource : CSR of float64, shape (n_resources, n_class_rows * n_arcs)
        The same, resource by resource.
    lower, upper : ndarray of float64, shape (n_resources,)
        Bounds of each resource.
    n_pools, n_arc_rows, n_side_rows
        Sizes of the three kinds.
    arc_rows : ndarray of int64, shape (n_arc_rows,)
        Arc of each capacity row.
    """

    graph: Graph
    groups: Groups
    cost: FloatArray
    first_slope: FloatArray
    usage: sp.csr_matrix
    by_resource: sp.csr_matrix
    lower: FloatArray
    upper: FloatArray
    n_pools: int
    n_arc_rows: int
    n_side_rows: int
    arc_rows: LongArray

    @property
    def n_resources(self) -> int:
        """Number of resources."""
        return int(self.upper.size)

    @property
    def first_side_row(self) -> int:
        """Position of the first side row among the resources."""
        return self.n_pools + self.n_arc_rows

    def arc_prices(self, price: FloatArray) -> FloatArray:
        """Return what resource prices put onto each class and arc, shape (n_class_rows, n_arcs)."""
        surcharge: FloatArray = (self.usage @ price).reshape(self.cost.shape)
        return surcharge

    def unmet_prices(self, unmet: FloatArray, price: FloatArray) -> FloatArray:
        """Return the price of leaving a unit, with what the side rows put onto it; inf stays inf.

        Parameters
        ----------
        unmet : ndarray of float64, shape (n_groups,)
            Price without side rows.
        price : ndarray of float64, shape (n_resources,)
            Prices of the resources.
        """
        if not self.groups.unmet_usage.nnz:
            return unmet
        total: FloatArray = unmet + self.groups.unmet_usage @ price[self.first_side_row :]
        return total


def build_network(problem: FlowProblem) -> Network:
    """Return the arrays that every round of the column generation shares."""
    used, groups = _build_groups(problem)
    arc_rows = np.empty(0, dtype=np.int64)
    if problem.capacity is not None:
        arc_rows = np.flatnonzero(np.isfinite(problem.capacity))
    blocks, lower, upper = _resources(problem, used, arc_rows)
    by_resource = blocks[0] if len(blocks) == 1 else sp.csr_matrix(sp.vstack(blocks, format="csr"))
    usage = sp.csr_matrix(by_resource.T)
    if not by_resource.data.all():
        usage.eliminate_zeros()
    cost = problem.open_cost()
    cost = cost if used.size == problem.n_classes else cost[used]
    first_slope = _first_slope(problem)
    if first_slope.any():
        slope = np.zeros(usage.shape[1])
        slope[: first_slope.size] = first_slope
        cost += (usage @ slope).reshape(cost.shape)
    return Network(
        graph=problem.graph,
        groups=groups,
        cost=cost,
        first_slope=first_slope,
        usage=usage,
        by_resource=by_resource,
        lower=lower,
        upper=upper,
        n_pools=first_slope.size,
        n_arc_rows=int(arc_rows.size),
        n_side_rows=0 if problem.rows is None else problem.rows.n_rows,
        arc_rows=arc_rows,
    )


def _first_slope(problem: FlowProblem) -> FloatArray:
    """Return the slope of each pool's delay at load 0, shape (n_pools,)."""
    zero = np.zeros(0 if problem.pools is None else problem.pools.n_pools)
    if problem.delay is None:
        return zero
    slope: FloatArray = np.maximum(problem.delay.slope(zero), 0.0)
    return slope


def _build_groups(problem: FlowProblem) -> tuple[LongArray, Groups]:
    """Return the classes with demand, and the groups of the commodities with demand."""
    served = np.flatnonzero(problem.demand > 0)
    classes = np.asarray(problem.commodity_class, dtype=np.int64)[served]
    used, class_row = np.unique(classes, return_inverse=True)
    if not used.size:
        used = np.zeros(1, dtype=np.int64)  # nothing to carry: shapes want a class all the same
    unmet = np.full(served.size, np.inf)
    if problem.unmet_cost is not None:
        unmet = problem.unmet_cost[served]
    entries = _unmet_entries(problem)[served]
    pattern = _patterns(entries)
    origin, destination = problem.origin[served], problem.destination[served]
    # Sorted by class and origin first: the trees of a class stand together.
    order = np.lexsort((pattern, unmet, destination, origin, class_row))
    fresh = np.zeros(order.size, dtype=np.bool_)
    fresh[:1] = True
    for key in (pattern, unmet, destination, origin, class_row):
        fresh[1:] |= np.diff(_ranks(key[order])) != 0
    member_of = np.empty(order.size, dtype=np.int64)
    member_of[order] = np.cumsum(fresh) - 1
    heads = order[fresh]
    demand = sum_by(member_of, problem.demand[served], heads.size)
    return used, Groups(
        served=served,
        member_of=member_of,
        share=problem.demand[served] / demand[member_of],
        first=served[heads],
        demand=demand,
        unmet_cost=unmet[heads],
        origin=origin[heads],
        destination=destination[heads],
        class_row=class_row.reshape(-1)[heads],
        unmet_usage=entries[heads],
    )


def _ranks(values: FloatArray | LongArray | IntArray) -> LongArray:
    """Return sorted values as the positions of their distinct ones; inf is a value like others."""
    change = values[1:] != values[:-1]
    return np.concatenate([np.zeros(min(1, values.size), dtype=np.int64), np.cumsum(change)])


def _unmet_entries(problem: FlowProblem) -> sp.csr_matrix:
    """Return the side rows' coefficients of unmet demand, CSR (n_commodities, n_side_rows)."""
    rows = problem.rows
    if rows is None or rows.unmet is None or problem.unmet_cost is None:
        return sp.csr_matrix((problem.n_commodities, 0 if rows is None else rows.n_rows))
    return sp.csr_matrix(rows.unmet.T)


def _patterns(entries: sp.csr_matrix) -> LongArray:
    """Return a number for each row of a sparse matrix, equal where the rows are equal."""
    numbers = np.zeros(entries.shape[0], dtype=np.int64)
    known: dict[bytes, int] = {b"": 0}
    for row in np.flatnonzero(np.diff(entries.indptr)):
        part = slice(entries.indptr[row], entries.indptr[row + 1])
        key = entries.indices[part].tobytes() + entries.data[part].tobytes()
        numbers[row] = known.setdefault(key, len(known))
    return numbers


def _resources(
    problem: FlowProblem, used: LongArray, arc_rows: LongArray
) -> tuple[list[sp.csr_matrix], FloatArray, FloatArray]:
    """Return the resource matrices over the used classes, and the bounds."""
    n_arcs = problem.graph.n_arcs
    columns = (used[:, None] * n_arcs + np.arange(n_arcs)).ravel()

    def of_used(matrix: sp.csr_matrix) -> sp.csr_matrix:
        return matrix if matrix.shape[1] == columns.size else sp.csr_matrix(matrix[:, columns])

    blocks: list[sp.csr_matrix] = []
    lower, upper = [], []
    if problem.pools is not None:
        blocks.append(of_used(problem.pools.matrix))
        lower.append(np.full(problem.pools.n_pools, -np.inf))
        upper.append(problem.pools.capacity)
    if problem.capacity is not None and arc_rows.size:
        pick = sp.csr_matrix(
            (np.ones(arc_rows.size), (np.arange(arc_rows.size), arc_rows)),
            shape=(arc_rows.size, n_arcs),
        )
        blocks.append(sp.hstack([pick] * used.size, format="csr"))
        lower.append(np.full(arc_rows.size, -np.inf))
        upper.append(problem.capacity[arc_rows])
    if problem.rows is not None:
        blocks.append(of_used(problem.rows.matrix))
        lower.append(problem.rows.lower)
        upper.append(problem.rows.upper)
    if not blocks:
        blocks.append(sp.csr_matrix((0, columns.size)))
    return blocks, np.concatenate([np.empty(0), *lower]), np.concatenate([np.empty(0), *upper])

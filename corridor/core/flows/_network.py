"""The problem as the column generation sees it: trees to grow and resources that paths use."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from corridor.core.flows._arrays import FloatArray, IntArray, LongArray
from corridor.core.flows.problem import FlowProblem
from corridor.core.graph import Graph
from corridor.core.paths import shortest_trees


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PricedTrees:
    """Shortest-path trees at one set of prices.

    Parameters
    ----------
    distance : ndarray of float64, shape (n_served,)
        Cheapest path of each served commodity; inf where there is none.
    predecessor : ndarray of int32, shape (n_trees, n_nodes)
        The trees.
    exact
        False where a negative arc cost had to be raised to 0, so that distances prove nothing.
    """

    distance: FloatArray
    predecessor: IntArray
    exact: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """Arrays derived once from a `FlowProblem`.

    A *resource* is anything a path uses and a row of the master program counts: pools first, then
    arcs with a capacity, then side rows. Only classes with demand count; *served* are the
    commodities with demand > 0.

    Parameters
    ----------
    graph
        The graph.
    served : ndarray of int64, shape (n_served,)
        Positions of the commodities with demand > 0.
    demand, unmet_cost : ndarray of float64, shape (n_served,)
        Their demand and the price of leaving it; inf where it must be carried.
    destination : ndarray of int32, shape (n_served,)
        Where they go.
    class_row : ndarray of int64, shape (n_served,)
        Row of their class in `cost`.
    tree : ndarray of int64, shape (n_served,)
        The tree that holds their paths: commodities of one class and origin share one.
    tree_row, tree_origin : ndarray of int64, shape (n_trees,)
        Row of `cost` and root of each tree.
    cost : ndarray of float64, shape (n_rows, n_arcs)
        Cost of each used class and arc, inf where closed.
    usage : CSR of float64, shape (n_rows * n_arcs, n_resources)
        What a unit of flow takes of each resource.
    lower, upper : ndarray of float64, shape (n_resources,)
        Bounds of each resource.
    n_pools, n_arc_rows, n_side_rows
        Sizes of the three kinds.
    arc_rows : ndarray of int64, shape (n_arc_rows,)
        Arc of each capacity row.
    """

    graph: Graph
    served: LongArray
    demand: FloatArray
    unmet_cost: FloatArray
    destination: IntArray
    class_row: LongArray
    tree: LongArray
    tree_row: LongArray
    tree_origin: LongArray
    cost: FloatArray
    usage: sp.csr_matrix
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

    def grow(self, price: FloatArray, threads: int | None, *, free: bool = False) -> PricedTrees:
        """Return the cheapest paths when each resource has a price.

        Parameters
        ----------
        price : ndarray of float64, shape (n_resources,)
            Price of a unit of each resource.
        threads
            Threads for the trees; None takes all cores.
        free
            Whether arcs themselves cost nothing (where feasibility alone is asked).
        """
        if not self.served.size:
            empty = np.empty((0, self.graph.n_nodes), dtype=np.int32)
            return PricedTrees(distance=np.empty(0), predecessor=empty, exact=True)
        base = np.where(np.isfinite(self.cost), 0.0, np.inf) if free else self.cost
        priced = base + (self.usage @ price).reshape(self.cost.shape)
        lowest = float(priced.min(initial=0.0))
        scale = max(1.0, float(np.abs(price).max(initial=0.0)))
        exact = lowest >= -1e-12 * scale
        np.maximum(priced, 0.0, out=priced)
        distance, predecessor = shortest_trees(
            self.graph, priced, self.tree_row, self.tree_origin, threads=threads
        )
        return PricedTrees(
            distance=distance[self.tree, self.destination], predecessor=predecessor, exact=exact
        )


def build_network(problem: FlowProblem) -> Network:
    """Return the arrays that every round of the column generation shares."""
    served = np.flatnonzero(problem.demand > 0)
    classes = np.asarray(problem.commodity_class, dtype=np.int64)[served]
    used, class_row = np.unique(classes, return_inverse=True)
    if not used.size:
        used = np.zeros(1, dtype=np.int64)  # nothing to carry: shapes want a class all the same
    keys = np.stack([class_row, problem.origin[served].astype(np.int64)])
    trees, tree = np.unique(keys, axis=1, return_inverse=True)
    unmet = np.full(served.size, np.inf)
    if problem.unmet_cost is not None:
        unmet = problem.unmet_cost[served]
    arc_rows = np.empty(0, dtype=np.int64)
    if problem.capacity is not None:
        arc_rows = np.flatnonzero(np.isfinite(problem.capacity))
    blocks, lower, upper = _resources(problem, used, arc_rows)
    return Network(
        graph=problem.graph,
        served=served,
        demand=problem.demand[served],
        unmet_cost=unmet,
        destination=problem.destination[served],
        class_row=class_row.reshape(-1),
        tree=tree.reshape(-1),
        tree_row=trees[0],
        tree_origin=trees[1],
        cost=problem.open_cost()[used],
        usage=sp.csr_matrix(sp.vstack(blocks, format="csr").T),
        lower=lower,
        upper=upper,
        n_pools=0 if problem.pools is None else problem.pools.n_pools,
        n_arc_rows=int(arc_rows.size),
        n_side_rows=0 if problem.rows is None else problem.rows.n_rows,
        arc_rows=arc_rows,
    )


def _resources(
    problem: FlowProblem, used: LongArray, arc_rows: LongArray
) -> tuple[list[sp.csr_matrix], FloatArray, FloatArray]:
    """Return the resource matrices over the used classes, and the bounds."""
    n_arcs = problem.graph.n_arcs
    columns = (used[:, None] * n_arcs + np.arange(n_arcs)).ravel()
    blocks = [sp.csr_matrix((0, columns.size))]
    lower, upper = [], []
    if problem.pools is not None:
        blocks.append(problem.pools.matrix[:, columns])
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
        blocks.append(problem.rows.matrix[:, columns])
        lower.append(problem.rows.lower)
        upper.append(problem.rows.upper)
    return blocks, np.concatenate([np.empty(0), *lower]), np.concatenate([np.empty(0), *upper])

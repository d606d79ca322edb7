"""Trees and distances by SciPy, for work too small to load the kernels for."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from corridor.core.graph import FloatArray, Graph, IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimpleGraph:
    """The graph without parallel arcs, which SciPy's sparse matrices cannot hold.

    Parameters
    ----------
    order
        Arc ids sorted by (tail, head), (n_arcs,).
    starts
        Position in ``order`` where each distinct (tail, head) begins, (n_entries,).
    indices, indptr
        CSR structure of the distinct entries.
    """

    order: IntArray
    starts: IntArray
    indices: IntArray
    indptr: IntArray

    @classmethod
    def of(cls, graph: Graph) -> "SimpleGraph":
        order = np.lexsort((graph.head, graph.tail)).astype(np.int32)
        tail, head = graph.tail[order], graph.head[order]
        first = np.ones(graph.n_arcs, dtype=np.bool_)
        first[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
        starts = np.flatnonzero(first).astype(np.int32)
        indptr = np.zeros(graph.n_nodes + 1, dtype=np.int32)
        np.cumsum(np.bincount(tail[starts], minlength=graph.n_nodes), out=indptr[1:])
        return cls(order=order, starts=starts, indices=head[starts], indptr=indptr)

    def distances(self, cost: FloatArray, origins: IntArray) -> FloatArray:
        """Return distances (n_origins, n_nodes); of parallel arcs the cheapest counts."""
        n_nodes = self.indptr.size - 1
        if self.starts.size == 0:
            out = np.full((origins.size, n_nodes), np.inf)
            out[np.arange(origins.size), origins] = 0.0
            return out
        cheapest = np.minimum.reduceat(cost[self.order], self.starts)
        matrix = csr_array((cheapest, self.indices, self.indptr), shape=(n_nodes, n_nodes))
        found: FloatArray = dijkstra(matrix, directed=True, indices=origins)
        return found


def predecessors(graph: Graph, cost: FloatArray, origin: int, distance: FloatArray) -> IntArray:
    """Return the canonical tree that belongs to ``distance`` (defined in ``_kernels``)."""
    out = np.full(graph.n_nodes, -1, dtype=np.int32)
    before, after = distance[graph.tail], distance[graph.head]
    tight = (before + cost == after) & np.isfinite(after) & (graph.head != origin)
    # Of repeated targets the last assignment stays: descending order leaves the lowest arc.
    nearer = np.flatnonzero(tight & (before < after))[::-1]
    out[graph.head[nearer]] = nearer
    waiting = np.isfinite(distance) & (out < 0)
    waiting[origin] = False
    level = np.flatnonzero(tight & (before == after))[::-1]
    while waiting.any():
        arcs = level[~waiting[graph.tail[level]] & waiting[graph.head[level]]]
        out[graph.head[arcs]] = arcs
        waiting[graph.head[arcs]] = False
    return out


def grow_trees(
    graph: Graph,
    cost: FloatArray,
    rows: IntArray,
    origins: IntArray,
    distance: FloatArray,
    predecessor: IntArray,
) -> None:
    """Fill one tree for each (cost row, origin)."""
    simple = SimpleGraph.of(graph)
    for row in np.unique(rows):
        pairs = np.flatnonzero(rows == row)
        distance[pairs] = simple.distances(cost[row], origins[pairs])
        for pair in pairs:
            predecessor[pair] = predecessors(graph, cost[row], int(origins[pair]), distance[pair])


def fill_skim(
    graph: Graph, cost: FloatArray, origins: IntArray, destinations: IntArray, out: FloatArray
) -> None:
    """Fill ``out`` (n_scenarios, n_origins, n_destinations)."""
    simple = SimpleGraph.of(graph)
    for row in range(cost.shape[0]):
        out[row] = simple.distances(cost[row], origins)[:, destinations]

"""Compiled search for the cheapest routes by the groups they use; imported only when asked for."""

from typing import NamedTuple

import numpy as np

from corridor.core.graph import FloatArray, IntArray
from corridor.core.paths._kernels import Arcs, Heap, compiled, empty_heap, heap_drop, heap_push

FEW = 1024
"""Labels there is room for at first."""


class Routes(NamedTuple):
    """Partial routes: where they end, the groups they use as bits, the one settled before there."""

    cost: FloatArray
    node: IntArray
    groups: IntArray
    before: IntArray


@compiled
def longer(array: IntArray, size: int) -> IntArray:
    """Return the same array with room for more."""
    grown = np.empty(size, dtype=np.int32)
    grown[: array.size] = array
    return grown


@compiled
def more_routes(routes: Routes, heap: Heap, size: int) -> tuple[Routes, Heap]:
    """Return the same columns with room for ``size`` labels."""
    cost = np.empty(size, dtype=np.float64)
    keys = np.empty(size, dtype=np.float64)
    cost[: routes.cost.size] = routes.cost
    keys[: heap.keys.size] = heap.keys
    grown = Routes(
        cost, longer(routes.node, size), longer(routes.groups, size), longer(routes.before, size)
    )
    return grown, Heap(keys, longer(heap.items, size))


@compiled
def is_needless(groups: IntArray, before: IntArray, last: int, used: int) -> bool:
    """Return whether a route settled at the node, so no dearer, uses only groups in ``used``."""
    while last >= 0:
        if groups[last] & ~used == 0:
            return True
        last = before[last]
    return False


@compiled
def cheapest_by_groups(
    arcs: Arcs,
    cost: FloatArray,
    arc_group: IntArray,
    origin: int,
    rows: IntArray,
    best: FloatArray,
    max_labels: int,
) -> bool:
    """Fill ``best`` with the cost of the cheapest routes; return whether the labels sufficed.

    Routes are settled in order of cost, and one that uses a superset of the groups of another at
    the same node is dropped. ``rows`` is the row of ``best`` that belongs to each node, or -1;
    ``best[row, groups]`` starts at inf.
    """
    empty = np.empty(0, dtype=np.int32)
    routes = Routes(np.empty(0, dtype=np.float64), empty, empty, empty)
    routes, heap = more_routes(routes, empty_heap(0), min(FEW, max_labels))
    last = np.full(rows.size, -1, dtype=np.int32)
    routes.cost[0], routes.node[0], routes.groups[0] = 0.0, origin, 0
    n_routes = 1
    size = heap_push(heap, 0, 0.0, 0)
    while size > 0:
        route = heap.items[0]
        size = heap_drop(heap, size)
        node, used = routes.node[route], routes.groups[route]
        if is_needless(routes.groups, routes.before, last[node], used):
            continue
        routes.before[route] = last[node]
        last[node] = route
        if rows[node] >= 0:
            best[rows[node], used] = min(best[rows[node], used], routes.cost[route])
        for position in range(arcs.indptr[node], arcs.indptr[node + 1]):
            arc = arcs.order[position]
            there = routes.cost[route] + cost[arc]
            target = arcs.neighbor[position]
            group = arc_group[arc]
            then = used | (1 << group) if group >= 0 else used
            if there == np.inf or is_needless(routes.groups, routes.before, last[target], then):
                continue
            if n_routes == routes.node.size:
                if n_routes >= max_labels:
                    return False
                routes, heap = more_routes(routes, heap, min(2 * n_routes, max_labels))
            routes.cost[n_routes], routes.node[n_routes] = there, target
            routes.groups[n_routes] = then
            size = heap_push(heap, size, there, n_routes)
            n_routes += 1
    return True

"""Compiled goal-directed searches for cheaper paths; imported only when numba is wanted."""

from typing import NamedTuple

import numpy as np

from corridor.core.flows._arrays import FloatArray, IntArray, LongArray
from corridor.core.paths._kernels import Arcs, Heap, compiled, empty_heap, heap_drop, heap_push

ROOM = 4096
"""Arcs for which the first array of paths has room."""


class Goals(NamedTuple):
    """What is searched for: for each group its row of costs, ends, and row of distances to go."""

    row: LongArray
    origin: IntArray
    destination: IntArray
    target: LongArray


class Marks(NamedTuple):
    """Labels of a search; a node has none while its stamp is not the search's."""

    distance: FloatArray
    predecessor: IntArray
    stamp: LongArray


@compiled
def find_cheaper(
    arcs: Arcs,
    cost: FloatArray,
    to_go: FloatArray,
    goals: Goals,
    below: FloatArray,
    first: int,
    last: int,
    distance: FloatArray,
    length: LongArray,
) -> IntArray:
    """Search a path cheaper than ``below`` for groups ``first .. last - 1``; return all their arcs.

    ``to_go`` (n_targets, n_nodes) are distances to the destinations that never exceed those at the
    present costs and obey the triangle inequality with them (A*), so nodes from which no path can
    be cheaper are not visited. Where there is a path its cost goes into ``distance`` and its
    number of arcs into ``length``, else both stay as they are.
    """
    n_nodes = arcs.indptr.size - 1
    marks = Marks(np.empty(n_nodes), np.empty(n_nodes, np.int32), np.full(n_nodes, -1, np.int64))
    heap = empty_heap(arcs.head.size + n_nodes)
    out, size = np.empty(ROOM, dtype=np.int32), 0
    for group in range(first, last):
        target = goals.target[group]
        origin, destination = goals.origin[group], goals.destination[group]
        if not to_go[target, origin] < below[group]:
            continue
        found = search(
            arcs, cost[goals.row[group]], to_go[target], origin, destination, below[group],
            group, marks, heap,
        )  # fmt: skip
        if not found:
            continue
        distance[group] = marks.distance[destination]
        n_arcs, node = 0, destination
        while node != origin:
            node = arcs.tail[marks.predecessor[node]]
            n_arcs += 1
        if size + n_arcs > out.size:
            longer = np.empty(2 * (size + n_arcs), dtype=np.int32)
            longer[:size] = out[:size]
            out = longer
        node = destination
        for position in range(size + n_arcs - 1, size - 1, -1):
            out[position] = marks.predecessor[node]
            node = arcs.tail[out[position]]
        length[group] = n_arcs
        size += n_arcs
    return out[:size]


@compiled
def search(
    arcs: Arcs,
    cost: FloatArray,
    to_go: FloatArray,
    origin: int,
    destination: int,
    below: float,
    stamp: int,
    marks: Marks,
    heap: Heap,
) -> bool:
    """Run A*; return whether there is a path cheaper than ``below``."""
    marks.distance[origin] = 0.0
    marks.stamp[origin] = stamp
    size = heap_push(heap, 0, to_go[origin], origin)
    while size > 0:
        key = heap.keys[0]
        node = heap.items[0]
        size = heap_drop(heap, size)
        here = marks.distance[node]
        if node == destination:
            return True
        if key > here + to_go[node]:
            continue
        for position in range(arcs.indptr[node], arcs.indptr[node + 1]):
            target = arcs.neighbor[position]
            arc = arcs.order[position]
            there = here + cost[arc]
            key = there + to_go[target]
            if key < below and (marks.stamp[target] != stamp or there < marks.distance[target]):
                marks.stamp[target] = stamp
                marks.distance[target] = there
                marks.predecessor[target] = arc
                size = heap_push(heap, size, key, target)
    return False

"""Compiled kernels of the path functions; imported only when numba is wanted.

Distances are the least left-to-right rounded sums over all paths. Rounded addition is monotone
and costs are >= 0, so this least fixpoint is unique: SciPy gives the very same bits.

Trees are canonical. The predecessor of a node is the lowest of the arcs that reach it at its
distance from a strictly nearer node; nodes that only arcs of zero length reach (no nearer
predecessor) are hung on breadth-first over those arcs, lowest arc first. The tree so depends on
graph and costs alone, not on the order in which a heap settles equal distances.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from corridor.core.graph import FloatArray, IntArray



@njit(cache=True, nogil=True)
def heap_push(keys: FloatArray, items: IntArray, size: int, key: float, item: int) -> int:
    """Push onto a 4-ary min-heap held in two arrays; return the new size."""
    hole = size
    while hole > 0:
        parent = (hole - 1) >> 2
        if keys[parent] <= key:
            break
        keys[hole] = keys[parent]
        items[hole] = items[parent]
        hole = parent
    keys[hole] = key
    items[hole] = item
    return size + 1


@njit(cache=True, nogil=True)
def heap_drop(keys: FloatArray, items: IntArray, size: int) -> int:
    """Remove the least entry of the heap (read ``keys[0]``, ``items[0]`` first)."""
    size -= 1
    key = keys[size]
    item = items[size]
    hole = 0
    while True:
        first = (hole << 2) + 1
        if first >= size:
            break
        least = first
        for child in range(first + 1, min(first + 4, size)):
            if keys[child] < keys[least]:
                least = child
        if keys[least] >= key:
            break
        keys[hole] = keys[least]
        items[hole] = items[least]
        hole = least
    keys[hole] = key
    items[hole] = item
    return size


@njit(cache=True, nogil=True)
def grow_tree(
    indptr: IntArray,
    order: IntArray,
    neighbor: IntArray,
    cost: FloatArray,
    origin: int,
    distance: FloatArray,
    predecessor: IntArray,
    keys: FloatArray,
    items: IntArray,
) -> bool:
    """Dijkstra from one origin over packed arcs; return whether zero steps need repair.

    ``neighbor`` and ``cost`` are packed in CSR order, ``order`` gives the arc ids. The heap holds
    stale entries instead of decreasing keys (at most one for each arc), which is faster here.
    """
    distance[:] = np.inf
    predecessor[:] = -1
    distance[origin] = 0.0
    size = heap_push(keys, items, 0, 0.0, origin)
    zero_steps = False
    while size > 0:
        here = keys[0]
        node = items[0]
        size = heap_drop(keys, items, size)
        if here > distance[node]:
            continue
        for position in range(indptr[node], indptr[node + 1]):
            there = here + cost[position]
            target = neighbor[position]
            if there < distance[target]:
                distance[target] = there
                predecessor[target] = order[position]
                size = heap_push(keys, items, size, there, target)
                if there == here:
                    zero_steps = True
            elif there == distance[target] and here < there:
                # A tie; nearer tails are all settled before the target is.
                if order[position] < predecessor[target] and there < np.inf:
                    predecessor[target] = order[position]
    return zero_steps


@njit(cache=True, nogil=True)
def hang_zero_steps(
    tail: IntArray,
    head: IntArray,
    indptr: IntArray,
    order: IntArray,
    reverse_indptr: IntArray,
    reverse_order: IntArray,
    cost: FloatArray,
    origin: int,
    distance: FloatArray,
    predecessor: IntArray,
) -> None:
    """Make the predecessors of nodes without a nearer tail canonical (see the module)."""
    n_nodes = distance.size
    # 0: hung on. -1: waits. r > 0: reached in round r.
    state = np.zeros(n_nodes, dtype=np.int32)
    frontier = np.empty(n_nodes, dtype=np.int32)
    for node in range(n_nodes):
        arc = predecessor[node]
        if arc >= 0 and distance[tail[arc]] == distance[node]:
            state[node] = -1
    size = 0
    for node in range(n_nodes):
        if state[node] != -1:
            continue
        best = -1
        for position in range(reverse_indptr[node], reverse_indptr[node + 1]):
            arc = reverse_order[position]
            source = tail[arc]
            if state[source] == 0 and distance[source] + cost[arc] == distance[node]:
                best = arc  # arcs come in ascending order: the first is the lowest
                break
        if best >= 0:
            predecessor[node] = best
            frontier[size] = node
            size += 1
    for index in range(size):
        state[frontier[index]] = 1
    start = 0
    level = 1
    while start < size:
        stop = size
        level += 1
        for index in range(start, stop):
            node = frontier[index]
            for position in range(indptr[node], indptr[node + 1]):
                arc = order[position]
                target = head[arc]
                if state[target] != -1 and state[target] != level:
                    continue
                if distance[node] + cost[arc] != distance[target]:
                    continue
                if state[target] == -1:
                    state[target] = level
                    predecessor[target] = arc
                    frontier[size] = target
                    size += 1
                elif arc < predecessor[target]:
                    predecessor[target] = arc
        start = stop


@njit(cache=True, nogil=True)
def grow_trees(
    tail: IntArray,
    head: IntArray,
    indptr: IntArray,
    order: IntArray,
    reverse_indptr: IntArray,
    reverse_order: IntArray,
    neighbor: IntArray,
    cost: FloatArray,
    rows: IntArray,
    origins: IntArray,
    first: int,
    last: int,
    distance: FloatArray,
    predecessor: IntArray,
) -> None:
    """Fill rows ``first .. last - 1`` of the output: one tree for each (cost row, origin)."""
    n_arcs = order.size
    keys = np.empty(n_arcs + 1, dtype=np.float64)
    items = np.empty(n_arcs + 1, dtype=np.int32)
    packed = np.empty(n_arcs, dtype=np.float64)
    packed_row = -1
    for pair in range(first, last):
        row = rows[pair]
        if row != packed_row:
            for position in range(n_arcs):
                packed[position] = cost[row, order[position]]
            packed_row = row
        origin = origins[pair]
        if grow_tree(
            indptr, order, neighbor, packed, origin, distance[pair], predecessor[pair], keys, items
        ):
            hang_zero_steps(
                tail, head, indptr, order, reverse_indptr, reverse_order,
                cost[row], origin, distance[pair], predecessor[pair],
            )  # fmt: skip


@njit(cache=True, nogil=True)
def fill_skim(
    indptr: IntArray,
    order: IntArray,
    neighbor: IntArray,
    cost: FloatArray,
    origins: IntArray,
    destinations: IntArray,
    first: int,
    last: int,
    out: FloatArray,
) -> None:
    """Fill rows ``first .. last - 1`` of ``out`` (n_scenarios * n_origins, n_destinations).

    A search stops once the last wanted node is settled.
    """
    n_nodes = indptr.size - 1
    n_arcs = order.size
    keys = np.empty(n_arcs + 1, dtype=np.float64)
    items = np.empty(n_arcs + 1, dtype=np.int32)
    packed = np.empty(n_arcs, dtype=np.float64)
    distance = np.empty(n_nodes, dtype=np.float64)
    wanted = np.zeros(n_nodes, dtype=np.bool_)
    n_wanted = 0
    for destination in destinations:
        if not wanted[destination]:
            wanted[destination] = True
            n_wanted += 1
    packed_row = -1
    for index in range(first, last):
        row = index // origins.size
        if row != packed_row:
            for position in range(n_arcs):
                packed[position] = cost[row, order[position]]
            packed_row = row
        distance[:] = np.inf
        origin = origins[index % origins.size]
        distance[origin] = 0.0
        size = heap_push(keys, items, 0, 0.0, origin)
        left = n_wanted
        while size > 0:
            here = keys[0]
            node = items[0]
            size = heap_drop(keys, items, size)
            if here > distance[node]:
                continue
            if wanted[node]:
                left -= 1
                if left == 0:
                    break
            for position in range(indptr[node], indptr[node + 1]):
                there = here + packed[position]
                target = neighbor[position]
                if there < distance[target]:
                    distance[target] = there
                    size = heap_push(keys, items, size, there, target)
        for column in range(destinations.size):
            out[index, column] = distance[destinations[column]]


@njit(cache=True, nogil=True)
def count_steps(
    tail: IntArray, predecessor: IntArray, trees: IntArray, destinations: IntArray, count: IntArray
) -> int:
    """Count the arcs of each path into ``count``; return the first path that never ends, or -1."""
    n_nodes = predecessor.shape[1]
    for path in range(destinations.size):
        node = destinations[path]
        steps = 0
        arc = predecessor[trees[path], node]
        while arc >= 0:
            steps += 1
            if steps >= n_nodes:
                return path
            arc = predecessor[trees[path], tail[arc]]
        count[path] = steps
    return -1


@njit(cache=True, nogil=True)
def write_steps(
    tail: IntArray,
    predecessor: IntArray,
    trees: IntArray,
    destinations: IntArray,
    indptr: npt.NDArray[np.int64],
    arcs: IntArray,
) -> None:
    """Write each path's arcs, first arc first, into its slice of ``arcs``."""
    for path in range(destinations.size):
        place = indptr[path + 1]
        arc = predecessor[trees[path], destinations[path]]
        while arc >= 0:
            place -= 1
            arcs[place] = arc
            arc = predecessor[trees[path], tail[arc]]

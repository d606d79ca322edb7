"""Compiled searches of the path functions; imported only when numba is wanted.

Distances are the least left-to-right rounded sums over all paths. Rounded addition is monotone
and costs are >= 0, so this least fixpoint is unique: SciPy gives the very same bits.

Trees are canonical. The predecessor of a node is the lowest of the arcs that reach it at its
distance from a strictly nearer node; nodes that only steps of length zero reach (no nearer
predecessor) are hung on breadth-first over those arcs, lowest arc first. The tree so depends on
graph and costs alone, not on the order in which a heap settles equal distances.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

from corridor.core.graph import FloatArray, Graph, IntArray

BoolArray = npt.NDArray[np.bool_]
Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function to machine code that runs without the GIL and is cached on disk."""
    return cast("Function", njit(cache=True, nogil=True)(function))


def inlined(function: Function) -> Function:
    """Compile a function into the body of every kernel that calls it, for the innermost steps."""
    return cast("Function", njit(nogil=True, inline="always")(function))


class Arcs(NamedTuple):
    """The graph as the kernels read it: ``neighbor`` is the far end of each arc in CSR order."""

    tail: IntArray
    head: IntArray
    indptr: IntArray
    order: IntArray
    neighbor: IntArray
    reverse_indptr: IntArray
    reverse_order: IntArray
    reverse_neighbor: IntArray


class Heap(NamedTuple):
    """A 4-ary min-heap in two arrays, as long as it can ever get; its size is kept outside."""

    keys: FloatArray
    items: IntArray


def read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a read-only view.

    The kernels are compiled for these alone; a writable array would be a type of its own and
    compile a second version.
    """
    view = array.view()
    view.flags.writeable = False
    return view


def arcs_of(graph: Graph) -> Arcs:
    """Pack a graph for the kernels."""
    return Arcs(
        tail=graph.tail,
        head=graph.head,
        indptr=graph.indptr,
        order=graph.order,
        neighbor=read_only(graph.head[graph.order]),
        reverse_indptr=graph.reverse_indptr,
        reverse_order=graph.reverse_order,
        reverse_neighbor=read_only(graph.tail[graph.reverse_order]),
    )


def reversed_arcs(arcs: Arcs) -> Arcs:
    """Return the same graph with every arc turned round."""
    return Arcs(
        tail=arcs.head,
        head=arcs.tail,
        indptr=arcs.reverse_indptr,
        order=arcs.reverse_order,
        neighbor=arcs.reverse_neighbor,
        reverse_indptr=arcs.indptr,
        reverse_order=arcs.order,
        reverse_neighbor=arcs.neighbor,
    )


@compiled
def empty_heap(capacity: int) -> Heap:
    """Return a heap with room for ``capacity`` entries."""
    return Heap(np.empty(capacity, dtype=np.float64), np.empty(capacity, dtype=np.int32))


@inlined
def heap_push(heap: Heap, size: int, key: float, item: int) -> int:
    """Add an entry; return the new size."""
    keys, items = heap.keys, heap.items
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


@inlined
def heap_drop(heap: Heap, size: int) -> int:
    """Remove the least entry (read it first, at position 0); return the new size."""
    keys, items = heap.keys, heap.items
    rest = size - 1
    key = keys[rest]
    hole = 0
    first = 1
    while first < rest:
        least = first
        least_key = keys[first]
        for child in range(first + 1, min(first + 4, rest)):
            if keys[child] < least_key:
                least = child
                least_key = keys[child]
        if least_key >= key:
            break
        keys[hole] = least_key
        items[hole] = items[least]
        hole = least
        first = (hole << 2) + 1
    keys[hole] = key
    items[hole] = items[rest]
    return rest


@compiled
def pack(order: IntArray, cost: FloatArray, packed: FloatArray) -> None:
    """Write arc costs in CSR order."""
    for position in range(order.size):
        packed[position] = cost[order[position]]


@compiled
def grow_tree(
    arcs: Arcs,
    packed: FloatArray,
    origin: int,
    distance: FloatArray,
    predecessor: IntArray,
    heap: Heap,
    waiting: IntArray,
) -> int:
    """Dijkstra from one origin; write and count the nodes that a step of length zero reached.

    The heap keeps stale entries (at most one an arc) instead of decreasing keys: faster here.
    """
    indptr, order, neighbor = arcs.indptr, arcs.order, arcs.neighbor
    distance[:] = np.inf
    predecessor[:] = -1
    distance[origin] = 0.0
    size = heap_push(heap, 0, 0.0, origin)
    n_waiting = 0
    while size > 0:
        here = heap.keys[0]
        node = heap.items[0]
        size = heap_drop(heap, size)
        if here > distance[node]:
            continue
        for position in range(indptr[node], indptr[node + 1]):
            there = here + packed[position]
            target = neighbor[position]
            if there < distance[target]:
                distance[target] = there
                predecessor[target] = order[position]
                size = heap_push(heap, size, there, target)
                if there == here:  # final: it can come no nearer, so it is written once
                    waiting[n_waiting] = target
                    n_waiting += 1
            elif there == distance[target] and here < there:
                # A tie. Every nearer tail passes here before the target is settled; -1, at the
                # origin and where only closed arcs lead, is less than any arc.
                predecessor[target] = min(predecessor[target], order[position])
    return n_waiting


@compiled
def hang_zero_steps(
    arcs: Arcs,
    cost: FloatArray,
    distance: FloatArray,
    predecessor: IntArray,
    waiting: IntArray,
    rounds: IntArray,
    frontier: IntArray,
) -> None:
    """Make the predecessors of nodes without a nearer predecessor canonical (see the module).

    ``rounds`` is 0 for every node that needs no repair, -1 for one that waits, and else the round
    in which it was hung on; it is all 0 before and after.
    """
    for node in waiting:
        rounds[node] = -1
    size = 0
    for node in waiting:
        arc = lowest_zero_arc(arcs, cost, distance, rounds, node)
        if arc >= 0:
            predecessor[node] = arc
            frontier[size] = node
            size += 1
    for index in range(size):
        rounds[frontier[index]] = 1
    start, level = 0, 2
    while start < size:
        stop = size
        for index in range(start, stop):
            size = hang_next(
                arcs, cost, distance, predecessor, rounds, frontier, size, frontier[index], level
            )
        start = stop
        level += 1
    for node in waiting:
        rounds[node] = 0


@inlined
def lowest_zero_arc(
    arcs: Arcs, cost: FloatArray, distance: FloatArray, rounds: IntArray, node: int
) -> int:
    """Return the lowest arc of length zero from a node hung on before the first round, or -1."""
    for position in range(arcs.reverse_indptr[node], arcs.reverse_indptr[node + 1]):
        arc = arcs.reverse_order[position]
        source = arcs.tail[arc]
        if rounds[source] == 0 and distance[source] + cost[arc] == distance[node]:
            return int(arc)
    return -1


@inlined
def hang_next(
    arcs: Arcs,
    cost: FloatArray,
    distance: FloatArray,
    predecessor: IntArray,
    rounds: IntArray,
    frontier: IntArray,
    size: int,
    node: int,
    level: int,
) -> int:
    """Hang the waiting neighbors of ``node`` on in round ``level``; return the frontier's size."""
    for position in range(arcs.indptr[node], arcs.indptr[node + 1]):
        arc = arcs.order[position]
        target = arcs.head[arc]
        if distance[node] + cost[arc] != distance[target]:
            continue
        if rounds[target] == -1:
            rounds[target] = level
            predecessor[target] = arc
            frontier[size] = target
            size += 1
        elif rounds[target] == level:
            predecessor[target] = min(predecessor[target], arc)
    return size


@compiled
def grow_trees(
    arcs: Arcs,
    cost: FloatArray,
    rows: IntArray,
    origins: IntArray,
    first: int,
    last: int,
    distance: FloatArray,
    predecessor: IntArray,
) -> None:
    """Fill rows ``first .. last - 1`` of the output: one tree for each (cost row, origin)."""
    heap = empty_heap(arcs.order.size + 1)
    packed = np.empty(arcs.order.size, dtype=np.float64)
    waiting = np.empty(distance.shape[1], dtype=np.int32)
    frontier = np.empty(distance.shape[1], dtype=np.int32)
    rounds = np.zeros(distance.shape[1], dtype=np.int32)
    packed_row = -1
    for pair in range(first, last):
        row = rows[pair]
        if row != packed_row:
            pack(arcs.order, cost[row], packed)
            packed_row = row
        tree, tree_distance = predecessor[pair], distance[pair]
        n = grow_tree(arcs, packed, origins[pair], tree_distance, tree, heap, waiting)
        if n > 0:
            hang_zero_steps(arcs, cost[row], tree_distance, tree, waiting[:n], rounds, frontier)


@compiled
def find_distances(
    arcs: Arcs,
    packed: FloatArray,
    origin: int,
    wanted: BoolArray,
    n_wanted: int,
    distance: FloatArray,
    heap: Heap,
) -> None:
    """Dijkstra from one origin, distances only, until the last wanted node is settled."""
    distance[:] = np.inf
    distance[origin] = 0.0
    size = heap_push(heap, 0, 0.0, origin)
    while size > 0:
        here = heap.keys[0]
        node = heap.items[0]
        size = heap_drop(heap, size)
        if here > distance[node]:
            continue
        if wanted[node]:
            n_wanted -= 1
            if n_wanted == 0:
                return
        for position in range(arcs.indptr[node], arcs.indptr[node + 1]):
            there = here + packed[position]
            target = arcs.neighbor[position]
            if there < distance[target]:
                distance[target] = there
                size = heap_push(heap, size, there, target)


@compiled
def fill_skim(
    arcs: Arcs,
    cost: FloatArray,
    origins: IntArray,
    destinations: IntArray,
    first: int,
    last: int,
    out: FloatArray,
) -> None:
    """Fill rows ``first .. last - 1`` of ``out`` (n_scenarios * n_origins, n_destinations)."""
    n_nodes = arcs.indptr.size - 1
    heap = empty_heap(arcs.order.size + 1)
    packed = np.empty(arcs.order.size, dtype=np.float64)
    distance = np.empty(n_nodes, dtype=np.float64)
    wanted = np.zeros(n_nodes, dtype=np.bool_)
    wanted[destinations] = True
    n_wanted = wanted.sum()
    packed_row = -1
    for index in range(first, last):
        row = index // origins.size
        if row != packed_row:
            pack(arcs.order, cost[row], packed)
            packed_row = row
        origin = origins[index % origins.size]
        find_distances(arcs, packed, origin, wanted, n_wanted, distance, heap)
        for column in range(destinations.size):
            out[index, column] = distance[destinations[column]]

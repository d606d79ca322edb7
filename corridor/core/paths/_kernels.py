"""Compiled searches of the path functions; imported only when numba is wanted.

Distances are the least left-to-right rounded sums over all paths. Rounded addition is monotone
and costs are >= 0, so this least fixpoint is unique: SciPy gives the very same bits.

Trees are canonical. The predecessor of a node is the lowest of the arcs that reach it at its
distance from a strictly nearer node; nodes that only steps of length zero reach (no nearer
predecessor) are hung on breadth-first over those arcs, lowest arc first. The tree so depends on
graph and costs alone, not on the order in which a heap settles equal distances.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

from corridor.core.compilation import machine_code
from corridor.core.graph import FloatArray, Graph, IntArray

BoolArray = npt.NDArray[np.bool_]
Function = TypeVar("Function", bound=Callable[..., Any])
Item = TypeVar("Item")


@cache
def stamp_of(path: str) -> str:
    """Return a short hash of a kernels file and of this one, whose steps the others inline."""
    content = Path(path).read_bytes() + Path(__file__).read_bytes()
    return hashlib.sha256(content).hexdigest()[:12]


def compiled(function: Function) -> Function:
    """Compile a function to machine code that runs without the GIL and is cached on disk.

    numba takes code from its cache as long as size and date of the function's own file stay the
    same, whatever became of code from other files inside it. The hash in the name ends that.
    """
    function.__qualname__ += "_" + stamp_of(function.__code__.co_filename)
    return machine_code(function, nogil=True)


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


class Queue(NamedTuple):
    """Nodes in a ring of buckets; each bucket is a doubly linked list.

    ``first`` holds the first node of each bucket, ``links`` (n_nodes, 4) for each node the one
    after it, the one before it and its bucket; -1 where there is none. The fourth column is there
    to keep a node inside one cache line.
    """

    first: IntArray
    links: IntArray


class Space(NamedTuple):
    """What a run of searches writes to on the way; every thread has its own, for one cost array.

    ``packed`` holds a row of costs in CSR order, ``row`` (1,) its number and ``inverse`` (1,) what
    ``inverse_width`` says of it.
    """

    packed: FloatArray
    row: IntArray
    inverse: FloatArray
    queue: Queue
    heap: Heap
    waiting: IntArray
    rounds: IntArray
    frontier: IntArray


AFTER, BEFORE, BUCKET = 0, 1, 2
"""Columns of ``Queue.links``."""

N_BUCKETS = 256
"""Buckets in the ring, a power of two."""

MASK = N_BUCKETS - 1
"""Turns the number of a bucket into its place in the ring."""

LEAST_WIDTH = 1e-290
"""Sum of widths below which 1 / width may be infinite."""

NODE_EFFORT = 16
"""What taking out a node costs, in empty buckets looked at."""

ZERO_STEP = int(np.iinfo(np.int32).max)
"""Predecessor of a node, during a search, that only steps of length zero reach."""


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
        neighbor=graph.neighbor,
        reverse_indptr=graph.reverse_indptr,
        reverse_order=graph.reverse_order,
        reverse_neighbor=graph.reverse_neighbor,
    )


def space_for(graph: Graph) -> Space:
    """Return room for searches; NumPy asks for large pages, which the compiled code does not."""
    n_nodes, n_entries = graph.n_nodes, graph.n_arcs + graph.n_nodes
    first = np.full(N_BUCKETS, -1, dtype=np.int32)
    return Space(
        packed=np.empty(graph.n_arcs, dtype=np.float64),
        row=np.full(1, -1, dtype=np.int32),
        inverse=np.zeros(1, dtype=np.float64),
        queue=Queue(first, np.full((n_nodes, 4), -1, dtype=np.int32)),
        heap=Heap(np.empty(n_entries, dtype=np.float64), np.empty(n_entries, dtype=np.int32)),
        waiting=np.empty(n_nodes, dtype=np.int32),
        rounds=np.zeros(n_nodes, dtype=np.int32),
        frontier=np.empty(n_nodes, dtype=np.int32),
    )


class Pool(Generic[Item]):
    """Things that cost time to make, lent to the threads at work and used again."""

    def __init__(self, make: Callable[[], Item]) -> None:
        self._make = make
        self._idle: list[Item] = []

    @contextmanager
    def lend(self) -> Iterator[Item]:
        """Lend one that nobody else has."""
        try:
            item = self._idle.pop()
        except IndexError:
            item = self._make()
        yield item
        self._idle.append(item)


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


@inlined
def bucket_of(distance: float, inverse: float, bucket: int) -> int:
    """Return the bucket of a distance, or the last one that the ring has from ``bucket`` on."""
    last = bucket + N_BUCKETS - 1
    number = distance * inverse
    return int(number) if number < last else last


@compiled
def pack(order: IntArray, cost: FloatArray, packed: FloatArray) -> None:
    """Write arc costs in CSR order."""
    for position in range(order.size):
        packed[position] = cost[order[position]]


@compiled
def inverse_width(indptr: IntArray, packed: FloatArray) -> float:
    """Return 1 / width of the buckets: the mean of the least positive cost that leaves a node.

    Any width gives the same distances. Much narrower, and the search looks at empty buckets; much
    wider, and it visits nodes again.
    """
    total, n = 0.0, 0
    for node in range(indptr.size - 1):
        least = np.inf
        for position in range(indptr[node], indptr[node + 1]):
            if 0.0 < packed[position] < least:
                least = packed[position]
        if least < np.inf:
            total += least
            n += 1
    # No such cost, or one that has no inverse: all in one bucket.
    return n / total if LEAST_WIDTH < total < np.inf else 0.0


@compiled
def pack_row(arcs: Arcs, cost: FloatArray, row: int, space: Space) -> None:
    """Pack a row of costs unless it is the one packed already."""
    if space.row[0] != row:
        pack(arcs.order, cost[row], space.packed)
        space.row[0] = row
        space.inverse[0] = inverse_width(arcs.indptr, space.packed)


@compiled
def grow_tree(  # noqa: C901, PLR0912, PLR0915 - calls with arrays would double its time
    arcs: Arcs,
    origin: int,
    destinations: IntArray,
    distance: FloatArray,
    predecessor: IntArray,
    space: Space,
) -> None:
    """Search from one origin, until the destinations are final, or all nodes when there are none.

    Costs are those that ``space`` holds.

    Nodes wait in buckets of equal width, so that taking the next costs the same however many
    wait; inside a bucket they come in any order and may come again (delta-stepping). A node too
    far for the ring waits in the bucket that is last at the time and may come too early. Where
    too many come again, because the width does not suit the costs, a heap takes over.

    Every arc that is tight in the end is looked at from the final distance of its tail, no earlier
    than its head gets its own final distance; so the ties leave the lowest of them in
    ``predecessor``, which is ``ZERO_STEP`` where no nearer node leads.
    """
    first, links, packed = space.queue.first, space.queue.links, space.packed
    inverse = space.inverse[0]
    indptr, order, neighbor = arcs.indptr, arcs.order, arcs.neighbor
    distance[:] = np.inf
    predecessor[:] = -1
    distance[origin] = 0.0
    first[0] = origin
    links[origin, AFTER] = links[origin, BEFORE] = -1
    links[origin, BUCKET] = 0
    n_waiting, bucket, n_final = 1, 0, 0
    effort = NODE_EFFORT * (4 * distance.size + N_BUCKETS)
    while n_waiting > 0 and effort > 0:
        node = first[bucket & MASK]
        if node < 0:
            bucket += 1
            effort -= 1
            while n_final < destinations.size:
                if not distance[destinations[n_final]] * inverse < bucket:
                    break
                n_final += 1
            if n_final == destinations.size > 0:
                break
            continue
        # Take the node out.
        effort -= NODE_EFFORT
        n_waiting -= 1
        after = links[node, AFTER]
        first[bucket & MASK] = after
        if after >= 0:
            links[after, BEFORE] = -1
        links[node, BUCKET] = -1
        here = distance[node]
        for position in range(indptr[node], indptr[node + 1]):
            there = here + packed[position]
            target = neighbor[position]
            if there == distance[target] and here < there:
                # At the origin, and where only closed arcs lead, -1 is less than any arc.
                predecessor[target] = min(predecessor[target], order[position])
                continue
            if not there < distance[target]:
                continue
            distance[target] = there
            predecessor[target] = order[position] if here < there else ZERO_STEP
            new = bucket_of(there, inverse, bucket) & MASK
            old = links[target, BUCKET]
            if new == old:
                continue
            # Take the target out of its bucket and put it into the new one.
            if old >= 0:
                before, after = links[target, BEFORE], links[target, AFTER]
                if before >= 0:
                    links[before, AFTER] = after
                else:
                    first[old] = after
                if after >= 0:
                    links[after, BEFORE] = before
            else:
                n_waiting += 1
            after = first[new]
            links[target, AFTER] = after
            links[target, BEFORE] = -1
            links[target, BUCKET] = new
            if after >= 0:
                links[after, BEFORE] = target
            first[new] = target
    if n_waiting > 0:
        empty_into_heap(arcs, distance, predecessor, space, effort <= 0)


@compiled
def empty_into_heap(
    arcs: Arcs,
    distance: FloatArray,
    predecessor: IntArray,
    space: Space,
    go_on: bool,  # noqa: FBT001 - kernels take positional arguments
) -> None:
    """Empty the queue; go on from its nodes by Dijkstra's algorithm where asked to.

    The heap keeps stale entries (at most one an arc and node) instead of decreasing keys.
    """
    indptr, order, neighbor = arcs.indptr, arcs.order, arcs.neighbor
    packed, queue, heap = space.packed, space.queue, space.heap
    queue.first[:] = -1
    size = 0
    for node in range(distance.size):
        if queue.links[node, BUCKET] >= 0:
            queue.links[node, BUCKET] = -1
            if go_on:
                size = heap_push(heap, size, distance[node], node)
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
                predecessor[target] = order[position] if here < there else ZERO_STEP
                size = heap_push(heap, size, there, target)
            elif there == distance[target] and here < there:
                predecessor[target] = min(predecessor[target], order[position])


@compiled
def hang_on(
    arcs: Arcs,
    cost: FloatArray,
    distance: FloatArray,
    predecessor: IntArray,
    space: Space,
) -> None:
    """Give the nodes that only steps of length zero reach their predecessors."""
    if predecessor.max() < ZERO_STEP:
        return
    waiting, n_waiting = space.waiting, 0
    for node in range(predecessor.size):
        if predecessor[node] == ZERO_STEP:
            waiting[n_waiting] = node
            n_waiting += 1
    hang_zero_steps(
        arcs, cost, distance, predecessor, waiting[:n_waiting], space.rounds, space.frontier
    )


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
    space: Space,
    distance: FloatArray,
    predecessor: IntArray,
) -> None:
    """Fill rows ``first .. last - 1`` of the output: one tree for each (cost row, origin)."""
    everywhere = np.empty(0, dtype=np.int32)
    for pair in range(first, last):
        row = rows[pair]
        pack_row(arcs, cost, row, space)
        grow_tree(arcs, origins[pair], everywhere, distance[pair], predecessor[pair], space)
        hang_on(arcs, cost[row], distance[pair], predecessor[pair], space)


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
    space: Space,
    out: FloatArray,
) -> None:
    """Fill rows ``first .. last - 1`` of ``out`` (n_scenarios * n_origins, n_destinations)."""
    n_nodes = arcs.indptr.size - 1
    distance = np.empty(n_nodes, dtype=np.float64)
    predecessor = np.empty(n_nodes, dtype=np.int32)
    for index in range(first, last):
        pack_row(arcs, cost, index // origins.size, space)
        origin = origins[index % origins.size]
        grow_tree(arcs, origin, destinations, distance, predecessor, space)
        for column in range(destinations.size):
            out[index, column] = distance[destinations[column]]

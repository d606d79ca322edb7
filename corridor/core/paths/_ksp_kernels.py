"""Compiled k-shortest simple paths; imported only when they are asked for.

All simple paths are split into cells. A cell fixes a prefix of an accepted path up to its spur
node and bans some arcs there; the best path of a cell, once accepted, splits the rest of its cell
along itself (Lawler), so no path is found twice. A cell waits in the queue under a lower bound,
one arc plus the exact distance to the destination, and is searched only when that bound comes
first; the search is A* with the same distances.
"""

from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corridor.core.graph import FloatArray, IntArray
from corridor.core.paths._kernels import (
    Arcs,
    Heap,
    compiled,
    empty_heap,
    find_distances,
    heap_drop,
    heap_push,
    inlined,
    pack,
)

FOUND, BOUND = 0, 1
"""Kinds of queue entries; a found path goes before a bound of the same cost."""


class Task(NamedTuple):
    """What is asked: costs in CSR order, and exact distances of every node to the destination."""

    packed: FloatArray
    cost: FloatArray
    to_go: FloatArray
    origin: int
    destination: int


class Marks(NamedTuple):
    """Node marks that need no clearing: a mark holds while it equals the current token."""

    reached: npt.NDArray[np.int64]
    closed: npt.NDArray[np.int64]
    label: FloatArray
    via: IntArray


class Cells(NamedTuple):
    """Growing columns, one entry a cell: where its prefix and its best path lie in ``pool``."""

    pool: list[int]
    prefix_start: list[int]
    prefix_size: list[int]
    prefix_cost: list[float]
    banned: list[int]
    path_start: list[int]
    path_size: list[int]
    ban_arc: list[int]
    ban_next: list[int]


@inlined
def is_banned(cells: Cells, ban: int, arc: int) -> bool:
    """Return whether ``arc`` is in the linked list of bans that starts at ``ban``."""
    while ban >= 0:
        if cells.ban_arc[ban] == arc:
            return True
        ban = cells.ban_next[ban]
    return False


@inlined
def add_cell(cells: Cells, start: int, size: int, cost: float, banned: int) -> int:
    """Append a cell; return its number."""
    cells.prefix_start.append(start)
    cells.prefix_size.append(size)
    cells.prefix_cost.append(cost)
    cells.banned.append(banned)
    cells.path_start.append(-1)
    cells.path_size.append(-1)
    return len(cells.banned) - 1


@inlined
def enter_prefix(arcs: Arcs, task: Task, cells: Cells, cell: int, marks: Marks, token: int) -> int:
    """Close the nodes of the cell's prefix; return its spur node."""
    node = task.origin
    marks.closed[node] = token
    start = cells.prefix_start[cell]
    for position in range(start, start + cells.prefix_size[cell]):
        node = arcs.head[cells.pool[position]]
        marks.closed[node] = token
    return int(node)


@inlined
def relax(
    arcs: Arcs,
    task: Task,
    marks: Marks,
    token: int,
    heap: Heap,
    size: int,
    position: int,
    here: float,
) -> int:
    """Offer the arc at a CSR position to its far end; return the size of the heap."""
    target = arcs.neighbor[position]
    there = here + task.packed[position]
    key = there + task.to_go[target]
    if marks.closed[target] == token or key == np.inf:
        return size
    if marks.reached[target] == token and marks.label[target] <= there:
        return size
    marks.reached[target] = token
    marks.label[target] = there
    marks.via[target] = arcs.order[position]
    return heap_push(heap, size, key, target)


@compiled
def search_cell(
    arcs: Arcs, task: Task, cells: Cells, cell: int, marks: Marks, token: int, heap: Heap
) -> bool:
    """Search from the cell's spur node (A*); return whether ``marks.via`` holds a path."""
    spur = enter_prefix(arcs, task, cells, cell, marks, token)
    here = cells.prefix_cost[cell]
    size = 0
    for position in range(arcs.indptr[spur], arcs.indptr[spur + 1]):
        if not is_banned(cells, cells.banned[cell], arcs.order[position]):
            size = relax(arcs, task, marks, token, heap, size, position, here)
    while size > 0:
        node = heap.items[0]
        size = heap_drop(heap, size)
        if node == task.destination:
            return True
        if marks.closed[node] == token:
            continue
        marks.closed[node] = token
        here = marks.label[node]
        for position in range(arcs.indptr[node], arcs.indptr[node + 1]):
            size = relax(arcs, task, marks, token, heap, size, position, here)
    return False


@compiled
def store_path(arcs: Arcs, task: Task, cells: Cells, cell: int, marks: Marks) -> None:
    """Append the cell's prefix and the path just found to the pool."""
    start = len(cells.pool)
    prefix_start = cells.prefix_start[cell]
    spur = task.origin
    for position in range(prefix_start, prefix_start + cells.prefix_size[cell]):
        arc = cells.pool[position]
        cells.pool.append(arc)
        spur = arcs.head[arc]
    suffix = len(cells.pool)
    node = task.destination
    while node != spur:
        cells.pool.append(int(marks.via[node]))
        node = arcs.tail[marks.via[node]]
    last = len(cells.pool) - 1
    for position in range(suffix, (suffix + last + 1) // 2):
        mirror = suffix + last - position
        arc = cells.pool[position]
        cells.pool[position] = cells.pool[mirror]
        cells.pool[mirror] = arc
    cells.path_start[cell] = start
    cells.path_size[cell] = len(cells.pool) - start


@inlined
def lower_bound(
    arcs: Arcs, task: Task, cells: Cells, banned: int, marks: Marks, token: int, spur: int
) -> float:
    """Return the least arc + distance to go from ``spur`` over arcs that the cell leaves open."""
    least = np.inf
    for position in range(arcs.indptr[spur], arcs.indptr[spur + 1]):
        target = arcs.neighbor[position]
        bound = task.packed[position] + task.to_go[target]
        if bound >= least or marks.closed[target] == token:
            continue
        if not is_banned(cells, banned, arcs.order[position]):
            least = bound
    return float(least)


@compiled
def split_cell(
    arcs: Arcs,
    task: Task,
    cells: Cells,
    cell: int,
    marks: Marks,
    token: int,
    queue: list[tuple[float, int, int]],
) -> None:
    """Split what is left of an accepted path's cell into one cell for each later spur node."""
    start = cells.path_start[cell]
    node = task.origin
    cost = 0.0
    for index in range(cells.path_size[cell]):
        arc = cells.pool[start + index]
        marks.closed[node] = token
        if index >= cells.prefix_size[cell]:
            inherited = cells.banned[cell] if index == cells.prefix_size[cell] else -1
            cells.ban_arc.append(arc)
            cells.ban_next.append(inherited)
            banned = len(cells.ban_arc) - 1
            bound = cost + lower_bound(arcs, task, cells, banned, marks, token, node)
            if bound < np.inf:
                heappush(queue, (bound, BOUND, add_cell(cells, start, index, cost, banned)))
        cost += task.cost[arc]
        node = arcs.head[arc]


@compiled
def best_paths(
    arcs: Arcs, reverse: Arcs, cost: FloatArray, origin: int, destination: int, k: int
) -> tuple[npt.NDArray[np.int64], IntArray, FloatArray]:
    """Return (indptr, arcs, costs) of up to ``k`` simple paths, cheapest first up to rounding."""
    n_nodes = arcs.indptr.size - 1
    heap = empty_heap(cost.size + 1)
    packed = np.empty(cost.size, dtype=np.float64)
    pack(arcs.reverse_order, cost, packed)
    to_go = np.empty(n_nodes, dtype=np.float64)
    find_distances(reverse, packed, destination, np.zeros(n_nodes, dtype=np.bool_), 0, to_go, heap)
    pack(arcs.order, cost, packed)
    task = Task(packed, cost, to_go, origin, destination)
    marks = Marks(
        np.zeros(n_nodes, dtype=np.int64),
        np.zeros(n_nodes, dtype=np.int64),
        np.empty(n_nodes, dtype=np.float64),
        np.empty(n_nodes, dtype=np.int32),
    )
    # An empty comprehension is how numba learns the type of an empty list.
    cells = Cells(
        [0 for _ in range(0)], [0 for _ in range(0)], [0 for _ in range(0)],
        [0.0 for _ in range(0)], [0 for _ in range(0)], [0 for _ in range(0)],
        [0 for _ in range(0)], [0 for _ in range(0)], [0 for _ in range(0)],
    )  # fmt: skip
    queue = [(to_go[origin], BOUND, add_cell(cells, 0, 0, 0.0, -1))]
    accepted = [0 for _ in range(0)]
    costs = [0.0 for _ in range(0)]
    token = 0
    while len(queue) > 0:
        key, kind, cell = heappop(queue)
        token += 1
        if kind == FOUND:
            accepted.append(cell)
            costs.append(key)
            if len(accepted) == k:
                break
            split_cell(arcs, task, cells, cell, marks, token, queue)
        elif search_cell(arcs, task, cells, cell, marks, token, heap):
            store_path(arcs, task, cells, cell, marks)
            heappush(queue, (marks.label[destination], FOUND, cell))
    return gather(cells, accepted, costs)


@compiled
def gather(
    cells: Cells, accepted: list[int], costs: list[float]
) -> tuple[npt.NDArray[np.int64], IntArray, FloatArray]:
    """Return the accepted paths as flat arrays."""
    indptr = np.zeros(len(accepted) + 1, dtype=np.int64)
    out_costs = np.empty(len(accepted), dtype=np.float64)
    for path in range(len(accepted)):
        indptr[path + 1] = indptr[path] + cells.path_size[accepted[path]]
        out_costs[path] = costs[path]
    out = np.empty(indptr[-1], dtype=np.int32)
    for path in range(len(accepted)):
        start = cells.path_start[accepted[path]]
        for index in range(indptr[path + 1] - indptr[path]):
            out[indptr[path] + index] = cells.pool[start + index]
    return indptr, out, out_costs

"""Compiled searches from many origins at once; imported only when numba is wanted.

One search serves ``LANES`` origins under one cost vector: each node has a row of distances, one
lane an origin, and an arc is relaxed for all lanes in a few vector instructions. A node is taken
again whenever its row changed, nodes near the least changed distance first. Origins near each
other go together, so that their distances are alike and a row is taken some ten times, not once
for each lane. Distances are the same to the last bit in whatever order arcs are relaxed.
"""

from typing import NamedTuple

import numpy as np

from corridor.core.graph import FloatArray, IntArray
from corridor.core.paths._kernels import (
    ZERO_STEP,
    Arcs,
    Space,
    compiled,
    grow_tree,
    hang_on,
    pack_row,
)

LANES = 64
"""Origins of one search."""

TILE = 8
"""Nodes whose lanes are transposed together: one cache line."""

MOST_TAKES = 48
"""Times a row may be taken on average before single searches are quicker."""

N_STEPS = 16
"""Steps of distance in which a search goes out, to the farthest node from the first origin."""

NOBODY, SEVERAL = -2, -1
"""In ``via``: no change is waiting; the changes that wait came from several nodes."""


class Plan(NamedTuple):
    """What is searched: from ``origins`` to ``nodes``, under row ``row`` of the costs.

    ``positions`` (n_origins,) are the rows of the output, so ordered that near origins stand
    together; they are searched from in ``n_units`` equal parts. ``order`` and ``width`` are what
    ``walk_tree`` says.
    """

    row: int
    origins: IntArray
    nodes: IntArray
    positions: IntArray
    n_units: int
    order: IntArray
    width: float


@compiled
def walk_tree(
    arcs: Arcs, cost: FloatArray, row: int, origin: int, space: Space
) -> tuple[IntArray, float]:
    """Return the nodes so that neighbors stand together, and the width of a step of distance.

    The order is that of a walk through the shortest-path tree, branch after branch; nodes it does
    not reach come last.
    """
    n_nodes = arcs.indptr.size - 1
    distance, predecessor = np.empty(n_nodes), np.empty(n_nodes, dtype=np.int32)
    pack_row(arcs, cost, row, space)
    grow_tree(arcs, origin, np.empty(0, dtype=np.int32), distance, predecessor, space)
    hang_on(arcs, cost[row], distance, predecessor, space)
    child = np.full(n_nodes, -1, dtype=np.int32)
    sibling = np.full(n_nodes, -1, dtype=np.int32)
    farthest = 0.0
    for node in range(n_nodes):
        if predecessor[node] >= 0:
            parent = arcs.tail[predecessor[node]]
            sibling[node] = child[parent]
            child[parent] = node
            farthest = max(farthest, distance[node])
    order, stack = np.empty(n_nodes, dtype=np.int32), np.empty(n_nodes, dtype=np.int32)
    stack[0] = origin
    waiting, size = 1, 0
    while waiting > 0:
        waiting -= 1
        order[size] = stack[waiting]
        node = child[order[size]]
        size += 1
        while node >= 0:
            stack[waiting] = node
            waiting += 1
            node = sibling[node]
    for node in range(n_nodes):
        if distance[node] == np.inf:
            order[size] = node
            size += 1
    return order, farthest / N_STEPS


@compiled
def search_origins(  # noqa: C901 - calls with arrays in the inner loop would double its time
    arcs: Arcs,
    packed: FloatArray,
    origins: IntArray,
    order: IntArray,
    width: float,
    distance: FloatArray,
    via: IntArray,
    key: FloatArray,
) -> bool:
    """Search from up to ``LANES`` origins; return whether it stayed within ``MOST_TAKES``.

    ``key`` is at most the least changed distance in a node's row, inf when none has changed. An
    arc back to the only node that improved a row since it was last taken cannot improve that node.
    """
    indptr, neighbor = arcs.indptr, arcs.neighbor
    distance[:] = np.inf
    via[:] = NOBODY
    key[:] = np.inf
    for lane in range(LANES):
        node = origins[min(lane, origins.size - 1)]
        distance[node, lane] = 0.0
        key[node] = 0.0
        via[node] = SEVERAL
    n_left = MOST_TAKES * order.size
    while n_left > 0:
        least = np.inf
        for node in range(key.size):
            least = min(least, key[node])
        if least == np.inf:
            return True
        limit = least + width
        again = True
        while again and n_left > 0:
            again = False
            for node in order:
                least = key[node]
                if least > limit or least == np.inf:
                    continue
                n_left -= 1
                source = via[node]
                key[node] = np.inf
                via[node] = NOBODY
                for position in range(indptr[node], indptr[node + 1]):
                    target, cost = neighbor[position], packed[position]
                    if target == source:
                        continue
                    better = False
                    for lane in range(LANES):
                        there = distance[node, lane] + cost
                        old = distance[target, lane]
                        distance[target, lane] = min(old, there)
                        better |= there < old
                    if better:
                        first = via[target] == NOBODY or via[target] == node
                        via[target] = node if first else SEVERAL
                        key[target] = min(key[target], least + cost)
                        again |= key[target] <= limit
    return False


@compiled
def search_singly(arcs: Arcs, origins: IntArray, space: Space, distance: FloatArray) -> None:
    """Do the same by one search for each origin, under the costs that ``space`` holds."""
    found = np.empty(distance.shape[0])
    predecessor = np.empty(distance.shape[0], dtype=np.int32)
    everywhere = np.empty(0, dtype=np.int32)
    for lane in range(origins.size):
        grow_tree(arcs, origins[lane], everywhere, found, predecessor, space)
        for node in range(found.size):
            distance[node, lane] = found[node]


@compiled
def find_predecessors(
    arcs: Arcs, packed: FloatArray, distance: FloatArray, predecessor: IntArray
) -> None:
    """Write the lowest arc that reaches each node from a nearer one, ``ZERO_STEP`` without one."""
    predecessor[:] = ZERO_STEP
    for node in range(distance.shape[0]):
        for position in range(arcs.indptr[node], arcs.indptr[node + 1]):
            target, arc, cost = arcs.neighbor[position], arcs.order[position], packed[position]
            for lane in range(LANES):
                here, there = distance[node, lane], distance[target, lane]
                tight = (here + cost == there) & (here < there)
                old = predecessor[target, lane]
                predecessor[target, lane] = arc if tight & (arc < old) else old


@compiled
def write_distances(distance: FloatArray, nodes: IntArray, rows: IntArray, out: FloatArray) -> None:
    """Write the rows of some nodes into columns of ``out``, lane after lane into ``rows``."""
    for start in range(0, nodes.size, TILE):
        for lane in range(rows.size):
            for column in range(start, min(start + TILE, nodes.size)):
                out[rows[lane], column] = distance[nodes[column], lane]


@compiled
def write_trees(
    predecessor: IntArray, origins: IntArray, rows: IntArray, distance: FloatArray, out: IntArray
) -> None:
    """Write predecessors, -1 at the origins and where ``distance``, written already, is inf."""
    n_nodes = out.shape[1]
    for start in range(0, n_nodes, TILE):
        for lane in range(rows.size):
            row = rows[lane]
            for node in range(start, min(start + TILE, n_nodes)):
                found = predecessor[node, lane]
                out[row, node] = found if distance[row, node] < np.inf else -1
    for lane in range(rows.size):
        out[rows[lane], origins[lane]] = -1


@compiled
def search_from_many(
    arcs: Arcs,
    cost: FloatArray,
    plan: Plan,
    first: int,
    last: int,
    space: Space,
    distance: FloatArray,
    predecessor: IntArray,
) -> None:
    """Fill the rows of units ``first .. last - 1``: distances (n_origins, n_nodes), and trees.

    Trees are left out where ``predecessor`` has no rows; otherwise the nodes are all nodes.
    """
    n_nodes, n_rows = arcs.indptr.size - 1, plan.positions.size
    found, key = np.empty((n_nodes, LANES)), np.empty(n_nodes)
    via = np.empty(n_nodes, dtype=np.int32)
    grows = predecessor.shape[0] > 0
    trees = np.empty((n_nodes if grows else 0, LANES), dtype=np.int32)
    together = True
    pack_row(arcs, cost, plan.row, space)
    for unit in range(first, last):
        start, stop = unit * n_rows // plan.n_units, (unit + 1) * n_rows // plan.n_units
        rows = plan.positions[start:stop]
        origins = plan.origins[rows]
        if together:
            together = search_origins(
                arcs, space.packed, origins, plan.order, plan.width, found, via, key
            )
        if not together:
            search_singly(arcs, origins, space, found)
        write_distances(found, plan.nodes, rows, distance)
        if grows:
            find_predecessors(arcs, space.packed, found, trees)
            write_trees(trees, origins, rows, distance, predecessor)
            for row in rows:
                hang_on(arcs, cost[plan.row], distance[row], predecessor[row], space)

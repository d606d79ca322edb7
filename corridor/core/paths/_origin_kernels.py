"""Compiled searches from many origins at once; imported only when numba is wanted.

One search serves up to ``LANES`` origins under one cost vector: each node has a row of distances,
one lane an origin, and an arc is relaxed for all lanes in a few vector instructions. Nodes stand
in the order of a walk through a shortest-path tree, and are swept forth and back: paths follow
branches of that tree up and down again, so a sweep carries distances a long way, and a row is
taken some four times, not once for each lane. Distances are the same to the last bit in whatever
order arcs are relaxed.
"""

from typing import NamedTuple

import numpy as np

from corridor.core.graph import FloatArray, IntArray
from corridor.core.paths._kernels import (
    ZERO_STEP,
    Arcs,
    BoolArray,
    Space,
    compiled,
    grow_tree,
    hang_on,
    pack_row,
)

LANES = 64
"""Most origins of one search."""

VECTOR = 8
"""Rows have a multiple of this many lanes."""

TILE = 8
"""Nodes whose lanes are transposed together: one cache line."""

MOST_RELAXED, HALF_LANES = 150, 40
"""Arcs a search may relax for each node before single searches are quicker: with as many lanes as
the second half of the first, with many more lanes all of it. What is not for the lanes to share,
an arc costs as much as ``HALF_LANES`` lanes."""

N_STEPS = 4
"""Steps of distance in which a search goes out, to the farthest node from the first origin."""

NOBODY, SEVERAL = -2, -1
"""In ``via``: no change is waiting; the changes that wait came from several nodes."""


class Plan(NamedTuple):
    """What is searched: from ``origins`` to ``nodes``, under row ``row`` of the costs.

    ``positions`` (n_origins,) are the rows of the output, so ordered that near origins stand
    together; they are searched from in ``n_units`` equal parts. ``order`` and ``width`` are what
    ``walk_tree`` says. ``together`` (1,) is whether searches for many origins are worth it, as far
    as the threads know yet.
    """

    row: int
    origins: IntArray
    nodes: IntArray
    positions: IntArray
    n_units: int
    order: IntArray
    width: float
    together: BoolArray


@compiled
def walk_tree(
    arcs: Arcs, cost: FloatArray, row: int, origins: IntArray, space: Space
) -> tuple[IntArray, IntArray, float]:
    """Return origins and nodes so that neighbors stand together, and the width of a step.

    Origins are given by position. The order is that of a walk through the shortest-path tree of
    the first, branch after branch; nodes it does not reach come last.
    """
    n_nodes = arcs.indptr.size - 1
    distance, predecessor = np.empty(n_nodes), np.empty(n_nodes, dtype=np.int32)
    pack_row(arcs, cost, row, space)
    grow_tree(arcs, origins[0], np.empty(0, dtype=np.int32), distance, predecessor, space)
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
    stack[0] = origins[0]
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
    return positions_along(order, origins), order, farthest / N_STEPS


@compiled
def positions_along(order: IntArray, origins: IntArray) -> IntArray:
    """Return the positions of the origins in the order of their nodes, equal ones as they come."""
    first = np.full(order.size, -1, dtype=np.int32)
    after = np.empty(origins.size, dtype=np.int32)
    for position in range(origins.size - 1, -1, -1):
        after[position] = first[origins[position]]
        first[origins[position]] = position
    positions = np.empty(origins.size, dtype=np.int32)
    size = 0
    for node in order:
        position = first[node]
        while position >= 0:
            positions[size] = position
            size += 1
            position = after[position]
    return positions


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
    """Search from as many origins as there are lanes; return whether it was worth it to the end.

    Fewer origins than lanes are filled up with the last. ``key`` is at most the least changed
    distance in a node's row, inf when none has changed. An arc back to the only node that improved
    a row since it was last taken cannot improve that node.
    """
    indptr, neighbor = arcs.indptr, arcs.neighbor
    n_nodes, n_lanes = distance.shape
    distance[:] = np.inf
    via[:] = NOBODY
    key[:] = np.inf
    for lane in range(n_lanes):
        node = origins[min(lane, origins.size - 1)]
        distance[node, lane] = 0.0
        key[node] = 0.0
        via[node] = SEVERAL
    most_relaxed = n_nodes * MOST_RELAXED * n_lanes // (n_lanes + HALF_LANES)
    allowed = 3 * most_relaxed // 4  # in the first step, which is the largest part of the work
    n_relaxed = 0
    start, step = 0, 1
    while True:
        least = np.inf
        for node in range(n_nodes):
            least = min(least, key[node])
        if least == np.inf:
            return True
        limit = least + width
        again = True
        while again:
            if n_relaxed > allowed:
                return False
            again = False
            place = start
            for _ in range(n_nodes):
                node = order[place]
                place += step
                least = key[node]
                if least > limit or least == np.inf:
                    continue
                n_relaxed += indptr[node + 1] - indptr[node]
                source = via[node]
                key[node] = np.inf
                via[node] = NOBODY
                for position in range(indptr[node], indptr[node + 1]):
                    target, cost = neighbor[position], packed[position]
                    if target == source:
                        continue
                    better = False
                    for lane in range(n_lanes):
                        there = distance[node, lane] + cost
                        old = distance[target, lane]
                        distance[target, lane] = min(old, there)
                        better |= there < old
                    if better:
                        first = via[target] == NOBODY or via[target] == node
                        via[target] = node if first else SEVERAL
                        key[target] = min(key[target], least + cost)
                        again |= key[target] <= limit
            start, step = n_nodes - 1 - start, -step
        allowed = most_relaxed


@compiled
def search_singly(
    arcs: Arcs,
    cost: FloatArray,
    plan: Plan,
    rows: IntArray,
    space: Space,
    distance: FloatArray,
    predecessor: IntArray,
) -> None:
    """Fill some rows by one search for each, under the costs that ``space`` holds."""
    n_nodes = arcs.indptr.size - 1
    found, tree = np.empty(n_nodes), np.empty(n_nodes, dtype=np.int32)
    everywhere = np.empty(0, dtype=np.int32)
    for row in rows:
        origin = plan.origins[row]
        if predecessor.shape[0] > 0:
            grow_tree(arcs, origin, everywhere, distance[row], predecessor[row], space)
            hang_on(arcs, cost[plan.row], distance[row], predecessor[row], space)
        else:
            grow_tree(arcs, origin, plan.nodes, found, tree, space)
            for column in range(plan.nodes.size):
                distance[row, column] = found[plan.nodes[column]]


@compiled
def find_predecessors(
    arcs: Arcs, packed: FloatArray, origins: IntArray, distance: FloatArray, predecessor: IntArray
) -> bool:
    """Write the lowest arc that reaches each node from a nearer one, ``ZERO_STEP`` without one.

    It is -1 at the origins and where unreachable. Returns whether ``ZERO_STEP`` was needed.
    """
    n_nodes, n_lanes = distance.shape
    for node in range(n_nodes):
        for lane in range(n_lanes):
            predecessor[node, lane] = ZERO_STEP if distance[node, lane] < np.inf else -1
    for node in range(n_nodes):
        for position in range(arcs.indptr[node], arcs.indptr[node + 1]):
            target, arc, cost = arcs.neighbor[position], arcs.order[position], packed[position]
            for lane in range(n_lanes):
                here, there = distance[node, lane], distance[target, lane]
                tight = (here + cost == there) & (here < there)
                found = arc if tight else ZERO_STEP
                predecessor[target, lane] = min(predecessor[target, lane], found)
    for lane in range(n_lanes):
        predecessor[origins[min(lane, origins.size - 1)], lane] = -1
    has_zero_steps = False
    for node in range(n_nodes):
        for lane in range(origins.size):
            has_zero_steps |= predecessor[node, lane] == ZERO_STEP
    return has_zero_steps


@compiled
def write_distances(distance: FloatArray, nodes: IntArray, rows: IntArray, out: FloatArray) -> None:
    """Write the rows of some nodes into columns of ``out``, lane after lane into ``rows``."""
    for start in range(0, nodes.size, TILE):
        for lane in range(rows.size):
            for column in range(start, min(start + TILE, nodes.size)):
                out[rows[lane], column] = distance[nodes[column], lane]


@compiled
def write_trees(
    distance: FloatArray,
    predecessor: IntArray,
    rows: IntArray,
    out: FloatArray,
    out_trees: IntArray,
) -> None:
    """Write the rows of all nodes into columns, lane after lane into ``rows``."""
    n_nodes = distance.shape[0]
    for start in range(0, n_nodes, TILE):
        for lane in range(rows.size):
            row = rows[lane]
            for node in range(start, min(start + TILE, n_nodes)):
                out[row, node] = distance[node, lane]
                out_trees[row, node] = predecessor[node, lane]


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
    most = -(-n_rows // plan.n_units)
    n_lanes = -(-most // VECTOR) * VECTOR
    found, key = np.empty((n_nodes, n_lanes)), np.empty(n_nodes)
    via = np.empty(n_nodes, dtype=np.int32)
    grows = predecessor.shape[0] > 0
    trees = np.empty((n_nodes if grows else 0, n_lanes), dtype=np.int32)
    pack_row(arcs, cost, plan.row, space)
    for unit in range(first, last):
        start, stop = unit * n_rows // plan.n_units, (unit + 1) * n_rows // plan.n_units
        rows = plan.positions[start:stop]
        origins = plan.origins[rows]
        together = plan.together[0] and search_origins(
            arcs, space.packed, origins, plan.order, plan.width, found, via, key
        )
        if not together:
            plan.together[0] = False
            search_singly(arcs, cost, plan, rows, space, distance, predecessor)
        elif grows:
            has_zero_steps = find_predecessors(arcs, space.packed, origins, found, trees)
            write_trees(found, trees, rows, distance, predecessor)
            if has_zero_steps:
                for row in rows:
                    hang_on(arcs, cost[plan.row], distance[row], predecessor[row], space)
        else:
            write_distances(found, plan.nodes, rows, distance)

"""Compiled steps of the constrained path; imported only when it is asked for.

Totals are whole numbers in float64 (see ``_whole``) over reduced costs (see ``_label_kernels``):
a label's total is the least that its path can come to, in cost (first) and in every resource.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corridor.core.graph import FloatArray, IntArray
from corridor.core.paths._kernels import (
    Arcs,
    Heap,
    compiled,
    empty_heap,
    heap_drop,
    heap_push,
)
from corridor.core.paths._label_kernels import (
    Answer,
    Found,
    Labels,
    distances_to,
    reduce_costs,
    trace_labels,
)

WordArray = npt.NDArray[np.uint64]

FEW = 1024
"""Labels there is room for at first."""

WORD = 64
"""Nodes in a word of the sets of visited nodes."""


class Trail(NamedTuple):
    """Beside the labels: nodes visited as bits, and the label settled before at the same node."""

    visited: WordArray
    before: IntArray


@compiled
def close_arcs(
    arcs: Arcs, reverse: Arcs, costs: FloatArray, limits: FloatArray, origin: int, destination: int
) -> FloatArray:
    """Close every arc that no path within the limits can use, in place, until none is left.

    Parameters
    ----------
    costs
        (k, n_arcs), whole numbers; inf closes an arc and is what closed arcs are set to.
    limits
        (k,) most that a path may come to.

    Returns
    -------
    FloatArray
        (k, n_nodes) least total from every node to the destination over the arcs left.
    """
    while True:
        ahead = distances_to(reverse, costs, destination)
        behind = distances_to(arcs, costs, origin)
        n_closed = 0
        for arc in range(costs.shape[1]):
            if costs[0, arc] == np.inf:
                continue
            tail, head = arcs.tail[arc], arcs.head[arc]
            for row in range(costs.shape[0]):
                # not <=: a sum with inf in it, where an end cannot be reached, closes the arc too
                least = behind[row, tail] + costs[row, arc] + ahead[row, head]
                if least > limits[row] or least == np.inf:
                    costs[:, arc] = np.inf
                    n_closed += 1
                    break
        if n_closed == 0:
            return ahead


@compiled
def more_room(labels: Labels, trail: Trail, heap: Heap, size: int) -> tuple[Labels, Trail, Heap]:
    """Return the same columns with room for ``size`` labels."""
    old = labels.node.size
    total = np.empty((size, labels.total.shape[1]), dtype=np.float64)
    columns = np.empty((6, size), dtype=np.int32)
    visited = np.zeros((size, trail.visited.shape[1]), dtype=np.uint64)
    keys = np.empty(size, dtype=np.float64)
    total[:old] = labels.total
    columns[0, :old] = labels.node
    columns[1, :old] = labels.arc
    columns[2, :old] = labels.parent
    columns[4, :old] = heap.items
    columns[5, :old] = trail.before
    visited[:old] = trail.visited
    keys[:old] = heap.keys
    nothing = columns[3, :0].copy()  # these labels know neither buckets nor spare ones
    grown = Labels(total, columns[0].copy(), columns[1].copy(), columns[2].copy(), nothing, nothing)
    return grown, Trail(visited, columns[5].copy()), Heap(keys, columns[4].copy())


@compiled
def is_dominated(labels: Labels, trail: Trail, last: int, label: int, lower: FloatArray) -> bool:
    """Return whether a label settled at the same node makes this one needless.

    It does when whatever completes this path also completes that one, to a simple path within
    limits and lower bounds that costs no more: it has visited no other node, and in every resource
    it is not above, and it is not below either unless it is sure of the lower bound as it is.
    """
    total, visited = labels.total, trail.visited
    other = last
    while other >= 0:
        dominates = True
        for column in range(total.shape[1]):
            mine, its = total[label, column], total[other, column]
            if its > mine or (its < mine and its < lower[column]):
                dominates = False
                break
        if dominates:
            for word in range(visited.shape[1]):
                if visited[other, word] & ~visited[label, word] != 0:
                    dominates = False
                    break
        if dominates:
            return True
        other = trail.before[other]
    return False


@compiled
def extend_path(
    labels: Labels,
    trail: Trail,
    label: int,
    fresh: int,
    reduced: FloatArray,
    limits: FloatArray,
    target: int,
) -> bool:
    """Write the label extended by an arc to ``target``; return whether it is a path in limits."""
    word, bit = target // WORD, np.uint64(1) << np.uint64(target % WORD)
    if trail.visited[label, word] & bit != 0:
        return False
    for column in range(limits.size):
        value = labels.total[label, column] + reduced[column]
        if not value <= limits[column]:
            return False
        labels.total[fresh, column] = value
    trail.visited[fresh] = trail.visited[label]
    trail.visited[fresh, word] |= bit
    return True


@compiled
def find_between(
    arcs: Arcs,
    reduced: FloatArray,
    start: FloatArray,
    lower: FloatArray,
    limits: FloatArray,
    origin: int,
    destination: int,
    max_labels: int,
) -> Found:
    """Find the cheapest simple path with totals in ``lower .. limits``, both (k,), cost first."""
    n_nodes = arcs.indptr.size - 1
    empty = np.empty(0, dtype=np.int32)
    labels = Labels(np.empty((0, start.size)), empty, empty, empty, empty, empty)
    trail = Trail(np.zeros((0, n_nodes // WORD + 1), dtype=np.uint64), empty)
    labels, trail, heap = more_room(labels, trail, empty_heap(0), min(FEW, max_labels))
    last = np.full(n_nodes, -1, dtype=np.int32)
    labels.total[0] = start
    labels.node[0], labels.arc[0], labels.parent[0] = origin, -1, -1
    trail.visited[0, origin // WORD] |= np.uint64(1) << np.uint64(origin % WORD)
    n_labels = 1
    size = heap_push(heap, 0, start[0], 0)
    while size > 0:
        label = heap.items[0]
        size = heap_drop(heap, size)
        node = labels.node[label]
        if node == destination:
            return Found(labels, np.full(1, label, dtype=np.int32), complete=True)
        if is_dominated(labels, trail, last[node], label, lower):
            continue
        trail.before[label] = last[node]
        last[node] = label
        for position in range(arcs.indptr[node], arcs.indptr[node + 1]):
            target = arcs.neighbor[position]
            if n_labels == labels.node.size:
                if n_labels >= max_labels:
                    return Found(labels, empty, complete=False)
                labels, trail, heap = more_room(labels, trail, heap, min(2 * n_labels, max_labels))
            if not extend_path(labels, trail, label, n_labels, reduced[position], limits, target):
                continue
            if target == destination and (labels.total[n_labels] < lower).any():
                continue
            if is_dominated(labels, trail, last[target], n_labels, lower):
                continue
            labels.node[n_labels] = target
            labels.arc[n_labels] = arcs.order[position]
            labels.parent[n_labels] = label
            size = heap_push(heap, size, labels.total[n_labels, 0], n_labels)
            n_labels += 1
    return Found(labels, empty, complete=True)


@compiled
def best_between(
    arcs: Arcs,
    criteria: FloatArray,
    to_go: FloatArray,
    lower: FloatArray,
    limits: FloatArray,
    origin: int,
    destination: int,
    max_labels: int,
) -> Answer:
    """Return the cheapest simple path with totals in ``lower .. limits``, if there is one."""
    start = to_go[:, origin].copy()
    reduced = reduce_costs(arcs, criteria, to_go)
    found = find_between(arcs, reduced, start, lower, limits, origin, destination, max_labels)
    total = np.empty((found.wanted.size, start.size), dtype=np.float64)
    for row in range(found.wanted.size):
        total[row] = found.labels.total[found.wanted[row]]
    indptr, steps = trace_labels(found.labels, found.wanted)
    return Answer(found.complete, total, indptr, steps)

"""Compiled searches where arcs pay for flow; imported only when some arc's cost is negative."""

from typing import NamedTuple

import numpy as np

from corridor.core.flows._arrays import BoolArray, FloatArray, IntArray, LongArray
from corridor.core.paths._kernels import Arcs, compiled, empty_heap, heap_drop, heap_push

MOST_BITS = 60
"""Critical nodes that a mask has room for."""


@compiled
def reach(indptr: IntArray, order: IntArray, ends: IntArray, cost: FloatArray, seeds: IntArray,
          inside: BoolArray) -> None:  # fmt: skip
    """Mark the nodes that open arcs lead to from the seeds."""
    stack, size = np.empty(inside.size, dtype=np.int32), 0
    for seed in seeds:
        if not inside[seed]:
            inside[seed] = True
            stack[size] = seed
            size += 1
    while size > 0:
        size -= 1
        node = stack[size]
        for position in range(indptr[node], indptr[node + 1]):
            arc = order[position]
            other = ends[arc]
            if cost[arc] < np.inf and not inside[other]:
                inside[other] = True
                stack[size] = other
                size += 1


@compiled
def find_potentials(
    arcs: Arcs, cost: FloatArray, inside: BoolArray, noise: float, potential: FloatArray
) -> IntArray:
    """Find potentials by which no arc between nodes inside costs less than -noise, or a cycle.

    Bellman, Ford and Moore with a queue. Every so often the tree of predecessors is looked through
    for a cycle, which is there once one of negative cost is gone round.

    Returns
    -------
    cycle : ndarray of int32
        The arcs of a cycle of negative cost; empty where there is none, and then
        ``cost + potential[tail] - potential[head] >= -noise``.
    """
    n_nodes = inside.size
    predecessor = np.full(n_nodes, -1, dtype=np.int32)
    queue, waits = np.empty(n_nodes, dtype=np.int32), np.zeros(n_nodes, dtype=np.bool_)
    first, size = 0, 0
    for node in range(n_nodes):
        potential[node] = 0.0
        if inside[node]:
            queue[size] = node
            waits[node] = True
            size += 1
    until_check = n_nodes
    while size > 0:
        node = queue[first]
        first = first + 1 if first + 1 < n_nodes else 0
        size -= 1
        waits[node] = False
        here = potential[node]
        for position in range(arcs.indptr[node], arcs.indptr[node + 1]):
            arc = arcs.order[position]
            target = arcs.neighbor[position]
            if not inside[target] or not here + cost[arc] < potential[target] - noise:
                continue
            potential[target] = here + cost[arc]
            predecessor[target] = arc
            if not waits[target]:
                last = first + size
                queue[last if last < n_nodes else last - n_nodes] = target
                waits[target] = True
                size += 1
        until_check -= 1
        if until_check == 0:
            cycle = cycle_in(arcs, predecessor)
            if cycle.size:
                return cycle
            until_check = n_nodes
    return np.empty(0, dtype=np.int32)


@compiled
def cycle_in(arcs: Arcs, predecessor: IntArray) -> IntArray:
    """Return the arcs of a cycle of predecessors; empty where they are trees."""
    seen = np.full(predecessor.size, -1, dtype=np.int32)
    for start in range(predecessor.size):
        node = start
        while seen[node] < 0 and predecessor[node] >= 0:
            seen[node] = start
            node = arcs.tail[predecessor[node]]
        if seen[node] != start or predecessor[node] < 0:
            if seen[node] < 0:
                seen[node] = start
            continue
        size, other = 0, node
        cycle = np.empty(predecessor.size, dtype=np.int32)
        while size == 0 or other != node:
            cycle[size] = predecessor[other]
            size += 1
            other = arcs.tail[predecessor[other]]
        return cycle[:size]
    return np.empty(0, dtype=np.int32)


class Labels(NamedTuple):
    """Ways to a node: its critical nodes as a mask, the arc it came by, the label it came from.

    ``after`` links the labels of a node. A dead label has cost inf.
    """

    node: IntArray
    mask: LongArray
    cost: FloatArray
    arc: IntArray
    parent: IntArray
    after: IntArray


@compiled
def room_for(most: int) -> Labels:
    """Return room for labels."""
    return Labels(
        np.empty(most, dtype=np.int32),
        np.empty(most, dtype=np.int64),
        np.empty(most),
        np.empty(most, dtype=np.int32),
        np.empty(most, dtype=np.int32),
        np.empty(most, dtype=np.int32),
    )


@compiled
def find_walk(  # noqa: C901, PLR0912, PLR0915 - one loop; calls would pass ten arrays
    arcs: Arcs,
    cost: FloatArray,
    bit: IntArray,
    gain: FloatArray,
    to_go: FloatArray,
    origin: int,
    destination: int,
    below: float,
    labels: Labels,
) -> tuple[float, IntArray, bool]:
    """Find the cheapest walk below a cost that enters each critical node at most once.

    Arcs into nodes that are not critical cost >= 0, so the labels with equally many critical nodes
    behind them are settled by Dijkstra's algorithm before those with one more. A label is dropped
    where another at its node is no dearer and has no other critical node behind it, and where no
    way on can be cheap enough.

    Parameters
    ----------
    bit
        (n_nodes,) number of each critical node, -1 for others.
    gain
        (n_bits,) what entering each critical node costs at least, where negative.
    to_go
        (n_nodes,) cost of the way to the destination at least, gains apart.
    labels
        Room for labels; the search is cut short when it is full.

    Returns
    -------
    cost, arcs, whole
        The walk, and whether the search was; cost inf where there is no such walk.
    """
    n_nodes, most = bit.size, labels.node.size
    newest = np.full(n_nodes, -1, dtype=np.int32)
    heap = empty_heap(most)
    waiting, n_waiting, n_next = np.empty(most, dtype=np.int32), 1, 0
    following = np.empty(most, dtype=np.int32)
    best, best_label, n_labels, whole = below, -1, 1, True
    start = np.int64(0) if bit[origin] < 0 else np.int64(1) << bit[origin]
    labels.node[0], labels.mask[0], labels.cost[0] = origin, start, 0.0
    labels.arc[0], labels.parent[0], labels.after[0] = -1, -1, -1
    newest[origin], waiting[0] = 0, 0
    while n_waiting > 0 and whole:
        size = 0
        for index in range(n_waiting):
            if labels.cost[waiting[index]] < np.inf:
                size = heap_push(heap, size, labels.cost[waiting[index]], waiting[index])
        n_next = 0
        while size > 0 and whole:
            label = heap.items[0]
            size = heap_drop(heap, size)
            here = labels.cost[label]
            if here == np.inf:
                continue
            node = labels.node[label]
            if node == destination:
                if here < best:
                    best, best_label = here, label
                continue
            for position in range(arcs.indptr[node], arcs.indptr[node + 1]):
                arc = arcs.order[position]
                target = arcs.neighbor[position]
                if target == origin or cost[arc] == np.inf:
                    continue
                mask = labels.mask[label]
                if bit[target] >= 0:
                    own = np.int64(1) << bit[target]
                    if mask & own:
                        continue
                    mask |= own
                there = here + cost[arc]
                if there + to_go[target] + left_to_gain(gain, mask) >= best:
                    continue
                if is_dominated(labels, newest[target], mask, there):
                    continue
                if n_labels == most:
                    whole = False
                    break
                labels.node[n_labels], labels.mask[n_labels] = target, mask
                labels.cost[n_labels], labels.arc[n_labels] = there, arc
                labels.parent[n_labels], labels.after[n_labels] = label, newest[target]
                newest[target] = n_labels
                if bit[target] >= 0:
                    following[n_next] = n_labels
                    n_next += 1
                else:
                    size = heap_push(heap, size, there, n_labels)
                n_labels += 1
        waiting, following = following, waiting
        n_waiting = n_next
    if best_label < 0:
        return np.inf, np.empty(0, dtype=np.int32), whole
    return best, walk_of(labels, best_label), whole


@compiled
def left_to_gain(gain: FloatArray, mask: int) -> float:
    """Return what the critical nodes outside a mask may still pay, <= 0."""
    total = 0.0
    for index in range(gain.size):
        if not mask & (np.int64(1) << index):
            total += gain[index]
    return total


@compiled
def is_dominated(labels: Labels, first: int, mask: int, cost: float) -> bool:
    """Return whether a label of the node makes a new one useless; kill those it makes useless."""
    label = first
    while label >= 0:
        other = labels.mask[label]
        if labels.cost[label] <= cost and other & mask == other:
            return True
        if cost <= labels.cost[label] and other & mask == mask:
            labels.cost[label] = np.inf
        label = labels.after[label]
    return False


@compiled
def walk_of(labels: Labels, last: int) -> IntArray:
    """Return the arcs by which a label came, first arc first."""
    size, label = 0, last
    while labels.parent[label] >= 0:
        size += 1
        label = labels.parent[label]
    walk = np.empty(size, dtype=np.int32)
    label = last
    for index in range(size - 1, -1, -1):
        walk[index] = labels.arc[label]
        label = labels.parent[label]
    return walk

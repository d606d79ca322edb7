"""Slow and obvious answers that the path functions are held against."""

from collections.abc import Iterator

import numpy as np

from corridor.core.graph import FloatArray, Graph, IntArray

PRICES = np.array([0.0, 0.0, 0.5, 1.0, 1.0, 2.0, 3.5, np.inf])
"""Few values, so that ties, zero costs and closed arcs come up all the time."""


def random_graph(rng: np.random.Generator, n_nodes: int, n_arcs: int) -> Graph:
    """Return random arcs; in a small graph many are parallel or self loops."""
    return Graph(n_nodes, rng.integers(0, n_nodes, n_arcs), rng.integers(0, n_nodes, n_arcs))


def bellman_ford(graph: Graph, cost: FloatArray, origin: int) -> FloatArray:
    """Return distances by relaxing every arc until nothing changes."""
    distance = np.full(graph.n_nodes, np.inf)
    distance[origin] = 0.0
    changed = True
    while changed:
        changed = False
        for tail, head, price in zip(graph.tail, graph.head, cost, strict=True):
            if distance[tail] + price < distance[head]:
                distance[head] = distance[tail] + price
                changed = True
    return distance


def canonical_tree(graph: Graph, cost: FloatArray, origin: int) -> IntArray:
    """Return the tree that the documentation promises, word for word."""
    distance = bellman_ford(graph, cost, origin)
    tree = np.full(graph.n_nodes, -1, dtype=np.int32)
    tight = [
        arc
        for arc in range(graph.n_arcs)
        if np.isfinite(distance[graph.head[arc]])
        and graph.head[arc] != origin
        and distance[graph.tail[arc]] + cost[arc] == distance[graph.head[arc]]
    ]
    for arc in reversed(tight):
        if distance[graph.tail[arc]] < distance[graph.head[arc]]:
            tree[graph.head[arc]] = arc
    hung = {origin, *np.flatnonzero(tree >= 0).tolist()}
    while True:
        found = {}
        for arc in reversed(tight):
            if graph.tail[arc] in hung and graph.head[arc] not in hung:
                found[int(graph.head[arc])] = arc
        if not found:
            return tree
        for node, arc in found.items():
            tree[node] = arc
        hung.update(found)


def simple_paths(graph: Graph, cost: FloatArray, origin: int, destination: int) -> list[float]:
    """Return the costs of all simple paths, ascending."""

    def extend(node: int, seen: set[int], total: float) -> Iterator[float]:
        if node == destination:
            yield total
            return
        for arc in np.flatnonzero((graph.tail == node) & np.isfinite(cost)):
            target = int(graph.head[arc])
            if target not in seen:
                yield from extend(target, seen | {target}, total + cost[arc])

    return sorted(extend(origin, {origin}, 0.0))


def check_path(graph: Graph, arcs: IntArray, origin: int, destination: int) -> None:
    """Assert that arcs join up from origin to destination and visit no node twice."""
    nodes = [origin, *graph.head[arcs].tolist()]
    assert graph.tail[arcs].tolist() == nodes[:-1]
    assert nodes[-1] == destination
    assert len(set(nodes)) == len(nodes)


def doubling_detours(n: int) -> tuple[Graph, FloatArray]:
    """Return a chain with detours on which a search in a bad order takes 2**n steps."""
    node = 2 * np.arange(n)
    length = 2.0 ** (n - np.arange(n))
    tail, head = np.r_[node, node, node + 1], np.r_[node + 2, node + 1, node + 2]
    return Graph(2 * n + 1, tail, head), np.r_[length, np.zeros(n), 0.5 * length]

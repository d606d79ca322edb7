"""One-to-all Pareto sets; no library on the package index has them, so the peers are Python."""

from bisect import bisect_right
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

import numpy as np

from benchmarks.harness import Contestant, Run, Workload
from benchmarks.roads import SMOKE_NODES, Roads
from corridor.core.graph import FloatArray
from corridor.core.paths import pareto_tree

Neighbors = list[list[tuple[int, int, int, int]]]

N_CRITERIA = 3


def whole_criteria(roads: Roads) -> FloatArray:
    """Return three whole-number criteria that follow the length of a road with noise of 0.3."""
    noise = np.random.default_rng(1).lognormal(sigma=0.3, size=(N_CRITERIA, roads.graph.n_arcs))
    return np.rint(100.0 * roads.cost / roads.cost.mean() * noise)


def neighbors_of(roads: Roads, costs: FloatArray) -> Neighbors:
    """Return (head, first, second, third criterion) of the arcs that leave each node."""
    graph = roads.graph
    whole = costs.astype(int).T.tolist()
    head = graph.head.tolist()
    return [
        [(head[arc], *whole[arc]) for arc in graph.order[start:stop].tolist()]
        for start, stop in zip(graph.indptr[:-1], graph.indptr[1:], strict=True)
    ]


def count_by_staircase(neighbors: Neighbors, origin: int) -> list[int]:
    """Count nondominated vectors at each node, by the method of ``pareto_tree``.

    Labels are tuples in a lexicographic heap, tested when they are made and when they are
    settled, with one binary search in the staircase of the second and third criterion, and never
    go back to where they come from.
    """
    seconds: list[list[int]] = [[] for _ in neighbors]
    thirds: list[list[int]] = [[] for _ in neighbors]
    count = [0] * len(neighbors)
    heap = [(0, 0, 0, origin, -1)]
    while heap:
        first, second, third, node, back = heappop(heap)
        steps, heights = seconds[node], thirds[node]
        place = bisect_right(steps, second)
        if place and heights[place - 1] <= third:
            continue
        stop = place
        if place and steps[place - 1] == second:
            place -= 1
        while stop < len(heights) and heights[stop] >= third:
            stop += 1
        steps[place:stop] = [second]
        heights[place:stop] = [third]
        count[node] += 1
        for target, one, two, three in neighbors[node]:
            if target == back:
                continue
            its_second, its_third = second + two, third + three
            place = bisect_right(seconds[target], its_second)
            if not place or thirds[target][place - 1] > its_third:
                heappush(heap, (first + one, its_second, its_third, target, node))
    return count


def count_by_martins(
    peer: Any,  # noqa: ANN401 - a networkx graph
    origin: int,
) -> list[int]:
    """Count the same as textbooks do (Martins 1984): each label against all of its node."""
    fronts: dict[int, list[tuple[int, ...]]] = {node: [] for node in peer}
    heap = [((0,) * N_CRITERIA, origin)]

    def is_dominated(vector: tuple[int, ...], node: int) -> bool:
        return any(
            all(a <= b for a, b in zip(other, vector, strict=True)) for other in fronts[node]
        )

    while heap:
        vector, node = heappop(heap)
        if is_dominated(vector, node):
            continue
        fronts[node].append(vector)
        for target, arc in peer[node].items():
            fresh = tuple(a + b for a, b in zip(vector, arc["costs"], strict=True))
            if not is_dominated(fresh, target):
                heappush(heap, (fresh, target))
    return [len(fronts[node]) for node in sorted(fronts)]


def one_to_all(smoke: bool) -> Workload:  # noqa: FBT001
    """Count the nondominated vectors of three criteria from one node to all others.

    Ten origins, one call for each, so that a round lasts long enough to be timed.
    """
    roads = Roads.of(SMOKE_NODES if smoke else 300)
    origins = roads.nodes(2 if smoke else 10, seed=6).tolist()
    costs = whole_criteria(roads)

    def ours() -> Run:
        return lambda: np.array(
            [pareto_tree(roads.graph, costs, origin).count for origin in origins], dtype=np.float64
        )

    def by_python() -> Run:
        neighbors = neighbors_of(roads, costs)
        return lambda: np.array(
            [count_by_staircase(neighbors, origin) for origin in origins], dtype=np.float64
        )

    def by_networkx() -> Run:
        peer = roads.networkx()
        vectors = [tuple(vector) for vector in costs.astype(int).T.tolist()]
        ends = zip(roads.graph.tail.tolist(), roads.graph.head.tolist(), strict=True)
        for (tail, head), vector in zip(ends, vectors, strict=True):
            peer[tail][head]["costs"] = vector
        return lambda: np.array(
            [count_by_martins(peer, origin) for origin in origins], dtype=np.float64
        )

    return Workload(
        name="pareto-3",
        title=f"nondominated vectors of {N_CRITERIA} criteria, {len(origins)} x one origin "
        f"to all, {roads.size}",
        contestants=(
            Contestant(name="corridor", package="corridor", prepare=ours),
            Contestant(
                name="Python, same method",
                package="corridor",
                prepare=by_python,
                floor=15.0,
                goal=100.0,
            ),
            Contestant(name="Martins on networkx", package="networkx", prepare=by_networkx),
        ),
    )


WORKLOADS: dict[str, Callable[[bool], Workload]] = {"pareto-3": one_to_all}

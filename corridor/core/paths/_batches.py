"""Skims and trees by the kernels that search for many scenarios or many origins at once."""

from collections.abc import Callable
from functools import partial

import numpy as np

from corridor.core.graph import FloatArray, Graph, IntArray
from corridor.core.paths.trees import run_blocks

LEAST_SCENARIOS = 8
"""Scenarios from which one search for all of them is quicker than one for each."""

LEAST_ORIGINS = 16
"""Origins from which one search from all of them is quicker than one from each."""

NEAR_BYTES = 1 << 24
"""Memory for the distances of one search from many origins; beyond it they are slow."""

LANE_BYTES = 1 << 28
"""Memory a thread may take for the rows of one search."""

RANKING_BYTES = 1 << 26
"""Memory for the orders of nodes; with more origins the work is cut up."""

LEAST_UNITS = 8
"""Searches for which packing the costs pays."""


def is_batch(graph: Graph, n_scenarios: int) -> bool:
    """Return whether one search serves many scenarios: there are many, and their rows fit."""
    lane_bytes = 64 * (8 * graph.n_arcs + 12 * graph.n_nodes)
    return n_scenarios >= LEAST_SCENARIOS and lane_bytes <= LANE_BYTES


def has_many_origins(graph: Graph, n_origins: int) -> bool:
    """Return whether one search serves many origins: there are many, and the graph is small."""
    return n_origins >= LEAST_ORIGINS and 64 * 8 * graph.n_nodes <= NEAR_BYTES


def search_from_many(
    graph: Graph,
    cost: FloatArray,
    origins: IntArray,
    nodes: IntArray,
    distance: FloatArray,
    predecessor: IntArray | None,
    threads: int,
) -> None:
    """Fill distances to ``nodes`` (n_scenarios, n_origins, n_nodes), and trees to all nodes."""
    from corridor.core.paths import _kernels, _origin_kernels

    arcs, spaces = _kernels.arcs_of(graph), _kernels.Spaces(graph)
    cost, origins, nodes = (_kernels.read_only(array) for array in (cost, origins, nodes))
    n_units = -(-origins.size // _origin_kernels.LANES)

    def plan(row: int) -> _origin_kernels.Plan:
        with spaces.lend() as space:
            order, width = _origin_kernels.walk_tree(arcs, cost, row, int(origins[0]), space)
        place = np.empty_like(order)
        place[order] = np.arange(order.size, dtype=np.int32)
        positions = np.argsort(place[origins]).astype(np.int32)
        return _origin_kernels.Plan(row, origins, nodes, positions, n_units, order, width)

    def fill(first: int, last: int, planned: _origin_kernels.Plan) -> None:
        trees = np.empty((0, 0), dtype=np.int32)
        if predecessor is not None:
            trees = predecessor[planned.row]
        with spaces.lend() as space:
            _origin_kernels.search_from_many(
                arcs, cost, planned, first, last, space, distance[planned.row], trees
            )

    for row in range(cost.shape[0]):
        run_blocks(partial(fill, planned=plan(row)), n_units, threads)


def fill_skims(
    graph: Graph,
    cost: FloatArray,
    origins: IntArray,
    destinations: IntArray,
    out: FloatArray,
    threads: int,
) -> None:
    """Fill ``out`` (n_scenarios, n_origins, n_destinations)."""
    from corridor.core.paths import _batch_kernels, _kernels

    arcs = _kernels.arcs_of(graph)
    cost, destinations = _kernels.read_only(cost), _kernels.read_only(destinations)

    def fill(some: IntArray, ranking: IntArray, offset: int) -> Callable[[int, int], object]:
        return lambda first, last: _batch_kernels.fill_skims(
            arcs,
            cost,
            some,
            ranking,
            destinations,
            first,
            last,
            offset,
            _kernels.space_for(graph),
            out,
        )

    _run(graph, cost, origins, fill, threads)


def grow_trees(
    graph: Graph,
    cost: FloatArray,
    origins: IntArray,
    distance: FloatArray,
    predecessor: IntArray,
    threads: int,
) -> None:
    """Fill distances and predecessors (n_scenarios, n_origins, n_nodes)."""
    from corridor.core.paths import _batch_kernels, _kernels

    arcs = _kernels.arcs_of(graph)
    cost = _kernels.read_only(cost)

    def fill(some: IntArray, ranking: IntArray, offset: int) -> Callable[[int, int], object]:
        return lambda first, last: _batch_kernels.grow_batch(
            arcs,
            cost,
            some,
            ranking,
            first,
            last,
            offset,
            _kernels.space_for(graph),
            distance,
            predecessor,
        )

    _run(graph, cost, origins, fill, threads)


def _run(
    graph: Graph,
    cost: FloatArray,
    origins: IntArray,
    fill: Callable[[IntArray, IntArray, int], Callable[[int, int], object]],
    threads: int,
) -> None:
    """Rank the nodes from some origins at a time, and search from them in blocks of scenarios."""
    from corridor.core.paths import _batch_kernels, _kernels

    arcs = _kernels.arcs_of(graph)
    mean = _kernels.read_only(_batch_kernels.mean_costs(cost))
    n_blocks = -(-cost.shape[0] // _batch_kernels.LANES)
    most = max(1, RANKING_BYTES // (4 * max(1, graph.n_nodes)))
    for offset in range(0, origins.size, most):
        some = _kernels.read_only(origins[offset : offset + most])
        ranking = _kernels.read_only(
            _batch_kernels.rank_nodes(arcs, mean, some, _kernels.space_for(graph))
        )
        run_blocks(fill(some, ranking, offset), n_blocks * some.size, threads, LEAST_UNITS)

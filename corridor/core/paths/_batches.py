"""Skims and trees under many cost vectors by the kernels that search for many at once."""

from collections.abc import Callable

from corridor.core.graph import FloatArray, Graph, IntArray
from corridor.core.paths.trees import run_blocks

LEAST_SCENARIOS = 8
"""Scenarios from which one search for all of them is quicker than one for each."""

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

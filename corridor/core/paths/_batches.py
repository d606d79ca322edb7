"""Skims and trees by the kernels that search for many scenarios or many origins at once."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from corridor.core.graph import FloatArray, Graph, IntArray
from corridor.core.paths.trees import run_blocks

if TYPE_CHECKING:
    from corridor.core.paths import _batch_kernels, _kernels

LEAST_SCENARIOS = 8
"""Scenarios from which one search for all of them is quicker than one for each."""

LEAST_ORIGINS = 16
"""Origins from which one search from all of them is quicker than one from each."""

NEAR_BYTES = 1 << 22
"""Memory for the distances of one search from many origins; beyond it they are slow."""

LEAST_LANE_ARCS = 1 << 18
"""Lanes x arcs that a thread has to search at least, so that starting it pays."""

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

    arcs = _kernels.arcs_of(graph)
    spaces = _kernels.Pool(lambda: _kernels.space_for(graph))
    cost, origins, nodes = (_kernels.read_only(array) for array in (cost, origins, nodes))
    n_units = -(-origins.size // _origin_kernels.LANES)
    least = 1 + LEAST_LANE_ARCS // (_origin_kernels.LANES * (1 + graph.n_arcs))
    if n_units >= 2 * least:  # whole rounds of units for the threads, half full at least
        n_units = min(threads * -(-n_units // threads), 2 * n_units)

    def plan(row: int) -> _origin_kernels.Plan:
        with spaces.lend() as space:
            walk = _origin_kernels.walk_tree(arcs, cost, row, origins, space)
        positions, order, width = walk
        together = np.ones(1, dtype=np.bool_)
        return _origin_kernels.Plan(row, origins, nodes, positions, n_units, order, width, together)

    def fill(first: int, last: int, planned: _origin_kernels.Plan) -> None:
        trees = np.empty((0, 0), dtype=np.int32)
        if predecessor is not None:
            trees = predecessor[planned.row]
        with spaces.lend() as space:
            _origin_kernels.search_from_many(
                arcs, cost, planned, first, last, space, distance[planned.row], trees
            )

    for row in range(cost.shape[0]):
        run_blocks(partial(fill, planned=plan(row)), n_units, threads, least)


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

    nodes = _kernels.read_only(destinations)

    def fill(batch: "_Batch", first: int, last: int) -> None:
        with batch.room.lend() as lanes:
            _batch_kernels.fill_skims(
                batch.arcs, batch.cost, batch.origins, batch.ranking, nodes,
                first, last, batch.offset, lanes, out,
            )  # fmt: skip

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
    from corridor.core.paths import _batch_kernels

    def fill(batch: "_Batch", first: int, last: int) -> None:
        with batch.room.lend() as lanes:
            _batch_kernels.grow_batch(
                batch.arcs, batch.cost, batch.origins, batch.ranking,
                first, last, batch.offset, lanes, distance, predecessor,
            )  # fmt: skip

    _run(graph, cost, origins, fill, threads)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Batch:
    """Searches under all scenarios from some origins: those of the output from ``offset`` on."""

    arcs: "_kernels.Arcs"
    cost: FloatArray
    origins: IntArray
    ranking: IntArray
    offset: int
    room: "_kernels.Pool[_batch_kernels.Lanes]"


def _run(
    graph: Graph,
    cost: FloatArray,
    origins: IntArray,
    fill: Callable[[_Batch, int, int], None],
    threads: int,
) -> None:
    """Rank the nodes from some origins at a time, and search from them in blocks of scenarios."""
    from corridor.core.paths import _batch_kernels, _kernels

    arcs, cost = _kernels.arcs_of(graph), _kernels.read_only(cost)
    space = _kernels.space_for(graph)
    mean = _kernels.read_only(_batch_kernels.mean_costs(cost))
    room = _kernels.Pool(lambda: _batch_kernels.lanes_for(graph))
    n_blocks = -(-cost.shape[0] // _batch_kernels.LANES)
    most = max(1, RANKING_BYTES // (4 * max(1, graph.n_nodes)))
    for offset in range(0, origins.size, most):
        some = _kernels.read_only(origins[offset : offset + most])
        ranking = _kernels.read_only(_batch_kernels.rank_nodes(arcs, mean, some, space))
        batch = _Batch(
            arcs=arcs, cost=cost, origins=some, ranking=ranking, offset=offset, room=room
        )
        run_blocks(partial(fill, batch), n_blocks * some.size, threads, LEAST_UNITS)

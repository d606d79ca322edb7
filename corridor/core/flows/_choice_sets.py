"""Alternatives of every group: different ways, told by costs alone."""

import numpy as np

from corridor.core.flows._arrays import FloatArray, IntArray, LongArray
from corridor.core.flows._network import Network
from corridor.core.flows.choice import ChoiceSet
from corridor.core.graph import Graph
from corridor.core.paths import shortest_trees

_ROOM: int = 64
"""Arcs of a path for which there is room at first."""


def find_alternatives(
    network: Network, cost: FloatArray, length: FloatArray, rule: ChoiceSet, threads: int | None
) -> tuple[LongArray, LongArray, IntArray]:
    """Return the paths that `ChoiceSet` describes.

    Parameters
    ----------
    network
        The network.
    cost : ndarray of float64, shape (n_class_rows, n_arcs)
        Costs on the empty network, >= 0; inf where closed.
    length : ndarray of float64, shape (n_arcs,)
        Lengths.
    rule
        How many, how dear, how different.
    threads
        Threads for the trees; None takes all cores.

    Returns
    -------
    group, indptr, arcs
        Paths, by group, cheapest first.
    """
    from corridor.core.flows import _choice_kernels

    graph, groups = network.graph, network.groups
    turned = Graph(graph.n_nodes, graph.head, graph.tail)
    forth, forth_row = _trees(graph, cost, groups.class_row, groups.origin, threads)
    back, back_row = _trees(turned, cost, groups.class_row, groups.destination, threads)
    search = _choice_kernels.Search(
        tail=graph.tail, head=graph.head, length=length, cost=cost,
        class_row=groups.class_row, origin=groups.origin, destination=groups.destination,
        forth_row=forth_row, forth_distance=forth[0], forth_arc=forth[1],
        back_row=back_row, back_distance=back[0], back_arc=back[1],
    )  # fmt: skip
    most = groups.size * rule.count
    room = most * _ROOM
    while True:
        group, indptr = np.empty(most, np.int64), np.zeros(most + 1, np.int64)
        arcs = np.empty(room, np.int32)
        n_paths = _choice_kernels.find_alternatives(
            search, rule.count, rule.factor, rule.overlap, group, indptr, arcs
        )
        if n_paths >= 0:
            return group[:n_paths], indptr[: n_paths + 1], arcs[: indptr[n_paths]]
        room *= 4


def _trees(
    graph: Graph, cost: FloatArray, rows: LongArray, nodes: IntArray, threads: int | None
) -> tuple[tuple[FloatArray, IntArray], LongArray]:
    """Return one tree for each pair of cost row and node, and the tree of each group."""
    pairs, tree = np.unique(rows * graph.n_nodes + nodes, return_inverse=True)
    trees = shortest_trees(graph, cost, *np.divmod(pairs, graph.n_nodes), threads=threads)
    return trees, tree.reshape(-1).astype(np.int64)

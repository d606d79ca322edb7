"""Shortest-path trees for many (cost row, origin) pairs, and the paths in them."""

from collections import deque
from collections.abc import Callable
from itertools import pairwise
from threading import Thread

import numpy as np
import numpy.typing as npt

from corridor.core.graph import FloatArray, Graph, IntArray, as_array, as_count, as_positions
from corridor.core.paths import _scipy
from corridor.core.paths._checks import (
    TREE_BYTES,
    Method,
    as_costs,
    check_memory,
    uses_kernels,
)
from corridor.core.threads import as_threads
from corridor.errors import InputError

N_TREE_AXES = 2

BLOCKS_PER_THREAD = 4
"""Blocks each thread gets on average: enough to even out trees of unequal size."""

LEAST_ARCS = 1 << 14
"""Arcs that a block of searches has at least, so that starting a thread for it pays."""


def run_blocks(work: Callable[[int, int], object], size: int, threads: int, least: int = 1) -> None:
    """Call ``work(first, last)`` over ``0 .. size - 1`` in blocks, on ``threads`` threads.

    A block has ``least`` entries or more.
    """
    n_blocks = max(1, min(size // least, threads * BLOCKS_PER_THREAD))
    if n_blocks == 1 or threads == 1:
        work(0, size)
        return
    blocks = deque(pairwise(size * block // n_blocks for block in range(n_blocks + 1)))
    faults: list[BaseException] = []

    def drain() -> None:
        while not faults:
            try:
                first, last = blocks.popleft()
            except IndexError:
                return
            try:
                work(first, last)
            except BaseException as fault:  # noqa: BLE001 - raised again in the caller's thread
                faults.append(fault)

    # The caller works too: small work is over before another thread has begun.
    helpers = [Thread(target=drain, daemon=True) for _ in range(min(threads, n_blocks) - 1)]
    for helper in helpers:
        helper.start()
    drain()
    for helper in helpers:
        helper.join()
    if faults:
        raise faults[0]


def shortest_trees(
    graph: Graph,
    cost: npt.ArrayLike,
    rows: npt.ArrayLike,
    origins: npt.ArrayLike,
    threads: int | None = None,
    method: Method = "auto",
) -> tuple[FloatArray, IntArray]:
    """Return the shortest-path tree of each pair (cost row, origin).

    Pair ``p`` searches from ``origins[p]`` under ``cost[rows[p]]``. Pairs with equal rows should
    stand together: a row is packed once for each run of them.

    Parameters
    ----------
    graph
        The graph.
    cost
        (n_rows, n_arcs), >= 0; inf closes an arc.
    rows, origins
        (n_pairs,) whole numbers: row of ``cost``, node.
    threads
        Threads to use; None takes every core the process may use. Results do not depend on it.
    method
        ``"scipy"``, ``"kernels"``, or ``"auto"``: kernels when n_pairs x n_arcs >= 1e6 or numba
        is loaded already. Both give the same distances and trees.

    Returns
    -------
    distance : FloatArray
        float64 (n_pairs, n_nodes) in the unit of ``cost``; inf where unreachable.
    predecessor_arc : IntArray
        int32 (n_pairs, n_nodes): the arc by which the tree enters the node; -1 at the origin and
        where unreachable. Of several shortest paths the tree keeps the lowest arc that comes from
        a nearer node, so it is a function of graph and costs alone.

    Raises
    ------
    InputError
        For shapes that do not fit, negative or NaN costs, rows or nodes out of range, or results
        that do not fit into memory.

    Examples
    --------
    >>> graph = Graph(3, [0, 1, 0], [1, 2, 2])
    >>> distance, arc = shortest_trees(graph, [[1.0, 1.0, 3.0], [1.0, 1.0, 1.5]], [0, 1], [0, 0])
    >>> distance
    array([[0. , 1. , 2. ],
           [0. , 1. , 1.5]])
    >>> arc
    array([[-1,  0,  1],
           [-1,  0,  2]], dtype=int32)
    """
    costs = as_costs("cost", cost, graph, (2,))
    row = as_positions("rows", rows, costs.shape[0])
    origin = as_positions("origins", origins, graph.n_nodes)
    if row.size != origin.size:
        message = (
            f"rows and origins must be equally long; found {row.size} and {origin.size} values; "
            "give one row and one origin for each tree"
        )
        raise InputError(message)
    n_threads = as_threads(threads)
    check_memory("shortest-path trees", (1, row.size, graph.n_nodes), TREE_BYTES)
    distance = np.empty((row.size, graph.n_nodes), dtype=np.float64)
    predecessor = np.empty((row.size, graph.n_nodes), dtype=np.int32)
    if not uses_kernels(method, row.size * graph.n_arcs):
        _scipy.grow_trees(graph, costs, row, origin, distance, predecessor)
        return distance, predecessor
    from corridor.core.paths import _kernels

    arcs = _kernels.arcs_of(graph)
    spaces = _kernels.Pool(lambda: _kernels.space_for(graph))
    costs, row, origin = (_kernels.read_only(array) for array in (costs, row, origin))

    def fill(first: int, last: int) -> None:
        with spaces.lend() as space:
            _kernels.grow_trees(arcs, costs, row, origin, first, last, space, distance, predecessor)

    run_blocks(fill, row.size, n_threads, least=1 + LEAST_ARCS // (1 + graph.n_arcs))
    return distance, predecessor


def arc_paths(graph: Graph, predecessor_arc: npt.ArrayLike, destination: int) -> IntArray:
    """Return the arcs of one tree's path to ``destination``, first arc first.

    Parameters
    ----------
    graph
        The graph the tree was grown on.
    predecessor_arc
        (n_nodes,): one row of the second result of :func:`shortest_trees`.
    destination
        Node.

    Returns
    -------
    IntArray
        int32 arc ids; empty at the origin, and at a node the tree does not reach (tell the two
        apart by the distance).

    Raises
    ------
    InputError
        When ``predecessor_arc`` is no tree of this graph.

    Examples
    --------
    >>> graph = Graph(3, [0, 1, 0], [1, 2, 2])
    >>> arc_paths(graph, [-1, 0, 1], 2)
    array([0, 1], dtype=int32)
    """
    tree = _as_trees(graph, as_array("predecessor_arc", predecessor_arc)[np.newaxis])[0]
    node = as_count("destination", destination, most=graph.n_nodes - 1)
    arcs: list[int] = []
    while tree[node] >= 0:
        arcs.append(int(tree[node]))
        node = int(graph.tail[arcs[-1]])
        if len(arcs) >= graph.n_nodes:
            raise InputError(_no_tree(destination))
    return np.array(arcs[::-1], dtype=np.int32)


def arc_paths_batch(
    graph: Graph, predecessor_arc: npt.ArrayLike, trees: npt.ArrayLike, destinations: npt.ArrayLike
) -> tuple[npt.NDArray[np.int64], IntArray]:
    """Return the arcs of many paths at once: path ``i`` lies in ``trees[i]``.

    Parameters
    ----------
    graph
        The graph the trees were grown on.
    predecessor_arc
        (n_trees, n_nodes), the second result of :func:`shortest_trees`.
    trees, destinations
        (n_paths,) whole numbers: row of ``predecessor_arc``, node.

    Returns
    -------
    indptr : int64 (n_paths + 1,)
        Path ``i`` is ``arcs[indptr[i]:indptr[i + 1]]``, first arc first.
    arcs : IntArray
        int32 arc ids; a path is empty at the origin and where unreachable.

    Raises
    ------
    InputError
        When a row is no tree of this graph, or a position is out of range.

    Examples
    --------
    >>> graph = Graph(3, [0, 1, 0], [1, 2, 2])
    >>> arc_paths_batch(graph, [[-1, 0, 1], [-1, 0, 2]], [0, 1, 1], [2, 2, 0])
    (array([0, 2, 3, 3]), array([0, 1, 2], dtype=int32))
    """
    predecessor = _as_trees(graph, predecessor_arc)
    tree = as_positions("trees", trees, predecessor.shape[0])
    node = as_positions("destinations", destinations, graph.n_nodes)
    if tree.size != node.size:
        message = (
            f"trees and destinations must be equally long; found {tree.size} and {node.size} "
            "values; give one tree and one destination for each path"
        )
        raise InputError(message)
    # All paths take one step back at a time: as many array passes as the longest has arcs.
    ends = node.copy()
    active = np.arange(node.size)
    steps: list[tuple[npt.NDArray[np.intp], IntArray]] = []
    count = np.zeros(node.size, dtype=np.int64)
    while active.size:
        arcs = predecessor[tree[active], ends[active]]
        active, arcs = active[arcs >= 0], arcs[arcs >= 0]
        ends[active] = graph.tail[arcs]
        count[active] += 1
        steps.append((active, arcs))
        if active.size and len(steps) >= graph.n_nodes:
            raise InputError(_no_tree(int(node[active[0]])))
    indptr = np.zeros(node.size + 1, dtype=np.int64)
    np.cumsum(count, out=indptr[1:])
    out = np.empty(int(indptr[-1]), dtype=np.int32)
    for step, (path, arcs) in enumerate(steps, start=1):
        out[indptr[path + 1] - step] = arcs
    return indptr, out


def _as_trees(graph: Graph, values: npt.ArrayLike) -> IntArray:
    """Return predecessor arcs as int32 (n_trees, n_nodes), each -1 or an arc."""
    array = as_array("predecessor_arc", values)
    fits = array.ndim == N_TREE_AXES and array.shape[-1] == graph.n_nodes
    if not fits or array.dtype.kind not in "iu":
        message = (
            f"predecessor_arc must hold whole numbers, {graph.n_nodes} for each tree; found "
            f"shape {array.shape}, dtype {array.dtype}; pass what shortest_trees returned"
        )
        raise InputError(message)
    if array.size and not (array.min() >= -1 and array.max() < graph.n_arcs):
        message = (
            f"predecessor_arc must lie in -1..{graph.n_arcs - 1}; found "
            f"{array.min()}..{array.max()}; pass what shortest_trees returned for this graph"
        )
        raise InputError(message)
    return array.astype(np.int32, copy=False)


def _no_tree(destination: int) -> str:
    return (
        f"predecessor_arc must be a tree; found a cycle on the way back from node {destination}; "
        "pass what shortest_trees returned for this graph"
    )

"""Shortest paths from many origins, and skims, under one or many cost scenarios."""

import numpy as np
import numpy.typing as npt

from corridor.core.graph import FloatArray, Graph, IntArray, as_positions
from corridor.core.paths import _batches, _scipy
from corridor.core.paths._checks import (
    DISTANCE_BYTES,
    TREE_BYTES,
    Method,
    as_costs,
    check_memory,
    uses_kernels,
)
from corridor.core.paths.trees import run_blocks, shortest_trees
from corridor.core.threads import as_threads


def shortest_paths(
    graph: Graph,
    cost: npt.ArrayLike,
    origins: npt.ArrayLike,
    threads: int | None = None,
    method: Method = "auto",
) -> tuple[FloatArray, IntArray]:
    """Return distances and shortest-path trees from each origin.

    Parameters
    ----------
    graph
        The graph.
    cost
        (n_arcs,) or (n_scenarios, n_arcs), >= 0; inf closes an arc.
    origins
        (n_origins,) nodes; a node may come twice.
    threads
        Threads to use; None takes every core the process may use. Results do not depend on it.
    method
        ``"scipy"``, ``"kernels"``, or ``"auto"``: kernels when n_scenarios x n_origins x n_arcs
        >= 1e6 or numba is loaded already. Both give the same distances and trees.

    Returns
    -------
    distance : FloatArray
        float64 (n_origins, n_nodes), in front of it n_scenarios when ``cost`` has them; in the
        unit of ``cost``; inf where unreachable.
    predecessor_arc : IntArray
        int32, same shape: the arc by which the path enters the node; -1 at the origin and where
        unreachable. Ties are broken as in :func:`shortest_trees`; :func:`arc_paths` follows it.

    Raises
    ------
    InputError
        For shapes that do not fit, negative or NaN costs, nodes out of range, or results that do
        not fit into memory.

    Notes
    -----
    The kernels keep nodes in buckets of distance [1]_, and search under many scenarios or from
    many origins at once where there are enough of them; SciPy runs Dijkstra's algorithm [2]_. All
    give the least left-to-right rounded sum of costs over all paths, so they agree to the last
    bit.

    .. [1] U. Meyer and P. Sanders, "Delta-stepping: a parallelizable shortest path algorithm",
       Journal of Algorithms 49 (2003).
    .. [2] E. W. Dijkstra, "A note on two problems in connexion with graphs", Numerische
       Mathematik 1 (1959).

    Examples
    --------
    >>> graph = Graph(4, tail=[0, 1, 0], head=[1, 2, 2])
    >>> distance, arc = shortest_paths(graph, [1.0, 2.0, 4.0], [0])
    >>> distance
    array([[ 0.,  1.,  3., inf]])
    >>> arc
    array([[-1,  0,  1, -1]], dtype=int32)
    """
    costs = as_costs("cost", cost, graph, (1, 2))
    origin = as_positions("origins", origins, graph.n_nodes)
    scenarios = np.atleast_2d(costs)
    shape = (scenarios.shape[0], origin.size, graph.n_nodes)
    check_memory("shortest-path trees", shape, TREE_BYTES)
    by_kernels = uses_kernels(method, shape[0] * shape[1] * graph.n_arcs)
    if by_kernels and _batches.is_batch(graph, shape[0]):
        distance, arcs = np.empty(shape, dtype=np.float64), np.empty(shape, dtype=np.int32)
        _batches.grow_trees(graph, scenarios, origin, distance, arcs, as_threads(threads))
    elif by_kernels and _batches.has_many_origins(graph, origin.size):
        distance, arcs = np.empty(shape, dtype=np.float64), np.empty(shape, dtype=np.int32)
        nodes = np.arange(graph.n_nodes, dtype=np.int32)
        _batches.search_from_many(
            graph, scenarios, origin, nodes, distance, arcs, as_threads(threads)
        )
    else:
        rows = np.repeat(np.arange(shape[0], dtype=np.int32), origin.size)
        distance, arcs = shortest_trees(
            graph, scenarios, rows, np.tile(origin, shape[0]), threads, method
        )
    shown = (*costs.shape[:-1], *shape[1:])
    return distance.reshape(shown), arcs.reshape(shown)


def skim(
    graph: Graph,
    cost: npt.ArrayLike,
    origins: npt.ArrayLike,
    destinations: npt.ArrayLike,
    threads: int | None = None,
    method: Method = "auto",
) -> FloatArray:
    """Return the matrix of shortest distances from origins to destinations.

    Parameters
    ----------
    graph
        The graph.
    cost
        (n_arcs,) or (n_scenarios, n_arcs), >= 0; inf closes an arc.
    origins, destinations
        (n_origins,) and (n_destinations,) nodes; a node may come twice.
    threads
        Threads to use; None takes every core the process may use. Results do not depend on it.
    method
        As in :func:`shortest_paths`; both methods give the same bits.

    Returns
    -------
    FloatArray
        float64 (n_origins, n_destinations), in front of it n_scenarios when ``cost`` has them;
        in the unit of ``cost``; 0 from a node to itself, inf where unreachable.

    Raises
    ------
    InputError
        For shapes that do not fit, negative or NaN costs, nodes out of range, or results that do
        not fit into memory.

    Examples
    --------
    >>> graph = Graph(3, tail=[0, 1, 0], head=[1, 2, 2])
    >>> skim(graph, [[1.0, 2.0, 4.0], [1.0, float("inf"), 4.0]], [0], [0, 2])
    array([[[0., 3.]],
    <BLANKLINE>
           [[0., 4.]]])
    """
    costs = as_costs("cost", cost, graph, (1, 2))
    scenarios = np.atleast_2d(costs)
    origin = as_positions("origins", origins, graph.n_nodes)
    destination = as_positions("destinations", destinations, graph.n_nodes)
    n_threads = as_threads(threads)
    shape = (scenarios.shape[0], origin.size, destination.size)
    check_memory("skim", shape, DISTANCE_BYTES)
    out = np.empty(shape, dtype=np.float64)
    by_kernels = uses_kernels(method, shape[0] * shape[1] * graph.n_arcs)
    if not out.size:
        pass
    elif by_kernels and _batches.is_batch(graph, shape[0]):
        _batches.fill_skims(graph, scenarios, origin, destination, out, n_threads)
    elif by_kernels and _batches.has_many_origins(graph, origin.size):
        _batches.search_from_many(graph, scenarios, origin, destination, out, None, n_threads)
    elif by_kernels:
        _skim_by_kernels(graph, scenarios, origin, destination, out, n_threads)
    else:
        _scipy.fill_skim(graph, scenarios, origin, destination, out)
    return out.reshape(*costs.shape[:-1], origin.size, destination.size)


def _skim_by_kernels(
    graph: Graph,
    cost: FloatArray,
    origin: IntArray,
    destination: IntArray,
    out: FloatArray,
    threads: int,
) -> None:
    from corridor.core.paths import _kernels

    arcs = _kernels.arcs_of(graph)
    spaces = _kernels.Pool(lambda: _kernels.space_for(graph))
    cost, origin, destination = (_kernels.read_only(array) for array in (cost, origin, destination))
    n_searches = cost.shape[0] * origin.size
    matrix = out.reshape(n_searches, destination.size)

    def fill(first: int, last: int) -> None:
        with spaces.lend() as space:
            _kernels.fill_skim(arcs, cost, origin, destination, first, last, space, matrix)

    run_blocks(fill, n_searches, threads)

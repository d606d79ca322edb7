"""Shortest paths from many origins, and skims, under one or many cost scenarios."""

import numpy as np
import numpy.typing as npt

from corridor.core.graph import FloatArray, Graph, IntArray, as_positions
from corridor.core.paths import _scipy
from corridor.core.paths._checks import Method, as_costs, as_threads, uses_kernels
from corridor.core.paths.trees import run_blocks, shortest_trees


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
        For shapes that do not fit, negative or NaN costs, or nodes out of range.

    Notes
    -----
    Dijkstra's algorithm [1]_ with a 4-ary heap (kernels) or SciPy's Fibonacci heap.

    .. [1] E. W. Dijkstra, "A note on two problems in connexion with graphs", Numerische
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
    n_scenarios = scenarios.shape[0]
    rows = np.repeat(np.arange(n_scenarios, dtype=np.int32), origin.size)
    distance, arcs = shortest_trees(
        graph, scenarios, rows, np.tile(origin, n_scenarios), threads, method
    )
    shape = (*costs.shape[:-1], origin.size, graph.n_nodes)
    return distance.reshape(shape), arcs.reshape(shape)


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
        For shapes that do not fit, negative or NaN costs, or nodes out of range.

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
    out = np.empty((scenarios.shape[0], origin.size, destination.size), dtype=np.float64)
    n_searches = scenarios.shape[0] * origin.size
    if uses_kernels(method, n_searches * graph.n_arcs):
        _skim_by_kernels(graph, scenarios, origin, destination, out, n_threads)
    elif out.size:
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
    cost, origin, destination = (_kernels.read_only(array) for array in (cost, origin, destination))
    n_searches = cost.shape[0] * origin.size
    matrix = out.reshape(n_searches, destination.size)

    def fill(first: int, last: int) -> None:
        _kernels.fill_skim(arcs, cost, origin, destination, first, last, matrix)

    run_blocks(fill, n_searches, threads)

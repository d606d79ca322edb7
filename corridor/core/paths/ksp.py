"""The k shortest simple paths between two nodes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corridor.core.graph import Graph, IntArray, as_count
from corridor.core.paths._checks import as_costs


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A path as its arcs.

    Parameters
    ----------
    arcs
        int32 arc ids, first arc first; empty where origin and destination are the same node.
    cost
        Sum of the arcs' costs from first to last, in their unit.
    """

    arcs: IntArray
    cost: float


def k_shortest_paths(
    graph: Graph, cost: npt.ArrayLike, origin: int, destination: int, k: int
) -> list[Path]:
    """Return the ``k`` shortest simple paths, cheapest first.

    A simple path visits no node twice. Parallel arcs make different paths.

    Parameters
    ----------
    graph
        The graph.
    cost
        (n_arcs,), >= 0; inf closes an arc.
    origin, destination
        Nodes; when they are the same the empty path, of cost 0, is the only one.
    k
        Number of paths wanted, >= 1.

    Returns
    -------
    list[Path]
        All of them where there are fewer than ``k``; empty where there is none. Which of several
        paths of equal cost comes first, or comes in at all as the last, is fixed by graph and
        costs but otherwise unspecified.

    Raises
    ------
    InputError
        For shapes that do not fit, negative or NaN costs, nodes out of range, or k < 1.

    Notes
    -----
    Yen's algorithm [1]_ with Lawler's partition [2]_, which finds no path twice. Deviations wait
    under a lower bound from one exact reverse tree and are searched (A*) only when it comes up.
    Costs are rounded sums: paths that differ by less than that rounding count as equal.

    .. [1] J. Y. Yen, "Finding the K shortest loopless paths in a network", Management Science 17
       (1971).
    .. [2] E. L. Lawler, "A procedure for computing the K best solutions to discrete optimization
       problems and its application to the shortest path problem", Management Science 18 (1972).

    Examples
    --------
    >>> graph = Graph(3, tail=[0, 1, 0], head=[1, 2, 2])
    >>> for path in k_shortest_paths(graph, [1.0, 2.0, 4.0], 0, 2, k=5):
    ...     print(path.arcs, path.cost)
    [0 1] 3.0
    [2] 4.0
    """
    costs = as_costs("cost", cost, graph, (1,))
    source = as_count("origin", origin, most=graph.n_nodes - 1)
    target = as_count("destination", destination, most=graph.n_nodes - 1)
    wanted = as_count("k", k, least=1)
    if source == target:
        nothing = np.empty(0, dtype=np.int32)
        nothing.flags.writeable = False
        return [Path(nothing, 0.0)]
    from corridor.core.paths import _kernels, _ksp_kernels

    arcs = _kernels.arcs_of(graph)
    indptr, steps, totals = _ksp_kernels.best_paths(
        arcs,
        _kernels.reversed_arcs(arcs),
        _kernels.read_only(costs),
        source,
        target,
        wanted,
    )
    steps.flags.writeable = False  # and so are the slices below
    ends, costs_of = indptr.tolist(), totals.tolist()
    # Bounds are rounded too, so neighbors in the queue can be out of order in the last digit.
    order = sorted(range(len(costs_of)), key=costs_of.__getitem__)
    return [Path(steps[ends[path] : ends[path + 1]], costs_of[path]) for path in order]

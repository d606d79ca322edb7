"""Cheapest routes that avoid any set of groups of arcs, such as the states they lie in."""

import numpy as np
import numpy.typing as npt

from corridor.core.graph import FloatArray, Graph, IntArray, as_array, as_count, as_positions
from corridor.core.paths._checks import as_costs
from corridor.core.paths.fronts import MAX_LABELS
from corridor.core.paths.ksp import Path
from corridor.core.paths.shortest import shortest_paths
from corridor.core.paths.trees import arc_paths
from corridor.errors import InputError, SolverError

MOST_GROUPS = 16

MOST_BYTES = 2**31
"""Largest answer that is still given."""


def avoidance_costs(
    graph: Graph,
    cost: npt.ArrayLike,
    arc_group: npt.ArrayLike,
    n_groups: int,
    origin: int,
    destinations: npt.ArrayLike,
    *,
    max_labels: int = MAX_LABELS,
) -> FloatArray:
    """Return the cost of the cheapest route that avoids each set of groups.

    Parameters
    ----------
    graph
        The graph.
    cost
        (n_arcs,), >= 0; inf closes an arc.
    arc_group
        (n_arcs,) whole numbers: group of each arc, ``0 .. n_groups - 1``; -1 is in no group and
        can never be closed.
    n_groups
        Number of groups, 0 to 16.
    origin
        Node.
    destinations
        (n_destinations,) nodes; a node may come twice.
    max_labels
        Partial routes to keep at once, beyond which the search is given up; >= 1.

    Returns
    -------
    FloatArray
        float64 (n_destinations, 2**n_groups) in the unit of ``cost``: in column ``s`` every group
        ``g`` with bit ``s >> g & 1`` is closed. inf where no route is left.

    Raises
    ------
    InputError
        For shapes that do not fit, negative or NaN costs, groups or nodes out of range, more than
        16 groups, or an answer of more than 2 GiB.
    SolverError
        When the search needs more than ``max_labels`` labels.

    Notes
    -----
    One label-setting search in order of cost: a label carries the set of groups it uses, and is
    dropped when another at its node uses a subset of them. The cheapest route inside a set of open
    groups is then the least over its subsets, for all sets at once in n * 2**n steps (subset-min
    transform). The numbers are those of 2**n shortest-path searches, bit for bit.

    Examples
    --------
    >>> graph = Graph(3, tail=[0, 1, 0], head=[1, 2, 2])
    >>> avoidance_costs(graph, [1.0, 2.0, 9.0], [-1, 0, 1], 2, origin=0, destinations=[2])
    array([[ 3.,  9.,  3., inf]])
    """
    costs = as_costs("cost", cost, graph, (1,))
    count = as_count("n_groups", n_groups, most=MOST_GROUPS)
    groups = _as_groups(arc_group, count, graph)
    source = as_count("origin", origin, most=graph.n_nodes - 1)
    nodes = as_positions("destinations", destinations, graph.n_nodes)
    most = as_count("max_labels", max_labels, least=1)
    _check_size(nodes.size, count)
    wanted, back = np.unique(nodes, return_inverse=True)
    rows = np.full(graph.n_nodes, -1, dtype=np.int32)
    rows[wanted] = np.arange(wanted.size, dtype=np.int32)
    best = np.full((wanted.size, 2**count), np.inf)
    from corridor.core.paths import _avoidance_kernels, _kernels

    complete = _avoidance_kernels.cheapest_by_groups(
        _kernels.arcs_of(graph),
        _kernels.read_only(costs),
        _kernels.read_only(groups),
        source,
        rows,
        best,
        most,
    )
    if not complete:
        message = (
            f"the routes must be found with at most max_labels = {most:,} labels; found more that "
            "were needed; merge groups or raise max_labels"
        )
        raise SolverError(message)
    _spread_to_supersets(best, count)
    # Column s closes the groups of s: what is open is its complement.
    return np.ascontiguousarray(best[back, ::-1])


def avoiding_path(
    graph: Graph,
    cost: npt.ArrayLike,
    arc_group: npt.ArrayLike,
    closed: npt.ArrayLike,
    origin: int,
    destination: int,
) -> Path | None:
    """Return the cheapest path that uses no arc of the closed groups.

    Parameters
    ----------
    graph, cost, arc_group, origin
        As for :func:`avoidance_costs`.
    closed
        (n_closed,) groups that may not be used.
    destination
        Node.

    Returns
    -------
    Path or None
        Its cost is that in :func:`avoidance_costs`, bit for bit; None where no route is left.

    Raises
    ------
    InputError
        As :func:`avoidance_costs` does.

    Examples
    --------
    >>> graph = Graph(3, tail=[0, 1, 0], head=[1, 2, 2])
    >>> avoiding_path(graph, [1.0, 2.0, 9.0], [-1, 0, 1], [0], origin=0, destination=2)
    Path(arcs=array([2], dtype=int32), cost=9.0)
    """
    costs = as_costs("cost", cost, graph, (1,))
    groups = _as_groups(arc_group, MOST_GROUPS, graph)
    shut = as_positions("closed", closed, MOST_GROUPS)
    source = as_count("origin", origin, most=graph.n_nodes - 1)
    target = as_count("destination", destination, most=graph.n_nodes - 1)
    open_costs = np.where(np.isin(groups, shut), np.inf, costs)
    distance, tree = shortest_paths(graph, open_costs, [source], threads=1)
    if np.isinf(distance[0, target]):
        return None
    arcs = arc_paths(graph, tree[0], target)
    arcs.flags.writeable = False
    return Path(arcs, float(distance[0, target]))


def _spread_to_supersets(best: FloatArray, n_groups: int) -> None:
    """Lower each entry (row, set) in place to the least over the subsets of the set."""
    for group in range(n_groups):
        pairs = best.reshape(-1, 2, 1 << group)
        np.minimum(pairs[:, 1], pairs[:, 0], out=pairs[:, 1])


def _as_groups(arc_group: npt.ArrayLike, n_groups: int, graph: Graph) -> IntArray:
    """Return the group of each arc as int32, -1 or below ``n_groups``, or say what is wrong."""
    array = as_array("arc_group", arc_group)
    if array.shape != (graph.n_arcs,):
        message = (
            f"arc_group must have shape ({graph.n_arcs},), one group for each arc of the graph; "
            f"found {array.shape}; put -1 for an arc in no group"
        )
        raise InputError(message)
    if array.size == 0:
        return np.empty(0, dtype=np.int32)
    whole = array.dtype.kind in "iu" or (
        array.dtype.kind == "f" and np.array_equal(array, np.floor(array))
    )
    if not whole:
        message = (
            f"arc_group must hold whole numbers; found dtype {array.dtype}; "
            "translate names to 0-based positions first"
        )
        raise InputError(message)
    outside = ~((array >= -1) & (array < n_groups))
    if outside.any():
        first = int(np.argmax(outside))
        message = (
            f"arc_group must lie in -1..{n_groups - 1}; found {array[first]} at position {first} "
            f"({int(outside.sum())} of {array.size} values); use 0-based positions of groups"
        )
        raise InputError(message)
    return np.ascontiguousarray(array, dtype=np.int32)


def _check_size(n_destinations: int, n_groups: int) -> None:
    """Refuse an answer that is too large."""
    n_bytes = 8 * n_destinations * 2**n_groups
    if n_bytes > MOST_BYTES:
        message = (
            f"the answer must be at most {MOST_BYTES / 2**30:.0f} GiB; {n_destinations} "
            f"destinations x 2**{n_groups} sets take {n_bytes / 2**30:.1f} GiB; ask for fewer "
            "destinations at a time"
        )
        raise InputError(message)

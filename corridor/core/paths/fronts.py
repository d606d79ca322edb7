"""Pareto sets: the routes that no other route beats in every criterion."""

import math
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from corridor.core.graph import FloatArray, Graph, IntArray, as_count
from corridor.core.paths._checks import as_costs
from corridor.core.paths._whole import LARGEST_TOTAL, as_whole
from corridor.errors import InputError, SolverError

PositionArray: TypeAlias = npt.NDArray[np.int64]
Array = TypeVar("Array", bound=npt.NDArray[Any])

FEWEST_CRITERIA, MOST_CRITERIA = 2, 6

MAX_LABELS = 10_000_000
"""Labels alive at once that are still accepted; with three criteria they take about 500 MB."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ParetoPaths:
    """The nondominated paths between two nodes, one for each nondominated cost vector.

    Parameters
    ----------
    costs
        float64 (n_paths, n_criteria), read-only: distinct, in lexicographic order.
    arcs
        One int32 array a path, read-only: its arc ids, first arc first.
    """

    costs: FloatArray
    arcs: tuple[IntArray, ...]

    def __len__(self) -> int:
        return len(self.arcs)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ParetoTree:
    """The nondominated paths from one node to every node, as labels that extend each other.

    Parameters
    ----------
    indptr
        int64 (n_nodes + 1,): the labels of node ``v`` are ``indptr[v]:indptr[v + 1]``.
    costs
        float64 (n_labels, n_criteria): distinct and in lexicographic order at each node.
    arc
        int32 (n_labels,): last arc of the label's path; -1 for the empty path at the origin.
    parent
        int32 (n_labels,): label of the path without that arc; -1 at the origin.
    """

    indptr: PositionArray
    costs: FloatArray
    arc: IntArray
    parent: IntArray

    @property
    def count(self) -> PositionArray:
        """Number of nondominated cost vectors of each node, int64 (n_nodes,)."""
        return np.diff(self.indptr)

    def paths(self, destination: int) -> ParetoPaths:
        """Return the nondominated paths to one node.

        Raises
        ------
        InputError
            When there is no such node.
        """
        node = as_count("destination", destination, most=self.indptr.size - 2)
        ends = slice(int(self.indptr[node]), int(self.indptr[node + 1]))
        return ParetoPaths(
            costs=self.costs[ends],
            arcs=tuple(self._arcs_of(end) for end in range(*ends.indices(len(self.arc)))),
        )

    def _arcs_of(self, label: int) -> IntArray:
        arcs: list[int] = []
        while self.parent[label] >= 0:
            arcs.append(int(self.arc[label]))
            label = int(self.parent[label])
        return _locked(np.array(arcs[::-1], dtype=np.int32))


def pareto_paths(
    graph: Graph,
    costs: npt.ArrayLike,
    origin: int,
    destination: int,
    epsilon: float = 0.0,
    *,
    max_labels: int = MAX_LABELS,
) -> ParetoPaths:
    """Return the paths whose cost vectors no other path dominates, one path for each vector.

    A vector dominates another when it is no greater in any criterion and less in one.

    Parameters
    ----------
    graph
        The graph.
    costs
        (n_criteria, n_arcs), 2 to 6 criteria, >= 0; inf in any criterion closes an arc.
    origin, destination
        Nodes; when they are the same the empty path, of cost 0, is the only one.
    epsilon
        With 0 the set is complete. Else it may be smaller, and for every path of the graph it
        holds one that costs at most ``1 + epsilon`` times as much in every criterion; its own
        vectors do not dominate each other.
    max_labels
        Partial paths to keep at once, beyond which the search is given up; >= 1.

    Returns
    -------
    ParetoPaths
        Empty where the destination cannot be reached. Paths are simple. Which of several paths
        with one cost vector stands for it is fixed by graph and costs but otherwise unspecified.

    Raises
    ------
    InputError
        For shapes that do not fit, fewer than 2 or more than 6 criteria, negative or NaN costs,
        nodes out of range, a negative epsilon, or costs too far apart to be added in float64.
    SolverError
        When the search needs more than ``max_labels`` labels. Nothing is ever cut off in silence.

    Notes
    -----
    Label setting in lexicographic order under lower bounds from one reverse search a criterion,
    with dominance tested on the last n_criteria - 1 components [1]_, at the node and, against the
    bounds, at the destination [2]_. ``epsilon`` acts on the second test only, so that its error
    does not add up along a path. The number of vectors can grow exponentially with the graph.

    Costs are scaled to whole numbers: decimals (of at most nine places) add up exactly and tie
    exactly; others are rounded to one part in 2**50 of the greatest total a path could have.

    .. [1] F. J. Pulido, L. Mandow, J. L. Perez de la Cruz, "Dimensionality reduction in
       multiobjective shortest path search", Computers & Operations Research 64 (2015).
    .. [2] C. Hernandez et al., "Simple and efficient bi-objective search algorithms via fast
       dominance checks", Artificial Intelligence 314 (2023).

    Examples
    --------
    >>> graph = Graph(4, tail=[0, 1, 0, 2, 0], head=[1, 3, 2, 3, 3])
    >>> found = pareto_paths(graph, [[1, 1, 2, 2, 9], [5, 4, 1, 2, 9]], 0, 3)
    >>> found.costs
    array([[2., 9.],
           [4., 3.]])
    >>> found.arcs
    (array([0, 1], dtype=int32), array([2, 3], dtype=int32))
    """
    criteria, scale = _as_criteria(graph, costs)
    source = as_count("origin", origin, most=graph.n_nodes - 1)
    target = as_count("destination", destination, most=graph.n_nodes - 1)
    most = as_count("max_labels", max_labels, least=1)
    slack = 1.0 + _as_epsilon(epsilon)
    from corridor.core.paths import _kernels, _label_kernels

    arcs = _kernels.arcs_of(graph)
    criteria = criteria.copy()  # the kernel is compiled for arrays that can be written to
    found = _label_kernels.best_paths(
        arcs,
        criteria,
        _label_kernels.distances_to(_kernels.reversed_arcs(arcs), criteria, target),
        source,
        target,
        slack,
        np.full(len(scale), np.inf),
        -1,
        most,
    )
    _check_complete(found.complete, most, len(found.total), "a larger epsilon")
    arcs_of = np.split(_locked(found.arcs), found.indptr[1:-1]) if len(found.total) else []
    return ParetoPaths(costs=_locked(found.total / scale), arcs=tuple(arcs_of))


def pareto_tree(
    graph: Graph, costs: npt.ArrayLike, origin: int, *, max_labels: int = MAX_LABELS
) -> ParetoTree:
    """Return the nondominated paths from one node to every node.

    Parameters
    ----------
    graph, costs, origin, max_labels
        As for :func:`pareto_paths`.

    Returns
    -------
    ParetoTree
        All labels; ``count`` says how many there are at each node, ``paths(v)`` follows them.

    Raises
    ------
    InputError, SolverError
        As :func:`pareto_paths` does.

    Examples
    --------
    >>> graph = Graph(4, tail=[0, 1, 0, 2], head=[1, 2, 2, 2])
    >>> tree = pareto_tree(graph, [[1, 1, 3, 0], [2, 2, 1, 0]], origin=0)
    >>> tree.count
    array([1, 1, 2, 0])
    >>> tree.paths(2).costs
    array([[2., 4.],
           [3., 1.]])
    """
    criteria, scale = _as_criteria(graph, costs)
    source = as_count("origin", origin, most=graph.n_nodes - 1)
    most = as_count("max_labels", max_labels, least=1)
    from corridor.core.paths import _kernels, _label_kernels, _packed_kernels

    arcs = _kernels.arcs_of(graph)
    fits, tree = _packed_kernels.grow_packed_tree(arcs, criteria, scale, source, most)
    if not fits:
        tree = _label_kernels.grow_label_tree(arcs, criteria, scale, source, most)
    remedy = "pareto_paths with an epsilon for single destinations"
    _check_complete(tree.complete, most, len(tree.total), remedy)
    return ParetoTree(
        indptr=_locked(tree.indptr),
        costs=_locked(tree.total),
        arc=_locked(tree.arc),
        parent=_locked(tree.parent),
    )


def _as_criteria(graph: Graph, costs: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return the criteria in whole numbers, read-only, and the scale of each."""
    from corridor.core.paths import _kernels, _packed_kernels

    array = as_costs("costs", costs, graph, (2,))
    n_criteria = len(array)
    if not FEWEST_CRITERIA <= n_criteria <= MOST_CRITERIA:
        message = (
            f"costs must have {FEWEST_CRITERIA} to {MOST_CRITERIA} criteria (rows); "
            f"found {n_criteria}; use shortest_paths for one, and merge some of more than six"
        )
        raise InputError(message)
    array = _kernels.read_only(array)
    if _packed_kernels.are_whole(array, LARGEST_TOTAL / max(1, graph.n_arcs)):
        return array, np.ones(n_criteria)
    closed = np.isinf(array).any(axis=0)
    if closed.any():
        array = np.where(closed, np.inf, array)
    n_steps = max(graph.n_nodes - 1, 1)
    whole = [as_whole(f"costs[{row}]", array[row], n_steps) for row in range(n_criteria)]
    scale = np.array([criterion.scale for criterion in whole])
    return _kernels.read_only(np.stack([criterion.values for criterion in whole])), scale


def _as_epsilon(epsilon: float) -> float:
    """Return epsilon as a float >= 0, or say what is wrong."""
    try:
        value = float(epsilon)
    except (TypeError, ValueError):
        value = -1.0
    if not 0.0 <= value < math.inf:
        message = (
            f"epsilon must be a finite number >= 0; found {epsilon!r}; "
            "0.01 lets a path stand for those that are at most 1 % better"
        )
        raise InputError(message)
    return value


def _check_complete(complete: bool, max_labels: int, n_found: int, remedy: str) -> None:  # noqa: FBT001
    """Raise when the search stopped at its limit."""
    if not complete:
        message = (
            f"the nondominated paths must be found with at most max_labels = {max_labels:,} labels "
            f"at once; found {n_found:,} complete ones when that many were reached; try "
            f"{remedy}, coarser costs, fewer criteria, or a larger max_labels"
        )
        raise SolverError(message)


def _locked(array: Array) -> Array:
    """Return the array, read-only."""
    array.flags.writeable = False
    return array

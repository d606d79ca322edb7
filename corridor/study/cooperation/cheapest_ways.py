"""Cheapest ways of many shipments under many sets of costs, on an empty network."""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.core.paths import arc_paths_batch, shortest_trees
from corridor.planning import Model

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]

_TREES: Final = 1024
"""Trees that are held at a time."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ways:
    """Ways; the arcs of all stand in one array.

    Attributes
    ----------
    shipment : ndarray of int64, shape (n_ways,)
        Shipment of each way.
    usd_per_t : ndarray of float64, shape (n_ways,)
        Its cost [USD/t]; inf, and no arcs, where there is no way.
    indptr : ndarray of int64, shape (n_ways + 1,)
        Way ``i`` is ``arcs[indptr[i]:indptr[i + 1]]``.
    arcs : ndarray of int32
        Arcs.
    """

    shipment: NDArray[np.int64]
    usd_per_t: FloatArray
    indptr: NDArray[np.int64]
    arcs: IntArray

    @property
    def step_way(self) -> NDArray[np.int64]:
        """Way of each entry of `arcs`."""
        return np.repeat(np.arange(self.usd_per_t.size), np.diff(self.indptr))

    def step_class(self, model: Model) -> IntArray:
        """Return the class of each entry of `arcs`."""
        of_way: IntArray = model.class_of[self.shipment]
        return of_way[self.step_way]


def cheapest_ways(
    model: Model, cost: FloatArray, rows: NDArray[np.integer], shipments: NDArray[np.integer]
) -> Ways:
    """Return the cheapest way of each shipment under its row of costs.

    Parameters
    ----------
    model
        The compiled model.
    cost : ndarray of float64, shape (n_rows, n_arcs)
        Costs [USD/t], >= 0; inf closes an arc.
    rows, shipments : ndarray of int, shape (n_ways,)
        Row of `cost` and shipment of each way wanted.
    """
    net = model.supernetwork
    source = net.source[model.shipments.origin[shipments]]
    sink = net.sink[model.shipments.destination[shipments]]
    pairs, tree = np.unique(np.column_stack((rows, source)), axis=0, return_inverse=True)
    tree = tree.reshape(-1)
    usd, sizes = np.full(len(shipments), np.inf), np.zeros(len(shipments), np.int64)
    parts: list[tuple[NDArray[np.int64], NDArray[np.int64], IntArray]] = []
    for first in range(0, len(pairs), _TREES):
        some = pairs[first : first + _TREES]
        distance, predecessor = shortest_trees(
            net.graph, cost, some[:, 0], some[:, 1], method="kernels"
        )
        mine = np.flatnonzero((tree >= first) & (tree < first + _TREES))
        usd[mine] = distance[tree[mine] - first, sink[mine]]
        mine = mine[np.isfinite(usd[mine])]
        indptr, arcs = arc_paths_batch(net.graph, predecessor, tree[mine] - first, sink[mine])
        sizes[mine] = np.diff(indptr)
        parts.append((mine, indptr, arcs))
    indptr = np.concatenate(([0], np.cumsum(sizes)))
    joined = np.empty(int(indptr[-1]), np.int32)
    for mine, ends, arcs in parts:
        lengths = np.diff(ends)
        place = np.repeat(indptr[mine] - ends[:-1], lengths) + np.arange(arcs.size)
        joined[place] = arcs
    return Ways(shipment=np.asarray(shipments, np.int64), usd_per_t=usd, indptr=indptr, arcs=joined)

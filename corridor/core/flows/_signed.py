"""Cheapest simple paths where side rows pay for flow, so that some arcs cost less than nothing.

Where no cycle of negative cost can be on a way, potentials make all costs >= 0 and leave the
cheapest paths as they are (Johnson 1977). Where there is one the problem is hard: walks that enter
a few critical nodes at most once are searched, and the nodes that the best walk repeats become
critical, until it repeats none (decremental state space relaxation, Righini and Salani 2008).
Every walk's cost on the way is a lower bound.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from corridor.core.flows._arrays import BoolArray, FloatArray, IntArray
from corridor.core.flows._network import Network
from corridor.core.graph import Graph
from corridor.core.paths import shortest_trees

MOST_LABELS: Final = 1 << 20
"""Labels of one search before it is cut short: 40 MB."""
NOISE: Final = 1e-14
"""Share of the largest cost of an arc below which a negative cost is rounding."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SignedRow:
    """One row of costs, prepared.

    Parameters
    ----------
    cost : ndarray of float64, shape (n_arcs,)
        The costs; arcs that are on nobody's way are closed.
    potential : ndarray of float64, shape (n_nodes,)
        ``cost + potential[tail] - potential[head]`` is >= 0, but for rounding, between nodes that
        are not critical.
    critical : ndarray of int32
        Nodes without which no cycle of negative cost is left.
    slack
        By how much rounding may have raised a path.
    """

    cost: FloatArray
    potential: FloatArray
    critical: IntArray
    slack: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimplePath:
    """What a search for one group found.

    Parameters
    ----------
    lower
        No simple path is cheaper, unless it costs as much as was asked or more.
    cost
        Cost of the path; inf where none was found that is cheaper than asked.
    arcs : ndarray of int32
        The path.
    whole
        Whether the search was; else a cheaper path may have been missed.
    """

    lower: float
    cost: float
    arcs: IntArray
    whole: bool


class SignedSearch:
    """Finds simple paths under costs of any sign.

    Parameters
    ----------
    network
        The network.
    most_labels
        Labels of one search before it is cut short.
    """

    def __init__(self, network: Network, most_labels: int = MOST_LABELS) -> None:
        from corridor.core.flows import _signed_kernels
        from corridor.core.paths import _kernels

        self._groups, self._graph = network.groups, network.graph
        self._arcs = _kernels.arcs_of(self._graph)
        self._turned = Graph(self._graph.n_nodes, self._graph.head, self._graph.tail)
        self._labels = _signed_kernels.room_for(most_labels)

    def prepare(self, row: int, cost: FloatArray) -> SignedRow:
        """Find potentials and critical nodes for a row of costs, shape (n_arcs,)."""
        from corridor.core.flows import _signed_kernels

        graph = self._graph
        inside = self._on_ways(row, cost)
        cost = np.where(inside[graph.tail] & inside[graph.head], cost, np.inf)
        finite = np.abs(cost[np.isfinite(cost)])
        noise = NOISE * float(finite.max(initial=0.0))
        potential = np.zeros(inside.size)
        critical: list[int] = []
        while True:
            cycle = _signed_kernels.find_potentials(self._arcs, cost, inside, noise, potential)
            if not cycle.size:
                break
            # All cycles of negative cost go over arcs that pay.
            critical.append(int(graph.head[cycle[np.argmin(cost[cycle])]]))
            inside[critical[-1]] = False
        return SignedRow(
            cost=cost,
            potential=potential,
            critical=np.array(sorted(critical), dtype=np.int32),
            slack=noise * inside.size,
        )

    def _on_ways(self, row: int, cost: FloatArray) -> BoolArray:
        """Return the nodes that lie on a way from an origin to a destination of the row."""
        from corridor.core.flows import _signed_kernels

        arcs, mine = self._arcs, self._groups.class_row == row
        forth, back = (np.zeros(self._graph.n_nodes, dtype=np.bool_) for _ in range(2))
        _signed_kernels.reach(
            arcs.indptr, arcs.order, arcs.head, cost, self._groups.origin[mine], forth
        )
        _signed_kernels.reach(
            arcs.reverse_indptr, arcs.reverse_order, arcs.tail, cost,
            self._groups.destination[mine], back,
        )  # fmt: skip
        return forth & back

    def find(self, prepared: SignedRow, group: int, below: float) -> SimplePath:
        """Return the cheapest simple path of a group that is cheaper than asked.

        Parameters
        ----------
        prepared
            The group's row.
        group
            Position among the groups.
        below
            Paths that are not cheaper are of no interest; inf where all are.
        """
        from corridor.core.flows import _signed_kernels

        graph = self._graph
        origin, destination = (
            int(ends[group]) for ends in (self._groups.origin, self._groups.destination)
        )
        none = np.empty(0, dtype=np.int32)
        if origin == destination:
            return SimplePath(lower=0.0, cost=0.0 if below > 0 else np.inf, arcs=none, whole=True)
        lower = self._least(prepared.cost, destination)[origin]
        critical, walk, whole = prepared.critical, none, lower >= below
        while not whole and critical.size <= _signed_kernels.MOST_BITS:
            task = self._task(prepared, critical, origin, destination)
            lower = max(lower, task.lower)
            found, walk, whole = _signed_kernels.find_walk(
                self._arcs, task.cost, task.bit, task.gain, task.to_go, origin, destination,
                below - task.shift, self._labels,
            )  # fmt: skip
            if not whole:
                break
            lower = max(lower, min(found + task.shift, below))
            nodes, counts = np.unique(graph.head[walk], return_counts=True)
            repeated = nodes[counts > 1]
            whole = not repeated.size
            critical = np.concatenate([critical, repeated])
        path = without_cycles(graph, walk)
        total = float(prepared.cost[path].sum()) if path.size else np.inf
        return SimplePath(
            lower=min(lower, below) - prepared.slack,
            cost=total if total < below else np.inf,
            arcs=path if total < below else none,
            whole=whole,
        )

    def _least(self, cost: FloatArray, destination: int) -> FloatArray:
        """Return a bound on the way from each node: what each node pays is taken once by all."""
        gains = np.zeros(self._graph.n_nodes)
        np.minimum.at(gains, self._graph.head, cost)
        distance, _ = shortest_trees(
            self._turned, (cost - gains[self._graph.head])[None], [0], [destination]
        )
        least: FloatArray = distance[0] + gains.sum()
        return least

    def _task(
        self, prepared: SignedRow, critical: IntArray, origin: int, destination: int
    ) -> "_Task":
        """Return the search for walks that enter each critical node at most once."""
        graph = self._graph
        is_critical = np.zeros(graph.n_nodes, dtype=np.bool_)
        is_critical[critical] = True
        cost = _raised(graph, prepared, is_critical)
        potential = cost.potential
        bit = np.full(graph.n_nodes, -1, dtype=np.int32)
        bit[critical] = np.arange(critical.size)
        gains = np.zeros(graph.n_nodes)
        np.minimum.at(gains, graph.head, cost.reduced)
        distance, _ = shortest_trees(
            self._turned, (cost.reduced - gains[graph.head])[None], [0], [destination]
        )
        gain, shift = gains[critical], float(potential[destination] - potential[origin])
        return _Task(
            cost=cost.reduced, bit=bit, gain=gain, to_go=distance[0], shift=shift,
            lower=float(distance[0][origin] + gain.sum() + shift),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Task:
    """A search for walks, as `_signed_kernels.find_walk` takes it.

    ``shift`` turns its costs into true ones; ``lower`` is a bound on the true cost.
    """

    cost: FloatArray
    bit: IntArray
    gain: FloatArray
    to_go: FloatArray
    shift: float
    lower: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Raised:
    reduced: FloatArray
    potential: FloatArray


def _raised(graph: Graph, prepared: SignedRow, is_critical: BoolArray) -> _Raised:
    """Return costs under potentials by which only arcs into critical nodes may pay."""
    cost, potential = prepared.cost, prepared.potential.copy()
    out = is_critical[graph.tail] & ~is_critical[graph.head] & np.isfinite(cost)
    potential[is_critical] = -np.inf
    np.maximum.at(potential, graph.tail[out], potential[graph.head[out]] - cost[out])
    potential[np.isneginf(potential)] = 0.0
    reduced = cost + potential[graph.tail] - potential[graph.head]
    plain = ~is_critical[graph.head]
    reduced[plain] = np.maximum(reduced[plain], 0.0)
    return _Raised(reduced=reduced, potential=potential)


def without_cycles(graph: Graph, walk: IntArray) -> IntArray:
    """Return the simple path that is left of a walk when its cycles are taken out."""
    path: list[int] = []
    place: dict[int, int] = {}
    for arc in walk.tolist():
        place.setdefault(int(graph.tail[arc]), len(path))
        path.append(arc)
        head = int(graph.head[arc])
        if head in place:
            for cut in path[place[head] : -1]:
                del place[int(graph.head[cut])]
            del path[place[head] :]
        else:
            place[head] = len(path)
    return np.array(path, dtype=np.int32)

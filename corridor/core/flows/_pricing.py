"""Pricing: for each group of demand the cheapest path at given prices of the resources."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import scipy.sparse as sp

from corridor.core.flows._arrays import BoolArray, FloatArray, IntArray, LongArray
from corridor.core.flows._network import Network
from corridor.core.flows.shortcuts import Shortcuts
from corridor.core.graph import Graph
from corridor.core.paths import arc_paths_batch, shortest_trees
from corridor.core.paths._checks import Method, uses_kernels
from corridor.core.paths.trees import run_blocks
from corridor.core.threads import as_threads

if TYPE_CHECKING:
    from corridor.core.flows._signed import SignedSearch

ROUNDS: Final = 10
"""Rounds of searches that a problem is likely to take: kernels are worth loading for their sum."""
SHARED: Final = 8
"""Groups for each origin from which on one tree is quicker than a search for each group."""
CHUNK: Final = 1 << 22
"""Entries of trees that are held at a time: tens of megabytes."""
MOST_TO_GO: Final = 1 << 24
"""Distances to destinations that are kept between rounds, at most: 128 MB."""
LEAST_SEARCHES: Final = 256
"""Searches that a thread gets at least."""
NOISE: Final = 1e-13
"""Share of a path's cost by which another must be cheaper to count as cheaper."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Priced:
    """Paths at one set of prices.

    Parameters
    ----------
    lower : ndarray of float64, shape (n_groups,)
        No path of the group is cheaper; inf where there is none.
    group : ndarray of int64, shape (n_found,)
        Groups for which a path was found that is cheaper than asked.
    indptr, arcs : ndarray of int64 (n_found + 1,) and int32
        Those paths.
    whole
        Whether all searches were; else a cheaper path may have been missed (``lower`` is right).
    """

    lower: FloatArray
    group: LongArray
    indptr: LongArray
    arcs: IntArray
    whole: bool = True


class Pricing:
    """Finds cheapest paths, round after round.

    Parameters
    ----------
    network
        The network.
    threads
        Threads for the searches; None takes all cores. Results do not depend on it.
    by_resource : CSR of float64, shape (n_resources, n_class_rows * n_arcs), optional
        The network's usage, resource by resource, where it is there already.
    shortcuts
        A smaller graph between the ends of the groups, on which goal-directed searches run.
    """

    def __init__(
        self,
        network: Network,
        threads: int | None,
        by_resource: sp.csr_matrix | None = None,
        shortcuts: Shortcuts | None = None,
    ) -> None:
        self._network, self._threads = network, as_threads(threads)
        self._shortcuts = shortcuts
        self._method: Method = "auto"
        groups = network.groups
        fresh = np.ones(groups.size, dtype=np.bool_)
        fresh[1:] = (np.diff(groups.class_row) != 0) | (np.diff(groups.origin) != 0)
        self._tree: LongArray = np.cumsum(fresh) - 1
        self._tree_row: LongArray = groups.class_row[fresh]
        self._tree_origin: IntArray = groups.origin[fresh]
        self._to_go: FloatArray | None = None
        self._base = network.cost
        self._target: LongArray = np.empty(0, dtype=np.int64)
        self.first: FloatArray = np.empty(0)
        self._signed: SignedSearch | None = None
        if uses_kernels("auto", ROUNDS * self._tree_row.size * network.graph.n_arcs):
            self._method = "kernels"
        self._by_resource = sp.csr_matrix(network.usage.T) if by_resource is None else by_resource

    def find_first(self) -> Priced:
        """Return the cheapest paths while no resource has a price."""
        network = self._network
        priced = self._by_goals() if self._has_goals() else self._by_trees(network.cost, None)
        self.first = priced.lower
        return priced

    def find_cheaper(self, price: FloatArray, known: FloatArray, *, free: bool = False) -> Priced:
        """Return, at given prices, paths that are cheaper than the cheapest known ones.

        Parameters
        ----------
        price : ndarray of float64, shape (n_resources,)
            Price of a unit of each resource.
        known : ndarray of float64, shape (n_groups,)
            Cost at these prices of the cheapest path known for each group; inf where none is.
        free
            Whether arcs themselves cost nothing (where feasibility alone is asked).
        """
        network = self._network
        place, amount = self._surcharges(price)
        if self._to_go is not None and not free and not (amount < 0.0).any():
            return self._by_searches(self._to_go, self._raised(place, amount), known)
        base = np.where(np.isfinite(network.cost), 0.0, np.inf) if free else network.cost
        cost = base.copy()
        np.add.at(cost.reshape(-1), place, amount)
        if self._to_go is not None and not free and bool((cost >= base).all()):
            short = cost if self._shortcuts is None else self._shortcuts.costs(cost)
            return self._by_searches(self._to_go, short, known)
        if cost.min(initial=0.0) < 0:
            return self._by_signed(cost, known)
        return self._by_trees(cost, known)

    def _surcharges(self, price: FloatArray) -> tuple[IntArray, FloatArray]:
        """Return where prices stand on classes and arcs, and what they put there, to be added up.

        Few resources have a price, so few entries are touched.
        """
        by_resource = self._by_resource
        priced = np.flatnonzero(price)
        start = by_resource.indptr[priced]
        size = by_resource.indptr[priced + 1] - start
        entries = np.arange(size.sum()) + np.repeat(start - np.cumsum(size) + size, size)
        amount: FloatArray = by_resource.data[entries] * np.repeat(price[priced], size)
        return by_resource.indices[entries], amount

    def _raised(self, place: IntArray, amount: FloatArray) -> FloatArray:
        """Return the costs on which goal-directed searches run, with amounts added at places."""
        cost = self._base.copy()
        if self._shortcuts is None:
            np.add.at(cost.reshape(-1), place, amount)
        else:
            self._shortcuts.add(cost, place, amount)
        return cost

    # -- one tree for each class and origin ----------------------------------------------------

    def _by_trees(
        self,
        cost: FloatArray,
        known: FloatArray | None,
        rows: BoolArray | None = None,
        potential: FloatArray | None = None,
    ) -> Priced:
        """Grow trees, a number of them at a time, and take the cheaper paths.

        Parameters
        ----------
        cost : ndarray of float64, shape (n_class_rows, n_arcs)
            Costs, >= 0.
        known : ndarray of float64, shape (n_groups,), optional
            What paths must cost less than; None for paths to all.
        rows : ndarray of bool, shape (n_class_rows,), optional
            Classes to serve; the other groups keep inf. None for all.
        potential : ndarray of float64, shape (n_class_rows, n_nodes), optional
            Potentials that are in the costs.
        """
        network = self._network
        groups = network.groups
        lower = np.full(groups.size, np.inf)
        shift = np.zeros(groups.size)
        if potential is not None:
            shift = potential[groups.class_row, groups.destination]
            shift = shift - potential[groups.class_row, groups.origin]
        below = None if known is None else _less(known)
        trees = np.arange(self._tree_row.size)
        if rows is not None:
            trees = trees[rows[self._tree_row]]
        found: list[Priced] = []
        step = max(1, CHUNK // max(network.graph.n_nodes, 1))
        for start in range(0, trees.size, step):
            chunk = trees[start : start + step]
            place = np.full(self._tree_row.size, -1, dtype=np.int64)
            place[chunk] = np.arange(chunk.size)
            members = np.flatnonzero(place[self._tree] >= 0)
            tree = place[self._tree[members]]
            distance, predecessor = shortest_trees(
                network.graph, cost, self._tree_row[chunk], self._tree_origin[chunk],
                threads=self._threads, method=self._method,
            )  # fmt: skip
            lower[members] = distance[tree, groups.destination[members]] + shift[members]
            cheaper = np.isfinite(lower[members])
            if below is not None:
                cheaper &= lower[members] < below[members]
            chosen = members[cheaper]
            indptr, arcs = arc_paths_batch(
                network.graph, predecessor, tree[cheaper], groups.destination[chosen]
            )
            found.append(Priced(lower=lower, group=chosen, indptr=indptr, arcs=arcs))
        return _joined(lower, found)

    # -- arcs that pay for flow -----------------------------------------------------------------

    def _by_signed(self, cost: FloatArray, known: FloatArray) -> Priced:
        """Grow trees where potentials make all costs >= 0, search simple paths for the rest."""
        from corridor.core.flows import _signed

        network = self._network
        if self._signed is None:
            self._signed = _signed.SignedSearch(network)
        graph, n_rows = network.graph, cost.shape[0]
        potential = np.zeros((n_rows, graph.n_nodes))
        whole, slack = np.ones(n_rows, dtype=np.bool_), np.zeros(n_rows)
        prepared: dict[int, _signed.SignedRow] = {}
        for row in np.flatnonzero(cost.min(axis=1, initial=0.0) < 0).tolist():
            prepared[row] = signed = self._signed.prepare(row, cost[row])
            potential[row], slack[row] = signed.potential, signed.slack
            whole[row] = not signed.critical.size
            reduced = signed.cost + signed.potential[graph.tail] - signed.potential[graph.head]
            cost[row] = np.maximum(reduced, 0.0)
        trees = self._by_trees(cost, known, whole, potential)
        lower = trees.lower - slack[network.groups.class_row]
        found = [trees]
        below = _less(known)
        for group in np.flatnonzero(~whole[network.groups.class_row]).tolist():
            row = int(network.groups.class_row[group])
            path = self._signed.find(prepared[row], group, float(below[group]))
            lower[group] = path.lower
            chosen = np.array([group] if np.isfinite(path.cost) else [], dtype=np.int64)
            indptr = np.array([0, path.arcs.size][: 1 + chosen.size])
            found.append(
                Priced(lower=lower, group=chosen, indptr=indptr, arcs=path.arcs, whole=path.whole)
            )
        return _joined(lower, found)

    # -- a goal-directed search for each group -------------------------------------------------

    def _has_goals(self) -> bool:
        """Whether searches for single groups are likely to be quicker than trees."""
        network = self._network
        n_groups, n_trees = network.groups.size, self._tree_row.size
        if not n_groups or n_groups > SHARED * n_trees:
            return False
        if self._method != "kernels":
            return False
        ends = network.groups.class_row * network.graph.n_nodes + network.groups.destination
        goals, self._target = np.unique(ends, return_inverse=True)
        if goals.size * network.graph.n_nodes > MOST_TO_GO:
            return False
        self._goals: LongArray = goals
        return True

    def _by_goals(self) -> Priced:
        """Grow trees towards the destinations; keep the distances for later searches."""
        network, short = self._network, self._shortcuts
        rows, nodes = np.divmod(self._goals, network.graph.n_nodes)
        origin, graph = network.groups.origin, network.graph
        if short is None:
            turned = Graph(graph.n_nodes, graph.head, graph.tail)
        else:
            turned, self._base = short.turned, short.costs(network.cost)
            nodes, origin = short.node[nodes], short.node[origin]
        self._to_go, successor = shortest_trees(
            turned, self._base, rows, nodes, threads=self._threads
        )
        lower = self._to_go[self._target, origin]
        group = np.flatnonzero(np.isfinite(lower))
        indptr, arcs = arc_paths_batch(turned, successor, self._target[group], origin[group])
        # The paths lead from the destination back to the origin.
        path = np.repeat(np.arange(group.size), np.diff(indptr))
        forth = indptr[path] + indptr[path + 1] - 1 - np.arange(arcs.size)
        return self._found(lower, group, indptr, arcs[forth])

    def _found(
        self, lower: FloatArray, group: LongArray, indptr: LongArray, arcs: IntArray
    ) -> Priced:
        """Return paths over the searched graph as paths over the network's."""
        if self._shortcuts is not None:
            indptr, arcs = self._shortcuts.unfolded(indptr, arcs)
        return Priced(lower=lower, group=group, indptr=indptr, arcs=arcs)

    def _by_searches(self, to_go: FloatArray, cost: FloatArray, known: FloatArray) -> Priced:
        """Search for each group, guided by the distances to its destination."""
        from corridor.core.flows import _goal_kernels
        from corridor.core.paths import _kernels

        groups, graph = self._network.groups, self._network.graph
        origin, destination = groups.origin, groups.destination
        if self._shortcuts is not None:
            graph, node = self._shortcuts.graph, self._shortcuts.node
            origin, destination = node[origin], node[destination]
        goals = _goal_kernels.Goals(groups.class_row, origin, destination, self._target)
        arcs = _kernels.arcs_of(graph)
        below = _less(known)
        # Where no path is found none is below; where the way is free of prices none is below it.
        empty = to_go[self._target, origin]
        distance, length = np.maximum(below, empty), np.full(groups.size, -1, dtype=np.int64)
        parts: dict[int, IntArray] = {}

        def search(first: int, last: int) -> None:
            parts[first] = _goal_kernels.find_cheaper(
                arcs, cost, to_go, goals, below, first, last, distance, length
            )

        run_blocks(search, groups.size, self._threads, least=LEAST_SEARCHES)
        group = np.flatnonzero(length >= 0)
        indptr = np.r_[0, np.cumsum(length[group])]
        return self._found(
            distance, group, indptr, np.concatenate([parts[first] for first in sorted(parts)])
        )


def _less(known: FloatArray) -> FloatArray:
    """Return what is cheaper beyond rounding; inf stays inf."""
    return known - np.where(np.isfinite(known), NOISE * np.abs(known), 0.0)


def _joined(lower: FloatArray, found: list[Priced]) -> Priced:
    """Return the paths of several chunks as one."""
    lengths = [np.diff(part.indptr) for part in found]
    empty = np.empty(0, dtype=np.int64)
    return Priced(
        lower=lower,
        group=np.concatenate([empty, *(part.group for part in found)]),
        indptr=np.r_[0, np.cumsum(np.concatenate([empty, *lengths]))],
        arcs=np.concatenate([np.empty(0, dtype=np.int32), *(part.arcs for part in found)]),
        whole=all(part.whole for part in found),
    )

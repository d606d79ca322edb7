"""The pool of paths that the master program chooses from."""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from corridor.core.flows._arrays import FloatArray, IntArray, LongArray, sum_by
from corridor.core.flows._network import Network, PricedTrees
from corridor.core.paths import arc_paths_batch


class Columns:
    """Paths found so far, each once, with their costs and what they use of each resource.

    Attributes
    ----------
    commodity : ndarray of int64, shape (n_columns,)
        Position among the served commodities.
    cost : ndarray of float64, shape (n_columns,)
        Cost of a unit of flow on the path.
    usage : CSR of float64, shape (n_columns, n_resources)
        What a unit of flow takes of each resource.
    paths : list of ndarray of int32
        Arcs of each path.
    potential : ndarray of float64, shape (n_resources,)
        The most that the paths found so far could take of each resource together.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._known: set[tuple[int, bytes]] = set()
        self.commodity: LongArray = np.empty(0, dtype=np.int64)
        self.cost: FloatArray = np.empty(0)
        self.usage = sp.csr_matrix((0, network.n_resources))
        self.paths: list[IntArray] = []
        self.potential: FloatArray = np.zeros(network.n_resources)
        self._peak_key: LongArray = np.empty(0, dtype=np.int64)
        self._peak: FloatArray = np.empty(0)

    def __len__(self) -> int:
        return len(self.paths)

    def add_from_trees(self, trees: PricedTrees, commodities: LongArray) -> int:
        """Add the trees' paths of some served commodities; return how many were new."""
        network = self._network
        indptr, arcs = arc_paths_batch(
            network.graph,
            trees.predecessor,
            network.tree[commodities],
            network.destination[commodities],
        )
        paths = [arcs[indptr[i] : indptr[i + 1]] for i in range(commodities.size)]
        return self.add(commodities, paths)

    def add(self, commodities: LongArray, paths: Sequence[IntArray]) -> int:
        """Add paths that are not known and not closed; return how many there were."""
        fresh = []
        for position, (commodity, path) in enumerate(zip(commodities, paths, strict=True)):
            key = (int(commodity), path.tobytes())
            if key not in self._known:
                self._known.add(key)
                fresh.append(position)
        if not fresh:
            return 0
        return self._append(commodities[fresh], [paths[position] for position in fresh])

    def _append(self, commodity: LongArray, paths: list[IntArray]) -> int:
        network = self._network
        n_arcs = network.graph.n_arcs
        lengths = np.array([path.size for path in paths])
        row = np.repeat(network.class_row[commodity], lengths)
        indptr = np.r_[0, np.cumsum(lengths)]
        places = row * n_arcs + np.concatenate(paths).astype(np.int64)
        ones = np.ones(places.size)
        arcs = sp.csr_matrix((ones, places, indptr), shape=(len(paths), network.cost.size))
        # Closed arcs cost inf, and inf * 0 would poison a sparse product: sum by hand.
        cost = sum_by(
            np.repeat(np.arange(lengths.size), lengths),
            network.cost.ravel()[places],
            lengths.size,
        )
        is_open = np.isfinite(cost)
        usage = sp.csr_matrix(arcs @ network.usage)[is_open]
        usage.sum_duplicates()
        self.commodity = np.concatenate([self.commodity, commodity[is_open]])
        self.cost = np.concatenate([self.cost, cost[is_open]])
        self.usage = sp.vstack([self.usage, usage], format="csr")
        self.paths.extend(path for path, good in zip(paths, is_open, strict=True) if good)
        self._raise_potential(commodity[is_open], usage)
        return int(is_open.sum())

    def _raise_potential(self, commodity: LongArray, usage: sp.csr_matrix) -> None:
        """Update the most each resource could have to bear: each commodity on its heaviest path."""
        entries = usage.tocoo()
        n_resources = self._network.n_resources
        key = commodity[entries.row] * n_resources + entries.col
        key = np.concatenate([self._peak_key, key])
        peak = np.concatenate([self._peak, np.maximum(entries.data, 0.0)])
        order = np.lexsort((peak, key))
        key, peak = key[order], peak[order]
        last = np.r_[key[1:] != key[:-1], True] if key.size else np.empty(0, dtype=np.bool_)
        self._peak_key, self._peak = key[last], peak[last]
        weight = self._peak * self._network.demand[self._peak_key // max(n_resources, 1)]
        self.potential = sum_by(self._peak_key % max(n_resources, 1), weight, n_resources)

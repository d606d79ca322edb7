"""The pool of paths that the master program chooses from."""

import numpy as np
import scipy.sparse as sp

from corridor.core.flows._arrays import BoolArray, FloatArray, IntArray, LongArray, sum_by
from corridor.core.flows._network import Network

_SEED = 20_240_229


class Columns:
    """Paths found so far, each once, with their costs and what they use of each resource.

    Attributes
    ----------
    group : ndarray of int64, shape (n_columns,)
        Group of demand that each path serves.
    cost : ndarray of float64, shape (n_columns,)
        Cost of a unit of flow on the path while pools are empty.
    usage : CSR of float64, shape (n_columns, n_resources)
        What a unit of flow takes of each resource.
    indptr, arcs : ndarray of int64 (n_columns + 1,) and int32
        Path i is ``arcs[indptr[i]:indptr[i + 1]]``.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        random = np.random.default_rng(_SEED)
        self._arc_code = random.integers(0, 2**64, network.graph.n_arcs, dtype=np.uint64)
        self._group_code = random.integers(0, 2**64, network.groups.size, dtype=np.uint64)
        self._known: set[int] = set()
        self.group: LongArray = np.empty(0, dtype=np.int64)
        self.cost: FloatArray = np.empty(0)
        self.usage = sp.csr_matrix((0, network.n_resources))
        self.indptr: LongArray = np.zeros(1, dtype=np.int64)
        self.arcs: IntArray = np.empty(0, dtype=np.int32)
        self._peaks = _Peaks(network)

    def __len__(self) -> int:
        return int(self.group.size)

    def add(self, group: LongArray, indptr: LongArray, arcs: IntArray) -> int:
        """Add paths that are not known and not closed; return how many there were.

        Parameters
        ----------
        group : ndarray of int64, shape (n,)
            Group of each path.
        indptr, arcs : ndarray of int64 (n + 1,) and int32
            Path i is ``arcs[indptr[i]:indptr[i + 1]]``.
        """
        network = self._network
        lengths = np.diff(indptr)
        path = np.repeat(np.arange(group.size), lengths)
        places = network.groups.class_row[group][path] * network.graph.n_arcs + arcs
        # Closed arcs cost inf, and inf * 0 would poison a sparse product: sum by hand.
        cost = sum_by(path, network.cost.ravel()[places], group.size)
        keep = self._are_fresh(group, indptr, arcs) & np.isfinite(cost)
        if not keep.any():
            return 0
        kept = keep[path]
        places, arcs = places[kept], arcs[kept]
        ends = np.r_[0, np.cumsum(lengths[keep])]
        chosen = sp.csr_matrix(
            (np.ones(places.size), places, ends), shape=(ends.size - 1, network.cost.size)
        )
        usage = sp.csr_matrix(chosen @ network.usage)
        usage.sum_duplicates()
        self._peaks.raise_by(group[keep], usage)
        self.group = np.concatenate([self.group, group[keep]])
        self.cost = np.concatenate([self.cost, cost[keep]])
        self.usage = _stacked(self.usage, usage)
        self.indptr = np.concatenate([self.indptr, self.indptr[-1] + ends[1:]])
        self.arcs = np.concatenate([self.arcs, arcs])
        return int(keep.sum())

    def cost_at(self, price: FloatArray, *, free: bool = False) -> FloatArray:
        """Return what each path costs when resources have prices, shape (n_columns,).

        Parameters
        ----------
        price : ndarray of float64, shape (n_resources,)
            Price of a unit of each resource.
        free
            Whether arcs themselves cost nothing.
        """
        surcharge = np.asarray(self.usage @ price)
        return surcharge if free else self.cost + surcharge

    def least(self, cost: FloatArray) -> FloatArray:
        """Return the least of the paths' costs for each group; inf where it has no path."""
        least = np.full(self._network.groups.size, np.inf)
        np.minimum.at(least, self.group, cost)
        return least

    def could_exceed(self, active: BoolArray) -> BoolArray:
        """Return the resources outside `active` that the paths could exceed together."""
        return self._peaks.could_exceed(active)

    def most(self, pools: BoolArray) -> FloatArray:
        """Return the most that the paths could take of some pools together, 0 for the others."""
        n_pools = pools.size
        entries = np.flatnonzero(np.r_[pools, False][np.minimum(self.usage.indices, n_pools)])
        row = np.searchsorted(self.usage.indptr, entries, side="right") - 1
        key = self.group[row] * n_pools + self.usage.indices[entries]
        pair, peak = _peaks_by(key, self.usage.data[entries])
        demand = self._network.groups.demand[pair // max(n_pools, 1)]
        return sum_by(pair % max(n_pools, 1), peak * demand, n_pools)

    def _are_fresh(self, group: LongArray, indptr: LongArray, arcs: IntArray) -> BoolArray:
        """Return which paths are new, and remember them.

        A simple path is told by its set of arcs, and that by the sum of random 64-bit numbers, one
        for each arc and group: two paths among a million share a sum once in ten million runs, and
        a lost path leaves a gap that is reported.
        """
        total = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(self._arc_code[arcs])])
        codes = total[indptr[1:]] - total[indptr[:-1]] + self._group_code[group]
        fresh = np.zeros(group.size, dtype=np.bool_)
        _, first = np.unique(codes, return_index=True)
        fresh[first] = [code not in self._known for code in codes[first].tolist()]
        self._known.update(codes[fresh].tolist())
        return fresh


class _Peaks:
    """The most that the paths could take of each resource together: who cannot bind needs no row.

    That is the sum over the groups of their demand on the heaviest of their paths. Entries of
    resources that have a row are dropped when it is next asked.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._key: LongArray = np.empty(0, dtype=np.int64)
        self._peak: FloatArray = np.empty(0)

    def raise_by(self, group: LongArray, usage: sp.csr_matrix) -> None:
        """Take new paths into account."""
        n_resources = self._network.n_resources
        row = np.repeat(group, np.diff(usage.indptr))
        finite = np.isfinite(self._network.upper[usage.indices])
        key = row[finite] * n_resources + usage.indices[finite]
        self._key = np.concatenate([self._key, key])
        self._peak = np.concatenate([self._peak, usage.data[finite]])

    def could_exceed(self, active: BoolArray) -> BoolArray:
        """Return the resources outside `active` whose peaks add up to more than their bound."""
        n_resources = max(self._network.n_resources, 1)
        resource = self._key % n_resources
        open_ = ~active[resource] if active.size else np.zeros(0, dtype=np.bool_)
        self._key, self._peak = _peaks_by(self._key[open_], self._peak[open_])
        group, resource = np.divmod(self._key, n_resources)
        weight = self._peak * self._network.groups.demand[group]
        return sum_by(resource, weight, active.size) > self._network.upper


def _peaks_by(key: LongArray, value: FloatArray) -> tuple[LongArray, FloatArray]:
    """Return the keys >= 0 that there are, sorted, and the largest value of each."""
    order = np.argsort(key, kind="stable")  # quick where they are nearly sorted
    key, value = key[order], value[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    return key[first], np.maximum.reduceat(value, first) if first.size else value


def _stacked(upper: sp.csr_matrix, lower: sp.csr_matrix) -> sp.csr_matrix:
    """Return one CSR below the other, without the checks that sp.vstack makes."""
    return sp.csr_matrix(
        (
            np.concatenate([upper.data, lower.data]),
            np.concatenate([upper.indices, lower.indices]),
            np.concatenate([upper.indptr, upper.indptr[-1] + lower.indptr[1:]]),
        ),
        shape=(upper.shape[0] + lower.shape[0], upper.shape[1]),
    )

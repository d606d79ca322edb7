"""The paths of all commodities in a few arrays that grow as paths are found."""

from typing import TYPE_CHECKING, Final

import numpy as np

from corridor.core.flows._arrays import FloatArray, IntArray, LongArray
from corridor.core.paths.trees import run_blocks

if TYPE_CHECKING:
    from corridor.core.flows._equilibrium_kernels import Paths, Trees

LEAST_PATHS: Final = 1 << 13
"""Commodities for each thread at least, so that starting it pays."""

MOST_PARTS: Final = 8
"""Parts in which flows are added up and paths packed; sums depend on it, so it is fixed."""


def n_parts(n_commodities: int) -> int:
    """Return in how many parts so many commodities are worked on."""
    return min(MOST_PARTS, 1 + n_commodities // LEAST_PATHS)


class PathLists:
    """A list of paths for each commodity; see `Paths` in the kernels.

    Parameters
    ----------
    n_commodities
        Number of lists.
    n_arcs
        Number of arcs, pseudo-arcs included.
    threads
        Threads to use.
    """

    def __init__(self, n_commodities: int, n_arcs: int, threads: int) -> None:
        from corridor.core.flows import _equilibrium_kernels

        self.kernels = _equilibrium_kernels
        self.n_commodities, self.n_arcs, self.threads = n_commodities, n_arcs, threads
        self.n_paths, self.n_steps = 0, 0
        self.paths = self._empty(0, 0)

    def add_from_trees(
        self,
        tail: IntArray,
        trees: "Trees",
        tree_of: IntArray,
        commodities: LongArray,
        flow: FloatArray | None = None,
    ) -> None:
        """Give commodities the paths in their trees, with some flow or none."""
        some = commodities.astype(np.int32)
        steps = np.empty(some.size, dtype=np.int64)
        runs: dict[int, IntArray] = {}

        def gather(first: int, last: int) -> None:
            runs[first] = self.kernels.gather_paths(tail, trees, tree_of, some, first, last, steps)

        run_blocks(gather, some.size, self.threads, least=LEAST_PATHS)
        size = self._enter(steps, flow)
        begin = self.n_steps - int(steps.sum())
        for first in sorted(runs):
            run = runs[first]
            self.paths.arcs[begin : begin + run.size] = run
            begin += run.size
        self.kernels.link_paths(self.paths, some, size)

    def add_single_arcs(self, first_arc: int) -> None:
        """Give every commodity a path of one arc without flow; the arcs follow each other."""
        n = self.n_commodities
        size = self._enter(np.ones(n, dtype=np.int64), None)
        new = slice(size, self.n_paths)
        self.paths.arcs[self.paths.start[new]] = first_arc + np.arange(n)
        self.paths.after[new] = self.paths.first
        self.paths.first[:] = np.arange(size, self.n_paths)

    def add_up(self) -> FloatArray:
        """Return the flow of each arc, the sum of the paths', shape (n_arcs,)."""
        edges = np.linspace(0, self.n_commodities, n_parts(self.n_commodities) + 1).astype(int)
        parts = np.empty((edges.size - 1, self.n_arcs))

        def add(first: int, last: int) -> None:
            for part in range(first, last):
                self.kernels.add_flows(self.paths, edges[part], edges[part + 1], parts[part])

        run_blocks(add, edges.size - 1, self.threads)
        total: FloatArray = parts.sum(axis=0)
        return total

    def in_order(self) -> tuple[LongArray, LongArray, IntArray, FloatArray]:
        """Return (commodity, indptr, arcs, flow) of the paths in use, by commodity."""
        paths, counts = self._copied(0, 0)
        commodity = np.repeat(np.arange(self.n_commodities), counts)
        return commodity, np.append(0, paths.stop), paths.arcs, paths.flow

    def _enter(self, steps: LongArray, flow: FloatArray | None) -> int:
        """Make room for paths of some lengths; return the number of the first."""
        n_steps = int(steps.sum())
        self._make_room(steps.size, n_steps)
        size, paths = self.n_paths, self.paths
        new = slice(size, size + steps.size)
        paths.stop[new] = self.n_steps + np.cumsum(steps)
        paths.start[new] = paths.stop[new] - steps
        paths.flow[new] = 0.0 if flow is None else flow
        self.n_paths, self.n_steps = size + steps.size, self.n_steps + n_steps
        return size

    def _make_room(self, n_paths: int, n_steps: int) -> None:
        """Move the paths in use to larger arrays if more would not fit; the others are left."""
        has_room = self.n_paths + n_paths <= self.paths.flow.size
        if has_room and self.n_steps + n_steps <= self.paths.arcs.size:
            return
        # The first paths are those of some commodities only: expect as many of the others.
        grown = 2.0 if self.n_paths else 2.0 * self.n_commodities / max(1, n_paths)
        self.paths, counts = self._copied(n_paths, n_steps, grown)
        self.n_paths = int(counts.sum())
        self.n_steps = int(self.paths.stop[: self.n_paths].max(initial=0))

    def _copied(self, n_paths: int, n_steps: int, grown: float = 1.0) -> tuple["Paths", LongArray]:
        """Return the paths in use side by side, with room for more, and how many each has."""
        n = self.n_commodities
        counts, steps = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)

        def measure(first: int, last: int) -> None:
            self.kernels.measure_lists(self.paths, first, last, counts, steps)

        run_blocks(measure, n, self.threads, least=LEAST_PATHS)
        room = counts.sum() + n_paths, steps.sum() + n_steps
        out = self._empty(int(grown * room[0]), int(grown * room[1]))
        path_at, step_at = np.cumsum(counts) - counts, np.cumsum(steps) - steps

        def copy(first: int, last: int) -> None:
            self.kernels.copy_lists(self.paths, first, last, path_at, step_at, out)

        run_blocks(copy, n, self.threads, least=LEAST_PATHS)
        return out, counts

    def _empty(self, n_paths: int, n_steps: int) -> "Paths":
        return self.kernels.Paths(
            first=np.full(self.n_commodities, -1, dtype=np.int32),
            after=np.empty(n_paths, dtype=np.int32),
            start=np.empty(n_paths, dtype=np.int64),
            stop=np.empty(n_paths, dtype=np.int64),
            flow=np.empty(n_paths),
            arcs=np.empty(n_steps, dtype=np.int32),
        )

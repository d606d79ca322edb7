"""Candidate ways of one shipment, best first, and how much of their length they share."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from corridor.core.paths import k_shortest_paths
from corridor.errors import InputError
from corridor.network.supernetwork import Supernetwork
from corridor.planning.ways.limits import Bounds, Ends

BoolArray: TypeAlias = NDArray[np.bool_]
FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]
Taken = TypeVar("Taken")

MOST_WAYS: Final = 10_000
"""Simple ways that are looked through, best first, for those that keep limits and differ."""

_GROWTH: Final = 8


def candidate_ways(
    net: Supernetwork, cost: FloatArray, ends: Ends, bounds: Bounds, first: int
) -> Iterator[IntArray]:
    """Yield the arcs of simple ways that keep all limits, cheapest first.

    Where rules on whole ways give arcs copies, ways over the same arcs are one, the cheapest of
    them, and a way may pass a place twice, in different states of a rule. The cheapest is exact.
    The others are those of the first `MOST_WAYS` simple ways that keep the limits.

    Parameters
    ----------
    net
        The supernetwork.
    cost : ndarray of float64, shape (n_arcs,)
        Cost, inf where an arc is closed.
    ends, bounds
        Nodes of origin and destination, and the limits.
    first
        Ways to look for at first; more follow when they are used up. At least so many are looked
        through.
    """
    if bounds.names:
        best = bounds.best(net, cost, ends)
        if best is None:
            return
        yield best
        seen = {net.arc_plain[best].tobytes()}
    else:
        seen = set()
    wanted, most = first, max(first, MOST_WAYS)
    while True:
        paths = k_shortest_paths(net.graph, cost, *ends, wanted)
        for path in paths:
            key = net.arc_plain[path.arcs].tobytes()
            if key not in seen and bounds.keeps(path.arcs):
                yield path.arcs
            seen.add(key)
        if len(paths) < wanted or wanted >= most:
            return
        wanted = min(wanted * _GROWTH, most)


class Gallery:
    """Ways that were chosen; a new one must differ from all of them.

    Two ways share the length of the arcs they have in common; their overlap is its part of the
    shorter one's length.

    Parameters
    ----------
    arc_length_km : ndarray of float64, shape (n_arcs,)
        Lengths [km].
    max_overlap
        Largest overlap, 0 to 1; None lets everything in.
    arc_plain : ndarray of int32, shape (n_arcs,), optional
        The arc that each is a copy of, which all its copies share; None is no copies.

    Raises
    ------
    InputError
        If the overlap is no share.

    Examples
    --------
    >>> gallery = Gallery(np.array([60.0, 40.0, 30.0, 30.0]), max_overlap=0.5)
    >>> gallery.add(np.array([0, 1], dtype=np.int32))
    >>> gallery.admits(np.array([0, 2], dtype=np.int32))  # 60 of 90 km
    False
    >>> gallery.admits(np.array([1, 2, 3], dtype=np.int32))  # 40 of 100 km
    True
    """

    def __init__(
        self,
        arc_length_km: FloatArray,
        max_overlap: float | None,
        arc_plain: IntArray | None = None,
    ) -> None:
        if max_overlap is not None and not 0.0 <= max_overlap <= 1.0:
            msg = (
                f"max_overlap must be a share from 0 to 1; found {max_overlap!r}. Give 0.7 for "
                "ways that share at most 70 % of their length, or leave it out."
            )
            raise InputError(msg)
        self._arc_length_km = arc_length_km
        every = np.arange(arc_length_km.size, dtype=np.int32)
        self._arc_plain = every if arc_plain is None else arc_plain
        self._max_overlap = max_overlap
        self._known: list[tuple[BoolArray, float]] = []

    def admits(self, arcs: IntArray) -> bool:
        """Return whether a way differs enough from all that were added."""
        if self._max_overlap is None:
            return True
        km = self._arc_length_km[arcs]
        length = float(km.sum())
        return all(
            float(km[on_way[self._arc_plain[arcs]]].sum()) <= self._max_overlap * min(length, other)
            for on_way, other in self._known
        )

    def add(self, arcs: IntArray) -> None:
        """Add a way."""
        on_way = np.zeros(self._arc_length_km.size, dtype=np.bool_)
        on_way[self._arc_plain[arcs]] = True
        self._known.append((on_way, float(self._arc_length_km[arcs].sum())))

    def choose(
        self, ways: Iterable[IntArray], k: int, take: Callable[[IntArray], Taken | None]
    ) -> list[Taken]:
        """Return what becomes of the first ``k`` ways that differ enough and can be taken.

        Parameters
        ----------
        ways
            Arcs of each way, best first; one that comes again is passed over.
        k
            Number of ways wanted.
        take
            What becomes of a way, None where nothing does.
        """
        taken: list[Taken] = []
        seen: set[bytes] = set()
        for arcs in ways:
            is_new = arcs.tobytes() not in seen
            seen.add(arcs.tobytes())
            found = take(arcs) if is_new and self.admits(arcs) else None
            if found is not None:
                self.add(arcs)
                taken.append(found)
            if len(taken) == k:
                break
        return taken

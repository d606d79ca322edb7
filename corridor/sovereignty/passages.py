"""Crossings in one direction, and what the arcs of a way say about passing them."""

from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.network import Network
from corridor.network.supernetwork import ArcKind, Supernetwork

IntArray: TypeAlias = NDArray[np.int32]
BoolArray: TypeAlias = NDArray[np.bool_]

OTHER: Final = 0
"""Symbol of arcs that say nothing about a passage."""
EXITS: Final = (1, 3)
"""Symbols of exit posts, on the way from ``country_a`` to ``country_b`` and back."""
ENTRIES: Final = (2, 4)
"""Symbols of entry posts, likewise: a border is crossed by one after its own exit post."""


class Passage(NamedTuple):
    """A crossing in one direction."""

    crossing: str
    from_state: str
    to_state: str

    @property
    def turned(self) -> "Passage":
        """The other direction."""
        return Passage(self.crossing, self.to_state, self.from_state)

    def leads_into(self, states: tuple[str, ...]) -> bool:
        """Return whether it leads into one of the states from none of them."""
        return self.to_state in states and self.from_state not in states


def passages(network: Network, names: Iterable[str]) -> set[Passage]:
    """Return both directions of each named crossing."""
    table = network.crossings
    columns = (table["crossing_id"], table["country_a"], table["country_b"])
    sides = {name: (a, b) for name, a, b in zip(*columns, strict=True)}
    there = {Passage(name, *sides[name]) for name in names}
    return there | {passage.turned for passage in there}


def arcs_of(net: Supernetwork, network: Network, chosen: set[Passage]) -> BoolArray:
    """Return the arcs of the chains of some passages, shape (n_arcs,)."""
    table = network.crossings
    there = np.zeros((2, len(table) + 1), np.bool_)
    columns = (table["crossing_id"], table["country_a"], table["country_b"])
    for position, (name, a, b) in enumerate(zip(*columns, strict=True)):
        there[1, position] = Passage(name, a, b) in chosen
        there[0, position] = Passage(name, b, a) in chosen
    on_chain: BoolArray = there[net.arc_a_to_b.astype(np.int64), net.arc_crossing]
    return on_chain


def passage_symbols(net: Supernetwork, arcs: BoolArray) -> IntArray:
    """Return what posts among some arcs say about passing, and `OTHER` on all other arcs.

    Parameters
    ----------
    arcs : ndarray of bool, shape (n_arcs,)
        Arcs of the passages that matter.

    Returns
    -------
    ndarray of int32, shape (n_arcs,)
        One of `EXITS` or `ENTRIES`, by direction.
    """
    symbol = np.full(net.n_arcs, OTHER, np.int32)
    for direction, (leaves, enters) in enumerate(zip(EXITS, ENTRIES, strict=True)):
        along = arcs & (net.arc_a_to_b == (direction == 0))
        symbol[along & net.is_kind(ArcKind.EXIT)] = leaves
        symbol[along & net.is_kind(ArcKind.ENTRY)] = enters
    return symbol

"""Crossings in one direction."""

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.network import Network
from corridor.network.supernetwork import ArcKind, Supernetwork

BoolArray: TypeAlias = NDArray[np.bool_]


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


def posts_of(net: Supernetwork, network: Network, chosen: set[Passage], kind: ArcKind) -> BoolArray:
    """Return the exit posts or the entry posts of some passages, shape (n_arcs,)."""
    table = network.crossings
    there = np.zeros((2, len(table) + 1), np.bool_)
    columns = (table["crossing_id"], table["country_a"], table["country_b"])
    for position, (name, a, b) in enumerate(zip(*columns, strict=True)):
        there[1, position] = Passage(name, a, b) in chosen
        there[0, position] = Passage(name, b, a) in chosen
    on_chain: BoolArray = there[net.arc_a_to_b.astype(np.int64), net.arc_crossing]
    return on_chain & net.is_kind(kind)

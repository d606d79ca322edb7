"""Shipments by origin, destination, commodity and flag, and the classes that rules tell apart."""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.sovereignty.scope import Scope, Traffic

IntArray: TypeAlias = NDArray[np.int32]
BoolArray: TypeAlias = NDArray[np.bool_]

TRAFFIC: Final[tuple[Traffic, ...]] = ("transit", "import", "export", "domestic")
"""Kinds of traffic; the position is 2 x (starts in the state) + (ends in the state)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shipments:
    """Structure of arrays, one entry per shipment (or per class of shipments).

    Attributes
    ----------
    origin, destination : ndarray of int32, shape (n,)
        Places, positions in ``places``.
    commodity : ndarray of int32, shape (n,)
        Positions in ``commodities``.
    flag : ndarray of object, shape (n,)
        State of the carrier.
    places, place_country, commodities
        Labels: node ids, the state of each node, commodity ids.
    """

    origin: IntArray
    destination: IntArray
    commodity: IntArray
    flag: NDArray[np.object_]
    places: NDArray[np.object_]
    place_country: NDArray[np.object_]
    commodities: NDArray[np.object_]

    def __len__(self) -> int:
        return int(self.origin.size)

    def take(self, rows: IntArray) -> "Shipments":
        """Return the shipments at these rows."""
        return Shipments(
            origin=self.origin[rows],
            destination=self.destination[rows],
            commodity=self.commodity[rows],
            flag=self.flag[rows],
            places=self.places,
            place_country=self.place_country,
            commodities=self.commodities,
        )

    def matches(self, scope: Scope) -> BoolArray:
        """Return which shipments a scope speaks of, traffic aside."""
        inside = np.ones(len(self), np.bool_)
        if scope.commodities is not None:
            inside &= _among(self.commodities, scope.commodities)[self.commodity]
        if scope.flags is not None:
            inside &= _among(self.flag, scope.flags)
        for ends, names in ((self.origin, scope.origins), (self.destination, scope.destinations)):
            if names is not None:
                by_name = _among(self.places, names) | _among(self.place_country, names)
                inside &= by_name[ends]
        return inside

    def traffic(self, countries: tuple[str, ...]) -> NDArray[np.int8]:
        """Return what kind of traffic each shipment is for each state.

        Returns
        -------
        ndarray of int8, shape (n, n_countries)
            Positions in `TRAFFIC`.
        """
        states = np.array(countries, dtype=object)
        starts = self.place_country[self.origin][:, None] == states
        ends = self.place_country[self.destination][:, None] == states
        kinds: NDArray[np.int8] = 2 * starts.astype(np.int8) + ends.astype(np.int8)
        return kinds


def _among(labels: NDArray[np.object_], names: tuple[str, ...]) -> BoolArray:
    """Return which labels are among the names."""
    wanted = frozenset(names)
    return np.fromiter((label in wanted for label in labels), np.bool_, count=labels.size)


def shipment_classes(shipments: Shipments, scopes: list[Scope]) -> tuple[Shipments, IntArray]:
    """Group the shipments that no rule can tell apart and that carry the same commodity.

    Parameters
    ----------
    shipments
        The shipments.
    scopes
        Every scope of every rule in force.

    Returns
    -------
    classes : Shipments
        One representative shipment per class.
    class_of : ndarray of int32, shape (n_shipments,)
        Class of each shipment.
    """
    columns: list[NDArray[np.int32]] = [shipments.commodity]
    states = tuple(sorted(set(shipments.place_country)))
    for scope in scopes:
        matched = shipments.matches(scope).astype(np.int32)
        columns.append(matched)
        if scope.traffic is not None:
            # The scope tells traffic apart only in its own states, and only as its own or not.
            wanted = [TRAFFIC.index(kind) for kind in scope.traffic]
            kinds = np.isin(shipments.traffic(scope.countries or states), wanted)
            columns += list((kinds * matched[:, None]).astype(np.int32).T)
    told_apart = np.column_stack(columns)
    _, first, class_of = np.unique(told_apart, axis=0, return_index=True, return_inverse=True)
    return shipments.take(first.astype(np.int32)), class_of.reshape(-1).astype(np.int32)

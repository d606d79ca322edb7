"""Shipments by origin, destination, commodity and flag, and the classes that rules tell apart."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.sovereignty.scope import Scope

IntArray: TypeAlias = NDArray[np.int32]
BoolArray: TypeAlias = NDArray[np.bool_]


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
            inside &= np.isin(self.commodities[self.commodity], scope.commodities)
        if scope.flags is not None:
            inside &= np.isin(self.flag, scope.flags)
        for ends, names in ((self.origin, scope.origins), (self.destination, scope.destinations)):
            if names is not None:
                inside &= np.isin(self.places[ends], names) | np.isin(
                    self.place_country[ends], names
                )
        return inside

    def traffic(self, countries: tuple[str, ...]) -> NDArray[np.object_]:
        """Return what kind of traffic each shipment is for each state, shape (n, n_countries)."""
        states = np.array(countries, dtype=object)
        starts = self.place_country[self.origin][:, None] == states
        ends = self.place_country[self.destination][:, None] == states
        kinds = np.array([["transit", "import"], ["export", "domestic"]], dtype=object)
        return kinds[starts.astype(int), ends.astype(int)]


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
    columns = [shipments.commodity.astype(np.int64)]
    columns += [shipments.matches(scope).astype(np.int64) for scope in scopes]
    if any(scope.traffic is not None for scope in scopes):
        _, state = np.unique(shipments.place_country.astype(str), return_inverse=True)
        columns += [state[shipments.origin], state[shipments.destination]]
    _, first, class_of = np.unique(
        np.column_stack(columns), axis=0, return_index=True, return_inverse=True
    )
    return shipments.take(first.astype(np.int32)), class_of.reshape(-1).astype(np.int32)

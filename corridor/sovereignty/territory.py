"""Where a scope lies on the supernetwork, and where shipments enter it."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from corridor.network import Network
from corridor.network.supernetwork import ArcKind, Supernetwork
from corridor.sovereignty.scope import Scope
from corridor.sovereignty.shipments import Shipments

BoolArray: TypeAlias = NDArray[np.bool_]
FloatArray: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Territory:
    """A supernetwork and the classes of shipments on it, as rules see them.

    Attributes
    ----------
    network, supernetwork
        The network and its arcs.
    classes
        One representative shipment per class.
    payload_t : ndarray of float64, shape (n_layers, n_commodities)
        Load of one vehicle [t].
    """

    network: Network
    supernetwork: Supernetwork
    classes: Shipments
    payload_t: FloatArray

    @property
    def arc_payload_t(self) -> FloatArray:
        """Load of one vehicle [t] by class and arc, shape (n_classes, n_arcs)."""
        return self.payload_t[self.supernetwork.arc_layer][:, self.classes.commodity].T

    def _named(
        self, labels: tuple[str, ...], names: tuple[str, ...] | None, codes: NDArray[np.int32]
    ) -> BoolArray:
        if names is None:
            return np.ones(codes.size, np.bool_)
        wanted = np.isin(np.array([*labels, ""], dtype=object), names)
        return wanted[codes]

    def _listed(self, scope: Scope) -> BoolArray:
        """Return the arcs of the links and crossings that a scope names."""
        net, ids = self.supernetwork, np.zeros(self.supernetwork.n_arcs, np.bool_)
        if scope.links is not None:
            ids |= self._named(tuple(self.network.links["link_id"]), scope.links, net.arc_link)
        if scope.crossings is not None:
            ids |= self._named(
                tuple(self.network.crossings["crossing_id"]), scope.crossings, net.arc_crossing
            )
        return ids

    def inside(self, scope: Scope) -> BoolArray:
        """Return the arcs that lie in a scope; a scope that names no place is entered at the origin."""
        net = self.supernetwork
        if not scope.names_place:
            return net.is_kind(ArcKind.ACCESS)
        arcs = np.ones(net.n_arcs, np.bool_)
        if scope.links is not None or scope.crossings is not None:
            arcs = self._listed(scope)
        arcs &= self._named(net.countries, scope.countries, net.arc_country)
        return arcs & self._named(net.layers, scope.layers, net.arc_layer)

    def entries(self, scope: Scope) -> BoolArray:
        """Return the arcs on which a shipment enters a scope, once each time it does.

        A link is counted on its own arc, a crossing where the second state takes over, a state on
        the arcs that enter it and where demand starts in it, a layer where goods are loaded onto
        it.
        """
        net = self.supernetwork
        if scope.links is not None or scope.crossings is not None:
            at_border = net.arc_crossing >= 0
            counted = np.where(at_border, net.is_kind(ArcKind.ENTRY), net.arc_is_main)
            return self.inside(scope) & counted
        loads = net.is_kind(ArcKind.ACCESS)
        if scope.layers is not None:
            came_from = self._named(net.layers, scope.layers, net.arc_from_layer)
            loads |= net.is_kind(ArcKind.TRANSFER) & ~came_from
        if scope.countries is not None:
            loads |= net.is_kind(ArcKind.ENTRY) & ~self._from_inside(scope)
        place = scope if scope.names_place else Scope(layers=net.layers)
        return self.inside(place) & loads

    def _from_inside(self, scope: Scope) -> BoolArray:
        """Return the land entries that come from another state of the same scope."""
        net, crossings = self.supernetwork, self.network.crossings
        if not len(crossings):
            return np.zeros(net.n_arcs, np.bool_)
        x = net.arc_crossing
        states = np.array(net.countries, dtype=object)[net.arc_country]
        a, b = (crossings[side].to_numpy(object)[x] for side in ("country_a", "country_b"))
        other = np.where(states == a, b, a)
        by_land = (self.network.layers["mode"] != "sea").to_numpy(bool)[net.arc_layer]
        return (x >= 0) & by_land & np.isin(other, scope.countries)

    def matrix(self, scope: Scope, arcs: BoolArray) -> sparse.csr_array:
        """Return which (class, arc) pairs of some arcs a scope speaks of.

        Returns
        -------
        csr_array of float64, shape (n_classes, n_arcs)
            Ones.
        """
        net = self.supernetwork
        rows = np.flatnonzero(self.classes.matches(scope))
        columns = np.flatnonzero(arcs)
        pairs = np.ones((rows.size, columns.size), np.bool_)
        if scope.traffic is not None:
            kinds = np.isin(
                self.classes.take(rows.astype(np.int32)).traffic(net.countries), scope.traffic
            )
            kinds[:, net.high_seas] = False
            pairs &= kinds[:, net.arc_country[columns]]
        r, c = np.nonzero(pairs)
        shape = (len(self.classes), net.n_arcs)
        return sparse.csr_array((np.ones(r.size), (rows[r], columns[c])), shape=shape)

"""Where a scope lies on the supernetwork, and where shipments enter it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from corridor.network import Network
from corridor.network.supernetwork import ArcKind, Supernetwork
from corridor.sovereignty.scope import Scope
from corridor.sovereignty.shipments import TRAFFIC, Shipments

IntArray: TypeAlias = NDArray[np.int32]
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
    teu_per_t : ndarray of float64, shape (n_commodities,)
        TEU in a tonne; 0 for goods that do not go in containers.
    """

    network: Network
    supernetwork: Supernetwork
    classes: Shipments
    payload_t: FloatArray
    teu_per_t: FloatArray

    @property
    def arc_payload_t(self) -> FloatArray:
        """Load of one vehicle [t] by class and arc, shape (n_classes, n_arcs)."""
        by_layer: FloatArray = self.payload_t[:, self.classes.commodity].T
        return by_layer[:, self.supernetwork.arc_layer]

    def payload_at(self, classes: NDArray[np.integer], arcs: NDArray[np.integer]) -> FloatArray:
        """Return the load of one vehicle of some classes on some arcs [t], shape (n,)."""
        layer, commodity = self.supernetwork.arc_layer[arcs], self.classes.commodity[classes]
        return np.asarray(self.payload_t[layer, commodity])

    @property
    def class_teu_per_t(self) -> FloatArray:
        """TEU in a tonne of each class; 0 for goods that do not go in containers."""
        by_class: FloatArray = self.teu_per_t[self.classes.commodity]
        return by_class

    def place(self, scope: Scope) -> BoolArray:
        """Return the arcs that lie in the links, crossings, states and layers of a scope."""
        net, network = self.supernetwork, self.network
        arcs = np.ones(net.n_arcs, np.bool_)
        if scope.links is not None or scope.crossings is not None:
            arcs = _named(
                network.texts("links", "link_id").tolist(), scope.links or (), net.arc_link
            )
            crossings = network.texts("crossings", "crossing_id").tolist()
            arcs |= _named(crossings, scope.crossings or (), net.arc_crossing)
        if scope.countries is not None:
            arcs &= _named(net.countries, scope.countries, net.arc_country)
        if scope.layers is not None:
            arcs &= _named(net.layers, scope.layers, net.arc_layer)
        return arcs

    def inside(self, scope: Scope) -> sparse.csr_array:
        """Return the (class, arc) pairs of a scope: 1 where the class may meet it on the arc.

        Returns
        -------
        csr_array of float64, shape (n_classes, n_arcs)
            Ones.
        """
        rows, home = self._presence(scope)
        arcs = np.flatnonzero(self.place(scope))
        return self._pairs(rows, arcs, home[:, self.supernetwork.arc_country[arcs]])

    def entries(self, scope: Scope) -> sparse.csr_array:
        """Return the (class, arc) pairs on which a shipment enters a scope, once each time it does.

        A crossing is entered where the second state takes over (where the scope holds only the
        first state's side, on the first arc of that side), a link on its own arc, a state on the
        arcs that enter it and where demand starts in it, a layer where goods are loaded onto it. A
        scope that names no place is entered where the shipment starts. Each link that follows
        another in one scope is among the pairs: see `has_adjoining_links`.

        Returns
        -------
        csr_array of float64, shape (n_classes, n_arcs)
            Ones.
        """
        rows, home = self._presence(scope)
        place = self.place(scope)
        arcs = np.flatnonzero(place).astype(np.int32)
        inside = home[:, self.supernetwork.arc_country[arcs]]
        if scope.links is not None or scope.crossings is not None:
            return self._pairs(rows, arcs, inside & self._enters_chain(place, arcs, home))
        return self._pairs(rows, arcs, inside & self._enters_area(scope, arcs, home))

    def has_adjoining_links(self, scope: Scope) -> bool:
        """Return whether a way may go on inside a scope from one of its links to another.

        Then what enters a link depends on where it comes from. Only scopes of links and crossings
        are made of links; terminals at the same place count as a way between them.
        """
        if scope.links is None and scope.crossings is None:
            return False
        net = self.supernetwork
        is_station = np.zeros(net.graph.n_nodes, np.bool_)
        is_station[net.graph.tail[net.is_kind(ArcKind.EGRESS)]] = True
        arcs = np.flatnonzero(self.place(scope) & net.arc_open)
        ends = arcs[is_station[net.graph.head[arcs]]]
        begins = arcs[is_station[net.graph.tail[arcs]]]
        arrives = {(int(net.node_place[net.graph.head[a]]), int(net.arc_link[a])) for a in ends}
        links_at: dict[int, set[int]] = {}
        for place, link in arrives:
            links_at.setdefault(place, set()).add(link)
        places = net.node_place[net.graph.tail[begins]]
        return any(
            links_at.get(int(place), set()) - {int(link)}
            for place, link in zip(places, net.arc_link[begins], strict=True)
        )

    def _presence(self, scope: Scope) -> tuple[IntArray, BoolArray]:
        """Return the classes a scope speaks of, and in which states it does, (n_rows, n_states)."""
        net = self.supernetwork
        rows = np.flatnonzero(self.classes.matches(scope)).astype(np.int32)
        named = np.ones(len(net.countries), np.bool_)
        if scope.countries is not None:
            named = np.array([state in scope.countries for state in net.countries])
        home = np.tile(named, (rows.size, 1))
        if scope.traffic is not None:
            wanted = [TRAFFIC.index(kind) for kind in scope.traffic]
            home &= np.isin(self.classes.take(rows).traffic(net.countries), wanted)
            home[:, net.high_seas] = False
        return rows, home

    def _enters_chain(self, place: BoolArray, arcs: IntArray, home: BoolArray) -> BoolArray:
        """Return where classes enter named links and crossings, shape (n_rows, n_arcs listed)."""
        net = self.supernetwork
        before, entry = net.arc_before[arcs], self._entry_of_chain()[arcs]
        was_inside = (before >= 0) & place[before] & home[:, net.arc_country[before]]
        takes_over = (entry >= 0) & home[:, net.arc_country[entry]]
        enters: BoolArray = np.where(takes_over, arcs == entry, ~was_inside)
        return enters

    def _entry_of_chain(self) -> IntArray:
        """Return the entry post of the chain that each arc belongs to, -1 outside chains."""
        net = self.supernetwork
        way = 2 * net.arc_link.astype(np.int64) + net.arc_forward
        way[net.arc_crossing < 0] = -1
        posts = np.flatnonzero(net.is_kind(ArcKind.ENTRY))
        entry = np.full(int(way.max(initial=0)) + 2, -1, np.int32)
        entry[way[posts]] = posts
        entry[-1] = -1
        return entry[way]

    def _enters_area(self, scope: Scope, arcs: IntArray, home: BoolArray) -> BoolArray:
        """Return where classes enter states and layers, shape (n_rows, n_arcs listed)."""
        net = self.supernetwork
        loaded = net.is_kind(ArcKind.ACCESS)
        if scope.layers is not None:
            from_inside = _named(net.layers, scope.layers, net.arc_from_layer)
            loaded |= net.is_kind(ArcKind.TRANSFER) & ~from_inside
        came_from = self._came_from()
        enters: BoolArray = loaded[arcs] | ~home[:, came_from[arcs]]
        return enters

    def _came_from(self) -> IntArray:
        """Return the jurisdiction a shipment leaves when it takes each arc."""
        net = self.supernetwork
        access = net.is_kind(ArcKind.ACCESS)
        state_of_place = np.full(len(net.places), -1, np.int32)
        state_of_place[net.node_place[net.graph.head[access]]] = net.arc_country[access]
        at_tail = state_of_place[net.node_place[net.graph.tail]]
        came_from: IntArray = np.where(
            net.arc_before >= 0, net.arc_country[net.arc_before], at_tail
        )
        in_chain = net.arc_crossing >= 0
        return np.where(in_chain, came_from, net.arc_country).astype(np.int32)

    def _pairs(
        self, rows: IntArray, arcs: NDArray[np.integer], chosen: BoolArray
    ) -> sparse.csr_array:
        r, c = np.nonzero(chosen)
        shape = (len(self.classes), self.supernetwork.n_arcs)
        return sparse.csr_array((np.ones(r.size), (rows[r], arcs[c])), shape=shape)


def _named(labels: Sequence[str], names: tuple[str, ...], codes: NDArray[np.int32]) -> BoolArray:
    """Return which codes stand for one of the names; -1 stands for none."""
    wanted = np.zeros(len(labels) + 1, np.bool_)
    if names:
        few = set(names)
        wanted[:-1] = [label in few for label in labels]
    chosen: BoolArray = wanted[codes]
    return chosen

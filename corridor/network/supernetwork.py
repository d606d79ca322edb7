"""The supernetwork: layers of travel arcs, transfers between them, and posts at every border.

One node stands for a place in one layer (a kind of vehicle and gauge). Travel arcs stay inside a
layer, transfer arcs join layers at a terminal, access and egress arcs join a place's layers with
its origin and destination nodes, which no path can pass through. A border link becomes ``travel ->
exit post -> entry post -> travel``, a ferry or sea link that names a crossing ``exit post -> sea ->
entry post``, in each direction with nodes of its own: nobody turns back between two posts. Every
arc has exactly one legal jurisdiction; the high seas have ``XXZ``, which is no state.

The module knows what is built, where and whose it is. It knows nothing of rules, waits or prices.
"""

from dataclasses import dataclass, fields, replace
from enum import IntEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from corridor.core.graph import Graph

if TYPE_CHECKING:
    import pandas as pd

    from corridor.network.models import Network

IntArray: TypeAlias = NDArray[np.int32]
FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
Scalar = TypeVar("Scalar", bound=np.generic)

HIGH_SEAS: Final = "XXZ"
"""Jurisdiction of a sea arc: no state (UN/LOCODE user code for international waters)."""


class ArcKind(IntEnum):
    """What a shipment does on an arc."""

    TRAVEL = 0
    EXIT = 1
    ENTRY = 2
    TRANSFER = 3
    ACCESS = 4
    EGRESS = 5


ENDS: Final = (ArcKind.ACCESS, ArcKind.EGRESS)
"""Arcs from an origin into a layer, and from a layer to a destination: loading and unloading."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Supernetwork:
    """A graph plus one array per property of its arcs and nodes.

    Attributes
    ----------
    graph
        The directed graph.
    countries, layers, places
        Labels of the country, layer and place codes; ``countries[-1]`` is the high seas.
    node_place, node_layer : ndarray of int32, shape (n_nodes,)
        Place of a node, and its layer (-1 for origin and destination nodes).
    arc_kind : ndarray of int8, shape (n_arcs,)
        An `ArcKind`.
    arc_link, arc_crossing, arc_terminal : ndarray of int32, shape (n_arcs,)
        Row of the link, crossing or terminal the arc was made from, -1 where there is none.
    arc_layer, arc_from_layer : ndarray of int32, shape (n_arcs,)
        Layer of the arc; a transfer leads from ``arc_from_layer`` to ``arc_layer``.
    arc_country : ndarray of int32, shape (n_arcs,)
        Legal jurisdiction, a position in `countries`.
    arc_length_km : ndarray of float64, shape (n_arcs,)
        Length [km]; 0 except on travel arcs. A border link's length is split between its two
        states.
    arc_forward : ndarray of bool, shape (n_arcs,)
        True along the link's own direction, ``from_node`` to ``to_node``.
    arc_a_to_b : ndarray of bool, shape (n_arcs,)
        True along the crossing's own direction, ``country_a`` to ``country_b``; True without a
        crossing.
    arc_reverse : ndarray of int32, shape (n_arcs,)
        The same piece of way in the other direction, -1 where there is none.
    arc_before : ndarray of int32, shape (n_arcs,)
        The arc before it in the chain of its crossing, in its own direction; -1 on the first arc of
        a chain and outside chains.
    arc_open : ndarray of bool, shape (n_arcs,)
        Physically open on the network's date.
    arc_is_main : ndarray of bool, shape (n_arcs,)
        True for the one arc of a link and direction on which the flow of the link is counted.
    arc_plain : ndarray of int32, shape (n_arcs,)
        The arc that this one is a copy of; its own position except where rules on whole ways give
        arcs copies (see `copy_arcs`).
    source, sink : ndarray of int32, shape (n_places,)
        Origin and destination node of each place, -1 where no layer touches it.
    """

    graph: Graph
    countries: tuple[str, ...]
    layers: tuple[str, ...]
    places: tuple[str, ...]
    node_place: IntArray
    node_layer: IntArray
    arc_kind: NDArray[np.int8]
    arc_link: IntArray
    arc_crossing: IntArray
    arc_terminal: IntArray
    arc_layer: IntArray
    arc_from_layer: IntArray
    arc_country: IntArray
    arc_length_km: FloatArray
    arc_forward: BoolArray
    arc_a_to_b: BoolArray
    arc_reverse: IntArray
    arc_before: IntArray
    arc_open: BoolArray
    arc_is_main: BoolArray
    arc_plain: IntArray
    source: IntArray
    sink: IntArray

    @property
    def n_arcs(self) -> int:
        """Number of arcs."""
        return int(self.arc_kind.size)

    @property
    def is_copy(self) -> BoolArray:
        """Which arcs are copies of others."""
        copies: BoolArray = self.arc_plain != np.arange(self.n_arcs)
        return copies

    @property
    def high_seas(self) -> int:
        """Code of the jurisdiction that is no state."""
        return len(self.countries) - 1

    @property
    def arc_share(self) -> FloatArray:
        """Part of its link's length that a travel arc covers: a border link has two; else 0."""
        travel = self.is_kind(ArcKind.TRAVEL)
        own = travel & ~self.is_copy
        way = 2 * self.arc_link.astype(np.int64) + self.arc_forward
        pieces = np.bincount(way[own], minlength=int(way.max(initial=0)) + 1)
        return np.where(travel, 1.0 / np.maximum(pieces[way], 1), 0.0)

    def is_kind(self, *kinds: ArcKind) -> BoolArray:
        """Return which arcs are of one of the kinds."""
        return np.isin(self.arc_kind, np.array(kinds, dtype=np.int8))


class _Arcs:
    """Collects arcs block by block; a column has the block's length or is one value."""

    COLUMNS: Final = (
        "tail", "head", "kind", "link", "crossing", "terminal", "layer", "from_layer", "country",
        "length_km", "forward", "a_to_b", "is_open", "is_main",
    )  # fmt: skip
    DEFAULTS: Final[dict[str, float]] = {
        "link": -1, "crossing": -1, "terminal": -1, "length_km": 0.0, "forward": True,
        "a_to_b": True, "is_open": True, "is_main": False,
    }  # fmt: skip

    def __init__(self) -> None:
        self.blocks: dict[str, list[NDArray[np.generic]]] = {name: [] for name in self.COLUMNS}
        self.reverse: list[IntArray] = []
        self.n_arcs = 0

    def add(self, n: int, columns: dict[str, object], reverse: IntArray | None = None) -> IntArray:
        """Add ``n`` arcs and return their ids."""
        values = {**self.DEFAULTS, **columns}
        values.setdefault("from_layer", values["layer"])
        for name, blocks in self.blocks.items():
            blocks.append(np.broadcast_to(np.asarray(values[name]), (n,)))
        ids = np.arange(self.n_arcs, self.n_arcs + n, dtype=np.int32)
        self.reverse.append(np.full(n, -1, np.int32) if reverse is None else reverse)
        self.n_arcs += n
        return ids

    def add_both(
        self,
        n: int,
        columns: dict[str, object],
        directed: BoolArray,
        back_ends: tuple[IntArray, IntArray] | None = None,
    ) -> IntArray:
        """Add ``n`` arcs and, where not directed, their reverses; return the forward ids.

        The reverses lead from head to tail, or between ends of their own, ``(tail, head)``.
        """
        two_way = np.flatnonzero(~directed)
        first = self.n_arcs
        reverse = np.full(n, -1, np.int32)
        reverse[two_way] = first + n + np.arange(two_way.size)
        ids = self.add(n, columns, reverse)
        swap = {"tail": "head", "head": "tail"}
        back: dict[str, object] = {}
        for name, value in columns.items():
            array = np.broadcast_to(np.asarray(value), (n,))
            back[swap.get(name, name)] = array[two_way]
        if back_ends is not None:
            back["tail"], back["head"] = (ends[two_way] for ends in back_ends)
        back["forward"] = False
        back["a_to_b"] = ~np.asarray(back["a_to_b"]) if "a_to_b" in back else True
        if "kind" in columns:
            back["kind"] = _REVERSED_KIND[np.asarray(back["kind"])]
        self.add(two_way.size, back, ids[two_way])
        return ids

    def column(self, name: str, dtype: type[Scalar]) -> NDArray[Scalar]:
        """Return one column of all arcs, read-only."""
        if not self.n_arcs:
            return _locked(np.zeros(0, dtype))
        return _locked(np.concatenate(self.blocks[name]).astype(dtype))

    @property
    def reverses(self) -> IntArray:
        """Reverse of every arc, -1 where there is none."""
        return np.concatenate(self.reverse) if self.reverse else np.zeros(0, np.int32)


_REVERSED_KIND = np.array(
    [ArcKind.TRAVEL, ArcKind.ENTRY, ArcKind.EXIT, ArcKind.TRANSFER, ArcKind.ACCESS, ArcKind.EGRESS],
    dtype=np.int8,
)


@dataclass(slots=True)
class _Nodes:
    """Hands out node numbers: one per (place, layer), and fresh ones for posts and zones."""

    n_layers: int
    place_layer: IntArray  # (n_places * n_layers,) node or -1
    place: list[IntArray]
    layer: list[IntArray]
    n_nodes: int

    @classmethod
    def none_yet(cls, n_places: int, n_layers: int) -> "_Nodes":
        """Return the numbering before its first node."""
        unused = np.full(n_places * n_layers, -1, np.int32)
        return cls(n_layers=n_layers, place_layer=unused, place=[], layer=[], n_nodes=0)

    def fresh(self, place: IntArray, layer: IntArray) -> IntArray:
        """Return new nodes that stand at these places in these layers."""
        ids = np.arange(self.n_nodes, self.n_nodes + place.size, dtype=np.int32)
        self.place.append(place.astype(np.int32))
        self.layer.append(layer.astype(np.int32))
        self.n_nodes += place.size
        return ids

    def at(self, place: IntArray, layer: IntArray) -> IntArray:
        """Return the nodes of these places in these layers, made on first use."""
        key = place.astype(np.int64) * self.n_layers + layer
        missing = np.unique(key[self.place_layer[key] < 0])
        fresh = self.fresh(missing // self.n_layers, missing % self.n_layers)
        self.place_layer[missing] = fresh
        found: IntArray = self.place_layer[key]
        return found


def build_supernetwork(network: "Network") -> Supernetwork:
    """Return the supernetwork of a network, on the network's date.

    Parameters
    ----------
    network
        A validated network.

    Returns
    -------
    Supernetwork
        Closed links are part of it (``arc_open`` is False), so that a study can say what they
        block.
    """
    states = sorted(set(network.nodes["country"]))
    code = {state: i for i, state in enumerate(states)}
    country_of = network.nodes["country"].map(code).to_numpy(np.int32)
    nodes = _Nodes.none_yet(len(network.nodes), len(network.layers))
    arcs = _Arcs()
    links = _link_positions(network, country_of)
    _add_inland(links, nodes, arcs)
    chains = _add_borders(links, nodes, arcs, high_seas=len(states))
    _add_terminals(network, nodes, arcs, country_of)
    source, sink = _add_zones(nodes, arcs, country_of)
    return Supernetwork(
        graph=Graph(nodes.n_nodes, arcs.column("tail", np.int32), arcs.column("head", np.int32)),
        countries=(*states, HIGH_SEAS),
        layers=tuple(network.layers["layer"]),
        places=tuple(network.nodes["node_id"]),
        node_place=_locked(np.concatenate(nodes.place)),
        node_layer=_locked(np.concatenate(nodes.layer)),
        arc_kind=arcs.column("kind", np.int8),
        arc_link=arcs.column("link", np.int32),
        arc_crossing=arcs.column("crossing", np.int32),
        arc_terminal=arcs.column("terminal", np.int32),
        arc_layer=arcs.column("layer", np.int32),
        arc_from_layer=arcs.column("from_layer", np.int32),
        arc_country=arcs.column("country", np.int32),
        arc_length_km=arcs.column("length_km", np.float64),
        arc_forward=arcs.column("forward", np.bool_),
        arc_a_to_b=arcs.column("a_to_b", np.bool_),
        arc_reverse=_locked(arcs.reverses),
        arc_before=_locked(_before(chains, arcs.reverses)),
        arc_open=arcs.column("is_open", np.bool_),
        arc_is_main=arcs.column("is_main", np.bool_),
        arc_plain=_locked(np.arange(arcs.n_arcs, dtype=np.int32)),
        source=source,
        sink=sink,
    )


def copy_arcs(net: Supernetwork, graph: Graph, arc: IntArray, node: IntArray) -> Supernetwork:
    """Return a supernetwork with copies of its arcs and nodes behind its own.

    A copy has all properties of its arc, its reverse and predecessor among them; it is counted
    where the arc is counted.

    Parameters
    ----------
    net
        The supernetwork.
    graph
        Its graph with the copies: the first nodes and arcs are the supernetwork's own.
    arc : ndarray of int32, shape (n_arcs,)
        The arc of `net` that each arc of `graph` is a copy of.
    node : ndarray of int32, shape (n_nodes,)
        The same of the nodes.
    """
    copied: dict[str, Any] = {
        field.name: _locked(getattr(net, field.name)[arc if field.name[:4] == "arc_" else node])
        for field in fields(net)
        if field.name.startswith(("arc_", "node_"))
    }
    return replace(net, graph=graph, **copied)


def _locked(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """Return the array, read-only."""
    array.flags.writeable = False
    return array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Links:
    """The links table as positions: one entry per row."""

    tail: IntArray
    head: IntArray
    layer: IntArray
    crossing: IntArray
    tail_country: IntArray
    head_country: IntArray
    at_sea: BoolArray
    length_km: FloatArray
    directed: BoolArray
    a_to_b: BoolArray
    is_open: BoolArray

    def rows(self, mask: BoolArray) -> IntArray:
        """Return the positions of the rows under a mask."""
        return np.flatnonzero(mask).astype(np.int32)


def _positions(values: "pd.Series", labels: "pd.Series") -> IntArray:
    """Return the position of each value among the labels, -1 where it is absent."""
    table = {label: i for i, label in enumerate(labels)}
    return values.map(lambda value: table.get(value, -1)).to_numpy(np.int32)


def _link_positions(network: "Network", country_of: IntArray) -> _Links:
    links, crossings = network.links, network.crossings
    tail = _positions(links["from_node"], network.nodes["node_id"])
    head = _positions(links["to_node"], network.nodes["node_id"])
    layer = _positions(links["layer"], network.layers["layer"])
    crossing = _positions(links["crossing_id"], crossings["crossing_id"])
    at_sea = (network.layers["mode"] == "sea").to_numpy(bool)[layer]
    crossing_open = np.append(network.open_crossings, True)
    states = network.nodes["country"].to_numpy()
    first_state = np.append(crossings["country_a"].to_numpy(), "")
    # A crossing's own direction is country_a -> country_b, whichever way its link was drawn.
    a_to_b = (crossing < 0) | (states[tail] == first_state[crossing])
    return _Links(
        tail=tail,
        head=head,
        layer=layer,
        crossing=crossing,
        tail_country=country_of[tail],
        head_country=country_of[head],
        at_sea=at_sea,
        length_km=links["length_km"].to_numpy(float),
        directed=links["directed"].to_numpy(bool),
        a_to_b=a_to_b,
        is_open=network.open_links & crossing_open[crossing],
    )


def _add_inland(links: _Links, nodes: _Nodes, arcs: _Arcs) -> None:
    rows = links.rows(links.crossing < 0)
    layer = links.layer[rows]
    columns: dict[str, object] = {
        "tail": nodes.at(links.tail[rows], layer),
        "head": nodes.at(links.head[rows], layer),
        "kind": ArcKind.TRAVEL,
        "link": rows,
        "layer": layer,
        "country": links.tail_country[rows],
        "length_km": links.length_km[rows],
        "is_open": links.is_open[rows],
        "is_main": True,
    }
    arcs.add_both(rows.size, columns, links.directed[rows])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Step:
    """One arc of every chain of a kind: what it does, whose it is, and its share of the length."""

    kind: ArcKind
    country: IntArray
    share: float = 0.0
    is_main: bool = False


def _add_borders(links: _Links, nodes: _Nodes, arcs: _Arcs, high_seas: int) -> list[list[IntArray]]:
    """Add the chain of each crossing; return the forward arcs of the chains, step by step."""
    by_land = links.rows((links.crossing >= 0) & ~links.at_sea)
    first, second = links.tail_country[by_land], links.head_country[by_land]
    on_land = [
        _Step(kind=ArcKind.TRAVEL, country=first, share=0.5, is_main=True),
        _Step(kind=ArcKind.EXIT, country=first),
        _Step(kind=ArcKind.ENTRY, country=second),
        _Step(kind=ArcKind.TRAVEL, country=second, share=0.5),
    ]
    by_sea = links.rows((links.crossing >= 0) & links.at_sea)
    seas = np.full(by_sea.size, high_seas, np.int32)
    at_sea = [
        _Step(kind=ArcKind.EXIT, country=links.tail_country[by_sea]),
        _Step(kind=ArcKind.TRAVEL, country=seas, share=1.0, is_main=True),
        _Step(kind=ArcKind.ENTRY, country=links.head_country[by_sea]),
    ]
    kinds = ((by_land, on_land), (by_sea, at_sea))
    return [_add_chains(links, rows, steps, nodes, arcs) for rows, steps in kinds if rows.size]


def _add_chains(
    links: _Links, rows: IntArray, steps: list[_Step], nodes: _Nodes, arcs: _Arcs
) -> list[IntArray]:
    layer = links.layer[rows]
    shared: dict[str, object] = {
        "link": rows,
        "crossing": links.crossing[rows],
        "layer": layer,
        "is_open": links.is_open[rows],
        "a_to_b": links.a_to_b[rows],
    }
    ends = nodes.at(links.tail[rows], layer), nodes.at(links.head[rows], layer)
    # What lies past the middle of the chain stands at the far end's place. Each direction has nodes
    # of its own there: nobody turns back between two posts.
    middle = [
        links.tail[rows] if position < len(steps) // 2 else links.head[rows]
        for position in range(len(steps) - 1)
    ]
    there, back = (
        [ends[0], *(nodes.fresh(place, layer) for place in middle), ends[1]] for _ in range(2)
    )
    forward: list[IntArray] = []
    for position, step in enumerate(steps):
        own: dict[str, object] = {
            "tail": there[position],
            "head": there[position + 1],
            "kind": np.full(rows.size, step.kind, np.int8),
            "country": step.country,
            "length_km": links.length_km[rows] * step.share,
            "is_main": step.is_main,
        }
        columns, back_ends = {**shared, **own}, (back[position + 1], back[position])
        forward.append(arcs.add_both(rows.size, columns, links.directed[rows], back_ends))
    return forward


def _before(chains: list[list[IntArray]], reverse: IntArray) -> IntArray:
    """Return the arc before each arc in its chain; a chain's reverse runs the other way."""
    before = np.full(reverse.size, -1, np.int32)
    for chain in chains:
        for first, second in pairwise(chain):
            before[second] = first
            two_way = reverse[first] >= 0
            before[reverse[first[two_way]]] = reverse[second[two_way]]
    return before


def _add_terminals(network: "Network", nodes: _Nodes, arcs: _Arcs, country_of: IntArray) -> None:
    terminals = network.terminals
    if not len(terminals):
        return
    place = _positions(terminals["node_id"], network.nodes["node_id"])
    from_layer = _positions(terminals["from_layer"], network.layers["layer"])
    to_layer = _positions(terminals["to_layer"], network.layers["layer"])
    columns: dict[str, object] = {
        "tail": nodes.at(place, from_layer),
        "head": nodes.at(place, to_layer),
        "kind": ArcKind.TRANSFER,
        "terminal": np.arange(len(terminals)),
        "layer": to_layer,
        "from_layer": from_layer,
        "country": country_of[place],
    }
    arcs.add(len(terminals), columns)


def _add_zones(nodes: _Nodes, arcs: _Arcs, country_of: IntArray) -> tuple[IntArray, IntArray]:
    """Give every place that a layer touches an origin and a destination node."""
    used = np.flatnonzero(nodes.place_layer >= 0)
    place = (used // nodes.n_layers).astype(np.int32)
    layer = (used % nodes.n_layers).astype(np.int32)
    zones = np.unique(place)
    ends: list[IntArray] = []
    for kind in ENDS:
        zone_node = np.full(country_of.size, -1, np.int32)
        zone_node[zones] = nodes.fresh(zones, np.full(zones.size, -1))
        outside, inside = zone_node[place], nodes.place_layer[used]
        tail, head = (outside, inside) if kind is ArcKind.ACCESS else (inside, outside)
        columns: dict[str, object] = {
            "tail": tail,
            "head": head,
            "kind": kind,
            "layer": layer,
            "country": country_of[place],
        }
        arcs.add(place.size, columns)
        ends.append(_locked(zone_node))
    return ends[0], ends[1]

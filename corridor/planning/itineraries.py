"""Door-to-door itineraries: the verbs ``route`` and ``alternatives``."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.core.paths import arc_paths, k_shortest_paths, shortest_paths
from corridor.errors import InputError, NoRouteError
from corridor.network import Network
from corridor.network.supernetwork import ArcKind
from corridor.planning.model import Model, compile_model
from corridor.sovereignty import Rules, Shipments

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]
Criterion: TypeAlias = Literal["generalized_cost", "time", "money", "co2"]

_LEG_NAMES = {
    ArcKind.TRAVEL: "travel",
    ArcKind.EXIT: "exit post",
    ArcKind.ENTRY: "entry post",
    ArcKind.TRANSFER: "transfer",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Itinerary:
    """One way from door to door for a tonne of a commodity, at background load.

    Attributes
    ----------
    origin, destination, commodity, minimize
        What was asked.
    time_h, moving_h, border_h, terminal_h, service_wait_h
        Total time, and its parts: under way, at posts, in terminals, waiting for a sailing or train
        [h].
    cost_usd_per_t, cost_usd_per_teu
        Money [USD/t] and, for containerised goods, [USD/TEU loaded]; NaN otherwise.
    generalized_usd_per_t
        Money, time and reliability [USD/t].
    co2_kg_per_t, length_km
        Emissions [kg/t] and length [km].
    links, crossings, countries
        Ids in the order in which they are met.
    legs
        ``kind`` (travel, exit post, entry post, transfer), ``mode, layer, country`` (jurisdiction),
        ``from_node, to_node, crossing_id, length_km, time_h, fixed_h, service_h, wait_h`` (queue,
        or the wait for a sailing), ``cost_usd_per_t, fee_usd_per_t`` (the part that rules and posts
        take), ``co2_kg_per_t``.
    """

    origin: str
    destination: str
    commodity: str
    minimize: Criterion
    time_h: float
    moving_h: float
    border_h: float
    terminal_h: float
    service_wait_h: float
    cost_usd_per_t: float
    cost_usd_per_teu: float
    generalized_usd_per_t: float
    co2_kg_per_t: float
    length_km: float
    links: tuple[str, ...]
    crossings: tuple[str, ...]
    countries: tuple[str, ...]
    legs: pd.DataFrame

    def __repr__(self) -> str:
        return (
            f"Itinerary({self.origin} -> {self.destination}, {self.commodity}: {self.length_km:,.0f} km, "
            f"{self.time_h / 24:.1f} days, {self.cost_usd_per_t:,.0f} USD/t, {len(self.crossings)} crossings)"
        )


def route(
    network: Network,
    origin: str,
    destination: str,
    commodity: str | None = None,
    rules: Rules | None = None,
    minimize: Criterion = "generalized_cost",
    depart: dt.datetime | None = None,
) -> Itinerary:
    """Return the best way for a tonne of a commodity, queues at background load.

    Parameters
    ----------
    network
        The network as of its date.
    origin, destination
        Node ids.
    commodity
        Commodity id; None is the first commodity of the table.
    rules
        Rules as of their date; None is no rules. The carrier's flag is that of the origin's state.
    minimize
        ``generalized_cost``, ``time``, ``money`` or ``co2``.
    depart
        Dated itineraries need a timetable search that this version does not have: only None.

    Returns
    -------
    Itinerary
        Legs, times, money and emissions.

    Raises
    ------
    InputError
        If an id is unknown, origin equals destination, or `depart` is given.
    NoRouteError
        If no open way exists; ``reasons`` has the rules and links that block the cheapest.

    Examples
    --------
    >>> import corridor
    >>> net = corridor.load_network("crossroads", date="2026-06-30")
    >>> itinerary = corridor.route(net, "AZ_BAKU", "GE_TBILISI")
    >>> itinerary.countries
    ('AZE', 'GEO')
    """
    return alternatives(network, origin, destination, 1, commodity, rules, minimize, depart)[0]


def alternatives(
    network: Network,
    origin: str,
    destination: str,
    k: int = 5,
    commodity: str | None = None,
    rules: Rules | None = None,
    minimize: Criterion = "generalized_cost",
    depart: dt.datetime | None = None,
) -> list[Itinerary]:
    """Return the ``k`` best simple ways, best first; fewer where there are fewer.

    Parameters
    ----------
    k
        Number of ways, >= 1.
    network, origin, destination, commodity, rules, minimize, depart
        As in `route`.

    Raises
    ------
    InputError, NoRouteError
        As `route`.

    Examples
    --------
    >>> import corridor
    >>> net = corridor.load_network("crossroads", date="2026-06-30")
    >>> ways = corridor.alternatives(net, "AZ_BAKU", "GE_TBILISI", k=3)
    >>> [a.generalized_usd_per_t <= b.generalized_usd_per_t for a, b in zip(ways, ways[1:])]
    [True, True]
    """
    if depart is not None:
        msg = "depart must be None in this version: it has no timetable search. Leave it out."
        raise InputError(msg)
    if k < 1:
        msg = f"k must be at least 1 way; found {k}."
        raise InputError(msg)
    goods = network.commodities["commodity_id"]
    wanted = commodity if commodity is not None else str(goods.iloc[0])
    shipments = single_shipments(network, [(origin, destination, wanted)])
    return find_itineraries(compile_model(network, shipments, rules), 0, minimize=minimize, k=k)


def single_shipments(network: Network, rows: Iterable[tuple[str, str, str]]) -> Shipments:
    """Return shipments (origin, destination, commodity) without tonnes, under the flag of the origin's state.

    Raises
    ------
    InputError
        If an id is unknown, or an origin is its own destination.
    """
    places = network.nodes["node_id"].to_numpy(object)
    states = network.nodes["country"].to_numpy(object)
    goods = network.commodities["commodity_id"].to_numpy(object)
    ends: list[tuple[int, int, int]] = []
    for origin, destination, commodity in rows:
        if origin == destination:
            msg = f"Origin and destination must differ; both are {origin!r}. Give two nodes."
            raise InputError(msg)
        ends.append(
            (_position(origin, places, "node"), _position(destination, places, "node"),
             _position(commodity, goods, "commodity"))
        )  # fmt: skip
    origin_at, destination_at, good = np.array(ends, dtype=np.int32).reshape(-1, 3).T
    return Shipments(
        origin=origin_at,
        destination=destination_at,
        commodity=good,
        flag=states[origin_at],
        places=places,
        place_country=states,
        commodities=goods,
    )


def _position(name: str, known: NDArray[np.object_], noun: str) -> int:
    found = np.flatnonzero(known == name)
    if not found.size:
        near = get_close_matches(name, known.tolist(), n=3)
        hint = f"Did you mean {', '.join(near)}?" if near else f"See {noun}s of the network."
        msg = f"{noun.capitalize()} must be one of the network's {known.size}; {name!r} is none of them. {hint}"
        raise InputError(msg)
    return int(found[0])


def find_itineraries(
    model: Model,
    shipment: int,
    *,
    minimize: Criterion = "generalized_cost",
    k: int = 1,
    layers: frozenset[str] | None = None,
) -> list[Itinerary]:
    """Return the best ways of one shipment of a compiled model, best first.

    Parameters
    ----------
    model
        A compiled model.
    shipment
        Row of the model's shipments.
    minimize, k
        Criterion, and number of ways.
    layers
        Only these layers may be used; None is all.

    Raises
    ------
    NoRouteError
        If no open way exists.
    """
    net = model.supernetwork
    code = int(model.class_of[shipment])
    cost = _criterion(model, code, minimize)
    usable = np.ones(net.n_arcs, np.bool_)
    if layers is not None:
        usable = np.isin(np.array(net.layers, dtype=object)[net.arc_layer], list(layers))
    source = int(net.source[model.shipments.origin[shipment]])
    sink = int(net.sink[model.shipments.destination[shipment]])
    allowed = np.where(model.allowed[code] & usable, cost, np.inf)
    paths = (
        k_shortest_paths(net.graph, allowed, source, sink, k) if source >= 0 and sink >= 0 else []
    )
    if not paths:
        raise _no_route(model, shipment, np.where(usable, cost, np.inf), source, sink)
    return [_itinerary(model, shipment, np.asarray(path.arcs), minimize) for path in paths]


def _criterion(model: Model, code: int, minimize: Criterion) -> FloatArray:
    good = int(model.classes.commodity[code])
    costs = model.costs
    if minimize == "generalized_cost":
        return costs.generalized_usd_per_t(with_wait=True)[good] + model.fee_usd_per_t[code]
    if minimize == "time":
        return costs.time_h[good] + costs.wait_h[good]
    if minimize == "money":
        return costs.money_usd_per_t[good] + model.fee_usd_per_t[code]
    if minimize == "co2":
        return costs.co2_kg_per_t[good]
    msg = f"minimize must be generalized_cost, time, money or co2; found {minimize!r}."
    raise InputError(msg)


def _no_route(
    model: Model, shipment: int, cost: FloatArray, source: int, sink: int
) -> NoRouteError:
    """Return the error that names what blocks the cheapest way: rules first, else closed links."""
    net, shipments = model.supernetwork, model.shipments
    origin, destination = (
        net.places[ends[shipment]] for ends in (shipments.origin, shipments.destination)
    )
    where = f"A way from {origin} to {destination} must be open; there is none"
    if source < 0 or sink < 0:
        bare = origin if source < 0 else destination
        return NoRouteError(f"{where}: no link touches {bare}. Add links to it.", [bare])
    for open_only in (True, False):
        passable = np.where(net.arc_open, cost, np.inf) if open_only else cost
        distance, predecessor = shortest_paths(net.graph, passable, [source])
        if np.isfinite(distance[0, sink]):
            break
    else:
        return NoRouteError(
            f"{where}, not even over closed links. Add the missing links or terminals."
        )
    arcs = arc_paths(net.graph, predecessor[0], sink)
    code = int(model.class_of[shipment])
    rules = [
        ban.rule_id for ban in model.effects.bans if ban.pairs[[code]].toarray()[0, arcs].any()
    ]
    closed = np.unique(net.arc_link[arcs[~net.arc_open[arcs] & (net.arc_link[arcs] >= 0)]])
    links = model.network.links["link_id"].iloc[closed].tolist()
    reasons = [*rules, *links]
    advice = "Drop or change the rules, open the links, or choose other ends."
    return NoRouteError(
        f"{where}: the cheapest is blocked by {', '.join(reasons)}. {advice}", reasons
    )


def _itinerary(model: Model, shipment: int, arcs: IntArray, minimize: Criterion) -> Itinerary:
    net, network, costs = model.supernetwork, model.network, model.costs
    good = int(model.shipments.commodity[shipment])
    code = int(model.class_of[shipment])
    steps = _steps(model, good, code, arcs)
    legs = _legs(model, steps)
    kind = steps["arc_kind"]
    hours = steps["time_h"].to_numpy(float)
    t_per_teu = float(model.filled.commodities["t_per_teu"].iloc[good])
    boxed = bool(network.commodities["containerised"].iloc[good])
    money = float(steps["cost_usd_per_t"].sum())
    generalized = float(
        (costs.generalized_usd_per_t(with_wait=True)[good] + model.fee_usd_per_t[code])[arcs].sum()
    )
    at_post = kind.isin([ArcKind.EXIT, ArcKind.ENTRY]).to_numpy(bool)
    sailing = (kind == ArcKind.TRAVEL).to_numpy(bool)
    waits = float(steps["wait_h"].to_numpy(float)[sailing].sum())
    shipments = model.shipments
    return Itinerary(
        origin=net.places[shipments.origin[shipment]],
        destination=net.places[shipments.destination[shipment]],
        commodity=str(shipments.commodities[good]),
        minimize=minimize,
        time_h=float(hours.sum()),
        moving_h=float(hours[sailing].sum()) - waits,
        border_h=float(hours[at_post].sum()),
        terminal_h=float(hours[(kind == ArcKind.TRANSFER).to_numpy(bool)].sum()),
        service_wait_h=waits,
        cost_usd_per_t=money,
        cost_usd_per_teu=money * t_per_teu if boxed else float("nan"),
        generalized_usd_per_t=generalized,
        co2_kg_per_t=float(steps["co2_kg_per_t"].sum()),
        length_km=float(steps["length_km"].sum()),
        links=_met(network.links["link_id"], net.arc_link[arcs]),
        crossings=_met(network.crossings["crossing_id"], net.arc_crossing[arcs]),
        countries=_met(
            pd.Series(net.countries[:-1]),
            np.where(net.arc_country == net.high_seas, -1, net.arc_country)[arcs],
        ),
        legs=legs,
    )


def _met(names: "pd.Series[str]", codes: NDArray[np.int32]) -> tuple[str, ...]:
    """Return the labels met on the way, each run of the same once."""
    met = codes[codes >= 0]
    runs = met[np.append(True, met[1:] != met[:-1])] if met.size else met
    return tuple(names.iloc[runs])


def _steps(model: Model, good: int, code: int, arcs: IntArray) -> pd.DataFrame:
    """Return one row per arc of a way, access and egress left out."""
    net, costs, posts = model.supernetwork, model.costs, model.posts
    arcs = arcs[~np.isin(net.arc_kind[arcs], (ArcKind.ACCESS, ArcKind.EGRESS))]
    post_of = np.full(net.n_arcs, -1)
    post_of[posts.arc] = np.arange(posts.arc.size)
    post = post_of[arcs]
    at_post = post >= 0
    queue = np.where(at_post, costs.wait_h[good, arcs], model.service_wait_h[arcs])
    fees = costs.post_fee_usd_per_t[good, arcs] + model.fee_usd_per_t[code, arcs]
    labels = np.array([*net.layers, ""], dtype=object)
    crossing = np.append(model.network.crossings["crossing_id"].to_numpy(object), "")
    modes = model.network.layers["mode"].to_numpy(object)
    return pd.DataFrame(
        {
            "arc_kind": net.arc_kind[arcs],
            "mode": modes[net.arc_layer[arcs]],
            "layer": labels[net.arc_layer[arcs]],
            "country": np.array(net.countries, dtype=object)[net.arc_country[arcs]],
            "from_place": net.node_place[net.graph.tail[arcs]],
            "to_place": net.node_place[net.graph.head[arcs]],
            "crossing_id": np.where(at_post, crossing[net.arc_crossing[arcs]], ""),
            "length_km": net.arc_length_km[arcs],
            "time_h": costs.time_h[good, arcs] + costs.wait_h[good, arcs],
            "fixed_h": np.where(at_post, posts.fixed_h[post, good], 0.0),
            "service_h": np.where(at_post, posts.service_h[post, good], 0.0),
            "wait_h": queue,
            "cost_usd_per_t": costs.money_usd_per_t[good, arcs] + model.fee_usd_per_t[code, arcs],
            "fee_usd_per_t": fees,
            "co2_kg_per_t": costs.co2_kg_per_t[good, arcs],
        }
    )


def _legs(model: Model, steps: pd.DataFrame) -> pd.DataFrame:
    """Join the steps that stay in one kind, layer and state."""
    if not len(steps):
        return steps
    keys = steps[["arc_kind", "layer", "country", "crossing_id"]]
    leg = (keys != keys.shift()).any(axis=1).cumsum()
    places = np.array(model.supernetwork.places, dtype=object)
    first, last = steps.groupby(leg).first(), steps.groupby(leg).last()
    numbers = steps.columns[steps.columns.get_loc("length_km") :]  # type: ignore[misc]
    legs = steps.groupby(leg)[list(numbers)].sum()
    legs.insert(0, "kind", first["arc_kind"].map({int(k): name for k, name in _LEG_NAMES.items()}))
    for column in ("mode", "layer", "country"):
        legs.insert(len(legs.columns) - len(numbers), column, first[column])
    legs.insert(len(legs.columns) - len(numbers), "from_node", places[first["from_place"]])
    legs.insert(len(legs.columns) - len(numbers), "to_node", places[last["to_place"]])
    legs.insert(len(legs.columns) - len(numbers), "crossing_id", first["crossing_id"])
    return legs.reset_index(drop=True)

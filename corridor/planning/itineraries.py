"""Door-to-door itineraries: the verbs ``route`` and ``alternatives``."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from operator import attrgetter
from typing import Final, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.core.paths import DatedPath, arc_paths, k_shortest_paths, shortest_paths
from corridor.errors import InputError, NoRouteError
from corridor.network import Network
from corridor.network.supernetwork import ArcKind
from corridor.planning.dated import Clock, compile_dated, date_legs, date_steps
from corridor.planning.model import Model, compile_model
from corridor.sovereignty import Rules, Shipments
from corridor.units import HOURS_PER_DAY

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
        A dated itinerary has also ``arrive, depart`` (UTC: when the shipment comes to ``from_node``
        and leaves it; a post or terminal when it is let go), ``timezone`` (there),
        ``opening_wait_h`` (wait for a closed post, in an undated one a mean in ``fixed_h``) and
        ``wait_reason``: ``closed``, ``queue``, ``departure`` (of a timetable), ``headway`` (mean
        wait for a service without one), joined by ``+``.
    depart, arrive
        Door to door in UTC, to the second; None for an undated itinerary, whose waits are means
        over all hours of the week.
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
    depart: dt.datetime | None = None
    arrive: dt.datetime | None = None

    def __repr__(self) -> str:
        ends = f"{self.origin} -> {self.destination}, {self.commodity}"
        days = self.time_h / HOURS_PER_DAY
        return (
            f"Itinerary({ends}: {self.length_km:,.0f} km, {days:.1f} days, "
            f"{self.cost_usd_per_t:,.0f} USD/t, {len(self.crossings)} crossings)"
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
        When the shipment leaves, with a time zone: opening hours and timetables are then kept to
        the hour, and every wait has its reason. ``minimize="time"`` takes the way that arrives
        first of all; the other criteria choose the way at mean waits and then date it. None is no
        date.

    Returns
    -------
    Itinerary
        Legs, times, money and emissions.

    Raises
    ------
    InputError
        If an id is unknown, origin equals destination, `depart` has no time zone, or a post or port
        that keeps hours has none.
    NoRouteError
        If no open way exists; ``reasons`` has the rules and links that block the cheapest. Also if
        an open post inspects less than a rule demands.

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

    With a date they are the ``k`` best at mean waits, dated and then put in order; under
    ``minimize="time"`` the way that arrives first of all is among them.

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
    if k < 1:
        msg = f"k must be at least 1 way; found {k}."
        raise InputError(msg)
    goods = network.commodities["commodity_id"]
    wanted = commodity if commodity is not None else str(goods.iloc[0])
    shipments = single_shipments(network, [(origin, destination, wanted)])
    model = compile_model(network, shipments, rules)
    return find_itineraries(model, 0, minimize=minimize, k=k, depart=depart)


def single_shipments(network: Network, rows: Iterable[tuple[str, str, str]]) -> Shipments:
    """Return shipments (origin, destination, commodity) without tonnes, under the origin's flag.

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
        msg = (
            f"{noun.capitalize()} must be one of the network's {known.size}; {name!r} is none of "
            f"them. {hint}"
        )
        raise InputError(msg)
    return int(found[0])


def find_itineraries(
    model: Model,
    shipment: int,
    *,
    minimize: Criterion = "generalized_cost",
    k: int = 1,
    layers: frozenset[str] | None = None,
    depart: dt.datetime | None = None,
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
    depart
        As in `route`.

    Raises
    ------
    NoRouteError
        If no open way exists, or an open post inspects less than an inspection floor demands.
    """
    net = model.supernetwork
    code = int(model.class_of[shipment])
    cost = _criterion(model, code, minimize)
    if layers is not None:
        chosen = np.array([layer in layers for layer in net.layers])
        cost = np.where(chosen[net.arc_layer], cost, np.inf)
    if model.breaches:
        raise _unlawful(model)
    source = int(net.source[model.shipments.origin[shipment]])
    sink = int(net.sink[model.shipments.destination[shipment]])
    allowed = np.where(model.allowed[code], cost, np.inf)
    ends = source, sink
    if depart is None:
        paths = k_shortest_paths(net.graph, allowed, source, sink, k)
        ways = [_itinerary(model, shipment, path.arcs, minimize) for path in paths]
    else:
        ways = _dated_itineraries(model, shipment, allowed, ends, minimize, k, depart)
    if not ways:
        raise _no_route(model, shipment, cost, source, sink)
    return ways


def _dated_itineraries(
    model: Model,
    shipment: int,
    cost: FloatArray,
    ends: tuple[int, int],
    minimize: Criterion,
    k: int,
    depart: dt.datetime,
) -> list[Itinerary]:
    """Return the ``k`` best ways at mean waits, and the earliest under ``time``, as dated."""
    graph, clock = model.supernetwork.graph, Clock.of_week(depart)
    good = int(model.shipments.commodity[shipment])
    dated = compile_dated(model, good, np.isfinite(cost), clock)
    start = clock.hour(depart)
    found = [dated.earliest(*ends, start)] if minimize == "time" else []
    if k > len(found):
        known = {path.arcs.tobytes() for path in found if path is not None}
        others = [path.arcs for path in k_shortest_paths(graph, cost, *ends, k)]
        found += [dated.along(arcs, start) for arcs in others if arcs.tobytes() not in known]
    ways = [
        _itinerary(model, shipment, path.arcs, minimize, path, clock)
        for path in found
        if path is not None
    ]
    return sorted(ways, key=attrgetter(_TOTALS[minimize]))[:k]


_TOTALS: Final[dict[Criterion, str]] = {
    "generalized_cost": "generalized_usd_per_t",
    "time": "time_h",
    "money": "cost_usd_per_t",
    "co2": "co2_kg_per_t",
}


def _criterion(model: Model, code: int, minimize: Criterion) -> FloatArray:
    """Return what an arc adds to the criterion for a class, shape (n_arcs,)."""
    good = int(model.classes.commodity[code])
    costs, fees = model.costs, model.fee_usd_per_t[code]
    if minimize == "generalized_cost":
        return np.asarray(costs.generalized_usd_per_t(with_wait=True)[good] + fees)
    if minimize == "time":
        return np.asarray(costs.time_h[good] + costs.wait_h[good])
    if minimize == "money":
        return np.asarray(costs.money_usd_per_t[good] + fees)
    if minimize == "co2":
        return np.asarray(costs.co2_kg_per_t[good])
    msg = f"minimize must be generalized_cost, time, money or co2; found {minimize!r}."
    raise InputError(msg)


def _unlawful(model: Model) -> NoRouteError:
    """Return the error that names the inspection floors that open posts do not meet."""
    rules = sorted({breach.rule_id for breach in model.breaches})
    first = model.breaches[0]
    msg = (
        f"Every open post must inspect what its state's rules demand; {len(model.breaches)} do "
        f"not, the first is {first.crossing_id} ({first.country}, {first.direction}): "
        f"{first.stage} sees {first.share:g} of the vehicles, {first.rule_id} demands "
        f"{first.floor:g}. Change the regime, the stages or the rules."
    )
    return NoRouteError(msg, rules)


def _no_route(
    model: Model, shipment: int, cost: FloatArray, source: int, sink: int
) -> NoRouteError:
    """Return the error that names what blocks the cheapest way: rules first, else closed links."""
    net, shipments = model.supernetwork, model.shipments
    origin = net.places[shipments.origin[shipment]]
    destination = net.places[shipments.destination[shipment]]
    where = f"A way from {origin} to {destination} must be open; there is none"
    for passable in (np.where(net.arc_open, cost, np.inf), cost):
        distance, predecessor = shortest_paths(net.graph, passable, [source])
        if np.isfinite(distance[0, sink]):
            break
    else:
        msg = f"{where}, not even over closed links. Add the missing links or terminals."
        return NoRouteError(msg)
    arcs = arc_paths(net.graph, predecessor[0], sink)
    code = int(model.class_of[shipment])
    rules = [
        ban.rule_id for ban in model.effects.bans if ban.pairs[[code]].toarray()[0, arcs].any()
    ]
    closed = arcs[~net.arc_open[arcs] & (net.arc_link[arcs] >= 0)]
    links = list(dict.fromkeys(model.network.links["link_id"].iloc[net.arc_link[closed]]))
    reasons = [*rules, *links]
    advice = "Drop or change the rules, open the links, or choose other ends."
    msg = f"{where}: the cheapest is blocked by {', '.join(reasons)}. {advice}"
    return NoRouteError(msg, reasons)


def _itinerary(
    model: Model,
    shipment: int,
    arcs: IntArray,
    minimize: Criterion,
    path: DatedPath | None = None,
    clock: Clock | None = None,
) -> Itinerary:
    net, network, shipments = model.supernetwork, model.network, model.shipments
    good, code = int(shipments.commodity[shipment]), int(model.class_of[shipment])
    steps = _steps(model, good, code, arcs)
    generalized = float(_criterion(model, code, "generalized_cost")[arcs].sum())
    depart = arrive = None
    if path is not None and clock is not None:
        usual_h = model.costs.time_h[good, arcs] + model.costs.wait_h[good, arcs]
        later_h = path.end_h - path.start_h - usual_h
        generalized += float((model.costs.usd_per_t_h[good, arcs] * later_h).sum())
        steps = date_steps(steps, model, path, clock)
        depart, arrive = clock.time(float(path.start_h[0])), clock.time(float(path.end_h[-1]))
    kind, hours = steps["arc_kind"].to_numpy(int), steps["time_h"].to_numpy(float)
    travels = kind == ArcKind.TRAVEL
    waits = float(steps["wait_h"].to_numpy(float)[travels].sum())
    money = float(steps["cost_usd_per_t"].sum())
    boxed = bool(network.commodities["containerised"].iloc[good])
    t_per_teu = float(model.filled.commodities["t_per_teu"].iloc[good])
    return Itinerary(
        origin=net.places[shipments.origin[shipment]],
        destination=net.places[shipments.destination[shipment]],
        commodity=str(shipments.commodities[good]),
        minimize=minimize,
        time_h=float(hours.sum()),
        moving_h=float(hours[travels].sum()) - waits,
        border_h=float(hours[np.isin(kind, (ArcKind.EXIT, ArcKind.ENTRY))].sum()),
        terminal_h=float(hours[kind == ArcKind.TRANSFER].sum()),
        service_wait_h=waits,
        cost_usd_per_t=money,
        cost_usd_per_teu=money * t_per_teu if boxed else float("nan"),
        generalized_usd_per_t=generalized,
        co2_kg_per_t=float(steps["co2_kg_per_t"].sum()),
        length_km=float(steps["length_km"].sum()),
        links=_met(network.links["link_id"].tolist(), net.arc_link[arcs]),
        crossings=_met(network.crossings["crossing_id"].tolist(), net.arc_crossing[arcs]),
        countries=_met(list(net.countries[:-1]), _ashore(model)[arcs]),
        legs=_legs(model, steps),
        depart=depart,
        arrive=arrive,
    )


def _ashore(model: Model) -> IntArray:
    """Return the state of every arc, -1 on the high seas."""
    net = model.supernetwork
    return np.where(net.arc_country == net.high_seas, -1, net.arc_country).astype(np.int32)


def _met(names: list[str], codes: IntArray) -> tuple[str, ...]:
    """Return the labels met on the way, each run of the same once."""
    met = codes[codes >= 0]
    is_new = np.append(True, met[1:] != met[:-1])[: met.size]
    return tuple(names[code] for code in met[is_new])


def _steps(model: Model, good: int, code: int, arcs: IntArray) -> pd.DataFrame:
    """Return one row per arc of a way, access and egress left out."""
    net, costs, posts = model.supernetwork, model.costs, model.posts
    arcs = arcs[~np.isin(net.arc_kind[arcs], (ArcKind.ACCESS, ArcKind.EGRESS))]
    post_of = np.full(net.n_arcs, -1)
    post_of[posts.arc] = np.arange(posts.arc.size)
    post = post_of[arcs]
    at_post = post >= 0
    fees = costs.post_fee_usd_per_t[good, arcs] + model.fee_usd_per_t[code, arcs]
    crossing = np.append(model.network.crossings["crossing_id"].to_numpy(object), "")
    modes = model.network.layers["mode"].to_numpy(object)
    wait_h = np.where(at_post, costs.wait_h[good, arcs], model.service_wait_h[arcs])
    return pd.DataFrame(
        {
            "arc_kind": net.arc_kind[arcs],
            "mode": modes[net.arc_layer[arcs]],
            "layer": np.array(net.layers, dtype=object)[net.arc_layer[arcs]],
            "country": np.array(net.countries, dtype=object)[net.arc_country[arcs]],
            "from_place": net.node_place[net.graph.tail[arcs]],
            "to_place": net.node_place[net.graph.head[arcs]],
            "crossing_id": np.where(at_post, crossing[net.arc_crossing[arcs]], ""),
            "length_km": net.arc_length_km[arcs],
            "time_h": costs.time_h[good, arcs] + costs.wait_h[good, arcs],
            "fixed_h": np.append(posts.fixed_h[:, good], 0.0)[post],
            "service_h": np.append(posts.service_h[:, good], 0.0)[post],
            "wait_h": wait_h,
            "cost_usd_per_t": costs.money_usd_per_t[good, arcs] + model.fee_usd_per_t[code, arcs],
            "fee_usd_per_t": fees,
            "co2_kg_per_t": costs.co2_kg_per_t[good, arcs],
        }
    )


_LABELS: Final = ("mode", "layer", "country")
_NUMBERS: Final = (
    "length_km", "time_h", "fixed_h", "service_h", "wait_h", "cost_usd_per_t", "fee_usd_per_t",
    "co2_kg_per_t",
)  # fmt: skip


def _legs(model: Model, steps: pd.DataFrame) -> pd.DataFrame:
    """Join the steps that stay in one kind, layer and state."""
    keys = steps[["arc_kind", "layer", "country", "crossing_id"]]
    is_new = (keys != keys.shift()).any(axis=1).to_numpy(bool)
    legs = steps.groupby(is_new.cumsum())
    first, last = legs.first(), legs.last()
    places = np.array(model.supernetwork.places, dtype=object)
    kinds = {int(kind): name for kind, name in _LEG_NAMES.items()}
    frame = pd.DataFrame(
        {
            "kind": first["arc_kind"].map(kinds),
            **{name: first[name] for name in _LABELS},
            "from_node": places[first["from_place"]],
            "to_node": places[last["to_place"]],
            "crossing_id": first["crossing_id"],
            **{name: legs[name].sum() for name in _NUMBERS},
        }
    )
    if "arrive" in steps:
        frame = date_legs(frame, legs)
    return frame.reset_index(drop=True)

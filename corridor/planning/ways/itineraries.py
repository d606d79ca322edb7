"""Door-to-door itineraries: the verbs ``route`` and ``alternatives``."""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain, islice
from operator import attrgetter
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.arguments import check_count, check_type
from corridor.core.paths import DatedPath
from corridor.errors import InputError, NoRouteError
from corridor.network import Network
from corridor.network.supernetwork import ENDS, ArcKind
from corridor.planning.model import Model, compile_model
from corridor.planning.reasons.refusals import (
    check_lawful,
    limits_block,
    no_way,
    shipment_ends,
    too_late,
)
from corridor.planning.ways.candidates import Gallery, candidate_ways
from corridor.planning.ways.dated import Clock, compile_dated, date_steps
from corridor.planning.ways.legs import join_legs, met_on_way, way_steps
from corridor.planning.ways.limits import ROUNDING, Bounds, Limits, avoided_arcs, compile_bounds
from corridor.planning.ways.measures import MEASURE_OF, Criterion, arc_measure
from corridor.sovereignty import Rules, Shipments
from corridor.units import HOURS_PER_DAY

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]

MOST_DATED_WAYS: Final = 200
"""Ways at mean waits, best first, that are dated to find some that keep a limit of time."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Itinerary:
    """One way from door to door for a tonne of a commodity, at background load.

    Attributes
    ----------
    origin, destination, commodity, minimize
        What was asked.
    time_h, moving_h, border_h, terminal_h, service_wait_h
        Total time, and its parts: under way, at posts, in terminals (loading at the first place and
        unloading at the last included), waiting for a sailing or train [h].
    cost_usd_per_t, cost_usd_per_teu
        Money [USD/t] and, for containerised goods, [USD/TEU loaded]; NaN otherwise.
    generalized_usd_per_t
        Money, time and reliability [USD/t].
    co2_kg_per_t, length_km
        Emissions [kg/t] and length [km].
    links, crossings, countries
        Ids in the order in which they are met.
    legs
        ``kind`` (loading, travel, exit post, entry post, transfer, unloading; an end that costs
        neither time nor money has no leg), ``mode, layer, country`` (jurisdiction),
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


def route(  # noqa: PLR0913 (the limits of a way are keywords of the verb)
    network: Network,
    origin: str,
    destination: str,
    commodity: str | None = None,
    rules: Rules | None = None,
    minimize: Criterion = "generalized_cost",
    depart: dt.datetime | None = None,
    *,
    max_crossings: int | None = None,
    max_time_h: float | None = None,
    max_cost_usd_per_t: float | None = None,
    max_km_in: Mapping[str, float] | None = None,
    avoid: Collection[str] = (),
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
    max_crossings
        Most borders; None is no limit.
    max_time_h
        Most hours from door to door; None is no limit. With a date it holds for the dated way, and
        the first 200 ways at mean waits and the one that arrives first are looked at.
    max_cost_usd_per_t
        Most money [USD/t]; None is no limit.
    max_km_in
        Most kilometers in single states [km], such as ``{"RUS": 300}``.
    avoid
        States whose territory may not be used, their ports and posts included.

    Returns
    -------
    Itinerary
        Legs, times, money and emissions. Without a date it is exactly the best of all simple ways
        that keep the limits.

    Raises
    ------
    InputError
        If an id is unknown, origin equals destination, `depart` has no time zone, or a post or port
        that keeps hours has none; if a limit is no number >= 0, or a state to avoid is that of
        origin or destination.
    NoRouteError
        If no open way exists; ``reasons`` has the rules and links that block the cheapest. If none
        keeps the limits: the message says the least that each would have to be, the others kept,
        and ``reasons`` has the limits that would help. Also if an open post inspects less than a
        rule demands.

    Examples
    --------
    >>> import corridor
    >>> net = corridor.load_network("crossroads", date="2026-06-30")
    >>> itinerary = corridor.route(net, "AZ_BAKU", "GE_TBILISI")
    >>> itinerary.countries
    ('AZE', 'GEO')
    >>> corridor.route(net, "AZ_BAKU", "TR_MERSIN", avoid=["GEO"]).countries
    ('AZE', 'ARM', 'TUR')
    """
    return alternatives(
        network,
        origin,
        destination,
        1,
        commodity,
        rules,
        minimize,
        depart,
        max_crossings=max_crossings,
        max_time_h=max_time_h,
        max_cost_usd_per_t=max_cost_usd_per_t,
        max_km_in=max_km_in,
        avoid=avoid,
    )[0]


def alternatives(  # noqa: PLR0913 (the limits of a way are keywords of the verb)
    network: Network,
    origin: str,
    destination: str,
    k: int = 5,
    commodity: str | None = None,
    rules: Rules | None = None,
    minimize: Criterion = "generalized_cost",
    depart: dt.datetime | None = None,
    max_overlap: float | None = None,
    *,
    max_crossings: int | None = None,
    max_time_h: float | None = None,
    max_cost_usd_per_t: float | None = None,
    max_km_in: Mapping[str, float] | None = None,
    avoid: Collection[str] = (),
) -> list[Itinerary]:
    """Return the ``k`` best simple ways, best first; fewer where there are fewer.

    Without limits they are the ``k`` best of all. With limits or `max_overlap` the first is the
    best that keeps the limits, and the others are a filter over the first 10,000 simple ways. With
    a date they are the ``k`` best at mean waits, dated and then put in order; under
    ``minimize="time"`` the way that arrives first of all is among them.

    Parameters
    ----------
    k
        Number of ways, >= 1.
    max_overlap
        Most of the length that two ways may share, as a part of the shorter one's (0 to 1): a way
        that shares more with a better one is left out. None keeps all, and they may differ in a
        single terminal.
    network, origin, destination, commodity, rules, minimize, depart
        As in `route`.
    max_crossings, max_time_h, max_cost_usd_per_t, max_km_in, avoid
        Limits of every way, as in `route`.

    Raises
    ------
    InputError
        As `route`; if `max_overlap` is no share.
    NoRouteError
        As `route`.

    Examples
    --------
    >>> import corridor
    >>> net = corridor.load_network("crossroads", date="2026-06-30")
    >>> ways = corridor.alternatives(net, "AZ_BAKU", "GE_TBILISI", k=3)
    >>> [a.generalized_usd_per_t <= b.generalized_usd_per_t for a, b in zip(ways, ways[1:])]
    [True, True]
    >>> for way in corridor.alternatives(net, "AZ_BAKU", "TR_MERSIN", k=2, max_overlap=0.3):
    ...     print(way.countries)
    ('AZE', 'ARM', 'TUR')
    ('AZE', 'GEO', 'TUR')
    """
    check_count("k", k)
    model = compile_model(network, single_shipment(network, origin, destination, commodity), rules)
    limits = Limits(
        max_crossings=max_crossings,
        max_time_h=max_time_h,
        max_cost_usd_per_t=max_cost_usd_per_t,
        max_km_in=max_km_in if max_km_in is not None else {},
        avoid=avoid,
    )
    return find_itineraries(
        model, 0, minimize=minimize, k=k, depart=depart, limits=limits, max_overlap=max_overlap
    )


def single_shipment(
    network: Network, origin: str, destination: str, commodity: str | None
) -> Shipments:
    """Return one shipment without tonnes; None is the first commodity of the table.

    Raises
    ------
    InputError
        As `single_shipments`.
    """
    check_type("network", network, Network, advice="Load it with corridor.load_network.")
    goods = network.commodities["commodity_id"]
    wanted = commodity if commodity is not None else str(goods.iloc[0])
    return single_shipments(network, [(origin, destination, wanted)])


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


_LISTED: Final = {"node": "nodes.csv", "commodity": "commodities.csv"}


def _position(name: str, known: NDArray[np.object_], noun: str) -> int:
    found = np.flatnonzero(known == name)
    if not found.size:
        near = get_close_matches(str(name), known.tolist(), n=3)
        hint = f"Did you mean {', '.join(near)}?" if near else f"{_LISTED[noun]} lists them."
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
    limits: Limits | None = None,
    max_overlap: float | None = None,
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
    limits
        What every way must keep; None is no limit.
    max_overlap
        As in `alternatives`.

    Raises
    ------
    InputError
        If a criterion, limit or overlap is none, or a state to avoid is that of an end.
    NoRouteError
        If no open way exists or none keeps the limits, or an open post inspects less than an
        inspection floor demands.
    """
    search = _search(model, shipment, minimize, layers, limits if limits is not None else Limits())
    net = model.supernetwork
    gallery = Gallery(net.arc_length_km, max_overlap, net.arc_plain)
    if depart is None:
        candidates = search.candidates(search.bounds, k)
        ways = gallery.choose(candidates, k, search.itinerary)
        if not ways:
            raise search.refusal(search.bounds)
        return ways
    return _dated_itineraries(search, gallery, k, depart)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Search:
    """What is looked for.

    ``cost`` is that of every arc, rules and works left out of account; ``open_cost`` is inf on arcs
    that they or the avoided states close.
    """

    model: Model
    shipment: int
    minimize: Criterion
    limits: Limits
    bounds: Bounds
    cost: FloatArray
    open_cost: FloatArray

    def candidates(self, bounds: Bounds, k: int) -> Iterator[IntArray]:
        """Yield ways within bounds, best at mean waits first."""
        net, ends = self.model.supernetwork, shipment_ends(self.model, self.shipment)
        return candidate_ways(net, self.open_cost, ends, bounds, k)

    def itinerary(self, arcs: IntArray) -> Itinerary:
        """Return a way as an undated itinerary."""
        return _itinerary(self.model, self.shipment, arcs, self.minimize)

    def refusal(self, bounds: Bounds) -> NoRouteError:
        """Return the error that says why there is no way within bounds."""
        code = int(self.model.class_of[self.shipment])
        lawful = np.where(self.model.allowed[code], self.cost, np.inf)
        where = self.model, self.shipment
        by_limits = limits_block(*where, lawful, bounds, self.limits.avoid)
        return by_limits if by_limits is not None else no_way(*where, self.cost)


def _search(
    model: Model,
    shipment: int,
    minimize: Criterion,
    layers: frozenset[str] | None,
    limits: Limits,
) -> _Search:
    net, code = model.supernetwork, int(model.class_of[shipment])
    if minimize not in MEASURE_OF:
        msg = f"minimize must be {', '.join(MEASURE_OF)}; found {minimize!r}. Take one of them."
        raise InputError(msg)
    cost = arc_measure(model, code, MEASURE_OF[minimize])
    if layers is not None:
        chosen = np.array([layer in layers for layer in net.layers])
        cost = np.where(chosen[net.arc_layer], cost, np.inf)
    check_lawful(model)
    shut = avoided_arcs(model, limits.avoid, shipment_ends(model, shipment))
    return _Search(
        model=model,
        shipment=shipment,
        minimize=minimize,
        limits=limits,
        bounds=compile_bounds(model, code, limits),
        cost=cost,
        open_cost=np.where(model.allowed[code] & ~shut, cost, np.inf),
    )


def _dated_itineraries(
    search: _Search, gallery: Gallery, k: int, depart: dt.datetime
) -> list[Itinerary]:
    """Return the best ways at mean waits, and the earliest where time matters, as dated.

    The limit of time is one of the clock: it holds for the dated ways, not for the mean waits.
    """
    model, limits, shipment = search.model, search.limits, search.shipment
    clock = Clock.of_week(depart)
    good, code = int(model.shipments.commodity[shipment]), int(model.class_of[shipment])
    network = compile_dated(model, good, np.isfinite(search.open_cost), clock)
    start_h = clock.hour(depart)
    most_h = np.inf if limits.max_time_h is None else limits.max_time_h * ROUNDING
    bounds = compile_bounds(model, code, limits, with_time=False)
    candidates: Iterator[IntArray] = islice(search.candidates(bounds, k), max(k, MOST_DATED_WAYS))
    earliest = network.earliest(*shipment_ends(model, shipment), start_h)
    if earliest is not None and bounds.keeps(earliest.arcs):
        by_clock = [earliest.arcs]
        if search.minimize == "time":
            candidates = chain(by_clock, candidates)
        elif limits.max_time_h is not None:
            candidates = chain(candidates, by_clock)
    late_h: list[float] = []

    def date(arcs: IntArray) -> Itinerary | None:
        path = network.along(arcs, start_h)
        if path is None:
            return None
        hours = float(path.end_h[-1] - path.start_h[0])
        if hours > most_h:
            late_h.append(hours)
            return None
        return _itinerary(model, shipment, arcs, search.minimize, path, clock)

    ways = gallery.choose(candidates, k, date)
    if not ways:
        raise too_late(model, shipment, most_h, late_h) if late_h else search.refusal(bounds)
    return sorted(ways, key=attrgetter(MEASURE_OF[search.minimize]))


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
    steps = way_steps(model, good, code, arcs)
    generalized = float(arc_measure(model, code, "generalized_usd_per_t")[arcs].sum())
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
    links, crossings, countries = met_on_way(model, arcs)
    t_per_teu = float(model.filled.commodities["t_per_teu"].iloc[good])
    return Itinerary(
        origin=net.places[shipments.origin[shipment]],
        destination=net.places[shipments.destination[shipment]],
        commodity=str(shipments.commodities[good]),
        minimize=minimize,
        time_h=float(hours.sum()),
        moving_h=float(hours[travels].sum()) - waits,
        border_h=float(hours[np.isin(kind, (ArcKind.EXIT, ArcKind.ENTRY))].sum()),
        terminal_h=float(hours[np.isin(kind, (ArcKind.TRANSFER, *ENDS))].sum()),
        service_wait_h=waits,
        cost_usd_per_t=money,
        cost_usd_per_teu=money * t_per_teu if boxed else float("nan"),
        generalized_usd_per_t=generalized,
        co2_kg_per_t=float(steps["co2_kg_per_t"].sum()),
        length_km=float(steps["length_km"].sum()),
        links=links,
        crossings=crossings,
        countries=countries,
        legs=join_legs(model, steps),
        depart=depart,
        arrive=arrive,
    )

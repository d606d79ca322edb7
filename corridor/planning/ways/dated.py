"""Dated ways: when a shipment that leaves at a given time passes each arc, and what it waits for.

The posts of a crossing keep its opening hours in the local time of their own nodes, a timetable
that of the node of departure; changes to summer time are followed for half a year, after which the
pattern of that half year repeats. The queue is that of the background load; it moves, and service
goes on, only while the post is open. Fixed delays and work in terminals run by day and night.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.core.graph import Graph
from corridor.core.paths import (
    ArcTimes,
    DatedPath,
    Departures,
    PostHours,
    arc_paths,
    date_path,
    earliest_arrival,
)
from corridor.errors import InputError
from corridor.network import Network
from corridor.network.hours import ALWAYS, Interval, parse_departures, parse_hours
from corridor.network.supernetwork import ArcKind, Supernetwork
from corridor.planning.model import Model
from corridor.planning.services import link_services
from corridor.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from pandas.core.groupby.generic import DataFrameGroupBy

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]
BoolArray: TypeAlias = NDArray[np.bool_]

N_WEEKS: Final = 26
PERIOD_H: Final = N_WEEKS * HOURS_PER_WEEK

_YEARS: Final = range(1970, 2101)
"""Years of departure whose time zones are known."""
WAIT_SEEN_H: Final = 1e-6
"""Waits below are rounding and have no reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Hours since the start of a week, Monday 0 h UTC.

    Examples
    --------
    >>> noon = dt.datetime(2026, 7, 1, 12, tzinfo=dt.timezone.utc)
    >>> clock = Clock.of_week(noon)
    >>> clock.epoch.isoformat(), clock.hour(noon)
    ('2026-06-29T00:00:00+00:00', 60.0)
    """

    epoch: dt.datetime

    @classmethod
    def of_week(cls, time: dt.datetime) -> "Clock":
        """Return the clock of the week that an aware time lies in.

        Raises
        ------
        InputError
            If the time has no time zone.
        """
        if time.utcoffset() is None:
            msg = (
                f"depart must have a time zone; found {time.isoformat()} without one. Give it, "
                "such as datetime(2026, 7, 1, 8, tzinfo=ZoneInfo('Asia/Yerevan'))."
            )
            raise InputError(msg)
        day = time.astimezone(dt.UTC).date()
        monday = dt.datetime.combine(day, dt.time(), dt.UTC) - dt.timedelta(days=day.weekday())
        return cls(epoch=monday)

    def hour(self, time: dt.datetime) -> float:
        """Return the hour of an aware time."""
        return (time - self.epoch) / dt.timedelta(hours=1)

    def time(self, hour: float) -> dt.datetime:
        """Return the time of an hour, in UTC, to the second."""
        return self.epoch + dt.timedelta(seconds=round(hour * 3600.0))

    def hours_of(self, local_hour: float, zone: ZoneInfo) -> list[float]:
        """Return a local hour of the week in every week of the period, and one on either side."""
        monday = self.epoch.replace(tzinfo=None)
        times = (
            monday + dt.timedelta(weeks=week, hours=local_hour) for week in range(-1, N_WEEKS + 1)
        )
        return [self.hour(time.replace(tzinfo=zone)) for time in times]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DatedNetwork:
    """The arcs of a model as one class of one commodity passes them from one week on.

    Attributes
    ----------
    graph
        The supernetwork's graph; a link that has services with and without a timetable has one
        more arc for those with.
    times
        How the arcs are passed.
    arc : ndarray of int32, shape (n_arcs,)
        The arc of the supernetwork.
    clock
        Its hours.
    """

    graph: Graph
    times: ArcTimes
    arc: IntArray
    clock: Clock

    def earliest(self, source: int, sink: int, depart_h: float) -> DatedPath | None:
        """Return the way that arrives first, or None where there is none."""
        return self._earliest(self.times, source, sink, depart_h)

    def along(self, arcs: IntArray, depart_h: float) -> DatedPath | None:
        """Return the hours of a simple way, or None where it is never open."""
        times = self.times
        only = ArcTimes(
            np.where(np.isin(self.arc, arcs), times.travel_h, np.inf),
            headway_wait_h=times.headway_wait_h,
            posts=times.posts,
            departures=times.departures,
        )
        source, sink = int(self.graph.tail[arcs[0]]), int(self.graph.head[arcs[-1]])
        return self._earliest(only, source, sink, depart_h)

    def _earliest(
        self, times: ArcTimes, source: int, sink: int, depart_h: float
    ) -> DatedPath | None:
        arrival, tree = earliest_arrival(self.graph, times, source, depart_h)
        if arrival[sink] == np.inf:
            return None
        path = date_path(self.graph, times, arc_paths(self.graph, tree, sink), depart_h)
        return replace(path, arcs=self.arc[path.arcs])


def compile_dated(model: Model, good: int, passable: BoolArray, clock: Clock) -> DatedNetwork:
    """Return how a commodity passes the arcs of a model from a week on.

    Parameters
    ----------
    model
        A compiled model.
    good
        Commodity.
    passable : ndarray of bool, shape (n_arcs,)
        Arcs that may be used.
    clock
        The week.

    Raises
    ------
    InputError
        If a node with opening hours or a timetable has no known time zone.
    """
    net, network, posts = model.supernetwork, model.network, model.posts
    zones = node_zones(network)
    moving = model.costs.time_h[good] - model.service_wait_h
    moving[posts.arc] -= posts.service_h[:, good] + posts.opening_wait_h
    moving = np.maximum(moving, 0.0)  # differences of sums: a zero may be just below
    services = model.filled.services
    timed = services["departures"] != ""
    untimed = link_services(network, replace(model.filled, services=services[~timed]), net)
    base = np.arange(net.n_arcs, dtype=np.int32)
    arcs: list[int] = []
    trips: list[list[tuple[float, float]]] = []
    for arc, rows in _by_arc(network, net, services[timed]):
        if untimed.arc_wait_h[arc] > 0.0:  # the others of this link keep the arc
            own = untimed.arc_sailing_h[arc]
            moving[arc] = moving[arc] if np.isnan(own) else own
            arcs.append(base.size)
            base = np.append(base, np.int32(arc))
        else:
            arcs.append(arc)
        trips.append(_trips(rows, float(moving[arc]), clock, zones))
    travel = np.where(passable, moving, np.inf)[base]
    travel[arcs] = np.where(np.isinf(travel[arcs]), np.inf, 0.0)
    flat = np.array([trip for of_arc in trips for trip in of_arc]).reshape(-1, 2)
    return DatedNetwork(
        graph=Graph(net.graph.n_nodes, net.graph.tail[base], net.graph.head[base]),
        times=ArcTimes(
            travel,
            headway_wait_h=np.append(untimed.arc_wait_h, np.zeros(base.size - net.n_arcs)),
            posts=post_hours(model, good, clock, zones),
            departures=Departures(
                arcs,
                np.cumsum([0, *map(len, trips)]),
                flat[:, 0],
                flat[:, 1],
                period_h=PERIOD_H,
            ),
        ),
        arc=base,
        clock=clock,
    )


def post_hours(
    model: Model, good: int, clock: Clock, zones: Callable[[str], ZoneInfo]
) -> PostHours:
    """Return the posts with their hours, and queue and service at background load."""
    net, posts = model.supernetwork, model.posts
    texts = model.network.crossings["opening_hours"].to_numpy(object)[net.arc_crossing[posts.arc]]
    places = post_places(net, posts.arc)
    spells_of = cache(partial(_open_spells, clock))  # many posts keep the same hours
    spells = [
        spells_of(text, None if parse_hours(text) == ALWAYS else zones(net.places[place]))
        for text, place in zip(texts, places, strict=True)
    ]
    ends = np.concatenate([*spells, np.empty((0, 2))])
    return PostHours(
        posts.arc,
        np.cumsum([0, *map(len, spells)]),
        ends[:, 0],
        ends[:, 1],
        service_h=posts.service_h[:, good],
        queue_h=model.costs.wait_h[good, posts.arc],
        period_h=PERIOD_H,
    )


def post_places(net: Supernetwork, arcs: IntArray) -> IntArray:
    """Return the place of each post: an entry post stands where its arc ends."""
    entry = net.arc_kind[arcs] == ArcKind.ENTRY
    return net.node_place[np.where(entry, net.graph.head[arcs], net.graph.tail[arcs])]


def node_zones(network: Network) -> Callable[[str], ZoneInfo]:
    """Return a function from a node to its time zone.

    Raises
    ------
    InputError
        By that function, if the node has none or none that is known.
    """
    names = dict(zip(network.nodes["node_id"], network.nodes["timezone"], strict=True))

    @cache
    def zone_of(node: str) -> ZoneInfo:
        try:
            return ZoneInfo(names[node])
        except (ZoneInfoNotFoundError, ValueError, OSError):
            found = repr(names[node]) if names[node] else "a blank"
            msg = (
                f"timezone of {node} must be an IANA time zone, because something there runs by "
                f"the clock; found {found}. Give it in nodes.csv, such as Asia/Yerevan."
            )
            raise InputError(msg) from None

    return zone_of


def parse_departure(text: str, network: Network, origin: str) -> dt.datetime:
    """Return an ISO time as an aware one; without an offset it is local time at the origin.

    Parameters
    ----------
    text
        Such as ``2026-07-03T20:00+08:00`` or ``2026-07-03T20:00``; without hours it is midnight.
    network, origin
        The network, and one of its nodes; the time zone of an unknown one is UTC.

    Raises
    ------
    InputError
        If the text is no ISO time, or it has no offset and the origin no known time zone.
    """
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError:
        msg = (
            f"A departure must be an ISO time, YYYY-MM-DDTHH:MM with an offset such as +04:00 or "
            f"in the local time of the origin; found {text!r}. Correct it."
        )
        raise InputError(msg) from None
    if time.year not in _YEARS:
        msg = (
            f"A departure must lie in the years {_YEARS[0]} to {_YEARS[-1]}, whose time zones are "
            f"known; found {text!r}. Correct it."
        )
        raise InputError(msg)
    if time.utcoffset() is not None:
        return time
    known = (network.nodes["node_id"] == origin).any()
    return time.replace(tzinfo=node_zones(network)(origin) if known else dt.UTC)


def _open_spells(clock: Clock, text: str, zone: ZoneInfo | None) -> FloatArray:
    """Return the open spells of a post within the period, (n, 2); None is open always."""
    if zone is None:
        return np.array([[0.0, PERIOD_H]])
    spells: list[Interval] = []
    for opens, closes in parse_hours(text):
        spells += zip(clock.hours_of(opens, zone), clock.hours_of(closes, zone), strict=True)
    inside = ((max(opens, 0.0), min(closes, PERIOD_H)) for opens, closes in spells)
    return np.array(_joined(sorted(spell for spell in inside if spell[0] < spell[1])))


def _joined(spells: Iterable[Interval]) -> list[Interval]:
    """Join sorted spells that touch or overlap."""
    joined: list[Interval] = []
    for opens, closes in spells:
        if joined and opens <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(closes, joined[-1][1]))
        else:
            joined.append((opens, closes))
    return joined


def _by_arc(
    network: Network, net: Supernetwork, services: pd.DataFrame
) -> Iterable[tuple[int, pd.DataFrame]]:
    """Yield the arc of each link and direction, with the services on it."""
    links = network.links
    position = {link: i for i, link in enumerate(links["link_id"])}
    start = links["from_node"].to_numpy(object)
    for (link_id, node), rows in services.groupby(["link_id", "from_node"], sort=False):
        link = position[link_id]
        same_way = net.arc_forward == (start[link] == node)
        for arc in np.flatnonzero((net.arc_link == link) & net.arc_is_main & same_way):
            yield int(arc), rows


def _trips(
    rows: pd.DataFrame, own_h: float, clock: Clock, zones: Callable[[str], ZoneInfo]
) -> list[tuple[float, float]]:
    """Return (departs, duration) of the services of a link within the period, sorted."""
    trips: set[tuple[float, float]] = set()
    for text, node, sailing in zip(
        rows["departures"], rows["from_node"], rows["sailing_h"], strict=True
    ):
        duration = own_h if np.isnan(sailing) else float(sailing)
        for hour in parse_departures(text):
            trips.update((departs, duration) for departs in clock.hours_of(hour, zones(node)))
    return sorted(trip for trip in trips if 0.0 <= trip[0] < PERIOD_H)


def date_steps(steps: pd.DataFrame, model: Model, path: DatedPath, clock: Clock) -> pd.DataFrame:
    """Put the hours of a dated way into the steps of an itinerary.

    Parameters
    ----------
    steps
        One row per arc of the way, by its position there, with the times of an undated itinerary.
    model
        The model.
    path
        Hours of the way.
    clock
        Their clock.

    Returns
    -------
    DataFrame
        ``time_h, fixed_h, service_h, wait_h`` as they come out. New are ``arrive, depart`` (at and
        from the start of the step, UTC; from a post or terminal when it is let go), ``timezone``
        (there), and ``opening_wait_h, departure_wait_h`` (for a timetable), ``headway_wait_h``.
    """
    net = model.supernetwork
    path = DatedPath(**{f.name: getattr(path, f.name)[steps.index] for f in fields(path)})
    kind = steps["arc_kind"].to_numpy(int)
    at_post = np.isin(kind, (ArcKind.EXIT, ArcKind.ENTRY))
    place = np.where(at_post, post_places(net, path.arcs), steps["from_place"])
    moves = np.where(kind == ArcKind.TRAVEL, path.moving_h, 0.0)
    return steps.assign(
        time_h=path.end_h - path.start_h,
        fixed_h=np.where(at_post, path.moving_h, 0.0),
        service_h=path.service_h,
        wait_h=path.queue_h + path.headway_wait_h + path.departure_wait_h,
        opening_wait_h=path.opening_wait_h,
        departure_wait_h=path.departure_wait_h,
        headway_wait_h=path.headway_wait_h,
        arrive=_times(clock, path.start_h),
        depart=_times(clock, path.end_h - moves),
        timezone=model.network.nodes["timezone"].to_numpy(object)[place],
    )


def date_legs(legs: pd.DataFrame, groups: "DataFrameGroupBy[Any, Any]") -> pd.DataFrame:
    """Put the dates of its steps and the reasons of its waits into each leg of an itinerary."""
    first = groups.first()
    at = list(legs.columns).index("length_km")
    for offset, name in enumerate(("arrive", "depart", "timezone")):
        legs.insert(at + offset, name, first[name])
    waits = groups[["opening_wait_h", "departure_wait_h", "headway_wait_h"]].sum()
    hours = {
        "closed": waits["opening_wait_h"],
        "queue": legs["wait_h"] - waits["departure_wait_h"] - waits["headway_wait_h"],
        "departure": waits["departure_wait_h"],
        "headway": waits["headway_wait_h"],
    }
    names = np.array(list(hours), dtype=object)
    seen = np.column_stack([values.to_numpy(float) > WAIT_SEEN_H for values in hours.values()])
    reasons = ["+".join(names[row]) for row in seen]
    return legs.assign(opening_wait_h=waits["opening_wait_h"], wait_reason=reasons)


def _times(clock: Clock, hours: FloatArray) -> pd.DatetimeIndex:
    times = [clock.time(hour) for hour in hours.tolist()]
    return pd.DatetimeIndex(times, dtype="datetime64[s, UTC]")

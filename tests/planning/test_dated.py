"""Dated itineraries: opening hours, time zones and timetables, with every wait explained."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from corridor.errors import InputError, NoRouteError
from corridor.network import Network
from corridor.planning import (
    Itinerary,
    alternatives,
    compile_model,
    find_itineraries,
    route,
    single_shipments,
)
from corridor.planning.ways.dated import PERIOD_H, Clock, compile_dated, parse_departure
from tests.planning import toys

Tables = dict[str, pd.DataFrame]

YEREVAN, ISTANBUL = ZoneInfo("Asia/Yerevan"), ZoneInfo("Europe/Istanbul")  # UTC+4, UTC+3
TRAIN = {
    "service_id": "friday",
    "link_id": "A1-AP-rail",
    "from_node": "A1",
    "departures": "Fr 18:30",
    "sailing_h": 5.0,
    "headway_h": np.nan,
    "headway_cv": np.nan,
}
HANDLING = ("loading", "transfer", "unloading")
NO_SUNDAYS = "Mo-Sa 08:00-18:00"


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)


def build(
    tables: Tables, hours: str = "", services: list[dict[str, object]] | None = None
) -> Network:
    """Return the toy network with time zones, hours of its road crossing, and services."""
    nodes = tables["nodes"].copy()
    in_a = nodes["country"] == "AAA"
    nodes["timezone"] = np.where(in_a, "Asia/Yerevan", "Europe/Istanbul")
    crossings = tables["crossings"].copy()
    crossings["opening_hours"] = np.where(crossings["crossing_id"] == "ab-road", hours, "")
    trucks = {"target": "ab-road", "direction": "both", "vehicles_per_day": 60}
    return Network.from_tables(
        **{**tables, "nodes": nodes, "crossings": crossings},
        background=pd.DataFrame([trucks]),
        services=pd.DataFrame(services or [], columns=list(TRAIN)),
        name="toy",
    )


ROAD, RAIL = frozenset({"road"}), frozenset({"rail1520", "rail1435"})


def by_road(network: Network, *departs: dt.datetime | None) -> list[Itinerary]:
    return by(ROAD, network, departs)


def by_rail(network: Network, *departs: dt.datetime | None) -> list[Itinerary]:
    return by(RAIL, network, departs)


def by(
    layers: frozenset[str], network: Network, departs: tuple[dt.datetime | None, ...]
) -> list[Itinerary]:
    model = compile_model(network, single_shipments(network, [("A1", "B1", "grain")]))
    return [find_itineraries(model, 0, depart=time, layers=layers)[0] for time in departs]


def all_week(start: dt.datetime) -> list[dt.datetime]:
    return [start + dt.timedelta(hours=2 * step + 1) for step in range(84)]


def leg(itinerary: Itinerary, kind: str) -> pd.Series:
    return itinerary.legs[itinerary.legs["kind"] == kind].iloc[0]


def hours_between(start: dt.datetime, end: dt.datetime) -> float:
    return (end - start) / dt.timedelta(hours=1)


def check_clock(itinerary: Itinerary) -> None:
    """Assert that legs join up in time, and that waits, work and movement make up each of them."""
    legs = itinerary.legs
    assert itinerary.depart is not None
    assert itinerary.arrive is not None
    assert legs["arrive"].iloc[0] == itinerary.depart
    ends = [*legs["arrive"].iloc[1:], pd.Timestamp(itinerary.arrive)]
    for (_, row), end in zip(legs.iterrows(), ends, strict=True):
        assert row["arrive"] <= row["depart"] <= end
        assert hours_between(row["arrive"], end) == pytest.approx(row["time_h"], abs=1e-3)
        known = row[["opening_wait_h", "wait_h", "service_h", "fixed_h"]].sum()
        if row["kind"] == "travel":
            assert row["arrive"] + pd.Timedelta(hours=known) == pytest.approx(
                row["depart"], abs=pd.Timedelta(seconds=1)
            )
        else:  # a post or terminal lets go at the end
            assert row["depart"] == end
            assert known == pytest.approx(row["time_h"], abs=1e-9) or row["kind"] in HANDLING
        assert bool(row["wait_reason"]) == (row["opening_wait_h"] + row["wait_h"] > 1e-6)
    total = legs["time_h"].sum()
    assert itinerary.time_h == pytest.approx(total, abs=1e-9)
    parts = (
        itinerary.moving_h,
        itinerary.border_h,
        itinerary.terminal_h,
        itinerary.service_wait_h,
    )
    assert sum(parts) == pytest.approx(total, abs=1e-9)
    assert hours_between(itinerary.depart, itinerary.arrive) == pytest.approx(total, abs=1e-3)


def test_where_all_is_open_a_date_changes_nothing(toy_tables: Tables) -> None:
    network = build(toy_tables)
    [usual] = by_road(network, None)
    [dated] = by_road(network, utc(2026, 7, 4, 3, 30))
    check_clock(dated)
    for name in ("time_h", "border_h", "generalized_usd_per_t", "cost_usd_per_t", "co2_kg_per_t"):
        assert getattr(dated, name) == pytest.approx(getattr(usual, name), rel=1e-12)
    same = [name for name in usual.legs if name != "wait_reason"]
    pd.testing.assert_frame_equal(dated.legs[same], usual.legs[same])
    assert (usual.depart, usual.arrive) == (None, None)
    assert "arrive" not in usual.legs


def test_loading_comes_before_the_departure_and_unloading_after_the_arrival(
    toy_tables: Tables,
) -> None:
    tables = toys.changed(toy_tables, "layers", "rail1520", end_h=24.0, end_usd_per_t=5.0)
    network = build(tables, services=[TRAIN])
    # The train leaves on Friday at 14:30 UTC; a day of loading from that morning on misses it.
    [missed] = by_rail(network, utc(2026, 7, 3, 8))
    [caught] = by_rail(network, utc(2026, 7, 2, 8))
    check_clock(missed)
    check_clock(caught)
    train = utc(2026, 7, 3, 14, 30)
    assert leg(caught, "loading")["depart"] == utc(2026, 7, 3, 8)
    assert leg(caught, "travel")["depart"] == train
    assert leg(missed, "loading")["depart"] == utc(2026, 7, 4, 8)
    assert leg(missed, "travel")["depart"] == train + dt.timedelta(weeks=1)
    last = caught.legs.iloc[-1]
    assert (last["kind"], last["time_h"]) == ("unloading", 24.0)
    assert caught.terminal_h == pytest.approx(24 + 24)


def test_a_post_closed_on_sundays_lets_go_on_monday(toy_tables: Tables) -> None:
    stages = toy_tables["stages"].assign(fixed_delay_h=1.5)
    network = build({**toy_tables, "stages": stages}, NO_SUNDAYS)
    # Saturday 4 July 2026, 17:00 in Yerevan; the post is two hours away and closes at 18:00.
    [dated] = by_road(network, dt.datetime(2026, 7, 4, 17, tzinfo=YEREVAN))
    check_clock(dated)
    post = leg(dated, "exit post")
    assert post["arrive"].tz_convert(YEREVAN).strftime("%a %H:%M") == "Sat 19:03"  # 123 km
    opens = dt.datetime(2026, 7, 6, 8, tzinfo=YEREVAN)
    assert post["opening_wait_h"] == pytest.approx(hours_between(post["arrive"], opens), abs=1e-3)
    assert post["wait_reason"] == "closed+queue"
    served = opens + dt.timedelta(hours=post["wait_h"] + post["service_h"] + post["fixed_h"])
    assert hours_between(post["depart"], served) == pytest.approx(0.0, abs=1e-3)
    assert post["timezone"] == "Asia/Yerevan"


def test_each_post_keeps_the_clock_of_its_own_node(toy_tables: Tables) -> None:
    network = build(toy_tables, "08:00-18:00")
    # The first post opens at 8 h in Yerevan, an hour before the second at 8 h in Istanbul.
    [dated] = by_road(network, dt.datetime(2026, 7, 7, 5, 57, tzinfo=YEREVAN))
    check_clock(dated)
    first, second = leg(dated, "exit post"), leg(dated, "entry post")
    assert first["wait_reason"] == "queue"
    assert second["wait_reason"] == "closed+queue"
    assert second["timezone"] == "Europe/Istanbul"
    opens = dt.datetime(2026, 7, 7, 8, tzinfo=ISTANBUL)
    assert hours_between(second["arrive"], opens) == pytest.approx(
        second["opening_wait_h"], abs=1e-3
    )
    assert 0.5 < second["opening_wait_h"] < 1.0


def test_service_that_the_night_interrupts_goes_on_in_the_morning(toy_tables: Tables) -> None:
    network = build(toy_tables, "08:00-18:00")
    [dated] = by_road(network, dt.datetime(2026, 7, 7, 15, 56, tzinfo=YEREVAN))  # there at 17:59
    check_clock(dated)
    post = leg(dated, "exit post")
    assert post["opening_wait_h"] == pytest.approx(14.0, abs=1e-6)
    assert hours_between(post["arrive"], post["depart"]) == pytest.approx(
        14.0 + post["wait_h"] + post["service_h"] + post["fixed_h"], abs=1e-3
    )


def test_hours_over_midnight_and_the_end_of_the_week_are_one_spell(toy_tables: Tables) -> None:
    network = build(toy_tables, "20:00-06:00")
    # On Sunday evening the post is reached at 23:58 in Yerevan.
    [dated] = by_road(network, dt.datetime(2026, 7, 5, 21, 55, tzinfo=YEREVAN))
    check_clock(dated)
    assert leg(dated, "exit post")["opening_wait_h"] == 0.0
    assert leg(dated, "exit post")["depart"].tz_convert(YEREVAN).strftime("%a") == "Mon"


def test_summer_time_ends_on_the_way(toy_tables: Tables) -> None:
    tables = {**toy_tables}
    network = build(tables, "08:00-18:00")
    nodes = network.nodes.assign(timezone="Europe/Berlin")
    network = network.replace(nodes=nodes)
    for day, opens in ((23, 6), (26, 7)):  # of October 2026: clocks change on the 25th
        [dated] = by_road(network, utc(2026, 10, day - 1, 22))
        post = leg(dated, "exit post")
        assert post["arrive"] + pd.Timedelta(hours=post["opening_wait_h"]) == pytest.approx(
            pd.Timestamp(utc(2026, 10, day, opens)), abs=pd.Timedelta(seconds=1)
        )
    # A clock set in the week before knows the change, too.
    clock = Clock.of_week(utc(2026, 10, 19))
    hours = clock.hours_of(8.0, ZoneInfo("Europe/Berlin"))[1:3]
    assert hours == [6.0, 7.0 + 168.0]


def test_a_train_on_fridays_is_waited_for_over_the_weekend(toy_tables: Tables) -> None:
    network = build(toy_tables, services=[TRAIN])
    [dated] = by_rail(network, dt.datetime(2026, 7, 4, 12, tzinfo=YEREVAN))  # a Saturday
    check_clock(dated)
    train = leg(dated, "travel")
    assert train["depart"] == dt.datetime(2026, 7, 10, 18, 30, tzinfo=YEREVAN)
    assert train["wait_h"] == pytest.approx(6 * 24 + 6.5)
    assert train["wait_reason"] == "departure"
    assert dated.service_wait_h == pytest.approx(6 * 24 + 6.5)
    assert dated.legs["arrive"].iloc[1] >= train["depart"] + pd.Timedelta(hours=5)
    [in_time] = by_rail(network, dt.datetime(2026, 7, 10, 18, 30, tzinfo=YEREVAN))
    assert in_time.service_wait_h == 0.0


def test_waits_for_a_timetable_have_its_mean(toy_tables: Tables) -> None:
    services = [{**TRAIN, "departures": "Mo 06:00; We 12:00; Fr 18:30"}]
    network = build(toy_tables, services=services)
    usual, *ways = by_rail(network, None, *all_week(utc(2026, 7, 6)))
    waits = [way.service_wait_h for way in ways]
    assert np.mean(waits) == pytest.approx(usual.service_wait_h, rel=0.01)


def test_waits_for_the_opening_have_the_mean_of_the_undated_delay(toy_tables: Tables) -> None:
    tables = {**toy_tables, "stages": toy_tables["stages"].assign(service_min=0.001)}
    network = build(tables, NO_SUNDAYS)
    ways = by_road(network, None, *all_week(utc(2026, 7, 6)))
    usual, *posts = (leg(way, "exit post") for way in ways)
    mean = np.mean([post["opening_wait_h"] for post in posts])
    assert mean == pytest.approx(usual["fixed_h"] - posts[0]["fixed_h"], rel=0.01)
    assert mean > 5.0


def test_a_train_without_a_timetable_waits_half_its_headway(toy_tables: Tables) -> None:
    frequent = {**TRAIN, "service_id": "often", "departures": "", "headway_h": 12.0}
    network = build(toy_tables, services=[{**frequent, "headway_cv": 0.0}])
    [dated] = by_rail(network, utc(2026, 7, 4))
    check_clock(dated)
    train = leg(dated, "travel")
    assert train["wait_reason"] == "headway"
    assert train["wait_h"] == pytest.approx(6.0)
    assert dated.time_h == pytest.approx(by_rail(network, None)[0].time_h, rel=1e-12)


def test_of_services_with_and_without_a_timetable_the_sooner_is_taken(toy_tables: Tables) -> None:
    frequent = {
        **TRAIN,
        "service_id": "often",
        "departures": "",
        "headway_h": 48.0,
        "headway_cv": 0.0,
        "sailing_h": 9.0,
    }
    network = build(toy_tables, services=[TRAIN, frequent])
    [on_friday] = by_rail(network, dt.datetime(2026, 7, 10, 18, tzinfo=YEREVAN))
    assert leg(on_friday, "travel")["wait_reason"] == "departure"
    assert on_friday.service_wait_h == pytest.approx(0.5)
    [on_saturday] = by_rail(network, dt.datetime(2026, 7, 11, 18, tzinfo=YEREVAN))
    assert leg(on_saturday, "travel")["wait_reason"] == "headway"
    assert on_saturday.service_wait_h == pytest.approx(24.0)
    difference = on_saturday.moving_h - on_friday.moving_h
    assert difference == pytest.approx(4.0)
    check_clock(on_friday)
    check_clock(on_saturday)


def test_the_way_that_arrives_first_depends_on_the_day(toy_tables: Tables) -> None:
    network = build(toy_tables, "Mo-Fr 08:00-18:00")
    friday, saturday = utc(2026, 7, 3, 3), utc(2026, 7, 4, 3)
    at_once = route(network, "A1", "B1", "grain", minimize="time", depart=friday)
    assert at_once.crossings == ("ab-road",)
    around = route(network, "A1", "B1", "grain", minimize="time", depart=saturday)
    assert around.crossings == ("ab-rail",)
    [waiting] = by_road(network, saturday)
    assert around.time_h < waiting.time_h
    check_clock(around)
    ways = alternatives(network, "A1", "B1", 3, "grain", minimize="time", depart=saturday)
    assert ways[0].time_h == pytest.approx(around.time_h)
    assert len({way.crossings for way in ways}) > 1
    assert [way.time_h for way in ways] == sorted(way.time_h for way in ways)
    for way in ways:
        check_clock(way)


def test_no_departure_arrives_before_an_earlier_one(toy_tables: Tables) -> None:
    network = build(toy_tables, NO_SUNDAYS, services=[TRAIN])
    model = compile_model(network, single_shipments(network, [("A2", "B2", "containers")]))
    times = [utc(2026, 7, 3) + dt.timedelta(hours=5 * step) for step in range(40)]
    ways = [find_itineraries(model, 0, minimize="time", depart=time)[0] for time in times]
    arrivals = [way.arrive for way in ways]
    assert arrivals == sorted(arrivals)


def test_an_hour_of_delay_costs_an_hour_of_value(toy_tables: Tables) -> None:
    network = build(toy_tables, NO_SUNDAYS)
    times = (dt.datetime(2026, 7, 4, hour, tzinfo=YEREVAN) for hour in (17, 19))
    early, late = by_road(network, *times)
    assert early.arrive == late.arrive
    value = 0.01 + 15.0 / 20.0  # the grain, and the truck by its load [USD/t/h]
    saved = early.generalized_usd_per_t - late.generalized_usd_per_t
    assert saved == pytest.approx(2.0 * value)
    assert early.cost_usd_per_t == late.cost_usd_per_t


def test_criteria_other_than_time_choose_at_mean_waits(toy_tables: Tables) -> None:
    network = build(toy_tables, NO_SUNDAYS)
    sunday = utc(2026, 7, 5, 3)
    cheapest = route(network, "A1", "B1", "grain", minimize="money")
    dated = route(network, "A1", "B1", "grain", minimize="money", depart=sunday)
    assert (dated.links, dated.cost_usd_per_t) == (cheapest.links, cheapest.cost_usd_per_t)
    check_clock(dated)


def test_a_date_needs_a_time_zone(toy_tables: Tables) -> None:
    network = build(toy_tables)
    with pytest.raises(InputError, match="depart must have a time zone; found 2026-07-04T08:00:00"):
        by_road(network, dt.datetime(2026, 7, 4, 8))  # noqa: DTZ001 - what is refused


def test_a_post_with_hours_needs_a_time_zone(toy_tables: Tables) -> None:
    network = build(toy_tables, NO_SUNDAYS)
    nodes = network.nodes
    with pytest.raises(InputError, match="timezone: found 'Asia/Ani'; expected an IANA time zone"):
        network.replace(nodes=nodes.assign(timezone="Asia/Ani"))
    nodes.loc[nodes["node_id"] == "BP", "timezone"] = ""
    network = network.replace(nodes=nodes)
    with pytest.raises(InputError, match=r"timezone of BP must be an IANA .* found a blank"):
        by_road(network, utc(2026, 7, 4))
    nodes["timezone"] = ""
    always = build(toy_tables).replace(nodes=nodes)
    check_clock(by_road(always, utc(2026, 7, 4))[0])  # nothing there runs by the clock


def test_no_way_is_no_dated_way(toy_tables: Tables) -> None:
    links = toy_tables["links"]
    closed = np.where(links["crossing_id"].isna(), "open", "broken")
    network = build({**toy_tables, "links": links.assign(status=closed)})
    for minimize in ("time", "money"):
        with pytest.raises(NoRouteError, match="there is none") as caught:
            route(network, "A1", "B1", "grain", minimize=minimize, depart=utc(2026, 7, 4))
        assert caught.value.reasons in (("x-ab-road",), ("x-ab-rail",))


def test_arcs_are_compiled_for_half_a_year(toy_tables: Tables) -> None:
    network = build(toy_tables, NO_SUNDAYS, services=[TRAIN])
    model = compile_model(network, single_shipments(network, [("A1", "B1", "grain")]))
    clock = Clock.of_week(utc(2026, 7, 4))
    dated = compile_dated(model, 1, model.allowed[0], clock)
    posts, departures = dated.times.posts, dated.times.departures
    assert posts is not None
    assert departures is not None
    assert posts.period_h == departures.period_h == PERIOD_H
    n_spells = np.diff(posts.indptr)
    on_road = n_spells > 1
    assert set(n_spells[on_road].tolist()) == {6 * 26}
    assert departures.departs_h.size == 26
    by_day = (posts.closes_h - posts.opens_h)[posts.indptr[:-1][on_road]]
    np.testing.assert_allclose(by_day, 10.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-07-03T20:00+08:00", utc(2026, 7, 3, 12)),
        ("2026-07-03T20:00Z", utc(2026, 7, 3, 20)),
        ("2026-07-03T20:00", utc(2026, 7, 3, 16)),  # A1 is at UTC+4
        ("2026-07-03 20:00", utc(2026, 7, 3, 16)),
        ("2026-07-03", utc(2026, 7, 2, 20)),
    ],
)
def test_a_departure_is_local_where_it_says_nothing_else(
    toy_tables: Tables, text: str, expected: dt.datetime
) -> None:
    time = parse_departure(text, build(toy_tables), "A1")
    assert time == expected
    assert time.utcoffset() is not None


def test_a_departure_needs_a_time_and_a_place_with_a_zone(toy_tables: Tables) -> None:
    network = build(toy_tables)
    with pytest.raises(InputError, match="found 'soon'"):
        parse_departure("soon", network, "A1")
    assert parse_departure("2026-07-03T20:00", network, "Q9") == utc(2026, 7, 3, 20)
    for year in ("1700", "9999"):
        with pytest.raises(InputError, match="1970 to 2100"):
            parse_departure(f"{year}-07-03T20:00", network, "A1")
    nowhere = network.replace(nodes=network.nodes.assign(timezone=""))
    with pytest.raises(InputError, match="timezone of A1"):
        parse_departure("2026-07-03T20:00", nowhere, "A1")
    assert parse_departure("2026-07-03T20:00Z", nowhere, "A1") == utc(2026, 7, 3, 20)

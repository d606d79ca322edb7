"""Limits of a way and differing alternatives, against every simple way of a network."""

import datetime as dt
import itertools
import re

import numpy as np
import pandas as pd
import pytest

from corridor import load_network, load_rules
from corridor.core.paths import k_shortest_paths
from corridor.errors import InputError, NoRouteError
from corridor.network import Network
from corridor.network.supernetwork import ArcKind
from corridor.planning import (
    Itinerary,
    Model,
    alternatives,
    compile_model,
    route,
    single_shipments,
)
from corridor.planning.reasons.refusals import shipment_ends
from corridor.planning.ways.candidates import Gallery
from corridor.planning.ways.legs import met_on_way
from corridor.planning.ways.measures import MEASURE_OF, arc_km_in, arc_measure
from tests.planning import toys

Tables = dict[str, pd.DataFrame]
ENDS = ("B2", "A1")


@pytest.fixture
def toy(toy_tables: Tables) -> Network:
    """Build the toy with a ferry that is cheap, and a road that is quick."""
    tables = toys.with_sea(toy_tables)
    layers = tables["layers"].assign(co2_g_per_t_km=[85.0, 20, 20, 15], time_cv=0.2)
    return toys.network({**tables, "layers": layers})


@pytest.fixture(scope="module")
def real() -> Network:
    return load_network("crossroads", date="2026-06-30")


def model_of(network: Network, *ends: str, commodity: str = "grain") -> Model:
    return compile_model(network, single_shipments(network, [(*ends, commodity)]))


def every_way(model: Model) -> list[np.ndarray]:
    """Return the arcs of every simple way."""
    cost = np.where(model.allowed[0], 1.0, np.inf)
    ways = k_shortest_paths(model.supernetwork.graph, cost, *shipment_ends(model, 0), 10_000)
    assert len(ways) < 10_000
    return [way.arcs for way in ways]


def totals(model: Model, measure: str, ways: list[np.ndarray]) -> np.ndarray:
    return np.array([arc_measure(model, 0, measure)[arcs].sum() for arcs in ways])


# Limits


@pytest.mark.parametrize("minimize", list(MEASURE_OF))
@pytest.mark.parametrize(
    ("keyword", "measure"),
    [("max_time_h", "time_h"), ("max_cost_usd_per_t", "cost_usd_per_t")],
)
def test_the_best_within_a_limit_is_that_of_all_simple_ways(
    toy: Network, minimize: str, keyword: str, measure: str
) -> None:
    model = model_of(toy, *ENDS)
    ways = every_way(model)
    used, value = totals(model, measure, ways), totals(model, MEASURE_OF[minimize], ways)
    assert len(ways) > 5
    for limit in np.unique(used):  # the limit itself is kept
        found = route(toy, *ENDS, "grain", minimize=minimize, **{keyword: float(limit)})
        assert getattr(found, measure) <= limit * (1 + 1e-9)
        best = value[used <= limit * (1 + 1e-12)].min()
        assert getattr(found, MEASURE_OF[minimize]) == pytest.approx(best)
    with pytest.raises(NoRouteError) as caught:
        route(toy, *ENDS, "grain", **{keyword: float(used.min()) * 0.99})
    assert caught.value.reasons == (keyword,)


def test_kilometers_in_a_state_are_limited(toy: Network) -> None:
    model = model_of(toy, *ENDS)
    ways = every_way(model)
    used = np.array([arc_km_in(model, ["AAA"])[arcs].sum() for arcs in ways])
    for limit in np.unique(used):
        found = route(toy, *ENDS, "grain", max_km_in={"AAA": float(limit)})
        legs = found.legs
        assert legs.loc[legs["country"] == "AAA", "length_km"].sum() <= limit * (1 + 1e-9)
        best = totals(model, "generalized_usd_per_t", ways)[used <= limit * (1 + 1e-12)].min()
        assert found.generalized_usd_per_t == pytest.approx(best)
    assert len(np.unique(used)) > 1


def test_at_sea_is_in_no_state(toy: Network) -> None:
    model = model_of(toy, *ENDS)
    net = model.supernetwork
    on_land = arc_km_in(model, ["AAA", "BBB"])
    assert on_land[net.arc_country == net.high_seas].tolist() == [0.0, 0.0]
    assert on_land.sum() == pytest.approx(net.arc_length_km.sum() - 2 * 240)


def test_borders_are_counted_once_each(real: Network) -> None:
    model = model_of(real, "CN_XIAN", "TR_MERSIN", commodity="containers")
    cost = np.where(model.allowed[0], arc_measure(model, 0, "generalized_usd_per_t"), np.inf)
    graph = model.supernetwork.graph
    for path in k_shortest_paths(graph, cost, *shipment_ends(model, 0), 300):
        n = arc_measure(model, 0, "n_crossings")[path.arcs].sum()
        _, crossings, countries = met_on_way(model, path.arcs)
        assert n == len(crossings)
        assert n == len(countries) - 1


def test_limits_on_the_bundled_network(real: Network) -> None:
    ends = ("CN_XIAN", "TR_MERSIN")
    rules = load_rules("crossroads", dt.date(2026, 6, 30))
    free = route(real, *ends, rules=rules)
    last = free.generalized_usd_per_t
    for most in range(len(free.crossings), 0, -1):
        way = route(real, *ends, rules=rules, max_crossings=most)
        assert len(way.crossings) <= most
        assert way.generalized_usd_per_t >= last - 1e-9
        last = way.generalized_usd_per_t
    way = route(real, *ends, rules=rules, max_km_in={"KAZ": 500, "RUS": 0})
    km = way.legs.groupby("country")["length_km"].sum()
    assert km.get("KAZ", 0.0) <= 500
    assert km.get("RUS", 0.0) == 0.0
    way = route(real, *ends, rules=rules, avoid=["IRN", "RUS"])
    assert not {"IRN", "RUS"} & set(way.legs["country"])


def test_an_avoided_state_is_not_entered_at_all(toy_tables: Tables) -> None:
    stages = toy_tables["stages"].assign(host="")
    on_ab_road = stages["crossing_id"] == "ab-road"
    stages.loc[on_ab_road & (stages["country"] == "AAA"), "host"] = "BBB"
    network = toys.network({**toy_tables, "stages": stages})
    with pytest.raises(InputError, match="must not be those of origin and destination; found BBB"):
        route(network, "A1", "B1", avoid=["BBB"])
    assert route(network, "A2", "A1", avoid=["BBB"]).countries == ("AAA",)


def test_several_limits_at_once_and_what_would_help(toy: Network) -> None:
    model = model_of(toy, *ENDS)
    ways = every_way(model)
    hours, money = totals(model, "time_h", ways), totals(model, "cost_usd_per_t", ways)
    quick, cheap = int(hours.argmin()), int(money.argmin())
    assert quick != cheap
    limits = {"max_time_h": float(hours[quick]), "max_cost_usd_per_t": float(money[cheap])}
    with pytest.raises(NoRouteError) as caught:
        route(toy, *ENDS, "grain", **limits)
    assert set(caught.value.reasons) == set(limits)
    least_h = hours[money <= money[cheap] * (1 + 1e-12)].min()
    least_usd = money[hours <= hours[quick] * (1 + 1e-12)].min()
    message = str(caught.value)
    for keyword, least in (("max_time_h", least_h), ("max_cost_usd_per_t", least_usd)):
        found = re.search(rf"helps is .*{keyword} = ([\d.]+[\d])", message)
        assert found is not None
        remedy = float(found[1])
        assert least <= remedy <= least + 0.1 + 1e-9
        way = route(toy, *ENDS, "grain", **{**limits, keyword: remedy})
        assert way.time_h <= max(limits["max_time_h"], remedy)


def test_it_is_said_when_no_single_limit_is_to_blame(toy: Network) -> None:
    with pytest.raises(NoRouteError, match="nor would it without any single one") as caught:
        route(toy, *ENDS, "grain", max_time_h=1, max_cost_usd_per_t=0.1)
    assert caught.value.reasons == ("max_time_h", "max_cost_usd_per_t")


def test_a_state_that_need_not_be_avoided_is_named(real: Network) -> None:
    ends = ("AZ_BAKU", "TR_MERSIN")
    with pytest.raises(NoRouteError) as caught:
        route(real, *ends, max_crossings=2, avoid=["GEO", "ARM", "IRN", "RUS"])
    assert set(caught.value.reasons) >= {"avoid GEO", "avoid ARM", "max_crossings"}
    assert "max_crossings = 3 or one of GEO, ARM, IRN, RUS not avoided" in str(caught.value)


def test_what_blocks_without_limits_is_still_named(toy: Network) -> None:
    shut = toys.rules({"kind": "forbid", "countries": ["BBB"]})
    with pytest.raises(NoRouteError) as caught:
        route(toy, "A1", "B1", "grain", shut, max_crossings=1)
    assert caught.value.reasons == ("r0",)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"max_crossings": -1}, "max_crossings = -1"),
        ({"max_crossings": True}, "max_crossings = True"),
        ({"max_time_h": float("nan")}, "max_time_h = nan"),
        ({"max_cost_usd_per_t": "9"}, "max_cost_usd_per_t = '9'"),
        ({"max_km_in": {"AAA": -2.0}}, "max_km_in AAA = -2.0"),
        ({"max_km_in": {"QQQ": 2.0}}, "found 'QQQ'"),
        ({"avoid": ["QQQ", "RRR"]}, "found 'QQQ', 'RRR'"),
        ({"avoid": "BBB"}, "must be given as a list"),
    ],
)
def test_limits_that_are_none_are_refused(
    toy: Network, limits: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        route(toy, "A1", "B1", "grain", **limits)


# Overlap


def overlap(network: Network, one: Itinerary, other: Itinerary) -> float:
    """Return the shared part of the shorter way, border links counted whole."""
    km = network.links.set_index("link_id")["length_km"]
    shared = km[sorted(set(one.links) & set(other.links))].sum()
    return float(shared / min(one.length_km, other.length_km))


@pytest.mark.parametrize("max_overlap", [0.0, 0.4, 0.7, 1.0])
def test_alternatives_differ_and_are_the_best_that_do(toy: Network, max_overlap: float) -> None:
    every = alternatives(toy, *ENDS, 10_000, "grain")
    expected: list[Itinerary] = []
    for way in every:
        if all(overlap(toy, way, other) <= max_overlap + 1e-12 for other in expected):
            expected.append(way)
    found = alternatives(toy, *ENDS, 10_000, "grain", max_overlap=max_overlap)
    assert [way.links for way in found] == [way.links for way in expected]
    assert (len(found) > 1) == (max_overlap > 0)


def test_alternatives_on_the_bundled_network_differ(real: Network) -> None:
    ways = alternatives(real, "CN_XIAN", "TR_MERSIN", 5, max_overlap=0.7)
    assert len(ways) == 5
    for one, other in itertools.combinations(ways, 2):
        assert overlap(real, one, other) <= 0.7 + 1e-9
        assert one.generalized_usd_per_t <= other.generalized_usd_per_t + 1e-9
    near = alternatives(real, "CN_XIAN", "TR_MERSIN", 5)
    assert near[0].links == ways[0].links
    assert max(overlap(real, near[0], way) for way in near[1:]) > 0.7


def test_alternatives_keep_limits_best_first(toy: Network) -> None:
    every = alternatives(toy, *ENDS, 10_000, "grain")
    most = float(np.median([way.time_h for way in every]))
    within = alternatives(toy, *ENDS, 10_000, "grain", max_time_h=most)
    expected = [way.links for way in every if way.time_h <= most]
    assert [way.links for way in within] == expected


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_an_overlap_is_a_share(toy: Network, share: float) -> None:
    with pytest.raises(InputError, match="share from 0 to 1"):
        alternatives(toy, *ENDS, 2, "grain", max_overlap=share)


def test_a_gallery_takes_a_way_once() -> None:
    gallery = Gallery(np.ones(3), None)
    ways = [np.array(arcs, dtype=np.int32) for arcs in ([0, 1], [0, 1], [2])]
    assert gallery.choose(ways, 5, np.ndarray.tolist) == [[0, 1], [2]]


# Dates


def test_a_dated_limit_of_time_is_one_of_the_clock(real: Network) -> None:
    ends, leave = ("CN_XIAN", "TR_MERSIN"), dt.datetime(2026, 7, 3, 12, tzinfo=dt.UTC)
    cheapest = route(real, *ends, minimize="money", depart=leave)
    most = cheapest.time_h * 0.6
    way = route(real, *ends, minimize="money", depart=leave, max_time_h=most)
    assert way.time_h <= most
    assert way.cost_usd_per_t >= cheapest.cost_usd_per_t
    first = route(real, *ends, minimize="time", depart=leave)
    exact = route(real, *ends, minimize="money", depart=leave, max_time_h=first.time_h)
    assert exact.time_h <= first.time_h * (1 + 1e-9)
    with pytest.raises(NoRouteError, match="The quickest takes") as caught:
        route(real, *ends, depart=leave, max_time_h=first.time_h * 0.9)
    assert caught.value.reasons == ("max_time_h",)


def test_a_dated_way_keeps_the_other_limits(real: Network) -> None:
    ends, leave = ("CN_XIAN", "TR_MERSIN"), dt.datetime(2026, 7, 3, 12, tzinfo=dt.UTC)
    for minimize in ("time", "money"):
        way = route(real, *ends, minimize=minimize, depart=leave, max_crossings=3, avoid=["RUS"])
        assert len(way.crossings) <= 3
        assert "RUS" not in way.countries
    with pytest.raises(NoRouteError) as caught:
        route(real, *ends, depart=leave, max_crossings=0, max_time_h=5000)
    assert caught.value.reasons == ("max_crossings",)


def test_the_exit_post_counts_the_border(toy: Network) -> None:
    model = model_of(toy, *ENDS)
    counted = arc_measure(model, 0, "n_crossings")
    kind = model.supernetwork.arc_kind
    assert (counted == (kind == ArcKind.EXIT)).all()
    with pytest.raises(InputError, match="must be one of"):
        arc_measure(model, 0, "beauty")

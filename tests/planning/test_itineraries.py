"""Door-to-door itineraries: legs, criteria, alternatives, and why there is no way."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from corridor.errors import InputError, NoRouteError
from corridor.planning import (
    Itinerary,
    alternatives,
    compile_model,
    find_itineraries,
    plan,
    route,
    single_shipments,
)
from tests.planning import toys

Tables = dict[str, pd.DataFrame]
NUMBERS = ("time_h", "cost_usd_per_t", "co2_kg_per_t", "length_km")


def going(tables: Tables, *ends: str, **options: object) -> Itinerary:
    return route(toys.network(tables), *ends, **options)


def test_a_way_by_hand(toy_tables: Tables) -> None:
    way = going(toy_tables, "A2", "B2", "grain")
    assert (way.origin, way.destination, way.commodity) == ("A2", "B2", "grain")
    assert way.links == ("A2-A1-road", "A1-AP-rail", "x-ab-rail", "BP-B1-rail", "B1-B2-rail")
    assert way.crossings == ("ab-rail",)
    assert way.countries == ("AAA", "BBB")
    assert way.length_km == pytest.approx(120 + 115 + 6 + 108 + 120)
    assert way.moving_h == pytest.approx(120 / 60 + 229 / 30 + 120 / 40)
    assert way.border_h == pytest.approx(2.0)
    assert way.terminal_h == pytest.approx(8 + 12)
    assert way.service_wait_h == 0.0
    assert way.cost_usd_per_t == pytest.approx(0.06 * 120 + 5 + 0.04 * 229 + 6 + 0.05 * 120)
    assert np.isnan(way.cost_usd_per_teu)
    kinds = way.legs["kind"].tolist()
    assert kinds == [
        "travel", "transfer", "travel", "exit post", "entry post", "travel", "transfer", "travel",
    ]  # fmt: skip
    assert way.legs["from_node"].tolist()[:3] == ["A2", "A1", "A1"]
    assert way.legs["to_node"].tolist()[-1] == "B2"
    assert way.legs["country"].tolist() == ["AAA"] * 4 + ["BBB"] * 4
    assert way.legs["crossing_id"].tolist() == [""] * 3 + ["ab-rail"] * 2 + [""] * 3


def test_loading_and_unloading_are_legs_and_terminal_hours(toy_tables: Tables) -> None:
    tables = toys.changed(toy_tables, "layers", "road", end_h=3.0, end_usd_per_t=2.0)
    tables = toys.changed(tables, "layers", "rail1435", end_h=24.0, end_usd_per_t=5.0)
    free = going(toy_tables, "A2", "B2", "grain")
    way = going(tables, "A2", "B2", "grain")
    assert way.links == free.links
    assert way.legs["kind"].tolist() == ["loading", *free.legs["kind"], "unloading"]
    first, last = way.legs.iloc[0], way.legs.iloc[-1]
    assert (first["from_node"], first["to_node"], first["layer"]) == ("A2", "A2", "road")
    assert (last["from_node"], last["to_node"], last["layer"]) == ("B2", "B2", "rail1435")
    assert (first["country"], last["country"]) == ("AAA", "BBB")
    assert [first["time_h"], last["time_h"]] == [3.0, 24.0]
    assert way.terminal_h == pytest.approx(free.terminal_h + 27)
    assert way.time_h == pytest.approx(free.time_h + 27)
    assert way.cost_usd_per_t == pytest.approx(free.cost_usd_per_t + 7)
    assert way.length_km == pytest.approx(free.length_km)
    network = toys.network(tables)
    paths = plan(network, toys.demand(network, ("A2", "B2", "grain", 1.0))).paths
    assert paths["terminal_h"].tolist() == pytest.approx([way.terminal_h])
    assert paths["cost_usd_per_t"].tolist() == pytest.approx([way.cost_usd_per_t])


def test_ends_can_take_goods_off_the_train(toy_tables: Tables) -> None:
    def layers(tables: Tables) -> set[str]:
        return set(going(tables, "A1", "B1", "grain").legs["layer"])

    assert layers(toy_tables) == {"rail1520", "rail1435", "road"} & layers(toy_tables)
    dear = toy_tables
    for layer in ("rail1520", "rail1435"):
        dear = toys.changed(dear, "layers", layer, end_usd_per_t=40.0)
    assert layers(dear) == {"road"} != layers(toy_tables)


@pytest.mark.parametrize("minimize", ["generalized_cost", "time", "money", "co2"])
@pytest.mark.parametrize("commodity", ["grain", "containers"])
def test_legs_add_up_to_the_totals(toy_tables: Tables, commodity: str, minimize: str) -> None:
    tables = toys.with_sea(toy_tables)
    text = "service_id,link_id,from_node,headway_h,headway_cv\nf,strait,PB,24,0.4"
    background = "target,direction,vehicles_per_day\nab-road,both,200\nab-rail,both,12"
    tables = toys.joined(tables, services=text, background=background)
    tables["layers"] = tables["layers"].assign(
        co2_g_per_t_km=[85.0, 20, 20, 15], time_cv=0.2, end_h=[3.0, 0, 20, 30],
        end_usd_per_t=[0.0, 4, 5, 6], end_usd_per_teu=[np.nan, 50, np.nan, 90],
    )  # fmt: skip
    network = toys.network(tables)
    fee = {"kind": "fee", "countries": ["AAA"], "usd_per_t": 3.0}
    for way in alternatives(network, "B2", "A1", 6, commodity, toys.rules(fee), minimize=minimize):
        legs = way.legs
        for name in NUMBERS:
            assert legs[name].sum() == pytest.approx(getattr(way, name)), name
        parts = way.moving_h + way.border_h + way.terminal_h + way.service_wait_h
        assert parts == pytest.approx(way.time_h)
        posts = legs["kind"].isin(["exit post", "entry post"])
        stages = legs.loc[posts, ["fixed_h", "service_h", "wait_h"]].to_numpy().sum()
        assert stages == pytest.approx(way.border_h)
        assert legs.loc[~posts, ["fixed_h", "service_h"]].to_numpy().sum() == 0.0
        assert legs["fee_usd_per_t"].sum() >= 3.0
        assert (legs["fee_usd_per_t"] <= legs["cost_usd_per_t"] + 1e-12).all()
        assert (legs["from_node"].iloc[0], legs["to_node"].iloc[-1]) == ("B2", "A1")
        assert legs["from_node"].iloc[1:].tolist() == legs["to_node"].iloc[:-1].tolist()
        assert ("XXZ" in set(legs["country"])) == ("strait" in way.links)
        assert "XXZ" not in way.countries
        assert (way.service_wait_h > 0) == ("strait" in way.links)


def test_each_criterion_finds_its_own_best(toy_tables: Tables) -> None:
    tables = {**toy_tables, "layers": toy_tables["layers"].assign(co2_g_per_t_km=[85.0, 20, 20])}
    network = toys.network(tables)
    value = {
        "generalized_cost": "generalized_usd_per_t",
        "time": "time_h",
        "money": "cost_usd_per_t",
        "co2": "co2_kg_per_t",
    }
    ways = alternatives(network, "A2", "B2", 50, "containers")
    assert len(ways) == 2
    for minimize, name in value.items():
        best = route(network, "A2", "B2", "containers", minimize=minimize)
        assert getattr(best, name) == pytest.approx(min(getattr(way, name) for way in ways))
        assert best.minimize == minimize
        ranked = alternatives(network, "A2", "B2", 2, "containers", minimize=minimize)
        assert getattr(ranked[0], name) <= getattr(ranked[1], name)


def test_containers_are_priced_by_box_too(toy_tables: Tables) -> None:
    way = going(toy_tables, "A1", "B1", "containers")
    assert way.cost_usd_per_teu == pytest.approx(11 * way.cost_usd_per_t)


def test_the_first_commodity_of_the_table_is_taken_by_default(toy_tables: Tables) -> None:
    assert going(toy_tables, "A1", "B1").commodity == "containers"


def test_queues_are_those_of_the_background(toy_tables: Tables) -> None:
    background = "target,direction,vehicles_per_day\nab-rail,forward,18"
    busy = going(toys.joined(toy_tables, background=background), "A1", "B1", "grain")
    free = going(toy_tables, "A1", "B1", "grain")
    assert busy.links == free.links
    waits = busy.legs.loc[busy.legs["kind"] == "exit post", "wait_h"]
    assert waits.item() > 0.5
    assert busy.time_h - free.time_h == pytest.approx(busy.legs["wait_h"].sum())


def test_a_way_of_one_mode_can_be_asked_for(toy_tables: Tables) -> None:
    network = toys.network(toy_tables)
    model = compile_model(network, single_shipments(network, [("A1", "B1", "grain")]))
    [road] = find_itineraries(model, 0, layers=frozenset({"road"}))
    assert set(road.legs["layer"]) == {"road"}
    with pytest.raises(NoRouteError, match="not even over closed links"):
        find_itineraries(model, 0, layers=frozenset({"rail1435"}))


@pytest.mark.parametrize(
    ("change", "rules", "reasons"),
    [
        (
            lambda t: t,
            [{"kind": "forbid", "crossings": ["ab-rail", "ab-road"]}],
            ("r0",),
        ),
        (
            lambda t: t,
            [{"kind": "forbid", "countries": ["BBB"], "flags": ["AAA"]},
             {"kind": "forbid", "origins": ["A1"]},
             {"kind": "forbid", "origins": ["B1"]}],
            ("r0", "r1"),
        ),
        (
            lambda t: toys.changed(
                toys.changed(t, "links", "x-ab-rail", status="broken"),
                "crossings", "ab-road", status="construction",
            ),
            [],
            ("x-ab-rail",),
        ),
        (
            lambda t: toys.changed(
                toys.changed(t, "links", "x-ab-rail", status="broken"),
                "links", "A1-AP-road", status="broken",
            ),
            [{"kind": "forbid", "layers": ["rail1520"]}],
            ("r0", "x-ab-rail"),
        ),
    ],
)  # fmt: skip
def test_no_route_names_what_blocks_the_cheapest_way(
    toy_tables: Tables,
    change: Callable[[Tables], Tables],
    rules: list[dict[str, object]],
    reasons: tuple[str, ...],
) -> None:
    network = toys.network(change(toy_tables))
    with pytest.raises(NoRouteError) as caught:
        route(network, "A1", "B1", "grain", toys.rules(*rules))
    assert caught.value.reasons == reasons
    assert all(reason in str(caught.value) for reason in reasons)


def test_a_missing_terminal_is_said_so(toy_tables: Tables) -> None:
    rows = toy_tables["terminals"].query("node_id != 'B1'")
    network = toys.network({**toy_tables, "terminals": rows})
    with pytest.raises(NoRouteError, match="missing links or terminals") as caught:
        route(network, "A1", "B2", "grain")
    assert caught.value.reasons == ()


def test_a_broken_floor_leaves_no_lawful_way(toy_tables: Tables) -> None:
    floor = {"kind": "inspection_floor", "country": "AAA", "stage": "scanner", "share": 0.5}
    network = toys.network(toy_tables)
    with pytest.raises(NoRouteError, match="ab-road") as caught:
        route(network, "A1", "B1", "grain", toys.rules(floor))
    assert caught.value.reasons == ("r0",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"origin": "A22"}, "Did you mean A2"),
        ({"destination": "nowhere"}, "'nowhere' is none of them"),
        ({"commodity": "gran"}, "Did you mean grain"),
        ({"destination": "A1"}, "must differ"),
        ({"minimize": "distance"}, "minimize must be"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    toy_tables: Tables, options: dict[str, object], message: str
) -> None:
    asked = {"origin": "A1", "destination": "B1", "commodity": "grain"} | options
    with pytest.raises(InputError, match=message):
        route(toys.network(toy_tables), **asked)


def test_at_least_one_way_must_be_asked_for(toy_tables: Tables) -> None:
    with pytest.raises(InputError, match="k must be a whole number >= 1"):
        alternatives(toys.network(toy_tables), "A1", "B1", 0)


def test_a_plan_on_an_empty_network_takes_the_same_way(toy_tables: Tables) -> None:
    network = toys.network(toy_tables)
    for commodity in ("grain", "containers"):
        demand = toys.demand(network, ("A2", "B2", commodity, 1e-3))
        found = plan(network, demand, congestion=False)
        way = route(network, "A2", "B2", commodity)
        [path] = found.paths.to_dict("records")
        assert path["links"] == ">".join(way.links)
        for name in (*NUMBERS, "generalized_usd_per_t", "border_h", "moving_h", "terminal_h"):
            assert path[name] == pytest.approx(getattr(way, name)), name


def test_its_representation_says_the_essence(toy_tables: Tables) -> None:
    assert repr(going(toy_tables, "A1", "B1", "grain")) == (
        "Itinerary(A1 -> B1, grain: 229 km, 0.4 days, 9 USD/t, 1 crossings)"
    )

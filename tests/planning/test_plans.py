"""Plans by hand on the toy network: flows, prices, statuses and reasons."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from corridor.core.flows import min_cost_flow
from corridor.errors import InputError
from corridor.planning import Plan, compile_model, plan, solve_plan
from corridor.planning.answer import evaluate
from corridor.planning.tables import country_table, path_table
from tests.planning import toys

Tables = dict[str, pd.DataFrame]
GRAIN = ("A1", "B1", "grain", 100.0)

# A tonne of grain from A1 to B1: tariff, fees, and hours at the value of the goods and vehicle.
ROAD = 0.06 * 236 + 70 / 20 + (236 / 60 + 16 / 60 + 10 / 60) * (0.01 + 15 / 20)
RAIL = 0.04 * 229 + (229 / 30 + 2) * (0.01 + 260 / 2000)


def planned(
    tables: Tables,
    *rules: dict[str, object],
    rows: tuple[tuple[str, str, str, float], ...] = (GRAIN,),
    congestion: bool = False,
    unmet_usd_per_t: float = 5000.0,
    flag: str = "",
) -> Plan:
    network = toys.network(tables)
    demand = toys.demand(network, *rows, flag=flag)
    return plan(network, demand, toys.rules(*rules), congestion, unmet_usd_per_t)


def with_rail_capacity(tables: Tables, t_per_day: float) -> Tables:
    return toys.changed(tables, "links", "A1-AP-rail", capacity_t_per_day=t_per_day)


def without(tables: Tables, *links: str) -> Tables:
    for link in links:
        tables = toys.changed(tables, "links", link, status="broken")
    return tables


def test_the_cheapest_way_carries_all(toy_tables: Tables) -> None:
    found = planned(toy_tables)
    assert found.status == "optimal"
    assert found.objective_usd_per_day == pytest.approx(100 * RAIL)
    assert found.gap <= 1e-6
    assert (found.served_t_per_day, found.demand_t_per_day) == (100.0, 100.0)
    [path] = found.paths.to_dict("records")
    assert path["t_per_day"] == pytest.approx(100)
    assert path["links"] == "A1-AP-rail>x-ab-rail>BP-B1-rail"
    assert path["crossings"] == "ab-rail"
    assert path["countries"] == "AAA>BBB"
    assert path["length_km"] == pytest.approx(229)
    assert path["cost_usd_per_t"] == pytest.approx(0.04 * 229)
    assert path["generalized_usd_per_t"] == pytest.approx(RAIL)
    assert path["moving_h"] == pytest.approx(229 / 30)
    assert path["border_h"] == pytest.approx(2.0)
    assert path["time_h"] == pytest.approx(229 / 30 + 2)
    assert not len(found.unmet)


def test_what_does_not_fit_takes_the_next_way_at_the_price_of_the_difference(
    toy_tables: Tables,
) -> None:
    found = planned(with_rail_capacity(toy_tables, 40.0))
    assert found.status == "optimal"
    assert found.objective_usd_per_day == pytest.approx(40 * RAIL + 60 * ROAD)
    assert found.paths["t_per_day"].tolist() == pytest.approx([60, 40])
    assert found.paths["path_id"].tolist() == [0, 1]
    links = found.links.set_index(["link_id", "direction"])
    full = links.loc["A1-AP-rail", "forward"]
    assert full["utilization"] == pytest.approx(1.0)
    assert full["shadow_price_usd_per_t"] == pytest.approx(ROAD - RAIL)
    assert links.loc[("A1-AP-road", "forward"), "vehicles_per_day"] == pytest.approx(60 / 20)
    # No capacity is known: no utilization is claimed.
    assert np.isnan(links.loc[("A1-AP-road", "forward"), "utilization"])


def test_a_hard_quota_binds_at_its_price(toy_tables: Tables) -> None:
    quota = {"kind": "quota", "crossings": ["ab-rail"], "limit": 0.01, "unit": "trains_per_day"}
    found = planned(toy_tables, quota)
    assert found.paths["t_per_day"].tolist() == pytest.approx([80, 20])
    [rule] = found.rules.to_dict("records")
    assert rule["binding"]
    assert rule["price"] == pytest.approx(2000 * (ROAD - RAIL))
    assert rule["unit"] == "usd_per_train"


def test_a_quota_that_nobody_wants_does_not_bind(toy_tables: Tables) -> None:
    quota = {"kind": "quota", "crossings": ["ab-road"], "unit": "t_per_day"}
    found = planned(toy_tables, quota | {"limit": 0.0}, quota | {"limit": 50.0})
    assert found.rules["binding"].tolist() == [False, False]
    assert found.rules["price"].tolist() == [0.0, 0.0]
    assert found.rules["unit"].tolist() == ["usd_per_t"] * 2


def test_a_quota_of_nothing_is_a_ban(toy_tables: Tables) -> None:
    scopes = (
        {"crossings": ["ab-rail"]},
        {"crossings": ["ab-rail"], "countries": ["AAA"]},
        {"countries": ["BBB"], "layers": ["rail1520"]},
        {"layers": ["rail1520"], "traffic": ["import"]},
        {"origins": ["AAA"]},
    )
    for scope in scopes:
        quota = {"kind": "quota", "limit": 0.0, "unit": "t_per_day", **scope}
        banned = planned(toy_tables, {"kind": "forbid", **scope})
        found = planned(toy_tables, quota)
        assert found.objective_usd_per_day == pytest.approx(banned.objective_usd_per_day), scope
        assert found.objective_usd_per_day > 100 * RAIL * 1.5


def test_a_soft_quota_is_paid_over_its_limit(toy_tables: Tables) -> None:
    quota = {
        "kind": "quota", "crossings": ["ab-rail"], "limit": 0.01, "unit": "trains_per_day",
    }  # fmt: skip
    cheap = planned(toy_tables, quota | {"over_quota_usd_per_vehicle": 4000.0})
    # Two dollars a tonne over the limit are less than the road's.
    assert cheap.objective_usd_per_day == pytest.approx(100 * RAIL + 80 * 2)
    assert cheap.paths["t_per_day"].tolist() == pytest.approx([100])
    [rule] = cheap.rules.to_dict("records")
    assert rule["binding"]
    assert rule["price"] == pytest.approx(4000)
    dear = planned(toy_tables, quota | {"over_quota_usd_per_vehicle": 1e6})
    assert dear.objective_usd_per_day == pytest.approx(20 * RAIL + 80 * ROAD)
    assert dear.rules["price"].tolist() == pytest.approx([2000 * (ROAD - RAIL)])


def test_fees_move_goods_and_go_to_their_payees(toy_tables: Tables) -> None:
    rail = {"kind": "fee", "crossings": ["ab-rail"]}
    found = planned(
        toy_tables,
        rail | {"usd_per_t": 1.0},
        rail | {"usd_per_t": 2.0, "payee": "AAA"},
        rail | {"usd_per_t": 4.0, "payee": "none"},
    )
    assert found.objective_usd_per_day == pytest.approx(100 * (RAIL + 7))
    revenue = found.countries.set_index("country")["revenue_usd_per_day"]
    # The host of the entry is BBB; premiums are nobody's revenue.
    assert revenue.to_dict() == pytest.approx({"AAA": 200.0, "BBB": 100.0})
    [path] = found.paths.to_dict("records")
    assert path["border_usd_per_t"] == pytest.approx(7.0)
    used = found.crossings.query("t_per_day > 0").set_index("crossing_id")
    assert used["cost_usd_per_t"].to_dict() == pytest.approx({"ab-rail": 7.0})
    away = planned(toy_tables, rail | {"usd_per_t": 11.0})
    assert away.objective_usd_per_day == pytest.approx(100 * ROAD)


def test_revenue_is_fees_and_the_hosts_part_of_money(toy_tables: Tables) -> None:
    tables = {**toy_tables, "layers": toy_tables["layers"].assign(host_share=0.5)}
    found = planned(without(tables, "A1-AP-rail"))
    revenue = found.countries.set_index("country")["revenue_usd_per_day"]
    assert revenue["AAA"] == pytest.approx(100 * (50 / 20 + 0.5 * 0.06 * 123))
    assert revenue["BBB"] == pytest.approx(100 * (20 / 20 + 0.5 * 0.06 * 113))
    t_km = found.countries.set_index("country")["t_km_per_day"]
    assert t_km.to_dict() == pytest.approx({"AAA": 12300.0, "BBB": 11300.0})
    assert found.countries["transit_t_per_day"].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("change", "rules", "unmet_t", "reason", "named"),
    [
        (lambda t: without(with_rail_capacity(t, 40), "A1-AP-road"), [], 60, "capacity", ""),
        (
            lambda t: without(t, "x-ab-road"),
            [{"kind": "quota", "crossings": ["ab-rail"], "limit": 30, "unit": "t_per_day"},
             {"kind": "quota", "crossings": ["ab-road"], "limit": 0, "unit": "t_per_day"}],
            70, "capacity", "r0",
        ),
        (
            lambda t: t,
            [{"kind": "forbid", "crossings": ["ab-rail"]},
             {"kind": "forbid", "crossings": ["ab-road"]},
             {"kind": "forbid", "flags": ["AAA"], "countries": ["BBB"]}],
            100, "rule", "r0>r2",
        ),
        (lambda t: t, [{"kind": "forbid", "commodities": ["grain"]}], 100, "rule", "r0"),
        (lambda t: without(t, "x-ab-road", "x-ab-rail"), [], 100, "no_path", ""),
        (
            lambda t: without(t, "x-ab-road", "x-ab-rail"),
            [{"kind": "forbid", "crossings": ["ab-rail"]}],
            100, "no_path", "",
        ),
    ],
)  # fmt: skip
def test_what_is_not_served_says_why(
    toy_tables: Tables,
    change: Callable[[Tables], Tables],
    rules: list[dict[str, object]],
    unmet_t: float,
    reason: str,
    named: str,
) -> None:
    found = planned(change(toy_tables), *rules)
    assert found.status == "partial"
    [row] = found.unmet.to_dict("records")
    assert row["t_per_day"] == pytest.approx(unmet_t)
    assert (row["reason"], row["rules"]) == (reason, named)
    assert found.served_t_per_day == pytest.approx(100 - unmet_t)
    assert (row["origin"], row["destination"], row["commodity"]) == GRAIN[:3]


def test_goods_may_be_worth_less_than_their_way(toy_tables: Tables) -> None:
    dear = planned(toy_tables, unmet_usd_per_t=RAIL - 1)
    assert dear.unmet["reason"].tolist() == ["no_path"]
    assert dear.objective_usd_per_day == pytest.approx(100 * (RAIL - 1))
    ban = {"kind": "forbid", "crossings": ["ab-rail"]}
    # The ban leaves only the road, which is not worth it: the ban is the reason.
    banned = planned(toy_tables, ban, unmet_usd_per_t=RAIL + 1)
    assert banned.unmet[["reason", "rules"]].to_numpy().tolist() == [["rule", "r0"]]
    assert planned(toy_tables, unmet_usd_per_t=RAIL + 1).status == "optimal"


def test_each_shipment_has_its_own_reason(toy_tables: Tables) -> None:
    rows = (GRAIN, ("A2", "A1", "grain", 5.0), ("B2", "A1", "containers", 7.0))
    found = planned(
        without(toy_tables, "x-ab-road", "B1-B2-rail"),
        {"kind": "forbid", "origins": ["A1"]},
        rows=rows,
    )
    assert found.status == "partial"
    reasons = found.unmet.set_index("origin")["reason"].to_dict()
    assert reasons == {"A1": "rule", "B2": "no_path"}
    assert found.paths["origin"].tolist() == ["A2"]


def test_nothing_open_is_a_partial_plan_without_numbers(toy_tables: Tables) -> None:
    found = planned(without(toy_tables, "x-ab-road", "x-ab-rail"), congestion=True)
    assert found.status == "partial"
    assert found.objective_usd_per_day == pytest.approx(100 * 5000)
    assert not len(found.paths)
    values = found.indicators.set_index(["indicator", "unit"])["value"]
    assert set(values.loc[[("served", "Mt_per_year")]]) == {0.0}
    means = [("door_to_door_time_mean", "d"), ("door_to_door_cost_mean", "usd_per_t")]
    assert values.loc[[*means, ("border_time_mean", "h")]].isna().tolist() == [True] * 3
    assert found.countries["share"].isna().all()


@pytest.mark.parametrize("congestion", [False, True])
def test_a_broken_floor_makes_a_plan_infeasible(toy_tables: Tables, *, congestion: bool) -> None:
    floor = {"kind": "inspection_floor", "country": "AAA", "stage": "scanner", "share": 0.5}
    found = planned(
        toy_tables, {"kind": "forbid", "crossings": ["ab-road"]}, floor, congestion=congestion
    )
    assert found.status == "infeasible"
    assert np.isnan(found.objective_usd_per_day)
    assert np.isnan(found.gap)
    assert found.unmet[["t_per_day", "reason", "rules"]].to_numpy().tolist() == [
        [100.0, "rule", "r1"]
    ]
    assert found.rules["binding"].tolist() == [False, True]
    whole = planned(toy_tables)
    for name in ("links", "crossings", "paths", "countries", "indicators"):
        table = getattr(found, name)
        assert not len(table)
        assert list(table.columns) == list(getattr(whole, name).columns)


def test_a_limit_leaves_a_feasible_plan(toy_tables: Tables) -> None:
    network = toys.network(toy_tables)
    model = compile_model(network, toys.demand(network, GRAIN))
    found = solve_plan(model, time_limit=1e-9)
    assert found.status in ("feasible", "unknown")
    assert found.limit
    assert found.status != "unknown" or not len(found.unmet)


def test_bans_bind_where_they_make_goods_dearer(toy_tables: Tables) -> None:
    found = planned(
        toy_tables,
        {"kind": "forbid", "crossings": ["ab-rail"]},
        {"kind": "forbid", "crossings": ["ab-road"], "commodities": ["containers"]},
        {"kind": "forbid", "origins": ["BBB"]},
        {"kind": "fee", "crossings": ["ab-road"], "usd_per_t": 0.5},
    )
    assert found.rules["binding"].tolist() == [True, False, False, False]
    assert found.rules["price"].isna().all()
    assert found.objective_usd_per_day == pytest.approx(100 * (ROAD + 0.5))


def test_flags_are_the_carriers(toy_tables: Tables) -> None:
    ban = {"kind": "forbid", "flags": ["CHN"]}
    assert planned(toy_tables, ban).status == "optimal"
    assert planned(toy_tables, ban, flag="CHN").status == "partial"


def test_the_table_of_crossings_by_hand(toy_tables: Tables) -> None:
    background = "target,direction,vehicles_per_day\nab-road,forward,114"
    tables = toys.joined(without(toy_tables, "A1-AP-rail"), background=background)
    tables = toys.changed(tables, "commodities", "grain", empty_return_share=0.5)
    found = planned(tables, rows=(("A1", "B1", "grain", 1000.0),))
    table = found.crossings.set_index(["crossing_id", "from_country"])
    there, back = table.loc["ab-road", "AAA"], table.loc["ab-road", "BBB"]
    assert there["to_country"] == "BBB"
    assert there["t_per_day"] == pytest.approx(1000)
    assert there["vehicles_per_day"] == pytest.approx(50)
    assert back["t_per_day"] == 0.0
    assert back["vehicles_per_day"] == pytest.approx(25)
    assert there["background_vehicles_per_day"] == 114
    assert back["background_vehicles_per_day"] == 0
    # 164 of 240 vehicles a day that two officers of AAA could clear without a pause.
    assert there["utilization"] == pytest.approx(164 / 240)
    assert (there["bottleneck_stage"], there["bottleneck_country"]) == ("documents", "AAA")
    assert there["service_h"] == pytest.approx(16 / 60 + 10 / 60)
    assert there["fixed_h"] == 0.0
    # Both posts charge the truck, and its return halves: nothing at AAA, 20 at BBB.
    assert there["cost_usd_per_vehicle"] == pytest.approx(50 + 20 + 0.5 * 20)
    assert there["cost_usd_per_t"] == pytest.approx(80 / 20)
    assert len(table) == 4


def test_the_price_of_capacity_is_what_a_vehicle_more_would_save(toy_tables: Tables) -> None:
    tables = without(toy_tables, "A1-AP-rail")
    found = planned(tables, rows=(("A1", "B1", "grain", 6000.0),))
    assert found.status == "partial"
    # Two officers of AAA clear 228 trucks of 20 t.
    assert found.unmet["t_per_day"].tolist() == pytest.approx([6000 - 4560])
    assert found.unmet["reason"].tolist() == ["capacity"]
    way = found.crossings.set_index(["crossing_id", "from_country"]).loc["ab-road", "AAA"]
    assert way["capacity_price_usd_per_vehicle"] == pytest.approx(20 * (5000 - ROAD))
    # A third officer passes 342, but the scanner and BBB's officers only that and 410.
    staffed = toys.joined(tables)
    staffed["stages"].loc[0, "servers"] = 3
    saved = (
        found.objective_usd_per_day
        - planned(staffed, rows=(("A1", "B1", "grain", 6000.0),)).objective_usd_per_day
    )
    assert saved == pytest.approx(1440 * (5000 - ROAD))


def test_queues_grow_with_congestion_only(toy_tables: Tables) -> None:
    tables = without(toy_tables, "A1-AP-rail")
    rows = (("A1", "B1", "grain", 4000.0),)
    free, crowded = (planned(tables, rows=rows, congestion=c) for c in (False, True))
    assert free.crossings["wait_h"].max() == 0.0
    way = crowded.crossings.set_index(["crossing_id", "from_country"]).loc["ab-road", "AAA"]
    assert way["wait_h"] > 0.1
    assert way["marginal_delay_usd_per_vehicle"] > way["wait_h"] * 15
    assert crowded.objective_usd_per_day > free.objective_usd_per_day
    assert crowded.gap <= 1e-6


@pytest.mark.parametrize("congestion", [False, True])
def test_the_parts_add_up_to_the_objective(toy_tables: Tables, *, congestion: bool) -> None:
    background = "target,direction,vehicles_per_day\nab-road,forward,60\nab-rail,both,9"
    tables = toys.joined(with_rail_capacity(toy_tables, 900), background=background)
    tables = toys.changed(tables, "commodities", "grain", empty_return_share=0.5)
    tables = toys.changed(tables, "commodities", "containers", reliability_ratio=0.5)
    network = toys.network({**tables, "layers": tables["layers"].assign(time_cv=0.2)})
    demand = toys.demand(
        network, ("A1", "B1", "grain", 3000.0), ("A2", "B2", "containers", 1500.0),
        ("B2", "A1", "containers", 800.0), ("B1", "A2", "grain", 9000.0),
    )  # fmt: skip
    quota = {"kind": "quota", "crossings": ["ab-road"], "limit": 90, "unit": "vehicles_per_day"}
    rules = toys.rules(
        quota | {"over_quota_usd_per_vehicle": 25.0},
        {"kind": "fee", "countries": ["BBB"], "usd_per_t": 0.01, "per": "t_km"},
    )
    model = compile_model(network, demand, rules)
    problem = model.flow_problem(congestion=congestion, unmet_usd_per_t=4000.0)
    result = min_cost_flow(problem, tolerance=1e-8)
    answer = evaluate(model, problem, result, congestion=congestion)
    paths = path_table(answer)
    generalized = float((paths["t_per_day"] * paths["generalized_usd_per_t"]).sum())
    own_wait = model.costs.usd_per_t_h * answer.wait_h
    waits = float((answer.step_of(own_wait) * answer.step_t_per_day).sum())
    overruns = float(model.pools.overruns.value(answer.pool_load).sum())
    unmet = 4000.0 * float(answer.unmet_t_per_day.sum())
    assert overruns > 0
    assert unmet > 0
    # Congestion values queues at one rate a layer, background included, not at each shipper's own.
    queues = answer.queue_usd_per_day - waits if congestion else 0.0
    assert generalized + queues + overruns + unmet == pytest.approx(result.objective, rel=1e-9)
    hours = paths[["moving_h", "border_h", "terminal_h", "service_wait_h"]].sum(axis=1)
    np.testing.assert_allclose(hours, paths["time_h"])


def test_transit_is_counted_once_a_path(toy_tables: Tables) -> None:
    network = toys.network(toy_tables)
    model = compile_model(network, toys.demand(network, GRAIN))
    problem = model.flow_problem(congestion=False, unmet_usd_per_t=5000.0)
    answer = evaluate(model, problem, min_cost_flow(problem), congestion=False)
    paths = path_table(answer)
    again = paths.assign(origin="A1", destination="A2", countries="AAA>BBB>AAA>BBB>AAA")
    table = country_table(answer, again).set_index("country")
    assert table["transit_t_per_day"].to_dict() == pytest.approx({"AAA": 0.0, "BBB": 100.0})
    assert table["share"]["BBB"] == pytest.approx(1.0)


def test_flow_is_conserved_at_every_place(toy_tables: Tables) -> None:
    rows = (GRAIN, ("A2", "B2", "containers", 30.0), ("B2", "A2", "grain", 70.0))
    found = planned(with_rail_capacity(toy_tables, 40.0), rows=rows, congestion=True)
    gone = found.links.groupby("from_node")["t_per_day"].sum()
    come = found.links.groupby("to_node")["t_per_day"].sum()
    wanted = {"A1": -100.0, "B1": 100.0, "A2": 70 - 30.0, "B2": 30 - 70.0, "AP": 0.0, "BP": 0.0}
    net = (come - gone).to_dict()
    assert net == pytest.approx(wanted, abs=1e-6)


def test_teu_are_of_goods_in_containers_only(toy_tables: Tables) -> None:
    rows = (GRAIN, ("A1", "B1", "containers", 110.0))
    found = planned(toy_tables, rows=rows)
    rail = found.links.set_index(["link_id", "direction"]).loc["A1-AP-rail", "forward"]
    assert rail["t_per_day"] == pytest.approx(210)
    assert rail["teu_per_day"] == pytest.approx(10)
    assert rail["vehicles_per_day"] == pytest.approx(100 / 2000 + 110 / 1210)


def test_assumptions_and_date_are_told(toy_tables: Tables) -> None:
    network = toys.network(toy_tables, "2026-06-30")
    found = plan(network, toys.demand(network, GRAIN))
    assert found.date == network.date
    assert "capacity_t_per_day" in set(found.assumptions["column"])
    assert repr(found).startswith("Plan(optimal, 100 of 100 t/day")


@pytest.mark.parametrize("congestion", [True, False])
@pytest.mark.parametrize("t_per_day", [1e-12, 1e-7, 3e-6, 1e-5, 1e9])
def test_demand_of_any_size_is_planned(
    toy_tables: Tables, t_per_day: float, *, congestion: bool
) -> None:
    """A row that no solver can tell from none is left out, and told of."""
    usual = ("A1", "B1", "containers", 1000.0), ("A2", "B2", "grain", 500.0)
    rows = *usual, ("B2", "A2", "grain", t_per_day)
    found = planned(toy_tables, rows=rows, congestion=congestion)
    left_out = found.assumptions.query("table == 'demand'")
    if t_per_day < 1e-5:
        assert left_out["keys"].tolist() == ["base/B2/A2/grain"]
        assert found.demand_t_per_day == 1500.0
        assert (
            found.objective_usd_per_day
            == planned(toy_tables, rows=usual, congestion=congestion).objective_usd_per_day
        )
    else:
        assert left_out.empty
        assert found.demand_t_per_day == 1500.0 + t_per_day


def test_demand_beyond_the_world_is_refused(toy_tables: Tables) -> None:
    with pytest.raises(InputError, match=r"t_per_day: found '1000000000000'; expected .* 1e\+09"):
        planned(toy_tables, rows=(("A1", "B1", "grain", 1e12),))


def test_demand_of_another_network_is_refused(toy_tables: Tables) -> None:
    network = toys.network(toys.with_sea(toy_tables))
    demand = toys.demand(network, ("PA", "B1", "grain", 1.0))
    with pytest.raises(InputError, match="1 are unknown: PA"):
        plan(toys.network(toy_tables), demand)


def test_demand_at_a_node_without_links_is_refused(toy_tables: Tables) -> None:
    lonely = "node_id,name,country,kind,lon,lat\nA9,Aspen,AAA,city,0.5,0.5"
    network = toys.network(toys.joined(toy_tables, nodes=lonely))
    with pytest.raises(InputError, match="1 have none: A9"):
        plan(network, toys.demand(network, ("A9", "B1", "grain", 1.0)))


def test_demand_to_its_own_origin_is_refused(toy_network: toys.Network) -> None:
    with pytest.raises(InputError, match="A1"):
        toys.demand(toy_network, ("A1", "A1", "grain", 1.0))


@pytest.mark.parametrize("price", [0.0, -1.0, np.inf, np.nan])
def test_the_price_of_unmet_demand_must_be_one(toy_tables: Tables, price: float) -> None:
    with pytest.raises(InputError, match="finite price > 0"):
        planned(toy_tables, unmet_usd_per_t=price)

"""Crossings by hand on the toy border, and on the bundled set against its plan."""

import numpy as np
import pandas as pd
import pytest

import corridor
from corridor.core.queues import mean_wait, targeted_detection, wait_tail
from corridor.errors import InputError
from corridor.planning import Crossing, Plan, crossing
from corridor.planning.borders import cases
from corridor.planning.borders.cases import open_case
from corridor.planning.borders.crossings import crossings_of
from corridor.planning.model import Model, compile_model
from tests.planning import toys
from tests.study.toy import toy_frames

Tables = dict[str, pd.DataFrame]
ROAD = """
target,direction,vehicles_per_day
ab-road,forward,96
ab-road,backward,48
"""


def with_background(tables: Tables, text: str = ROAD) -> Tables:
    return toys.joined(tables, background=text)


def opened(tables: Tables, hours: str) -> Tables:
    return toys.changed(tables, "crossings", "ab-road", opening_hours=hours)


def looked_at(tables: Tables, *rules: dict[str, object]) -> Crossing:
    return crossing(toys.network(tables), "ab-road", toys.rules(*rules) if rules else None)


def stage(found: Crossing, leaves: str, country: str, name: str) -> pd.Series:
    rows = found.stages
    at = (rows["from_country"] == leaves) & (rows["country"] == country) & (rows["stage"] == name)
    [row] = rows[at].to_dict("records")
    return pd.Series(row)


@pytest.fixture(scope="module")
def road() -> Crossing:
    """Look at the toy's road once, for all tests that only read it."""
    return looked_at(with_background(toy_frames()))


def test_stages_by_hand(road: Crossing) -> None:
    found = road
    scanner = stage(found, "AAA", "AAA", "scanner")
    # A fifth of 96 trucks a day, 20 minutes each, one server.
    assert scanner["arrivals_per_day"] == pytest.approx(19.2)
    assert scanner["utilization"] == pytest.approx(0.8 / 3)
    assert scanner["wait_h"] == pytest.approx(float(mean_wait(0.8, 1 / 3, 1)))
    assert scanner["p_over_1h"] == pytest.approx(float(wait_tail(1.0, 0.8, 1 / 3, 1)))
    # Three servers of BBB share both directions: 144 trucks a day, 10 minutes each.
    shared = stage(found, "AAA", "BBB", "documents")
    assert shared["is_shared"]
    assert shared["arrivals_per_day"] == pytest.approx(144)
    assert shared["utilization"] == pytest.approx(6 / 6 / 3)
    assert stage(found, "BBB", "BBB", "documents")["wait_h"] == pytest.approx(shared["wait_h"])
    assert found.stages["regime"].unique().tolist() == ["standard"]


def test_posts_and_ways_add_up(road: Crossing) -> None:
    found = road
    for way in found.ways.to_dict("records"):
        at = found.posts["from_country"] == way["from_country"]
        for name in ("fixed_h", "service_h", "wait_h", "time_h"):
            assert found.posts.loc[at, name].sum() == pytest.approx(way[name]), name
        rows = found.stages[found.stages["from_country"] == way["from_country"]]
        assert (rows["share"] * rows["wait_h"]).sum() == pytest.approx(way["wait_h"])
        assert way["utilization"] == pytest.approx(rows["utilization"].max())
    [out] = found.posts.query("country == 'AAA' and direction == 'out'").to_dict("records")
    assert out["time_h"] < out["p95_h"] < 10 * out["time_h"]
    assert out["host"] == "AAA"


def test_the_day_waits_longer_than_the_mean_rate_says(road: Crossing) -> None:
    found = road
    assert (found.posts["day_wait_h"] > found.posts["wait_h"]).all()
    assert (found.posts["day_wait_low_h"] <= found.posts["day_wait_h"]).all()
    assert (found.posts["day_wait_h"] < found.posts["day_wait_high_h"]).all()
    assert len(found.hours) == 4 * 24
    by_way = found.hours.groupby(["from_country", "country"])["arrivals_per_h"].sum()
    assert by_way["AAA", "AAA"] == pytest.approx(96)
    assert by_way["AAA", "BBB"] == pytest.approx(96)
    peak = found.hours.loc[found.hours["arrivals_per_h"].idxmax()]
    assert peak["start_h"] in (13.0, 14.0)


def test_without_swing_the_day_is_the_steady_state(toy_tables: Tables) -> None:
    tables = toys.changed(with_background(toy_tables), "crossings", "ab-road", arrival_swing=0.0)
    found = looked_at(tables)
    np.testing.assert_allclose(found.posts["day_wait_h"], found.posts["wait_h"], rtol=1e-6)
    rows = found.servers
    np.testing.assert_allclose(rows["day_saved_h_per_day"], rows["saved_h_per_day"], rtol=1e-6)


def test_closed_hours_are_waited_for_once(toy_tables: Tables) -> None:
    found = looked_at(opened(with_background(toy_tables), "08:00-20:00"))
    exits = found.posts[found.posts["direction"] == "out"]
    entries = found.posts[found.posts["direction"] == "in"]
    # Closed for twelve hours: at a random hour one waits 12 x 12 / (2 x 24) = 3 h.
    np.testing.assert_allclose(exits["opening_wait_h"], 3.0)
    np.testing.assert_allclose(entries["opening_wait_h"], 0.0)
    assert (entries["day_wait_h"] < 1.0).all()
    night = found.hours[(found.hours["start_h"] == 22) & (found.hours["from_country"] == "AAA")]
    exit_post, entry_post = night["wait_h"].tolist()
    assert exit_post > 10.0
    assert night["arrivals_per_h"].tolist()[1] == 0.0
    assert entry_post >= 0.0
    assert found.stages["open_h_per_day"].unique().tolist() == [12.0]


def test_a_week_is_shown_where_its_days_differ(toy_tables: Tables) -> None:
    found = looked_at(opened(with_background(toy_tables), "Mo-Fr 00:00-24:00"))
    assert found.hours["start_h"].max() == 167.0
    # Who comes on Saturday at 00:30 waits two days.
    at = (found.hours["start_h"] == 120) & (found.hours["country"] == "AAA")
    assert found.hours[at].iloc[0]["wait_h"] > 47.0


def test_overload_is_endless_by_the_steady_state_and_finite_by_the_day(toy_tables: Tables) -> None:
    text = ROAD.replace("ab-road,forward,96", "ab-road,forward,300")
    found = looked_at(with_background(toy_tables, text))
    [out] = found.posts.query("country == 'AAA' and direction == 'out'").to_dict("records")
    assert out["wait_h"] == np.inf
    assert out["p95_h"] == np.inf
    assert "documents: 300 vehicles a day need 2.5 servers, 2 are there" in out["reason"]
    assert not out["is_lasting"]
    # A day's overflow is 300 - 240 trucks; the day that starts empty waits some hours.
    assert 1.0 < out["day_wait_h"] < 12.0
    assert found.ways["wait_h"].max() == np.inf
    assert np.isfinite(found.servers["saved_usd_per_year"]).all()


def test_one_more_server_by_hand(road: Crossing) -> None:
    found = road
    rows = found.servers.set_index(["country", "direction", "stage"])
    scanner = rows.loc["AAA", "out", "scanner"]
    saved = 19.2 * float(mean_wait(0.8, 1 / 3, 1) - mean_wait(0.8, 1 / 3, 2))
    assert scanner["saved_h_per_day"] == pytest.approx(saved)
    # 15 USD/h a truck and 20 t of mean cargo, (1.5 + 0.01) / 2 USD/t h.
    assert found.usd_per_vehicle_h == pytest.approx(15 + 20 * 0.755)
    assert scanner["saved_usd_per_year"] == pytest.approx(saved * 30.1 * 365)
    assert scanner["saved_usd_low"] == scanner["saved_usd_high"] == scanner["saved_usd_per_year"]
    assert found.servers["saved_usd_per_year"].is_monotonic_decreasing


def test_ranges_move_the_saving_and_the_fixed_delay(toy_tables: Tables) -> None:
    ranges = """
table,key,column,low,high,distribution,group
stages,ab-road/AAA/out//2/all,service_min,10,40,triangular,scans
stages,ab-road/AAA/out//1/all,fixed_delay_h,1,9,triangular,permits
background,ab-road/*,vehicles_per_day,48,96,triangular,
layers,road,vehicle_usd_per_h,15,45,triangular,truck hour
"""
    tables = with_background(toy_tables)
    tables["stages"] = tables["stages"].assign(fixed_delay_h=[4.0] + [np.nan] * 6)
    tables = toys.joined(tables, ranges=ranges)
    found = looked_at(tables)
    scanner = found.servers.set_index(["country", "direction", "stage"]).loc[
        "AAA", "out", "scanner"
    ]

    def saved(rate: float, service: float) -> float:
        now, then = (float(mean_wait(rate / 24, service, c)) for c in (1, 2))
        return rate * (now - then)

    assert scanner["saved_h_high"] == pytest.approx(saved(19.2, 2 / 3))
    assert scanner["saved_h_low"] == pytest.approx(min(saved(19.2, 1 / 6), saved(9.6, 1 / 3)))
    usd_high = max(saved(19.2, 2 / 3) * 30.1, saved(19.2, 1 / 3) * 60.1) * 365
    assert scanner["saved_usd_high"] == pytest.approx(usd_high)
    assert scanner["high_by"] == "scans"
    assert scanner["low_by"] == "scans"
    fixed = scanner[["fixed_low_h", "fixed_h", "fixed_high_h"]].tolist()
    assert fixed == pytest.approx([1.0, 4.0, 9.0])


def test_a_range_cannot_fill_servers_over_the_limit(toy_tables: Tables) -> None:
    ranges = """
table,key,column,low,high,distribution,group
stages,ab-road/AAA/out//2/all,service_min,10,400,triangular,scans
"""
    found = looked_at(toys.joined(with_background(toy_tables), ranges=ranges))
    scanner = found.servers.set_index(["country", "direction", "stage"]).loc[
        "AAA", "out", "scanner"
    ]
    service = 400 / 60
    rate = 0.95 / service
    most = rate * 24 * float(mean_wait(rate, service, 1) - mean_wait(rate, service, 2))
    assert scanner["saved_h_high"] == pytest.approx(most)


def test_regimes_side_by_side(toy_tables: Tables) -> None:
    more = """
crossing_id,country,direction,regime,order,class,stage,servers,service_min,layer,share,fee_usd
ab-road,AAA,out,fast,1,all,documents,4,3,,,5
ab-road,AAA,out,fast,2,all,scanner,1,20,,0.05,
"""
    tables = toys.joined(with_background(toy_tables), stages=more)
    floor = {"kind": "inspection_floor", "country": "AAA", "stage": "scanner", "share": 0.1}
    found = looked_at(tables, {**floor, "layers": ["road"], "crossings": ["ab-road"]})
    rows = found.regimes.set_index(["regime", "from_country"])
    assert rows.index.get_level_values(0).unique().tolist() == ["standard", "fast", "under seal"]
    fast, today = rows.loc["fast", "AAA"], rows.loc["standard", "AAA"]
    assert fast["time_h"] < today["time_h"]
    assert fast["fee_usd_per_vehicle"] == pytest.approx(25)
    assert today["fee_usd_per_vehicle"] == pytest.approx(70)
    assert today["detection"] == pytest.approx(0.6 * float(targeted_detection(0.2, 1.0)))
    assert fast["detection"] == pytest.approx(0.6 * float(targeted_detection(0.05, 1.0)))
    assert today["detection_low"] < today["detection"] < today["detection_high"]
    # AAA never scans on the way in, so that the floor is broken under all; the rule is named.
    assert fast["floors_broken"] == "r0"
    sealed = rows.loc["under seal", "AAA"]
    assert sealed["service_h"] == pytest.approx(today["service_h"] - 0.2 / 3)
    assert sealed["detection"] == 0.0
    np.testing.assert_allclose(
        rows["time_h"] * found.usd_per_vehicle_h + rows["fee_usd_per_vehicle"],
        rows["cost_usd_per_vehicle"],
    )


def test_what_nobody_looks_for_is_not_found_by_0_percent(toy_tables: Tables) -> None:
    # The railway's handover is one stage: what it finds is in no table.
    found = crossing(toys.network(toy_tables), "ab-rail")
    assert found.regimes["detection"].isna().all()
    sealed = looked_at(toy_tables).regimes.set_index(["regime", "from_country"])
    assert sealed.loc[("under seal", "AAA"), "detection"] == 0.0


def test_a_rule_sets_the_regime(toy_tables: Tables) -> None:
    more = """
crossing_id,country,direction,regime,order,class,stage,servers,service_min,layer
ab-road,AAA,out,fast,1,all,documents,4,3,
"""
    tables = toys.joined(with_background(toy_tables), stages=more)
    found = looked_at(tables, {"kind": "regime", "crossings": ["ab-road"], "regime": "fast"})
    assert found.regime == "fast"
    assert stage(found, "AAA", "AAA", "documents")["servers"] == 4
    assert found.regimes["in_force"].tolist()[0]


def test_a_queue_that_reaches_back_is_shown(toy_tables: Tables) -> None:
    # 6 km hold 240 trucks; a queue of the entry post that grows over a week is longer.
    text = "target,direction,vehicles_per_day\nab-road,forward,400\nab-road,backward,400"
    tables = with_background(toy_tables, text)
    tables["stages"] = tables["stages"].assign(servers=[9, 9, 9, 3, 1, 1, 1])
    found = looked_at(tables)
    [row, _] = found.blocking.to_dict("records")
    assert row["space_vehicles"] == pytest.approx(240)
    assert row["queue_vehicles"] < 0.01
    assert row["spills_h_per_day"] == 0.0
    into = found.blocking.set_index("to_country").loc["BBB"]
    assert into["queue_vehicles"] == np.inf
    assert into["peak_queue_vehicles"] > 240
    assert 0.0 < into["spills_h_per_day"] < 24.0
    assert into["binding_country"] == "BBB"


def test_ferries_bring_shiploads(toy_tables: Tables) -> None:
    services = """
service_id,link_id,from_node,headway_h,cancel_share
ba,strait,PB,48,0.5
"""
    tables = toys.joined(toys.with_sea(toy_tables), services=services)
    tables = toys.changed(tables, "layers", "ship", vehicle="truck")
    background = "target,direction,vehicles_per_day\nab-sea,backward,10"
    found = crossing(toys.network(with_background(tables, background)), "ab-sea")
    [boat] = found.ferries.to_dict("records")
    # A landing in four days brings 40 vehicles; five servers take 30 minutes a vehicle.
    assert (boat["country"], boat["batch"], boat["landings_per_day"]) == ("AAA", 40.0, 0.25)
    assert boat["batch_wait_h"] > 1.5 > boat["wait_h"]
    assert not len(found.blocking)


@pytest.fixture(scope="module")
def case() -> tuple[corridor.Case, Plan]:
    base = corridor.load_study("crossroads").case("status_quo")
    return base, corridor.plan(*base)


@pytest.mark.parametrize("crossing_id", ["agarak-road", "sarpi-road", "dostyk-rail"])
def test_a_plan_and_its_crossings_have_the_same_numbers(
    case: tuple[corridor.Case, Plan], crossing_id: str
) -> None:
    (network, _, rules), plan = case
    found = crossing(network, crossing_id, rules, plan)
    told = plan.crossings[plan.crossings["crossing_id"] == crossing_id]
    both = found.ways.merge(told, on=["from_country", "to_country"], suffixes=("", "_plan"))
    assert len(both) == 2
    names = ["vehicles_per_day", "background_vehicles_per_day", "utilization", "fixed_h"]
    for name in [*names, "service_h", "wait_h"]:
        np.testing.assert_allclose(both[name], both[f"{name}_plan"], rtol=1e-6, err_msg=name)
    assert (both["bottleneck_stage"] == both["bottleneck_stage_plan"]).all()
    assert (both["bottleneck_country"] == both["bottleneck_country_plan"]).all()
    assert (both["beyond_h"] == 0.0).all()
    servers = found.servers.set_index(["country", "stage"])
    for way in both.to_dict("records"):
        at = servers.loc[[(way["bottleneck_country"], way["bottleneck_stage"])]]
        ways = {"both", "out" if way["bottleneck_country"] == way["from_country"] else "in"}
        [row] = at[at["direction"].isin(ways)].to_dict("records")
        saved = way["next_server_at_flow_usd_per_year"]
        assert row["saved_usd_per_year"] == pytest.approx(saved, rel=1e-5)
        for name in ("solved", "most"):
            told_value = told.filter(like="next_server").set_axis(
                ["solved", "flow", "most"], axis=1
            )
            worth = told_value.loc[told["from_country"] == way["from_country"], name].to_numpy()
            np.testing.assert_allclose(row[f"{name}_usd_per_year"], worth[0])
    others = found.servers["most_usd_per_year"].isna().sum()
    assert others >= len(found.servers) - len(both)


def test_paths_and_stages_of_a_plan_tell_the_same_load(case: tuple[corridor.Case, Plan]) -> None:
    (network, _, rules), plan = case
    opened_case = open_case(network, "sarpi-road", rules, plan)
    by_paths = opened_case.sheet(opened_case.posts(opened_case.regime))
    by_plan = opened_case.planned_sheet()
    np.testing.assert_allclose(by_paths.load, by_plan.load, rtol=1e-9)


def assert_same(found: Crossing, other: Crossing) -> None:
    for name in ("crossing_id", "name", "regime", "usd_per_vehicle_h"):
        assert getattr(found, name) == getattr(other, name)
    for name, table in found.tables.items():
        pd.testing.assert_frame_equal(table, other.tables[name])


def test_crossings_looked_at_together_are_those_looked_at_alone(
    case: tuple[corridor.Case, Plan],
) -> None:
    (network, _, rules), plan = case
    names = ["agarak-road", "brest-rail"]
    together = crossings_of(network, names, rules, plan)
    assert [found.crossing_id for found in together] == names
    for name, found in zip(names, together, strict=True):
        assert_same(found, crossing(network, name, rules, plan))


def test_floors_of_some_origins_hold_at_each_crossing_by_its_own_ends(toy_tables: Tables) -> None:
    # The floor speaks of goods from AAA: with the shipments of another crossing's ends, which
    # begin in BBB, it would speak of none.
    links = toy_tables["links"]
    turned = links["crossing_id"] == "ab-rail"
    ends = ["from_node", "to_node"]
    links.loc[turned, ends] = links.loc[turned, ends[::-1]].to_numpy()
    floor = {
        "kind": "inspection_floor", "country": "BBB", "stage": "documents", "share": 1.0,
        "origins": ["AAA"],
    }  # fmt: skip
    other = floor | {"country": "AAA", "stage": "scanner"}
    network, rules = toys.network(toy_tables), toys.rules(floor, other)
    broken = []
    for found in crossings_of(network, ["ab-rail", "ab-road"], rules):
        assert_same(found, crossing(network, found.crossing_id, rules))
        broken.append(found.case.broken_floors(found.case.posts(found.regime)))
    assert broken[0] != broken[1]


def test_network_is_compiled_once_for_all_crossings(
    toy_network: corridor.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = []

    def counted(*args: corridor.Network) -> Model:
        compiled.append(args)
        return compile_model(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(cases, "compile_model", counted)
    crossings_of(toy_network, ["ab-road", "ab-rail"])
    assert len(compiled) == 1


def test_seals_of_a_rule_say_what_is_skipped(toy_tables: Tables) -> None:
    sealed = {"kind": "sealed", "enter": ["ab-road"], "leave": ["ab-rail"], "skip": ["scanner"]}
    found = looked_at(with_background(toy_tables), sealed)
    [row] = found.assumptions.query("assumption == 'skipped_under_seal'").to_dict("records")
    assert row["meaning"].endswith("skip: scanner")


def test_a_wrong_id_gets_near_names(toy_network: corridor.Network) -> None:
    with pytest.raises(InputError, match=r"'ab-raod' is none of them. Did you mean ab-road"):
        crossing(toy_network, "ab-raod")


def test_a_plan_of_another_network_is_refused(case: tuple[corridor.Case, Plan]) -> None:
    (network, _, rules), plan = case
    links = network.links.replace({"link_id": {"x-sarpi-road": "x-sarp"}})
    with pytest.raises(InputError, match="'x-sarpi-road' is unknown here"):
        crossing(network.replace(links=links), "sarpi-road", rules, plan)


@pytest.mark.parametrize(
    ("column", "value", "match"),
    [
        ("servers", 0, "servers"),
        ("service_min", -1.0, "service_min"),
        ("share", 1.5, "share"),
        ("fixed_delay_h", -0.5, "fixed_delay_h"),
    ],
)
def test_wrong_stages_are_refused(
    toy_tables: Tables, column: str, value: float, match: str
) -> None:
    stages = toy_tables["stages"].copy()
    stages[column] = value
    with pytest.raises(InputError, match=match):
        looked_at({**toy_tables, "stages": stages})


def test_wrong_arrivals_and_hours_are_refused(toy_tables: Tables) -> None:
    tables = with_background(toy_tables)
    with pytest.raises(InputError, match=r"arrival_swing of 'ab-road'.*from 0 to 1; found '2'"):
        looked_at(toys.changed(tables, "crossings", "ab-road", arrival_swing="2"))
    with pytest.raises(InputError, match=r"\[ab-road\] opening_hours.*open at some time"):
        looked_at(opened(tables, "Mo-Su off"))

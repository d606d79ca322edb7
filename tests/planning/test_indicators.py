"""Indicators by hand on the toy network."""

import numpy as np
import pandas as pd
import pytest

from corridor.planning import plan
from corridor.planning.indicators import COLUMNS
from corridor.planning.weighted import weighted_quantile
from tests.planning import toys

Tables = dict[str, pd.DataFrame]
MT = 365 / 1e6
SCREENLINES = """
screenline,gate,crossing_id,link_id,direction
border,road,ab-road,,forward
border,rail,ab-rail,,backward
inland,west,,A2-A1-road,forward
"""


def indicators(
    tables: Tables, *rows: tuple[str, str, str, float], rules: tuple[dict[str, object], ...] = ()
) -> pd.Series:
    network = toys.network(toys.joined(tables, screenlines=SCREENLINES))
    found = plan(network, toys.demand(network, *rows), toys.rules(*rules), congestion=False)
    assert list(found.indicators.columns) == COLUMNS
    keys = ["indicator", "unit", "scope", "direction", "commodity"]
    assert not found.indicators.duplicated(keys).any()
    return found.indicators.set_index(keys)["value"].sort_index()


def road_only(tables: Tables) -> Tables:
    return toys.changed(tables, "links", "A1-AP-rail", status="broken")


def test_totals_and_means(toy_tables: Tables) -> None:
    tables = {**toy_tables, "layers": toy_tables["layers"].assign(co2_g_per_t_km=[85.0, 20, 20])}
    found = indicators(
        road_only(tables), ("A1", "B1", "grain", 300.0), ("A1", "B1", "containers", 100.0)
    )

    def value(name: str, unit: str, scope: str = "") -> float:
        return float(found[name, unit, scope, "", ""])

    hours = 236 / 60 + 26 / 60
    assert value("demand", "Mt_per_year") == pytest.approx(400 * MT)
    assert value("served", "Mt_per_year") == pytest.approx(400 * MT)
    assert value("unmet", "Mt_per_year") == 0.0
    assert found["served", "Mt_per_year", "", "", "grain"] == pytest.approx(300 * MT)
    assert value("transport", "bn_t_km_per_year") == pytest.approx(400 * 236 * 365 / 1e9)
    assert value("co2_intensity", "g_per_t_km") == pytest.approx(85.0)
    assert value("door_to_door_time_mean", "d") == pytest.approx(hours / 24)
    assert value("door_to_door_time_p95", "d") == pytest.approx(hours / 24)
    assert value("door_to_door_cost_mean", "usd_per_t") == pytest.approx(0.06 * 236 + 3.5)
    assert value("border_cost_mean", "usd_per_t") == pytest.approx(3.5)
    assert value("border_time_mean", "h") == pytest.approx(26 / 60)
    assert value("border_share_of_time", "share") == pytest.approx(26 / 60 / hours)
    assert value("haul_mean", "km") == pytest.approx(236)
    assert value("borders_crossed_mean", "crossings") == pytest.approx(1.0)
    assert value("mode_share", "share", "road") == pytest.approx(1.0)


def test_the_four_of_carec(toy_tables: Tables) -> None:
    found = indicators(road_only(toy_tables), ("A1", "B1", "grain", 300.0))
    # Two posts take 26 minutes and 70 dollars of a truck of 20 t.
    assert found["tfi1_border_time", "h_per_post", "road", "", ""] == pytest.approx(13 / 60)
    assert found["tfi2_border_cost", "usd_per_20_t_per_post", "road", "", ""] == pytest.approx(35)
    section = (0.06 * 236 + 3.5) / 236 * 500 * 20
    assert found["tfi3_section_cost", "usd_per_500_km_20_t", "road", "", ""] == pytest.approx(
        section
    )
    assert found["tfi4_swod", "km_per_h", "road", "", ""] == pytest.approx(60.0)
    assert found["tfi4_swd", "km_per_h", "road", "", ""] == pytest.approx(236 / (262 / 60))
    # Nothing goes by rail: nothing is claimed of it.
    assert np.isnan(found["tfi1_border_time", "h_per_post", "rail", "", ""])
    assert np.isnan(found["tfi4_swod", "km_per_h", "rail", "", ""])


def test_border_times_are_weighted_with_vehicles(toy_tables: Tables) -> None:
    rows = "crossing_id,country,direction,order,class,stage,servers,service_min\n"
    tables = toys.joined(road_only(toy_tables), stages=rows + "ab-road,AAA,out,1,grain,w,2,60")
    tables = toys.changed(tables, "layers", "road", teu_per_vehicle=1)
    found = indicators(tables, ("A1", "B1", "grain", 200.0), ("A1", "B1", "containers", 330.0))
    # Ten trucks of grain, thirty of one container of 11 t each.
    grain, boxes = (60 + 4 + 10) / 60, (12 + 4 + 10) / 60
    mean = (10 * grain + 30 * boxes) / 40
    assert found["tfi1_border_time", "h_per_post", "road", "", ""] == pytest.approx(mean / 2)
    assert found["crossing_time", "h", "ab-road", "AAA-BBB", ""] == pytest.approx(mean)


def test_gates_count_by_direction_and_commodity(toy_tables: Tables) -> None:
    ban = {"kind": "forbid", "crossings": ["ab-rail"], "commodities": ["containers"]}
    found = indicators(
        toy_tables,
        ("A1", "B1", "grain", 300.0),
        ("A2", "B1", "containers", 110.0),
        ("B1", "A1", "grain", 50.0),
        rules=(ban,),
    )

    def t_per_day(scope: str, way: str, commodity: str = "") -> float:
        key = ("throughput", "Mt_per_year", scope, way, commodity)
        return float(found.get(key, 0.0)) / MT

    # Grain goes by rail, where the gate counts the way back only.
    assert t_per_day("border/road", "forward") == pytest.approx(110)
    assert t_per_day("border/road", "backward") == 0.0
    assert t_per_day("border/rail", "backward") == pytest.approx(50)
    assert t_per_day("border/rail", "forward") == 0.0
    assert t_per_day("border", "forward") == pytest.approx(110)
    assert t_per_day("border", "forward", "containers") == pytest.approx(110)
    assert t_per_day("border", "backward", "grain") == pytest.approx(50)
    assert t_per_day("inland/west", "forward") == pytest.approx(110)
    assert found["throughput", "kTEU_per_year", "border/road", "forward", ""] == pytest.approx(
        10 * 0.365
    )
    shares = np.array([110, 50]) / 160
    assert found["hhi", "share", "border", "", ""] == pytest.approx((shares**2).sum())
    assert found["gate_share", "share", "border/rail", "", ""] == pytest.approx(shares[1])


def test_states_earn_and_carry(toy_tables: Tables) -> None:
    found = indicators(road_only(toy_tables), ("A1", "B1", "grain", 300.0))
    revenue = found["revenue", "musd_per_year", "AAA", "", ""]
    assert revenue == pytest.approx(300 * 2.5 * 365 / 1e6)
    assert found["state_transport", "bn_t_km_per_year", "BBB", "", ""] == pytest.approx(
        300 * 113 * 365 / 1e9
    )
    assert found["transit_share", "share", "AAA", "", ""] == 0.0


def test_unmet_demand_is_told_by_reason_and_priced_nowhere(toy_tables: Tables) -> None:
    tables = toys.changed(road_only(toy_tables), "links", "x-ab-road", status="broken")
    found = indicators(tables, ("A1", "B1", "grain", 300.0), ("A2", "A1", "grain", 10.0))
    assert found["unmet", "Mt_per_year", "no_path", "", ""] == pytest.approx(300 * MT)
    assert found["generalized_cost_mean", "usd_per_t", "", "", ""] < 20
    assert found["crossings_crowded", "crossings", "", "", ""] == 0.0


def test_crowded_crossings_are_counted_once(toy_tables: Tables) -> None:
    background = "target,direction,vehicles_per_day\nab-road,both,380"
    found = indicators(
        toys.joined(road_only(toy_tables), background=background),
        ("A1", "B1", "grain", 20.0),
        ("B1", "A1", "grain", 20.0),
    )
    assert found["crossings_crowded", "crossings", "", "", ""] == 1.0
    # 191 vehicles of 288 that AAA's two officers could clear; BBB's three see 382 of 432.
    assert found["crossing_utilization_max", "share", "", "", ""] == pytest.approx(382 / 432)


def test_a_weighted_quantile_is_a_value() -> None:
    values, weights = np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 2.0])
    assert weighted_quantile(values, weights, 0.5) == 2.0
    assert weighted_quantile(values, weights, 0.25) == 1.0
    assert weighted_quantile(values, weights, 0.76) == 3.0
    assert np.isnan(weighted_quantile(values, np.zeros(3), 0.5))


def test_prices_of_rules_and_of_crossings_are_indicators(toy_tables: Tables) -> None:
    quota = {"kind": "quota", "crossings": ["ab-rail"], "limit": 40, "unit": "t_per_day"}
    found = indicators(toy_tables, ("A1", "B1", "grain", 100.0), rules=(quota,))
    # A tonne more by rail saves what the road costs more.
    assert found["rule_price", "usd_per_t", "r0", "", ""] > 1.0
    for name, unit in (
        ("crossing_marginal_delay", "usd_per_vehicle"),
        ("crossing_capacity_price", "usd_per_vehicle"),
        ("next_server_at_this_flow", "musd_per_year"),
    ):
        assert found[name, unit, "ab-road", "AAA-BBB", ""] >= 0.0

"""Shares, bands and floors by hand on the diamond: flows, prices, what is unmet, infeasibility."""

import numpy as np
import pytest

from corridor.planning import Plan, solve_plan
from tests.planning import diamond
from tests.planning.diamond import OVER_G, OVER_R, back, plan, t_per_day, there

Rule = dict[str, object]
CAP: Rule = {"kind": "share_cap", "countries": ["GGG"], "share": 0.6}
BAND: Rule = {
    "kind": "reciprocity", "a": {"countries": ["GGG"], "origins": ["AAA"]},
    "b": {"countries": ["GGG"], "origins": ["BBB"]}, "low": 0.5, "high": 2.0, "floor": 10.0,
    "unit": "t_per_day",
}  # fmt: skip


def row(found: Plan, rule: str = "r0") -> dict[str, object]:
    [record] = found.rules[found.rules["rule_id"] == rule].to_dict("records")
    return record


def test_a_share_is_kept_at_the_price_of_the_other_way() -> None:
    found = plan([there(100)], CAP)
    assert found.status == "optimal"
    assert t_per_day(found, "ag") == pytest.approx(60)
    assert found.objective_usd_per_day == pytest.approx(60 * OVER_G + 40 * OVER_R)
    assert row(found)["binding"]
    assert row(found)["price"] == pytest.approx(OVER_R - OVER_G)
    assert row(found)["unit"] == "usd_per_t"


def test_a_share_of_all_and_a_share_nobody_wants_do_not_bind() -> None:
    for rule, binds in ((CAP | {"share": 1.0}, True), (CAP | {"countries": ["RRR"]}, False)):
        found = plan([there(100)], rule)
        assert found.objective_usd_per_day == pytest.approx(100 * OVER_G)
        # Used up like a quota, and worth nothing.
        assert (row(found)["binding"], row(found)["price"]) == (binds, 0.0)


def test_what_is_not_served_makes_no_state_look_independent() -> None:
    """With R closed a tonne over G needs two thirds of a tonne elsewhere: nothing is served."""
    closed: Rule = {"kind": "forbid", "crossings": ["rb"]}
    found = plan([there(100)], CAP, closed)
    assert found.status == "partial"
    assert found.served_t_per_day == pytest.approx(0.0)
    [unmet] = found.unmet.to_dict("records")
    assert (unmet["reason"], unmet["rules"]) == ("capacity", "r0")
    # Where R takes ten tonnes, fifteen may go over G.
    tight: Rule = {"kind": "quota", "crossings": ["rb"], "limit": 10, "unit": "t_per_day"}
    found = plan([there(100)], CAP, tight)
    assert t_per_day(found, "ag") == pytest.approx(15)
    assert found.served_t_per_day == pytest.approx(25)


def test_the_share_is_of_the_rules_own_shipments() -> None:
    found = plan([there(100), back(50)], CAP | {"origins": ["BBB"], "share": 0.2})
    assert t_per_day(found, "ag", "AAA") == pytest.approx(100)
    assert t_per_day(found, "ag", "GGG") == pytest.approx(10)
    # Ten sand of a hundred, though silk goes over G in any quantity.
    flows = [there(100), there(500, "silk")]
    found = plan(flows, CAP | {"commodities": ["sand"], "share": 0.1})
    assert t_per_day(found, "ag") == pytest.approx(510)


def test_a_band_holds_the_larger_flow_to_the_smaller() -> None:
    found = plan([there(90), back(30)], BAND)
    assert found.status == "optimal"
    assert t_per_day(found, "ag", "AAA") == pytest.approx(60)
    assert t_per_day(found, "ag", "GGG") == pytest.approx(30)
    assert found.objective_usd_per_day == pytest.approx(60 * 10 + 30 * 14 + 30 * 10)
    assert row(found)["price"] == pytest.approx(4)
    assert row(found)["unit"] == "usd_per_t"


def test_a_band_holds_from_below_too() -> None:
    found = plan([there(10), back(90)], BAND)
    assert t_per_day(found, "ag", "GGG") == pytest.approx(20)
    assert found.objective_usd_per_day == pytest.approx(10 * 10 + 20 * 10 + 70 * 14)


def test_a_floor_pulls_flows_onto_a_dear_way() -> None:
    """Over R, the dear way: nothing would go there by itself."""
    over_r: Rule = {
        "a": {"countries": ["RRR"], "origins": ["AAA"]},
        "b": {"countries": ["RRR"], "origins": ["BBB"]},
    }
    found = plan([there(90), back(30)], BAND | over_r)
    assert found.status == "optimal"
    assert t_per_day(found, "ar", "AAA") == pytest.approx(10)
    assert t_per_day(found, "ar", "RRR") == pytest.approx(10)
    assert found.objective_usd_per_day == pytest.approx(120 * 10 + 20 * 4)
    assert row(found)["price"] == pytest.approx(4)
    in_trucks = BAND | over_r | {"unit": "vehicles_per_year", "floor": 365.0}
    found = plan([there(90), back(30)], in_trucks)
    assert t_per_day(found, "ar", "AAA") == pytest.approx(20)
    assert row(found)["price"] == pytest.approx(80)
    assert row(found)["unit"] == "usd_per_vehicle"


def test_a_floor_that_no_demand_can_meet_is_infeasible() -> None:
    found = plan([there(90), back(9)], BAND)
    assert found.status == "infeasible"
    assert np.isnan(found.objective_usd_per_day)
    assert not len(found.paths)
    [verdict] = found.compliance.query("principle == 'reciprocity'")["verdict"]
    assert verdict == "broken"
    assert plan([there(90), back(0)], BAND).status == "infeasible"
    closed: Rule = {"kind": "forbid", "countries": ["GGG"], "traffic": ["transit"]}
    assert plan([there(90), back(30)], BAND, closed).status == "infeasible"


def test_links_in_series_are_one_entry_in_a_share_and_in_a_band() -> None:
    series = {"links": ["A1-AG", "x-ag", "GA-GB"]}
    cap = {key: value for key, value in CAP.items() if key != "countries"} | series
    found = plan([there(100)], cap)
    assert t_per_day(found, "ag") == pytest.approx(60)
    band = BAND | {
        "a": series | {"origins": ["AAA"]},
        "b": series | {"origins": ["BBB"]},
    }
    found = plan([there(90), back(30)], band)
    assert t_per_day(found, "ag", "AAA") == pytest.approx(60)


def test_with_congestion_shares_and_bands_hold_as_well() -> None:
    tables = diamond.tables()
    stages = tables["stages"].assign(servers=4)
    changed = {**tables, "stages": stages}
    for rule, flow in (
        (CAP, [there(900, "silk")]),
        (BAND, [there(900, "silk"), back(300, "silk")]),
    ):
        model = diamond.model(flow, rule, changed=changed)
        found = solve_plan(model, tolerance=1e-7, unmet_usd_per_t=500.0)
        assert found.status == "optimal"
        assert found.gap <= 1e-7
        assert "broken" not in set(found.compliance["verdict"])

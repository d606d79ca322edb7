"""Frontiers of one field of a rule: values and slopes by hand, and against plans of their own."""

from dataclasses import replace

import numpy as np
import pytest

import corridor
from corridor.errors import InputError
from corridor.network import Demand, Network
from corridor.planning import Frontier, rule_frontier
from corridor.planning.reasons.bargaining import _crossings, inspecting
from corridor.sovereignty import Rules
from corridor.sovereignty.kinds.inspection_floor import InspectionFloorRule
from tests.planning import diamond, toys
from tests.planning.diamond import OVER_G, OVER_R, back, there

Case = tuple[Network, Demand, Rules]
FLOOR: dict[str, object] = {
    "kind": "inspection_floor", "country": "GGG", "stage": "scanner", "share": 1.0,
}  # fmt: skip


def case(flows: list[diamond.Flow], *rules: dict[str, object]) -> Case:
    network = Network.from_tables(**diamond.tables(), name="diamond")
    return network, toys.demand(network, *flows), toys.rules(*rules)


def frontier(found: Case, field: str, values: list[float], **more: list[str]) -> Frontier:
    return rule_frontier(
        *found, "r0", field, values, congestion=False, unmet_usd_per_t=100.0, tolerance=1e-9, **more
    )


def test_a_quota_trades_throughput_for_cost_at_the_detours_price() -> None:
    quota: dict[str, object] = {
        "kind": "quota", "crossings": ["gb"], "limit": 1, "unit": "t_per_day"
    }  # fmt: skip
    values = [0.0, 25.0, 50.0, 100.0, 150.0]
    found = frontier(case([there(100)], quota), "limit", values)
    through = np.minimum(values, 100.0)
    np.testing.assert_allclose(found.crossing_t_per_day, through, atol=1e-6)
    np.testing.assert_allclose(
        found.objective_usd_per_day, 100 * OVER_R - through * (OVER_R - OVER_G)
    )
    np.testing.assert_allclose(found.value, values)
    assert set(found.table["status"]) == {"optimal"}


def test_a_band_that_no_flow_keeps_has_a_status_and_no_number() -> None:
    rule: dict[str, object] = {
        "kind": "reciprocity", "a": {"origins": ["A1"], "crossings": ["gb"]},
        "b": {"origins": ["B1"], "crossings": ["gb"]}, "low": 0.0, "high": 2.0, "floor": 20.0,
        "unit": "t_per_day",
    }  # fmt: skip
    found = frontier(case([there(100), back(30)], rule), "high", [0.5, 1.0, 2.0, 4.0])
    assert found.table["status"].tolist() == ["infeasible", "optimal", "optimal", "optimal"]
    cost = 100 * OVER_R + 30 * OVER_G - np.array([np.nan, 30, 60, 100]) * (OVER_R - OVER_G)
    np.testing.assert_allclose(found.objective_usd_per_day, cost)


def test_a_floor_is_what_the_hosts_posts_inspect() -> None:
    """The scanner takes an hour at both posts of G: the share is the time, there and back."""
    found = frontier(case([there(100)], FLOOR), "share", [0.0, 0.25, 1.0], crossings=["ag", "gb"])
    # A's or B's own post takes 1.5 h, G's half an hour and the share of an hour.
    np.testing.assert_allclose(found.border_h, [2.0, 2.25, 3.0])
    # 99 servers of an hour pass 99 x 24 x 0.95 a day; the documents, half an hour, twice as many.
    scanner = 99 * 24 * 0.95
    capacity = found.table["capacity_vehicles_per_day"].to_numpy(float)
    np.testing.assert_allclose(capacity, [2 * scanner, 2 * scanner, scanner])


def test_a_floor_is_varied_at_the_crossings_looked_at_only() -> None:
    found = case([there(100, "silk")], FLOOR)
    at_one = frontier(found, "share", [0.0], crossings=["gb"])
    at_both = frontier(found, "share", [0.0])
    assert at_one.table["status"].tolist() == at_both.table["status"].tolist() == ["optimal"]
    # An hour of silk is worth a dollar: one post without a scanner saves one, two save two.
    saved = at_one.objective_usd_per_day - at_both.objective_usd_per_day
    np.testing.assert_allclose(saved, 100.0)


def test_each_value_is_a_plan_of_its_own() -> None:
    study = corridor.load_study("crossroads")
    network, demand, rules = study.case("tripp_front_office")
    posts = ["tripp-east-road", "tripp-west-road"]
    found = rule_frontier(
        network, demand, rules, "floor_arm_inspection", "share", [0.0, 0.3], crossings=posts
    )
    assert (np.diff(found.objective_usd_per_day) > 0).all()
    assert (np.diff(found.border_h) > 0).all()
    floor = next(rule for rule in rules.in_force if rule.id == "floor_arm_inspection")
    assert isinstance(floor, InspectionFloorRule)
    here = floor.model_copy(update={"crossings": tuple(posts)})
    plan = corridor.plan(inspecting(network, rules, here, 0.3), demand, rules)
    assert found.objective_usd_per_day[1] == pytest.approx(plan.objective_usd_per_day, rel=2e-6)
    rows = plan.crossings[plan.crossings["crossing_id"].isin(posts)]
    assert found.crossing_t_per_day[1] == pytest.approx(rows["t_per_day"].sum(), rel=1e-2)


@pytest.mark.parametrize(
    ("rule_id", "field", "values", "crossings", "words"),
    [
        ("nobody", "share", [0.1], None, "in force"),
        ("r0", "limit", [0.1], None, "must be one of share"),
        ("r0", "share", [0.1], ["xx"], "xx are not"),
        ("r0", "share", [1.5], None, "a number <= 1"),
    ],
)
def test_what_cannot_be_bargained_over_is_refused(
    rule_id: str, field: str, values: list[float], crossings: list[str] | None, words: str
) -> None:
    found = case([there(1)], FLOOR)
    with pytest.raises(InputError, match=words):
        rule_frontier(*found, rule_id, field, values, crossings=crossings)


def test_a_stage_that_no_post_has_cannot_be_swept() -> None:
    network, demand, rules = case([there(1)], FLOOR)
    nowhere = replace(rules, rules=(rules.rules[0].model_copy(update={"stage": "documents2"}),))
    with pytest.raises(InputError, match="documents2"):
        rule_frontier(network, demand, nowhere, "r0", "share", [0.5])


def test_a_rule_without_a_number_says_so_and_what_else_can_be_varied() -> None:
    toll: dict[str, object] = {"kind": "fee", "countries": ["GGG"], "usd_per_t": 3.0}
    with pytest.raises(InputError, match=r"of the kind fee, which has no field.*r1 \(share\)"):
        frontier(case([there(1)], toll, FLOOR), "usd_per_t", [0.0])
    with pytest.raises(InputError, match=r"No rule in force can be; .*quota \(limit\)"):
        frontier(case([there(1)], toll), "usd_per_t", [0.0])


def test_trains_and_trucks_have_no_room_in_common() -> None:
    """The floor speaks of roads alone; with a railway looked at, too, the room is blank."""
    network, demand, rules = corridor.load_study("crossroads").case("status_quo")
    road, both = (
        rule_frontier(network, demand, rules, "floor_arm_scanner", "share", [0.5], crossings=ids)
        for ids in (["bavra-road"], ["bavra-road", "ayrum-rail"])
    )
    assert road.table["capacity_vehicles_per_day"].iloc[0] > 0.0
    assert np.isnan(both.table["capacity_vehicles_per_day"].iloc[0])
    [found] = [rule for rule in rules.rules if rule.id == "floor_arm_scanner"]
    named = _crossings(network, found, None)
    layer = network.crossings.set_index("crossing_id")["layer"]
    assert set(layer.loc[named]) == {"road"}


def test_a_frontier_tells_the_loss_without_the_price_that_steers() -> None:
    """10 t/day may pass, 90 stay at home: 100 USD/t steer, the goods are worth 10 USD/t."""
    quota: dict[str, object] = {
        "kind": "quota", "crossings": ["gb"], "limit": 1, "unit": "t_per_day"
    }  # fmt: skip
    found = case([there(100)], quota, {"kind": "forbid", "crossings": ["rb"]})
    table = frontier(found, "limit", [10.0]).table
    assert table["objective_usd_per_day"].iloc[0] == pytest.approx(10 * OVER_G + 90 * 100.0)
    assert table["total_loss_usd_per_day"].iloc[0] == pytest.approx(10 * OVER_G + 90 * 10.0)

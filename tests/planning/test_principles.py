"""What principles cost: by hand on the diamond, and against plans without their rules."""

import numpy as np
import pandas as pd
import pytest

import corridor
from corridor.network import Network
from corridor.planning import Explanation, compile_model, explain, solve_plan
from corridor.planning.reasons.bargaining import inspecting
from corridor.planning.reasons.principles import principle_of, uninspected
from corridor.sovereignty import Rules
from corridor.sovereignty.kinds.inspection_floor import InspectionFloorRule
from tests.planning import diamond, toys
from tests.planning.diamond import there

BAN = {"kind": "forbid", "crossings": ["gb"], "id": "ban"}
FLOOR = {"kind": "inspection_floor", "country": "AAA", "stage": "scanner", "share": 0.5}
TOLL = {"kind": "fee", "countries": ["RRR"], "usd_per_t": 3.0, "per": "entry", "payee": "host"}
RISK = {"kind": "fee", "countries": ["RRR"], "usd_per_t": 2.0, "per": "entry", "payee": "none"}
FLAG = {"kind": "fee", "crossings": ["ar"], "flags": ["AAA"], "usd_per_t": 1.0, "per": "entry",
        "payee": "host"}  # fmt: skip


def told(*rules: dict[str, object]) -> Explanation:
    network = Network.from_tables(**diamond.tables(), name="diamond")
    demand = toys.demand(network, there(100.0, "silk"))
    return explain(
        network, demand, toys.rules(*rules), congestion=False, unmet_usd_per_t=100.0,
        tolerance=1e-9,
    )  # fmt: skip


def cost(found: Explanation) -> "pd.Series[float]":
    keys = found.principles["principle"] + ": " + found.principles["without"]
    return found.principles["cost_usd_per_day"].set_axis(keys)


def test_each_principle_costs_what_it_costs_by_hand() -> None:
    """Silk for 1 USD/t/h: over R it costs 4 USD/t more than over G, and a scan of an hour 1."""
    found = told(BAN, FLOOR, TOLL, RISK, FLAG)
    assert cost(found).to_dict() == pytest.approx(
        {
            "sovereignty: bans, limits and prescribed ways": 100 * (4 + 3 + 2 + 1),
            "sovereignty: inspections that floors demand": 100 * 1,
            "jurisdiction: regimes, seals and charges": 100 * 3,
            "reciprocity: bands between two flows": 0,
            "equality: rules for single flags": 100 * 1,
            "all four: all of these": 100 * (4 + 3 + 2 + 1 + 1),
            ": consents and costs that no state sets": 100 * 2,
        },
        abs=1e-3,
    )
    paid = found.principle_payers.set_index("without")["pays_usd_per_day"]
    assert paid["regimes, seals and charges"] == pytest.approx(300.0, abs=1e-3)
    assert any(s == "Jurisdiction (regimes, seals and charges): costs 300 USD/day."
               for s in found.sentences)  # fmt: skip


def test_without_rules_no_principle_is_told() -> None:
    assert told().principles.empty
    assert told(RISK).principles["cost_usd_per_day"].tolist() == [0.0] * 7


def test_rules_stand_for_one_principle_each() -> None:
    band = {"kind": "reciprocity", "a": {"crossings": ["gb"], "flags": ["AAA"]},
            "b": {"crossings": ["rb"]}, "low": 0.0, "high": 2.0, "floor": 1.0,
            "unit": "t_per_day"}  # fmt: skip
    rules = [
        BAN, {**BAN, "flags": ["AAA"]}, FLOOR, TOLL, RISK, FLAG, band,
        {"kind": "regime", "crossings": ["ag"], "regime": "joint"},
        {"kind": "waive", "principle": "P1", "country": "AAA"},
        {"kind": "require", "crossings": ["gb"]},
    ]  # fmt: skip
    found = [principle_of(rule) for rule in toys.rules(*(r | {"id": f"r{i}"} for i, r in
                                                         enumerate(rules))).rules]  # fmt: skip
    assert found == [
        "sovereignty", "equality", "sovereignty", "jurisdiction", "", "equality", "reciprocity",
        "jurisdiction", "", "sovereignty",
    ]  # fmt: skip


def test_of_the_bundled_study_the_costs_are_differences_of_whole_plans() -> None:
    network, demand, rules = corridor.load_study("crossroads").case("tripp_front_office")
    found = explain(network, demand, rules, congestion=False, unmet_usd_per_t=20000.0)
    by_row = found.principles.set_index("without")

    def loss(dropped: str) -> float:
        left = tuple(rule for rule in rules.rules if rule.id not in dropped.split(">"))
        model = compile_model(network, demand, Rules(left, rules.date))
        told = solve_plan(model, congestion=False, unmet_usd_per_t=20000.0).indicators
        return float(told.set_index("indicator").loc["total_loss", "value"]) * 1e6 / 365.0

    best = loss("")
    limits = by_row.loc["bans, limits and prescribed ways"]
    assert limits["cost_usd_per_day"] > 1e6
    assert limits["cost_usd_per_day"] == pytest.approx(
        best - loss(limits["rules"]), abs=3e-6 * best
    )
    assert by_row.loc["inspections that floors demand", "cost_usd_per_day"] > 1e4
    assert by_row.loc["all of these", "cost_usd_per_day"] >= limits["cost_usd_per_day"]
    assert set(found.compliance["principle"]) == {
        "jurisdiction", "sovereignty", "reciprocity", "equality",
    }  # fmt: skip


def test_a_floor_of_one_crossing_leaves_the_others_as_they_are() -> None:
    network = Network.from_tables(**diamond.tables(), name="diamond")
    [floor] = toys.rules({**FLOOR, "crossings": ["ag"]}).rules
    assert isinstance(floor, InspectionFloorRule)
    demand = toys.demand(network, there(1.0, "silk"), ("A1", "B1", "sand", 1.0))
    before, after = (
        compile_model(place, demand) for place in (network, uninspected(network, [floor]))
    )
    shorter = (before.costs.time_h - after.costs.time_h)[0]
    ids = network.crossings["crossing_id"].to_numpy(object)
    changed = shorter.nonzero()[0]
    assert set(ids[before.supernetwork.arc_crossing[changed]]) == {"ag"}
    # Both ways through A's post, an hour each; G's post at the same crossing is left alone.
    assert shorter[changed].tolist() == pytest.approx([1.0, 1.0])


def test_a_frontier_at_0_and_the_principle_leave_out_the_same() -> None:
    network, demand, rules = corridor.load_study("crossroads").case("tripp_front_office")
    [floor] = [rule for rule in rules.in_force if rule.id == "floor_arm_inspection"]
    assert isinstance(floor, InspectionFloorRule)
    bare = uninspected(network, [floor]), inspecting(network, rules, floor, 0.0)
    left = Rules(tuple(rule for rule in rules.rules if rule is not floor), rules.date)
    first, second = (compile_model(place, demand, left) for place in bare)
    np.testing.assert_allclose(first.costs.time_h, second.costs.time_h, rtol=1e-12)
    np.testing.assert_array_equal(first.pools.pools.capacity, second.pools.pools.capacity)

"""Why not: conflicts against all subsets of rules, least changes made and made smaller."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

import corridor
from corridor.core.paths import shortest_paths
from corridor.errors import InputError
from corridor.network import Demand, Network
from corridor.planning import Explanation, compile_model, explain, solve_plan
from corridor.planning.reasons.changes import Change, apply_changes
from corridor.sovereignty import Rules
from tests.planning import diamond, toys
from tests.planning.diamond import OVER_G, OVER_R, back, there
from tests.planning.worlds import STATES, draw_world

WORTH = 1e5
Case = tuple[Network, Demand, Rules]


def diamond_case(flows: list[diamond.Flow], *rules: dict[str, object]) -> Case:
    network = Network.from_tables(**diamond.tables(), name="diamond")
    return network, toys.demand(network, *flows), toys.rules(*rules)


def told(case: Case, weights: dict[str, float] | None = None) -> Explanation:
    return explain(*case, congestion=False, unmet_usd_per_t=100.0, tolerance=1e-9, weights=weights)


def status(case: Case) -> str:
    return solve_plan(compile_model(*case), congestion=False, unmet_usd_per_t=100.0).status


def only(rules: Rules, kept: tuple[str, ...]) -> Rules:
    return replace(rules, rules=tuple(rule for rule in rules.rules if rule.id in kept))


def ways_out(found: Explanation) -> list[list[tuple[str, str, str]]]:
    """Return (rule, field, after) of each option."""
    rows = found.relaxations
    return [
        [(r.rule_id, r.field, r.after) for r in rows[rows["option"] == option].itertuples()]
        for option in range(len(found.options))
    ]


# -- by hand ------------------------------------------------------------------------------------


def test_a_quota_below_a_floor_names_both_and_the_least_of_each() -> None:
    """5 t may pass the gate of G, 10 t must: the limit up to 10, or the floor down to 5."""
    over_g = {"crossings": ["gb"], "origins": ["A1"]}
    case = diamond_case(
        [there(100), back(30)],
        {"kind": "quota", "crossings": ["gb"], "origins": ["A1"], "limit": 5, "unit": "t_per_day"},
        {"kind": "reciprocity", "a": over_g, "b": {"crossings": ["rb"]}, "low": 0.0, "high": 9.0,
         "floor": 10.0, "unit": "t_per_day"},
    )  # fmt: skip
    found = told(case)
    assert found.status == "infeasible"
    assert found.conflicts[["subject", "rules"]].to_numpy().tolist() == [["flows", "r0>r1"]]
    values = {(r.rule_id, r.field): r for r in found.relaxations.itertuples()}
    assert values["r0", "limit"].change == pytest.approx(5.0, rel=1e-5)
    assert values["r0", "limit"].unit == "t_per_day"
    assert values["r1", "floor"].change == pytest.approx(-5.0, rel=1e-5)
    assert len(values) == 2


def test_a_band_opens_by_the_least_that_the_flows_need() -> None:
    """A sends 100 t through G, B must send at least 40 t and has 30: the floor alone helps."""
    rule: dict[str, object] = {
        "kind": "reciprocity", "a": {"origins": ["A1"], "crossings": ["gb"]},
        "b": {"origins": ["B1"], "crossings": ["gb"]}, "low": 0.5, "high": 0.8, "floor": 20.0,
        "unit": "t_per_day",
    }  # fmt: skip
    found = told(diamond_case([there(100), back(24)], rule))
    # F(a) <= 0.8 F(b) <= 19.2 < 20: the band up to 20 / 24, or the floor down to 19.2.
    fields = {row.field: row for row in found.relaxations.itertuples()}
    assert float(fields["high"].after) == pytest.approx(20 / 24, rel=1e-5)
    assert float(fields["floor"].after) == pytest.approx(19.2, rel=1e-5)
    assert set(fields) == {"high", "floor"}


def test_a_floor_that_only_zero_would_meet_is_not_lowered_but_dropped() -> None:
    closed: dict[str, object] = {"kind": "forbid", "crossings": ["gb"]}
    rule: dict[str, object] = {
        "kind": "reciprocity", "a": {"origins": ["A1"], "crossings": ["gb"]},
        "b": {"origins": ["B1"], "crossings": ["gb"]}, "low": 0.5, "high": 2.0, "floor": 1.0,
        "unit": "t_per_day",
    }  # fmt: skip
    found = told(diamond_case([there(100), back(24)], closed, rule))
    assert found.conflicts["rules"].tolist() == ["r0>r1"]
    assert ways_out(found) == [[("r0", "rule", "dropped")], [("r1", "rule", "dropped")]]


def test_a_seal_below_a_floor_keeps_the_stage_or_the_host_gives_way() -> None:
    case = diamond_case(
        [there(10)],
        {"kind": "sealed", "enter": ["ag"], "leave": ["gb"], "skip": ["documents", "scanner"],
         "countries": ["GGG"]},
        {"kind": "inspection_floor", "country": "GGG", "stage": "scanner", "share": 0.4},
    )  # fmt: skip
    found = told(case)
    assert found.status == "infeasible"
    assert found.conflicts["rules"].tolist() == ["r0>r1"]
    assert ways_out(found) == [[("r0", "skip", "documents")], [("r1", "share", "0")]]
    assert found.relaxations["host"].tolist() == ["", "GGG"]
    assert "GGG alone" in " ".join(found.sentences)
    for option in range(2):
        assert status((case[0], case[1], found.relaxed(case[2], option))) == "optimal"


def test_bans_and_required_ways_name_what_bars_a_shipment() -> None:
    case = diamond_case(
        [there(100), back(10)],
        {"kind": "forbid", "crossings": ["rb"]},
        {"kind": "require", "crossings": ["rb"], "origins": ["A1"]},
        {"kind": "forbid", "crossings": ["ag"], "origins": ["A1"]},
    )
    found = told(case)
    assert found.status == "partial"
    assert sorted(found.conflicts["rules"]) == ["r0>r1", "r0>r2"]
    assert ways_out(found) == [
        [("r0", "except", "A1 to B1, sand, AAA carriers")],
        [("r1", "rule", "dropped"), ("r2", "except", "A1 to B1, sand, AAA carriers")],
    ]
    for option in range(2):
        assert status((case[0], case[1], found.relaxed(case[2], option))) == "optimal"


def test_weights_say_which_way_comes_first() -> None:
    case = diamond_case(
        [there(100)],
        {"kind": "forbid", "crossings": ["rb"]},
        {"kind": "forbid", "crossings": ["ag"]},
    )
    first = [ways_out(told(case, w))[0][0][0] for w in ({}, {"r0": 5.0}, {"r1": 5.0})]
    assert first == ["r0", "r1", "r0"]


def test_a_limit_that_keeps_goods_back_is_raised_by_what_is_left() -> None:
    """2 trucks of 20 t may pass G, R is closed: 60 of 100 t stay, 3 trucks more are needed."""
    case = diamond_case(
        [there(100)],
        {"kind": "forbid", "crossings": ["rb"]},
        {"kind": "quota", "crossings": ["gb"], "limit": 730, "unit": "vehicles_per_year"},
    )
    found = told(case)
    assert found.status == "partial"
    assert found.conflicts["rules"].tolist() == ["r0>r1"]
    [row] = found.relaxations[found.relaxations["rule_id"] == "r1"].to_dict("records")
    assert row["change"] == pytest.approx(3 * 365, rel=1e-5)
    assert row["unit"] == "vehicles_per_year"
    for option in range(2):
        assert status((case[0], case[1], found.relaxed(case[2], option))) == "optimal"


def test_a_share_is_raised_to_what_the_other_way_cannot_carry() -> None:
    """R takes 20 of 100 t, so that G needs a share of 0.8."""
    tables = toys.changed(diamond.tables(), "links", "RA-RB", capacity_t_per_day=20.0)
    network = Network.from_tables(**tables, name="diamond")
    rules = toys.rules({"kind": "share_cap", "countries": ["GGG"], "share": 0.6})
    found = told((network, toys.demand(network, there(100)), rules))
    [row] = found.relaxations.to_dict("records")
    assert (row["rule_id"], row["field"]) == ("r0", "share")
    assert float(row["after"]) == pytest.approx(0.8, rel=1e-5)


def test_costs_are_differences_of_plans_and_fall_on_those_who_detour() -> None:
    case = diamond_case(
        [there(100), back(40)],
        {"kind": "quota", "crossings": ["gb"], "limit": 70, "unit": "t_per_day", "origins": ["A1"]},
        {"kind": "forbid", "crossings": ["ag"], "origins": ["B1"]},
    )
    found = told(case)
    cost = dict(zip(found.costs["rule_id"], found.costs["cost_usd_per_day"], strict=True))
    detour = OVER_R - OVER_G
    assert cost == pytest.approx({"": 70 * detour, "r0": 30 * detour, "r1": 40 * detour})
    pays = {(r.rule_id, r.origin): r.usd_per_t for r in found.payers.itertuples()}
    # At the margin every tonne from A pays for the room in the quota.
    assert pays == pytest.approx(
        {("", "A1"): detour, ("", "B1"): detour, ("r0", "A1"): detour, ("r1", "B1"): detour}
    )
    [price] = found.prices.loc[found.prices["rule_id"] == "r0", "price"]
    assert price == pytest.approx(detour)


@pytest.mark.parametrize("unmet_usd_per_t", [100.0, 20000.0])
def test_a_ban_costs_at_most_the_value_of_what_stays_whatever_steers(
    unmet_usd_per_t: float,
) -> None:
    """Goods of A stay at home: they lose their own value and spare the way, not the penalty."""
    case = diamond_case([there(100), back(40)], {"kind": "forbid", "origins": ["A1"]})
    found = explain(
        *case, congestion=False, unmet_usd_per_t=unmet_usd_per_t, tolerance=1e-9
    )  # fmt: skip
    goods = case[0].commodities.set_index("commodity_id")
    value = float(goods.loc["sand", "value_usd_per_t"])
    for table in (
        found.costs,
        found.principles[found.principles["principle"] == "sovereignty"][:1],
    ):
        assert set(table["cost_usd_per_day"].round(3)) == {round(100 * (value - OVER_G), 3)}
        assert set(table["stays_t_per_day"].round(6)) == {100.0}
    for payers in (found.payers, found.principle_payers):
        assert payers[["usd_per_t", "pays_usd_per_day"]].isna().all(axis=None)
        assert set(payers["stays_t_per_day"].round(6)) == {100.0}
        assert set(payers["origin"]) == {"A1"}


def test_those_who_pay_stand_before_those_who_stay() -> None:
    case = diamond_case(
        [there(100), back(40)],
        {"kind": "forbid", "origins": ["A1"]},
        {"kind": "forbid", "crossings": ["ag"], "origins": ["B1"]},
    )
    found = told(case)
    every = found.payers[found.payers["rule_id"] == ""]
    assert every["origin"].tolist() == ["B1", "A1"]
    assert every["stays_t_per_day"].tolist() == pytest.approx([0.0, 100.0])
    assert np.isnan(every["pays_usd_per_day"].iloc[1])


def test_a_rule_that_changes_nothing_costs_none() -> None:
    case = diamond_case([there(100)], {"kind": "forbid", "crossings": ["rb"]})
    found = told(case)
    assert (found.costs["cost_usd_per_day"].abs() <= found.costs["precision_usd_per_day"]).all()
    assert "All rules together: cost none, within the plan's precision." in found.sentences


def test_closed_links_are_named_where_they_bar_every_way() -> None:
    tables = diamond.tables()
    links = tables["links"]
    tables["links"] = links.assign(status="broken")
    network = Network.from_tables(**tables, name="shut")
    found = told((network, toys.demand(network, there(100)), toys.rules()))
    assert "the cheapest way is closed at" in " ".join(found.sentences)
    assert any(link in " ".join(found.sentences) for link in links["link_id"])


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), 0.0, -1.0])
def test_weights_are_checked_by_the_verb(weight: float) -> None:
    case = diamond_case([there(100)], {"kind": "forbid", "crossings": ["rb"]})
    with pytest.raises(InputError, match="The weight of r0 must be a finite number > 0"):
        explain(*case, weights={"r0": weight})
    with pytest.raises(InputError, match="1 are not: zz"):
        explain(*case, weights={"zz": 1.0})


def test_without_rules_there_is_nothing_to_explain() -> None:
    network, demand, _ = diamond_case([there(1)])
    found = explain(network, demand)
    assert (found.status, len(found.conflicts), len(found.costs)) == ("optimal", 0, 0)


# -- against all subsets, on random networks ----------------------------------------------------


def has_way(case: Case, shipment: int) -> bool:
    """Return whether the cheapest lawful way is worth its cost, compiled anew."""
    model = compile_model(*case)
    net, code = model.supernetwork, model.class_of[shipment]
    cost = np.where(model.allowed[code], model.class_cost(with_wait=False)[code], np.inf)
    source = net.source[model.shipments.origin[shipment]]
    distance, _ = shortest_paths(net.graph, cost, [source])
    return bool(distance[0, net.sink[model.shipments.destination[shipment]]] < WORTH)


@pytest.mark.parametrize("seed", range(25))
def test_what_bars_a_shipment_is_minimal_and_what_opens_it_is_least(seed: int) -> None:
    world = draw_world(seed, kinds=("forbid",))
    network, rules = world.network(), world.rulebook()
    demand = world.demand(network)
    found = explain(network, demand, rules, congestion=False, unmet_usd_per_t=WORTH)
    rows = demand.rows
    names = (rows["origin"] + " to " + rows["destination"] + ", " + rows["commodity"]).tolist()
    for row in found.conflicts.itertuples():
        if row.subject in names:
            ids, shipment = tuple(str(row.rules).split(">")), names.index(row.subject)
            assert not has_way((network, demand, only(rules, ids)), shipment)
            for part in combinations(ids, len(ids) - 1):
                assert has_way((network, demand, only(rules, part)), shipment)
    subjects = found.relaxations.groupby("option")["subject"].first()
    for number, option in enumerate(found.options):
        if subjects[number] in names:
            shipment = names.index(subjects[number])
            assert has_way((network, demand, apply_changes(rules, option)), shipment)
            for part in combinations(option, len(option) - 1):
                assert not has_way((network, demand, apply_changes(rules, part)), shipment)


def worked_under_regimes(rng: np.random.Generator) -> Case:
    """Return the diamond with three regimes, and random rules on regimes and floors."""
    tables = diamond.tables()
    stages = tables["stages"].assign(regime="")
    scanners = stages["stage"] == "scanner"
    shares = {"standard": 0.5, "full": 1.0, "light": 0.2, "none": 0.0}
    parts = [
        stages[scanners].assign(regime=name, share=share)
        for name, share in shares.items()
        if share > 0.0
    ]
    tables["stages"] = pd.concat([stages[~scanners], *parts], ignore_index=True)
    network = Network.from_tables(**tables, name="diamond")
    rules: list[dict[str, object]] = []
    for _ in range(rng.integers(1, 4)):
        crossings = rng.choice(["ag", "gb", "ar", "rb"], rng.integers(1, 3), replace=False)
        regime = str(rng.choice(["full", "light", "light", "standard"]))
        rules.append({"kind": "regime", "crossings": crossings.tolist(), "regime": regime})
    for _ in range(rng.integers(1, 4)):
        state = str(rng.choice(["AAA", "BBB", "GGG", "RRR"]))
        share = float(rng.choice([0.1, 0.3, 0.5, 0.6, 1.0]))
        rules.append(
            {"kind": "inspection_floor", "country": state, "stage": "scanner", "share": share}
        )
    rng.shuffle(rules)
    return network, toys.demand(network, there(10)), toys.rules(*rules)


def test_floors_and_regimes_against_all_subsets() -> None:
    """Later regimes set earlier ones aside: a part of a conflict may bring an older one back."""
    seen = 0
    for seed in range(12, 40):
        network, demand, rules = worked_under_regimes(np.random.default_rng(seed))

        def is_broken(part: Rules, network: Network = network, demand: Demand = demand) -> bool:
            return bool(compile_model(network, demand, part).breaches)

        if not is_broken(rules):
            continue
        seen += 1
        found = told((network, demand, rules))
        assert len(found.conflicts)
        for ids in (tuple(str(text).split(">")) for text in found.conflicts["rules"]):
            assert is_broken(only(rules, ids))
            for size in range(len(ids)):
                for part in combinations(ids, size):
                    assert not is_broken(only(rules, part))
        assert len(found.options)
        for option in found.options:
            assert not is_broken(apply_changes(rules, option))
            for i in range(len(option)):
                others = option[:i] + option[i + 1 :]
                less = smaller(option[i])
                assert is_broken(apply_changes(rules, others))
                assert less is None or is_broken(apply_changes(rules, [*others, less]))
        if seen == 10:
            break
    assert seen == 10


NO_PLAN = ("infeasible", "unknown")
KINDS = ("reciprocity", "quota", "forbid", "share_cap")


def infeasible_cases() -> list[Case]:
    """Return worlds whose rules leave no flow: wide scopes, so that numbers can repair them."""
    cases: list[Case] = []
    for seed in range(300):
        world = draw_world(seed, kinds=KINDS)
        rng = np.random.default_rng(seed)
        for rule in world.rules:
            if rule["kind"] == "reciprocity":
                rule["floor"] = float(str(rule["floor"])) * rng.uniform(1.0, 30.0)
                rule["a"], rule["b"] = (
                    {"countries": [state]} for state in rng.permutation(STATES)[:2]
                )
        if any(rule["kind"] == "reciprocity" for rule in world.rules):
            network = world.network()
            case = network, world.demand(network), world.rulebook()
            cases += [case] if status(case) == "infeasible" else []
        if len(cases) == 5:
            break
    return cases


def smaller(change: Change) -> Change | None:
    """Return a change that goes a little less far; None where it has no number."""
    if not isinstance(change.after, float):
        return None
    return replace(change, after=change.before + (change.after - change.before) * 0.97)


def test_what_leaves_no_flow_is_minimal_and_each_change_least() -> None:
    numbers = 0
    for network, demand, rules in infeasible_cases():
        found = told((network, demand, rules))
        assert found.status == "infeasible"
        assert len(found.conflicts)
        for ids in (tuple(str(text).split(">")) for text in found.conflicts["rules"]):
            assert status((network, demand, only(rules, ids))) == "infeasible"
            for size in range(len(ids)):
                for part in combinations(ids, size):
                    assert status((network, demand, only(rules, part))) != "infeasible"
        for option in found.options:
            assert status((network, demand, apply_changes(rules, option))) != "infeasible"
            for i, change in enumerate(option):
                less = smaller(change)
                others = [other for j, other in enumerate(option) if j != i]
                tried = others if less is None else [*others, less]
                numbers += less is not None
                # A violation within the solver's tolerance is no proof, and no plan either.
                assert status((network, demand, apply_changes(rules, tried))) in NO_PLAN
    assert numbers >= 5


# -- the bundled study --------------------------------------------------------------------------


def test_no_stop_under_the_hosts_floors() -> None:
    case = corridor.load_study("crossroads").case("no_stop_under_floor")
    found = corridor.explain(*case)
    rules = [text.split(">") for text in found.conflicts["rules"]]
    assert rules == [
        ["floor_arm_scanner", "tripp_no_stop"],
        ["floor_arm_inspection", "tripp_no_stop"],
    ]
    outs = ways_out(found)
    assert [("tripp_no_stop", "regime", "front_office")] in outs
    assert outs[-1] == [("floor_arm_scanner", "share", "0"), ("floor_arm_inspection", "share", "0")]
    hosts = found.relaxations.groupby("option")["host"].agg(list).tolist()
    assert hosts[-1] == ["ARM", "ARM"]
    assert all(host == [""] for host in hosts[:-1])
    for option in range(len(found.options)):
        relaxed = found.relaxed(case.rules, option)
        assert not compile_model(case.network, case.demand, relaxed).breaches

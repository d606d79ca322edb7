"""The four principles, on plans whose verdicts are known by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from corridor.core.flows import min_cost_flow
from corridor.planning import solve_plan
from corridor.planning.answer import FlowAnswer, evaluate
from corridor.planning.reasons.compliance import compliance_table
from tests.planning import diamond, toys
from tests.planning.diamond import back, plan, there
from tests.planning.worlds import draw_world

Rule = dict[str, object]
BAND: Rule = {
    "kind": "reciprocity", "a": {"countries": ["GGG"], "origins": ["AAA"]},
    "b": {"countries": ["GGG"], "origins": ["BBB"]}, "low": 0.5, "high": 2.0, "floor": 10.0,
    "unit": "t_per_day",
}  # fmt: skip
FLOOR: Rule = {"kind": "inspection_floor", "country": "GGG", "stage": "scanner", "share": 0.5}
VERDICTS = {"kept", "broken", "waived", "excepted", "not ruled"}


def told(table: pd.DataFrame, principle: str) -> list[tuple[str, str]]:
    """Return (verdict, rules) of a principle."""
    rows = table[table["principle"] == principle]
    return list(zip(rows["verdict"], rows["rules"], strict=True))


def answer_of(*rules: Rule, flows: tuple[diamond.Flow, ...]) -> FlowAnswer:
    """Return the answer of the diamond without the rules, to be judged by them."""
    free = diamond.model(flows)
    problem = free.flow_problem(congestion=False, unmet_usd_per_t=100.0)
    found = evaluate(free, problem, min_cost_flow(problem), congestion=False)
    judged = diamond.model(flows, *rules)
    return replace(found, model=replace(judged, sealed=np.zeros_like(judged.sealed)))


def test_without_rules_nothing_is_broken() -> None:
    table = plan([there(10)]).compliance
    assert list(table.columns) == ["principle", "verdict", "rules", "detail"]
    assert told(table, "jurisdiction") == [("kept", "")]
    assert told(table, "sovereignty") == [("not ruled", "")]
    assert told(table, "reciprocity") == [("not ruled", "")]
    assert told(table, "equality") == [("kept", "")]


def test_zero_is_no_reciprocity() -> None:
    """Nothing flows either way, so the band is met; the floors are not."""
    judged = answer_of(BAND, flows=(there(0), back(0)))
    [(verdict, rules)] = told(compliance_table(judged), "reciprocity")
    assert (verdict, rules) == ("broken", "r0")


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [(20, 20, "kept"), (40, 20, "kept"), (41, 20, "broken"), (9, 20, "broken"), (15, 9, "broken")],
)
def test_a_band_and_its_floors(a: float, b: float, verdict: str) -> None:
    table = compliance_table(answer_of(BAND, flows=(there(a), back(b))))
    assert told(table, "reciprocity") == [(verdict, "r0")]


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        ({"kind": "forbid", "crossings": ["gb"]}, False),
        ({"kind": "forbid", "crossings": ["rb"]}, True),
        ({"kind": "forbid", "crossings": ["gb"], "except": [{"origins": ["A1"]}]}, True),
        ({"kind": "quota", "crossings": ["gb"], "limit": 9, "unit": "t_per_day"}, False),
        ({"kind": "quota", "crossings": ["gb"], "limit": 0.5, "unit": "vehicles_per_day"}, True),
        ({"kind": "quota", "crossings": ["gb"], "limit": 182, "unit": "vehicles_per_year"}, False),
        ({"kind": "share_cap", "countries": ["GGG"], "share": 0.9}, False),
        ({"kind": "share_cap", "countries": ["RRR"], "share": 0.0}, True),
        ({"kind": "require", "crossings": ["rb"]}, False),
        ({"kind": "require", "countries": ["GGG"]}, True),
        ({"kind": "require", "countries": ["RRR"], "flags": ["BBB"]}, True),
    ],
)
def test_a_plan_is_judged_by_its_paths_alone(rule: Rule, *, kept: bool) -> None:
    """Ten tonnes over G, made without the rule."""
    table = compliance_table(answer_of(rule, flows=(there(10),)))
    assert ("broken", "r0") not in told(table, "sovereignty") if kept else True
    assert kept or ("broken", "r0") in told(table, "sovereignty")


def test_floors_are_kept_or_named_with_the_post() -> None:
    assert told(plan([there(1)], FLOOR).compliance, "sovereignty") == [("kept", "r0")]
    tables = diamond.tables()
    stages = tables["stages"].assign(share=1.0)
    stages.loc[(stages["country"] == "GGG") & (stages["stage"] == "scanner"), "share"] = 0.25
    found = plan([there(1)], FLOOR, changed={**tables, "stages": stages})
    assert found.status == "infeasible"
    rows = found.compliance[found.compliance["verdict"] == "broken"]
    assert set(rows["rules"]) == {"r0"}
    assert rows["detail"].str.contains("scanner sees 0.25 of the vehicles, the floor is 0.5").all()
    assert len(rows) == 4


def test_controls_on_foreign_soil_need_the_consent_of_their_own_state() -> None:
    """The exit stages of G at gb are worked on the soil of B."""
    tables = diamond.tables()
    own = toys.frame(
        "crossing_id,country,direction,order,class,stage,servers,service_min,share,host\n"
        "gb,GGG,out,1,all,documents,9,30,1,BBB"
    )
    changed = {**tables, "stages": pd.concat([tables["stages"], own], ignore_index=True)}
    table = plan([there(1)], changed=changed).compliance
    assert told(table, "jurisdiction") == [("broken", "")]
    assert "controls of GGG at gb are worked in BBB" in table["detail"][0]
    waive: Rule = {"kind": "waive", "principle": "P2", "country": "GGG"}
    table = plan([there(1)], waive, changed=changed).compliance
    assert told(table, "jurisdiction") == [("kept", ""), ("waived", "r0")]
    assert ("waived", "r0") in told(table, "sovereignty")
    other = plan([there(1)], waive | {"country": "BBB"}, changed=changed).compliance
    assert told(other, "jurisdiction") == [("broken", "")]
    # Nobody passes gb on the way back over R: its posts are not in use.
    over_r = plan([there(1)], {"kind": "forbid", "crossings": ["ag"]}, changed=changed).compliance
    assert told(over_r, "jurisdiction") == [("kept", "")]


def test_rules_for_single_flags_are_named() -> None:
    fee: Rule = {"kind": "fee", "countries": ["GGG"], "usd_per_t": 1.0}
    assert told(plan([there(1)], fee).compliance, "equality") == [("kept", "")]
    named = fee | {"flags": ["AAA"]}
    assert told(plan([there(1)], named).compliance, "equality") == [("excepted", "r0")]
    assert told(plan([there(1)], fee | {"flags": ["ZZZ"]}).compliance, "equality") == [("kept", "")]
    waive: Rule = {"kind": "waive", "principle": "P4", "country": "GGG"}
    assert told(plan([there(1)], named, waive).compliance, "equality") == [("waived", "r0>r1")]


@pytest.mark.parametrize("seed", range(8))
def test_what_the_solver_finds_passes_every_audit(seed: int) -> None:
    world = draw_world(seed, kinds=("forbid", "fee", "quota", "require"))
    for rule in world.rules:
        if rule["kind"] == "require":
            places = {"crossings": rule["crossings"]} if "crossings" in rule else {}
            places = places or {"countries": rule["countries"]}
            kept = {k: v for k, v in rule.items() if k in ("commodities", "flags", "origins")}
            rule.clear()
            rule.update({"kind": "require", **kept, **places})
    found = solve_plan(world.model(), congestion=False, unmet_usd_per_t=400.0)
    assert set(found.compliance["verdict"]) <= VERDICTS
    assert "broken" not in set(found.compliance["verdict"])
    assert set(found.compliance["principle"]) == {
        "jurisdiction", "sovereignty", "reciprocity", "equality",
    }  # fmt: skip

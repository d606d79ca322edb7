"""Rules on whole ways in plans and routes: required places, seals, entries counted once."""

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

import corridor
from corridor.errors import InputError, NoRouteError
from corridor.network import Network
from corridor.planning import Plan, solve_plan
from tests.planning import diamond, toys
from tests.planning.diamond import OVER_G, OVER_R, back, plan, t_per_day, there

Rule = dict[str, object]
OVER_RB: Rule = {"kind": "require", "crossings": ["rb"]}
SEAL: Rule = {
    "kind": "sealed", "enter": ["ag"], "leave": ["gb"], "skip": ["scanner"], "countries": ["GGG"],
}  # fmt: skip


def rule_row(found: Plan, rule: str = "r0") -> dict[str, Any]:
    [row] = found.rules[found.rules["rule_id"] == rule].to_dict("records")
    return row


# -- require ------------------------------------------------------------------------------------


def test_a_required_crossing_is_passed_at_its_cost() -> None:
    found = plan([there(100)], OVER_RB)
    assert found.objective_usd_per_day == pytest.approx(100 * OVER_R)
    assert t_per_day(found, "rb") == pytest.approx(100)
    assert rule_row(found)["binding"]
    assert found.paths["crossings"].tolist() == ["ar>rb"]


def test_a_requirement_binds_its_own_shipments_only() -> None:
    found = plan([there(100), back(40)], OVER_RB | {"origins": ["BBB"]})
    assert t_per_day(found, "gb") == pytest.approx(100)
    assert t_per_day(found, "rb") == pytest.approx(40)
    assert found.objective_usd_per_day == pytest.approx(100 * OVER_G + 40 * OVER_R)


def test_a_required_state_is_passed_and_the_ends_count() -> None:
    found = plan([there(10)], {"kind": "require", "countries": ["RRR"]})
    assert t_per_day(found, "rb") == pytest.approx(10)
    found = plan([there(10)], {"kind": "require", "countries": ["BBB"]})
    assert t_per_day(found, "gb") == pytest.approx(10)
    assert not rule_row(found)["binding"]


def test_one_of_several_places_is_enough() -> None:
    found = plan([there(10)], {"kind": "require", "crossings": ["rb", "gb"]})
    assert t_per_day(found, "gb") == pytest.approx(10)


def test_two_requirements_are_both_met_by_a_detour() -> None:
    """Over R to B, on to the gate of G, over the border and back: 14 USD, and B1 twice."""
    rules = [OVER_RB, {"kind": "require", "crossings": ["gb"]}]
    found = plan([there(10)], *rules)
    [path] = found.paths.to_dict("records")
    assert path["crossings"] == "ar>rb>gb"
    assert path["links"].split(">")[-1] == "BG-B1"
    assert found.objective_usd_per_day == pytest.approx(10 * OVER_R)
    assert t_per_day(found, "gb", "BBB") == t_per_day(found, "gb", "GGG") == pytest.approx(10)


def test_what_cannot_pass_is_not_served_and_the_rule_is_named() -> None:
    closed: Rule = {"kind": "forbid", "crossings": ["rb"]}
    found = plan([there(10)], OVER_RB, closed)
    assert found.status == "partial"
    assert found.unmet[["reason", "rules"]].to_numpy().tolist() == [["rule", "r0"]]
    # With A's way to R shut there is a detour: over G to B, over rb into R and back.
    found = plan([there(10)], OVER_RB, closed | {"crossings": ["ar"]})
    assert found.objective_usd_per_day == pytest.approx(10 * (OVER_G + 2 * 5))


# -- sealed -------------------------------------------------------------------------------------


def test_goods_under_seal_skip_stages_until_they_leave() -> None:
    """Two posts in G, the first seals: five hours at posts instead of six."""
    free = plan([there(100, "silk")])
    sealed = plan([there(100, "silk")], SEAL)
    [was], [now] = free.paths.to_dict("records"), sealed.paths.to_dict("records")
    assert was["border_h"] == pytest.approx(6.0)
    assert now["border_h"] == pytest.approx(5.0)
    assert now["time_h"] == pytest.approx(was["time_h"] - 1.0)
    # An hour of silk is worth 1 USD a tonne.
    assert sealed.objective_usd_per_day == pytest.approx(free.objective_usd_per_day - 100.0)
    assert sealed.links["link_id"].tolist() == free.links["link_id"].tolist()
    np.testing.assert_allclose(sealed.links["t_per_day"], free.links["t_per_day"])
    assert t_per_day(sealed, "gb") == pytest.approx(100)


@pytest.mark.parametrize(
    ("change", "border_h"),
    [
        ({"countries": None}, 5.0),
        ({"origins": ["BBB"]}, 6.0),
        ({"traffic": ["transit"]}, 5.0),
        ({"traffic": ["import"]}, 6.0),
        ({"commodities": ["sand"]}, 6.0),
        ({"enter": ["gb"], "leave": ["ag"]}, 6.0),
        ({"enter": ["ag", "gb"], "leave": ["gb", "ag"]}, 5.0),
        ({"skip": ["scanner", "documents"]}, 4.5),
        ({"leave": ["rb"], "countries": None}, 6.0),
        ({"enter": ["ag", "gb"], "leave": ["gb", "ag"], "countries": None}, 5.0),
    ],
)
def test_a_seal_is_of_its_own_shipments_and_crossings(change: Rule, border_h: float) -> None:
    rule = {key: value for key, value in (SEAL | change).items() if value is not None}
    [path] = plan([there(1, "silk")], rule).paths.to_dict("records")
    assert path["border_h"] == pytest.approx(border_h)


def test_a_seal_without_states_holds_at_every_post_on_the_way() -> None:
    rule = {key: value for key, value in SEAL.items() if key != "countries"}
    [path] = plan([there(1, "silk")], rule | {"enter": ["ag"]}).paths.to_dict("records")
    assert path["border_h"] == pytest.approx(5.0)  # from the exit of G only; B is past the seal


def test_both_directions_of_one_rule_are_sealed() -> None:
    rule = {key: value for key, value in SEAL.items() if key != "countries"}
    both = rule | {"enter": ["ag", "gb"], "leave": ["gb", "ag"]}
    found = plan([there(1, "silk"), back(1, "silk")], both)
    assert found.paths["border_h"].tolist() == pytest.approx([5.0, 5.0])
    one_way = plan([there(1, "silk"), back(1, "silk")], rule)
    assert sorted(one_way.paths["border_h"]) == pytest.approx([5.0, 6.0])


def test_goods_under_seal_must_leave() -> None:
    """Silk for G itself comes over the same crossing and is never sealed."""
    found = plan([("A1", "GB", "silk", 10.0)], SEAL)
    assert found.status == "optimal"
    [path] = found.paths.to_dict("records")
    assert path["border_h"] == pytest.approx(3.0)


def test_sealed_vehicles_use_no_server_that_they_skip() -> None:
    """The scanner of G at its exit passes 0.95 x 24 vehicles a day, the documents many more."""
    tables = diamond.tables()
    stages = tables["stages"].copy()
    at = (stages["country"] == "GGG") & (stages["direction"] == "out")
    stages.loc[at & (stages["stage"] == "scanner"), "servers"] = 1
    tables["stages"] = stages
    flow = 20.0 * 30.0
    tight = plan([there(flow)], changed=tables)
    assert t_per_day(tight, "gb") == pytest.approx(20 * 0.95 * 24)
    row = tight.crossings.set_index(["crossing_id", "from_country"]).loc[("gb", "GGG")]
    assert row["bottleneck_stage"] == "scanner"
    sealed = plan([there(flow)], SEAL, changed=tables)
    assert t_per_day(sealed, "gb") == pytest.approx(flow)
    # Documents see both, the scanner the open traffic alone.
    model = diamond.model([there(flow)], SEAL, changed=tables)
    pools = model.pools.table[(model.pools.table["item"] == "gb")]
    assert len(pools) == len(diamond.model([there(1)], changed=tables).pools.table.query(
        "item == 'gb'"
    )) + 1  # fmt: skip


def test_a_stage_of_class_sealed_takes_the_place_of_its_order() -> None:
    tables = diamond.tables()
    extra = toys.frame(
        diamond.STAGES.split("\n")[0] + "\n*,GGG,out,,1,sealed,seal check,9,6,road,1\n"
    )
    tables["stages"] = pd.concat([tables["stages"], extra], ignore_index=True)
    [path] = plan([there(1, "silk")], SEAL, changed=tables).paths.to_dict("records")
    # Order 1 is the seal check of 0.1 h instead of documents of 0.5 h, the scanner is skipped.
    assert path["border_h"] == pytest.approx(6.0 - 1.0 - 0.4)
    [path] = plan([there(1, "silk")], changed=tables).paths.to_dict("records")
    assert path["border_h"] == pytest.approx(6.0)


def test_a_floor_holds_under_seal_too() -> None:
    floor: Rule = {"kind": "inspection_floor", "country": "GGG", "stage": "scanner", "share": 0.1}
    found = plan([there(10)], SEAL, floor)
    assert found.status == "infeasible"
    assert found.unmet["rules"].tolist() == ["r0>r1"]
    model = diamond.model([there(10)], SEAL, floor)
    assert {(b.crossing_id, b.direction, b.seal_id) for b in model.breaches} == {
        ("gb", "out", "r0")
    }
    # Of goods that cannot be sealed the floor asks nothing new, nor of stages that are not skipped.
    assert plan([there(10)], SEAL | {"commodities": ["silk"]}, floor).status == "optimal"
    assert plan([there(10)], SEAL, floor | {"stage": "documents"}).status == "optimal"
    other = floor | {"commodities": ["silk"]}
    assert plan([there(10)], SEAL | {"commodities": ["sand"]}, other).status == "optimal"


# -- entries ------------------------------------------------------------------------------------


def test_links_that_follow_one_another_are_entered_once() -> None:
    fee: Rule = {"kind": "fee", "links": ["A1-AG", "x-ag", "GA-GB"], "usd_per_t": 1.0}
    found = plan([there(10)], fee)
    assert found.objective_usd_per_day == pytest.approx(10 * (OVER_G + 1))
    # Apart from one another they are entered each.
    found = plan([there(10)], fee | {"links": ["A1-AG", "GA-GB", "BG-B1"]})
    assert found.objective_usd_per_day == pytest.approx(10 * (OVER_G + 3))


def test_a_quota_on_links_in_series_counts_a_shipment_once() -> None:
    quota: Rule = {
        "kind": "quota", "links": ["A1-AG", "x-ag"], "limit": 3, "unit": "vehicles_per_day",
    }  # fmt: skip
    found = plan([there(100), back(20)], quota)
    assert t_per_day(found, "ag") == pytest.approx(60)
    assert rule_row(found)["price"] == pytest.approx(20 * (OVER_R - OVER_G))
    assert rule_row(found)["unit"] == "usd_per_vehicle"


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "fee", "usd_per_t": 1.0},
        {"kind": "fee", "usd_per_t": 0.01, "per": "t_km"},
        {"kind": "quota", "limit": 3, "unit": "vehicles_per_day"},
        {"kind": "share_cap", "share": 0.3},
        {"kind": "forbid"},
    ],
)
def test_splitting_a_link_in_two_changes_no_rule(rule: Rule) -> None:
    tables = diamond.tables()
    link = tables["links"].set_index("link_id").loc["A1-AG"]
    middle = toys.frame("node_id,name,country,kind,lon,lat\nM,M,AAA,junction,0.5,0.15")
    halves = toys.frame(
        "link_id,from_node,to_node,layer,length_km,crossing_id,cost_usd_per_t\n"
        f"A1-M,A1,M,road,{link['length_km'] / 2},,10\nM-AG,M,AG,road,{link['length_km'] / 2},,0"
    )
    rest = tables["links"][tables["links"]["link_id"] != "A1-AG"]
    split = {
        **tables,
        "nodes": pd.concat([tables["nodes"], middle], ignore_index=True),
        "links": pd.concat([rest, halves], ignore_index=True),
    }
    flows = [there(100, "silk"), back(20)]
    whole = plan(flows, rule | {"links": ["A1-AG"]})
    found = plan(flows, rule | {"links": ["A1-M", "M-AG"]}, changed=split)
    assert found.objective_usd_per_day == pytest.approx(whole.objective_usd_per_day)
    assert found.rules["price"].tolist() == pytest.approx(
        whole.rules["price"].tolist(), nan_ok=True
    )


def test_one_link_and_links_apart_need_no_memory() -> None:
    for links in (["A1-AG"], ["A1-AG", "GA-GB"], ["A1-AG", "A1-AR"]):
        quota: Rule = {"kind": "quota", "links": links, "limit": 3, "unit": "t_per_day"}
        model = diamond.model([there(1)], quota)
        # At A1 both links of the last one meet: a way could go from one to the other.
        assert bool(model.effects.paths) == (links == ["A1-AG", "A1-AR"])
        assert (model.supernetwork.n_arcs > model.plain.n_arcs) == bool(model.effects.paths)


# -- verbs --------------------------------------------------------------------------------------


@pytest.fixture
def network() -> Network:
    return Network.from_tables(**diamond.tables(), name="diamond")


def test_routes_keep_the_rules_on_ways(network: Network) -> None:
    rules = toys.rules(OVER_RB, SEAL)
    way = corridor.route(network, "A1", "B1", rules=rules, commodity="silk")
    assert way.crossings == ("ar", "rb")
    way = corridor.route(network, "A1", "B1", rules=toys.rules(SEAL), commodity="silk")
    assert way.crossings == ("ag", "gb")
    assert way.border_h == pytest.approx(5.0)
    scanned = way.legs[way.legs["kind"].str.endswith("post")]["time_h"]
    assert scanned.tolist() == pytest.approx([1.5, 1.5, 0.5, 1.5])


def test_alternatives_show_a_way_once_under_its_best_papers(network: Network) -> None:
    ways = corridor.alternatives(
        network, "A1", "B1", 5, rules=toys.rules(SEAL), commodity="silk", max_overlap=0.5
    )
    assert [way.crossings for way in ways] == [("ag", "gb"), ("ar", "rb")]
    assert ways[0].border_h == pytest.approx(5.0)


def test_fronts_and_limits_keep_the_rules_on_ways(network: Network) -> None:
    front = corridor.pareto(
        network, "A1", "B1", ("time_h", "cost_usd_per_t"), rules=toys.rules(OVER_RB)
    )
    assert set(front["crossings"]) == {"ar>rb"}
    with pytest.raises(NoRouteError, match="max_cost_usd_per_t = 14"):
        corridor.route(
            network,
            "A1",
            "B1",
            rules=toys.rules(OVER_RB),
            max_cost_usd_per_t=12.0,
            minimize="money",
        )


def test_a_dated_route_keeps_the_rules_on_ways(network: Network) -> None:
    leaves = dt.datetime(2026, 7, 1, 8, tzinfo=dt.UTC)
    plain = corridor.route(network, "A1", "B1", "silk", minimize="time", depart=leaves)
    sealed = corridor.route(
        network, "A1", "B1", "silk", toys.rules(SEAL), minimize="time", depart=leaves
    )
    assert sealed.time_h == pytest.approx(plain.time_h - 1.0)
    over_r = corridor.route(
        network, "A1", "B1", "silk", toys.rules(OVER_RB), minimize="time", depart=leaves
    )
    assert over_r.crossings == ("ar", "rb")


def test_no_way_names_the_requirement(network: Network) -> None:
    rules = toys.rules(OVER_RB, {"kind": "forbid", "crossings": ["rb"]})
    with pytest.raises(NoRouteError) as caught:
        corridor.route(network, "A1", "B1", rules=rules)
    assert caught.value.reasons == ("r0",)


def test_too_many_states_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [{"kind": "require", "crossings": [name]} for name in ("ag", "gb", "ar", "rb")]
    assert diamond.model([there(1)], *rules).supernetwork.n_arcs > 0
    monkeypatch.setattr("corridor.core.paths.products.MOST_STATES", 16)
    with pytest.raises(InputError, match="at most 16 joint states; these 4 have more"):
        diamond.model([there(1)], *rules)


# -- nothing in force ---------------------------------------------------------------------------


def test_rules_on_ways_of_nobody_change_no_bit() -> None:
    flows = [there(100, "silk"), back(30)]
    fee: Rule = {"kind": "fee", "countries": ["GGG"], "usd_per_vehicle": 3.0}
    nobody = OVER_RB | {"flags": ["ZZZ"]}
    models = [
        diamond.model(flows, fee, *more) for more in ([], [nobody], [SEAL | {"flags": ["Q"]}])
    ]
    plain, *others = models
    for other in others:
        assert other.supernetwork.graph is other.plain.graph
        assert other.supernetwork.n_arcs == plain.supernetwork.n_arcs
        np.testing.assert_array_equal(
            other.class_cost(with_wait=True), plain.class_cost(with_wait=True)
        )
        np.testing.assert_array_equal(
            other.pools.pools.matrix.toarray(), plain.pools.pools.matrix.toarray()
        )
    first, *rest = [solve_plan(m, tolerance=1e-9) for m in models]
    for found in rest:
        assert found.objective_usd_per_day == first.objective_usd_per_day
        assert found.paths.equals(first.paths)
        assert found.crossings.equals(first.crossings)


def test_copies_leave_the_tables_of_others_as_they_are() -> None:
    """A requirement that everyone meets anyway: copies everywhere, the same plan."""
    flows = [there(100, "silk"), back(30)]
    model = diamond.model(flows, {"kind": "require", "crossings": ["ag"]})
    assert model.supernetwork.n_arcs > 2 * model.plain.n_arcs
    for congestion in (False, True):
        plain = solve_plan(diamond.model(flows), congestion=congestion, tolerance=1e-9)
        found = solve_plan(model, congestion=congestion, tolerance=1e-9)
        assert found.objective_usd_per_day == pytest.approx(plain.objective_usd_per_day)
        for name in ("links", "crossings", "paths", "countries", "indicators"):
            ours, theirs = getattr(found, name), getattr(plain, name)
            assert list(ours.columns) == list(theirs.columns)
            for column in ours.columns:
                if ours[column].dtype.kind == "f":
                    np.testing.assert_allclose(ours[column], theirs[column], rtol=1e-6, atol=1e-9)
                else:
                    assert ours[column].tolist() == theirs[column].tolist(), (name, column)

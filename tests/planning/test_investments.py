"""invest: equality with the enumeration of all portfolios, conditions, certificates, bad input."""

import itertools

import numpy as np
import pandas as pd
import pytest

from corridor.core.flows import min_cost_flow
from corridor.errors import InputError
from corridor.network import Demand, Network
from corridor.planning.investment.frontiers import budget_frontier
from corridor.planning.investment.investments import invest, new_search
from corridor.planning.investment.portfolio_program import MUSD_PER_YEAR, is_buildable
from corridor.planning.investment.project_effects import compile_case
from corridor.planning.investment.projects import (
    Project,
    read_projects,
    with_project_table,
    yearly_costs,
)
from corridor.sovereignty import Rules
from corridor.sovereignty.kinds.forbid import ForbidRule
from corridor.sovereignty.kinds.inspection_floor import InspectionFloorRule

UNMET_USD_PER_T = 5000.0


def project_rows(*rows: tuple[str, float, str, str, str, object], **columns: str) -> pd.DataFrame:
    """Return rows of projects.csv: id, capex, table, key, column, value."""
    frame = pd.DataFrame(
        rows, columns=["project_id", "capex_musd", "table", "key", "column", "value"]
    )
    frame["value"] = frame["value"].astype(str)
    groups, needs = {}, {}
    for text in columns.get("groups", "").split(";"):
        name, _, members = text.partition(":")
        groups.update(dict.fromkeys(members.split(), name.strip()))
    for text in columns.get("needs", "").split(";"):
        name, _, others = text.partition(":")
        needs[name.strip()] = ";".join(others.split())
    ids = frame["project_id"]
    return frame.assign(
        name=ids, country="AAA", opex_musd_per_year=0.1, build_years=2.0, life_years=25.0,
        exclusive_group=[groups.get(i, "") for i in ids], requires=[needs.get(i, "") for i in ids],
    )  # fmt: skip


def enumerate_portfolios(
    network: Network, demand: Demand, projects: tuple[Project, ...]
) -> dict[frozenset[str], float]:
    """Return the yearly cost of every portfolio that may be built, each solved cold [MUSD/year]."""
    yearly = dict(zip([p.id for p in projects], yearly_costs(projects, 0.06), strict=True))
    found = {}
    for size in range(len(projects) + 1):
        for names in itertools.combinations(yearly, size):
            portfolio = frozenset(names)
            if is_buildable(projects, portfolio, np.inf):
                case = compile_case(
                    network, demand, None, names, congestion=True, unmet_usd_per_t=UNMET_USD_PER_T
                )
                use = min_cost_flow(case.problem, tolerance=1e-8).objective
                use += case.standing_usd_per_day.sum()
                found[portfolio] = use * MUSD_PER_YEAR + sum(yearly[n] for n in names)
    return found


def random_network(seed: int) -> tuple[Network, Demand]:
    """Return two states, their posts, and six projects of all kinds, at random."""
    rng = np.random.default_rng(seed)
    lon = np.r_[np.sort(rng.uniform(0.0, 2.0, 3)), 2.04, 2.09, np.sort(rng.uniform(2.5, 4.0, 3))]
    names = ["A0", "A1", "A2", "AP", "BP", "B0", "B1", "B2"]
    lat = np.r_[rng.uniform(-0.5, 0.5, 3), 0.0, 0.0, rng.uniform(-0.5, 0.5, 3)]
    nodes = pd.DataFrame({
        "node_id": names, "name": names, "country": ["AAA"] * 4 + ["BBB"] * 4,
        "kind": ["city"] * 3 + ["border_post"] * 2 + ["city"] * 3, "lon": lon, "lat": lat,
        "timezone": "Etc/UTC",
    })  # fmt: skip
    layers = pd.DataFrame({
        "layer": ["road", "rail1520"], "mode": ["road", "rail"], "vehicle": ["truck", "train"],
        "t_per_vehicle": [20, 1000], "vehicle_usd_per_h": [15, 200], "speed_kmh": [50, 35],
        "cost_usd_per_t_km": [0.06, 0.03],
    })  # fmt: skip
    pairs = [("A0", "A1"), ("A1", "A2"), ("A0", "AP"), ("A2", "AP"), ("A1", "AP")]
    pairs += [("BP", "B0"), ("B0", "B1"), ("B1", "B2"), ("BP", "B2"), ("BP", "B1")]
    place = {name: i for i, name in enumerate(names)}
    rows = []
    for layer, chosen in (
        ("road", pairs),
        ("rail1520", [("A1", "AP"), ("BP", "B1"), ("B1", "B2")]),
    ):
        for a, b in chosen:
            i, j = place[a], place[b]
            air = 111.2 * float(np.hypot(lon[i] - lon[j], lat[i] - lat[j]))
            length = air * float(rng.uniform(1.05, 1.8)) + 1.0
            status = "planned" if rng.random() < 0.3 and (a, b) != ("A1", "AP") else "open"
            rows.append((f"{a}-{b}-{layer}", a, b, layer, length, status, "", np.nan))
        capacity = float(rng.uniform(300, 900)) if layer == "rail1520" else np.nan
        rows.append((f"x-{layer}", "AP", "BP", layer, 6.0, "open", f"ab-{layer}", capacity))
    columns = ["link_id", "from_node", "to_node", "layer", "length_km", "status", "crossing_id",
               "capacity_t_per_day"]  # fmt: skip
    links = pd.DataFrame(rows, columns=columns)
    terminals = pd.DataFrame({
        "node_id": ["A1", "A1", "B1", "B1"], "from_layer": ["road", "rail1520"] * 2,
        "to_layer": ["rail1520", "road"] * 2, "time_h": 12.0, "cost_usd_per_t": 4.0,
    })  # fmt: skip
    crossings = pd.DataFrame({
        "crossing_id": ["ab-road", "ab-rail1520"], "name": ["road", "rail"], "country_a": "AAA",
        "country_b": "BBB", "layer": ["road", "rail1520"],
    })  # fmt: skip
    stages = pd.DataFrame({
        "crossing_id": ["ab-road"] * 4 + ["ab-rail1520"] * 4,
        "country": ["AAA", "AAA", "BBB", "BBB"] * 2, "direction": ["in", "out"] * 4,
        "regime": "", "order": 1, "class": "all", "stage": "check", "servers": [1] * 4 + [2] * 4,
        "service_min": [*rng.uniform(12.0, 25.0, 4), *[60.0] * 4], "fee_usd": 30.0,
    })  # fmt: skip
    commodities = pd.DataFrame({
        "commodity_id": ["parts", "grain"], "name": ["Parts", "Grain"],
        "value_usd_per_t": [8000, 250], "value_of_time_usd_per_t_h": [2.0, 0.02],
        "empty_return_share": [0.3, 0.0],
    })  # fmt: skip
    background = pd.DataFrame({
        "target": ["ab-road"], "direction": ["both"], "vehicles_per_day": [40.0]
    })  # fmt: skip
    network = Network.from_tables(
        nodes=nodes, layers=layers, links=links, terminals=terminals, crossings=crossings,
        stages=stages, commodities=commodities, background=background, name=f"random {seed}",
    )  # fmt: skip
    planned = links.loc[links["status"] == "planned", "link_id"].tolist()[:1]
    effects: list[tuple[str, float, str, str, str, object]] = [
        (f"open_{link}", 30.0, "links", link, "status", "open") for link in planned
    ]
    effects += [
        ("lanes", 4.0, "stages", "ab-road/AAA/out//1/all", "servers", 2),
        ("lanes", 4.0, "stages", "ab-road/BBB/in//1/all", "servers", 2),
        ("lanes3", 9.0, "stages", "ab-road/AAA/out//1/all", "servers", 3),
        ("lanes3", 9.0, "stages", "ab-road/BBB/in//1/all", "servers", 3),
        ("back", 5.0, "stages", "ab-road/BBB/out//1/all", "servers", 2),
        ("track", 20.0, "links", "x-rail1520", "capacity_t_per_day", 2500.0),
        ("yard", 12.0, "terminals", "A1/road/rail1520", "time_h", 5.0),
        ("yard", 12.0, "terminals", "B1/rail1520/road", "time_h", 5.0),
    ]
    frame = project_rows(*effects, groups="posts: lanes lanes3", needs="back: lanes")
    capex = {name: float(rng.uniform(0.5, 1.5)) for name in set(frame["project_id"])}
    frame["capex_musd"] = [
        c * capex[name] for c, name in zip(frame["capex_musd"], frame["project_id"], strict=True)
    ]
    network = with_project_table(network, frame)
    ods = [("A0", "B1"), ("A2", "B2"), ("B0", "A1"), ("B2", "A0")]
    demand = pd.DataFrame({
        "scenario": "base", "origin": [o for o, _ in ods] * 2,
        "destination": [d for _, d in ods] * 2, "commodity": ["parts"] * 4 + ["grain"] * 4,
        "t_per_day": rng.uniform(100.0, 420.0, 2 * 4),
    })  # fmt: skip
    return network, Demand.from_table(demand, network)


@pytest.fixture(scope="module")
def case() -> tuple[Network, Demand]:
    return random_network(0)


@pytest.mark.parametrize("seed", [0, 3])
def test_equals_the_enumeration_of_all_portfolios(seed: int) -> None:
    network, demand = random_network(seed)
    projects = read_projects(network)
    costs = enumerate_portfolios(network, demand, projects)
    capex = {p.id: p.capex_musd for p in projects}
    search = new_search(
        network, demand, None, projects, 0.06, congestion=True, unmet_usd_per_t=UNMET_USD_PER_T,
        plan_tolerance=1e-8,
    )  # fmt: skip
    for budget_musd in (8.0, 25.0, 1000.0):
        within = [c for names, c in costs.items() if sum(capex[n] for n in names) <= budget_musd]
        found = search.find(budget_musd, tolerance=1e-7)
        assert found.limit == ""
        assert found.gap <= 1e-7
        assert found.cost_musd_per_year == pytest.approx(min(within), rel=3e-7)
        assert found.bound_musd_per_year <= min(within) * (1.0 + 1e-7)
        assert found.value is not None
        assert is_buildable(projects, found.value.projects, budget_musd)
    # What the search learned is true of every portfolio, solved or not, and tight at its own.
    assert len(search.values.bounds) >= 3
    for bound in search.values.bounds:
        for portfolio, cost in costs.items():
            mask = search.values.mask(portfolio)
            use = cost - float(search.yearly_musd @ mask)
            assert bound.value(mask) * MUSD_PER_YEAR <= use + 1e-7 * cost
    tight = search.values.bounds[0].value(search.values.mask(())) * MUSD_PER_YEAR
    assert tight == pytest.approx(costs[frozenset()], rel=1e-6)


def test_a_project_that_worsens_is_not_taken_for_a_relaxation(
    case: tuple[Network, Demand],
) -> None:
    network, demand = case
    rows = project_rows(
        ("slow", 1.0, "links", "A1-A2-road", "speed_kmh", 10.0),
        ("shut", 1.0, "stages", "ab-road/AAA/out//1/all", "service_min", 60.0),
        ("track", 20.0, "links", "x-rail1520", "capacity_t_per_day", 2500.0),
    )
    network = with_project_table(network, rows)
    projects = read_projects(network)
    costs = enumerate_portfolios(network, demand, projects)
    plan = invest(network, demand, tolerance=1e-7)
    assert plan.objective_musd_per_year == pytest.approx(min(costs.values()), rel=3e-7)
    assert not {"slow", "shut"} & set(plan.chosen)


def test_an_answer_holds_together(case: tuple[Network, Demand]) -> None:
    network, demand = case
    plan = invest(network, demand, budget_musd=60.0)
    assert plan.status == "optimal"
    assert plan.chosen
    assert not {"lanes", "lanes3"} <= set(plan.chosen)
    assert plan.capex_musd <= 60.0
    costs = plan.costs.set_index("item")
    total = costs["after"]["total"] + costs["after"]["unmet_price"]
    assert total == pytest.approx(plan.objective_musd_per_year, rel=1e-6)
    parts = ["capital", "upkeep", "use", "background"]
    assert costs["after"][parts].sum() == pytest.approx(costs["after"]["total"])
    assert plan.plan is not None
    assert plan.base is not None
    use = plan.plan.objective_usd_per_day * MUSD_PER_YEAR
    assert use == pytest.approx(costs["after"]["use"] + costs["after"]["unmet_price"], rel=1e-6)
    saved = -(costs["change"]["use"] + costs["change"]["unmet_value"])
    by_scope = plan.benefits.groupby("scope")["musd_per_year"].sum()
    assert by_scope["commodity"] == pytest.approx(saved, abs=1e-4)
    assert by_scope["country"] == pytest.approx(saved, abs=1e-4)
    assert by_scope["background"] == pytest.approx(-costs["change"]["background"], abs=1e-9)
    every = plan.economics[plan.economics["subject"] == "portfolio"]
    assert set(every["rate"]) == {0.06, 0.09}
    assert (every["npv_musd"] > 0.0).all()
    assert "Build" in plan.sentences[0]


def test_goods_that_could_not_move_are_no_saving_at_their_price() -> None:
    network, demand = random_network(0)
    links = network.links
    alone = links["crossing_id"] != ""
    shut = links.assign(status=links["status"].where(~alone, "planned"))
    rows = project_rows(("road", 5.0, "links", "x-road", "status", "open"))
    network = with_project_table(network.replace(links=shut), rows)
    plan = invest(network, demand, unmet_usd_per_t=UNMET_USD_PER_T)
    assert plan.chosen == ("road",)
    [row] = plan.projects.to_dict("records")
    costs = plan.costs.set_index("item")
    assert plan.base is not None
    assert plan.plan is not None
    # The plans count the goods themselves, by another way.
    loss = [one.indicators.set_index("indicator")["value"] for one in (plan.base, plan.plan)]
    worth = loss[0]["unmet_value"] - loss[1]["unmet_value"]
    newly = plan.plan.served_t_per_day - plan.base.served_t_per_day
    assert newly > 100.0
    assert row["goods_t_per_day"] == pytest.approx(newly)
    assert row["goods_musd_per_year"] == pytest.approx(worth)
    assert row["goods_priced_musd_per_year"] == pytest.approx(
        newly * UNMET_USD_PER_T * MUSD_PER_YEAR
    )
    # Carrying more takes resources: without the goods the road saves less than nothing.
    assert row["resources_musd_per_year"] < 0.0
    assert row["saving_musd_per_year"] == pytest.approx(worth + row["resources_musd_per_year"])
    assert -costs["change"]["unmet_value"] == pytest.approx(worth)
    told = plan.economics[plan.economics["subject"] == "road"].iloc[0]
    assert told["saving_musd_per_year"] == pytest.approx(row["saving_musd_per_year"])
    by_goods = plan.benefits[plan.benefits["scope"] == "commodity"]
    assert by_goods["goods_musd_per_year"].sum() == pytest.approx(worth)
    assert f"{worth:,.1f} MUSD a year themselves" in " ".join(plan.sentences)
    assert "which nobody pays" in " ".join(plan.sentences)


def test_transfers_are_no_cost(case: tuple[Network, Demand]) -> None:
    network, demand = case
    dearer = network.replace(stages=network.stages.assign(fee_usd=900.0))
    before = invest(network, demand, budget_musd=1.0)
    after = invest(dearer, demand, budget_musd=1.0)
    assert after.objective_musd_per_year == pytest.approx(before.objective_musd_per_year, rel=1e-6)


def test_more_budget_never_worsens(case: tuple[Network, Demand]) -> None:
    network, demand = case
    frontier = budget_frontier(network, demand, budgets_musd=[4.0, 9.0, 20.0, 45.0, 90.0])
    points = frontier.points
    assert points["budget_musd"].tolist() == [0.0, 4.0, 9.0, 20.0, 45.0, 90.0]
    assert (points["capex_musd"] <= points["budget_musd"] + 1e-9).all()
    slack = 2e-6 * points["total_musd_per_year"].max()
    assert (np.diff(points["objective_musd_per_year"]) <= slack).all()
    assert points["saving_musd_per_year"].iloc[0] == 0.0
    assert (points["gap"] <= 1e-6).all()
    bought = [set(text.split(";")) for text in points["projects"]]
    assert not any({"lanes", "lanes3"} <= names for names in bought)
    assert all("lanes" in names for names in bought if "back" in names)
    assert set(frontier.entries["project_id"]) == set().union(*bought) - {""}
    worth = frontier.borders
    assert (worth["saving_at_flow_per_musd"] <= worth["saving_at_most_per_musd"] + 1e-9).all()


def test_a_budget_that_buys_nothing_says_so(case: tuple[Network, Demand]) -> None:
    plan = invest(*case, budget_musd=0.5)
    assert plan.status == "optimal"
    assert plan.chosen == ()
    assert "buys nothing" in plan.sentences[0]
    assert (plan.costs["change"].abs() < 1e-9).all()
    assert plan.plan is not None
    assert plan.base is not None
    assert plan.plan.objective_usd_per_day == pytest.approx(plan.base.objective_usd_per_day)


def test_stops_when_told_with_the_best_found(case: tuple[Network, Demand]) -> None:
    seen: list[tuple[int, float, float]] = []
    plan = invest(
        *case, budget_musd=60.0, interrupt=lambda: len(seen) >= 1,
        progress=lambda *told: seen.append(told),
    )  # fmt: skip
    assert plan.status == "feasible"
    assert plan.limit == "interrupt"
    assert plan.bound_musd_per_year <= plan.objective_musd_per_year
    assert seen[0][2] <= seen[0][1]


def test_control_c_stops_the_budgets_of_a_frontier(case: tuple[Network, Demand]) -> None:
    asked: list[float] = []

    def tell(*told: float) -> None:
        asked.append(told[1])
        raise KeyboardInterrupt

    frontier = budget_frontier(*case, budgets_musd=[4.0, 9.0, 20.0], progress=tell)
    assert frontier.limit == "interrupt"
    assert len(asked) == 1
    assert frontier.points["status"].iloc[-1] == "feasible"
    assert len(frontier.points) < 4


def test_what_no_project_touches_stays_unlawful_and_is_not_searched(
    case: tuple[Network, Demand],
) -> None:
    network, demand = case
    floor = InspectionFloorRule(
        id="scan_all", kind="inspection_floor", title="Scan everything", country="AAA",
        stage="check", layers=("road",), share=0.9,
    )  # fmt: skip
    network = network.replace(stages=network.stages.assign(share=0.5))
    told: list[int] = []
    plan = invest(network, demand, Rules((floor,), None), progress=lambda n, *_: told.append(n))
    assert (plan.status, plan.outcome, plan.broken_rules) == (
        "infeasible", "unlawful", ("scan_all",),
    )  # fmt: skip
    assert plan.solved == 1
    assert not told
    assert "scan_all" in plan.sentences[0]
    assert set(plan.projects["reason"]) == {"no portfolio is lawful"}


def test_projects_at_crossings_that_rules_close_are_barred_not_worthless(
    case: tuple[Network, Demand],
) -> None:
    ban = ForbidRule(id="shut", kind="forbid", title="Shut", crossings=("ab-road",))
    plan = invest(*case, Rules((ban,), None))
    reasons = plan.projects.set_index("project_id")["reason"]
    assert {name for name, told in reasons.items() if told == "barred by shut"} == {
        "lanes", "lanes3", "back",
    }  # fmt: skip
    open_way = invest(*case).projects["reason"]
    assert not open_way.str.startswith("barred").any()


def test_all_faults_of_projects_are_told_at_once(case: tuple[Network, Demand]) -> None:
    network, _ = case
    rows = project_rows(
        ("nowhere", 5.0, "links", "A9-A8-road", "status", "open"),
        ("cheap", -3.0, "links", "A1-A2-road", "speed_kmh", 60.0),
        ("backwards", 5.0, "links", "A1-A2-road", "speed_kmh", -60.0),
        ("a", 5.0, "links", "A1-A2-road", "speed_kmh", 60.0),
        ("b", 5.0, "links", "A1-A2-road", "speed_kmh", 60.0),
        ("c", 5.0, "links", "A1-A2-road", "color", 60.0),
        needs="a: b; b: a; c: ghost",
    )
    with pytest.raises(InputError) as caught:
        with_project_table(network, rows)
    found = {(fault.key.split("/")[0], fault.column) for fault in caught.value.faults}
    assert found >= {
        ("nowhere", "key"), ("cheap", "capex_musd"), ("backwards", "value"), ("a", "requires"),
        ("c", "column"), ("c", "requires"),
    }  # fmt: skip
    assert "a -> b -> a" in str(caught.value)


def test_all_faults_of_options_are_told_at_once(case: tuple[Network, Demand]) -> None:
    network, demand = case
    with pytest.raises(InputError) as caught:
        invest(
            network, demand, budget_musd=0.0, discount_rate=6.0, tolerance=-1.0, growth=-2.0,
            projects=["back", "ghost"],
        )  # fmt: skip
    columns = {fault.column for fault in caught.value.faults}
    assert columns == {
        "budget_musd", "discount_rate", "tolerance", "growth", "project_id", "requires",
    }  # fmt: skip
    assert "found -2.0; expected a finite number > -1" in str(caught.value)


def test_rows_of_a_project_must_agree(case: tuple[Network, Demand]) -> None:
    network, _ = case
    rows = project_rows(
        ("lanes", 4.0, "stages", "ab-road/AAA/out//1/all", "servers", 2),
        ("lanes", 5.0, "stages", "ab-road/BBB/in//1/all", "servers", 2),
    )
    with pytest.raises(InputError, match="2 values in the rows"):
        with_project_table(network, rows)

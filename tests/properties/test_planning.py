"""Properties of plans on random worlds with borders, capacities, rules and queues."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.core.flows import min_cost_flow
from corridor.planning import Plan, find_itineraries, solve_plan
from tests.planning.worlds import World, draw_world

SEEDS = st.integers(0, 2**32 - 1)
UNMET = 400.0
FEW = settings(max_examples=6, deadline=None)


def planned(world: World, *, congestion: bool, unmet_usd_per_t: float = UNMET) -> Plan:
    tolerance = 1e-8 if congestion else 1e-10
    return solve_plan(
        world.model(), congestion=congestion, unmet_usd_per_t=unmet_usd_per_t, tolerance=tolerance
    )


def indicators(plan: Plan) -> pd.Series:
    keys = ["indicator", "unit", "scope", "direction", "commodity"]
    return plan.indicators.set_index(keys)["value"]


@FEW
@given(seed=SEEDS, data=st.data(), congestion=st.booleans())
def test_opening_a_link_under_bans_never_costs(
    seed: int, data: st.DataObject, *, congestion: bool
) -> None:
    world = draw_world(seed, kinds=("forbid",))
    links = world.tables["links"].assign(status="open")
    closed = data.draw(st.sampled_from(links["link_id"].tolist()))
    links.loc[links["link_id"] == closed, "status"] = "broken"
    before = planned(world.with_table("links", links), congestion=congestion)
    after = planned(world, congestion=congestion)
    assert after.objective_usd_per_day <= before.objective_usd_per_day * (1 + 2e-8)


@FEW
@given(seed=SEEDS, congestion=st.booleans())
def test_dropping_a_ban_or_a_quota_never_costs(seed: int, *, congestion: bool) -> None:
    world = draw_world(seed, kinds=("forbid", "quota"))
    ruled = planned(world, congestion=congestion)
    free = planned(replace(world, rules=world.rules[1:]), congestion=congestion)
    assert free.objective_usd_per_day <= ruled.objective_usd_per_day * (1 + 2e-8)


@FEW
@given(seed=SEEDS, data=st.data(), congestion=st.booleans())
def test_splitting_a_link_changes_nothing(
    seed: int, data: st.DataObject, *, congestion: bool
) -> None:
    world = draw_world(seed)
    links = world.tables["links"]
    inland = links[(links["crossing_id"] == "") & (links["capacity_group"] == "")]
    whole = inland[inland["link_id"] == data.draw(st.sampled_from(inland["link_id"].tolist()))]
    split = cut(world, whole)
    before, after = (planned(w, congestion=congestion) for w in (world, split))
    exact = 1e-9 if not congestion else 3e-8
    assert after.objective_usd_per_day == pytest.approx(before.objective_usd_per_day, rel=exact)
    assert after.status == before.status
    if not congestion:
        # The random costs leave one optimum, so that every number but the shadow prices is fixed.
        pd.testing.assert_series_equal(indicators(after), indicators(before), rtol=1e-6, atol=1e-9)


def cut(world: World, whole: pd.DataFrame) -> World:
    """Return the world with a link cut in two at a new junction on its way."""
    nodes, links = world.tables["nodes"], world.tables["links"]
    ends = nodes.set_index("node_id").loc[[whole["from_node"].item(), whole["to_node"].item()]]
    middle = pd.DataFrame(
        {"node_id": ["cut"], "name": "cut", "country": ends["country"].iloc[0],
         "kind": "junction", "lon": ends["lon"].mean(), "lat": ends["lat"].mean()}
    )  # fmt: skip
    half = {
        "length_km": whole["length_km"] / 2,
        "cost_usd_per_vehicle": whole["cost_usd_per_vehicle"] / 2,
    }
    first = whole.assign(**half, link_id="cut1", to_node="cut")
    second = whole.assign(**half, link_id="cut2", from_node="cut")
    rest = links.drop(index=whole.index)
    return world.with_table("nodes", pd.concat([nodes, middle], ignore_index=True)).with_table(
        "links", pd.concat([rest, first, second], ignore_index=True)
    )


PER_T = ["cost_usd_per_t_km", "cost_usd_per_t", "value_usd_per_t", "value_of_time_usd_per_t_h"]
PER_T += ["co2_g_per_t_km"]
IN_T = ["capacity_t_per_day", "t_per_vehicle", "t_per_teu"]


@FEW
@given(seed=SEEDS, factor=st.sampled_from([1e-3, 0.5, 2.0, 1000.0]), congestion=st.booleans())
def test_the_unit_of_weight_changes_nothing(seed: int, factor: float, *, congestion: bool) -> None:
    """A unit of weight ``factor`` times smaller: more of them, each worth and charged less."""
    world = draw_world(seed)
    tables = {}
    for name, table in world.tables.items():
        scaled = {c: table[c] / factor for c in PER_T if c in table}
        tables[name] = table.assign(**scaled, **{c: table[c] * factor for c in IN_T if c in table})
    rules = [
        rule | ({"usd_per_t": rule["usd_per_t"] / factor} if "usd_per_t" in rule else {})
        for rule in world.rules
    ]
    flows = world.flows.assign(t_per_day=world.flows["t_per_day"] * factor)
    other = World(tables=tables, flows=flows, rules=rules)
    before = planned(world, congestion=congestion)
    after = planned(other, congestion=congestion, unmet_usd_per_t=UNMET / factor)
    assert after.objective_usd_per_day == pytest.approx(before.objective_usd_per_day, rel=3e-8)
    if not congestion:  # under congestion the optimum is flat where the next tonne stays at home
        served = before.served_t_per_day * factor
        assert after.served_t_per_day == pytest.approx(served, rel=1e-6)


@FEW
@given(seed=SEEDS, data=st.data(), congestion=st.booleans())
def test_more_capacity_never_costs(seed: int, data: st.DataObject, *, congestion: bool) -> None:
    world = draw_world(seed)
    table, column = data.draw(
        st.sampled_from(
            [("links", "capacity_t_per_day"), ("terminals", "capacity_t_per_day"),
             ("stages", "servers")]
        )
    )  # fmt: skip
    rows = world.tables[table]
    more = rows.assign(**{column: rows[column] + data.draw(st.integers(1, 300))})
    if table == "stages" and not congestion:
        # More servers also shorten the waits at background load; both only help.
        more = rows.assign(servers=rows["servers"] + 1)
    before = planned(world, congestion=congestion)
    after = planned(world.with_table(table, more), congestion=congestion)
    assert after.objective_usd_per_day <= before.objective_usd_per_day * (1 + 2e-8)


@FEW
@given(seed=SEEDS, congestion=st.booleans())
def test_flow_is_conserved(seed: int, *, congestion: bool) -> None:
    world = draw_world(seed)
    model = world.model()
    result = min_cost_flow(
        model.flow_problem(congestion=congestion, unmet_usd_per_t=UNMET), tolerance=1e-8
    )
    net, n = model.supernetwork, model.supernetwork.graph.n_nodes
    for code, flow in enumerate(result.class_flow):
        balance = np.bincount(net.graph.head, flow, n) - np.bincount(net.graph.tail, flow, n)
        rows = np.flatnonzero(model.class_of == code)
        served = model.t_per_day[rows] - result.unmet[rows]
        np.add.at(balance, net.source[model.shipments.origin[rows]], served)
        np.add.at(balance, net.sink[model.shipments.destination[rows]], -served)
        np.testing.assert_allclose(balance, 0.0, atol=1e-6 * (1 + model.t_per_day.sum()))
    plan = solve_plan(model, congestion=congestion, unmet_usd_per_t=UNMET, tolerance=1e-8)
    total = plan.served_t_per_day + plan.unmet["t_per_day"].sum()
    assert total == pytest.approx(plan.demand_t_per_day, rel=1e-6)
    gone = plan.links.groupby("from_node")["t_per_day"].sum()
    come = plan.links.groupby("to_node")["t_per_day"].sum()
    starts = plan.paths.groupby("origin")["t_per_day"].sum()
    stops = plan.paths.groupby("destination")["t_per_day"].sum()
    left = pd.concat([come, starts, -gone, -stops]).groupby(level=0).sum()
    np.testing.assert_allclose(left, 0.0, atol=1e-6 * (1 + plan.demand_t_per_day))


@FEW
@given(seed=SEEDS)
def test_relabelling_changes_nothing(seed: int) -> None:
    world = draw_world(seed)
    rng = np.random.default_rng(seed)
    tables = {
        name: table.iloc[rng.permutation(len(table))].reset_index(drop=True)
        for name, table in world.tables.items()
    }
    flows = world.flows.iloc[rng.permutation(len(world.flows))].reset_index(drop=True)
    other = World(tables=tables, flows=flows, rules=world.rules)
    before, after = (planned(w, congestion=False) for w in (world, other))
    assert after.objective_usd_per_day == pytest.approx(before.objective_usd_per_day, rel=1e-9)
    assert after.served_t_per_day == pytest.approx(before.served_t_per_day, rel=1e-9)


@FEW
@given(seed=SEEDS)
def test_money_goes_round(seed: int) -> None:
    """What shippers pay in fees and hosts' shares is what the states earn."""
    world = draw_world(seed, kinds=("forbid", "fee"))
    model = world.model()
    plan = solve_plan(model, congestion=False, unmet_usd_per_t=UNMET, tolerance=1e-9)
    result = min_cost_flow(model.flow_problem(congestion=False, unmet_usd_per_t=UNMET))
    costs, goods = model.costs, model.classes.commodity
    to_hosts = (costs.host_usd_per_t + costs.post_fee_usd_per_t)[goods] + model.fee_usd_per_t
    paid = float((to_hosts * result.class_flow).sum())
    assert plan.countries["revenue_usd_per_day"].sum() == pytest.approx(paid, rel=1e-6)


@FEW
@given(seed=SEEDS)
def test_nobody_goes_cheaper_than_alone(seed: int) -> None:
    """No path of a plan undercuts the cheapest lawful way at background load."""
    world = draw_world(seed)
    model = world.model()
    plan = solve_plan(model, unmet_usd_per_t=UNMET, tolerance=1e-7)
    for row, ends in world.flows[["origin", "destination", "commodity"]].iterrows():
        paths = plan.paths[(plan.paths[["origin", "destination", "commodity"]] == ends).all(axis=1)]
        if len(paths):
            best = find_itineraries(model, int(str(row)))[0].generalized_usd_per_t
            assert paths["generalized_usd_per_t"].min() >= best * (1 - 1e-9)

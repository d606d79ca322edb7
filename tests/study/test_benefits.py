"""Benefits and dependence: closed forms, all sets by plans of their own, properties, bad input."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corridor
from corridor.core.games import shapley_value
from corridor.errors import InputError
from corridor.network import Demand, Network
from corridor.planning import compile_model, solve_plan
from corridor.sovereignty import Rules
from corridor.study.cooperation.benefits import BenefitShares
from corridor.study.cooperation.capacity_checks import check_capacities, wanted_sets
from corridor.study.cooperation.coalitions import closed_border_values, open_tariff_values
from corridor.study.cooperation.route_sets import find_route_sets
from corridor.study.cooperation.transfers import split_costs
from corridor.study.disruption.interruptions import compile_closures
from tests.planning import toys
from tests.study.states import Flow, Road, random_states, states_demand, states_network

PAST = ("OOO", "DDD", 100.0)
SERIES = [("OOO", "AAA", 10), ("AAA", "BBB", 10), ("BBB", "DDD", 10), PAST]
BYPASS = [("OOO", "AAA", 5), ("AAA", "DDD", 5), ("OOO", "BBB", 5), ("BBB", "DDD", 5), PAST]


def shared(
    roads: Sequence[Road],
    *flows: Flow,
    players: list[str] | None,
    rules: Rules | None = None,
) -> BenefitShares:
    network = states_network(roads)
    demand = states_demand(network, *flows)
    return corridor.share_benefits(network, demand, rules, players=players)


def share(found: BenefitShares, column: str) -> list[float]:
    return found.shares[f"{column}_usd_per_day"].dropna().round(6).tolist()


def test_two_states_in_a_row_are_worth_nothing_alone() -> None:
    found = shared(SERIES, ("OOO", "DDD", 10.0), players=["AAA", "BBB"])
    assert found.closed_usd_per_day.tolist() == [0.0, 0.0, 0.0, 700.0]
    assert share(found, "shapley") == [350.0, 350.0]
    assert share(found, "shapley_seat") == pytest.approx([700 / 3] * 3)
    assert found.stability["in_core"].all()


def test_two_states_that_replace_each_other() -> None:
    found = shared(BYPASS, ("OOO", "DDD", 10.0), players=["AAA", "BBB"])
    assert found.closed_usd_per_day.tolist() == [0.0, 900.0, 900.0, 900.0]
    # With the shippers it is the glove game, whose nucleolus gives all to the scarce side.
    assert share(found, "shapley_seat") == [150.0, 150.0, 600.0]
    assert share(found, "nucleolus_seat") == [0.0, 0.0, 900.0]
    closed = found.stability[found.stability["game"] == "closed"]
    assert closed["least_excess_usd_per_day"].tolist() == pytest.approx([450.0, 450.0])
    assert not closed["in_core"].any()


def test_a_sole_transit_state_and_its_shippers_go_halves() -> None:
    found = shared([*SERIES[:1], ("AAA", "DDD", 20), PAST], ("OOO", "DDD", 10.0), players=["AAA"])
    assert share(found, "shapley") == [700.0]
    assert share(found, "shapley_seat") == [350.0, 350.0]


def test_states_along_a_road_are_an_airport_game() -> None:
    """Shipments of one state each further inland need all states before: savings add up."""
    roads = [("SEA", "AAA", 1), ("AAA", "BBB", 1), ("BBB", "CCC", 1)]
    roads += [("SEA", "BBB", 50), ("SEA", "CCC", 80)]
    flows = [("SEA", "BBB", 1.0), ("SEA", "CCC", 1.0)]
    found = shared(roads, *flows, players=["AAA", "BBB"])
    # SEA-BBB over AAA saves 48. SEA-CCC: past all 80, over A and B 3, over B alone 51, A alone 80.
    assert found.closed_usd_per_day.tolist() == [0.0, 48.0, 29.0, 125.0]
    assert share(found, "shapley") == [72.0, 53.0]


def test_goods_without_a_way_past_players_are_tonnes_not_money() -> None:
    roads = [("OOO", "AAA", 1), ("AAA", "DDD", 1), ("OOO", "BBB", 3), ("BBB", "DDD", 3)]
    found = shared(roads, ("OOO", "DDD", 12.0), players=["AAA", "BBB"])
    assert not found.closed_usd_per_day.any()
    assert found.access_t_per_day.tolist() == [0.0, 12.0, 12.0, 12.0]
    assert found.shares["shapley_access_t_per_day"].dropna().tolist() == [6.0, 6.0]
    assert found.goods["t_per_day"].tolist() == [0.0, 12.0, 0.0]
    assert found.fees.table["fee_usd_per_t"].isna().all()


def test_own_goods_may_use_a_closed_state() -> None:
    roads = [("AAA", "BBB", 1), ("BBB", "DDD", 1), ("AAA", "DDD", 50)]
    found = shared(roads, ("BBB", "DDD", 5.0), ("AAA", "DDD", 5.0), players=["AAA", "BBB"])
    assert found.closed_usd_per_day.tolist() == [0.0, 0.0, 240.0, 240.0]
    own = found.self_enforcement.set_index("country")["own_saving_usd_per_day"]
    assert own.to_dict() == {"AAA": 120.0, "BBB": 0.0}


def test_open_tariffs_give_todays_revenue_and_a_share_of_the_detours_saved() -> None:
    fee = {"kind": "fee", "countries": ["AAA"], "traffic": ["transit"], "usd_per_t": 30.0}
    rules = toys.rules({**fee, "per": "entry", "payee": "host"})
    roads = [("OOO", "AAA", 5), ("AAA", "DDD", 5), ("OOO", "DDD", 20)]
    found = shared(roads, ("OOO", "DDD", 10.0), players=["AAA"], rules=rules)
    # With the fee the road past A is cheaper (20 against 40): waiving it saves 10 a tonne.
    assert found.open_usd_per_day.tolist() == [0.0, 100.0]
    assert found.closed_usd_per_day.tolist() == [0.0, 100.0]
    assert found.revenue["today_usd_per_day"].tolist() == [0.0]
    cheap = toys.rules({**fee, "usd_per_t": 4.0, "per": "entry", "payee": "host"})
    found = shared(roads, ("OOO", "DDD", 10.0), players=["AAA"], rules=cheap)
    assert found.open_usd_per_day.tolist() == [0.0, 40.0]
    assert found.revenue["today_usd_per_day"].tolist() == [40.0]
    # Closing costs A its fee; shippers at both ends bear 6 a tonne, half each.
    assert found.matrix().loc["AAA"].to_dict() == {"AAA": 40.0, "others": 60.0}


def test_loss_is_mirrored() -> None:
    roads = [("AAA", "BBB", 1), ("BBB", "DDD", 1), ("AAA", "DDD", 50), ("BBB", "EEE", 40)]
    roads += [("AAA", "EEE", 1)]
    flows = [("AAA", "DDD", 4.0), ("BBB", "EEE", 1.0)]
    found = shared(roads, *flows, players=["AAA", "BBB"])
    table = found.interdependence.set_index(["closing", "losing"])
    assert table.loc[("BBB", "AAA"), "loss_usd_per_day"] == 96.0
    assert table.loc[("AAA", "BBB"), "loss_usd_per_day"] == 19.0
    assert table.loc[("AAA", "BBB"), "mirrored_loss_usd_per_day"] == 96.0
    assert table.loc[("AAA", "BBB"), "balance"] == pytest.approx(19 / 96)


def test_fees_of_states_in_a_row_are_those_of_the_first_order_condition() -> None:
    found = shared(SERIES, ("OOO", "DDD", 10.0), players=["AAA", "BBB"])
    fee = found.fees.table["fee_usd_per_t"].to_numpy(float)
    # Logit: each asks 1 / (d (1 - share)).
    through = 1 / (1 + np.exp(0.04 * (30.0 + fee.sum() - 100.0)))
    assert fee == pytest.approx([1 / (0.04 * (1 - through))] * 2, rel=1e-5)
    joint = found.fees.table["through_fee_usd_per_t"].sum()
    through = 1 / (1 + np.exp(0.04 * (30.0 + joint - 100.0)))
    assert joint == pytest.approx(1 / (0.04 * (1 - through)), rel=1e-5)
    totals = found.fees.totals.set_index("scheme")
    gain = totals.loc["through_tariff"] - totals.loc["own_fees"]
    assert (gain > 0).all()
    assert found.fees.regret < 1e-6
    assert found.fees.spread_usd_per_t < 1e-3


def closed_by_rules(players: list[str], open_mask: int) -> list[dict[str, object]]:
    return [
        {"kind": "forbid", "countries": [name], "traffic": ["transit"]}
        for i, name in enumerate(players)
        if not open_mask >> i & 1
    ]


@pytest.mark.parametrize(("seed", "n"), [(1, 4), (2, 3)])
def test_every_set_has_the_value_of_plans_with_the_others_closed(seed: int, n: int) -> None:
    """Full enumeration by plans compiled and solved for each of 2**n sets."""
    network, demand = random_states(seed, 7, 6)
    players = sorted(set(network.nodes["country"]))[1 : n + 1]
    found = corridor.share_benefits(network, demand, players=players)
    costs, served = [], []
    for mask in range(2**n):
        rules = toys.rules(*closed_by_rules(players, mask))
        plan = corridor.plan(network, demand, rules, congestion=False)
        kept = plan.paths.assign(usd=plan.paths["generalized_usd_per_t"])
        costs.append(kept.set_index(["origin", "destination"])[["usd", "t_per_day"]])
        served.append(plan.served_t_per_day)
    base = costs[0].index
    v = []
    for table in costs:
        both = table.loc[base]
        v.append(float((both["t_per_day"] * (costs[0]["usd"] - both["usd"])).sum()))
    np.testing.assert_allclose(found.closed_usd_per_day, v, atol=1e-6)
    np.testing.assert_allclose(found.access_t_per_day, np.array(served) - served[0], atol=1e-6)


def test_costs_and_transfers_add_up_to_what_plans_count(
    toy_network: Network, toy_demand: Demand
) -> None:
    model = compile_model(toy_network, toy_demand)
    transfers = split_costs(model)
    assert transfers.shipper_usd_per_t() == pytest.approx(model.class_cost(with_wait=True))
    assert (transfers.host_usd_per_t >= 0).all()
    plan = solve_plan(model, congestion=False)
    total = float((plan.paths["generalized_usd_per_t"] * plan.paths["t_per_day"]).sum())
    assert total == pytest.approx(plan.objective_usd_per_day)


def test_open_tariff_values_are_least_costs_by_enumeration() -> None:
    network, demand = random_states(5, 6, 8)
    players = ["AAA", "BBB", "CCC", "DDD"]
    fees = [
        {"kind": "fee", "countries": [name], "traffic": ["transit"], "usd_per_t": 3.0 + 4 * i,
         "per": "entry", "payee": "host"}
        for i, name in enumerate(players)
    ]  # fmt: skip
    model = compile_model(network, demand, toys.rules(*fees))
    everyone = np.arange(len(model.shipments))
    v = open_tariff_values(model, split_costs(model), players, everyone)
    costs = []
    for mask in range(16):
        left = [fee for i, fee in enumerate(fees) if not mask >> i & 1]
        plan = corridor.plan(network, demand, toys.rules(*left), congestion=False)
        costs.append(plan.objective_usd_per_day)
    np.testing.assert_allclose(v, costs[0] - np.array(costs), atol=1e-6)


@given(seed=st.integers(0, 10_000), n=st.integers(3, 6))
@settings(max_examples=15, deadline=None)
def test_games_are_monotone_and_shares_sum_to_the_whole(seed: int, n: int) -> None:
    network, demand = random_states(seed, n, 4)
    model = compile_model(network, demand)
    players = sorted(set(network.nodes["country"]))
    transfers = split_costs(model)
    sets = find_route_sets(model, transfers.resource_usd_per_t, players)
    found = closed_border_values(sets, model.t_per_day)
    opened = open_tariff_values(model, transfers, players, np.arange(len(model.shipments)))
    for v in (found.usd_per_day, found.access_t_per_day, opened):
        assert v[0] == 0.0
        for player in range(n):
            pairs = v.reshape(-1, 2, 1 << player)
            assert (pairs[:, 1] >= pairs[:, 0] - 1e-9).all()
        assert shapley_value(v).sum() == pytest.approx(v[-1], abs=1e-6)
        assert (shapley_value(v) >= -1e-9).all()


def test_more_than_sixteen_players_are_searched_in_parts() -> None:
    names = [chr(65 + i) * 3 for i in range(19)]
    roads = [(a, b, 1.0 + i) for i, (a, b) in enumerate(pairwise(names))]
    network = states_network([*roads, (names[0], names[-1], 500.0)])
    demand = states_demand(network, (names[0], names[-1], 2.0), (names[0], names[5], 1.0))
    model = compile_model(network, demand)
    cost = split_costs(model).resource_usd_per_t
    players = names[1:18]
    sets = find_route_sets(model, cost, players)
    assert len(sets) == 4
    everyone = 2**17 - 1
    pairs = set(zip(sets.usd_per_t.tolist(), sets.states.tolist(), strict=True))
    assert pairs == {
        (500.0, 0),
        (float(np.arange(1, 19).sum()), everyone),
        (15.0, 0b1111),
        (500.0 + float(np.arange(6, 19).sum()), everyone & ~0b11111),
    }


@pytest.mark.parametrize(
    ("players", "message"),
    [
        ([chr(65 + i) * 3 for i in range(21)], "1 to 20 players; found 21"),
        ([], "1 to 20 players; found 0"),
        (["AAA", "XYZ"], "XYZ is none"),
        (["AAA", "AAA"], "one is there twice"),
    ],
)
def test_wrong_players_are_refused(players: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        shared(SERIES, ("OOO", "DDD", 10.0), players=players)


def test_without_transit_there_are_no_players_by_default() -> None:
    with pytest.raises(InputError, match="Name players"):
        shared([("OOO", "DDD", 1.0)], ("OOO", "DDD", 10.0), players=None)


def test_a_wrong_dispersion_is_refused(toy_network: Network, toy_demand: Demand) -> None:
    with pytest.raises(InputError, match="dispersion_per_usd must be finite"):
        corridor.share_benefits(toy_network, toy_demand, players=["AAA"], dispersion_per_usd=0.0)


def test_coalitions_are_found_by_name() -> None:
    found = shared(SERIES, ("OOO", "DDD", 10.0), players=["AAA", "BBB"])
    assert found.closed_usd_per_day[found.coalition(["AAA", "BBB"])] == 700.0
    with pytest.raises(InputError, match="must consist of AAA, BBB"):
        found.coalition(["DDD"])
    assert repr(found) == "BenefitShares(AAA, BBB: 700 USD/day saved together)"
    assert isinstance(found.matrix(), pd.DataFrame)


def planned_case(seed: int) -> tuple[Network, Demand, list[str]]:
    """Return a map with narrow roads, and players on it."""
    rng = np.random.default_rng(seed)
    network, demand = random_states(seed, 6, 6)
    links = network.links.assign(capacity_t_per_day=rng.uniform(40, 120, len(network.links)))
    return network.replace(links=links), demand, ["AAA", "BBB", "CCC", "DDD"]


@pytest.mark.parametrize("seed", [1, 4])
def test_planned_values_are_those_of_all_plans(seed: int) -> None:
    """Support pruning loses nothing, and plans by rules and demand of their own agree."""
    network, demand, players = planned_case(seed)
    found = corridor.share_benefits(network, demand, players=players, capacity="all")
    planned = found.capacity["planned_usd_per_day"].to_numpy(float)
    case = compile_closures(network, demand, None, players)
    kept = np.where(np.isfinite(planned).all(), demand.rows["t_per_day"].to_numpy(float), 0.0)
    sets = find_route_sets(case.model, split_costs(case.model).resource_usd_per_t, players)
    past = closed_border_values(sets, kept).has_bypass
    kept = np.where(past, kept, 0.0)
    every = check_capacities(case, players, kept, 500.0, np.arange(16), prune=False)
    fewer = check_capacities(case, players, kept, 500.0, np.arange(16))
    np.testing.assert_allclose(fewer.usd_per_day, every.usd_per_day, atol=1e-3)
    assert every.n_plans == 17 > fewer.n_plans
    scale = 1e-6 * max(planned.max(), 1.0)
    np.testing.assert_allclose(planned, every.usd_per_day, atol=scale + 1e-3)
    for player in range(4):
        pairs = planned.reshape(-1, 2, 1 << player)
        assert (pairs[:, 1] >= pairs[:, 0] - 1e-3).all()
    total = found.shares["capacity_shapley_usd_per_day"].sum()
    assert total == pytest.approx(planned[-1], abs=1e-3)


def test_marginal_sets_are_planned_on_wide_roads_as_on_empty_ones() -> None:
    network = states_network([*SERIES, ("OOO", "BBB", 30)])
    demand = states_demand(network, ("OOO", "DDD", 10.0))
    found = corridor.share_benefits(network, demand, players=["AAA", "BBB"], capacity="marginal")
    table = found.capacity.set_index("coalition")
    assert set(table.index) == {"", "AAA", "BBB", "AAA>BBB"}
    planned, empty = table["planned_usd_per_day"], table["closed_usd_per_day"]
    np.testing.assert_allclose(planned, empty, atol=1e-3)


def test_planned_sets_are_few() -> None:
    names = [f"{chr(65 + i)}AA" for i in range(9)]
    with pytest.raises(InputError, match="All sets of at most 8 players"):
        wanted_sets("all", len(names))
    with pytest.raises(InputError, match="none, marginal, all"):
        wanted_sets("some", 3)  # type: ignore[arg-type]

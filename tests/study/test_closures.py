"""Closures: every one planned from scratch, known networks, a year, redundancy, bad input."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import lognorm

import corridor
from corridor.errors import InputError
from corridor.network import Demand, Network
from corridor.planning import compile_model, solve_plan
from corridor.study.disruption.closures import Resilience
from corridor.study.disruption.interruptions import compile_closures
from corridor.study.disruption.redundancy import redundancy_table
from corridor.study.disruption.reliability import lognormal_times
from corridor.study.disruption.rerouting import Rerouting
from corridor.study.disruption.windows import ClosureWindow
from tests.planning import toys
from tests.planning.worlds import draw_world
from tests.study.states import random_states, states_demand, states_network

BYPASS = [("OOO", "AAA", 5), ("AAA", "DDD", 5), ("OOO", "BBB", 8), ("BBB", "DDD", 8)]


def by_item(found: Resilience, kind: str) -> pd.DataFrame:
    return found.losses[found.losses["kind"] == kind].set_index("item")


def test_a_closed_state_sends_goods_around() -> None:
    network = states_network(BYPASS)
    demand = states_demand(network, ("OOO", "DDD", 10.0), ("OOO", "AAA", 1.0))
    found = corridor.resilience(network, demand, unmet_usd_per_t=1000.0)
    states = by_item(found, "state")
    assert states["loss_usd_per_day"].to_dict() == {"AAA": pytest.approx(60.0)}
    assert states["carried_t_per_day"].to_dict() == {"AAA": 10.0}
    # Closed to all, the crossing sends the goods of AAA around as well: 21 instead of 5.
    crossings = by_item(found, "crossing")
    assert crossings["loss_usd_per_day"].to_dict() == pytest.approx(
        {"ooo-aaa": 76.0, "aaa-ddd": 60.0}
    )
    assert crossings["rank"].to_dict() == {"ooo-aaa": 1, "aaa-ddd": 2}
    assert found.most_critical()["item"].tolist() == ["ooo-aaa", "aaa-ddd"]
    assert not found.losses["cut_off_t_per_day"].any()
    assert found.served_usd_per_day == pytest.approx(105.0)
    assert repr(found) == "Resilience(optimal, 3 closures, 0 pairs)"


def test_goods_cut_off_are_tonnes_and_take_their_cost_with_them() -> None:
    network = states_network([("OOO", "AAA", 5), ("AAA", "DDD", 5), ("OOO", "EEE", 7)])
    demand = states_demand(network, ("OOO", "DDD", 10.0), ("OOO", "EEE", 4.0))
    found = corridor.resilience(network, demand, unmet_usd_per_t=1000.0, kinds=["state"])
    [row] = found.losses.itertuples()
    assert (row.item, row.cut_off_t_per_day) == ("AAA", 10.0)
    assert row.loss_usd_per_day == pytest.approx(0.0, abs=1e-9)


def test_two_states_that_replace_each_other_lose_more_together() -> None:
    network = states_network([*BYPASS, ("OOO", "DDD", 100)])
    demand = states_demand(network, ("OOO", "DDD", 10.0), ("OOO", "BBB", 1.0), ("BBB", "DDD", 1.0))
    more = states_demand(network, ("OOO", "DDD", 10.0), ("AAA", "BBB", 1.0), ("OOO", "BBB", 1.0))
    found = corridor.resilience(network, demand, kinds=["pair"], unmet_usd_per_t=1000.0)
    assert not len(found.losses)
    assert not len(found.pairs)  # B carries nobody's goods but its own
    found = corridor.resilience(network, more, kinds=["pair"], unmet_usd_per_t=1000.0)
    pairs = found.pairs.set_index(["state_a", "state_b"])
    assert len(pairs) <= 3
    alone = corridor.resilience(network, more, kinds=["state"], unmet_usd_per_t=1000.0)
    losses = by_item(alone, "state")["loss_usd_per_day"]
    for (a, b), row in pairs.iterrows():
        assert row["beyond_usd_per_day"] == pytest.approx(
            row["loss_usd_per_day"] - losses[a] - losses[b], abs=1e-6
        )


@pytest.mark.parametrize("seed", [3])
def test_every_closure_is_the_plan_from_scratch(seed: int) -> None:
    """Capacities, queues, quotas and railways: closed rows of the tables, compiled anew."""
    world = draw_world(seed, kinds=("fee", "quota"))
    network = world.network()
    demand, rules = world.demand(network), world.rulebook()
    found = corridor.resilience(
        network, demand, rules, unmet_usd_per_t=800.0, precision=0.0, windows=[],
        kinds=["crossing", "link", "state"],
    )  # fmt: skip
    before = corridor.plan(network, demand, rules, unmet_usd_per_t=800.0)
    assert found.served_usd_per_day == pytest.approx(
        before.objective_usd_per_day - 800.0 * float(before.unmet["t_per_day"].sum()), rel=1e-6
    )
    checked = 0
    for row in found.losses.itertuples():
        ban = {"kind": "forbid"}
        if row.kind == "state":
            ban |= {"countries": [row.item], "traffic": ["transit"]}
        else:
            ban |= {f"{row.kind}s": [row.item]}
        shut = rules.changed(toys.rules({"id": "shut", **ban}).rules)
        after = corridor.plan(network, demand, shut, unmet_usd_per_t=800.0)
        cut = float(after.unmet["t_per_day"].sum() - before.unmet["t_per_day"].sum())
        assert row.cut_off_t_per_day >= cut - 1e-4
        served = after.objective_usd_per_day - 800.0 * float(after.unmet["t_per_day"].sum())
        if abs(cut) < 1e-6 and row.cut_off_t_per_day == 0.0:
            loss = served - found.served_usd_per_day
            assert row.loss_usd_per_day == pytest.approx(
                loss, abs=5e-6 * before.objective_usd_per_day
            )
            checked += 1
    assert checked >= 3


def test_what_carries_nothing_is_not_planned_and_loses_nothing() -> None:
    network = states_network(BYPASS)
    demand = states_demand(network, ("OOO", "DDD", 10.0))
    found = corridor.resilience(network, demand, unmet_usd_per_t=1000.0)
    assert set(found.losses["item"]) == {"AAA", "ooo-aaa", "aaa-ddd"}
    case = compile_closures(network, demand, None)
    reroute = Rerouting(case.model, congestion=True, unmet_usd_per_t=1000.0, tolerance=1e-6)
    idle = reroute.close(case.state_closure(["BBB"]).blocked(len(case.model.classes)))
    assert not idle.solved
    assert idle.objective_usd_per_day == reroute.base.objective


@given(seed=st.integers(0, 5_000))
@settings(max_examples=10, deadline=None)
def test_losses_are_never_below_zero_on_empty_roads(seed: int) -> None:
    network, demand = random_states(seed, 6, 5)
    found = corridor.resilience(
        network, demand, kinds=["crossing", "state"], unmet_usd_per_t=500.0, windows=[]
    )
    slack = 1e-6 * max(found.served_usd_per_day, 1.0) + 1e-6
    assert (found.losses["loss_usd_per_day"] >= -slack).all()
    assert (found.losses["cut_off_t_per_day"] >= 0.0).all()
    for _, some in found.losses.groupby("kind"):
        assert sorted(some["rank"]) == list(range(1, len(some) + 1))


def test_bounds_lie_on_both_sides_of_the_plan() -> None:
    world = draw_world(3, kinds=())
    network = world.network()
    case = compile_closures(network, world.demand(network), None)
    n = len(case.model.classes)
    loose = Rerouting(
        case.model, congestion=True, unmet_usd_per_t=800.0, tolerance=1e-6, precision=1e9
    )
    exact = Rerouting(case.model, congestion=True, unmet_usd_per_t=800.0, tolerance=1e-6)
    quick = 0
    for closure in case.closures(["crossing", "link"], loose.carrying):
        bounded, solved = loose.close(closure.blocked(n)), exact.close(closure.blocked(n))
        slack = 1e-5 * abs(solved.objective_usd_per_day)
        assert bounded.objective_usd_per_day >= solved.objective_usd_per_day - slack
        low = bounded.objective_usd_per_day - bounded.gap_usd_per_day
        assert low <= solved.objective_usd_per_day + slack
        quick += not bounded.solved
    assert quick > 0


@pytest.mark.parametrize("seed", [3, 8])
def test_a_plan_is_solved_as_exactly_as_its_loss_asks_for(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from corridor.study.disruption import rerouting

    world = draw_world(seed, kinds=("fee", "quota"))
    network = world.network()
    case = compile_closures(network, world.demand(network), world.rulebook())
    exact = Rerouting(case.model, congestion=True, unmet_usd_per_t=800.0, tolerance=1e-9)
    loose = Rerouting(
        case.model, congestion=True, unmet_usd_per_t=800.0, tolerance=1e-9, precision=0.2
    )
    asked, solve = [], rerouting.min_cost_flow

    def told(*args: object, **named: object) -> object:
        asked.append(named["tolerance"])
        return solve(*args, **named)

    monkeypatch.setattr(rerouting, "min_cost_flow", told)
    for closure in case.closures(["link", "crossing"], loose.carrying):
        blocked = closure.blocked(loose.problem.n_classes)
        after, best = loose.close(blocked), exact.close(blocked)
        rise = best.objective_usd_per_day - exact.base.objective
        off = after.objective_usd_per_day - best.objective_usd_per_day
        assert -1e-6 <= off <= after.gap_usd_per_day + 1e-6
        assert after.gap_usd_per_day <= 0.25 * rise + 1e-3
    assert max(asked) > 1e-6  # loosened where the loss allows it


def test_ways_that_share_no_link_are_counted() -> None:
    network = states_network([*BYPASS, ("DDD", "EEE", 1)])
    demand = states_demand(network, ("OOO", "DDD", 10.0), ("OOO", "EEE", 1.0))
    table = redundancy_table(compile_model(network, demand)).set_index("destination")
    assert table["disjoint_routes"].to_dict() == {"ddd": 2, "eee": 1}
    assert table["bottleneck"].to_dict() == {"ddd": "", "eee": "x-ddd-eee"}
    assert table["best_usd_per_t"].to_dict() == {"ddd": 10.0, "eee": 11.0}
    assert table.loc["ddd", "extra_usd_per_t"] == 6.0
    assert np.isnan(table.loc["eee", "next_usd_per_t"])


def test_events_and_windows_make_up_a_year() -> None:
    network = states_network(BYPASS)
    demand = states_demand(network, ("OOO", "DDD", 10.0))
    storm = {
        "id": "storm", "kind": "forbid", "title": "Storm", "crossings": ["ooo-aaa"],
        "valid_from": "2026-01-01", "valid_to": "2026-01-11",
    }  # fmt: skip
    policy = storm | {"id": "policy", "valid_to": "2027-01-11"}
    rules = toys.rules(storm, policy).changed([], date=pd.Timestamp("2025-01-01").date())
    found = corridor.resilience(network, demand, rules, unmet_usd_per_t=1000.0, kinds=["state"])
    [row] = found.year.itertuples()
    assert (row.item, row.days_per_year) == ("storm", 10.0)
    assert row.loss_musd_per_year == pytest.approx(10 * 60 / 1e6)
    given_ = [ClosureWindow(item="AAA", days_per_year=20.0), ClosureWindow(item="x-ooo-bbb",
              days_per_year=1.0)]  # fmt: skip
    found = corridor.resilience(
        network, demand, rules, unmet_usd_per_t=1000.0, kinds=["state"], windows=given_
    )
    assert found.year["item"].tolist() == ["AAA", "x-ooo-bbb"]
    assert found.year["loss_musd_per_year"].tolist() == pytest.approx([20 * 60 / 1e6, 0.0])


def test_cancelled_sailings_are_weather(toy_tables: dict[str, pd.DataFrame]) -> None:
    tables = toys.with_sea(toy_tables)
    tables["services"] = toys.frame(
        "service_id,link_id,from_node,headway_h,capacity_t,cancel_share\n"
        "s1,strait,PB,24,5000,0.1\ns2,strait,PA,24,5000,0.2"
    )
    network = toys.network(tables)
    found = corridor.resilience(
        network, toys.demand(network, ("A1", "B1", "grain", 10.0)), kinds=["crossing"]
    )
    [row] = found.year.itertuples()
    assert (row.item, row.cause) == ("strait", "weather: cancelled sailings")
    assert row.days_per_year == pytest.approx(0.15 * 365)


def test_reliability_is_that_of_lognormal_times(toy_network: Network, toy_demand: Demand) -> None:
    late, share = lognormal_times(np.array([50.0]), np.array([20.0]), 0.95, 0.1)
    sigma = np.sqrt(np.log(1 + 0.16))
    exact = lognorm(s=sigma, scale=50.0 / np.sqrt(1.16))
    assert late[0] == pytest.approx(exact.ppf(0.95))
    assert share[0] == pytest.approx(exact.cdf(55.0))
    found = corridor.resilience(toy_network, toy_demand, kinds=["state"])
    plan = solve_plan(compile_model(toy_network, toy_demand))
    means = (plan.paths["time_h"] * plan.paths["t_per_day"]).sum() / plan.served_t_per_day
    table = found.reliability
    total = float((table["time_h"] * table["t_per_day"]).sum() / table["t_per_day"].sum())
    assert total == pytest.approx(means, rel=1e-3)
    assert (table["buffer_index"] >= 0).all()
    assert table["on_time_share"].between(0.0, 1.0).all()
    days = found.recovery.set_index(["crossing_id", "from_country"])["recovery_d_per_closed_d"]
    used = plan.crossings.set_index(["crossing_id", "from_country"])["utilization"]
    used = used.loc[days.index]
    np.testing.assert_allclose(days, used / (1 - used), rtol=1e-3)


def test_no_plan_has_empty_tables(toy_network: Network, toy_demand: Demand) -> None:
    floor = {"kind": "inspection_floor", "country": "AAA", "stage": "scanner", "share": 0.9}
    found = corridor.resilience(toy_network, toy_demand, toys.rules(floor))
    assert found.status == "infeasible"
    assert not len(found.losses)
    assert found.served_t_per_day == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kinds": ["bridge"]}, "found bridge"),
        ({"kinds": []}, "found none"),
        ({"pairs_among": 1}, "pairs_among must be finite and >= 2"),
        ({"precision": -0.1}, "precision must be"),
        ({"on_time_allowance": np.nan}, "on_time_allowance must be"),
        ({"unmet_usd_per_t": 0.0}, "finite price > 0"),
        ({"windows": [ClosureWindow(item="nowhere", days_per_year=3.0)]}, "found nowhere"),
    ],
)
def test_bad_arguments_are_refused(
    toy_network: Network, toy_demand: Demand, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        corridor.resilience(toy_network, toy_demand, **arguments)


def test_a_window_lasts_some_days() -> None:
    with pytest.raises(InputError, match="above 0, at most 365"):
        ClosureWindow(item="x", days_per_year=366.0)

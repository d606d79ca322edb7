"""Servers out of one budget against brute force, and shifts against the day's profile."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from corridor.border.shifts import ShiftRules
from corridor.core.queues import mean_wait
from corridor.errors import InputError
from corridor.network import Network
from corridor.planning import Crossing, crossing, plan_post_shifts, staff_crossings
from tests.planning import toys

Tables = dict[str, pd.DataFrame]
TRAFFIC = """
target,direction,vehicles_per_day
ab-road,forward,{}
ab-road,backward,90
ab-rail,both,12
"""


def network(tables: Tables, forward: float = 200) -> Network:
    return toys.network(toys.joined(tables, background=TRAFFIC.format(forward)))


def delay_usd_per_day(found: Crossing, more: dict[tuple[str, str, str], int]) -> float:
    """Value all waiting at a crossing from its own table of stages, some with more servers."""
    stages = found.stages.drop_duplicates(["country", "order", "stage", "arrivals_per_day"])
    total = 0.0
    for row in stages.to_dict("records"):
        way = (
            "both" if row["is_shared"] else "out" if row["country"] == row["from_country"] else "in"
        )
        servers = row["servers"] + more.get((row["country"], way, row["stage"]), 0)
        rate = row["arrivals_per_day"] / row["open_h_per_day"]
        # The toy's services are all exponential.
        wait = float(mean_wait(rate, row["service_min"] / 60, servers))
        total += row["arrivals_per_day"] * wait * found.usd_per_vehicle_h
    return total


def least_by_enumeration(
    found: Crossing, places: pd.DataFrame, budget: float, cost: dict[str, float]
) -> float:
    """Return the least value of waiting over all ways to spend a budget at a crossing."""
    keys = list(places[["country", "direction", "stage"]].itertuples(index=False, name=None))
    most = int(budget // min(cost.values()))
    return min(
        delay_usd_per_day(found, dict(zip(keys, added, strict=True)))
        for added in product(range(most + 1), repeat=len(keys))
        if sum(n * cost[key[2]] for n, key in zip(added, keys, strict=True)) <= budget
    )


@pytest.mark.parametrize(
    ("budget", "cost"),
    [
        (2.0, {"documents": 1.0, "scanner": 1.0}),
        (100.0, {"documents": 40.0, "scanner": 70.0}),
    ],
)
def test_no_other_use_of_the_budget_is_better(
    toy_tables: Tables, budget: float, cost: dict[str, float]
) -> None:
    net = network(toy_tables)
    found = staff_crossings(net, ["ab-road"], budget, cost=cost)
    post = crossing(net, "ab-road")
    now = delay_usd_per_day(post, {})
    least = least_by_enumeration(post, found.table, budget, cost)
    assert now - found.saved_usd_per_year / 365 == pytest.approx(least, rel=1e-9)
    assert found.saved_usd_per_year > 0.0
    assert found.spent == pytest.approx(float(found.table["added"] @ found.table["cost"]))
    assert found.spent <= budget
    assert found.method == ("greedy" if len(set(cost.values())) == 1 else "exact")


def test_two_crossings_share_a_budget(toy_tables: Tables) -> None:
    net = network(toy_tables)
    both = staff_crossings(net, ["ab-road", "ab-rail"], 3)
    alone = [staff_crossings(net, [name], 3).saved_usd_per_year for name in ("ab-road", "ab-rail")]
    assert max(alone) <= both.saved_usd_per_year <= sum(alone)
    assert set(both.table["crossing_id"]) == {"ab-road", "ab-rail"}
    assert both.table["added"].sum() == 3
    before = both.table.set_index(["crossing_id", "country", "direction", "stage"])
    assert before.index.is_unique


def test_larger_budgets_save_more_but_ever_less_a_server(toy_tables: Tables) -> None:
    curve = staff_crossings(network(toy_tables), ["ab-road"], 5).curve
    assert curve["budget"].tolist() == [1, 2, 3, 4, 5]
    gains = np.diff(np.r_[0.0, curve["saved_usd_per_year"]])
    assert (gains > 0.0).all()
    assert (np.diff(gains) <= 1e-9).all()


def test_the_first_server_is_the_one_that_the_crossing_names(toy_tables: Tables) -> None:
    net = network(toy_tables)
    first = crossing(net, "ab-road").servers.iloc[0]
    found = staff_crossings(net, ["ab-road"], 1).table.iloc[0]
    for name in ("country", "direction", "stage", "servers"):
        assert found[name] == first[name]
    for name in ("utilization", "wait_h", "saved_h_per_day", "saved_usd_per_year", "fixed_h"):
        assert found[name] == pytest.approx(first[name])


def test_states_staff_their_own_posts(toy_tables: Tables) -> None:
    found = staff_crossings(network(toy_tables), ["ab-road"], 2, countries=["BBB"])
    assert found.table["country"].unique().tolist() == ["BBB"]
    with pytest.raises(InputError, match="none is left"):
        staff_crossings(network(toy_tables), ["ab-road"], 2, countries=["CCC"])
    with pytest.raises(InputError, match="none is left"):
        staff_crossings(network(toy_tables), ["ab-road"], 2, cost={"seal": 1.0})


def test_an_overloaded_stage_comes_first_or_the_budget_is_refused(toy_tables: Tables) -> None:
    # 500 trucks a day need 4.2 officers, two are there.
    net = network(toy_tables, 500)
    with pytest.raises(InputError, match=r"which takes \d; found 1.*documents in AAA at ab-road"):
        staff_crossings(net, ["ab-road"], 1)
    found = staff_crossings(net, ["ab-road"], 8)
    assert np.isfinite(found.table["wait_after_h"]).all()
    assert found.saved_usd_per_year == np.inf


@pytest.mark.parametrize("budget", [-1.0, np.nan, np.inf])
def test_wrong_budgets_are_refused(toy_tables: Tables, budget: float) -> None:
    with pytest.raises(InputError, match="budget must be a finite number >= 0"):
        staff_crossings(network(toy_tables), ["ab-road"], budget)


def test_shifts_keep_the_target_at_the_days_arrivals(toy_tables: Tables) -> None:
    net = network(toy_tables)
    rules = ShiftRules(length=8, pause=0, starts=(0, 4, 8, 12, 16, 20), least_crew=1)
    plan = plan_post_shifts(net, "ab-road", "AAA", "documents", 0.02, rules, direction="out")
    assert (plan.wait_h <= 0.02).all()
    assert plan.crew.size == 24
    # Most are on duty about the peak at 14 h, and never nobody.
    assert plan.crew[14] == plan.crew.max() > plan.crew.min() >= 1
    assert plan.paid == plan.crew.sum()
    lazy = plan_post_shifts(net, "ab-road", "AAA", "documents", 3.0, rules, direction="out")
    assert lazy.paid < plan.paid


def test_shifts_of_what_is_not_there_are_refused(toy_tables: Tables) -> None:
    net = network(toy_tables)
    with pytest.raises(InputError, match="There are: AAA/in/documents"):
        plan_post_shifts(net, "ab-road", "AAA", "seal", 0.3)
    tables = toys.changed(toy_tables, "crossings", "ab-road", opening_hours="08:00-20:00")
    with pytest.raises(InputError, match="open round the clock"):
        plan_post_shifts(network(tables), "ab-road", "AAA", "documents", 0.3)

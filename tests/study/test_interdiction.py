"""The worst closures: against all of them, by hand, and variants ranked by theirs."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import corridor
from corridor.errors import InputError
from corridor.network import Demand, Network
from corridor.study.cooperation.cheapest_ways import cheapest_ways
from corridor.study.disruption.interdiction import Target, robust_variants, worst_closures
from corridor.study.disruption.interruptions import compile_closures
from tests.study.states import random_states, states_demand, states_network
from tests.study.toy import write_study

UNMET = 120.0


def worst_of_all(network: Network, demand: Demand, k: int, kind: Target) -> float:
    """Return the largest cost over all sets of k closures, each planned by shortest ways."""
    case = compile_closures(network, demand, None)
    model = case.model
    items = network.crossings["crossing_id"].tolist() if kind == "crossing" else list(case.bans)
    rows = np.flatnonzero(model.t_per_day > 0)
    cost = np.where(model.allowed, model.class_cost(with_wait=True), np.inf)
    worst = -np.inf
    for some in combinations(items, k):
        blocked = np.zeros(model.allowed.shape, np.bool_)
        for item in some:
            blocked |= case.named(item).blocked(len(model.classes))
        ways = cheapest_ways(model, np.where(blocked, np.inf, cost), model.class_of[rows], rows)
        total = float(model.t_per_day[rows] @ np.minimum(ways.usd_per_t, UNMET))
        worst = max(worst, total)
    return worst


@pytest.mark.parametrize("kind", ["crossing", "state"])
@pytest.mark.parametrize(("seed", "k"), [(0, 1), (7, 2), (0, 3)])
def test_nothing_is_worse_than_the_worst(seed: int, k: int, kind: Target) -> None:
    network, demand = random_states(seed, 6, 5)
    found = worst_closures(network, demand, None, k, kind=kind, unmet_usd_per_t=UNMET)
    expected = worst_of_all(network, demand, k, kind)
    assert found.weighted_usd_per_day == pytest.approx(expected, rel=1e-9)
    assert found.bound_usd_per_day == pytest.approx(expected, rel=1e-6)
    assert len(found.items) <= k
    loss = found.loss_usd_per_day + UNMET * found.cut_off_t_per_day
    assert loss >= found.weighted_usd_per_day - found.served_usd_per_day - 1e-6


def test_two_roads_side_by_side_fall_together() -> None:
    roads = [("OOO", "AAA", 5), ("AAA", "DDD", 5), ("OOO", "BBB", 8), ("BBB", "DDD", 8)]
    network = states_network([*roads, ("OOO", "DDD", 50)])
    demand = states_demand(network, ("OOO", "DDD", 10.0))
    one = worst_closures(network, demand, None, 1, kind="state", unmet_usd_per_t=1000.0)
    assert (one.items, one.loss_usd_per_day) == (("AAA",), 60.0)
    two = worst_closures(network, demand, None, 2, kind="state", unmet_usd_per_t=1000.0)
    assert (set(two.items), two.loss_usd_per_day) == ({"AAA", "BBB"}, 400.0)
    assert two.cut_off_t_per_day == 0.0
    three = worst_closures(network, demand, None, 3, unmet_usd_per_t=1000.0)
    assert three.cut_off_t_per_day == 10.0
    assert three.loss_usd_per_day == 0.0
    assert three.bound_usd_per_day == pytest.approx(10_000.0)


def test_variants_are_ranked_by_what_their_worst_costs(tmp_path: Path) -> None:
    study = corridor.load_study(write_study(tmp_path))
    told: list[str] = []
    table = robust_variants(
        study, ["today", "rail_closed", "works", "contradiction"], 1,
        progress=lambda _done, _total, name: told.append(name),
    )  # fmt: skip
    assert told == ["today", "rail_closed", "works", "contradiction"]
    assert set(table["variant"]) == {"today", "rail_closed", "works"}
    assert table["rank"].tolist() == [1, 2, 3]
    # Without the railway the road alone is left: its closure cuts everything off.
    last = table.iloc[-1]
    assert last["variant"] == "rail_closed"
    assert last["items"] == "ab-road"
    assert last["cut_off_t_per_day"] > table["cut_off_t_per_day"].iloc[0]


@pytest.mark.parametrize(
    ("k", "kind", "unmet", "message"),
    [
        (0, "crossing", 10.0, "n_closures must be"),
        (1, "bridge", 10.0, "kind must be one of"),
        (1, "crossing", 0.0, "finite price > 0"),
        (9, "crossing", 10.0, "found 1 of kind crossing, wanted 9"),
    ],
)
def test_bad_arguments_are_refused(k: int, kind: str, unmet: float, message: str) -> None:
    network = states_network([("OOO", "DDD", 50)])
    demand = states_demand(network, ("OOO", "DDD", 10.0))
    with pytest.raises(InputError, match=message):
        worst_closures(network, demand, None, k, kind=kind, unmet_usd_per_t=unmet)  # type: ignore[arg-type]

"""Servers shared out: every combination tried, convexity, bad input."""

from itertools import product

import numpy as np
import pytest

from corridor.core.queues import allocate_servers, mean_wait
from corridor.errors import InputError


def brute_force(
    budget: float, rate: np.ndarray, service: np.ndarray, scv: np.ndarray,
    value: np.ndarray, cost: np.ndarray, most: int,
) -> float:  # fmt: skip
    """Return the least value of waiting over all combinations."""
    table = np.array(
        [
            [value[i] * rate[i] * mean_wait(rate[i], service[i], c, 1.0, scv[i]) for c in servers]
            for i, servers in enumerate([range(1, most + 1)] * rate.size)
        ]
    )
    combinations = np.array(list(product(range(most), repeat=rate.size)))
    affordable = combinations[(combinations + 1) @ cost <= budget * (1 + 1e-12)]
    return float(table[np.arange(rate.size), affordable].sum(axis=1).min())


@pytest.mark.parametrize("seed", range(20))
def test_no_combination_is_better(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_exact = 0
    for _ in range(100):
        n, most = int(rng.integers(2, 4)), 7
        rate, service = rng.uniform(0.2, 3.0, n), rng.uniform(0.2, 1.0, n)
        scv = rng.choice([0.0, 0.5, 1.0, 2.0], n)
        value = rng.uniform(0.0, 5.0, n)
        cost = np.ones(n) if rng.random() < 0.4 else rng.uniform(0.5, 3.0, n)
        needed = cost @ (np.floor(rate * service) + 1)
        budget = float(min(needed * rng.uniform(1.0, 2.0), needed + 6 * cost.min()))
        found = allocate_servers(budget, rate, service, 1.0, scv, value=value, cost=cost, most=most)
        best = brute_force(budget, rate, service, scv, value, cost, most)
        assert found.total_delay_value == pytest.approx(best, rel=1e-9, abs=1e-12)
        assert found.spent <= budget * (1 + 1e-8)
        assert found.spent == pytest.approx(cost @ found.servers)
        wait = mean_wait(rate, service, found.servers, 1.0, scv)
        np.testing.assert_allclose(found.delay_value, value * rate * wait, rtol=1e-12)
        n_exact += found.method == "exact"
    assert 0 < n_exact < 100


def test_greedy_by_gain_a_cost_is_not_optimal_with_different_costs() -> None:
    # One dear server that helps much, cheap ones that help little: the hull alone misses this.
    rate, service = np.array([0.9, 0.5, 0.5]), np.ones(3)
    cost = np.array([5.0, 2.0, 2.0])
    found = allocate_servers(13.0, rate, service, cost=cost)
    assert found.method == "exact"
    best = brute_force(13.0, rate, service, np.ones(3), np.ones(3), cost, 6)
    assert found.total_delay_value == pytest.approx(best, rel=1e-12)


def test_a_hundred_posts_are_shared_out_within_a_second() -> None:
    rng = np.random.default_rng(3)
    rate, service = rng.uniform(1, 20, 100), rng.uniform(0.1, 1.0, 100)
    cost = rng.uniform(1.0, 3.0, 100)
    budget = 1.3 * float(cost @ (np.floor(rate * service) + 1))
    found = allocate_servers(budget, rate, service, value=rng.uniform(5, 50, 100), cost=cost)
    assert found.method == "exact"
    more = allocate_servers(budget + 3.0, rate, service, value=1.0, cost=cost)
    assert more.total_delay_value > 0.0


def test_limits_hold() -> None:
    free = allocate_servers(12, [2.0, 2.0, 0.1], [1.0, 1.0, 1.0]).servers
    assert free.sum() == 12
    held = allocate_servers(12, [2.0, 2.0, 0.1], [1.0, 1.0, 1.0], least=[3, 6, 1], most=[3, 9, 2])
    assert held.servers[0] == 3
    assert held.servers[1] >= 6
    idle = allocate_servers(100, [0.0, 1.0], [1.0, 1.0], value=[1.0, 0.0])
    assert idle.servers.tolist() == [1, 2]
    assert idle.total_delay_value == 0.0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"budget": 3}, "which is 1 short of 4"),
        ({"budget": np.nan}, "budget must be finite"),
        ({"most": [2, 9]}, "most must leave every queue at least 3 servers"),
        ({"least": 0}, "least must be whole numbers >= 1"),
        ({"cost": [1.0, 0.0]}, "cost must be finite and > 0"),
        ({"value": -1.0}, "value must be finite and >= 0"),
        ({"service_time": [1.0, 1.0, 1.0]}, "must broadcast to one shape"),
    ],
)
def test_bad_input_is_named(change: dict, words: str) -> None:
    right = {"budget": 10, "arrival_rate": [2.0, 0.5], "service_time": 1.0}
    with pytest.raises(InputError, match=words):
        allocate_servers(**(right | change))

"""Shapley value, least core and nucleolus: published games, closed forms, other methods."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from corridor.core.games import excess, least_core, nucleolus, shapley_value
from corridor.errors import InputError


def members(n: int) -> np.ndarray:
    """Return who is in which coalition, (2**n, n)."""
    return (np.arange(2**n)[:, None] >> np.arange(n)) & 1


def airport(costs: np.ndarray) -> np.ndarray:
    """Return the savings game of runways: the longest one that a coalition needs, negative."""
    inside = members(costs.size)
    return -(inside * costs).max(axis=1)


def bankruptcy(estate: float, claims: np.ndarray) -> np.ndarray:
    """Return what each coalition has when all others are paid in full."""
    return np.maximum(0.0, estate - (1 - members(claims.size)) @ claims)


def talmud(estate: float, claims: np.ndarray) -> np.ndarray:
    """Return the division of Aumann and Maschler: half claims first, then half losses."""
    half = claims / 2

    def equal_awards(amount: float, limits: np.ndarray) -> np.ndarray:
        low, high = 0.0, float(limits.max())
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (
                (middle, high) if np.minimum(limits, middle).sum() < amount else (low, middle)
            )
        return np.minimum(limits, high)

    if estate <= half.sum():
        return equal_awards(estate, half)
    return claims - equal_awards(float(claims.sum()) - estate, half)


def by_full_programs(v: np.ndarray, n: int) -> np.ndarray:
    """Return the nucleolus by programs over all coalitions, each tight one found by its own."""
    inside, everyone = members(n), 2**n - 1
    fixed, free = {everyone: v[everyone]}, set(range(1, everyone))
    bounds = [*((v[2**i], None) for i in range(n)), (None, None)]
    while free:
        rows = sorted(free)
        upper = np.c_[-inside[rows], -np.ones(len(rows))]
        equal = np.c_[inside[list(fixed)], np.zeros(len(fixed))]
        args = {"A_eq": equal, "b_eq": list(fixed.values()), "bounds": bounds}
        best = linprog(np.r_[np.zeros(n), 1], A_ub=upper, b_ub=-v[rows], **args)
        held = [(*bound,) for bound in bounds[:-1]] + [(best.fun, best.fun)]
        args["bounds"] = held
        for row in rows:
            # Tight in all optima: no optimum gives the coalition more.
            more = linprog(np.r_[-inside[row], 0], A_ub=upper, b_ub=-v[rows] + 1e-9, **args)
            if -more.fun <= v[row] - best.fun + 1e-7:
                fixed[row] = v[row] - best.fun
                free.discard(row)
    solution = linprog(np.zeros(n), A_eq=inside[list(fixed)], b_eq=list(fixed.values()),
                       bounds=[(None, None)] * n)  # fmt: skip
    return solution.x


def test_shares_are_the_mean_over_all_orders() -> None:
    rng = np.random.default_rng(3)
    v = np.r_[0.0, rng.normal(size=31)]
    shares = np.zeros(5)
    for order in permutations(range(5)):
        coalition = 0
        for player in order:
            shares[player] += v[coalition | 1 << player] - v[coalition]
            coalition |= 1 << player
    np.testing.assert_allclose(shapley_value(v), shares / 120, rtol=1e-12)


def test_runways_are_shared_by_their_steps() -> None:
    costs = np.sort(np.random.default_rng(1).uniform(1, 9, 15))
    steps = np.diff(np.r_[0.0, costs]) / np.arange(15, 0, -1)
    np.testing.assert_allclose(shapley_value(airport(costs)), -np.cumsum(steps), rtol=1e-12)


@pytest.mark.parametrize(("estate", "expected"), [(100, (100 / 3,) * 3), (300, (50, 100, 150))])
def test_the_talmud_divides_by_the_nucleolus(estate: float, expected: tuple) -> None:
    v = bankruptcy(estate, np.array([100.0, 200.0, 300.0]))
    np.testing.assert_allclose(nucleolus(v), expected, rtol=1e-9)


def test_fifteen_claims_are_divided_by_the_rule() -> None:
    claims = np.random.default_rng(2).uniform(1, 20, 15)
    estate = 0.4 * float(claims.sum())
    found = nucleolus(bankruptcy(estate, claims))
    np.testing.assert_allclose(found, talmud(estate, claims), rtol=1e-8)


@pytest.mark.parametrize("seed", range(12))
def test_full_programs_find_the_same_nucleolus(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 5))
    v = np.r_[0.0, np.round(rng.uniform(0, 10, 2**n - 1), 1)]
    v[2 ** np.arange(n)] = np.round(rng.uniform(0, 2, n), 1)
    v[-1] = max(v.max(), v[2 ** np.arange(n)].sum())
    np.testing.assert_allclose(nucleolus(v), by_full_programs(v, n), atol=1e-6)


def test_two_transit_states_in_series_or_side_by_side() -> None:
    # Players: origin, first transit, second transit. Both needed, or either one.
    inside = members(3).astype(bool)
    series = inside.all(axis=1).astype(float)
    either = (inside[:, 0] & (inside[:, 1] | inside[:, 2])).astype(float)
    np.testing.assert_allclose(shapley_value(series), [1 / 3] * 3)
    np.testing.assert_allclose(shapley_value(either), [2 / 3, 1 / 6, 1 / 6])
    np.testing.assert_allclose(nucleolus(either), [1.0, 0.0, 0.0], atol=1e-9)


@given(st.lists(st.floats(-50, 50), min_size=15, max_size=15), st.floats(0.1, 10))
@settings(max_examples=60, deadline=None)
def test_shares_add_up_and_scale(values: list[float], factor: float) -> None:
    v = np.r_[0.0, values]
    shares = shapley_value(v)
    assert shares.sum() == pytest.approx(v[-1], abs=1e-9)
    np.testing.assert_allclose(shapley_value(factor * v), factor * shares, atol=1e-9)
    plus = v + members(4) @ np.arange(4.0)  # what players have anyway changes nothing else
    np.testing.assert_allclose(shapley_value(plus), shares + np.arange(4.0), atol=1e-9)
    core = least_core(v)
    assert core.shares.sum() == pytest.approx(v[-1], abs=1e-6)
    assert excess(v, core.shares)[1:-1].max() == pytest.approx(core.excess, abs=1e-6)


def test_the_nucleolus_has_the_least_core_and_is_in_the_core_where_there_is_one() -> None:
    rng = np.random.default_rng(8)
    for _ in range(20):
        inside = members(5)
        v = (inside * rng.uniform(0, 2, 5)).sum(axis=1) ** 1.5  # convex: the core is not empty
        assert excess(v, nucleolus(v)).max() <= 1e-7
        found = excess(v, nucleolus(v))[1:-1].max()
        assert found == pytest.approx(least_core(v).excess, abs=1e-7)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0.0, 1.0, 2.0], "one value for each of 2"),
        ([1.0, 2.0], r"v\[0\]"),
        ([0.0, 1.0, np.nan, 1.0], "coalition 0b10"),
        (["a", "b"], "array of numbers"),
    ],
)
def test_bad_games_are_refused(values: list, words: str) -> None:
    for solve in (shapley_value, nucleolus, least_core):
        with pytest.raises(InputError, match=words):
            solve(values)


def test_what_cannot_be_shared_is_said() -> None:
    with pytest.raises(InputError, match="worth no more than all together; found 2 and 1"):
        nucleolus([0, 1, 1, 1])
    with pytest.raises(InputError, match="two players"):
        least_core([0, 1])
    with pytest.raises(InputError, match="one entry for each of the 2 players"):
        excess([0, 1, 1, 3], [1.0])
    assert nucleolus([0, 7]).tolist() == [7.0]

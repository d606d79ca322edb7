"""Tolls and discount factors: closed forms, other starts, what a judge-less pact needs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.core.games import (
    critical_discount_factor,
    excess,
    joint_tolls,
    least_core,
    nucleolus,
    prenucleolus,
    shapley_value,
    toll_equilibrium,
    veto_shapley_value,
)
from corridor.core.games.tolls import Quantity
from corridor.errors import InputError


def linear_row(most: float, slope: float) -> tuple[Quantity, Quantity]:
    """Return demand ``most - slope x (sum of tolls)`` of a road of several owners, and revenue."""

    def passes(owner: int, candidates: np.ndarray, tolls: np.ndarray) -> np.ndarray:
        asked = candidates + tolls.sum() - tolls[owner]
        return np.maximum(most - slope * asked, 0.0)

    def earned(owner: int, candidates: np.ndarray, tolls: np.ndarray) -> np.ndarray:
        asked = candidates + tolls.sum() - tolls[owner]
        return asked * np.maximum(most - slope * asked, 0.0)

    return passes, earned


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_owners_in_a_row_ask_n_over_n_plus_one(n: int) -> None:
    passes, earned = linear_row(12.0, 3.0)
    most = np.full(n, 4.0)
    found = toll_equilibrium(passes, most)
    assert found.tolls.sum() == pytest.approx(n / (n + 1) * 12.0 / 3.0, rel=1e-6)
    together = joint_tolls(earned, passes, most)
    assert together.tolls.sum() == pytest.approx(2.0, rel=1e-5)
    # Their revenue is 4 n / (n + 1)^2 of what one owner would earn.
    share = found.revenue.sum() / together.revenue.sum()
    assert share == pytest.approx(4 * n / (n + 1) ** 2, rel=1e-6)
    assert found.regret < 1e-9


def test_owners_side_by_side_compete_their_tolls_away() -> None:
    """Logit with a sharp choice: the markup is 1 / (d (1 - share)), near nothing."""
    d = 50.0

    def passes(owner: int, candidates: np.ndarray, tolls: np.ndarray) -> np.ndarray:
        return 1.0 / (1.0 + np.exp(np.clip(d * (candidates - tolls[1 - owner]), -500, 500)))

    found = toll_equilibrium(passes, [10.0, 10.0])
    assert found.tolls == pytest.approx([2.0 / d] * 2, rel=1e-4)
    again = toll_equilibrium(passes, [10.0, 10.0], start=[10.0, 3.0])
    assert again.tolls == pytest.approx(found.tolls, abs=1e-5)


def test_no_toll_on_a_grid_earns_an_owner_more() -> None:
    passes, _ = linear_row(1.0, 1.0)
    found = toll_equilibrium(passes, [1.0, 1.0, 1.0])
    grid = np.linspace(0.0, 1.0, 10_001)
    for owner in range(3):
        best = (grid * passes(owner, grid, found.tolls)).max()
        assert best <= found.revenue[owner] + 1e-9


def test_a_search_that_is_cut_short_tells_its_regret() -> None:
    passes, _ = linear_row(1.0, 1.0)
    found = toll_equilibrium(passes, [1.0, 1.0], max_rounds=1)
    assert found.rounds == 1
    assert found.regret > 0.01


@pytest.mark.parametrize(
    ("most", "start", "message"),
    [
        ([], None, "one finite toll"),
        ([-1.0], None, "one finite toll"),
        ([np.inf], None, "one finite toll"),
        ([1.0], [2.0], "within 0..most"),
        ([1.0], [0.5, 0.5], "within 0..most"),
    ],
)
def test_wrong_tolls_are_refused(
    most: list[float], start: list[float] | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        toll_equilibrium(linear_row(1.0, 1.0)[0], most, start=start)


@given(
    st.floats(0.0, 10.0), st.floats(0.0, 10.0), st.floats(0.0, 5.0), st.sampled_from([None, 1, 3])
)
@settings(max_examples=60, deadline=None)
def test_the_critical_factor_is_where_leaving_just_pays(
    together: float, alone: float, punished: float, periods: int | None
) -> None:
    factor = float(critical_discount_factor(together, alone, punished, periods))
    tempting, lost = alone - together, together - punished

    def worth(d: float) -> float:
        return lost * (d / (1 - d) if periods is None else sum(d**k for k in range(1, periods + 1)))

    if tempting <= 0:
        assert factor == 0.0
    elif np.isinf(factor):
        assert worth(1 - 1e-9) <= tempting * (1 + 1e-6) + 1e-6
    else:
        assert 0.0 < factor <= 1.0
        if factor < 1 - 1e-6:
            assert worth(factor) == pytest.approx(tempting, rel=1e-6, abs=1e-9)
        if periods is None:
            assert factor == pytest.approx(tempting / (alone - punished), rel=1e-6)


def test_a_punishment_lasts_a_period_at_least() -> None:
    with pytest.raises(InputError, match="periods must be a whole number >= 1"):
        critical_discount_factor(1.0, 2.0, 0.0, periods=0)


@given(st.integers(0, 100_000), st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_a_veto_is_one_player_more(seed: int, n: int) -> None:
    v = np.append(0.0, np.random.default_rng(seed).uniform(0, 10, 2**n - 1))
    expected = shapley_value(np.r_[np.zeros(2**n), v])
    np.testing.assert_allclose(veto_shapley_value(v), expected, atol=1e-12)


@given(st.integers(0, 100_000), st.integers(2, 5))
@settings(max_examples=40, deadline=None)
def test_the_prenucleolus_has_the_least_excess_and_is_the_nucleolus_of_superadditive_games(
    seed: int, n: int
) -> None:
    rng = np.random.default_rng(seed)
    v = np.append(0.0, rng.uniform(0, 10, 2**n - 1))
    shares = prenucleolus(v)
    assert shares.sum() == pytest.approx(v[-1])
    assert excess(v, shares)[1:-1].max() == pytest.approx(least_core(v).excess, abs=1e-7)
    # A convex game: a square of sums of weights.
    weight = rng.uniform(0.1, 1.0, n)
    inside = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    convex = (inside @ weight) ** 2
    np.testing.assert_allclose(prenucleolus(convex), nucleolus(convex), atol=1e-7)


def test_one_player_has_all() -> None:
    assert prenucleolus([0.0, 3.0]).tolist() == [3.0]
    assert veto_shapley_value([0.0, 3.0]).tolist() == [1.5, 1.5]

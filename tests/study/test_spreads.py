"""Statistics of samples against closed forms."""

import numpy as np
import pytest

from corridor.errors import InputError
from corridor.study.uncertainty.spreads import (
    conditional_value_at_risk,
    first_order_indices,
    rank_correlations,
    swings,
)


def test_cvar_is_the_optimum_of_its_definition() -> None:
    values = np.random.default_rng(2).gamma(2.0, size=173)
    for tail in (0.05, 0.31, 1.0):
        best = min(e + np.maximum(values - e, 0.0).mean() / tail for e in values)
        assert conditional_value_at_risk(values, tail) == pytest.approx(best)
    assert conditional_value_at_risk(values, 1.0) == pytest.approx(values.mean())
    both = np.column_stack([values, -values])
    assert conditional_value_at_risk(both).shape == (2,)


@pytest.mark.parametrize("tail", [0.0, 1.5])
def test_cvar_refuses_tails(tail: float) -> None:
    with pytest.raises(InputError, match="tail must be"):
        conditional_value_at_risk(np.ones(3), tail)


def test_sobol_indices_of_ishigami() -> None:
    """The indices of Ishigami's function are known: 0.3139, 0.4424 and 0."""
    a, b = 7.0, 0.1
    x = np.random.default_rng(7).uniform(-np.pi, np.pi, (20_000, 3))
    y = np.sin(x[:, 0]) + a * np.sin(x[:, 1]) ** 2 + b * x[:, 2] ** 4 * np.sin(x[:, 0])
    v1 = 0.5 * (1 + b * np.pi**4 / 5) ** 2
    v2 = a**2 / 8
    total = v1 + v2 + 8 * b**2 * np.pi**8 / 225
    found = first_order_indices(x, y[:, None])[0]
    assert found == pytest.approx([v1 / total, v2 / total, 0.0], abs=0.015)


def test_sobol_indices_of_noise_are_near_zero() -> None:
    random = np.random.default_rng(0)
    found = first_order_indices(random.random((1000, 50)), random.random((1000, 1)))
    assert found.mean() < 0.01
    assert found.max() < 0.06


def test_sobol_indices_need_samples() -> None:
    assert np.isnan(first_order_indices(np.ones((10, 2)), np.ones((10, 1)))).all()


def test_rank_correlation_is_scipy_s() -> None:
    from scipy.stats import spearmanr

    random = np.random.default_rng(4)
    x, y = random.integers(0, 5, (60, 2)).astype(float), random.random((60, 3))
    found = rank_correlations(x, y)
    for i in range(3):
        for j in range(2):
            assert found[i, j] == pytest.approx(spearmanr(x[:, j], y[:, i]).statistic)
    assert rank_correlations(np.ones((5, 1)), y[:5]).tolist() == [[0.0], [0.0], [0.0]]


def test_swings_are_means_of_the_tenths() -> None:
    x = np.arange(100.0)[::-1, None]
    low, high = swings(x, x**2)
    assert low.item() == pytest.approx((np.arange(10) ** 2).mean())
    assert high.item() == pytest.approx((np.arange(90, 100) ** 2).mean())

"""The exact M/D/c wait against the embedded chain, solved as a linear system."""

import numpy as np
import pytest
from scipy.stats import poisson

from corridor.core.queues import deterministic
from corridor.core.queues.deterministic import mdc_wait_and_slope
from corridor.core.queues.erlang import mmc_wait_and_slope


def wait_by_chain(servers: int, load: float, n_states: int) -> float:
    """Stationary mean queue of N' = (N - c)^+ + Poisson(a), truncated, over the load."""
    left = np.maximum(np.arange(n_states) - servers, 0)
    step = np.arange(n_states)[None, :] - left[:, None]
    transition = poisson.pmf(step, load)
    transition[:, -1] += poisson.sf(n_states - 1 - left, load)
    system = transition.T - np.eye(n_states)
    system[0] = 1.0
    right = np.zeros(n_states)
    right[0] = 1.0
    return float(np.linalg.solve(system, right) @ left) / load


@pytest.mark.parametrize("servers", [1, 2, 3, 4, 7, 12, 20])
@pytest.mark.parametrize("rho", [0.1, 0.3, 0.5, 0.7, 0.8, 0.9])
def test_wait_equals_the_embedded_chain(servers: int, rho: float) -> None:
    wait, _ = mdc_wait_and_slope(np.array([servers]), np.array([servers * rho]))
    expected = wait_by_chain(servers, servers * rho, 450)
    # The chain itself is solved to about 1e-15 of the (unit) probability mass.
    assert wait[0] == pytest.approx(expected, rel=1e-10, abs=1e-13)


def test_one_server_is_half_of_the_exponential_wait() -> None:
    load = np.array([0.0, 1e-300, 1e-9, 0.2, 0.9, 0.999999])
    wait, slope = mdc_wait_and_slope(np.ones(6, dtype=np.int64), load)
    np.testing.assert_allclose(wait, load / (2 * (1 - load)), rtol=1e-15)
    np.testing.assert_allclose(slope, 1 / (2 * (1 - load) ** 2), rtol=1e-15)


@pytest.mark.parametrize("servers", [2, 3, 5, 20, 100, 1000, 5000])
def test_roots_and_series_agree_where_both_work(
    servers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    decay = np.array([0.3, 1.0, 2.0, 4.0])  # of the series; rho from c (rho - 1 - ln rho) = decay
    rho = np.array([_utilization(d / servers) for d in decay])
    c = np.full(4, servers)
    monkeypatch.setattr(deterministic, "_LIGHT_DECAY", 0.0)
    by_series = mdc_wait_and_slope(c, c * rho)
    monkeypatch.setattr(deterministic, "_LIGHT_DECAY", np.inf)
    by_roots = mdc_wait_and_slope(c, c * rho)
    np.testing.assert_allclose(by_series[0], by_roots[0], rtol=5e-10)
    np.testing.assert_allclose(by_series[1], by_roots[1], rtol=5e-10)


def _utilization(decay: float) -> float:
    low, high = 1e-9, 1.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if middle - 1 - np.log(middle) > decay else (low, middle)
    return low


@pytest.mark.parametrize("servers", [2, 3, 6, 20, 300])
def test_slope_matches_central_differences(servers: int) -> None:
    load = servers * np.linspace(0.3, 0.995, 60)
    c = np.full(60, servers)
    step = 1e-6 * (servers - load)
    above, _ = mdc_wait_and_slope(c, load + step)
    below, _ = mdc_wait_and_slope(c, load - step)
    _, slope = mdc_wait_and_slope(c, load)
    numeric = (above - below) / (2 * step)
    assert np.abs(slope - numeric).max() <= 1e-6 * slope.max()
    meaningful = slope > 1e-6
    np.testing.assert_allclose(slope[meaningful], numeric[meaningful], rtol=1e-5)


@pytest.mark.parametrize("servers", [1, 2, 5, 20, 200])
def test_mean_queue_is_convex_across_the_change_of_method(servers: int) -> None:
    load = servers * np.linspace(0.0, 0.999, 8001)
    wait, slope = mdc_wait_and_slope(np.full(load.size, servers), load)
    assert np.diff(wait + load * slope).min() >= -1e-13


@pytest.mark.parametrize("servers", [2, 5, 20, 100])
def test_share_of_the_exponential_wait_falls_from_c_over_c_plus_one_to_a_half(servers: int) -> None:
    load = servers * np.array([0.02, 0.2, 0.5, 0.8, 0.95, 0.9999])
    exact, _ = mdc_wait_and_slope(np.full(6, servers), load)
    exponential, _ = mmc_wait_and_slope(np.full(6, float(servers)), load)
    share = exact / exponential
    assert (np.diff(share) < 0).all()
    assert share[0] < servers / (servers + 1)
    assert share[-1] == pytest.approx(0.5, abs=5e-3)


def test_blocks_of_roots_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    servers = np.array([3, 50, 1, 20, 7, 7, 120, 2])
    load = servers * 0.93
    whole = mdc_wait_and_slope(servers, load)
    monkeypatch.setattr(deterministic, "_ROOTS_PER_BLOCK", 8)
    np.testing.assert_array_equal(mdc_wait_and_slope(servers, load), whole)


def test_no_elements_and_no_load() -> None:
    wait, slope = mdc_wait_and_slope(np.zeros(0, dtype=np.int64), np.zeros(0))
    assert wait.shape == slope.shape == (0,)
    wait, slope = mdc_wait_and_slope(np.array([2, 9]), np.array([0.0, 0.0]))
    np.testing.assert_array_equal([wait, slope], np.zeros((2, 2)))

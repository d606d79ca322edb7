"""Distributions of the wait against exact Markov chains, embedded chains and closed forms."""

from functools import cache

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.linalg import expm_multiply, spsolve
from scipy.stats import poisson

from corridor.core.queues import erlang_c, mean_wait, wait_quantile, wait_tail
from corridor.core.queues._inputs import FloatArray
from corridor.core.queues.deterministic import mdc_waiting
from corridor.core.queues.deterministic_tail import ConstantServiceTail
from corridor.errors import InputError


def test_exponential_service_is_the_closed_form() -> None:
    time = np.array([0.0, 0.3, 1.0, 4.0])
    rate = (3 - 2.4) / 0.5
    expected = erlang_c(3, 2.4) * np.exp(-rate * time)
    np.testing.assert_allclose(wait_tail(time, 4.8, 0.5, 3), expected, rtol=1e-13)
    share = np.array([0.0, 0.2, 0.5, 0.9, 0.999])
    depth = np.log(erlang_c(3, 2.4) / (1 - share)) / rate
    found = wait_quantile(share, 4.8, 0.5, 3)
    np.testing.assert_allclose(found, np.maximum(depth, 0.0), rtol=1e-13)


def queue_by_chain(servers: int, load: float, n_states: int = 500) -> tuple[FloatArray, float]:
    """P(X > j) and P(N >= c) of N' = (N - c)^+ + Poisson(a), by a dense linear system."""
    left = np.maximum(np.arange(n_states) - servers, 0)
    step = np.arange(n_states)[None, :] - left[:, None]
    transition = poisson.pmf(step, load)
    transition[:, -1] += poisson.sf(n_states - 1 - left, load)
    system = transition.T - np.eye(n_states)
    system[0] = 1.0
    number = np.linalg.solve(system, np.eye(n_states)[0])
    queue = np.bincount(left, number, n_states)
    return 1.0 - np.cumsum(queue), float(number[servers:].sum())


@pytest.mark.parametrize("servers", [1, 2, 5, 13, 40])
@pytest.mark.parametrize("rho", [0.05, 0.5, 0.8, 0.93])
def test_constant_service_equals_the_embedded_chain(servers: int, rho: float) -> None:
    load = servers * rho
    tail, waits = queue_by_chain(servers, load)
    exact = ConstantServiceTail.of(servers, load)
    assert exact.wait_probability == pytest.approx(waits, abs=1e-12)
    near = exact.queue_tail.size
    np.testing.assert_allclose(exact.queue_tail[:300], tail[: min(near, 300)], atol=2e-13)
    far = np.arange(near, 300)
    by_pole = np.exp(exact.log_factor - exact.log_pole * far)
    np.testing.assert_allclose(by_pole, tail[near:300], atol=2e-13)


@pytest.mark.parametrize(("servers", "rho"), [(1, 0.7), (2, 0.9), (5, 0.8), (20, 0.6), (100, 0.97)])
def test_constant_service_tail_begins_ends_and_integrates_as_it_must(
    servers: int, rho: float
) -> None:
    load = servers * rho
    exact = ConstantServiceTail.of(servers, load)
    x = np.linspace(0.0, 6.0 + 36.0 / (servers * exact.log_pole), 20_001)
    tail = exact.tail(x)
    assert tail[0] == pytest.approx(
        mdc_waiting(np.array([servers]), np.array([load]))[0], abs=1e-13
    )
    assert (np.diff(tail) <= 1e-15).all()
    assert tail[-1] < 1e-15
    by_area = np.trapezoid(tail, x)
    assert by_area == pytest.approx(float(mean_wait(load, 1.0, servers, 1.0, 0.0)), rel=2e-6)
    for survival in (0.3, 0.01, 1e-6):
        if survival < exact.wait_probability:
            quantile = exact.quantile(np.array([survival]))
            assert exact.tail(quantile)[0] == pytest.approx(survival, rel=1e-9)


def test_one_server_with_constant_service_is_the_classic_sum() -> None:
    # P(W <= x) = (1 - a) sum_{j <= x} (a (j - x))^j / j! exp(-a (j - x))
    load, x = 0.6, np.array([0.0, 0.4, 1.0, 1.7, 3.2])
    j = np.arange(4)
    factorial = np.array([1.0, 1.0, 2.0, 6.0])
    shift = load * (j - x[:, None])
    terms = np.where(j <= x[:, None], shift**j / factorial * np.exp(-shift), 0.0)
    expected = 1.0 - (1.0 - load) * terms.sum(axis=1)
    np.testing.assert_allclose(wait_tail(x, load, 1.0, 1, service_scv=0.0), expected, atol=1e-14)


@pytest.mark.parametrize(
    ("servers", "rho"), [(1, 0.9999), (5, 0.9999), (1000, 0.99), (5000, 0.9999)]
)
def test_constant_service_is_stable_near_saturation_and_for_thousands(
    servers: int, rho: float
) -> None:
    exact = ConstantServiceTail.of(servers, servers * rho)
    no_wait = exact.tail(np.zeros(1))[0]
    assert no_wait == pytest.approx(exact.wait_probability, abs=2e-10)
    exponential = float(erlang_c(servers, servers * rho))
    assert exponential - 0.1 < exact.wait_probability <= exponential


@cache
def two_phases(service: str, servers: int, rho: float, scv: float) -> tuple[FloatArray, FloatArray]:
    """Return times (in services) and exact P(W > t) of M/E2/c or M/H2/c (balanced means).

    The chain of (number in the system, services in the second phase) is solved; an arrival then
    waits until fewer than c of those before it are left, so the same chain runs without arrivals.
    """
    fast = 1.0 if service == "E2" else (1 + np.sqrt((scv - 1) / (scv + 1))) / 2
    first = (fast, 1 - fast)
    rate = (2.0, 2.0) if service == "E2" else (2 * fast, 2 * (1 - fast))
    top = servers + int(28 * max(scv, 1) / (1 - rho))
    state = [(n, j) for n in range(top + 1) for j in range(min(n, servers) + 1)]
    position = {key: i for i, key in enumerate(state)}
    arrivals: list[tuple[int, int, float]] = []
    services: list[tuple[int, int, float]] = []
    for i, (n, j) in enumerate(state):
        if n < top:
            starts = first if n < servers else (1.0, 0.0)
            arrivals += [
                (i, position[n + 1, j + phase], servers * rho * starts[phase])
                for phase in (0, 1)
                if starts[phase] > 0
            ]
        busy = (min(n, servers) - j, j)
        if service == "E2" and busy[0]:
            services.append((i, position[n, j + 1], busy[0] * rate[0]))
        for phase in (1,) if service == "E2" else (0, 1):
            next_starts = first if n > servers else (1.0, 0.0)
            for following in (0, 1):
                if busy[phase] and next_starts[following] > 0:
                    target = position[n - 1, j - phase + following]
                    services.append((i, target, busy[phase] * rate[phase] * next_starts[following]))

    def generator(moves: list[tuple[int, int, float]]) -> coo_array:
        source, target, speed = (np.array(column) for column in zip(*moves, strict=True))
        rows, columns = np.concatenate([target, source]), np.concatenate([source, source])
        shape = (len(state), len(state))
        return coo_array((np.concatenate([speed, -speed]), (rows, columns)), shape=shape)

    balance = generator(arrivals + services).tolil()
    balance[0, :] = np.ones(len(state))
    equilibrium = spsolve(balance.tocsc(), np.eye(len(state))[0])
    time = np.linspace(0.0, 4 * (1 + scv) / (servers * (1 - rho)), 81)
    ahead = expm_multiply(
        generator(services).tocsc(), equilibrium, start=0.0, stop=time[-1], num=time.size
    )
    waits = np.array([n >= servers for n, _ in state])
    return time, ahead[:, waits].sum(axis=1)


def test_the_chain_itself_meets_erlang() -> None:
    time, tail = two_phases("H2", 2, 0.8, 1.0)
    np.testing.assert_allclose(tail, wait_tail(time, 1.6, 1.0, 2), atol=1e-7)


CASES = [(1, 0.7), (2, 0.5), (2, 0.9), (5, 0.5), (5, 0.8), (10, 0.8)]


@pytest.mark.parametrize(("servers", "rho"), CASES)
def test_less_variable_service_is_as_accurate_as_documented(servers: int, rho: float) -> None:
    time, exact = two_phases("E2", servers, rho, 0.5)
    found = wait_tail(time, servers * rho, 1.0, servers, service_scv=0.5)
    assert found[0] == pytest.approx(exact[0], rel=0.002)
    np.testing.assert_allclose(found, exact, atol=0.005)
    for share in (0.9, 0.95, 0.99):
        if 1 - share < 0.9 * exact[0]:
            quantile = np.interp(-np.log(1 - share), -np.log(exact), time)
            by_us = wait_quantile(share, servers * rho, 1.0, servers, service_scv=0.5)
            assert by_us == pytest.approx(quantile, rel=0.02)


@pytest.mark.parametrize(("servers", "rho"), [(1, 0.7), (2, 0.9), (5, 0.8)])
@pytest.mark.parametrize(("scv", "most", "short"), [(2.0, 0.04, 0.10), (4.0, 0.08, 0.17)])
def test_more_variable_service_is_as_accurate_as_documented(
    servers: int, rho: float, scv: float, most: float, short: float
) -> None:
    time, exact = two_phases("H2", servers, rho, scv)
    found = wait_tail(time, servers * rho, 1.0, servers, service_scv=scv)
    assert found[0] == pytest.approx(exact[0], rel=0.01)
    np.testing.assert_allclose(found, exact, atol=most)
    quantile = np.interp(-np.log(0.01), -np.log(exact), time)
    by_us = wait_quantile(0.99, servers * rho, 1.0, servers, service_scv=scv)
    assert 1 - short < by_us / quantile < 1.0


@pytest.mark.parametrize("arrival_scv", [0.4, 1.0, 2.0])
@pytest.mark.parametrize("service_scv", [0.0, 0.3, 0.9, 1.0, 2.5])
def test_tail_and_quantile_are_inverse_and_keep_the_mean(
    arrival_scv: float, service_scv: float
) -> None:
    queue = (2.0, 1.5, 4, arrival_scv, service_scv)
    share = np.array([0.7, 0.9, 0.99, 0.9999])
    quantile = wait_quantile(share, *queue)
    late = quantile > 0
    np.testing.assert_allclose(wait_tail(quantile[late], *queue), 1 - share[late], rtol=1e-7)
    assert late.sum() >= 2
    time = 60.0 * np.linspace(0.0, 1.0, 1001) ** 3
    by_area = np.trapezoid(wait_tail(time, *queue), time)
    assert by_area == pytest.approx(float(mean_wait(*queue)), rel=1e-4)


def test_overload_no_arrivals_and_no_service() -> None:
    for service_scv in (0.0, 0.5, 1.0, 2.0):
        np.testing.assert_array_equal(
            wait_tail([[0.0], [9.0]], [0.0, 1.0, 2.0, 5.0], 1.0, 2, 1.0, service_scv)[:, [0, 2, 3]],
            [[0.0, 1.0, 1.0]] * 2,
        )
        np.testing.assert_array_equal(
            wait_quantile(0.5, [0.0, 2.0, 5.0], 1.0, 2, 1.0, service_scv), [0.0, np.inf, np.inf]
        )
        assert wait_tail(0.0, 1.0, 0.0, 2, 1.0, service_scv) == 0.0
    # Clockwork arrivals at clockwork service never meet.
    assert wait_tail(0.0, 0.9, 1.0, 1, 0.0, 0.0) == 0.0


def test_vanishing_loads_raise_no_warning() -> None:
    rate = np.array([5e-324, 1e-301, 1e-200, 1e-12])
    for service_scv in (0.0, 0.5, 1.0, 3.0):
        tail = wait_tail(0.5, rate, 1.0, 3, 1.0, service_scv)
        assert (tail <= 1e-12).all()
        np.testing.assert_array_equal(wait_quantile(0.99, rate, 1.0, 3, 1.0, service_scv), 0.0)


@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf])
def test_wrong_times_and_shares_are_refused(value: float) -> None:
    with pytest.raises(InputError, match="time must be finite and >= 0; found"):
        wait_tail(value, 1.0, 0.5, 1)
    with pytest.raises(InputError, match="probability must be finite and >= 0; found"):
        wait_quantile(value, 1.0, 0.5, 1)
    with pytest.raises(InputError, match="probability must be below 1; found 1 at position 1"):
        wait_quantile([0.5, 1.0], 1.0, 0.5, 1)
    with pytest.raises(InputError, match="servers must be whole"):
        wait_tail(1.0, 1.0, 0.5, 1.5, 1.0, 0.5)

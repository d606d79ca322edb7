"""Batch queues against brute-force chains, closed forms and single arrivals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.core.queues import batch_queue, erlang_c, fit_batch_sizes, mean_wait
from corridor.core.queues._inputs import FloatArray
from corridor.errors import InputError


def of_size(size: int) -> FloatArray:
    return np.eye(size)[-1]


def test_single_vehicles_are_erlang() -> None:
    rate, servers = [0.5, 2.0, 3.9, 18.0], [1, 3, 4, 20]
    found = batch_queue(rate, 1.0, servers, [1.0])
    np.testing.assert_allclose(found.wait, mean_wait(rate, 1.0, servers), rtol=1e-12)
    np.testing.assert_allclose(found.wait_probability, erlang_c(servers, rate), rtol=1e-12)


@pytest.mark.parametrize("size", [1, 2, 10, 60])
@pytest.mark.parametrize("rho", [0.1, 0.7, 0.99])
def test_equal_batches_at_one_server_are_the_closed_form(size: int, rho: float) -> None:
    found = batch_queue(rho / size, 1.0, 1, of_size(size))
    number = rho * (size + 1) / (2 * (1 - rho))
    assert found.mean_queue + rho == pytest.approx(number, rel=1e-12)


@pytest.mark.parametrize("scv", [0.0, 0.4, 1.0, 3.0])
def test_general_service_at_one_server_is_the_formula(scv: float) -> None:
    share, service, rate = np.array([0.2, 0.0, 0.5, 0.3]), 0.25, 0.9
    size = np.arange(1, 5)
    first, second = share @ size, share @ size**2
    rho = rate * first * service
    expected = rate * first * service**2 * (1 + scv) / (2 * (1 - rho))
    expected += service * (second / first - 1) / (2 * (1 - rho))
    found = batch_queue(rate, service, 1, share, scv)
    assert found.wait == pytest.approx(expected, rel=1e-12)
    assert found.mean_queue == pytest.approx(rate * first * expected, rel=1e-12)


def chain_of(rate: float, servers: int, share: FloatArray, n_states: int) -> FloatArray:
    """Return the equilibrium of the truncated chain by a dense linear system."""
    generator = np.zeros((n_states, n_states))
    for n in range(n_states):
        for size, part in enumerate(share, start=1):
            generator[n, min(n + size, n_states - 1)] += rate * part
        if n:
            generator[n, n - 1] += min(n, servers)
    generator -= np.diag(generator.sum(axis=1))
    system = generator.T.copy()
    system[0] = 1.0
    return np.linalg.solve(system, np.eye(n_states)[0])


@pytest.mark.parametrize(
    ("servers", "n_sizes", "rho"), [(1, 10, 0.7), (3, 5, 0.8), (5, 20, 0.6), (10, 4, 0.9)]
)
def test_exponential_service_equals_the_chain(servers: int, n_sizes: int, rho: float) -> None:
    share = np.random.default_rng(n_sizes).dirichlet(np.ones(n_sizes))
    size = np.arange(1, n_sizes + 1)
    rate = rho * servers / (share @ size)
    state = chain_of(rate, servers, share, 1200)
    before = np.arange(1200)
    found = batch_queue(rate, 1.0, servers, share)
    queue = state @ np.maximum(before - servers, 0)
    assert found.mean_queue == pytest.approx(queue, rel=1e-10)
    assert found.wait == pytest.approx(queue / (rho * servers), rel=1e-10)
    # A vehicle at place j of its batch waits if n + j > c.
    place = np.array([share[j:].sum() for j in range(n_sizes)]) / (share @ size)
    waits = sum(
        place[j] * state[max(servers - j, 0) :].sum() if servers > j else place[j]
        for j in range(n_sizes)
    )
    assert found.wait_probability == pytest.approx(waits, rel=1e-10)


def queue_with_constant_service(rate: float, servers: int, size: int, n_states: int) -> float:
    """E[(N - c)^+] of N' = (N - c)^+ + size x Poisson(rate)."""
    came = np.zeros(n_states)
    n_batches = np.arange((n_states - 1) // size + 1)
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(n_batches[1:]))])
    came[::size] = np.exp(n_batches * np.log(rate) - rate - log_factorial)
    transition = np.zeros((n_states, n_states))
    for n in range(n_states):
        left = max(n - servers, 0)
        transition[n, left:] = came[: n_states - left]
        transition[n, -1] += 1 - transition[n].sum()
    system = transition.T - np.eye(n_states)
    system[0] = 1.0
    state = np.linalg.solve(system, np.eye(n_states)[0])
    return float(state @ np.maximum(np.arange(n_states) - servers, 0))


@pytest.mark.parametrize("servers", [2, 5, 10])
@pytest.mark.parametrize("size", [2, 5, 20])
@pytest.mark.parametrize("rho", [0.3, 0.6, 0.9])
def test_constant_service_is_as_accurate_as_documented(servers: int, size: int, rho: float) -> None:
    rate = rho * servers / size
    exact = queue_with_constant_service(rate, servers, size, 900) / (rho * servers)
    found = batch_queue(rate, 1.0, servers, of_size(size), 0.0).wait
    relative = 0.02 if rho == 0.9 else 0.07 if size >= 2 * servers else 0.0
    assert found == pytest.approx(exact, rel=relative, abs=0.0 if relative else 0.05)


def test_arrays_broadcast_and_queues_do_not_disturb_each_other() -> None:
    share = np.array([[0.5, 0.5, 0.0], [0.0, 0.2, 0.8]])
    rate, servers = np.array([[0.1], [0.9], [40.0]]), np.array([[2], [8], [200]])
    found = batch_queue(rate, 0.8, servers, share)
    assert found.wait.shape == (3, 2)
    for row in range(3):
        for column in range(2):
            one = batch_queue(rate[row, 0], 0.8, servers[row, 0], share[column])
            assert found.wait[row, column] == pytest.approx(one.wait, rel=1e-12)
            assert found.wait_probability[row, column] == pytest.approx(
                one.wait_probability, rel=1e-12
            )


def test_thousands_of_servers_do_not_overflow() -> None:
    found = batch_queue(2_000.0, 1.0, 5_000, [0.0, 1.0])
    assert 0.0 <= found.wait < 1e-6
    crowded = batch_queue(2_480.0, 1.0, 5_000, [0.0, 1.0])
    assert crowded.wait > mean_wait(4_960.0, 1.0, 5_000)


def test_overload_no_arrivals_and_no_service() -> None:
    found = batch_queue([0.0, 1.0, 1.5], 1.0, 2, [0.0, 0.0, 1.0])
    # Three vehicles at two idle servers: the third waits for the first of two to end.
    np.testing.assert_allclose(found.wait, [1 / 6, np.inf, np.inf], rtol=1e-12)
    np.testing.assert_array_equal(found.mean_queue, [0.0, np.inf, np.inf])
    np.testing.assert_allclose(found.wait_probability, [1 / 3, 1.0, 1.0], rtol=1e-12)
    assert batch_queue(1.0, 0.0, 1, [1.0]).wait == 0.0


@settings(deadline=None, max_examples=50)
@given(
    st.integers(1, 30),
    st.floats(0.05, 0.97),
    st.lists(st.floats(0.01, 1.0), min_size=1, max_size=12),
    st.floats(0.0, 2.0),
)
def test_more_servers_never_wait_longer_and_the_unit_of_time_is_free(
    servers: int, rho: float, weights: list[float], scv: float
) -> None:
    share = np.array(weights) / sum(weights)
    rate = rho * servers / (share @ np.arange(1, share.size + 1))
    found = batch_queue(rate, 1.0, servers, share, scv)
    assert batch_queue(rate, 1.0, servers + 1, share, scv).wait <= found.wait * (1 + 1e-9) + 1e-12
    scaled = batch_queue(rate / 60, 60.0, servers, share, scv)
    assert scaled.wait == pytest.approx(60 * found.wait, rel=1e-7, abs=1e-10)
    assert found.wait >= mean_wait(rho * servers, 1.0, servers, 1.0, scv) * (1 - 1e-9) - 1e-13


@pytest.mark.parametrize(
    ("mean", "scv"),
    [
        (1, 0),
        (1.01, 0.05),
        (1.5, 1 / 9),
        (2, 0.25),
        (3, 4.0),
        (5, 0),
        (5.3, 0.02),
        (6.5, 0.1),
        (6.5, 22 / 169),  # Poisson
        (6.5, 0.13),
        (8, 1.5),
        (30, 0.05),
        (50, 0.5),
        (60, 0.01),
    ],
)
def test_fitted_sizes_have_the_moments(mean: float, scv: float) -> None:
    share = fit_batch_sizes(mean, scv)
    size = np.arange(1, share.size + 1)
    assert (share >= 0).all()
    assert share.sum() == pytest.approx(1.0, abs=1e-14)
    assert share @ size == pytest.approx(mean, rel=1e-10)
    assert share @ size**2 / mean**2 - 1 == pytest.approx(scv, abs=1e-9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_rate": -1.0}, "batch_rate must be finite and >= 0; found -1"),
        ({"service_time": np.nan}, "service_time must be finite and >= 0; found nan"),
        ({"servers": 0}, "servers must be whole numbers >= 1; found 0"),
        ({"servers": 1.5}, "servers must be whole numbers >= 1; found 1.5"),
        ({"size_share": [0.5, 0.4]}, "size_share must sum to 1 over the sizes; found 0.9"),
        ({"size_share": [1.5, -0.5]}, "size_share must be finite and >= 0; found -0.5"),
        ({"size_share": [0.0, 2.0]}, "size_share must lie in 0..1; found 2 at position 1"),
        ({"service_scv": np.inf}, "service_scv must be finite"),
        ({"batch_rate": [0.1, 0.2], "servers": [1, 2, 3]}, "broadcast to one shape"),
    ],
)
def test_wrong_input_is_refused(changes: dict[str, object], message: str) -> None:
    values: dict[str, object] = {
        "batch_rate": 0.1,
        "service_time": 1.0,
        "servers": 1,
        "size_share": [1.0],
    }
    with pytest.raises(InputError, match=message):
        batch_queue(**{**values, **changes})  # type: ignore[arg-type]


def test_impossible_moments_are_refused() -> None:
    with pytest.raises(InputError, match=r"mean must be at least one vehicle a batch; found 0\.5"):
        fit_batch_sizes(0.5, 1.0)
    with pytest.raises(InputError, match=r"scv must be at least 0\.111111 for a mean of 1\.5"):
        fit_batch_sizes(1.5, 0.05)
    with pytest.raises(InputError, match="scv must be finite and >= 0; found nan"):
        fit_batch_sizes(2.0, np.nan)

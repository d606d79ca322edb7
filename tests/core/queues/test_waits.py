import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve

from corridor.core.queues import erlang_c, mean_wait, wait_and_slope
from corridor.errors import InputError

LOADS = (0.3, 0.5, 0.7, 0.9)


@pytest.mark.parametrize("scv", [0.0, 0.25, 1.0, 3.0])
@pytest.mark.parametrize("rate", [0.0, 0.1, 1.0, 1.9])
def test_one_server_is_pollaczek_khinchine(scv: float, rate: float) -> None:
    service = 0.5
    rho = rate * service
    expected = rho * service * (1 + scv) / (2 * (1 - rho))
    assert mean_wait(rate, service, 1, 1.0, scv) == pytest.approx(expected, rel=1e-14)


def test_three_servers_by_hand() -> None:
    # a = 2: C = 4/9 and Lq = C rho / (1 - rho) = 8/9, so Wq = (8/9) / 4 per hour.
    assert mean_wait(4.0, 0.5, 3) == pytest.approx(2 / 9, rel=1e-14)


@pytest.mark.parametrize(
    ("servers", "load", "expected"),
    [(1, 0.8, 2.0), (2, 1.6, 0.903284), (5, 4.0, 0.289060), (10, 9.0, 0.344582)],
)
def test_constant_service_known_values(servers: int, load: float, expected: float) -> None:
    assert mean_wait(load, 1.0, servers, 1.0, 0.0) == pytest.approx(expected, abs=5e-7)


def test_general_service_is_the_stated_interpolation() -> None:
    constant = mean_wait(4.0, 1.0, 5, 1.0, 0.0)
    exponential = mean_wait(4.0, 1.0, 5)
    for scv in (0.3, 2.0):
        expected = scv * exponential + (1 - scv) * constant
        assert mean_wait(4.0, 1.0, 5, 1.0, scv) == pytest.approx(expected, rel=1e-14)


def test_other_arrivals_scale_the_exponential_wait() -> None:
    base = erlang_c(3, 2.4) / (3 - 2.4)
    wait = mean_wait(2.4, 1.0, 3, [0.0, 0.5, 2.0], [0.0, 0.5, 1.0])
    np.testing.assert_allclose(wait, base * np.array([0.0, 0.5, 1.5]), rtol=1e-14)


def test_overload_is_infinite_and_no_arrivals_wait_not() -> None:
    wait, slope = wait_and_slope([0.0, 1.9, 2.0, 5.0], 1.0, 2, 1.0, 0.5)
    np.testing.assert_array_equal(np.isinf(wait), [False, False, True, True])
    np.testing.assert_array_equal(np.isinf(slope), [False, False, True, True])
    assert wait[0] == slope[0] == 0.0
    assert mean_wait(1.0, 0.0, 1) == 0.0
    assert mean_wait(1.0, 1.0, 1, 0.0, 0.0) == np.inf  # D/D/1 too: rho >= 1 is overload


@pytest.mark.parametrize("servers", [1, 2, 6, 25])
@pytest.mark.parametrize(("arrival_scv", "service_scv"), [(1, 1), (1, 0), (1, 0.4), (1, 3), (2, 0)])
def test_slope_matches_central_differences(
    servers: int, arrival_scv: float, service_scv: float
) -> None:
    time = 0.25
    rate = servers / time * np.array([0.3, 0.6, 0.85, 0.97])
    step = 1e-6 * (servers / time - rate)
    _, slope = wait_and_slope(rate, time, servers, arrival_scv, service_scv)
    above = mean_wait(rate + step, time, servers, arrival_scv, service_scv)
    below = mean_wait(rate - step, time, servers, arrival_scv, service_scv)
    numeric = (above - below) / (2 * step)
    np.testing.assert_allclose(slope, numeric, rtol=1e-6, atol=1e-9 * slope.max())


def test_vanishing_loads_raise_no_warning() -> None:
    rate = np.array([0.0, 5e-324, 1e-313, 1e-301, 1e-299, 1e-150])
    for servers, first in ((1, [1.0, 0.5]), (3, [0.0, 0.0])):
        for service_scv, expected in zip((1.0, 0.0), first, strict=True):
            wait, slope = wait_and_slope(rate, 1.0, servers, 1.0, service_scv)
            np.testing.assert_allclose(wait, expected * rate, rtol=1e-12, atol=1e-320)
            np.testing.assert_allclose(slope, expected, rtol=1e-12, atol=1e-140)


def test_the_unit_of_time_is_free() -> None:
    hours = mean_wait(3.0, 0.5, 2, 1.0, 0.3)
    minutes = mean_wait(3.0 / 60, 30.0, 2, 1.0, 0.3)
    assert minutes == pytest.approx(60 * hours, rel=1e-13)


def test_split_servers_only_without_constant_service() -> None:
    low, middle, high = mean_wait(1.5, 1.0, [2, 2.5, 3])
    assert low > middle > high
    assert mean_wait(1.5, 1.0, 2.5, 0.5, 0.5) == pytest.approx(middle / 2)
    with pytest.raises(InputError, match=r"servers must be whole .* found 2.5 at position 1"):
        mean_wait(1.5, 1.0, [2, 2.5], 1.0, 0.5)


@pytest.mark.parametrize(
    ("name", "position"),
    [("arrival_rate", 0), ("service_time", 1), ("arrival_scv", 3), ("service_scv", 4)],
)
@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_wrong_input_is_refused(name: str, position: int, value: float) -> None:
    arguments = [1.0, 0.5, 2.0, 1.0, 1.0]
    arguments[position] = value
    with pytest.raises(InputError, match=f"{name} must be finite and >= 0; found"):
        mean_wait(*arguments)


def wait_with_two_phase_service(servers: int, rho: float, scv: float) -> float:
    """Exact M/H2/c (balanced means, mean service time 1) from its truncated Markov chain.

    A state is (number in the system, number of slow-phase services among those being served).
    """
    fast = (1 + np.sqrt((scv - 1) / (scv + 1))) / 2
    probability, rate = (fast, 1 - fast), (2 * fast, 2 * (1 - fast))
    arrival = servers * rho
    top = servers + int(25 * scv / (1 - rho))
    states = {(n, j): i for i, (n, j) in enumerate(_states(servers, top))}
    moves: list[tuple[int, int, float]] = []
    for (n, j), i in states.items():
        busy = min(n, servers)
        served = ((busy - j) * rate[0], j * rate[1])
        if n < top:
            for phase in (0, 1) if n < servers else (0,):
                share = probability[phase] if n < servers else 1.0
                moves.append((i, states[n + 1, j + phase], arrival * share))
        for phase in (0, 1):
            if served[phase] == 0.0:
                continue
            if n <= servers:
                moves.append((i, states[n - 1, j - phase], served[phase]))
                continue
            for following in (0, 1):
                target = states[n - 1, j - phase + following]
                moves.append((i, target, served[phase] * probability[following]))
    source, target, speed = (np.array(column) for column in zip(*moves, strict=True))
    size = len(states)
    flow = coo_array((speed, (target, source)), shape=(size, size))
    out = coo_array((-speed, (source, source)), shape=(size, size))
    balance = (flow + out).tolil()
    balance[0, :] = np.ones(size)
    right = np.zeros(size)
    right[0] = 1.0
    probabilities = spsolve(balance.tocsc(), right)
    waiting = np.array([max(n - servers, 0) for n, _ in states])
    return float(probabilities @ waiting) / arrival


def _states(servers: int, top: int) -> list[tuple[int, int]]:
    return [(n, j) for n in range(top + 1) for j in range(min(n, servers) + 1)]


def test_the_two_phase_oracle_itself_meets_pollaczek_khinchine() -> None:
    assert wait_with_two_phase_service(1, 0.7, 2.0) == pytest.approx(0.7 * 1.5 / 0.3, rel=1e-6)


@pytest.mark.parametrize("servers", [2, 3, 5])
@pytest.mark.parametrize(("scv", "light", "heavy"), [(2.0, 0.11, 0.02), (4.0, 0.31, 0.04)])
def test_extrapolation_above_exponential_service_errs_as_documented(
    servers: int, scv: float, light: float, heavy: float
) -> None:
    error = [
        mean_wait(servers * rho, 1.0, servers, 1.0, scv)
        / wait_with_two_phase_service(servers, rho, scv)
        - 1
        for rho in LOADS
    ]
    assert min(error) > 0.0
    assert max(error) == error[0] < light
    assert error[-1] < heavy

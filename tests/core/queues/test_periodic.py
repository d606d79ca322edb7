"""Periodic queues against Erlang, dense chains, operating time, simulations and known tables."""

import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from corridor.core.queues import (
    OperatingHours,
    QueueProfile,
    erlang_c,
    mean_wait,
    periodic_queue,
)
from corridor.core.queues._inputs import FloatArray
from corridor.errors import InputError

HOUR = np.arange(24)
SWING = 1 + 0.5 * np.sin(2 * np.pi * HOUR / 24)
OPEN = ((HOUR >= 8) & (HOUR < 20)).astype(int)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.5), (5, 4.0), (9, 8.5), (40, 36.0), (3, 2.97)])
def test_constant_rates_reproduce_erlang(servers: int, load: float) -> None:
    day = periodic_queue(np.full(3, 4 * load), 0.25, servers, [1.0, 7.0, 0.5])
    wait = float(mean_wait(4 * load, 0.25, servers))
    assert day.method == "exact"
    np.testing.assert_allclose(day.mean_wait, wait, rtol=1e-10)
    np.testing.assert_allclose(day.mean_queue, 4 * load * wait, rtol=1e-10)
    np.testing.assert_allclose(day.wait_probability, erlang_c(servers, load), rtol=1e-10)
    np.testing.assert_allclose(day.utilization, load / servers, rtol=1e-12)
    np.testing.assert_allclose(day.number_at_start, load + 4 * load * wait, rtol=1e-10)


@pytest.mark.parametrize(
    ("service_time", "servers", "exact", "psa", "mol", "flat"),
    [(0.5, 9, 0.515, 0.596, 0.575, 0.101), (4.0, 66, 0.0441, 0.5045, 0.0519, 0.0002)],
)
def test_a_daily_swing_gives_the_known_table(
    service_time: float, servers: int, exact: float, psa: float, mol: float, flat: float
) -> None:
    rate = 10 * SWING
    assert periodic_queue(rate, service_time, servers).average_queue == pytest.approx(
        exact, abs=6e-4 if exact > 0.1 else 6e-5
    )
    fast = periodic_queue(rate, service_time, servers, method="psa")
    assert fast.average_queue == pytest.approx(psa, abs=6e-4)
    # The table takes the modified load at another moment of the hour.
    fast = periodic_queue(rate, service_time, servers, method="mol")
    assert fast.average_queue == pytest.approx(mol, rel=0.02)
    even = periodic_queue(np.full(24, 10.0), service_time, servers).average_queue
    assert even == pytest.approx(flat, abs=6e-4 if flat > 0.01 else 6e-5)


def generator(rate: float, servers: int, service_rate: float, n_states: int) -> FloatArray:
    n = np.arange(n_states)
    up = np.where(n < n_states - 1, rate, 0.0)
    down = np.minimum(n, servers) * service_rate
    return np.diag(up[:-1], 1) + np.diag(down[1:], -1) - np.diag(up + down)


def tagged(servers: int, service_rate: float, n_states: int) -> FloatArray:
    """Return the generator of the number before a vehicle, until it is served itself."""
    n = np.arange(n_states)
    down = np.minimum(n, servers) * service_rate
    own = np.where(n < servers, service_rate, 0.0)
    return np.diag(down[1:], -1) - np.diag(down + own)


def dense(
    rate: FloatArray, service_time: float, servers: FloatArray, n_states: int, start: int | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean queue, mean wait and P(wait) of unit slots by matrix exponentials and dense solves.

    The wait of an arrival is summed over three hundred moments of its slot (Gauss), each carried
    through all later slots as the distribution of the number before it.
    """
    mu, n = 1 / service_time, np.arange(n_states)
    slots = list(zip(rate.tolist(), servers.astype(int).tolist(), strict=True))
    day = np.linalg.multi_dot([expm(generator(r, c, mu, n_states)) for r, c in slots])
    system = day.T - np.eye(n_states)
    system[0] = 1.0
    state = np.linalg.solve(system, np.eye(n_states)[0])
    if start is not None:
        state = np.eye(n_states)[start]
    # Wait still to come at the start of each slot: w = D w' + integral, and periodic.
    steps, gains = [], []
    for _, c in slots:
        waits = (n >= c).astype(float)
        block = np.zeros((n_states + 1, n_states + 1))
        block[:-1, :-1], block[:-1, -1] = tagged(c, mu, n_states), waits
        power = expm(block)
        steps.append(power[:-1, :-1])
        gains.append(power[:-1, -1])
    total, gain = np.eye(n_states), np.zeros(n_states)
    for step, extra in zip(reversed(steps), reversed(gains), strict=True):
        total, gain = step @ total, extra + step @ gain
    after = np.linalg.solve(np.eye(n_states) - total, gain)
    to_come = [after]
    for step, extra in zip(reversed(steps[1:]), reversed(gains[1:]), strict=True):
        to_come.insert(0, extra + step @ to_come[0])
    node, weight = np.polynomial.legendre.leggauss(12)
    queue, wait, late = [], [], []
    for slot, (r, c) in enumerate(slots):
        waits = (n >= c).astype(float)
        block = np.zeros((n_states + 1, n_states + 1))
        block[:-1, :-1], block[:-1, -1] = tagged(c, mu, n_states), waits
        values = np.zeros(3)
        for x, part in zip((node + 1) / 2, weight / 2, strict=True):
            now = state @ expm(generator(r, c, mu, n_states) * x)
            rest = expm(block * (1 - x))
            ahead = rest[:-1, :-1] @ to_come[slot] + rest[:-1, -1]
            values += part * np.array([now @ np.maximum(n - c, 0), now @ ahead, now @ waits])
        for column, value in zip((queue, wait, late), values.tolist(), strict=True):
            column.append(value)
        state = state @ expm(generator(r, c, mu, n_states))
    return np.array(queue), np.array(wait), np.array(late)


@pytest.mark.parametrize("start", [None, 0, 4])
def test_every_slot_equals_dense_matrices(start: int | None) -> None:
    rate = np.array([0.5, 2.6, 1.0, 0.0, 1.5])
    servers = np.array([1, 2, 3, 0, 2])
    day = periodic_queue(rate, 0.8, servers, start=start, tolerance=1e-13)
    queue, wait, late = dense(rate, 0.8, servers, 70, start)
    np.testing.assert_allclose(day.mean_queue, queue, rtol=1e-9)
    np.testing.assert_allclose(day.mean_wait, wait, rtol=1e-9)
    np.testing.assert_allclose(day.wait_probability, late, rtol=1e-9)


def assert_laws_hold(day: QueueProfile, rate: FloatArray, servers: FloatArray, time: float) -> None:
    """Little's law, and as many services as arrivals (unit slots)."""
    assert (day.mean_wait * rate).sum() == pytest.approx(day.mean_queue.sum(), rel=1e-9)
    assert (day.utilization * servers).sum() / time == pytest.approx(rate.sum(), rel=1e-9)
    assert day.average_wait * rate.mean() == pytest.approx(day.average_queue, rel=1e-9)


def test_laws_hold_through_overload_closures_and_changing_crews() -> None:
    rate = 11.6 * SWING
    day = periodic_queue(rate, 0.5, 6)  # 97 % on average, 145 % at the peak
    assert_laws_hold(day, rate, np.full(24, 6), 0.5)
    assert day.average_queue > 2 * periodic_queue(rate, 0.5, 6, method="fluid").average_queue
    closed = periodic_queue(0.7 * SWING, 0.5, OPEN)
    assert_laws_hold(closed, 0.7 * SWING, OPEN, 0.5)
    assert closed.mean_wait[2] > 6.0
    np.testing.assert_allclose(closed.wait_probability[:8], 1.0, rtol=1e-14)
    week = np.tile(np.where(OPEN > 0, [[3]] * 5 + [[1]] + [[0]], 0).reshape(7, 24), 1).ravel()
    rate = np.tile(0.5 * SWING, 7)
    assert_laws_hold(periodic_queue(rate, 1.2, week), rate, week, 1.2)


def test_closures_equal_vehicles_on_the_clock_of_open_hours() -> None:
    rng = np.random.default_rng(4)
    arrival = np.cumsum(rng.exponential(1 / 1.4, 150_000))
    hours = OperatingHours(opens=[8], closes=[20], period=24)
    free = [0.0, 0.0]
    service = rng.exponential(0.5, arrival.size)
    ends = []
    for came, needs in zip(hours.operating(arrival).tolist(), service.tolist(), strict=True):
        ends.append(max(came, heapq.heappop(free)) + needs)
        heapq.heappush(free, ends[-1])
    waits = hours.calendar(ends) - arrival - service
    day = periodic_queue(np.full(24, 1.4), 0.5, 2 * OPEN)
    for hour in range(24):
        here = waits[arrival.astype(int) % 24 == hour]
        error = here.std() / np.sqrt(here.size)
        assert day.mean_wait[hour] == pytest.approx(here.mean(), abs=5 * error)
    assert day.average_wait == pytest.approx(waits.mean(), rel=0.02)


def test_short_services_approach_the_pointwise_stationary_queue() -> None:
    rate, error = 10 * SWING, []
    for speed in (1, 10, 100):
        exact = periodic_queue(speed * rate, 0.5 / speed, 9)
        fast = periodic_queue(speed * rate, 0.5 / speed, 9, method="psa")
        error.append(abs(fast.average_queue / exact.average_queue - 1))
    assert error[0] > 5 * error[1] > 25 * error[2]
    assert error[2] < 2e-3


def test_fast_modes_say_what_they_are_and_where_they_end() -> None:
    rate = 11.6 * SWING
    psa = periodic_queue(rate, 0.5, 6, method="psa")
    assert psa.method == "psa"
    np.testing.assert_array_equal(np.isinf(psa.mean_wait), rate * 0.5 >= 6)
    shut = periodic_queue(np.ones(24), 0.1, OPEN, method="psa")
    np.testing.assert_array_equal(np.isinf(shut.mean_wait), OPEN == 0)
    flow = periodic_queue(rate, 0.5, 6, method="fluid")
    exact = periodic_queue(rate, 0.5, 6)
    assert flow.method == "fluid"
    assert (flow.mean_queue <= exact.mean_queue).all()
    assert flow.utilization.mean() == pytest.approx(11.6 * 0.5 / 6)
    assert (flow.mean_wait * rate).sum() == pytest.approx(flow.mean_queue.sum(), rel=1e-5)


def test_the_fluid_by_hand() -> None:
    # Twenty servers of one hour; 30 then 5 an hour for 8 h each, from an empty post:
    # x = 30 (1 - e^-t) reaches 20 after ln 3 h, then grows by ten an hour.
    day = periodic_queue([30.0, 5.0], 1.0, 20, 8.0, start=0, method="fluid")
    above = 8 - np.log(3)
    np.testing.assert_allclose(day.number_at_start, [0.0, 20 + 10 * above])
    drained = 10 * above / 15
    assert drained < 8
    expected = [10 * above**2 / 2 / 8, 15 * drained**2 / 2 / 8]
    np.testing.assert_allclose(day.mean_queue, expected)
    np.testing.assert_allclose(day.wait_probability, [above / 8, drained / 8])
    exact = periodic_queue([30.0, 5.0], 1.0, 20, 8.0, start=0)
    assert (exact.mean_queue >= day.mean_queue).all()
    np.testing.assert_allclose(exact.mean_queue, day.mean_queue, rtol=0.15)


def test_overload_for_ever_is_infinite_and_a_first_day_is_not() -> None:
    for method in ("auto", "exact", "fluid", "psa", "mol"):
        day = periodic_queue([3.0, 1.0], 1.0, 2, method=method)  # type: ignore[arg-type]
        assert day.load == 1.0
        assert np.isinf(day.mean_wait).all()
        assert np.isinf(day.average_queue)
    first = periodic_queue([3.0, 1.0], 1.0, 2, start=0)
    assert first.method == "exact"
    assert 0 < first.average_wait < 2
    queue, wait, _ = dense(np.array([3.0, 1.0]), 1.0, np.array([2, 2]), 60, 0)
    np.testing.assert_allclose(first.mean_queue, queue, rtol=1e-9)
    np.testing.assert_allclose(first.mean_wait, wait, rtol=1e-9)


def test_kernels_and_numpy_agree() -> None:
    rate = 11.0 * SWING
    crew = np.where(OPEN > 0, 8, 3)
    by_numpy = periodic_queue(rate, 0.5, crew, engine="numpy")
    by_kernels = periodic_queue(rate, 0.5, crew, engine="kernels")
    for name in ("mean_queue", "mean_wait", "wait_probability", "utilization", "number_at_start"):
        np.testing.assert_allclose(
            getattr(by_numpy, name), getattr(by_kernels, name), rtol=1e-10, err_msg=name
        )


def test_splitting_slots_changes_nothing() -> None:
    rate, servers = np.array([2.0, 7.0, 4.0]), np.array([2, 3, 3])
    whole = periodic_queue(rate, 0.5, servers, 2.0)
    halves = periodic_queue(np.repeat(rate, 2), 0.5, np.repeat(servers, 2), 1.0)
    np.testing.assert_allclose(halves.mean_queue.reshape(3, 2).mean(axis=1), whole.mean_queue)
    np.testing.assert_allclose(halves.mean_wait.reshape(3, 2).mean(axis=1), whole.mean_wait)


slots = st.lists(
    st.tuples(st.floats(0.0, 3.0), st.integers(0, 4), st.floats(0.2, 3.0)), min_size=1, max_size=4
)


@settings(deadline=None, max_examples=40)
@given(slots, st.floats(0.2, 1.5))
def test_more_servers_never_wait_longer_and_the_unit_of_time_is_free(
    given_slots: list[tuple[float, int, float]], service_time: float
) -> None:
    rate, servers, length = (np.array(column) for column in zip(*given_slots, strict=True))
    servers[0] += 1
    load = rate @ length * service_time / (servers @ length)
    rate = rate * min(1.0, 0.9 / load) if load > 0 else rate
    day = periodic_queue(rate, service_time, servers, length)
    more = periodic_queue(rate, service_time, servers + 1, length)
    assert (more.mean_wait <= day.mean_wait * (1 + 1e-8) + 1e-10).all()
    minutes = periodic_queue(rate / 60, 60 * service_time, servers, 60 * length)
    np.testing.assert_allclose(minutes.mean_wait, 60 * day.mean_wait, rtol=1e-7, atol=1e-9)
    flow = periodic_queue(rate, service_time, servers, length, method="fluid")
    assert (flow.mean_queue <= day.mean_queue + 1e-8).all()


def drive(rate: FloatArray, service_time: float, servers: int, scv: float, n_days: int) -> float:
    """Mean wait of vehicles one after the other; unit slots, gamma service."""
    rng = np.random.default_rng(2)
    counts = rng.poisson(np.tile(rate, n_days))
    arrival = np.sort(np.repeat(np.arange(counts.size), counts) + rng.uniform(size=counts.sum()))
    service = np.full(arrival.size, service_time)
    if scv:
        service = rng.gamma(1 / scv, scv * service_time, arrival.size)
    free, waits = [0.0] * servers, []
    for came, needs in zip(arrival.tolist(), service.tolist(), strict=True):
        begins = max(came, heapq.heappop(free))
        waits.append(begins - came)
        heapq.heappush(free, begins + needs)
    return float(np.mean(waits))


@pytest.mark.parametrize(
    ("rate", "service_time", "servers"), [(10.8 * SWING, 0.5, 9), (8.4 * SWING, 0.25, 3)]
)
@pytest.mark.parametrize("scv", [0.0, 0.5])
def test_other_service_is_as_accurate_as_documented(
    rate: FloatArray, service_time: float, servers: int, scv: float
) -> None:
    day = periodic_queue(rate, service_time, servers, service_scv=scv)
    assert day.method == "scaled"
    driven = drive(rate, service_time, servers, scv, 400)
    assert day.average_wait == pytest.approx(driven, rel=0.15)


@pytest.mark.parametrize("scv", [0.0, 0.5, 2.0])
def test_other_service_with_constant_rates_is_mean_wait(scv: float) -> None:
    day = periodic_queue(np.full(4, 6.0), 0.5, 4, service_scv=scv)
    np.testing.assert_allclose(day.mean_wait, mean_wait(6.0, 0.5, 4, 1.0, scv), rtol=1e-9)


def test_large_chains_are_refused_or_approximated_openly() -> None:
    rate = 11.6 * SWING
    with pytest.raises(InputError, match="at most max_states = 100 states; this queue needs more"):
        periodic_queue(rate, 0.5, 6, method="exact", max_states=100)
    assert periodic_queue(rate, 0.5, 6, max_states=100).method == "fluid"
    many = periodic_queue([4500.0, 4700.0], 1.0, 5200, 8.0)
    assert many.method == "mol"
    assert np.isfinite(many.mean_wait).all()


def test_no_arrivals_wait_for_the_opening_alone() -> None:
    day = periodic_queue(np.zeros(24), 0.5, OPEN)
    assert day.mean_wait[2] == pytest.approx(5.5 + 12 * np.exp(-24), rel=1e-13)
    assert day.average_queue == 0.0
    # One who comes in the last hour may be interrupted by the closing, for twelve hours.
    left = np.exp(-(1 - (np.arange(1000) + 0.5) / 1000) / 0.5).mean()
    assert day.mean_wait[19] == pytest.approx(12 * left, rel=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arrival_rate": [-1.0, 2.0]}, "arrival_rate must be finite and >= 0; found -1"),
        ({"arrival_rate": []}, r"arrival_rate must have the shape \(n_slots,\)"),
        ({"arrival_rate": [[1.0]]}, r"arrival_rate must have the shape \(n_slots,\)"),
        ({"service_time": 0.0}, "service_time must be finite and > 0; found 0"),
        ({"service_time": [1.0, 2.0]}, "service_time must be one number for all slots"),
        ({"servers": [0, 0]}, "servers must be > 0 in at least one slot; found 0 in all 2"),
        ({"servers": [1, 1.5]}, "servers must be whole numbers >= 0; found 1.5 at position 1"),
        ({"servers": [1, 2, 3]}, "must broadcast to one shape"),
        ({"slot_length": 0.0}, "slot_length must be finite and > 0; found 0"),
        ({"service_scv": np.nan}, "service_scv must be finite and >= 0; found nan"),
        ({"method": "magic"}, "method must be one of 'auto', 'exact', .* found 'magic'"),
        ({"start": -1}, "start must be finite and >= 0; found -1"),
        ({"start": 2, "method": "psa"}, "start needs the method 'exact', 'fluid' or 'auto'"),
        ({"tolerance": 0.0}, "tolerance must be finite and > 0"),
        ({"engine": "gpu"}, "engine must be 'auto', 'numpy' or 'kernels'; found 'gpu'"),
    ],
)
def test_wrong_input_is_refused(changes: dict[str, object], message: str) -> None:
    values: dict[str, object] = {"arrival_rate": [1.0, 2.0], "service_time": 0.3, "servers": 1}
    with pytest.raises(InputError, match=message):
        periodic_queue(**{**values, **changes})  # type: ignore[arg-type]

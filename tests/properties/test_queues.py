"""What must hold for every queue, whatever its numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.core.queues import (
    QueueDelay,
    erlang_b,
    erlang_c,
    mean_wait,
    wait_and_slope,
    wait_quantile,
    wait_tail,
)

servers = st.integers(1, 60)
rho = st.floats(0.01, 0.98)
scv = st.floats(0.0, 5.0)
split_servers = st.floats(0.2, 300.0)
any_load = st.floats(1e-3, 1e3)


@given(split_servers, any_load)
def test_blocking_follows_the_recursion_for_split_servers(c: float, a: float) -> None:
    fewer, more = erlang_b([c, c + 1], a)
    # B(c + 1) (c + 1 + a B(c)) = a B(c)
    assert more * (c + 1 + a * fewer) == pytest.approx(a * fewer, rel=1e-10, abs=1e-300)


@given(split_servers, any_load, st.floats(1.0001, 3.0))
def test_probabilities_are_ordered(c: float, a: float, factor: float) -> None:
    lost, waits = float(erlang_b(c, a)), float(erlang_c(c, a))
    assert 0.0 <= lost <= waits * (1 + 1e-12) <= 1 + 2e-12
    assert erlang_c(c * factor, a) <= waits * (1 + 1e-12)
    assert erlang_c(c, a * factor) >= waits * (1 - 1e-12)


@given(servers, rho, scv)
def test_wait_grows_with_load_and_variation_and_falls_with_servers(
    c: int, utilization: float, variation: float
) -> None:
    rate = c * utilization
    wait = mean_wait(rate, 1.0, c, 1.0, variation)
    assert wait >= 0.0
    assert mean_wait(rate * 1.01, 1.0, c, 1.0, variation) >= wait
    assert mean_wait(rate, 1.0, c, 1.0, variation + 0.5) >= wait
    assert mean_wait(rate, 1.0, c + 1, 1.0, variation) <= wait


@given(servers, rho, scv, st.floats(1e-3, 1e3))
def test_the_unit_of_time_changes_nothing(
    c: int, utilization: float, variation: float, unit: float
) -> None:
    wait, slope = wait_and_slope(c * utilization, 1.0, c, 1.0, variation)
    scaled = wait_and_slope(c * utilization / unit, unit, c, 1.0, variation)
    assert scaled[0] == pytest.approx(unit * wait, rel=1e-8, abs=1e-14 * unit)
    assert scaled[1] == pytest.approx(unit**2 * slope, rel=1e-8, abs=1e-13 * unit**2)


@given(servers, rho)
def test_constant_service_waits_between_half_and_all_of_the_exponential_wait(
    c: int, utilization: float
) -> None:
    exponential = mean_wait(c * utilization, 1.0, c)
    constant = mean_wait(c * utilization, 1.0, c, 1.0, 0.0)
    assert constant >= exponential / 2 * (1 - 1e-9)
    assert constant <= exponential * c / (c + 1) * (1 + 1e-9)


@settings(deadline=None)
@given(servers, rho, scv, st.floats(0.0, 20.0), st.floats(1e-3, 1e3))
def test_tails_fall_with_time_and_servers_in_any_unit(
    c: int, utilization: float, variation: float, time: float, unit: float
) -> None:
    rate = c * utilization
    tail = wait_tail([0.0, time, time + 1.0], rate, 1.0, c, 1.0, variation)
    assert 1.0 >= tail[0] >= tail[1] >= tail[2] >= 0.0
    more = wait_tail([0.0, time], rate, 1.0, c + 1, 1.0, variation)
    assert (more <= tail[:2] + 1e-10).all()
    scaled = wait_tail(time * unit, rate / unit, unit, c, 1.0, variation)
    assert scaled == pytest.approx(tail[1], rel=1e-6, abs=1e-10)


@settings(deadline=None)
@given(servers, rho, scv, st.floats(0.0, 0.999))
def test_quantiles_undo_tails(c: int, utilization: float, variation: float, share: float) -> None:
    queue = (c * utilization, 1.0, c, 1.0, variation)
    time = float(wait_quantile(share, *queue))
    assert wait_tail(time, *queue) <= 1.0 - share + 1e-9
    if time > 0.0:
        assert wait_tail(time, *queue) == pytest.approx(1.0 - share, rel=1e-6, abs=1e-9)


@settings(deadline=None)
@given(
    servers,
    scv,
    st.floats(0.05, 1.0),
    st.floats(0.0, 0.9),
    st.lists(st.floats(0.0, 1.5), min_size=3, max_size=8),
)
def test_delay_is_zero_at_zero_convex_and_above_its_tangents(
    c: int, variation: float, share: float, base: float, utilizations: list[float]
) -> None:
    n = len(utilizations)
    capacity = 24.0 * c / (0.5 * share)
    delay = QueueDelay(
        n_pools=n,
        pool=np.arange(n),
        share=np.full(n, share),
        servers=np.full(n, c),
        service_h=np.full(n, 0.5),
        arrival_scv=np.ones(n),
        service_scv=np.full(n, variation),
        open_h_per_day=np.full(n, 24.0),
        usd_per_vehicle_h=np.full(n, 30.0),
        base_load=np.full(n, base * capacity),
    )
    np.testing.assert_array_equal(delay.value(np.zeros(n)), np.zeros(n))
    load = np.sort(utilizations) * capacity
    value, slope = delay.value_and_slope(load)
    assert (value >= 0.0).all()
    assert (np.diff(value) >= -1e-9).all()
    assert (np.diff(slope) >= -1e-9).all()
    tangents = value[:, None] + slope[:, None] * (load[None, :] - load[:, None])
    assert (tangents - value[None, :]).max() <= 1e-9 * (1.0 + value.max())

"""Posts of stages in series: Jackson's product form, event lists, calendars, repairs, batches."""

import numpy as np
import pytest

from corridor.core.queues import (
    OperatingHours,
    SimulatedStage,
    mean_wait,
    simulate_arrivals,
    simulate_queue,
    simulate_stages,
)
from corridor.errors import InputError

POST = [
    SimulatedStage(servers=5, service_h=1.0),
    SimulatedStage(servers=3, service_h=1.0, share=0.6),
    SimulatedStage(servers=8, service_h=1.7),
]


def test_engines_and_threads_give_the_same_bits() -> None:
    arrival = simulate_arrivals(4.0, 900, 6, seed=2)
    stages = [
        *POST,
        SimulatedStage(
            servers=9, service_h=0.5, service_scv=0.3, share=0.9,
            hours=OperatingHours(opens=[8], closes=[20], period=24), up_h=5.0, repair_h=2.0,
        ),
    ]  # fmt: skip
    one, two, three = (
        simulate_stages(arrival, stages, seed=1, engine=engine, threads=threads)
        for engine, threads in (("numpy", 1), ("kernels", 1), ("kernels", 4))
    )
    for other in (two, three):
        np.testing.assert_array_equal(one.departure_h, other.departure_h)
        np.testing.assert_array_equal(one.wait_h, other.wait_h)


def test_stages_in_series_wait_as_jackson_says() -> None:
    arrival = simulate_arrivals(4.0, 20_000, 40, seed=3)
    found = simulate_stages(arrival, POST, seed=3)
    for stage, rate in enumerate((4.0, 2.4, 4.0)):
        exact = mean_wait(rate, POST[stage].service_h, POST[stage].servers)
        wait = found.wait(stage, level=0.999)
        assert wait.low < exact < wait.high
        assert wait.half_width < 0.1 * exact


def test_a_single_stage_is_the_queue() -> None:
    arrival = simulate_arrivals(1.5, 5000, 30, seed=1)
    stages = simulate_stages(arrival, [SimulatedStage(servers=2, service_h=1.0)]).wait(0)
    queue = simulate_queue(1.5, 1.0, 2, vehicles=5000, replications=30, seed=1).wait()
    assert max(stages.low, queue.low) < min(stages.high, queue.high)


def test_hours_stop_the_clock_of_a_calendar_event_simulation() -> None:
    opens, closes, servers = 8.0, 18.0, 3
    arrival = simulate_arrivals(1.0, 400, 1, seed=8)
    stage = SimulatedStage(
        servers=servers,
        service_h=2.0,
        hours=OperatingHours(opens=[opens], closes=[closes], period=24),
    )
    found = simulate_stages(arrival, [stage], seed=8)
    # The service times, from the same draws with as many servers as vehicles and no closed hours.
    alone = simulate_stages(arrival, [SimulatedStage(servers=400, service_h=2.0)], seed=8)
    need = (alone.departure_h - arrival)[0]

    def worked_until(start: float, hours: float) -> float:
        now = start
        while True:
            day, hour = divmod(now, 24.0)
            if hour < opens:
                now = day * 24.0 + opens
            elif hour >= closes:
                now = (day + 1) * 24.0 + opens
            else:
                left = day * 24.0 + closes - now
                if hours <= left:
                    return now + hours
                hours -= left
                now = day * 24.0 + closes

    free, out = [0.0] * servers, []
    for time, hours in zip(arrival[0], need, strict=True):
        server = int(np.argmin(free))
        begin = max(time, free[server])
        free[server] = worked_until(begin, hours)
        out.append(free[server])
    np.testing.assert_allclose(found.departure_h[0], out, rtol=0, atol=1e-9)


def test_repairs_make_the_service_longer_and_more_varied() -> None:
    # Service E, failures at rate 1/up while serving, repairs of mean r: mean s (1 + r/up), and the
    # second moment is that of a compound Poisson sum on top of an exponential time.
    s, up, r, rate = 1.0, 4.0, 1.0, 0.6
    factor = 1.0 + r / up
    mean = s * factor
    second = 2.0 * s**2 * factor**2 + s / up * 2.0 * r**2
    exact = rate * second / (2.0 * (1.0 - rate * mean))  # Pollaczek and Khinchine
    arrival = simulate_arrivals(rate, 20_000, 80, seed=7)
    stage = SimulatedStage(servers=1, service_h=s, up_h=up, repair_h=r)
    found = simulate_stages(arrival, [stage], seed=7).wait(0, level=0.999)
    assert found.low < exact < found.high


def test_a_train_is_a_batch() -> None:
    # M^[K]/M/1: L = rho (K + 1) / (2 (1 - rho)) in the system, all included.
    rho, size = 0.7, 10
    arrival = simulate_arrivals(rho, 40_000, 60, batch=size, seed=5)
    assert (arrival[:, ::size] == arrival[:, size - 1 :: size]).all()
    found = simulate_stages(arrival, [SimulatedStage(servers=1, service_h=1.0)], seed=5)
    spent = found.time_at_post(level=0.999)
    exact = rho * (size + 1) / (2 * (1 - rho)) / rho
    assert spent.low < exact < spent.high


def test_peaks_follow_the_profile_and_keep_the_mean() -> None:
    profile = np.array([0.0, 1.0, 3.0, 0.0])
    arrival = simulate_arrivals(10.0, 24_000, 2, profile=profile, slot_h=6.0, seed=1)
    slot = (arrival % 24.0 // 6.0).astype(int)
    counts = np.bincount(slot.ravel(), minlength=4)
    assert counts[0] == counts[3] == 0
    assert counts[2] / counts[1] == pytest.approx(3.0, rel=0.05)
    assert arrival[:, -1].mean() == pytest.approx(2400.0, rel=0.05)
    assert (np.diff(arrival, axis=1) >= 0).all()


def test_what_nobody_needs_changes_nothing() -> None:
    arrival = simulate_arrivals(4.0, 300, 2, seed=1)
    idle = SimulatedStage(servers=1, service_h=9.0, share=0.0)
    found = simulate_stages(arrival, [idle], seed=1)
    np.testing.assert_array_equal(found.departure_h, arrival)
    assert np.isnan(found.wait_h).all()
    with pytest.raises(InputError, match="it sees none in 2 of 2"):
        found.wait(0)
    free = SimulatedStage(
        servers=1, service_h=0.0, hours=OperatingHours(opens=[8], closes=[18], period=24)
    )
    by_day = simulate_stages(arrival, [free], seed=1).departure_h
    assert (by_day % 24.0 >= 8.0 - 1e-9).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"servers": 0}, "servers must be whole numbers >= 1"),
        ({"service_h": -1.0}, "service_h must be finite and >= 0"),
        ({"share": 1.2}, "share must lie in 0..1"),
        ({"up_h": 0.0}, "up_h must be > 0 h"),
        ({"repair_h": np.nan}, "repair_h must be finite"),
    ],
)
def test_bad_stages_are_refused(change: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        SimulatedStage(**({"servers": 1, "service_h": 1.0} | change))


def test_bad_arrivals_are_refused() -> None:
    with pytest.raises(InputError, match=r"must not decrease along a row; it does at position"):
        simulate_stages([[0.0, 2.0, 1.0]], POST)
    with pytest.raises(InputError, match="shape"):
        simulate_stages([0.0, 1.0], POST)
    with pytest.raises(InputError, match="profile"):
        simulate_arrivals(1.0, 5, 1, profile=[0.0, 0.0])
    with pytest.raises(InputError, match="share of the vehicles"):
        simulate_stages([[0.0]], POST).time_at_post(warm_up=1.0)

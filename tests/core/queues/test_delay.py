from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

from corridor.core.queues import QueueDelay, mean_wait
from corridor.errors import InputError


def queue_delay(n_pools: int = 1, **changes: ArrayLike) -> QueueDelay:
    """One M/M/1 booth per stage: half an hour a vehicle, open all day, 10 USD/h."""
    values: dict[str, Any] = {
        "pool": [0],
        "share": 1.0,
        "servers": 1,
        "service_h": 0.5,
        "arrival_scv": 1.0,
        "service_scv": 1.0,
        "open_h_per_day": 24.0,
        "usd_per_vehicle_h": 10.0,
        "base_load": 0.0,
    }
    values.update(changes)
    n_stages = np.size(values["pool"])
    stages = {name: np.broadcast_to(value, n_stages) for name, value in values.items()}
    return QueueDelay(n_pools=n_pools, **stages)


def mixed_delay(seed: int = 3, n_stages: int = 60, n_pools: int = 25) -> QueueDelay:
    random = np.random.default_rng(seed)
    return queue_delay(
        n_pools,
        pool=random.integers(0, n_pools, n_stages),
        share=random.uniform(0.05, 1.2, n_stages),
        servers=random.integers(1, 21, n_stages),
        service_h=random.uniform(0.02, 2.0, n_stages),
        arrival_scv=random.choice([1.0, 1.0, 0.5, 2.0], n_stages),
        service_scv=random.choice([0.0, 0.3, 1.0, 2.5], n_stages),
        open_h_per_day=random.uniform(6, 24, n_stages),
        usd_per_vehicle_h=random.uniform(5, 60, n_stages),
        base_load=random.uniform(0, 20, n_stages),
    )


def test_one_booth_by_hand() -> None:
    # 36 a day is 1.5 an hour, rho = 0.75: Wq = 0.75 * 0.5 / 0.25 = 1.5 h, 54 vehicle-hours a day.
    booth = queue_delay()
    load = np.array([36.0])
    assert booth.wait_h(load) == pytest.approx([1.5], rel=1e-14)
    assert booth.value(load) == pytest.approx([540.0], rel=1e-14)
    # d(v W)/dv = W + lam dW/dlam = 1.5 + 1.5 * 0.5^2 / 0.25^2 = 7.5 h.
    assert booth.slope(load) == pytest.approx([75.0], rel=1e-14)


def test_closed_hours_squeeze_the_same_vehicles_into_the_open_ones() -> None:
    # 18 a day in 12 open hours meet the queue of 36 a day in 24.
    booth = queue_delay(open_h_per_day=12.0)
    load = np.array([18.0])
    assert booth.wait_h(load) == pytest.approx([1.5])
    assert booth.value(load) == pytest.approx([270.0])


def test_background_waits_too_but_only_the_increase_is_charged() -> None:
    # 24 in the background wait 0.5 h each (12 h in all); with 12 more, 36 x 1.5 h = 54 h.
    booth = queue_delay(base_load=24.0)
    assert booth.wait_h(np.array([0.0])) == pytest.approx([0.5])
    assert booth.value(np.array([12.0])) == pytest.approx([10 * (54 - 12)])


def test_a_share_of_the_pool_joins_the_stage() -> None:
    booth = queue_delay(share=0.25)
    assert booth.value(np.array([144.0])) == pytest.approx([540.0])
    assert booth.slope(np.array([144.0])) == pytest.approx([75.0 / 4])


def test_stages_of_one_pool_add_up_and_an_empty_pool_costs_nothing() -> None:
    both = queue_delay(3, pool=[2, 0, 2], share=[1.0, 1.0, 0.5], servers=[1, 1, 2])
    load = np.array([10.0, 50.0, 36.0])
    first = queue_delay().value(load[2:])[0]
    second = queue_delay(share=0.5, servers=2).value(load[2:])[0]
    expected = [queue_delay().value(load[:1])[0], 0.0, first + second]
    np.testing.assert_allclose(both.value(load), expected, rtol=1e-14)
    assert both.slope(load)[1] == 0.0
    assert both.wait_h(load).shape == (3,)


def test_value_is_the_formula_with_mean_wait() -> None:
    delay = mixed_delay()
    load = np.full(25, 1.0)
    vehicles = delay.share * (delay.base_load + load[delay.pool])
    background = delay.share * delay.base_load

    def wait(vehicles_per_day: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        rate = vehicles_per_day / delay.open_h_per_day
        shape = (delay.arrival_scv, delay.service_scv)
        return mean_wait(rate, delay.service_h, delay.servers, *shape)

    usable = vehicles / delay.open_h_per_day * delay.service_h < 0.99 * delay.servers
    hours = np.where(usable, vehicles * wait(vehicles) - background * wait(background), np.nan)
    expected = np.bincount(delay.pool, delay.usd_per_vehicle_h * hours, 25)
    finite = np.isfinite(expected)
    np.testing.assert_allclose(delay.value(load)[finite], expected[finite], rtol=1e-9, atol=1e-12)
    assert finite.sum() > 15
    np.testing.assert_allclose(delay.wait_h(load)[usable], wait(vehicles)[usable], rtol=1e-12)


def test_no_load_costs_nothing_even_over_an_overloaded_background() -> None:
    np.testing.assert_array_equal(mixed_delay().value(np.zeros(25)), np.zeros(25))
    overloaded = queue_delay(base_load=100.0)
    assert overloaded.value(np.zeros(1)) == 0.0
    assert overloaded.slope(np.zeros(1)) > 0.0


@pytest.mark.parametrize("service_scv", [0.0, 0.5, 1.0, 1.5, 4.0])
@pytest.mark.parametrize("servers", [1, 2, 5, 20])
def test_convex_and_nondecreasing_on_a_fine_grid(servers: int, service_scv: float) -> None:
    n = 4001
    delay = queue_delay(
        n, pool=np.arange(n), servers=servers, service_scv=service_scv, base_load=1.0
    )
    load = np.linspace(0, 1.2 * 48 * servers, n)  # through the tangent at 99 %
    value, slope = delay.value_and_slope(load)
    scale = slope.max()
    assert (np.diff(value) >= 0).all()
    assert np.diff(value, 2).min() >= -1e-12 * value.max()
    assert np.diff(slope).min() >= -1e-12 * scale
    # Every tangent lies below the curve: what makes the cuts of the flow engine valid.
    at = np.arange(0, n, 100)
    tangents = value[at, None] + slope[at, None] * (load[None, :] - load[at, None])
    assert (tangents - value[None, :]).max() <= 1e-12 * value.max()


def test_slope_matches_central_differences() -> None:
    delay = mixed_delay()
    for scale in (0.5, 4.0, 30.0):
        load = np.random.default_rng(5).uniform(0.1, 1.0, 25) * scale
        step = 1e-6
        numeric = (delay.value(load + step) - delay.value(load - step)) / (2 * step)
        slope = delay.slope(load)
        np.testing.assert_allclose(slope, numeric, rtol=1e-5, atol=1e-6 * slope.max())


def test_tangent_above_99_percent_is_finite_and_smooth() -> None:
    booth = queue_delay()
    limit = 0.99 * 48
    below, at, above = (booth.slope(np.array([limit + d]))[0] for d in (-1e-9, 0.0, 5.0))
    assert below == pytest.approx(at, rel=1e-6)
    assert above == pytest.approx(at, rel=1e-12)
    far = booth.value(np.array([1000.0]))[0]
    assert far == pytest.approx(booth.value(np.array([limit]))[0] + at * (1000 - limit), rel=1e-12)
    assert np.isfinite(booth.wait_h(np.array([1000.0]))).all()


def test_parts_together_equal_the_parts() -> None:
    delay = mixed_delay()
    load = np.linspace(0, 30, 25)
    value, slope = delay.value_and_slope(load)
    np.testing.assert_array_equal(value, delay.value(load))
    np.testing.assert_array_equal(slope, delay.slope(load))


def test_no_stages_and_no_pools() -> None:
    none = queue_delay(2, pool=np.zeros(0, dtype=np.int64))
    np.testing.assert_array_equal(none.value(np.ones(2)), np.zeros(2))
    np.testing.assert_array_equal(none.slope(np.ones(2)), np.zeros(2))
    assert queue_delay(0, pool=np.zeros(0, dtype=np.int64)).value(np.zeros(0)).shape == (0,)


def test_arrays_are_read_only_copies() -> None:
    share = np.ones(1)
    booth = queue_delay(share=share)
    share[0] = 7.0
    assert booth.share[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        booth.share[0] = 2.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pool": [1]}, "pool must be a position below n_pools = 1; found 1 at position 0"),
        ({"pool": [-1]}, "pool must be finite and >= 0; found -1"),
        ({"servers": 0}, "servers must be whole numbers >= 1; found 0"),
        ({"servers": 1.5}, "servers must be whole numbers >= 1; found 1.5"),
        ({"share": -0.1}, "share must be finite and >= 0"),
        ({"service_h": np.nan}, "service_h must be finite and >= 0; found nan"),
        ({"open_h_per_day": 0.0}, "open_h_per_day must be finite and > 0"),
        ({"open_h_per_day": 25.0}, "open_h_per_day must be <= 24; found 25"),
        ({"base_load": np.inf}, "base_load must be finite"),
    ],
)
def test_wrong_stages_are_refused(changes: dict[str, ArrayLike], message: str) -> None:
    with pytest.raises(InputError, match=message):
        queue_delay(**changes)


def test_wrong_shapes_are_refused() -> None:
    one = np.ones(1)
    with pytest.raises(InputError, match=r"service_h must have the shape \(1,\) of pool"):
        QueueDelay(
            n_pools=1,
            pool=np.zeros(1, dtype=np.int64),
            share=one,
            servers=np.ones(1, dtype=np.int64),
            service_h=np.ones(2),
            arrival_scv=one,
            service_scv=one,
            open_h_per_day=one,
            usd_per_vehicle_h=one,
            base_load=one,
        )


def test_wrong_loads_are_refused_and_rounding_below_zero_is_not() -> None:
    booth = queue_delay()
    with pytest.raises(InputError, match=r"shape \(1,\), one a pool; found \(2,\)"):
        booth.value(np.zeros(2))
    for wrong in (-0.01, np.nan, np.inf):
        with pytest.raises(InputError, match="load must be finite and >= 0; found"):
            booth.slope(np.array([wrong]))
    assert booth.value(np.array([-1e-9])) == 0.0


def test_nothing_but_the_background_is_known_beforehand() -> None:
    queues = mixed_delay()
    nothing, barely = np.zeros(queues.n_pools), np.full(queues.n_pools, 1e-300)
    np.testing.assert_array_equal(queues.slope(nothing), queues.slope(barely))
    np.testing.assert_array_equal(queues.value(nothing), 0.0)
    some = queues.take(np.array([3, 3, 0]))
    np.testing.assert_array_equal(some.slope(np.zeros(3)), queues.slope(nothing)[[3, 3, 0]])

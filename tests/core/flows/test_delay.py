"""Hinge and sum curves: values, slopes, kinks."""

import numpy as np
import pytest

from corridor.core.flows import Delay, HingeDelay, SumDelay
from corridor.core.flows.delay import curves_of
from corridor.core.queues import QueueDelay
from corridor.errors import InputError

HINGE = HingeDelay([2.0, np.inf, 0.0], [3.0, 5.0, 1.0])


def test_hinge_by_hand() -> None:
    load = np.array([5.0, 100.0, 4.0])
    np.testing.assert_array_equal(HINGE.value(load), [9, 0, 4])
    np.testing.assert_array_equal(HINGE.slope(load), [3, 0, 1])
    np.testing.assert_array_equal(HINGE.value(np.zeros(3)), [0, 0, 0])
    np.testing.assert_array_equal(HINGE.slope(np.array([2.0, 0.0, 0.0])), [0, 0, 0])


def test_sum_adds_values_and_slopes() -> None:
    both, load = SumDelay([HINGE, HINGE]), np.array([5.0, 1.0, 4.0])
    np.testing.assert_array_equal(both.value(load), 2 * HINGE.value(load))
    np.testing.assert_array_equal(both.slope(load), 2 * HINGE.slope(load))
    value, slope = both.value_and_slope(load)
    np.testing.assert_array_equal(value, both.value(load))
    np.testing.assert_array_equal(slope, both.slope(load))


class Square:
    """A curve that can only be asked for all pools at once."""

    n_pools = 3

    def value(self, load: np.ndarray) -> np.ndarray:
        return np.array([1.0, 2.0, 3.0]) * load**2

    def slope(self, load: np.ndarray) -> np.ndarray:
        return np.array([2.0, 4.0, 6.0]) * load


def queues() -> QueueDelay:
    """Return pools of two stages, one stage and none."""
    ones = np.ones(3)
    return QueueDelay(
        n_pools=3, pool=np.array([1, 0, 0]), share=np.array([1.0, 0.5, 1.0]),
        servers=np.array([1, 2, 3]), service_h=np.array([0.9, 1.8, 2.7]), arrival_scv=ones,
        service_scv=np.array([1.0, 0.5, 0.0]), open_h_per_day=24 * ones,
        usd_per_vehicle_h=np.array([6.0, 5.0, 4.0]), base_load=np.array([1.0, 0.0, 2.0]),
    )  # fmt: skip


@pytest.mark.parametrize("delay", [HINGE, queues(), Square(), SumDelay([Square(), queues()])])
def test_some_pools_alone_and_again(delay: Delay) -> None:
    pools = np.array([2, 0, 0, 1, 0])
    loads = np.array([3.0, 5.0, 2.0, 7.0, 0.0])
    some = curves_of(delay, pools)
    assert some.n_pools == pools.size
    for position, (pool, load) in enumerate(zip(pools, loads, strict=True)):
        whole = np.zeros(3)
        whole[pool] = load
        assert some.value(loads)[position] == pytest.approx(delay.value(whole)[pool], rel=1e-14)
        assert some.slope(loads)[position] == pytest.approx(delay.slope(whole)[pool], rel=1e-14)


@pytest.mark.parametrize(
    ("limit", "price", "message"),
    [
        ([-1.0], [1.0], "limit must be >= 0"),
        ([1.0], [np.inf], "price must be >= 0 and finite"),
        ([1.0], [1.0, 2.0], "price has shape"),
    ],
)
def test_hinge_faults(limit: list[float], price: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        HingeDelay(limit, price)


def test_wrong_loads_and_sums_are_refused() -> None:
    with pytest.raises(InputError, match="load has shape"):
        HINGE.value(np.zeros(2))
    with pytest.raises(InputError, match="same pools; found sizes"):
        SumDelay([HINGE, HingeDelay([1.0], [1.0])])
    with pytest.raises(InputError, match="same pools"):
        SumDelay([])

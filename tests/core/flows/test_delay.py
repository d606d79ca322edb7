"""Hinge and sum curves: values, slopes, kinks."""

import numpy as np
import pytest

from corridor.core.flows import HingeDelay, SumDelay
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

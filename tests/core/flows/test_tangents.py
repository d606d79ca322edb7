"""The envelope of tangents: below the curve, equal where it touches, exact conjugate."""

import numpy as np
import pytest

from corridor.core.flows._tangents import Tangents, add_tangents, loads_near, tangents_at_zero


class Square:
    """``value = weight * load**2``."""

    n_pools = 3
    weight = np.array([1.0, 2.0, 0.5])

    def value(self, load: np.ndarray) -> np.ndarray:
        return self.weight * load**2

    def slope(self, load: np.ndarray) -> np.ndarray:
        return 2 * self.weight * load


CURVE = Square()
CAPACITY = np.array([4.0, 3.0, np.inf])


@pytest.fixture
def tangents() -> Tangents:
    start = tangents_at_zero(CURVE.slope(np.zeros(3)), CAPACITY)
    loads = np.array([[1.0, 2.0], [4.0, 9.0], [2.5, 2.0]])
    return add_tangents(start, CURVE, CAPACITY, np.array([0, 2]), loads)


def test_points_of_other_pools_are_left_out(tangents: Tangents) -> None:
    # Pool 2 was asked for load 2 twice.
    np.testing.assert_array_equal(tangents.pool, [0, 0, 0, 0, 1, 2, 2, 2])
    np.testing.assert_array_equal(tangents.point, [0, 1, 2.5, 4, 0, 0, 2, 9])


def test_envelope_touches_and_stays_below(tangents: Tangents) -> None:
    for at, pool in zip(tangents.point, tangents.pool, strict=True):
        load = np.zeros(3)
        load[pool] = at
        assert tangents.envelope(load)[pool] == pytest.approx(CURVE.value(load)[pool])
    for load in np.linspace(0, 1, 101)[:, None] * np.array([4.0, 3.0, 20.0]):
        assert (tangents.envelope(load) <= CURVE.value(load) + 1e-12).all()
        highest = np.full(3, -np.inf)
        lines = tangents.value + tangents.slope * (load[tangents.pool] - tangents.point)
        np.maximum.at(highest, tangents.pool, lines)
        np.testing.assert_allclose(tangents.envelope(load), highest, atol=1e-12)


def test_segments_fill_the_capacity(tangents: Tangents) -> None:
    total = np.bincount(tangents.pool, tangents.width)
    np.testing.assert_allclose(total, CAPACITY)


def test_conjugate_is_the_least_over_a_grid(tangents: Tangents) -> None:
    grid = np.linspace(0, 1, 4001)[:, None] * np.array([4.0, 3.0, 40.0])
    values = np.array([tangents.envelope(load) for load in grid])
    for price in ([0.0, 0.0, 0.0], [1.0, 2.0, 3.0], [9.0, 5.0, 8.9]):
        least = (values - np.array(price) * grid).min(axis=0)
        np.testing.assert_allclose(tangents.conjugate(np.array(price)), least, atol=1e-2)
    assert tangents.conjugate(np.array([0.0, 0.0, 9.1]))[2] == -np.inf


def test_numbers_stay_when_tangents_are_added(tangents: Tangents) -> None:
    more = add_tangents(tangents, CURVE, CAPACITY, np.array([0]), np.array([[3.0], [1.0]]))
    kept = np.isin(more.identity, tangents.identity)
    np.testing.assert_array_equal(more.identity[kept], tangents.identity)
    # Load 1 is touched already: its tangent keeps its number.
    np.testing.assert_array_equal(more.point[~kept], [3.0])
    assert np.unique(more.identity).size == more.identity.size


def test_unlimited_pools_without_bend_are_touched_near_their_load() -> None:
    flat = tangents_at_zero(np.zeros(2), np.array([np.inf, np.inf]))
    loads = loads_near(flat, np.array([np.inf, np.inf]), np.array([5.0, 0.0]), 1e-3)
    assert loads.shape == (5, 2)
    assert (loads[:, 0] <= 10.0).all()
    assert not loads[:, 1].any()

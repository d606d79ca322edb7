"""Great-circle lengths against closed forms, and against 3-D vectors."""

from collections.abc import Callable

import numpy as np
import pytest

from corridor.core.geodesy import great_circle_km, polyline_length_km
from corridor.errors import InputError
from corridor.units import EARTH_RADIUS_KM

HALF_TURN_KM = np.pi * EARTH_RADIUS_KM


@pytest.mark.parametrize(
    ("lon1", "lat1", "lon2", "lat2", "share_of_half_turn"),
    [
        (44.5, 40.2, 44.5, 40.2, 0.0),
        (0.0, 0.0, 90.0, 0.0, 0.5),
        (17.0, -90.0, 99.0, 90.0, 1.0),
        (179.0, 0.0, -179.0, 0.0, 2.0 / 180.0),  # across the date line
        (10.0, 35.0, -170.0, -35.0, 1.0),  # antipodes
        (45.0, 30.0, 45.0, 60.0, 30.0 / 180.0),  # along a meridian
        (0.0, 45.0, 180.0, 45.0, 0.5),  # over the pole
        (0.0, 60.0, 90.0, 60.0, np.arccos(0.75) / np.pi),  # spherical law of cosines
    ],
)
def test_closed_forms(
    lon1: float, lat1: float, lon2: float, lat2: float, share_of_half_turn: float
) -> None:
    found = great_circle_km(lon1, lat1, lon2, lat2)
    assert found == pytest.approx(share_of_half_turn * HALF_TURN_KM, rel=1e-14, abs=1e-9)


def test_tiny_distances_keep_their_digits() -> None:
    step = 1e-9  # degrees, a tenth of a millimeter
    found = great_circle_km(0.0, 0.0, step, 0.0)
    assert found == pytest.approx(np.radians(step) * EARTH_RADIUS_KM, rel=1e-12)


def test_near_antipodes_keep_their_digits() -> None:
    step = 1e-6  # degrees; the plain haversine form is wrong by meters here
    found = HALF_TURN_KM - great_circle_km(0.0, 0.0, 180.0 - step, 0.0)
    assert found == pytest.approx(np.radians(step) * EARTH_RADIUS_KM, rel=1e-4)


def test_random_points_agree_with_vectors() -> None:
    rng = np.random.default_rng(3)
    lon = np.radians(rng.uniform(-180, 180, (2, 500)))
    lat = np.arcsin(rng.uniform(-1, 1, (2, 500)))
    points = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
    sine = np.linalg.norm(np.cross(points[0], points[1]), axis=-1)
    cosine = (points[0] * points[1]).sum(axis=-1)
    expected = EARTH_RADIUS_KM * np.arctan2(sine, cosine)
    degrees = np.degrees([lon[0], lat[0], lon[1], lat[1]])
    np.testing.assert_allclose(great_circle_km(*degrees), expected, rtol=1e-12)


def test_arguments_broadcast() -> None:
    found = great_circle_km(np.zeros((3, 1)), 0.0, [0.0, 90.0], 0.0)
    assert found.shape == (3, 2)
    np.testing.assert_allclose(found[2], [0.0, HALF_TURN_KM / 2])


def test_polyline_lengths_add_up_their_own_segments() -> None:
    lon, lat = [0, 10, 20, 20, 20, 50], [0, 0, 0, 0, 30, 0]
    found = polyline_length_km(lon, lat, [0, 3, 3, 5, 6])
    np.testing.assert_allclose(found, np.array([20, 0, 30, 0]) / 180 * HALF_TURN_KM, rtol=1e-14)


@pytest.mark.parametrize(("offsets", "length"), [([0], 0), ([0, 0], 1), ([0, 0, 0], 2)])
def test_no_points_no_length(offsets: list[int], length: int) -> None:
    found = polyline_length_km([], [], offsets)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, np.zeros(length))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: great_circle_km(0, [0, 91], 0, 0),
            r"lat1 .*found 91.0 at position \[1\] \(1 of 2",
        ),
        (lambda: great_circle_km(0, 0, np.nan, 0), "lon2 .*found nan"),
        (lambda: polyline_length_km([0, 1], [0], [0, 2]), r"shapes \(2,\) and \(1,\)"),
        (lambda: polyline_length_km([0, 1], [0, 0], [0, 1]), "offsets must .* 0 to 2"),
        (lambda: polyline_length_km([0, 1], [0, 0], [0, 2, 1, 2]), "do not fall"),
        (lambda: polyline_length_km([0, 1], [0, 0], [0.0, 2.0]), "whole numbers"),
    ],
)
def test_bad_input_says_what_where_and_how_many(call: Callable[[], object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        call()

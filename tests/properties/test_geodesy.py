"""What must hold of lengths and places anywhere on the Earth."""

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.core.geodesy import (
    formulas,
    geodesic_km,
    great_circle_km,
    merge_points,
    polyline_length_km,
)

LON = st.sampled_from([0.0, 180.0, -180.0, 179.9999999, 90.0]) | st.floats(-180.0, 180.0)
LAT = st.sampled_from([0.0, 90.0, -90.0, 45.0, 1e-9]) | st.floats(-90.0, 90.0)
POINT = st.tuples(LON, LAT)
METHOD = st.sampled_from(["numpy", "kernels"])
ERROR = 2e-10
NANOMETER_KM = 1e-12
Point = tuple[float, float]

properties = settings(deadline=None, max_examples=150)


@properties
@given(POINT, POINT, METHOD)
def test_the_way_back_is_as_long(one: Point, two: Point, method: str) -> None:
    there = geodesic_km(*one, *two, method=method)
    np.testing.assert_allclose(geodesic_km(*two, *one, method=method), there, rtol=1e-12)
    assert 0.0 <= there <= np.pi * formulas.SEMIMAJOR_KM


@properties
@given(POINT, POINT, st.floats(-180.0, 180.0), METHOD)
def test_turning_and_mirroring_the_earth_changes_nothing(
    one: Point, two: Point, turn: float, method: str
) -> None:
    lon1, lon2 = one[0] + turn, two[0] + turn  # rounded: up to 1e-13 degrees
    turned = geodesic_km(lon1, -one[1], lon2, -two[1], method=method)
    expected = geodesic_km(*one, *two, method=method)
    np.testing.assert_allclose(turned, expected, rtol=ERROR, atol=2e-10)


@properties
@given(POINT, POINT, POINT, METHOD)
def test_a_detour_is_no_shorter(one: Point, two: Point, three: Point, method: str) -> None:
    lon, lat = zip(one, two, three, strict=True)
    detour = polyline_length_km(lon, lat, [0, 3], method=method)[0]
    straight = geodesic_km(*one, *three, method=method)
    assert detour >= straight * (1.0 - ERROR) - NANOMETER_KM


@properties
@given(POINT, POINT)
def test_the_sphere_is_within_six_per_mille(one: Point, two: Point) -> None:
    sphere, ellipsoid = great_circle_km(*one, *two), geodesic_km(*one, *two)
    assert abs(sphere - ellipsoid) <= 0.006 * ellipsoid + NANOMETER_KM


@properties
@given(st.lists(POINT, max_size=12), st.sampled_from([0.0, 1e-6, 0.5, 100.0]), st.randoms())
def test_places_are_those_of_a_search_over_all_pairs(
    points: list[Point], tolerance_km: float, draw: random.Random
) -> None:
    near = [(lon, lat + draw.choice([0.0, 1e-9, 3e-3, 0.5])) for lon, lat in points if lat < 89]
    points = points + near
    lon, lat = np.array(points, dtype=np.float64).reshape(-1, 2).T
    place, first = merge_points(lon, lat, tolerance_km, "numpy")
    by_kernels = merge_points(lon, lat, tolerance_km, "kernels")
    np.testing.assert_array_equal(by_kernels[0], place)
    np.testing.assert_array_equal(by_kernels[1], first)
    assert place[first].tolist() == list(range(first.size))
    assert (first[place] <= np.arange(lon.size)).all()
    apart = geodesic_km(lon[:, None], lat[:, None], lon, lat)
    joined = apart <= tolerance_km * (1.0 - 1e-4)
    assert (place[:, None] == place)[joined].all()
    # Every place is held together by steps of the tolerance.
    reach = apart <= tolerance_km * (1.0 + 1e-4) + NANOMETER_KM
    for _ in range(lon.size):
        reach = (reach.astype(int) @ reach.astype(int)) > 0
    assert reach[place[:, None] == place].all()

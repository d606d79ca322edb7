"""Lengths against closed forms, 3-D vectors, the integral along a meridian, and pyproj."""

import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from pyproj import Geod, Transformer
from scipy.integrate import quad

from corridor.core.geodesy import (
    formulas,
    geodesic_km,
    great_circle_km,
    merge_points,
    polyline_length_km,
    snap_points,
)
from corridor.core.geodesy._checks import FloatArray, Method
from corridor.errors import InputError
from corridor.units import EARTH_RADIUS_KM

HALF_TURN_KM = np.pi * EARTH_RADIUS_KM
HALF_EQUATOR_KM = np.pi * formulas.SEMIMAJOR_KM
HALF_MERIDIAN_KM = 20003.931458625
METHODS: tuple[Method, ...] = ("numpy", "kernels")
KARNEY = Geod(ellps="WGS84")
NANOMETER_KM = 1e-12
KARNEY_ERROR_KM = 15e-12
"""Of the reference itself, 15 nm by its author's word."""

Ends = tuple[FloatArray, FloatArray, FloatArray, FloatArray]


def by_karney(ends: Ends) -> FloatArray:
    return np.asarray(KARNEY.inv(*ends)[2]) / 1000.0


def near_pairs(size_deg: float, n: int, seed: int) -> Ends:
    """Draw pairs up to ``size_deg`` apart in latitude and longitude, all latitudes alike."""
    rng = np.random.default_rng(seed)
    lon1, lat1 = rng.uniform(-180, 180, n), rng.uniform(-90, 90, n)
    lat1[: n // 4] = np.copysign(90 - rng.uniform(0, size_deg, n // 4), lat1[: n // 4])
    lon1[-n // 8 :] = 180 - rng.uniform(0, size_deg, lon1[-n // 8 :].size)
    lat2 = np.clip(lat1 + rng.uniform(-size_deg, size_deg, n), -90, 90)
    lon2 = (lon1 + rng.uniform(-size_deg, size_deg, n) + 180) % 360 - 180
    return lon1, lat1, lon2, lat2


def far_pairs(n: int, seed: int) -> Ends:
    """Draw pairs of points anywhere on the globe."""
    rng = np.random.default_rng(seed)
    lat1, lat2 = np.degrees(np.arcsin(rng.uniform(-1, 1, (2, n))))
    return rng.uniform(-180, 180, n), lat1, rng.uniform(-180, 180, n), lat2


def antipodal_pairs(n: int, seed: int) -> Ends:
    """Draw pairs up to 35 degrees off the antipode, many close to it, a third at the equator."""
    rng = np.random.default_rng(seed)
    lon1, lat1, _, _ = far_pairs(n, seed)
    lat1[: n // 3] *= 1e-3
    away = rng.normal(size=(2, n)) * 10 ** rng.uniform(-6, 1.5, n)
    lat2 = np.clip(-lat1 + away[0], -90, 90)
    return lon1, lat1, (lon1 + away[1]) % 360 - 180, lat2


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
def test_great_circles_in_closed_form(
    lon1: float, lat1: float, lon2: float, lat2: float, share_of_half_turn: float
) -> None:
    found = great_circle_km(lon1, lat1, lon2, lat2)
    assert found == pytest.approx(share_of_half_turn * HALF_TURN_KM, rel=1e-14, abs=1e-9)


def test_tiny_great_circles_keep_their_digits() -> None:
    step = 1e-9  # degrees, a tenth of a millimeter
    found = great_circle_km(0.0, 0.0, step, 0.0)
    assert found == pytest.approx(np.radians(step) * EARTH_RADIUS_KM, rel=1e-12)


def test_great_circles_near_antipodes_keep_their_digits() -> None:
    step = 1e-6  # degrees; the plain haversine form is wrong by meters here
    found = HALF_TURN_KM - great_circle_km(0.0, 0.0, 180.0 - step, 0.0)
    assert found == pytest.approx(np.radians(step) * EARTH_RADIUS_KM, rel=1e-4)


def test_great_circles_agree_with_vectors() -> None:
    ends = far_pairs(500, seed=3)
    lon, lat = np.radians(ends[::2]), np.radians(ends[1::2])
    points = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
    sine = np.linalg.norm(np.cross(points[0], points[1]), axis=-1)
    cosine = (points[0] * points[1]).sum(axis=-1)
    expected = EARTH_RADIUS_KM * np.arctan2(sine, cosine)
    np.testing.assert_allclose(great_circle_km(*ends), expected, rtol=1e-12)


@pytest.mark.parametrize("length", [great_circle_km, geodesic_km])
def test_arguments_broadcast(length: Callable[..., FloatArray]) -> None:
    found = length(np.zeros((3, 1)), 0.0, [0.0, 90.0], 0.0)
    assert found.shape == (3, 2)
    np.testing.assert_allclose(found, [[0.0, length(0.0, 0.0, 90.0, 0.0)]] * 3)
    assert length(0.0, 0.0, 1.0, 0.0).shape == ()
    assert length([], [], [], []).shape == (0,)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("lon1", "lat1", "lon2", "lat2", "expected_km"),
    [
        (44.5, 40.2, 44.5, 40.2, 0.0),
        (7.0, 90.0, -80.0, 90.0, 0.0),  # the pole, whatever its longitude
        (-180.0, 12.0, 180.0, 12.0, 0.0),
        (360.0, 12.0, 0.0, 12.0, 0.0),
        (3.0, 0.0, 3.5, 0.0, HALF_EQUATOR_KM / 360),
        (0.0, 0.0, 90.0, 0.0, HALF_EQUATOR_KM / 2),
        (179.75, 0.0, -179.75, 0.0, HALF_EQUATOR_KM / 360),
        (5.0, -90.0, 5.0, 90.0, HALF_MERIDIAN_KM),
        (5.0, -90.0, 99.0, 90.0, HALF_MERIDIAN_KM),
        (0.0, 0.0, 180.0, 0.0, HALF_MERIDIAN_KM),  # over a pole, not along the equator
        (0.0, 0.0, 77.0, 90.0, HALF_MERIDIAN_KM / 2),
    ],
)
def test_geodesics_in_closed_form(
    lon1: float, lat1: float, lon2: float, lat2: float, expected_km: float, method: Method
) -> None:
    found = geodesic_km(lon1, lat1, lon2, lat2, method=method)
    assert found == pytest.approx(expected_km, rel=2e-11, abs=NANOMETER_KM)


@pytest.mark.parametrize("rise", [1e-4, 0.3, 1.0, 7.0, 60.0])
@pytest.mark.parametrize("lat", [-80.0, -0.1, 0.0, 29.9])
def test_meridian_arcs_agree_with_their_integral(lat: float, rise: float) -> None:
    def radius_km(phi: float) -> float:
        w = 1.0 - formulas.ECCENTRICITY2 * np.sin(phi) ** 2
        return formulas.SEMIMAJOR_KM * formulas.POLAR2 / w**1.5

    expected, _ = quad(radius_km, np.radians(lat), np.radians(lat + rise), epsrel=1e-13)
    assert geodesic_km(33.0, lat, 33.0, lat + rise) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("ends", "rtol"),
    [
        (near_pairs(1e-3, 4_000, seed=2), 1e-10),
        (near_pairs(0.1, 20_000, seed=3), 1e-10),
        (near_pairs(1.0, 20_000, seed=4), 5e-11),
        (near_pairs(3.0, 20_000, seed=5), 5e-11),  # half of them by the long series
        (far_pairs(20_000, seed=6), 2e-11),
        (antipodal_pairs(20_000, seed=7), 2e-11),
    ],
    ids=["100 m", "10 km", "100 km", "300 km", "anywhere", "antipodes"],
)
def test_geodesics_agree_with_karney(ends: Ends, rtol: float, method: Method) -> None:
    expected = by_karney(ends)
    found = geodesic_km(*ends, method=method)
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=KARNEY_ERROR_KM)


@pytest.mark.parametrize("lon", [12.0, -180.0, 179.99999998])
def test_tiny_geodesics_keep_their_digits(lon: float) -> None:
    lat = np.linspace(-89.99, 89.99, 1_001)
    east, north = 3e-8, 4e-8  # degrees: some millimeters
    x = np.sin(np.radians(lat)) ** 2
    w = 1.0 - formulas.ECCENTRICITY2 * x
    along = formulas.SEMIMAJOR_KM * np.sqrt((1.0 - x) / w) * np.radians(lon + east - lon)
    up = formulas.SEMIMAJOR_KM * formulas.POLAR2 / w**1.5 * np.radians(lat + north - lat)
    found = geodesic_km(lon, lat, (lon + east + 180.0) % 360.0 - 180.0, lat + north)
    np.testing.assert_allclose(found, np.hypot(along, up), rtol=1e-6)


def test_lengths_do_not_jump_where_the_series_change() -> None:
    lat = np.linspace(-89.0, 88.9, 1_000)
    limit = formulas.SHORT_DEG
    ends = 0.0, lat, np.array([[limit], [np.nextafter(limit, 2.0)]]), lat + 0.1
    short, long = geodesic_km(*ends)
    np.testing.assert_allclose(short, long, rtol=5e-11)
    assert (short != long).any()  # they are two series indeed


@pytest.mark.parametrize("ends", [near_pairs(3.0, 50_000, seed=8), antipodal_pairs(50_000, seed=9)])
def test_results_depend_on_neither_threads_nor_order(ends: Ends) -> None:
    one, three = (geodesic_km(*ends, threads=n, method="kernels") for n in (1, 3))
    np.testing.assert_array_equal(one, three)
    back = geodesic_km(*(values[::-1] for values in ends), method="kernels")
    np.testing.assert_array_equal(one, back[::-1])
    np.testing.assert_allclose(geodesic_km(*ends, method="numpy"), one, rtol=1e-12, atol=1e-15)


def random_lines(n_lines: int, seed: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Draw lines of 0 to 40 points; most of them short, some over the globe and to antipodes."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 40, n_lines)
    sizes[5] = 5_000  # longer than a block of the kernels
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    spread = np.repeat(np.where(rng.uniform(size=n_lines) < 0.1, 80.0, 0.4), sizes)
    start = np.repeat(rng.uniform((-180.0, -50.0), (180.0, 50.0), (n_lines, 2)), sizes, axis=0)
    lon = (start[:, 0] + rng.uniform(-1, 1, offsets[-1]) * spread * 2 + 180) % 360 - 180
    lat = np.clip(start[:, 1] + rng.uniform(-1, 1, offsets[-1]) * spread, -90, 90)
    return lon, lat, offsets


@pytest.mark.parametrize("method", METHODS)
def test_polylines_add_up_their_own_segments(method: Method) -> None:
    lon, lat, offsets = random_lines(3_000, seed=1)
    found = polyline_length_km(lon, lat, offsets, threads=1, method=method)
    expected = [
        KARNEY.line_length(lon[first:last], lat[first:last]) / 1000.0 if last > first else 0.0
        for first, last in pairwise(offsets.tolist())
    ]
    np.testing.assert_allclose(found, expected, rtol=5e-11)
    more = polyline_length_km(lon, lat, offsets, threads=4, method=method)
    np.testing.assert_array_equal(found, more)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("offsets", [[0], [0, 0], [0, 0, 0]])
def test_no_points_no_length(offsets: list[int], method: Method) -> None:
    found = polyline_length_km([], [], offsets, method=method)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, np.zeros(len(offsets) - 1))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("offsets", [[0, 1], [0, 1, 1], [0, 0, 1]])
def test_a_point_has_no_length(offsets: list[int], method: Method) -> None:
    found = polyline_length_km([7.0], [8.0], offsets, method=method)
    np.testing.assert_array_equal(found, np.zeros(len(offsets) - 1))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda method: geodesic_km(0, [0, 91], 0, 0, method=method),
            r"lat1 .*found 91.0 at position \[1\] \(1 of 2",
        ),
        (lambda method: geodesic_km(0, 0, [[np.nan]], 0, method=method), r"lon2 .*nan .* \[0, 0\]"),
        (lambda method: geodesic_km(0, 0, np.inf, 0, method=method), "lon2 .*found inf"),
        (lambda method: geodesic_km(0, 0, [0, 1], [0, 1, 2], method=method), "must broadcast"),
        (lambda method: geodesic_km("0", 0, 0, 0, method=method), "lon1 must hold numbers"),
        (lambda method: geodesic_km(1j, 0, 0, 0, method=method), "found dtype complex"),
        (lambda method: geodesic_km([[1], [1, 2]], 0, 0, 0, method=method), "unequal length"),
        (lambda method: geodesic_km(0, 0, 0, 0, 0, method), "threads must be a whole number >= 1"),
        (
            lambda method: polyline_length_km([0, 1], [0], [0, 2], method=method),
            r"shapes \(2,\) and \(1,\)",
        ),
        (
            lambda method: polyline_length_km([0, 400], [0, 0], [0, 1, 2], method=method),
            r"lon .*found 400.0 at position \[1\]",  # though it has no segment
        ),
        (
            lambda method: polyline_length_km([0, 0], [0, np.nan], [0, 2], method=method),
            "lat .*nan",
        ),
        (lambda method: polyline_length_km([0, 1], [0, 0], [0, 1], method=method), "0 to 2"),
        (lambda method: polyline_length_km([0, 1], [0, 0], [0, 2, 1, 2], method=method), "fall"),
        (lambda method: polyline_length_km([0, 1], [0, 0], [0.0, 2.0], method=method), "whole num"),
    ],
)
def test_bad_input_says_what_where_and_how_many(
    call: Callable[[Method], object], words: str, method: Method
) -> None:
    with pytest.raises(InputError, match=words):
        call(method)


def test_bad_input_of_great_circles_is_refused() -> None:
    with pytest.raises(InputError, match=r"lat1 .*found 91.0 at position \[1\] \(1 of 2"):
        great_circle_km(0, [0, 91], 0, 0)
    with pytest.raises(InputError, match="method must be 'auto', 'numpy' or 'kernels'"):
        geodesic_km(0, 0, 1, 1, method="scipy")  # type: ignore[arg-type]


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_small_work_loads_neither_numba_nor_pyproj() -> None:
    code = (
        "import sys\n"
        "from corridor.core.geodesy import geodesic_km\n"
        "geodesic_km(0, 0, [1, 120], 1)\n"
        "print('numba' in sys.modules, 'pyproj' in sys.modules)\n"
        "geodesic_km(0, 0, 180, 1)\n"
        "print('numba' in sys.modules, 'pyproj' in sys.modules)\n"
    )
    assert run_python(code).split() == ["False", "False", "False", "True"]


def test_kernels_come_from_the_disk_cache_in_a_new_process() -> None:
    code = (
        "import numpy as np\n"
        "from corridor.core.geodesy import _kernels\n"
        "from corridor.core.geodesy import geodesic_km, merge_points, polyline_length_km\n"
        "for writable in (True, False):\n"
        "    lon = np.linspace(0, 5, 6); lon.flags.writeable = writable\n"
        "    geodesic_km(lon, lon, lon, lon + 1, method='kernels')\n"
        "    polyline_length_km(lon, lon, [0, 6], method='kernels')\n"
        "    merge_points(lon, lon, 0.0, method='kernels')\n"
        "    merge_points(lon, lon, 0.1, method='kernels')\n"
        "entries = (_kernels.measure_segments, _kernels.measure_lines,"
        " _kernels.group_equal, _kernels.group_near)\n"
        "print([len(entry.signatures) for entry in entries],"
        " sum(sum(entry.stats.cache_misses.values()) for entry in entries))\n"
    )
    run_python(code)  # fills the cache
    assert run_python(code) == "[1, 1, 1, 1] 0"


@pytest.mark.parametrize("method", METHODS)
def test_places_are_numbered_as_they_come(method: Method) -> None:
    lon = [7.0, -180.0, 180.0, 540.0 - 360.0, -0.0, 0.0, 12.0, 99.0, 360.0]
    lat = [1.0, 5.0, 5.0, 5.0, 0.0, -0.0, 90.0, 90.0, 0.0]
    place, first = merge_points(lon, lat, method=method)
    assert place.tolist() == [0, 1, 1, 1, 2, 2, 3, 3, 2]
    assert first.tolist() == [0, 1, 4, 6]
    assert (place.dtype, first.dtype) == (np.int32, np.int32)


@pytest.mark.parametrize("tolerance_km", [0.0, 1e-6, 0.02, 3.0, 100.0])
def test_places_do_not_depend_on_the_method(tolerance_km: float) -> None:
    rng = np.random.default_rng(11)
    lon, lat = rng.uniform((43.0, 38.0), (47.0, 41.0), (3_000, 2)).T
    again = rng.integers(3_000, size=3_000)
    away = rng.normal(size=(2, 3_000)) * 10.0 ** rng.integers(-9, -1, 3_000)
    lon, lat = np.r_[lon, lon[again] + away[0]], np.r_[lat, lat[again] + away[1]]
    by_arrays = merge_points(lon, lat, tolerance_km, method="numpy")
    by_kernels = merge_points(lon, lat, tolerance_km, method="kernels")
    for expected, found in zip(by_arrays, by_kernels, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert 1 <= by_arrays[1].size <= 6_000


@pytest.mark.parametrize("tolerance_km", [1e-6, 0.3, 100.0])
@pytest.mark.parametrize("west", [-170.0, 0.0, 179.999_999_999])
@pytest.mark.parametrize("method", METHODS)
def test_steps_up_to_the_tolerance_join(method: Method, west: float, tolerance_km: float) -> None:
    """Pairs in all directions, far from each other, a bit nearer or farther than the tolerance."""
    rng = np.random.default_rng(5)
    lat, lon = (
        axis.ravel() for axis in np.meshgrid(np.arange(-80, 81, 16), west - 40.0 * np.arange(4))
    )
    turn, degrees = rng.uniform(0.0, 2.0 * np.pi, lat.size), tolerance_km / 111.2
    away = degrees * rng.choice([0.9, 0.99, 1.01, 1.1], lat.size)
    lat2 = lat + away * np.sin(turn)
    lon2 = lon + away * np.cos(turn) / np.cos(np.radians((lat + lat2) / 2.0))
    place, _ = merge_points(np.r_[lon, lon2], np.r_[lat, lat2], tolerance_km, method)
    one, two = place.reshape(2, -1)
    chord = np.linalg.norm(in_space(lon, lat) - in_space(lon2, lat2), axis=0)
    assert 0 < (chord <= tolerance_km).sum() < lat.size
    np.testing.assert_array_equal(one == two, chord <= tolerance_km)
    assert np.unique(one).size == lat.size


def in_space(lon: FloatArray, lat: FloatArray) -> FloatArray:
    """Return Cartesian coordinates (3, n) [km], by pyproj."""
    geocentric = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    return np.stack(geocentric.transform(lon, lat, np.zeros(lon.size))) / 1000.0


def test_points_at_the_poles_are_joined_by_kernels_too() -> None:
    lon, lat = [0.0, 90.0, 180.0, 10.0, 10.0], [89.9999, 89.9999, 89.9999, 0.0, 1e-5]
    place, first = merge_points(lon, lat, 0.03, method="kernels")
    assert (place.tolist(), first.tolist()) == ([0, 0, 0, 1, 1], [0, 3])


@pytest.mark.parametrize("method", METHODS)
def test_points_astray_are_those_that_others_stand_for(method: Method) -> None:
    lon, lat = [44.5, -315.5, 44.5, 44.5, 50.0], [40.0, 40.0, 40.001, 40.0, 40.0]
    place, first, astray = snap_points(lon, lat, 0.2, method)
    assert place.tolist() == [0, 0, 0, 0, 1]
    assert (first.tolist(), astray.tolist()) == ([0, 4], [2])
    assert snap_points(lon, lat, 0.0, method)[2].size == 0
    assert snap_points(lon, lat, 0.01, method)[2].size == 0


@pytest.mark.parametrize("method", METHODS)
def test_no_points_no_places(method: Method) -> None:
    for tolerance_km in (0.0, 1.0):
        place, first = merge_points([], [], tolerance_km, method=method)
        assert (place.size, first.size) == (0, 0)


@pytest.mark.parametrize("tolerance_km", [-1e-9, np.nan, np.inf, 100.1])
def test_bad_tolerances_are_refused(tolerance_km: float) -> None:
    with pytest.raises(InputError, match=r"tolerance_km must lie in 0\.\.100 km; found"):
        merge_points([0.0], [0.0], tolerance_km)


@pytest.mark.parametrize(
    ("lon", "lat", "words"),
    [
        ([0.0, 361.0], [0.0, 0.0], r"lon .*found 361.0 at position \[1\]"),
        ([0.0], [np.nan], "lat .*found nan"),
        ([0.0, 1.0], [0.0], r"shapes \(2,\) and \(1,\)"),
    ],
)
def test_bad_points_are_refused(lon: list[float], lat: list[float], words: str) -> None:
    with pytest.raises(InputError, match=words):
        merge_points(lon, lat)

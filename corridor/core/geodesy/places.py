"""Which points lie at one place."""

import numpy as np
import numpy.typing as npt

from corridor.core.geodesy import formulas
from corridor.core.geodesy._checks import (
    FloatArray,
    IntArray,
    Method,
    PositionArray,
    as_points,
    check_degrees,
    read_only,
    uses_kernels,
)
from corridor.errors import InputError

MOST_TOLERANCE_KM = 100.0
"""Straight lines are shorter than the way on the ground: by 1e-5 at this length."""

LEAST_KM_PER_DEG = 110.0
"""Degrees of latitude, and of longitude at the equator, are longer everywhere."""
FARTHEST_LATITUDE = 85.0
"""Beyond, a degree of longitude is too short to be a measure: the k-d tree answers."""


def merge_points(
    lon: npt.ArrayLike,
    lat: npt.ArrayLike,
    tolerance_km: float = 0.0,
    method: Method = "auto",
) -> tuple[IntArray, IntArray]:
    """Give each place at which points lie a number.

    Points up to ``tolerance_km`` apart lie at one place, and so do points that a chain of such
    steps joins: which ones are together does not depend on their order.

    Parameters
    ----------
    lon, lat
        (n_points,) degrees; longitudes in -360..360, latitudes in -90..90.
    tolerance_km
        Straight distance, 0..100 km; 0 = equal coordinates only (whole turns and the longitude of
        a pole aside).
    method
        ``"numpy"`` (with a k-d tree of SciPy), ``"kernels"`` (with a hash table; the tree beyond
        the latitudes of 85), or ``"auto"``: kernels for 1e6 points or more, or for 1e4 when numba
        is loaded already. Both give the same places.

    Returns
    -------
    place : IntArray
        int32 (n_points,): number of each point's place; places are numbered as they come.
    first : IntArray
        int32 (n_places,): the first point of each place.

    Raises
    ------
    InputError
        For shapes that do not fit, NaN or degrees out of range, or a tolerance out of range.

    Examples
    --------
    >>> merge_points([44.5, 45.0, 44.5, -315.0], [40.0, 41.0, 40.001, 41.0])
    (array([0, 1, 2, 1], dtype=int32), array([0, 1, 2], dtype=int32))
    >>> merge_points([44.5, 45.0, 44.5], [40.0, 41.0, 40.001], tolerance_km=0.2)[0]
    array([0, 1, 0], dtype=int32)
    """
    x, y, by_kernels = _asked(lon, lat, tolerance_km, method)
    return _merged(x, y, float(tolerance_km), by_kernels)[:2]


def snap_points(
    lon: npt.ArrayLike,
    lat: npt.ArrayLike,
    tolerance_km: float = 0.0,
    method: Method = "auto",
) -> tuple[IntArray, IntArray, PositionArray]:
    """Give each place a number as :func:`merge_points` does, and say which points are not there.

    Parameters
    ----------
    lon, lat, tolerance_km, method
        As there.

    Returns
    -------
    place, first : IntArray
        As there; a place is where its first point is.
    astray : PositionArray
        int64 (n_astray,), ascending: the points with other coordinates than the first one of their
        place, whole turns and the longitude of a pole aside.

    Raises
    ------
    InputError
        As there.

    Examples
    --------
    >>> snap_points([44.5, 45.0, 44.5, -315.5], [40.0, 41.0, 40.001, 40.0], tolerance_km=0.2)[2]
    array([2])
    """
    x, y, by_kernels = _asked(lon, lat, tolerance_km, method)
    place, first, joined = _merged(x, y, float(tolerance_km), by_kernels)
    if not joined:
        return place, first, np.empty(0, dtype=np.int64)
    return place, first, np.flatnonzero((x[first][place] != x) | (y[first][place] != y))


def _asked(
    lon: npt.ArrayLike, lat: npt.ArrayLike, tolerance_km: float, method: Method
) -> tuple[FloatArray, FloatArray, bool]:
    """Return coordinates that are equal where the places are, and whether to take kernels."""
    x, y = as_points(lon, lat)
    check_degrees("lon", x)
    check_degrees("lat", y)
    if not 0.0 <= tolerance_km <= MOST_TOLERANCE_KM:  # NaN fails the comparison as well
        message = (
            f"tolerance_km must lie in 0..{MOST_TOLERANCE_KM:g} km; found {tolerance_km!r}; "
            "check the unit"
        )
        raise InputError(message)
    return *_unique_degrees(x, y), uses_kernels(method, x.size)


def _merged(
    lon: FloatArray,
    lat: FloatArray,
    reach: float,
    by_kernels: bool,  # noqa: FBT001
) -> tuple[IntArray, IntArray, bool]:
    """Return each point's place, the first point of each, and whether any joins unequal points."""
    if by_kernels and reach > 0.0 and lon.size:
        high = reach / LEAST_KM_PER_DEG
        farthest = float(np.abs(lat).max()) + high
        if farthest <= FARTHEST_LATITUDE:
            return _near_by_kernels(lon, lat, reach, high / np.cos(np.radians(farthest)), high)
    place, first = _equal_by_kernels(lon, lat) if by_kernels else _equal_by_arrays(lon, lat)
    if reach == 0.0 or first.size == 0:
        return place, first, False
    number, kept = _as_they_come(_near_by_arrays(lon[first], lat[first], reach))
    return number[place], first[kept], kept.size < first.size


def _unique_degrees(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return coordinates that are equal where the places are."""
    half, pole = formulas.TURN / 2.0, formulas.MAX_LATITUDE
    if not -half < lon.min(initial=0.0) <= lon.max(initial=0.0) < half:
        lon = lon - formulas.TURN * np.rint(lon / formulas.TURN)
        lon[lon == -half] = half
    if not -pole < lat.min(initial=0.0) <= lat.max(initial=0.0) < pole:
        lon = np.where(np.abs(lat) == pole, 0.0, lon)
    return read_only(lon), read_only(lat)


def _in_space(lon: FloatArray, lat: FloatArray) -> FloatArray:
    """Return Cartesian coordinates (n, 3) of points on the ellipsoid [km]."""
    sine, cosine = formulas.reduced_latitude(lat)
    turn = np.radians(lon)
    across = formulas.SEMIMAJOR_KM * cosine
    axes = across * np.cos(turn), across * np.sin(turn), formulas.SEMIMINOR_KM * sine
    return np.stack(axes, axis=1)


def _as_they_come(lowest: IntArray) -> tuple[IntArray, IntArray]:
    """Return number and first point of sets given by their lowest point."""
    is_first = lowest == np.arange(lowest.size)
    number = np.cumsum(is_first, dtype=np.int32) - np.int32(1)
    return number[lowest], np.flatnonzero(is_first).astype(np.int32)


def _equal_by_arrays(lon: FloatArray, lat: FloatArray) -> tuple[IntArray, IntArray]:
    order = np.lexsort((lat, lon))  # stable: the first of equal points comes first
    x, y = lon[order], lat[order]
    starts = np.ones(order.size, dtype=np.bool_)
    starts[1:] = (x[1:] != x[:-1]) | (y[1:] != y[:-1])
    lowest = np.empty(order.size, dtype=np.int32)
    lowest[order] = order[starts][np.cumsum(starts) - 1]
    return _as_they_come(lowest)


def _near_by_arrays(lon: FloatArray, lat: FloatArray, reach: float) -> IntArray:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import KDTree

    points = _in_space(lon, lat)
    pairs = KDTree(points).query_pairs(reach, output_type="ndarray")
    ones = np.ones(len(pairs), dtype=np.int8)
    steps = coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(len(points), len(points)))
    _, label = connected_components(steps, directed=False)
    _, first = np.unique(label, return_index=True)
    lowest: IntArray = first[label].astype(np.int32)
    return lowest


def _empty_table(n_points: int) -> tuple[IntArray, int]:
    """Return a hash table with room to spare, and how far to shift 64 bits for its slots."""
    bits = max(1, (2 * n_points - 1).bit_length())
    return np.full(1 << bits, -1, dtype=np.int32), 64 - bits


def _equal_by_kernels(lon: FloatArray, lat: FloatArray) -> tuple[IntArray, IntArray]:
    from corridor.core.geodesy import _kernels

    table, shift = _empty_table(lon.size)
    place, first = np.empty((2, lon.size), dtype=np.int32)
    size = _kernels.group_equal(lon, lat, table, shift, place, first)
    return place, first[:size].copy()


def _near_by_kernels(
    lon: FloatArray, lat: FloatArray, reach: float, wide: float, high: float
) -> tuple[IntArray, IntArray, bool]:
    from corridor.core.geodesy import _kernels

    table, shift = _empty_table(lon.size)
    following, place, first = np.empty((3, lon.size), dtype=np.int32)
    size, apart = _kernels.group_near(
        lon, lat, reach, float(wide), high, table, shift, following, place, first
    )
    return place, first[:size].copy(), apart

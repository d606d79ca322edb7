"""Lengths on the sphere from longitudes and latitudes."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from corridor.errors import InputError
from corridor.units import EARTH_RADIUS_KM

FloatArray: TypeAlias = npt.NDArray[np.float64]

MAX_LATITUDE = 90.0
MAX_LONGITUDE = 360.0


def great_circle_km(
    lon1: npt.ArrayLike, lat1: npt.ArrayLike, lon2: npt.ArrayLike, lat2: npt.ArrayLike
) -> FloatArray:
    """Return great-circle distances [km].

    Parameters
    ----------
    lon1, lat1, lon2, lat2
        Degrees, broadcast against each other; latitudes in -90..90, longitudes in -360..360.

    Returns
    -------
    FloatArray
        float64, in the broadcast shape (zero-dimensional for scalars), 0..20,015 km.

    Raises
    ------
    InputError
        For NaN, or degrees out of range.

    Notes
    -----
    The sphere has the Earth's mean radius, 6371.0088 km; the ellipsoid differs by up to 0.6 %.
    The haversine form loses digits near the antipode, the cosine form at short distances; this
    one takes ``2 asin`` of the half chord to the point or ``pi - 2 asin`` of that to its antipode,
    whichever is shorter, and is exact to rounding everywhere. The half chord is the haversine of
    R. W. Sinnott, "Virtues of the haversine", Sky and Telescope 68 (1984).

    Examples
    --------
    >>> round(float(great_circle_km(44.51, 40.18, 41.64, 41.65)), 1)  # Yerevan - Batumi
    291.3
    """
    lambda1, phi1, lambda2, phi2 = (
        np.radians(_as_degrees(name, values, limit))
        for name, values, limit in (
            ("lon1", lon1, MAX_LONGITUDE),
            ("lat1", lat1, MAX_LATITUDE),
            ("lon2", lon2, MAX_LONGITUDE),
            ("lat2", lat2, MAX_LATITUDE),
        )
    )
    half_turn = (lambda2 - lambda1) / 2.0
    cosines = np.cos(phi1) * np.cos(phi2)
    near = np.sin((phi2 - phi1) / 2.0) ** 2 + cosines * np.sin(half_turn) ** 2
    # The antipode of point 2 has the latitude -phi2 and lies half a turn further on.
    far = np.sin((phi2 + phi1) / 2.0) ** 2 + cosines * np.cos(half_turn) ** 2
    angle = np.where(
        near <= far,
        2.0 * np.arcsin(np.sqrt(np.minimum(near, 1.0))),
        np.pi - 2.0 * np.arcsin(np.sqrt(np.minimum(far, 1.0))),
    )
    return np.asarray(EARTH_RADIUS_KM * angle, dtype=np.float64)


def polyline_length_km(
    lon: npt.ArrayLike, lat: npt.ArrayLike, offsets: npt.ArrayLike
) -> FloatArray:
    """Return the length of each polyline [km]: the sum of its great-circle segments.

    Parameters
    ----------
    lon, lat
        (n_points,) degrees; the points of all lines one after the other.
    offsets
        (n_lines + 1,) whole numbers from 0 to n_points, not falling: line ``i`` has the points
        ``offsets[i]:offsets[i + 1]``.

    Returns
    -------
    FloatArray
        float64 (n_lines,) >= 0; a line of fewer than two points has length 0.

    Raises
    ------
    InputError
        For shapes that do not fit, offsets that fall or miss the ends, NaN or degrees out of range.

    Examples
    --------
    >>> polyline_length_km([0, 90, 180, 0, 0], [0, 0, 0, 0, 90], [0, 3, 5]).round(1)
    array([20015.1, 10007.6])
    """
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        message = (
            f"lon and lat must be one-dimensional and equally long; found shapes {x.shape} and "
            f"{y.shape}; give both for every point"
        )
        raise InputError(message)
    ends = _as_offsets(offsets, x.size)
    # Running totals would lose digits over many lines; each line adds up its own segments.
    segments = great_circle_km(x[:-1], y[:-1], x[1:], y[1:])
    line = np.repeat(np.arange(ends.size - 1), np.diff(ends))
    inside = line[:-1] == line[1:]
    lengths = np.bincount(line[:-1][inside], weights=segments[inside], minlength=ends.size - 1)
    return lengths.astype(np.float64)  # of no segments at all, bincount returns integers


def _as_degrees(name: str, values: npt.ArrayLike, limit: float) -> FloatArray:
    degrees = np.asarray(values, dtype=np.float64)
    bad = ~(np.abs(degrees) <= limit)  # NaN fails the comparison as well
    if bad.any():
        first = degrees[bad][0]
        message = (
            f"{name} must lie in -{limit:g}..{limit:g} degrees; found {first} at position "
            f"{np.argwhere(bad)[0].tolist()} ({int(bad.sum())} of {degrees.size} values); "
            "check the order of longitude and latitude, and the unit"
        )
        raise InputError(message)
    return degrees


def _as_offsets(offsets: npt.ArrayLike, n_points: int) -> npt.NDArray[np.int64]:
    array = np.asarray(offsets)
    whole = array.ndim == 1 and array.size > 0 and array.dtype.kind in "iu"
    if not whole or array[0] != 0 or array[-1] != n_points or (array[1:] < array[:-1]).any():
        message = (
            f"offsets must be whole numbers from 0 to {n_points} that do not fall; found "
            f"{np.array2string(array, threshold=6)}; give where each line starts, and the end"
        )
        raise InputError(message)
    return array.astype(np.int64)

"""Lengths on the sphere and on the ellipsoid from longitudes and latitudes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from corridor.core.geodesy import formulas
from corridor.core.geodesy._checks import (
    FloatArray,
    Method,
    PositionArray,
    as_numbers,
    as_offsets,
    as_points,
    check_degrees,
    read_only,
    uses_kernels,
)
from corridor.core.threads import as_threads
from corridor.errors import InputError
from corridor.units import EARTH_RADIUS_KM

Block = Callable[[int, int], bool]

NAMES = ("lon1", "lat1", "lon2", "lat2")
BLOCK_POINTS, BLOCK_SEGMENTS = 1 << 16, 1 << 13
"""Points of lines, mostly short segments, and segments of any length for each thread at least, so
that starting it pays."""
M_PER_KM = 1000.0


def great_circle_km(
    lon1: npt.ArrayLike, lat1: npt.ArrayLike, lon2: npt.ArrayLike, lat2: npt.ArrayLike
) -> FloatArray:
    """Return great-circle distances on the sphere [km].

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
    The sphere has the Earth's mean radius, 6371.0088 km; lengths on the ellipsoid, which
    :func:`geodesic_km` gives, differ by up to 0.6 %, either way. The haversine form loses digits
    near the antipode, the cosine form at short distances; this one takes ``2 asin`` of the half
    chord to the point or ``pi - 2 asin`` of that to its antipode, whichever is shorter, and is
    exact to rounding everywhere. The half chord is the haversine of R. W. Sinnott, "Virtues of
    the haversine", Sky and Telescope 68 (1984).

    Examples
    --------
    >>> round(float(great_circle_km(44.51, 40.18, 41.64, 41.65)), 1)  # Yerevan - Batumi
    291.3
    """
    degrees = [as_numbers(*pair) for pair in zip(NAMES, (lon1, lat1, lon2, lat2), strict=True)]
    for name, values in zip(NAMES, degrees, strict=True):
        check_degrees(name, values)
    lambda1, phi1, lambda2, phi2 = (np.radians(values) for values in degrees)
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


def geodesic_km(
    lon1: npt.ArrayLike,
    lat1: npt.ArrayLike,
    lon2: npt.ArrayLike,
    lat2: npt.ArrayLike,
    threads: int | None = None,
    method: Method = "auto",
) -> FloatArray:
    """Return lengths of the shortest ways on the WGS84 ellipsoid [km].

    Parameters
    ----------
    lon1, lat1, lon2, lat2
        Degrees, broadcast against each other; latitudes in -90..90, longitudes in -360..360.
    threads
        Threads to use; None takes every core the process may use. Results do not depend on it.
    method
        ``"numpy"``, ``"kernels"``, or ``"auto"``: kernels for 1e6 segments or more, or for 1e4
        when numba is loaded already. They agree to a relative 1e-12.

    Returns
    -------
    FloatArray
        float64, in the broadcast shape (zero-dimensional for scalars), 0..20,004 km; the relative
        error is below 1e-10.

    Raises
    ------
    InputError
        For NaN, degrees out of range, or shapes that do not fit each other.

    Notes
    -----
    Segments of up to 1 degree of latitude and of longitude take a series about their mean
    latitude (:func:`corridor.core.geodesy.formulas.short_km`), longer ones that of Vincenty, and
    those over 150 degrees of arc, where it converges slowly or not at all, the method of Karney
    in pyproj: C. F. F. Karney, "Algorithms for geodesics", Journal of Geodesy 87 (2013). The
    errors measured against the latter are 3e-11, 2e-11 and none.

    Examples
    --------
    >>> round(float(geodesic_km(44.51, 40.18, 41.64, 41.65)), 3)  # Yerevan - Batumi
    291.703
    >>> geodesic_km(0, 0, [0, 180], [90, 0]).round(3)  # to the pole, to the antipode
    array([10001.966, 20003.931])
    """
    degrees = [as_numbers(*pair) for pair in zip(NAMES, (lon1, lat1, lon2, lat2), strict=True)]
    try:
        shape = np.broadcast_shapes(*(values.shape for values in degrees))
    except ValueError as error:
        shapes = ", ".join(str(values.shape) for values in degrees)
        message = f"lon1, lat1, lon2 and lat2 must broadcast; found shapes {shapes}; align them"
        raise InputError(message) from error
    by_kernels, n_threads = uses_kernels(method, int(np.prod(shape))), as_threads(threads)
    flat = [read_only(np.broadcast_to(values, shape)).reshape(-1) for values in degrees]
    if not by_kernels or not _measured_by_kernels(flat, out := np.empty(shape), n_threads):
        for name, values in zip(NAMES, degrees, strict=True):
            check_degrees(name, values)
        return _by_arrays(*flat).reshape(shape)
    open_ends = np.flatnonzero(np.isnan(out))
    if open_ends.size:
        out.reshape(-1)[open_ends] = _by_arrays(*(values[open_ends] for values in flat))
    return out


def polyline_length_km(
    lon: npt.ArrayLike,
    lat: npt.ArrayLike,
    offsets: npt.ArrayLike,
    threads: int | None = None,
    method: Method = "auto",
) -> FloatArray:
    """Return the length of each polyline on the WGS84 ellipsoid [km]: the sum of its geodesics.

    Parameters
    ----------
    lon, lat
        (n_points,) degrees; the points of all lines one after the other.
    offsets
        (n_lines + 1,) whole numbers from 0 to n_points, not falling: line ``i`` has the points
        ``offsets[i]:offsets[i + 1]``.
    threads, method
        As in :func:`geodesic_km`.

    Returns
    -------
    FloatArray
        float64 (n_lines,) >= 0; a line of fewer than two points has length 0. The relative error
        is below 1e-10.

    Raises
    ------
    InputError
        For shapes that do not fit, offsets that fall or miss the ends, NaN or degrees out of range.

    Examples
    --------
    >>> polyline_length_km([0, 90, 180, 0, 0], [0, 0, 0, 0, 90], [0, 3, 5]).round(1)
    array([20037.5, 10002. ])
    """
    x, y = as_points(lon, lat)
    ends = as_offsets(offsets, x.size)
    out, n_threads = np.empty(ends.size - 1), as_threads(threads)
    if not uses_kernels(method, x.size) or not _summed_by_kernels(x, y, ends, out, n_threads):
        check_degrees("lon", x)
        check_degrees("lat", y)
        return _sums_by_arrays(x, y, ends, np.arange(out.size))
    open_lines = np.flatnonzero(np.isnan(out))
    if open_lines.size:
        out[open_lines] = _sums_by_arrays(x, y, ends, open_lines)
    return out


def _measured_by_kernels(flat: list[FloatArray], out: FloatArray, threads: int) -> bool:
    """Write lengths, NaN where no series serves; return whether all degrees are in range."""
    from corridor.core.geodesy import _kernels

    flat_out = out.reshape(-1)

    def work(first: int, last: int) -> bool:
        x1, y1, x2, y2 = (values[first:last] for values in flat)
        return _kernels.measure_segments(x1, y1, x2, y2, flat_out[first:last])

    n_blocks = max(1, min(threads, out.size // BLOCK_SEGMENTS))
    return _run(work, np.linspace(0, out.size, n_blocks + 1).astype(int).tolist())


def _summed_by_kernels(
    lon: FloatArray, lat: FloatArray, ends: PositionArray, out: FloatArray, threads: int
) -> bool:
    """Do the same for sums over lines; blocks hold whole lines and about as many points each."""
    from corridor.core.geodesy import _kernels

    def work(first: int, last: int) -> bool:
        return _kernels.measure_lines(lon, lat, ends[first : last + 1], out[first:last])

    n_blocks = max(1, min(threads, lon.size // BLOCK_POINTS))
    shares = np.linspace(0, lon.size, n_blocks + 1)[1:-1]
    return _run(work, [0, *np.searchsorted(ends[:-1], shares).tolist(), out.size])


def _run(work: Block, edges: list[int]) -> bool:
    """Return whether all blocks between the edges went well, each on a thread of its own."""
    blocks = list(pairwise(edges))
    if len(blocks) == 1:
        return work(*blocks[0])
    with ThreadPoolExecutor(len(blocks) - 1) as pool:
        others = [pool.submit(work, *block) for block in blocks[1:]]
        right = work(*blocks[0])  # the caller works too
        return all([right, *(other.result() for other in others)])


def _by_arrays(
    lon1: FloatArray, lat1: FloatArray, lon2: FloatArray, lat2: FloatArray
) -> FloatArray:
    """Return the lengths of segments without kernels; all arrays are flat and in range."""
    ends = np.stack([lon1, lat1, lon2, lat2])
    out = np.full(lon1.size, np.nan)
    near = formulas.is_short(*ends)
    out[near] = formulas.short_km(*ends[:, near])
    farther = np.flatnonzero(~near)
    length, arc = formulas.long_km(*ends[:, farther])
    out[farther] = length
    antipodal = farther[arc > formulas.LONG_RADIANS]
    if antipodal.size:
        from pyproj import Geod

        # As lists: pyproj takes an array of one value for a scalar, of which NumPy 2.1 warns.
        meters = Geod(ellps="WGS84").inv(*ends[:, antipodal].tolist())[2]
        out[antipodal] = np.asarray(meters) / M_PER_KM
    return out


def _sums_by_arrays(
    lon: FloatArray, lat: FloatArray, ends: PositionArray, lines: PositionArray
) -> FloatArray:
    """Return the sums of the segments of some lines without kernels."""
    n_segments = np.maximum(np.diff(ends)[lines] - 1, 0)
    line = np.repeat(np.arange(lines.size), n_segments)
    before = np.cumsum(n_segments) - n_segments
    first = np.arange(line.size) + np.repeat(ends[lines] - before, n_segments)
    lengths = _by_arrays(lon[first], lat[first], lon[first + 1], lat[first + 1])
    # Running totals would lose digits over many lines; each line adds up its own segments.
    sums = np.bincount(line, weights=lengths, minlength=lines.size)
    return sums.astype(np.float64)  # of no segments at all, bincount returns integers

"""Lines over the 180th meridian: cut in two, as GeoJSON and every flat map want them.

A step of more than half a turn between two points is taken the short way round. [1]_

References
----------
.. [1] H. Butler et al., "The GeoJSON format", RFC 7946, section 3.1.9, 2016.
"""

from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

_HALF_TURN: Final = 180.0
TURN: Final = 360.0
"""Degrees of a whole turn."""
_RIGHT_ANGLE: Final = 90.0


def cut_lines(lines: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return lines with all longitudes within a turn, cut where they pass the 180th meridian.

    Parameters
    ----------
    lines : ndarray of object, shape (n_lines,)
        Shapely lines in degrees.

    Returns
    -------
    ndarray of object, shape (n_lines,)
        The same lines; those over the meridian are multi-lines, their parts in order.

    Examples
    --------
    >>> lines = np.array([shapely.LineString([(170, 0), (-170, 10)])], dtype=object)
    >>> cut_lines(lines)[0].wkt
    'MULTILINESTRING ((170 0, 180 5), (-180 5, -170 10))'
    """
    points, line = shapely.get_coordinates(lines, return_index=True)
    lon = points[:, 0]
    step = (np.abs(np.diff(lon)) > _HALF_TURN) & (np.diff(line) == 0)
    over = np.union1d(line[1:][step], line[np.abs(lon) > _HALF_TURN])
    cut = np.array(lines, dtype=object)
    for position in over.tolist():
        cut[position] = _cut(points[line == position])
    return cut


def unroll_lines(lines: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return lines whose longitudes run on where they pass the 180th meridian: 179, 181.

    Parameters
    ----------
    lines : ndarray of object, shape (n_lines,)
        Shapely lines in degrees.

    Returns
    -------
    ndarray of object, shape (n_lines,)
        The same lines; each step is at most half a turn.

    Examples
    --------
    >>> unroll_lines(np.array([shapely.LineString([(179, 0), (-179, 0)])], dtype=object))[0].wkt
    'LINESTRING (179 0, 181 0)'
    """
    points, line = shapely.get_coordinates(lines, return_index=True)
    step = np.diff(points[:, 0])
    turns = np.where(np.diff(line) == 0, -np.rint(step / TURN), 0.0)
    if not turns.any():
        return lines
    total = np.concatenate([[0.0], np.cumsum(turns)])
    starts = np.flatnonzero(np.concatenate([[True], np.diff(line) != 0]))
    points[:, 0] += TURN * (total - total[starts][line])
    unrolled: NDArray[np.object_] = shapely.set_coordinates(np.array(lines, dtype=object), points)
    return unrolled


def _cut(points: NDArray[np.float64]) -> shapely.Geometry:
    """Return one line cut at every odd half turn, each part moved back into the first turn."""
    lon = np.unwrap(points[:, 0], period=TURN)
    whole = shapely.linestrings(np.column_stack([lon, points[:, 1]]))
    turns = np.floor((np.array([lon.min(), lon.max()]) + _HALF_TURN) / TURN).astype(int)
    parts: list[shapely.Geometry] = []
    for turn in range(turns[0], turns[1] + 1):
        west = turn * TURN - _HALF_TURN
        inside = shapely.clip_by_rect(whole, west, -_RIGHT_ANGLE, west + TURN, _RIGHT_ANGLE)
        back = np.array([turn * TURN, 0.0])
        moved = shapely.transform(inside, lambda xy, back=back: xy - back)
        parts.extend(part for part in shapely.get_parts(moved) if part.length > 0)
    if lon[0] > lon[-1]:
        parts.reverse()
    return parts[0] if len(parts) == 1 else shapely.multilinestrings(parts)

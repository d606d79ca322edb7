"""Geometry on the flat map: Web Mercator meters, lines cut where the map ends."""

import math
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
Geometries: TypeAlias = NDArray[np.object_]

RADIUS_M: Final = 6378137.0
"""Radius of the sphere of EPSG:3857."""
_MOST_LAT: Final = 85.0


class Box(NamedTuple):
    """A box on the map [m]."""

    west: float
    south: float
    east: float
    north: float

    def grown(self, share: float, least_m: float = 0.0) -> "Box":
        """Return the box with a margin on each side, and no narrower than `least_m`.

        Examples
        --------
        >>> Box(0.0, 0.0, 10.0, 20.0).grown(0.1)
        Box(west=-1.0, south=-2.0, east=11.0, north=22.0)
        """
        x = max((self.east - self.west) * share, (least_m - self.east + self.west) / 2.0)
        y = max((self.north - self.south) * share, (least_m - self.north + self.south) / 2.0)
        return Box(self.west - x, self.south - y, self.east + x, self.north + y)


def project(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return Web Mercator coordinates (EPSG:3857).

    Parameters
    ----------
    lon, lat : ndarray of float64, shape (n_points,)
        Degrees; latitudes are held within 85 degrees, where the map ends.

    Returns
    -------
    x, y : ndarray of float64, shape (n_points,)
        Meters: x = R lon, y = R ln tan(45 + lat / 2).

    Examples
    --------
    >>> x, y = project(np.array([0.0, 180.0]), np.array([10.0, 45.0]))
    >>> x.round(0).tolist(), y.round(0).tolist()
    ([0.0, 20037508.0], [1118890.0, 5621521.0])
    """
    held = np.clip(lat, -_MOST_LAT, _MOST_LAT)
    x = RADIUS_M * np.radians(lon)
    y = RADIUS_M * np.log(np.tan(np.pi / 4.0 + np.radians(held) / 2.0))
    return np.asarray(x), np.asarray(y)


def path_of(line: shapely.Geometry) -> tuple[list[float], list[float]]:
    """Return the points of a line on the map, with a NaN between the parts of a multi-line.

    Examples
    --------
    >>> parts = shapely.MultiLineString([[(179, 0), (180, 0)], [(-180, 0), (-179, 0)]])
    >>> xs, _ = path_of(parts)
    >>> [round(x / 1e3) for x in xs if x == x], sum(x != x for x in xs)
    ([19926, 20038, -20038, -19926], 1)
    """
    xs: list[float] = []
    ys: list[float] = []
    for part in shapely.get_parts(line):
        points = shapely.get_coordinates(part)
        x, y = project(points[:, 0], points[:, 1])
        gap = [math.nan] if xs else []
        xs += [*gap, *_rounded(x)]
        ys += [*gap, *_rounded(y)]
    return xs, ys


def _rounded(values: FloatArray) -> list[float]:
    """Return meters without decimals: the file is shorter and no eye sees it."""
    return [float(value) for value in np.round(values)]


def box_of(xs: Iterable[float], ys: Iterable[float]) -> Box:
    """Return the box around points; NaN is left out, no point gives the box around (0, 0)."""
    x = np.asarray(list(xs), dtype=np.float64)
    y = np.asarray(list(ys), dtype=np.float64)
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return Box(0.0, 0.0, 0.0, 0.0)
    x, y = x[known], y[known]
    return Box(float(x.min()), float(y.min()), float(x.max()), float(y.max()))


class Land(NamedTuple):
    """Outlines of states on the map, one entry a state."""

    codes: list[str]
    xs: list[list[list[list[float]]]]
    ys: list[list[list[list[float]]]]
    label_x: list[float]
    label_y: list[float]


def land_within(outlines: Mapping[str, shapely.Geometry], box: Box) -> Land:
    """Return the outlines of states as far as they lie in a box.

    Parameters
    ----------
    outlines
        (Multi)polygons in degrees by ISO 3166 alpha-3 code.
    box
        The part of the map that is wanted [m].
    """
    frame = shapely.box(*box)
    land = Land([], [], [], [], [])
    for code, shape in outlines.items():
        inside = shapely.intersection(_flat(shape), frame)
        parts = [part for part in shapely.get_parts(inside) if part.area > 0.0]
        if not parts:
            continue
        rings = [[part.exterior, *part.interiors] for part in parts]
        points = [[shapely.get_coordinates(ring) for ring in part] for part in rings]
        land.codes.append(code)
        land.xs.append([[_rounded(ring[:, 0]) for ring in part] for part in points])
        land.ys.append([[_rounded(ring[:, 1]) for ring in part] for part in points])
        label = shapely.point_on_surface(max(parts, key=lambda part: part.area))
        land.label_x.append(round(label.x))
        land.label_y.append(round(label.y))
    return land


def _flat(shape: shapely.Geometry) -> shapely.Geometry:
    def onto_map(points: FloatArray) -> FloatArray:
        return np.column_stack(project(points[:, 0], points[:, 1]))

    return shapely.make_valid(shapely.transform(shape, onto_map))

"""Outlines of states: whether a place lies in the state it is said to lie in."""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import shapely
from numpy.typing import NDArray

from corridor import datasets
from corridor.errors import InputError
from corridor.units import EARTH_RADIUS_KM

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_KM_PER_DEGREE = EARTH_RADIUS_KM * np.pi / 180.0


def read_outlines(folder: Path | None = None) -> Mapping[str, shapely.Geometry]:
    """Read the outlines of states.

    Parameters
    ----------
    folder
        Folder of GeoJSON files whose features have the property ``iso3``; None = the bundled ones.

    Returns
    -------
    Mapping of str to shapely Geometry
        (Multi)polygons in degrees by ISO 3166 alpha-3 code, features of one code joined. Read once
        a process.

    Raises
    ------
    InputError
        If a file is no GeoJSON feature collection.
    """
    return _read(datasets.root() / "outlines" if folder is None else Path(folder))


@lru_cache(maxsize=4)
def _read(folder: Path) -> Mapping[str, shapely.Geometry]:
    parts: dict[str, list[shapely.Geometry]] = {}
    for path in sorted(folder.glob("*.geojson")):
        try:
            features = json.loads(path.read_text(encoding="utf-8"))["features"]
            for feature in features:
                code = str(feature["properties"].get("iso3", ""))
                shape = shapely.from_geojson(json.dumps(feature["geometry"]))
                parts.setdefault(code, []).append(shape)
        except (ValueError, KeyError, TypeError, shapely.errors.ShapelyError) as error:
            msg = (
                f"{path} must be a GeoJSON FeatureCollection with the property iso3; {error!r}. "
                "Replace the file."
            )
            raise InputError(msg) from error
    parts.pop("", None)
    joined = {code: shapely.union_all(shapes) for code, shapes in parts.items()}
    for shape in joined.values():
        shapely.prepare(shape)
    return MappingProxyType(joined)


def km_outside(outline: shapely.Geometry, lon: FloatArray, lat: FloatArray) -> FloatArray:
    """Return how far points lie outside an outline [km].

    Parameters
    ----------
    outline
        Polygon or multipolygon in degrees.
    lon, lat : ndarray of float64, shape (n_points,)
        Degrees.

    Returns
    -------
    ndarray of float64, shape (n_points,)
        0 inside. Distances are taken on the plane that is true to scale at the point, good to 1 %
        within 100 km of the border below 65 degrees of latitude.

    Examples
    --------
    >>> square = shapely.box(0.0, 0.0, 1.0, 1.0)
    >>> km_outside(square, np.array([0.5, 2.0]), np.array([0.5, 0.0])).round(1)
    array([  0. , 111.2])
    """
    distance = np.zeros(len(lon))
    outside = ~np.asarray(shapely.intersects_xy(outline, lon, lat), dtype=np.bool_)
    for point in np.flatnonzero(outside):
        # A loop over the few points outside: each has its own scale of longitude.
        scale = np.array([np.cos(np.radians(lat[point])), 1.0])
        flat = shapely.transform(outline, lambda points, scale=scale: points * scale)
        place = shapely.Point(lon[point] * scale[0], lat[point])
        distance[point] = shapely.distance(flat, place) * _KM_PER_DEGREE
    return distance


def within_cover(
    outlines: Mapping[str, shapely.Geometry], lon: FloatArray, lat: FloatArray
) -> BoolArray:
    """Return which points lie in the box that the outlines cover, bool of shape (n_points,)."""
    if not outlines:
        return np.zeros(len(lon), dtype=np.bool_)
    west, south, east, north = shapely.total_bounds(list(outlines.values()))
    return np.asarray((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))

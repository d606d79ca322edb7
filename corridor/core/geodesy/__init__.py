"""Lengths and places on the Earth, from longitudes and latitudes."""

from corridor.core.geodesy._checks import Method
from corridor.core.geodesy.lengths import geodesic_km, great_circle_km, polyline_length_km
from corridor.core.geodesy.places import merge_points, snap_points

__all__ = [
    "Method",
    "geodesic_km",
    "great_circle_km",
    "merge_points",
    "polyline_length_km",
    "snap_points",
]

"""Lengths and places on the Earth, from longitudes and latitudes."""

from corridor.core.geodesy.lengths import geodesic_km, great_circle_km, polyline_length_km

__all__ = ["geodesic_km", "great_circle_km", "polyline_length_km"]

"""Functions on results: tables for the terminal, JSON for machines, a GeoPackage for a GIS."""

from corridor.report.geopackage import write_geopackage
from corridor.report.outputs import check_folder, write_outputs

__all__ = ["check_folder", "write_geopackage", "write_outputs"]

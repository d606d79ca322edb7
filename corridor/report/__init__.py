"""Functions on results: tables for terminals and notebooks, maps, JSON, files for GIS and Excel."""

from corridor.report.files.comparisons import write_indicators, write_paths, write_ways
from corridor.report.files.geopackage import write_geopackage
from corridor.report.files.geoparquet import write_geoparquet
from corridor.report.files.outputs import WRITERS, write_outputs
from corridor.report.files.packages import write_package
from corridor.report.files.scratch import check_folder
from corridor.report.files.workbook import write_workbook
from corridor.report.maps.interactive import plot_map
from corridor.report.maps.static import draw_map, write_map
from corridor.report.notebooks import NotebookTables, show_tables
from corridor.report.page import write_report

__all__ = [
    "WRITERS",
    "NotebookTables",
    "check_folder",
    "draw_map",
    "plot_map",
    "show_tables",
    "write_geopackage",
    "write_geoparquet",
    "write_indicators",
    "write_map",
    "write_outputs",
    "write_package",
    "write_paths",
    "write_report",
    "write_ways",
    "write_workbook",
]

"""Functions on results: tables for terminals and notebooks, maps, JSON, files for GIS and Excel."""

from corridor.report.comparison_files import write_indicators, write_paths
from corridor.report.geopackage import write_geopackage
from corridor.report.geoparquet import write_geoparquet
from corridor.report.maps import plot_map
from corridor.report.notebooks import NotebookTables, show_tables
from corridor.report.outputs import WRITERS, write_outputs
from corridor.report.packages import write_package
from corridor.report.page import write_report
from corridor.report.scratch import check_folder
from corridor.report.static_maps import draw_map, write_map
from corridor.report.workbook import write_workbook

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
    "write_workbook",
]

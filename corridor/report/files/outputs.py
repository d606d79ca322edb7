"""The files of a comparison, written whole or not at all."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from corridor.report.files.comparisons import write_indicators, write_paths
from corridor.report.files.geopackage import write_geopackage
from corridor.report.files.packages import PACKAGE_NAME, write_package
from corridor.report.files.scratch import scratch_folder
from corridor.report.files.workbook import write_workbook
from corridor.report.page import write_report
from corridor.study import Comparison

Writer: TypeAlias = Callable[[Comparison, Path], None]

WRITERS: Mapping[str, Writer] = {
    "indicators.csv": write_indicators,
    "paths.csv": write_paths,
    "corridor.gpkg": write_geopackage,
    "tables.xlsx": write_workbook,
    "report.html": write_report,
    # The last one, because it describes the files that lie beside it.
    PACKAGE_NAME: write_package,
}
"""File name -> what writes it, in the order of writing."""


def write_outputs(comparison: Comparison, folder: str | Path) -> list[Path]:
    """Write every file of `WRITERS` into a folder, all of them or none.

    Parameters
    ----------
    comparison
        What `corridor.compare` returned.
    folder
        Folder for the files; it is made where it does not exist. Files of these names are replaced,
        others stay.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError
        As `corridor.report.check_folder`.
    OSError
        If a file cannot be written. The folder is then as it was before.
    """
    with scratch_folder(folder, WRITERS) as stage:
        for name, write in WRITERS.items():
            write(comparison, stage / name)
    return [Path(folder) / name for name in WRITERS]

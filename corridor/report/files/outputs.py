"""The files of a comparison, written whole or not at all."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeAlias

from corridor.report.files.comparisons import write_indicators, write_paths, write_ways
from corridor.report.files.geopackage import write_geopackage
from corridor.report.files.packages import PACKAGE_NAME, write_package
from corridor.report.files.scratch import scratch_folder
from corridor.report.files.workbook import write_workbook
from corridor.report.findings import Findings
from corridor.report.page import write_report
from corridor.study import Comparison

Writer: TypeAlias = Callable[[Comparison, Path], None]

WRITERS: Mapping[str, Writer] = {
    "indicators.csv": write_indicators,
    "paths.csv": write_paths,
    "ways.csv": write_ways,
    "corridor.gpkg": write_geopackage,
    "tables.xlsx": write_workbook,
    "report.html": write_report,
    # The last one, because it describes the files that lie beside it.
    PACKAGE_NAME: write_package,
}
"""File name -> what writes it of a comparison alone, in the order of writing."""


def write_outputs(
    comparison: Comparison,
    folder: str | Path,
    found: Findings | None = None,
    *,
    outlines: str | Path | None = None,
) -> list[Path]:
    """Write every file of `WRITERS` into a folder, all of them or none.

    Parameters
    ----------
    comparison
        What `corridor.compare` returned.
    folder
        Folder for the files; it is made where it does not exist. Files of these names are replaced,
        others stay.
    found
        What other verbs found: on the page, and a CSV file a table.
    outlines
        Folder of GeoJSON outlines of states for the page, see `write_report`.

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
    found = Findings() if found is None else found
    tables = {f"{name}.csv": table for name, table in found.tables.items()}
    writers = dict(WRITERS) | {
        "report.html": partial(_write_page, found=found, outlines=outlines),
        PACKAGE_NAME: partial(write_package, tables=tables),
    }
    with scratch_folder(folder, [*tables, *writers]) as stage:
        for name, table in tables.items():
            table.to_csv(stage / name, index=False, lineterminator="\n")
        for name, write in writers.items():
            write(comparison, stage / name)
    return [Path(folder) / name for name in (*writers, *tables)]


def _write_page(
    comparison: Comparison, path: Path, *, found: Findings, outlines: str | Path | None
) -> None:
    write_report(
        comparison,
        path,
        sweep=found.sweep,
        resilience=found.resilience,
        benefits=found.benefits,
        investment=found.investment,
        budgets=found.budgets,
        explanations=found.explanations,
        frontiers=found.frontiers,
        outlines=outlines,
    )

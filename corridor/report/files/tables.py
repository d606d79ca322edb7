"""Tables as CSV files in a folder, all of them or none."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from corridor.report.files.scratch import scratch_folder


def write_table_files(tables: Mapping[str, pd.DataFrame], folder: str | Path) -> list[Path]:
    """Write each table as ``<name>.csv``; files of these names are replaced, others stay.

    Parameters
    ----------
    tables
        Name -> table.
    folder
        Folder for the files; it is made where it does not exist.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError
        As `corridor.report.check_folder`.
    OSError
        If a file cannot be written; then none of them is.
    """
    files = {f"{name}.csv": table for name, table in tables.items()}
    with scratch_folder(folder, files) as stage:
        for name, table in files.items():
            table.to_csv(stage / name, index=False, lineterminator="\n")
    return [Path(folder) / name for name in files]

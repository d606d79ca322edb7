"""Tables as CSV files in a folder, all of them or none."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from corridor.errors import InputError


def check_table_folder(folder: str | Path) -> None:
    """Refuse a folder that tables cannot go into, before the work is done.

    Raises
    ------
    InputError
        If it, or what it lies in, is a file.
    """
    target = Path(folder)
    inside = next((path for path in (target, *target.parents) if path.exists()), target)
    if inside.exists() and not inside.is_dir():
        msg = f"The tables must go into a folder; {str(inside)!r} is a file. Give another name."
        raise InputError(msg)


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
        As `check_table_folder`.
    OSError
        If a file cannot be written; then none of them is.
    """
    check_table_folder(folder)
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".corridor-", dir=target) as stage:
        for name, table in tables.items():
            table.to_csv(Path(stage) / f"{name}.csv", index=False, lineterminator="\n")
        for name in tables:
            (Path(stage) / f"{name}.csv").replace(target / f"{name}.csv")
    return [target / f"{name}.csv" for name in tables]

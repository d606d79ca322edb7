"""One crossing for machines: a record, and its tables as files."""

import shutil
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from corridor.errors import InputError
from corridor.planning import Crossing

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def fields_record(found: "DataclassInstance") -> dict[str, object]:
    """Return the fields of a result, for `corridor.report.records.write_json`."""
    return {field.name: getattr(found, field.name) for field in fields(found)}


def crossing_tables(crossing: Crossing) -> dict[str, pd.DataFrame]:
    """Return the tables of a crossing by name."""
    record = fields_record(crossing)
    return {name: table for name, table in record.items() if isinstance(table, pd.DataFrame)}


def write_crossing(crossing: Crossing, folder: str | Path) -> list[Path]:
    """Write the tables of a crossing as CSV files, all or none.

    Parameters
    ----------
    crossing
        What `corridor.crossing` returned.
    folder
        The files go into a folder in it that has the crossing's name; one that is there already is
        replaced.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError
        If the folder is a file.
    OSError
        If a file cannot be written. What was there before is then still there.
    """
    parent = Path(folder)
    target = parent / crossing.crossing_id
    for path in (parent, target):
        if path.exists() and not path.is_dir():
            msg = f"The tables must go into a folder; {str(path)!r} is a file. Give another name."
            raise InputError(msg)
    parent.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=".corridor-", dir=parent))
    try:
        new, old = stage / "new", stage / "old"
        new.mkdir()
        tables = crossing_tables(crossing)
        for name, table in tables.items():
            table.to_csv(new / f"{name}.csv", index=False, lineterminator="\n")
        if target.exists():
            target.replace(old)
        new.replace(target)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return [target / f"{name}.csv" for name in tables]

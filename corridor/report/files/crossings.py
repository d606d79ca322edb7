"""One crossing for machines: a record, and its tables as files."""

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from corridor.planning import Crossing
from corridor.report.files.tables import write_table_files

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
        The files go into a folder in it that has the crossing's name. Files of an earlier call are
        replaced, others stay.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError
        As `corridor.report.check_folder`.
    OSError
        If a file cannot be written. What was there before is then still there.
    """
    return write_table_files(crossing_tables(crossing), Path(folder) / crossing.crossing_id)

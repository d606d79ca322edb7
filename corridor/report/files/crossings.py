"""One crossing for machines: a record, and its tables as files."""

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from corridor.planning import Crossing
from corridor.report.files.tables import write_table_files

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def fields_record(found: "DataclassInstance") -> dict[str, object]:
    """Return the fields of a result, for `corridor.report.records.write_json`."""
    return {field.name: getattr(found, field.name) for field in fields(found)}


def crossing_record(crossing: Crossing) -> dict[str, object]:
    """Return a crossing's facts and tables, for `corridor.report.records.write_json`."""
    facts = (
        "crossing_id", "name", "layer", "status", "regime", "opening_hours", "date", "has_plan",
        "usd_per_vehicle_h",
    )  # fmt: skip
    return {name: getattr(crossing, name) for name in facts} | crossing.tables


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
    return write_table_files(crossing.tables, Path(folder) / crossing.crossing_id)

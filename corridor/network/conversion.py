"""A data set from one format to another: a folder of CSV files, or one GeoPackage."""

import shutil
import tempfile
from pathlib import Path
from typing import Final

import pandas as pd

from corridor.errors import InputError
from corridor.network.geopackages import SUFFIX, read_texts, write_tables_geopackage
from corridor.network.models import dataset_place, raise_errors, read_place
from corridor.network.schema import TABLES
from corridor.network.tables import write_csv
from corridor.network.validation import validate

TEXT_FILES: Final = ("rules.toml", "study.toml", "README.md")
"""Text files that go along with the tables."""


def convert_dataset(source: str | Path, target: str | Path) -> list[str]:
    """Write a data set in another format, whole or not at all.

    Parameters
    ----------
    source
        Name of a bundled data set, a folder of CSV files, or a GeoPackage.
    target
        What to make: a GeoPackage where it ends in ``.gpkg``, else a folder. It must not exist, or
        be an empty folder. Rules, study and README go along.

    Returns
    -------
    list of str
        Names of the tables written.

    Raises
    ------
    InputError
        If there is no such source, it has faults (``.faults``), or the target exists or is of a
        kind that is not known.
    OSError
        If the target cannot be written; nothing is left behind.

    Examples
    --------
    >>> convert_dataset("crossroads", "crossroads.gpkg")[:2]  # doctest: +SKIP
    ['sources', 'nodes']
    """
    place, target = dataset_place(source), Path(target)
    if target.suffix not in ("", SUFFIX):
        msg = (
            f"A data set is written as a folder or a {SUFFIX} file; {target.name!r} is neither. "
            f"End the name in {SUFFIX}, or in no suffix at all."
        )
        raise InputError(msg)
    raise_errors(str(source), validate(source))
    rows, _ = read_place(place)
    tables = {name: rows[name].frame for name in TABLES if len(rows[name].frame)}
    texts = _texts(place)
    if target.suffix == SUFFIX:
        write_tables_geopackage(tables, target, texts)
    else:
        _write_folder(tables, target, texts)
    return list(tables)


def _texts(place: Path) -> dict[str, str]:
    if place.is_file():
        return read_texts(place)
    files = [place / name for name in TEXT_FILES]
    return {file.name: file.read_text(encoding="utf-8") for file in files if file.is_file()}


def _write_folder(tables: dict[str, pd.DataFrame], target: Path, texts: dict[str, str]) -> None:
    """Write tables and texts into a new folder; it appears with all of them."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        msg = f"The folder {str(target)!r} must be new or empty; it is not. Give another folder."
        raise InputError(msg)
    if not target.parent.is_dir():
        msg = f"The folder {str(target.parent)!r} must exist; it does not. Make it first."
        raise InputError(msg)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".corridor-") as scratch:
        whole = Path(scratch) / "data"
        write_csv(tables, whole)
        for name, text in texts.items():
            (whole / Path(name).name).write_text(text, encoding="utf-8", newline="")
        if target.exists():
            target.rmdir()
        shutil.move(whole, target)

"""A data set from one format to another: a folder of CSV files, or one GeoPackage."""

import re
import shutil
import tempfile
from pathlib import Path
from typing import Final

import pandas as pd

from corridor import datasets
from corridor.errors import InputError
from corridor.network.geopackages import SUFFIX, read_texts, write_tables_geopackage
from corridor.network.models import dataset_place, raise_errors, read_place
from corridor.network.schema import TABLES
from corridor.network.tables import write_csv
from corridor.network.texts import TEXT_FILES, is_geopackage, read_text
from corridor.network.validation import validate

_OWN: Final = re.compile(r"""^(dataset|rules)(\s*=\s*)(?:"([^"]*)"|'([^']*)')""", re.MULTILINE)
"""A line of a study that names its data set or its rules."""


def convert_dataset(source: str | Path, target: str | Path) -> list[str]:
    """Write a data set in another format, whole or not at all.

    Parameters
    ----------
    source
        Name of a bundled data set, a folder of CSV files, or a GeoPackage.
    target
        What to make: a GeoPackage where it ends in ``.gpkg``, else a folder. It must not exist, or
        be an empty folder. Rules, study and README go along; a study of the source's own tables is
        then one of the target's own.

    Returns
    -------
    list of str
        Names of the tables written, then of the text files.

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
    return [*tables, *texts]


def _texts(place: Path) -> dict[str, str]:
    if is_geopackage(place):
        texts = read_texts(place)
    else:
        files = [place / name for name in TEXT_FILES]
        texts = {file.name: read_text(file) for file in files if file.is_file()}
    if "study.toml" in texts:
        texts["study.toml"] = _of_itself(texts["study.toml"], place)
    return texts


def _of_itself(study: str, place: Path) -> str:
    """Return a study that names what lies beside it: by a bundled name it would be of those tables.

    ``.`` is the place of the study, folder or GeoPackage.
    """

    def renamed(line: re.Match[str]) -> str:
        key, equals, *names = line.groups()
        name = names[0] or names[1] or ""
        same = name in datasets.names() and datasets.path(name).samefile(place)
        return f'{key}{equals}"."' if same else line[0]

    header, table, rest = study.partition("\n[[")
    return _OWN.sub(renamed, header) + table + rest


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

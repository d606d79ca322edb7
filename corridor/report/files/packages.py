"""``datapackage.json``: what is in every file of a comparison, for machines and for people.

A Data Package lists files with their fields, units, types, sources and license. [1]_

References
----------
.. [1] Frictionless Data, "Data Package (version 2)", 2024, https://datapackage.org/standard/.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

import pandas as pd

from corridor import __version__
from corridor.report.files.comparisons import path_frame, way_frame
from corridor.report.files.fields import Field, describe_frame
from corridor.report.files.geopackage import CRS, gis_layers
from corridor.report.files.licenses import license_of
from corridor.report.files.scratch import scratch_file
from corridor.study import Comparison, Study
from corridor.study.comparison import KEYS

Entry: TypeAlias = dict[str, object]

PACKAGE_NAME: Final = "datapackage.json"
_PROFILE: Final = "https://datapackage.org/profiles/2.0/"
_CHUNK: Final = 1 << 20

_FILES: Final[Mapping[str, tuple[str, str, str]]] = MappingProxyType(
    {
        "indicators.csv": ("csv", "text/csv", "Indicators of every variant"),
        "paths.csv": ("csv", "text/csv", "What goes which way in every variant"),
        "ways.csv": ("csv", "text/csv", "The ways, link by link"),
        "corridor.gpkg": (
            "gpkg",
            "application/geopackage+sqlite3",
            "Network, flows and differences for a GIS",
        ),
        "tables.xlsx": (
            "xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "The tables as a workbook",
        ),
        "report.html": ("html", "text/html", "The report for people"),
    }
)
"""File -> format, media type and title."""


def write_package(
    comparison: Comparison, path: str | Path, tables: Mapping[str, pd.DataFrame] | None = None
) -> None:
    """Describe the files that lie beside a ``datapackage.json``, whole or not at all.

    Parameters
    ----------
    comparison
        What the files were written from.
    path
        File to write, ``datapackage.json``. Of the files beside it those are described that
        corridor writes, with their size and SHA-256.
    tables
        CSV file beside it -> its table: what other verbs found.

    Raises
    ------
    InputError
        If the folder does not exist, or the path is a folder.
    OSError
        If the file cannot be written; nothing is left behind.
    """
    folder = Path(path).parent
    with scratch_file(path, "A data package") as part:
        record = package_record(comparison, folder, tables or {})
        text = json.dumps(record, ensure_ascii=False, indent=2)
        part.write_text(text + "\n", encoding="utf-8", newline="")


def package_record(
    comparison: Comparison, folder: str | Path, tables: Mapping[str, pd.DataFrame] | None = None
) -> Entry:
    """Return the description of the files of a comparison in a folder.

    Parameters
    ----------
    comparison
        What the files were written from.
    folder
        Where they lie.
    tables
        As of `write_package`.

    Returns
    -------
    dict
        A data package (version 2). Beside what the standard names, fields have ``unit``, ``1`` for
        shares, and the layers of the GeoPackage are listed under ``layers``.
    """
    study = comparison.study
    record: Entry = {
        "$schema": f"{_PROFILE}datapackage.json",
        "name": slug(study.name),
        "title": study.name,
        "description": (
            f"Variants of the study, planned with corridor {__version__}; rules and works as of "
            f"{study.date.isoformat()}, base {study.base}."
        ),
        "sources": _sources(study.network.sources),
        "resources": [
            *(_resource(comparison, Path(folder) / name) for name in _present(folder)),
            *(_finding(Path(folder) / name, table) for name, table in (tables or {}).items()),
        ],
    }
    terms = _licenses(study)
    return record | ({"licenses": terms} if terms else {})


def slug(name: str) -> str:
    """Return a name that a data package may have: lower case, no spaces.

    Examples
    --------
    >>> slug("Crossroads of Peace, 2030"), slug("Խաղաղություն")
    ('crossroads-of-peace-2030', 'corridor-study')
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "corridor-study"


def _present(folder: str | Path) -> list[str]:
    return [name for name in _FILES if (Path(folder) / name).is_file()]


def _licenses(study: Study) -> list[Entry]:
    terms = license_of(study)
    return [{"name": terms.name, "title": terms.title, "path": terms.path}] if terms else []


def _sources(sources: pd.DataFrame) -> list[Entry]:
    entries: list[Entry] = []
    columns = (sources[name].tolist() for name in ("source", "publisher", "title", "url"))
    for source, publisher, title, url in zip(*columns, strict=True):
        entry: Entry = {"title": f"{source}: " + ": ".join(filter(None, (publisher, title)))}
        if url.startswith(("http://", "https://")):
            entry["path"] = url
        entries.append(entry)
    return entries


def _resource(comparison: Comparison, file: Path) -> Entry:
    kind, media_type, title = _FILES[file.name]
    entry = _file_entry(file, kind, media_type, title)
    if kind == "csv":
        entry |= {"encoding": "utf-8", "type": "table", "schema": _schema_of(comparison, file.name)}
    if kind == "gpkg":
        entry["layers"] = [
            {
                "name": layer.name,
                "title": layer.title,
                "geometry": layer.kind,
                "crs": CRS,
                "rows": len(layer.frame),
                "fields": _fields(layer.fields),
            }
            for layer in gis_layers(comparison)
        ]
    return entry


def _file_entry(file: Path, kind: str, media_type: str, title: str) -> Entry:
    return {
        "name": slug(file.stem) if kind != "gpkg" else "corridor-gpkg",
        "title": title,
        "path": file.name,
        "format": kind,
        "mediatype": media_type,
        "bytes": file.stat().st_size,
        "hash": f"sha256:{_sha256(file)}",
    }


def _finding(file: Path, table: pd.DataFrame) -> Entry:
    """Return the entry of a table that another verb found."""
    of, _, name = file.stem.partition("_")
    title = f"{of.capitalize()}: {name.replace('_', ' ')}"
    entry = _file_entry(file, "csv", "text/csv", title)
    return entry | {"encoding": "utf-8", "type": "table", "schema": _schema(table)}


def _schema_of(comparison: Comparison, name: str) -> Entry:
    if name == "paths.csv":
        reference = {"resource": "ways", "fields": ["way_id"]}
        return _schema(path_frame(comparison)) | {
            "primaryKey": ["variant", "origin", "destination", "commodity", "path_id"],
            "foreignKeys": [{"fields": ["way_id"], "reference": reference}],
        }
    if name == "ways.csv":
        return _schema(way_frame(comparison)) | {"primaryKey": ["way_id"]}
    # Blank texts of a key are blanks with a meaning ("all"), so that no field of it is required.
    return _schema(comparison.indicators) | {"uniqueKeys": [["variant", *KEYS]]}


def _schema(table: pd.DataFrame) -> Entry:
    return {"fields": _fields(describe_frame(table)), "missingValues": [""]}


def _fields(fields: Iterable[Field]) -> list[Entry]:
    entries: list[Entry] = []
    for field in fields:
        entry: Entry = {"name": field.name, "type": field.type}
        entry |= {"description": field.meaning} if field.meaning else {}
        entries.append(entry | ({"unit": field.unit} if field.unit else {}))
    return entries


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()

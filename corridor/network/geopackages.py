"""A data set as one GeoPackage: every table a layer, so that a GIS can edit nodes and links.

The geometry is the truth: a node lies where its point is, and a link that is no straight line
between its nodes has its line as way points. Texts that belong to the data set (rules, study) go
along in the table ``texts``.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from corridor.errors import Fault, InputError
from corridor.network.schema import TABLES
from corridor.network.tables import TypedTable, fill_own_texts, type_table

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

SUFFIX: Final = ".gpkg"
TEXTS: Final = "texts"
"""Name of the table that holds text files."""
_CRS: Final = "EPSG:4326"
_SAME_DEG: Final = 1e-7
"""A centimeter: what a change of the reference system and back may move."""


def read_geopackage(
    path: Path, names: tuple[str, ...] = tuple(TABLES)
) -> tuple[dict[str, TypedTable], list[Fault]]:
    """Read tables of a data set from a GeoPackage, with the faults within each of them.

    Parameters
    ----------
    path
        The file.
    names
        Tables to read; one that the file does not hold is empty.

    Raises
    ------
    InputError
        If the file is no GeoPackage, or nodes or links have no geometry.
    """
    layers = _layers(path)
    rows: dict[str, TypedTable] = {}
    faults: list[Fault] = []
    frames = {name: _read_layer(path, name) for name in names if name in layers}
    if "links" in frames:
        nodes = frames.get("nodes", _read_layer(path, "nodes") if "nodes" in layers else None)
        frames["links"] = _with_way_points(frames["links"], nodes)
    if "nodes" in frames:
        frames["nodes"] = _with_degrees(frames["nodes"])
    for name in names:
        frame = fill_own_texts(name, frames[name]) if name in frames else None
        rows[name], found = type_table(TABLES[name], frame)
        faults.extend(found)
    return rows, faults


def read_texts(path: Path) -> dict[str, str]:
    """Return the text files that a GeoPackage carries, by name."""
    if TEXTS not in _layers(path):
        return {}
    frame = _read_layer(path, TEXTS)
    return dict(zip(frame["file"].tolist(), frame["text"].tolist(), strict=True))


def write_tables_geopackage(
    tables: Mapping[str, pd.DataFrame], path: Path, texts: Mapping[str, str] | None = None
) -> None:
    """Write the tables of a data set as a GeoPackage, whole or not at all.

    Parameters
    ----------
    tables
        Typed frames by table name, nodes and links among them; tables without rows are left out.
    path
        File to make; it must not exist yet.
    texts
        Text files that go along, by name.

    Raises
    ------
    InputError
        If the file exists, or its folder does not.
    OSError
        If it cannot be written; nothing is left behind.
    """
    if path.exists() or not path.parent.is_dir():
        msg = (
            f"The file {str(path)!r} must be new and its folder must exist; "
            f"{'it exists' if path.exists() else 'the folder does not'}. Give another name."
        )
        raise InputError(msg)
    with tempfile.TemporaryDirectory(prefix=".corridor-", dir=path.parent) as folder:
        part = Path(folder) / f"part{SUFFIX}"
        lines = _lines(tables["nodes"], tables["links"])
        points = shapely.points(tables["nodes"][["lon", "lat"]].to_numpy(float))
        _append(part, "nodes", tables["nodes"].drop(columns=["lon", "lat"]), points)
        _append(part, "links", tables["links"].drop(columns="geometry"), lines)
        for name, frame in tables.items():
            if name not in ("nodes", "links") and len(frame):
                _append(part, name, frame)
        if texts:
            files = pd.DataFrame({"file": list(texts), "text": list(texts.values())})
            _append(part, TEXTS, files)
        part.replace(path)


# --- reading --------------------------------------------------------------------------------------


def _layers(path: Path) -> set[str]:
    from pyogrio import list_layers
    from pyogrio.errors import DataSourceError

    try:
        return {str(name) for name, _ in list_layers(path)}
    except DataSourceError as error:
        msg = f"A data set in one file must be a GeoPackage; {str(path)!r} is none: {error}."
        raise InputError(msg) from error


def _read_layer(path: Path, name: str) -> pd.DataFrame:
    from pyogrio import read_dataframe

    frame: pd.DataFrame = read_dataframe(path, layer=name)
    return frame


def _with_degrees(nodes: pd.DataFrame) -> pd.DataFrame:
    points = _geometry(nodes, "nodes", "Point")
    plain = pd.DataFrame(nodes.drop(columns=["geometry", "lon", "lat"], errors="ignore"))
    return plain.assign(lon=shapely.get_x(points), lat=shapely.get_y(points))


def _with_way_points(links: pd.DataFrame, nodes: pd.DataFrame | None) -> pd.DataFrame:
    """Return the links with their lines as WKT, blank where it is the straight line anyhow."""
    lines = _geometry(links, "links", "LineString")
    plain = pd.DataFrame(links.drop(columns="geometry"))
    texts = np.asarray(shapely.to_wkt(lines, rounding_precision=-1), dtype=object)
    if nodes is not None and {"from_node", "to_node"} <= set(plain):
        degrees = _with_degrees(nodes)
        known = degrees.drop_duplicates("node_id").set_index("node_id")[["lon", "lat"]]
        ends = [known.reindex(plain[end]).to_numpy(float) for end in ("from_node", "to_node")]
        straight = shapely.linestrings(np.nan_to_num(np.stack(ends, axis=1)))
        texts[shapely.equals_exact(lines, straight, _SAME_DEG)] = ""
    texts[shapely.is_missing(lines)] = ""
    return plain.assign(geometry=texts)


def _geometry(frame: pd.DataFrame, table: str, kind: str) -> NDArray[np.object_]:
    """Return the geometries in degrees of WGS84; links may be without."""
    if "geometry" not in frame or frame.geometry.crs is None:
        msg = (
            f"The layer {table} of a data set must have {kind}s in a known reference system; it "
            "has none. Draw them, and say in which system they are."
        )
        raise InputError(msg)
    shapes = frame.geometry.to_crs(_CRS).to_numpy()
    wrong = ~(shapely.is_missing(shapes) | (frame.geometry.geom_type == kind).to_numpy(bool))
    if table == "nodes":
        wrong |= shapely.is_missing(shapes)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        msg = (
            f"Every geometry of the layer {table} must be a {kind}; {int(wrong.sum())} of "
            f"{len(wrong)} are not, the first in row {row + 1}. Correct or remove them."
        )
        raise InputError(msg)
    return np.asarray(shapes, dtype=object)


# --- writing --------------------------------------------------------------------------------------


def _lines(nodes: pd.DataFrame, links: pd.DataFrame) -> NDArray[np.object_]:
    degrees = nodes.set_index("node_id")[["lon", "lat"]]
    ends = [degrees.loc[links[end]].to_numpy(float) for end in ("from_node", "to_node")]
    lines: NDArray[np.object_] = shapely.linestrings(np.stack(ends, axis=1))
    drawn = (links["geometry"] != "").to_numpy(bool)
    lines[drawn] = shapely.from_wkt(links["geometry"].to_numpy(object)[drawn])
    return lines


def _append(
    file: Path, name: str, frame: pd.DataFrame, geometry: NDArray[np.object_] | None = None
) -> None:
    from pyogrio import write_dataframe

    plain = _plain(frame)
    kind = None
    if geometry is not None:
        plain, kind = _with_geometry(plain, geometry), "Point" if name == "nodes" else "LineString"
    try:
        write_dataframe(
            plain, file, layer=name, driver="GPKG", geometry_type=kind, append=file.exists()
        )
    except RuntimeError as error:  # every error of GDAL, a full disk among them
        msg = f"The GeoPackage could not be written at the table {name}: {error}"
        raise OSError(msg) from error


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with blank texts as nulls and dates as ISO texts."""
    plain = frame.copy()
    for column in plain.columns:
        if pd.api.types.is_datetime64_any_dtype(plain[column]):
            plain[column] = plain[column].dt.strftime("%Y-%m-%d")
        if not pd.api.types.is_numeric_dtype(plain[column]):
            texts = plain[column].astype(object)
            plain[column] = texts.where(texts.notna() & (texts != ""), None)
    return plain


def _with_geometry(frame: pd.DataFrame, geometry: NDArray[np.object_]) -> "GeoDataFrame":
    from geopandas import GeoDataFrame
    from geopandas.array import from_shapely

    return GeoDataFrame(frame, geometry=from_shapely(geometry), crs=_CRS)

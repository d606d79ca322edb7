"""Reading and writing the CSV tables of a data set folder, checked cell by cell.

Nothing is raised here: every fault is collected, so that the caller can report a whole folder at
once. A cell at fault becomes a blank, and the checks across tables skip blanks: one mistake is
reported once, where it stands.
"""

import csv
import datetime as dt
import io
import math
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from corridor.errors import Fault, InputError
from corridor.network.hours import parse_departures, parse_hours
from corridor.network.schema import TABLES, TEMPLATE, Column, Kind, Table

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
ObjectArray = NDArray[np.object_]
Values = NDArray[np.generic] | pd.api.extensions.ExtensionArray

_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_INTEGER: Final = re.compile(r"[+-]?\d+(?:\.0*)?", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_BOOLS: Final[Mapping[str, bool]] = {"true": True, "false": False}
_STAND_INS: Final = frozenset(
    {
        *("nan", "NaN", "NAN", "NA", "N/A", "#N/A", "<NA>", "NULL", "Null", "null", "None"),
        *("inf", "Inf", "INF", "-inf", "+inf"),
    }
)
_BAD_BYTE: Final = re.compile("[\udc80-\udcff]")
"""What a byte that is not UTF-8 becomes when it is decoded with ``surrogateescape``."""
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
"""How a file in UTF-16 begins."""
_REPLACEMENT: Final = "\ufffd"
_LOST: Final = _STAND_INS | {""}
_SHOWN: Final = 60
_HEADER_LINE: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TypedTable:
    """One table with typed columns, and where its rows stand.

    Parameters
    ----------
    table
        Its description.
    frame
        Every contract column with the dtype of its kind, then the extra columns; plain index.
    lines : ndarray of int64, shape (n_rows,)
        Line of the file of each row, the header being line 1.
    keys : ndarray of object (str), shape (n_rows,)
        Primary key of each row, parts joined by ``/``.
    exists
        False where there is no such file or table.
    whole
        False where rows, key columns or ids could not be read, so that an id may only seem unknown.
    at_fault
        Line and column of the cells at fault; column ``""`` where the whole row is.
    """

    table: Table
    frame: pd.DataFrame
    lines: IntArray
    keys: ObjectArray
    exists: bool
    whole: bool = True
    at_fault: frozenset[tuple[int, str]] = frozenset()

    def doubtful(self, *columns: str) -> BoolArray:
        """Return which rows are at fault in one of the columns, or as a whole: bool (n_rows,)."""
        marked = {line for line, column in self.at_fault if column in columns or not column}
        return np.isin(self.lines, list(marked))

    def fault(
        self,
        row: int,
        column: str,
        *,
        found: str,
        expected: str,
        remedy: str,
        warning: bool = False,
    ) -> Fault:
        """Return a fault at a row (by position) and column of this table."""
        return Fault(
            file=self.table.file,
            row=int(self.lines[row]),
            key=str(self.keys[row]),
            column=column,
            found=found,
            expected=expected,
            remedy=remedy,
            warning=warning,
        )


def row_keys(table: Table, frame: pd.DataFrame) -> ObjectArray:
    """Return the primary key of each row, parts joined by ``/``.

    Parameters
    ----------
    table
        Description of the table.
    frame
        Its rows, typed or text.

    Returns
    -------
    ndarray of object (str), shape (n_rows,)
        For stage templates the layer is joined to the key, since a state has one for each layer.

    Examples
    --------
    >>> frame = pd.DataFrame({"node_id": ["A"], "from_layer": ["road"], "to_layer": ["sea"]})
    >>> row_keys(TABLES["terminals"], frame)
    array(['A/road/sea'], dtype=object)
    """
    keys = np.full(len(frame), "", dtype=object)
    if not table.key:
        return keys
    parts = [_key_part(frame[name]) for name in table.key if name in frame]
    keys[:] = ["/".join(row) for row in zip(*parts, strict=True)] if parts else ""
    for name in table.tail:
        if name in frame:
            tail = _key_part(frame[name])
            joins = np.array([bool(text) for text in tail], dtype=np.bool_)
            if table.name == "stages":
                joins &= (frame["crossing_id"] == TEMPLATE).to_numpy(dtype=bool)
            rows = np.flatnonzero(joins)
            keys[rows] = [f"{keys[row]}/{tail[row]}" for row in rows]
    return keys


def _key_part(column: pd.Series) -> list[str]:
    if column.dtype == np.float64:
        numbers = column.to_numpy(dtype=np.float64).tolist()
        return ["" if math.isnan(value) else _shortest(value) for value in numbers]
    return [str(value) for value in column.tolist()]


def read_table(table: Table, path: Path) -> tuple[TypedTable, list[Fault]]:
    """Read one CSV file.

    Parameters
    ----------
    table
        Description of the table.
    path
        Its file; where it does not exist the table is empty (a fault if the table is required).

    Returns
    -------
    TypedTable
        The rows; cells at fault are blank.
    list of Fault
        What is wrong within the table: bytes that are not UTF-8, a missing or empty file, missing
        and duplicated columns, ragged rows, cells that do not hold what they must, duplicate keys.
    """
    if not path.is_file():
        return _absent(table)
    faults: list[Fault] = []
    header, rows, lines, complete = _split_csv(table, path.read_bytes(), faults)
    if len(set(header)) < len(header) and any(len(row) != len(header) for row in rows):
        # The header names a column twice, the rows do not have it: no cell stands where it seems.
        rows, lines, complete = [], [], False
    cells, columns_whole = _by_column(table, header, rows, faults)
    judged = _judged_cells(header, rows)
    frame = _typed(table, cells, np.asarray(lines, dtype=np.int64), judged, faults)
    result = TypedTable(
        table=table,
        frame=frame,
        lines=np.asarray(lines, dtype=np.int64),
        keys=row_keys(table, frame),
        exists=True,
        whole=complete and columns_whole and not _lost_ids(table, frame),
        at_fault=_places(faults),
    )
    if table.required and complete and header and not rows:
        faults.append(_table_fault(table, "", "no rows", "at least one row", "add the rows"))
    faults.extend(_duplicate_keys(result))
    return result, faults


def type_table(table: Table, frame: pd.DataFrame | None) -> tuple[TypedTable, list[Fault]]:
    """Give a DataFrame the contract's columns and dtypes, with the same checks as a file.

    Parameters
    ----------
    table
        Description of the table.
    frame
        Its rows; None for an absent table. The caller's frame is not changed.

    Returns
    -------
    TypedTable
        The rows; "lines" count as in a file with one line a row.
    list of Fault
        As :func:`read_table`.
    """
    if frame is None:
        return _absent(table)
    faults: list[Fault] = []
    header = [str(name) for name in frame.columns]
    repeated = [name for name in dict.fromkeys(header) if header.count(name) > 1]
    faults.extend(_repeated_column(table, name) for name in repeated)
    plain = frame.loc[:, ~frame.columns.duplicated()].reset_index(drop=True)
    cells = {str(name): _as_texts(plain[name]) for name in plain if table.has(str(name))}
    whole = _missing_columns(table, header, faults)
    lines = np.arange(len(plain), dtype=np.int64) + _HEADER_LINE + 1
    typed = _typed(table, cells, lines, None, faults)
    extras = plain[[name for name in plain if not table.has(str(name))]]
    result = TypedTable(
        table=table,
        frame=pd.concat([typed, extras], axis=1) if len(extras.columns) else typed,
        lines=lines,
        keys=row_keys(table, typed),
        exists=True,
        whole=whole and not _lost_ids(table, typed),
        at_fault=_places(faults),
    )
    faults.extend(_duplicate_keys(result))
    return result, faults


def fill_own_texts(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose blank texts in columns of its own are ``""``, as in a file.

    Parameters
    ----------
    table
        Name of the table; the columns of its contract stay as they are.
    frame
        Its rows.
    """
    own = [name for name in frame if not TABLES[table].has(str(name))]
    texts = [name for name in own if not pd.api.types.is_numeric_dtype(frame[name])]
    return frame.assign(**{str(name): frame[name].fillna("").astype("str") for name in texts})


def write_csv(tables: Mapping[str, pd.DataFrame], folder: str | Path) -> None:
    """Write tables as a data set folder, whole or not at all.

    Parameters
    ----------
    tables
        Frames by table name. A table without rows is left out unless the contract requires it, and
        so is an optional column without a value.
    folder
        Folder to make. It must not exist yet, or be empty.

    Raises
    ------
    InputError
        If the folder holds anything, or its parent does not exist.
    """
    target = Path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        msg = f"The folder {str(target)!r} must be new or empty; it is not. Give another folder."
        raise InputError(msg)
    if not target.parent.is_dir():
        msg = f"The folder {str(target.parent)!r} must exist; it does not. Make it first."
        raise InputError(msg)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".corridor-") as scratch:
        whole = Path(scratch) / "data"
        whole.mkdir()
        for name, frame in tables.items():
            if len(frame) or TABLES[name].required:
                text = _to_csv(TABLES[name], frame)
                (whole / TABLES[name].file).write_text(text, encoding="utf-8", newline="")
        if target.exists():
            target.rmdir()
        shutil.move(whole, target)


# --- files to cells ---------------------------------------------------------------------------


def _absent(table: Table) -> tuple[TypedTable, list[Fault]]:
    faults: list[Fault] = []
    if table.required:
        found, expected = "no such file", f"the file {table.file}"
        faults.append(_table_fault(table, "", found, expected, "add it"))
    return _empty(table.name), faults


@cache
def _empty(name: str) -> TypedTable:
    """Return the table without rows; made once, since networks hand out copies only."""
    table, none = TABLES[name], np.zeros(0, dtype=np.int64)
    frame = _typed(table, {}, none, None, [])
    keys = row_keys(table, frame)
    # Of a table that must exist nothing is known: no other table can be held against it.
    return TypedTable(
        table=table, frame=frame, lines=none, keys=keys, exists=False, whole=not table.required
    )


def _split_csv(
    table: Table, content: bytes, faults: list[Fault]
) -> tuple[list[str], list[list[str]], list[int], bool]:
    """Return the header, the rows, the line of each row, and whether all could be read."""
    if content[:2] in _UTF16 or b"\0" in content:
        found, remedy = "a file in UTF-16, or with NUL in it", "save it as CSV UTF-8"
        faults.append(_table_fault(table, "", found, "UTF-8 text", remedy))
        return [], [], [], False
    text = content.decode("utf-8-sig", errors="surrogateescape")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    rows: list[list[str]] = []
    lines: list[int] = []
    line = _HEADER_LINE
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                stripped = [cell.strip() for cell in cells]
                if header:
                    rows.append(stripped)
                    lines.append(line)
                else:
                    header = stripped
            line = reader.line_num + 1
    except csv.Error as error:
        remedy = "close the quotes of that row"
        faults.append(_table_fault(table, "", str(error), "a CSV row", remedy, line))
        return header, rows, lines, False
    if not header:
        faults.append(_table_fault(table, "", "an empty file", "a header and rows", "fill it"))
    other = _other_separator(table, header)
    if other:
        found, expected = f"a header that {other} seems to separate", "commas between the cells"
        faults.append(_table_fault(table, "", found, expected, "save it as CSV with commas", 1))
        return [], [], [], False
    return header, rows, lines, bool(header)


def _other_separator(table: Table, header: Sequence[str]) -> str:
    """Return what seems to separate the cells of a header in place of commas, in words."""
    if len(header) != 1:
        return ""
    for separator, name in ((";", "a semicolon"), ("\t", "a tab"), ("|", "a bar")):
        if any(table.has(part.strip(' "')) for part in header[0].split(separator)[1:]):
            return name
    return ""


def _by_column(
    table: Table, header: list[str], rows: list[list[str]], faults: list[Fault]
) -> tuple[dict[str, ObjectArray], bool]:
    """Return the cells of each column, short rows padded with blanks, long rows cut."""
    for name in dict.fromkeys(header):
        if header.count(name) > 1:
            faults.append(_repeated_column(table, name))
        if _BAD_BYTE.search(name):
            faults.append(_not_utf8(table, _readable(name)))
    whole = _missing_columns(table, header, faults) if header else False
    width = len(header)
    padded = [row[:width] + [""] * (width - len(row)) for row in rows]
    cells: dict[str, ObjectArray] = {}
    for place, name in enumerate(header):
        if name not in cells:  # the first of two columns of one name counts
            cells[name] = np.array([row[place] for row in padded], dtype=object)
    return cells, whole


def _judged_cells(header: list[str], rows: list[list[str]]) -> IntArray:
    """Return how many cells of each row can be trusted, -1 where all: ragged rows are suspect.

    In a short row the cells that exist stand under their headers. In a long one a stray comma may
    have shifted any of them, so none is judged: the row itself is the fault.
    """
    width = len(header)
    counts = [-1 if len(row) == width else len(row) if len(row) < width else 0 for row in rows]
    return np.asarray(counts, dtype=np.int64)


def _missing_columns(table: Table, header: Sequence[str], faults: list[Fault]) -> bool:
    """Report required columns that are missing; return whether the key is complete."""
    extras = [name for name in header if not table.has(name)]
    for column in table.columns:
        if column.name in header:
            continue
        near = [name for name in extras if name.lower() == column.name]
        near = near or get_close_matches(column.name, extras, n=1, cutoff=0.85)
        hint = f"rename {near[0]!r}" if near else "add the column"
        if column.required:
            found, expected = "no such column", f"the column ({column.meaning})"
            faults.append(_table_fault(table, column.name, found, expected, hint, _HEADER_LINE))
        elif near:
            faults.append(
                Fault(
                    file=table.file,
                    row=_HEADER_LINE,
                    column=near[0],
                    found=f"an unknown column {near[0]!r}",
                    expected=f"perhaps {column.name!r}",
                    remedy=f"{hint} if that is meant",
                    warning=True,
                )
            )
    return all(name in header for name in table.key)


# --- cells to values --------------------------------------------------------------------------


def _typed(
    table: Table,
    cells: Mapping[str, ObjectArray],
    lines: IntArray,
    judged: IntArray | None,
    faults: list[Fault],
) -> pd.DataFrame:
    """Build the typed frame and report each cell that does not hold what it must."""
    n_rows = len(lines)
    raw = {name: pd.Series(cells[name], dtype=object) for name in table.key if name in cells}
    raw.update({name: pd.Series(cells[name], dtype=object) for name in table.tail if name in cells})
    keys = row_keys(table, pd.DataFrame(raw)) if raw else np.full(n_rows, "", dtype=object)
    keys[:] = [_readable(str(key)) for key in keys]
    places = {name: place for place, name in enumerate(cells)}
    blank = np.full(n_rows, "", dtype=object)
    found: list[Fault] = _ragged(table, lines, keys, judged, len(cells))
    data: dict[str, Values] = {}
    for column in table.columns:
        texts = cells.get(column.name)
        data[column.name], bad = _column_values(
            column, blank if texts is None else texts, is_id=column.name in table.key[:1]
        )
        if texts is not None:
            rows = np.flatnonzero(bad & _trusted(judged, places[column.name], n_rows))
            found.extend(
                _cell_fault(table, column, str(texts[row]), int(lines[row]), str(keys[row]))
                for row in rows
            )
    for name, texts in cells.items():
        if not table.has(name):
            readable = [_readable(str(text)) for text in texts]
            data[_readable(name)] = pd.array(readable, dtype="str")
            found.extend(_bad_bytes_in_extra(table, name, texts, lines, keys))
    faults.extend(sorted(found, key=lambda fault: fault.row))
    return pd.DataFrame(data, index=pd.RangeIndex(n_rows))


def _trusted(judged: IntArray | None, place: int, n_rows: int) -> BoolArray:
    if judged is None:
        return np.ones(n_rows, dtype=np.bool_)
    return np.asarray((judged < 0) | (place < judged), dtype=np.bool_)


def _ragged(
    table: Table, lines: IntArray, keys: ObjectArray, judged: IntArray | None, width: int
) -> list[Fault]:
    if judged is None:
        return []
    return [
        Fault(
            file=table.file,
            row=int(lines[row]),
            key=str(keys[row]),
            found=f"{judged[row]} cells" if judged[row] else "more cells than columns",
            expected=f"{width} cells, as the header",
            remedy="add the missing commas, or quote a text that holds one",
        )
        for row in np.flatnonzero(judged >= 0)
    ]


def _column_values(column: Column, texts: ObjectArray, *, is_id: bool) -> tuple[Values, BoolArray]:
    """Return the typed column and which cells are at fault; each distinct text is read once."""
    codes, distinct = pd.factorize(texts)
    values = [_value(column, str(text)) for text in distinct]
    bad = np.array([value is None for value in values], dtype=np.bool_)
    blank = _blank(column)
    kept = [blank if value is None else value for value in values]
    if is_id and column.kind is Kind.TEXT:
        # An id that breaks the pattern still answers for the rows that refer to it.
        kept = [_readable(str(text)) for text in distinct]
    values_of: Values
    if column.kind.numeric:
        values_of = np.asarray(kept, dtype=np.float64)[codes]
    elif column.kind is Kind.BOOL:
        values_of = np.asarray(kept, dtype=np.bool_)[codes]
    elif column.kind is Kind.DATE:
        values_of = np.asarray(kept, dtype="datetime64[s]")[codes]
    else:
        values_of = pd.array(np.asarray(kept, dtype=object)[codes], dtype="str")
    return values_of, bad[codes] if len(bad) else np.zeros(0, dtype=np.bool_)


def _blank(column: Column) -> object:
    if column.kind.numeric:
        return math.nan
    if column.kind is Kind.BOOL:
        return bool(column.default)
    if column.kind is Kind.DATE:
        return np.datetime64("NaT", "s")
    return column.default if isinstance(column.default, str) else ""


def _value(column: Column, text: str) -> object | None:  # noqa: PLR0911 - one return a kind
    """Return what a text stands for in a column, None where it does not stand for anything."""
    if text == "":
        return _blank(column) if column.blank else None
    if text in _STAND_INS or _BAD_BYTE.search(text):
        return None
    match column.kind:
        case Kind.NUMBER | Kind.INTEGER:
            return _number(column, text)
        case Kind.BOOL:
            return _BOOLS.get(text.lower())
        case Kind.DATE:
            return _date(text)
        case Kind.WORD:
            return text if text in column.words else None
        case Kind.WKT | Kind.HOURS | Kind.ZONE | Kind.DEPARTURES:
            return text if _READERS[column.kind](text) else None
        case _:
            return text if not column.pattern or re.fullmatch(column.pattern, text) else None


def _number(column: Column, text: str) -> float | None:
    pattern = _INTEGER if column.kind is Kind.INTEGER else _NUMBER
    if not pattern.fullmatch(text):
        return None
    value = float(text)
    if not math.isfinite(value):
        return None
    return value if is_within(column, value) else None


def is_within(column: Column, value: float) -> bool:
    """Return whether a number lies in the range of a column.

    Examples
    --------
    >>> is_within(TABLES["links"].column("speed_kmh"), -5.0)
    False
    """
    if column.low is not None and (value < column.low or (column.above and value == column.low)):
        return False
    return column.high is None or value <= column.high


def _date(text: str) -> np.datetime64 | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        return np.datetime64(dt.date.fromisoformat(text), "s")
    except ValueError:
        return None


def _is_line(text: str) -> bool:
    line = shapely.from_wkt(text, on_invalid="ignore")
    if line is None or line.geom_type != "LineString" or line.is_empty:
        return False
    points = shapely.get_coordinates(line)
    return bool(np.all(np.abs(points) <= (180.0, 90.0)))


def _is_ever_open(text: str) -> bool:
    try:
        return bool(parse_hours(text))
    except InputError:
        return False


def _is_timetable(text: str) -> bool:
    try:
        parse_departures(text)
    except InputError:
        return False
    return True


def _is_zone(text: str) -> bool:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return not available_timezones()  # a machine without the database cannot tell
    return True


_READERS: Final[Mapping[Kind, Callable[[str], bool]]] = {
    Kind.WKT: _is_line,
    Kind.HOURS: _is_ever_open,
    Kind.ZONE: _is_zone,
    Kind.DEPARTURES: _is_timetable,
}
"""Whether a text is of a kind that has a notation of its own."""


def check_value(column: Column, value: object) -> bool:
    """Return whether a value, or the text of one, can stand in a column (references aside).

    Examples
    --------
    >>> check_value(TABLES["links"].column("status"), "open")
    True
    >>> check_value(TABLES["links"].column("speed_kmh"), "fast")
    False
    >>> check_value(TABLES["links"].column("speed_kmh"), -20.0)
    False
    """
    return _value(column, _as_text(value)) is not None


def _as_texts(column: pd.Series) -> ObjectArray:
    """Return the texts that a file would hold, so that frames and files share one set of checks."""
    codes, distinct = pd.factorize(column.astype(object), use_na_sentinel=True)
    texts = np.array([*(_as_text(value) for value in distinct), ""], dtype=object)
    return np.asarray(texts[codes], dtype=object)  # code -1, a missing value, takes the last text


def _as_text(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating):
        return _shortest(float(value))
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value).strip()


def _shortest(value: float) -> str:
    text = repr(value)
    return text.removesuffix(".0")


def _places(faults: Iterable[Fault]) -> frozenset[tuple[int, str]]:
    return frozenset((fault.row, fault.column) for fault in faults if fault.row > _HEADER_LINE)


def _lost_ids(table: Table, frame: pd.DataFrame) -> bool:
    """Return whether an id is blank or unreadable, so that what refers to it seems unknown."""
    if len(table.key) != 1:
        return False
    ids = frame[table.key[0]]
    return any(text in _LOST or _REPLACEMENT in text for text in ids.tolist())


def _readable(text: str) -> str:
    """Put the replacement character for each byte that is not UTF-8."""
    return _BAD_BYTE.sub(_REPLACEMENT, text)


# --- faults -----------------------------------------------------------------------------------


def _table_fault(
    table: Table, column: str, found: str, expected: str, remedy: str, row: int = 0
) -> Fault:
    return Fault(
        file=table.file, row=row, column=column, found=found, expected=expected, remedy=remedy
    )


def _repeated_column(table: Table, name: str) -> Fault:
    found, expected = "the column more than once", "each column once"
    return _table_fault(table, name, found, expected, "remove one of them", _HEADER_LINE)


def _not_utf8(table: Table, name: str) -> Fault:
    found, expected = "a byte that is not UTF-8", "UTF-8 text"
    return _table_fault(table, name, found, expected, "save the file as UTF-8", _HEADER_LINE)


def _cell_fault(table: Table, column: Column, text: str, line: int, key: str) -> Fault:
    found, expected, remedy = shown(text), column.expected, "correct the cell"
    if _BAD_BYTE.search(text):
        found, expected, remedy = "a byte that is not UTF-8", "UTF-8 text", "save as UTF-8"
    elif text == "":
        found, remedy = "a blank", "fill the cell"
    elif text in _STAND_INS:
        remedy = "leave the cell blank if the value is unknown"
    elif column.words:
        near = get_close_matches(text, column.words, n=1)
        remedy = f"perhaps {near[0]!r}" if near else remedy
    return Fault(
        file=table.file,
        row=line,
        key=key,
        column=column.name,
        found=found,
        expected=expected,
        remedy=remedy,
    )


def shown(text: str) -> str:
    """Return a text quoted and cut for a message.

    Examples
    --------
    >>> shown("opne")
    "'opne'"
    """
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "...")


def _bad_bytes_in_extra(
    table: Table, name: str, texts: ObjectArray, lines: IntArray, keys: ObjectArray
) -> Iterable[Fault]:
    column = Column(name=_readable(name))
    for row, text in enumerate(texts):
        if _BAD_BYTE.search(str(text)):
            yield _cell_fault(table, column, str(text), int(lines[row]), str(keys[row]))


def _duplicate_keys(rows: TypedTable) -> list[Fault]:
    table = rows.table
    if not all(name in rows.frame for name in table.key) or not table.key:
        return []
    keys = pd.Series(rows.keys)
    named = keys.str.strip("/") != ""
    again = np.flatnonzero((keys.duplicated() & named).to_numpy(dtype=bool))
    first = {key: place for place, key in reversed(list(enumerate(keys)))} if len(again) else {}
    return [
        rows.fault(
            int(row),
            "/".join(table.key),
            found=f"the key of line {rows.lines[first[keys[row]]]} again",
            expected="each key once",
            remedy="remove a row or rename it",
        )
        for row in again
    ]


# --- frames to files --------------------------------------------------------------------------


def _to_csv(table: Table, frame: pd.DataFrame) -> str:
    columns: dict[str, ObjectArray] = {}
    for name in frame:
        texts = _as_texts(frame[name])
        needed = table.has(str(name)) and table.column(str(name)).required
        if needed or not table.has(str(name)) or bool((texts != "").any()):
            columns[str(name)] = texts
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return buffer.getvalue()

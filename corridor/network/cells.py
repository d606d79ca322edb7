"""Single cells of the tables: what a project or a variant sets, and tables with them set."""

import datetime as dt
import math
from collections.abc import Iterable
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.typing import NaTType

from corridor.network.models import Network
from corridor.network.schema import TABLES, Column, Kind

IntArray: TypeAlias = NDArray[np.intp]
Value: TypeAlias = bool | int | float | dt.date | str
Typed: TypeAlias = float | bool | str | pd.Timestamp | NaTType

_BOOLS = {"true": True, "false": False}


class CellValue(Protocol):
    """Where a cell stands, and the value that it takes."""

    @property
    def table(self) -> str:
        """Name of the table."""
        ...

    @property
    def key(self) -> str:
        """Key of the row, parts joined by ``/``."""
        ...

    @property
    def column(self) -> str:
        """Column."""
        ...

    @property
    def value(self) -> Value:
        """The new value; an empty text is a blank."""
        ...


class Cell(NamedTuple):
    """One cell of one table, and the value that it takes; see `CellValue`."""

    table: str
    key: str
    column: str
    value: Value


def project_cells(network: Network, projects: Iterable[str]) -> list[Cell]:
    """Return the cells that projects set, project by project in the order asked.

    A project that makes a status ``open`` has done the work: it also clears ``opens``, the date
    on which the thing was to open, unless it sets that date itself.
    """
    rows = network.projects
    places = rows[["table", "key", "column", "value"]]
    cells: list[Cell] = []
    for project in projects:
        own = [Cell(*row) for row in places[rows["project_id"] == project].to_numpy(object)]
        dated = {(cell.table, cell.key) for cell in own if cell.column == "opens"}
        built = [
            cell._replace(column="opens", value="")
            for cell in own
            if (cell.column, cell.value) == ("status", "open")
            and (cell.table, cell.key) not in dated
        ]
        cells += own + built
    return cells


def set_cells(
    network: Network, tables: dict[str, pd.DataFrame], cells: Iterable[CellValue]
) -> None:
    """Set cells in tables that are being changed.

    Parameters
    ----------
    network
        The network before any change; it stays as it is.
    tables
        Changed tables by name; one that is not there yet begins as a copy of the network's.
    cells
        Cells without faults, in the order in which they are set.
    """
    for cell in cells:
        frame = editable(network, tables, cell.table)
        row = row_of(network, cell)
        value = parse_value(TABLES[cell.table].column(cell.column), cell.value)
        frame.loc[row.tolist(), cell.column] = value


def editable(network: Network, tables: dict[str, pd.DataFrame], table: str) -> pd.DataFrame:
    """Return the copy of a table that is worked on."""
    if table not in tables:
        tables[table] = network.table(table).copy()
    return tables[table]


def row_of(network: Network, cell: CellValue) -> IntArray:
    """Return the position of the row that a cell stands in; empty where there is none."""
    return np.flatnonzero(network.rows[cell.table].keys == cell.key)


def parse_value(column: Column, value: Value) -> Typed:
    """Return a value with the type that a column holds in memory.

    Parameters
    ----------
    column
        Its description.
    value
        As TOML or CSV has it; an empty text is a blank.

    Raises
    ------
    ValueError, KeyError, TypeError
        If the value is no such thing. Ranges and references are checked later, with the table.

    Examples
    --------
    >>> parse_value(TABLES["links"].column("speed_kmh"), "60")
    60.0
    """
    if column.kind.numeric:
        return _number(value)
    if column.kind is Kind.BOOL:
        return value if isinstance(value, bool) else _BOOLS[str(value)]
    if column.kind is Kind.DATE:
        return _date(value)
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _number(value: Value) -> float:
    if value == "":
        return math.nan
    if isinstance(value, (bool, dt.date)):
        raise TypeError(value)
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number


def _date(value: Value) -> pd.Timestamp | NaTType:
    if value == "":
        return pd.NaT
    if isinstance(value, str):
        return pd.Timestamp(dt.date.fromisoformat(value))
    if isinstance(value, dt.date):
        return pd.Timestamp(value)
    raise TypeError(value)

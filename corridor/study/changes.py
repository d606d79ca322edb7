"""A variant applied to the tables: cells set, links and crossings opened and closed."""

import datetime as dt
import math
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.typing import NaTType

from corridor.errors import Fault
from corridor.network import TABLES, Network
from corridor.network.schema import Column, Kind
from corridor.study.variants import CellChange, Value, Variant

IntArray: TypeAlias = NDArray[np.intp]
Typed: TypeAlias = float | bool | str | pd.Timestamp | NaTType

SWITCHED = {"links": "link_id", "crossings": "crossing_id"}
"""Tables whose rows can be opened and closed, and their ids."""
CLOSED = "broken"
"""Status of what a variant closes: unlike the other statuses, no date opens it again."""
_BOOLS = {"true": True, "false": False}


def changed_tables(network: Network, variant: Variant) -> dict[str, pd.DataFrame]:
    """Return the tables that a variant changes, with its changes.

    Parameters
    ----------
    network
        The network before the variant; it stays as it is.
    variant
        A variant without faults (see `variant_faults`).

    Returns
    -------
    dict of str to DataFrame
        Table name to its new rows, for ``Network.replace``.
    """
    tables: dict[str, pd.DataFrame] = {}
    for cell in project_cells(network, variant.projects):
        _set_cell(network, tables, cell)
    for patterns, status in ((variant.open, "open"), (variant.close, CLOSED)):
        for table, rows in _matches(network, patterns).items():
            frame = _editable(network, tables, table)
            frame.loc[rows, "status"] = status
            frame.loc[rows, "opens"] = pd.NaT
    for cell in variant.set:
        _set_cell(network, tables, cell)
    return tables


def project_cells(network: Network, projects: Iterable[str]) -> list[CellChange]:
    """Return the cells that projects set, project by project in the order asked.

    A project that makes a status ``open`` has done the work: it also clears ``opens``, the date
    on which the thing was to open, unless it sets that date itself.
    """
    rows = network.projects
    places = rows[["table", "key", "column", "value"]]
    cells = []
    for project in projects:
        own = [
            CellChange(table=table, key=key, column=column, value=value)
            for table, key, column, value in places[rows["project_id"] == project].to_numpy(object)
        ]
        dated = {(cell.table, cell.key) for cell in own if cell.column == "opens"}
        built = [
            cell.model_copy(update={"column": "opens", "value": ""})
            for cell in own
            if (cell.column, cell.value) == ("status", "open")
            and (cell.table, cell.key) not in dated
        ]
        cells += own + built
    return cells


def variant_faults(network: Network, variant: Variant, file: str) -> list[Fault]:
    """Return everything in a variant that names what the network does not know.

    Parameters
    ----------
    network
        The network that the variant changes.
    variant
        The variant.
    file
        Name of the study file, for messages.
    """
    faults = [
        *_switch_faults(network, variant, file),
        *_project_faults(network, variant, file),
    ]
    # The cells of projects were checked with projects.csv.
    for cell in variant.set:
        faults += _cell_faults(network, cell, file, variant.id)
    return faults


def near(name: str, known: Iterable[str]) -> str:
    """Return advice for an unknown name: the known names most like it.

    Examples
    --------
    >>> near("tripp_rial", ["tripp_rail", "poti_port"])
    'did you mean tripp_rail?'
    """
    found = get_close_matches(name, list(known), n=3)
    return f"did you mean {', '.join(found)}?" if found else "correct or remove it"


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
    >>> from corridor.network import TABLES
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


def _editable(network: Network, tables: dict[str, pd.DataFrame], table: str) -> pd.DataFrame:
    """Return the copy of a table that the variant works on."""
    if table not in tables:
        tables[table] = network.table(table).copy()
    return tables[table]


def _set_cell(network: Network, tables: dict[str, pd.DataFrame], cell: CellChange) -> None:
    frame = _editable(network, tables, cell.table)
    row = _row_of(network, cell)
    value = parse_value(TABLES[cell.table].column(cell.column), cell.value)
    frame.loc[row.tolist(), cell.column] = value


def _row_of(network: Network, cell: CellChange) -> IntArray:
    """Return the position of the row that a cell stands in; empty where there is none."""
    return np.flatnonzero(network.rows[cell.table].keys == cell.key)


def _matches(network: Network, patterns: Sequence[str]) -> dict[str, IntArray]:
    """Return the rows of links and crossings whose id fits any of the patterns."""
    if not patterns:
        return {}
    any_of = re.compile("|".join(map(_expression, patterns)))
    found = {}
    for table, column in SWITCHED.items():
        rows = np.flatnonzero(network.table(table)[column].str.fullmatch(any_of).to_numpy(bool))
        if rows.size:
            found[table] = rows
    return found


def _expression(pattern: str) -> str:
    return ".*".join(re.escape(part) for part in pattern.split("*"))


def _switch_faults(network: Network, variant: Variant, file: str) -> list[Fault]:
    """Report ids that fit nothing, and ids that are opened and closed at once."""
    ids = [str(i) for table, column in SWITCHED.items() for i in network.table(table)[column]]
    faults = [
        Fault(
            file=file,
            key=variant.id,
            column=column,
            found=repr(pattern),
            expected="an id of links.csv or crossings.csv (* for any part)",
            remedy=near(pattern, ids),
        )
        for column, patterns in (("open", variant.open), ("close", variant.close))
        for pattern in patterns
        if not any(re.fullmatch(_expression(pattern), name) for name in ids)
    ]
    opened, closed = _matches(network, variant.open), _matches(network, variant.close)
    for table, column in SWITCHED.items():
        none = np.zeros(0, np.intp)
        both = np.intersect1d(opened.get(table, none), closed.get(table, none))
        faults += [
            Fault(
                file=file,
                key=variant.id,
                column="close",
                found=f"{name!r}, which the variant also opens",
                expected="an id that is either opened or closed",
                remedy="remove it from one of the two",
            )
            for name in network.table(table)[column].iloc[both]
        ]
    return faults


def _project_faults(network: Network, variant: Variant, file: str) -> list[Fault]:
    """Report unknown projects, missing requirements and two projects of one exclusive group."""
    rows = network.projects.drop_duplicates("project_id").set_index("project_id")
    chosen = [project for project in dict.fromkeys(variant.projects) if project in rows.index]

    def fault(found: str, expected: str, remedy: str) -> Fault:
        return Fault(
            file=file,
            key=variant.id,
            column="projects",
            found=found,
            expected=expected,
            remedy=remedy,
        )

    faults = [
        fault(repr(project), "an id of projects.csv", near(project, rows.index))
        for project in variant.projects
        if project not in rows.index
    ]
    groups: dict[str, list[str]] = {}
    for project in chosen:
        needs = [name.strip() for name in str(rows.at[project, "requires"]).split(";")]
        missing = [name for name in needs if name and name not in chosen]
        if missing:
            names = ", ".join(missing)
            faults.append(fault(f"{project} without {names}", "what it requires", f"add {names}"))
        groups.setdefault(str(rows.at[project, "exclusive_group"]), []).append(project)
    faults += [
        fault(", ".join(members), f"one project of the group {group!r}", "keep one of them")
        for group, members in groups.items()
        if group and len(members) > 1
    ]
    return faults


def _cell_faults(network: Network, cell: CellChange, file: str, key: str) -> list[Fault]:
    """Report a cell that does not exist, or a value of another type than its column's."""

    def fault(column: str, found: str, expected: str, remedy: str) -> list[Fault]:
        return [
            Fault(file=file, key=key, column=column, found=found, expected=expected, remedy=remedy)
        ]

    changeable = [name for name in network.rows if TABLES[name].key]
    if cell.table not in changeable:
        names = f"one of {', '.join(changeable)}"
        return fault("table", repr(cell.table), names, near(cell.table, changeable))
    table = TABLES[cell.table]
    if not table.has(cell.column):
        names = f"a column of {table.file}"
        return fault("column", repr(cell.column), names, near(cell.column, table.names))
    if cell.column in table.key:
        return fault("column", repr(cell.column), "a column outside the key", "name another column")
    keys = network.rows[cell.table].keys
    if not _row_of(network, cell).size:
        shape = f"a key of {table.file} ({'/'.join(table.key)})"
        return fault("key", repr(cell.key), shape, near(cell.key, keys))
    column = table.column(cell.column)
    try:
        parse_value(column, cell.value)
    except (ValueError, KeyError, TypeError):
        where = f"{cell.key}.{cell.column}"
        return fault("value", f"{cell.value!r} for {where}", column.expected, "correct the value")
    return []

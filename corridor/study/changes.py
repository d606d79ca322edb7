"""A variant applied to the tables: cells set, links and crossings opened and closed."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.errors import Fault
from corridor.network import TABLES, Network
from corridor.network.cells import editable, parse_value, project_cells, row_of, set_cells
from corridor.network.tables import check_value
from corridor.study.variants import CellChange, Variant

IntArray: TypeAlias = NDArray[np.intp]

SWITCHED = {"links": "link_id", "crossings": "crossing_id"}
"""Tables whose rows can be opened and closed, and their ids."""
CLOSED = "broken"
"""Status of what a variant closes: unlike the other statuses, no date opens it again."""


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
    set_cells(network, tables, project_cells(network, variant.projects))
    for patterns, status in ((variant.open, "open"), (variant.close, CLOSED)):
        for table, rows in _matches(network, patterns).items():
            frame = editable(network, tables, table)
            frame.loc[rows, "status"] = status
            frame.loc[rows, "opens"] = pd.NaT
    set_cells(network, tables, variant.set)
    return tables


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
    if not row_of(network, cell).size:
        shape = f"a key of {table.file} ({'/'.join(table.key)})"
        return fault("key", repr(cell.key), shape, near(cell.key, keys))
    column = table.column(cell.column)
    try:
        typed = parse_value(column, cell.value)
    except (ValueError, KeyError, TypeError):
        typed = None
    # Beyond the range of its column it would be found only when the variant is made.
    if typed is None or not ((cell.value == "" and column.blank) or check_value(column, typed)):
        where = f"{cell.key}.{cell.column}"
        return fault("value", f"{cell.value!r} for {where}", column.expected, "correct the value")
    return []

"""Checks across the tables of a network: ids, borders, posts, and what points where.

Every check takes the typed tables and returns faults; none raises. Blanks are skipped: a required
cell that is blank or wrong has been reported where it stands.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

import numpy as np

from corridor.errors import Fault
from corridor.network.schema import Column, Kind
from corridor.network.tables import TypedTable, shown

Rows = Mapping[str, TypedTable]


def structural_faults(rows: Rows) -> list[Fault]:
    """Return what is wrong across the tables of a network, in the order of tables and lines."""
    checks = (reference_faults, citation_faults)
    return in_order(rows, [fault for check in checks for fault in check(rows)])


def demand_faults(rows: Rows) -> list[Fault]:
    """Return what is wrong between the demand, the nodes and the commodities."""
    only = {name: rows[name] for name in ("sources", "nodes", "commodities", "demand")}
    faults = list(_references(only, only["demand"]))
    demand = only["demand"]
    same = (demand.frame["origin"] == demand.frame["destination"]) & (demand.frame["origin"] != "")
    faults.extend(
        demand.fault(
            int(row),
            "destination",
            found="the origin itself",
            expected="another node than the origin",
            remedy="remove the row",
        )
        for row in np.flatnonzero(same.to_numpy(dtype=bool))
    )
    return in_order(only, faults)


def in_order(rows: Rows, faults: Iterable[Fault]) -> list[Fault]:
    """Sort faults by table and line."""
    place = {table.table.file: number for number, table in enumerate(rows.values())}
    return sorted(faults, key=lambda fault: (place.get(fault.file, len(place)), fault.row))


def reference_faults(rows: Rows) -> Iterable[Fault]:
    """Report ids that no row of the table they refer to has."""
    for table in rows.values():
        yield from _references(rows, table)


def _references(rows: Rows, table: TypedTable) -> Iterable[Fault]:
    for column in table.table.columns:
        if column.kind is Kind.REFERENCE:
            known = [rows[name] for name in column.refers if name in rows]
            if column.name == "source" and not (known and known[0].exists):
                continue  # a data set without sources.csv may cite what it likes
            yield from _unknown_ids(table, column, known)


def _unknown_ids(table: TypedTable, column: Column, known: list[TypedTable]) -> Iterable[Fault]:
    texts = table.frame[column.name]
    ids = {str(key) for other in known for key in other.frame[other.table.key[0]].tolist()}
    unknown = (~texts.isin([*ids, *column.words, ""])).to_numpy(dtype=bool)
    rows = np.flatnonzero(unknown)
    if not len(rows) or not known or not all(other.whole for other in known):
        return
    if not any(other.exists for other in known):
        files = " or ".join(other.table.file for other in known)
        if not any(other.table.required for other in known):
            yield Fault(
                file=known[0].table.file,
                found="no such file",
                expected=f"{files}, since {column.name} in {table.table.file} names "
                f"{len(rows)} ids of it",
                remedy="add it, or leave the column blank",
            )
        return
    for row in rows:
        text = str(texts.iloc[row])
        near = get_close_matches(text, ids, n=1)
        yield table.fault(
            int(row),
            column.name,
            found=shown(text),
            expected=column.expected,
            remedy=f"perhaps {near[0]!r}" if near else "add that row or correct the id",
        )


def citation_faults(rows: Rows) -> Iterable[Fault]:
    """Report rows without source or confidence, where the data set has a sources table."""
    if not rows["sources"].exists:
        return
    for table in rows.values():
        if not table.table.cited or not table.exists:
            continue
        for name in ("source", "confidence"):
            blank = (table.frame[name] == "").to_numpy(dtype=bool)
            for row in np.flatnonzero(blank):
                yield table.fault(
                    int(row),
                    name,
                    found="a blank",
                    expected=table.table.column(name).expected,
                    remedy="say where the row comes from and how well it is known",
                )


__all__ = ["citation_faults", "demand_faults", "in_order", "reference_faults", "structural_faults"]

"""What a page is made of: sections, charts, and tables that follow the chosen variant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from corridor.report.records import Record, plain
from corridor.report.sheets.layout import Column, Sheet, write_number

if TYPE_CHECKING:
    from bokeh.plotting import figure as Figure  # noqa: N812

SIGNIFICANT: Final = 7
"""Figures kept of a number in the page: more than any column shows."""


class Cell(NamedTuple):
    """One cell of a table.

    Parameters
    ----------
    text
        What is shown.
    value
        The number behind it, for sorting; None is text or unknown.
    below
        A second, smaller line: a change, or a range.
    """

    text: str
    value: float | None = None
    below: str = ""


class Line(NamedTuple):
    """One row of a table, and the variant it speaks of, if any."""

    cells: tuple[Cell, ...]
    variant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """A table of the page.

    Attributes
    ----------
    id
        Unique in the page.
    title
        What it shows.
    columns
        The columns, in order.
    lines
        The rows; empty where the page fills them for the chosen variant.
    n_keys
        The first columns name the row.
    note
        Line under the table.
    """

    id: str
    title: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...] = ()
    n_keys: int = 1
    note: str = ""

    @classmethod
    def of_frame(
        cls,
        frame: pd.DataFrame,
        columns: Sequence[Column],
        *,
        id: str,  # noqa: A002
        title: str,
        note: str = "",
    ) -> "Table":
        """Build a table whose rows are those of a frame."""
        cells = [[cell_of(column, value) for value in frame[column.name]] for column in columns]
        lines = tuple(Line(row) for row in zip(*cells, strict=True)) if len(frame) else ()
        return cls(id=id, title=title, columns=tuple(columns), lines=lines, note=note)


def tables_of(sheets: Sequence[Sheet], prefix: str) -> list[Table]:
    """Return sheets made for the terminal as tables of the page.

    Parameters
    ----------
    sheets
        The sheets; a text of several lines shows its first line large, the others small.
    prefix
        Of the tables' ids.
    """
    return [
        Table(
            id=f"{prefix}-{number}",
            title=sheet.title.replace("\n", ": "),
            columns=sheet.columns,
            lines=tuple(Line(tuple(map(_sheet_cell, sheet.columns, row))) for row in sheet.rows),
            n_keys=sheet.n_keys,
            note=sheet.note,
        )
        for number, sheet in enumerate(sheets)
    ]


def _sheet_cell(column: Column, text: str) -> Cell:
    first, _, rest = text.partition("\n")
    if column.digits is None:
        return Cell(first, None, rest)
    try:
        return Cell(first, float(first.replace(",", "")), rest)
    except ValueError:  # blank, or a word in a column of numbers
        return Cell(first, None, rest)


def cell_of(column: Column, value: object, below: str = "") -> Cell:
    """Return a value as its column writes it.

    Examples
    --------
    >>> cell_of(Column(name="u", title="used", unit="%", digits=0), 0.5)
    Cell(text='50', value=50.0, below='')
    """
    if column.digits is None:
        return Cell(column.cell(value), None, below)
    return Cell(column.cell(value), number_of(column, value), below)


def number_of(column: Column, value: object) -> float | None:
    """Return the number of a column in its unit, None where it is unknown."""
    number = np.nan if value is None or value is pd.NA else float(value)  # type: ignore[arg-type]
    if not np.isfinite(number):
        return None
    return float(f"{number * (100.0 if column.unit == '%' else 1.0):.{SIGNIFICANT}g}")


def change_text(column: Column, value: float, base: float) -> str:
    """Return the change from a base, in the unit of the column; empty where one is unknown."""
    percent = column.unit == "%"
    return write_number(value - base, column.digits or 0, signed=True, percent=percent)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Section:
    """A section of the page.

    Attributes
    ----------
    id, nav, title
        Anchor, name in the bar at the top, and heading.
    template
        File in ``templates``.
    context
        What the template is given, besides the section.
    charts
        Name -> figure; the template has a place for each.
    tables
        Tables that follow the chosen variant: id -> variant -> rows of plain values.
    data
        What the script of the page needs besides.
    """

    id: str
    nav: str
    title: str
    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    charts: Mapping[str, "Figure"] = field(default_factory=dict)
    tables: Mapping[str, "Follower"] = field(default_factory=dict)
    data: Record = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Follower:
    """A table that shows the rows of the chosen variant, and under a number the change from base.

    Attributes
    ----------
    table
        Head and note.
    frames
        Variant -> its rows; columns of the frame are the names of the table's columns.
    changes
        Whether changes from the base are shown.
    """

    table: Table
    frames: Mapping[str, pd.DataFrame]
    changes: bool = True

    def record(self) -> Record:
        """Return the rows for the script of the page."""
        columns = self.table.columns
        rows = {
            variant: [
                [_plain_cell(column, value) for column, value in zip(columns, row, strict=True)]
                for row in frame[[column.name for column in columns]].to_numpy(object)
            ]
            for variant, frame in self.frames.items()
        }
        kinds = [-1 if column.digits is None else column.digits for column in columns]
        record = {"digits": kinds, "keys": self.table.n_keys, "changes": self.changes, "rows": rows}
        return {name: plain(value) for name, value in record.items()}


def _plain_cell(column: Column, value: object) -> object:
    if column.digits is None:
        return column.cell(value)
    return number_of(column, value)

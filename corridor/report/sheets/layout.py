"""Tables for a terminal of any width: numbers with units, blanks for what is unknown."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

_PADDING = 2
"""Columns between two cells: the padding and the divider, both blank."""
_TEXT_WIDTH = 24
"""A column of running text may shrink to this width before a table is split."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a sheet, and how its values are written.

    Parameters
    ----------
    name
        Column of the frame.
    title
        Head of the column, first line.
    unit
        Unit, second line; ``%`` multiplies shares by 100.
    digits
        Decimals of a number; None is text.
    wrap
        True for running text that may be broken between words.
    """

    name: str
    title: str
    unit: str = ""
    digits: int | None = None
    wrap: bool = False

    def cell(self, value: object) -> str:
        """Return the text of one value; empty where it is unknown."""
        if self.digits is None:
            return str(value) if isinstance(value, str) else ""
        return write_number(value, self.digits, percent=self.unit == "%")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A titled table of texts; ``rich.console.Console().print(sheet)`` fits it to the terminal.

    Parameters
    ----------
    title
        What it shows.
    columns
        The columns, in order.
    rows
        Texts, one per column; a text may have several lines.
    n_keys
        The first columns name the row and are repeated where the sheet is split.
    note
        Line under the table.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    n_keys: int = 1
    note: str = ""

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        columns: Sequence[Column],
        *,
        title: str,
        n_keys: int = 1,
        note: str = "",
    ) -> "Sheet":
        """Build a sheet from a frame.

        Examples
        --------
        >>> frame = pd.DataFrame({"post": ["A", "B"], "wait_h": [1.25, float("nan")]})
        >>> columns = [Column(name="post", title="post"),
        ...            Column(name="wait_h", title="wait", unit="h", digits=1)]
        >>> Sheet.from_frame(frame, columns, title="Posts").rows
        (('A', '1.2'), ('B', ''))
        """
        cells = [[column.cell(value) for value in frame[column.name]] for column in columns]
        rows = tuple(zip(*cells, strict=True)) if len(frame) else ()
        return cls(title=title, columns=tuple(columns), rows=rows, n_keys=n_keys, note=note)

    def tables(self, width: int) -> list[Table]:
        """Return the cells as tables of a width; columns that do not fit go into another table.

        Parameters
        ----------
        width
            Columns of the terminal.
        """
        widths = [self._width(i) for i in range(len(self.columns))]
        blocks = split_columns(widths, self.n_keys, width)
        return [self._table(block) for block in blocks]

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        """Show title, tables and note on a rich console, as wide as it is."""
        yield Text(self.title, style="bold")
        for i, table in enumerate(self.tables(options.max_width)):
            if i:
                yield Text()
            yield table
        if self.note:
            yield Text(self.note, style="italic dim")

    def _width(self, i: int) -> int:
        column = self.columns[i]
        texts = [column.title, column.unit, *(row[i] for row in self.rows)]
        widest = max(cell_len(line) for text in texts for line in text.split("\n"))
        return min(widest, _TEXT_WIDTH) if column.wrap else widest

    def _table(self, block: Sequence[int]) -> Table:
        table = Table(
            box=box.SIMPLE_HEAD,
            show_edge=False,
            pad_edge=False,
            padding=(0, 1, 0, 0),
        )
        two_lines = any(self.columns[i].unit for i in block)
        for i in block:
            column = self.columns[i]
            head = f"{column.title}\n{column.unit}" if two_lines else column.title
            table.add_column(
                Text(head),
                justify="left" if column.digits is None else "right",
                no_wrap=not column.wrap and i >= self.n_keys,
                overflow="fold",
            )
        for row in self.rows:
            table.add_row(*(_styled(row[i]) for i in block))
        return table


def _styled(text: str) -> Text:
    """Return a cell; all its lines but the first are dim."""
    first, _, rest = text.partition("\n")
    return Text.assemble(first, *([("\n" + rest, "dim")] if rest else []))


def split_columns(widths: Sequence[int], n_keys: int, available: int) -> list[list[int]]:
    """Return the columns of each table: the keys in all, the others in order while they fit.

    Parameters
    ----------
    widths
        Width of each column's text.
    n_keys
        Number of key columns at the start.
    available
        Width of the terminal.

    Examples
    --------
    >>> split_columns([10, 6, 6, 6], 1, 30)
    [[0, 1, 2], [0, 3]]
    >>> split_columns([10, 6, 6, 6], 1, 80)
    [[0, 1, 2, 3]]
    """
    keys = list(range(n_keys))
    room = available + _PADDING - sum(widths[i] + _PADDING for i in keys)
    blocks: list[list[int]] = []
    taken = room + 1
    for i in range(n_keys, len(widths)):
        taken += widths[i] + _PADDING
        if taken > room or not blocks:
            blocks.append([*keys, i])
            taken = widths[i] + _PADDING
        else:
            blocks[-1].append(i)
    return blocks or [keys]


def write_number(
    value: object, digits: int = 0, *, signed: bool = False, percent: bool = False
) -> str:
    """Return a number as text: thousands separated, empty where it is unknown.

    Parameters
    ----------
    value
        A number; None, NaN and infinity are unknown.
    digits
        Decimals.
    signed
        True for differences: a plus sign, and ``=`` for what rounds to nothing.
    percent
        True to write a share in percent.

    Examples
    --------
    >>> write_number(12345.67, 1), write_number(float("nan")), write_number(-0.001, 1)
    ('12,345.7', '', '0.0')
    >>> write_number(2.5, 1, signed=True), write_number(0.001, 1, signed=True)
    ('+2.5', '=')
    """
    if value is None or value is pd.NA:
        return ""
    number = float(value) * (100.0 if percent else 1.0)  # type: ignore[arg-type]
    if not math.isfinite(number):
        return ""
    rounded = round(number, digits) + 0.0  # -0.0 + 0.0 is 0.0
    if signed:
        return f"{rounded:+,.{digits}f}" if rounded else "="
    return f"{rounded:,.{digits}f}"

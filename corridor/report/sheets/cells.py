"""Cells of sheets about borders: hours that may never end, shares, ranges, and their columns."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

import pandas as pd

from corridor.report.sheets.layout import Column, Sheet, write_number

ENDLESS: Final = "endless"
"""What is written for a wait that grows without end."""


def write_hours(value: object) -> str:
    """Return hours with as many decimals as they need; no end is said in a word.

    Examples
    --------
    >>> write_hours(0.0123), write_hours(12.34), write_hours(float("inf"))
    ('0.012', '12.3', 'endless')
    """
    number = float(str(value))
    if math.isinf(number):
        return ENDLESS
    digits = 1 if abs(number) >= 10.0 else 2 if abs(number) >= 0.1 else 3  # noqa: PLR2004
    return write_number(number, digits) if number else "0"


def rows_of(frame: pd.DataFrame) -> Iterable[Any]:
    """Return the rows of a frame, each with its columns as attributes."""
    return frame.itertuples()


def write_share(value: object) -> str:
    """Return a share in whole percent."""
    return write_number(value, 0, percent=True)


def write_range(low: float, high: float, digits: int) -> str:
    """Return both ends; nothing where no range is given."""
    return "" if low == high else f"{write_number(low, digits)}-{write_number(high, digits)}"


def write_share_range(low: float, high: float) -> str:
    """Return both ends in percent; nothing where they are unknown."""
    return "" if math.isnan(low) else f"{write_share(low)}-{write_share(high)}"


def write_hours_range(low: float, high: float) -> str:
    """Return both ends in hours; nothing where no range is given."""
    return "" if low == high else f"{write_hours(low)}-{write_hours(high)}"


def write_with_range(value: float, low: float, high: float) -> str:
    """Return hours, and the ends of their range in brackets where there is one."""
    ends = write_range(low, high, 1)
    return f"{value:.1f} ({ends})" if ends else f"{value:.1f}"


def ways_of(frame: pd.DataFrame) -> "pd.Series[str]":
    """Return the direction of each row as a text, ARM>IRN."""
    return frame["from_country"] + ">" + frame["to_country"]


def text(title: str, unit: str = "", *, wrap: bool = False) -> Column:
    """Return a column of texts."""
    return Column(name="", title=title, unit=unit, wrap=wrap)


def number(title: str, unit: str = "") -> Column:
    """Return a column of numbers that are written by the rows themselves."""
    return Column(name="", title=title, unit=unit, digits=0)


def written_sheet(
    title: str,
    columns: Sequence[Column],
    cells: Iterable[Sequence[object]],
    *,
    n_keys: int = 1,
    note: str = "",
) -> Sheet:
    """Return a sheet of cells that are texts or become such."""
    rows = tuple(tuple(str(cell) for cell in row) for row in cells)
    return Sheet(title=title, columns=tuple(columns), rows=rows, n_keys=n_keys, note=note)

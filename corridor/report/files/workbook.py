"""``tables.xlsx``: the tables of a comparison as a workbook, for people who work in Excel."""

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from corridor import __version__
from corridor.report.files.comparisons import require_plans
from corridor.report.files.fields import Field, describe_frame
from corridor.report.files.licenses import license_of
from corridor.report.files.scratch import scratch_file
from corridor.report.sheets.studies import USE
from corridor.study import Comparison
from corridor.study.comparison import KEYS

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

_MOST_CHARACTERS: Final = 32_767
"""What a cell of Excel holds."""
_CUT: Final = " ... (cut)"
_WIDEST: Final = 48
_HEADER_ROW: Final = 1
_NOON: Final = dt.time(12)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SheetOfBook:
    """One sheet: a table, how many columns stay in view, and what it shows."""

    name: str
    note: str
    frame: pd.DataFrame
    n_keys: int
    fields: tuple[Field, ...]


def write_workbook(comparison: Comparison, path: str | Path) -> None:
    """Write the tables of a comparison as an Excel workbook, whole or not at all.

    Sheets: ``About``, ``Summary``, ``Indicators`` (a column per variant), ``References``, ``Legs``,
    ``Crossings``, ``Countries``, ``Rules``, ``Principles``, ``Unmet``, ``Assumptions`` and
    ``Sources``. The unit stands in the head of each column, heads and keys stay in view, and
    numbers are numbers. Every text is written as text, so that a name that begins with ``=``,
    ``+``, ``-`` or ``@`` is never a formula.

    Parameters
    ----------
    comparison
        What `corridor.compare` returned.
    path
        File to write, ``tables.xlsx``; an existing file is replaced once the new one is complete.

    Raises
    ------
    InputError
        If the folder does not exist, the path is a folder, or the comparison is empty.
    OSError
        If the file cannot be written; nothing is left behind.

    Examples
    --------
    >>> import corridor
    >>> study = corridor.load_study("crossroads")
    >>> comparison = corridor.compare(study, variants=["status_quo"])  # doctest: +SKIP
    >>> write_workbook(comparison, "tables.xlsx")  # doctest: +SKIP
    """
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import XlsxWriterException

    require_plans(comparison)
    with scratch_file(path, "A workbook") as part:
        try:
            with Workbook(str(part), _PLAIN) as book:
                book.set_properties(
                    {
                        "title": comparison.study.name,
                        "comments": f"corridor {__version__}",
                        # The clock is never read: the same study gives the same file.
                        "created": dt.datetime.combine(comparison.study.date, _NOON, dt.UTC),
                    }
                )
                sheets = list(_sheets(comparison))
                _write_about(book, comparison, sheets)
                for sheet in sheets:
                    _write_sheet(book, sheet)
        except XlsxWriterException as error:
            msg = f"The workbook could not be written: {error}"
            raise OSError(msg) from error


_PLAIN: Final = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": False,
}
"""A text stays a text, whatever it looks like."""


# --- what the sheets hold -------------------------------------------------------------------------


def _sheets(comparison: Comparison) -> Iterator[SheetOfBook]:
    yield _sheet("Summary", "Headlines of each variant", comparison.summary, 1)
    yield _indicators(comparison)
    yield _sheet("References", "Reference shipments door to door", comparison.references, 2)
    yield _sheet("Legs", "The same leg by leg", comparison.legs, 3)
    for name, part, note, n_keys in (
        ("Crossings", "crossings", "Crossings in use, a row per direction: load, time, fees", 4),
        ("Countries", "countries", "What each state carries and earns", 2),
        ("Rules", "rules", "Rules in force, whether they bind, and their price", 2),
        ("Principles", "compliance", "How each variant stands to the four principles", 2),
        ("Unmet", "unmet", "Demand that cannot move, and why", 4),
        ("Assumptions", "assumptions", "Blanks of the data set and the value each was given", 3),
    ):
        yield _sheet(name, note, _stacked(comparison, part), n_keys)
    sources = comparison.study.network.sources
    yield _sheet("Sources", "Where the data come from", sources, 1, table="sources")


def _sheet(name: str, note: str, frame: pd.DataFrame, n_keys: int, table: str = "") -> SheetOfBook:
    return SheetOfBook(
        name=name,
        note=note,
        frame=frame,
        n_keys=n_keys,
        fields=tuple(describe_frame(frame, table)),
    )


def _stacked(comparison: Comparison, part: str) -> pd.DataFrame:
    """Return one table of every plan, under each other, the variant first."""
    frames = []
    for variant, plan in comparison.plans.items():
        frame: pd.DataFrame = getattr(plan, part)
        if part == "crossings" and len(frame):
            frame = frame[frame["t_per_day"] > 0]
        frames.append(frame.assign(variant=variant)[["variant", *frame.columns]])
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled or frames[:1], ignore_index=True)


def _indicators(comparison: Comparison) -> SheetOfBook:
    """Return the indicators with a column per variant."""
    wide = pd.concat(
        {
            str(variant): rows.set_index(KEYS)["value"]
            for variant, rows in comparison.indicators.groupby("variant", sort=False)
        },
        axis=1,
        sort=False,
    )
    frame = wide[[name for name in comparison.plans if name in wide]].reset_index()
    keys = describe_frame(frame[KEYS])
    values = [
        Field(
            name=str(name),
            type="number",
            unit="",
            meaning="the value in this variant",
            label=str(name),
        )
        for name in frame.columns[len(KEYS) :]
    ]
    return SheetOfBook(
        name="Indicators",
        note="Every indicator, a column per variant; the unit stands in the row",
        frame=frame,
        n_keys=len(KEYS),
        fields=(*keys, *values),
    )


# --- how they are written -------------------------------------------------------------------------


def _write_about(book: "Workbook", comparison: Comparison, sheets: Sequence[SheetOfBook]) -> None:
    study = comparison.study
    terms = license_of(study)
    lines = [
        ("Study", study.name),
        ("What is shown", USE[study.header.assignment]),
        ("Base", study.base),
        ("Rules and works as of", study.date.isoformat()),
        ("Made with", f"corridor {__version__}"),
        ("License", f"{terms.title}, {terms.path}" if terms else "that of the data set"),
        ("Blank", "unknown, or no way; never zero"),
        *((sheet.name, sheet.note) for sheet in sheets),
    ]
    about = book.add_worksheet("About")
    bold, text = book.add_format({"bold": True}), _text_format(book)
    for row, (head, line) in enumerate(lines):
        about.write_string(row, 0, head, bold)
        about.write_string(row, 1, line, text)
    about.set_column(0, 0, 22)
    about.set_column(1, 1, 100)


def _write_sheet(book: "Workbook", sheet: SheetOfBook) -> None:
    page = book.add_worksheet(sheet.name)
    head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
    page.write_string(0, 0, sheet.note, book.add_format({"italic": True}))
    for column, field in enumerate(sheet.fields):
        page.write_string(_HEADER_ROW, column, field.title, head)
        values = sheet.frame[field.name].tolist()
        cells = book.add_format({"num_format": number_format(field)})
        if field.type == "string":
            cells = _text_format(book)
        _write_column(page, column, values, cells)
        page.set_column(column, column, _width(field, values))
    page.freeze_panes(_HEADER_ROW + 1, sheet.n_keys)
    if len(sheet.frame):
        page.autofilter(_HEADER_ROW, 0, _HEADER_ROW + len(sheet.frame), len(sheet.fields) - 1)


def _text_format(book: "Workbook") -> "Format":
    # As text, and marked as such: it does not become a formula when somebody edits the cell either.
    return book.add_format({"num_format": "@", "quote_prefix": True})


def _write_column(
    page: "Worksheet", column: int, values: Sequence[object], cells: "Format"
) -> None:
    for i, value in enumerate(values):
        row = _HEADER_ROW + 1 + i
        if isinstance(value, bool):
            page.write_boolean(row, column, value, cells)
        elif isinstance(value, int | float):
            if math.isfinite(value):
                page.write_number(row, column, value, cells)
        elif isinstance(value, str) and value:
            page.write_string(row, column, fitted(value), cells)


def fitted(text: str) -> str:
    """Return a text that a cell of Excel can hold, its end marked where it was cut.

    Examples
    --------
    >>> fitted("Լարս"), len(fitted("x" * 40_000)), fitted("x" * 40_000)[-5:]
    ('Լարս', 32767, '(cut)')
    """
    if len(text) <= _MOST_CHARACTERS:
        return text
    return text[: _MOST_CHARACTERS - len(_CUT)] + _CUT


def number_format(field: Field) -> str:
    """Return the format in which Excel shows a column.

    Examples
    --------
    >>> number_format(Field(name="wait_h", type="number", unit="h", meaning=""))
    '#,##0.00'
    >>> number_format(Field(name="share", type="number", unit="1", meaning=""))
    '0.0%'
    """
    if field.type == "integer":
        return "0"
    if field.unit == "1":
        return "0.0%"
    if field.unit in ("t/day", "TEU/day", "t-km/day", "USD/day", "USD/year"):
        return "#,##0"
    return "#,##0.00" if field.unit else "General"


def _width(field: Field, values: Sequence[object]) -> float:
    """Return a width that shows most values, in characters."""
    texts = [len(value) for value in values if isinstance(value, str)]
    longest = max(texts, default=11)
    # A head may wrap between its words.
    head = max(len(word) for word in field.title.split(" "))
    return min(max(longest, head + 1, 9), _WIDEST)

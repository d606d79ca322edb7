"""Results as tables in a notebook: the sheets of the terminal as HTML, units in the heads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import singledispatch
from html import escape

from corridor.errors import InputError
from corridor.planning import Crossing, Explanation, Itinerary, Plan
from corridor.report.sheets.borders import crossing_sheets
from corridor.report.sheets.layout import Column, Sheet
from corridor.report.sheets.reasons import explanation_sheets
from corridor.report.sheets.studies import comparison_sheets, plan_sheets, target_sheets
from corridor.report.sheets.ways import itinerary_sheets
from corridor.study import Comparison, TargetCheck

_CELL = "padding:0.15em 0.7em;white-space:pre-line;"
_HEAD = f"{_CELL}border-bottom:1px solid currentColor;vertical-align:bottom;"

_CAPTION = "text-align:left;font-weight:bold"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookTables:
    """Tables that a notebook shows as HTML and a terminal as text.

    Attributes
    ----------
    sheets
        The tables, in order.
    """

    sheets: tuple[Sheet, ...]

    def _repr_html_(self) -> str:
        """Return the tables as HTML; every text is escaped."""
        return "\n".join(_table(sheet) for sheet in self.sheets)

    def __repr__(self) -> str:
        """Return the tables as text."""
        from rich.console import Console

        console = Console(width=120, highlight=False, emoji=False, color_system=None)
        with console.capture() as text:
            for sheet in self.sheets:
                console.print(sheet)
        return text.get()


def show_tables(result: object) -> NotebookTables:
    """Return a result as tables for a notebook, as the command line prints it.

    Parameters
    ----------
    result
        A `Comparison`, `Plan`, `Itinerary`, a list of itineraries, a `Crossing`, an `Explanation`
        or a `TargetCheck`.

    Returns
    -------
    NotebookTables
        Shown as HTML at the end of a cell; `print` shows text.

    Raises
    ------
    InputError
        If it is something else.

    Examples
    --------
    >>> import corridor
    >>> net = corridor.load_network("crossroads")
    >>> way = corridor.route(net, "AZ_BAKU", "GE_POTI", "containers")
    >>> show_tables(way)._repr_html_().count("<table")
    1
    """
    return NotebookTables(sheets=tuple(_sheets(result)))


@singledispatch
def _sheets(result: object) -> Sequence[Sheet]:
    msg = (
        "Tables are made of a Comparison, Plan, Itinerary, Crossing, Explanation, TargetCheck or a "
        f"list of itineraries; found {type(result).__name__}. A DataFrame shows itself."
    )
    raise InputError(msg)


_sheets.register(Comparison, comparison_sheets)
_sheets.register(Plan, plan_sheets)
_sheets.register(Crossing, crossing_sheets)
_sheets.register(Explanation, explanation_sheets)
_sheets.register(TargetCheck, target_sheets)


@_sheets.register
def _(result: Itinerary) -> Sequence[Sheet]:
    return itinerary_sheets([result])


@_sheets.register(list)
@_sheets.register(tuple)
def _(result: Iterable[Itinerary]) -> Sequence[Sheet]:
    ways = list(result)
    for way in ways:
        if not isinstance(way, Itinerary):
            msg = f"A list must be of itineraries; found {type(way).__name__}. Give one result."
            raise InputError(msg)
    return itinerary_sheets(ways)


def _table(sheet: Sheet) -> str:
    head = "".join(_head(column) for column in sheet.columns)
    rows = "".join(
        "<tr>"
        + "".join(_cell(text, column) for text, column in zip(row, sheet.columns, strict=True))
        + "</tr>"
        for row in sheet.rows
    )
    note = f'<p style="font-size:85%;opacity:0.75">{escape(sheet.note)}</p>' if sheet.note else ""
    return (
        f'<table style="border-collapse:collapse"><caption style="{_CAPTION}">'
        f"{escape(sheet.title)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table>{note}"
    )


def _head(column: Column) -> str:
    unit = f"<br><small>{escape(column.unit)}</small>" if column.unit.strip() else ""
    return f'<th scope="col" style="{_HEAD}{_side(column)}">{escape(column.title)}{unit}</th>'


def _cell(text: str, column: Column) -> str:
    return f'<td style="{_CELL}{_side(column)}">{escape(text)}</td>'


def _side(column: Column) -> str:
    return "text-align:left" if column.digits is None else "text-align:right"

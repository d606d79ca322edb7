import io

import pandas as pd
import pytest
from rich.console import Console

from corridor.report.sheets.layout import Column, Sheet, split_columns, write_number


def shown(sheet: Sheet, width: int) -> str:
    """Return what a terminal of a width shows."""
    console = Console(file=io.StringIO(), width=width)
    console.print(sheet)
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.fixture
def sheet() -> Sheet:
    """Make a sheet of one key and six numbers, 80 columns wide or so."""
    frame = pd.DataFrame({"post": ["sarpi-road"], "why": ["customs of two states, and a scanner"]})
    numbers = [f"number_{i}" for i in range(6)]
    frame[numbers] = 12345.6
    columns = [
        Column(name="post", title="crossing"),
        *(Column(name=name, title=name, unit="t/day", digits=1) for name in numbers),
        Column(name="why", title="why", wrap=True),
    ]
    return Sheet.from_frame(frame, columns, title="Posts", note="as of today")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (-0.04, "0.0"),
        (1234567.89, "1,234,567.9"),
        (-2.55, "-2.5"),
        (float("nan"), ""),
        (float("inf"), ""),
        (None, ""),
        (pd.NA, ""),
        (3, "3.0"),
    ],
)
def test_number(value: object, text: str) -> None:
    assert write_number(value, 1) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.26, "+0.3"), (-0.26, "-0.3"), (0.04, "="), (-0.04, "="), (None, "")]
)
def test_difference_shows_nothing_that_rounds_away(value: object, text: str) -> None:
    assert write_number(value, 1, signed=True) == text


def test_share_in_percent() -> None:
    assert Column(name="used", title="used", unit="%", digits=0).cell(0.954) == "95"


def test_text_that_is_missing_is_blank() -> None:
    column = Column(name="name", title="name")
    assert [column.cell(value) for value in ("a", None, float("nan"), pd.NA)] == ["a", "", "", ""]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120])
def test_sheet_fits_every_width(sheet: Sheet, width: int) -> None:
    text = shown(sheet, width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    for i in range(6):
        assert text.count(f"number_{i}") == 1
    # No number is cut or broken, and every part names its row.
    assert text.count("12,345.6") == 6
    assert text.count("sarpi-road") == len(sheet.tables(width))


def test_wide_terminal_has_one_table(sheet: Sheet) -> None:
    assert len(sheet.tables(120)) == 1
    assert len(sheet.tables(60)) > 1


def test_title_and_note_come_once(sheet: Sheet) -> None:
    text = shown(sheet, 60)
    assert text.count("Posts") == text.count("as of today") == 1


def test_brackets_are_text_not_markup() -> None:
    frame = pd.DataFrame({"key": ["[red]A-B[/red]"]})
    text = shown(Sheet.from_frame(frame, [Column(name="key", title="[x]")], title="[y] :ship:"), 80)
    assert "[red]A-B[/red]" in text
    assert "[x]" in text
    assert "[y] :ship:" in text


def test_empty_sheet_shows_its_head() -> None:
    frame = pd.DataFrame({"post": pd.Series(dtype=str)})
    assert "crossing" in shown(
        Sheet.from_frame(frame, [Column(name="post", title="crossing")], title="Posts"), 80
    )


def test_column_wider_than_the_terminal_stands_alone() -> None:
    assert split_columns([10, 100, 5, 5], 1, 40) == [[0, 1], [0, 2, 3]]

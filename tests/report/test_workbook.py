from pathlib import Path

import numpy as np
import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from corridor import InputError
from corridor.report.files import workbook
from corridor.report.files.workbook import write_workbook
from corridor.study import Comparison

SHEETS = [
    "About",
    "Summary",
    "Indicators",
    "References",
    "Legs",
    "Crossings",
    "Countries",
    "Rules",
    "Principles",
    "Unmet",
    "Assumptions",
    "Sources",
]


@pytest.fixture
def book(comparison: Comparison, tmp_path: Path) -> openpyxl.Workbook:
    """Write the comparison as a workbook and read it with another library."""
    write_workbook(comparison, tmp_path / "tables.xlsx")
    return openpyxl.load_workbook(tmp_path / "tables.xlsx")


def rows(sheet: Worksheet) -> list[dict[str, object]]:
    table = list(sheet.iter_rows(min_row=2, values_only=True))
    return [dict(zip(table[0], row, strict=True)) for row in table[1:]]


def test_sheets_in_order(book: openpyxl.Workbook) -> None:
    assert book.sheetnames == SHEETS


def test_heads_and_keys_stay_in_view(book: openpyxl.Workbook) -> None:
    assert book["Summary"].freeze_panes == "B3"
    assert book["Indicators"].freeze_panes == "F3"
    assert book["Crossings"].freeze_panes == "E3"


def test_units_stand_in_heads_and_numbers_have_formats(book: openpyxl.Workbook) -> None:
    sheet = book["Crossings"]
    heads = {cell.value: cell.column for cell in sheet[2]}
    formats = {
        head: sheet.cell(3, heads[head]).number_format
        for head in (
            "flow [t/day]",
            "wait [h]",
            "utilization [share]",
            "cost [USD/t]",
            "crossing id",
        )
    }
    assert formats == {
        "flow [t/day]": "#,##0",
        "wait [h]": "#,##0.00",
        "utilization [share]": "0.0%",
        "cost [USD/t]": "#,##0.00",
        "crossing id": "@",
    }


def test_indicators_stand_side_by_side(book: openpyxl.Workbook, comparison: Comparison) -> None:
    found = rows(book["Indicators"])
    wide = comparison.indicators.set_index(
        ["variant", "indicator", "unit", "scope", "direction", "commodity"]
    )["value"]
    compared = 0
    for row in found:
        key = [row[name] or "" for name in ("indicator", "unit", "scope", "direction", "commodity")]
        for variant in comparison.plans:
            value = wide.get((variant, *key), np.nan)
            if np.isnan(value):
                assert row[variant] is None
            else:
                assert row[variant] == pytest.approx(value, rel=1e-15)
                compared += 1
    assert compared == comparison.indicators["value"].notna().sum() > 100


def test_rows_of_all_variants_stand_under_each_other(
    book: openpyxl.Workbook, comparison: Comparison
) -> None:
    unmet = rows(book["Unmet"])
    assert {row["variant"] for row in unmet} == {
        name for name, plan in comparison.plans.items() if len(plan.unmet)
    }
    expected = sum(plan.unmet["t_per_day"].sum() for plan in comparison.plans.values())
    assert sum(row["flow [t/day]"] for row in unmet) == pytest.approx(expected)


def test_unknown_is_blank(book: openpyxl.Workbook) -> None:
    without = next(row for row in rows(book["Summary"]) if row["variant"] == "contradiction")
    assert without["status"] == "infeasible"
    assert without["served [Mt/year]"] is None


def test_about_says_what_it_is(book: openpyxl.Workbook) -> None:
    about = dict(book["About"].iter_rows(values_only=True))
    assert about["Study"] == "Toy"
    assert about["Rules and works as of"] == "2026-01-01"
    assert about["License"] == "that of the data set"
    assert set(SHEETS[1:]) <= set(about)


def test_same_comparison_gives_the_same_bytes(comparison: Comparison, tmp_path: Path) -> None:
    first, second = tmp_path / "1.xlsx", tmp_path / "2.xlsx"
    write_workbook(comparison, first)
    write_workbook(comparison, second)
    assert first.read_bytes() == second.read_bytes()


def test_failure_keeps_the_old_file(
    comparison: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "tables.xlsx").write_text("old")
    monkeypatch.setattr(workbook, "_write_sheet", fail)
    with pytest.raises(OSError, match="No space left"):
        write_workbook(comparison, tmp_path / "tables.xlsx")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"tables.xlsx": "old"}


def test_folder_must_exist(comparison: Comparison, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="A workbook must go into an existing folder"):
        write_workbook(comparison, tmp_path / "nowhere" / "tables.xlsx")
    with pytest.raises(InputError, match="A workbook must be a file"):
        write_workbook(comparison, tmp_path)

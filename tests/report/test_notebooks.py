import xml.etree.ElementTree as ET

import pytest

import corridor
from corridor import InputError
from corridor.report.notebooks import NotebookTables, show_tables
from corridor.report.sheets.layout import Column, Sheet
from corridor.report.sheets.studies import comparison_sheets, plan_sheets
from corridor.study import Comparison

STRANGE = 'Մեղրի <script>"ფოთი"</script> & Ёж'


def parsed(tables: NotebookTables) -> ET.Element:
    """Parse the HTML as XML; only balanced and escaped markup passes."""
    html = tables._repr_html_().replace("<br>", "<br/>")
    return ET.fromstring(f"<div>{html}</div>")  # noqa: S314 (our own text)


def test_every_sheet_is_a_table_with_its_rows(comparison: Comparison) -> None:
    for result, sheets in (
        (comparison, comparison_sheets(comparison)),
        (comparison.plans["no_border"], plan_sheets(comparison.plans["no_border"])),
    ):
        tables = parsed(show_tables(result)).findall("table")
        assert [table.findtext("caption") for table in tables] == [s.title for s in sheets]
        assert [len(table.findall("tbody/tr")) for table in tables] == [len(s.rows) for s in sheets]


def test_texts_are_escaped_and_units_shown() -> None:
    columns = (Column(name="a", title=STRANGE), Column(name="b", title="wait", unit="h", digits=1))
    sheet = Sheet(title=STRANGE, columns=columns, rows=((STRANGE, "1.5"),), note=STRANGE)
    root = parsed(NotebookTables(sheets=(sheet,)))
    assert root.find(".//script") is None
    assert [cell.text for cell in root.iter("td")] == [STRANGE, "1.5"]
    assert root.findtext(".//th/small") == "h"
    assert root.findtext("p") == root.findtext(".//caption") == STRANGE


def test_a_terminal_shows_text(comparison: Comparison) -> None:
    text = repr(show_tables(comparison.plans["today"]))
    assert "Rules that bind" in text
    assert "<" not in text.split("Rules")[0]


def test_ways_explanations_and_crossings_have_tables(comparison: Comparison) -> None:
    network, demand, rules = comparison.study.case("contradiction")
    way = corridor.route(network, "A1", "B1", "containers")
    assert len(show_tables([way, way]).sheets) > len(show_tables(way).sheets) > 0
    assert show_tables(corridor.explain(network, demand, rules)).sheets
    assert show_tables(corridor.crossing(network, "ab-road")).sheets


@pytest.mark.parametrize("result", [3, "plan", [1]])
def test_anything_else_is_refused(result: object) -> None:
    with pytest.raises(InputError, match=r"found (int|str)"):
        show_tables(result)

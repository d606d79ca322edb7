"""Names with quotes, brackets and letters of the region survive in every file."""

import json
from pathlib import Path

import openpyxl
import pandas as pd
import pyogrio
import pytest

import corridor
from corridor.report import write_outputs
from corridor.study import Comparison
from tests.report.strange import CROSSINGS, NAMES, SOURCE, TITLE, VARIANT, strange_comparison


@pytest.fixture
def strange(
    tmp_path: Path, toy_tables: dict[str, pd.DataFrame], toy_demand: corridor.Demand
) -> Comparison:
    return strange_comparison(tmp_path / "strange", toy_tables, toy_demand.rows)


_written: list[Path] = []
"""The folder once it is written: no test changes it."""


@pytest.fixture
def folder(strange: Comparison, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write every file of the strange study."""
    if not _written:
        _written.append(tmp_path_factory.mktemp("strange") / "out")
        write_outputs(strange, _written[0])
    return _written[0]


def test_in_the_geopackage(folder: Path) -> None:
    file = folder / "corridor.gpkg"
    assert pyogrio.read_dataframe(file, layer="nodes")["name"].tolist() == NAMES
    assert pyogrio.read_dataframe(file, layer="crossings")["name"].tolist() == CROSSINGS
    assert len(pyogrio.read_dataframe(file, layer=f"flows_{VARIANT}")) == 7
    styles = pyogrio.read_dataframe(file, layer="layer_styles")["f_table_name"]
    assert f"differences_{VARIANT}" in styles.tolist()


def test_in_the_csv_files(folder: Path) -> None:
    for name in ("indicators.csv", "paths.csv"):
        frame = pd.read_csv(folder / name, keep_default_na=False)
        assert VARIANT in frame["variant"].tolist()


def test_in_the_workbook_and_never_as_a_formula(folder: Path) -> None:
    book = openpyxl.load_workbook(folder / "tables.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "b"}
    texts = {cell.value for cell in cells if cell.data_type == "s"}
    assert {TITLE, VARIANT, SOURCE, '=cmd|" /C calc"!A0'} <= texts
    for cell in cells:
        if isinstance(cell.value, str) and cell.value[:1] in "=+-@":
            assert cell.quotePrefix
            assert cell.number_format == "@"


def test_in_the_data_package(folder: Path) -> None:
    record = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    assert record["title"] == TITLE
    assert record["name"] == "2-5-script-alert-script"
    assert record["sources"] == [
        {
            "title": f'{SOURCE}: Ծ & <sons>: =cmd|" /C calc"!A0',
            "path": "https://example.org/?a=1&b=<2>",
        }
    ]
    package = next(entry for entry in record["resources"] if entry["format"] == "gpkg")
    assert f"flows_{VARIANT}" in [layer["name"] for layer in package["layers"]]

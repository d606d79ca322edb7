import hashlib
import json
import re
from dataclasses import fields, replace
from pathlib import Path

import pandas as pd
import pyogrio
import pytest

from corridor.network import TABLES
from corridor.planning import Plan
from corridor.report import write_outputs
from corridor.report.files.fields import describe_frame
from corridor.report.files.packages import write_package
from corridor.study import Comparison, Study

CASTS = {
    "string": lambda cell: cell,
    "number": float,
    "integer": int,
    "boolean": {"True": True, "False": False}.__getitem__,
}


_written: list[Path] = []
"""The folder once it is written: no test changes it."""


@pytest.fixture
def folder(comparison: Comparison, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write every file of the comparison."""
    if not _written:
        _written.append(tmp_path_factory.mktemp("package") / "out")
        write_outputs(comparison, _written[0])
    return _written[0]


def record(folder: Path) -> dict[str, object]:
    return json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))


def test_every_other_file_is_described_by_size_and_hash(folder: Path) -> None:
    described = {resource["path"]: resource for resource in record(folder)["resources"]}
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    del files["datapackage.json"]
    assert set(described) == set(files)
    for name, content in files.items():
        assert described[name]["bytes"] == len(content)
        assert described[name]["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_what_the_standard_asks_for(folder: Path) -> None:
    # https://datapackage.org/profiles/2.0/: names, paths, types and unique names.
    package = record(folder)
    assert package["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    names = [resource["name"] for resource in package["resources"]]
    assert len(set(names)) == len(names) > 0
    for name in [package["name"], *names]:
        assert re.fullmatch(r"[a-z0-9._-]+", name)
    for resource in package["resources"]:
        assert not Path(resource["path"]).is_absolute()
        assert re.fullmatch(r"[^/]+/[^/]+", resource["mediatype"])
        assert ("schema" in resource) == (resource.get("type") == "table")


def test_tables_are_as_their_schema_says(folder: Path) -> None:
    tables = [entry for entry in record(folder)["resources"] if entry.get("type") == "table"]
    assert [entry["path"] for entry in tables] == ["indicators.csv", "paths.csv", "ways.csv"]
    for entry in tables:
        schema = entry["schema"]
        frame = pd.read_csv(folder / entry["path"], dtype=str, keep_default_na=False)
        assert [field["name"] for field in schema["fields"]] == frame.columns.tolist()
        for field in schema["fields"]:
            for cell in frame[field["name"]]:
                if cell not in schema["missingValues"]:
                    CASTS[field["type"]](cell)
        keys = schema.get("primaryKey") or schema["uniqueKeys"][0]
        assert not frame.duplicated(keys).any()
        if "primaryKey" in schema:
            assert not frame[keys].isin(schema["missingValues"]).any(axis=None)


def test_layers_of_the_geopackage_are_described(folder: Path) -> None:
    entry = next(entry for entry in record(folder)["resources"] if entry["format"] == "gpkg")
    for layer in entry["layers"]:
        info = pyogrio.read_info(folder / "corridor.gpkg", layer=layer["name"])
        assert [field["name"] for field in layer["fields"]] == info["fields"].tolist()
        assert layer["rows"] == info["features"]
        assert layer["crs"] == info["crs"]


def test_bundled_data_have_a_license_and_others_none(
    folder: Path, comparison: Comparison, tmp_path: Path
) -> None:
    assert "licenses" not in record(folder)
    # A network by the name of the bundled set stands for the bundled set.
    network = replace(comparison.study.network, name="crossroads")
    study: Study = replace(comparison.study, network=network)
    write_package(replace(comparison, study=study), tmp_path / "datapackage.json")
    assert [terms["name"] for terms in record(tmp_path)["licenses"]] == ["CC-BY-4.0"]
    assert record(tmp_path)["resources"] == []


def test_every_column_has_a_meaning_and_every_number_a_unit_or_a_reason(
    comparison: Comparison,
) -> None:
    plan = comparison.plans["today"]
    frames = [getattr(plan, field.name) for field in fields(Plan)]
    frames += [comparison.indicators, comparison.summary, comparison.differences]
    frames += [comparison.references, comparison.legs]
    described = [
        field
        for frame in frames
        if isinstance(frame, pd.DataFrame)
        for field in describe_frame(frame)
    ]
    assert {field.name for field in described if not field.meaning} == set()
    # Counts, orders, prices by vehicle or tonne, and values whose unit the row names.
    assert {field.name for field in described if field.type == "number" and not field.unit} == {
        "value",
        "low",
        "high",
        "base",
        "difference",
        "price",
        "price_of_anarchy",
        "crossings_crowded",
        "order",
    } & {field.name for field in described}


def test_contract_columns_are_described_by_the_schema() -> None:
    frame = pd.DataFrame({"link_id": ["a"], "length_km": [1.0], "mine": [2.0]})
    link, length, mine = describe_frame(frame, "links")
    assert link.meaning == TABLES["links"].column("link_id").meaning
    assert (length.type, length.unit) == ("number", "km")
    assert (mine.unit, mine.meaning) == ("", "a column of the data set's own")

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

import corridor
from corridor import InputError, Network, write_geopackage
from corridor.report.files import geopackage
from corridor.report.files.geopackage import crossing_points, flow_frame, link_lines
from corridor.study import Comparison
from tests.report.toy import write_toy_study


@pytest.fixture
def file(comparison: Comparison, tmp_path: Path) -> Path:
    """Write the comparison as a GeoPackage."""
    path = tmp_path / "corridor.gpkg"
    write_geopackage(comparison, path)
    return path


def read(file: Path, layer: str) -> pd.DataFrame:
    return pyogrio.read_dataframe(file, layer=layer)


def test_layers_are_the_network_and_the_flows_of_every_variant(file: Path) -> None:
    assert pyogrio.list_layers(file).tolist() == [
        ["nodes", "Point"],
        ["links", "LineString"],
        ["crossings", "Point"],
        ["flows_today", "LineString"],
        ["flows_no_road", "LineString"],
        ["differences_no_road", "LineString"],
        ["flows_no_border", "LineString"],
        ["differences_no_border", "LineString"],
        ["flows_contradiction", "LineString"],
        ["differences_contradiction", "LineString"],
        ["layer_styles", None],
    ]


def test_every_layer_is_in_degrees_of_wgs84(file: Path) -> None:
    layers = [layer for layer, kind in pyogrio.list_layers(file) if kind]
    assert len(layers) == 10
    for layer in layers:
        assert pyogrio.read_info(file, layer=layer)["crs"] == "EPSG:4326"


def test_network_layers_hold_every_row(file: Path, comparison: Comparison) -> None:
    network = comparison.study.network
    for layer, key in (("nodes", "node_id"), ("links", "link_id"), ("crossings", "crossing_id")):
        assert read(file, layer)[key].tolist() == network.table(layer)[key].tolist()
    assert read(file, "links")["length_km"].tolist() == network.links["length_km"].tolist()


def test_blanks_are_nulls(file: Path) -> None:
    links = read(file, "links")
    assert links["capacity_t_per_day"].isna().sum() == len(links) - 1
    assert links["crossing_id"].isna().sum() == len(links) - 2
    assert links["opens"].isna().all()


@pytest.mark.parametrize("way", ["forward", "backward"])
@pytest.mark.parametrize("variant", ["today", "no_road", "no_border"])
def test_flows_equal_the_plan(file: Path, comparison: Comparison, variant: str, way: str) -> None:
    links = comparison.plans[variant].links
    expected = links[links["direction"] == way].set_index("link_id")
    flows = read(file, f"flows_{variant}").set_index("link_id").loc[expected.index]
    assert len(flows) == len(expected) > 0
    for layer, plan in (
        ("t_per_day", "t_per_day"),
        ("vehicles_per_day", "vehicles_per_day"),
        ("utilization", "utilization"),
        ("price_usd_per_t", "shadow_price_usd_per_t"),
    ):
        np.testing.assert_array_equal(flows[f"{layer}_{way}"], expected[plan])


def test_links_shut_in_a_variant_have_no_flow_row(file: Path) -> None:
    open_today = set(read(file, "flows_today")["link_id"])
    assert open_today - set(read(file, "flows_no_road")["link_id"]) == {"x-ab-road"}


def test_differences_are_the_variant_minus_the_base(file: Path) -> None:
    # Without the road, 300 t/day from BBB go by rail over the border instead of by truck.
    changes = read(file, "differences_no_road").set_index("link_id")["change_t_per_day"]
    assert changes.to_dict() == pytest.approx(
        {
            "A1-AP-road": -300.0,
            "x-ab-road": -300.0,
            "BP-B1-road": -300.0,
            "A1-AP-rail": 300.0,
            "x-ab-rail": 300.0,
            "BP-B1-rail": 300.0,
        }
    )


def test_variant_without_a_plan_has_empty_layers(file: Path) -> None:
    flows, changes = read(file, "flows_contradiction"), read(file, "differences_contradiction")
    assert len(flows) == len(changes) == 0
    assert list(flows) == list(read(file, "flows_today"))
    assert list(changes) == list(read(file, "differences_no_road"))


def test_link_without_way_points_is_straight(toy_network: Network) -> None:
    line = link_lines(toy_network)["A1-AP-road"]
    assert shapely.get_coordinates(line).tolist() == [[1.0, 0.0], [2.0, 0.0]]


def test_way_points_are_kept(toy_network: Network) -> None:
    links = toy_network.links
    drawn = links["link_id"] == "A1-AP-road"
    links["geometry"] = links["geometry"].where(~drawn, "LINESTRING (1 0, 1.5 0.1, 2 0)")
    lines = link_lines(toy_network.replace(links=links))
    assert shapely.get_coordinates(lines["A1-AP-road"])[1].tolist() == [1.5, 0.1]
    assert shapely.get_num_coordinates(lines["A2-A1-road"]) == 2


def test_crossing_lies_midway_between_its_posts(toy_network: Network) -> None:
    points = shapely.get_coordinates(crossing_points(toy_network))
    np.testing.assert_allclose(points, [[2.025, 0.0], [2.025, 0.0]])


def test_crossing_at_sea_lies_on_its_way(toy_network: Network) -> None:
    links = toy_network.links
    border = links["crossing_id"] == "ab-road"
    links.loc[border, "geometry"] = "LINESTRING (2 0, 2 0.001, 2.05 0.001, 2.05 0)"
    points = shapely.get_coordinates(crossing_points(toy_network.replace(links=links)))
    at = (toy_network.crossings["crossing_id"] == "ab-road").to_numpy()
    np.testing.assert_allclose(points[at], [[2.025, 0.001]])


def test_oneway_link_has_no_flow_backward(
    toy_network: Network, toy_demand: corridor.Demand
) -> None:
    links = toy_network.links
    links["directed"] = links["link_id"] == "A2-A1-road"
    network = toy_network.replace(links=links)
    flows = flow_frame(network, corridor.plan(network, toy_demand)).set_index("link_id")
    assert flows.loc["A2-A1-road", "t_per_day"] == pytest.approx(500.0)
    assert np.isnan(flows.loc["A2-A1-road", "t_per_day_backward"])


def test_existing_file_is_replaced(comparison: Comparison, tmp_path: Path) -> None:
    path = tmp_path / "corridor.gpkg"
    path.write_text("not a GeoPackage")
    write_geopackage(comparison, path)
    assert len(read(path, "nodes")) == 6


def test_nothing_else_is_left_in_the_folder(comparison: Comparison, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    write_geopackage(comparison, folder / "corridor.gpkg")
    assert [path.name for path in folder.iterdir()] == ["corridor.gpkg"]


def test_failure_halfway_keeps_the_old_file(
    comparison: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "corridor.gpkg").write_text("the old one")

    def fail(*_: object) -> pd.DataFrame:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(geopackage, "difference_frame", fail)
    with pytest.raises(OSError, match="No space left"):
        write_geopackage(comparison, folder / "corridor.gpkg")
    assert [path.name for path in folder.iterdir()] == ["corridor.gpkg"]
    assert (folder / "corridor.gpkg").read_text() == "the old one"


def test_what_gdal_refuses_is_an_os_error(
    comparison: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        msg = "database or disk is full"
        raise pyogrio.errors.DataSourceError(msg)

    monkeypatch.setattr(pyogrio, "write_dataframe", refuse)
    with pytest.raises(OSError, match="layer nodes: database or disk is full"):
        write_geopackage(comparison, tmp_path / "corridor.gpkg")


def test_settings_of_gdal_are_put_back(comparison: Comparison, tmp_path: Path) -> None:
    before = pyogrio.get_gdal_config_option("OGR_SQLITE_SYNCHRONOUS")
    write_geopackage(comparison, tmp_path / "corridor.gpkg")
    assert pyogrio.get_gdal_config_option("OGR_SQLITE_SYNCHRONOUS") == before


def test_folder_must_exist(comparison: Comparison, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must go into an existing folder"):
        write_geopackage(comparison, tmp_path / "nowhere" / "corridor.gpkg")


def test_path_must_not_be_a_folder(comparison: Comparison, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        write_geopackage(comparison, tmp_path)


@pytest.mark.parametrize("name", ["b.shp", "b", "b.gpkg.zip"])
def test_the_name_must_end_as_a_geopackage(
    comparison: Comparison, tmp_path: Path, name: str
) -> None:
    with pytest.raises(InputError, match=r"must end in \.gpkg; found 'b"):
        write_geopackage(comparison, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_variants_must_not_differ_in_capitals_only(comparison: Comparison, tmp_path: Path) -> None:
    plan = comparison.plans["today"]
    twice = replace(comparison, plans={"today": plan, "TODAY": plan})
    with pytest.raises(InputError, match="differ in more than capitals"):
        write_geopackage(twice, tmp_path / "corridor.gpkg")


def test_every_layer_has_one_default_style_that_is_xml(file: Path) -> None:
    styles = read(file, "layer_styles")
    layers = [layer for layer, kind in pyogrio.list_layers(file) if kind]
    assert styles["f_table_name"].tolist() == layers
    assert styles["useAsDefault"].all()
    with closing(sqlite3.connect(file)) as database:
        columns = dict(
            database.execute("SELECT table_name, column_name FROM gpkg_geometry_columns").fetchall()
        )
    assert dict(zip(layers, styles["f_geometry_column"], strict=True)) == columns
    for text in styles["styleQML"]:
        root = ET.fromstring(text)  # noqa: S314 (our own file)
        assert root.tag == "qgis"
        assert root.find("renderer-v2/symbols/symbol/layer") is not None


def test_expressions_of_styles_name_columns_of_their_layer(file: Path) -> None:
    for row in read(file, "layer_styles").itertuples():
        columns = set(pyogrio.read_info(file, layer=row.f_table_name)["fields"])
        root = ET.fromstring(row.styleQML)  # noqa: S314 (our own file)
        renderer = root.find("renderer-v2")
        texts = [renderer.get("attr")]
        texts += [
            option.get("value")
            for option in root.iter("Option")
            if option.get("name") == "expression"
        ]
        texts += [text.get("fieldName") for text in root.iter("text-style")]
        named = {name for text in texts for name in re.findall(r'"(\w+)"', text)}
        if '"' not in renderer.get("attr"):
            named.add(renderer.get("attr"))
        assert named
        assert named <= columns, row.f_table_name


def test_geometries_are_valid_and_counted(file: Path, comparison: Comparison) -> None:
    counts = {}
    for layer, kind in pyogrio.list_layers(file):
        if kind:
            frame = read(file, layer)
            assert shapely.is_valid(frame.geometry.to_numpy()).all()
            assert not shapely.is_empty(frame.geometry.to_numpy()).any()
            counts[layer] = len(frame)
    network = comparison.study.network
    assert counts["links"] == len(network.links) == 8
    assert counts["flows_today"] == comparison.plans["today"].links["link_id"].nunique() == 8
    assert counts["flows_contradiction"] == 0


def test_line_over_the_date_line_is_cut(
    toy_tables: dict[str, pd.DataFrame], toy_demand: corridor.Demand, tmp_path: Path
) -> None:
    # The same toy, moved so that 180 degrees runs between its two border posts.
    nodes = toy_tables["nodes"]
    lon = nodes["lon"] + 177.97
    toy_tables["nodes"] = nodes.assign(lon=lon.where(lon <= 180, lon - 360))
    folder = write_toy_study(tmp_path / "toy", toy_tables, toy_demand.rows)
    moved = corridor.compare(corridor.load_study(folder), ["no_border"], workers=1)
    write_geopackage(moved, tmp_path / "corridor.gpkg")
    links = read(tmp_path / "corridor.gpkg", "links").set_index("link_id")
    assert shapely.get_num_geometries(links.geometry.to_numpy()).sum() == len(links) + 2
    for crossing in ("x-ab-road", "x-ab-rail"):
        parts = shapely.get_parts(links.geometry[crossing])
        assert [part.bounds[0] for part in parts] == pytest.approx([179.97, -180.0])
        assert [part.bounds[2] for part in parts] == pytest.approx([180.0, -179.98])
    assert read(tmp_path / "corridor.gpkg", "crossings").geometry.x.abs().min() > 179.9

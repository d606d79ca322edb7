import shutil
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely

import corridor
from corridor import InputError, Network, load_demand, load_network
from corridor.network import convert_dataset, geopackages, validate
from corridor.network.geopackages import write_tables_geopackage
from corridor.network.models import read_folder
from corridor.network.schema import NETWORK_TABLES
from tests.report.toy import write_toy_study

STRANGE = ["Մեղրի \"q\" 's'", "ფოთი <b>&</b>", "Ларс; 2, 3", "=1+1", "nan-like NaN", "  x\\y  "]


@pytest.fixture
def folder(
    tmp_path: Path, toy_tables: dict[str, pd.DataFrame], toy_demand: corridor.Demand
) -> Path:
    """Write the toy with strange names, way points, dates, extra columns and two scenarios."""
    toy_tables["nodes"] = toy_tables["nodes"].assign(name=STRANGE, mine=["", "ა", "", "b", "", ""])
    links = toy_tables["links"]
    toy_tables["links"] = links.assign(
        opens=["2027-05-01"] + [""] * 7,
        status=["planned"] + ["open"] * 7,
        directed=["false"] + [""] * 7,
        geometry=["LINESTRING (0 0, 0.1234567890123456 0.1, 1 0)"] + [""] * 7,
    )
    path = tmp_path / "toy"
    path.mkdir()
    for name, frame in toy_tables.items():
        frame.to_csv(path / f"{name}.csv", index=False)
    rows = toy_demand.rows
    both = pd.concat([rows, rows.assign(scenario="more", t_per_day=rows["t_per_day"] * 1.1)])
    both.to_csv(path / "demand.csv", index=False)
    (path / "rules.toml").write_text('# Ռուլ "ქ"\n', encoding="utf-8")
    return path


def assert_same(first: Path, second: Path) -> None:
    one, two = load_network(first), load_network(second)
    for name in NETWORK_TABLES:
        pd.testing.assert_frame_equal(one.table(name), two.table(name), obj=name)
    for scenario in ("base", "more"):
        pd.testing.assert_frame_equal(
            load_demand(first, scenario).rows, load_demand(second, scenario).rows
        )


def test_round_trip_keeps_every_table_and_text(folder: Path, tmp_path: Path) -> None:
    file, back = tmp_path / "toy.gpkg", tmp_path / "back"
    assert convert_dataset(folder, file) == convert_dataset(file, back)
    assert_same(folder, file)
    assert_same(folder, back)
    assert (back / "rules.toml").read_text(encoding="utf-8") == '# Ռուլ "ქ"\n'
    assert load_network(back).nodes["name"].tolist() == [name.strip() for name in STRANGE]
    assert load_network(back).nodes["mine"].tolist() == ["", "ა", "", "b", "", ""]


def test_the_bundled_set_goes_there_and_back(tmp_path: Path) -> None:
    convert_dataset("crossroads", tmp_path / "set.gpkg")
    convert_dataset(tmp_path / "set.gpkg", tmp_path / "set")
    one, _ = read_folder(corridor.datasets.path("crossroads"))
    two, _ = read_folder(tmp_path / "set")
    for name, rows in one.items():
        if name == "links":  # two points that are the nodes' own say nothing
            straight = rows.frame["geometry"].str.count(",") == 1
            rows.frame.loc[straight & (two[name].frame["geometry"] == ""), "geometry"] = ""
        columns = two[name].frame.columns
        pd.testing.assert_frame_equal(rows.frame[columns], two[name].frame, obj=name)
        lost = rows.frame.drop(columns=columns)
        assert (lost.isna() | (lost == "")).all(axis=None)
    assert not [fault for fault in validate(tmp_path / "set.gpkg") if not fault.warning]


def test_a_gis_can_edit_places_and_lines(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "toy.gpkg"
    convert_dataset(folder, file)
    nodes = gpd.read_file(file, layer="nodes")
    assert nodes.crs.to_epsg() == 4326
    nodes.loc[nodes["node_id"] == "A2", "geometry"] = shapely.Point(0.0, 0.05)
    links = gpd.read_file(file, layer="links")
    assert links.geometry.notna().all()
    links.loc[7, "geometry"] = shapely.LineString([(3, 0), (3.5, 0.1), (4, 0)])
    # In meters, as another program might have left them.
    pyogrio.write_dataframe(nodes.to_crs(3857), file, layer="nodes")
    pyogrio.write_dataframe(links, file, layer="links")
    network = load_network(file)
    assert network.nodes.set_index("node_id").loc["A2", "lat"] == pytest.approx(0.05)
    assert network.links["geometry"].tolist()[7] == "LINESTRING (3 0, 3.5 0.1, 4 0)"
    assert network.links["geometry"].tolist()[1:7] == [""] * 6


def test_faults_of_the_source_are_all_named(folder: Path, tmp_path: Path) -> None:
    links = (folder / "links.csv").read_text().replace("x-ab-road,AP", "x-ab-road,XX")
    (folder / "links.csv").write_text(links.replace(",110,", ",-110,"))
    with pytest.raises(InputError) as caught:
        convert_dataset(folder, tmp_path / "toy.gpkg")
    assert {(fault.key, fault.column) for fault in caught.value.faults} == {
        ("x-ab-road", "from_node"),
        ("BP-B1-road", "length_km"),
    }
    assert not (tmp_path / "toy.gpkg").exists()


def test_faults_in_a_geopackage_are_named(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "toy.gpkg"
    convert_dataset(folder, file)
    nodes = gpd.read_file(file, layer="nodes")
    nodes.loc[0, "kind"] = "citty"
    pyogrio.write_dataframe(nodes, file, layer="nodes")
    with pytest.raises(InputError, match=r"nodes\.csv:2 \[A2\] kind: found 'citty'"):
        load_network(file)
    nodes.loc[1, "geometry"] = None
    pyogrio.write_dataframe(nodes, file, layer="nodes")
    with pytest.raises(InputError, match="layer nodes must be a Point; 1 of 6 are not, the first"):
        load_network(file)


def test_targets_that_exist_or_are_not_known_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "old.gpkg").write_text("old")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    for target, words in (
        ("old.gpkg", "must be new"),
        ("full", "must be new or empty"),
        ("nowhere/new.gpkg", "its folder must exist"),
        ("nowhere/new", "must exist; it does not"),
        ("new.shp", "'new.shp' is neither"),
    ):
        with pytest.raises(InputError, match=words):
            convert_dataset(folder, tmp_path / target)
    assert (tmp_path / "old.gpkg").read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"toy", "old.gpkg", "full"}


def test_sources_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "no.gpkg").write_text("not SQLite")
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(InputError, match="must be a GeoPackage"):
        convert_dataset(tmp_path / "no.gpkg", tmp_path / "new")
    with pytest.raises(InputError, match="of another kind"):
        convert_dataset(tmp_path / "a.txt", tmp_path / "new")
    with pytest.raises(InputError, match="must exist"):
        convert_dataset(tmp_path / "nothing", tmp_path / "new")


def test_full_disk_leaves_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(file: Path, name: str, *_: object) -> None:
        if name == "layers":
            raise OSError(28, "No space left on device")
        file.write_text("half")

    monkeypatch.setattr(geopackages, "_append", fail)
    with pytest.raises(OSError, match="No space left"):
        convert_dataset(folder, tmp_path / "toy.gpkg")
    assert {path.name for path in tmp_path.iterdir()} == {"toy"}


def test_a_network_that_is_not_on_disk(toy_network: Network, tmp_path: Path) -> None:
    tables = {name: toy_network.table(name) for name in NETWORK_TABLES}
    write_tables_geopackage(tables, tmp_path / "toy.gpkg")
    again = load_network(tmp_path / "toy.gpkg")
    for name in NETWORK_TABLES:
        pd.testing.assert_frame_equal(again.table(name), toy_network.table(name))
    shutil.rmtree(tmp_path)


def test_rules_and_study_act_from_within_a_geopackage(
    toy_tables: dict[str, pd.DataFrame], toy_demand: corridor.Demand, tmp_path: Path
) -> None:
    folder = write_toy_study(tmp_path / "toy", toy_tables, toy_demand.rows)
    file = tmp_path / "toy.gpkg"
    assert convert_dataset(folder, file)[-2:] == ["rules.toml", "study.toml"]
    assert corridor.load_rules(file).rules == corridor.load_rules(folder).rules
    study = corridor.load_study(file)
    # What a GIS changes in the file is what the study is of.
    links = gpd.read_file(file, layer="links").assign(length_km=lambda rows: rows["length_km"] + 1)
    pyogrio.write_dataframe(links, file, layer="links")
    changed = corridor.load_study(file).case(study.base)
    before = corridor.load_study(folder).case(study.base)
    assert (changed.network.links["length_km"] == before.network.links["length_km"] + 1).all()
    assert changed.rules.rules == before.rules.rules


def test_a_study_of_its_own_tables_stays_one(tmp_path: Path) -> None:
    for target in (tmp_path / "set.gpkg", tmp_path / "set"):
        convert_dataset("crossroads", target)
        study = corridor.load_study(target)
        assert Path(study.network.name).samefile(target)
        assert len(study.rules.rules) == len(corridor.load_rules("crossroads").rules)

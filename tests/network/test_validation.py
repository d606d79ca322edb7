"""Each kind of fault is planted alone and found where it stands; nothing else is reported."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from corridor import datasets
from corridor.errors import Fault, InputError
from corridor.network import (
    Demand,
    Network,
    load_demand,
    load_network,
    validate,
    write_tables,
)
from corridor.network.tables import write_csv

Tables = dict[str, pd.DataFrame]


def errors(faults: list[Fault]) -> list[Fault]:
    return [fault for fault in faults if not fault.warning]


def refused(tables: Tables) -> list[Fault]:
    with pytest.raises(InputError) as caught:
        Network.from_tables(**tables)
    return list(caught.value.faults)


def put(tables: Tables, table: str, row: int, column: str, value: object) -> None:
    frame = tables[table]
    cells = frame[column].astype(object) if column in frame else pd.Series([None] * len(frame))
    cells = cells.astype(object)
    cells[row] = value
    tables[table] = frame.assign(**{column: cells})


def test_the_toy_network_has_no_error(toy_network: Network, toy_demand: Demand) -> None:
    faults = validate(toy_network, toy_demand)
    assert errors(faults) == []
    # AAA and BBB are no states, so there are no outlines to hold them against.
    assert [(fault.file, fault.column) for fault in faults] == [("nodes.csv", "country")] * 2


@pytest.mark.parametrize(
    ("table", "row", "column", "value", "key"),
    [
        ("nodes", 1, "country", "Aaaa", "A1"),
        ("nodes", 1, "kind", "town", "A1"),
        ("nodes", 1, "lat", 91, "A1"),
        ("nodes", 1, "lon", None, "A1"),
        ("layers", 0, "mode", "raod", "road"),
        ("layers", 0, "t_per_vehicle", 0, "road"),
        ("layers", 0, "host_share", 1.2, "road"),
        ("links", 3, "length_km", -110, "BP-B1-road"),
        ("links", 3, "length_km", "110 km", "BP-B1-road"),
        ("links", 3, "from_node", "BQ", "BP-B1-road"),
        ("links", 3, "layer", "rail", "BP-B1-road"),
        ("links", 3, "status", "opne", "BP-B1-road"),
        ("links", 3, "directed", "yes", "BP-B1-road"),
        ("links", 3, "opens", "2030", "BP-B1-road"),
        ("links", 3, "opens", "2030-02-30", "BP-B1-road"),
        ("links", 3, "geometry", "POINT (1 2)", "BP-B1-road"),
        ("links", 3, "geometry", "LINESTRING (1 2, 3 95)", "BP-B1-road"),
        ("links", 2, "crossing_id", "ba-road", "x-ab-road"),
        ("terminals", 0, "to_layer", "rail", "A1/road/rail"),
        ("terminals", 0, "time_h", None, "A1/road/rail1520"),
        ("terminals", 0, "to_layer", "road", "A1/road/road"),
        ("crossings", 0, "country_b", "AAA", "ab-road"),
        ("crossings", 0, "opening_hours", "Mo-Fr 8-20", "ab-road"),
        ("crossings", 0, "opening_hours", "closed", "ab-road"),
        ("nodes", 0, "timezone", "Mars/Base", "A2"),
        ("nodes", 0, "timezone", "../etc", "A2"),
        ("stages", 0, "direction", "outward", "ab-road/AAA/outward//1/all"),
        ("stages", 0, "class", "goods", "ab-road/AAA/out//1/goods"),
        ("stages", 0, "country", "CCC", "ab-road/CCC/out//1/all"),
        ("stages", 0, "servers", 1.5, "ab-road/AAA/out//1/all"),
        ("stages", 0, "service_min", None, "ab-road/AAA/out//1/all"),
        ("commodities", 0, "t_per_teu", None, "containers"),
    ],
)
def test_a_faulty_cell_is_found_where_it_stands(
    toy_tables: Tables, table: str, row: int, column: str, value: object, key: str
) -> None:
    put(toy_tables, table, row, column, value)
    (fault,) = refused(toy_tables)
    assert (fault.file, fault.row, fault.key, fault.column) == (
        f"{table}.csv",
        row + 2,
        key,
        column,
    )


def test_a_land_link_over_a_border_needs_a_crossing(toy_tables: Tables) -> None:
    put(toy_tables, "links", 3, "from_node", "AP")
    put(toy_tables, "links", 3, "length_km", 120)
    (fault,) = refused(toy_tables)
    assert (fault.key, fault.column) == ("BP-B1-road", "crossing_id")
    assert "AAA to BBB" in fault.found


def test_a_border_link_is_at_most_ten_km(toy_tables: Tables) -> None:
    put(toy_tables, "links", 2, "length_km", 10.0)
    Network.from_tables(**toy_tables)
    put(toy_tables, "links", 2, "length_km", 10.1)
    (fault,) = refused(toy_tables)
    assert (fault.key, fault.column) == ("x-ab-road", "length_km")


def test_a_border_link_joins_border_posts(toy_tables: Tables) -> None:
    put(toy_tables, "nodes", 2, "kind", "city")
    assert [(f.key, f.column) for f in refused(toy_tables)] == [
        ("x-ab-road", "from_node"),
        ("x-ab-rail", "from_node"),
    ]


def test_a_crossing_belongs_to_the_states_and_layer_of_its_link(toy_tables: Tables) -> None:
    put(toy_tables, "crossings", 1, "layer", "rail1435")
    faults = refused(toy_tables)
    assert ("links.csv", "x-ab-rail", "layer") in {(f.file, f.key, f.column) for f in faults}


def test_a_link_inside_a_state_has_no_crossing(toy_tables: Tables) -> None:
    put(toy_tables, "links", 0, "crossing_id", "ab-road")
    columns = {(f.key, f.column) for f in refused(toy_tables)}
    assert ("A2-A1-road", "crossing_id") in columns


def test_a_crossing_needs_a_link(toy_tables: Tables) -> None:
    extra = toy_tables["crossings"].iloc[[0]].assign(crossing_id="ghost")
    toy_tables["crossings"] = pd.concat([toy_tables["crossings"], extra])
    faults = refused(toy_tables)
    assert [(f.file, f.row, f.key) for f in faults] == [("crossings.csv", 4, "ghost")]


@pytest.mark.parametrize(
    ("drop", "missing"),
    [
        ("ab-road/AAA/in//1/all", "AAA in"),
        ("ab-road/BBB/both//1/all", "BBB in"),
        ("*/BBB/out//1/all", "BBB out"),
    ],
)
def test_every_post_finds_stages(toy_tables: Tables, drop: str, missing: str) -> None:
    stages = toy_tables["stages"]
    keys = stages["crossing_id"] + "/" + stages["country"] + "/" + stages["direction"] + "//"
    keys += stages["order"].astype(str) + "/all"
    toy_tables["stages"] = stages[keys != drop]
    found = [fault.found for fault in refused(toy_tables)]
    assert any(text.startswith(f"no stage of {missing} under") for text in found)


def test_own_rows_of_another_regime_do_not_serve_a_post(toy_tables: Tables) -> None:
    put(toy_tables, "stages", 2, "regime", "joint")  # AAA in of ab-road
    (fault,) = refused(toy_tables)
    assert (fault.file, fault.key) == ("crossings.csv", "ab-road")
    put(toy_tables, "crossings", 0, "regime", "joint")
    Network.from_tables(**toy_tables)


def test_a_length_is_at_least_the_great_circle(toy_tables: Tables) -> None:
    # One degree on the equator is 111.195 km.
    put(toy_tables, "links", 0, "length_km", 111.196)
    Network.from_tables(**toy_tables)
    put(toy_tables, "links", 0, "length_km", 111.19)
    (fault,) = refused(toy_tables)
    assert (fault.key, fault.column) == ("A2-A1-road", "length_km")
    assert "111.195 km" in fault.expected


def test_a_true_length_may_be_under_the_great_circle(toy_tables: Tables) -> None:
    put(toy_tables, "nodes", 0, "lon", 1.0)  # north of A1, at 1 0: the Earth is flatter that way
    put(toy_tables, "nodes", 0, "lat", 1.0)
    put(toy_tables, "links", 0, "length_km", 110.575)
    Network.from_tables(**toy_tables)
    put(toy_tables, "links", 0, "length_km", 110.57)
    (fault,) = refused(toy_tables)
    assert "110.574 km" in fault.expected


def test_a_length_is_at_least_its_way_point_line(toy_tables: Tables) -> None:
    put(toy_tables, "links", 0, "geometry", "LINESTRING (0 0, 0.5 0.5, 1 0)")
    (fault,) = refused(toy_tables)  # 2 x 78.45 km against 120 km
    assert (fault.key, fault.column) == ("A2-A1-road", "length_km")
    assert "156.902 km" in fault.expected


def test_a_long_detour_is_a_warning(toy_tables: Tables) -> None:
    put(toy_tables, "links", 0, "length_km", 340.0)
    net = Network.from_tables(**toy_tables)
    (fault,) = [f for f in validate(net) if f.column == "length_km"]
    assert fault.warning
    assert fault.key == "A2-A1-road"


def test_way_points_explain_a_long_detour(toy_tables: Tables) -> None:
    put(toy_tables, "links", 0, "length_km", 340.0)
    put(toy_tables, "links", 0, "geometry", "LINESTRING (0 0, 0.5 1.2, 1 0)")
    faults = validate(Network.from_tables(**toy_tables))
    assert not [fault for fault in faults if fault.column == "length_km"]


def test_a_gauge_break_needs_a_terminal(toy_tables: Tables) -> None:
    terminals = toy_tables["terminals"]
    between = terminals["from_layer"].str.startswith("rail") & terminals["to_layer"].str.startswith(
        "rail"
    )
    toy_tables["terminals"] = terminals[~between]
    (fault,) = errors(validate(Network.from_tables(**toy_tables)))
    assert (fault.file, fault.row, fault.key) == ("nodes.csv", 6, "B1")


def test_a_flag_of_a_state_without_nodes_is_a_warning(
    toy_network: Network, toy_demand: Demand
) -> None:
    strange = Demand.from_table(toy_demand.rows.assign(flag="ZZZ"), toy_network)
    faults = [fault for fault in validate(toy_network, strange) if fault.column == "flag"]
    assert len(faults) == len(toy_demand.rows)
    assert all(fault.warning and fault.found == "'ZZZ'" for fault in faults)


def test_a_zone_that_cannot_be_reached_is_one_fault(toy_tables: Tables, toy_demand: Demand) -> None:
    toy_tables["terminals"] = toy_tables["terminals"].query("from_layer != 'rail1435'")
    net = Network.from_tables(**toy_tables)  # goods reach B2 but cannot leave it
    (fault,) = errors(validate(net, toy_demand))
    assert (fault.file, fault.key) == ("nodes.csv", "B2")
    assert "no way to or from 2 others (A1, A2)" in fault.found


def test_goods_do_not_change_layers_at_a_zone_without_a_terminal(
    toy_tables: Tables, toy_demand: Demand
) -> None:
    toy_tables["terminals"] = toy_tables["terminals"].iloc[:0]
    net = Network.from_tables(**toy_tables)
    keys = {fault.key for fault in errors(validate(net, toy_demand)) if "zone" in fault.found}
    assert keys == {"B2"}


def test_places_outside_their_state_are_found(toy_tables: Tables) -> None:
    tables = {name: toy_tables[name] for name in ("layers", "commodities")}
    tables["nodes"] = pd.DataFrame(
        {
            "node_id": ["YEREVAN", "GYUMRI", "TBILISI"],
            "name": ["Yerevan", "Gyumri", "Tbilisi"],
            "country": ["ARM", "ARM", "ARM"],
            "kind": ["city"] * 3,
            "lon": [44.51, 43.84, 44.80],
            "lat": [40.18, 40.79, 41.72],
        }
    )
    tables["links"] = pd.DataFrame(
        {
            "link_id": ["straight", "by-kars"],
            "from_node": ["YEREVAN"] * 2,
            "to_node": ["GYUMRI"] * 2,
            "layer": ["road"] * 2,
            "length_km": [125.0, 260.0],
            "geometry": [
                "LINESTRING (44.51 40.18, 44.0 40.5, 43.84 40.79)",
                "LINESTRING (44.51 40.18, 43.09 40.60, 43.84 40.79)",
            ],
        }
    )
    faults = errors(validate(Network.from_tables(**tables)))
    assert [(f.file, f.key, f.column) for f in faults] == [
        ("nodes.csv", "TBILISI", "lon"),
        ("links.csv", "by-kars", "geometry"),
    ]
    assert "43.09 40.6" in faults[1].found


PROJECT = {
    "project_id": "tunnel",
    "name": "Tunnel",
    "country": "AAA",
    "capex_musd": 100,
    "table": "links",
    "key": "A2-A1-road",
    "column": "length_km",
    "value": "112",
    "requires": "",
}
RANGE = {
    "table": "stages",
    "key": "ab-road/*//1/all",
    "column": "service_min",
    "low": 5,
    "high": 10,
    "distribution": "uniform",
}
POINTERS: list[tuple[str, dict[str, object], str, object, str]] = [
    ("projects", PROJECT, "key", "A2-A1-raod", "key"),
    ("projects", PROJECT, "column", "lenght_km", "column"),
    ("projects", PROJECT, "column", "link_id", "column"),
    ("projects", PROJECT, "value", "short", "value"),
    ("projects", PROJECT, "table", "roads", "table"),
    ("projects", PROJECT, "requires", "bridge", "requires"),
    ("background", {"target": "ab-road", "direction": "forward", "vehicles_per_day": 9},
     "target", "ba-road", "target"),
    ("services", {"service_id": "s", "link_id": "A2-A1-road", "from_node": "A2"},
     "link_id", "A2-A1", "link_id"),
    ("services", {"service_id": "s", "link_id": "A2-A1-road", "from_node": "A2"},
     "from_node", "B2", "from_node"),
    ("services", {"service_id": "s", "link_id": "A2-A1-road", "from_node": "A2"},
     "departures", "06:00 Mo", "departures"),
    ("screenlines", {"screenline": "border", "gate": "g", "crossing_id": "ab-road"},
     "crossing_id", "ba-road", "crossing_id"),
    ("screenlines", {"screenline": "border", "gate": "g", "crossing_id": "ab-road"},
     "link_id", "A2-A1-road", "crossing_id"),
    ("defaults", {"table": "links", "layer": "road", "country": "", "column": "speed_kmh",
                  "value": 50}, "column", "speed", "column"),
    ("defaults", {"table": "links", "layer": "road", "country": "", "column": "speed_kmh",
                  "value": 50}, "value", -50, "value"),
    ("counts", {"target": "ab-road", "year": 2024, "unit": "t", "role": "fit", "value": 3},
     "target", "", "target"),
    ("counts", {"target": "ab-road", "year": 2024, "unit": "t", "role": "fit", "value": 3},
     "role", "test", "role"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "row", "column", "value", "found_at"), POINTERS)
def test_a_row_that_points_nowhere_is_found(
    toy_tables: Tables,
    table: str,
    row: dict[str, object],
    column: str,
    value: object,
    found_at: str,
) -> None:
    toy_tables[table] = pd.DataFrame([row])
    Network.from_tables(**toy_tables)
    toy_tables[table] = pd.DataFrame([{**row, column: value}])
    (fault,) = refused(toy_tables)
    assert (fault.file, fault.row, fault.column) == (f"{table}.csv", 2, found_at)


@pytest.mark.parametrize(
    ("column", "value", "found_at"),
    [
        ("key", "ab-road/AAA/out//1/all", None),
        ("key", "*/*/*//*/*", None),
        ("key", "*", "key"),
        ("key", "ab-road/AAA/up//1/all", "key"),
        ("column", "service", "column"),
        ("column", "stage", "column"),
        ("table", "stage", "table"),
        ("low", 11, "low"),
        ("low", -1, "low"),
    ],
)
def test_a_range_points_at_a_number_and_is_the_right_way_up(
    toy_tables: Tables, column: str, value: object, found_at: str | None
) -> None:
    pattern = {**RANGE, "key": "ab-road/*/*//1/all"}
    toy_tables["ranges"] = pd.DataFrame([{**pattern, column: value}])
    faults = errors(validate(Network.from_tables(**toy_tables)))
    assert [fault.column for fault in faults] == ([] if found_at is None else [found_at])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"low": -5}, "low: found -5; expected a finite number >= 0 (min) for service_min"),
        (
            {"column": "share", "low": 0.5, "high": 1.5},
            "high: found 1.5; expected a finite number from 0 to 1 for share",
        ),
        ({"column": "stage"}, "column: found 'stage', which holds no number; expected"),
        (
            {"column": "fee_usd", "low": 0, "distribution": "lognormal"},
            "low: found a lognormal range that begins at 0 or below; expected",
        ),
        (
            {"column": "fee_usd", "low": 0, "distribution": "lognormal90"},
            "low: found a lognormal range that begins at 0 or below; expected",
        ),
    ],
)
def test_a_range_stays_within_what_its_column_may_hold(
    toy_tables: Tables, changes: dict[str, object], message: str
) -> None:
    row = {**RANGE, "key": "ab-road/*/*//1/all", **changes}
    toy_tables["ranges"] = pd.DataFrame([row])
    (fault,) = errors(validate(Network.from_tables(**toy_tables)))
    assert message in str(fault)


def test_without_layer_speed_a_link_needs_a_time(toy_tables: Tables) -> None:
    put(toy_tables, "layers", 2, "speed_kmh", None)
    (fault,) = refused(toy_tables)
    assert (fault.key, fault.column) == ("B1-B2-rail", "speed_kmh")
    put(toy_tables, "links", 7, "time_h", 3.0)
    Network.from_tables(**toy_tables)


@pytest.mark.parametrize("name", ["nodes", "links", "layers", "commodities"])
def test_a_missing_file_comes_first_and_hides_its_consequences(tmp_path: Path, name: str) -> None:
    folder = shutil.copytree(datasets.path("crossroads"), tmp_path / "data")
    (folder / f"{name}.csv").unlink()
    faults = [fault for fault in validate(folder) if not fault.warning]
    assert (faults[0].file, faults[0].found) == (f"{name}.csv", "no such file")
    assert not [fault for fault in faults if fault.file == "projects.csv" and fault.column == "key"]
    assert not [fault for fault in faults if "no way to or from" in fault.found]


def test_a_missing_table_is_reported_once(toy_tables: Tables) -> None:
    del toy_tables["crossings"]
    faults = refused(toy_tables)
    assert {(f.file, f.row) for f in faults} == {("crossings.csv", 0)}
    assert "2 rows of links.csv" in faults[0].expected


# --- folders ----------------------------------------------------------------------------------


@pytest.fixture
def folder(toy_network: Network, toy_demand: Demand, tmp_path: Path) -> Path:
    tables = {name: toy_network.table(name) for name in toy_network.rows}
    place = tmp_path / "toy"
    write_csv({**tables, "demand": toy_demand.rows}, place)
    return place


def edit(folder: Path, file: str, change: Callable[[str], str]) -> None:
    path = folder / file
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


def swap(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert text.count(old) == 1, (file, old, text)
    edit(folder, file, lambda _: text.replace(old, new))


def found(folder: Path) -> list[tuple[str, int, str]]:
    return [(f.file, f.row, f.column) for f in errors(validate(folder))]


def test_ten_planted_faults_are_exactly_the_ten_reported(folder: Path) -> None:
    assert found(folder) == []
    swap(folder, "nodes.csv", "A2,Alder,AAA,city,0,0", "A2,Alder,AAA,town,nan,0")
    swap(folder, "layers.csv", "rail1435,rail,train,1000", "rail1435,rail,train,NULL")
    swap(folder, "commodities.csv", "grain,Grain,250", "grain,Grain,inf")
    swap(folder, "links.csv", "A1-AP-road,A1,AP,road,120", "A1-AP-road,A1,AP,raod,-120")
    swap(folder, "links.csv", "BP-B1-rail,BP,B1,rail1520,108", "BP-B1-rail,BP,B7,rail1520,108")
    swap(folder, "terminals.csv", "A1,rail1520,road,8", "A1,road,rail1520,8")
    swap(folder, "stages.csv", "documents,3,10", "documents,three,10")
    swap(folder, "demand.csv", "base,B2,A1,containers,300", "base,B2,A1,containers,-300")
    assert found(folder) == [
        ("nodes.csv", 2, "kind"),
        ("nodes.csv", 2, "lon"),
        ("layers.csv", 4, "t_per_vehicle"),
        ("commodities.csv", 3, "value_usd_per_t"),
        ("links.csv", 3, "layer"),
        ("links.csv", 3, "length_km"),
        ("links.csv", 8, "to_node"),
        ("terminals.csv", 3, "node_id/from_layer/to_layer"),
        ("stages.csv", 5, "servers"),
        ("demand.csv", 4, "t_per_day"),
    ]
    with pytest.raises(InputError, match="9 faults") as caught:
        load_network(folder)
    assert {f.file for f in caught.value.faults} == {
        "nodes.csv",
        "layers.csv",
        "commodities.csv",
        "links.csv",
        "terminals.csv",
        "stages.csv",
    }
    with pytest.raises(InputError) as caught:
        load_demand(folder)
    assert ("demand.csv", 4) in {(f.file, f.row) for f in caught.value.faults}


def test_files_that_cannot_be_read_are_all_reported(folder: Path) -> None:
    (folder / "layers.csv").unlink()
    (folder / "commodities.csv").write_bytes(b"")
    edit(folder, "nodes.csv", lambda text: text.replace("country", "state", 1))
    edit(folder, "terminals.csv", lambda text: text.replace("cost_usd_per_t,", "time_h,", 1))
    places = found(folder)
    assert ("layers.csv", 0, "") in places
    assert ("commodities.csv", 0, "") in places
    assert ("nodes.csv", 1, "country") in places
    assert ("terminals.csv", 1, "time_h") in places
    assert {file for file, _, _ in places} == {
        "layers.csv",
        "commodities.csv",
        "nodes.csv",
        "terminals.csv",
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda content: content.replace(b",", b";"),
            "links.csv:1: found a header that a semicolon seems to separate; expected commas",
        ),
        (
            lambda content: content.replace(b",", b"\t"),
            "links.csv:1: found a header that a tab seems to separate; expected commas",
        ),
        (
            lambda content: content.decode().encode("utf-16"),
            "links.csv: found a file in UTF-16, or with NUL in it; expected UTF-8 text",
        ),
        (
            lambda content: content.decode().encode("utf-16-le"),
            "links.csv: found a file in UTF-16, or with NUL in it; expected UTF-8 text",
        ),
        (
            lambda content: content.replace(b"link_id", b"Link_ID", 1),
            "links.csv:1 link_id: found no such column; expected the column (",
        ),
        (
            lambda content: content.replace(b"layer,", b"layer,layer,", 1),
            "links.csv:1 layer: found the column more than once; expected each column once",
        ),
    ],
    ids=["semicolon", "tab", "utf-16", "utf-16 without mark", "case", "doubled"],
)
def test_a_file_of_another_make_is_one_fault(
    folder: Path, change: Callable[[bytes], bytes], message: str
) -> None:
    place = folder / "links.csv"
    place.write_bytes(change(place.read_bytes()))
    (fault,) = [fault for fault in errors(validate(folder)) if fault.file == place.name]
    assert message in str(fault)
    if fault.column == "link_id":
        assert fault.remedy == "rename 'Link_ID'"


def test_a_bad_byte_is_found_in_its_row_and_hides_nothing(folder: Path) -> None:
    swap(folder, "nodes.csv", "AAA,city,1", "AAA,town,1")
    path = folder / "nodes.csv"
    path.write_bytes(path.read_bytes().replace(b"A1,Ash", b"A1,\xc4sh"))
    faults = errors(validate(folder))
    assert [(f.row, f.key, f.column) for f in faults] == [(3, "A1", "name"), (3, "A1", "kind")]
    assert "UTF-8" in faults[0].found


def test_a_ragged_row_is_found_by_its_line(folder: Path) -> None:
    swap(folder, "nodes.csv", "A1,Ash,", 'A1,"Ash\non the hill",')
    swap(folder, "nodes.csv", "B1,Beech,", "B1,Beech, east,")
    edit(folder, "links.csv", lambda text: text.replace("B1-B2-rail,B1,B2,rail1435", "B1-B2-rail"))
    places = found(folder)
    assert ("nodes.csv", 7, "") in places  # one line further: A1 takes two
    assert ("links.csv", 9, "") in places


def test_a_demand_without_file_is_an_input_error(folder: Path) -> None:
    (folder / "demand.csv").unlink()
    load_network(folder)
    with pytest.raises(InputError, match=r"demand\.csv"):
        load_demand(folder)


def test_sources_are_asked_for_once_there_is_a_sources_file(folder: Path) -> None:
    (folder / "sources.csv").write_text("source,title,publisher,date,url\nS1,Atlas,,,\n")
    links = pd.read_csv(folder / "links.csv")
    links["source"] = ["S1"] * 7 + ["S2"]
    links["confidence"] = ["official"] * 6 + [None, "guessed"]
    links.to_csv(folder / "links.csv", index=False)
    places = [place for place in found(folder) if place[0] == "links.csv"]
    assert places == [
        ("links.csv", 8, "confidence"),
        ("links.csv", 9, "source"),
        ("links.csv", 9, "confidence"),
    ]
    assert ("nodes.csv", 1, "source") in found(folder)


def test_what_is_written_is_read_back(toy_network: Network, tmp_path: Path) -> None:
    links = toy_network.links.assign(
        length_km=toy_network.links["length_km"] + 1 / 3, note='a "quoted", text'
    )
    links.loc[0, "opens"] = np.datetime64("2030-01-02", "s")
    links.loc[2, "length_km"] = 9.1
    links.loc[5, "length_km"] = 9.1
    net = toy_network.replace(links=links)
    write_tables(net, tmp_path / "copy")
    again = load_network(tmp_path / "copy")
    for name in net.rows:
        pd.testing.assert_frame_equal(again.table(name), net.table(name))


def test_nothing_is_written_over(toy_network: Network, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="new or empty"):
        write_tables(toy_network, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(InputError, match="must exist"):
        write_tables(toy_network, tmp_path / "no" / "such")

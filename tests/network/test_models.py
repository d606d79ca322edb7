import datetime as dt

import pandas as pd
import pytest

from corridor.errors import InputError
from corridor.network import Demand, Network, load_network
from corridor.network.schema import NETWORK_TABLES, TABLES, Kind

Tables = dict[str, pd.DataFrame]

DTYPES = {
    Kind.NUMBER: "float64",
    Kind.INTEGER: "float64",
    Kind.BOOL: "bool",
    Kind.DATE: "datetime64[s]",
}


def test_every_contract_column_is_there_with_its_dtype(toy_network: Network) -> None:
    for name in NETWORK_TABLES:
        frame = toy_network.table(name)
        assert list(frame.columns)[: len(TABLES[name].names)] == list(TABLES[name].names)
        for column in TABLES[name].columns:
            assert str(frame[column.name].dtype) == DTYPES.get(column.kind, "str"), column.name
        assert isinstance(frame.index, pd.RangeIndex)


def test_extra_columns_are_kept(toy_tables: Tables) -> None:
    toy_tables["nodes"]["population"] = range(6)
    net = Network.from_tables(**toy_tables)
    assert net.nodes["population"].tolist() == [0, 1, 2, 3, 4, 5]


def test_changing_a_copy_does_not_reach_the_network(toy_network: Network) -> None:
    links = toy_network.links
    links.loc[0, "length_km"] = -1.0
    links["new"] = 0
    assert toy_network.links.loc[0, "length_km"] == 120.0
    assert "new" not in toy_network.links


def test_the_network_cannot_be_assigned_to(toy_network: Network) -> None:
    with pytest.raises(AttributeError):
        toy_network.links = pd.DataFrame()  # type: ignore[misc]


def test_replace_keeps_the_other_tables_and_validates(toy_network: Network) -> None:
    slower = toy_network.replace(layers=toy_network.layers.assign(speed_kmh=10.0))
    assert slower.layers["speed_kmh"].tolist() == [10.0, 10.0, 10.0]
    pd.testing.assert_frame_equal(slower.links, toy_network.links)
    links = toy_network.links
    links.loc[3, "layer"] = "raod"
    with pytest.raises(InputError, match="raod") as caught:
        toy_network.replace(links=links)
    (fault,) = caught.value.faults
    assert (fault.file, fault.row, fault.key, fault.column) == (
        "links.csv",
        5,
        "BP-B1-road",
        "layer",
    )
    assert "perhaps 'road'" in fault.remedy


def test_replace_refuses_a_table_that_does_not_exist(toy_network: Network) -> None:
    with pytest.raises(InputError, match="'roads'"):
        toy_network.replace(roads=pd.DataFrame())


@pytest.mark.parametrize(
    ("status", "opens", "date", "is_open"),
    [
        ("open", None, None, True),
        ("open", "2030-01-01", None, True),
        ("open", "2030-01-01", "2029-12-31", False),
        ("open", "2030-01-01", "2030-01-01", True),
        ("planned", None, "2050-01-01", False),
        ("planned", "2030-01-01", "2029-12-31", False),
        ("construction", "2030-01-01", "2030-01-01", True),
        ("planned", "2030-01-01", None, False),
        ("broken", "2030-01-01", "2050-01-01", False),
        (None, None, "2026-01-01", True),
    ],
)
def test_a_link_and_a_crossing_open_by_status_and_date(
    toy_tables: Tables, status: str | None, opens: str | None, date: str | None, *, is_open: bool
) -> None:
    for name in ("links", "crossings"):
        frame = toy_tables[name]
        frame["status"] = pd.Series([status] + ["open"] * (len(frame) - 1), dtype=object)
        frame["opens"] = pd.Series([opens] + [None] * (len(frame) - 1), dtype=object)
    net = Network.from_tables(**toy_tables, date=date)
    assert net.open_links.tolist() == [is_open] + [True] * 7
    assert net.open_crossings.tolist() == [is_open, True]


def test_as_of_changes_the_date_alone(toy_network: Network) -> None:
    later = toy_network.as_of("2030-05-01")
    assert later.date == dt.date(2030, 5, 1)
    assert toy_network.date is None
    with pytest.raises(InputError, match="ISO date"):
        toy_network.as_of("1 May 2030")


def test_demand_takes_the_flag_of_the_origin(toy_demand: Demand) -> None:
    assert toy_demand.rows["flag"].tolist() == ["AAA", "AAA", "AAA"]
    assert toy_demand.rows["elasticity"].tolist() == [0.0, 0.0, 0.0]
    assert toy_demand.total_t_per_day == 1800.0
    assert toy_demand.scenario == "base"


def test_several_scenarios_must_be_chosen_from(toy_network: Network, toy_demand: Demand) -> None:
    both = pd.concat([toy_demand.rows, toy_demand.rows.assign(scenario="high", t_per_day=1.0)])
    with pytest.raises(InputError, match=r"'base', 'high'; none was given"):
        Demand.from_table(both, toy_network)
    with pytest.raises(InputError, match=r"'base', 'high'; found 'low'"):
        Demand.from_table(both, toy_network, scenario="low")
    assert Demand.from_table(both, toy_network, scenario="high").total_t_per_day == 3.0


@pytest.mark.parametrize(
    ("column", "value", "found"),
    [
        ("origin", "A9", "'A9'"),
        ("destination", "A1", "the origin itself"),
        ("commodity", "gold", "'gold'"),
        ("t_per_day", -1.0, "'-1'"),
        ("elasticity", 0.5, "'0.5'"),
        ("flag", "Armenia", "'Armenia'"),
    ],
)
def test_a_faulty_demand_row_is_found(
    toy_network: Network, toy_demand: Demand, column: str, value: object, found: str
) -> None:
    rows = toy_demand.rows.astype(object)
    rows.loc[0, column] = value
    with pytest.raises(InputError) as caught:
        Demand.from_table(rows, toy_network)
    (fault,) = caught.value.faults
    assert (fault.file, fault.row, fault.column, fault.found) == (
        "demand.csv",
        2,
        column,
        found,
    )


def test_a_file_is_not_a_data_set() -> None:
    with pytest.raises(InputError, match="is a file"):
        load_network(__file__)

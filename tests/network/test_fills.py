import numpy as np
import pandas as pd
import pytest

from corridor.network import Network, fill_blanks

Tables = dict[str, pd.DataFrame]


def defaults(*rows: tuple[str, str, str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["table", "layer", "country", "column", "value"])


def filled_column(tables: Tables, table: str, column: str) -> list[float]:
    filled = fill_blanks(Network.from_tables(**tables))
    frame: pd.DataFrame = getattr(filled, table)
    return [float(value) for value in frame[column]]


def test_without_defaults_links_take_the_values_of_their_layer(toy_tables: Tables) -> None:
    # road 0.06 (four links), rail1520 0.04 (three), rail1435 0.05
    assert filled_column(toy_tables, "links", "cost_usd_per_t_km") == [0.06] * 4 + [0.04] * 3 + [
        0.05
    ]


def test_the_most_specific_default_wins_whatever_its_place(toy_tables: Tables) -> None:
    toy_tables["defaults"] = defaults(
        ("links", "", "", "cost_usd_per_t_km", 1.0),
        ("links", "", "BBB", "cost_usd_per_t_km", 2.0),
        ("links", "road", "BBB", "cost_usd_per_t_km", 4.0),
        ("links", "road", "", "cost_usd_per_t_km", 3.0),
    )
    toy_tables["links"]["cost_usd_per_t_km"] = [None, 0.5] + [None] * 6
    assert filled_column(toy_tables, "links", "cost_usd_per_t_km") == [
        3.0,  # A2-A1-road: its layer
        0.5,  # given
        3.0,  # x-ab-road: the state of from_node is AAA
        4.0,  # BP-B1-road: layer and state
        1.0,  # A1-AP-rail: neither
        1.0,  # x-ab-rail
        2.0,  # BP-B1-rail: its state
        2.0,  # B1-B2-rail
    ]


def test_an_unknown_capacity_stays_unlimited_and_is_listed(toy_network: Network) -> None:
    filled = fill_blanks(toy_network)
    capacity = filled.links["capacity_t_per_day"]
    assert capacity.isna().sum() == 7
    assert capacity[4] == 4000.0
    row = filled.assumptions.query("table == 'links' and column == 'capacity_t_per_day'").iloc[0]
    assert np.isnan(row["value"])
    assert row["origin"] == "unknown: unlimited"
    assert row["n_rows"] == 7
    assert "A1-AP-rail" not in row["keys"].split(";")


def test_a_given_time_needs_no_speed(toy_tables: Tables) -> None:
    toy_tables["links"]["time_h"] = [3.0] + [None] * 7
    speeds = filled_column(toy_tables, "links", "speed_kmh")
    assert np.isnan(speeds[0])
    assert speeds[1:] == [60.0] * 3 + [30.0] * 3 + [40.0]


def test_teu_columns_are_filled_by_defaults_alone(toy_tables: Tables) -> None:
    assert np.isnan(filled_column(toy_tables, "links", "cost_usd_per_teu_km")).all()
    toy_tables["defaults"] = defaults(("links", "rail1520", "", "cost_usd_per_teu_km", 0.28))
    values = filled_column(toy_tables, "links", "cost_usd_per_teu_km")
    assert values[4:7] == [0.28] * 3
    assert np.isnan(values[:4] + values[7:]).all()


@pytest.mark.parametrize(
    ("column", "value"),
    [("share", 1.0), ("service_cv", 1.0), ("arrival_cv", 1.0), ("fee_usd", 0.0), ("batch", 1.0)],
)
def test_stages_have_the_contract_s_defaults(toy_tables: Tables, column: str, value: float) -> None:
    assert filled_column(toy_tables, "stages", column)[2] == value


def test_a_blank_host_is_the_country(toy_tables: Tables) -> None:
    toy_tables["stages"]["host"] = ["BBB"] + [None] * 6
    filled = fill_blanks(Network.from_tables(**toy_tables))
    assert filled.stages["host"].tolist() == ["BBB", "AAA", "AAA", "BBB", "AAA", "BBB", "BBB"]


def test_stage_defaults_know_the_layer_of_crossings_and_templates(toy_tables: Tables) -> None:
    toy_tables["stages"]["servers"] = [None] * 7
    toy_tables["defaults"] = defaults(
        ("stages", "road", "", "servers", 4.0),
        ("stages", "rail1520", "", "servers", 2.0),
        ("stages", "rail1520", "BBB", "servers", 3.0),
    )
    assert filled_column(toy_tables, "stages", "servers") == [4.0] * 4 + [2.0, 3.0, 3.0]


def test_terminals_match_a_default_on_either_layer(toy_tables: Tables) -> None:
    toy_tables["terminals"]["time_h"] = [None] * 6
    toy_tables["defaults"] = defaults(
        ("terminals", "rail1520", "", "time_h", 9.0), ("terminals", "", "", "time_h", 7.0)
    )
    assert filled_column(toy_tables, "terminals", "time_h") == [9.0] * 4 + [7.0] * 2


def test_layers_are_filled_before_links_look_at_them(toy_tables: Tables) -> None:
    toy_tables["layers"]["speed_kmh"] = [60.0, None, 40.0]
    toy_tables["defaults"] = defaults(("layers", "rail1520", "", "speed_kmh", 25.0))
    assert filled_column(toy_tables, "links", "speed_kmh")[4:7] == [25.0] * 3


def test_every_fill_is_listed_once(toy_tables: Tables) -> None:
    toy_tables["defaults"] = defaults(("links", "road", "BBB", "host_share", 0.1))
    net = Network.from_tables(**toy_tables)
    filled = fill_blanks(net)
    for table in ("layers", "commodities", "links", "terminals", "stages", "services"):
        before, after = net.table(table), getattr(filled, table)
        notes = filled.assumptions.query("table == @table and value.notna()")
        for column in before.columns[before.dtypes == "float64"]:
            n_filled = int((before[column].isna() & after[column].notna()).sum())
            assert notes.query("column == @column")["n_rows"].sum() == n_filled, column
    row = filled.assumptions.query("origin == 'defaults.csv road/BBB'").iloc[0]
    assert (row["column"], row["value"], row["keys"]) == ("host_share", 0.1, "BP-B1-road")


def test_what_is_given_is_kept_and_the_network_unchanged(toy_network: Network) -> None:
    before = {name: toy_network.table(name) for name in toy_network.rows}
    filled = fill_blanks(toy_network)
    given = toy_network.stages["fee_usd"].notna()
    pd.testing.assert_series_equal(
        filled.stages["fee_usd"][given], toy_network.stages["fee_usd"][given]
    )
    for name, frame in before.items():
        pd.testing.assert_frame_equal(frame, toy_network.table(name))


def test_services_are_filled_and_keep_the_link_s_time(toy_tables: Tables) -> None:
    toy_tables["services"] = pd.DataFrame(
        {
            "service_id": ["train", "shuttle"],
            "link_id": ["B1-B2-rail"] * 2,
            "from_node": ["B1", "B2"],
            "departures": ["Mo 06:00", None],
        }
    )
    toy_tables["defaults"] = defaults(("services", "rail1435", "BBB", "headway_h", 24.0))
    filled = fill_blanks(Network.from_tables(**toy_tables)).services
    assert np.isnan(filled["headway_h"][0])
    assert filled["headway_h"][1] == 24.0
    assert filled["cancel_share"].tolist() == [0.0, 0.0]
    assert filled["sailing_h"].isna().all()

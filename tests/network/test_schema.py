import re

import pytest

from corridor.network.schema import NETWORK_TABLES, TABLES, Kind, Table

CONTRACT = {
    "nodes": "node_id name country kind lon lat | timezone unlocode",
    "layers": "layer mode vehicle t_per_vehicle | teu_per_vehicle vehicle_usd_per_h "
    "empty_usd_per_km speed_kmh cost_usd_per_t_km co2_g_per_t_km host_share time_cv",
    "links": "link_id from_node to_node layer length_km | directed status opens speed_kmh time_h "
    "time_cv capacity_t_per_day capacity_group cost_usd_per_t_km cost_usd_per_teu_km "
    "cost_usd_per_t cost_usd_per_teu cost_usd_per_vehicle co2_g_per_t_km host_share crossing_id "
    "operator geometry name",
    "terminals": "node_id from_layer to_layer time_h | cost_usd_per_t cost_usd_per_teu "
    "capacity_t_per_day host_share operator",
    "crossings": "crossing_id name country_a country_b layer | status opens regime opening_hours",
    "stages": "crossing_id country direction regime order class stage servers service_min | layer "
    "share service_cv arrival_cv fee_usd fixed_delay_h batch host",
    "commodities": "commodity_id name value_usd_per_t value_of_time_usd_per_t_h | containerised "
    "t_per_teu empty_return_share reliability_ratio",
    "demand": "scenario origin destination commodity t_per_day | flag elasticity",
    "background": "target direction vehicles_per_day | scenario",
    "services": "service_id link_id from_node | departures headway_h headway_cv sailing_h "
    "capacity_t cancel_share",
    "projects": "project_id name country capex_musd table key column value | opex_musd_per_year "
    "build_years life_years exclusive_group requires",
    "defaults": "table layer country column value |",
    "ranges": "table key column low high distribution | group",
    "sources": "source title publisher date url |",
}
"""Required and optional columns, as the data contract lists them."""

BEYOND = {"layers": ["moving_share", "end_h", "end_usd_per_t", "end_usd_per_teu"]}
"""Optional columns that the contract does not list; without them nothing changes."""


@pytest.mark.parametrize("name", CONTRACT)
def test_columns_are_those_of_the_contract(name: str) -> None:
    required, optional = (part.split() for part in CONTRACT[name].split("|"))
    columns = [c for c in TABLES[name].columns if c.name not in ("source", "confidence")]
    if name == "sources":
        columns = list(TABLES[name].columns)
    assert [c.name for c in columns if c.required] == required
    assert sorted(c.name for c in columns if not c.required) == sorted(
        [*optional, *BEYOND.get(name, [])]
    )


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_a_table_is_consistent(table: Table) -> None:
    assert len(set(table.names)) == len(table.names)
    assert set(table.key) | set(table.tail) <= set(table.names)
    for column in table.columns:
        assert column.meaning
        assert all(name in TABLES and len(TABLES[name].key) > 0 for name in column.refers)
        assert (column.kind is Kind.REFERENCE) == bool(column.refers)
        if column.kind is Kind.WORD:
            assert column.words
        if column.default is not None and column.kind is Kind.WORD:
            assert column.default in column.words
        if column.pattern:
            re.compile(column.pattern)
        assert column.expected


@pytest.mark.parametrize(
    ("table", "column", "unit"),
    [
        ("links", "cost_usd_per_teu_km", "USD/TEU-km"),
        ("links", "speed_kmh", "km/h"),
        ("links", "capacity_t_per_day", "t/day"),
        ("stages", "service_min", "min"),
        ("stages", "fee_usd", "USD"),
        ("projects", "capex_musd", "million USD"),
        ("projects", "opex_musd_per_year", "million USD/year"),
        ("commodities", "value_of_time_usd_per_t_h", "USD/t-h"),
        ("links", "host_share", ""),
        ("links", "name", ""),
    ],
)
def test_the_unit_is_the_suffix(table: str, column: str, unit: str) -> None:
    assert TABLES[table].column(column).unit == unit


def test_demand_is_the_one_table_apart() -> None:
    assert set(TABLES) - set(NETWORK_TABLES) == {"demand"}

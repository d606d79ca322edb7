"""Additions to the toy network of ``tests/conftest.py`` for planning: a strait, rules, changes."""

from collections.abc import Mapping

import pandas as pd

from corridor.network import Demand, Network
from corridor.sovereignty import Rules
from corridor.sovereignty.rulebook import parse_rules
from tests.conftest import _frame

Tables = dict[str, pd.DataFrame]

PORTS = """
node_id,name,country,kind,lon,lat
PA,Ash port,AAA,port,1.0,0.5
PB,Beech port,BBB,port,3.0,0.5
"""
SEA_LAYER = """
layer,mode,vehicle,t_per_vehicle,teu_per_vehicle,vehicle_usd_per_h,speed_kmh,cost_usd_per_t_km
ship,sea,vessel,5000,400,500,20,0.01
"""
SEA_LINKS = """
link_id,from_node,to_node,layer,length_km,crossing_id
A1-PA-road,A1,PA,road,60,
PB-B1-road,PB,B1,road,60,
strait,PB,PA,ship,240,ab-sea
"""
SEA_TERMINALS = """
node_id,from_layer,to_layer,time_h,cost_usd_per_t,cost_usd_per_teu
PA,road,ship,10,4,
PA,ship,road,10,4,
PB,road,ship,10,4,
PB,ship,road,10,4,
"""
SEA_STAGES = """
crossing_id,country,direction,regime,order,class,stage,servers,service_min,layer
*,AAA,both,,1,all,customs,5,30,ship
*,BBB,both,,1,all,customs,5,30,ship
"""


def frame(text: str) -> pd.DataFrame:
    """Return the table that a CSV text describes."""
    return _frame(text)


def joined(tables: Mapping[str, pd.DataFrame], **more: str) -> Tables:
    """Return the tables with the rows of CSV texts added."""
    result = dict(tables)
    for name, text in more.items():
        rows = frame(text)
        result[name] = pd.concat([result[name], rows]) if name in result else rows
        result[name] = result[name].reset_index(drop=True)
    return result


def with_sea(tables: Mapping[str, pd.DataFrame]) -> Tables:
    """Return the toy with a ferry between two ports; the link is drawn from BBB to AAA."""
    crossing = "crossing_id,name,country_a,country_b,layer\nab-sea,Strait,AAA,BBB,ship"
    return joined(
        tables,
        nodes=PORTS,
        layers=SEA_LAYER,
        links=SEA_LINKS,
        terminals=SEA_TERMINALS,
        crossings=crossing,
        stages=SEA_STAGES,
    )


def changed(tables: Mapping[str, pd.DataFrame], table: str, key: str, **values: object) -> Tables:
    """Return the tables with values set in the row whose first column is ``key``."""
    rows = tables[table].copy()
    for column, value in values.items():
        if column not in rows:
            rows[column] = None
        rows[column] = rows[column].astype(object)
        rows.loc[rows.iloc[:, 0] == key, column] = value
    return {**tables, table: rows.infer_objects()}


def network(tables: Mapping[str, pd.DataFrame], date: str | None = None) -> Network:
    """Return the network of some tables."""
    return Network.from_tables(**tables, name="toy", date=date)


def demand(net: Network, *rows: tuple[str, str, str, float], flag: str = "") -> Demand:
    """Return a demand of rows (origin, destination, commodity, t a day)."""
    columns = ["origin", "destination", "commodity", "t_per_day"]
    table = pd.DataFrame(rows, columns=columns).assign(scenario="base", flag=flag)
    return Demand.from_table(table, net)


def rules(*tables: dict[str, object]) -> Rules:
    """Return rules; ids and titles are filled in."""
    filled = [{"id": f"r{i}", "title": "", **table} for i, table in enumerate(tables)]
    return Rules(parse_rules(filled, "rules.toml"))

"""A hand-made network that every part of the library can be tested on."""

import io

import pandas as pd
import pytest

from corridor.network import Demand, Network

NODES = """
node_id,name,country,kind,lon,lat,timezone
A2,Alder,AAA,city,0.0,0.0,Etc/UTC
A1,Ash,AAA,city,1.0,0.0,Etc/UTC
AP,Ash gate,AAA,border_post,2.0,0.0,Etc/UTC
BP,Beech gate,BBB,border_post,2.05,0.0,Etc/UTC
B1,Beech,BBB,city,3.0,0.0,Etc/UTC
B2,Birch,BBB,city,4.0,0.0,Etc/UTC
"""
LAYERS = """
layer,mode,vehicle,t_per_vehicle,teu_per_vehicle,vehicle_usd_per_h,speed_kmh,cost_usd_per_t_km
road,road,truck,20,2,15,60,0.06
rail1520,rail,train,2000,110,260,30,0.04
rail1435,rail,train,1000,80,200,40,0.05
"""
LINKS = """
link_id,from_node,to_node,layer,length_km,crossing_id,capacity_t_per_day
A2-A1-road,A2,A1,road,120,,
A1-AP-road,A1,AP,road,120,,
x-ab-road,AP,BP,road,6,ab-road,
BP-B1-road,BP,B1,road,110,,
A1-AP-rail,A1,AP,rail1520,115,,4000
x-ab-rail,AP,BP,rail1520,6,ab-rail,
BP-B1-rail,BP,B1,rail1520,108,,
B1-B2-rail,B1,B2,rail1435,120,,
"""
TERMINALS = """
node_id,from_layer,to_layer,time_h,cost_usd_per_t,cost_usd_per_teu
A1,road,rail1520,8,5,60
A1,rail1520,road,8,5,60
B1,rail1520,rail1435,12,6,80
B1,rail1435,rail1520,12,6,80
B1,road,rail1435,8,5,60
B1,rail1435,road,8,5,60
"""
CROSSINGS = """
crossing_id,name,country_a,country_b,layer,opening_hours
ab-road,Ash-Beech road,AAA,BBB,road,
ab-rail,Ash-Beech rail,AAA,BBB,rail1520,
"""
STAGES = """
crossing_id,country,direction,regime,order,class,stage,servers,service_min,layer,share,fee_usd
ab-road,AAA,out,,1,all,documents,2,12,,,50
ab-road,AAA,out,,2,all,scanner,1,20,,0.2,
ab-road,AAA,in,,1,all,documents,2,10,,,
ab-road,BBB,both,,1,all,documents,3,10,,,20
*,AAA,both,,1,all,handover,1,60,rail1520,,
*,BBB,in,,1,all,handover,1,60,rail1520,,
*,BBB,out,,1,all,handover,1,60,rail1520,,
"""
COMMODITIES = """
commodity_id,name,value_usd_per_t,value_of_time_usd_per_t_h,containerised,t_per_teu
containers,Manufactures,5000,1.5,true,11
grain,Grain,250,0.01,false,
"""
DEMAND = """
scenario,origin,destination,commodity,t_per_day,flag
base,A1,B1,containers,1000,
base,A2,B2,grain,500,
base,B2,A1,containers,300,AAA
"""


def _frame(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text.strip()), keep_default_na=False, na_values=[""])


@pytest.fixture
def toy_tables() -> dict[str, pd.DataFrame]:
    """Draw two states on the equator, a degree is 111.2 km; every zone reaches every other.

    ::

                    AAA            ||            BBB
        A2 --road-- A1 --road-- AP == BP --road-- B1 --rail1435-- B2
                      --rail1520--  ==   --rail1520--
              120 km     120, 115   6     110, 108      120 km

    Road and rail cross at the same posts (``ab-road``, ``ab-rail``). At A1 goods change between
    road and rail, at B1 between gauges and between road and rail1435. The road posts have stages of
    their own, the rail posts have templates. All four cities are zones.
    """
    return {
        "nodes": _frame(NODES),
        "layers": _frame(LAYERS),
        "links": _frame(LINKS),
        "terminals": _frame(TERMINALS),
        "crossings": _frame(CROSSINGS),
        "stages": _frame(STAGES),
        "commodities": _frame(COMMODITIES),
    }


@pytest.fixture
def toy_network(toy_tables: dict[str, pd.DataFrame]) -> Network:
    """Build the network of ``toy_tables``."""
    return Network.from_tables(**toy_tables, name="toy")


@pytest.fixture
def toy_demand(toy_network: Network) -> Demand:
    """Load three flows over the border of ``toy_tables``, 1,800 t/day."""
    return Demand.from_table(_frame(DEMAND), toy_network)

"""Two states with two transit states between them, to work rules out by hand.

::

                    ag ==  G: GAG --- GGB  == gb
        A:  A1 ----<                            >---- B1  :B
                    ar ==  R: RAR --- RRB  == rb

A tonne costs 10 USD over G and 14 over R, in both directions. Each of the eight post arcs on a way
has documents (0.5 h) and a scanner (1 h). ``sand`` has no value of time, ``silk`` one of 1 USD/t/h.
"""

from collections.abc import Sequence

import pandas as pd

from corridor.network import Demand, Network
from corridor.planning import Model, Plan, compile_model, solve_plan
from tests.planning import toys

Tables = dict[str, pd.DataFrame]
Flow = tuple[str, str, str, float]

NODES = """
node_id,name,country,kind,lon,lat
A1,A,AAA,city,0,0
AG,A gate to G,AAA,border_post,1,0.3
GA,G gate to A,GGG,border_post,1.05,0.3
GB,G gate to B,GGG,border_post,3,0.3
BG,B gate to G,BBB,border_post,3.05,0.3
AR,A gate to R,AAA,border_post,1,-0.3
RA,R gate to A,RRR,border_post,1.05,-0.3
RB,R gate to B,RRR,border_post,3,-0.3
BR,B gate to R,BBB,border_post,3.05,-0.3
B1,B,BBB,city,4,0
"""
LAYERS = """
layer,mode,vehicle,t_per_vehicle,vehicle_usd_per_h,speed_kmh,cost_usd_per_t_km,empty_usd_per_km,time_cv
road,road,truck,20,0,50,0,0,0
"""
LINKS = """
link_id,from_node,to_node,layer,length_km,crossing_id,cost_usd_per_t
A1-AG,A1,AG,road,120,,10
x-ag,AG,GA,road,6,ag,0
GA-GB,GA,GB,road,220,,0
x-gb,GB,BG,road,6,gb,0
BG-B1,BG,B1,road,120,,0
A1-AR,A1,AR,road,120,,9
x-ar,AR,RA,road,6,ar,0
RA-RB,RA,RB,road,220,,0
x-rb,RB,BR,road,6,rb,0
BR-B1,BR,B1,road,120,,5
"""
CROSSINGS = """
crossing_id,name,country_a,country_b,layer
ag,A-G,AAA,GGG,road
gb,G-B,GGG,BBB,road
ar,A-R,AAA,RRR,road
rb,R-B,RRR,BBB,road
"""
COMMODITIES = """
commodity_id,name,value_usd_per_t,value_of_time_usd_per_t_h,containerised,t_per_teu,empty_return_share,reliability_ratio
sand,Sand,10,0,false,,0,0
silk,Silk,10,1,true,10,0,0
"""
STAGES = "crossing_id,country,direction,regime,order,class,stage,servers,service_min,layer,share\n"
STAGES += "\n".join(
    f"*,{state},{way},,{order},all,{stage},99,{minutes},road,1"
    for state in ("AAA", "BBB", "GGG", "RRR")
    for way in ("in", "out")
    for order, stage, minutes in ((1, "documents", 30), (2, "scanner", 60))
)
OVER_G, OVER_R = 10.0, 14.0


def tables() -> Tables:
    """Return the tables of the diamond."""
    return {
        "nodes": toys.frame(NODES),
        "layers": toys.frame(LAYERS),
        "links": toys.frame(LINKS),
        "commodities": toys.frame(COMMODITIES),
        "crossings": toys.frame(CROSSINGS),
        "stages": toys.frame(STAGES),
    }


def there(t_per_day: float, goods: str = "sand") -> Flow:
    """Return a flow from A to B."""
    return ("A1", "B1", goods, t_per_day)


def back(t_per_day: float, goods: str = "sand") -> Flow:
    """Return a flow from B to A."""
    return ("B1", "A1", goods, t_per_day)


def model(
    flows: Sequence[Flow], *rules: dict[str, object], changed: Tables | None = None, flag: str = ""
) -> Model:
    """Return the compiled diamond."""
    network = Network.from_tables(**(changed or tables()), name="diamond")
    demand: Demand = toys.demand(network, *flows, flag=flag)
    return compile_model(network, demand, toys.rules(*rules))


def plan(
    flows: Sequence[Flow], *rules: dict[str, object], changed: Tables | None = None,
    unmet_usd_per_t: float = 100.0,
) -> Plan:  # fmt: skip
    """Return the plan of the diamond without congestion."""
    return solve_plan(
        model(flows, *rules, changed=changed), congestion=False, unmet_usd_per_t=unmet_usd_per_t,
        tolerance=1e-9,
    )  # fmt: skip


def t_per_day(found: Plan, crossing: str, from_country: str = "") -> float:
    """Return what passes a crossing, in one direction or both [t/day]."""
    rows = found.crossings[found.crossings["crossing_id"] == crossing]
    if from_country:
        rows = rows[rows["from_country"] == from_country]
    return float(rows["t_per_day"].sum())

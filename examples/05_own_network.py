"""Build a network from tables, plan on it, and ask what scanners at its border buy.

Run ``python examples/05_own_network.py [--short]``; ``--short`` tries one and two scanners only.
"""

import io
import sys

import pandas as pd

import corridor
from corridor import Demand, Network


def table(text: str) -> pd.DataFrame:
    """Read a table as it would stand in a CSV file of a data set."""
    return pd.read_csv(io.StringIO(text), skipinitialspace=True, keep_default_na=False)


TABLES = {
    "nodes": """node_id,name,country,kind,lon,lat
        PORT,   Port,      AAA, port,        0.0,  0.0
        GATE_A, Gate of A, AAA, border_post, 2.0,  0.0
        GATE_B, Gate of B, BBB, border_post, 2.05, 0.0
        CITY,   City,      BBB, city,        4.0,  0.0""",
    "layers": """layer,mode,vehicle,t_per_vehicle,speed_kmh,vehicle_usd_per_h,cost_usd_per_t_km
        road, road, truck, 20, 50, 15, 0.06""",
    "links": """link_id,from_node,to_node,layer,length_km,crossing_id
        port-gate, PORT,   GATE_A, road, 240,
        border,    GATE_A, GATE_B, road, 6,   gate
        gate-city, GATE_B, CITY,   road, 230, """,
    "crossings": """crossing_id,name,country_a,country_b,layer
        gate, Gate, AAA, BBB, road""",
    "stages": """crossing_id,country,direction,regime,order,class,stage,servers,service_min
        gate, AAA, both, , 1, all, documents, 4, 10
        gate, BBB, both, , 1, all, scanner,   1, 20""",
    "commodities": """commodity_id,name,value_usd_per_t,value_of_time_usd_per_t_h
        grain, Grain, 250, 0.01""",
}
DEMAND = """scenario,origin,destination,commodity,t_per_day
    base, PORT, CITY, grain, 2000"""


def main() -> None:
    """Plan 2,000 t/day over the border with one scanner and more."""
    network = Network.from_tables(**{name: table(text) for name, text in TABLES.items()})
    demand = Demand.from_table(table(DEMAND), network)
    stages = network.stages
    for n in (1, 2) if "--short" in sys.argv[1:] else (1, 2, 3, 4):
        stages["servers"] = stages["servers"].where(stages["stage"] != "scanner", n)
        plan = corridor.plan(network.replace(stages=stages), demand)
        gate = plan.crossings.set_index("from_country").loc["AAA"]
        print(
            f"{n} scanners: {plan.status:8}{plan.served_t_per_day:6,.0f} t/day pass, "
            f"{gate['utilization']:4.0%} used, queue {60 * gate['wait_h']:5.1f} min"
        )


if __name__ == "__main__":
    main()

"""Networks of states with one place each, joined by roads whose cost is set: games by hand."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from corridor.network import Demand, Network
from tests.planning import toys

Road = tuple[str, str, float]
Flow = tuple[str, str, float]

LAYERS = """
layer,mode,vehicle,t_per_vehicle,vehicle_usd_per_h,speed_kmh,cost_usd_per_t_km,empty_usd_per_km,time_cv,host_share
road,road,truck,20,0,50,0,0,0,0
"""
STAGES = """
crossing_id,country,direction,regime,order,class,stage,servers,service_min,layer,share,fee_usd
*,{state},both,,1,all,documents,500,6,road,,0
"""
COMMODITIES = """
commodity_id,name,value_usd_per_t,value_of_time_usd_per_t_h,containerised,empty_return_share
sand,Sand,0,0,false,0
"""


def states_network(roads: Sequence[Road], **link_columns: Sequence[object]) -> Network:
    """Return a network of the states that roads join; a road costs what it says, a tonne.

    States are named by three capital letters; the place of state AAA is ``a``, the crossing between
    AAA and BBB ``aaa-bbb``, further roads between the same two ``aaa-bbb-2`` and so on.
    """
    states = sorted({state for road in roads for state in road[:2]})
    angle = 2 * np.pi * np.arange(len(states)) / len(states)
    nodes = pd.DataFrame(
        {
            "node_id": [state.lower() for state in states],
            "name": states,
            "country": states,
            "kind": "border_post",
            "lon": 10 + 0.02 * np.cos(angle),
            "lat": 10 + 0.02 * np.sin(angle),
        }
    )
    ids: list[str] = []
    for a, b, _ in roads:
        name = f"{a}-{b}".lower()
        ids.append(name if name not in ids else f"{name}-{len(ids)}")
    links = pd.DataFrame(
        {
            "link_id": [f"x-{name}" for name in ids],
            "from_node": [a.lower() for a, _, _ in roads],
            "to_node": [b.lower() for _, b, _ in roads],
            "layer": "road",
            "length_km": 5.0,
            "crossing_id": ids,
            "cost_usd_per_t": [float(cost) for _, _, cost in roads],
            **link_columns,
        }
    )
    crossings = pd.DataFrame(
        {
            "crossing_id": ids,
            "name": ids,
            "country_a": [a for a, _, _ in roads],
            "country_b": [b for _, b, _ in roads],
            "layer": "road",
        }
    )
    stages = pd.concat([toys.frame(STAGES.format(state=state)) for state in states])
    tables = {
        "nodes": nodes,
        "layers": toys.frame(LAYERS),
        "links": links,
        "crossings": crossings,
        "stages": stages.reset_index(drop=True),
        "commodities": toys.frame(COMMODITIES),
    }
    return Network.from_tables(**tables, name="states")


def states_demand(network: Network, *flows: Flow) -> Demand:
    """Return a demand of sand between states, t a day."""
    rows = [(a.lower(), b.lower(), "sand", t) for a, b, t in flows]
    return toys.demand(network, *rows)


def random_states(seed: int, n: int, n_flows: int) -> tuple[Network, Demand]:
    """Return a random map of states, all joined by a ring, and flows between them."""
    rng = np.random.default_rng(seed)
    names = ["".join(chr(65 + i) for _ in range(3)) for i in range(n)]
    roads = [(names[i], names[(i + 1) % n], float(rng.integers(5, 40))) for i in range(n)]
    for _ in range(n):
        a, b = rng.choice(n, 2, replace=False)
        roads.append((names[a], names[b], float(rng.integers(5, 60))))
    network = states_network(roads)
    pairs: dict[tuple[str, str], float] = {}
    while len(pairs) < n_flows:
        a, b = rng.choice(n, 2, replace=False)
        pairs[names[a], names[b]] = float(rng.integers(1, 100))
    return network, states_demand(network, *((a, b, t) for (a, b), t in pairs.items()))

"""Small random networks with borders, capacities, rules and demand, drawn from a seed."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from corridor.core.geodesy import great_circle_km
from corridor.network import Demand, Network
from corridor.planning import Model, compile_model
from corridor.sovereignty import Rules
from tests.planning import toys

STATES = ("AAA", "BBB", "CCC")
LAYERS = """
layer,mode,vehicle,t_per_vehicle,teu_per_vehicle,vehicle_usd_per_h,empty_usd_per_km,speed_kmh,cost_usd_per_t_km,host_share,time_cv,co2_g_per_t_km
road,road,truck,20,2,14,0.6,55,0.07,0.1,0.2,80
rail1520,rail,train,900,50,250,3,28,0.03,0.6,0.4,20
"""
COMMODITIES = """
commodity_id,name,value_usd_per_t,value_of_time_usd_per_t_h,containerised,t_per_teu,empty_return_share,reliability_ratio
boxes,Boxes,6000,1.4,true,10,0.3,0.7
grain,Grain,250,0.02,false,,0.5,0
"""


@dataclass(frozen=True)
class World:
    """Tables of a network, its demand rows and its rules."""

    tables: dict[str, pd.DataFrame]
    flows: pd.DataFrame
    rules: list[dict[str, object]] = field(default_factory=list)

    def network(self) -> Network:
        return Network.from_tables(**self.tables, name="world")

    def demand(self, network: Network) -> Demand:
        return Demand.from_table(self.flows, network)

    def rulebook(self) -> Rules:
        return toys.rules(*self.rules)

    def model(self) -> Model:
        network = self.network()
        return compile_model(network, self.demand(network), self.rulebook())

    def with_table(self, name: str, table: pd.DataFrame) -> "World":
        return replace(self, tables={**self.tables, name: table})


def draw_world(seed: int, *, kinds: tuple[str, ...] = ("forbid", "fee", "quota")) -> World:
    """Return a random world: three states, two layers, seven crossings at most, six flows."""
    rng = np.random.default_rng(seed)
    nodes = _nodes(rng)
    links = _links(rng, nodes)
    crossings = links[links["crossing_id"] != ""][["crossing_id", "layer", "link_id"]]
    sides = crossings["crossing_id"].str.split("-", expand=True)
    crossings = crossings.assign(name="", country_a=sides[0], country_b=sides[1])
    crossings["name"] = crossings["crossing_id"]
    tables = {
        "nodes": nodes,
        "layers": toys.frame(LAYERS),
        "links": links,
        "commodities": toys.frame(COMMODITIES),
        "crossings": crossings.drop(columns="link_id").reset_index(drop=True),
        "terminals": _terminals(rng, nodes),
        "stages": _stages(rng, crossings),
        "background": _background(rng, crossings),
    }
    rules = [_rule(rng, kind, tables) for kind in rng.choice(kinds, 4)] if kinds else []
    return World(tables=tables, flows=_flows(rng, nodes), rules=rules)


def on_roads(world: World) -> World:
    """Return a world without its railways, small enough to enumerate all its ways."""
    tables = dict(world.tables)
    for name in ("links", "crossings"):
        tables[name] = tables[name][tables[name]["layer"] == "road"].reset_index(drop=True)
    roads = {"*", *tables["crossings"]["crossing_id"]}
    tables["stages"] = tables["stages"][tables["stages"]["crossing_id"].isin(roads)]
    tables["background"] = tables["background"][tables["background"]["target"].isin(roads)]
    tables["terminals"] = tables["terminals"].iloc[:0]
    return replace(world, tables=tables, rules=[])


def with_rules(world: World, seed: int, kinds: tuple[str, ...], n: int = 4) -> World:
    """Return the world under random rules of some kinds."""
    rng = np.random.default_rng(seed)
    return replace(world, rules=[_rule(rng, kind, world.tables) for kind in rng.choice(kinds, n)])


def _nodes(rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for i, state in enumerate(STATES):
        for k in range(3):
            lon, lat = 3.0 * i + rng.uniform(-1, 1), rng.uniform(-1, 1)
            rows.append((f"{state[0]}{k}", state, "city", lon, lat))
    for i, j in ((0, 1), (1, 2), (0, 2)):
        lon, lat = 1.5 * (i + j) + rng.uniform(-0.3, 0.3), 1.5 * (j - i - 1) + rng.uniform(-1, 1)
        for side, east in ((i, 0.0), (j, 0.03)):
            name = f"{STATES[i][0]}{STATES[j][0]}{STATES[side][0]}"
            rows.append((name, STATES[side], "border_post", lon + east, lat))
    frame = pd.DataFrame(rows, columns=["node_id", "country", "kind", "lon", "lat"])
    return frame.assign(name=frame["node_id"])


def _links(rng: np.random.Generator, nodes: pd.DataFrame) -> pd.DataFrame:
    rows: list[dict[str, object]] = []
    place = nodes.set_index("node_id")

    def join(a: str, b: str, layer: str, crossing: str = "") -> None:
        direct = great_circle_km(place["lon"][a], place["lat"][a], place["lon"][b], place["lat"][b])
        row: dict[str, object] = {
            "link_id": f"{a}-{b}-{layer}",
            "from_node": a,
            "to_node": b,
            "layer": layer,
            "length_km": float(direct) * rng.uniform(1.02, 1.4),
            "crossing_id": crossing,
            "capacity_t_per_day": rng.uniform(150, 1500) if rng.random() < 0.4 else np.nan,
            "capacity_group": "",
            "cost_usd_per_teu_km": rng.uniform(0.2, 0.9) if rng.random() < 0.2 else np.nan,
            "cost_usd_per_vehicle": rng.uniform(5, 60) if rng.random() < 0.3 else np.nan,
        }
        rows.append(row)

    for state in STATES:
        own = nodes.loc[nodes["country"] == state, "node_id"].tolist()
        for layer, chance in (("road", 0.55), ("rail1520", 0.4)):
            for at, a in enumerate(own):
                for b in own[at + 1 :]:
                    if rng.random() < chance or (layer == "road" and b == own[at + 1]):
                        join(a, b, layer)
    for i, j in ((0, 1), (1, 2), (0, 2)):
        pair = f"{STATES[i][0]}{STATES[j][0]}"
        for layer, chance in (("road", 0.9), ("rail1520", 0.6)):
            if rng.random() < chance:
                ends = [pair + STATES[i][0], pair + STATES[j][0]]
                # A link may be drawn against its crossing.
                join(*(ends if rng.random() < 0.5 else ends[::-1]), layer,
                     f"{STATES[i]}-{STATES[j]}-{layer}")  # fmt: skip
    frame = pd.DataFrame(rows)
    grouped = frame.index[(frame["layer"] == "rail1520") & frame["capacity_t_per_day"].notna()]
    frame.loc[grouped[:2], "capacity_group"] = "line"
    return frame


def _terminals(rng: np.random.Generator, nodes: pd.DataFrame) -> pd.DataFrame:
    rows = [
        (node, a, b, rng.uniform(4, 12), rng.uniform(2, 8), rng.uniform(20, 90),
         rng.uniform(100, 800) if rng.random() < 0.4 else np.nan, 0.5)
        for node in nodes["node_id"]
        if rng.random() < 0.7
        for a, b in (("road", "rail1520"), ("rail1520", "road"))
    ]  # fmt: skip
    columns = ["node_id", "from_layer", "to_layer", "time_h", "cost_usd_per_t", "cost_usd_per_teu"]
    return pd.DataFrame(rows, columns=[*columns, "capacity_t_per_day", "host_share"])


def _stages(rng: np.random.Generator, crossings: pd.DataFrame) -> pd.DataFrame:
    """Return templates for every state and layer, and own rows at some crossings."""
    rows = []

    def work(crossing: str, country: str, layer: str) -> None:
        small = layer == "road"
        for order in (1, 2):
            ways = ("both",) if rng.random() < 0.4 else ("in", "out")
            for way in ways:
                service = rng.uniform(8, 30) if small else rng.uniform(30, 120)
                rows.append(
                    (crossing, country, way, order, layer, f"s{order}", rng.integers(1, 4), service,
                     rng.uniform(0.2, 1.0) if order == 2 else 1.0, rng.uniform(0.3, 1.0),
                     rng.uniform(0, 60), rng.uniform(0, 5))
                )  # fmt: skip

    for state in STATES:
        for layer in ("road", "rail1520"):
            work("*", state, layer)
    for crossing, layer in zip(crossings["crossing_id"], crossings["layer"], strict=True):
        if rng.random() < 0.5:
            work(crossing, crossing.split("-")[int(rng.integers(2))], layer)
    columns = ["crossing_id", "country", "direction", "order", "layer", "stage", "servers"]
    columns += ["service_min", "share", "service_cv", "fee_usd", "fixed_delay_h"]
    frame = pd.DataFrame(rows, columns=columns)
    frame.loc[frame["crossing_id"] != "*", "layer"] = ""
    return frame.assign(**{"class": "all", "regime": ""})


def _background(rng: np.random.Generator, crossings: pd.DataFrame) -> pd.DataFrame:
    rows = [
        (crossing, way, rng.uniform(2, 15) if layer == "road" else rng.uniform(0.2, 2))
        for crossing, layer in zip(crossings["crossing_id"], crossings["layer"], strict=True)
        for way in ("forward", "backward", "both")
        if rng.random() < 0.3
    ]
    # At most 45 trucks and 6 trains a day: no post is overloaded by them alone.
    return pd.DataFrame(rows, columns=["target", "direction", "vehicles_per_day"])


def _flows(rng: np.random.Generator, nodes: pd.DataFrame) -> pd.DataFrame:
    cities = nodes.loc[nodes["kind"] == "city", "node_id"].to_numpy(object)
    rows: dict[tuple[str, str, str], tuple[float, str]] = {}
    while len(rows) < 6:
        a, b = rng.choice(cities, 2, replace=False)
        key = (str(a), str(b), str(rng.choice(["boxes", "grain"])))
        rows[key] = (rng.uniform(50, 1600), str(rng.choice(["", *STATES])))
    records = [("base", *key, *value) for key, value in rows.items()]
    columns = ["scenario", "origin", "destination", "commodity", "t_per_day", "flag"]
    return pd.DataFrame(records, columns=columns)


def _rule(
    rng: np.random.Generator, kind: str, tables: dict[str, pd.DataFrame]
) -> dict[str, object]:
    if kind == "reciprocity":
        a, b = (_scope(rng, kind, tables) for _ in range(2))
        low = float(rng.uniform(0.1, 0.8))
        band = {"low": low, "high": low * float(rng.uniform(1.0, 4.0))}
        unit = str(rng.choice(["t_per_day", "vehicles_per_day"]))
        floor = float(rng.uniform(0.1, 2.0)) * (1.0 if unit == "vehicles_per_day" else 20.0)
        return {"kind": kind, "a": a, "b": b, **band, "floor": floor, "unit": unit}
    return {"kind": kind, **_scope(rng, kind, tables)} | _amounts(rng, kind)


def _scope(
    rng: np.random.Generator, kind: str, tables: dict[str, pd.DataFrame]
) -> dict[str, object]:
    rule: dict[str, object] = {}
    if rng.random() < 0.5 and len(tables["crossings"]):
        rule["crossings"] = [str(rng.choice(tables["crossings"]["crossing_id"]))]
    else:
        rule["countries"] = [str(rng.choice(STATES))]
        if kind == "forbid" or rng.random() < 0.5:
            rule["traffic"] = ["transit"]
        if rng.random() < 0.5:
            rule["layers"] = [str(rng.choice(["road", "rail1520"]))]
    if rng.random() < 0.4:
        rule["commodities"] = [str(rng.choice(["boxes", "grain"]))]
    if rng.random() < 0.3:
        rule["flags"] = [str(rng.choice(STATES))]
    if rng.random() < 0.3:
        rule["origins"] = [str(rng.choice(STATES))]
    return rule


def _amounts(rng: np.random.Generator, kind: str) -> dict[str, object]:
    if kind == "fee":
        if rng.random() < 0.3:
            return {"usd_per_t": float(rng.uniform(0.005, 0.05)), "per": "t_km"}
        amount = str(rng.choice(["usd_per_t", "usd_per_vehicle", "usd_per_teu"]))
        return {amount: float(rng.uniform(1, 9)), "payee": "host"}
    if kind == "quota":
        limit: dict[str, object] = {
            "unit": "vehicles_per_day",
            "limit": float(rng.uniform(1, 40)),
        }
        if rng.random() < 0.5:
            limit["over_quota_usd_per_vehicle"] = float(rng.uniform(20, 400))
        return limit
    if kind == "share_cap":
        return {"share": float(rng.uniform(0.05, 0.8))}
    return {}

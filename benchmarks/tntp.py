"""Instances in the format of "Transportation Networks for Research", and made-up ones like them."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.roads import Roads
from corridor.core.flows.volume_delay import BPR
from corridor.core.graph import FloatArray, Graph, IntArray

PLACES = ("CORRIDOR_INSTANCES", "../shared/instances")
"""An environment variable, then a folder beside the project, that may hold the instances."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Instance:
    """A traffic assignment problem.

    Parameters
    ----------
    name
        What it is called in titles.
    graph, origin, destination, demand, delay, first_through_node
        The arguments of ``user_equilibrium``.
    n_zones
        Zones are the first nodes.
    """

    name: str
    graph: Graph
    origin: IntArray
    destination: IntArray
    demand: FloatArray
    delay: BPR
    first_through_node: int
    n_zones: int


def folder() -> Path | None:
    """Return the folder of the instances, None where there is none."""
    variable, beside = PLACES
    named = os.environ.get(variable)
    places = [Path(named)] if named else [Path(__file__).parent.parent / beside]
    return next((place / "tntp" for place in places if (place / "tntp").is_dir()), None)


def read_instance(
    directory: Path, toll_weight: float = 0.0, distance_weight: float = 0.0
) -> Instance:
    """Return the instance in a folder; tolls and lengths count with their weights."""
    net = next(directory.glob("*_net.tntp")).read_text(encoding="utf-8")
    trips = next(directory.glob("*_trips.tntp")).read_text(encoding="utf-8")
    rows = [line.replace(";", "").split() for line in net.split("<END OF METADATA>")[1].split("\n")]
    columns = np.array([row for row in rows if row and row[0][0] != "~"], dtype=float).T
    tail, head, capacity, length, time, b, power, _, toll = columns[:9]
    origin, destination, demand = read_trips(trips)
    n_nodes = metadata(net, "NUMBER OF NODES")
    return Instance(
        name=directory.name,
        graph=Graph(n_nodes, tail - 1, head - 1),
        origin=origin,
        destination=destination,
        demand=demand,
        delay=BPR(time, capacity, b, power, toll_weight * toll + distance_weight * length),
        first_through_node=metadata(net, "FIRST THRU NODE") - 1,
        n_zones=metadata(net, "NUMBER OF ZONES"),
    )


def metadata(text: str, name: str) -> int:
    """Return a number from the head of a file."""
    found = re.search(rf"<{name}>\s*(\d+)", text)
    assert found, f"<{name}> is missing"
    return int(found[1])


def read_trips(text: str) -> tuple[IntArray, IntArray, FloatArray]:
    """Return origin and destination, 0-based, and demand of every pair with demand."""
    origins, destinations, demands = [], [], []
    for block in re.split(r"Origin\s+", text.split("<END OF METADATA>")[1])[1:]:
        origin, _, rest = block.partition("\n")
        for destination, amount in re.findall(r"(\d+)\s*:\s*([\d.eE+-]+)", rest):
            origins.append(int(origin) - 1)
            destinations.append(int(destination) - 1)
            demands.append(float(amount))
    demand = np.array(demands)
    keep = demand > 0
    ends = np.array([origins, destinations], dtype=np.int32)[:, keep]
    return ends[0], ends[1], demand[keep]


def make_instance(n_nodes: int, n_zones: int, trips_per_pair: float) -> Instance:
    """Return a made-up road network whose first nodes are zones, with demand between all pairs.

    Capacities follow the flow of the free network, so that a fair share of arcs is congested.
    """
    roads = Roads.of(n_nodes)
    rng = np.random.default_rng(5)
    origin, destination = np.nonzero(~np.eye(n_zones, dtype=bool))
    demand = rng.gamma(1.0, trips_per_pair, origin.size)
    n_arcs = roads.graph.n_arcs
    mean_load = demand.sum() * np.sqrt(n_nodes) / n_arcs
    capacity = mean_load * rng.uniform(0.5, 3.0, n_arcs)
    return Instance(
        name=f"made-up roads, {n_nodes} nodes, {n_arcs} arcs, {n_zones} zones",
        graph=roads.graph,
        origin=origin.astype(np.int32),
        destination=destination.astype(np.int32),
        demand=demand,
        delay=BPR(roads.cost, capacity, np.full(n_arcs, 0.15), np.full(n_arcs, 4.0)),
        first_through_node=0,
        n_zones=n_zones,
    )

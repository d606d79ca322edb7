"""User equilibria of published networks, against AequilibraE and the textbook's method."""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.optimize import brentq
from scipy.sparse.csgraph import dijkstra

from benchmarks.assignment_peer import SETTINGS
from benchmarks.harness import Answer, Contestant, Run, Workload
from benchmarks.tntp import Instance, folder, make_instance, read_instance
from corridor.core.flows import BPR, user_equilibrium
from corridor.core.graph import Graph
from corridor.core.paths import skim

LEAST_FREE_FLOW = 0.001
"""Least time on an empty arc, for all contestants: AequilibraE takes no 0."""
CORES = 2
"""Threads for everybody."""
LENIENCE = 10.0
"""Times the gap asked for that a contestant may stop at: AequilibraE looks at that of the flow
before its last step, which may be the better one."""
TEXTBOOK_GAP = 1e-3
"""How far the method of Frank and Wolfe is asked to go; its tail is long."""
AGREEMENT = 5 * TEXTBOOK_GAP
"""Beckmann's function lies within the gap of its minimum, in terms of what is spent; under curves
of the fourth power that may be five times the function."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A problem, and what every answer to it is checked against.

    Parameters
    ----------
    instance
        The problem, arcs without free-flow time mended.
    graph
        Its graph, in which nobody passes through zones that do not let through traffic.
    origin : ndarray of int
        Where demand comes from in that graph.
    """

    instance: Instance
    graph: Graph = field(init=False)
    origin: Answer = field(init=False)

    def __post_init__(self) -> None:
        given, first = self.instance.graph, self.instance.first_through_node
        apart = np.where(given.tail < first, given.tail + given.n_nodes, given.tail)
        origin = self.instance.origin
        start = np.where(origin < first, origin + given.n_nodes, origin)
        object.__setattr__(self, "graph", Graph(given.n_nodes + first, apart, given.head))
        object.__setattr__(self, "origin", start)

    def gap(self, flow: Answer) -> float:
        """Return the relative gap of arc flows, from shortest paths at their costs."""
        cost = self.instance.delay.cost(flow)
        origins, row = np.unique(self.origin, return_inverse=True)
        ends, column = np.unique(self.instance.destination, return_inverse=True)
        least = float(self.instance.demand @ skim(self.graph, cost, origins, ends)[row, column])
        return (float(cost @ flow) - least) / least

    def checked(self, name: str, wanted: float, assign: Callable[[], Answer]) -> Run:
        """Return the call to time; its first answer is checked, and the gap reached printed."""
        shown: list[float] = []

        def run() -> Answer:
            flow = assign()
            if not shown:
                shown.append(self.gap(flow))
                print(f"  {name}: gap {shown[0]:.2e} of {wanted:.0e}", flush=True)
                assert shown[0] <= LENIENCE * wanted, f"{name} stopped at gap {shown[0]}"
            return np.array([self.instance.delay.integral(flow).sum()])

        return run


def mended(instance: Instance) -> Instance:
    """Return the instance without free arcs."""
    delay = instance.delay
    free = np.maximum(delay.free_flow, LEAST_FREE_FLOW)
    return replace(instance, delay=BPR(free, delay.capacity, delay.b, delay.power))


def ours(case: Case, gap: float) -> Run:
    """Assign by corridor."""
    of = case.instance
    return case.checked(
        "corridor",
        gap,
        lambda: user_equilibrium(
            of.graph, of.origin, of.destination, of.demand, of.delay, gap,
            of.first_through_node, threads=CORES,
        ).arc_flow,
    )  # fmt: skip


def by_aequilibrae(case: Case, gap: float) -> Run:
    """Assign by AequilibraE, biconjugate Frank-Wolfe, in a process with its best settings."""
    of, delay = case.instance, case.instance.delay
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "problem.npz"
        np.savez(
            file, tail=of.graph.tail, head=of.graph.head, capacity=delay.capacity,
            free_flow=delay.free_flow, b=delay.b, power=delay.power, origin=of.origin,
            destination=of.destination, demand=of.demand, n_zones=of.n_zones,
            first_through_node=of.first_through_node,
        )  # fmt: skip
        worker = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.assignment_peer", str(file), str(gap), str(CORES)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, **SETTINGS}, cwd=Path(__file__).parent.parent,
        )  # fmt: skip
        atexit.register(worker.kill)
        assert worker.stdin is not None
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n", "AequilibraE did not start"

    def assign() -> Answer:
        print("go", file=worker.stdin, flush=True)
        return np.array(json.loads(worker.stdout.readline())["flow"])

    return case.checked("AequilibraE", gap, assign)


def by_textbook(case: Case, gap: float) -> Run:
    """Assign by the method of Frank and Wolfe, shortest paths by SciPy."""
    of, graph = case.instance, case.graph
    origins, row = np.unique(case.origin, return_inverse=True)
    wanted = np.zeros((origins.size, graph.n_nodes))
    np.add.at(wanted, (row, of.destination), of.demand)
    pairs = sp.csr_matrix((np.arange(graph.n_arcs), (graph.tail, graph.head)), [graph.n_nodes] * 2)
    place = np.asarray(pairs[graph.tail, graph.head]).ravel()
    # Of parallel arcs one alone fits into the matrix: there are none in these instances.
    assert (place == np.arange(graph.n_arcs)).all()
    rows = np.arange(origins.size)

    def load(cost: Answer) -> Answer:
        """Put all demand on shortest paths, from the farthest nodes inwards."""
        weights = sp.csr_matrix((cost, (graph.tail, graph.head)), [graph.n_nodes] * 2)
        distance, before = dijkstra(weights, indices=origins, return_predecessors=True)
        flow, passing = np.zeros(graph.n_arcs), wanted.copy()
        reached = before >= 0
        for node in np.argsort(np.where(reached, -distance, np.inf), axis=1).T:
            here = reached[rows, node]
            tail, head, amount = before[rows, node][here], node[here], passing[rows, node][here]
            passing[rows[here], tail] += amount
            flow += np.bincount(lookup[tail, head], amount, graph.n_arcs)
        return flow

    lookup = np.zeros((graph.n_nodes, graph.n_nodes), dtype=np.int32)
    lookup[graph.tail, graph.head] = np.arange(graph.n_arcs)

    def assign() -> Answer:
        delay = of.delay
        flow = load(delay.cost(np.zeros(graph.n_arcs)))
        while True:
            cost = delay.cost(flow)
            way = load(cost) - flow
            if -float(cost @ way) <= gap * float(cost @ (flow + way)):
                return flow
            flow = flow + step_length(delay, flow, way) * way

    return case.checked("Frank-Wolfe", gap, assign)


def step_length(delay: BPR, flow: Answer, way: Answer) -> float:
    """Return the step at which Beckmann's function is least on the way."""

    def lean(share: float) -> float:
        return float(delay.cost(np.maximum(flow + share * way, 0.0)) @ way)

    return 1.0 if lean(1.0) <= 0.0 else float(brentq(lean, 0.0, 1.0, xtol=1e-12))


class Network(NamedTuple):
    """A published network, and the size of the one that is made up where it is not at hand."""

    name: str
    n_nodes: int
    n_zones: int


ANAHEIM = Network("Anaheim", 416, 38)
CHICAGO = Network("Chicago-Sketch", 933, 387)
TINY = Network("", 40, 8)


def load_case(network: Network, *, smoke: bool) -> Case:
    """Return the published network, or a made-up one."""
    place = folder()
    if smoke or place is None:
        size = TINY if smoke else network
        return Case(mended(make_instance(size.n_nodes, size.n_zones, trips_per_pair=30.0)))
    return Case(mended(read_instance(place / network.name)))


def to_the_same_gap(name: str, network: Network, floor: float, smoke: bool) -> Workload:  # noqa: FBT001
    """Assign until nobody could spare more than a millionth."""
    case = load_case(network, smoke=smoke)
    return Workload(
        name=name,
        title=f"user equilibrium to a relative gap of 1e-6, {case.instance.name}, {CORES} threads",
        contestants=(
            corridor(case, 1e-6),
            Contestant(
                name="AequilibraE bfw, 1e-6",
                package="aequilibrae",
                prepare=partial(by_aequilibrae, case, 1e-6),
                floor=floor,
                goal=100.0,
            ),
            textbook(case),
        ),
        rtol=AGREEMENT,
    )


def beyond_the_peer(name: str, network: Network, smoke: bool) -> Workload:  # noqa: FBT001
    """Assign a million times as exactly as the peer is asked to."""
    case = load_case(network, smoke=smoke)
    return Workload(
        name=name,
        title=f"user equilibrium to 1e-10, the peer to 1e-4, {case.instance.name}, {CORES} threads",
        contestants=(
            corridor(case, 1e-10),
            corridor(case, 1e-12),
            Contestant(
                name="AequilibraE bfw, 1e-4",
                package="aequilibrae",
                prepare=partial(by_aequilibrae, case, 1e-4),
                goal=1.0,
            ),
            textbook(case),
        ),
        rtol=AGREEMENT,
    )


def corridor(case: Case, gap: float) -> Contestant:
    """Return ours at a gap."""
    return Contestant(
        name=f"corridor, {gap:.0e}", package="corridor", prepare=partial(ours, case, gap)
    )


def textbook(case: Case) -> Contestant:
    """Return the contestant that everybody can run."""
    return Contestant(
        name="Frank-Wolfe on SciPy, 1e-3", package="scipy",
        prepare=partial(by_textbook, case, TEXTBOOK_GAP),
    )  # fmt: skip


WORKLOADS: dict[str, Callable[[bool], Workload]] = {
    "equilibrium-anaheim": partial(to_the_same_gap, "equilibrium-anaheim", ANAHEIM, 60.0),
    "equilibrium-chicago": partial(to_the_same_gap, "equilibrium-chicago", CHICAGO, 45.0),
    "equilibrium-anaheim-exact": partial(beyond_the_peer, "equilibrium-anaheim-exact", ANAHEIM),
    "equilibrium-chicago-exact": partial(beyond_the_peer, "equilibrium-chicago-exact", CHICAGO),
}

"""Shortest-path trees, scenario skims and k-shortest paths against the graph libraries."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import islice, pairwise

import numpy as np
from scipy.sparse.csgraph import dijkstra

from benchmarks.harness import Answer, Contestant, Run, Workload
from benchmarks.roads import SMOKE_NODES, Roads
from corridor.core.graph import IntArray
from corridor.core.paths import k_shortest_paths, shortest_paths, skim

Network = Callable[[], Roads]


def rows_of(n_nodes: int, distances: Iterable[dict[int, float]]) -> Answer:
    """Return distances given as dictionaries as an array."""
    found = list(distances)
    out = np.full((len(found), n_nodes), np.inf)
    for row, entries in enumerate(found):
        out[row, list(entries)] = list(entries.values())
    return out


def tree_peers(roads: Roads, origins: IntArray, n_slow: int) -> tuple[Contestant, ...]:
    """Return the peers that search from each origin; they answer the distances between origins."""
    sources = origins.tolist()

    def by_scipy() -> Run:
        matrix = roads.csr()
        return lambda: dijkstra(matrix, indices=origins, return_predecessors=True)[0][:, origins]

    def by_igraph() -> Run:
        peer, cost = roads.igraph(), roads.cost.tolist()
        return lambda: np.array(peer.distances(source=sources, weights=cost))[:, origins]

    def by_networkit() -> Run:
        import networkit

        peer = roads.networkit()

        def search(origin: int) -> Answer:
            run = networkit.distance.Dijkstra(peer, origin, storePaths=True)
            run.run()
            found = np.array(run.getDistances(asarray=True))[origins]
            return np.where(found == np.finfo(np.float64).max, np.inf, found)  # unreachable

        return lambda: np.array([search(origin) for origin in sources])

    def by_rustworkx() -> Run:
        import rustworkx

        peer, price = roads.rustworkx(), roads.cost.tolist().__getitem__

        def search(origin: int) -> dict[int, float]:
            # It leaves out the origin.
            found = rustworkx.dijkstra_shortest_path_lengths(peer, origin, price)
            return {**found, origin: 0.0}

        n = roads.graph.n_nodes
        return lambda: rows_of(n, map(search, sources))[:, origins]

    def by_scgraph() -> Run:
        peer = roads.scgraph(roads.cost)
        search = peer.get_shortest_path_tree
        return lambda: np.array([search(node)["distance_matrix"] for node in sources])[:, origins]

    def by_networkx() -> Run:
        import networkx as nx

        peer, n = roads.networkx(), roads.graph.n_nodes
        search = nx.dijkstra_predecessor_and_distance
        return lambda: rows_of(n, [search(peer, node)[1] for node in sources[:n_slow]])[:, origins]

    return (
        Contestant(name="scipy dijkstra", package="scipy", prepare=by_scipy),
        Contestant(name="igraph distances (no trees)", package="igraph", prepare=by_igraph),
        Contestant(name="networkit Dijkstra", package="networkit", prepare=by_networkit),
        Contestant(name="rustworkx lengths (no trees)", package="rustworkx", prepare=by_rustworkx),
        Contestant(name="scgraph C++ trees", package="scgraph", prepare=by_scgraph),
        Contestant(
            name="networkx", package="networkx", prepare=by_networkx, share=n_slow / len(sources)
        ),
    )


def our_trees(roads: Roads, origins: IntArray, threads: int) -> Contestant:
    """Return ours with some threads."""

    def run() -> Answer:
        found, _ = shortest_paths(
            roads.graph, roads.cost, origins, threads=threads, method="kernels"
        )
        return found[:, origins]

    name = f"corridor, {threads} thread{'s' if threads > 1 else ''}"
    return Contestant(name=name, package="corridor", prepare=lambda: run)


def promising(
    contestants: tuple[Contestant, ...], promises: Mapping[str, tuple[float, float]]
) -> tuple[Contestant, ...]:
    """Return the contestants with the ratio promised and aimed at for those that are named."""
    unknown = promises.keys() - {entry.name for entry in contestants}
    if unknown:
        msg = f"No contestant is called {sorted(unknown)}."
        raise LookupError(msg)
    return tuple(
        replace(entry, floor=promises[entry.name][0], goal=promises[entry.name][1])
        if entry.name in promises
        else entry
        for entry in contestants
    )


def one_to_all(name: str, network: Network, *, smoke: bool) -> Workload:
    """One tree with predecessors on one thread."""
    roads = Roads.grid(8) if smoke else network()
    origins = roads.nodes(1, seed=1)
    return Workload(
        name=name,
        title=f"one tree with predecessors, one thread, {roads.size}",
        contestants=promising(
            (our_trees(roads, origins, 1), *tree_peers(roads, origins, 1)),
            {"scipy dijkstra": (1.15, 1.5), "networkx": (25.0, 40.0)},
        ),
    )


def many_to_many(
    name: str, network: Network, n_origins: int, *, smoke: bool, aequilibrae: bool = True
) -> Workload:
    """Trees with predecessors from many origins, which are the destinations too.

    Without ``aequilibrae`` it is left out.
    """
    roads = Roads.of(SMOKE_NODES) if smoke else network()
    origins = roads.nodes(5 if smoke else n_origins, seed=1)

    def by_aequilibrae(cores: int) -> Contestant:
        return Contestant(
            name=f"AequilibraE skims, {cores} core{'s' if cores > 1 else ''} (no trees)",
            package="aequilibrae",
            prepare=lambda: roads.aequilibrae(origins, cores),
        )

    return Workload(
        name=name,
        title=f"trees with predecessors from {origins.size} origins, {roads.size}",
        contestants=promising(
            (
                our_trees(roads, origins, 2),
                our_trees(roads, origins, 1),
                *((by_aequilibrae(2), by_aequilibrae(1)) if aequilibrae else ()),
                *tree_peers(roads, origins, min(2, origins.size)),
            ),
            {"scipy dijkstra": (2.5, 4.0)}
            | ({"AequilibraE skims, 2 cores (no trees)": (1.1, 2.0)} if aequilibrae else {}),
        ),
    )


def scenario_skims(name: str, network: Network, *, smoke: bool) -> Workload:
    """Origin-destination matrices under many cost scenarios."""
    roads = Roads.of(SMOKE_NODES) if smoke else network()
    costs = roads.scenarios(10 if smoke else 1_000)
    origins, destinations = roads.nodes(20, seed=2), roads.nodes(30, seed=3)
    n_scenarios = len(costs)
    n_some, n_few = (2, 1) if smoke else (50, 3)

    def ours(threads: int) -> Contestant:
        def run() -> Answer:
            return skim(
                roads.graph, costs, origins, destinations, threads=threads, method="kernels"
            )

        name = f"corridor, {threads} thread{'s' if threads > 1 else ''}"
        return Contestant(name=name, package="corridor", prepare=lambda: run)

    return Workload(
        name=name,
        title=f"{n_scenarios:,} scenarios x {origins.size} origins x {destinations.size} "
        f"destinations, {roads.size}",
        contestants=promising(
            (
                ours(2),
                ours(1),
                *skim_peers(roads, costs, origins, destinations, n_some, n_few),
                *slow_skim_peers(roads, costs, origins, destinations, n_few),
            ),
            {"scipy loop": (26.0, 60.0), "networkx loop": (340.0, 700.0)},
        ),
        rtol=0.0,
    )


def skim_peers(
    roads: Roads,
    costs: Answer,
    origins: IntArray,
    destinations: IntArray,
    n_some: int,
    n_few: int,
) -> tuple[Contestant, ...]:
    """Return the peers, which take scenario after scenario; slow ones take the first few."""
    sources, targets = origins.tolist(), destinations.tolist()

    def by_scipy() -> Run:
        matrix, order = roads.csr(), roads.graph.order

        def run() -> Answer:
            out = np.empty((n_some, origins.size, destinations.size))
            for scenario in range(n_some):
                matrix.data[:] = costs[scenario, order]
                out[scenario] = dijkstra(matrix, indices=origins)[:, destinations]
            return out

        return run

    def by_igraph() -> Run:
        peer = roads.igraph()

        def search(cost: Answer) -> list[list[float]]:
            found: list[list[float]] = peer.distances(
                source=sources, target=targets, weights=cost.tolist()
            )
            return found

        return lambda: np.array([search(cost) for cost in costs[:n_some]])

    def by_networkx() -> Run:
        import networkx as nx

        peer, n = roads.networkx(), roads.graph.n_nodes
        ends = list(zip(roads.graph.tail.tolist(), roads.graph.head.tolist(), strict=True))

        def search(cost: Answer) -> Answer:
            nx.set_edge_attributes(peer, dict(zip(ends, cost.tolist(), strict=True)), "weight")
            found = [nx.single_source_dijkstra_path_length(peer, node) for node in sources]
            return rows_of(n, found)[:, destinations]

        return lambda: np.array([search(cost) for cost in costs[:n_few]])

    some, few = n_some / len(costs), n_few / len(costs)
    return (
        Contestant(name="scipy loop", package="scipy", prepare=by_scipy, share=some),
        Contestant(name="igraph loop", package="igraph", prepare=by_igraph, share=some),
        Contestant(name="networkx loop", package="networkx", prepare=by_networkx, share=few),
    )


def slow_skim_peers(
    roads: Roads, costs: Answer, origins: IntArray, destinations: IntArray, n_few: int
) -> tuple[Contestant, ...]:
    """Return the peers that take no new costs: a callback for each arc, or a new graph."""
    sources = origins.tolist()

    def by_rustworkx() -> Run:
        import rustworkx

        peer, n = roads.rustworkx(), roads.graph.n_nodes

        def search(cost: Answer) -> Answer:
            price = cost.tolist().__getitem__
            found = [
                {**rustworkx.dijkstra_shortest_path_lengths(peer, node, price), node: 0.0}
                for node in sources
            ]
            return rows_of(n, found)[:, destinations]

        return lambda: np.array([search(cost) for cost in costs[:n_few]])

    def by_scgraph() -> Run:
        def search(cost: Answer) -> Answer:
            peer = roads.scgraph(cost)
            found = [peer.get_shortest_path_tree(node)["distance_matrix"] for node in sources]
            return np.array(found)[:, destinations]

        return lambda: np.array([search(cost) for cost in costs[:n_few]])

    few = n_few / len(costs)
    return (
        Contestant(name="rustworkx loop", package="rustworkx", prepare=by_rustworkx, share=few),
        Contestant(name="scgraph C++ loop", package="scgraph", prepare=by_scgraph, share=few),
    )


def k_shortest(name: str, k: int, smoke: bool) -> Workload:  # noqa: FBT001
    """Find the ``k`` shortest simple paths of several origin-destination pairs."""
    roads = Roads.of(SMOKE_NODES if smoke else 300)
    n_pairs, n_slow = (3, 1) if smoke else (20, 2)
    k = 3 if smoke else k
    pairs = np.random.default_rng(4).integers(0, roads.graph.n_nodes, (4 * n_pairs, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]][:n_pairs]

    def padded(costs: list[list[float]]) -> Answer:
        return np.array([row + [np.inf] * (k - len(row)) for row in costs])

    def ours() -> Run:
        def run() -> Answer:
            return padded(
                [
                    [path.cost for path in k_shortest_paths(roads.graph, roads.cost, o, d, k)]
                    for o, d in pairs.tolist()
                ]
            )

        return run

    def by_igraph() -> Run:
        peer, weights = roads.igraph(), roads.cost.tolist()

        def costs_of(origin: int, destination: int) -> list[float]:
            found = peer.get_k_shortest_paths(
                origin, destination, k=k, weights=weights, output="epath"
            )
            return sorted(float(roads.cost[edges].sum()) for edges in found)

        return lambda: padded([costs_of(*pair) for pair in pairs.tolist()])

    def by_networkx() -> Run:
        import networkx as nx

        peer = roads.networkx()

        def costs_of(origin: int, destination: int) -> list[float]:
            found = islice(nx.shortest_simple_paths(peer, origin, destination, "weight"), k)
            return [sum(peer[a][b]["weight"] for a, b in pairwise(path)) for path in found]

        return lambda: padded([costs_of(*pair) for pair in pairs[:n_slow].tolist()])

    return Workload(
        name=name,
        title=f"{k} shortest simple paths for {len(pairs)} pairs, {roads.size}",
        contestants=(
            Contestant(name="corridor", package="corridor", prepare=ours),
            Contestant(name="igraph", package="igraph", prepare=by_igraph, floor=20.0, goal=30.0),
            Contestant(
                name="networkx",
                package="networkx",
                prepare=by_networkx,
                share=n_slow / len(pairs),
                floor=190.0,
                goal=250.0,
            ),
        ),
    )


WORKLOADS: dict[str, Callable[[bool], Workload]] = {
    "skims-300": lambda smoke: scenario_skims("skims-300", lambda: Roads.of(300), smoke=smoke),
    "skims-crossroads": lambda smoke: scenario_skims(
        "skims-crossroads", Roads.crossroads, smoke=smoke
    ),
    "tree-264k": lambda smoke: one_to_all("tree-264k", lambda: Roads.grid(514), smoke=smoke),
    "trees-300": lambda smoke: many_to_many("trees-300", lambda: Roads.of(300), 40, smoke=smoke),
    "trees-300-all": lambda smoke: many_to_many(
        "trees-300-all", lambda: Roads.of(300), 300, smoke=smoke
    ),
    "trees-933": lambda smoke: many_to_many("trees-933", lambda: Roads.of(933), 387, smoke=smoke),
    "trees-264k": lambda smoke: many_to_many("trees-264k", lambda: Roads.grid(514), 8, smoke=smoke),
    # AequilibraE's skims of this network differ from those on which all the others agree.
    "trees-crossroads": lambda smoke: many_to_many(
        "trees-crossroads", Roads.crossroads, 300, smoke=smoke, aequilibrae=False
    ),
    "ksp-10": lambda smoke: k_shortest("ksp-10", 10, smoke),
    "ksp-100": lambda smoke: k_shortest("ksp-100", 100, smoke),
}

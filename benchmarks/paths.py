"""Shortest-path trees, scenario skims and k-shortest paths against the graph libraries."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra, minimum_spanning_tree
from scipy.spatial import cKDTree

from benchmarks.harness import Answer, Contestant, Run, Workload
from corridor.core.graph import FloatArray, Graph, IntArray
from corridor.core.paths import k_shortest_paths, shortest_trees, skim

SMOKE_NODES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Roads:
    """A random road network: nearest neighbors in the plane, every road in both directions."""

    graph: Graph
    cost: FloatArray

    @classmethod
    def of(cls, n_nodes: int) -> "Roads":
        """Draw ``n_nodes`` points and join them: a spanning tree and the two nearest of each."""
        rng = np.random.default_rng(n_nodes)
        points = rng.uniform(size=(n_nodes, 2))
        found = cKDTree(points).query(points, k=min(12, n_nodes))
        length, near = np.asarray(found[0]), np.asarray(found[1])
        tail = np.repeat(np.arange(n_nodes), near.shape[1] - 1)
        nearest = csr_array((length[:, 1:].ravel(), (tail, near[:, 1:].ravel())))
        tree = coo_array(minimum_spanning_tree(nearest))
        two = np.column_stack([np.repeat(np.arange(n_nodes), 2), near[:, 1:3].ravel()])
        pairs = np.sort(np.vstack([np.column_stack(tree.coords), two]), axis=1)
        pairs = np.unique(pairs, axis=0)
        one_way = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
        cost = np.tile(one_way, 2) * rng.lognormal(sigma=0.2, size=2 * len(pairs))
        ends = np.vstack([pairs, pairs[:, ::-1]])
        return cls(graph=Graph(n_nodes, ends[:, 0], ends[:, 1]), cost=cost)

    @property
    def size(self) -> str:
        """Nodes and arcs in words."""
        return f"{self.graph.n_nodes:,} nodes, {self.graph.n_arcs:,} arcs"

    def scenarios(self, n: int) -> FloatArray:
        """Return ``n`` cost vectors with independent lognormal noise of 0.4."""
        noise = np.random.default_rng(n).lognormal(sigma=0.4, size=(n, self.graph.n_arcs))
        return self.cost * noise

    def nodes(self, n: int, seed: int) -> IntArray:
        """Return ``n`` random nodes."""
        draw = np.random.default_rng(seed).integers(0, self.graph.n_nodes, n)
        return draw.astype(np.int32)

    def csr(self) -> csr_array:
        """Return SciPy's matrix of the graph, entries in CSR order."""
        order = self.graph.order
        return csr_array(
            (self.cost[order], self.graph.head[order], self.graph.indptr),
            shape=(self.graph.n_nodes, self.graph.n_nodes),
        )

    def networkx(self) -> Any:  # noqa: ANN401 - a peer that need not be installed
        """Return the networkx graph."""
        import networkx as nx

        peer: Any = nx.DiGraph()
        peer.add_nodes_from(range(self.graph.n_nodes))
        ends = zip(self.graph.tail.tolist(), self.graph.head.tolist(), self.cost, strict=True)
        peer.add_weighted_edges_from(ends)
        return peer

    def igraph(self) -> Any:  # noqa: ANN401
        """Return the igraph graph; its edges are our arcs in our order."""
        import igraph

        ends = np.column_stack([self.graph.tail, self.graph.head]).tolist()
        return igraph.Graph(n=self.graph.n_nodes, edges=ends, directed=True)

    def rustworkx(self) -> Any:  # noqa: ANN401
        """Return the rustworkx graph with float weights."""
        import rustworkx

        peer = rustworkx.PyDiGraph(multigraph=True)
        peer.add_nodes_from(range(self.graph.n_nodes))
        ends = zip(self.graph.tail.tolist(), self.graph.head.tolist(), strict=True)
        costs = self.cost.tolist()
        peer.add_edges_from([(*pair, cost) for pair, cost in zip(ends, costs, strict=True)])
        return peer


def rows_of(n_nodes: int, distances: list[dict[int, float]]) -> Answer:
    """Return distances given as dictionaries as an array."""
    out = np.full((len(distances), n_nodes), np.inf)
    for row, found in enumerate(distances):
        out[row, list(found)] = list(found.values())
    return out


def trees(name: str, n_nodes: int, n_pairs: int, smoke: bool) -> Workload:  # noqa: FBT001
    """One-to-all trees, distances and predecessors, from many origins under one cost vector."""
    roads = Roads.of(SMOKE_NODES if smoke else n_nodes)
    origins = roads.nodes(5 if smoke else n_pairs, seed=1)
    n_slow = 2 if smoke else 8

    def ours(threads: int) -> Callable[[], Run]:
        cost, rows = roads.cost[np.newaxis], np.zeros_like(origins)
        return lambda: (
            lambda: shortest_trees(
                roads.graph, cost, rows, origins, threads=threads, method="kernels"
            )[0]
        )

    def by_scipy() -> Run:
        matrix = roads.csr()
        return lambda: dijkstra(matrix, indices=origins, return_predecessors=True)[0]

    def by_igraph() -> Run:
        peer, cost = roads.igraph(), roads.cost.tolist()
        sources = list(dict.fromkeys(origins.tolist()))  # igraph takes each source once
        back = [sources.index(origin) for origin in origins]
        return lambda: np.array(peer.distances(source=sources, weights=cost))[back]

    def by_rustworkx() -> Run:
        import rustworkx

        peer, n = roads.rustworkx(), roads.graph.n_nodes

        def run() -> Answer:
            found = [
                dict(rustworkx.dijkstra_shortest_path_lengths(peer, origin, float))
                for origin in origins.tolist()
            ]
            out = rows_of(n, found)
            out[np.arange(len(found)), origins] = 0.0  # it leaves out the origin
            return out

        return run

    def by_networkx() -> Run:
        import networkx as nx

        peer, n = roads.networkx(), roads.graph.n_nodes
        search = nx.dijkstra_predecessor_and_distance
        return lambda: rows_of(n, [search(peer, node)[1] for node in origins[:n_slow].tolist()])

    return Workload(
        name=name,
        title=f"{origins.size} one-to-all trees with predecessors, {roads.size}",
        contestants=(
            Contestant(name="corridor, 1 thread", package="corridor", prepare=ours(1)),
            Contestant(name="corridor, 2 threads", package="corridor", prepare=ours(2)),
            Contestant(name="scipy dijkstra", package="scipy", prepare=by_scipy),
            Contestant(name="igraph distances (no trees)", package="igraph", prepare=by_igraph),
            Contestant(
                name="rustworkx lengths (no trees)", package="rustworkx", prepare=by_rustworkx
            ),
            Contestant(
                name="networkx",
                package="networkx",
                prepare=by_networkx,
                share=n_slow / origins.size,
            ),
        ),
    )


def skims(smoke: bool) -> Workload:  # noqa: FBT001
    """Origin-destination matrices under many cost scenarios."""
    roads = Roads.of(SMOKE_NODES if smoke else 300)
    costs = roads.scenarios(4 if smoke else 1_000)
    origins = np.unique(roads.nodes(20, seed=2))
    destinations = np.unique(roads.nodes(30, seed=3))
    n_scenarios = len(costs)
    n_scipy, n_slow = (2, 1) if smoke else (50, 3)

    def ours(threads: int) -> Callable[[], Run]:
        return lambda: (
            lambda: skim(
                roads.graph, costs, origins, destinations, threads=threads, method="kernels"
            )
        )

    def by_scipy() -> Run:
        matrix, order = roads.csr(), roads.graph.order

        def run() -> Answer:
            out = np.empty((n_scipy, origins.size, destinations.size))
            for scenario in range(n_scipy):
                matrix.data[:] = costs[scenario, order]
                out[scenario] = dijkstra(matrix, indices=origins)[:, destinations]
            return out

        return run

    def by_igraph() -> Run:
        peer = roads.igraph()
        source, target = origins.tolist(), destinations.tolist()
        return lambda: np.array(
            [
                peer.distances(source=source, target=target, weights=cost.tolist())
                for cost in costs[:n_scipy]
            ]
        )

    def by_networkx() -> Run:
        import networkx as nx

        peer = roads.networkx()
        ends = list(zip(roads.graph.tail.tolist(), roads.graph.head.tolist(), strict=True))

        def run() -> Answer:
            out = np.empty((n_slow, origins.size, destinations.size))
            for scenario in range(n_slow):
                weights = dict(zip(ends, costs[scenario].tolist(), strict=True))
                nx.set_edge_attributes(peer, weights, "weight")
                for row, origin in enumerate(origins.tolist()):
                    found = nx.single_source_dijkstra_path_length(peer, origin)
                    out[scenario, row] = [found.get(node, np.inf) for node in destinations.tolist()]
            return out

        return run

    return Workload(
        name="skims",
        title=f"{n_scenarios:,} scenarios x {origins.size} origins x {destinations.size} "
        f"destinations, {roads.size}",
        contestants=(
            Contestant(name="corridor, 1 thread", package="corridor", prepare=ours(1)),
            Contestant(name="corridor, 2 threads", package="corridor", prepare=ours(2)),
            Contestant(
                name="scipy loop", package="scipy", prepare=by_scipy, share=n_scipy / n_scenarios
            ),
            Contestant(
                name="igraph loop", package="igraph", prepare=by_igraph, share=n_scipy / n_scenarios
            ),
            Contestant(
                name="networkx loop",
                package="networkx",
                prepare=by_networkx,
                share=n_slow / n_scenarios,
            ),
        ),
    )


def k_shortest(name: str, k: int, smoke: bool) -> Workload:  # noqa: FBT001
    """Find the ``k`` shortest simple paths of several origin-destination pairs."""
    roads = Roads.of(SMOKE_NODES if smoke else 300)
    n_pairs, n_slow = (3, 1) if smoke else (20, 2)
    k = 3 if smoke else k
    pairs = np.column_stack([roads.nodes(4 * n_pairs, seed=4), roads.nodes(4 * n_pairs, seed=5)])
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
            Contestant(name="igraph", package="igraph", prepare=by_igraph),
            Contestant(
                name="networkx",
                package="networkx",
                prepare=by_networkx,
                share=n_slow / len(pairs),
            ),
        ),
    )


WORKLOADS: dict[str, Callable[[bool], Workload]] = {
    "trees-300": lambda smoke: trees("trees-300", 300, 400, smoke),
    "trees-3000": lambda smoke: trees("trees-3000", 3_000, 400, smoke),
    "skims": skims,
    "ksp-10": lambda smoke: k_shortest("ksp-10", 10, smoke),
    "ksp-100": lambda smoke: k_shortest("ksp-100", 100, smoke),
}

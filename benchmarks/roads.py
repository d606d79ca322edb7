"""Networks for the benchmarks, and the same network as each peer library holds it."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import cKDTree

from corridor.core.graph import FloatArray, Graph, IntArray

SMOKE_NODES = 40

SPEED_KMH, CROSSING_H, TRANSFER_H = 50.0, 6.0, 12.0
"""What the bundled network's arcs cost here: hours, made up, since only the shape matters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roads:
    """A network without parallel arcs, so that every peer can hold it."""

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

    @classmethod
    def grid(cls, side: int) -> "Roads":
        """Return a square grid in which 7 of 100 streets are missing."""
        rng = np.random.default_rng(side)
        node = np.arange(side * side).reshape(side, side)
        one = np.r_[node[:, :-1].ravel(), node[:-1].ravel()]
        two = np.r_[node[:, 1:].ravel(), node[1:].ravel()]
        kept = rng.uniform(size=one.size) < 0.93
        ends = np.r_[one[kept], two[kept]], np.r_[two[kept], one[kept]]
        cost = rng.lognormal(sigma=0.4, size=ends[0].size)
        return cls(graph=Graph(side * side, *ends), cost=cost)

    @classmethod
    def crossroads(cls) -> "Roads":
        """Return the bundled network with plain times, the cheapest of parallel arcs only."""
        import corridor
        from corridor.network.supernetwork import ArcKind, build_supernetwork

        net = build_supernetwork(corridor.load_network("crossroads"))
        hours = net.arc_length_km / SPEED_KMH
        hours = hours + CROSSING_H * net.is_kind(ArcKind.EXIT, ArcKind.ENTRY)
        hours = hours + TRANSFER_H * net.is_kind(ArcKind.TRANSFER)
        graph = net.graph
        kept = np.lexsort((hours, graph.head, graph.tail))
        pair = graph.tail[kept].astype(np.int64) * graph.n_nodes + graph.head[kept]
        kept = kept[np.r_[True, pair[1:] != pair[:-1]]]
        return cls(graph=Graph(graph.n_nodes, graph.tail[kept], graph.head[kept]), cost=hours[kept])

    @property
    def size(self) -> str:
        """Nodes and arcs in words."""
        return f"{self.graph.n_nodes:,} nodes, {self.graph.n_arcs:,} arcs"

    def scenarios(self, n: int) -> FloatArray:
        """Return ``n`` cost vectors with independent lognormal noise of 0.4."""
        noise = np.random.default_rng(n).lognormal(sigma=0.4, size=(n, self.graph.n_arcs))
        return self.cost * noise

    def nodes(self, n: int, seed: int) -> IntArray:
        """Return ``n`` random nodes (fewer on smaller networks), each once, in ascending order."""
        n_nodes = self.graph.n_nodes
        draw = np.random.default_rng(seed).choice(n_nodes, min(n, n_nodes), replace=False)
        return np.sort(draw).astype(np.int32)

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
        ends = self.graph.tail.tolist(), self.graph.head.tolist(), self.cost.tolist()
        peer.add_weighted_edges_from(zip(*ends, strict=True))
        return peer

    def igraph(self) -> Any:  # noqa: ANN401
        """Return the igraph graph; its edges are our arcs in our order."""
        import igraph

        ends = np.column_stack([self.graph.tail, self.graph.head]).tolist()
        return igraph.Graph(n=self.graph.n_nodes, edges=ends, directed=True)

    def rustworkx(self) -> Any:  # noqa: ANN401
        """Return the rustworkx graph; each edge carries its position in our order."""
        import rustworkx

        peer = rustworkx.PyDiGraph(multigraph=False)
        peer.add_nodes_from(range(self.graph.n_nodes))
        ends = self.graph.tail.tolist(), self.graph.head.tolist(), range(self.graph.n_arcs)
        peer.add_edges_from(list(zip(*ends, strict=True)))
        return peer

    def networkit(self) -> Any:  # noqa: ANN401
        """Return the networkit graph."""
        import networkit

        ends = self.graph.tail, self.graph.head
        return networkit.GraphFromCoo(
            (self.cost, ends), n=self.graph.n_nodes, weighted=True, directed=True
        )

    def scgraph(self, cost: FloatArray) -> Any:  # noqa: ANN401
        """Return the scgraph graph (its compiled class) under some costs."""
        import scgraph

        order = self.graph.order
        neighbor, price = self.graph.head[order].tolist(), cost[order].tolist()
        ends = self.graph.indptr.tolist()
        return scgraph.Graph(
            [
                dict(zip(neighbor[start:stop], price[start:stop], strict=True))
                for start, stop in pairwise(ends)
            ]
        )

    def aequilibrae(self, centroids: IntArray, cores: int) -> Callable[[], FloatArray]:
        """Return a call that skims between centroids with AequilibraE, progress bar off."""
        import pandas as pd
        from aequilibrae.paths import Graph as PeerGraph
        from aequilibrae.paths import NetworkSkimming

        peer = PeerGraph()
        peer.network = pd.DataFrame(
            {
                "link_id": np.arange(1, self.graph.n_arcs + 1),
                "a_node": self.graph.tail.astype(np.int64) + 1,
                "b_node": self.graph.head.astype(np.int64) + 1,
                "direction": np.ones(self.graph.n_arcs, dtype=np.int8),
                "cost": self.cost,
            }
        )
        with warnings.catch_warnings(action="ignore"):  # what it does to pandas is its business
            peer.prepare_graph(centroids.astype(np.int64) + 1)
        peer.set_graph("cost")
        peer.set_skimming(["cost"])
        peer.set_blocked_centroid_flows(block_centroid_flows=False)

        def run() -> FloatArray:
            search = NetworkSkimming(peer)
            search.signal = SimpleNamespace(emit=lambda _: None)
            search.set_cores(cores)
            search.execute()
            found: FloatArray = np.array(search.results.skims.matrix["cost"])
            return found

        return run

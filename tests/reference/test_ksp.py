"""k-shortest simple paths against published lists, and against networkx on a road network."""

import json
import os
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

from corridor.core.graph import FloatArray, Graph
from corridor.core.paths import k_shortest_paths

FOLDER = Path(os.environ.get("CORRIDOR_INSTANCES", ""))


def instance(name: str) -> Path:
    """Return the path of an instance file, or skip the test and say why."""
    if "CORRIDOR_INSTANCES" not in os.environ:
        pytest.skip("CORRIDOR_INSTANCES does not name the folder of reference instances")
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"the instances have no {name}")
    return path


def labelled_graph(edges: list[tuple[str, str, float]]) -> tuple[Graph, FloatArray, dict[str, int]]:
    labels = sorted({label for tail, head, _ in edges for label in (tail, head)})
    node = {label: position for position, label in enumerate(labels)}
    ends = [[node[tail], node[head]] for tail, head, _ in edges]
    tails, heads = np.array(ends).T
    return Graph(len(labels), tails, heads), np.array([cost for *_, cost in edges]), node


def edges_of(case: dict[str, Any]) -> list[tuple[str, str, float]]:
    if "edges" in case:
        return [(tail, head, float(cost)) for tail, head, cost in case["edges"]]
    lines = instance(f"ksp/{case['file']}").read_text().splitlines()
    rows = [line.split() for line in lines if len(line.split()) == 3]
    return [(tail, head, float(cost)) for tail, head, cost in rows]


@pytest.mark.parametrize("name", ["wikipedia_yen", "tiny_graph_01.txt"])
def test_costs_equal_the_published_list(name: str) -> None:
    cases = json.loads(instance("ksp/yen_cases.json").read_text())["cases"]
    (case,) = [case for case in cases if case["name"] == name]
    graph, cost, node = labelled_graph(edges_of(case))
    expected = [total for total, _ in case["expected"]]
    found = k_shortest_paths(
        graph, cost, node[case["source"]], node[case["target"]], case.get("k", len(expected) + 1)
    )
    np.testing.assert_allclose([path.cost for path in found], expected, rtol=1e-12)


def read_tntp(path: Path) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return 0-based tail and head, and the free-flow time, of a TNTP network."""
    body = path.read_text().split("<END OF METADATA>")[1]
    rows = [line.split()[:5] for line in body.splitlines()]
    columns = np.array([row for row in rows if row and row[0].isdigit()], dtype=np.float64)
    return columns[:, 0] - 1, columns[:, 1] - 1, columns[:, 4]


@pytest.mark.parametrize(("city", "k"), [("SiouxFalls", 200), ("Anaheim", 40)])
def test_costs_equal_networkx_on_a_road_network(city: str, k: int) -> None:
    tail, head, cost = read_tntp(instance(f"tntp/{city}/{city}_net.tntp"))
    n_nodes = int(max(tail.max(), head.max())) + 1
    graph = Graph(n_nodes, tail, head)
    peer = nx.DiGraph()
    peer.add_weighted_edges_from(zip(graph.tail.tolist(), graph.head.tolist(), cost, strict=True))
    for origin, destination in [(0, 19), (12, 6), (22, 3)]:
        expected = [
            sum(peer[a][b]["weight"] for a, b in pairwise(nodes))
            for nodes in islice(nx.shortest_simple_paths(peer, origin, destination, "weight"), k)
        ]
        found = k_shortest_paths(graph, cost, origin, destination, k)
        np.testing.assert_allclose([path.cost for path in found], expected, rtol=1e-12)

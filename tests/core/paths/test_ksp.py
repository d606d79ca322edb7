"""k-shortest simple paths against the enumeration of all simple paths."""

import numpy as np
import pytest

from corridor.core.graph import Graph
from corridor.core.paths import k_shortest_paths, shortest_paths
from corridor.errors import InputError
from tests.core.paths.oracles import PRICES, check_path, random_graph, simple_paths


@pytest.mark.parametrize("prices", ["few", "many"])
@pytest.mark.parametrize("seed", range(60))
def test_costs_equal_the_enumeration(prices: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_nodes = int(rng.integers(2, 8))
    graph = random_graph(rng, n_nodes, n_arcs=int(rng.integers(1, 4 * n_nodes)))
    few = rng.choice(PRICES, graph.n_arcs)
    cost = few if prices == "few" else rng.lognormal(size=graph.n_arcs)
    origin, destination = (int(node) for node in rng.choice(n_nodes, 2, replace=False))
    expected = simple_paths(graph, cost, origin, destination)
    for k in (1, 2, 7, len(expected) + 5):
        found = k_shortest_paths(graph, cost, origin, destination, k)
        np.testing.assert_allclose([path.cost for path in found], expected[:k], rtol=1e-12)
        assert len({tuple(path.arcs.tolist()) for path in found}) == len(found)
        for path in found:
            check_path(graph, path.arcs, origin, destination)
            assert path.cost == sum(cost[path.arcs].tolist())


def test_the_first_path_is_the_shortest() -> None:
    rng = np.random.default_rng(5)
    graph = random_graph(rng, 400, 1_200)
    cost = rng.lognormal(size=1_200)
    distance, _ = shortest_paths(graph, cost, [0])
    for destination in range(1, 400, 23):
        found = k_shortest_paths(graph, cost, 0, destination, 30)
        assert found[0].cost == pytest.approx(distance[0, destination], rel=1e-14)
        costs = [path.cost for path in found]
        assert costs == sorted(costs)


def test_every_path_of_a_complete_graph_is_found_once() -> None:
    n = 7
    tail, head = np.nonzero(~np.eye(n, dtype=np.bool_))
    graph = Graph(n, tail, head)
    found = k_shortest_paths(graph, np.ones(graph.n_arcs), 0, 6, 10_000)
    # Ordered choices of i of the 5 nodes between: 1 + 5 + 20 + 60 + 120 + 120.
    assert len({tuple(path.arcs.tolist()) for path in found}) == len(found) == 326


def test_origin_equal_to_destination_gives_the_empty_path() -> None:
    graph = Graph(2, [0, 1, 0], [1, 0, 0])
    (path,) = k_shortest_paths(graph, [0.0, 0.0, 0.0], 0, 0, 3)
    assert (path.arcs.size, path.cost) == (0, 0.0)


def test_unreachable_gives_no_path() -> None:
    graph = Graph(3, [0, 1], [1, 2])
    assert k_shortest_paths(graph, [1.0, np.inf], 0, 2, 3) == []
    assert k_shortest_paths(graph, [1.0, 1.0], 2, 0, 3) == []


def test_paths_are_read_only() -> None:
    (path,) = k_shortest_paths(Graph(2, [0], [1]), [1.0], 0, 1, 1)
    assert path.arcs.dtype == np.int32
    assert not path.arcs.flags.writeable


@pytest.mark.parametrize(
    ("cost", "origin", "destination", "k", "words"),
    [
        ([[1.0, 1.0]], 0, 1, 1, r"cost must have shape \(2,\).*found \(1, 2\)"),
        ([1.0, -1.0], 0, 1, 1, "cost must be >= 0"),
        ([1.0, 1.0], 3, 1, 1, "origin must be a whole number in 0..2; found 3"),
        ([1.0, 1.0], 0, -1, 1, "destination must be a whole number in 0..2; found -1"),
        ([1.0, 1.0], 0, 1, 0, "k must be a whole number in 1.*found 0"),
        ([1.0, 1.0], 0, 1, 2.5, "found 2.5"),
    ],
)
def test_bad_input_is_refused(
    cost: list[float], origin: int, destination: int, k: int, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        k_shortest_paths(Graph(3, [0, 1], [1, 2]), cost, origin, destination, k)

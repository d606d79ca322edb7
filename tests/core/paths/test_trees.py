"""Shortest-path trees and the paths in them."""

import numpy as np
import pytest

from corridor.core.graph import Graph
from corridor.core.paths import _kernels, arc_paths, arc_paths_batch, shortest_trees
from corridor.core.paths._checks import Method
from corridor.errors import InputError
from tests.core.paths.oracles import (
    PRICES,
    bellman_ford,
    canonical_tree,
    check_path,
    doubling_detours,
    random_graph,
)

METHODS: list[Method] = ["scipy", "kernels"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(40))
def test_trees_equal_brute_force_bit_for_bit(method: Method, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, n_nodes=int(rng.integers(1, 9)), n_arcs=int(rng.integers(0, 40)))
    cost = rng.choice(PRICES, (3, graph.n_arcs))
    cost[2] = rng.lognormal(size=graph.n_arcs)
    rows = rng.integers(0, 3, 7)
    origins = rng.integers(0, graph.n_nodes, 7)
    distance, tree = shortest_trees(graph, cost, rows, origins, method=method)
    for pair, (row, origin) in enumerate(zip(rows, origins, strict=True)):
        np.testing.assert_array_equal(distance[pair], bellman_ford(graph, cost[row], origin))
        np.testing.assert_array_equal(tree[pair], canonical_tree(graph, cost[row], origin))


@pytest.mark.parametrize("method", METHODS)
def test_an_arc_too_cheap_to_change_the_rounded_sum_counts_as_a_zero_step(method: Method) -> None:
    # 1e16 + 1 == 1e16: nodes 1, 2 and 3 are all at 1e16 and arcs 1 to 3 form a cycle there.
    graph = Graph(4, tail=[0, 1, 2, 3, 1], head=[1, 2, 3, 1, 3])
    cost = np.array([[1e16, 1.0, 1.0, 1.0, 0.0]])
    distance, tree = shortest_trees(graph, cost, [0], [0], method=method)
    np.testing.assert_array_equal(distance[0], [0.0, 1e16, 1e16, 1e16])
    np.testing.assert_array_equal(tree[0], [-1, 0, 1, 4])


def test_a_long_plateau_of_zero_costs_is_hung_on_breadth_first() -> None:
    n = 2_000
    ends = np.arange(n)
    graph = Graph(n, tail=np.r_[ends, ends], head=np.r_[(ends + 1) % n, (ends - 1) % n])
    cost = np.zeros((1, 2 * n))
    by_kernels = shortest_trees(graph, cost, [0], [0], method="kernels")
    by_scipy = shortest_trees(graph, cost, [0], [0], method="scipy")
    np.testing.assert_array_equal(by_kernels[1], by_scipy[1])
    np.testing.assert_array_equal(by_kernels[1][0, [1, n // 2, n - 1]], [0, n // 2 - 1, n])


@pytest.mark.parametrize("sigma", [0.0, 2.0, 300.0])
@pytest.mark.parametrize("seed", range(4))
def test_costs_of_any_spread_give_the_same_bits(sigma: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, 300, 1_000)
    cost = 10.0 ** np.clip(rng.normal(0.0, sigma, (2, 1_000)), -320, 307)
    origins = rng.integers(0, 300, 6)
    by_kernels = shortest_trees(graph, cost, [0, 0, 0, 1, 1, 1], origins, method="kernels")
    by_scipy = shortest_trees(graph, cost, [0, 0, 0, 1, 1, 1], origins, method="scipy")
    np.testing.assert_array_equal(by_kernels[0], by_scipy[0])
    np.testing.assert_array_equal(by_kernels[1], by_scipy[1])


@pytest.mark.parametrize("width", [0.0, 1e-3, 1.0, 1e3, 1e9, 1e300])
def test_any_width_of_the_buckets_gives_the_same_tree(width: float) -> None:
    rng = np.random.default_rng(3)
    roads = random_graph(rng, 500, 1_500)
    for graph, cost in ((roads, rng.lognormal(size=1_500)), doubling_detours(100)):
        expected = shortest_trees(graph, cost[np.newaxis], [0], [0], method="scipy")
        arcs, n = _kernels.arcs_of(graph), graph.n_nodes
        distance, predecessor = np.empty(n), np.empty(n, dtype=np.int32)
        space = _kernels.space_for(graph)
        space.packed[:], space.inverse[0] = cost[graph.order], width
        everywhere = np.empty(0, dtype=np.int32)
        for _ in range(2):  # the queue is left as it was found
            _kernels.grow_tree(arcs, 0, everywhere, distance, predecessor, space)
            np.testing.assert_array_equal(distance, expected[0][0])
            nearer = predecessor != _kernels.ZERO_STEP
            np.testing.assert_array_equal(predecessor[nearer], expected[1][0, nearer])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("threads", [2, 5, None])
def test_results_do_not_depend_on_threads(method: Method, threads: int | None) -> None:
    rng = np.random.default_rng(7)
    graph = random_graph(rng, 200, 900)
    cost = rng.choice(PRICES, (4, 900))
    rows, origins = rng.integers(0, 4, 33), rng.integers(0, 200, 33)
    expected = shortest_trees(graph, cost, rows, origins, threads=1, method=method)
    found = shortest_trees(graph, cost, rows, origins, threads=threads, method=method)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])


@pytest.mark.parametrize("method", METHODS)
def test_no_pairs_no_trees(method: Method) -> None:
    graph = Graph(3, [0], [1])
    distance, tree = shortest_trees(graph, [[1.0]], [], [], method=method)
    assert distance.shape == tree.shape == (0, 3)
    assert tree.dtype == np.int32


@pytest.mark.parametrize("seed", range(5))
def test_recovered_paths_join_up_and_cost_the_distance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, 30, 60)
    cost = rng.choice(PRICES, (2, 60))
    distance, predecessor = shortest_trees(graph, cost, [0, 1], [4, 9])
    trees, destinations = (grid.ravel() for grid in np.indices((2, 30)))
    indptr, arcs = arc_paths_batch(graph, predecessor, trees, destinations)
    assert (indptr.dtype, arcs.dtype) == (np.int64, np.int32)
    for path, (tree, destination) in enumerate(zip(trees, destinations, strict=True)):
        mine = arcs[indptr[path] : indptr[path + 1]]
        np.testing.assert_array_equal(mine, arc_paths(graph, predecessor[tree], destination))
        if np.isfinite(distance[tree, destination]):
            check_path(graph, mine, (4, 9)[tree], destination)
            assert cost[tree, mine].sum() == distance[tree, destination]
        else:
            assert mine.size == 0


def test_no_paths_give_empty_arrays() -> None:
    graph = Graph(2, [0], [1])
    indptr, arcs = arc_paths_batch(graph, np.array([[-1, 0]]), [], [])
    np.testing.assert_array_equal(indptr, [0])
    assert arcs.size == 0


GRAPH = Graph(3, tail=[0, 1, 2], head=[1, 2, 1])
COST = [[1.0, 1.0, 1.0]]


@pytest.mark.parametrize(
    ("cost", "rows", "origins", "words"),
    [
        ([1.0, 1.0, 1.0], [0], [0], r"cost must have shape \(n, 3\).*found \(3,\)"),
        ([[1.0, 1.0]], [0], [0], r"found \(1, 2\)"),
        ([[1.0, -1.0, -2.0]], [0], [0], r"cost must be >= 0.*-1.0 at position \[0, 1\] \(2 of 3"),
        ([[1.0, 1.0, np.nan]], [0], [0], r"found nan at position \[0, 2\]"),
        ([["1", "2", "3"]], [0], [0], "cost must hold numbers"),
        (COST, [1], [0], r"rows must lie in 0..0; found 1"),
        (COST, [0], [3], r"origins must lie in 0..2; found 3"),
        (COST, [0], [0.5], "origins must hold whole numbers"),
        (COST, [0, 0], [0], "equally long; found 2 and 1"),
    ],
)
def test_bad_input_says_what_where_and_how_many(
    cost: list[float], rows: list[int], origins: list[float], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        shortest_trees(GRAPH, cost, rows, origins)


@pytest.mark.parametrize("threads", [0, -1, 1.5])
def test_threads_must_be_a_count(threads: float) -> None:
    with pytest.raises(InputError, match="threads must be a whole number"):
        shortest_trees(GRAPH, COST, [0], [0], threads=threads)  # type: ignore[arg-type]


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(InputError, match="found 'igraph'"):
        shortest_trees(GRAPH, COST, [0], [0], method="igraph")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("predecessor", "words"),
    [
        ([-1, 2, 1], "found a cycle on the way back from node 1"),
        ([-1, 3, 1], "must lie in -1..2; found -1..3"),
        ([-1, 0], r"found shape \(1, 2\)"),
        ([-1.0, 0.0, 1.0], "dtype float64"),
    ],
)
def test_what_is_no_tree_is_refused(predecessor: list[int], words: str) -> None:
    with pytest.raises(InputError, match=words):
        arc_paths(GRAPH, predecessor, 1)
    with pytest.raises(InputError, match=words):
        arc_paths_batch(GRAPH, [predecessor], [0], [1])

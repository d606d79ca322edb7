"""Searches under many scenarios, or from many origins, at once against one search for each."""

import numpy as np
import pytest

from corridor.core.graph import FloatArray, Graph, IntArray
from corridor.core.paths import (
    _batch_kernels,
    _batches,
    _checks,
    _kernels,
    _origin_kernels,
    shortest_paths,
    shortest_trees,
    skim,
)
from corridor.core.paths.trees import run_blocks
from corridor.errors import InputError
from tests.core.paths.oracles import PRICES, doubling_detours, random_graph


def one_by_one(graph: Graph, cost: FloatArray, origins: IntArray) -> tuple[FloatArray, IntArray]:
    """Return distances and trees of SciPy, scenario by scenario."""
    answers = [shortest_paths(graph, row, origins, method="scipy") for row in cost]
    return np.array([answer[0] for answer in answers]), np.array([answer[1] for answer in answers])


def check_batch(graph: Graph, cost: FloatArray, origins: IntArray, threads: int = 2) -> None:
    expected = one_by_one(graph, cost, origins)
    found = shortest_paths(graph, cost, origins, threads=threads, method="kernels")
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])
    for destinations in (np.arange(graph.n_nodes), np.array([graph.n_nodes // 2] * 2)):
        matrix = skim(graph, cost, origins, destinations, threads=threads, method="kernels")
        np.testing.assert_array_equal(matrix, expected[0][:, :, destinations])


@pytest.mark.parametrize("n_scenarios", [_batches.LEAST_SCENARIOS, 63, 64, 65, 130])
@pytest.mark.parametrize("seed", range(8))
def test_batches_equal_single_searches_bit_for_bit(n_scenarios: int, seed: int) -> None:
    # Few nodes and prices: parallel arcs, self loops, zeros, closed arcs and isolated nodes.
    rng = np.random.default_rng(seed)
    n_nodes, n_arcs = int(rng.integers(1, 9)), int(rng.integers(0, 40))
    graph = random_graph(rng, n_nodes, n_arcs)
    cost = rng.choice(PRICES, (n_scenarios, n_arcs))
    cost[::3] = rng.lognormal(size=cost[::3].shape)
    check_batch(graph, cost, rng.integers(0, n_nodes, 3))


@pytest.mark.parametrize("sigma", [0.0, 0.4, 2.0, 300.0])
def test_costs_of_any_spread_give_the_same_bits(sigma: float) -> None:
    rng = np.random.default_rng(7)
    graph = random_graph(rng, 200, 700)
    cost = 10.0 ** np.clip(rng.normal(0.0, sigma, (70, 700)), -320, 307)
    cost[rng.uniform(size=cost.shape) < 0.05] = np.inf
    check_batch(graph, cost, rng.integers(0, 200, 4))


def test_nodes_that_are_closed_in_every_sampled_scenario_are_found() -> None:
    graph = Graph(4, [0, 1, 2, 0], [1, 2, 3, 3])
    cost = np.full((100, 4), np.inf)
    cost[:, 3] = 5.0
    cost[99] = [1.0, 1.0, 1.0, 5.0]
    check_batch(graph, cost, np.array([0, 2]))


@pytest.mark.parametrize("threads", [1, 3, None])
def test_results_do_not_depend_on_threads(threads: int | None) -> None:
    rng = np.random.default_rng(3)
    graph = random_graph(rng, 60, 200)
    cost = rng.choice(PRICES, (200, 200))
    nodes = np.arange(60)
    expected = skim(graph, cost, nodes, nodes, threads=2, method="kernels")
    found = skim(graph, cost, nodes, nodes, threads=threads, method="kernels")
    np.testing.assert_array_equal(found, expected)
    distance, _ = shortest_paths(graph, cost, nodes, threads=threads, method="kernels")
    np.testing.assert_array_equal(distance, expected)


def test_work_cut_up_by_origins_is_put_together_again(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    graph = random_graph(rng, 30, 90)
    cost, nodes = rng.choice(PRICES, (20, 90)), rng.permutation(30)
    expected = shortest_paths(graph, cost, nodes, method="kernels")
    monkeypatch.setattr(_batches, "RANKING_BYTES", 4 * 30 * 7)
    found = shortest_paths(graph, cost, nodes, method="kernels")
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])
    np.testing.assert_array_equal(
        skim(graph, cost, nodes, nodes[:5], method="kernels"), expected[0][:, :, nodes[:5]]
    )


def test_batches_whose_rows_do_not_fit_are_searched_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(5)
    graph = random_graph(rng, 30, 90)
    cost = rng.choice(PRICES, (20, 90))
    monkeypatch.setattr(_batches, "LANE_BYTES", 1)
    assert not _batches.is_batch(graph, 20)
    check_batch(graph, cost, np.arange(30))


def test_a_hopeless_order_of_nodes_is_given_up_and_the_answer_is_the_same() -> None:
    graph, base = doubling_detours(40)
    cost = _kernels.read_only(base * np.random.default_rng(6).lognormal(sigma=0.1, size=(70, 120)))
    n, arcs = graph.n_nodes, _kernels.arcs_of(graph)
    worst = np.r_[np.arange(0, n, 2), np.arange(1, n, 2)[::-1]].astype(np.int32)
    lanes, nobody = _batch_kernels.lanes_for(graph), np.empty(0, dtype=np.int32)
    _batch_kernels.pack_lanes(arcs, cost, 0, lanes)
    stayed = [
        _batch_kernels.search_lanes(arcs, 0, ranking, nobody, lanes)
        for ranking in (np.arange(n, dtype=np.int32), worst)
    ]
    assert stayed == [True, False]
    origins = np.zeros(2, dtype=np.int32)
    found = np.empty((70, 2, n)), np.empty((70, 2, n), dtype=np.int32)
    _batch_kernels.grow_batch(arcs, cost, origins, np.array([worst, worst]), 0, 4, 0, lanes, *found)
    expected = one_by_one(graph, cost, origins)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])


@pytest.mark.parametrize("n_origins", [_batches.LEAST_ORIGINS, 64, 65, 150])
@pytest.mark.parametrize("seed", range(6))
def test_many_origins_equal_single_searches_bit_for_bit(n_origins: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_nodes, n_arcs = int(rng.integers(1, 40)), int(rng.integers(0, 120))
    graph = random_graph(rng, n_nodes, n_arcs)
    cost = rng.choice(PRICES, (3, n_arcs))
    cost[0] = rng.lognormal(size=n_arcs)
    check_batch(graph, cost, rng.integers(0, n_nodes, n_origins))


@pytest.mark.parametrize("sigma", [0.0, 2.0, 300.0])
def test_many_origins_and_costs_of_any_spread_give_the_same_bits(sigma: float) -> None:
    rng = np.random.default_rng(8)
    graph = random_graph(rng, 200, 700)
    cost = 10.0 ** np.clip(rng.normal(0.0, sigma, (2, 700)), -320, 307)
    cost[rng.uniform(size=cost.shape) < 0.05] = np.inf
    check_batch(graph, cost, rng.permutation(200), threads=3)


@pytest.mark.parametrize(("width", "stayed"), [(0.0, True), (1e300, False)])
def test_a_hopeless_step_of_distance_is_given_up_and_the_answer_is_the_same(
    width: float,
    stayed: bool,  # noqa: FBT001
) -> None:
    graph, cost = doubling_detours(600)
    n, arcs, costs = graph.n_nodes, _kernels.arcs_of(graph), _kernels.read_only(cost[np.newaxis])
    origins, lanes = np.arange(0, 40, 2, dtype=np.int32), _origin_kernels.LANES
    worst = np.r_[np.arange(0, n, 2), np.arange(1, n, 2)].astype(np.int32)
    answer = _origin_kernels.search_origins(
        arcs, cost[graph.order], origins, worst, width,
        np.empty((n, lanes)), np.empty(n, dtype=np.int32), np.empty(n),
    )  # fmt: skip
    assert answer is stayed
    nodes, positions = np.arange(n, dtype=np.int32), np.arange(20, dtype=np.int32)
    together = np.ones(1, dtype=np.bool_)
    plan = _origin_kernels.Plan(0, origins, nodes, positions, 2, worst, width, together)
    found = np.empty((20, n)), np.empty((20, n), dtype=np.int32)
    space = _kernels.space_for(graph)
    _origin_kernels.search_from_many(arcs, costs, plan, 0, 2, space, *found)
    assert together[0] == stayed
    expected = one_by_one(graph, costs, origins)
    np.testing.assert_array_equal(found[0], expected[0][0])
    np.testing.assert_array_equal(found[1], expected[1][0])
    matrix, no_trees = np.empty((20, 30)), np.empty((0, 0), dtype=np.int32)
    plan = plan._replace(nodes=nodes[::-1][:30].copy())
    _origin_kernels.search_from_many(arcs, costs, plan, 0, 2, space, matrix, no_trees)
    np.testing.assert_array_equal(matrix, expected[0][0][:, ::-1][:, :30])


def test_a_fault_in_any_thread_is_raised() -> None:
    def work(first: int, last: int) -> None:
        if first >= 3:
            message = f"{first}..{last}"
            raise ValueError(message)

    with pytest.raises(ValueError, match=r"\d\.\.\d"):
        run_blocks(work, 8, 2)


def test_what_cannot_fit_into_memory_is_refused_with_its_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graph = Graph(1_000, [0], [1])
    monkeypatch.setattr(_checks, "free_bytes", lambda: 2_000_000)
    monkeypatch.setattr(_checks, "SMALL_BYTES", 0)
    nodes = np.arange(100)
    with pytest.raises(
        InputError,
        match=r"20 scenarios x 100 origins x 1000 nodes, which take 0.0 GB.*; "
        r"pass one scenario and 83 origins at a time",
    ):
        shortest_paths(graph, np.ones((20, 1)), nodes)
    with pytest.raises(InputError, match=r"skim must fit into memory.*pass 12 scenarios at a time"):
        skim(graph, np.ones((30, 1)), nodes, nodes)
    with pytest.raises(InputError, match=r"1 scenarios x 200 origins.*83 origins at a time"):
        shortest_trees(graph, np.ones((1, 1)), np.zeros(200, dtype=int), np.zeros(200, dtype=int))
    assert skim(graph, np.ones((20, 1)), nodes, nodes).shape == (20, 100, 100)


def test_free_memory_is_known_here_or_said_to_be_unknown() -> None:
    free = _checks.free_bytes()
    assert free is None or free > 0

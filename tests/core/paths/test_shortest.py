"""Distances, trees and skims from many origins under many scenarios."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from corridor.core.graph import Graph
from corridor.core.paths import _kernels, shortest_paths, skim
from corridor.core.paths._checks import KERNEL_WORK, Method, uses_kernels
from corridor.errors import InputError
from tests.core.paths.oracles import PRICES, bellman_ford, random_graph

METHODS: list[Method] = ["scipy", "kernels"]


@pytest.mark.parametrize("method", METHODS)
def test_shapes_follow_cost_and_origins(method: Method) -> None:
    graph = random_graph(np.random.default_rng(0), 6, 14)
    one, many = np.ones(14), np.ones((3, 14))
    for cost, lead in ((one, ()), (many, (3,)), (np.ones((0, 14)), (0,))):
        for result in shortest_paths(graph, cost, [0, 5, 0, 1], method=method):
            assert result.shape == (*lead, 4, 6)
        assert skim(graph, cost, [0, 5], [1, 2, 1], method=method).shape == (*lead, 2, 3)
        assert skim(graph, cost, [0, 5], [], method=method).shape == (*lead, 2, 0)
        assert skim(graph, cost, [], [1], method=method).shape == (*lead, 0, 1)


def test_large_graph_equals_scipy_exactly() -> None:
    rng = np.random.default_rng(1)
    n = 3_000
    pairs = np.unique(rng.integers(0, n, (8_000, 2)), axis=0)  # no parallel arcs
    cost = rng.lognormal(size=len(pairs))
    graph = Graph(n, pairs[:, 0], pairs[:, 1])
    origins = rng.integers(0, n, 20)
    matrix = csr_array((cost, (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    expected = dijkstra(matrix, indices=origins)
    distance, tree = shortest_paths(graph, cost, origins, method="kernels")
    np.testing.assert_array_equal(distance, expected)
    by_scipy = shortest_paths(graph, cost, origins, method="scipy")
    np.testing.assert_array_equal(by_scipy[0], expected)
    np.testing.assert_array_equal(by_scipy[1], tree)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("seed", range(10))
def test_skims_equal_brute_force(method: Method, threads: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, 8, 30)
    cost = rng.choice(PRICES, (2, 30))
    origins, destinations = rng.integers(0, 8, 4), rng.integers(0, 8, 5)
    found = skim(graph, cost, origins, destinations, threads=threads, method=method)
    for scenario in range(2):
        for row, origin in enumerate(origins):
            expected = bellman_ford(graph, cost[scenario], origin)[destinations]
            np.testing.assert_array_equal(found[scenario, row], expected)


def test_read_only_and_strided_costs_are_taken() -> None:
    graph = random_graph(np.random.default_rng(0), 6, 14)
    wide = np.arange(56, dtype=np.float32).reshape(2, 28)
    strided = wide[:, ::2]
    strided.flags.writeable = False
    found = skim(graph, strided, [0], range(6), method="kernels")
    np.testing.assert_array_equal(found, skim(graph, strided.tolist(), [0], range(6)))


def test_whole_number_costs_give_floats() -> None:
    distance, _ = shortest_paths(Graph(2, [0], [1]), [3], [0])
    np.testing.assert_array_equal(distance, [[0.0, 3.0]])
    assert distance.dtype == np.float64


def test_the_threshold_between_methods() -> None:
    assert uses_kernels("auto", KERNEL_WORK)
    assert uses_kernels("kernels", 1)
    assert not uses_kernels("scipy", 10 * KERNEL_WORK)


def run_python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


SETUP = """
import sys
import numpy as np
from corridor.core.graph import Graph
from corridor.core.paths import k_shortest_paths, shortest_paths, skim
graph = Graph(3, [0, 1, 0] * 1000, [1, 2, 2] * 1000)
"""


def test_small_work_does_not_load_numba_and_large_work_does() -> None:
    code = SETUP + (
        "skim(graph, np.ones((30, 3000)), [0, 1], [2]);"
        "print('numba' in sys.modules);"
        "skim(graph, np.ones((200, 3000)), [0, 1], [2]);"
        "print('numba' in sys.modules)"
    )
    assert run_python(code) == "False\nTrue"


def test_kernels_come_from_the_disk_cache_in_a_new_process() -> None:
    code = SETUP + (
        "cost, costs, many = np.ones(3000), np.ones((8, 3000)), np.zeros(16, dtype=int)\n"
        "for writable in (True, False):\n"
        "    cost.flags.writeable = costs.flags.writeable = writable\n"
        "    for values, origins in ((cost, [0]), (cost, many), (costs, [0])):\n"
        "        shortest_paths(graph, values, origins, method='kernels')\n"
        "        skim(graph, values, origins, [1], method='kernels')\n"
        "    k_shortest_paths(graph, cost, 0, 2, 3)\n"
        "from corridor.core.paths import _batch_kernels, _kernels, _ksp_kernels, _origin_kernels\n"
        "entries = (_kernels.grow_trees, _kernels.fill_skim, _ksp_kernels.best_paths,"
        " _batch_kernels.fill_skims, _batch_kernels.grow_batch, _batch_kernels.mean_costs,"
        " _batch_kernels.rank_nodes, _origin_kernels.walk_tree, _origin_kernels.search_from_many)\n"
        "print([len(entry.signatures) for entry in entries],"
        " sum(sum(entry.stats.cache_misses.values()) for entry in entries))"
    )
    run_python(code)  # fills the cache
    assert run_python(code) == f"{[1] * 9} 0"


def test_new_code_in_any_kernels_file_is_never_answered_from_the_old_cache(tmp_path: Path) -> None:
    package = Path(_kernels.__file__).parents[2]
    shutil.copytree(package, tmp_path / "corridor", ignore=shutil.ignore_patterns("__pycache__"))
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from corridor.core.paths import _kernels, _ksp_kernels\n"
        "print(_kernels.__file__, _kernels.grow_trees.__qualname__,"
        " _ksp_kernels.best_paths.__qualname__)"
    )
    paths = tmp_path / "corridor" / "core" / "paths"
    before = run_python(code).split()
    assert before[0] == str(paths / "_kernels.py")
    with (paths / "_kernels.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    after = run_python(code).split()
    assert before[1] != after[1]
    assert before[2] != after[2]


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        ([1.0, 2.0], r"shape \(3,\) or \(n, 3\).*found \(2,\)"),
        (np.ones((1, 1, 3)), r"found \(1, 1, 3\)"),
        ([[1.0], [1.0, 2.0]], "cost must be a rectangular array"),
        (np.array([1, 2**53 + 1, 1]), "found 9007199254740993 at position 1"),
        ([1.0, -0.5, 1.0], r"cost must be >= 0.*found -0.5 at position \[1\] \(1 of 3"),
    ],
)
def test_bad_costs_are_refused(cost: list[float], words: str) -> None:
    graph = Graph(3, [0, 1, 0], [1, 2, 2])
    with pytest.raises(InputError, match=words):
        shortest_paths(graph, cost, [0])
    with pytest.raises(InputError, match=words):
        skim(graph, cost, [0], [1])


def test_bad_nodes_are_refused() -> None:
    graph = Graph(3, [0, 1, 0], [1, 2, 2])
    with pytest.raises(InputError, match=r"destinations must lie in 0..2; found -1"):
        skim(graph, [1, 1, 1], [0], [-1])
    with pytest.raises(InputError, match="origins must be one-dimensional"):
        shortest_paths(graph, [1, 1, 1], 0)

"""Routes that avoid sets of groups against one shortest-path search for each set."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.core.graph import FloatArray, Graph, IntArray
from corridor.core.paths import avoidance_costs, avoiding_path, skim
from corridor.errors import InputError, SolverError
from tests.core.paths.oracles import PRICES, check_path, random_graph


def costs_one_by_one(
    graph: Graph, cost: FloatArray, arc_group: IntArray, n_groups: int, origin: int
) -> FloatArray:
    """Return the cost to every node under each set, by closing the arcs of the set."""
    sets = np.arange(2**n_groups)[:, np.newaxis]
    closed = (arc_group >= 0) & (sets >> np.maximum(arc_group, 0) & 1 == 1)
    nodes = np.arange(graph.n_nodes)
    return skim(graph, np.where(closed, np.inf, cost), [origin], nodes, method="kernels")[:, 0].T


@pytest.mark.parametrize("prices", ["few", "many"])
@pytest.mark.parametrize("seed", range(50))
def test_costs_equal_one_search_for_each_set(prices: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_nodes, n_groups = int(rng.integers(1, 40)), int(rng.integers(0, 7))
    n_arcs = int(rng.integers(0, 4 * n_nodes))
    graph = random_graph(rng, n_nodes, n_arcs)
    cost = rng.choice(PRICES, n_arcs) if prices == "few" else rng.lognormal(size=n_arcs)
    group = rng.integers(-1, n_groups, n_arcs)
    found = avoidance_costs(graph, cost, group, n_groups, 0, np.arange(n_nodes))
    expected = costs_one_by_one(graph, cost, group, n_groups, 0)
    np.testing.assert_array_equal(found, expected)


def test_sixteen_states_in_bands_equal_one_search_for_each_of_some_sets() -> None:
    """A grid of 40 x 10 nodes; vertical bands belong to states, rows at the edge to nobody."""
    node = np.arange(400).reshape(40, 10)
    tail = np.concatenate([node[:-1].ravel(), node[:, :-1].ravel()])
    head = np.concatenate([node[1:].ravel(), node[:, 1:].ravel()])
    graph = Graph(400, [*tail, *head], [*head, *tail])
    rng = np.random.default_rng(0)
    cost = rng.lognormal(size=graph.n_arcs)
    group = (graph.tail // 10 // 5) + 8 * (graph.tail % 10 >= 5)
    group[graph.tail % 10 == 0] = -1
    found = avoidance_costs(graph, cost, group, 16, 0, [399, 205])
    for closed in rng.integers(0, 2**16, 30):
        shut = (group >= 0) & (closed >> np.maximum(group, 0) & 1 == 1)
        expected = skim(graph, np.where(shut, np.inf, cost), [0], [399, 205])[0]
        np.testing.assert_array_equal(found[:, closed], expected)


def test_path_has_the_cost_of_the_table() -> None:
    rng = np.random.default_rng(3)
    graph = random_graph(rng, 40, 160)
    cost, group = rng.lognormal(size=160), rng.integers(-1, 4, 160)
    table = avoidance_costs(graph, cost, group, 4, 0, np.arange(40))
    for destination in range(1, 40, 5):
        for closed in range(16):
            shut = [state for state in range(4) if closed >> state & 1]
            path = avoiding_path(graph, cost, group, shut, 0, destination)
            if path is None:
                assert table[destination, closed] == np.inf
                continue
            assert path.cost == table[destination, closed]
            assert not np.isin(group[path.arcs], shut).any()
            check_path(graph, path.arcs, 0, destination)


def test_the_origin_costs_nothing_whatever_is_closed() -> None:
    graph = Graph(2, [0, 1], [1, 0])
    found = avoidance_costs(graph, [1.0, 1.0], [0, 0], 1, 0, [0, 1, 0])
    assert found.tolist() == [[0.0, 0.0], [1.0, np.inf], [0.0, 0.0]]
    path = avoiding_path(graph, [1.0, 1.0], [0, 0], [0], 0, 0)
    assert path is not None
    assert (path.arcs.size, path.cost) == (0, 0.0)


def test_without_groups_or_destinations() -> None:
    graph = Graph(2, [0], [1])
    assert avoidance_costs(graph, [1.0], [-1], 0, 0, [1]).tolist() == [[1.0]]
    assert avoidance_costs(graph, [1.0], [-1], 3, 0, []).shape == (0, 8)
    assert avoidance_costs(Graph(1, [], []), [], [], 2, 0, [0]).tolist() == [[0.0] * 4]


def test_too_many_labels_are_refused() -> None:
    rng = np.random.default_rng(5)
    graph = random_graph(rng, 60, 300)
    with pytest.raises(SolverError, match="max_labels = 40 labels"):
        avoidance_costs(
            graph,
            rng.lognormal(size=300),
            rng.integers(0, 8, 300),
            8,
            0,
            [1],
            max_labels=40,
        )


@pytest.mark.parametrize(
    ("cost", "arc_group", "n_groups", "destinations", "words"),
    [
        ([1.0], [0, 1], 2, [2], r"cost must have shape \(2,\)"),
        ([1.0, -1.0], [0, 1], 2, [2], "cost must be >= 0"),
        ([1.0, 1.0], [0], 2, [2], r"arc_group must have shape \(2,\).*found \(1,\)"),
        ([1.0, 1.0], [0, 2], 2, [2], r"arc_group must lie in -1\.\.1; found 2 at position 1"),
        ([1.0, 1.0], [-2, 1], 2, [2], r"arc_group must lie in -1\.\.1; found -2 at position 0"),
        ([1.0, 1.0], [0, 0.5], 2, [2], "arc_group must hold whole numbers"),
        ([1.0, 1.0], ["AM", "GE"], 2, [2], "arc_group must hold whole numbers"),
        ([1.0, 1.0], [0, 1], 17, [2], r"n_groups must be a whole number in 0\.\.16; found 17"),
        ([1.0, 1.0], [0, 1], 2, [3], r"destinations must lie in 0\.\.2"),
        ([1.0, 1.0], [0, 1], 16, [2] * 5000, "at most 2 GiB; 5000 destinations"),
    ],
)
def test_bad_input_is_refused(
    cost: list[float], arc_group: list[int], n_groups: int, destinations: list[int], words: str
) -> None:
    graph = Graph(3, [0, 1], [1, 2])
    with pytest.raises(InputError, match=words):
        avoidance_costs(graph, cost, arc_group, n_groups, 0, destinations)


def test_a_closed_group_out_of_range_is_refused() -> None:
    with pytest.raises(InputError, match=r"closed must lie in 0\.\.15; found 16"):
        avoiding_path(Graph(2, [0], [1]), [1.0], [0], [16], 0, 1)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_closing_more_never_costs_less_and_renaming_groups_permutes_columns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, 8, 24)
    cost, group = rng.choice(PRICES, 24), rng.integers(-1, 3, 24)
    found = avoidance_costs(graph, cost, group, 3, 0, np.arange(8))
    for closed in range(8):
        for state in range(3):
            assert (found[:, closed | 1 << state] >= found[:, closed]).all()
    swapped = np.where(group == 0, 2, np.where(group == 2, 0, group))
    columns = [closed >> 2 & 1 | closed & 2 | (closed & 1) << 2 for closed in range(8)]
    other = avoidance_costs(graph, cost, swapped, 3, 0, np.arange(8))
    np.testing.assert_array_equal(other[:, columns], found)

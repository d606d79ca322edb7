"""Pareto sets against the enumeration of all simple paths, and what must hold of any of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.core.graph import FloatArray, Graph
from corridor.core.paths import (
    ParetoPaths,
    _kernels,
    _label_kernels,
    _packed_kernels,
    pareto_paths,
    pareto_tree,
    shortest_paths,
)
from corridor.core.paths._whole import as_whole
from corridor.errors import InputError, SolverError
from tests.core.paths.oracles import PRICES, check_path, random_graph

properties = settings(deadline=None, max_examples=60)


def vectors(graph: Graph, costs: FloatArray, origin: int, destination: int) -> list[list[float]]:
    """Return the cost vectors of all simple paths that no other dominates, sorted."""

    def extend(node: int, seen: set[int], total: FloatArray) -> Iterator[tuple[float, ...]]:
        if node == destination:
            yield tuple(np.round(total, 9).tolist())
            return
        for arc in np.flatnonzero((graph.tail == node) & np.isfinite(costs).all(axis=0)):
            target = int(graph.head[arc])
            if target not in seen:
                yield from extend(target, seen | {target}, total + costs[:, arc])

    found = set(extend(origin, {origin}, np.zeros(len(costs))))
    return sorted(
        list(one)
        for one in found
        if not any(
            other != one and all(a <= b for a, b in zip(other, one, strict=True)) for other in found
        )
    )


def check_paths(
    graph: Graph, costs: FloatArray, found: ParetoPaths, origin: int, destination: int
) -> None:
    assert len(found) == len(found.costs) == len(found.arcs)
    for total, arcs in zip(found.costs, found.arcs, strict=True):
        check_path(graph, arcs, origin, destination)
        np.testing.assert_allclose(costs[:, arcs].sum(axis=1), total, rtol=1e-13)


def random_case(seed: int, kind: str) -> tuple[Graph, FloatArray, int, int]:
    rng = np.random.default_rng(seed)
    n_nodes = int(rng.integers(1, 8))
    n_arcs = int(rng.integers(0, 4 * n_nodes))
    graph = random_graph(rng, n_nodes, n_arcs)
    size = (int(rng.integers(2, 7)), n_arcs)
    costs = {
        "few": rng.choice(PRICES, size),
        "whole": rng.integers(0, 5, size).astype(np.float64),
        "decimal": np.round(rng.lognormal(size=size), 3),
        "float": rng.lognormal(size=size),
    }[kind]
    origin, destination = (int(node) for node in rng.integers(0, n_nodes, 2))
    return graph, costs, origin, destination


@pytest.mark.parametrize("kind", ["few", "whole", "decimal", "float"])
@pytest.mark.parametrize("seed", range(50))
def test_vectors_equal_the_enumeration(kind: str, seed: int) -> None:
    graph, costs, origin, destination = random_case(seed, kind)
    expected = vectors(graph, costs, origin, destination)
    for found in (
        pareto_paths(graph, costs, origin, destination),
        pareto_tree(graph, costs, origin).paths(destination),
    ):
        assert len(found) == len(expected)
        np.testing.assert_allclose(
            found.costs, np.reshape(expected, (-1, len(costs))), rtol=1e-9, atol=1e-8
        )
        check_paths(graph, costs, found, origin, destination)


@pytest.mark.parametrize("n_criteria", [2, 3, 4, 5])
def test_one_to_all_and_one_to_one_agree_on_a_larger_graph(n_criteria: int) -> None:
    rng = np.random.default_rng(n_criteria)
    graph = random_graph(rng, 60, 200)
    costs = rng.integers(0, 10, (n_criteria, 200)).astype(np.float64)
    tree = pareto_tree(graph, costs, 0)
    for destination in range(graph.n_nodes):
        found = pareto_paths(graph, costs, 0, destination)
        np.testing.assert_array_equal(found.costs, tree.paths(destination).costs)
        assert tree.count[destination] == len(found)
    assert tree.count.max() > 5


def test_the_best_of_each_criterion_is_the_shortest_path() -> None:
    rng = np.random.default_rng(7)
    graph = random_graph(rng, 100, 350)
    costs = rng.lognormal(size=(3, 350))
    for destination in range(1, 100, 17):
        found = pareto_paths(graph, costs, 0, destination)
        for row in range(3):
            distance, _ = shortest_paths(graph, costs[row], [0])
            assert found.costs[:, row].min(initial=np.inf) == pytest.approx(
                distance[0, destination], rel=1e-12
            )


@pytest.mark.parametrize("epsilon", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("seed", range(10))
def test_epsilon_keeps_its_promise(seed: int, epsilon: float) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, 40, 140)
    costs = rng.lognormal(size=(3, 140))
    exact = pareto_paths(graph, costs, 0, 1).costs
    found = pareto_paths(graph, costs, 0, 1, epsilon=epsilon)
    check_paths(graph, costs, found, 0, 1)
    within = found.costs[:, np.newaxis] <= (1.0 + epsilon) * (1.0 + 1e-12) * exact
    assert within.all(axis=2).any(axis=0).all()
    assert len(found) <= len(exact)
    below = (found.costs[:, np.newaxis] <= found.costs).all(axis=2)
    assert below.sum() == len(found)  # each only below itself


def test_many_labels_are_settled_in_many_buckets() -> None:
    """A ladder with 2**11 undominated paths; its labels outgrow every first allocation."""
    n = 11
    tail = np.repeat(np.arange(n), 2)
    price = np.repeat(2.0 ** np.arange(n), 2)
    first = np.where(np.arange(2 * n) % 2 == 0, price, 0.0)
    graph = Graph(n + 1, tail, tail + 1)
    found = pareto_paths(graph, [first, price - first], 0, n)
    np.testing.assert_array_equal(found.costs[:, 0], np.arange(2.0**n))
    np.testing.assert_array_equal(found.costs.sum(axis=1), 2.0**n - 1)
    third = np.arange(2.0 * n) % 3
    assert len(pareto_paths(graph, [first, price - first, third], 0, n)) == 2**n
    tree = pareto_tree(graph, [first, price - first], 0)
    np.testing.assert_array_equal(tree.count, 2 ** np.arange(n + 1))


@pytest.mark.parametrize("n_criteria", [2, 3, 4, 6])
@pytest.mark.parametrize("seed", range(6))
def test_packed_totals_give_the_labels_of_the_general_search(n_criteria: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, 60, 180)
    costs = rng.integers(0, 8, (n_criteria, 180)).astype(np.float64)
    costs[:, rng.uniform(size=180) < 0.05] = np.inf
    origin = int(np.bincount(graph.tail).argmax())  # others may lead nowhere
    arcs, scale = _kernels.arcs_of(graph), np.full(n_criteria, 2.0)
    costs = _kernels.read_only(costs)
    fits, packed = _packed_kernels.grow_packed_tree(arcs, costs, scale, origin, 10**6)
    general = _label_kernels.grow_label_tree(arcs, costs, scale, origin, 10**6)
    assert fits
    assert packed.complete
    np.testing.assert_array_equal(packed.indptr, general.indptr)
    np.testing.assert_array_equal(packed.total, general.total)
    assert packed.total.max() > 8
    inner = packed.parent >= 0
    np.testing.assert_array_equal(
        scale * packed.total[inner],
        scale * packed.total[packed.parent[inner]] + costs[:, packed.arc[inner]].T,
    )
    node = np.repeat(np.arange(60), np.diff(packed.indptr))
    np.testing.assert_array_equal(graph.head[packed.arc[inner]], node[inner])
    np.testing.assert_array_equal(graph.tail[packed.arc[inner]], node[packed.parent[inner]])


def test_every_array_of_the_packed_search_grows() -> None:
    """A ladder with four criteria: 2**14 labels, half of them at one node and as many open."""
    n = 13
    tail = np.repeat(np.arange(n), 2)
    price = np.repeat(2.0 ** np.arange(n), 2)
    first = np.where(np.arange(2 * n) % 2 == 0, price, 0.0)
    graph = Graph(n + 1, tail, tail + 1)
    costs = np.array([first, price - first, first, np.ones(2 * n)])
    fits, tree = _packed_kernels.grow_packed_tree(
        _kernels.arcs_of(graph), _kernels.read_only(costs), np.ones(4), 0, 10**6
    )
    assert fits
    np.testing.assert_array_equal(np.diff(tree.indptr), 2 ** np.arange(n + 1))
    np.testing.assert_array_equal(tree.total[tree.indptr[n] :, 0], np.arange(2.0**n))


def test_tasks_unfit_for_packing_are_left_to_the_general_search() -> None:
    arcs = _kernels.arcs_of(Graph(2, [0], [1]))
    for cost, fits in ((2.0**18, True), (2.0**19, False)):  # the second needs 3 x 22 bits
        costs = _kernels.read_only(np.full((3, 1), cost))
        assert _packed_kernels.grow_packed_tree(arcs, costs, np.ones(3), 0, 10).fits is fits
        assert pareto_tree(Graph(2, [0], [1]), costs, 0).costs.tolist()[1] == [cost] * 3
    n = 9
    tail = np.repeat(np.arange(n), 2)
    price = np.repeat(2.0 ** np.arange(n), 2)
    first = np.where(np.arange(2 * n) % 2 == 0, price, 0.0)
    graph = Graph(n + 1, tail, tail + 1)
    costs = np.array([first, price - first])
    long = _packed_kernels.grow_packed_tree(
        _kernels.arcs_of(graph), _kernels.read_only(costs), np.ones(2), 0, 10**6
    )
    assert not long.fits
    assert pareto_tree(graph, costs, 0).count[-1] == 2**n > _packed_kernels.MOST_ROWS[0]


def test_decimals_tie_exactly() -> None:
    graph = Graph(3, [0, 1, 0], [1, 2, 2])
    found = pareto_paths(graph, [[0.1, 0.2, 0.3], [1.0, 1.0, 2.0]], 0, 2)
    assert found.costs.tolist() == [[0.3, 2.0]]


def test_origin_equal_to_destination_gives_the_empty_path() -> None:
    found = pareto_paths(Graph(2, [0, 1, 0], [1, 0, 0]), np.zeros((2, 3)), 0, 0)
    assert found.costs.tolist() == [[0.0, 0.0]]
    assert [arcs.size for arcs in found.arcs] == [0]
    assert pareto_tree(Graph(1, [], []), np.zeros((2, 0)), 0).count.tolist() == [1]


def test_unreachable_gives_no_path() -> None:
    graph = Graph(3, [0, 1], [1, 2])
    costs = [[1.0, 1.0], [1.0, np.inf], [0.0, 0.0]]
    found = pareto_paths(graph, costs, 0, 2)
    assert found.costs.shape == (0, 3)
    assert len(found) == 0
    assert pareto_tree(graph, costs, 0).count.tolist() == [1, 1, 0]


def test_results_are_read_only() -> None:
    found = pareto_paths(Graph(2, [0], [1]), [[1.0], [2.0]], 0, 1)
    assert not found.costs.flags.writeable
    assert not found.arcs[0].flags.writeable
    assert found.arcs[0].dtype == np.int32


def test_too_many_labels_are_refused() -> None:
    rng = np.random.default_rng(3)
    graph = random_graph(rng, 60, 300)
    costs = rng.lognormal(size=(4, 300))
    with pytest.raises(SolverError, match=r"max_labels = 50 labels.*larger epsilon"):
        pareto_paths(graph, costs, 0, 59, max_labels=50)
    with pytest.raises(SolverError, match=r"max_labels = 1 labels"):
        pareto_tree(graph, costs, 0, max_labels=1)
    whole = rng.integers(1, 9, (3, 300)).astype(np.float64)
    n_labels = len(pareto_tree(graph, whole, 0).arc)
    with pytest.raises(SolverError, match=r"max_labels = 100 labels"):
        pareto_tree(graph, whole, 0, max_labels=100)
    assert len(pareto_tree(graph, whole, 0, max_labels=2 * n_labels).arc) == n_labels > 100
    assert len(pareto_paths(graph, costs, 0, 59, epsilon=5.0, max_labels=50)) >= 1


@pytest.mark.parametrize(
    ("costs", "words"),
    [
        ([1.0, 1.0], r"costs must have shape \(n, 2\).*found \(2,\)"),
        ([[1.0], [1.0]], r"costs must have shape \(n, 2\).*found \(2, 1\)"),
        ([[1.0, 1.0]], r"2 to 6 criteria \(rows\); found 1"),
        (np.ones((7, 2)), r"2 to 6 criteria \(rows\); found 7"),
        ([[1.0, 1.0], [1.0, -2.0]], r"costs must be >= 0.*found -2.0 at position \[1, 1\]"),
        ([[1.0, np.nan], [1.0, 1.0]], r"found nan at position \[0, 1\]"),
        ([["a", "b"], ["c", "d"]], "costs must hold numbers"),
        ([[1.0, 1.0], [1e300, 1.1]], r"costs\[1\] must not span more orders of magnitude"),
        ([[1.0, 1.0], [1.7e308, 1.7e308]], r"costs\[1\] must not span more orders of magnitude"),
    ],
)
def test_bad_costs_are_refused(costs: list[list[float]], words: str) -> None:
    for call in (
        lambda: pareto_paths(Graph(3, [0, 1], [1, 2]), costs, 0, 2),
        lambda: pareto_tree(Graph(3, [0, 1], [1, 2]), costs, 0),
    ):
        with pytest.raises(InputError, match=words):
            call()


@pytest.mark.parametrize(
    ("origin", "destination", "epsilon", "words"),
    [
        (3, 1, 0.0, r"origin must be a whole number in 0\.\.2; found 3"),
        (0, -1, 0.0, r"destination must be a whole number in 0\.\.2; found -1"),
        (0, 1, -0.1, "epsilon must be a finite number >= 0; found -0.1"),
        (0, 1, np.nan, "epsilon must be a finite number >= 0; found nan"),
        (0, 1, np.inf, "epsilon must be a finite number >= 0; found inf"),
    ],
)
def test_bad_arguments_are_refused(
    origin: int, destination: int, epsilon: float, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        pareto_paths(Graph(3, [0, 1], [1, 2]), np.ones((2, 2)), origin, destination, epsilon)
    with pytest.raises(InputError, match="max_labels must be a whole number in 1"):
        pareto_paths(Graph(3, [0, 1], [1, 2]), np.ones((2, 2)), 0, 2, max_labels=0)


def test_scaling_to_whole_numbers() -> None:
    assert as_whole("x", np.array([3.0, 5.0]), 2).scale == 1.0
    assert as_whole("x", np.array([0.25, 0.125]), 2).scale == 1000.0
    third = as_whole("x", np.array([1 / 3, 7.0]), 2)
    assert not third.exact
    np.testing.assert_allclose(third.values / third.scale, [1 / 3, 7.0], rtol=1e-14)
    assert third.values.sum() < 2**51
    assert as_whole("x", np.array([0.0, np.inf]), 2).values.tolist() == [0.0, np.inf]
    assert as_whole("x", np.empty(0), 2).exact


@dataclass(frozen=True, kw_only=True)
class Case:
    graph: Graph
    costs: FloatArray
    seed: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    n_nodes = draw(st.integers(2, 8))
    node = st.integers(0, n_nodes - 1)
    n_criteria = draw(st.integers(2, 4))
    price = st.sampled_from([0.0, 0.25, 1.0, 1.5, 7.0, np.inf]) | st.floats(0.01, 1e4)
    prices = st.lists(price, min_size=n_criteria, max_size=n_criteria)
    arcs = draw(st.lists(st.tuples(node, node, prices), max_size=24))
    graph = Graph(n_nodes, [arc[0] for arc in arcs], [arc[1] for arc in arcs])
    costs = np.array([arc[2] for arc in arcs], dtype=np.float64).reshape(-1, n_criteria).T
    return Case(graph=graph, costs=costs.copy(), seed=draw(st.integers(0, 2**32 - 1)))


@properties
@given(cases())
def test_relabelling_nodes_and_arcs_changes_nothing(case: Case) -> None:
    rng = np.random.default_rng(case.seed)
    nodes, arcs = rng.permutation(case.graph.n_nodes), rng.permutation(case.graph.n_arcs)
    other = Graph(case.graph.n_nodes, nodes[case.graph.tail[arcs]], nodes[case.graph.head[arcs]])
    np.testing.assert_array_equal(
        pareto_paths(other, case.costs[:, arcs], int(nodes[0]), int(nodes[1])).costs,
        pareto_paths(case.graph, case.costs, 0, 1).costs,
    )


@properties
@given(cases())
def test_scaling_a_criterion_scales_its_column(case: Case) -> None:
    factor = np.ones((len(case.costs), 1))
    factor[0] = 4.0
    found = pareto_paths(case.graph, case.costs, 0, 1).costs
    scaled = pareto_paths(case.graph, factor * case.costs, 0, 1).costs
    np.testing.assert_allclose(scaled, factor[:, 0] * found, rtol=1e-12)


@properties
@given(cases(), st.floats(0.01, 100.0))
def test_a_new_arc_leaves_every_vector_matched_or_beaten(case: Case, price: float) -> None:
    before = pareto_paths(case.graph, case.costs, 0, 1).costs
    rng = np.random.default_rng(case.seed)
    tail, head = rng.integers(0, case.graph.n_nodes, 2)
    more = Graph(case.graph.n_nodes, [*case.graph.tail, tail], [*case.graph.head, head])
    costs = np.column_stack([case.costs, np.full(len(case.costs), price)])
    after = pareto_paths(more, costs, 0, 1).costs
    slack = 1e-9 * (1.0 + before)
    beaten = (after[:, np.newaxis] <= before + slack).all(axis=2).any(axis=0)
    assert beaten.all()


@properties
@given(cases())
def test_no_vector_dominates_another(case: Case) -> None:
    found = pareto_paths(case.graph, case.costs, 0, 1).costs
    below = (found[:, np.newaxis] <= found).all(axis=2)
    assert below.sum() == len(found)
    assert found.tolist() == sorted(found.tolist())

"""What must hold of shortest paths on any graph."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.core.graph import FloatArray, Graph
from corridor.core.paths import k_shortest_paths, shortest_paths, skim

PRICES = st.sampled_from([0.0, 0.25, 1.0, 1.5, 7.0, float("inf")]) | st.floats(0.0, 1e6)

# The first example compiles or loads the kernels.
properties = settings(deadline=None, max_examples=60)


@dataclass(frozen=True, kw_only=True)
class Case:
    graph: Graph
    cost: FloatArray
    seed: int

    def permutation(self, size: int) -> npt.NDArray[np.int64]:
        return np.random.default_rng(self.seed).permutation(size)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    n_nodes = draw(st.integers(1, 8))
    node = st.integers(0, n_nodes - 1)
    arcs = draw(st.lists(st.tuples(node, node, PRICES), max_size=24))
    graph = Graph(n_nodes, [arc[0] for arc in arcs], [arc[1] for arc in arcs])
    cost = np.array([arc[2] for arc in arcs], dtype=np.float64)
    return Case(graph=graph, cost=cost, seed=draw(st.integers(0, 2**32 - 1)))


def all_distances(graph: Graph, cost: FloatArray) -> FloatArray:
    nodes = np.arange(graph.n_nodes)
    return skim(graph, cost, nodes, nodes, method="kernels")


@properties
@given(cases())
def test_relabelling_nodes_changes_nothing(case: Case) -> None:
    graph, cost = case.graph, case.cost
    new = case.permutation(graph.n_nodes)
    other = Graph(graph.n_nodes, new[graph.tail], new[graph.head])
    expected = all_distances(graph, cost)
    np.testing.assert_array_equal(all_distances(other, cost)[np.ix_(new, new)], expected)
    first, last = 0, graph.n_nodes - 1
    old_paths = k_shortest_paths(graph, cost, first, last, 5)
    new_paths = k_shortest_paths(other, cost, int(new[first]), int(new[last]), 5)
    np.testing.assert_allclose(
        [path.cost for path in new_paths], [path.cost for path in old_paths], rtol=1e-12
    )


@properties
@given(cases())
def test_reordering_arcs_changes_no_distance(case: Case) -> None:
    shuffled = case.permutation(case.graph.n_arcs)
    other = Graph(case.graph.n_nodes, case.graph.tail[shuffled], case.graph.head[shuffled])
    np.testing.assert_array_equal(
        all_distances(other, case.cost[shuffled]), all_distances(case.graph, case.cost)
    )


@properties
@given(cases(), st.floats(0.0, 1e6))
def test_raising_a_cost_never_lowers_a_distance(case: Case, increase: float) -> None:
    if case.graph.n_arcs == 0:
        return
    raised = case.cost.copy()
    raised[case.seed % raised.size] += increase
    assert (all_distances(case.graph, raised) >= all_distances(case.graph, case.cost)).all()


@properties
@given(cases())
def test_closing_an_arc_is_the_same_as_leaving_it_out(case: Case) -> None:
    keep = np.isfinite(case.cost)
    other = Graph(case.graph.n_nodes, case.graph.tail[keep], case.graph.head[keep])
    np.testing.assert_array_equal(
        all_distances(other, case.cost[keep]), all_distances(case.graph, case.cost)
    )


@properties
@given(cases())
def test_doubling_every_cost_doubles_every_distance(case: Case) -> None:
    np.testing.assert_array_equal(
        all_distances(case.graph, 2.0 * case.cost), 2.0 * all_distances(case.graph, case.cost)
    )


@properties
@given(cases())
def test_both_methods_give_the_same_bits_and_trees(case: Case) -> None:
    nodes = np.arange(case.graph.n_nodes)
    by_scipy = shortest_paths(case.graph, case.cost, nodes, method="scipy")
    by_kernels = shortest_paths(case.graph, case.cost, nodes, method="kernels")
    np.testing.assert_array_equal(by_scipy[0], by_kernels[0])
    np.testing.assert_array_equal(by_scipy[1], by_kernels[1])


@properties
@given(cases())
def test_distances_are_a_fixed_point_of_the_arcs(case: Case) -> None:
    graph, cost = case.graph, case.cost
    distance, tree = shortest_paths(graph, cost, np.arange(graph.n_nodes), method="kernels")
    assert (distance[:, graph.head] <= distance[:, graph.tail] + cost).all()
    for origin in range(graph.n_nodes):
        reached = np.flatnonzero(tree[origin] >= 0)
        arcs = tree[origin, reached]
        np.testing.assert_array_equal(graph.head[arcs], reached)
        np.testing.assert_array_equal(
            distance[origin, graph.tail[arcs]] + cost[arcs], distance[origin, reached]
        )
        left_out = np.isfinite(distance[origin]) & (tree[origin] < 0)
        assert np.flatnonzero(left_out).tolist() == [origin]

"""Shortcuts keep every cheapest path between the ends, and solves that use them find the same."""

from itertools import pairwise

import numpy as np
import pytest

from corridor.core.flows import FlowProblem, Rows, Shortcuts, _pricing, min_cost_flow
from corridor.core.graph import Graph
from corridor.core.paths import skim
from corridor.errors import InputError


def chained(seed: int) -> tuple[Graph, np.ndarray]:
    """Return streets with nodes on the way, one-way chains and dead ends; and the ends of paths."""
    rng = np.random.default_rng(seed)
    n_junctions, tail, head = 12, [], []
    n_nodes = n_junctions
    for _ in range(30):
        a, b = rng.choice(n_junctions, 2, replace=False).tolist()
        way = [a, *range(n_nodes, n_nodes + int(rng.integers(0, 4))), b]
        n_nodes += len(way) - 2
        pairs = list(pairwise(way))
        if rng.random() < 0.7:
            pairs += [(end, start) for start, end in pairs]
        if rng.random() < 0.2:
            pairs = pairs[:-1]  # a dead end
        tail += [start for start, _ in pairs]
        head += [end for _, end in pairs]
    return Graph(n_nodes, tail, head), rng.choice(n_junctions, 5, replace=False)


@pytest.mark.parametrize("seed", range(12))
def test_distances_between_the_ends_are_those_of_the_whole_graph(seed: int) -> None:
    graph, ends = chained(seed)
    short = Shortcuts.between(graph, ends)
    cost = np.random.default_rng(seed).uniform(1, 9, (3, graph.n_arcs))
    cost[2, ::7] = np.inf
    whole = skim(graph, cost, ends, ends)
    small = skim(short.graph, short.costs(cost), short.node[ends], short.node[ends])
    np.testing.assert_allclose(small, whole, rtol=1e-13)
    assert short.graph.n_nodes < graph.n_nodes
    # Each arc is part of one chain at most, and chains are walks.
    assert np.unique(short.arcs).size == short.arcs.size
    inner = np.setdiff1d(np.arange(short.arcs.size), short.indptr[:-1])
    np.testing.assert_array_equal(graph.tail[short.arcs[inner]], graph.head[short.arcs[inner - 1]])


def test_amounts_are_added_where_the_arcs_went() -> None:
    graph, ends = chained(3)
    short = Shortcuts.between(graph, ends)
    rng = np.random.default_rng(3)
    cost, more = rng.uniform(1, 9, (2, graph.n_arcs)), rng.uniform(0, 2, (2, graph.n_arcs))
    place = rng.permutation(more.size).astype(np.int32)
    raised = short.costs(cost)
    short.add(raised, place, more.ravel()[place])
    np.testing.assert_allclose(raised, short.costs(cost + more), rtol=1e-13)


def problem_of(seed: int, *, pays: bool = False) -> tuple[FlowProblem, Shortcuts]:
    graph, ends = chained(seed)
    rng = np.random.default_rng(seed + 100)
    pairs = [(a, b) for a in ends for b in ends if a != b]
    origin, destination = np.array(pairs).T
    n, k = graph.n_arcs, len(pairs)
    rows = None
    if pays:
        import scipy.sparse as sp

        some = sp.csr_matrix((rng.random((1, 2 * n)) < 0.1).astype(float))
        rows = Rows(some, [5.0], [np.inf])
    problem = FlowProblem(
        graph, origin, destination, rng.uniform(1, 5, k), rng.uniform(1, 9, (2, n)),
        np.where(rng.random(n) < 0.4, rng.uniform(3, 15, n), np.inf),
        commodity_class=rng.integers(0, 2, k), allowed=rng.random((2, n)) < 0.95,
        unmet_cost=80.0, rows=rows,
    )  # fmt: skip
    return problem, Shortcuts.between(graph, ends)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("pays", [False, True])
def test_flows_are_the_same(seed: int, pays: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    monkeypatch.setattr(_pricing, "uses_kernels", lambda *_: True)
    problem, short = problem_of(seed, pays=pays)
    plain = min_cost_flow(problem)
    found = min_cost_flow(problem, shortcuts=short)
    assert found.status == plain.status == "optimal"
    assert found.objective == pytest.approx(plain.objective, rel=1e-8)
    assert found.bound == pytest.approx(found.objective, rel=1e-8)


def test_shortcuts_of_another_graph_or_other_ends_are_refused() -> None:
    graph = Graph(3, [0, 1], [1, 2])
    problem = FlowProblem(graph, [0, 0], [1, 2], [1.0, 1.0], [1.0, 1.0])
    with pytest.raises(InputError, match="1 ends that were left out"):
        min_cost_flow(problem, shortcuts=Shortcuts.between(graph, np.array([0, 2])))
    same = Graph(3, [0, 1], [1, 2])
    with pytest.raises(InputError, match="found another graph"):
        min_cost_flow(problem, shortcuts=Shortcuts.between(same, np.arange(3)))

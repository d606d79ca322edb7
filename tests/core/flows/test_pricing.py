"""Goal-directed searches and trees find the same; paths are real; the bound is true."""

from dataclasses import replace

import numpy as np
import pytest

from corridor.core.flows import FlowProblem, _pricing, min_cost_flow
from corridor.core.flows._columns import Columns
from corridor.core.flows._network import Network, build_network
from corridor.core.flows._pricing import Priced, Pricing
from corridor.core.graph import Graph


def network_of(seed: int) -> Network:
    """Return 60 nodes, 2 classes and 40 commodities; a third of the arcs has a capacity."""
    rng = np.random.default_rng(seed)
    n_nodes, n_arcs, n_k = 60, 240, 40
    tail = rng.integers(0, n_nodes, n_arcs)
    problem = FlowProblem(
        Graph(n_nodes, tail, (tail + rng.integers(1, n_nodes, n_arcs)) % n_nodes),
        rng.integers(0, n_nodes, n_k),
        rng.integers(0, n_nodes, n_k),
        rng.uniform(1, 5, n_k),
        rng.uniform(1, 9, (2, n_arcs)),
        np.where(rng.random(n_arcs) < 0.3, 5.0, np.inf),
        commodity_class=rng.integers(0, 2, n_k),
        allowed=rng.random((2, n_arcs)) < 0.9,
        unmet_cost=99.0,
    )
    return build_network(problem)


def goal_directed(network: Network, monkeypatch: pytest.MonkeyPatch) -> Pricing:
    monkeypatch.setattr(_pricing, "uses_kernels", lambda *_: True)
    return Pricing(network, 1)


def cost_of(network: Network, priced: Priced, cost: np.ndarray) -> np.ndarray:
    row = network.groups.class_row[priced.group]
    parts = zip(row, priced.indptr[:-1], priced.indptr[1:], strict=True)
    return np.array([cost[k, priced.arcs[start:end]].sum() for k, start, end in parts])


@pytest.mark.parametrize("seed", range(8))
def test_searches_and_trees_agree(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of(seed)
    rng = np.random.default_rng(seed)
    trees, goals = Pricing(network, 1), goal_directed(network, monkeypatch)
    monkeypatch.setattr(trees, "_has_goals", lambda: False)
    first, same = trees.find_first(), goals.find_first()
    np.testing.assert_allclose(first.lower, same.lower, rtol=1e-13)
    price = np.where(rng.random(network.n_resources) < 0.5, rng.uniform(3, 9), 0.0)
    # What is known is a path of the empty network, at the new prices.
    columns = Columns(network)
    columns.add(first.group, first.indptr, first.arcs)
    known = columns.least(columns.cost_at(price))
    one, other = trees.find_cheaper(price, known), goals.find_cheaper(price, known)
    np.testing.assert_array_equal(one.group, other.group)
    assert one.group.size
    cost = network.cost + network.arc_prices(price)
    for priced in (one, other):
        np.testing.assert_allclose(
            cost_of(network, priced, cost), priced.lower[priced.group], rtol=1e-13
        )
    np.testing.assert_allclose(one.lower, other.lower, rtol=2e-13)


def test_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of(1)
    monkeypatch.setattr(_pricing, "LEAST_SEARCHES", 4)
    monkeypatch.setattr(_pricing, "uses_kernels", lambda *_: True)
    found = []
    for threads in (1, 2):
        pricing = Pricing(network, threads)
        pricing.find_first()
        price = np.full(network.n_resources, 0.5)
        found.append(pricing.find_cheaper(price, np.full(network.groups.size, np.inf)))
    np.testing.assert_array_equal(found[0].arcs, found[1].arcs)
    np.testing.assert_array_equal(found[0].lower, found[1].lower)


def test_trees_in_chunks_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of(2)
    whole = Pricing(network, 1).find_first()
    monkeypatch.setattr(_pricing, "CHUNK", 3 * network.graph.n_nodes)
    parts = Pricing(network, 1).find_first()
    np.testing.assert_array_equal(whole.lower, parts.lower)
    np.testing.assert_array_equal(whole.arcs, parts.arcs)


def test_identical_commodities_are_one_group_and_share_alike() -> None:
    rng = np.random.default_rng(0)
    graph = Graph(4, [0, 0, 1, 2, 1], [1, 2, 3, 3, 2])
    n = 20_000
    pair = rng.integers(0, 2, n)
    demand = np.where(rng.random(n) < 0.1, 0.0, rng.uniform(1, 3, n))
    problem = FlowProblem(
        graph, np.zeros(n, int), np.where(pair, 3, 2), demand, [1.0, 2.0, 1.0, 1.0, 0.5],
        [0.4 * demand.sum(), np.inf, np.inf, np.inf, np.inf], unmet_cost=50.0,
    )  # fmt: skip
    assert build_network(problem).groups.size == 2
    result = min_cost_flow(problem)
    few = FlowProblem(
        graph, [0, 0], [2, 3], [demand[pair == 0].sum(), demand[pair == 1].sum()],
        problem.cost, problem.capacity, unmet_cost=50.0,
    )  # fmt: skip
    assert result.objective == pytest.approx(min_cost_flow(few).objective, rel=1e-12)
    assert result.status == "optimal"
    carried = np.bincount(result.path_commodity, result.path_flow, n)
    np.testing.assert_allclose(carried + result.unmet, demand, rtol=1e-12)
    # Each of a pair's commodities takes each path in the same proportion.
    first = np.array([path[0] for path in result.path_arcs])
    share = result.path_flow / demand[result.path_commodity]
    for kind in range(2):
        for arc in range(2):
            picked = share[(pair[result.path_commodity] == kind) & (first == arc)]
            assert picked.size == 0 or np.ptp(picked) <= 1e-12


def test_what_tells_commodities_apart_makes_groups() -> None:
    problem = FlowProblem(
        Graph(3, [0, 1], [1, 2]), [0, 0, 0, 0], [2, 2, 2, 2], [1.0, 2.0, 3.0, 4.0], [1.0, 1.0],
        unmet_cost=[5.0, 5.0, 6.0, 6.0], commodity_class=[0, 1, 1, 1],
        allowed=[[True, True], [True, True]],
    )  # fmt: skip
    groups = build_network(problem).groups
    assert groups.size == 3
    np.testing.assert_allclose(np.sort(groups.demand), [1, 2, 7])
    assert build_network(replace(problem, unmet_cost=None)).groups.size == 2


def test_columns_are_kept_once() -> None:
    network = network_of(3)
    columns = Columns(network)
    first = Pricing(network, 1).find_first()
    assert columns.add(first.group, first.indptr, first.arcs) == first.group.size
    assert columns.add(first.group, first.indptr, first.arcs) == 0
    assert len(columns) == first.group.size
    least = columns.least(columns.cost_at(np.zeros(network.n_resources)))
    np.testing.assert_allclose(least, first.lower, rtol=1e-13)


def test_only_what_paths_could_exceed_together_is_named() -> None:
    # Two groups over arc 0 (capacity 5): 3 + 1 fits; with the loop of the first over arc 1 as well.
    problem = FlowProblem(
        Graph(3, [0, 0, 1], [1, 1, 2]), [0, 0], [1, 2], [3.0, 1.0], [1.0, 1.0, 1.0], [5.0, 2.0, 9.0]
    )
    columns = Columns(build_network(problem))
    columns.add(np.array([0, 1]), np.array([0, 1, 3]), np.array([0, 0, 2], dtype=np.int32))
    none = np.zeros(3, dtype=bool)
    assert columns.could_exceed(none).tolist() == [False, False, False]
    columns.add(np.array([0]), np.array([0, 1]), np.array([1], dtype=np.int32))
    assert columns.could_exceed(none).tolist() == [False, True, False]
    assert columns.could_exceed(np.array([False, True, False])).tolist() == [False, False, False]

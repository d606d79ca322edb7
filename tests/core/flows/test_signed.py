"""Side rows that pay for flow: against the program over all simple paths, and by hand."""

from itertools import pairwise

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse as sp

from corridor.core.flows import FlowProblem, Rows, _signed, min_cost_flow
from corridor.core.flows._network import build_network
from corridor.core.flows._signed import SignedSearch, without_cycles
from corridor.core.graph import Graph


def simple_paths(graph: Graph, origin: int, destination: int, is_open: np.ndarray) -> list[list]:
    """Return the arcs of all simple paths, by depth-first search."""
    if origin == destination:
        return [[]]
    found: list[list] = []

    def go(node: int, seen: set[int], path: list[int]) -> None:
        if node == destination:
            found.append(list(path))
            return
        for arc in np.flatnonzero((graph.tail == node) & is_open):
            target = int(graph.head[arc])
            if target not in seen:
                go(target, seen | {target}, [*path, int(arc)])

    go(origin, {origin}, [])
    return found


def over_all_paths(problem: FlowProblem) -> scipy.optimize.OptimizeResult:
    """Solve the linear program with a column for every simple path there is."""
    cost, n_arcs, n_k = problem.open_cost(), problem.graph.n_arcs, problem.n_commodities
    owner, money, uses = [], [], []
    for k in range(n_k):
        row = int(problem.commodity_class[k])
        ends = int(problem.origin[k]), int(problem.destination[k])
        for path in simple_paths(problem.graph, *ends, np.isfinite(cost[row])):
            use = np.zeros(cost.size)
            use[row * n_arcs + np.array(path, dtype=int)] = 1.0
            owner.append(k)
            money.append(cost[row, path].sum())
            uses.append(use)
    n = len(uses)
    use = np.array(uses).reshape(n, cost.size).T
    left = problem.rows.unmet
    left = np.zeros((problem.rows.n_rows, n_k)) if left is None else left.toarray()
    side = np.hstack([problem.rows.matrix @ use, left])
    low, high = np.isfinite(problem.rows.lower), np.isfinite(problem.rows.upper)
    limits = [side[high], -side[low]]
    room = [problem.rows.upper[high], -problem.rows.lower[low]]
    if problem.capacity is not None:
        flow = use.reshape(problem.n_classes, n_arcs, n).sum(axis=0)
        limited = np.isfinite(problem.capacity)
        limits.append(np.hstack([flow[limited], np.zeros((limited.sum(), n_k))]))
        room.append(problem.capacity[limited])
    met = np.zeros((n_k, n + n_k))
    met[owner, np.arange(n)] = 1.0
    met[np.arange(n_k), n + np.arange(n_k)] = 1.0
    price, most = np.zeros(n_k), np.zeros(n_k)
    if problem.unmet_cost is not None:
        price, most = problem.unmet_cost, problem.demand
    return scipy.optimize.linprog(
        np.r_[money, price],
        A_ub=np.vstack(limits),
        b_ub=np.concatenate(room),
        A_eq=met,
        b_eq=problem.demand,
        bounds=np.column_stack([np.zeros(n + n_k), np.r_[np.full(n, np.inf), most]]),
        method="highs",
    )


def problem_with_rows(seed: int) -> FlowProblem:
    """Return up to 7 nodes with arcs both ways, 2 classes, rows of any sign, floors, bands."""
    rng = np.random.default_rng(seed)
    n_nodes, n_arcs = int(rng.integers(4, 8)), int(rng.integers(8, 22))
    n_classes, n_k, n_rows = (int(rng.integers(1, top)) for top in (3, 5, 4))
    tail = rng.integers(0, n_nodes, n_arcs)
    head = (tail + rng.integers(1, n_nodes, n_arcs)) % n_nodes
    back = n_arcs // 3
    tail, head = np.r_[tail, head[:back]], np.r_[head, tail[:back]]
    shape = n_classes, tail.size
    origin = rng.integers(0, n_nodes, n_k)
    destination = (origin + rng.integers(0, n_nodes, n_k)) % n_nodes
    density = rng.random((n_rows, shape[0] * shape[1])) < 0.2
    matrix = density * rng.choice([-2.0, -1.0, -0.5, 0.5, 1.0, 2.0], density.shape)
    lower, upper = np.full(n_rows, -np.inf), np.full(n_rows, np.inf)
    for row in range(n_rows):
        kind, size = rng.integers(4), rng.uniform(0, 5)
        if kind == 0:
            upper[row] = size
        elif kind == 1:
            lower[row], upper[row] = -size, rng.uniform(0, 3)
        else:
            lower[row] = size if kind == 2 else 0.0
    unmet = (rng.random((n_rows, n_k)) < 0.5) * rng.choice([-1.0, 0.5, 1.0], (n_rows, n_k))
    whole = rng.random() < 0.3
    return FlowProblem(
        Graph(n_nodes, tail, head),
        origin,
        destination,
        rng.uniform(1, 10, n_k),
        rng.integers(0, 6, shape).astype(float) if whole else rng.uniform(0, 10, shape),
        np.where(rng.random(tail.size) < 0.4, rng.uniform(2, 12, tail.size), np.inf),
        commodity_class=rng.integers(0, n_classes, n_k),
        allowed=rng.random(shape) < 0.95,
        rows=Rows(
            sp.csr_matrix(matrix),
            lower,
            upper,
            unmet=sp.csr_matrix(unmet) if rng.random() < 0.5 else None,
        ),
        unmet_cost=rng.uniform(5, 40, n_k) if rng.random() < 0.75 else None,
    )


@pytest.mark.parametrize("block", range(10))
def test_equals_the_program_over_all_simple_paths(block: int) -> None:
    for seed in range(30 * block, 30 * block + 30):
        problem = problem_with_rows(seed)
        result, exact = min_cost_flow(problem), over_all_paths(problem)
        assert result.status == ("optimal" if exact.status == 0 else "infeasible"), seed
        if exact.status == 0:
            assert result.objective == pytest.approx(exact.fun, rel=1e-8, abs=1e-8), seed
            for path in result.path_arcs:
                nodes = np.r_[problem.graph.tail[path[:1]], problem.graph.head[path]]
                assert np.unique(nodes).size == nodes.size, seed


def test_cycles_that_pay_occur_in_these_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    n_critical = []
    prepare = SignedSearch.prepare

    def count(self: SignedSearch, row: int, cost: np.ndarray) -> _signed.SignedRow:
        prepared = prepare(self, row, cost)
        n_critical.append(prepared.critical.size)
        return prepared

    monkeypatch.setattr(SignedSearch, "prepare", count)
    for seed in range(30):
        min_cost_flow(problem_with_rows(seed))
    assert 0 in n_critical
    assert max(n_critical) >= 2


def test_share_cap_counts_what_is_served() -> None:
    # At most 40 % of what is carried may take the cheap arc; the dear one holds 3.
    problem = FlowProblem(
        Graph(2, [0, 0], [1, 1]), [0], [1], [10.0], [1.0, 3.0], [np.inf, 3.0],
        rows=Rows(sp.csr_matrix([[1.0, 0.0]]), [-np.inf], [4.0], unmet=sp.csr_matrix([[0.4]])),
        unmet_cost=50.0,
    )  # fmt: skip
    result = min_cost_flow(problem)
    np.testing.assert_allclose(result.arc_flow, [2, 3])
    assert result.unmet[0] == pytest.approx(5)


def test_band_keeps_two_flows_in_proportion() -> None:
    # F(arc 1) >= F(arc 0) / 2: the cheap arc takes two thirds.
    rows = Rows(sp.csr_matrix([[-0.5, 1.0]]), [0.0], [np.inf])
    result = min_cost_flow(
        FlowProblem(Graph(2, [0, 0], [1, 1]), [0], [1], [9.0], [1.0, 3.0], rows=rows)
    )
    np.testing.assert_allclose(result.arc_flow, [6, 3])


def random_signed(seed: int) -> tuple[FlowProblem, np.ndarray]:
    """Return a problem of one commodity and costs of which a quarter is negative."""
    rng = np.random.default_rng(seed)
    n_nodes, n_arcs = 7, 20
    tail = rng.integers(0, n_nodes, n_arcs)
    head = (tail + rng.integers(1, n_nodes, n_arcs)) % n_nodes
    cost = np.where(rng.random(n_arcs) < 0.25, -1.0, 1.0) * rng.uniform(0, 5, n_arcs)
    problem = FlowProblem(Graph(n_nodes, tail, head), [0], [n_nodes - 1], [1.0], np.abs(cost))
    return problem, cost


@pytest.mark.parametrize("seed", range(40))
def test_search_finds_the_cheapest_simple_path(seed: int) -> None:
    problem, cost = random_signed(seed)
    search = SignedSearch(build_network(problem))
    paths = simple_paths(problem.graph, 0, 6, np.ones(cost.size, dtype=bool))
    found = search.find(search.prepare(0, cost), 0, np.inf)
    if not paths:
        assert np.isinf(found.cost)
        return
    least = min(cost[path].sum() for path in paths)
    assert found.whole
    assert found.cost == pytest.approx(least)
    assert least - 1e-9 <= found.lower <= least + 1e-12
    # Nothing is found below the least, and what is asked is then the bound.
    nothing = search.find(search.prepare(0, cost), 0, least)
    assert np.isinf(nothing.cost)
    assert nothing.lower == pytest.approx(least)


@pytest.mark.parametrize("seed", range(40))
def test_a_search_cut_short_still_bounds(seed: int) -> None:
    problem, cost = random_signed(seed)
    search = SignedSearch(build_network(problem), most_labels=3)
    paths = simple_paths(problem.graph, 0, 6, np.ones(cost.size, dtype=bool))
    found = search.find(search.prepare(0, cost), 0, np.inf)
    least = min((cost[path].sum() for path in paths), default=np.inf)
    assert found.lower <= least + 1e-12
    assert found.cost >= least - 1e-9


def test_searches_cut_short_give_a_status_and_a_true_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SignedSearch.__init__, "__defaults__", (2,))
    statuses = set()
    for seed in range(60):
        problem = problem_with_rows(seed)
        result, exact = min_cost_flow(problem), over_all_paths(problem)
        statuses.add((result.status, result.limit))
        if exact.status == 0:
            assert result.bound <= exact.fun + 1e-7
            assert result.status != "infeasible"
        else:
            assert result.status in ("infeasible", "unknown")
    assert ("feasible", "search") in statuses


def test_cycles_are_taken_out_of_walks() -> None:
    nodes = [0, 1, 2, 3, 1, 4, 2, 5]
    graph = Graph(6, nodes[:-1], nodes[1:])
    path = without_cycles(graph, np.arange(7, dtype=np.int32))
    assert [int(graph.tail[arc]) for arc in path] == [0, 1, 4, 2]
    assert all(graph.head[one] == graph.tail[other] for one, other in pairwise(path))

"""Random networks and an arc-form oracle that shares no code with the engine."""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse as sp

from corridor.core.flows import FlowProblem, Pools, Rows
from corridor.core.graph import Graph

GRID = 4000


def random_problem(
    seed: int, *, delay: object = None, unmet: bool = True, rows: bool = False
) -> FlowProblem:
    """Return 8 nodes, a ring and random arcs, 3 classes, 6 commodities, masks, pools, limits."""
    rng = np.random.default_rng(seed)
    n_nodes, n_arcs, n_classes, n_commodities, n_pools = 8, 30, 3, 6, 4
    ring = np.arange(n_nodes)
    tail = np.r_[ring, rng.integers(0, n_nodes, n_arcs - n_nodes)]
    head = np.r_[np.roll(ring, -1), rng.integers(0, n_nodes, n_arcs - n_nodes)]
    origin = rng.integers(0, n_nodes, n_commodities)
    destination = (origin + rng.integers(1, n_nodes, n_commodities)) % n_nodes
    demand = rng.uniform(1, 10, n_commodities)
    density = rng.random((n_pools, n_classes * n_arcs)) < 0.15
    matrix = sp.csr_matrix(density * rng.uniform(0.2, 2.0, density.shape))
    side = None
    if rows:
        picks = sp.csr_matrix((rng.random((2, n_classes * n_arcs)) < 0.2).astype(float))
        side = Rows(picks, [-np.inf, -np.inf], [6.0, 12.0])
    return FlowProblem(
        Graph(n_nodes, tail, head),
        origin,
        destination,
        demand,
        rng.uniform(0, 10, (n_classes, n_arcs)),
        np.where(rng.random(n_arcs) < 0.6, rng.uniform(2, 12, n_arcs), np.inf),
        commodity_class=rng.integers(0, n_classes, n_commodities),
        allowed=rng.random((n_classes, n_arcs)) < 0.85,
        pools=Pools(
            matrix, np.where(rng.random(n_pools) < 0.8, rng.uniform(4, 20, n_pools), np.inf)
        ),
        delay=delay,
        rows=side,
        unmet_cost=rng.uniform(20, 60, n_commodities) if unmet else None,
    )


def balance_rows(problem: FlowProblem) -> tuple[np.ndarray, np.ndarray]:
    """Return what leaves each node minus what enters, per commodity, and the supplies."""
    graph, n_k = problem.graph, problem.n_commodities
    n_a, n_v = graph.n_arcs, graph.n_nodes
    incidence = np.zeros((n_v, n_a))
    np.add.at(incidence, (graph.tail, np.arange(n_a)), 1.0)
    np.add.at(incidence, (graph.head, np.arange(n_a)), -1.0)
    balance = np.zeros((n_k * n_v, n_k * n_a + n_k))
    supply = np.zeros(n_k * n_v)
    for k in range(n_k):
        balance[k * n_v : (k + 1) * n_v, k * n_a : (k + 1) * n_a] = incidence
        for node, sign in ((problem.origin[k], 1.0), (problem.destination[k], -1.0)):
            balance[k * n_v + node, n_k * n_a + k] += sign
            supply[k * n_v + node] += sign * problem.demand[k]
    return balance, supply


def arc_program(problem: FlowProblem) -> scipy.optimize.OptimizeResult:
    """Solve the arc-form program with scipy; delay as chords on a fine grid."""
    n_k, n_a = problem.n_commodities, problem.graph.n_arcs
    n_x = n_k * n_a
    classes = np.asarray(problem.commodity_class)
    balance, supply = balance_rows(problem)
    place = np.zeros((problem.n_classes * n_a, n_x))
    for k in range(n_k):
        place[classes[k] * n_a + np.arange(n_a), k * n_a + np.arange(n_a)] = 1.0
    cost = np.broadcast_to(problem.cost, (problem.n_classes, n_a))
    allowed = np.ones_like(cost, dtype=bool) if problem.allowed is None else problem.allowed
    allowed = np.broadcast_to(allowed, cost.shape)
    price = np.zeros(n_k) if problem.unmet_cost is None else problem.unmet_cost
    money = np.r_[cost[classes].ravel(), price]
    upper = np.where(allowed[classes].ravel(), np.inf, 0.0)
    most_unmet = np.zeros(n_k) if problem.unmet_cost is None else problem.demand
    upper = np.r_[upper, most_unmet]
    rows, bounds, equal, rhs = [], [], [balance], [supply]
    if problem.capacity is not None:
        finite = np.isfinite(problem.capacity)
        rows.append(np.tile(np.eye(n_a)[finite], n_k))
        bounds.append(problem.capacity[finite])
    if problem.pools is not None:
        loads = problem.pools.matrix @ place
        finite = np.isfinite(problem.pools.capacity)
        rows.append(loads[finite])
        bounds.append(problem.pools.capacity[finite])
    if problem.rows is not None:
        rows.append(problem.rows.matrix @ place)
        bounds.append(problem.rows.upper)
    rows = [np.hstack([block, np.zeros((block.shape[0], n_k))]) for block in rows]
    if problem.delay is not None:
        assert problem.pools is not None
        n_p = problem.pools.n_pools
        top = np.minimum(problem.pools.capacity, 60.0)
        grid = np.linspace(0, 1, GRID + 1)[:, None] * top
        value = np.array([problem.delay.value(load) for load in grid])
        chords = np.diff(value, axis=0) / np.where(top > 0, top / GRID, 1.0)
        width = np.repeat(top[None, :] / GRID, GRID, axis=0)
        money = np.r_[money, chords.ravel()]
        upper = np.r_[upper, width.ravel()]
        filled = np.hstack([loads, np.zeros((n_p, n_k)), -np.tile(np.eye(n_p), GRID)])
        pad = filled.shape[1] - n_x - n_k
        rows = [np.hstack([block, np.zeros((block.shape[0], pad))]) for block in rows]
        equal = [np.hstack([balance, np.zeros((balance.shape[0], pad))]), filled]
        rhs = [supply, np.zeros(n_p)]
    return scipy.optimize.linprog(
        money,
        A_ub=sp.csr_matrix(np.vstack(rows)) if rows else None,
        b_ub=np.concatenate(bounds) if rows else None,
        A_eq=sp.csr_matrix(np.vstack(equal)),
        b_eq=np.concatenate(rhs),
        bounds=np.column_stack([np.zeros(upper.size), upper]),
        method="highs",
    )


@pytest.fixture
def make_problem() -> Callable[..., FlowProblem]:
    return random_problem


@pytest.fixture
def oracle() -> Callable[[FlowProblem], scipy.optimize.OptimizeResult]:
    return arc_program

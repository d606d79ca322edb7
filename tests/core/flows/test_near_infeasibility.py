"""Problems that are feasible, or not, by a hair: never unknown, never a solver's complaint."""

from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog

from corridor.core.flows import FlowProblem, Pools, Rows, min_cost_flow
from corridor.core.graph import Graph

HAIRS = (1e-4, 1e-6, 1e-7, 1e-8, 0.0, -1e-8, -1e-7, -1e-6, -1e-4)
SURE = 5e-6
NOTHING = (7, 18)
"""Seeds of worlds in which nothing can pass the first row."""


def simple_paths(graph: Graph, origin: int, destination: int) -> list[list[int]]:
    """Return every simple path by arcs; for graphs of a few nodes."""
    found, partial = [], [([origin], list[int]())]
    while partial:
        nodes, arcs = partial.pop()
        if nodes[-1] == destination:
            found.append(arcs)
            continue
        partial += [
            ([*nodes, int(graph.head[arc])], [*arcs, arc])
            for arc in np.flatnonzero(graph.tail == nodes[-1]).tolist()
            if graph.head[arc] not in nodes
        ]
    return found


class World:
    """Random demands on a random graph, with a floor, quotas and balances in all units."""

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        n_nodes = int(random.integers(3, 6))
        tail, head = random.integers(0, n_nodes, (2, 4 * n_nodes))
        chain = np.array([*pairwise(range(n_nodes)), (n_nodes - 1, 0)]).T
        ends = np.concatenate([chain, np.stack([tail, head])[:, tail != head]], axis=1)
        self.graph = Graph(n_nodes, *ends)
        self.n = int(random.integers(1, 4))
        self.origin = random.integers(0, n_nodes, self.n)
        self.destination = (self.origin + random.integers(1, n_nodes, self.n)) % n_nodes
        self.demand = random.uniform(0.5, 2.0, self.n) * 10.0 ** random.uniform(-2.0, 4.0)
        self.cost = random.uniform(1.0, 20.0, self.graph.n_arcs) * 10.0 ** random.uniform(-1, 2)
        self.unmet_cost = random.uniform(100.0, 5000.0, self.n)
        self.paths = [
            (k, path)
            for k in range(self.n)
            for path in simple_paths(self.graph, self.origin[k], self.destination[k])
        ]
        self.matrix = np.zeros((3, self.n * self.graph.n_arcs))
        upper = np.full(3, np.inf)
        for row in range(3):
            for sign in (1.0, -1.0)[: 1 + (row == 2)]:
                k, path = self.paths[int(random.integers(len(self.paths)))]
                place = k * self.graph.n_arcs + path[int(random.integers(len(path)))]
                self.matrix[row, place] = sign * 10.0 ** random.uniform(-2.0, 1.0)
        upper[1] = random.uniform(0.2, 1.0) * self.demand.max() * self.matrix[1].max()
        self.lower, self.upper = np.array([0.0, -np.inf, 0.0]), upper
        self.use = np.array([
            self.matrix[:, [k * self.graph.n_arcs + arc for arc in path]].sum(axis=1)
            for k, path in self.paths
        ]).T  # fmt: skip
        self.served = np.array([[k == of for of, _ in self.paths] for k in range(self.n)]) * 1.0

    def most(self) -> float:
        """Return the largest value of the first row: a linear program over all simple paths."""
        limits = np.concatenate([self.served, self.use[1:2], -self.use[2:]])
        right = np.r_[self.demand, self.upper[1], 0.0]
        scale = self.demand.max()
        found = linprog(-self.use[0], A_ub=limits, b_ub=right / scale, method="highs")
        return float(-found.fun * scale)

    def with_floor(self, floor: float) -> FlowProblem:
        """Return the problem whose first row is at least a floor."""
        return FlowProblem(
            self.graph, self.origin, self.destination, self.demand,
            np.tile(self.cost, (self.n, 1)), commodity_class=np.arange(self.n),
            rows=Rows(sp.csr_matrix(self.matrix), np.r_[floor, self.lower[1:]], self.upper),
            unmet_cost=self.unmet_cost,
        )  # fmt: skip


@pytest.mark.parametrize("seed", [seed for seed in range(32) if seed not in NOTHING])
def test_floors_at_the_most_there_can_be_have_an_answer(seed: int) -> None:
    world = World(seed)
    most = world.most()
    assert most > 0.0
    for hair in HAIRS:
        floor = most * (1.0 - hair)
        result = min_cost_flow(world.with_floor(floor), tolerance=1e-6)
        assert result.status in ("optimal", "infeasible"), (hair, result.limit)
        if abs(hair) >= SURE:
            assert (result.status == "optimal") == (hair > 0.0), hair
        if result.status == "optimal":
            value = float((world.matrix[0] @ result.class_flow.ravel()).sum())
            assert value >= floor * (1.0 - 2e-6), hair


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
@pytest.mark.parametrize("hair", HAIRS)
def test_demand_that_must_pass_room_of_its_own_size_has_an_answer(hair: float, size: float) -> None:
    """Two pools take all there is, but for a hair."""
    graph = Graph(2, [0, 0], [1, 1])
    room = np.array([0.3, 0.7]) * size * (1.0 + hair)
    problem = FlowProblem(
        graph, [0], [1], [size], [1.0, 5.0], pools=Pools(sp.csr_matrix(np.eye(2)), room)
    )
    result = min_cost_flow(problem, tolerance=1e-6)
    assert result.status in ("optimal", "infeasible")
    if abs(hair) >= SURE:
        assert (result.status == "optimal") == (hair > 0.0)

"""Cheapest flows of many commodities, by paths, against the linear program over arcs."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from benchmarks.harness import Answer, Contestant, Run, Workload
from corridor.core.flows import FlowProblem, PathColumns, min_cost_flow
from corridor.core.graph import Graph
from corridor.core.paths import shortest_paths
from corridor.core.solver import Program, solve

Longs = npt.NDArray[np.int64]

N_DRAWS = 4
"""Routings under randomly dearer roads, whose mean flow the capacities were built for."""
SPARE = 1.2
"""Capacity over that mean flow."""
LEAST_SHARE = 0.5
"""Least capacity of an arc, in the load of the busiest hundredth of all arcs on cheapest paths."""
TOLERANCE = 1e-9


def roads(n_nodes: int, n_arcs: int, seed: int) -> tuple[Graph, Answer]:
    """Return a road map and its costs: random places, each pair of near ones linked both ways."""
    rng = np.random.default_rng(seed)
    places = rng.random((n_nodes, 2))
    near = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    tree = sp.csgraph.minimum_spanning_tree(near).toarray() > 0
    near[tree | tree.T] -= 2.0  # first the links that keep all connected, then the shortest
    one, other = np.triu_indices(n_nodes, 1)
    pick = np.argsort(near[one, other], kind="stable")[: n_arcs // 2]
    one, other = one[pick], other[pick]
    length = np.hypot(*(places[one] - places[other]).T)
    cost = np.r_[length, length] * rng.uniform(80.0, 120.0, 2 * pick.size)
    return Graph(n_nodes, np.r_[one, other], np.r_[other, one]), cost


def problem(n_nodes: int, n_arcs: int, n_commodities: int, seed: int = 0) -> FlowProblem:
    """Return a problem that can be solved, some arcs of which are full at the optimum.

    Capacities are those that the mean of some random routings needs and a fifth more, and nowhere
    less than a standard road.
    """
    graph, cost = roads(n_nodes, n_arcs, seed)
    rng = np.random.default_rng(seed + 1)
    origin = rng.integers(0, n_nodes, n_commodities)
    destination = (origin + rng.integers(1, n_nodes, n_commodities)) % n_nodes
    demand = rng.uniform(5.0, 50.0, n_commodities)
    load = np.zeros(graph.n_arcs)
    for _ in range(N_DRAWS):
        drawn = cost * rng.uniform(1.0, 2.0, graph.n_arcs)
        load += loads(graph, drawn, origin, destination, demand) / N_DRAWS
    cheapest = loads(graph, cost, origin, destination, demand)
    least = LEAST_SHARE * np.quantile(cheapest, 0.99)
    capacity = np.maximum(SPARE * load, least)
    return FlowProblem(graph, origin, destination, demand, cost, capacity)


def loads(graph: Graph, cost: Answer, origin: Longs, destination: Longs, demand: Answer) -> Answer:
    """Return the flow of each arc when all take their cheapest path."""
    origins, row = np.unique(origin, return_inverse=True)
    _, predecessor = shortest_paths(graph, cost, origins)
    total = np.zeros(graph.n_arcs)
    for tree, start, end, amount in zip(row, origin, destination, demand, strict=True):
        node = end
        while node != start:
            arc = predecessor[tree, node]
            total[arc] += amount
            node = graph.tail[arc]
    return total


def arc_program(flow: FlowProblem, *, by_origin: bool) -> Program:
    """Return the linear program over arcs: one flow for each commodity, or for each origin.

    What leaves one origin need not be told apart, so taking it together is the smaller program.
    """
    graph = flow.graph
    groups = flow.origin if by_origin else np.arange(flow.n_commodities)
    _, group = np.unique(groups, return_inverse=True)
    n_groups = int(group.max()) + 1
    arcs = np.arange(graph.n_arcs)
    balance = sp.csr_matrix(
        (
            np.r_[np.ones(graph.n_arcs), -np.ones(graph.n_arcs)],
            (np.r_[graph.tail, graph.head], np.r_[arcs, arcs]),
        ),
        shape=(graph.n_nodes, graph.n_arcs),
    )
    supply = np.zeros((n_groups, graph.n_nodes))
    np.add.at(supply, (group, flow.origin), flow.demand)
    np.subtract.at(supply, (group, flow.destination), flow.demand)
    assert flow.capacity is not None
    return Program(
        cost=np.tile(flow.cost, n_groups),
        lower=np.zeros(n_groups * graph.n_arcs),
        upper=np.full(n_groups * graph.n_arcs, np.inf),
        matrix=sp.vstack(
            [
                sp.block_diag([balance] * n_groups),
                sp.hstack([sp.identity(graph.n_arcs)] * n_groups),
            ],
            format="csr",
        ),
        row_lower=np.r_[supply.ravel(), np.full(graph.n_arcs, -np.inf)],
        row_upper=np.r_[supply.ravel(), flow.capacity],
    )


def by_paths(flow: FlowProblem, columns: PathColumns | None = None) -> Run:
    """Generate paths; answer the cost."""

    def run() -> Answer:
        result = min_cost_flow(flow, TOLERANCE, columns=columns)
        assert result.status == "optimal", result.limit
        return np.array([result.objective])

    return run


def by_arcs(flow: FlowProblem, solver: str, *, by_origin: bool) -> Run:
    """Solve the program over arcs, which is built beforehand; answer the cost."""
    program = arc_program(flow, by_origin=by_origin)
    return lambda: np.array([solve(program, solver).objective])


def ours(flow: FlowProblem) -> Contestant:
    """Return column generation, its compiled code loaded."""

    def prepare() -> Run:
        import numba  # noqa: F401 - compiled searches answer where it is loaded

        return by_paths(flow)

    return Contestant(name="corridor, paths", package="corridor", prepare=prepare)


def highs(
    flow: FlowProblem,
    *,
    by_origin: bool,
    floor: float | None = None,
    goal: float | None = None,
) -> Contestant:
    """Return HiGHS on the program over arcs."""
    unit = "origin" if by_origin else "commodity"
    return Contestant(
        name=f"HiGHS, arcs by {unit}",
        package="ortools",
        prepare=lambda: by_arcs(flow, "highs", by_origin=by_origin),
        floor=floor,
        goal=goal,
    )


def multicommodity(smoke: bool) -> Workload:  # noqa: FBT001
    """Solve a problem of a few dozen full arcs."""
    sizes = (40, 140, 20) if smoke else (500, 2_000, 200)
    flow = problem(*sizes)
    return Workload(
        name="multicommodity",
        title=f"cheapest flows on {sizes[0]} nodes, {sizes[1]} arcs, {sizes[2]} commodities",
        contestants=(
            ours(flow),
            highs(flow, by_origin=True, floor=50.0, goal=150.0),
            highs(flow, by_origin=False),
        ),
        rtol=TOLERANCE,
    )


def loose(smoke: bool) -> Workload:  # noqa: FBT001
    """Solve a problem to the few digits that PDLP reaches."""
    sizes = (30, 100, 10) if smoke else (200, 800, 60)
    flow = problem(*sizes)
    return Workload(
        name="multicommodity-pdlp",
        title=f"to 1e-4 on {sizes[0]} nodes, {sizes[1]} arcs, {sizes[2]} commodities",
        contestants=(
            ours(flow),
            Contestant(
                name="PDLP, arcs by origin",
                package="ortools",
                prepare=lambda: by_arcs(flow, "pdlp", by_origin=True),
            ),
            highs(flow, by_origin=True),
        ),
        rtol=1e-4,
    )


def growth(n_nodes: int, n_arcs: int, n_commodities: int) -> Callable[[bool], Workload]:
    """Return the workload of another size, smaller or larger than the one above."""

    def build(smoke: bool) -> Workload:  # noqa: FBT001
        sizes = (30, 100, 10) if smoke else (n_nodes, n_arcs, n_commodities)
        flow = problem(*sizes)
        return Workload(
            name=f"multicommodity-{n_nodes}-{n_commodities}",
            title=f"the same on {sizes[0]} nodes, {sizes[1]} arcs, {sizes[2]} commodities",
            contestants=(ours(flow), highs(flow, by_origin=True)),
            rtol=TOLERANCE,
        )

    return build


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenarios:
    """One problem under some changed capacities."""

    base: FlowProblem
    changed: tuple[FlowProblem, ...]

    @classmethod
    def of(cls, base: FlowProblem, count: int) -> "Scenarios":
        """Cut the capacity of up to three full arcs in each scenario, by up to a tenth."""
        rng = np.random.default_rng(2)
        full = np.flatnonzero(min_cost_flow(base).capacity_price > 0)
        assert base.capacity is not None
        changed = []
        for _ in range(count):
            capacity = base.capacity.copy()
            capacity[rng.choice(full, 3)] *= rng.uniform(0.9, 1.0, 3)
            changed.append(replace(base, capacity=capacity))
        return cls(base=base, changed=tuple(changed))


def paths_kept(smoke: bool) -> Workload:  # noqa: FBT001
    """Solve scenarios with the paths of the first solve, or from nothing."""
    sizes = (100, 360, 40) if smoke else (500, 2_000, 200)
    scenarios = Scenarios.of(problem(*sizes), 3 if smoke else 10)

    def prepare(*, keep: bool) -> Run:
        import numba  # noqa: F401

        columns = min_cost_flow(scenarios.base, TOLERANCE).columns if keep else None
        runs = [by_paths(flow, columns) for flow in scenarios.changed]
        return lambda: np.concatenate([run() for run in runs])

    kept = Contestant(
        name="corridor, paths kept", package="corridor", prepare=lambda: prepare(keep=True)
    )
    anew = Contestant(
        name="corridor, each anew", package="corridor", prepare=lambda: prepare(keep=False)
    )
    arcs = Contestant(
        name="HiGHS, arcs by origin",
        package="ortools",
        prepare=lambda: by_arcs(scenarios.changed[0], "highs", by_origin=True),
        share=1.0 / len(scenarios.changed),
    )
    return Workload(
        name="multicommodity-scenarios",
        title=f"{len(scenarios.changed)} scenarios of less capacity",
        contestants=(kept, anew, arcs),
        rtol=TOLERANCE,
    )


# -- a single commodity ---------------------------------------------------------------------------


def single(smoke: bool) -> Workload:  # noqa: FBT001
    """Send from one origin to one destination, which network simplex does best."""
    sizes = (40, 140) if smoke else (500, 2_000)
    flow = one_pair(problem(*sizes, 60))
    return Workload(
        name="single-commodity",
        title=f"one origin and destination on {sizes[0]} nodes, {sizes[1]} arcs, whole numbers",
        contestants=(
            ours(flow),
            Contestant(
                name="ortools SimpleMinCostFlow",
                package="ortools",
                prepare=lambda: by_simple_min_cost_flow(flow),
            ),
            Contestant(
                name="networkx network_simplex",
                package="networkx",
                prepare=lambda: by_network_simplex(flow),
            ),
        ),
        rtol=TOLERANCE,
    )


def one_pair(flow: FlowProblem) -> FlowProblem:
    """Return the problem of the first commodity alone, with four fifths of what can be carried.

    All numbers are whole: the peers take no others.
    """
    assert flow.capacity is not None
    graph = flow.graph
    roads = sp.csr_matrix((flow.capacity.astype(np.int32), (graph.tail, graph.head)))
    most = sp.csgraph.maximum_flow(roads, int(flow.origin[0]), int(flow.destination[0])).flow_value
    return FlowProblem(
        graph,
        flow.origin[:1],
        flow.destination[:1],
        [float(most * 4 // 5)],
        np.ceil(flow.cost),
        np.floor(flow.capacity),
    )


def by_simple_min_cost_flow(flow: FlowProblem) -> Run:
    """Solve with OR-Tools' network solver; filling it is part of a call, as it is of ours."""
    from ortools.graph.python import min_cost_flow as ortools_flow

    graph, capacity = flow.graph, whole(flow.capacity)
    cost, amount = whole(flow.cost), int(flow.demand[0])

    def run() -> Answer:
        solver = ortools_flow.SimpleMinCostFlow()
        solver.add_arcs_with_capacity_and_unit_cost(graph.tail, graph.head, capacity, cost)
        solver.set_node_supply(int(flow.origin[0]), amount)
        solver.set_node_supply(int(flow.destination[0]), -amount)
        assert solver.solve() == solver.OPTIMAL
        return np.array([float(solver.optimal_cost())])

    return run


def by_network_simplex(flow: FlowProblem) -> Run:
    """Solve with networkx; its graph is built beforehand."""
    import networkx as nx

    ends = flow.graph.tail.tolist(), flow.graph.head.tolist()
    amount = int(flow.demand[0])
    net = nx.DiGraph()
    net.add_node(int(flow.origin[0]), demand=-amount)
    net.add_node(int(flow.destination[0]), demand=amount)
    numbers = whole(flow.capacity).tolist(), whole(flow.cost).tolist()
    for tail, head, capacity, cost in zip(*ends, *numbers, strict=True):
        net.add_edge(tail, head, capacity=capacity, weight=cost)

    def run() -> Answer:
        total, _ = nx.network_simplex(net)
        return np.array([float(total)])

    return run


def whole(values: Answer | None) -> Longs:
    """Return whole numbers as int64."""
    assert values is not None
    return values.astype(np.int64)


WORKLOADS: dict[str, Callable[[bool], Workload]] = {
    "multicommodity": multicommodity,
    "multicommodity-pdlp": loose,
    "multicommodity-200-60": growth(200, 800, 60),
    "multicommodity-500-50": growth(500, 2_000, 50),
    "multicommodity-1000-200": growth(1_000, 4_000, 200),
    "multicommodity-scenarios": paths_kept,
    "single-commodity": single,
}

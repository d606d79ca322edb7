"""Linear programs solved again under scenarios, against building and solving each anew."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from benchmarks.harness import Answer, Contestant, Run, Workload
from corridor.core.solver import Program, Session

Nodes = npt.NDArray[np.intp]

N_CUTS = 3
"""Capacities that a scenario lowers, each by a random share."""
NOISE = 0.03
"""Largest relative change of costs, in half of the columns."""
UNMET = 10_000.0
"""Price of a unit of demand that is not met; far above any path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Arc form of the multicommodity flow problem: cheapest flows that share capacities.

    Columns are the flows of each commodity on each arc and the unmet demands; rows are the
    balances of each commodity at each node and the capacities.
    """

    program: Program
    n_arcs: int

    def scenarios(self, count: int, seed: int = 1) -> list[tuple[Answer, Answer]]:
        """Return (cost, row_upper): three capacities cut, half of the costs up to 3 % off."""
        rng = np.random.default_rng(seed)
        program = self.program
        first_capacity = program.n_rows - self.n_arcs
        n_flows = int((program.cost < UNMET).sum())
        found = []
        for _ in range(count):
            row_upper, cost = program.row_upper.copy(), program.cost.copy()
            cut = first_capacity + rng.choice(self.n_arcs, N_CUTS, replace=False)
            row_upper[cut] *= rng.random(N_CUTS)
            half = rng.choice(n_flows, n_flows // 2, replace=False)
            cost[half] *= rng.uniform(1 - NOISE, 1 + NOISE, half.size)
            found.append((cost, row_upper))
        return found


def flow(tail: Nodes, head: Nodes, length: Answer, n_commodities: int, seed: int) -> Flow:
    """Return the problem on a network, with demands of 20 to 99 and capacities of 10 to 59."""
    rng = np.random.default_rng(seed)
    n_nodes, n_arcs = int(max(tail.max(), head.max())) + 1, tail.size
    origin = rng.integers(0, n_nodes, n_commodities)
    destination = (origin + rng.integers(1, n_nodes, n_commodities)) % n_nodes
    demand = rng.integers(20, 100, n_commodities).astype(np.float64)
    arcs, commodities = np.arange(n_arcs), np.arange(n_commodities)
    balance = incidence(tail, head, arcs, n_nodes)
    unmet = incidence(
        commodities * n_nodes + origin,
        commodities * n_nodes + destination,
        commodities,
        n_commodities * n_nodes,
    )
    capacity = sp.hstack([sp.identity(n_arcs)] * n_commodities)
    matrix = sp.vstack(
        [
            sp.hstack([sp.block_diag([balance] * n_commodities), unmet]),
            sp.hstack([capacity, sp.csr_matrix((n_arcs, n_commodities))]),
        ],
        format="csr",
    )
    supply = np.asarray(unmet @ demand)
    n_flows = n_arcs * n_commodities
    program = Program(
        cost=np.r_[np.tile(length, n_commodities), np.full(n_commodities, UNMET)],
        lower=np.zeros(n_flows + n_commodities),
        upper=np.full(n_flows + n_commodities, np.inf),
        matrix=matrix,
        row_lower=np.r_[supply, np.full(n_arcs, -np.inf)],
        row_upper=np.r_[supply, rng.integers(10, 60, n_arcs)],
    )
    return Flow(program=program, n_arcs=n_arcs)


def incidence(tail: Nodes, head: Nodes, column: Nodes, n_rows: int) -> sp.csr_matrix:
    """Return +1 at the tails and -1 at the heads."""
    ones = np.ones(tail.size)
    entries = np.r_[ones, -ones], (np.r_[tail, head], np.r_[column, column])
    return sp.csr_matrix(entries, shape=(n_rows, int(column.max()) + 1))


def random_flow(n_nodes: int, n_arcs: int, n_commodities: int) -> Flow:
    """Return the problem on a ring with random arcs across and costs of 1 to 99."""
    rng = np.random.default_rng(0)
    tail = np.r_[np.arange(n_nodes), rng.integers(0, n_nodes, n_arcs - n_nodes)]
    head = (
        tail + np.r_[np.ones(n_nodes, int), rng.integers(1, n_nodes, n_arcs - n_nodes)]
    ) % n_nodes
    return flow(tail, head, rng.integers(1, 100, n_arcs).astype(np.float64), n_commodities, 1)


def planar_flow(n_nodes: int, n_arcs: int, n_commodities: int) -> Flow:
    """Return the problem on a map: two-way arcs between near places, costs by distance."""
    rng = np.random.default_rng(0)
    place = rng.random((n_nodes, 2))
    distance = np.hypot(*(place[:, None] - place[None, :]).transpose(2, 0, 1))
    near = np.argsort(distance, axis=1)[:, 1:]
    pairs: dict[tuple[int, int], None] = {}
    for rank in range(n_nodes - 1):
        for node, other in enumerate(near[:, rank].tolist()):
            if len(pairs) < n_arcs // 2:
                pairs.setdefault((min(node, other), max(node, other)))
    one, two = np.array(list(pairs)).T
    tail, head = np.r_[one, two], np.r_[two, one]
    return flow(tail, head, np.rint(1000 * distance[tail, head]) + 1, n_commodities, 1)


def by_session(problem: Flow, scenarios: list[tuple[Answer, Answer]]) -> Run:
    """Solve from the base's basis, every answer checked."""
    session = Session(problem.program)
    session.solve()
    base = session.basis

    def run() -> Answer:
        optima = []
        for cost, row_upper in scenarios:
            session.change(cost=cost, row_upper=row_upper)
            optima.append(session.solve(basis=base).objective)
        return np.array(optima)

    return run


def by_two_threads(problem: Flow, scenarios: list[tuple[Answer, Answer]]) -> Run:
    """Solve as above, with a session for each thread and half of the scenarios."""
    middle = len(scenarios) // 2
    runs = [by_session(problem, part) for part in (scenarios[:middle], scenarios[middle:])]
    pool = ThreadPoolExecutor(2)
    return lambda: np.concatenate(list(pool.map(lambda run: run(), runs)))


def by_rebuilding(problem: Flow, scenarios: list[tuple[Answer, Answer]], parameters: str) -> Run:
    """Fill OR-Tools' array builder and solve with GLOP for each scenario; read point and prices."""
    from ortools.linear_solver.python import model_builder_helper as helper

    program = problem.program

    def optimum(cost: Answer, row_upper: Answer) -> float:
        model = helper.ModelBuilderHelper()
        fill: Callable[..., None] = model.fill_model_from_sparse_data  # its stub misnames shapes
        fill(program.lower, program.upper, cost, program.row_lower, row_upper, program.matrix)
        engine = helper.ModelSolverHelper("glop")
        engine.set_solver_specific_parameters(parameters)
        engine.solve(model)
        assert engine.dual_values().size == program.n_rows
        return float(cost @ engine.variable_values())

    return lambda: np.array([optimum(*scenario) for scenario in scenarios])


def by_scipy(problem: Flow, scenarios: list[tuple[Answer, Answer]]) -> Run:
    """Solve each scenario with SciPy's HiGHS."""
    from scipy.optimize import linprog

    program = problem.program
    equal = program.row_lower == program.row_upper
    balance, capacity = program.matrix[equal], program.matrix[~equal]

    def optimum(cost: Answer, row_upper: Answer) -> float:
        result = linprog(
            cost,
            A_ub=capacity,
            b_ub=row_upper[~equal],
            A_eq=balance,
            b_eq=row_upper[equal],
            method="highs",
        )
        return float(result.fun or np.nan)

    return lambda: np.array([optimum(*scenario) for scenario in scenarios])


def workload(name: str, words: str, problem: Flow, count: int) -> Workload:
    """Return the workload: ours alone and on two threads, rebuilding, SciPy."""
    scenarios = problem.scenarios(count)
    tenth = scenarios[: max(1, count // 10)]
    rows, columns = problem.program.matrix.shape
    return Workload(
        name=name,
        title=f"{count} scenarios of a linear program, {words}: {rows:,} rows, {columns:,} "
        f"columns, {problem.program.matrix.nnz:,} nonzeros; changed: 3 capacities, half the costs",
        contestants=(
            Contestant(
                name="corridor",
                package="corridor",
                prepare=lambda: by_session(problem, scenarios),
            ),
            Contestant(
                name="corridor, 2 threads",
                package="corridor",
                prepare=lambda: by_two_threads(problem, scenarios),
            ),
            Contestant(
                name="OR-Tools, rebuilt, dual",
                package="ortools",
                prepare=lambda: by_rebuilding(problem, scenarios, "use_dual_simplex: true"),
                floor=3.0,
                goal=8.0,
            ),
            Contestant(
                name="OR-Tools, rebuilt, default",
                package="ortools",
                prepare=lambda: by_rebuilding(problem, scenarios, ""),
                floor=3.0,
                goal=8.0,
            ),
            Contestant(
                name="SciPy (HiGHS)",
                package="scipy",
                prepare=lambda: by_scipy(problem, tenth),
                share=len(tenth) / count,
            ),
        ),
        rtol=1e-9,
    )


def resolve(smoke: bool) -> Workload:  # noqa: FBT001
    """Random network with 14 commodities: 10,000 nonzeros."""
    size = (8, 20, 3) if smoke else (60, 240, 14)
    return workload("resolve", "flow in a random network", random_flow(*size), 4 if smoke else 100)


def resolve_planar(smoke: bool) -> Workload:  # noqa: FBT001
    """Map with 14 commodities: as many nonzeros, but easier."""
    size = (8, 20, 3) if smoke else (60, 240, 14)
    return workload("resolve-planar", "flow on a map", planar_flow(*size), 4 if smoke else 100)


def resolve_large(smoke: bool) -> Workload:  # noqa: FBT001
    """Map with 40 commodities: 100,000 nonzeros."""
    size = (8, 20, 3) if smoke else (200, 800, 40)
    return workload("resolve-large", "flow on a map", planar_flow(*size), 4 if smoke else 10)


WORKLOADS: dict[str, Callable[[bool], Workload]] = {
    "resolve": resolve,
    "resolve-planar": resolve_planar,
    "resolve-large": resolve_large,
}

"""Network design and portfolios of projects against the direct integer program, weak and strong."""

import argparse
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import scipy.sparse as sp

from benchmarks.harness import Answer, Contestant, Run, Workload
from benchmarks.investments import SMALL, StudyInstance, direct_investment, study_instance
from benchmarks.tntp import folder
from corridor.core.flows import FlowProblem, design_network
from corridor.core.graph import Graph
from corridor.core.solver import Program, solve

CLOSE, LOOSE = 1e-4, 1e-2
"""Gaps to which designs are searched."""
INSTANCES = ("r01.1", "r02.1", "c33", "c35")
PEERS = tuple((solver, form) for solver in ("scip", "highs") for form in ("strong", "weak"))
SHIPMENTS = 24
"""Largest shipments of the bundled study: with more the direct programs take minutes."""
TITLES = {"scip": "SCIP", "highs": "HiGHS"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Instance:
    """A design problem."""

    problem: FlowProblem
    fixed_cost: Answer

    @property
    def size(self) -> str:
        """Its sizes in words."""
        problem = self.problem
        nodes, arcs = problem.graph.n_nodes, problem.graph.n_arcs
        return f"{nodes} nodes, {arcs} arcs, {problem.n_commodities} commodities"


def read_instance(path: Path) -> Instance:
    """Return an instance in the format of the set canad."""
    values = np.array(path.read_text(encoding="utf-8").split("\n", 1)[1].split(), dtype=float)
    n_nodes, n_arcs, n_ods = values[:3].astype(int)
    tail, head, cost, capacity, fixed = values[3 : 3 + 7 * n_arcs].reshape(-1, 7)[:, :5].T
    origin, destination, demand = values[3 + 7 * n_arcs :][: 3 * n_ods].reshape(-1, 3).T
    graph = Graph(n_nodes, tail - 1, head - 1)
    problem = FlowProblem(graph, origin - 1, destination - 1, demand, cost, capacity)
    return Instance(problem=problem, fixed_cost=fixed)


def made_up(n_nodes: int, n_arcs: int, n_ods: int, seed: int = 0) -> Instance:
    """Return a problem like those of canad: random arcs, costs for distance, tight capacities.

    A ring that takes everything, ten times as dear, makes sure that all can be carried.
    """
    rng = np.random.default_rng(seed)
    ring = np.arange(n_nodes)
    tail = np.r_[ring, rng.integers(0, n_nodes, n_arcs - n_nodes)]
    head = (tail + np.r_[np.ones(n_nodes), rng.integers(1, n_nodes, n_arcs - n_nodes)]) % n_nodes
    origin = rng.integers(0, n_nodes, n_ods)
    destination = (origin + rng.integers(1, n_nodes, n_ods)) % n_nodes
    demand = rng.integers(5, 60, n_ods).astype(float)
    cost = rng.integers(5, 50, n_arcs).astype(float)
    capacity = np.round(rng.uniform(0.05, 0.25, n_arcs) * demand.sum())
    fixed = np.round(cost * rng.uniform(5.0, 20.0, n_arcs))
    capacity[:n_nodes], cost[:n_nodes] = demand.sum(), 10 * cost[:n_nodes]
    problem = FlowProblem(Graph(n_nodes, tail, head), origin, destination, demand, cost, capacity)
    return Instance(problem=problem, fixed_cost=fixed)


def direct_program(instance: Instance, *, strong: bool) -> Program:
    """Return the integer program over commodities and arcs, with or without all its links."""
    problem, graph = instance.problem, instance.problem.graph
    n_arcs, n_nodes, n_ods = graph.n_arcs, graph.n_nodes, problem.n_commodities
    assert problem.capacity is not None
    every = np.arange(n_ods)
    supply = np.zeros((n_ods, n_nodes))
    np.add.at(supply, (every, problem.origin), problem.demand)
    np.subtract.at(supply, (every, problem.destination), problem.demand)
    most = np.minimum(problem.demand[:, None], problem.capacity).ravel()
    flows, first_node = np.arange(most.size), np.repeat(every * n_nodes, n_arcs)
    arcs, ones = np.arange(n_arcs), np.ones(most.size)
    arc = np.tile(arcs, n_ods)
    balances = [
        (first_node + graph.tail[arc], flows, ones),
        (first_node + graph.head[arc], flows, -ones),
    ]
    room, links = supply.size, supply.size + n_arcs
    capacities = [(room + arc, flows, ones), (room + arcs, most.size + arcs, -problem.capacity)]
    strength = [(links + flows, flows, ones), (links + flows, most.size + arc, -most)]
    row, column, value = (
        np.concatenate(part)
        for part in zip(*balances, *capacities, *strength * strong, strict=True)
    )
    n_upper = n_arcs + most.size * strong
    size = (supply.size + n_upper, most.size + n_arcs)
    return Program(
        cost=np.r_[np.tile(problem.cost, n_ods), instance.fixed_cost],
        lower=np.zeros(most.size + n_arcs),
        upper=np.r_[most, np.ones(n_arcs)],
        matrix=sp.csr_matrix((value, (row, column)), shape=size),
        row_lower=np.r_[supply.ravel(), np.full(n_upper, -np.inf)],
        row_upper=np.r_[supply.ravel(), np.zeros(n_upper)],
        integer=np.r_[np.zeros(most.size, dtype=bool), np.ones(n_arcs, dtype=bool)],
    )


def by_design(instance: Instance, gap: float) -> Run:
    """Design; answer the cost."""

    def run() -> Answer:
        result = design_network(instance.problem, instance.fixed_cost, gap)
        assert result.status == "optimal", result.limit
        return np.array([result.objective])

    return run


def by_program(instance: Instance, solver: str, gap: float, *, strong: bool) -> Run:
    """Build the direct program and solve it; answer the cost.

    Building is part of the call, as it is of ours: both go from the problem to the design.
    """

    def run() -> Answer:
        program = direct_program(instance, strong=strong)
        answer = solve(program, solver, relative_gap=gap)
        assert answer.status == "optimal", answer.limit
        return np.array([answer.objective])

    return run


def instance_of(name: str, *, smoke: bool) -> tuple[str, Instance]:
    """Return an instance of canad, or a made-up one in smoke tests and where there are none."""
    place = folder()
    if smoke:
        return "made up", made_up(6, 20, 4)
    if place is None:
        return "made up", made_up(20, 230, 40)
    return name, read_instance(place.parent / "canad" / f"{name}.dow")


def until(name: str, gap: float) -> Callable[[bool], Workload]:
    """Return the workload of designing one instance to a gap."""

    def build(smoke: bool) -> Workload:  # noqa: FBT001
        title, instance = instance_of(name, smoke=smoke)
        peers = [
            Contestant(
                name=f"{TITLES[solver]}, {form} form",
                package="ortools",
                prepare=lambda solver=solver, form=form: by_program(
                    instance, solver, gap, strong=form == "strong"
                ),
                floor=1.0,
                goal=2.0,
            )
            for solver, form in PEERS
        ]
        ours = Contestant(
            name="corridor", package="corridor", prepare=lambda: by_design(instance, gap)
        )
        return Workload(
            name=workload_name(name, gap),
            title=f"design of {title} to a gap of {gap:g} ({instance.size})",
            contestants=(ours, *peers),
            rtol=2 * gap,
        )

    return build


def workload_name(name: str, gap: float) -> str:
    """Return the name of a workload."""
    return f"design-{name}" if gap == CLOSE else f"design-{name}-loose"


WORKLOADS: dict[str, Callable[[bool], Workload]] = {
    workload_name(name, gap): until(name, gap) for gap in (CLOSE, LOOSE) for name in INSTANCES
}


def by_invest(instance: StudyInstance, gap: float) -> Run:
    """Choose projects; answer the cost."""

    def run() -> Answer:
        found = instance.invest(gap)
        assert not found.limit
        return np.array([found.cost_musd_per_year])

    return run


def by_direct_investment(instance: StudyInstance, solver: str, gap: float, *, strong: bool) -> Run:
    """Build the direct program of the projects and solve it; answer the cost."""

    def run() -> Answer:
        program = direct_investment(instance, strong=strong)
        answer = solve(program, solver, relative_gap=gap)
        assert answer.status == "optimal", answer.limit
        return np.array([answer.objective])

    return run


def invested(smoke: bool) -> Workload:  # noqa: FBT001
    """Return the workload of choosing projects of the bundled study to the close gap."""
    instance = study_instance(3, SMALL) if smoke else study_instance(SHIPMENTS)
    # Every call compiles the study from its tables; smoke tests make do with half of the peers.
    peers = [
        Contestant(
            name=f"{TITLES[solver]}, {form} form",
            package="ortools",
            prepare=functools.partial(
                by_direct_investment, instance, solver, CLOSE, strong=form == "strong"
            ),
        )
        for solver, form in (PEERS[2:] if smoke else PEERS)
    ]
    ours = Contestant(
        name="corridor", package="corridor", prepare=lambda: by_invest(instance, CLOSE)
    )
    return Workload(
        name="design-invest",
        title=f"projects of the bundled study, no queues, to a gap of {CLOSE:g} ({instance.size})",
        contestants=(ours, *peers),
        rtol=2 * CLOSE,
    )


WORKLOADS["design-invest"] = invested


class Standing(NamedTuple):
    """What somebody has when the time is up, or before: wall and processor time [s], cost, gap."""

    name: str
    seconds: float
    cpu_s: float
    objective: float
    gap: float


Standings: TypeAlias = Callable[[], tuple[float, float]]
"""Solves within a time limit, and returns cost and gap."""


def standings(instance: Instance, gap: float, seconds: float) -> list[Standing]:
    """Return what ours and the peers, one after another, have under a time limit."""

    def ours() -> tuple[float, float]:
        result = design_network(instance.problem, instance.fixed_cost, gap, seconds)
        return result.objective, result.relative_gap

    tiny = made_up(6, 20, 4)
    by_design(tiny, gap)(), by_program(tiny, "highs", gap, strong=False)()  # load what they need
    build = functools.partial(direct_program, instance)
    return [standing("corridor", ours), *peer_standings(build, gap, seconds)]


def study_standings(instance: StudyInstance, gap: float, seconds: float) -> list[Standing]:
    """Return the same for projects of the bundled study."""

    def ours() -> tuple[float, float]:
        found = instance.invest(gap, seconds)
        return found.cost_musd_per_year, found.gap

    tiny = study_instance(6, SMALL)
    tiny.invest(gap), by_direct_investment(tiny, "highs", gap, strong=False)()
    build = functools.partial(direct_investment, instance)
    return [standing("corridor", ours), *peer_standings(build, gap, seconds)]


def peer_standings(build: Callable[..., Program], gap: float, seconds: float) -> list[Standing]:
    """Return what the solvers have of the direct program that a function builds."""

    def peer(solver: str, form: str) -> tuple[float, float]:
        answer = solve(build(strong=form == "strong"), solver, seconds, relative_gap=gap)
        return answer.objective, answer.gap

    return [
        standing(f"{TITLES[solver]}, {form} form", functools.partial(peer, solver, form))
        for solver, form in PEERS
    ]


def standing(name: str, run: Standings) -> Standing:
    """Return what one contestant has."""
    start, cpu = time.perf_counter(), time.process_time()
    objective, reached = run()
    return Standing(
        name, time.perf_counter() - start, time.process_time() - cpu, objective, reached
    )


def main(arguments: list[str] | None = None) -> None:
    """Print what everybody has after some seconds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.design", description=main.__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--gap", type=float, default=CLOSE)
    parser.add_argument("--instance", nargs="*", default=INSTANCES, help="names of canad")
    parser.add_argument(
        "--size", nargs=3, type=int, metavar=("NODES", "ARCS", "ODS"), help="a made-up one instead"
    )
    parser.add_argument(
        "--study", type=int, metavar="SHIPMENTS",
        help="projects of the bundled study with so many of its largest shipments instead",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    if options.study is not None:
        projects = study_instance(options.study)
        print(f"{projects.size}, to {options.gap:g} in at most {options.seconds:g} s")
        show(study_standings(projects, options.gap, options.seconds))
        return
    named = {name: instance_of(name, smoke=False)[1] for name in options.instance}
    chosen = {"made up": made_up(*options.size)} if options.size else named
    for name, instance in chosen.items():
        print(f"{name}: {instance.size}, to {options.gap:g} in at most {options.seconds:g} s")
        show(standings(instance, options.gap, options.seconds))


def show(lines: list[Standing]) -> None:
    """Print a line for each contestant."""
    for line in lines:
        times = f"{line.seconds:>8.3f} s {line.cpu_s:>8.3f} s of processor"
        print(f"  {line.name:<20} {times} {line.objective:>14,.2f}   gap {line.gap:.2e}")


if __name__ == "__main__":
    main()

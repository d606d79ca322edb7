"""Fixed-charge network design against the direct integer program, weak and strong."""

import argparse
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from benchmarks.harness import Answer, Contestant, Run, Workload
from benchmarks.tntp import folder
from corridor.core.flows import FlowProblem, design_network
from corridor.core.graph import Graph
from corridor.core.solver import Program, solve

CLOSE, LOOSE = 1e-4, 1e-2
"""Gaps to which designs are searched."""
INSTANCES = ("r01.1", "r02.1", "c33", "c35")
PEERS = tuple((solver, form) for solver in ("scip", "highs") for form in ("strong", "weak"))
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


class Standing(NamedTuple):
    """What somebody has when the time is up, or before: wall and processor time [s], cost, gap."""

    name: str
    seconds: float
    cpu_s: float
    objective: float
    gap: float


def standings(instance: Instance, gap: float, seconds: float) -> list[Standing]:
    """Return what ours and the peers, one after another, have under a time limit."""

    def ours() -> tuple[float, float]:
        result = design_network(instance.problem, instance.fixed_cost, gap, seconds)
        return result.objective, result.relative_gap

    def peer(solver: str, form: str) -> tuple[float, float]:
        program = direct_program(instance, strong=form == "strong")
        answer = solve(program, solver, seconds, relative_gap=gap)
        return answer.objective, answer.gap

    runs: dict[str, Callable[[], tuple[float, float]]] = {"corridor": ours}
    for solver, form in PEERS:
        runs[f"{TITLES[solver]}, {form} form"] = functools.partial(peer, solver, form)
    tiny = made_up(6, 20, 4)
    by_design(tiny, gap)(), by_program(tiny, "highs", gap, strong=False)()  # load what they need
    lines = []
    for name, run in runs.items():
        start, cpu = time.perf_counter(), time.process_time()
        objective, reached = run()
        taken = time.perf_counter() - start, time.process_time() - cpu
        lines.append(Standing(name, *taken, objective, reached))
    return lines


def main(arguments: list[str] | None = None) -> None:
    """Print what everybody has after some seconds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.design", description=main.__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--gap", type=float, default=CLOSE)
    parser.add_argument("--instance", nargs="*", default=INSTANCES, help="names of canad")
    parser.add_argument(
        "--size", nargs=3, type=int, metavar=("NODES", "ARCS", "ODS"), help="a made-up one instead"
    )
    options = parser.parse_args(arguments)
    named = {name: instance_of(name, smoke=False)[1] for name in options.instance}
    chosen = {"made up": made_up(*options.size)} if options.size else named
    for name, instance in chosen.items():
        print(f"{name}: {instance.size}, to {options.gap:g} in at most {options.seconds:g} s")
        for line in standings(instance, options.gap, options.seconds):
            times = f"{line.seconds:>8.3f} s {line.cpu_s:>8.3f} s of processor"
            print(f"  {line.name:<20} {times} {line.objective:>14,.2f}   gap {line.gap:.2e}")


if __name__ == "__main__":
    main()

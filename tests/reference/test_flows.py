"""Published optima: CommaLAB multicommodity and DIMACS single-commodity instances."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from corridor.core.flows import FlowProblem, min_cost_flow
from corridor.core.graph import Graph

FOLDER = Path(os.environ.get("CORRIDOR_INSTANCES", "instances-not-given"))
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="CORRIDOR_INSTANCES names no folder with reference instances"
)


def read_multicommodity(name: str) -> FlowProblem:
    path = FOLDER / "mmcf" / name.rstrip("0123456789") / name
    values = np.array(path.read_text(encoding="utf-8").split(), dtype=float)
    n_nodes, n_arcs, n_ods = values[:3].astype(int)
    arcs = values[3 : 3 + 4 * n_arcs].reshape(-1, 4)
    ods = values[3 + 4 * n_arcs :].reshape(n_ods, 3)
    return FlowProblem(
        Graph(n_nodes, arcs[:, 0] - 1, arcs[:, 1] - 1),
        ods[:, 0] - 1,
        ods[:, 1] - 1,
        ods[:, 2],
        arcs[:, 2],
        arcs[:, 3],
    )


@pytest.mark.parametrize("name", ["grid1", "grid2", "grid3", "planar30", "planar50"])
def test_multicommodity_optimum(name: str) -> None:
    with (FOLDER / "mmcf" / "known_optima.csv").open(encoding="utf-8", newline="") as file:
        known = {row["instance"]: float(row["optimum"]) for row in csv.DictReader(file)}
    result = min_cost_flow(read_multicommodity(name))
    assert result.status == "optimal"
    assert result.objective == pytest.approx(known[name], rel=1e-9)
    assert result.bound == pytest.approx(known[name], rel=1e-9)


def read_single_commodity(name: str) -> tuple[FlowProblem, float]:
    """Return the problem and the cost that its transformation takes out.

    Arcs of negative cost are filled first and may be emptied again at the opposite cost, lower
    bounds are sent first; what that leaves at the nodes comes from one source through arcs of
    that capacity, and each node that lacks something is a commodity.
    """
    lines = (FOLDER / "mcf" / f"{name}.min").read_text(encoding="utf-8").splitlines()
    size = next(line.split() for line in lines if line.startswith("p"))
    n_nodes = int(size[2])
    rows = [line.split()[1:] for line in lines if line.startswith("a")]
    tail, head, low, high, cost = np.array(rows, dtype=float).T
    tail, head = tail.astype(int) - 1, head.astype(int) - 1
    supply = np.zeros(n_nodes)
    for line in lines:
        if line.startswith("n"):
            _, node, amount = line.split()
            supply[int(node) - 1] = float(amount)
    sent = np.where(cost < 0, high, low)
    np.subtract.at(supply, tail, sent)
    np.add.at(supply, head, sent)
    back = cost < 0
    tails, heads = np.where(back, head, tail), np.where(back, tail, head)
    sources, sinks = np.flatnonzero(supply > 0), np.flatnonzero(supply < 0)
    graph = Graph(
        n_nodes + 1,
        np.r_[tails, np.full(sources.size, n_nodes)],
        np.r_[heads, sources],
    )
    problem = FlowProblem(
        graph,
        np.full(sinks.size, n_nodes),
        sinks,
        -supply[sinks],
        np.r_[np.abs(cost), np.zeros(sources.size)],
        np.r_[high - low, supply[sources]],
    )
    return problem, float(cost @ sent)


@pytest.mark.parametrize("name", ["transport_40x30", "circulation_100_0_10", "netgen_8_08a"])
def test_single_commodity_optimum(name: str) -> None:
    lines = (FOLDER / "mcf" / f"{name}.sol").read_text(encoding="utf-8").splitlines()
    known = next(float(line.split()[1]) for line in lines if line.startswith("s"))
    problem, constant = read_single_commodity(name)
    result = min_cost_flow(problem)
    assert result.status == "optimal"
    assert result.objective + constant == pytest.approx(known, rel=1e-9)

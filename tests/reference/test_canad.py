"""Published optima: multicommodity capacitated fixed-charge network design, set canad."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from corridor.core.flows import FlowProblem, design_network
from corridor.core.graph import Graph

FOLDER = Path(os.environ.get("CORRIDOR_INSTANCES", "instances-not-given"))
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="CORRIDOR_INSTANCES names no folder with reference instances"
)


def read(name: str) -> tuple[FlowProblem, np.ndarray]:
    """Return the problem and the fixed costs of a ``.dow`` file."""
    text = (FOLDER / "canad" / f"{name}.dow").read_text(encoding="utf-8")
    values = np.array(text.split("\n", 1)[1].split(), dtype=float)
    n_nodes, n_arcs, n_ods = values[:3].astype(int)
    arcs = values[3 : 3 + 7 * n_arcs].reshape(-1, 7)
    ods = values[3 + 7 * n_arcs :][: 3 * n_ods].reshape(-1, 3)
    graph = Graph(n_nodes, arcs[:, 0] - 1, arcs[:, 1] - 1)
    ends = ods[:, 0] - 1, ods[:, 1] - 1
    return FlowProblem(graph, *ends, ods[:, 2], arcs[:, 2], arcs[:, 3]), arcs[:, 4]


def known() -> dict[str, dict[str, str]]:
    with (FOLDER / "canad" / "known_optima.csv").open(encoding="utf-8", newline="") as file:
        return {row["instance"]: row for row in csv.DictReader(file)}


@pytest.mark.parametrize("name", ["r01.1", "r01.7", "r02.1", "c33", "c35"])
def test_published_optimum(name: str) -> None:
    row = known()[name]
    problem, fixed = read(name)
    result = design_network(problem, fixed, tolerance=1e-4)
    assert result.status == row["status"]
    if row["status"] == "infeasible":
        assert not result.open.any()
        return
    optimum = float(row["optimum"])
    assert result.objective == pytest.approx(optimum, rel=1e-4)
    assert result.objective >= optimum * (1 - 1e-9)
    assert result.bound <= optimum * (1 + 1e-9)
    assert result.bound >= optimum * (1 - 1e-4)
    assert result.flow is not None
    cost = problem.cost @ result.flow.arc_flow + fixed[result.open].sum()
    assert result.objective == pytest.approx(cost, rel=1e-9)

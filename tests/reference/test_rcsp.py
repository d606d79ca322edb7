"""Resource-constrained shortest paths of Beasley and Christofides (Networks 19, 1989)."""

import csv
import os
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from corridor.core.graph import FloatArray, Graph
from corridor.core.paths import constrained_path

FOLDER = Path(os.environ.get("CORRIDOR_INSTANCES", ""))
NAMES = [f"rcsp{number}" for number in range(1, 9)]


def instance(name: str) -> Path:
    """Return the path of an instance file, or skip the test and say why."""
    if "CORRIDOR_INSTANCES" not in os.environ:
        pytest.skip("CORRIDOR_INSTANCES does not name the folder of reference instances")
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"the instances have no {name}")
    return path


def published() -> dict[str, float]:
    with instance("rcsp/known_optima.csv").open(encoding="utf-8", newline="") as file:
        return {row["instance"]: float(row["optimal"]) for row in csv.DictReader(file)}


def read(path: Path) -> tuple[Graph, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return the graph, cost and use of its arcs, and the bounds.

    What passing through a vertex uses is added to the arcs that enter it; what the first vertex
    uses is used anyway and taken off the bounds.
    """
    numbers = (float(field) for field in path.read_text().split())
    n_nodes, n_arcs, n_resources = (int(number) for number in islice(numbers, 3))
    lower, limits = np.array(list(islice(numbers, 2 * n_resources))).reshape(2, -1)
    vertex = np.array(list(islice(numbers, n_nodes * n_resources))).reshape(n_nodes, -1)
    arcs = np.array(list(numbers)).reshape(n_arcs, 3 + n_resources)
    graph = Graph(n_nodes, arcs[:, 0] - 1, arcs[:, 1] - 1)
    use = arcs[:, 3:] + vertex[graph.head]
    return graph, arcs[:, 2], use.T, np.maximum(lower - vertex[0], 0.0), limits - vertex[0]


@pytest.mark.parametrize("name", NAMES)
def test_cost_equals_the_published_optimum(name: str) -> None:
    graph, cost, use, lower, limits = read(instance(f"rcsp/{name}.txt"))
    found = constrained_path(graph, cost, use, limits, 0, graph.n_nodes - 1, lower=lower)
    assert found is not None
    assert found.cost == published()[name]
    total = use[:, found.arcs].sum(axis=1)
    assert (total <= limits).all()
    assert (total >= lower).all()


def test_every_published_optimum_is_checked() -> None:
    assert list(published()) == NAMES

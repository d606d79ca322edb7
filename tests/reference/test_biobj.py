"""Number of nondominated cost vectors on a bi-objective road network, against the published."""

import csv
import os
import tarfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from corridor.core.graph import FloatArray, Graph
from corridor.core.paths import pareto_paths, shortest_paths

FOLDER = Path(os.environ.get("CORRIDOR_INSTANCES", ""))


def instance(name: str) -> Path:
    """Return the path of an instance file, or skip the test and say why."""
    if "CORRIDOR_INSTANCES" not in os.environ:
        pytest.skip("CORRIDOR_INSTANCES does not name the folder of reference instances")
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"the instances have no {name}")
    return path


@cache
def read_network(path: Path) -> tuple[Graph, FloatArray]:
    """Read ``sp min n m`` and ``from to c1 c2`` a line; lines with two fields name an OD pair."""
    with tarfile.open(path) as archive:
        member = archive.extractfile(archive.getnames()[0])
        assert member is not None
        lines = member.read().decode("ascii").splitlines()
    n_nodes, n_arcs = (int(field) for field in lines[0].split()[2:])
    rows = [line.split() for line in lines[1:]]
    table = np.array([row for row in rows if len(row) == 4], dtype=np.float64)
    assert len(table) == n_arcs
    return Graph(n_nodes, table[:, 0] - 1, table[:, 1] - 1), table[:, 2:].T.copy()


def published() -> list[dict[str, str]]:
    with instance("biobj/known_counts.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", ["DC1", "DC2", "DC3", "DC6"])
def test_number_of_vectors_equals_the_published(name: str) -> None:
    (row,) = [row for row in published() if row["instance"] == name]
    graph, costs = read_network(instance("biobj/DC1.tar.gz"))
    origin, destination = int(row["source"]) - 1, int(row["target"]) - 1
    found = pareto_paths(graph, costs, origin, destination)
    assert len(found) == int(row["n_nondominated"])
    for total, arcs in zip(found.costs, found.arcs, strict=True):
        np.testing.assert_array_equal(costs[:, arcs].sum(axis=1), total)
    distance, _ = shortest_paths(graph, costs, [origin])
    np.testing.assert_array_equal(found.costs.min(axis=0), distance[:, 0, destination])


def test_every_published_count_is_checked() -> None:
    assert [row["instance"] for row in published()] == ["DC1", "DC2", "DC3", "DC6"]

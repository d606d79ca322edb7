"""Published optima of "Transportation Networks for Research"."""

import csv

import numpy as np
import pytest

from benchmarks.tntp import Instance, folder, read_instance
from corridor.core.flows import FlowResult, system_optimum, user_equilibrium

FOLDER = folder()
pytestmark = pytest.mark.skipif(
    FOLDER is None, reason="CORRIDOR_INSTANCES names no folder with reference instances"
)

WEIGHTS = {"Chicago-Sketch": (0.02, 0.04)}
"""Minutes per cent of toll and per mile, where they count."""


def read(name: str) -> Instance:
    assert FOLDER is not None
    return read_instance(FOLDER / name, *WEIGHTS.get(name, (0.0, 0.0)))


def assign(instance: Instance, tolerance: float) -> FlowResult:
    return user_equilibrium(
        instance.graph, instance.origin, instance.destination, instance.demand, instance.delay,
        tolerance, instance.first_through_node,
    )  # fmt: skip


def published(name: str) -> float:
    assert FOLDER is not None
    with (FOLDER / "known_optima.csv").open(encoding="utf-8", newline="") as file:
        return next(
            float(row["beckmann_optimum"]) for row in csv.DictReader(file) if row["network"] == name
        )


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        ("SiouxFalls", 1e-12),
        ("Anaheim", 1e-12),
        ("Chicago-Sketch", 1e-10),
        ("Chicago-Sketch", 1e-12),
    ],
)
def test_published_optimum(name: str, tolerance: float) -> None:
    instance = read(name)
    result = assign(instance, tolerance)
    known = published(name)
    digits = len(str(known).split(".")[1])
    assert result.status == "optimal"
    assert result.relative_gap <= tolerance
    # All digits that are published, and at least ten.
    assert result.objective == pytest.approx(known, abs=0.51 * 10.0**-digits, rel=1e-12)
    assert result.bound <= result.objective <= known * (1 + 1e-10)


@pytest.mark.parametrize("name", ["SiouxFalls", "Anaheim", "Chicago-Sketch"])
def test_published_flows(name: str) -> None:
    """The arc flows are unique: those published by others are the same to their accuracy."""
    assert FOLDER is not None
    instance = read(name)
    result = assign(instance, 1e-12)
    text = next((FOLDER / name).glob("*_flow.tntp")).read_text(encoding="utf-8")
    rows = [line.replace(";", "").replace(":", " ").split() for line in text.splitlines()[1:]]
    table = np.array([row[:3] for row in rows if row], dtype=float)
    place = {(int(a) - 1, int(b) - 1): flow for a, b, flow in table}
    ends = zip(instance.graph.tail.tolist(), instance.graph.head.tolist(), strict=True)
    theirs = np.array([place[pair] for pair in ends])
    np.testing.assert_allclose(result.arc_flow, theirs, atol=1e-4 * theirs.mean())


def test_braess() -> None:
    """Four units take 92, two of them each of the three ways."""
    result = assign(read("Braess-Example"), 1e-12)
    np.testing.assert_allclose(result.arc_flow, [4, 2, 2, 2, 4], rtol=1e-7)
    assert result.demand_price[0] == pytest.approx(92.0, rel=1e-7)


def test_system_optimum_of_sioux_falls() -> None:
    instance = read("SiouxFalls")
    case = (instance.graph, instance.origin, instance.destination, instance.demand, instance.delay)
    best, free = system_optimum(*case, 1e-12), user_equilibrium(*case, 1e-12)
    assert best.objective == pytest.approx(7_194_256.05, abs=0.01)
    assert free.arc_flow @ instance.delay.cost(free.arc_flow) == pytest.approx(
        7_480_225.34, abs=0.01
    )

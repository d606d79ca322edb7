"""Published and exactly computed queues: the instances in queueing/, and textbook values."""

import csv
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corridor.core.queues import erlang_c, mean_wait, wait_tail


def _folder() -> Path:
    root = os.environ.get("CORRIDOR_INSTANCES")
    if not root:
        pytest.skip("CORRIDOR_INSTANCES does not name the folder of reference instances")
    folder = Path(root) / "queueing"
    if not folder.is_dir():
        pytest.skip(f"{folder} does not exist")
    return folder


def _exact(model: str) -> dict[str, np.ndarray[Any, Any]]:
    with (_folder() / "mgc_exact.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["model"] == model]
    assert rows, f"no rows of {model}"
    names = ("c", "rho", "scv", "P_wait", "Wq_over_mean_service")
    return {name: np.array([float(row[name]) for row in rows]) for name in names}


def _wait(table: dict[str, np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    return mean_wait(table["c"] * table["rho"], 1.0, table["c"], 1.0, table["scv"])


def _waits(table: dict[str, np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    return wait_tail(0.0, table["c"] * table["rho"], 1.0, table["c"], 1.0, table["scv"])


def test_every_row_is_compared() -> None:
    with (_folder() / "mgc_exact.csv").open(encoding="utf-8") as file:
        found = {row["model"] for row in csv.DictReader(file)}
    assert found == {"M/M/c", "M/D/c", "M/E2/c", "M/E4/c"}


def test_exponential_service_is_exact() -> None:
    table = _exact("M/M/c")
    np.testing.assert_allclose(_wait(table), table["Wq_over_mean_service"], rtol=1e-11)
    np.testing.assert_allclose(
        erlang_c(table["c"], table["c"] * table["rho"]), table["P_wait"], rtol=1e-11
    )


def test_constant_service_is_exact_to_the_digits_of_the_table() -> None:
    table = _exact("M/D/c")
    np.testing.assert_allclose(_wait(table), table["Wq_over_mean_service"], rtol=5e-9)
    np.testing.assert_allclose(_waits(table), table["P_wait"], rtol=5e-9)


@pytest.mark.parametrize("model", ["M/E2/c", "M/E4/c"])
def test_erlang_service_is_within_half_a_percent_and_exact_for_one_server(model: str) -> None:
    table = _exact(model)
    ratio = _wait(table) / table["Wq_over_mean_service"]
    np.testing.assert_allclose(ratio, 1.0, atol=0.005)
    assert (ratio <= 1 + 5e-8).all()  # the documented side of the error
    np.testing.assert_allclose(ratio[table["c"] == 1], 1.0, rtol=5e-8)
    np.testing.assert_allclose(_waits(table), table["P_wait"], rtol=0.002)
    one = table["c"] == 1
    np.testing.assert_allclose(_waits(table)[one], table["P_wait"][one], rtol=5e-8)


def test_published_checks() -> None:
    checks = json.loads((_folder() / "published_checks.json").read_text(encoding="utf-8"))
    compared = 0
    for check in checks:
        for quantity, expected in check["expect"].items():
            found = _quantity(check, quantity)
            assert found == pytest.approx(expected, abs=check["tol"]), (check["source"], quantity)
            compared += 1
    assert compared >= 7


def _quantity(check: dict[str, Any], quantity: str) -> float:
    if quantity == "P_wait":
        return float(erlang_c(check["c"], check["a"]))
    rate, service = check["lambda"], 1 / check["mu"]
    wait = float(mean_wait(rate, service, int(check["model"].rsplit("/", 1)[1])))
    return {
        "Lq": rate * wait,
        "W_system": wait + service,
        "L": rate * (wait + service),
    }[quantity]


@pytest.mark.parametrize(
    ("servers", "load", "probability", "queue"),
    [(3, 2.0, 4 / 9, 8 / 9), (5, 4.0, 0.5541125541, 2.2164502165), (10, 8.0, 0.4091801508, None)],
)
def test_textbook_values(
    servers: int, load: float, probability: float, queue: float | None
) -> None:
    assert erlang_c(servers, load) == pytest.approx(probability, rel=1e-9)
    if queue is not None:
        assert load * mean_wait(load, 1.0, servers) == pytest.approx(queue, rel=1e-9)

"""`FlowProblem`, `Pools` and `Rows` say what is wrong, where, and how much of it."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from corridor.core.flows import Delay, FlowProblem, HingeDelay, Pools, Rows
from corridor.core.graph import Graph
from corridor.errors import InputError

GRAPH = Graph(3, [0, 1, 0], [1, 2, 2])
ONE_POOL = Pools(sp.csr_matrix(np.ones((1, 3))), [5.0])


def build(**changes: Any) -> FlowProblem:  # noqa: ANN401
    arguments: dict[str, Any] = {
        "graph": GRAPH, "origin": [0, 1], "destination": [2, 2], "demand": [1.0, 2.0],
        "cost": [1.0, 1.0, 3.0],
    }  # fmt: skip
    return FlowProblem(**(arguments | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"origin": [0, 3]}, "origin must lie in 0..2; found 3 at position 1"),
        ({"destination": [-1, 2]}, "destination must lie in 0..2; found -1 at position 0"),
        ({"destination": [2]}, r"destination has shape \(1,\), expected \(2,\)"),
        ({"origin": [0.5, 1]}, "origin must hold whole numbers"),
        ({"demand": [1.0]}, r"demand has shape \(1,\), expected \(2,\)"),
        ({"demand": [1.0, -2.0]}, "demand must be >= 0 and finite; found -2.0 at position 1"),
        ({"demand": [np.inf, 1.0]}, "demand must be >= 0 and finite; found inf"),
        ({"demand": [np.nan, 1.0]}, "demand must be a number; found nan at position 0"),
        ({"cost": [1.0, 1.0]}, r"cost has shape \(2,\), expected \(3,\)"),
        ({"cost": [1.0, -1.0, 2.0]}, "cost must be >= 0; found -1.0 at position 1"),
        ({"cost": [[1.0, 1.0, np.nan]]}, "cost must be a number; found nan at position 0, 2"),
        ({"cost": np.ones((2, 4))}, r"cost has shape \(2, 4\), expected \(2, 3\)"),
        ({"capacity": [1.0, np.nan, 1.0]}, "capacity must be a number"),
        ({"capacity": [1.0, -1.0, 1.0]}, "capacity must be >= 0; found -1.0 at position 1"),
        ({"capacity": [1.0]}, r"capacity has shape \(1,\), expected \(3,\)"),
        ({"commodity_class": [0, 2], "cost": np.ones((2, 3))}, "commodity_class must lie in 0..1"),
        ({"commodity_class": [0]}, r"commodity_class has shape \(1,\), expected \(2,\)"),
        ({"allowed": [1, 0, 1]}, "allowed must be bool; found int64"),
        ({"allowed": [True]}, r"allowed has shape \(1,\), expected \(3,\)"),
        ({"unmet_cost": [1.0]}, r"unmet_cost has shape \(1,\), expected \(2,\)"),
        ({"unmet_cost": -1.0}, "unmet_cost must be >= 0 and finite; found -1.0"),
        ({"pools": ONE_POOL, "cost": np.ones((2, 3))}, r"pools.matrix has shape \(1, 3\)"),
        ({"delay": HingeDelay([1.0], [1.0])}, "delay needs pools"),
        (
            {"pools": ONE_POOL, "delay": HingeDelay([1.0, 1.0], [1.0, 1.0])},
            "one curve for each of the 1 pools; found 2",
        ),
    ],
)
def test_faults_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        build(**changes)


@pytest.mark.parametrize(
    ("matrix", "capacity", "message"),
    [
        (np.ones((1, 3)), [1.0], "must be a scipy sparse matrix; found ndarray"),
        (sp.csr_matrix([[1.0, -1.0]]), [1.0], "pools.matrix.data must be >= 0"),
        (sp.csr_matrix([[1.0, np.inf]]), [1.0], "pools.matrix.data must be finite"),
        (sp.csr_matrix([[1.0, 1.0]]), [-1.0], "pools.capacity must be >= 0"),
        (sp.csr_matrix([[1.0, 1.0]]), [1.0, 2.0], "pools.capacity has shape"),
    ],
)
def test_pools_are_checked(matrix: Any, capacity: list[float], message: str) -> None:  # noqa: ANN401
    with pytest.raises(InputError, match=message):
        Pools(matrix, capacity)


@pytest.mark.parametrize(
    ("lower", "upper", "message"),
    [
        ([2.0], [1.0], "rows.lower must be <= rows.upper; found 2.0 at position 0"),
        ([np.nan], [1.0], "rows.lower must be a number"),
        ([0.0, 0.0], [1.0], "rows.lower has shape"),
    ],
)
def test_rows_are_checked(lower: list[float], upper: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Rows(sp.csr_matrix([[1.0, -1.0]]), lower, upper)


def test_classes_come_from_the_widest_array() -> None:
    assert build().n_classes == 1
    assert build(commodity_class=[0, 4]).n_classes == 5
    assert build(cost=np.ones((3, 3))).n_classes == 3
    assert build(pools=Pools(sp.csr_matrix((1, 6)), [1.0])).n_classes == 2


def test_arrays_are_copied_and_locked() -> None:
    cost = np.ones(3)
    problem = build(cost=cost, unmet_cost=7)
    cost[0] = 9
    assert problem.cost[0] == 1
    np.testing.assert_array_equal(problem.unmet_cost, [7, 7])
    with pytest.raises(ValueError, match="read-only"):
        problem.cost[0] = 2


def test_open_cost_closes_what_is_not_allowed() -> None:
    mask = np.array([[True, False, True], [True, True, True]])
    found = build(allowed=mask, cost=[1.0, 2.0, np.inf]).open_cost()
    np.testing.assert_array_equal(found, [[1, np.inf, np.inf], [1, 2, np.inf]])


def test_hinge_follows_the_protocol() -> None:
    assert isinstance(HingeDelay([1.0], [1.0]), Delay)

"""The checks catch wrong points and wrong prices."""

import numpy as np
import pytest
import scipy.sparse as sp

from corridor.core.solver import Program, _helper, _raw, solve
from corridor.core.solver.check import dual_point, verify_point
from corridor.errors import SolverError

PROGRAM = Program([1, 2], [0, 0], [3, 3], sp.csr_matrix([[1, 1]]), [4], [np.inf])


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([3, 0.9], "violates row 0"),
        ([3.1, 1], "violates column 0"),
        ([3, np.nan], "must be finite"),
        ([3], "of shape"),
    ],
)
def test_wrong_points_are_refused(x: list[float], message: str) -> None:
    with pytest.raises(SolverError, match=message):
        verify_point(PROGRAM, np.array(x, dtype=float))


def test_fractions_are_refused_in_integer_columns() -> None:
    program = Program([1], [0], [3], sp.csr_matrix([[1.0]]), [0], [3], integer=[True])
    with pytest.raises(SolverError, match="away from a whole number"):
        verify_point(program, np.array([0.5]))


@pytest.mark.parametrize("price", [0.0, 0.5, 1.0, 2.0, 7.0])
def test_any_price_proves_a_bound_below_the_optimum(price: float) -> None:
    bound, _, reduced = dual_point(PROGRAM, np.array([price]))
    assert bound <= 5.0 + 1e-12
    np.testing.assert_allclose(reduced, [1 - price, 2 - price])


def test_price_at_an_infinite_bound_proves_nothing() -> None:
    assert dual_point(PROGRAM, np.array([-0.5]))[0] == -np.inf


@pytest.mark.parametrize(
    "raw",
    [
        _raw.Raw(status="optimal", x=np.array([3.0, 0.0]), row_price=np.array([2.0])),
        _raw.Raw(status="optimal", x=np.array([3.0, 1.0]), row_price=np.array([1.0])),
        _raw.Raw(status="failed", detail="ABNORMAL"),
    ],
)
def test_a_lying_solver_is_caught(monkeypatch: pytest.MonkeyPatch, raw: _raw.Raw) -> None:
    monkeypatch.setattr(_helper, "run_glop", lambda *_: raw)
    with pytest.raises(SolverError, match="glop:"):
        solve(PROGRAM, "glop")
    # With "auto" the other solver steps in.
    assert solve(PROGRAM).solver == "highs"

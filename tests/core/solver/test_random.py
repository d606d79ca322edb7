"""Random linear programs of every kind, solved by everything, against scipy."""

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse as sp

from corridor.core.solver import Answer, Program, Session, solve

INF = np.inf
STATUS = {0: "optimal", 2: "infeasible", 3: "unbounded"}


def random_program(seed: int) -> Program:
    """Return a program in small whole numbers: equality rows, free columns, ties, any status."""
    rng = np.random.default_rng(seed)
    n_rows, n_columns = int(rng.integers(1, 9)), int(rng.integers(1, 11))
    matrix = rng.integers(-2, 3, (n_rows, n_columns)) * (rng.random((n_rows, n_columns)) < 0.6)
    kind = rng.integers(0, 4, n_rows)
    anchor = matrix @ rng.integers(0, 3, n_columns) + (rng.random(n_rows) < 0.1) * 20
    row_lower = np.where(kind == 1, -INF, anchor - (kind == 3))
    row_upper = np.where(kind == 2, INF, anchor)
    lower = np.where(rng.random(n_columns) < 0.2, -INF, 0.0)
    upper = np.where(rng.random(n_columns) < 0.5, INF, rng.integers(1, 4, n_columns))
    cost = rng.integers(-1, 4, n_columns)
    return Program(cost, lower, upper, sp.csr_matrix(matrix), row_lower, row_upper)


def scipy_answer(program: Program) -> tuple[str, float]:
    """Return the status without presolve, which mixes up infeasible and unbounded."""
    up, low = np.isfinite(program.row_upper), np.isfinite(program.row_lower)
    arguments = {
        "A_ub": sp.vstack([program.matrix[up], -program.matrix[low]]),
        "b_ub": np.r_[program.row_upper[up], -program.row_lower[low]],
        "bounds": np.column_stack([program.lower, program.upper]),
        "method": "highs-ds",
        "options": {"presolve": False},
    }
    if scipy.optimize.linprog(np.zeros(program.n_columns), **arguments).status == 2:
        return "infeasible", np.nan
    result = scipy.optimize.linprog(program.cost, **arguments)
    return STATUS[result.status], result.fun if result.status == 0 else np.nan


def check(program: Program, answer: Answer) -> str:
    """Assert that an answer is scipy's, and that its prices prove it."""
    status, optimum = scipy_answer(program)
    assert answer.status == status
    if status != "optimal":
        assert answer.x is None
        return status
    assert answer.objective == pytest.approx(optimum, rel=1e-6, abs=1e-6)
    assert answer.gap <= 1e-6
    assert answer.row_price is not None
    assert answer.reduced_cost is not None
    np.testing.assert_allclose(
        answer.reduced_cost, program.cost - program.matrix.T @ answer.row_price, atol=1e-12
    )
    return status


@pytest.mark.parametrize("solver", ["glop", "highs", "auto"])
def test_every_status_equals_scipy(solver: str) -> None:
    programs = [random_program(seed) for seed in range(80)]
    statuses = [check(program, solve(program, solver)) for program in programs]
    assert min(statuses.count(status) for status in STATUS.values()) >= 5


def test_pdlp_equals_scipy() -> None:
    programs = [random_program(seed) for seed in range(80)]
    found = [p for p in programs if scipy_answer(p)[0] == "optimal"]
    assert len(found) >= 20
    for program in found:
        assert check(program, solve(program, "pdlp")) == "optimal"


def test_sessions_equal_scipy_when_they_turn_into_other_programs() -> None:
    """One session a matrix: costs and bounds of one status after costs and bounds of another."""
    statuses = []
    for seed in range(60):
        program = random_program(seed)
        session = Session(program)
        for turn in range(3):
            rng = np.random.default_rng(1000 * seed + turn)
            shift = rng.integers(-2, 3, program.n_rows)
            session.change(
                cost=rng.integers(-1, 4, program.n_columns),
                row_lower=program.row_lower + shift,
                row_upper=program.row_upper + shift,
            )
            statuses.append(check(session.program, session.solve()))
    assert min(statuses.count(status) for status in STATUS.values()) >= 10

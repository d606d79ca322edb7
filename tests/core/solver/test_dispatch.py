"""`solve`: optimum, prices, statuses and limits, against hand results and scipy."""

import math

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse as sp

from corridor.core.solver import Program, solve
from corridor.errors import InputError

INF = np.inf
LINEAR = ["glop", "highs", "auto"]


@pytest.mark.parametrize("solver", LINEAR)
def test_prices_and_reduced_costs_by_hand(solver: str) -> None:
    # min x + 2y, x + y >= 4, x <= 3: one more unit of the row costs 2, one more x saves 1.
    program = Program([1, 2], [0, 0], [3, 3], sp.csr_matrix([[1, 1]]), [4], [INF])
    answer = solve(program, solver)
    assert answer.status == "optimal"
    assert answer.objective == pytest.approx(5.0)
    assert answer.bound == pytest.approx(5.0)
    assert answer.gap == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(answer.x, [3, 1])
    np.testing.assert_allclose(answer.row_price, [2])
    np.testing.assert_allclose(answer.reduced_cost, [-1, 0], atol=1e-9)


def random_program(seed: int) -> Program:
    rng = np.random.default_rng(seed)
    n_rows, n_columns = 12, 20
    matrix = sp.random_array((n_rows, n_columns), density=0.4, rng=rng, format="csr") * 10 - 0.0
    inside = rng.uniform(0, 3, n_columns)
    activity = matrix @ inside
    lower = np.where(rng.random(n_rows) < 0.5, activity - rng.random(n_rows), -INF)
    upper = np.where(rng.random(n_rows) < 0.5, activity + rng.random(n_rows), INF)
    cost = rng.normal(size=n_columns)
    return Program(
        cost, np.zeros(n_columns), np.full(n_columns, 4.0), sp.csr_matrix(matrix), lower, upper
    )


def scipy_answer(program: Program) -> scipy.optimize.OptimizeResult:
    up, low = np.isfinite(program.row_upper), np.isfinite(program.row_lower)
    return scipy.optimize.linprog(
        program.cost,
        A_ub=sp.vstack([program.matrix[up], -program.matrix[low]]),
        b_ub=np.r_[program.row_upper[up], -program.row_lower[low]],
        bounds=np.column_stack([program.lower, program.upper]),
        method="highs",
    )


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("solver", ["glop", "highs"])
def test_equals_scipy(seed: int, solver: str) -> None:
    program = random_program(seed)
    answer = solve(program, solver)
    assert answer.status == "optimal"
    assert answer.objective == pytest.approx(scipy_answer(program).fun, rel=1e-9, abs=1e-9)
    assert (answer.row_price[np.isneginf(program.row_lower)] <= 1e-9).all()
    assert (answer.row_price[np.isposinf(program.row_upper)] >= -1e-9).all()


@pytest.mark.parametrize("seed", range(3))
def test_price_is_the_change_of_the_optimum_per_unit_of_bound(seed: int) -> None:
    program = random_program(seed)
    base = solve(program, "glop")
    step = 1e-6
    for row in np.flatnonzero(np.abs(base.row_price) > 1e-6):
        at_lower = base.row_price[row] > 0
        name = "row_lower" if at_lower else "row_upper"
        moved = getattr(program, name).copy()
        moved[row] += step
        bounds = {"row_lower": program.row_lower, "row_upper": program.row_upper, name: moved}
        other = solve(
            Program(program.cost, program.lower, program.upper, program.matrix, **bounds), "glop"
        )
        slope = (other.objective - base.objective) / step
        assert slope == pytest.approx(base.row_price[row], rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("solver", LINEAR)
def test_infeasible_is_a_status(solver: str) -> None:
    program = Program([1, 2], [0, 0], [1, 1], sp.csr_matrix([[1, 1]]), [4], [INF])
    answer = solve(program, solver)
    assert (answer.status, answer.limit, answer.x) == ("infeasible", "", None)
    assert math.isnan(answer.objective)


@pytest.mark.parametrize("solver", LINEAR)
def test_unbounded_is_told_from_infeasible(solver: str) -> None:
    program = Program([-1, 2], [0, 0], [INF, 1], sp.csr_matrix([[0, 1]]), [0], [INF])
    assert solve(program, solver).status == "unbounded"


def test_unbounded_with_integers() -> None:
    matrix = sp.csr_matrix([[0.0, 1.0]])
    program = Program([-1, 2], [0, 0], [INF, 1], matrix, [0], [INF], integer=[True, False])
    assert solve(program).status == "unbounded"


def test_infeasible_with_integers() -> None:
    program = Program([1], [0], [9], sp.csr_matrix([[2.0]]), [3], [3], integer=[True])
    assert solve(program).status == "infeasible"


def test_knapsack_against_enumeration() -> None:
    rng = np.random.default_rng(5)
    value, weight = rng.integers(5, 40, 10), rng.integers(3, 20, 10)
    limit = int(weight.sum() // 2)
    program = Program(
        -value,
        np.zeros(10),
        np.ones(10),
        sp.csr_matrix(weight[None, :]),
        [-INF],
        [limit],
        integer=np.ones(10, dtype=bool),
    )
    picks = (np.arange(1024)[:, None] >> np.arange(10)) & 1
    best = (picks @ value)[picks @ weight <= limit].max()
    answer = solve(program)
    assert answer.status == "optimal"
    assert answer.objective == pytest.approx(-best)
    assert answer.row_price is None


def test_program_without_rows_takes_the_cheap_bounds() -> None:
    program = Program([1, -2], [0, 0], [3, 3], sp.csr_matrix((0, 2)), [], [])
    answer = solve(program)
    assert answer.objective == pytest.approx(-6.0)


def hard_program() -> Program:
    """Return a transport program that takes seconds."""
    rng = np.random.default_rng(0)
    n = 300
    rows = sp.vstack(
        [sp.kron(sp.identity(n), np.ones((1, n))), sp.kron(np.ones((1, n)), sp.identity(n))]
    )
    ones = np.ones(2 * n)
    return Program(rng.random(n * n), np.zeros(n * n), np.full(n * n, INF), rows, ones, ones)


@pytest.mark.parametrize("solver", LINEAR)
def test_time_limit_is_a_status(solver: str) -> None:
    answer = solve(hard_program(), solver, time_limit=0.001)
    assert answer.status in ("feasible", "unknown")
    assert answer.limit == "time"
    assert answer.seconds < 10


def test_same_program_gives_the_same_answer() -> None:
    first, second = (solve(random_program(3), "glop") for _ in range(2))
    np.testing.assert_array_equal(first.x, second.x)
    np.testing.assert_array_equal(first.row_price, second.row_price)


@pytest.mark.parametrize("solver", ["cplex", ""])
def test_unknown_solver_is_refused(solver: str) -> None:
    with pytest.raises(
        InputError, match="solver must be one of auto, glop, highs, pdlp, scip, cp_sat"
    ):
        solve(random_program(0), solver)


def test_linear_solver_refuses_integers() -> None:
    program = Program([1], [0], [9], sp.csr_matrix([[2.0]]), [3], [9], integer=[True])
    with pytest.raises(InputError, match="takes no integer columns"):
        solve(program, "glop")


@pytest.mark.parametrize("limit", [0, -1, math.nan])
def test_time_limit_must_be_positive(limit: float) -> None:
    with pytest.raises(InputError, match="time_limit must be > 0"):
        solve(random_program(0), time_limit=limit)

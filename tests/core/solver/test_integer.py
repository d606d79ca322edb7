"""Programs with integers: every solver against scipy, the CP-SAT trap, gaps and known points."""

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse as sp

from corridor.core.solver import Program, _mathopt, solve
from corridor.core.solver._raw import Raw
from corridor.core.solver.choice import why_not_cp_sat
from corridor.core.solver.request import Request
from corridor.core.solver.settle import settle
from corridor.errors import InputError, SolverError

INF = np.inf


def random_program(seed: int, *, pure: bool) -> Program:
    """Return a program with equality rows, negative costs, and (unless pure) free columns."""
    rng = np.random.default_rng(seed)
    n_rows, n_columns = 8, 14
    block = sp.random_array((n_rows, n_columns), density=0.4, rng=rng, format="csr")
    block.data = np.round(block.data * 9 - 3)
    integer = np.ones(n_columns, dtype=bool) if pure else rng.random(n_columns) < 0.6
    free = ~integer & (rng.random(n_columns) < 0.3)
    inside = np.where(integer, rng.integers(0, 4, n_columns), rng.uniform(0, 3, n_columns))
    activity = block @ inside
    equal, open_below = rng.random(n_rows) < 0.3, rng.random(n_rows) < 0.3
    lower = np.where(open_below & ~equal, -INF, activity - np.where(equal, 0, 2))
    cost = np.where(free, 0.0, np.round(rng.normal(size=n_columns) * 5))
    return Program(
        cost,
        np.where(free, -INF, 0.0),
        np.where(free, INF, 5.0),
        sp.csr_matrix(block),
        np.round(lower) if pure else lower,
        np.round(activity) + 1 if pure else np.where(equal, activity, activity + 1),
        integer=integer,
    )


def scipy_optimum(program: Program) -> float:
    result = scipy.optimize.milp(
        program.cost,
        integrality=program.integer,
        bounds=scipy.optimize.Bounds(program.lower, program.upper),
        constraints=scipy.optimize.LinearConstraint(
            program.matrix, program.row_lower, program.row_upper
        ),
        options={"mip_rel_gap": 0.0},
    )
    assert result.status == 0
    return float(result.fun)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("solver", ["scip", "highs", "auto"])
def test_mixed_equals_scipy(seed: int, solver: str) -> None:
    program = random_program(seed, pure=False)
    answer = solve(program, solver)
    assert answer.status == "optimal"
    assert answer.objective == pytest.approx(scipy_optimum(program), rel=1e-6, abs=1e-6)
    assert answer.bound <= answer.objective
    assert answer.gap <= 1e-6
    assert answer.solver == {"auto": "scip"}.get(solver, solver)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("solver", ["scip", "highs", "cp_sat", "auto"])
def test_pure_equals_scipy(seed: int, solver: str) -> None:
    program = random_program(seed, pure=True)
    answer = solve(program, solver)
    assert answer.status == "optimal"
    assert answer.objective == pytest.approx(scipy_optimum(program), rel=1e-9)
    assert answer.solver == {"auto": "cp_sat"}.get(solver, solver)


FLOWS = Program(
    # x + y >= 2.5 with x <= 1.5 z, and y dearer than x: x = 1.5, y = 1, at a cost of 3.
    [1, 1.5, 0],
    [0, 0, 0],
    [10, 10, 1],
    sp.csr_matrix([[1, 1, 0], [1, 0, -1.5]]),
    [2.5, -INF],
    [INF, 0],
    integer=[False, False, True],
)


def test_cp_sat_would_solve_another_program() -> None:
    """Handed continuous columns, CP-SAT says OPTIMAL of a rounded program; so it gets none."""
    raw = _mathopt.run(FLOWS, "cp_sat", Request())
    assert raw.status == "optimal"
    assert raw.x is not None
    assert FLOWS.cost @ raw.x == pytest.approx(4.0)  # x and y whole
    with pytest.raises(InputError, match="takes whole programs only, and rounds others"):
        solve(FLOWS, "cp_sat")
    assert solve(FLOWS).objective == pytest.approx(3.0) == scipy_optimum(FLOWS)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"integer": np.array([True, False])}, "every column"),
        ({"upper": [INF, 3]}, "bounds of columns"),
        ({"upper": [2.5, 3]}, "bounds of columns"),
        ({"cost": [0.5, 1]}, "coefficients and costs"),
        ({"matrix": sp.csr_matrix([[0.5, 1]])}, "coefficients and costs"),
        ({"cost": [2e6, 1]}, "coefficients and costs"),
        ({"row_upper": [4.5]}, "bounds of rows"),
        ({}, ""),
    ],
)
def test_what_keeps_programs_from_cp_sat(change: dict[str, object], why: str) -> None:
    whole: dict[str, object] = {
        "cost": [1, 2],
        "lower": [0, 0],
        "upper": [3, 3],
        "matrix": sp.csr_matrix([[1, 1]]),
        "row_lower": [2],
        "row_upper": [INF],
        "integer": np.array([True, True]),
    }
    found = why_not_cp_sat(Program(**(whole | change)))  # type: ignore[arg-type]
    assert found.startswith(why)
    assert bool(found) == bool(why)


@pytest.mark.parametrize("solver", ["scip", "highs", "cp_sat"])
def test_infeasible_integers_are_a_status(solver: str) -> None:
    program = Program([1], [0], [9], sp.csr_matrix([[2.0]]), [3], [3], integer=[True])
    assert solve(program, solver).status == "infeasible"


def knapsack(n_columns: int = 60, n_rows: int = 5) -> Program:
    """Return a knapsack with several limits, which takes a second or so."""
    rng = np.random.default_rng(0)
    weight = rng.integers(5, 100, (n_rows, n_columns)).astype(float)
    value = rng.integers(20, 100, n_columns) + np.round(weight.mean(axis=0))
    return Program(
        -value,
        np.zeros(n_columns),
        np.ones(n_columns),
        sp.csr_matrix(weight),
        np.full(n_rows, -INF),
        np.floor(0.4 * weight.sum(axis=1)),
        integer=np.ones(n_columns, dtype=bool),
    )


@pytest.mark.parametrize("solver", ["scip", "highs", "cp_sat"])
def test_gap_is_kept_and_told(solver: str) -> None:
    program = knapsack()
    answer = solve(program, solver, relative_gap=0.05)
    best = -3300.0  # all three, and scipy, without a gap
    assert answer.status == "optimal"
    assert 0 < answer.gap <= 0.05
    assert answer.bound <= best <= answer.objective


@pytest.mark.parametrize("solver", ["scip", "cp_sat"])
def test_known_point_is_used(solver: str) -> None:
    program = knapsack()
    best = solve(program).x
    assert best is not None
    seen: list[float] = []
    again = solve(
        program, solver, start=best, relative_gap=0.1, progress=lambda found, _: seen.append(found)
    )
    # A gap of 10 % is met at once by the known point, and by nothing better than it.
    assert again.objective == pytest.approx(-3300)
    assert seen[0] == pytest.approx(-3300)


@pytest.mark.parametrize("solver", ["scip", "cp_sat"])
def test_a_proof_ends_where_a_balanced_search_does(solver: str) -> None:
    best = solve(knapsack()).x
    answer = solve(knapsack(), solver, start=best, effort="proof")
    assert answer.status == "optimal"
    assert answer.objective == pytest.approx(-3300)
    assert answer.bound == pytest.approx(-3300)
    with pytest.raises(InputError, match="effort must be one of balanced, proof"):
        solve(knapsack(), effort="hard")  # type: ignore[arg-type]


def test_partial_and_wrong_points_do_no_harm() -> None:
    program = knapsack(20)
    best = solve(program).objective
    point = np.where(np.arange(20) % 2 == 0, 1.0, np.nan)
    assert solve(program, start=point).objective == best
    assert solve(program, "scip", start=np.ones(20)).objective == best


@pytest.mark.parametrize("start", [[0.0], [INF] * 20])
def test_start_out_of_shape_is_refused(start: list[float]) -> None:
    with pytest.raises(InputError, match="start must be of shape"):
        solve(knapsack(20), start=start)


@pytest.mark.parametrize("solver", ["scip", "cp_sat"])
def test_same_program_gives_the_same_point(solver: str) -> None:
    first, second = (solve(knapsack(30), solver).x for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_bound_that_does_not_support_the_optimum_is_caught() -> None:
    program = Program([1], [0], [3], sp.csr_matrix([[1.0]]), [1], [3], integer=[True])
    raw = Raw(status="optimal", x=np.array([2.0]), bound=1.0)
    with pytest.raises(SolverError, match="proved only 1"):
        settle(program, "scip", raw, Request())

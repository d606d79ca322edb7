"""Limits, interrupts and progress: what stops a solver and what it tells on the way."""

import math
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
import scipy.sparse as sp

from corridor.core.solver import Answer, Program, Session, solve
from corridor.errors import InputError

INF = np.inf


def cover(n_rows: int = 150, n_columns: int = 500) -> Program:
    """Return a set cover that takes 20 s."""
    rng = np.random.default_rng(0)
    matrix = (rng.random((n_rows, n_columns)) < 0.05).astype(float)
    matrix[np.arange(n_rows), rng.integers(0, n_columns, n_rows)] = 1.0
    return Program(
        rng.integers(10, 60, n_columns),
        np.zeros(n_columns),
        np.ones(n_columns),
        sp.csr_matrix(matrix),
        np.ones(n_rows),
        np.full(n_rows, INF),
        integer=np.ones(n_columns, dtype=bool),
    )


def dense(n: int = 500) -> Program:
    """Return a dense linear program with equality rows that takes a second or more."""
    rng = np.random.default_rng(0)
    matrix = sp.csr_matrix(rng.normal(size=(n, 2 * n)))
    bounds = matrix @ rng.random(2 * n)
    return Program(
        rng.normal(size=2 * n), np.zeros(2 * n), np.full(2 * n, 2.0), matrix, bounds, bounds
    )


def assert_stopped(answer: Answer, limit: str) -> None:
    assert answer.limit == limit
    assert answer.status in ("feasible", "unknown")
    if answer.status == "feasible":
        assert answer.bound <= answer.objective
        assert answer.gap >= 0
    else:
        assert math.isnan(answer.objective)


@pytest.mark.parametrize("solver", ["scip", "cp_sat", "highs"])
def test_time_limit_with_integers(solver: str) -> None:
    answer = solve(cover(), solver, time_limit=0.7)
    assert_stopped(answer, "time")
    assert answer.status == "feasible"
    assert answer.objective >= 381  # the optimum, found by SCIP and HiGHS in 20 s
    assert answer.bound <= 381
    assert answer.seconds < 15


def test_time_limit_on_pdlp_and_session() -> None:
    assert_stopped(solve(dense(), "pdlp", time_limit=0.1), "time")
    assert_stopped(Session(dense()).solve(time_limit=0.1), "time")


@pytest.mark.parametrize("solver", ["scip", "cp_sat"])
def test_interrupt_with_integers(solver: str) -> None:
    event = threading.Event()
    threading.Timer(0.4, event.set).start()
    answer = solve(cover(), solver, interrupt=event)
    assert_stopped(answer, "interrupt")
    assert answer.seconds < 15


@pytest.mark.parametrize("solver", ["glop", "pdlp", "auto"])
def test_interrupt_of_linear_programs(solver: str) -> None:
    stop_at = time.perf_counter() + 0.15
    answer = solve(dense(), solver, interrupt=lambda: time.perf_counter() > stop_at)
    assert_stopped(answer, "interrupt")
    assert answer.seconds < 15


def test_interrupt_that_is_set_already() -> None:
    event = threading.Event()
    event.set()
    assert_stopped(solve(dense(5), interrupt=event), "interrupt")


def test_interrupt_that_never_comes() -> None:
    program = dense(8)
    answer = solve(program, interrupt=threading.Event())
    assert answer.status == "optimal"
    assert answer.objective == pytest.approx(solve(program).objective)


def test_highs_cannot_be_interrupted() -> None:
    with pytest.raises(InputError, match="runs on when interrupted"):
        solve(dense(5), "highs", interrupt=threading.Event())


@pytest.mark.parametrize("solver", ["scip", "cp_sat"])
def test_progress_tells_objective_and_bound(solver: str) -> None:
    seen: list[tuple[float, float]] = []
    answer = solve(cover(60, 200), solver, progress=lambda *pair: seen.append(pair))
    objective, bound = np.array(seen).T
    assert (np.diff(objective) <= 0).all()
    assert (np.diff(bound) >= -1e-6 * np.abs(bound[1:])).all()
    assert objective[-1] == pytest.approx(answer.objective, rel=1e-6)
    assert (bound <= answer.objective * (1 + 1e-6)).all()


def raising(*_: float) -> bool:
    msg = "enough"
    raise KeyError(msg)


@pytest.mark.parametrize("solver", ["scip", "cp_sat"])
def test_an_exception_in_progress_stops_the_solver_and_is_raised(solver: str) -> None:
    with pytest.raises(KeyError, match="enough"):
        solve(cover(), solver, progress=raising)


def test_an_exception_in_interrupt_is_raised() -> None:
    calls = 0

    def late() -> bool:
        nonlocal calls
        calls += 1
        return calls > 3 and raising()

    with pytest.raises(KeyError, match="enough"):
        solve(dense(), interrupt=late)


@pytest.mark.parametrize("gap", [-0.1, math.nan, INF])
def test_gap_out_of_range_is_refused(gap: float) -> None:
    with pytest.raises(InputError, match="relative_gap must be >= 0"):
        solve(dense(3), relative_gap=gap)


@pytest.mark.parametrize("run", [solve, lambda p, **k: Session(p).solve(**k)])
def test_time_limit_is_checked(run: Callable[..., Answer]) -> None:
    with pytest.raises(InputError, match="time_limit must be > 0"):
        run(dense(3), time_limit=0)

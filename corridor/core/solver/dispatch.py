"""Choose a solver, run it, settle what it left open, and check what it said."""

import time
from typing import Final

import numpy as np
import scipy.sparse as sp

from corridor.core.solver.program import Answer, Program, Status
from corridor.core.solver.settle import empty, settle
from corridor.errors import InputError, SolverError

SOLVERS: Final = ("auto", "glop", "highs", "scip")
GLOP_MOST_NONZEROS: Final = 30_000
"""Above this many nonzeros a cold HiGHS solve is faster than a cold GLOP solve (measured)."""
FEASIBILITY_TOLERANCE: Final = 1e-7
"""Least total violation, relative to the bounds' size, that counts as infeasible."""


def solve(program: Program, solver: str = "auto", time_limit: float | None = None) -> Answer:
    """Solve a linear or mixed-integer program and check the answer.

    Parameters
    ----------
    program
        What to solve.
    solver
        ``glop`` or ``highs`` (linear), ``scip`` (integers), or ``auto``: SCIP with integers, GLOP
        for small and HiGHS for large linear programs, and the other one if the first fails.
    time_limit
        Wall time [s], > 0; None for none.

    Returns
    -------
    answer : Answer
        Status, point, prices, bound. One thread, deterministic.

    Raises
    ------
    InputError
        If the solver is not known or cannot take the program, or the time limit is not > 0.
    SolverError
        If the solver fails, or its answer does not pass the checks of
        `corridor.core.solver.check`.

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> from corridor.core.solver import Program, solve
    >>> answer = solve(Program([1, 2], [0, 0], [3, 3], sp.csr_matrix([[1, 1]]), [4], [4]))
    >>> answer.status, answer.objective, answer.row_price.tolist()
    ('optimal', 5.0, [2.0])
    """
    _check_arguments(program, solver, time_limit)
    start = time.perf_counter()
    faults = []
    for name in _candidates(program, solver):
        left = None if time_limit is None else time_limit - (time.perf_counter() - start)
        if left is not None and left <= 0:
            return empty("unknown", "time", name, start)
        try:
            return _attempt(program, name, left, start)
        except SolverError as error:
            faults.append(f"{name}: {error}")
    raise SolverError(" | ".join(faults))


def _check_arguments(program: Program, solver: str, time_limit: float | None) -> None:
    if solver not in SOLVERS:
        msg = f"solver must be one of {', '.join(SOLVERS)}; found {solver!r}."
        raise InputError(msg)
    if solver in ("glop", "highs") and program.has_integers:
        msg = f"solver {solver!r} takes no integer columns; use 'scip' or 'auto'."
        raise InputError(msg)
    check_time_limit(time_limit)


def check_time_limit(time_limit: float | None) -> None:
    """Refuse a time limit that is not > 0 s."""
    if time_limit is not None and not time_limit > 0:
        msg = f"time_limit must be > 0 s or None; found {time_limit}."
        raise InputError(msg)


def _candidates(program: Program, solver: str) -> tuple[str, ...]:
    if solver != "auto":
        return (solver,)
    if program.has_integers:
        return ("scip",)
    small = program.matrix.nnz <= GLOP_MOST_NONZEROS
    return ("glop", "highs") if small else ("highs", "glop")


def _attempt(program: Program, name: str, seconds: float | None, start: float) -> Answer:
    # OR-Tools is loaded by the first solve, and MathOpt, which doubles that, only where needed.
    if name == "highs":
        from corridor.core.solver import _mathopt

        raw = _mathopt.run_highs(program, seconds)
    else:
        from corridor.core.solver import _helper

        raw = _helper.run_helper(program, name, seconds)
    answer = settle(program, name, raw, start)
    if answer is not None:
        return answer
    return infeasible_or_unbounded(program, name, start)


def infeasible_or_unbounded(program: Program, solver: str, start: float) -> Answer:
    """Tell a program without a point from one without a bound, where a solver said either.

    Parameters
    ----------
    program
        A program that is one of the two.
    solver
        Name of the solver that finds out.
    start
        When the call began, as of `time.perf_counter` [s].
    """
    status: Status = "infeasible" if _violation(program, solver) else "unbounded"
    return empty(status, "", solver, start)


def _violation(program: Program, name: str) -> bool:
    """Whether no point satisfies the program: minimize the total violation of its rows.

    The elastic program always has an optimum, whose prices are checked like any other's: this
    tells infeasible from unbounded, which the solvers mix up, and proves it.
    """
    identity = sp.identity(program.n_rows, format="csr")
    integer = None
    if program.integer is not None:
        integer = np.r_[program.integer, np.zeros(2 * program.n_rows, dtype=np.bool_)]
    n_slacks = 2 * program.n_rows
    elastic = Program(
        cost=np.r_[np.zeros(program.n_columns), np.ones(n_slacks)],
        lower=np.r_[program.lower, np.zeros(n_slacks)],
        upper=np.r_[program.upper, np.full(n_slacks, np.inf)],
        matrix=sp.hstack([program.matrix, identity, -identity], format="csr"),
        row_lower=program.row_lower,
        row_upper=program.row_upper,
        integer=integer,
    )
    answer = _attempt(elastic, name, None, time.perf_counter())
    if answer.status != "optimal":
        msg = f"The feasibility check ended {answer.status}; it must end optimal."
        raise SolverError(msg)
    bounds = np.r_[program.row_lower, program.row_upper, program.lower, program.upper]
    size = float(np.abs(bounds[np.isfinite(bounds)]).max(initial=1.0))
    return answer.objective > FEASIBILITY_TOLERANCE * size

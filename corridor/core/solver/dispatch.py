"""Choose a solver, run it, settle what it left open, and check what it said."""

import math
import time
from typing import TYPE_CHECKING, Final

import numpy as np
import scipy.sparse as sp

from corridor.core.solver.check import DUAL_TOLERANCE, dual_point, verify_point
from corridor.core.solver.program import Answer, FloatArray, Program, Status
from corridor.errors import InputError, SolverError

if TYPE_CHECKING:
    from corridor.core.solver._ortools import Raw

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
            return _empty("unknown", "time", name, start)
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
    from corridor.core.solver import _ortools

    if name == "highs":
        raw = _ortools.run_highs(program, seconds)
    else:
        raw = _ortools.run_helper(program, name, seconds)
    if raw.status == "failed":
        msg = f"The solver failed: {raw.detail}."
        raise SolverError(msg)
    if raw.status == "none":
        return _empty("unknown", "time", name, start)
    if raw.x is not None and raw.status in ("optimal", "feasible"):
        return _checked(program, name, raw, raw.x, start)
    status: Status = "infeasible" if _violation(program, name) else "unbounded"
    return _empty(status, "", name, start)


def _checked(program: Program, name: str, raw: "Raw", x: FloatArray, start: float) -> Answer:
    try:
        objective = verify_point(program, x)
    except SolverError:
        if raw.status == "feasible":  # stopped on the way: the point is only a start
            return _empty("unknown", "time", name, start)
        raise
    bound, price, reduced = raw.bound, None, None
    if raw.row_price is not None and raw.status == "optimal":
        bound, price, reduced = dual_point(program, raw.row_price)
        if not abs(objective - bound) <= DUAL_TOLERANCE * max(1.0, abs(objective)):
            msg = (
                f"The point costs {objective:.12g} but the prices prove only {bound:.12g}; they "
                "must agree. Scale the program or try another solver."
            )
            raise SolverError(msg)
    # Rounding may put the bound a hair above the point.
    bound = min(bound, objective)
    return Answer(
        status="optimal" if raw.status == "optimal" else "feasible",
        limit="" if raw.status == "optimal" else "time",
        objective=objective,
        bound=bound,
        gap=(objective - bound) / max(abs(objective), 1.0),
        x=x,
        row_price=price,
        reduced_cost=reduced,
        solver=name,
        seconds=time.perf_counter() - start,
    )


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


def _empty(status: Status, limit: str, name: str, start: float) -> Answer:
    bound = {"infeasible": math.inf}.get(status, -math.inf)
    return Answer(
        status=status,
        limit=limit,
        objective=math.nan,
        bound=bound,
        gap=math.nan,
        x=None,
        row_price=None,
        reduced_cost=None,
        solver=name,
        seconds=time.perf_counter() - start,
    )

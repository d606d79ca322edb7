"""Choose a solver, run it, settle what it left open, and check what it said."""

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from corridor.core.solver._raw import Raw
from corridor.core.solver.choice import candidates
from corridor.core.solver.program import Answer, Program
from corridor.core.solver.request import Effort, Interrupt, Progress, Request, start_point
from corridor.core.solver.settle import empty, settle
from corridor.errors import SolverError

FEASIBILITY_TOLERANCE = 1e-7
"""Least total violation, relative to the bounds' size, that counts as infeasible."""


def solve(
    program: Program,
    solver: str = "auto",
    time_limit: float | None = None,
    *,
    relative_gap: float = 0.0,
    start: ArrayLike | None = None,
    interrupt: Interrupt | None = None,
    progress: Progress | None = None,
    effort: Effort = "balanced",
) -> Answer:
    """Solve a linear or mixed-integer program and check the answer.

    Parameters
    ----------
    program
        What to solve.
    solver
        ``glop``, ``highs`` or ``pdlp`` (linear), ``scip``, ``cp_sat`` or ``highs`` (integers), or
        ``auto``. See Notes.
    time_limit
        Wall time [s], > 0; None for none.
    relative_gap
        With integers: gap (as of `Answer`) at which the point counts as optimal, >= 0.
    start : array-like of float64, shape (n_columns,), optional
        With integers: a point to begin with, NaN where nothing is known; it need not be feasible.
        SCIP and CP-SAT use it, HiGHS does not. Linear programs begin from a basis: `Session`.
    interrupt
        A `threading.Event`, or a function that returns True (asked every 20 ms from another
        thread), that stops the solver. All but HiGHS stop; ``auto`` then leaves HiGHS out.
    progress
        Called with the best objective and the best bound when either is new, from within the
        solver: by SCIP with the 7 digits of its log, by CP-SAT at each new point. The others
        cannot, so linear programs and HiGHS never call it.
    effort
        With integers: ``balanced``, or ``proof`` where the start is known to be good, or points
        come by themselves: SCIP then spends no time on heuristics and restarts and little on cuts.
        The other solvers do not heed it.

    Returns
    -------
    answer : Answer
        Status, point, prices, bound. One thread; deterministic unless a limit stops it.

    Raises
    ------
    InputError
        If the solver is not known, or cannot take the program or be interrupted, or a limit or
        the start is out of range.
    SolverError
        If the solver fails, or its answer does not pass the checks of
        `corridor.core.solver.check`.

    Notes
    -----
    ``auto`` takes, for linear programs, GLOP up to 30,000 nonzeros (up to 100,000 where all columns
    are cheapest at a finite bound, so that its dual simplex starts at once), HiGHS above, and PDLP
    from 5,000,000 on, whose answers are precise to the tolerances of the checks, no more. With
    integers it takes CP-SAT where columns, bounds, coefficients and costs are all whole numbers of
    moderate size, else SCIP. If the first fails, the next one is tried.

    With an interrupt or progress, SCIP writes a line about events to stderr; it means nothing.

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> from corridor.core.solver import Program, solve
    >>> answer = solve(Program([1, 2], [0, 0], [3, 3], sp.csr_matrix([[1, 1]]), [4], [4]))
    >>> answer.status, answer.objective, answer.row_price.tolist()
    ('optimal', 5.0, [2.0])
    """
    request = Request(
        time_limit=time_limit,
        relative_gap=relative_gap,
        start=start_point(program, start) if program.has_integers else None,
        interrupt=interrupt,
        progress=progress,
        effort=effort,
    )
    faults = []
    for name in candidates(program, solver, interruptible=interrupt is not None):
        limit = request.limit_reached()
        if limit:
            return empty("unknown", limit, name, request)
        try:
            return _attempt(program, name, request)
        except SolverError as error:
            faults.append(f"{name}: {error}")
    raise SolverError(" | ".join(faults))


def _attempt(program: Program, name: str, request: Request) -> Answer:
    answer = settle(program, name, _run(program, name, request), request)
    if answer is not None:
        return answer
    return infeasible_or_unbounded(program, name, request)


def _run(program: Program, name: str, request: Request) -> Raw:
    # OR-Tools is loaded by the first solve, and MathOpt, which doubles that, only where needed.
    if name == "glop" and request.interrupt is None:
        from corridor.core.solver import _helper

        return _helper.run_glop(program, request.seconds_left())
    from corridor.core.solver import _mathopt

    return _mathopt.run(program, name, request)


def infeasible_or_unbounded(program: Program, solver: str, request: Request) -> Answer:
    """Tell a program without a point from one without a bound, where a solver said either.

    The elastic program, which minimizes the total violation of the rows, always has an optimum,
    whose prices are checked like any other's: this tells what the solvers mix up, and proves it.

    Parameters
    ----------
    program
        A program that is one of the two.
    solver
        Name of the solver that finds out.
    request
        The limits, counted from the first solve on.
    """
    limit = request.limit_reached()
    if limit:
        return empty("unknown", limit, solver, request)
    elastic = _elastic(program)
    finder = "scip" if solver == "cp_sat" else solver  # the slacks are not whole
    answer = _attempt(elastic, finder, request.without_start())
    if answer.limit:
        return empty("unknown", answer.limit, solver, request)
    if answer.status != "optimal":
        msg = f"The feasibility check ended {answer.status}; it must end optimal."
        raise SolverError(msg)
    bounds = np.r_[program.row_lower, program.row_upper, program.lower, program.upper]
    size = float(np.abs(bounds[np.isfinite(bounds)]).max(initial=1.0))
    without_point = answer.objective > FEASIBILITY_TOLERANCE * size
    return empty("infeasible" if without_point else "unbounded", "", solver, request)


def _elastic(program: Program) -> Program:
    """Return the program whose objective is the total violation of the rows."""
    identity = sp.identity(program.n_rows, format="csr")
    n_slacks = 2 * program.n_rows
    integer = None
    if program.integer is not None:
        integer = np.r_[program.integer, np.zeros(n_slacks, dtype=np.bool_)]
    return Program(
        cost=np.r_[np.zeros(program.n_columns), np.ones(n_slacks)],
        lower=np.r_[program.lower, np.zeros(n_slacks)],
        upper=np.r_[program.upper, np.full(n_slacks, np.inf)],
        matrix=sp.hstack([program.matrix, identity, -identity], format="csr"),
        row_lower=program.row_lower,
        row_upper=program.row_upper,
        integer=integer,
    )

"""Turn a solver's raw answer into a checked one."""

import math
import time

from corridor.core.solver._raw import Raw
from corridor.core.solver.check import DUAL_TOLERANCE, dual_point, verify_point
from corridor.core.solver.program import Answer, FloatArray, Program, Status
from corridor.errors import SolverError


def settle(program: Program, solver: str, raw: Raw, start: float) -> Answer | None:
    """Return the checked answer, or None where infeasible or unbounded is still to be told.

    Parameters
    ----------
    program
        What was solved.
    solver
        Name of the solver.
    raw
        What it said.
    start
        When the call began, as of `time.perf_counter` [s].

    Raises
    ------
    SolverError
        If the solver failed or its answer does not pass the checks.
    """
    if raw.status == "failed":
        msg = f"The solver failed: {raw.detail}."
        raise SolverError(msg)
    if raw.status == "none":
        return empty("unknown", "time", solver, start)
    if raw.x is not None and raw.status in ("optimal", "feasible"):
        return _checked(program, solver, raw, raw.x, start)
    return None


def _checked(program: Program, solver: str, raw: Raw, x: FloatArray, start: float) -> Answer:
    try:
        objective = verify_point(program, x)
    except SolverError:
        if raw.status == "feasible":  # stopped on the way: the point is only a start
            return empty("unknown", "time", solver, start)
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
        solver=solver,
        seconds=time.perf_counter() - start,
    )


def empty(status: Status, limit: str, solver: str, start: float) -> Answer:
    """Return an answer without a point."""
    return Answer(
        status=status,
        limit=limit,
        objective=math.nan,
        bound=math.inf if status == "infeasible" else -math.inf,
        gap=math.nan,
        x=None,
        row_price=None,
        reduced_cost=None,
        solver=solver,
        seconds=time.perf_counter() - start,
    )

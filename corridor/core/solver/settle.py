"""Turn a solver's raw answer into a checked one."""

import math

from corridor.core.solver._raw import Raw
from corridor.core.solver.check import DUAL_TOLERANCE, dual_point, verify_point
from corridor.core.solver.program import Answer, FloatArray, Program, Status
from corridor.core.solver.request import Request
from corridor.errors import SolverError


def settle(program: Program, solver: str, raw: Raw, request: Request) -> Answer | None:
    """Return the checked answer, or None where infeasible or unbounded is still to be told.

    Parameters
    ----------
    program
        What was solved.
    solver
        Name of the solver.
    raw
        What it said.
    request
        What was asked.

    Raises
    ------
    SolverError
        If the solver failed or its answer does not pass the checks.
    """
    if raw.status == "failed":
        limit = request.limit_reached()
        if limit:  # GLOP calls what it was stopped at imprecise, now and then
            return empty("unknown", limit, solver, request)
        msg = f"The solver failed: {raw.detail}."
        raise SolverError(msg)
    if raw.status == "none":
        return empty("unknown", raw.limit, solver, request)
    if raw.x is not None and raw.status in ("optimal", "feasible"):
        return _checked(program, solver, raw, raw.x, request)
    return None


def _checked(program: Program, solver: str, raw: Raw, x: FloatArray, request: Request) -> Answer:
    try:
        objective = verify_point(program, x)
    except SolverError:
        if raw.status == "feasible":  # stopped on the way: the point is only a start
            return empty("unknown", raw.limit, solver, request)
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
    if program.has_integers and raw.status == "optimal":
        _verify_gap(objective, bound, request.relative_gap)
    # Rounding may put the bound a hair above the point.
    bound = min(bound, objective)
    return Answer(
        status="optimal" if raw.status == "optimal" else "feasible",
        limit="" if raw.status == "optimal" else raw.limit,
        objective=objective,
        bound=bound,
        gap=(objective - bound) / max(abs(objective), 1.0),
        x=x,
        row_price=price,
        reduced_cost=reduced,
        solver=solver,
        seconds=request.seconds_gone(),
    )


def _verify_gap(objective: float, bound: float, relative_gap: float) -> None:
    """Refuse an integer optimum that the solver's own bound does not support."""
    accepted = max(relative_gap, DUAL_TOLERANCE)
    if not objective - bound <= accepted * max(1.0, abs(objective)):
        msg = (
            f"The point costs {objective:.12g} but the solver proved only {bound:.12g} and calls "
            f"it optimal; the gap must be at most {accepted}. Try another solver."
        )
        raise SolverError(msg)


def empty(status: Status, limit: str, solver: str, request: Request) -> Answer:
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
        seconds=request.seconds_gone(),
    )

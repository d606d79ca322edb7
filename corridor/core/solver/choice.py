"""Which solver takes which program."""

from typing import Final

import numpy as np

from corridor.core.solver._start import slack_start_is_dual_feasible
from corridor.core.solver.program import FloatArray, Program
from corridor.errors import InputError

LINEAR: Final = ("glop", "highs", "pdlp")
INTEGER: Final = ("scip", "cp_sat", "highs")
SOLVERS: Final = ("auto", "glop", "highs", "pdlp", "scip", "cp_sat")

GLOP_MOST_NONZEROS: Final = 30_000
"""Above this many nonzeros a cold HiGHS solve is faster than a cold GLOP solve (measured)."""
GLOP_MOST_NONZEROS_DUAL: Final = 100_000
"""The same where GLOP's dual simplex starts at once: up to here it took 0.3 to 0.9 times as long as
HiGHS on flow, assignment and dense programs, above either was ahead (measured)."""
PDLP_LEAST_NONZEROS: Final = 5_000_000
"""From here PDLP goes first. Simplex is faster up to 1,000,000 nonzeros, where it takes a minute
(measured); its time grows faster than PDLP's, so this is an extrapolation."""
CP_SAT_LARGEST: Final = 1e6
"""Largest bound, coefficient and cost that is left to CP-SAT, far from its own limits."""
CP_SAT_MOST_ACTIVITY: Final = 2.0**50
"""Largest value of a row or of the objective that is left to CP-SAT, which counts in int64."""


def candidates(program: Program, solver: str, *, interruptible: bool) -> tuple[str, ...]:
    """Return the solvers to try, the best first.

    Parameters
    ----------
    program
        What to solve.
    solver
        A name, or ``auto``.
    interruptible
        Whether the solver must stop when it is told to.

    Raises
    ------
    InputError
        If there is no such solver, or it cannot take the program.
    """
    if solver not in SOLVERS:
        msg = f"solver must be one of {', '.join(SOLVERS)}; found {solver!r}."
        raise InputError(msg)
    if solver != "auto":
        _check_fit(program, solver, interruptible=interruptible)
        return (solver,)
    if program.has_integers:
        return ("scip",) if why_not_cp_sat(program) else ("cp_sat", "scip")
    if program.matrix.nnz >= PDLP_LEAST_NONZEROS:
        order: tuple[str, ...] = ("pdlp", "highs")
    else:
        at_once = slack_start_is_dual_feasible(program)
        most = GLOP_MOST_NONZEROS_DUAL if at_once else GLOP_MOST_NONZEROS
        order = ("highs", "glop") if program.matrix.nnz > most else ("glop", "highs")
    return tuple(name for name in order if name != "highs") if interruptible else order


def _check_fit(program: Program, solver: str, *, interruptible: bool) -> None:
    if program.has_integers and solver not in INTEGER:
        msg = f"solver {solver!r} takes no integer columns; use {', '.join(INTEGER)} or 'auto'."
        raise InputError(msg)
    if solver == "cp_sat" and (why := why_not_cp_sat(program)):
        msg = f"solver 'cp_sat' takes whole programs only, and rounds others: {why}. Use 'scip'."
        raise InputError(msg)
    if solver == "scip" and not program.has_integers:
        msg = "solver 'scip' gives no prices of a linear program; use 'glop' or 'auto'."
        raise InputError(msg)
    if solver == "highs" and interruptible:
        msg = "solver 'highs' runs on when interrupted; use another solver, or a time limit."
        raise InputError(msg)


def why_not_cp_sat(program: Program) -> str:
    """Return what keeps a program from being exact in CP-SAT's integers; empty if nothing does."""
    if program.integer is None or not program.integer.all():
        return "every column must be an integer column"
    if not _whole(program.lower, program.upper, largest=CP_SAT_LARGEST):
        return f"bounds of columns must be whole and at most {CP_SAT_LARGEST:g} in size"
    if not _whole(program.matrix.data, program.cost, largest=CP_SAT_LARGEST):
        return f"coefficients and costs must be whole and at most {CP_SAT_LARGEST:g} in size"
    rows = np.concatenate([program.row_lower, program.row_upper])
    if not _whole(rows[np.isfinite(rows)], largest=CP_SAT_MOST_ACTIVITY):
        return "bounds of rows must be whole"
    size = np.maximum(np.abs(program.lower), np.abs(program.upper))
    activity = float((abs(program.matrix) @ size).max(initial=float(np.abs(program.cost) @ size)))
    return "rows must stay below 2**50" if activity > CP_SAT_MOST_ACTIVITY else ""


def _whole(*arrays: FloatArray, largest: float) -> bool:
    return all(
        bool((np.abs(array) <= largest).all() and (array == np.round(array)).all())
        for array in arrays
    )

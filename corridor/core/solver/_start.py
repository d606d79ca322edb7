"""Where the simplex method starts from nothing."""

import numpy as np

from corridor.core.solver.program import Program


def slack_start_is_dual_feasible(program: Program) -> bool:
    """Return whether every column is cheapest at a finite bound: dual simplex needs no phase 1."""
    at_lower = (program.cost >= 0) & np.isfinite(program.lower)
    return bool((at_lower | ((program.cost <= 0) & np.isfinite(program.upper))).all())

"""Independent checks of a solver's point and prices, from the program's own arrays."""

import math

import numpy as np

from corridor.core.solver.program import FloatArray, Program
from corridor.errors import SolverError

PRIMAL_TOLERANCE = 1e-6
"""Largest accepted violation of a bound, relative to ``1 + |bound|``."""
INTEGER_TOLERANCE = 1e-5
"""Largest accepted distance of an integer column from a whole number."""
DUAL_TOLERANCE = 1e-6
"""Largest accepted price or reduced cost of the wrong sign, relative to the cost's size."""


def verify_point(program: Program, x: FloatArray) -> float:
    """Return ``cost @ x`` after proving that x satisfies the program.

    Parameters
    ----------
    program
        The program.
    x : ndarray of float64, shape (n_columns,)
        The point to prove.

    Returns
    -------
    objective : float
        ``cost @ x``.

    Raises
    ------
    SolverError
        If the point has the wrong shape, is not finite, violates a bound or is not whole where it
        must be.
    """
    if x.shape != (program.n_columns,) or not np.isfinite(x).all():
        msg = (
            f"The solver's point must be finite and of shape ({program.n_columns},); found shape "
            f"{x.shape}. Scale the program or report this."
        )
        raise SolverError(msg)
    _verify_bounds("column", x, program.lower, program.upper)
    _verify_bounds("row", program.matrix @ x, program.row_lower, program.row_upper)
    if program.integer is not None:
        off = np.abs(x - np.round(x))[program.integer]
        if off.size and off.max() > INTEGER_TOLERANCE:
            msg = (
                f"An integer column is {off.max():.3g} away from a whole number; at most "
                f"{INTEGER_TOLERANCE} is accepted."
            )
            raise SolverError(msg)
    return float(program.cost @ x)


def _verify_bounds(kind: str, value: FloatArray, lower: FloatArray, upper: FloatArray) -> None:
    excess = np.maximum(lower - value, value - upper)
    if excess.max(initial=0.0) <= PRIMAL_TOLERANCE:  # absolute, hence relative: the usual case
        return
    size = np.abs(np.where(value < lower, lower, upper))
    relative = np.where(excess > 0, excess, 0.0) / (1.0 + size)
    worst = int(relative.argmax())
    if relative[worst] > PRIMAL_TOLERANCE:
        msg = (
            f"The solver's point violates {kind} {worst}: value {value[worst]:.12g}, "
            f"bounds {lower[worst]:.12g} to {upper[worst]:.12g}, relative excess "
            f"{relative[worst]:.3g} (at most {PRIMAL_TOLERANCE} is accepted). The "
            "program is badly scaled: bring rows to similar sizes."
        )
        raise SolverError(msg)


def dual_point(program: Program, row_price: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Return the bound that row prices prove, the cleaned prices and the reduced costs.

    Formula: ``bound = sum(y+ row_lower - y- row_upper) + sum(d+ lower - d- upper)`` with
    ``d = cost - y @ matrix``: weak duality, true for any prices. A price that points at an
    infinite bound proves nothing; where it is within `DUAL_TOLERANCE` it is rounding and set to 0.

    Parameters
    ----------
    program
        A linear program.
    row_price : ndarray of float64, shape (n_rows,)
        Prices y as the solver gave them.

    Returns
    -------
    bound : float
        Lower bound on the optimum; ``-inf`` where the prices prove nothing.
    row_price : ndarray of float64, shape (n_rows,)
        The prices, rounding removed.
    reduced_cost : ndarray of float64, shape (n_columns,)
        ``cost - row_price @ matrix``.
    """
    scale = max(1.0, float(np.abs(program.cost).max(initial=0.0)))
    price = _drop_noise(row_price, program.row_lower, program.row_upper, scale)
    exact = program.cost - program.matrix.T @ price
    reduced = _drop_noise(exact, program.lower, program.upper, scale)
    bound = _support(price, program.row_lower, program.row_upper)
    bound += _support(reduced, program.lower, program.upper)
    return bound, price, exact


def _drop_noise(
    price: FloatArray, lower: FloatArray, upper: FloatArray, scale: float
) -> FloatArray:
    wrong = ((price > 0) & (lower == -math.inf)) | ((price < 0) & (upper == math.inf))
    if not wrong.any():
        return price
    return np.where(wrong & (np.abs(price) <= DUAL_TOLERANCE * scale), 0.0, price)


def _support(price: FloatArray, lower: FloatArray, upper: FloatArray) -> float:
    """Return the least of ``price @ v`` over ``lower <= v <= upper``."""
    up, down = price > 0, price < 0
    total = float(price[up] @ lower[up]) + float(price[down] @ upper[down])
    return -math.inf if math.isnan(total) else total

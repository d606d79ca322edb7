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
    if not value.size:
        return
    low, high = np.nan_to_num(lower, neginf=0.0), np.nan_to_num(upper, posinf=0.0)
    excess = np.maximum(
        np.where(np.isfinite(lower), (low - value) / (1.0 + np.abs(low)), 0.0),
        np.where(np.isfinite(upper), (value - high) / (1.0 + np.abs(high)), 0.0),
    )
    worst = int(excess.argmax())
    if excess[worst] > PRIMAL_TOLERANCE:
        msg = (
            f"The solver's point violates {kind} {worst}: value {value[worst]:.12g}, "
            f"bounds {lower[worst]:.12g} to {upper[worst]:.12g}, relative excess "
            f"{excess[worst]:.3g} (at most {PRIMAL_TOLERANCE} is accepted). The "
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
    wrong = ((price > 0) & np.isneginf(lower)) | ((price < 0) & np.isposinf(upper))
    return np.where(wrong & (np.abs(price) <= DUAL_TOLERANCE * scale), 0.0, price)


def _support(price: FloatArray, lower: FloatArray, upper: FloatArray) -> float:
    """Return the least of ``price @ v`` over ``lower <= v <= upper``."""
    up, down = price > 0, price < 0
    total = float(price[up] @ lower[up]) + float(price[down] @ upper[down])
    return -math.inf if math.isnan(total) else total

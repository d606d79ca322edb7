"""What the equilibrium asks of a volume-delay curve, and how the compiled kernels read it."""

from typing import Final, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from corridor.core.flows._arrays import (
    FloatArray,
    IntArray,
    as_floats,
    check_values,
    wrong_shape,
)
from corridor.errors import InputError

BPR_FOUR: Final = 0
BPR_WHOLE: Final = 1
BPR_REAL: Final = 2
CONICAL: Final = 3
CONICAL_MARGINAL: Final = 4
AKCELIK: Final = 5
AKCELIK_MARGINAL: Final = 6
STRAIGHT: Final = 7
EXCESS: Final = 8
"""Codes of curves. STRAIGHT and EXCESS serve the algorithm, not arcs of the input."""

CURVATURE_STEP: Final = 1e-4
"""Share of a flow over which a slope is differenced."""

N_PARAMETERS: Final = 5
MOST_WHOLE: Final = 32
"""Whole powers up to this one are multiplied out."""


class CurveTable(NamedTuple):
    """Curves as the kernels read them.

    With x = flow * p2 the cost is::

        BPR_*       p0 + p1 x^p3
        CONICAL     p4 + p0 (2 + sqrt(p1^2 (1 - x)^2 + p3^2) - p1 (1 - x) - p3)
        AKCELIK     p0 + p1 (x - 1 + sqrt((x - 1)^2 + p3 x))
        STRAIGHT    p0 + p1 flow
        EXCESS      p0 - p1 log(1 - x)

    and ``*_MARGINAL`` the derivative of flow times cost.

    Parameters
    ----------
    code : ndarray of int32, shape (n_arcs,)
        Which formula.
    parameter : ndarray of float64, shape (n_arcs, 5)
        p0 .. p4.
    """

    code: IntArray
    parameter: FloatArray


@runtime_checkable
class VolumeDelay(Protocol):
    """One curve for each arc: the cost of a unit of flow, nondecreasing in the flow on the arc.

    Flows come in any unit, >= 0, shape (n_arcs,); so do the answers.
    """

    @property
    def n_arcs(self) -> int:
        """Number of arcs."""
        ...

    def cost(self, flow: FloatArray) -> FloatArray:
        """Return the cost of a unit of flow, >= 0 and finite."""
        ...

    def integral(self, flow: FloatArray) -> FloatArray:
        """Return the integral of `cost` from 0 to the flow."""
        ...

    def slope(self, flow: FloatArray) -> FloatArray:
        """Return the derivative of `cost`, >= 0."""
        ...


@runtime_checkable
class TabledDelay(VolumeDelay, Protocol):
    """A `VolumeDelay` that the kernels know: it is followed at every change of flow."""

    def table(self, *, marginal: bool) -> CurveTable | None:
        """Return the curves, or those of the marginal cost ``d(flow cost) / d(flow)``.

        None where the kernels do not know some of them.
        """
        ...


@runtime_checkable
class CurvedDelay(VolumeDelay, Protocol):
    """A `VolumeDelay` that knows its second derivative, which the system optimum makes use of."""

    def curvature(self, flow: FloatArray) -> FloatArray:
        """Return the second derivative of `cost`."""
        ...


def curvature_of(delay: VolumeDelay, flow: FloatArray) -> FloatArray:
    """Return the second derivative of the cost, by differences where the curve has none.

    It sets the length of steps only: nothing found depends on it.
    """
    if isinstance(delay, CurvedDelay):
        return delay.curvature(flow)
    step = CURVATURE_STEP * np.maximum(flow, 1e-6 * float(flow.max(initial=0.0)) + 1e-300)
    return (delay.slope(flow + step) - delay.slope(flow)) / step


def as_flow(flow: ArrayLike, n_arcs: int) -> FloatArray:
    """Return flows as float64, shape (n_arcs,), or say what is wrong.

    Raises
    ------
    InputError
        If the shape differs, or a flow is negative, NaN or infinite.
    """
    array = np.asarray(flow, dtype=np.float64)
    if array.shape != (n_arcs,):
        raise InputError(wrong_shape("flow", array.shape, (n_arcs,)))
    check_values("flow", array, (array >= 0) & np.isfinite(array), ">= 0 and finite")
    return array


def check_parameters(
    given: dict[str, ArrayLike], positive: tuple[str, ...]
) -> dict[str, FloatArray]:
    """Return the parameters of a curve as read-only arrays of one length.

    The first must be an array with an entry for each arc; a number stands for all arcs.

    Parameters
    ----------
    given
        Name -> values; the first sets the number of arcs.
    positive
        Those that must be > 0; the others must be >= 0 and finite.

    Raises
    ------
    InputError
        If a shape differs, or a value is out of its range.
    """
    shape = (int(np.size(next(iter(given.values())))),)
    read = {}
    for name, values in given.items():
        array = np.asarray(values, dtype=np.float64)
        array = np.broadcast_to(array, shape) if array.ndim == 0 else array
        array = as_floats(name, array, shape)
        if name in positive:
            check_values(name, array, array > 0, "> 0")
        else:
            check_values(name, array, (array >= 0) & np.isfinite(array), ">= 0 and finite")
        read[name] = array
    return read

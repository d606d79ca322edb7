"""Arcs with curves of different kinds."""

from dataclasses import dataclass

import numpy as np

from corridor.core.flows._arrays import FloatArray, IntArray, locked
from corridor.core.flows._curves import (
    N_PARAMETERS,
    CurveTable,
    TabledDelay,
    VolumeDelay,
    as_flow,
    curvature_of,
)
from corridor.core.graph import as_positions
from corridor.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class MixedDelay:
    """Curves of different kinds: each arc has one of them.

    Parameters
    ----------
    parts
        The curves, at least one.
    arcs
        For each part the arcs it stands for, int, shape (part.n_arcs,), in its order. Together
        they are all arcs, each once.

    Raises
    ------
    InputError
        If sizes differ, or an arc is missing or comes twice.

    Examples
    --------
    >>> from corridor.core.flows import BPR, Conical
    >>> road = BPR([1.0, 1.0], [10.0, 10.0], [0.15, 0.15], [4.0, 4.0])
    >>> mixed = MixedDelay((road, Conical([5.0], [10.0], [4.0])), ([0, 2], [1]))
    >>> mixed.cost(np.array([10.0, 10.0, 0.0])).round(9)
    array([ 1.15, 10.  ,  1.  ])
    """

    parts: tuple[VolumeDelay, ...]
    arcs: tuple[IntArray, ...]

    def __post_init__(self) -> None:
        parts = tuple(self.parts)
        n_arcs = sum(part.n_arcs for part in parts)
        arcs = tuple(as_positions("arcs", some, n_arcs) for some in self.arcs)
        sizes = [part.n_arcs for part in parts], [some.size for some in arcs]
        if not parts or sizes[0] != sizes[1]:
            msg = (
                "arcs must name as many arcs for each part as it has curves; found "
                f"{sizes[1]} arcs for {sizes[0]} curves."
            )
            raise InputError(msg)
        count = np.bincount(np.concatenate(arcs), minlength=n_arcs)
        if (count != 1).any():
            arc = int(np.argmax(count != 1))
            msg = (
                f"arcs must name each of the {n_arcs} arcs once; arc {arc} comes {count[arc]} "
                f"times ({int((count != 1).sum())} arcs are wrong)."
            )
            raise InputError(msg)
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "arcs", tuple(locked(some) for some in arcs))

    @property
    def n_arcs(self) -> int:
        """Number of arcs."""
        return sum(some.size for some in self.arcs)

    def cost(self, flow: FloatArray) -> FloatArray:
        """Return the cost of a unit of flow, shape (n_arcs,)."""
        return self._gather([part.cost(some) for part, some in self._split(flow)])

    def integral(self, flow: FloatArray) -> FloatArray:
        """Return the integral of the cost, shape (n_arcs,)."""
        return self._gather([part.integral(some) for part, some in self._split(flow)])

    def slope(self, flow: FloatArray) -> FloatArray:
        """Return the derivative of the cost, shape (n_arcs,)."""
        return self._gather([part.slope(some) for part, some in self._split(flow)])

    def curvature(self, flow: FloatArray) -> FloatArray:
        """Return the second derivative of the cost, shape (n_arcs,)."""
        return self._gather([curvature_of(part, some) for part, some in self._split(flow)])

    def table(self, *, marginal: bool) -> CurveTable | None:
        """Return the curves as the kernels read them; None if a part has no table."""
        code = np.empty(self.n_arcs, dtype=np.int32)
        parameter = np.empty((self.n_arcs, N_PARAMETERS))
        for part, some in zip(self.parts, self.arcs, strict=True):
            table = part.table(marginal=marginal) if isinstance(part, TabledDelay) else None
            if table is None:
                return None
            code[some], parameter[some] = table
        return CurveTable(code, parameter)

    def _split(self, flow: FloatArray) -> list[tuple[VolumeDelay, FloatArray]]:
        whole = as_flow(flow, self.n_arcs)
        return [(part, whole[some]) for part, some in zip(self.parts, self.arcs, strict=True)]

    def _gather(self, values: list[FloatArray]) -> FloatArray:
        whole = np.empty(self.n_arcs)
        for some, value in zip(self.arcs, values, strict=True):
            whole[some] = value
        return whole

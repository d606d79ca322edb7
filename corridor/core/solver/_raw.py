"""What the bindings hand back before anything is checked."""

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from corridor.core.solver.basis import Basis
from corridor.core.solver.program import FloatArray

RawStatus: TypeAlias = Literal[
    "optimal", "feasible", "infeasible", "unbounded", "unclear", "none", "failed"
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Raw:
    """An answer as the solver gave it: unchecked."""

    status: RawStatus
    bound: float = -math.inf
    x: FloatArray | None = None
    row_price: FloatArray | None = None
    basis: Basis | None = None
    iterations: int = 0
    limit: str = ""
    detail: str = ""

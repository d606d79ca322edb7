"""What is asked of a solver beside the program: limits, a known point, and who listens."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import numpy as np

from corridor.core.solver.program import FloatArray, Program
from corridor.errors import InputError

Interrupt: TypeAlias = threading.Event | Callable[[], bool]
Progress: TypeAlias = Callable[[float, float], None]
Effort: TypeAlias = Literal["balanced", "proof"]
EFFORTS: Final = ("balanced", "proof")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Request:
    """What is asked of a solver, checked.

    Parameters
    ----------
    time_limit
        Wall time [s] from ``began``, > 0; None for none.
    relative_gap
        Gap at which a program with integers counts as solved, >= 0.
    start : ndarray of float64, shape (n_columns,), or None
        A point to begin with; NaN where nothing is known.
    interrupt
        An event that is set, or a function that returns True, once the solver should stop.
    progress
        Called with the best objective and the best bound.
    effort
        ``proof`` leaves out what finds better points: for a start that is known to be good.
    began
        When the call began, as of `time.perf_counter` [s].
    """

    time_limit: float | None = None
    relative_gap: float = 0.0
    start: FloatArray | None = None
    interrupt: Interrupt | None = None
    progress: Progress | None = None
    effort: Effort = "balanced"
    began: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        if self.time_limit is not None and not self.time_limit > 0:
            msg = f"time_limit must be > 0 s or None; found {self.time_limit}."
            raise InputError(msg)
        if not 0 <= self.relative_gap < np.inf:
            msg = f"relative_gap must be >= 0 and finite; found {self.relative_gap}."
            raise InputError(msg)
        if self.effort not in EFFORTS:
            msg = f"effort must be one of {', '.join(EFFORTS)}; found {self.effort!r}."
            raise InputError(msg)

    def seconds_left(self) -> float | None:
        """Return the time that is left [s], which may be negative; None without a limit."""
        if self.time_limit is None:
            return None
        return self.time_limit - self.seconds_gone()

    def seconds_gone(self) -> float:
        """Return the time since the call began [s]."""
        return time.perf_counter() - self.began

    def limit_reached(self) -> str:
        """Return the name of the limit that is reached before a solver starts, or nothing."""
        if is_set(self.interrupt):
            return "interrupt"
        left = self.seconds_left()
        return "time" if left is not None and left <= 0 else ""

    def without_start(self) -> "Request":
        """Return the same limits for another program."""
        return Request(time_limit=self.time_limit, interrupt=self.interrupt, began=self.began)


def is_set(interrupt: Interrupt | None) -> bool:
    """Return whether a solver should stop."""
    if interrupt is None:
        return False
    return interrupt.is_set() if isinstance(interrupt, threading.Event) else bool(interrupt())


def start_point(program: Program, start: object) -> FloatArray | None:
    """Return a known point as an array, or raise.

    Raises
    ------
    InputError
        If it has another shape than the columns, or a value is infinite.
    """
    if start is None:
        return None
    array = np.array(start, dtype=np.float64)
    if array.shape != (program.n_columns,) or np.isinf(array).any():
        msg = (
            f"start must be of shape ({program.n_columns},), with NaN where nothing is known and "
            f"no infinite value; found shape {array.shape}, {int(np.isinf(array).sum())} infinite."
        )
        raise InputError(msg)
    return array

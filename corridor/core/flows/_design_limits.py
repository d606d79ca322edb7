"""How long a search may go on, and who hears of it."""

import math
import time
from typing import Final

from corridor.core.solver.request import Interrupt, Progress, is_set

GRACE_S: Final = 1.0
"""Time for routing over a design that was found just before the end [s]."""
LEAST_S: Final = 1e-3
"""What a solver is given at least [s]: it takes no limit of 0."""


class Limits:
    """Time and interrupt of a search, counted from its beginning.

    Parameters
    ----------
    time_limit
        Wall time [s]; None for none.
    interrupt
        An event that is set, or a function that returns True, once the search should stop.
    """

    def __init__(self, time_limit: float | None, interrupt: Interrupt | None) -> None:
        self.interrupt = interrupt
        self._end = None if time_limit is None else time.perf_counter() + time_limit

    def reached(self) -> str:
        """Return the name of the limit that is reached, or nothing."""
        if is_set(self.interrupt):
            return "interrupt"
        return "time" if self._rest() <= 0 else ""

    def left(self, share: float = 1.0) -> float | None:
        """Return a share of the time left [s], > 0; None without a limit."""
        return None if self._end is None else max(share * self._rest(), LEAST_S)

    def left_for_routing(self) -> float | None:
        """Return the time left, and a little more where it is all but over [s]."""
        return None if self._end is None else max(self._rest(), GRACE_S)

    def _rest(self) -> float:
        return math.inf if self._end is None else self._end - time.perf_counter()


class Report:
    """Hands on the best objective and bound when one of them is new.

    Parameters
    ----------
    progress
        Who is told; None for nobody.
    """

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._told = (math.inf, -math.inf)

    @property
    def wanted(self) -> bool:
        """Whether anybody listens."""
        return self._progress is not None

    def tell(self, objective: float, bound: float) -> None:
        """Tell; a solver's log has but few digits, and may fall behind what was told before."""
        best, proved = self._told
        now = (min(best, objective), max(proved, min(bound, objective)))
        if self._progress is not None and now != self._told:
            self._told = now
            self._progress(*now)

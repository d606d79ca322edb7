"""A good first design: open the most wanted arcs for good, solve the relaxation again, repeat."""

from typing import Final

import numpy as np

from corridor.core.flows._arrays import FloatArray, LongArray
from corridor.core.flows._design_limits import Limits
from corridor.core.flows._design_model import USED
from corridor.core.flows._design_relaxation import Relaxation

WANTED: Final = 0.5
"""Value of a switch from which its arc is opened."""
LEAST_SHARE: Final = 1 / 3
"""Share of the undecided switches that are opened in each round at least, the largest first."""


def dive(relaxation: Relaxation, x: FloatArray, limits: Limits) -> FloatArray | None:
    """Return a point of the relaxation all of whose switches are 0 or 1; None where stopped.

    Links that are found broken on the way stay in the relaxation.

    Parameters
    ----------
    relaxation
        The relaxation, solved.
    x : ndarray of float64, shape (n_columns,)
        Its point.
    limits
        When to stop.
    """
    switches = relaxation.model.switches
    free = relaxation.program.lower
    lower = free.copy()
    point: FloatArray | None = x
    while point is not None:
        chosen = _most_wanted(point[switches], lower[switches])
        if not chosen.size:
            break
        lower[switches.start + chosen] = 1.0
        relaxation.session.change(lower=lower)
        answer = relaxation.session.solve(limits.left())
        stopped = answer.status != "optimal" or limits.reached()
        point = None if stopped else answer.x
        if point is not None:
            relaxation.add_links(point)
    relaxation.session.change(lower=free)
    return point


def _most_wanted(value: FloatArray, lower: FloatArray) -> LongArray:
    """Return which switches to open next; none where all are decided."""
    undecided = np.flatnonzero((lower == 0) & (value > USED) & (value < 1 - USED))
    if not undecided.size:
        return undecided
    count = max(1, int(LEAST_SHARE * undecided.size))
    largest = undecided[np.argsort(-value[undecided], kind="stable")[:count]]
    return np.union1d(largest, np.flatnonzero((lower == 0) & (value >= WANTED)))

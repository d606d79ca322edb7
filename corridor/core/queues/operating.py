"""Opening hours by operating time: the open hours that have passed.

While a whole post is closed nothing moves: the queue stands, and a service goes on at the opening
where it stopped. In operating time the post is therefore an ordinary queue, exactly; only arrivals
and results are mapped between the two clocks.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor.core.queues._inputs import FloatArray, describe_faults, finite_array
from corridor.errors import InputError

Moment: TypeAlias = Literal["start", "end"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OperatingHours:
    """The hours in which a post works, repeated for ever, as a second clock.

    Formula: A(t) = measure of the open hours in 0..t, piecewise linear and periodic in its slope;
    both ways are exact to rounding.

    Parameters
    ----------
    opens, closes
        (n_intervals,) times of the period: 0 <= opens < closes <= period, sorted and not
        overlapping. An interval over the end of the period is two.
    period
        Time after which the hours repeat, > 0: 24 for a day in hours, 168 for a week.

    Raises
    ------
    InputError
        If there is no interval, or intervals are unsorted, overlapping or outside the period.

    Examples
    --------
    A post open from 8 to 18 h. A truck that comes at 20 h and needs 3 h of service is done at 11 h:

    >>> day = OperatingHours(opens=[8], closes=[18], period=24)
    >>> work = day.operating(20.0)
    >>> float(work), float(day.calendar(work, moment="start")), float(day.calendar(work + 3.0))
    (10.0, 32.0, 35.0)
    """

    opens: FloatArray
    closes: FloatArray
    period: float

    def __post_init__(self) -> None:
        opens, closes = finite_array("opens", self.opens), finite_array("closes", self.closes)
        period = float(finite_array("period", self.period, positive=True))
        if opens.ndim != 1 or opens.shape != closes.shape:
            msg = (
                "opens and closes must have one shape (n_intervals,); found "
                f"{opens.shape} and {closes.shape}. Give each interval both ends."
            )
            raise InputError(msg)
        if opens.size == 0:
            msg = "opens must hold at least one interval; found none. A post that never opens has "
            raise InputError(msg + "no queue: leave it out.")
        _refuse("closes must lie after opens", closes, closes <= opens)
        _refuse("opens must not lie before the closing before", opens[1:], opens[1:] < closes[:-1])
        _refuse(f"closes must be <= the period of {period:g}", closes, closes > period)
        for name, value in (("opens", opens), ("closes", closes)):
            value.flags.writeable = False
            object.__setattr__(self, name, value)
        object.__setattr__(self, "period", period)

    @property
    def open_per_period(self) -> float:
        """Open hours in a period."""
        return float((self.closes - self.opens).sum())

    def operating(self, time: ArrayLike) -> FloatArray:
        """Return the operating time A(t) that has passed at calendar times >= 0.

        Raises
        ------
        InputError
            If a time is negative, NaN or infinite.
        """
        t = finite_array("time", time)
        turns = np.floor(t / self.period)
        rest = t - turns * self.period
        last = np.maximum(np.searchsorted(self.opens, rest, side="right") - 1, 0)
        length = self.closes - self.opens
        here = np.clip(rest - self.opens[last], 0.0, length[last])
        return np.asarray(turns * self.open_per_period + self._before()[last] + here)[()]

    def calendar(self, operating: ArrayLike, moment: Moment = "end") -> FloatArray:
        """Return the calendar times at which operating times >= 0 are reached.

        Parameters
        ----------
        operating
            Open hours passed.
        moment
            What happens then matters while the post is closed, when operating time stands still: an
            ``"end"`` is at the closing, a ``"start"`` at the next opening.

        Raises
        ------
        InputError
            If a time is negative, NaN or infinite, or the moment is unknown.
        """
        if moment not in ("start", "end"):
            msg = f"moment must be 'start' or 'end'; found {moment!r}."
            raise InputError(msg)
        u = finite_array("operating", operating)
        total = self.open_per_period
        turns = np.floor(u / total)
        rest = u - turns * total
        if moment == "end":  # the end of a period belongs to that period
            whole = (rest <= 0.0) & (turns > 0.0)
            turns, rest = np.where(whole, turns - 1.0, turns), np.where(whole, total, rest)
        side: Literal["left", "right"] = "left" if moment == "end" else "right"
        before = self._before()
        last = np.clip(np.searchsorted(before, rest, side=side) - 1, 0, before.size - 1)
        time = turns * self.period + self.opens[last] + (rest - before[last])
        if moment == "end":  # nothing has ended before time itself began
            time = np.where(u == 0.0, 0.0, time)
        return np.asarray(time)[()]

    def _before(self) -> FloatArray:
        """Open hours of the period before each opening."""
        length = self.closes - self.opens
        return np.concatenate([[0.0], np.cumsum(length)[:-1]])


def _refuse(must: str, values: FloatArray, bad: NDArray[np.bool_]) -> None:
    if bad.any():
        msg = f"{must}; {describe_faults(values, bad)}"
        raise InputError(msg)

"""How long each arc takes, and when: opening hours of posts, departures, headways, travel times.

Everything is in hours on one axis. Patterns repeat: an hour of the pattern is the time modulo its
period, so time 0 is the start of a week (or of any other period). Who calls turns time zones into
this axis; a period of many weeks can hold a change to summer time or a holiday.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corridor.core.graph import FloatArray, IntArray, as_array, as_floats, as_positions
from corridor.errors import InputError
from corridor.units import HOURS_PER_WEEK

BoolArray = npt.NDArray[np.bool_]

TOLERANCE_H = 1e-6
"""Less than this (3.6 ms) is rounding: it makes nobody miss a closing time or a departure."""

ROUNDING_H = 1e-9
"""By so much a queue may break the order of arrival: its waits are rounded numbers."""

N_PROFILE_AXES = 2


@dataclass(frozen=True, slots=True, eq=False, init=False, repr=False)
class PostHours:
    """Posts on arcs: whoever arrives waits for the opening, then in the queue, and is served.

    The whole post closes: outside its opening hours neither the queue nor the service goes on, and
    both go on where they stopped (preempt-resume). So in *operating time*, the open hours elapsed
    so far, a post is an ordinary server. Who joins while the post is closed keeps the place in the
    queue. A service without ``resume`` must not be broken off: it starts as soon as it can end
    before the closing time.

    Parameters
    ----------
    arc
        (n_posts,) arcs with a post, each once.
    indptr
        (n_posts + 1,): post ``i`` is open in the intervals ``indptr[i] .. indptr[i + 1] - 1``. A
        post without intervals never opens and closes its arc.
    opens_h, closes_h
        (n_intervals,) hours of the period, ``0 <= opens < closes <= period_h``; sorted within a
        post, and apart: intervals that touch are joined. One that runs over the end of the period
        is two. Both ends belong to the interval.
    service_h
        Service [h of operating time], >= 0; one number or (n_posts,).
    queue_h
        Wait in the queue of whoever arrives then [h of operating time], >= 0: one number,
        (n_posts,), or (n_posts, n_steps) at ``n_steps`` equal steps from the start of the period,
        linear between them and periodic. It must not fall faster than the post works, or the later
        would overtake the earlier.
    resume
        Whether closing only interrupts a service; one bool or (n_posts,).
    period_h
        Hours after which opening hours and queues repeat, > 0.

    Raises
    ------
    InputError
        For shapes that do not fit, arcs that come twice, intervals unsorted, overlapping or outside
        the period, negative or NaN times, or a queue that lets the later overtake.

    Examples
    --------
    Arc 4 leads through a post that is open on Mondays, 8 to 12 h and 13 to 17 h:

    >>> PostHours([4], [0, 2], [8, 13], [12, 17], service_h=0.5)
    PostHours(n_posts=1, n_intervals=2, period_h=168)
    >>> PostHours([4], [0, 2], [8, 12], [12, 17])
    Traceback (most recent call last):
    corridor.errors.InputError: opens_h must lie after the closing time before it in the same \
post; found 12 at position 1 (1 of 2 values); sort the intervals and join those that touch
    """

    arc: IntArray
    indptr: IntArray
    opens_h: FloatArray
    closes_h: FloatArray
    service_h: FloatArray
    queue_h: FloatArray
    resume: BoolArray
    period_h: float

    def __init__(
        self,
        arc: npt.ArrayLike,
        indptr: npt.ArrayLike,
        opens_h: npt.ArrayLike,
        closes_h: npt.ArrayLike,
        *,
        service_h: npt.ArrayLike = 0.0,
        queue_h: npt.ArrayLike = 0.0,
        resume: npt.ArrayLike = True,
        period_h: float = HOURS_PER_WEEK,
    ) -> None:
        arcs = _distinct_arcs(arc)
        period = _as_period(period_h)
        opens, closes = _as_hours("opens_h", opens_h), _as_hours("closes_h", closes_h)
        pointer = _as_pointer(indptr, arcs.size, opens.size, "opens_h")
        _check_intervals(pointer, opens, closes, period)
        queues = _as_queues(queue_h, arcs.size)
        values = (
            arcs, pointer, opens, closes, _per_row("service_h", service_h, arcs.size), queues,
            _as_flags("resume", resume, arcs.size), period,
        )  # fmt: skip
        _store(self, values)
        if queues.shape[1] > 1:
            _check_queues(self)

    def __repr__(self) -> str:
        sizes = f"n_posts={self.arc.size}, n_intervals={self.opens_h.size}"
        return f"PostHours({sizes}, period_h={self.period_h:g})"


@dataclass(frozen=True, slots=True, eq=False, init=False, repr=False)
class Departures:
    """Timetables of arcs: whoever arrives takes the departure that arrives first.

    That need not be the next one, where a later service overtakes an earlier.

    Parameters
    ----------
    arc
        (n_timetables,) arcs with a timetable, each once.
    indptr
        (n_timetables + 1,): timetable ``i`` has the departures ``indptr[i] .. indptr[i + 1] - 1``.
        A timetable without departures closes its arc.
    departs_h
        (n_departures,) hours of the period, ``0 <= departs < period_h``, sorted within a timetable.
    duration_h
        Time under way of each departure [h], >= 0; one number or (n_departures,); inf cancels it.
        The travel time of the arc comes on top.
    period_h
        Hours after which the timetables repeat, > 0.

    Raises
    ------
    InputError
        For shapes that do not fit, arcs that come twice, departures unsorted or outside the period,
        negative or NaN durations.

    Examples
    --------
    Arc 2 is a ferry on Mondays at 6 h and Fridays at 18:30 h:

    >>> Departures([2], [0, 2], [6.0, 114.5], 21.0)
    Departures(n_timetables=1, n_departures=2, period_h=168)
    """

    arc: IntArray
    indptr: IntArray
    departs_h: FloatArray
    duration_h: FloatArray
    period_h: float

    def __init__(
        self,
        arc: npt.ArrayLike,
        indptr: npt.ArrayLike,
        departs_h: npt.ArrayLike,
        duration_h: npt.ArrayLike,
        *,
        period_h: float = HOURS_PER_WEEK,
    ) -> None:
        arcs = _distinct_arcs(arc)
        period = _as_period(period_h)
        departs = _as_hours("departs_h", departs_h)
        pointer = _as_pointer(indptr, arcs.size, departs.size, "departs_h")
        _refuse("departs_h", departs, departs >= period, f"be < period_h = {period:g}", _WRAP)
        unsorted = _follows(pointer, departs.size)
        unsorted[1:] &= departs[1:] < departs[:-1]
        _refuse("departs_h", departs, unsorted, "be sorted in each timetable", "sort them")
        duration = _per_row("duration_h", duration_h, departs.size, may_be_inf=True)
        _store(self, (arcs, pointer, departs, duration, period))

    def __repr__(self) -> str:
        sizes = f"n_timetables={self.arc.size}, n_departures={self.departs_h.size}"
        return f"Departures({sizes}, period_h={self.period_h:g})"


@dataclass(frozen=True, slots=True, eq=False, init=False, repr=False)
class ArcTimes:
    """How an arc is passed, in this order: post, headway, departure, travel.

    Each of the four keeps the order of arrival (FIFO), so their chain does. An arc has any of them;
    most have a travel time alone.

    Parameters
    ----------
    travel_h
        (n_arcs,) time under way [h], >= 0; inf closes an arc.
    headway_wait_h
        (n_arcs,) mean wait for a service that runs without a timetable [h], >= 0; None is 0. At
        mean headway h with coefficient of variation cv it is ``h (1 + cv^2) / 2``.
    posts
        Posts on some arcs.
    departures
        Timetables of some arcs.

    Raises
    ------
    InputError
        For shapes that do not fit, negative or NaN times, or a post or timetable on an arc that
        does not exist.

    Examples
    --------
    >>> ArcTimes([2.0, 0.0], departures=Departures([1], [0, 1], [6.0], 21.0))
    ArcTimes(n_arcs=2, n_posts=0, n_timetables=1)
    """

    travel_h: FloatArray
    headway_wait_h: FloatArray
    posts: PostHours | None
    departures: Departures | None

    def __init__(
        self,
        travel_h: npt.ArrayLike,
        *,
        headway_wait_h: npt.ArrayLike | None = None,
        posts: PostHours | None = None,
        departures: Departures | None = None,
    ) -> None:
        travel = _as_hours("travel_h", travel_h, may_be_inf=True)
        wait = 0.0 if headway_wait_h is None else headway_wait_h
        headway = _per_row("headway_wait_h", wait, travel.size, may_be_inf=True)
        for name, part in (("posts.arc", posts), ("departures.arc", departures)):
            if part is not None:
                as_positions(name, part.arc, travel.size)
        _store(self, (travel, headway, posts, departures))

    @property
    def n_arcs(self) -> int:
        """Number of arcs."""
        return int(self.travel_h.size)

    def __repr__(self) -> str:
        n_posts = 0 if self.posts is None else self.posts.arc.size
        n_timetables = 0 if self.departures is None else self.departures.arc.size
        return f"ArcTimes(n_arcs={self.n_arcs}, n_posts={n_posts}, n_timetables={n_timetables})"


_WRAP = "take the hours modulo the period"


def _store(owner: PostHours | Departures | ArcTimes, values: tuple[object, ...]) -> None:
    """Set the fields of a frozen object in their order; its arrays become read-only."""
    for field, value in zip(owner.__dataclass_fields__, values, strict=True):
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
        object.__setattr__(owner, field, value)


def _distinct_arcs(values: npt.ArrayLike) -> IntArray:
    """Return arc positions as an int32 copy, each at most once."""
    arcs = as_positions("arc", values, np.iinfo(np.int32).max).copy()
    _, first = np.unique(arcs, return_index=True)
    repeated = np.ones(arcs.size, dtype=np.bool_)
    repeated[first] = False
    _refuse("arc", arcs, repeated, "name each arc once", "merge what stands on one arc")
    return arcs


def _as_period(value: float) -> float:
    period = float(value)
    if not 0.0 < period < np.inf:
        message = f"period_h must be finite and > 0; found {value!r}; 168 is a week"
        raise InputError(message)
    return period


def _as_hours(name: str, values: npt.ArrayLike, *, may_be_inf: bool = False) -> FloatArray:
    """Return a one-dimensional float64 copy, nowhere negative or NaN."""
    array = as_array(name, values)
    if array.ndim != 1:
        message = f"{name} must be one-dimensional; found shape {array.shape}; pass a flat array"
        raise InputError(message)
    return _checked(name, array, may_be_inf=may_be_inf)


def _checked(name: str, array: npt.NDArray[np.generic], *, may_be_inf: bool) -> FloatArray:
    if array.dtype.kind not in "iuf" and array.size:
        message = f"{name} must hold numbers; found dtype {array.dtype}; pass hours as floats"
        raise InputError(message)
    hours = as_floats(name, array).copy()
    bad = ~(hours >= 0.0)  # NaN fails the comparison as well
    must, remedy = "be hours >= 0", "correct these values"
    if not may_be_inf:
        bad |= np.isinf(hours)
        must, remedy = "be finite hours >= 0", "close an arc by travel_h = inf"
    _refuse(name, hours, bad, must, remedy)
    return hours


def _per_row(
    name: str, values: npt.ArrayLike, size: int, *, may_be_inf: bool = False
) -> FloatArray:
    """Return one value for each row; a single number holds for all."""
    array = as_array(name, values)
    if array.shape not in ((), (size,)):
        message = (
            f"{name} must be one number or have shape ({size},); found shape {array.shape}; "
            "give one value for each row"
        )
        raise InputError(message)
    return np.array(np.broadcast_to(_checked(name, array, may_be_inf=may_be_inf), size))


def _as_queues(values: npt.ArrayLike, n_posts: int) -> FloatArray:
    """Return waits as (n_posts, n_steps); constant waits have one step."""
    array = as_array("queue_h", values)
    if array.ndim < N_PROFILE_AXES:
        return _per_row("queue_h", array, n_posts)[:, np.newaxis]
    if array.ndim > N_PROFILE_AXES or array.shape[0] != n_posts or not array.shape[1]:
        message = (
            f"queue_h must be one number, ({n_posts},) or ({n_posts}, n_steps); found shape "
            f"{array.shape}; give one row for each post"
        )
        raise InputError(message)
    return _checked("queue_h", array, may_be_inf=False)


def _as_flags(name: str, values: npt.ArrayLike, size: int) -> BoolArray:
    array = as_array(name, values)
    if array.dtype != np.bool_ or array.shape not in ((), (size,)):
        message = (
            f"{name} must be one bool or have shape ({size},); found dtype {array.dtype}, shape "
            f"{array.shape}; give True or False for each row"
        )
        raise InputError(message)
    return np.array(np.broadcast_to(array, size))


def _as_pointer(values: npt.ArrayLike, n_rows: int, size: int, of: str) -> IntArray:
    """Return a CSR pointer: n_rows + 1 values that rise from 0 to ``size``."""
    pointer = as_positions("indptr", values, size + 1).copy()
    fits = pointer.size == n_rows + 1 and pointer[0] == 0 and pointer[-1] == size
    if not fits or (np.diff(pointer) < 0).any():
        message = (
            f"indptr must rise from 0 to {size}, the size of {of}, in {n_rows + 1} values, one "
            f"more than arcs; found {pointer.tolist()[:10]} ({pointer.size} values); "
            "row i is indptr[i]:indptr[i + 1]"
        )
        raise InputError(message)
    return pointer


def _follows(indptr: IntArray, size: int) -> BoolArray:
    """Return which entries follow another one of the same row."""
    follows = np.ones(size, dtype=np.bool_)
    follows[indptr[:-1][np.diff(indptr) > 0]] = False
    return follows


def _check_intervals(
    indptr: IntArray, opens: FloatArray, closes: FloatArray, period: float
) -> None:
    if opens.size != closes.size:
        message = (
            f"opens_h and closes_h must be equally long; found {opens.size} and {closes.size} "
            "values; give both ends of every interval"
        )
        raise InputError(message)
    span = f"be <= period_h = {period:g}"
    _refuse("closes_h", closes, closes > period, span, "split the interval at the period's end")
    _refuse(
        "closes_h", closes, closes <= opens, "be > opens_h of its interval",
        "split an interval that runs over the period's end, drop an empty one",
    )  # fmt: skip
    touching = _follows(indptr, opens.size)
    touching[1:] &= opens[1:] <= closes[:-1]
    _refuse(
        "opens_h", opens, touching, "lie after the closing time before it in the same post",
        "sort the intervals and join those that touch",
    )  # fmt: skip


def _check_queues(posts: PostHours) -> None:
    """Refuse queues in which whoever comes later is done sooner."""
    n_steps = posts.queue_h.shape[1]
    grid = np.arange(n_steps + 1) * (posts.period_h / n_steps)
    for post in np.flatnonzero(np.diff(posts.indptr)).tolist():
        ends, open_until = _operating_time(posts, post)
        hours = np.union1d(grid, ends)
        wait = np.interp(hours, grid, np.append(posts.queue_h[post], posts.queue_h[post, :1]))
        drop = -np.diff(np.interp(hours, ends, open_until) + wait)
        worst = int(np.argmax(drop))
        if drop[worst] > ROUNDING_H:
            message = (
                "queue_h must not fall faster than the post works, or the later would overtake the "
                f"earlier; found post {post} (arc {posts.arc[post]}) with {wait[worst]:g} h of "
                f"wait at hour {hours[worst]:g} and {wait[worst + 1]:g} h at hour "
                f"{hours[worst + 1]:g}; give waits in operating time (open hours only)"
            )
            raise InputError(message)


def _operating_time(posts: PostHours, post: int) -> tuple[FloatArray, FloatArray]:
    """Return (hours, open_until): the ends of a post's intervals, and the open hours before."""
    rows = slice(posts.indptr[post], posts.indptr[post + 1])
    ends = np.column_stack((posts.opens_h[rows], posts.closes_h[rows])).ravel()
    spells = np.diff(ends, prepend=0.0)
    spells[::2] = 0.0  # closed
    return ends, np.cumsum(spells)


def _refuse(
    name: str,
    array: FloatArray | IntArray,
    bad: npt.NDArray[np.bool_],
    must: str,
    remedy: str,
) -> None:
    """Raise for the first true entry of ``bad``."""
    if not bad.any():
        return
    first = tuple(int(axis) for axis in np.argwhere(bad)[0])
    place = f" at position {first[0] if len(first) == 1 else first}" if first else ""
    count = f" ({int(bad.sum())} of {array.size} values)" if first else ""
    message = f"{name} must {must}; found {array[first]:g}{place}{count}; {remedy}"
    raise InputError(message)

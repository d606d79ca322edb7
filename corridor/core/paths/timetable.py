"""Time-dependent search: earliest arrivals over opening hours, timetables and headways."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from corridor.core.graph import (
    FloatArray,
    Graph,
    IntArray,
    as_array,
    as_count,
    as_floats,
    as_positions,
)
from corridor.core.paths._checks import TREE_BYTES, check_memory
from corridor.core.paths.schedules import TOLERANCE_H, ArcTimes, Departures, PostHours
from corridor.core.paths.trees import run_blocks
from corridor.core.threads import as_threads
from corridor.errors import InputError

if TYPE_CHECKING:
    from corridor.core.paths._timetable_kernels import Times

N_COLUMNS = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DatedPath:
    """A path with the hours of its arcs; every array is float64 (n_arcs of the path,) [h].

    On each arc ``start_h + opening_wait_h + queue_h + service_h + headway_wait_h +
    departure_wait_h + moving_h = end_h``, and an arc starts when the one before it ends.

    Parameters
    ----------
    arcs
        int32 arc ids, first arc first.
    start_h, end_h
        When the arc is entered and left, on the axis of the departure. inf from the arc on that
        never opens; the part of it that does not end is inf.
    opening_wait_h
        Wait for a closed post; in front of a service without ``resume`` also the end of a shift
        that is too short for it.
    queue_h, service_h
        Wait in the queue and service, both while the post is open.
    headway_wait_h
        Mean wait for a service without a timetable.
    departure_wait_h
        Wait for the departure.
    moving_h
        Under way: time of the departure, and travel time.
    """

    arcs: IntArray
    start_h: FloatArray
    opening_wait_h: FloatArray
    queue_h: FloatArray
    service_h: FloatArray
    headway_wait_h: FloatArray
    departure_wait_h: FloatArray
    moving_h: FloatArray
    end_h: FloatArray


def earliest_arrival(
    graph: Graph, times: ArcTimes, origin: int, depart_h: float
) -> tuple[FloatArray, IntArray]:
    """Return when each node is reached at the earliest by who leaves the origin at a given time.

    Parameters
    ----------
    graph
        The graph.
    times
        How its arcs are passed.
    origin
        Node.
    depart_h
        Time of departure [h] on the axis of ``times``; finite, of any sign.

    Returns
    -------
    arrival_h : FloatArray
        float64 (n_nodes,), time of arrival [h] on the same axis; inf where unreachable.
    predecessor_arc : IntArray
        int32 (n_nodes,): the arc by which the earliest way enters the node; -1 at the origin and
        where unreachable. Of several earliest ways the tree keeps the lowest arc that comes from a
        node reached earlier. :func:`arc_paths` follows it, :func:`date_path` dates it.

    Raises
    ------
    InputError
        When ``times`` are not for this graph, the origin is out of range or the time not finite.

    Notes
    -----
    Dijkstra's algorithm on arrival times. It is exact because every arc is FIFO, who enters later
    never leaves earlier, so that waiting on the way gains nothing [1]_ [2]_. Arrivals are exact but
    for rounding: `schedules.TOLERANCE_H` late is still in time for a closing or a departure.

    Only compiled kernels answer. The first call in a process loads numba and the kernels, about
    0.3 to 1.5 s from a warm disk cache; the very first on a machine compiles them, about 4 s.

    .. [1] S. E. Dreyfus, "An appraisal of some shortest-path algorithms", Operations Research 17
       (1969).
    .. [2] D. E. Kaufman and R. L. Smith, "Fastest paths in time-dependent networks for intelligent
       vehicle-highway systems application", IVHS Journal 1 (1993).

    Examples
    --------
    Four hours to a post that is open from 8 to 18 h, one hour of service; then a ferry at 6 h, both
    every day:

    >>> graph = Graph(4, tail=[0, 1, 2], head=[1, 2, 3])
    >>> times = ArcTimes(
    ...     [4.0, 0.0, 0.0],
    ...     posts=PostHours([1], [0, 1], [8.0], [18.0], service_h=1.0, period_h=24.0),
    ...     departures=Departures([2], [0, 1], [6.0], 21.0, period_h=24.0),
    ... )
    >>> arrival, arc = earliest_arrival(graph, times, 0, depart_h=13.5)
    >>> arrival
    array([13.5, 17.5, 32.5, 75. ])
    >>> arc
    array([-1,  0,  1,  2], dtype=int32)
    """
    arrival, predecessor = departure_profile(graph, times, origin, [depart_h], threads=1)
    return arrival[0], predecessor[0]


def departure_profile(
    graph: Graph,
    times: ArcTimes,
    origin: int,
    depart_h: npt.ArrayLike,
    threads: int | None = None,
) -> tuple[FloatArray, IntArray]:
    """Return the earliest arrivals for each of many departures, say over a day or a week.

    Parameters
    ----------
    graph, times, origin
        As in :func:`earliest_arrival`.
    depart_h
        (n_departures,) times of departure [h], finite, in any order.
    threads
        Threads to use; None takes every core the process may use. Results do not depend on it.

    Returns
    -------
    arrival_h : FloatArray
        float64 (n_departures, n_nodes), time of arrival [h]; inf where unreachable.
    predecessor_arc : IntArray
        int32, same shape; :func:`arc_paths_batch` follows it.

    Raises
    ------
    InputError
        As :func:`earliest_arrival`, and for results that do not fit into memory.

    Examples
    --------
    A train every day at 6 h that takes 10 h:

    >>> graph = Graph(2, [0], [1])
    >>> train = ArcTimes([0.0], departures=Departures([0], [0, 1], [6.0], 10.0, period_h=24.0))
    >>> arrival, _ = departure_profile(graph, train, 0, [0.0, 6.0, 12.0])
    >>> arrival[:, 1] - [0.0, 6.0, 12.0]
    array([16., 10., 28.])
    """
    _check_size(graph, times)
    node = as_count("origin", origin, most=graph.n_nodes - 1)
    departs = _as_departs(depart_h)
    n_threads = as_threads(threads)
    shape = departs.size, 1, graph.n_nodes
    check_memory("departure profile", shape, TREE_BYTES, runs="departures")
    from corridor.core.paths import _kernels, _timetable_kernels

    arcs, packed = _kernels.arcs_of(graph), _packed(times)
    departs = _kernels.read_only(departs)
    arrival = np.empty((departs.size, graph.n_nodes), dtype=np.float64)
    predecessor = np.empty((departs.size, graph.n_nodes), dtype=np.int32)

    def fill(first: int, last: int) -> None:
        _timetable_kernels.grow_dated_trees(
            arcs, packed, node, departs, first, last, arrival, predecessor
        )

    run_blocks(fill, departs.size, n_threads)
    return arrival, predecessor


def date_path(graph: Graph, times: ArcTimes, arcs: npt.ArrayLike, depart_h: float) -> DatedPath:
    """Return when a path passes each of its arcs, and what it waits for.

    Parameters
    ----------
    graph, times
        As in :func:`earliest_arrival`.
    arcs
        (n,) arcs that join up, first arc first; any path, not only an earliest one.
    depart_h
        Time of departure [h]; finite.

    Returns
    -------
    DatedPath
        The hours of every arc.

    Raises
    ------
    InputError
        When ``times`` are not for this graph, arcs do not exist or do not join up, or the time is
        not finite.

    Examples
    --------
    >>> graph = Graph(3, [0, 1], [1, 2])
    >>> times = ArcTimes(
    ...     [4.0, 0.0],
    ...     posts=PostHours([1], [0, 1], [8], [18], service_h=1, queue_h=2, period_h=24),
    ... )
    >>> path = date_path(graph, times, [0, 1], depart_h=12.0)
    >>> path.opening_wait_h, path.queue_h, path.service_h, path.end_h
    (array([ 0., 14.]), array([0., 2.]), array([0., 1.]), array([16., 33.]))
    """
    _check_size(graph, times)
    steps = as_positions("arcs", arcs, graph.n_arcs)
    apart = graph.head[steps[:-1]] != graph.tail[steps[1:]]
    if apart.any():
        first = int(np.argmax(apart))
        message = (
            f"arcs must join up; found arc {steps[first]} that ends at node "
            f"{graph.head[steps[first]]} before arc {steps[first + 1]} that starts at node "
            f"{graph.tail[steps[first + 1]]} (positions {first} and {first + 1}); give the arcs "
            "in the order of the path"
        )
        raise InputError(message)
    packed = _packed(times)
    start = float(_as_departs([depart_h])[0])
    rows = []
    for arc in steps.tolist():
        rows.append(_date_arc(packed, arc, start))
        start = rows[-1][-1]
    columns = np.array(rows, dtype=np.float64).reshape(-1, N_COLUMNS).T
    return DatedPath(
        arcs=steps,
        start_h=columns[0],
        opening_wait_h=columns[1],
        queue_h=columns[2],
        service_h=columns[3],
        headway_wait_h=columns[4],
        departure_wait_h=columns[5],
        moving_h=columns[6],
        end_h=columns[7],
    )


def _date_arc(times: "Times", arc: int, start: float) -> tuple[float, ...]:
    """Return the hours of one arc in the order of `DatedPath`."""
    opening, queue, service, served = _hours_at_post(times, times.row_post[arc], start)
    headway = float(times.headway_wait[arc]) if served < np.inf else 0.0
    ready = served + headway
    wait, moving, end = _hours_on_board(times, arc, ready)
    return (start, opening, queue, service, headway, wait, moving, end)


def _hours_at_post(times: "Times", post: int, start: float) -> tuple[float, float, float, float]:
    """Return wait for the opening, queue and service [h], and when whoever arrives is served."""
    from corridor.core.paths import _timetable_kernels

    if post < 0 or start == np.inf:
        return 0.0, 0.0, 0.0, start
    served = _timetable_kernels.pass_post(times, post, start)
    if served == np.inf:
        return np.inf, 0.0, 0.0, served
    queue = _timetable_kernels.queue_of(times, post, start)
    opening = served - start - queue - times.service[post]
    if opening < TOLERANCE_H:  # rounding, or work forgiven at the closing time
        opening = 0.0
        queue = min(queue, served - start)
    return opening, queue, served - start - opening - queue, served


def _hours_on_board(times: "Times", arc: int, ready: float) -> tuple[float, float, float]:
    """Return wait for the departure and time under way [h], and when the arc is left."""
    from corridor.core.paths import _timetable_kernels

    boards = arrives = ready
    if times.row_timetable[arc] >= 0 and ready < np.inf:
        boards, arrives = _timetable_kernels.best_departure(times, times.row_timetable[arc], ready)
    end = arrives + float(times.travel[arc])
    if boards == np.inf:  # it never departs, or the path was blocked before
        return (0.0 if ready == np.inf else np.inf), 0.0, np.inf
    return boards - ready, end - boards, end


def _check_size(graph: Graph, times: ArcTimes) -> None:
    if times.n_arcs != graph.n_arcs:
        message = (
            f"times must hold one travel time for each of the {graph.n_arcs} arcs of the graph; "
            f"found {times.n_arcs}; give them in the order of the arcs"
        )
        raise InputError(message)


def _as_departs(values: npt.ArrayLike) -> FloatArray:
    array = as_array("depart_h", values)
    if array.dtype.kind not in "iuf" and array.size:
        message = f"depart_h must hold numbers; found dtype {array.dtype}; pass hours as floats"
        raise InputError(message)
    departs = as_floats("depart_h", array)
    if departs.ndim != 1 or not np.isfinite(departs).all():
        message = (
            f"depart_h must be finite hours in one dimension; found shape {departs.shape} with "
            f"{int((~np.isfinite(departs)).sum())} values NaN or infinite; correct these values"
        )
        raise InputError(message)
    return departs


def _packed(times: ArcTimes) -> "Times":
    """Return the arrays of the kernels; what is left out has no rows."""
    from corridor.core.paths import _kernels
    from corridor.core.paths._timetable_kernels import Times

    posts = times.posts if times.posts is not None else PostHours([], [0], [], [])
    trips = times.departures if times.departures is not None else Departures([], [0], [], 0.0)
    spells = np.append(0.0, np.cumsum(posts.closes_h - posts.opens_h))
    return Times(
        travel=times.travel_h,
        headway_wait=times.headway_wait_h,
        row_post=_rows_by_arc(posts.arc, times.n_arcs),
        indptr=posts.indptr,
        opens=posts.opens_h,
        closes=posts.closes_h,
        open_h=_kernels.read_only(spells[posts.indptr[1:]] - spells[posts.indptr[:-1]]),
        service=posts.service_h,
        queue=posts.queue_h,
        resume=posts.resume,
        post_period=posts.period_h,
        row_timetable=_rows_by_arc(trips.arc, times.n_arcs),
        departure_indptr=trips.indptr,
        departs=trips.departs_h,
        duration=trips.duration_h,
        departure_period=trips.period_h,
    )


def _rows_by_arc(arc: IntArray, n_arcs: int) -> IntArray:
    rows = np.full(n_arcs, -1, dtype=np.int32)
    rows[arc] = np.arange(arc.size, dtype=np.int32)
    rows.flags.writeable = False
    return rows

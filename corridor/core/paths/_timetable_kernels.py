"""Compiled time-dependent search; imported only when numba is wanted.

Times are split into the start of their period and the hour within it, ``(0, period]`` up to the
tolerance, so that an interval that ends with the period still holds at its very end.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corridor.core.graph import FloatArray, IntArray
from corridor.core.paths._kernels import Arcs, Heap, compiled, empty_heap, heap_drop, heap_push
from corridor.core.paths.schedules import TOLERANCE_H

BoolArray = npt.NDArray[np.bool_]


class Times(NamedTuple):
    """The arc times as the kernels read them; ``row_*`` is -1 on arcs without one."""

    travel: FloatArray
    headway_wait: FloatArray
    row_post: IntArray
    indptr: IntArray
    opens: FloatArray
    closes: FloatArray
    open_h: FloatArray
    service: FloatArray
    queue: FloatArray
    resume: BoolArray
    post_period: float
    row_timetable: IntArray
    departure_indptr: IntArray
    departs: FloatArray
    duration: FloatArray
    departure_period: float


@compiled
def period_start(time: float, period: float) -> float:
    """Return the start of the period that a time lies in; at a border, of the one that ends."""
    return float(np.floor((time - TOLERANCE_H) / period) * period)


@compiled
def first_not_before(values: FloatArray, first: int, last: int, hour: float) -> int:
    """Return the first position in ``first .. last - 1`` with a value >= hour, or ``last``."""
    while first < last:
        middle = (first + last) // 2
        if values[middle] < hour:
            first = middle + 1
        else:
            last = middle
    return first


@compiled
def end_of_work(times: Times, post: int, time: float, work: float) -> float:
    """Return when so much operating time has passed; with none, when the post is open."""
    first, last = times.indptr[post], times.indptr[post + 1]
    if first == last:
        return np.inf
    period = times.post_period
    start = period_start(time, period)
    hour = time - start
    if work > times.open_h[post] + TOLERANCE_H:
        whole = np.ceil((work - TOLERANCE_H) / times.open_h[post]) - 1.0
        start += whole * period
        work -= whole * times.open_h[post]
    spell = first_not_before(times.closes, first, last, hour - TOLERANCE_H)
    while True:
        if spell == last:
            spell = first
            start += period
            hour -= period
        hour = max(hour, times.opens[spell])
        left = times.closes[spell] - hour
        if work <= left + TOLERANCE_H:
            return float(start + max(hour, min(hour + work, times.closes[spell])))
        work -= max(left, 0.0)
        spell += 1


@compiled
def start_of_unbroken(times: Times, post: int, time: float, work: float) -> float:
    """Return the first time at or after ``time`` from which the post stays open for so long."""
    first, last = times.indptr[post], times.indptr[post + 1]
    if first == last:
        return np.inf
    period = times.post_period
    start = period_start(time, period)
    hour = time - start
    # The last interval goes on in the first one of the next period, or for ever.
    overrun = 0.0
    if times.opens[first] == 0.0 and times.closes[last - 1] == period:
        overrun = times.closes[first] if last - first > 1 else np.inf
    spell = first_not_before(times.closes, first, last, hour - TOLERANCE_H)
    for _ in range(last - first + 1):
        if spell == last:
            spell = first
            start += period
            hour -= period
        hour = max(hour, times.opens[spell])
        left = times.closes[spell] - hour
        if spell == last - 1:
            left += overrun
        if work <= left + TOLERANCE_H:
            return float(start + hour)
        spell += 1
    return np.inf


@compiled
def queue_of(times: Times, post: int, time: float) -> float:
    """Return the wait in the queue of whoever arrives at that time [h of operating time]."""
    n_steps = times.queue.shape[1]
    if n_steps == 1:
        return float(times.queue[post, 0])
    place = (time / times.post_period - np.floor(time / times.post_period)) * n_steps
    step = min(int(place), n_steps - 1)
    share = place - step
    after = times.queue[post, (step + 1) % n_steps]
    return float(times.queue[post, step] * (1.0 - share) + after * share)


@compiled
def pass_post(times: Times, post: int, time: float) -> float:
    """Return when whoever arrives at that time has been served."""
    wait, service = queue_of(times, post, time), times.service[post]
    if times.resume[post]:
        return end_of_work(times, post, time, wait + service)
    turn = end_of_work(times, post, time, wait)
    return start_of_unbroken(times, post, turn, service) + service if turn < np.inf else np.inf


@compiled
def best_departure(times: Times, timetable: int, time: float) -> tuple[float, float]:
    """Return (departs, arrives) of the departure that arrives first; of equals, the earliest."""
    first, last = times.departure_indptr[timetable], times.departure_indptr[timetable + 1]
    period = times.departure_period
    start = period_start(time, period)
    position = first_not_before(times.departs, first, last, time - start - TOLERANCE_H)
    boards, best = np.inf, np.inf
    for _ in range(last - first):  # after a whole period each departure comes again, later
        if position == last:
            position = first
            start += period
        departs = max(time, start + times.departs[position])
        if departs >= best:
            break
        arrives = departs + times.duration[position]
        if arrives < best:
            boards, best = departs, arrives
        position += 1
    return boards, best


@compiled
def traverse(times: Times, arc: int, time: float) -> float:
    """Return when whoever enters an arc at that time leaves it."""
    if times.row_post[arc] >= 0:
        time = pass_post(times, times.row_post[arc], time)
    time += times.headway_wait[arc]
    if times.row_timetable[arc] >= 0 and time < np.inf:
        _, time = best_departure(times, times.row_timetable[arc], time)
    return float(time + times.travel[arc])


@compiled
def pack_plain(arcs: Arcs, times: Times) -> FloatArray:
    """Return travel times in CSR order, -1 on arcs that have more than that.

    A call that passes all these arrays costs more than the rest of a step of the search, and most
    arcs have a travel time alone.
    """
    plain = np.empty(arcs.order.size, dtype=np.float64)
    for position in range(arcs.order.size):
        arc = arcs.order[position]
        alone = times.row_post[arc] < 0 and times.row_timetable[arc] < 0
        alone &= times.headway_wait[arc] == 0.0
        plain[position] = times.travel[arc] if alone else -1.0
    return plain


@compiled
def grow_dated_tree(
    arcs: Arcs,
    times: Times,
    plain: FloatArray,
    origin: int,
    depart: float,
    arrival: FloatArray,
    predecessor: IntArray,
    heap: Heap,
) -> None:
    """Dijkstra on arrival times: exact, since no arc lets the later overtake the earlier."""
    indptr, order, neighbor = arcs.indptr, arcs.order, arcs.neighbor
    arrival[:] = np.inf
    predecessor[:] = -1
    arrival[origin] = depart
    size = heap_push(heap, 0, depart, origin)
    while size > 0:
        here = heap.keys[0]
        node = heap.items[0]
        size = heap_drop(heap, size)
        if here > arrival[node]:
            continue
        for position in range(indptr[node], indptr[node + 1]):
            target = neighbor[position]
            if arrival[target] <= here:  # final
                continue
            there = here + plain[position]
            if plain[position] < 0.0:
                there = traverse(times, order[position], here)
            if there < arrival[target]:
                arrival[target] = there
                predecessor[target] = order[position]
                size = heap_push(heap, size, there, target)
            elif there == arrival[target] and here < there:
                predecessor[target] = min(predecessor[target], order[position])


@compiled
def grow_dated_trees(
    arcs: Arcs,
    times: Times,
    origin: int,
    departs: FloatArray,
    first: int,
    last: int,
    arrival: FloatArray,
    predecessor: IntArray,
) -> None:
    """Fill rows ``first .. last - 1`` of the output: one search for each departure."""
    heap = empty_heap(arcs.order.size + 1)
    plain = pack_plain(arcs, times)
    for row in range(first, last):
        grow_dated_tree(
            arcs, times, plain, origin, departs[row], arrival[row], predecessor[row], heap
        )

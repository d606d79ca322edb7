"""Compiled recursions of first-come-first-served queues: one vehicle after the other."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from corridor.core.compilation import machine_code

_SORTED_MOST = 32
"""Up to this many servers a sorted array beats a heap: inserting takes no branch (measured)."""
_compiled = partial(machine_code, nogil=True)
_inlined = partial(machine_code, nogil=True, inline="always")


@_compiled
def summed_waits(
    draws: NDArray[np.float64],
    gap: float,
    service: float,
    servers: int,
    first_counted: int,
) -> tuple[float, int]:
    """Return the sum of the waits, and how many wait, from vehicle `first_counted` on.

    `draws` holds the gaps between arrivals in units of `gap`, then the service times in units of
    `service`.
    """
    n = draws.size // 2
    free = np.zeros(servers)
    now, total, waiting = 0.0, 0.0, 0
    for vehicle in range(n):
        now += draws[vehicle] * gap
        start = max(now, free[0])
        wait = start - now
        _take(free, start + draws[n + vehicle] * service)
        if vehicle >= first_counted:
            total += wait
            waiting += wait > 0.0
    return total, waiting


@_compiled
def start_times(
    arrival: NDArray[np.float64],
    service: NDArray[np.float64],
    servers: int,
    start: NDArray[np.float64],
) -> None:
    """Write the times at which vehicles, in the order of their arrival, begin to be served."""
    free = np.full(servers, -np.inf)
    for vehicle in range(arrival.size):
        start[vehicle] = max(arrival[vehicle], free[0])
        _take(free, start[vehicle] + service[vehicle])


@_compiled
def split(
    order: NDArray[np.int64],
    sent: NDArray[np.bool_],
    coming: NDArray[np.int64],
    passing: NDArray[np.int64],
) -> int:
    """Write those who are sent to a stage and those who pass by; return how many are sent."""
    n_coming = n_passing = 0
    for vehicle in order:
        # Both are written and one counts: a branch would be mispredicted half the time.
        coming[n_coming] = vehicle
        passing[n_passing] = vehicle
        n_coming += sent[vehicle]
        n_passing += not sent[vehicle]
    return n_coming


@_compiled
def merge(
    coming: NDArray[np.int64],
    end: NDArray[np.float64],
    passing: NDArray[np.int64],
    now: NDArray[np.float64],
    order: NDArray[np.int64],
) -> None:
    """Write the order in which vehicles go on, by time and, at the same time, by number.

    The ends of services are almost in order, as those who overtake are no more than the servers:
    insertion is the quick way to sort them. `coming` and `end` are sorted in place.
    """
    for place in range(1, coming.size):
        vehicle, time = coming[place], end[place]
        before = place - 1
        while before >= 0 and (
            end[before] > time or (end[before] == time and coming[before] > vehicle)
        ):
            end[before + 1], coming[before + 1] = end[before], coming[before]
            before -= 1
        end[before + 1], coming[before + 1] = time, vehicle
    i = j = 0
    for place in range(order.size):
        if j == passing.size:
            first = True
        elif i == coming.size:
            first = False
        else:
            time = now[passing[j]]
            first = end[i] < time or (end[i] == time and coming[i] < passing[j])
        if first:
            order[place] = coming[i]
            now[coming[i]] = end[i]
            i += 1
        else:
            order[place] = passing[j]
            j += 1


@_inlined
def _take(free: NDArray[np.float64], until: float) -> None:
    """Let the server that is free first, at free[0], work until a later time."""
    servers = free.size
    if servers <= _SORTED_MOST:
        for place in range(servers - 1):
            later = free[place + 1]
            free[place] = min(until, later)
            until = max(until, later)
        free[servers - 1] = until
        return
    place = 0
    while True:
        child = 2 * place + 1
        if child >= servers:
            break
        if child + 1 < servers and free[child + 1] < free[child]:
            child += 1
        if free[child] >= until:
            break
        free[place] = free[child]
        place = child
    free[place] = until

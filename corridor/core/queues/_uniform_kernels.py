"""One slot of M(t)/M/c(t) by uniformization, compiled; see `_uniform` for what is computed."""

import numpy as np
from numpy.typing import NDArray

from corridor.core.queues._kernels import compiled

FloatArray = NDArray[np.float64]


@compiled
def push(state: FloatArray, birth: float, down: FloatArray, mass: FloatArray) -> FloatArray:
    """Return the state at the end of the slot."""
    now, after = state.copy(), np.empty_like(state)
    end = np.zeros_like(state)
    for k in range(mass.size):
        weight = mass[k]
        forward(now, birth, down, after)
        for n in range(end.size):
            end[n] += weight * now[n]
        now, after = after, now
    return end


@compiled
def push_all(
    state: FloatArray,
    birth: float,
    down: FloatArray,
    leave: FloatArray,
    tag: float,
    mass: FloatArray,
    beyond: FloatArray,
) -> FloatArray:
    """Return four rows: state at the end, its integral, and the same of a tagged arrival."""
    size = state.size
    now, after = state.copy(), np.empty_like(state)
    tagged, after_tagged = np.zeros_like(state), np.zeros_like(state)
    rows = np.zeros((4, size))
    end, integral, tagged_end, tagged_integral = rows[0], rows[1], rows[2], rows[3]
    for k in range(mass.size):
        at_end, over_slot = mass[k], beyond[k]
        for n in range(size):
            end[n] += at_end * now[n]
            integral[n] += over_slot * now[n]
            tagged_end[n] += at_end * tagged[n]
            tagged_integral[n] += over_slot * tagged[n]
        forward(now, birth, down, after)
        above, down_above, body = tagged[1:], down[1:], after_tagged[:-1]
        for n in range(size - 1):
            body[n] = tagged[n] * (1.0 - leave[n]) + above[n] * down_above[n] + tag * now[n]
        last = size - 1
        after_tagged[last] = tagged[last] * (1.0 - leave[last]) + tag * now[last]
        now, after = after, now
        tagged, after_tagged = after_tagged, tagged
    return rows


@compiled
def pull(
    wait: FloatArray,
    waits: FloatArray,
    down: FloatArray,
    leave: FloatArray,
    mass: FloatArray,
    beyond: FloatArray,
) -> FloatArray:
    """Return the wait still to come at the start of the slot, from that at its end."""
    now, after = wait.copy(), np.empty_like(wait)
    one, after_one = waits.copy(), np.empty_like(wait)
    total = np.zeros_like(wait)
    for k in range(mass.size):
        at_end, over_slot = mass[k], beyond[k]
        for n in range(total.size):
            total[n] += at_end * now[n] + over_slot * one[n]
        backward(now, down, leave, after)
        backward(one, down, leave, after_one)
        now, after = after, now
        one, after_one = after_one, one
    return total


@compiled
def forward(now: FloatArray, birth: float, down: FloatArray, after: FloatArray) -> None:
    """Let one event happen; the last state takes no more arrivals."""
    size = now.size
    below, here, above, down_above = now[:-2], now[1:-1], now[2:], down[2:]
    down_here, body = down[1:-1], after[1:-1]
    for n in range(body.size):
        body[n] = (
            here[n] * (1.0 - birth - down_here[n]) + birth * below[n] + above[n] * down_above[n]
        )
    after[0] = now[0] * (1.0 - birth) + now[1] * down[1]
    after[size - 1] = now[size - 1] * (1.0 - down[size - 1]) + birth * now[size - 2]


@compiled
def backward(now: FloatArray, down: FloatArray, leave: FloatArray, after: FloatArray) -> None:
    """Look one event ahead."""
    after[0] = now[0] * (1.0 - leave[0])
    below, here, down_here, leave_here = now[:-1], now[1:], down[1:], leave[1:]
    body = after[1:]
    for n in range(body.size):
        body[n] = here[n] * (1.0 - leave_here[n]) + below[n] * down_here[n]

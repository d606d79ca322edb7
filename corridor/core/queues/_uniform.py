"""One slot of M(t)/M/c(t) by uniformization, in NumPy.

While rates are constant, the chain of the number in the system moves at the events of a Poisson
process of rate q = lambda + c mu, with the transition matrix P of one event. After a time t the
state is sum_k Poisson(k; q t) p P^k and its integral over the slot sum_k P(Poisson > k) / q p P^k:
sums of positive terms, cut off where less than 1e-17 is left.

`_uniform_kernels` has the same three functions, compiled.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, xlogy

from corridor.core.queues._inputs import FloatArray

_ROWS = 64  # steps that are kept and then summed at once
_WIDTH, _MARGIN = 8.5, 25.0  # standard deviations and events beyond which nothing happens


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SlotChain:
    """The chain of one slot, cut off at n_states.

    Attributes
    ----------
    birth
        Probability that an event is an arrival.
    down, leave : ndarray of float64, (n_states,)
        Probability that an event takes one of n vehicles away, and that it concerns somebody with n
        before it: one of those, or the vehicle itself when it is served.
    waits : ndarray of float64, (n_states,)
        1 where a vehicle with n before it waits, else 0.
    mass, beyond : ndarray of float64, (n_events,)
        Weights of the sums for the end and for the integral.
    tag
        Probability density of a given arrival, an event: 1 / (q length).
    """

    birth: float
    down: FloatArray
    leave: FloatArray
    waits: FloatArray
    mass: FloatArray
    beyond: FloatArray
    tag: float

    @classmethod
    def of(
        cls, arrival_rate: float, servers: float, service_rate: float, length: float, n_states: int
    ) -> "SlotChain":
        """Build the chain; where little happens it ticks once a slot without effect."""
        rate = max(arrival_rate + servers * service_rate, 1.0 / length)
        n = np.arange(n_states + 1.0)
        down = np.minimum(n, servers) * (service_rate / rate)
        mean = rate * length
        k = np.arange(np.floor(mean + _WIDTH * np.sqrt(mean) + _MARGIN) + 1.0)
        mass = np.exp(xlogy(k, mean) - mean - gammaln(k + 1.0))
        mass /= mass.sum()
        return cls(
            birth=arrival_rate / rate,
            down=down[:-1].copy(),
            leave=down[1:].copy(),
            waits=(n[:-1] >= servers).astype(np.float64),
            mass=mass,
            beyond=np.maximum(mass[::-1].cumsum()[::-1] - mass, 0.0) / rate,
            tag=1.0 / mean,
        )


def push(state: FloatArray, birth: float, down: FloatArray, mass: FloatArray) -> FloatArray:
    """Return the state at the end of the slot."""
    step = _forward(birth, down)
    return _sums(step, state, mass)[0]


def push_all(
    state: FloatArray,
    birth: float,
    down: FloatArray,
    leave: FloatArray,
    tag: float,
    mass: FloatArray,
    beyond: FloatArray,
) -> FloatArray:
    """Return four rows: state at the end, its integral, and the same of a tagged arrival.

    The tagged vehicle comes at a uniform moment of the slot; its state is the number before it,
    and it leaves the sums when it leaves the system.
    """
    n = state.size
    forward = _forward(birth, down)
    stay = 1.0 - leave

    def step(now: FloatArray, after: FloatArray) -> None:
        forward(now[:n], after[:n])
        tagged, after_tagged = now[n:], after[n:]
        np.multiply(tagged, stay, out=after_tagged)
        after_tagged[:-1] += tagged[1:] * down[1:]
        after_tagged += now[:n] * tag

    start = np.concatenate([state, np.zeros(n)])
    end, integral = _sums(step, start, mass, beyond)
    return np.stack([end[:n], integral[:n], end[n:], integral[n:]])


def pull(
    wait: FloatArray,
    waits: FloatArray,
    down: FloatArray,
    leave: FloatArray,
    mass: FloatArray,
    beyond: FloatArray,
) -> FloatArray:
    """Return the wait still to come at the start of the slot, from that at its end."""
    n = wait.size
    stay = 1.0 - leave

    def step(now: FloatArray, after: FloatArray) -> None:
        for part, next_part in ((now[:n], after[:n]), (now[n:], after[n:])):
            np.multiply(part, stay, out=next_part)
            next_part[1:] += part[:-1] * down[1:]

    end, integral = _sums(step, np.concatenate([wait, waits]), mass, beyond)
    return np.asarray(end[:n] + integral[n:])


_Step = Callable[[FloatArray, FloatArray], None]


def _forward(birth: float, down: FloatArray) -> _Step:
    stay = 1.0 - birth - down
    stay[-1] += birth  # the last state takes no more arrivals
    below, one_down = np.empty(down.size - 1), down[1:]

    def step(now: FloatArray, after: FloatArray) -> None:
        np.multiply(now, stay, out=after)
        np.multiply(now[:-1], birth, out=below)
        after[1:] += below
        np.multiply(now[1:], one_down, out=below)
        after[:-1] += below

    return step


def _sums(step: _Step, state: FloatArray, *weights: FloatArray) -> list[FloatArray]:
    """Sum the states after 0, 1, ... events with each of the weights."""
    sums = [np.zeros(state.size) for _ in weights]
    n_events = weights[0].size
    rows = np.empty((min(_ROWS, n_events) + 1, state.size))
    rows[0] = state
    for start in range(0, n_events, _ROWS):
        n = min(_ROWS, n_events - start)
        for row in range(n):
            step(rows[row], rows[row + 1])
        for i, weight in enumerate(weights):
            sums[i] += weight[start : start + n] @ rows[:n]
        rows[0] = rows[n]
    return sums

"""Trains and ferries: vehicles that come in batches and are served one by one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binom, geom, nbinom, poisson

from corridor.core.queues._inputs import (
    FloatArray,
    broadcast,
    describe_faults,
    finite_array,
    share_array,
    whole_array,
)
from corridor.core.queues.waits import mean_wait
from corridor.errors import InputError

_LARGE = 1e200
_ROUNDING = 1e-9
_SMALLEST_TAIL = 1e-15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BatchQueue:
    """A queue that batches join, in equilibrium.

    Attributes
    ----------
    wait : ndarray of float64, (...)
        Mean wait of a vehicle before its service, over all places in the batch; inf if overloaded.
    wait_probability : ndarray of float64, (...)
        Share of the vehicles that wait at all.
    mean_queue : ndarray of float64, (...)
        Mean number of vehicles that wait.
    utilization : ndarray of float64, (...)
        Offered load per server; 1 or more is overload.
    """

    wait: FloatArray
    wait_probability: FloatArray
    mean_queue: FloatArray
    utilization: FloatArray


def batch_queue(
    batch_rate: ArrayLike,
    service_time: ArrayLike,
    servers: ArrayLike,
    size_share: ArrayLike,
    service_scv: ArrayLike = 1.0,
) -> BatchQueue:
    r"""Return the waits where Poisson batches of vehicles join c servers, M^X/G/c.

    Formula, with X the batch size, l the batch rate, s the service time, a = l E[X] s the offered
    load and p_n the probability of n vehicles in the system::

        p_(n+1) min(n + 1, c) / s = l sum_(i <= n) p_i P(X > n - i)          (cuts of the chain)
        sum_(n < c) (c - n) p_n   = c - a
        L (c - a) = a + l s E[X (X - 1)] / 2 + sum_(n < c) n (c - n) p_n
        Wq = (L - a) s / a

    Only the states with a free server are recurred, all terms are positive, and no state is cut
    off: M^X/M/c is exact to rounding (1e-13 service times). With general service, v = service_scv,
    W of `mean_wait` and V the mean wait in a batch that meets no other,

        Wq = Wq(M^X/M/c) + W(M/G/c) - W(M/M/c) + (1 - a / c) (1 - v)^+ (V(D) - V(M))

    which is exact for one server,

        Wq = l E[X] E[S^2] / (2 (1 - a)) + s (E[X^2] / E[X] - 1) / (2 (1 - a))        (M^X/G/1)

    and an approximation for more. Against exact chains with constant service, 2 to 10 servers and
    batches of 2 to 20, it is within 2 % at 90 % utilization, within 7 % for batches of at least
    twice the servers, and within 0.05 service times otherwise. ``wait_probability`` is that of
    exponential service.

    Parameters
    ----------
    batch_rate
        (...): batches per unit of time, >= 0.
    service_time
        (...): mean service time of a vehicle, >= 0.
    servers
        (...): whole number of servers, >= 1.
    size_share
        (..., n_sizes): share of the batches that bring 1, 2, ..., n_sizes vehicles; sums to 1. See
        `fit_batch_sizes` where only mean and variation are known.
    service_scv
        (...): squared coefficient of variation of the service times, >= 0.

    Returns
    -------
    BatchQueue
        Arrays of the broadcast shape.

    Raises
    ------
    InputError
        If a value is NaN, infinite or out of range, shares do not sum to 1, or the shapes do not
        broadcast.

    References
    ----------
    M. L. Chaudhry and J. G. C. Templeton, "A First Course in Bulk Queues", Wiley 1983; D. Gross
    and C. M. Harris, "Fundamentals of Queueing Theory", Wiley 1998, section 3.1.

    Examples
    --------
    Trains of ten wagons to one scanner at 70 %: L = 0.7 * 11 / (2 * 0.3) = 12.83 wagons there.

    >>> trains = batch_queue(0.07, 1.0, 1, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
    >>> round(float(trains.mean_queue + trains.utilization), 6)
    12.833333
    >>> round(float(trains.wait), 6)  # ten single wagons at the same 70 % would wait 2.33
    17.333333
    """
    names = ("batch_rate", "service_time", "servers", "service_scv", "size_share (without sizes)")
    share = _checked_shares(size_share)
    rate, time, c, scv, number = broadcast(
        names,
        (
            finite_array("batch_rate", batch_rate),
            finite_array("service_time", service_time),
            whole_array("servers", servers, least=1).astype(np.float64),
            finite_array("service_scv", service_scv),
            np.arange(float(share[..., 0].size)).reshape(share.shape[:-1]),
        ),
    )
    shape = rate.shape
    rate, time, c, scv = (a.ravel() for a in (rate, time, c, scv))
    share = share.reshape(-1, share.shape[-1])[number.ravel().astype(np.int64)]
    size = np.arange(1.0, share.shape[1] + 1.0)
    mean_size = share @ size
    load = rate * mean_size * time
    stable = load < c
    wait, waits = np.full(load.shape, np.inf), np.ones(load.shape)
    pairs = share @ (size * (size - 1.0)) / 2.0
    part = _exponential(rate[stable] * time[stable], c[stable], share[stable], pairs[stable])
    correction = _general_service(load[stable], c[stable], share[stable], scv[stable])
    wait[stable] = time[stable] * np.maximum(part[0] + correction, 0.0)
    waits[stable] = part[1]
    queue = np.where(load > 0.0, wait * rate * mean_size, 0.0)
    results = (wait, waits, queue, load / c)
    wait, waits, queue, utilization = (a.reshape(shape)[()] for a in results)
    return BatchQueue(wait=wait, wait_probability=waits, mean_queue=queue, utilization=utilization)


def fit_batch_sizes(mean: float, scv: float) -> FloatArray:
    r"""Return shares of batch sizes 1, 2, ... with a given mean and variation.

    X - 1 is a mixture of two binomial, Poisson, negative binomial or geometric numbers (by how
    much it varies), which meets both moments; sizes are listed until less than 1e-15 is left.

    Parameters
    ----------
    mean
        Mean batch size E[X], >= 1.
    scv
        Squared coefficient of variation of the batch size, Var[X] / E[X]^2. It cannot be less than
        whole numbers allow: Var[X] >= f (1 - f), f being the fraction of the mean.

    Returns
    -------
    ndarray of float64, (n_sizes,)
        Share of the batches with 1, 2, ..., n_sizes vehicles.

    Raises
    ------
    InputError
        If a value is NaN, or no whole number of vehicles has these moments.

    References
    ----------
    I. J. B. F. Adan, M. J. A. van Eenige and J. A. C. Resing, "Fitting discrete distributions on
    the first two moments", Probability in the Engineering and Informational Sciences 9 (1995)
    623-632.

    Examples
    --------
    >>> fit_batch_sizes(2.0, 0.0).round(9)
    array([0., 1.])
    >>> share = fit_batch_sizes(6.5, 0.3)
    >>> size = np.arange(1, share.size + 1)
    >>> float((share @ size).round(9)), float((share @ size**2 / 6.5**2 - 1).round(9))
    (6.5, 0.3)
    """
    m, v = float(finite_array("mean", mean)), float(finite_array("scv", scv)) * mean**2
    if m < 1.0:
        msg = f"mean must be at least one vehicle a batch; found {m:g}. Drop empty batches."
        raise InputError(msg)
    fraction = m - np.floor(m)
    least = fraction * (1.0 - fraction)
    if v < least - _ROUNDING * m**2:
        msg = (
            f"scv must be at least {least / m**2:.6g} for a mean of {m:g} whole vehicles; found "
            f"{scv:g}. Give the shares of the sizes themselves."
        )
        raise InputError(msg)
    return _mixture(m - 1.0, max(v, least))


def _mixture(mean: float, variance: float) -> FloatArray:
    """Shares of X - 1 = 0, 1, ... by the four families of Adan, van Eenige and Resing."""
    if mean <= _ROUNDING:
        return np.ones(1)
    excess = (variance - mean) / mean**2  # 0 is Poisson
    top = int(mean + 40.0 * np.sqrt(variance + mean) * (1.0 + excess) + 40.0)
    y = np.arange(top + 1)
    if abs(excess) < _ROUNDING:
        share = poisson.pmf(y, mean)
    elif excess < 0.0:
        k = int(np.floor(-1.0 / excess + _ROUNDING))
        root = np.sqrt(max(-excess * k * (1 + k) - k, 0.0))
        weight = (1.0 + excess * (1 + k) + root) / (1.0 + excess) if excess > -1.0 else 1.0
        chance = min(mean / (k + 1.0 - weight), 1.0)
        share = weight * binom.pmf(y, k, chance) + (1.0 - weight) * binom.pmf(y, k + 1, chance)
    elif excess < 1.0:
        k = int(np.floor(1.0 / excess + _ROUNDING))
        root = np.sqrt(max((1.0 + k) * (1.0 - excess * k), 0.0))
        weight = ((1.0 + k) * excess - root) / (1.0 + excess)
        chance = (k + 1.0 - weight) / (k + 1.0 - weight + mean)
        share = weight * nbinom.pmf(y, k, chance) + (1.0 - weight) * nbinom.pmf(y, k + 1, chance)
    else:
        share = np.zeros(y.size)
        for sign in (1.0, -1.0):
            part = 1.0 + excess + sign * np.sqrt(excess**2 - 1.0)
            share += geom.pmf(y + 1, 2.0 / (2.0 + mean * part)) / part
    last = int(np.flatnonzero(share > _SMALLEST_TAIL)[-1])
    share = np.asarray(share[: last + 1], dtype=np.float64)
    return np.asarray(share / share.sum())


def _exponential(
    rate: FloatArray, servers: FloatArray, share: FloatArray, pairs: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Mean wait [service times] and probability of waiting of M^X/M/c; shapes (n,), (n, K)."""
    more = share[:, ::-1].cumsum(axis=1)[:, ::-1]  # P(X > 0), P(X > 1), ...
    mean_size = more.sum(axis=1)
    load = rate * mean_size
    state = _free_states(rate, servers, more)
    n = np.arange(state.shape[1])
    free = np.maximum(servers[:, None] - n, 0.0)
    scale = (servers - load) / (state * free).sum(axis=1)
    number = load + rate * pairs + scale * (state * n * free).sum(axis=1)
    number /= servers - load
    # A vehicle has a place within the batch: it waits unless place + number before <= servers.
    places = np.cumsum(more, axis=1) / mean_size[:, None]
    room = np.clip(free.astype(np.int64) - 1, 0, more.shape[1] - 1)
    served = np.where(free > 0.0, np.take_along_axis(places, room, axis=1), 0.0)
    waits = np.clip(1.0 - scale * (state * served).sum(axis=1), 0.0, 1.0)
    busy = load > 0.0
    queue = np.maximum(number - load, 0.0)
    alone = _wait_alone(servers, share, is_constant=False)
    return np.where(busy, queue / np.where(busy, load, 1.0), alone), waits


def _general_service(
    load: FloatArray, servers: FloatArray, share: FloatArray, service_scv: FloatArray
) -> FloatArray:
    """Return what general service adds to the mean wait of M^X/M/c [service times]."""
    singles = mean_wait(load, 1.0, servers, 1.0, service_scv) - mean_wait(load, 1.0, servers)
    alone = _wait_alone(servers, share, is_constant=True)
    alone -= _wait_alone(servers, share, is_constant=False)
    calm = (1.0 - load / servers) * np.maximum(1.0 - service_scv, 0.0)
    return np.asarray(singles + calm * alone)


def _wait_alone(servers: FloatArray, share: FloatArray, *, is_constant: bool) -> FloatArray:
    """Mean wait [service times] in a batch that meets no other, over all its vehicles."""
    more = share[:, ::-1].cumsum(axis=1)[:, ::-1]
    before = np.arange(share.shape[1])
    turns = before // servers[:, None]
    if not is_constant:
        turns = np.maximum(before + 1.0 - servers[:, None], 0.0) / servers[:, None]
    return np.asarray((more * turns).sum(axis=1) / more.sum(axis=1))


def _free_states(rate: FloatArray, servers: FloatArray, more: FloatArray) -> FloatArray:
    """Probabilities of 0..c - 1 vehicles up to a factor, 0 from c on; shape (n, largest c)."""
    n_states, n_sizes = int(servers.max(initial=1.0)), more.shape[1]
    state = np.zeros((rate.size, n_states))
    state[:, 0] = 1.0
    for n in range(1, n_states):
        low = max(0, n - n_sizes)
        inflow = (state[:, low:n] * more[:, : n - low][:, ::-1]).sum(axis=1)
        state[:, n] = np.where(n < servers, rate * inflow / n, 0.0)
        large = state[:, n] > _LARGE
        if large.any():
            state[large, : n + 1] /= _LARGE
    return state


def _checked_shares(size_share: ArrayLike) -> FloatArray:
    share = np.atleast_1d(share_array("size_share", size_share))
    total = share.sum(axis=-1)
    bad = np.abs(total - 1.0) > _ROUNDING
    if bad.any():
        msg = f"size_share must sum to 1 over the sizes; {describe_faults(total, bad)}"
        raise InputError(msg)
    return np.asarray(share / total[..., None])

"""Lanes with priority: some classes are taken first, nobody is sent back once served."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from corridor.core.queues._inputs import FloatArray, broadcast, finite_array
from corridor.core.queues.waits import mean_wait
from corridor.errors import InputError

_ROUNDING = 1e-12


def priority_wait(
    arrival_rate: ArrayLike,
    service_time: ArrayLike,
    servers: ArrayLike,
    service_scv: ArrayLike = 1.0,
) -> FloatArray:
    r"""Return the mean wait of each class where the first classes are served first.

    All servers serve all classes, a free server takes the first class that waits, first come first
    served within it, and a service once begun is ended (non-preemptive). Formula, with r_k the
    offered load of class k per server, s_k = r_1 + ... + r_k, rho the sum of all, and W the mean
    wait of all classes in one queue (`mean_wait` with the mean and variation of the mixed
    service)::

        Wq_k = W (1 - rho) / ((1 - s_(k-1)) (1 - s_k))

    It is exact for one server (Cobham) and for exponential service with equal means, M/M/c
    (Kella and Yechiali). For other M/G/c it is the approximation of Bondi and Buzen, which keeps
    the conservation law (`conservation_gap`). Where the classes together overload the servers,
    those with s_k < 1 still have a finite wait: W (1 - rho) is then the mean time to the next free
    server, sum_k w_k s_k^2 (1 + v_k) / (2 s_k c) over the work w_k that is served.

    Parameters
    ----------
    arrival_rate
        (..., n_classes): Poisson arrivals of each class per unit of time, >= 0; the first class
        goes first.
    service_time
        (..., n_classes): mean service time of each class, >= 0; one number for all of them does.
    servers
        (...): number of servers, > 0; whole unless the mixed service is exponential.
    service_scv
        (..., n_classes): squared coefficient of variation of the service times, >= 0.

    Returns
    -------
    ndarray of float64, (..., n_classes)
        Mean wait before service of a vehicle of each class; inf where s_k >= 1.

    Raises
    ------
    InputError
        If a value is NaN, infinite or negative, `servers` is 0 or not whole where it must be, or
        the shapes do not broadcast.

    References
    ----------
    A. Cobham, "Priority assignment in waiting line problems", Operations Research 2 (1954) 70-76;
    O. Kella and U. Yechiali, "Waiting times in the non-preemptive priority M/M/c queue", Stochastic
    Models 1 (1985) 257-262; A. B. Bondi and J. P. Buzen, "The response times of priority classes
    under preemptive resume in M/G/m queues", ACM SIGMETRICS 12 (1984) 195-201.

    Examples
    --------
    One scanner at 80 %, a quarter of the trucks in a green lane: without it all wait 4 service
    times; with it the quarter waits one, and the others five.

    >>> priority_wait([0.2, 0.6], 1.0, 1).round(6)
    array([1., 5.])
    """
    lanes = _checked(arrival_rate, service_time, servers, service_scv)
    part = lanes.load / lanes.servers
    up_to = np.cumsum(part, axis=-1)
    before = up_to - part
    rho = up_to[..., -1:]
    wait = _wait_together(lanes)[..., None]
    # In overload the busy servers free themselves as they do near saturation, by what is served.
    served = np.clip(1.0 - before, 0.0, part)
    second = lanes.service_time * (1.0 + lanes.service_scv) / (2.0 * lanes.servers)
    saturated = (served * second).sum(axis=-1, keepdims=True)
    stable = rho < 1.0
    to_next = np.where(stable, np.where(stable, wait, 0.0) * (1.0 - rho), saturated)
    finite = up_to < 1.0
    room = np.where(finite, (1.0 - before) * (1.0 - up_to), 1.0)
    return np.asarray(np.where(finite, to_next / room, np.inf))


def conservation_gap(
    wait: ArrayLike,
    arrival_rate: ArrayLike,
    service_time: ArrayLike,
    servers: ArrayLike,
    service_scv: ArrayLike = 1.0,
) -> FloatArray:
    r"""Return by how much the waits of the classes differ from one queue for all.

    Formula (Kleinrock's conservation law), r_k being the offered load of class k::

        gap = sum_k r_k Wq_k / sum_k r_k - W

    It is 0 for every order in which work is taken without regard to its length and without idle
    servers: for one server always, for more where all classes have the same service. So a priority
    lane moves delay from one class to another and saves none, unless it also takes less work.

    Parameters
    ----------
    wait
        (..., n_classes): mean wait of each class, from `priority_wait`, a simulation or counts.
    arrival_rate, service_time, servers, service_scv
        As in `priority_wait`.

    Returns
    -------
    ndarray of float64, (...)
        Gap in the unit of time; 0 where nothing arrives, NaN where W is infinite.

    Raises
    ------
    InputError
        As in `priority_wait`, or if a wait is NaN or negative.

    References
    ----------
    L. Kleinrock, "Queueing Systems, volume II", Wiley 1976, section 3.4.

    Examples
    --------
    >>> rate = [0.2, 0.6]
    >>> float(conservation_gap(priority_wait(rate, 1.0, 1), rate, 1.0, 1).round(12))
    0.0
    >>> float(conservation_gap([1.0, 3.0], rate, 1.0, 1).round(12))  # claims to save 1.5 each
    -1.5
    """
    values = np.asarray(wait, dtype=np.float64)
    if np.isnan(values).any() or (values < 0.0).any():
        msg = "wait must be >= 0 and no NaN in every class. Correct or drop these values."
        raise InputError(msg)
    lanes = _checked(arrival_rate, service_time, servers, service_scv)
    load, waits = broadcast(("arrival_rate", "wait"), (lanes.load, values))
    total = load.sum(axis=-1)
    weighted = np.where(load > 0.0, load, 0.0) * np.where(load > 0.0, waits, 0.0)
    mean = weighted.sum(axis=-1) / np.where(total > 0.0, total, 1.0)
    together = np.broadcast_to(_wait_together(lanes), mean.shape)
    known = np.isfinite(together)
    gap = mean - np.where(known, together, 0.0)
    return np.where(known, np.where(total > 0.0, gap, 0.0), np.nan)[()]


class _Lanes(NamedTuple):
    """Checked arguments, all of one shape (..., n_classes)."""

    arrival_rate: FloatArray
    service_time: FloatArray
    servers: FloatArray
    service_scv: FloatArray

    @property
    def load(self) -> FloatArray:
        return self.arrival_rate * self.service_time


def _checked(
    arrival_rate: ArrayLike, service_time: ArrayLike, servers: ArrayLike, service_scv: ArrayLike
) -> _Lanes:
    names = ("arrival_rate", "service_time", "servers (one a row)", "service_scv")
    rate = np.atleast_1d(finite_array("arrival_rate", arrival_rate))
    if rate.shape[-1] == 0:
        msg = f"arrival_rate must hold at least one class; found the shape {rate.shape}."
        raise InputError(msg)
    time = finite_array("service_time", service_time)
    c = finite_array("servers", servers, positive=True)
    scv = finite_array("service_scv", service_scv)
    return _Lanes(*broadcast(names, (rate, time, c[..., None], scv)))


def _wait_together(lanes: _Lanes) -> FloatArray:
    """Mean wait of all classes in one first-come-first-served queue, shape (...)."""
    rate = lanes.arrival_rate.sum(axis=-1)
    busy = np.where(rate > 0.0, rate, 1.0)
    time = lanes.load.sum(axis=-1) / busy
    second = (lanes.load * lanes.service_time * (1.0 + lanes.service_scv)).sum(axis=-1) / busy
    square = time**2
    scv = np.maximum(second / np.where(square > 0.0, square, 1.0) - 1.0, 0.0)
    scv = np.where((np.abs(scv - 1.0) < _ROUNDING) | (square == 0.0), 1.0, scv)
    return np.asarray(mean_wait(rate, time, lanes.servers[..., 0], 1.0, scv))

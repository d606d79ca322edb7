"""Mean waits of many-server queues with general service times, and their slopes."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor.core.queues._inputs import FloatArray, broadcast, describe_faults, finite_array
from corridor.core.queues.deterministic import mdc_wait_and_slope
from corridor.core.queues.erlang import mmc_wait_and_slope
from corridor.errors import InputError


class WaitWeights(NamedTuple):
    """What M/M/c and M/D/c weigh in the mean wait of one queue."""

    exponential: FloatArray
    constant: FloatArray


def wait_weights(arrival_scv: FloatArray, service_scv: FloatArray) -> WaitWeights:
    """Weights of the exact M/M/c and M/D/c waits; arrays of one shape."""
    poisson = arrival_scv == 1.0
    return WaitWeights(
        exponential=np.where(poisson, service_scv, (arrival_scv + service_scv) / 2.0),
        constant=np.where(poisson, 1.0 - service_scv, 0.0),
    )


def mean_wait(
    arrival_rate: ArrayLike,
    service_time: ArrayLike,
    servers: ArrayLike,
    arrival_scv: ArrayLike = 1.0,
    service_scv: ArrayLike = 1.0,
) -> FloatArray:
    r"""Return the mean wait before service in a first-come-first-served queue with c servers.

    Formula, with C Erlang's probability of waiting (`erlang_c`), s the service time and
    a = arrival_rate s the offered load::

        W(M/M/c) = C(c, a) s / (c - a)
        Wq = service_scv W(M/M/c) + (1 - service_scv) W(M/D/c)     where arrival_scv == 1
        Wq = (arrival_scv + service_scv) / 2 W(M/M/c)              elsewhere
        Wq = inf                                                   where a >= c

    The first line for Wq (Tijms) takes W(M/D/c) exactly (Crommelin) and is exact for M/M/c, M/D/c
    and, being the formula of Pollaczek and Khinchine, for one server. Against the exact wait of
    Erlang service times with 2 or 4 phases, 2 or 5 servers and utilization 0.5 to 0.9 it is short
    by at most 0.5 %. Above service_scv = 1 it extrapolates, which stays positive because
    W(M/D/c) < W(M/M/c), and errs on the long side: against two-phase hyperexponential service
    with balanced means, up to 5 servers, by at most 11 % (service_scv 2) and 30 % (service_scv 4)
    at utilization 0.3, and 2 % and 4 % at 0.9.

    The second line (Allen and Cunneen) is an approximation. It does not meet the first as
    arrival_scv goes to 1, except where service_scv is 1 or there is one server.

    Parameters
    ----------
    arrival_rate
        Arrivals per unit of time, >= 0.
    service_time
        Mean service time in the same unit of time, >= 0.
    servers
        Number of servers, > 0. Whole where arrival_scv is 1 and service_scv is not, because M/D/c
        is only defined for whole numbers.
    arrival_scv
        Squared coefficient of variation of the times between arrivals, >= 0; 1 is Poisson.
    service_scv
        Squared coefficient of variation of the service times, >= 0; 0 is constant, 1 exponential.

    Returns
    -------
    ndarray of float64
        Mean wait in the same unit of time, service excluded, of the broadcast shape (a NumPy scalar
        for scalars); inf where overloaded, 0 where nothing arrives.

    Raises
    ------
    InputError
        If a value is NaN, infinite or negative, `servers` is 0 or not whole where it must be, or
        the shapes do not broadcast.

    References
    ----------
    H. C. Tijms, "A First Course in Stochastic Models", Wiley 2003, chapter 9; C. D. Crommelin,
    P.O.E.E. Journal 25 (1932) 41-50; A. O. Allen, "Probability, Statistics, and Queueing Theory",
    Academic Press 1990, chapter 5.

    Examples
    --------
    M/M/3 with two erlangs: C = 4/9, so Wq = 4/9 service times / (3 - 2). One server at 80 %:
    4 service times if exponential, 2 if constant. Overloaded: no finite wait.

    >>> mean_wait(2.0, 1.0, 3).round(10)
    np.float64(0.4444444444)
    >>> mean_wait(0.8, 1.0, 1, service_scv=[1.0, 0.0]).round(10)
    array([4., 2.])
    >>> mean_wait(3.0, 1.0, 3)
    np.float64(inf)
    """
    return wait_and_slope(arrival_rate, service_time, servers, arrival_scv, service_scv)[0]


def wait_and_slope(
    arrival_rate: ArrayLike,
    service_time: ArrayLike,
    servers: ArrayLike,
    arrival_scv: ArrayLike = 1.0,
    service_scv: ArrayLike = 1.0,
) -> tuple[FloatArray, FloatArray]:
    r"""Return `mean_wait` and its exact derivative by the arrival rate.

    Formula: for M/M/c, in service times and with a the offered load, w = C / (c - a) and
    dw/da = w ((c - a)/a + (2 - C)/(c - a)); for M/D/c the roots (or the series) behind the wait are
    differentiated term by term; both enter with the weights of `mean_wait`.

    Parameters
    ----------
    arrival_rate, service_time, servers, arrival_scv, service_scv
        As in `mean_wait`.

    Returns
    -------
    wait : ndarray of float64
        As in `mean_wait`.
    slope : ndarray of float64
        Derivative of the wait by `arrival_rate` [time squared], >= 0; inf where overloaded (and at
        no arrivals if there is less than one server).

    Raises
    ------
    InputError
        As in `mean_wait`.

    Examples
    --------
    M/M/1 with service time 1: Wq = a / (1 - a) and its slope is 1 / (1 - a)^2.

    >>> wait, slope = wait_and_slope([0.0, 0.5, 0.75], 1.0, 1)
    >>> wait.round(10), slope.round(10)
    (array([0., 1., 3.]), array([ 1.,  4., 16.]))
    """
    rate, time, c, arrival, service = checked_queue(
        arrival_rate, service_time, servers, arrival_scv, service_scv
    )
    weights = wait_weights(arrival, service)
    load = rate * time
    stable = load < c
    wait, slope = np.full(c.shape, np.inf), np.full(c.shape, np.inf)
    part = WaitWeights(weights.exponential[stable], weights.constant[stable])
    in_service_times = weighted_wait_and_slope(c[stable], load[stable], part)
    wait[stable] = time[stable] * in_service_times[0]
    slope[stable] = time[stable] ** 2 * in_service_times[1]
    return wait[()], slope[()]


def weighted_wait_and_slope(
    servers: FloatArray, load: FloatArray, weights: WaitWeights
) -> tuple[FloatArray, FloatArray]:
    """Mean wait in service times and its slope by the offered load; shape (n,), 0 <= a < c."""
    wait, slope = np.zeros(load.shape), np.zeros(load.shape)
    for weight, is_constant in ((weights.exponential, False), (weights.constant, True)):
        used = np.flatnonzero(weight)
        if used.size == 0:
            continue
        c, a = servers[used], load[used]
        if is_constant:
            part = mdc_wait_and_slope(c.astype(np.int64), a)
        else:
            part = mmc_wait_and_slope(c, a)
        wait[used] += weight[used] * part[0]
        slope[used] += weight[used] * part[1]
    return wait, slope


def checked_queue(
    arrival_rate: ArrayLike,
    service_time: ArrayLike,
    servers: ArrayLike,
    arrival_scv: ArrayLike,
    service_scv: ArrayLike,
) -> tuple[FloatArray, ...]:
    """Check the arguments of `mean_wait` and broadcast them to one shape, in their order."""
    names = ("arrival_rate", "service_time", "servers", "arrival_scv", "service_scv")
    values = (arrival_rate, service_time, servers, arrival_scv, service_scv)
    arrays = [
        finite_array(name, value, positive=name == "servers")
        for name, value in zip(names, values, strict=True)
    ]
    columns = broadcast(names, arrays)
    _refuse_split_servers(columns[2], wait_weights(columns[3], columns[4]))
    return columns


def _refuse_split_servers(servers: FloatArray, weights: WaitWeights) -> None:
    bad: NDArray[np.bool_] = (weights.constant != 0.0) & (servers != np.floor(servers))
    if bad.any():
        msg = (
            "servers must be whole where arrival_scv is 1 and service_scv is not (M/D/c enters the "
            f"wait); {describe_faults(servers, bad)} Use whole servers, or service_scv = 1."
        )
        raise InputError(msg)
